# People in a conversation: a visitor asks for one, the model pauses, an operator takes
# over, answers and gives back; when a person is offered.  ENG-14, EDGE-7
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Stack;
use Frontdesk::Tools;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;
my $hook = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', LocalPort => 0, ReuseAddr => 1) or die "listen: $!";
my $stack = Frontdesk::Stack->new(env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0; frontdesk_read_rate 0;' });
my $tools = Frontdesk::Tools->new($stack);
$stack->{worker}{FRONTDESK_OUTBOUND_ALLOW} .= ',127.0.0.1:' . $hook->sockport;
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client;
my $admin = Frontdesk::Admin->new($stack);
my $second = Frontdesk::Admin->new($stack, key => $stack->key(qw(create --kind sk --name second))->{key});

# What the organisation stored; workers know it when this returns.
sub features { my ($f) = @_; return settings("widget = '" . $json->encode({ features => $f }) . "'"); }
sub settings {
    my ($set) = @_;
    $stack->sql("UPDATE org_ai_settings SET $set WHERE org_id = '$stack->{org}'");
    return $stack->hint($stack->{org});
}
sub hours {
    my ($hours, $zone) = @_;
    my $info = $json->encode({ hours => $hours, timezone => $zone });
    return $stack->sql("UPDATE organizations SET business_info = '$info' WHERE id = '$stack->{org}'");
}

sub session { return $client->post('/api/v1/sessions/start', '{}')->{json}{session_id}; }
sub ask { my ($words, $scenario, %more) = @_; return { message => "$words \@" . JSON::PP->new->canonical->encode($scenario) . '@', %more }; }
sub talk { my ($words, %more) = @_; return $client->chat(ask($words, { text => 'Here you are.' }, %more)); }
sub handoff { my ($session, $body) = @_; return $client->post("/api/v1/sessions/$session/handoff", $body || {}); }
sub history { my ($session) = @_; return $client->get("/api/v1/sessions/$session/history")->{json}; }
sub conversation { my ($session) = @_; return $stack->sql("SELECT id FROM conversations WHERE session_id = '$session'"); }
sub asked { my ($words) = @_; return scalar grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^\Q$words\E/ } $stack->journal; }
sub notices { my ($s) = @_; return grep { /handoff/ } map { $_->{json}{kind} } grep { $_->{event} eq 'notice' } @{ $s->{events} }; }
sub does { my ($by, $session, $what, $body) = @_; return $by->post('conversations/' . conversation($session) . "/$what", $body || {}); }
sub follow { my ($session) = @_; my $s = $client->open(GET => "/api/v1/sessions/$session/events", {}); next_of($s); return $s; }
sub next_of {
    my ($s) = @_;
    my $end = time + 20;
    while (time < $end) { my $e = $s->next($end - time) or return {}; return $e if $e->{event} ne 'ping'; }
    return {};
}
sub org_events { # what the dashboard would hear
    my ($type) = @_;
    my $all = $stack->redis('live', 'XRANGE', "fd:oev:$stack->{org}", '-', '+');
    return map { $_->[1][1] =~ /^event: $type\ndata: (.*)$/m ? $json->decode($1) : () } @$all;
}

# -- asking for a person ------------------------------------------------------------

subtest 'ENG-14: an organisation without people promises none' => sub {
    my $r = handoff(session());
    is $r->{status}, 409, 'refused' or diag $r->{body};
    my $s = talk('I want to talk to a human');
    is $s->{terminal}{event}, 'done', 'answered';
    is_deeply [notices($s)], [], 'nobody is offered';
};

features({ handoff => JSON::PP::true });

