# Tools in an answer: the loop, the visitor's word, an operator's, late outcomes,
# models without tools of their own, claims without a receipt.  ENG-10
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical;
my $stack = Frontdesk::Stack->new;
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$tools->add('look_up');
$tools->add('book', risk => 'write', description => 'Books a table. Call it when the day is known.');
$tools->add('refund', risk => 'high');
$tools->add('bound', bindings => { owner => 'session_id' });
my $client = $stack->client;

sub ask { my ($words, $scenario, %more) = @_; return { message => "$words \@" . $json->encode($scenario) . '@', %more }; }
sub names { my ($s, $event) = @_; return grep { $_->{event} eq $event } @{ $s->{events} }; }
sub statuses { my ($s, $name) = @_; return join ' ', map { $_->{json}{status} } grep { !$name || $_->{json}{name} eq $name } names($s, 'tool'); }
sub row { my ($job, $column) = @_; return $stack->sql("SELECT $column FROM tool_executions WHERE job_id = '$job' ORDER BY step, created_at LIMIT 1"); }
sub asked { my ($words) = @_; return grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^\Q$words\E/ } $stack->journal; }

# Runs the stream until the event comes.
sub run_to {
    my ($s, $event, $seconds) = @_;
    my $end = time + ($seconds || 10);
    while (time < $end && !names($s, $event)) {
        last unless $s->next($end - time);
    }
    return (names($s, $event))[-1];
}
sub word {
    my ($s, $call_id, $decision, %header) = @_;
    return $client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $call_id, decision => $decision },
                         { 'X-Frontdesk-Session' => $s->{session}, %header });
}

subtest 'ENG-10: text, parallel reads, their results, text' => sub {
    my $s = $client->chat(ask('Two', { rounds => [
        { text => 'Let me look. ', tools => [{ name => 'look_up', arguments => { day => 'mon' } }, { name => 'look_up', arguments => { day => 'tue' } }] },
        { text => 'Both are fine.' }] }));
    is $s->{terminal}{event}, 'done', 'done' or diag explain $s->{events};
    is $s->{text}, "Let me look. \n\nBoth are fine.", 'what was said before and after';
    is join(' ', sort split / /, statuses($s)), 'done done running running', 'the visitor sees what goes on';
    is_deeply [sort keys %{ (names($s, 'tool'))[0]{json} }], [qw(call_id ms name status)], 'and neither arguments nor results';
    is scalar $tools->effects('look_up'), 2, 'each ran once';
    my @requests = asked('Two');
    is scalar @requests, 2, 'two calls of the model';
    is_deeply [map { $_->{function}{name} } @{ $requests[0]{body}{tools} }], [qw(book bound look_up refund)], 'it was offered the tools';
    my @messages = @{ $requests[1]{body}{messages} };
    is_deeply [map { $_->{role} } @messages[-3 .. -1]], [qw(assistant tool tool)], 'its calls and their results came back to it';
    like $messages[-1]{content}, qr/"day":"tue"/, 'in the order of the calls';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}'"), 2, 'both calls of the model are in the ledger';
    is $stack->sql("SELECT string_agg(status || ' ' || risk || ' ' || success, ',') FROM tool_executions WHERE job_id = '$s->{job}'"), 'done read true,done read true', 'every execution is stored';
    is $stack->sql("SELECT jsonb_array_length(tool_calls) FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 2, 'and on the message';
    my $key = ($tools->requests('look_up'))[0]{body};
    like $key->{idempotency_key}, qr/\Q$s->{job}\E/, 'the idempotency key names the job';
};

