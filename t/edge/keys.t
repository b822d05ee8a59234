# Keys at the edge: where they may stand, what a bad one costs, how soon a change
# reaches every process.  EDGE-1, EDGE-2
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(
    env => {
        STACK_NGINX_WORKERS  => 2,
        STACK_HTTP_EXTRA     => 'frontdesk_read_rate 0; frontdesk_start_rate 0; frontdesk_session_rate 60000; keepalive_requests 100000;',
        STACK_LOCATION_EXTRA => 'add_header X-Process $pid always;',
    },
    worker => { FRONTDESK_SYNC_MS => 600000 }, # no synchronisation comes between
);
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
my $bare   = $stack->client(key => undef);
my $server = $stack->client(key => undef, origin => undef);
my ($pk, $sk) = @$stack{qw(pk sk)};
my $config = '/api/v1/config';

# The commands the edge reads keys and configurations with.
sub reads {
    my $text = $stack->redis('live', 'INFO', 'commandstats');
    my $n = 0;
    $n += $1 while $text =~ /^cmdstat_(?:hmget|hgetall|hget|get|exists):calls=(\d+)/mg;
    return $n;
}

# Base 62 of the CRC-32 in the last six places, as docs and secret scanners have it.
sub summed {
    my ($text) = @_;
    my ($crc, $sum) = (0xffffffff, '');
    for my $byte (unpack 'C*', $text) {
        $crc ^= $byte;
        $crc = $crc & 1 ? ($crc >> 1) ^ 0xedb88320 : $crc >> 1 for 1 .. 8;
    }
    $crc ^= 0xffffffff;
    my @digits = (0 .. 9, 'A' .. 'Z', 'a' .. 'z');
    for (1 .. 6) { $sum = $digits[$crc % 62] . $sum; $crc = int($crc / 62); }
    return $text . $sum;
}

sub unknown { return summed('fd_pk_' . join '', map { (0 .. 9, 'A' .. 'Z', 'a' .. 'z')[rand 62] } 1 .. 43); }

# -- where a key stands -------------------------------------------------------

my @accepted = (
    ['Bearer',                    $bare,   $config, { Authorization => "Bearer $pk" }],
    ['bearer in lower case',      $bare,   $config, { Authorization => "bearer   $pk" }],
    ['X-Api-Key',                 $bare,   $config, { 'X-Api-Key' => $pk }],
    ['the same key twice',        $bare,   $config, { 'X-Api-Key' => $pk, Authorization => "Bearer $pk" }],
    ['publishable in the query',  $bare,   "$config?client_key=$pk", {}],
    ['a secret key, server side', $server, $config, { Authorization => "Bearer $sk" }],
);
for my $case (@accepted) {
    my ($name, $client, $path, $headers) = @$case;
    my $r = $client->get($path, $headers);
    is $r->{status}, 200, "EDGE-1: $name" or diag $r->{body};
}

