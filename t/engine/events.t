# What happens in an organisation, heard by who is signed in: GET events.  ADM-4, ENG-14
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(
    env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0; frontdesk_read_rate 0;', STACK_NGINX_WORKERS => 2 },
    worker => { FRONTDESK_ADMIN_THREADS => 2 },
);
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
$stack->sql("UPDATE org_ai_settings SET widget = '{\"features\": {\"handoff\": true}}' WHERE org_id = '$stack->{org}'");
$stack->hint;
my $client = $stack->client;
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other');

sub talk { my ($words, %more) = @_; return $client->chat({ message => "$words \@" . '{"text":"Here."}' . '@', %more }); }
sub conversation { my ($session) = @_; return $stack->sql("SELECT id FROM conversations WHERE session_id = '$session'"); }
sub does { my ($session, $what, $body) = @_; return $admin->post('conversations/' . conversation($session) . "/$what", $body || {}); }

# A stream that has begun: its first event was read, and is kept in {first}.
sub listen_ {
    my ($by, %headers) = @_;
    my $plain = $stack->client(key => $by->{key}, origin => undef);
    my $s = $plain->open(GET => '/api/admin/events', \%headers);
    $s->{first} = next_of($s) if $s->{status} == 200 && !$headers{'Last-Event-ID'};
    return $s;
}
sub as_browser {
    my ($browser) = @_;
    return (Host => "127.0.0.1:$stack->{port}", 'Sec-Fetch-Site' => 'same-origin', Cookie => "frontdesk=" . $browser->token);
}
# The next that is of these kinds; other changes of a conversation may come between.
sub next_of {
    my ($s, @kinds) = @_;
    my $end = time + 20;
    while ((my $left = $end - time) > 0) {
        my $e = $s->next($left) or return {};
        next if $e->{event} eq 'ping' && !grep { $_ eq 'ping' } @kinds;
        return $e if !@kinds || grep { $_ eq $e->{event} } @kinds;
    }
    return {};
}
# The next change of this conversation that has the status.
sub becomes {
    my ($s, $session, $status) = @_;
    my $id = conversation($session);
    my $end = time + 20;
    while (time < $end) {
        my $e = next_of($s, 'conversation');
        return $e->{json} || {} if !$e->{json} || ($e->{json}{id} eq $id && $e->{json}{status} eq $status);
    }
    return {};
}
sub is_over { my ($s, $why) = @_; my $e = next_of($s, 'end'); return is(($e->{json} || {})->{reason}, $why, "told why: $why") && ok($stack->until(sub { $s->fill(0.1); $s->decode; $s->{ended} }, 20), 'and ends whole'); }

subtest 'ADM-4: the stream begins, lives, and is for those who may' => sub {
    my $s = listen_($admin);
    is $s->{status}, 200, 'it is there' or return;
    is $s->{headers}{'content-type'}, 'text/event-stream', 'of events';
    is $s->{headers}{'cache-control'}, 'no-store', 'kept nowhere';
    is $s->{first}{event}, 'sync', 'it begins with what to read first';
    is next_of($s, 'ping')->{event}, 'ping', 'and tells that it lives';
    $s->close;
    is $stack->client(key => undef)->get('/api/admin/events')->{status}, 401, 'nobody: refused';
    is $stack->client->get('/api/admin/events')->{status}, 403, 'a page\'s key: refused';
    is $admin->get('events?last_event_id=x')->{json}{field}, 'Last-Event-ID', 'no id: refused';
    is $admin->request('HEAD', 'events')->{status}, 200, 'HEAD ends at once';
};

