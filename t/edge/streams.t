# Open answers: heartbeats, clients that stall, leave or come back, a reload with
# open HTTP/2 streams, and that nothing is left of any of it.  EDGE-6, EDGE-10
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::H2;
use Frontdesk::Stack;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_RCVBUF SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep time);

my ($h2_port, $slow_port, $hasty_port) = map { Frontdesk::Stack::free_port() } 1 .. 3;
my $stack = Frontdesk::Stack->new(
    env => {
        STACK_NGINX_WORKERS  => 1,
        STACK_SEND_TIMEOUT   => '60s',
        STACK_HTTP_EXTRA     => 'frontdesk_start_rate 0; frontdesk_read_rate 0; frontdesk_heartbeat 300ms; gzip on; gzip_types text/event-stream; gzip_min_length 1;',
        STACK_SERVERS_EXTRA  => 'server { ' . Frontdesk::Stack::listen_http2($h2_port) . ' location /api/v1/ { frontdesk_api; } }'
            . " server { listen 127.0.0.1:$slow_port sndbuf=16k; location /api/v1/ { frontdesk_api; } }"
            . " server { listen 127.0.0.1:$hasty_port sndbuf=16k; send_timeout 1s; location /api/v1/ { frontdesk_api; } }",
    },
    worker => { FRONTDESK_JOB_SLOTS => 2000 },
);
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 5000, messages_per_month => 0);
my $client = $stack->client;

sub nginx_process { return ($stack->nginx_workers)[0]; }
sub descriptors { my ($pid) = @_; opendir my $fd, "/proc/$pid/fd" or return -1; return scalar grep { !/^\./ } readdir $fd; }
sub memory { my ($pid) = @_; open my $in, '<', "/proc/$pid/status" or return; my ($kb) = map { /^VmRSS:\s+(\d+)/ } <$in>; return $kb; }
sub text_of { my ($sse) = @_; return join '', map { JSON::PP::decode_json($_)->{text} } $sse =~ /^event: delta\ndata: (.*)$/mg; }
sub words { my ($n) = @_; return join '', map { "word$_ " } 1 .. $n; }
sub idle { return $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 && $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 10, 'idle'); }

# -- heartbeats ----------------------------------------------------------------

subtest 'EDGE-6: pings from the request\'s start, whatever else comes' => sub {
    my $start = time;
    my $s = $client->ask({ message => 'Silent @{"first_ms":1600,"tokens":60,"gap_ms":30}@' });
    my (@ping, $first);
    while (my $more = $s->fill(5)) {
        $s->decode;
        my $now = time - $start;
        push @ping, $now while $s->{sse} =~ s/^event: ping\ndata: \{\}\n\n//m;
        $first //= $now if $s->{sse} =~ /event: delta/;
        last if $s->{ended};
    }
    cmp_ok $first, '>', 1.5, 'the model is silent for 1.6 s';
    cmp_ok scalar(grep { $_ < $first } @ping), '>=', 4, 'pings meanwhile';
    cmp_ok scalar(grep { $_ > $first } @ping), '>=', 2, 'and between tokens';
    my $late = grep { my $off = $_ / 0.3 - int($_ / 0.3); $off > 0.5 } @ping; # a little behind the beat, not anywhere
    cmp_ok $late, '<=', @ping / 4, 'each 300 ms from the start' or diag "@ping";
    is text_of($s->{sse}), words(60), 'and they break nothing';
    is $s->{headers}{'content-encoding'}, undef, 'not compressed, though gzip is on for its type';
};

subtest 'EDGE-6: every event has an id, retry comes first' => sub {
    my $s = $client->ask({ message => 'x @{"tokens":5}@' }, { 'Accept-Encoding' => 'gzip' });
    $s->read_all;
    like $s->{body}, qr/^retry: 2000\n\n/, 'retry: before anything else';
    my @event = grep { /^data:/m && !/^event: ping$/m } split /\n\n/, $s->{body};
    is scalar(grep { !/^id: 1-\d+$/m } @event), 0, 'ids';
    is scalar(grep { (() = /^data:/mg) != 1 } @event), 0, 'one line of data each';
};