subtest 'ENG-10: a whole answer tells what was called; a dry run what may be' => sub {
    my $r = $client->post('/api/v1/chat', ask('Whole', { rounds => [{ tools => [{ name => 'look_up', arguments => { day => 'wed' } }] }, { text => 'Yes.' }] }));
    is $r->{json}{response}, 'Yes.', 'the answer' or diag $r->{body};
    is_deeply [map { "$_->{name} $_->{status}" } @{ $r->{json}{tool_calls_made} }], ['look_up done'], 'tool_calls_made';
    my $dry = $client->post('/api/v1/chat', { message => 'Dry', dry_run => JSON::PP::true });
    is_deeply [map { "$_->{name} $_->{risk}" } @{ $dry->{json}{tools} }], ['book write', 'bound read', 'look_up read', 'refund high'], 'tools of a dry run';
    my $write = $client->post('/api/v1/chat', ask('Silent', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'x' } }] }, { text => 'Ask me in the chat.' }] }));
    is $write->{json}{response}, 'Ask me in the chat.', 'a write that nobody can confirm';
    is scalar $tools->effects('book'), 0, 'does not run';
};

subtest 'ENG-10: a typed failure goes to the model' => sub {
    for my $case (['error', 'http'], ['empty', 'response'], ['fail', 'sold_out']) {
        my ($behave, $code) = @$case;
        my $s = $client->chat(ask("Fails $behave", { rounds => [{ tools => [{ name => 'look_up', arguments => { behave => $behave, day => $behave } }] }, { text => 'Sorry.' }] }));
        is statuses($s), 'running failed', "$behave: the visitor sees that it failed";
        is $s->{text}, 'Sorry.', 'the model speaks for itself';
        like +(asked("Fails $behave"))[1]{body}{messages}[-1]{content}, qr/"code":"$code"/, "and was told: $code";
    }
};

subtest 'ENG-10: a write waits for the visitor, and runs once' => sub {
    my $before = () = $tools->effects('book');
    my $s = $client->ask(ask('Book', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'friday', text => "a\x{202e}b" } }] }, { text => 'It is booked.' }] }));
    my $confirm = run_to($s, 'confirm');
    is $confirm->{json}{summary}, "Books a table.\nday: friday\ntext: ab", 'asked in the server\'s words, with the very arguments' or diag explain $s->{events};
    like $confirm->{json}{expires_at}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'with an end';
    is row($s->{job}, 'status'), 'confirming', 'the row waits';
    sleep 1.2;
    is scalar(() = $tools->effects('book')), $before, 'nothing has happened yet';
    my $id = $confirm->{json}{call_id};
    is word($s, 'c_' . '0' x 24, 'accept')->{status}, 404, 'a word on something else: 404';
    is word({ %$s, session => $client->post('/api/v1/sessions/start', {})->{json}{session_id} }, $id, 'accept')->{status}, 404, 'another session\'s word: 404';
    my $r = word($s, $id, 'accept');
    is $r->{status}, 200, 'accepted' or diag $r->{body};
    is_deeply $r->{json}, { job_id => $s->{job}, call_id => $id, decision => 'accept' }, 'what stands';
    is word($s, $id, 'decline')->{json}{decision}, 'accept', 'the first word stands';
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'done';
    is statuses($s, 'book'), 'waiting running done', 'waiting, running, done';
    is scalar(() = $tools->effects('book')), $before + 1, 'it happened once';
    is row($s->{job}, "status || ' ' || approved_by"), 'done visitor', 'and says who agreed';
    is word($s, $id, 'accept')->{json}{decision}, 'accept', 'too late, it is told what stands';
};

subtest 'ENG-10: a write whose server fails may have happened' => sub {
    my $s = $client->ask(ask('Breaks', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'breaks', behave => 'error' } }] }, { text => 'That has to be checked.' }] }));
    word($s, run_to($s, 'confirm')->{json}{call_id}, 'accept');
    $s->run(30);
    is row($s->{job}, 'status'), 'unknown', 'the row does not say that it failed';
    my $told = (asked('Breaks'))[1]{body}{messages}[-1]{content};
    like $told, qr/"code":"http".*may have been done or not: say that it has to be checked/, 'nor does the model hear so' or diag $told;
    like $told, qr/"retryable":false/, 'and it is not to be tried again';
};