subtest 'ADM-4: every change of a conversation is heard, by its organisation alone' => sub {
    my $s = listen_($admin);
    my $deaf = listen_($other);
    my $asked = $client->ask({ message => 'Hello @{"text":"Here.","gate":"' . "$stack->{dir}/gate" . '"}@' });
    my $session = $asked->{session};
    my $new = next_of($s, 'conversation')->{json};
    is_deeply [@$new{qw(id status holder name version channel team_id waiting_since message_count)}],
        [conversation($session), 'active', undef, undef, 0, 'widget', undef, undef, 0], 'a new one, before its answer';
    like $new->{updated_at}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'with its time';
    open my $gate, '>', "$stack->{dir}/gate" or die "gate: $!";
    is becomes($s, $session, 'active')->{message_count}, 2, 'its answer';
    $asked->run;
    $client->post("/api/v1/sessions/$session/handoff", { reason => 'A secret of mine' });
    my $waiting = becomes($s, $session, 'waiting_human');
    ok $waiting->{waiting_since}, 'it waits, and since when';
    unlike(JSON::PP->new->encode($waiting), qr{secret}, 'what the visitor said is not in it');
    my $alert = next_of($s, 'alert');
    is_deeply [@{ $alert->{json} }{qw(kind)}, $alert->{json}{detail}{conversation_id}], ['handoff.requested', conversation($session)], 'the alert';
    unlike $alert->{data}, qr/secret/, 'without it either';
    talk('Is anybody there', session_id => $session);
    my $said = next_of($s, 'message')->{json};
    is_deeply [@$said{qw(conversation_id role name)}], [conversation($session), 'user', undef], 'what he says while he waits';
    like $said->{text}, qr/^Is anybody there/, 'in words';
    like $said->{created_at}, qr/^20\d\d-.*\.\d{3}Z$/, 'and when';
    is becomes($s, $session, 'waiting_human')->{message_count}, 3, 'which counts';
    does($session, 'join', { name => 'Dana' });
    my $joined = becomes($s, $session, 'human');
    is_deeply [@$joined{qw(name)}, $joined->{version} > $waiting->{version}], ['Dana', 1], 'joined';
    does($session, 'typing', { name => 'Dana' });
    is_deeply next_of($s, 'typing')->{json}, { conversation_id => conversation($session), name => 'Dana', who => 'operator' }, 'other operators see who writes';
    does($session, 'reply', { name => 'Dana', text => 'Here I am' });
    is_deeply [@{ next_of($s, 'message')->{json} }{qw(role name text)}], ['operator', 'Dana', 'Here I am'], 'the reply';
    does($session, 'release');
    is becomes($s, $session, 'active')->{holder}, undef, 'given back';
    $admin->request('PATCH', 'conversations/' . conversation($session), { status => 'archived' });
    is becomes($s, $session, 'archived')->{status}, 'archived', 'archived';
    does($session, 'resolve');
    is becomes($s, $session, 'ended')->{status}, 'ended', 'resolved';
    my $left = talk('Bye')->{session};
    $client->delete_("/api/v1/sessions/$left/end");
    is becomes($s, $left, 'ended')->{status}, 'ended', 'ended by the visitor';
    is_deeply [grep { $_ !~ /typing/ } @{ $s->{gaps} || [] }], [], 'numbered without a gap';
    is next_of($deaf, 'ping', 'conversation', 'message', 'alert', 'typing')->{event}, 'ping', 'another organisation hears nothing';
    $_->close for $s, $deaf;
};

subtest 'ADM-4: who was away is given what he missed, or told that it is gone' => sub {
    my $s = listen_($admin);
    my $before = talk('Before')->{session};
    does($before, 'resolve');
    becomes($s, $before, 'ended');
    my $last = $s->{last_id};
    $s->close;
    my $missed = talk('Missed')->{session};
    does($missed, 'resolve');
    my @stored = @{ $stack->redis('live', 'XRANGE', "fd:oev:$stack->{org}", "($last", '+') };
    cmp_ok scalar @stored, '>=', 2, 'meanwhile things happen';
    $s = listen_($admin, 'Last-Event-ID' => $last);
    my @told = map { next_of($s) } @stored;
    is_deeply [map { [@$_{qw(event id)}, $_->{json}{id}] } @told], [map { ['conversation', $_->[0], conversation($missed)] } @stored], 'he is told all of them';
    is $told[0]{id}, $last =~ s/(\d+)$/$1 + 1/er, 'from where he was';
    my $now = talk('Now')->{session};
    ok becomes($s, $now, 'active')->{id}, 'and goes on';
    $s->close;

    $s = listen_($admin, 'Last-Event-ID' => '1-5');
    my $sync = next_of($s);
    is $sync->{event}, 'sync', 'an id of a stream that is gone: sync';
    like $sync->{id}, qr/^\d+-\d+$/, 'with the place to go on from';
    $stack->redis('live', 'DEL', "fd:oev:$stack->{org}"); # as an erasure does
    my $after = talk('After')->{session};
    is next_of($s)->{event}, 'sync', 'a stream that begins anew: sync';
    ok becomes($s, $after, 'active')->{id}, 'and goes on';
    $s->close;
};

subtest 'ADM-4: who loses the right to listen is cut off' => sub {
    my $owner = Frontdesk::Browser->user($stack, 'owner@events.example', 'owner');
    my $dana = Frontdesk::Browser->user($stack, 'dana@events.example', 'staff');
    my $client_ = Frontdesk::Browser->user($stack, 'client@events.example', 'client');
    is $client_->get('events')->{status}, 403, 'a client may not listen';
    my $s = listen_({}, as_browser($dana));
    is $s->{first}{event}, 'sync', 'staff may' or return;
    my $stays = listen_({}, as_browser($owner));
    $dana->post('auth/logout');
    is_over($s, 'signed out');
    is listen_({}, as_browser($dana))->{status}, 401, 'and cannot come again';
    $dana->sign_in;
    $s = listen_({}, as_browser($dana));
    my ($id) = $stack->sql("SELECT id FROM users WHERE email = 'dana\@events.example'");
    is $owner->patch("users/$id", { role => 'client' })->{status}, 200, 'the role is lost';
    is_over($s, 'signed out');
    my $key = $stack->key(qw(create --kind sk --name listens));
    $s = listen_({ key => $key->{key} });
    $stack->frontdesk('key', 'revoke', $key->{id});
    is_over($s, 'again');
    ok $stack->until(sub { listen_({ key => $key->{key} })->{status} == 401 }, 20), 'a revoked key cannot come again';
    my $session = talk('Still')->{session};
    ok becomes($stays, $session, 'active')->{id}, 'others hear on';
    $stays->close;
};