subtest 'ENG-14: a visitor asks for a person, and is told honestly when there is one' => sub {
    my $session = session();
    my $r = handoff($session, { reason => 'My mug broke', name => 'Noa', email => 'noa@example.com', phone => '050-1234567' });
    is $r->{status}, 200, 'asked' or diag $r->{body};
    is_deeply [sort keys %{ $r->{json} }], [qw(open opens_at status text)], 'the answer';
    is $r->{json}{status}, 'waiting_human', 'it waits';
    is $stack->sql("SELECT handoff_reason || '/' || handoff_by || '/' || (contact->>'email') FROM conversations WHERE session_id = '$session'"),
        'My mug broke/visitor/noa@example.com', 'with reason and contact';
    my ($told) = grep { $_->{id} eq conversation($session) && $_->{status} eq 'waiting_human' } org_events('conversation');
    is_deeply [$told->{status}, exists $told->{reason}, exists $told->{contact}], ['waiting_human', '', ''], 'the dashboard is led to it, and its stream keeps nothing of the visitor';
    is history($session)->{status}, 'waiting_human', 'the history says so';
    my $version = $stack->sql("SELECT version FROM conversations WHERE session_id = '$session'");
    is handoff($session, { reason => 'Again' })->{status}, 200, 'asked again';
    is $stack->sql("SELECT handoff_reason || version FROM conversations WHERE session_id = '$session'"), "My mug broke$version", 'changes nothing';

    hours('daily 00:00-24:00', 'UTC');
    $r = handoff(session())->{json};
    is_deeply [$r->{open}, $r->{opens_at}], [JSON::PP::true, undef], 'open';
    like $r->{text}, qr/soon/, 'soon';
    my $tomorrow = (qw(sun mon tue wed thu fri sat))[((gmtime)[6] + 2) % 7];
    hours({ $tomorrow => '10:00-11:00' }, 'Asia/Jerusalem');
    $r = handoff(session())->{json};
    is $r->{open}, JSON::PP::false, 'closed';
    like $r->{opens_at}, qr/^20\d\d-\d\d-\d\dT0[78]:00:00Z$/, 'until ten in Jerusalem';
    like $r->{text}, qr/\w+day at 10:00/, 'said in the business\'s time';
    hours('by appointment', 'UTC');
    $r = handoff(session())->{json};
    is_deeply [$r->{open}, $r->{opens_at}], [JSON::PP::true, undef], 'hours that nobody understands promise nothing';
    unlike $r->{text}, qr/here soon|at \d/, 'in words neither';
    my $he = $client->chat(ask("שלום, מה שלומכם היום?", { text => 'שלום.' }));
    like handoff($he->{session})->{json}{text}, qr/\p{Hebrew}/, 'in the conversation\'s language';
    is handoff('x' x 32)->{status}, 404, 'an invented session: 404';
    for (['{"reason":"' . 'x' x 501 . '"}', 'reason'], ['{"email":"x"}', 'email'], ['{"urgent":true}', 'urgent'], ['[]', '']) {
        my $bad = $client->post("/api/v1/sessions/$session/handoff", $_->[0]);
        is "$bad->{status} $bad->{json}{field}", "422 $_->[1]", "refused: $_->[1]";
    }
    my $ended = talk('Bye')->{session};
    $client->delete_("/api/v1/sessions/$ended/end");
    is handoff($ended)->{status}, 409, 'what has ended does not wait';
};

subtest 'ENG-14: the organisation is told by a signed webhook, each time and at once' => sub {
    my $secret = 'a secret of the receiver';
    my ($made) = $admin->put('budget', { alert_webhook_url => 'http://127.0.0.1:' . $hook->sockport . '/hook' })->{json};
    $secret = $made->{alert_webhook_secret} // $secret;
    my $session = talk('Hello')->{session};
    handoff($session, { reason => 'Now' });
    vec(my $read = '', $hook->fileno, 1) = 1;
    ok select($read, undef, undef, 20), 'told' or return;
    my $c = $hook->accept;
    my $text = '';
    while (sysread $c, my $bytes, 65536) { $text .= $bytes; last if $text =~ /\r\n\r\n(.*)/s && length $1 >= ($text =~ /content-length: (\d+)/i)[0]; }
    print $c "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n";
    close $c;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my $told = $json->decode($body);
    is $told->{event}, 'handoff.requested', 'handoff.requested';
    is_deeply [@{ $told->{detail} }{qw(conversation_id reason status)}], [conversation($session), 'Now', 'waiting_human'], 'which, and why';
    my ($t, $v1) = $head =~ /X-Frontdesk-Signature: t=(\d+),v1=([0-9a-f]+)/i;
    is $v1, hmac_sha256_hex("$t.$body", $secret), 'signed' or diag $head;
    unlike $body, qr/\Q$session\E/, 'the session stays the visitor\'s secret';
    $admin->put('budget', { alert_webhook_url => undef });
};

# -- the model pauses ----------------------------------------------------------------

