# What visitors say beside the chat: feedback, rating, who they are; and the stream of
# what happens to a session.  EDGE-7, WID-5
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Stack;
use JSON::PP ();
use MIME::Base64 ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;
my $stack = Frontdesk::Stack->new(env => {
    STACK_NGINX_WORKERS => 2,
    STACK_HTTP_EXTRA    => 'frontdesk_start_rate 0; frontdesk_read_rate 0; frontdesk_heartbeat 300ms;',
});
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client;
my $server = $stack->client(key => $stack->{sk}, origin => undef);
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other');

sub say_ { my ($words, %more) = @_; return $client->chat({ message => "$words \@{\"text\":\"Yes.\"}\@", %more }); }
sub session { return $client->post('/api/v1/sessions/start', '{}')->{json}{session_id}; }
sub of { my ($session) = @_; return { 'X-Frontdesk-Session' => $session }; }
sub to { my ($session, $what, $body, %option) = @_; return ($option{by} || $client)->post("/api/v1/sessions/$session/$what", $body); }
sub history { my ($session) = @_; return $client->get("/api/v1/sessions/$session/history")->{json}; }
sub answer_of { my ($s) = @_; return (grep { $_->{event} eq 'meta' } @{ $s->{events} })[0]{json}{message_id}; }

# Bodies that are wrong, and the field that is told.
sub refused {
    my ($path, $headers, @cases) = @_;
    for my $case (@cases) {
        my ($body, $field, $status) = @$case;
        my $r = $client->post($path, $body, $headers);
        is "$r->{status} " . ($r->{json}{field} // ''), ($status || 422) . " $field", "refused: $body" or diag $r->{body};
    }
    return;
}

# -- feedback ------------------------------------------------------------------

subtest 'EDGE-7: feedback on an answer, changed and taken back' => sub {
    my $s = say_('Feedback');
    my $id = answer_of($s);
    my $path = "/api/v1/messages/$id/feedback";
    my $r = $client->post($path, { rating => 'up' }, of($s->{session}));
    is $r->{status}, 200, 'accepted' or diag $r->{body};
    is_deeply $r->{json}, { message_id => $id, rating => 'up' }, 'what stands';
    my ($answer) = grep { $_->{id} eq $id } @{ history($s->{session})->{messages} };
    is $answer->{rating}, 'up', 'the history shows it';
    my $comment = ("\x{5d0}" x 999) . '!';
    is $client->post($path, { rating => 'down', comment => $comment }, of($s->{session}))->{json}{rating}, 'down', 'another word, and 1000 letters';
    is $stack->sql("SELECT length(rating_comment) FROM messages WHERE id = '$id'"), 1000, 'kept';
    is $client->post($path, { rating => undef }, of($s->{session}))->{json}{rating}, undef, 'taken back';
    is $stack->sql("SELECT count(*) FROM messages WHERE id = '$id' AND rating IS NULL AND rating_comment IS NULL"), 1, 'with its comment';
    is $server->post($path, { rating => 'up' })->{status}, 200, 'a secret key need not name the session';

    my ($question) = grep { $_->{role} eq 'user' } @{ history($s->{session})->{messages} };
    my @missing = (
        ["/api/v1/messages/$question->{id}/feedback", of($s->{session}), 'a question is no answer'],
        [$path, of(session()), 'another session'],
        ["/api/v1/messages/00000000-0000-8000-8000-000000000000/feedback", of($s->{session}), 'no such message'],
        ['/api/v1/messages/x/feedback', of($s->{session}), 'no id'],
        [$path, of('x' x 32), 'an invented session'],
    );
    is $client->post($_->[0], { rating => 'up' }, $_->[1])->{status}, 404, "404: $_->[2]" for @missing;
    is $client->post($path, { rating => 'up' })->{status}, 400, 'a visitor has to name his session';
    my $foreign = $stack->client(key => $other->{key}, origin => undef);
    is $foreign->post($path, { rating => 'up' })->{status}, 404, 'another organisation';
    refused($path, of($s->{session}),
        ['{}', 'rating'], ['{"rating":"sideways"}', 'rating'], ['{"rating":1}', 'rating'], ['[]', ''],
        ['{"rating":"up","stars":5}', 'stars'], ['{"rating":"up","comment":7}', 'comment'],
        ['{"rating":"up","comment":"' . ('x' x 1001) . '"}', 'comment'], ['{"rating":"up"', '', 400]);
};

subtest 'EDGE-7: rating of a conversation' => sub {
    my $s = say_('Rating');
    is to($s->{session}, 'rating', { score => 4 })->{json}{score}, 4, 'four';
    is_deeply to($s->{session}, 'rating', { score => 5, comment => "Good.\nThanks." })->{json}, { score => 5 }, 'a later one replaces it';
    is history($s->{session})->{score}, 5, 'the history tells it';
    is $stack->sql("SELECT score_comment IS NOT NULL AND scored_at IS NOT NULL FROM conversations WHERE session_id = '$s->{session}'"), 't', 'stored';
    is to(session(), 'rating', { score => 5 })->{status}, 404, 'of nothing: 404';
    is to('x' x 32, 'rating', { score => 5 })->{status}, 404, 'an invented session: 404';
    refused("/api/v1/sessions/$s->{session}/rating", undef, map { [$_, 'score'] }
        '{}', '{"score":0}', '{"score":6}', '{"score":4.5}', '{"score":"5"}', '{"score":null}', '{"score":1e300}');
    refused("/api/v1/sessions/$s->{session}/rating", undef, ['{"score":5,"why":""}', 'why'], ["{\"score\":5,\"comment\":\"a\\u0001\"}", 'comment']);
};

subtest 'EDGE-7: a history draws the widget after a reload' => sub {
    my $none = history(session());
    is_deeply [@$none{qw(messages next_cursor status score)}], [[], undef, 'active', undef], 'of nothing';
    my $s = say_('One');
    say_('Two', session_id => $s->{session});
    my $h = history($s->{session});
    is_deeply [map { $_->{role} } @{ $h->{messages} }], [qw(user assistant user assistant)], 'in order';
    is_deeply [map { exists $_->{rating} } @{ $h->{messages} }], [1, 1, 1, 1], 'each says whether it was rated';
    my $page = $client->get("/api/v1/sessions/$s->{session}/history?limit=3")->{json};
    is scalar @{ $page->{messages} }, 3, 'a page';
    my $rest = $client->get("/api/v1/sessions/$s->{session}/history?limit=3&cursor=$page->{next_cursor}")->{json};
    is_deeply [map { $_->{content} =~ /^(\w+)/ } @{ $rest->{messages} }], ['One'], 'and the one before it';
    is_deeply [@$rest{qw(next_cursor status)}], [undef, 'active'], 'with the state on each';
};

# -- identity ------------------------------------------------------------------

my $secret = (split /\n/, $stack->frontdesk(qw(identity create --org), $stack->{org}))[0];

sub base64url { my $t = MIME::Base64::encode_base64url($_[0], ''); $t =~ s/=+$//; return $t; }
sub token {
    my ($claims, %option) = @_;
    my $head = base64url($json->encode($option{header} || { alg => 'HS256', typ => 'JWT' })) . '.' . base64url($json->encode($claims));
    return "$head." . base64url(hmac_sha256($head, $option{secret} || $secret));
}
sub user { my ($id, %more) = @_; return { sub => $id, exp => int(time) + 600, %more }; }

subtest 'WID-5: a token binds the session to its user' => sub {
    like $secret, qr/^[0-9a-f]{64}$/, 'frontdesk identity create';
    my $s = session();
    my $r = to($s, 'identify', { token => token(user('u-1', name => "Dana \x{5d3}", email => 'dana@shop.example')) });
    is $r->{status}, 200, 'accepted' or diag $r->{body};
    is_deeply $r->{json}, { user_id => 'u-1', verified => JSON::PP::true, name => "Dana \x{5d3}", email => 'dana@shop.example' }, 'who it is';
    is to($s, 'identify', { token => token(user('u-1')) })->{json}{name}, undef, 'again, with less';
    is $stack->sql("SELECT verified_id || ' ' || verified_email FROM conversations WHERE session_id = '$s'"), 'u-1 dana@shop.example', 'what was known stays';
    is to($s, 'identify', { token => token(user('u-2')) })->{status}, 409, 'another user: 409, a new session is needed';
    is to(session(), 'identify', { token => token(user('u-2')) })->{status}, 200, 'there he may';
    my $spoken = say_('Anonymous');
    is to($spoken->{session}, 'identify', { token => token(user('u-3')) })->{status}, 200, 'who began anonymously may sign in later';

    my $now = int time;
    my %wrong = (
        'another secret' => token(user('u'), secret => 'x' x 64),
        'no algorithm'   => base64url('{"alg":"none"}') . '.' . base64url($json->encode(user('u'))) . '.',
        'another algorithm' => token(user('u'), header => { alg => 'HS512', typ => 'JWT' }),
        'expired'        => token({ sub => 'u', exp => $now - 61 }),
        'no expiry'      => token({ sub => 'u' }),
        'not yet valid'  => token({ sub => 'u', exp => $now + 600, nbf => $now + 300 }),
        'no user'        => token({ exp => $now + 600 }),
        'an empty user'  => token(user('')),
        'no address'     => token(user('u', email => 'nobody')),
        'no token'       => 'nonsense',
    );
    for my $what (sort keys %wrong) {
        my $bad = to($s, 'identify', { token => $wrong{$what} });
        is "$bad->{status} " . ($bad->{json}{field} // ''), '422 token', $what or diag $bad->{body};
        unlike $bad->{body}, qr/\Q$secret\E/, 'nothing is given away';
    }
    is to(session(), 'identify', { token => token({ sub => 'u', exp => $now - 30 }) })->{status}, 200, 'clocks may differ by a minute';
    is to('x' x 32, 'identify', { token => token(user('u')) })->{status}, 404, 'an invented session';
};

subtest 'WID-5: a hash of the user id' => sub {
    my $s = session();
    my $hash = hmac_sha256_hex('u-7', $secret);
    my $r = to($s, 'identify', { user_id => 'u-7', user_hash => uc $hash, name => 'Avi', email => 'boss@example.com' });
    is_deeply $r->{json}, { user_id => 'u-7', verified => JSON::PP::true, name => undef, email => undef }, 'verified' or diag $r->{body};
    is $stack->sql("SELECT concat_ws('/', verified_id, verified_name, verified_email, contact->>'name', contact->>'email') FROM conversations WHERE session_id = '$s'"),
        'u-7/Avi/boss@example.com', 'the hash proves the user, not what stands beside it';
    is to($s, 'identify', { user_id => 'u-8', user_hash => hmac_sha256_hex('u-8', $secret) })->{status}, 409, 'another user: 409';
    my $path = "/api/v1/sessions/$s/identify";
    refused($path, undef,
        [$json->encode({ user_id => 'u-8', user_hash => $hash }), 'user_hash'], ['{"user_id":"u-7"}', 'user_hash'],
        ['{"user_hash":"' . $hash . '"}', ''], ['{"user_id":"u-7","user_hash":"00"}', 'user_hash'],
        ['{}', ''], ['{"token":"a","user_id":"u","user_hash":"' . $hash . '"}', ''], ['{"token":"a","name":"x"}', 'name'],
        ['{"user_id":7}', 'user_id'], ['{"user":"x"}', 'user'], ['{"user_id":"a\nb"}', 'user_id']);
};

subtest 'WID-5: what a visitor says of himself is stored, and proves nothing' => sub {
    my $s = session();
    is_deeply to($s, 'identify', { profile => { name => 'Noa', email => 'noa@example.com' } })->{json}, { verified => JSON::PP::false }, 'not verified';
    to($s, 'identify', { profile => { phone => '+972 50-123 4567' } });
    is_deeply $json->decode($stack->sql("SELECT contact FROM conversations WHERE session_id = '$s'")),
        { name => 'Noa', email => 'noa@example.com', phone => '+972 50-123 4567' }, 'one beside the other';
    is $stack->sql("SELECT verified_id IS NULL FROM conversations WHERE session_id = '$s'"), 't', 'nobody is verified';
    refused("/api/v1/sessions/$s/identify", undef,
        ['{"profile":{"email":"x"}}', 'profile.email'], ['{"profile":{"phone":"call me"}}', 'profile.phone'],
        ['{"profile":{"age":7}}', 'profile.age'], ['{"profile":[]}', 'profile'], ['{"profile":{"name":"a\\nb"}}', 'profile.name']);
};

subtest 'WID-5: secrets are rotated, two at a time, sealed and shown once' => sub {
    my $old = $secret;
    my $made = $admin->post('identity-secrets', {});
    is $made->{status}, 201, 'a second' or diag $made->{body};
    is $admin->post('identity-secrets', {})->{status}, 422, 'not a third';
    is to(session(), 'identify', { token => token(user('u'), secret => $_) })->{status}, 200, 'both count' for $old, $made->{json}{secret};
    my $list = $admin->get('identity-secrets');
    is scalar @{ $list->{json}{identity_secrets} }, 2, 'listed';
    unlike $list->{body}, qr/\Q$old\E|\Q$made->{json}{secret}\E/, 'by their last four digits';
    my ($first) = map { $_->{id} } @{ $list->{json}{identity_secrets} };
    is $admin->delete("identity-secrets/$first")->{status}, 204, 'the first is revoked';
    is to(session(), 'identify', { token => token(user('u'), secret => $old) })->{status}, 422, 'and proves nothing any more';
    $secret = $made->{json}{secret};
    is to(session(), 'identify', { token => token(user('u')) })->{status}, 200, 'the second does';
    is $stack->sql("SELECT count(*) FROM identity_secrets WHERE encode(secret, 'escape') LIKE '%$secret%'"), 0, 'sealed in the database';
    $stack->frontdesk(qw(vault rotate));
    is to(session(), 'identify', { token => token(user('u')) })->{status}, 200, 'a rotation of the vault\'s keys reaches it';
    is $admin->delete("identity-secrets/$first")->{status}, 404, 'unknown: 404';
    is $other->get('identity-secrets')->{json}{identity_secrets}[0], undef, 'another organisation has its own';
};

subtest 'WID-5: identity in the body of a chat' => sub {
    my $s = session();
    my $ok = say_('Signed in', session_id => $s, identity => token(user('u-9')));
    is $ok->{terminal}{event}, 'done', 'answered' or diag explain $ok->{events};
    is $stack->sql("SELECT verified_id || ' ' || user_identifier FROM conversations WHERE session_id = '$s'"), 'u-9 u-9', 'bound';
    my $bad = say_('Wrong', session_id => $s, identity => 'nonsense');
    is "$bad->{terminal}{event} $bad->{terminal}{json}{field}", 'error identity', 'a wrong one is refused by name' or diag explain $bad->{events};
    my $foreign = $client->post('/api/v1/chat', { message => 'x', session_id => $s, identity => token(user('u-10')) });
    is $foreign->{status}, 409, 'another user\'s: 409' or diag $foreign->{body};
};

# -- the session's stream ---------------------------------------------------------

sub follow { my ($session, $last, %option) = @_; return ($option{by} || $client)->open(GET => "/api/v1/sessions/$session/events", { $last ? ('Last-Event-ID' => $last) : () }); }

# As a worker or the admin API would tell it.
my $happen = do { local (@ARGV, $/) = ($stack->root . '/protocol/scripts/happen.lua'); <> };
sub happen { my ($session, $event, $data) = @_; return $stack->redis('live', 'EVAL', $happen, 1, "fd:sev:$session", $event, $data, 60, 1000); }
sub next_of { # the next event that is no ping
    my ($s) = @_;
    my $end = time + 20;
    while (time < $end) { my $e = $s->next($end - time) or return {}; return $e if $e->{event} ne 'ping'; }
    return {};
}
sub followed { # until nginx hears what is published
    my ($session, $n) = @_;
    return $stack->until(sub { my %n = @{ $stack->redis('live', 'PUBSUB', 'NUMSUB', "fd:sev:$session") }; (values %n)[0] >= ($n || 1) }, 20, 'a subscription');
}

subtest 'EDGE-7: events of a session, from now on, in order, with pings' => sub {
    my $session = session();
    my $s = follow($session);
    is $s->{status}, 200, 'open' or diag $s->{body};
    is $s->{headers}{'content-type'}, 'text/event-stream', 'a stream';
    is next_of($s)->{event}, 'sync', 'first of all the history is to be read';
    happen($session, 'status', '{"status":"waiting_human"}');
    happen($session, 'message', "{\"message_id\":\"$_\",\"text\":\"t$_\"}") for 1 .. 3;
    is_deeply [map { next_of($s)->{event} } 1 .. 5], [qw(sync status message message message)], 'events';
    $stack->redis('live', 'PUBLISH', "fd:sev:$session", "event: typing\ndata: {\"name\":\"Dana\"}\n\n");
    my $typing = next_of($s);
    is_deeply [@$typing{qw(event data)}, defined $typing->{id}], ['typing', '{"name":"Dana"}', ''], 'typing passes by, without an id';
    my $ping;
    for (1 .. 50) { my $e = $s->next(20); $ping = 1 if $s->{body} =~ /^event: ping$/m; last if $ping; }
    ok $ping || $stack->until(sub { $s->fill(1); $s->decode; $s->{body} =~ /^event: ping$/m }, 20), 'pings';

    my @ids = map { $_->{id} } grep { $_->{event} eq 'message' } @{ $s->{events} };
    my $resumed = follow($session, $ids[0]);
    is_deeply [map { next_of($resumed)->{json}{message_id} } 1 .. 2], [2, 3], 'resumed behind the first';
    my $late = follow($session);
    my $sync = next_of($late);
    is_deeply [@$sync{qw(event id)}], ['sync', $ids[2]], 'who comes without an id is told where he is';
    ok followed($session), 'followed';
    happen($session, 'message', '{"message_id":"4"}');
    is next_of($_)->{json}{message_id}, 4, 'all hear the next' for $s, $resumed, $late;
    $_->close for $s, $resumed, $late;
    ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 }, 20), 'streams end with their clients';
};

subtest 'EDGE-7: an id that is too old, or of a stream that is lost' => sub {
    my $session = session();
    my $first = happen($session, 'message', '{"message_id":"0"}');
    happen($session, 'message', "{\"message_id\":\"$_\"}") for 1 .. 9;
    $stack->redis('live', 'XTRIM', "fd:sev:$session", 'MAXLEN', 3);
    my $s = follow($session, $first);
    is next_of($s)->{event}, 'sync', 'trimmed: sync';
    is_deeply [map { next_of($s)->{json}{message_id} } 1 .. 3], [7, 8, 9], 'then what is left';
    ok followed($session), 'followed';
    $stack->redis('live', 'DEL', "fd:sev:$session");
    sleep 1.1; # the epoch of a new stream is the second it begins in
    happen($session, 'message', '{"message_id":"10"}');
    is_deeply [map { next_of($s)->{event} } 1 .. 2], [qw(sync message)], 'a lost stream: sync, and on';
    sleep 2.1;
    my $before = $stack->redis('live', 'XRANGE', "fd:sev:$session", '-', '+');
    $stack->redis('live', 'EVAL', $happen, 1, "fd:sev:$session", 'message', '{"message_id":"11"}', 1, 1000);
    my $kept = $stack->redis('live', 'XRANGE', "fd:sev:$session", '-', '+');
    is scalar(grep { $_->[1][1] =~ /"message_id":"10"/ } @$before), 1, 'events are kept';
    is scalar(grep { $_->[1][1] =~ /"message_id":"10"/ } @$kept), 0, 'but not beyond their time, however much happens';
    is_deeply [map { next_of($s)->{event} } 1 .. 2], [qw(sync message)], 'which a reader hears of';
    my $gone = follow(session(), '1-1');
    is next_of($gone)->{event}, 'sync', 'an id of nothing: sync';
    is follow($session, $_)->{status}, 400, "\"$_\": 400" for 'x', '1', '0-1', '1-1-1';
    $_->close for $s, $gone;
};

subtest 'EDGE-7: whose session it is' => sub {
    my $session = session();
    is follow('x' x 32)->{status}, 404, 'invented: 404';
    is follow($session, undef, by => $stack->client(key => $other->{key}, origin => undef))->{status}, 404, 'another organisation\'s: 404';
    is $stack->client(key => undef)->get("/api/v1/sessions/$session/events")->{status}, 401, 'no key: 401';
    my @tabs = map { follow($session) } 1 .. 40;
    my $refused = grep { $_->{status} == 429 } @tabs;
    ok $refused >= 8 && $refused < 40, 'a session\'s streams are bounded' or diag "$refused of 40 refused";
    $_->close for @tabs;
};

subtest 'EDGE-7: a reload, a revoked key, Redis away' => sub {
    my $session = session();
    my $key = $stack->key(qw(create --kind sk --name follower));
    my $by = $stack->client(key => $key->{key}, origin => undef);
    my ($mine, $revoked) = (follow($session), follow($session, undef, by => $by));
    next_of($_) for $mine, $revoked;
    ok followed($session), 'followed';
    $stack->key('revoke', $key->{id});
    my $end = next_of($revoked);
    is $end->{event}, 'error', 'a revoked key\'s stream ends';
    my $id = happen($session, 'message', '{"message_id":"1"}');
    next_of($mine) for 1 .. 2;
    my @old = $stack->nginx_workers;
    $stack->must('nginx', 'reload');
    ok $stack->until(sub { $mine->fill(1); $mine->decode; $mine->{ended} }, 20), 'a reload ends it';
    ok $stack->until(sub { my %now = map { $_ => 1 } $stack->nginx_workers; %now && !grep { $now{$_} } @old }, 20), 'the old processes go';
    like $mine->{body}, qr/retry: \d+\n\n\z/, 'with a retry';
    my $again = follow($session, $id);
    happen($session, 'message', '{"message_id":"2"}');
    is next_of($again)->{json}{message_id}, 2, 'and it goes on where it was';

    $stack->must('live', 'stop');
    $stack->redis_forget;
    my $away = follow($session, $id);
    is $away->{status}, 200, 'without live Redis: 200, as an EventSource dies of any other';
    $away->read_all;
    like $away->{body}, qr/retry: \d+/, 'and come back';
    $stack->must('live', 'start');
    $stack->wait_ready(30);
    ok followed($session), 'the open one is subscribed again';
    happen($session, 'message', '{"message_id":"3"}');
    my @seen;
    push @seen, next_of($again) until @seen && ($seen[-1]{event} // 'message') eq 'message';
    is_deeply [$seen[0]{event}, $seen[-1]{json}{message_id}], ['sync', 3], 'is told that events are lost, and hears what comes' or diag explain \@seen;
    $again->close;
};

$stack->finish(allow => qr/redis|connect\(\)/);
done_testing;