# -- clients that stall ------------------------------------------------------------

# A job whose events this test makes itself, as a worker would.
sub job {
    my ($session) = @_;
    my $id = sprintf '0-%032x', int rand 2**52;
    $stack->redis('jobs', 'HSET', "fd:job:{0}:$id", org => $stack->{org}, session => $session, state => 'running', epoch => 1);
    return $id;
}

sub event {
    my ($job, $n, $type, $data) = @_;
    my $frame = "id: 1-$n\nevent: $type\ndata: $data\n\n";
    $stack->redis('live', 'XADD', "fd:ev:$job", "1-$n", f => $frame, $n ? () : (o => 'test'));
    return $stack->redis('live', 'PUBLISH', "fd:ch:$job", $frame);
}

# Bytes of text, events in order and the last one's type, without keeping them.
sub read_large {
    my ($stream) = @_;
    my ($bytes, $n, $last) = (0, 0, '');
    do {
        $stream->decode;
        $stream->{body} = '';
        while ((my $end = index $stream->{sse}, "\n\n") >= 0) {
            my $event = substr $stream->{sse}, 0, $end + 2, '';
            $n++ if $event =~ /^id: 1-(\d+)$/m && $1 == $n;
            $last = $1 if $event =~ /^id: .*\nevent: (\w+)\n/;
            $bytes += $event =~ tr/Z//;
        }
    } until $stream->{ended} || !$stream->fill(10);
    return ($bytes, $n, $last);
}

subtest 'EDGE-6: 20 clients that do not read 20 MB' => sub {
    idle();
    my $pid = nginx_process();
    my $session = $client->post('/api/v1/sessions/start', '{}')->{json}{session_id};
    my $job = job($session);
    event($job, 0, 'meta', '{}');
    my ($memory, $fds) = (memory($pid), descriptors($pid));
    my $blocked = $stack->metrics->{frontdesk_edge_blocked_total};
    my $stall = sub {
        my ($port) = @_;
        my $s = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!";
        setsockopt $s, SOL_SOCKET, SO_RCVBUF, 65536; # with less than two segments TCP crawls when it is read at last
        connect $s, Socket::pack_sockaddr_in($port, Socket::inet_aton('127.0.0.1')) or die "connect: $!";
        syswrite $s, $client->head(GET => "/api/v1/chat/$job/events", { 'X-Frontdesk-Session' => $session });
        return $s;
    };
    my @stalled = map { $stall->($slow_port) } 1 .. 20;
    ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 20 }, 5), '20 streams of one job';
    my $text = 'Z' x 10_000;
    event($job, $_, 'delta', "{\"text\":\"$text\"}") for 1 .. 2000;
    sleep 0.3;
    my $more = memory($pid) - $memory;
    cmp_ok $more, '<', 6000, "nginx holds 400 MB of events in $more kB";
    cmp_ok $stack->metrics->{frontdesk_edge_blocked_total} - $blocked, '>=', 20, 'all are known to be blocked';
    my $fast = $client->chat({ message => 'Fast @{"tokens":20}@' });
    is $fast->{terminal}{event}, 'done', 'others are served';

    event($job, 2001, 'done', '{"finish_reason":"stop"}');
    $stack->redis('jobs', 'HSET', "fd:job:{0}:$job", state => 'done');
    my @read = map { my $stream = Frontdesk::Client::Stream->new($_, 20); $stream->read_head; $stream } @stalled[0, 1];
    for my $stream (@read) {
        my ($bytes, $n, $last) = read_large($stream);
        is $bytes, 20_000_000, 'who reads at last gets all of it';
        is $n, 2002, 'in order';
        is $last, 'done', 'to the end';
    }
    cmp_ok memory($pid) - $memory, '<', 6000, 'still in a bounded buffer';
    close $_ for @stalled;

    my $closed = $stack->metrics->{frontdesk_edge_slow_closed_total};
    my $hopeless = $stall->($hasty_port);
    ok $stack->until(sub { $stack->metrics->{frontdesk_edge_slow_closed_total} == $closed + 1 }, 5), 'one that reads nothing is closed by send_timeout';
    ok $stack->until(sub { $stack->log_text('access.log') =~ /"close":"timeout"/ }, 2), 'and logged';
    close $hopeless;
    ok $stack->until(sub { descriptors($pid) <= $fds }, 10), 'their descriptors are closed';
    $stack->redis('live', 'DEL', "fd:ev:$job");
};