subtest 'ENG-10: declined' => sub {
    my $before = () = $tools->effects('book');
    my $s = $client->ask(ask('No', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'sunday' } }] }, { text => 'All right, nothing was booked.' }] }));
    my $confirm = run_to($s, 'confirm');
    is word($s, $confirm->{json}{call_id}, 'decline')->{status}, 200, 'declined';
    $s->run(30);
    is statuses($s), 'waiting failed', 'not done';
    is scalar(() = $tools->effects('book')), $before, 'nothing happened';
    is row($s->{job}, 'status'), 'declined', 'the row says so';
    like +(asked('No '))[1]{body}{messages}[-1]{content}, qr/"code":"declined"/, 'the model knows';
};

subtest 'ENG-10: bad words' => sub {
    my $s = $client->ask(ask('Bad', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'm' } }] }, { text => 'ok' }] }));
    my $id = run_to($s, 'confirm')->{json}{call_id};
    for my $case ([{ call_id => $id }, 422, 'decision'], [{ call_id => $id, decision => 'yes' }, 422, 'decision'],
                  [{ call_id => 'x', decision => 'accept' }, 422, 'call_id'], [{ call_id => $id, decision => 'accept', more => 1 }, 422, 'more'],
                  ['[]', 422, undef], ['{', 400, undef], ['{"call_id":"a","call_id":"b"}', 400, 'call_id']) {
        my ($body, $status, $field) = @$case;
        my $r = $client->post("/api/v1/chat/$s->{job}/confirm", $body, { 'X-Frontdesk-Session' => $s->{session} });
        is $r->{status}, $status, (ref $body ? $json->encode($body) : $body) . ": $status" or diag $r->{body};
        is $r->{json}{field}, $field, 'names the field' if defined $field;
    }
    is $client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $id, decision => 'accept' })->{status}, 400, 'without the session: 400';
    is $client->get("/api/v1/chat/$s->{job}/confirm")->{status}, 405, 'GET: 405';
    word($s, $id, 'decline');
    $s->run(30);
};

subtest 'ENG-10: the same call twice in a round, and a write again, run once' => sub {
    my $before = () = $tools->effects('book');
    my $call = { name => 'book', arguments => { day => 'again' } };
    my $other = { name => 'book', arguments => { day => 'again' }, id => 'call_other' };
    my $s = $client->ask(ask('Twice', { rounds => [{ tools => [$call, $other] }, { tools => [$call] }, { text => 'Booked.' }] }));
    word($s, run_to($s, 'confirm')->{json}{call_id}, 'accept');
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'done' or diag explain $s->{events};
    is scalar(() = names($s, 'confirm')), 1, 'asked once';
    is scalar(() = $tools->effects('book')), $before + 1, 'done once';
    is scalar(grep { $_->{role} eq 'tool' } @{ (asked('Twice'))[-1]{body}{messages} }), 3, 'every call of the model has its result';
};

subtest 'ENG-10: what the server binds the model cannot choose' => sub {
    my $s = $client->chat(ask('Bound', { rounds => [{ tools => [{ name => 'bound', arguments => { day => 'x', owner => 'somebody-else' } }] }, { text => 'ok' }] }));
    is +($tools->requests('bound'))[-1]{body}{args}{owner}, $s->{session}, 'the session is the server\'s word';
    ok !exists +(asked('Bound'))[0]{body}{tools}[1]{function}{parameters}{properties}{owner}, 'the model does not even see it';
};

