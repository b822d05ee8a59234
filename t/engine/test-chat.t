# Test chat: an operator asks in a visitor's place and sees all that is done for the answer; it is
# billed, and is otherwise nowhere.  ADM-4
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;

my $canary = 'sk-canary-5c1f0e7ab2d94e';
my $stack = Frontdesk::Stack->new(worker => { OPENAI_API_KEY => $canary });
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$tools->add('look_up', bindings => { owner => '=nobody' });
$tools->add('book', risk => 'write', description => 'Books a table.');
$tools->add('refund', risk => 'high');
my $admin = Frontdesk::Admin->new($stack);
my $staff = Frontdesk::Browser->user($stack, 'staff@shop.example', 'staff');
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $json = JSON::PP->new->utf8->canonical;
my $question = 'How long does shipping to the United States take?';

# The stream of a test chat, read to its end.
sub try_out {
    my ($body, %option) = @_;
    my $s = $stack->client(key => ($option{by} || $admin)->{key}, origin => undef)
        ->open('POST', '/api/admin/test-chat', {}, $json->encode($body));
    return $option{open} ? $s : $s->run;
}
sub traces { my ($s, $step) = @_; return map { $_->{json} } grep { $_->{event} eq 'trace' && (!$step || $_->{json}{step} eq $step) } @{ $s->{events} }; }
sub texts { my ($s, $step, %want) = @_; return join '', map { $_->{text} } grep { my $t = $_; !grep { $t->{$_} ne $want{$_} } keys %want } traces($s, $step); }
sub items { my ($s, $step) = @_; return map { @{ $_->{items} } } traces($s, $step); }
sub row { my ($s, $what) = @_; return $stack->sql("SELECT $what FROM conversations WHERE session_id = '$s->{session}'"); }
sub calls { my ($words, @rounds) = @_; return $tools->question($words, { rounds => \@rounds }); }