subtest 'EDGE-6: a client that stalls on HTTP/2, by flow control' => sub {
    my $h2 = Frontdesk::H2->new(port => $h2_port, window => 2000, hold => 1);
    my %h = ('x-api-key' => $stack->{pk}, origin => $stack->{origin}, 'content-type' => 'application/json');
    my $body = sub { JSON::PP::encode_json({ message => $_[0], stream => JSON::PP::true }) };
    my $stalled = $h2->request(POST => '/api/v1/chat', \%h, $body->('Window @{"tokens":3000}@'));
    $h2->until(sub { length $stalled->{body} >= 2000 }, 5);
    $h2->turn(0.5);
    is length $stalled->{body}, 2000, 'it gets what its window takes';
    my $other = $h2->request(POST => '/api/v1/chat', \%h, $body->('Other @{"tokens":5}@'));
    $h2->until(sub { $other->{body} =~ /event: done/ || length $other->{body} >= 2000 }, 5);
    like $other->{body}, qr/event: done/, 'another stream of the connection is not held up';
    my $last = 0;
    $h2->window(0, 1 << 24);
    while (!$stalled->{ended}) { $h2->window($stalled->{id}, 5000); last unless $h2->until(sub { $stalled->{ended} || length $stalled->{body} >= $last + 4000 }, 5); $last = length $stalled->{body}; }
    is text_of($stalled->{body}), words(3000), 'and it gets all of it, as its window opens';
    $h2->close;
};

# -- clients that leave -----------------------------------------------------------

subtest 'EDGE-6: 200 requests aborted at all moments leave nothing' => sub {
    idle();
    my $pid = nginx_process();
    $client->chat({ message => 'x @{"tokens":2}@' });
    my ($fds, $channels) = (descriptors($pid), scalar @{ $stack->redis('live', 'PUBSUB', 'CHANNELS', 'fd:ch:*') });
    for my $n (1 .. 200) {
        my $s = $client->connect_;
        my $stream = $n % 4 != 3 ? 'true' : 'false';
        my $body = "{\"message\":\"Abort $n \@{\\\"tokens\\\":10,\\\"gap_ms\\\":5}\@\",\"stream\":$stream}";
        my $request = $client->head(POST => '/api/v1/chat', {}, $body) . $body;
        syswrite $s, $n % 10 == 9 ? substr $request, 0, 10 * $n % length $request : $request;
        my $wait = (0, 0, 0.001, 0.005, 0.02)[$n % 5];
        sleep $wait if $wait;
        setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $n % 3 == 0; # RST, not FIN
        close $s;
    }
    idle();
    ok $stack->until(sub { descriptors($pid) <= $fds }, 5), 'descriptors are back to what they were' or diag descriptors($pid), " for $fds";
    ok $stack->until(sub { @{ $stack->redis('live', 'PUBSUB', 'CHANNELS', 'fd:ch:*') } == $channels }, 3), 'no subscription is left';
    is $stack->metrics->{frontdesk_edge_redis_pending}, 0, 'no command waits';
    is_deeply $stack->redis('jobs', 'KEYS', 'fd:sess:*'), [], 'no session is locked';
    is nginx_process(), $pid, 'the same process all the time';
};

# -- reload -------------------------------------------------------------------------