subtest 'ENG-10: high risk waits for an operator, is run once later, and is told' => sub {
    my $before = () = $tools->effects('refund');
    my $s = $client->chat(ask('Refund', { rounds => [{ tools => [{ name => 'refund', arguments => { day => '42' } }] }, { text => 'Somebody has to look at it first.' }] }));
    is $s->{terminal}{event}, 'done', 'the answer ends';
    is statuses($s), 'waiting', 'waiting';
    is +(names($s, 'notice'))[0]{json}{text}, 'This has not been done yet: it waits for a person\'s approval.', 'the visitor is told, whatever the model says';
    like +(asked('Refund'))[1]{body}{messages}[-1]{content}, qr/waiting_for_approval/, 'the model knows';
    my $list = $stack->frontdesk('approvals', 'list', '--org', $stack->{org});
    like $list, qr/^([0-9a-f-]{36})  \S+  approving  until \S+  refund\n    Does refund\.\n    day: 42$/m, 'the operator sees what it is' or diag $list;
    my ($id) = $list =~ /^(\S+)/;
    is scalar(() = $tools->effects('refund')), $before, 'nothing has happened';
    $stack->frontdesk('approvals', 'approve', $id, '--org', $stack->{org});
    is $stack->{status}, 0, 'approved';
    $stack->frontdesk('approvals', 'decline', $id, '--org', $stack->{org});
    is $stack->{status}, 1, 'a second decision is refused';
    ok $stack->until(sub { row($s->{job}, 'status') eq 'done' }, 10, 'the run'), 'a worker ran it';
    is scalar(() = $tools->effects('refund')), $before + 1, 'once';
    ok $stack->until(sub { grep { $_->{content} =~ /^Your request was approved and has been carried out:\n\nDoes refund/ } @{ $client->get("/api/v1/sessions/$s->{session}/history?limit=50")->{json}{messages} } }, 5), 'the conversation hears of it';
    $client->chat(ask('And now', { text => 'ok' }, session_id => $s->{session}));
    ok +(grep { ($_->{content} // '') =~ /has been carried out/ } @{ (asked('And now'))[0]{body}{messages} }), 'and so does the model';

    my $t = $client->chat(ask('Second', { rounds => [{ tools => [{ name => 'refund', arguments => { day => '43' } }] }, { text => 'Wait.' }] }));
    my ($other) = $stack->frontdesk('approvals', 'list', '--org', $stack->{org}) =~ /^(\S+)/;
    $stack->frontdesk('approvals', 'decline', $other, '--org', $stack->{org});
    ok $stack->until(sub { grep { $_->{content} =~ /was not approved/ } @{ $client->get("/api/v1/sessions/$t->{session}/history?limit=50")->{json}{messages} } }, 10), 'a decline is told, too';
    is scalar(() = $tools->effects('refund')), $before + 1, 'and nothing is run';
};

subtest 'ENG-10: an outcome that comes late' => sub {
    my $s = $client->chat(ask('Later', { rounds => [{ tools => [{ name => 'look_up', arguments => { behave => 'pending', day => 'late' } }] }, { text => 'It is on its way.' }] }));
    is statuses($s), 'running waiting', 'pending';
    my $url = ($tools->requests('look_up'))[-1]{body}{callback_url};
    like $url, qr{^\Q@{[$stack->url]}\E/api/v1/tools/callback/[A-Za-z0-9_-]{64}$}, 'the tool knows where';
    my ($path) = $url =~ m{(/api/.*)};
    my $anybody = Frontdesk::Client->new(port => $stack->{port});
    (my $forged = $path) =~ s/.$/A/;
    $forged =~ s/A$/B/ if $forged eq $path;
    is $anybody->post($forged, { ok => JSON::PP::true })->{status}, 404, 'a forged token: 404';
    is $anybody->post($path, '{')->{status}, 400, 'no JSON: 400';
    is $anybody->post($path, '[1]')->{status}, 422, 'no object: 422';
    is $anybody->post($path, { data => 'x' x 40000 })->{status}, 413, 'too large: 413';
    my $r = $anybody->post($path, { ok => JSON::PP::true, data => { parcel => 'delivered' } });
    is $r->{status}, 200, 'taken' or diag $r->{body};
    is $anybody->post($path, { ok => JSON::PP::true })->{status}, 409, 'once';
    is row($s->{job}, 'status'), 'done', 'stored';
    $client->chat(ask('So what', { text => 'ok' }, session_id => $s->{session}));
    ok +(grep { ($_->{content} // '') =~ /which came in later.*delivered/s } @{ (asked('So what'))[0]{body}{messages} }), 'the next turn knows';
    ok !(grep { $_->{content} =~ /came in later/ } @{ $client->get("/api/v1/sessions/$s->{session}/history?limit=50")->{json}{messages} }), 'the visitor is not shown raw outcomes';
};

subtest 'ENG-10: a model of which the catalogue says that it takes no tools' => sub {
    $stack->sql("INSERT INTO model_catalog (model_id, provider, name, supports_tools) VALUES ('mock-fast', 'mock', 'Mock', false)"
        . " ON CONFLICT (model_id) DO UPDATE SET supports_tools = false");
    $stack->hint;
    my $s = $client->chat(ask('Listed', { rounds => [
        { text => "<tool_call>{\"name\": \"look_up\", \"arguments\": {\"day\": \"fri\"}}</tool_call>" }, { text => 'Friday is fine.' }] }));
    is $s->{text}, 'Friday is fine.', 'answers' or diag explain $s->{events};
    my @requests = asked('Listed');
    is scalar @requests, 2, 'without having been refused first';
    ok !$requests[0]{body}{tools}, 'no tools on the wire';
    like $requests[0]{body}{messages}[0]{content}, qr/<tool_call>.*"name":"look_up"/s, 'but in words';
    $stack->sql("UPDATE model_catalog SET supports_tools = true WHERE model_id = 'mock-fast'");
    $stack->hint;
    my $native = $client->chat(ask('Takes them', { text => 'ok' }));
    ok +(asked('Takes them'))[0]{body}{tools}, 'one that does is offered them';
};

subtest 'a model without tools gets them in words' => sub {
    my $s = $client->chat(ask('Words', { no_tools => 1, rounds => [
        { text => "One moment.\n<tool_call>{\"name\": \"look_up\", \"arguments\": {\"day\": \"thu\"}}</tool_call>\nIt is open." },
        { text => 'Thursday is fine.' }] }));
    is $s->{terminal}{event}, 'done', 'done' or diag explain $s->{events};
    is $s->{text}, "One moment.\n\nThursday is fine.", 'neither the call nor what it made up is shown' or diag explain $s->{text};
    is statuses($s), 'running done', 'the tool ran';
    my @requests = asked('Words');
    is scalar @requests, 3, 'refused once, then asked in words';
    ok !$requests[1]{body}{tools}, 'no tools on the wire';
    like $requests[1]{body}{messages}[0]{content}, qr/<tool_call>.*"name":"look_up"/s, 'they are in the system prompt';
    like $requests[2]{body}{messages}[-1]{content}, qr{^<tool_result name="look_up">\n\{.*\}\n</tool_result>}s, 'and so is the result';
    my $bad = $client->chat(ask('Odd', { rounds => [{ text => "<tool_call>{\"name\": \"look_up\"}</tool_call>" }, { text => 'Sorry.' }] }));
    is $bad->{text}, 'Sorry.', 'a malformed call is not run and not shown';
};

subtest 'ENG-10: a claim without a receipt' => sub {
    my $not_done = 'Correction: I have no confirmation that this was done. Please do not rely on it.';
    my $s = $client->chat(ask('Claims once', { rounds => [{ text => 'I have booked your table.' }, { text => 'I am sorry: it is not booked yet.' }] }));
    is $s->{text}, "I have booked your table.\n\nI am sorry: it is not booked yet.", 'one more turn for the model';
    is scalar(() = asked('Claims once')), 2, 'one';
    like +(asked('Claims once'))[1]{body}{messages}[-1]{content}, qr/^Automatic check/, 'it is told why';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}'"), 2, 'both are in the ledger';
    my $t = $client->chat(ask('Claims on and on', { rounds => [{ text => 'I have booked your table.' }] }));
    is $t->{text}, "I have booked your table.\n\nI have booked your table.\n\n$not_done", 'if it insists, the server says how it is';
    is scalar(() = asked('Claims on and on')), 2, 'and asks no third time';
    my $whole = $client->post('/api/v1/chat', ask('Claims whole', { rounds => [{ text => 'I have booked your table.' }, { text => 'It is not booked.' }] }));
    is $whole->{json}{response}, 'It is not booked.', 'a whole answer is replaced';
    my $lie = $client->post('/api/v1/chat', ask('Claims all', { rounds => [{ text => 'I have booked your table.' }] }));
    is $lie->{json}{response}, $not_done, 'even by that sentence';
    my $hebrew = $client->chat(ask('הזמנה', { rounds => [{ text => 'הזמנתי לך שולחן.' }] }, language => 'he'));
    like $hebrew->{text}, qr/תיקון: אין לי אישור שהפעולה בוצעה/, 'in Hebrew, too';
    my $acts = $client->ask(ask('Claims and acts', { rounds => [{ text => 'I have booked your table.' }, { tools => [{ name => 'book', arguments => { day => 'guard' } }] }, { text => 'Now I have booked it.' }] }));
    word($acts, run_to($acts, 'confirm')->{json}{call_id}, 'accept');
    $acts->run(30);
    is $acts->{text}, "I have booked your table.\n\nNow I have booked it.", 'a correction may act; what a tool confirmed may be said';
    my $broken = $client->chat(ask('Claims breaks', { rounds => [{ text => 'I have booked your table.' }, { status => 500, refuse_connection => 1 }] }), seconds => 40);
    is $broken->{terminal}{event}, 'done', 'a correction that fails';
    like $broken->{text}, qr/\Q$not_done\E$/, 'leaves the sentence';
};

subtest 'ENG-10: what an earlier turn did may be said later' => sub {
    my $booked = 'Yes, I have booked your table for Friday at 10.';
    my $later = sub {
        my ($words, $s, $said, %more) = @_;
        my $t = $client->chat(ask($words, { rounds => [{ text => $said }] }, session_id => $s->{session}, %more));
        is $t->{text}, $said, "$words: it stands as it is";
        is scalar(() = asked($words)), 1, "$words: the model is not told to act again";
    };
    my $beyond = sub {
        my ($words, $s, $said, %more) = @_;
        my $t = $client->chat(ask($words, { rounds => [{ text => $said }, { text => 'Not yet.' }] }, session_id => $s->{session}, %more));
        is $t->{text}, "$said\n\nNot yet.", "$words: one call does not vouch for another";
        is scalar(() = asked($words)), 2, "$words: the model is asked again";
    };
    my $s = $client->ask(ask('Receipt', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'receipt' } }] }, { text => 'It is booked.' }] }));
    word($s, run_to($s, 'confirm')->{json}{call_id}, 'accept');
    $s->run(30);
    $later->('Is it confirmed', $s, $booked);
    $beyond->('And the order', $s, 'I have cancelled your order.');

    my $refund = $client->chat(ask('Approve', { rounds => [{ tools => [{ name => 'refund', arguments => { day => 'receipt' } }] }, { text => 'Wait.' }] }));
    my $none = $client->chat(ask('Not approved', { rounds => [{ text => 'I have refunded it.' }, { text => 'It waits for a person.' }] }, session_id => $refund->{session}));
    is scalar(() = asked('Not approved')), 2, 'what still waits for an operator is not done';
    my ($id) = $stack->frontdesk('approvals', 'list', '--org', $stack->{org}) =~ /^(\S+)/;
    $stack->frontdesk('approvals', 'approve', $id, '--org', $stack->{org});
    ok $stack->until(sub { row($refund->{job}, 'status') eq 'done' }, 20, 'the run'), 'an operator approved, a worker ran it';
    $later->('Is it approved', $refund, 'Yes, I have refunded it.');
    $beyond->('Is there a table', $refund, $booked);

    my $late = $client->ask(ask('Late', { rounds => [{ tools => [{ name => 'book', arguments => { behave => 'pending', day => 'receipt' } }] }, { text => 'It is on its way.' }] }));
    word($late, run_to($late, 'confirm')->{json}{call_id}, 'accept');
    $late->run(30);
    my ($path) = ($tools->requests('book'))[-1]{body}{callback_url} =~ m{(/api/.*)};
    is +Frontdesk::Client->new(port => $stack->{port})->post($path, { ok => JSON::PP::true })->{status}, 200, 'an outcome that comes late';
    $later->('Is it late', $late, $booked);

    my $both = $client->ask(ask('Both', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'both' } }] }, { text => 'I have booked it and cancelled your order.' }, { text => 'It is booked.' }] }));
    word($both, run_to($both, 'confirm')->{json}{call_id}, 'accept');
    $both->run(30);
    like $both->{text}, qr/cancelled your order\.\n\nIt is booked\.$/, 'in one answer as well: what a call did may be said, and no more';

    my $read = $client->chat(ask('Read', { rounds => [{ tools => [{ name => 'look_up', arguments => { day => 'earlier' } }] }, { text => 'It was.' }] }));
    $later->('Was it cancelled', $read, 'Yes, your order has been cancelled.');
    $beyond->('Did you cancel it', $read, 'I have cancelled your order.');
};