my $run = try_out({ message => $question, language => 'en', channel => 'whatsapp', page => 'https://shop.example/cart' });
subtest 'ADM-6: it is billed, and no answer that was given' => sub {
    my ($model) = @{ $admin->get('analytics')->{json}{models} };
    is $model->{answers}, 0, 'by no model';
    cmp_ok $model->{tokens_output}, '>', 0, 'whose tokens are counted';
};
subtest 'ADM-4: the events of an answer, by nginx, with the whole trace between them' => sub {
    is $run->{status}, 200, 'a stream' or diag $run->{body};
    like $run->{headers}{'content-type'}, qr{^text/event-stream}, 'of events';
    is $run->{terminal}{event}, 'done', 'that ends' or diag explain $run->{events};
    is $run->{broken}, 0, 'without a gap';
    is $run->{events}[0]{event}, 'meta', 'meta comes first';
    is $run->{events}[0]{json}{session_id}, $run->{session}, 'and names the session';
    my %seen = map { $_->{step} => 1 } traces($run);
    is_deeply [sort keys %seen], [sort qw(intent route snippets chunks request prompt provider provider_end sentiment usage timings)], 'every step';
    is +(traces($run, 'intent'))[0]{intent}, 'general_qa', 'the intent';
    my ($route) = traces($run, 'route');
    is_deeply [@$route{qw(tier model)}], [qw(fast mock-fast)], 'the route';
    ok @{ $route->{reasons} } && @{ $route->{candidates} }, 'with reasons and who else could answer';
    my @snippets = items($run, 'snippets');
    my ($needed) = grep { $_->{label} eq 'International shipping - Times and costs' } @snippets;
    ok $needed && $needed->{sent} && $needed->{score} > 0 && @{ $needed->{found} }, 'snippets with their scores, and why they were found';
    my %packed = map { $_ => 1 } map { @{ $_->{snippet_ids} } } items($run, 'chunks');
    is_deeply [sort keys %packed], [sort map { $_->{id} } grep { $_->{sent} } @snippets], 'the chunks are made of what is sent';
    my ($asked) = grep { $_->{event} eq 'request' } $stack->journal;
    my @messages = @{ $asked->{body}{messages} };
    is texts($run, 'prompt', part => 'system'), $messages[0]{content}, 'the prompt as it was sent: system';
    is texts($run, 'prompt', part => 'message', index => 0), $messages[1]{content}, 'the question with its context';
    is_deeply [map { $_->{name} } grep { $_->{part} eq 'tool' } traces($run, 'prompt')], [qw(book look_up refund)], 'the tools';
    my $raw = texts($run, 'provider');
    my @chunks = map { $json->decode($_) } $raw =~ /^data: (\{.*\})\r?$/mg;
    is join('', map { $_->{choices}[0]{delta}{content} // '' } @chunks), $run->{text}, 'what the provider sent, as it sent it';
    like $raw, qr/^data: \[DONE\]/m, 'to its end';
    is_deeply [@{ (traces($run, 'provider_end'))[0] }{qw(class finish)}], [qw(none stop)], 'and how it ended';
    my ($usage) = traces($run, 'usage');
    is $usage->{attempts}[0]{output_tokens}, $run->{terminal}{json}{usage}{output_tokens}, 'the tokens';
    is $usage->{cost}, $run->{terminal}{json}{cost}, 'the cost';
    my ($times) = traces($run, 'timings');
    my @in_order = grep { defined } @$times{qw(queued_ms loaded_ms retrieved_ms routed_ms asked_ms first_token_ms answered_ms saved_ms)};
    is scalar @in_order, 8, 'all times';
    is_deeply [sort { $a <=> $b } @in_order], \@in_order, 'in order';
};

subtest 'ADM-4: it is marked, billed, and in no list or figure' => sub {
    is row($run, 'channel'), 'test', 'the conversation is of channel test';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$run->{job}'"), 1, 'the call is in the ledger';
    is $stack->sql('SELECT coalesce(sum(conversation_count), 0) FROM api_usage'), 0, 'no conversation is counted';
    my $id = row($run, 'id');
    ok !(grep { $_->{id} eq $id } @{ $admin->get('conversations')->{json}{conversations} }), 'it is in no list';
    is_deeply [map { $_->{id} } @{ $admin->get('conversations?channel=test')->{json}{conversations} }], [$id], 'unless it is asked for';
    is $admin->get("conversations/$id")->{status}, 200, 'it can be read';
    $stack->frontdesk('retention', 'run');
    is $stack->sql('SELECT count(*) FROM conversation_outcomes'), 0, 'nothing is rolled up';
};

subtest 'ADM-4: a test goes on, in its own session only' => sub {
    my $next = try_out({ message => 'And to Canada?', session_id => $run->{session} });
    is $next->{terminal}{event}, 'done', 'answered' or diag $next->{body};
    like texts($next, 'prompt', part => 'message'), qr/\Q$question\E.*And to Canada/s, 'with the turn before it';
    my $visitor = $stack->client->chat({ message => 'Hello' });
    my $r = $admin->post('test-chat', { message => 'Hi', session_id => $visitor->{session} });
    is "$r->{status} $r->{json}{field}", '422 session_id', 'a visitor\'s session is refused';
    $r = $other->post('test-chat', { message => 'Hi', session_id => $run->{session} });
    is "$r->{status} $r->{json}{field}", '422 session_id', 'and another organisation\'s';
    ok !(grep { $_->{event} eq 'trace' } @{ $visitor->{events} }), 'a visitor is shown no trace';
};

subtest 'ADM-4: a text and a model are tried, and not saved' => sub {
    my $s = try_out({ message => 'Who are you?', prompt => 'You are the parrot of the shop.', model_id => 'mock-reasoning' });
    like texts($s, 'prompt', part => 'system'), qr/You are the parrot of the shop\./, 'the text';
    is +(traces($s, 'request'))[0]{model}, 'mock-reasoning', 'the model';
    unlike texts(try_out({ message => 'Who are you then?' }), 'prompt', part => 'system'), qr/parrot/, 'and not in the next one';
    is $stack->sql('SELECT count(*) FROM org_ai_settings WHERE system_prompt LIKE $$%parrot%$$'), 0, 'nor in the settings';
    my $he = try_out({ message => 'shipping', language => 'he' });
    is +(traces($he, 'intent'))[0]{language}, 'he', 'as a visitor of another language';
};

subtest 'ADM-4: tools are shown, and what writes is not run in a test' => sub {
    my $s = try_out(calls('Look', { tools => [$tools->call('look_up')] }, { text => 'It is there.' }));
    my ($request, $answer) = traces($s, 'tool');
    is_deeply [@$request{qw(name kind risk status part)}], [qw(look_up webhook read done request)], 'the call' or diag explain [traces($s)];
    like $request->{text}, qr/"day":"d\d+"/, 'what was asked';
    is_deeply $request->{bound}, ['owner'], 'what the server adds';
    is $answer->{part}, 'answer', 'and what came back';
    ok length $answer->{text}, 'as it came';
    is scalar(traces($s, 'request')), 2, 'both requests to the model';
    is +($tools->requests('look_up'))[-1]{body}{channel}, 'widget', 'it was told of a visitor of the widget';
    is try_out({ %{ calls('Look again', { tools => [$tools->call('look_up')] }, { text => 'Yes.' }) }, channel => 'sms' })->{terminal}{event}, 'done', 'or of another channel';
    is +($tools->requests('look_up'))[-1]{body}{channel}, 'sms', 'as was said';

    for my $name (qw(book refund)) {
        my $write = try_out(calls("Do $name", { tools => [$tools->call($name)] }, { text => 'I cannot.' }));
        my ($call) = grep { $_->{name} eq $name } traces($write, 'tool');
        is "$call->{status} $call->{failure}", 'failed not_run_in_a_test', "$name: not run";
        like $call->{text}, qr/"day":"d\d+"/, 'but what would have been sent is shown';
        my @requests = grep { $_->{event} eq 'request' && $_->{question} =~ /^Do $name/ } $stack->journal;
        like $requests[-1]{body}{messages}[-1]{content}, qr/not_run_in_a_test/, 'the model was told so';
        is scalar(() = $tools->requests($name)), 0, 'nobody was asked';
        is $stack->sql("SELECT count(*) FROM tool_executions WHERE tool_name = '$name'"), 0, 'and nothing waits for anybody';
    }
};

subtest 'ADM-4: unless it is said, and then the operator has the visitor\'s word' => sub {
    my $s = try_out({ %{ calls('Book it', { tools => [$tools->call('book')] }, { text => 'It is booked.' }) }, allow_writes => JSON::PP::true }, open => 1);
    my $confirm = $tools->run_to($s, 'confirm');
    my $path = "test-chat/$s->{job}/confirm";
    my %word = (call_id => $confirm->{json}{call_id}, decision => 'accept');
    is $other->post($path, \%word)->{status}, 404, 'not another organisation\'s';
    is $staff->post($path, \%word)->{status}, 404, 'nor somebody else\'s';
    is $admin->post($path, \%word)->{json}{decision}, 'accept', 'the word is taken';
    $s->run;
    is $s->{text}, 'It is booked.', 'the answer';
    is scalar(() = $tools->effects('book')), 1, 'it ran, once';
    my $key = $stack->sql("SELECT id FROM api_keys WHERE org_id = '$stack->{org}' AND last4 = '" . substr($admin->{key}, -4) . "'");
    is $stack->sql("SELECT approved_by FROM tool_executions WHERE job_id = '$s->{job}'"), "key:$key", 'and it is written down whose word it was';
    is $stack->sql("SELECT actor || ' ' || (after->>'allow_writes') FROM audit_log WHERE action = 'POST test-chat'"), "key:$key true", 'ADM-1: the record has that a test might change something, and no other test';
    my $r = $staff->post('test-chat', { message => 'Book it', allow_writes => JSON::PP::true });
    is "$r->{status} $r->{json}{field}", '403 allow_writes', 'what may change something is an admin\'s to try';
    is $staff->post('test-chat', { message => 'Hello', allow_writes => JSON::PP::false })->{status}, 200, 'staff tries out the rest';
};

subtest 'ADM-4: a visitor\'s word is the visitor\'s alone' => sub {
    my $before = () = $tools->effects('book');
    my $s = $tools->ask('Book for me', { rounds => [{ tools => [$tools->call('book')] }, { text => 'As you wish.' }] });
    my $confirm = $tools->run_to($s, 'confirm');
    my %word = (call_id => $confirm->{json}{call_id}, decision => 'accept');
    for my $who ($staff, $admin) {
        is $who->get("test-chat/$s->{job}")->{status}, 404, 'its events are not a test\'s';
        is $who->post("test-chat/$s->{job}/confirm", \%word)->{status}, 404, 'nobody agrees in its place';
        is $who->post("test-chat/$s->{job}/cancel", {})->{status}, 404, 'nor stops it';
    }
    is $tools->word($s, 'decline')->{status}, 200, 'it is still asked';
    is $s->run->{text}, 'As you wish.', 'and answered';
    is scalar(() = $tools->effects('book')), $before, 'nothing ran';
};

subtest 'ADM-4: one that died is not asked again as a visitor\'s question' => sub {
    my $job = '0-' . 'a' x 32;
    $stack->sql("INSERT INTO jobs (id, org_id, session_id, epoch, owner, state, body, accepted_at) SELECT '$job', org_id, session_id, 1, 'x', 'dead', body, now() FROM jobs WHERE id = '$run->{job}'");
    my $out = $stack->stack('frontdesk', ['jobs', 'retry', $job]);
    is $stack->{status}, 1, 'refused';
    is $stack->sql("SELECT state FROM jobs WHERE id = '$job'"), 'dead', 'it stays as it is';
    $stack->sql("DELETE FROM jobs WHERE id = '$job'");
};

subtest 'ADM-4: no credential is in a trace' => sub {
    my $token = 'canary-token-81f2c07d';
    my $made = $admin->post('tools', { name => 'echo', description => 'Says it again.', url => $tools->url, risk => 'read', token_header => 'X-Token', token => $token,
        parameters_schema => { type => 'object', properties => { text => { type => 'string' }, behave => { type => 'string' }, day => { type => 'string' } } } });
    my $secret = $made->{json}{signing_secret};
    ok $secret, 'a tool with a token and a secret' or diag $made->{body};
    $stack->hint($stack->{org});
    my $s = try_out(calls('Tell', { text => "the key is $canary\n", tools => [$tools->call('echo', text => "$token $secret", behave => 'text')] },
                                  { status => 401, error_body => { error => { message => "Incorrect API key provided: $canary" } } }));
    my $all = $json->encode([traces($s)]);
    is scalar(grep { $_->{part} eq 'answer' && $_->{text} =~ /\[secret\] \[secret\]/ } traces($s, 'tool')), 1, 'a tool that repeats them is blotted out' or diag explain [traces($s, 'tool')];
    like texts($s, 'provider'), qr/\[secret\]/, 'and a provider that repeats its key';
    unlike $all, qr/\Q$_\E/, 'everywhere' for $canary, $token, $secret;
    unlike $all, qr/authorization|bearer|x-token/i, 'no header is shown';
};

subtest 'ADM-4: a signed-in user is streamed to as well; it can be stopped and read again' => sub {
    my $r = $staff->post('test-chat', { message => 'Hello from the dashboard' });
    is $r->{status}, 200, 'staff asks with a cookie' or diag $r->{body};
    like $r->{body}, qr/^event: trace\n.*^event: done\n/ms, 'and is streamed to';
    ok !$r->{headers}{'access-control-allow-origin'}, 'without a word to other sites';
    my ($job) = $r->{headers}{'x-frontdesk-job'};
    my ($first) = $r->{body} =~ /^id: (\d+-\d+)$/m;
    my $again = $staff->get("test-chat/$job", { 'Last-Event-ID' => $first });
    like $again->{body}, qr/^event: done\n/m, 'the rest can be read again';
    unlike $again->{body}, qr/^event: meta\n/m, 'after the last event that was had';
    is $staff->get('test-chat/0-' . '0' x 32)->{status}, 404, 'a job that is not there: 404';
    is $other->get("test-chat/$job")->{status}, 404, 'nor is another organisation\'s';
    my $client = Frontdesk::Browser->user($stack, 'client@shop.example', 'client');
    is $client->post('test-chat', { message => 'Hi' })->{status}, 403, 'a client may not';

    my $s = try_out({ message => 'Slowly @{"tokens":200,"gap_ms":100}@' }, open => 1);
    $tools->run_to($s, 'delta');
    is $admin->post("test-chat/$s->{job}/cancel", {})->{json}{state}, 'cancelling', 'it is stopped';
    is $s->run->{terminal}{event}, 'cancelled', 'at once';
};

subtest 'ADM-4: what is wrong is said' => sub {
    for my $case ([{}, 'message'], [{ message => ' ' }, 'message'], [{ message => 'x', channel => 'No!' }, 'channel'],
                  [{ message => 'x', page => 'javascript:1' }, 'page'], [{ message => 'x', language => '!' }, 'language'], [{ message => 'x', trace => 1 }, 'trace']) {
        my ($body, $field) = @$case;
        my $r = $admin->post('test-chat', $body);
        is "$r->{status} $r->{json}{field}", "422 $field", $json->encode($body);
    }
    $stack->sql("INSERT INTO org_ai_settings (org_id, enabled_models) VALUES ('$stack->{org}', '[{\"model_id\":\"mock-fast\"}]')"
        . " ON CONFLICT (org_id) DO UPDATE SET enabled_models = excluded.enabled_models");
    $stack->hint($stack->{org});
    my $s = try_out({ message => 'x', model_id => 'mock-nobody' });
    is $s->{terminal}{json}{field}, 'model_id', 'a model that is not enabled is refused in the stream';
};

$stack->finish;
done_testing;