subtest 'EDGE-6: reload with open streams of HTTP/2' => sub {
    my $h2 = Frontdesk::H2->new(port => $h2_port);
    my %h = ('x-api-key' => $stack->{pk}, origin => $stack->{origin}, 'content-type' => 'application/json');
    my @session = map { $client->post('/api/v1/sessions/start', '{}')->{json}{session_id} } 1 .. 4;
    my @s = map { $h2->request(POST => '/api/v1/chat', \%h, JSON::PP::encode_json({
        message => "Reload $_ \@{\"tokens\":60,\"gap_ms\":30}\@", session_id => $_, stream => JSON::PP::true })) } @session;
    my $json = $h2->request(POST => '/api/v1/chat', \%h, JSON::PP::encode_json({ message => 'Whole @{"tokens":60,"gap_ms":30}@' }));
    ok $h2->until(sub { 4 == grep { $_->{body} =~ /event: delta/ } @s }, 5), 'four streams of one connection';
    my @job = map { $stack->redis('jobs', 'GET', "fd:sess:{0}:$stack->{org}:$_") } @session;
    my $old = nginx_process();
    $stack->must('nginx', 'reload');
    my $at = time;
    $h2->finish($_, 5) for @s;
    cmp_ok time - $at, '<', $stack->limit(3), 'all of them end within moments';
    is scalar(grep { $_->{body} =~ /retry: (\d+)\n\n\z/ && $1 > 0 && $1 < 5000 } @s), 4, 'each told to come back soon';
    is scalar(grep { $_->{reset} } @s), 0, 'none by a reset';
    my @whole;
    for my $n (0 .. 3) {
        my ($last) = $s[$n]{body} =~ /.*^id: (\d+-\d+)$/ms;
        my $more = $client->resume($job[$n], $session[$n], $last);
        $more->{last_id} = $last;
        $more->run(30);
        push @whole, $n if text_of($s[$n]{body}) . $more->{text} eq words(60) && !$more->{broken} && ($more->{terminal}{event} // '') eq 'done';
    }
    is scalar(@whole), 4, 'and resumed elsewhere not a token is missing';
    $h2->finish($json, 10);
    like $json->{body}, qr/"response":"word1 .*word60 ?"/, 'who waits for JSON is waited for';
    $h2->close;
    ok $stack->until(sub { !grep { $_ == $old } $stack->nginx_workers }, 10), 'then the old process ends';
};

# -- tickets -------------------------------------------------------------------------

subtest 'EDGE-6 EDGE-2: a ticket opens one job\'s events, once' => sub {
    my $s = $client->chat({ message => 'Ticket @{"tokens":5}@' });
    my $other = $client->chat({ message => 'Another @{"tokens":2}@' });
    my $sister = $client->chat({ message => 'More @{"tokens":2}@', session_id => $s->{session} });
    my $plain = $stack->client(key => undef, origin => undef);
    my $make = sub {
        my ($of, %option) = @_;
        return $stack->client(%option)->post("/api/v1/chat/$of->{job}/ticket", '{}', { 'X-Frontdesk-Session' => $of->{session} });
    };
    my $use = sub {
        my ($job, $ticket, $headers, $more) = @_;
        return $plain->request('GET', "/api/v1/chat/$job/events?ticket=$ticket" . ($more // ''), $headers);
    };
    my $made = $make->($s);
    is $made->{status}, 200, 'made' or diag $made->{body};
    like $made->{json}{ticket}, qr/^[0-9a-f]{32}$/, '128 bits';
    like $made->{json}{expires_at}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/, 'expires_at';
    is $made->{headers}{'access-control-allow-origin'}, $stack->{origin}, 'readable by the page';
    is $made->{headers}{'cache-control'}, 'no-store', 'not stored';
    cmp_ok $stack->redis('live', 'TTL', "fd:ticket:$made->{json}{ticket}"), '<=', 60, 'for a minute';

    my $read = $use->($s->{job}, $made->{json}{ticket}, { Origin => $stack->{origin} });
    is $read->{status}, 200, 'used without a key';
    is text_of($read->{body}), words(5), 'the whole answer';
    is $read->{headers}{'access-control-allow-origin'}, $stack->{origin}, 'CORS';
    my $missing = $use->('0-' . '0' x 32, 'f' x 32);
    my %seen = (
        used      => $use->($s->{job}, $made->{json}{ticket}),
        foreign   => $use->($other->{job}, $make->($s)->{json}{ticket}),
        "its session's other" => $use->($sister->{job}, $make->($s)->{json}{ticket}),
        unknown   => $use->($s->{job}, 'f' x 32),
        malformed => $use->($s->{job}, '..%2f' . '*' x 27),
        empty     => $use->($s->{job}, ''),
        expired   => do { my $t = $make->($s)->{json}{ticket}; $stack->redis('live', 'PEXPIRE', "fd:ticket:$t", 1); sleep 0.05; $use->($s->{job}, $t) },
        "another session's" => $use->($s->{job}, $make->({ job => $s->{job}, session => $other->{session} })->{json}{ticket}),
    );
    my $shape = sub { my ($r) = @_; my %j = %{ $r->{json} || {} }; delete @j{qw(request_id instance)}; return [$r->{status}, \%j] };
    is $missing->{status}, 404, 'a missing job is 404';
    is_deeply $shape->($seen{$_}), $shape->($missing), "$_: looks the same" for sort keys %seen;

    my $wrong = $make->($s)->{json}{ticket};
    $use->($other->{job}, $wrong);
    is $use->($s->{job}, $wrong)->{status}, 404, 'a try on another job used it up';
    is $use->($s->{job}, $make->($s)->{json}{ticket}, { Origin => 'https://evil.example' })->{status}, 403, 'a foreign origin';
    is $use->($s->{job}, $make->($s)->{json}{ticket})->{status}, 200, 'no origin to judge';
    my $rest = $use->($s->{job}, $make->($s)->{json}{ticket}, {}, '&last_event_id=1-0');
    like $rest->{body}, qr/^id: 1-1$/m, 'last_event_id in the query';
    unlike $rest->{body}, qr/^id: 1-0$/m, 'goes on behind it';
    is $use->($s->{job}, $make->($s)->{json}{ticket}, {}, '&last_event_id=x')->{status}, 400, 'and is checked';
    is $make->($s, key => undef)->{status}, 401, 'nobody makes one without a key';
    is $client->post("/api/v1/chat/$s->{job}/ticket", '{}')->{status}, 400, 'nor a visitor without his session';
    my $server = $make->({ job => $s->{job} }, key => $stack->{sk}, origin => undef);
    is $use->($s->{job}, $server->{json}{ticket})->{status}, 200, 'a secret key makes one for its organisation';

    my $key = $stack->key(qw(create --kind pk --name gone --origin), $stack->{origin});
    my $revoked = $make->($s, key => $key->{key})->{json}{ticket};
    $stack->key('revoke', $key->{id});
    is $use->($s->{job}, $revoked)->{status}, 401, 'the ticket of a revoked key is worth nothing';

    my @tickets = map { $make->($s)->{json}{ticket} } 1 .. 5;
    for my $ticket (@tickets) {
        my @open = map { $plain->open('GET', "/api/v1/chat/$s->{job}/events?ticket=$ticket") } 1 .. 4;
        is join(' ', sort map { $_->{status} } @open), '200 404 404 404', 'one of four at once';
    }
};

# -- overload ----------------------------------------------------------------------

subtest 'EDGE-6: a reconnect while Redis is away is asked to come again' => sub {
    my $s = $client->chat({ message => 'Later @{"tokens":5}@' });
    for my $role (qw(live jobs)) {
        $stack->signal(KILL => $role);
        $stack->redis_forget;
        sleep 1.2;
        my (%retry, @bad);
        for (1 .. 8) {
            my $r = $client->resume(@$s{qw(job session)}, '1-1');
            $r->read_all;
            if ($r->{status} == 200 && $r->{headers}{'content-type'} =~ /event-stream/ && $r->{body} =~ /^retry: (\d+)\n\n\z/) { $retry{$1}++; }
            else { push @bad, $r->{status}; }
        }
        is "@bad", '', "$role away: 200, retry and the end, as an EventSource gives up on anything else";
        cmp_ok scalar(keys %retry), '>', 1, 'not all at the same time';
        is scalar(grep { $_ < 1000 || $_ > 10000 } keys %retry), 0, 'within seconds';
        $stack->must($role, 'start');
        ok $stack->until(sub { my $r = $client->get('/readyz'); $r->{status} == 200 }, 5), 'Redis is back';
    }
};

$stack->finish;
done_testing;