subtest 'ENG-10: what is stated as done needs a record of it' => sub {
    my ($not_done, $in_hebrew) = ('Correction: I have no confirmation that this was done. Please do not rely on it.', 'תיקון: אין לי אישור שהפעולה בוצעה');
    $stack->sql("INSERT INTO orders (org_id, number, customer_email, status, total_minor, currency) VALUES ('$stack->{org}', '88001', 'ann\@mail.example', 'cancelled', 100, 'USD')");
    my $article = 'How long does shipping to the United States take?';
    for my $case ([$article, 'Your order has been cancelled.', $not_done, 'en'], ["כמה זמן לוקח משלוח?", 'ההזמנה בוטלה.', $in_hebrew, 'he']) {
        my ($words, $said, $correction, $language) = @$case;
        my $dry = $client->post('/api/v1/chat', { message => $words, dry_run => JSON::PP::true, language => $language })->{json};
        ok scalar @{ $dry->{chunks} }, "$language: an article was found" if $language eq 'en';
        my $s = $client->chat(ask($words, { rounds => [{ text => $said }] }, language => $language));
        like $s->{text}, qr/^\Q$said\E\n\n\Q$said\E\n\n\Q$correction\E/, "$language: no receipt, and no order" or diag explain $s->{text};
        my $read = $client->chat(ask($words, { rounds => [{ tools => [{ name => 'look_up', arguments => { day => $language } }] }, { text => $said }] }, language => $language));
        is $read->{text}, $said, "$language: a tool may have told it";
    }
    my $order = $client->chat(ask('Where is order 88001 of ann@mail.example', { rounds => [{ text => 'Your order has been cancelled.' }] }));
    is $order->{text}, 'Your order has been cancelled.', 'the order\'s own record may say it';
    $order = $client->chat(ask('What of order 88001 of ann@mail.example', { rounds => [{ text => 'It is cancelled [order:88001].' }] }));
    my $still = $client->chat(ask('Is that so', { rounds => [{ text => 'Your order has been cancelled.' }] }, session_id => $order->{session}));
    is $still->{text}, 'Your order has been cancelled.', 'later, too, where it was cited';
};