subtest 'ENG-14: while a person has it, messages are kept and no model is asked' => sub {
    my $session = talk('Before')->{session};
    handoff($session);
    my $s = talk('Waiting', session_id => $session);
    is_deeply [$s->{terminal}{event}, $s->{terminal}{json}{finish_reason}, $s->{text}], ['done', 'human', ''], 'done: human' or diag explain $s->{events};
    my $r = $client->post('/api/v1/chat', ask('Waiting too', { text => 'no' }, session_id => $session));
    is_deeply [exists $r->{json}{response}, @{ $r->{json} }{qw(response finish_reason)}], [1, undef, 'human'], 'in JSON as well' or diag $r->{body};
    is asked('Waiting'), 0, 'no model heard of it';
    is_deeply [map { $_->{role} } @{ history($session)->{messages} }], [qw(user assistant user user)], 'both are kept';
    my ($told) = grep { $_->{role} eq 'user' && $_->{text} =~ /^Waiting / } org_events('message');
    is $told->{conversation_id}, conversation($session), 'the dashboard hears of them';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE conversation_id = '" . conversation($session) . "'"), 1, 'and nothing was spent';
    does($admin, $session, 'release');
    is talk('Back', session_id => $session)->{text}, 'Here you are.', 'given back, the model answers';
    my ($request) = grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^Back/ } $stack->journal;
    is scalar(grep { $_->{role} eq 'user' } @{ $request->{body}{messages} }), 4, 'and knows what was said meanwhile';
};

subtest 'ENG-14: an answer that runs when a person takes over is not delivered' => sub {
    my $session = talk('First')->{session};
    my $s = $client->ask(ask('Streams', { tokens => 2000, gap_ms => 20 }, session_id => $session));
    $s->next(20) until $s->{text} ne '' || $s->{terminal};
    is does($admin, $session, 'join', { name => 'Dana' })->{status}, 200, 'an operator joins';
    $s->run(20);
    is $s->{terminal}{event}, 'cancelled', 'cancelled' or diag explain $s->{terminal};
    cmp_ok length $s->{text}, '<', 2000, 'in the middle';

    # The hint is lost: only the commit is left to notice.
    $session = talk('Whole')->{session};
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $r = $stack->client->post('/api/v1/chat', ask('Silent', { text => 'Too late.', gate => "$stack->{dir}/gate" }, session_id => $session));
        open my $out, '>', "$stack->{dir}/silent" or die;
        print $out $json->encode($r->{json});
        close $out;
        require POSIX;
        POSIX::_exit(0);
    }
    ok $stack->until(sub { asked('Silent') }, 20), 'the model thinks';
    $stack->sql("UPDATE conversations SET status = 'human', holder = 'test', version = version + 1 WHERE session_id = '$session'");
    open my $gate, '>', "$stack->{dir}/gate" or die;
    waitpid $pid, 0;
    open my $in, '<', "$stack->{dir}/silent" or die;
    my $answer = $json->decode(<$in>);
    is_deeply [$answer->{response}, $answer->{cancelled}], [undef, JSON::PP::true], 'the commit looks again' or diag explain $answer;

    # Nor does a tool run, with the same hint lost.
    $tools->add('book', risk => 'write', description => 'Books a table.');
    $session = talk('Acts')->{session};
    my $acts = $client->ask(ask('Books', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'taken' } }] }, { text => 'Booked.' }] }, session_id => $session));
    my $asks = $stack->until(sub { $acts->next(1); (grep { $_->{event} eq 'confirm' } @{ $acts->{events} })[0] }, 20, 'the visitor is asked');
    $stack->sql("UPDATE conversations SET status = 'human', holder = 'test', version = version + 1 WHERE session_id = '$session'");
    is $client->post("/api/v1/chat/$acts->{job}/confirm", { call_id => $asks->{json}{call_id}, decision => 'accept' }, { 'X-Frontdesk-Session' => $session })->{status}, 200, 'the visitor says yes';
    $acts->run(20);
    is $acts->{terminal}{event}, 'cancelled', 'the call looks again' or diag explain $acts->{terminal};
    is scalar(() = $tools->requests('book')), 0, 'nothing was booked';
    for my $words (qw(Streams Silent)) {
        is scalar(grep { $_->{role} eq 'user' && $_->{text} =~ /^$words / } org_events('message')), 1, "who took over hears of the question he interrupted: $words";
    }
    is $stack->sql("SELECT count(*) FROM messages WHERE conversation_id = '" . conversation($session) . "' AND role = 'assistant' AND status = 'complete'"), 1, 'and shows nothing to anybody';
};