subtest 'ADM-4: listeners cost no thread and no connection; there is a limit to them' => sub {
    my @keys = map { { key => $stack->key(qw(create --kind sk --name), "listener $_")->{key} } } 1 .. 5;
    my @all = map { my $by = $_; map { listen_($by) } 1 .. 5 } @keys[0 .. 3];
    is scalar(grep { $_->{first}{event} eq 'sync' } @all), 20, 'twenty listen, of two threads';
    is $admin->get('conversations')->{status}, 200, 'and the rest of the API answers';
    cmp_ok $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'frontdesk admin'"), '<=', 2, 'by as many connections as threads';
    is scalar(grep { $_->[0] =~ /^fd:oev:/ } map { [split ' '] } @{ $stack->redis('live', 'PUBSUB', 'CHANNELS', 'fd:oev:*') }), 1, 'with one subscription';
    my $session = talk('All')->{session};
    is scalar(grep { becomes($_, $session, 'active')->{id} } @all), 20, 'all hear it';
    push @all, map { my $by = $_; map { listen_($by) } 6 .. 8 } @keys[0 .. 3];
    is scalar(grep { $_->{status} == 200 } @all), 32, 'eight of each key';
    my $full = $stack->client(key => $keys[4]{key}, origin => undef)->get('/api/admin/events');
    is $full->{status}, 503, 'the 33rd of an organisation is refused';
    like $full->{json}{detail}, qr/organisation/, 'which it is told';
    like $full->{headers}{'retry-after'}, qr/^\d+$/, 'and when to come again';
    is listen_($other)->{status}, 200, 'another organisation is not';
    (pop @all)->close;
    ok $stack->until(sub { my $s = listen_($keys[4]); push @all, $s; $s->{status} == 200 }, 20), 'who leaves makes room';
    (shift @all)->close for 1 .. 2;
    ok $stack->until(sub { my $s = listen_($keys[4]); push @all, $s; $s->{status} == 200 }, 20), 'for others';
    $full = $stack->client(key => $keys[1]{key}, origin => undef)->get('/api/admin/events');
    is $full->{status}, 503, 'but one key listens eight times and no more';
    like $full->{json}{detail}, qr/this user or key/, 'which it is told';
    $_->close for @all;
    ok $stack->until(sub { !@{ $stack->redis('live', 'PUBSUB', 'CHANNELS', 'fd:oev:*') } }, 20), 'and the last one ends the subscription';
};

my $happen = do { local (@ARGV, $/) = ($stack->root . '/protocol/scripts/happen.lua'); <> };
subtest 'ADM-4: who does not read is let go, and told why' => sub {
    my $slow = $stack->client(key => $admin->{key}, origin => undef)->open(GET => '/api/admin/events', {});
    my $quick = listen_($admin);
    my $data = '{"id":"' . ('x' x 15000) . '"}';
    my $told = 0;
    ok $stack->until(sub {
        $stack->redis('live', 'EVAL', $happen, 1, "fd:oev:$stack->{org}", 'alert', $data, 3600, 250);
        next_of($quick, 'alert');
        $told = $stack->log_text('admin.log') =~ /admin\.events_end.*"slow"/;
    }, 60, 'the end of the slow one');
    my $session = talk('Quick')->{session};
    ok becomes($quick, $session, 'active')->{id}, 'who reads hears on';
    is next_of($slow, 'end')->{json}{reason}, 'slow', 'the slow one learns why, behind what it had not read';
    $quick->close;
};

subtest 'ADM-4: a process that stops sends its listeners to the next one' => sub {
    my $s = listen_($admin);
    my $last = $s->{last_id};
    $stack->must('admin', 'stop');
    is_over($s, 'again');
    my $missed = talk('Missed')->{session};
    $stack->must('admin', 'start');
    ok $stack->until(sub { $s = listen_($admin, 'Last-Event-ID' => $last); $s->{status} == 200 }, 20), 'he comes again';
    is becomes($s, $missed, 'active')->{id}, conversation($missed), 'and has missed nothing';
    $s->close;
};

$stack->finish;
done_testing;