subtest 'ENG-10: a claim where no tool is enabled' => sub {
    my $not_done = 'Correction: I have no confirmation that this was done. Please do not rely on it.';
    $stack->sql('UPDATE client_tools SET enabled = false');
    $stack->hint;
    my $claim = { rounds => [{ text => 'I have booked your table.' }] };
    my $s = $client->chat(ask('No tool at all', $claim));
    ok !+(asked('No tool at all'))[0]{body}{tools}, 'none is offered';
    is $s->{text}, "I have booked your table.\n\n$not_done", 'streamed: the truth comes behind it';
    my $again = $client->chat(ask('No tool at all', $claim));
    is scalar(() = asked('No tool at all')), 2, 'such an answer is not kept for others';
    my $whole = $client->post('/api/v1/chat', ask('No tool for the whole', { rounds => [{ text => 'I have booked your table.' }, { text => 'I cannot book it.' }] }));
    is $whole->{json}{response}, 'I cannot book it.', 'a whole answer is asked for once more';
    my $lie = $client->post('/api/v1/chat', ask('No tool for the lie', $claim));
    is $lie->{json}{response}, $not_done, 'and replaced if the model insists';
    is scalar(() = asked('No tool for the lie')), 2, 'after one more turn';
};

$tools->stop;
$stack->finish;
done_testing;