my $events = '/api/v1/chat/0-' . ('0' x 32) . '/events';
my @refused = (
    ['no key',                         $bare,   $config, {}, 401, 'key-missing'],
    ['an empty key',                   $bare,   $config, { Authorization => 'Bearer ' }, 401, 'key-missing'],
    ['Basic',                          $bare,   $config, { Authorization => "Basic $pk" }, 401, 'key-missing'],
    ['two different keys',             $bare,   $config, { Authorization => "Bearer $pk", 'X-Api-Key' => $sk }, 400, 'bad-request'],
    ['a secret key with an Origin',    $bare,   $config, { Authorization => "Bearer $sk" }, 401, 'key-invalid', qr/browser/],
    ['a secret key in the query',      $server, "$config?client_key=$sk", {}, 400, 'bad-request', qr/URL/],
    ['... beside a good one',          $server, "$config?client_key=$sk", { Authorization => "Bearer $sk" }, 400, 'bad-request', qr/URL/],
    ['... of another route',           $server, "$events?client_key=$sk", { Authorization => "Bearer $sk" }, 400, 'bad-request', qr/URL/],
    ['the query of another route',     $bare,   "$events?client_key=$pk", {}, 401, 'key-missing'],
    ['a publishable key, no Origin',   $server, $config, { Authorization => "Bearer $pk" }, 403, 'origin-forbidden'],
    ['a key of nobody',                $bare,   $config, { Authorization => 'Bearer ' . unknown() }, 401, 'key-invalid'],
    ['kind changed',                   $bare,   $config, { Authorization => 'Bearer ' . $pk =~ s/_pk_/_xk_/r }, 401, 'key-invalid'],
    ['too short',                      $bare,   $config, { Authorization => 'Bearer ' . substr($pk, 0, -1) }, 401, 'key-invalid'],
    ['too long',                       $bare,   $config, { Authorization => "Bearer ${pk}0" }, 401, 'key-invalid'],
    ['very long',                      $bare,   $config, { Authorization => "Bearer $pk" . ('x' x 4000) }, 401, 'key-invalid'],
);
for my $case (@refused) {
    my ($name, $client, $path, $headers, $status, $code, $detail) = @$case;
    my $r = $client->get($path, $headers);
    is "$r->{status} " . ($r->{json}{code} // ''), "$status $code", "EDGE-1: refused: $name" or diag $r->{body};
    like $r->{json}{detail} // '', $detail, '... and told why' if $detail;
    like $r->{headers}{'www-authenticate'} // '', qr/^Bearer\b/, '... with WWW-Authenticate' if $status == 401;
}

subtest 'EDGE-1: client_api_key counts in the bodies of chat and sessions/start only' => sub {
    for my $path ('/api/v1/chat', '/api/v1/sessions/start') {
        my %body = $path =~ /chat/ ? (message => 'hello') : ();
        is $bare->post($path, { %body, client_api_key => $pk })->{status}, 200, "$path: taken";
        is $bare->post($path, { %body, client_api_key => unknown() })->{status}, 401, 'a key of nobody';
        is $bare->post($path, { %body, client_api_key => $sk })->{status}, 401, 'a secret one with an Origin';
        is $server->post($path, { %body, client_api_key => $pk })->{status}, 403, 'a publishable one without';
        is $server->post($path, { %body, client_api_key => $sk })->{status}, 200, 'a secret one without';
        is $bare->post($path, { %body, client_api_key => 5 })->{status}, 422, 'no string';
        is $bare->post($path, { %body })->{status}, 401, 'none at all';
    }
    is $bare->post("/api/v1/chat/0-" . ('0' x 32) . '/cancel', { client_api_key => $pk })->{status}, 401, 'cancel: not';
};

subtest 'EDGE-1: a secret key of the scope read only reads' => sub {
    my $read  = $stack->key(qw(create --kind sk --name reads --scope read))->{key};
    my $write = $stack->key(qw(create --kind sk --name writes --scope write))->{key};
    my $reader = $stack->client(key => $read, origin => undef);
    my $job = '0-' . '0' x 32;
    my $started = $server->post('/api/v1/sessions/start', {}, { 'X-Api-Key' => $sk })->{json}{session_id};
    my $session = "/api/v1/sessions/$started";
    for my $path ('/api/v1/chat', '/v1/chat/completions', '/api/v1/sessions/start', "/api/v1/messages/$job/feedback",
                  (map { "/api/v1/chat/$job/$_" } qw(cancel confirm ticket)), (map { "$session/$_" } qw(rating handoff identify typing))) {
        my $r = $reader->post($path, { message => 'hello' });
        is $r->{status}, 403, "POST $path: refused" or diag $r->{body};
    }
    for my $path ('/api/v1/chat', '/api/v1/sessions/start') {
        my $r = $server->post($path, { $path =~ /chat/ ? (message => 'hello') : (), client_api_key => $read });
        is "$r->{status} $r->{json}{code}", '403 role-required', "POST $path with the key in its body: refused";
    }
    my $r = $reader->request('DELETE', "$session/end");
    is "$r->{status} $r->{json}{code}", '403 role-required', 'DELETE of a session: refused';
    is $reader->get($_)->{status}, 200, "GET $_" for $config, '/v1/models', "$session/history";
    is $stack->client(key => $write, origin => undef)->request('DELETE', "$session/end")->{status}, 200, 'a key of the scope write ends it';
};

subtest 'EDGE-1: a bad key is refused before its body is read' => sub {
    for my $key (unknown(), "${pk}x") {
        my $s = $bare->open('POST', '/api/v1/chat',
            { Authorization => "Bearer $key", 'Content-Type' => 'application/json', 'Content-Length' => 60000 });
        is $s->{status}, 401, 'answered while 60,000 bytes are still to come';
        $s->close;
    }
};

# -- what is stored, and what a request costs -----------------------------------

subtest 'EDGE-2: keys live hashed' => sub {
    like $_, qr/^fd_[ps]k_[0-9A-Za-z]{49}$/, 'prefixed, of 43 random digits' for $pk, $sk;
    is summed(substr $_, 0, -6), $_, 'and checksummed' for $pk, $sk;
    is $stack->redis('live', 'EXISTS', 'fd:key:' . sha256_hex($_)), 1, 'found by SHA-256' for $pk, $sk;
    for my $role (qw(jobs live)) {
        my $store = join ' ', @{ $stack->redis($role, 'KEYS', '*') };
        $store .= join ' ', map { $_ // '' } @{ $stack->redis($role, 'HGETALL', $_) }
            for grep { /^fd:(?:key:|org:|meta)/ } @{ $stack->redis($role, 'KEYS', 'fd:*') };
        unlike $store, qr/fd_[ps]k_\w{20}/, "no text of a key in Redis ($role)";
    }
    is $stack->sql("SELECT count(*) FROM api_keys k WHERE k::text ~ 'fd_[ps]k_[0-9A-Za-z]{20}'"), 0, 'nor in PostgreSQL';
};

subtest 'EDGE-2: a bad checksum costs no command of Redis' => sub {
    my $before = reads();
    my $refused = 0;
    for my $at (6 .. length($pk) - 1) {
        my $typo = $pk;
        substr($typo, $at, 1) =~ tr/0-9A-Za-z/1-9A-Za-z0/;
        $refused++ if $bare->get($config, { 'X-Api-Key' => $typo })->{status} == 401;
    }
    is $refused, 49, 'every single typing error is noticed';
    is reads() - $before, 0, 'without a read';
};

subtest 'EDGE-2: the common case costs no read, on any process' => sub {
    my $client = $stack->client;
    my (%process, $good);
    $client->get($config);
    my $before = reads();
    my $asked = 0;
    while ($asked < 60 || ($asked < 1000 && keys %process < 2)) {
        my $r = $client->get($config);
        $asked++;
        $good++ if $r->{status} == 200;
        $process{ $r->{headers}{'x-process'} }++;
    }
    is $good, $asked, "$asked requests";
    is keys %process, 2, 'on both processes' or diag explain \%process;
    is reads() - $before, 0, 'not one read';
    my $scripts = sub { $stack->redis('jobs', 'INFO', 'commandstats') =~ /^cmdstat_evalsha:calls=(\d+)/m ? $1 : 0 };
    my $admissions = $scripts->();
    is $client->post('/api/v1/sessions/start', '{}')->{status}, 200, 'a session starts' for 1 .. 10;
    is $scripts->() - $admissions, 10, 'by one script each';
    is reads() - $before, 0, 'and nothing else';
};

subtest 'EDGE-2: misses are cached, in a bounded list of their own' => sub {
    my $key = unknown();
    my $before = reads();
    is $bare->get($config, { 'X-Api-Key' => $key })->{status}, 401, 'unknown' for 1 .. 20;
    is reads() - $before, 2, 'one look: the key and the marker';
    my $metrics = $stack->metrics;
    my $s = $bare->connect_;
    for my $round (1 .. 20) {
        print $s map { $bare->head(GET => $config, { 'X-Api-Key' => unknown(), Connection => 'keep-alive' }) } 1 .. 200;
        $s->flush;
        my ($text, $n) = ('', 0);
        while ($n < 200 && sysread $s, $text, 65536, length $text) { $n = () = $text =~ m{HTTP/1.1 401 }g; }
        last if $n < 200;
    }
    my $after = $stack->metrics;
    is $after->{'frontdesk_edge_keys_total{result="denied"}'} - $metrics->{'frontdesk_edge_keys_total{result="denied"}'}, 4000,
        '4,000 guesses refused';
    for my $name (qw(zone_entries{kind="key"} zone_evictions_total zone_free_pages)) {
        is $after->{"frontdesk_edge_$name"}, $metrics->{"frontdesk_edge_$name"}, "took nothing: $name";
    }
    $before = reads();
    is $stack->client->get($config)->{status}, 200, 'the known key';
    is reads() - $before, 0, 'is still known';
};

subtest 'EDGE-2: without the marker an unknown key is 503, and not remembered' => sub {
    my $key = unknown();
    ok $stack->redis('live', 'RENAME', 'fd:keys:synced', 'aside'), 'the marker is away';
    my $r = $bare->get($config, { 'X-Api-Key' => $key });
    is $r->{status}, 503, 'nobody can say';
    ok $r->{headers}{'retry-after'}, 'with Retry-After';
    is $bare->post('/api/v1/chat', { message => 'x' }, { 'X-Api-Key' => $key })->{status}, 503, 'chat too';
    is $stack->client->get($config)->{status}, 200, 'a known key works';
    ok $stack->redis('live', 'RENAME', 'aside', 'fd:keys:synced'), 'the marker is back';
    is $bare->get($config, { 'X-Api-Key' => $key })->{status}, 401, 'and it is nobody\'s';
};

# -- changes ----------------------------------------------------------------------

# Connections to both processes; asks on each of them.
sub everywhere {
    my ($key) = @_;
    my (@sockets, %process);
    for (1 .. 200) {
        last if @sockets >= 12 && keys %process == 2;
        my $s = $bare->connect_;
        $process{ ask($s, $key)->{process} }++;
        push @sockets, $s;
    }
    is keys %process, 2, 'connections to both processes';
    return @sockets;
}

sub ask {
    my ($s, $key) = @_;
    print $s $bare->head(GET => $config, { 'X-Api-Key' => $key, Connection => 'keep-alive' });
    $s->flush;
    my $text = '';
    while ($text !~ /\r\n\r\n/) { sysread($s, $text, 65536, length $text) or die 'the connection ended'; }
    my ($length) = $text =~ /^Content-Length: (\d+)/mi;
    while (length($text) - index($text, "\r\n\r\n") - 4 < $length) { sysread($s, $text, 65536, length $text) or die 'cut'; }
    my ($status)  = $text =~ m{^HTTP/1.1 (\d+)};
    my ($process) = $text =~ /^X-Process: (\d+)/m;
    return { status => $status, process => $process };
}

# Seconds until all connections have the status; undef when they never have.
sub all_have {
    my ($status, $key, @sockets) = @_;
    my $start = time;
    while (time - $start < 20) {
        my $others = grep { ask($_, $key)->{status} != $status } @sockets;
        return time - $start unless $others;
        sleep 0.02;
    }
    return undef;
}

subtest 'EDGE-2: a new key works at once, also one that was asked for too early' => sub {
    my $new = $stack->key(qw(create --kind pk --name new --origin), $stack->{origin});
    like $new->{key}, qr/^fd_pk_/, 'shown once';
    is $bare->get($config, { 'X-Api-Key' => $new->{key} })->{status}, 200, 'it works';
    unlike $stack->frontdesk(qw(key list)), qr/\Q$new->{key}/, 'and is not shown again';
};

subtest 'EDGE-2: a revoked key stops within a second on every process and ends its streams' => sub {
    my $doomed = $stack->key(qw(create --kind pk --name doomed --origin), $stack->{origin});
    my @sockets = everywhere($doomed->{key});
    my %process;
    my @streams;
    while (@streams < 40 && !(keys %process == 2 && @streams >= 6)) {
        my $s = $bare->ask({ message => 'Long @{"tokens":160,"gap_ms":50}@' }, { 'X-Api-Key' => $doomed->{key} });
        is $s->{status}, 200, 'a stream' or last;
        $process{ $s->{headers}{'x-process'} }++;
        push @streams, $s;
    }
    my $other = $stack->client->ask({ message => 'Other @{"tokens":40,"gap_ms":50}@' });
    $_->next(20) for @streams, $other;

    $stack->frontdesk(qw(key revoke), $doomed->{id});
    my $seconds = all_have(401, $doomed->{key}, @sockets);
    ok defined $seconds && $seconds < $stack->limit(1), 'refused everywhere within a second' or diag $seconds // 'never';
    my ($ended, $said) = (0, 0);
    my $end = time + $stack->limit(1);
    for my $s (@streams) {
        while ($end - time > 0 && $s->next($end - time)) { }
        $ended++ if $s->{ended};
        $said++ if $s->{terminal} && $s->{terminal}{event} eq 'error' && $s->{terminal}{json}{code} eq 'key-invalid';
    }
    is $ended, @streams, 'its open streams ended within a second';
    is $said, @streams, 'each with the reason';
    is $bare->post('/api/v1/chat', { message => 'x' }, { 'X-Api-Key' => $doomed->{key} })->{status}, 401, 'no job';
    $_->close for @streams; # nginx lingers, and logs, until then
    $other->run(40);
    is $other->{terminal}{event}, 'done', 'another key\'s stream goes on';
    ok $stack->until(sub { (() = $stack->log_text('access.log') =~ /"close":"revoked"/g) == @streams }, 2), 'the log says revoked';
};

subtest 'EDGE-2: rotation: both work during the overlap, then the new one alone' => sub {
    my $old = $stack->key(qw(create --kind pk --name turning --origin), $stack->{origin});
    my @sockets = everywhere($old->{key});
    my $new = $stack->key('rotate', $old->{id}, qw(--overlap 5s));
    my $turned = time;
    isnt $new->{key}, $old->{key}, 'another key';
    ok defined all_have(200, $old->{key}, @sockets), 'the old one works on every process';
    ok defined all_have(200, $new->{key}, @sockets), 'and the new one';
    ok defined all_have(401, $old->{key}, @sockets), 'then the old one has expired everywhere';
    cmp_ok time - $turned, '>', 4, 'not before its time'; # which is in whole seconds
    cmp_ok time - $turned, '<', $stack->limit(7), 'and soon after it';
    like $bare->get($config, { 'X-Api-Key' => $old->{key} })->{json}{detail} // 'expired', qr/expired/, 'and says so while known';
    ok defined all_have(200, $new->{key}, @sockets), 'the new one has not';
    my $now = $stack->key('rotate', $new->{id}, qw(--overlap 0s));
    ok defined all_have(401, $new->{key}, @sockets), 'without an overlap the old one stops at once';
    is $bare->get($config, { 'X-Api-Key' => $now->{key} })->{status}, 200, 'for the new one';
};

subtest 'EDGE-2: a process that missed the announcement' => sub {
    my $missed = $stack->key(qw(create --kind pk --name missed --origin), $stack->{origin});
    my @sockets = everywhere($missed->{key});
    $stack->redis('live', 'DEL', 'fd:key:' . sha256_hex($missed->{key}));
    is ask($sockets[0], $missed->{key})->{status}, 200, 'unannounced, the cache holds';
    $stack->redis('live', 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    my $seconds = all_have(401, $missed->{key}, @sockets);
    ok defined $seconds && $seconds < $stack->limit(1), 'a process whose control channel broke asks' or diag $seconds // 'never';

    my $later = $stack->key(qw(create --kind pk --name later --origin), $stack->{origin});
    @sockets = everywhere($later->{key});
    $stack->redis('live', 'DEL', 'fd:key:' . sha256_hex($later->{key}));
    $stack->redis('live', 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    $stack->until(sub { @{ $stack->redis('live', 'PUBSUB', 'CHANNELS', 'fd:re:*') } == 2 }, 3, 'the control channels');
    sleep 0.9; # proven alive again
    is scalar(grep { ask($_, $later->{key})->{status} == 401 } @sockets), @sockets, 'and one that has it back trusts nothing from before';
};

my $log = $stack->log_text('access.log') . $stack->log_text('nginx-error.log');
unlike $log, qr/fd_[ps]k_\w{20}/, 'OPS-3: no key in the logs';
$stack->finish;
done_testing;