# -- operators ------------------------------------------------------------------------

subtest 'ENG-14: an operator joins, writes, gives back; both sides live' => sub {
    my $session = talk('Please')->{session};
    my $s = follow($session);
    handoff($session);
    is next_of($s)->{event}, 'sync', 'the stream begins';
    is next_of($s)->{json}{status}, 'waiting_human', 'waiting';
    my $r = does($admin, $session, 'join', { name => 'Dana' });
    is_deeply [@{ $r->{json} }{qw(status name)}], [qw(human Dana)], 'joined' or diag $r->{body};
    is_deeply next_of($s)->{json}, { status => 'human', name => 'Dana' }, 'the visitor sees who';
    is does($admin, $session, 'typing', { name => 'Dana' })->{status}, 200, 'writes';
    my $typing = next_of($s);
    is_deeply [$typing->{event}, $typing->{json}], ['typing', { name => 'Dana' }], 'which is seen';
    $r = does($admin, $session, 'reply', { name => 'Dana', text => "Hello,\nI am here. שלום", client_message_id => 'm1' });
    is $r->{status}, 200, 'replied' or diag $r->{body};
    my $message = next_of($s);
    is_deeply [$message->{event}, @{ $message->{json} }{qw(role name text)}], ['message', 'operator', 'Dana', "Hello,\nI am here. שלום"], 'and read';
    is $message->{json}{message_id}, $r->{json}{message_id}, 'by its id';
    is does($admin, $session, 'reply', { name => 'Dana', text => 'x', client_message_id => 'm1' })->{json}{message_id}, $r->{json}{message_id}, 'sent twice, it is one';
    my $h = history($session);
    is does($admin, $session, 'join', { name => 'Dana', version => 0 })->{status}, 200, 'a join whose answer was lost may be repeated';
    is_deeply [@{ $h->{messages}[-1] }{qw(role name content)}], ['operator', 'Dana', "Hello,\nI am here. שלום"], 'in the history';
    is_deeply [@$h{qw(status name)}], ['human', 'Dana'], 'with who has it';
    talk('Thank you', session_id => $session);
    is does($admin, $session, 'release')->{json}{status}, 'active', 'given back';
    is_deeply next_of($s)->{json}, { status => 'active' }, 'which is seen';
    is talk('And now', session_id => $session)->{text}, 'Here you are.', 'the model goes on';
    my ($request) = grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^And now/ } $stack->journal;
    ok scalar(grep { ($_->{content} // '') =~ /I am here/ } @{ $request->{body}{messages} }), 'and knows what the operator said';
    is does($admin, $session, 'resolve')->{json}{status}, 'ended', 'resolved';
    is $stack->sql("SELECT handoff_at IS NOT NULL AND handoff_by IS NOT NULL FROM conversations WHERE session_id = '$session'"), 't', 'ADM-6: that a person had it stays, for who counts later';
    is_deeply next_of($s)->{json}, { status => 'ended' }, 'which is seen';
    is $client->post('/api/v1/chat', { message => 'x', session_id => $session })->{json}{code}, 'session-ended', 'the next message starts another';
    is does($admin, $session, 'join')->{status}, 409, 'nobody joins it any more';
    $s->close;
};

subtest 'ENG-14: two operators cannot answer at once unawares' => sub {
    my $session = talk('Two')->{session};
    my $one = does($admin, $session, 'join', { name => 'Dana' })->{json};
    my $r = does($second, $session, 'join', { name => 'Avi' });
    is $r->{status}, 409, 'the second is told' or diag $r->{body};
    like $r->{json}{detail}, qr/Dana .*version $one->{version}/, 'who has it';
    is does($second, $session, 'reply', { text => 'Hi' })->{status}, 409, 'and cannot answer';
    is does($second, $session, 'release')->{status}, 409, 'nor give it back';
    is does($second, $session, 'join', { name => 'Avi', version => $one->{version} - 1 })->{status}, 409, 'with an old version neither';
    is does($second, $session, 'join', { name => 'Avi', version => $one->{version} })->{json}{name}, 'Avi', 'who knows it may take it';
    is does($admin, $session, 'reply', { text => 'Still me?' })->{status}, 409, 'then the first cannot answer';
    is does($second, $session, 'reply', { text => 'Here', version => $one->{version} + 1 })->{status}, 200, 'the second can';
    is does($second, $session, 'reply', { text => 'x', version => $one->{version} })->{status}, 409, 'with what he has seen';
    my @ids = map { does($second, $session, 'reply', { text => 'x', client_message_id => $_ })->{json}{message_id} } map { 'x' x 127 . $_ } 1, 2, 2;
    is_deeply [$ids[0] ne $ids[1], $ids[1] eq $ids[2]], [1, 1], 'long names of replies count to their end';
    is does($second, $session, 'reply', { text => 'x', client_message_id => 'x' x 129 })->{status}, 422, 'and have one';
    my $third = does($admin, $session, 'join', { version => $one->{version} + 1 })->{json};
    is does($second, $session, $_, { version => $one->{version} + 1 })->{status}, 409, "with what he saw before he cannot $_ it either" for qw(release resolve);
    is $stack->sql("SELECT status || ' ' || version FROM conversations WHERE session_id = '$session'"), "human $third->{version}", 'it is as it was';
    isnt does($admin, $session, 'reply', { text => 'x', client_message_id => 'x' x 127 . '1' })->{json}{message_id}, $ids[0], 'two operators may name their replies alike';
    for (['{}', 'text'], ['{"text":" "}', 'text'], ["{\"text\":\"a\\u0001\"}", 'text'], ['{"text":"x","version":-1}', 'version'], ['{"text":"x","to":"y"}', 'to']) {
        my $bad = $second->post('conversations/' . conversation($session) . '/reply', $_->[0]);
        is "$bad->{status} $bad->{json}{field}", "422 $_->[1]", "refused: $_->[0]";
    }
    my $other = Frontdesk::Admin->organization($stack, 'Other');
    is does($other, $session, $_, { text => 'x' })->{status} =~ /^4(04|22)$/ ? 1 : 0, 1, "another organisation cannot $_" for qw(join reply release);
    is $other->post('conversations/' . conversation($session) . '/join', {})->{status}, 404, 'nor see that it exists';
    is $admin->post('conversations/nonsense/join', {})->{status}, 404, 'no id: 404';
};

# -- when a person is offered -------------------------------------------------------------

subtest 'ENG-14: a person is offered, once a conversation' => sub {
    my $s = talk('Can I talk to a human please?');
    is_deeply [notices($s)], ['handoff_offer'], 'asked for' or diag explain $s->{events};
    is $s->{broken}, 0, 'behind meta';
    is_deeply [notices(talk('I want a real person!', session_id => $s->{session}))], [], 'once';
    is_deeply [notices(talk('אפשר לדבר עם נציג?'))], ['handoff_offer'], 'in Hebrew';
    my $r = $client->post('/api/v1/chat', ask('Let me speak to a human agent', { text => 'Well.' }));
    is_deeply [grep { /handoff/ } map { $_->{kind} } @{ $r->{json}{notices} }], ['handoff_offer'], 'in JSON' or diag $r->{body};
    is_deeply [notices(talk('This is TERRIBLE, really awful, you idiots!!'))], ['handoff_offer'], 'upset';
    is_deeply [notices(talk('This is bad'))], [], 'not very';
    $s = talk('Where is my parcel?');
    is_deeply [notices($s)], [], 'a question';
    is_deeply [notices(talk('where is my parcel', session_id => $s->{session}))], [], 'again';
    is_deeply [notices(talk('Where is the parcel??', session_id => $s->{session}))], ['handoff_offer'], 'a third time';
    is_deeply [notices($client->chat(ask('Strange', { text => 'I cannot do that. You may want to talk to a human.' })))], ['handoff_offer'], 'the model says so itself';
    $s = talk('Xyzzy plugh frotz');
    is_deeply [notices($s)], [], 'nothing of it in the sources';
    is_deeply [notices(talk('Frobozz gnusto quux', session_id => $s->{session}))], ['handoff_offer'], 'a second time';
    my $sections = join "\n\n", '# Rooms', map { "## Room $_\n\nA lantern hangs here, for the visitors of room $_." } 1 .. 300;
    is $admin->post('knowledge/articles?slug=rooms', $sections, { 'Content-Type' => 'text/markdown' })->{status}, 201, 'a word that is nearly everywhere';
    $s = talk('Rezrov gnusto yomin lantern');
    is_deeply [notices($s)], [], 'in the sources, and hardly an answer';
    is_deeply [notices(talk('Frotz plugh krill lantern', session_id => $s->{session}))], ['handoff_offer'], 'a second time';
    is $stack->sql("SELECT count(*) FROM messages WHERE conversation_id = '" . conversation($s->{session}) . "' AND (route->>'chunks')::int > 0 AND (route->>'grounding')::float8 < 0.3"), 2, 'by how much of the question they speak to, not by what was found';
    $tools->add('told');
    $s = $client->chat(ask('Egg lurking mailbox', { rounds => [{ tools => [{ name => 'told', arguments => { day => 'd1' } }] }, { text => 'So it is.' }] }));
    is_deeply [notices($s)], [], 'in no source, but a tool told';
    is_deeply [notices(talk('Chalice torch skull', session_id => $s->{session}))], [], 'the first that nothing is known of';
    is_deeply [notices(talk('Yomin lleps krill', session_id => $s->{session}))], ['handoff_offer'], 'the second';
    $s = $client->chat(ask('Fails', { status => 400, error_body => '{"error":{"message":"no"}}' }));
    is_deeply [$s->{terminal}{event}, notices($s)], ['error'], 'one failure';
    $s = $client->chat(ask('Fails more', { error_after => 1, error_type => 'server_error' }, session_id => $s->{session}));
    is_deeply [notices($s)], ['handoff_offer'], 'a second one in a row' or diag explain $s->{events};
};

# -- a verified visitor reaches the tools ----------------------------------------------------

subtest 'WID-5: visitor.* bindings of tools work for verified visitors only' => sub {
    my $secret = (split /\n/, $stack->frontdesk(qw(identity create --org), $stack->{org}))[0];
    $tools->add('mine', bindings => { owner => 'visitor.email', day => 'visitor.user_id' });
    my $call = { rounds => [{ tools => [{ name => 'mine', arguments => {} }] }, { text => 'There.' }] };
    my $s = $client->chat(ask('Anonymous', $call));
    is scalar(() = $tools->requests('mine')), 0, 'anonymous: refused';
    my $session = session();
    my $id = $client->post("/api/v1/sessions/$session/identify", { user_id => 'u-5', user_hash => hmac_sha256_hex('u-5', $secret), email => 'boss@example.com' });
    is $id->{status}, 200, 'identified' or diag $id->{body};
    $client->chat(ask('Whose', $call, session_id => $session));
    is scalar(() = $tools->requests('mine')), 0, 'an address beside a hash is nobody\'s proof';
    my $claims = join '.', map { encode_base64url($_) } '{"alg":"HS256","typ":"JWT"}', $json->encode({ sub => 'u-5', email => 'u5@example.com', exp => time + 600 });
    $id = $client->post("/api/v1/sessions/$session/identify", { token => $claims . '.' . encode_base64url(hmac_sha256($claims, $secret)) });
    is $id->{status}, 200, 'with a token' or diag $id->{body};
    $s = $client->chat(ask('Mine', $call, session_id => $session));
    is $s->{terminal}{event}, 'done', 'answered' or diag explain $s->{events};
    my ($request) = $tools->requests('mine');
    is_deeply [@{ $request->{body}{args} }{qw(owner day)}], ['u5@example.com', 'u-5'], 'the tool hears who it is' or diag explain $request;
    is_deeply [@{ $request->{body}{visitor} }{qw(id verified)}], ['u-5', JSON::PP::true], 'and that it is proven' or diag explain $request->{body};

    $tools->add('pay', risk => 'high', bindings => { owner => 'visitor.email', day => 'visitor.user_id' });
    $s = $client->chat(ask('Pay', { rounds => [{ tools => [{ name => 'pay', arguments => {} }] }, { text => 'Wait.' }] }, session_id => $session));
    my $row = $stack->sql("SELECT id FROM tool_executions WHERE job_id = '$s->{job}'");
    $stack->frontdesk('approvals', 'approve', $row, '--org', $stack->{org});
    is $stack->{status}, 0, 'approved';
    ok $stack->until(sub { $tools->requests('pay') }, 20, 'the run'), 'an approved call is run';
    ($request) = $tools->requests('pay');
    is_deeply [@{ $request->{body}{args} }{qw(owner day)}], ['u5@example.com', 'u-5'], 'as the one who asked' or diag explain $request;
};

$stack->finish;
done_testing;
