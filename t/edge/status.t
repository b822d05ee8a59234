# What an operator sees: health, readiness, metrics, the log's variables, and the
# errors of a bad configuration; and the edge while Redis is away.  EDGE-9, EDGE-10
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(env => {
    STACK_NGINX_WORKERS => 2,
    STACK_SEND_TIMEOUT  => '2s',
    STACK_HTTP_EXTRA    => 'frontdesk_start_rate 0; frontdesk_read_rate 6000; keepalive_requests 100000;',
});
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client;
my $nobody = $stack->client(key => undef, origin => undef);
my $words = 30;
my $slow = "Count \@{\"tokens\":$words,\"gap_ms\":20}\@";
my $slower = "Count \@{\"tokens\":$words,\"gap_ms\":120}\@"; # there is time to do something meanwhile

# -- health --------------------------------------------------------------------

subtest 'EDGE-9: healthz and readyz' => sub {
    my $r = $nobody->get('/healthz');
    is "$r->{status} $r->{json}{status}", '200 ok', 'healthz';
    is $r->{headers}{'cache-control'}, 'no-store', 'not to be kept';
    $r = $nobody->get('/readyz');
    is_deeply [$r->{status}, $r->{json}], [200, { status => 'ready', workers => 1, map { $_ => JSON::PP::true } qw(redis_jobs redis_live meta) }], 'readyz';
    for my $path (qw(/healthz /readyz /metrics)) {
        is $nobody->request('HEAD', $path)->{body}, '', "HEAD $path";
        is $nobody->request('POST', $path)->{status}, 405, "POST $path: 405";
    }
};

# -- metrics -------------------------------------------------------------------

# The text format 0.0.4, strictly; {name, or name{label="value"} => value}.
sub parse {
    my ($text) = @_;
    my (%value, %type, %help, @fault, $family);
    push @fault, 'no newline at the end' if $text !~ /\n\z/;
    for my $line (split /\n/, $text) {
        if ($line =~ /^# HELP (\S+) (\S.*)$/) { push @fault, "HELP twice: $1" if $help{$1}++; next; }
        if ($line =~ /^# TYPE (\S+) (counter|gauge|histogram)$/) {
            push @fault, "TYPE twice: $1" if $type{$1};
            $type{ $family = $1 } = $2;
            next;
        }
        my ($name, $labels, $number) = $line =~ /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^{}]*)\})? ([0-9]+(?:\.[0-9]+)?)$/;
        if (!defined $name) { push @fault, "what is: $line"; next; }
        push @fault, "labels: $line" if defined $labels && $labels !~ /^[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*$/;
        push @fault, "outside of its family: $line" if ($name =~ s/_(?:bucket|sum|count)$//r) ne $family && $name ne $family;
        push @fault, "a counter without _total: $name" if $type{$family} eq 'counter' && $name !~ /_total$/;
        my $id = defined $labels ? "$name\{$labels}" : $name;
        push @fault, "twice: $id" if exists $value{$id};
        $value{$id} = $number;
    }
    push @fault, "no HELP: $_" for grep { !$help{$_} } keys %type;
    for my $histogram (grep { $type{$_} eq 'histogram' } keys %type) {
        my @bucket = map { [/le="([^"]+)"/, $value{$_}] } grep { /^\Q${histogram}_bucket{/ } keys %value;
        my @sorted = sort { $a->[0] <=> $b->[0] } grep { $_->[0] ne '+Inf' } @bucket;
        my ($inf) = map { $_->[1] } grep { $_->[0] eq '+Inf' } @bucket;
        push @fault, "$histogram: no +Inf" unless defined $inf;
        push @fault, "$histogram: +Inf is not the count" if ($inf // -1) != ($value{"${histogram}_count"} // -2);
        my $last = 0;
        for (@sorted, ['+Inf', $inf]) { push @fault, "$histogram: falls at $_->[0]" if $_->[1] < $last; $last = $_->[1]; }
    }
    return (\%value, \@fault, \%type);
}

sub metrics {
    my $r = $nobody->get('/metrics');
    my ($value) = parse($r->{body});
    return { map { my $v = $value->{$_}; (s/^frontdesk_edge_//r) => $v } keys %$value };
}

# The difference that some code makes to some metrics; a reference: what it finds out itself.
sub moves {
    my ($name, $expected, $code) = @_;
    my $before = metrics();
    $code->();
    $expected = { map { $_ => ref $expected->{$_} ? ${ $expected->{$_} } : $expected->{$_} } keys %$expected };
    my $after;
    $stack->until(sub { $after = metrics(); !grep { $after->{$_} - $before->{$_} != $expected->{$_} } keys %$expected }, 3);
    is_deeply { map { $_ => $after->{$_} - $before->{$_} } keys %$expected }, $expected, "EDGE-9: $name";
    return;
}

subtest 'EDGE-9: metrics are what Prometheus reads' => sub {
    my $r = $nobody->get('/metrics');
    is $r->{headers}{'content-type'}, 'text/plain; version=0.0.4', 'type';
    my ($value, $fault, $type) = parse($r->{body});
    is "@$fault", '', 'strictly parsed';
    is scalar(grep { !/^frontdesk_edge_/ } keys %$value), 0, 'all of one family of names';
    open my $docs, '<', Frontdesk::Stack::root() . '/docs/directives.md' or die "docs: $!";
    my $text = do { local $/; <$docs> };
    $text =~ s/.*^## Metrics$//ms;
    my %documented = map { $_ => 1 } map { /`([a-z_]+)/g } map { /^\| (.*?) \|/ } split /\n/, $text;
    is join(' ', grep { !$documented{ s/^frontdesk_edge_//r } } sort keys %$type), '', 'all are documented';
    is $value->{frontdesk_edge_processes}, 2, 'of both processes';
    is $value->{"frontdesk_edge_redis_up{role=\"$_\"}"}, 2, "both are connected: $_" for qw(jobs live);
    cmp_ok length $r->{body}, '<', 16000, 'room is left in its buffer';
};

$client->get('/api/v1/config');
moves('a request with a known key', { requests_total => 1, 'keys_total{result="hit"}' => 1, 'keys_total{result="miss"}' => 0,
    'keys_total{result="denied"}' => 0, 'admissions_total{result="admitted"}' => 0 }, sub { $client->get('/api/v1/config') });
moves('a key of nobody', { requests_total => 1, 'keys_total{result="denied"}' => 1 },
    sub { $client->get('/api/v1/config', { 'X-Api-Key' => 'fd_pk_x' }) });
my $events;
moves('a stream', { requests_total => 1, 'admissions_total{result="admitted"}' => 1, events_total => \$events, resumes_total => 0, replays_total => 0,
    streams => 0, admission_seconds_count => 1, first_event_seconds_count => 1 }, sub { $events = @{ $client->chat({ message => $slow })->{events} } });
my $session = $client->post('/api/v1/sessions/start', '{}')->{json}{session_id};
moves('busy and a repeat', { 'admissions_total{result="busy"}' => 1, 'admissions_total{result="duplicate"}' => 1, 'admissions_total{result="admitted"}' => 1 }, sub {
    my %once = (message => $slower, session_id => $session, client_message_id => 'twice');
    my $s = $client->ask(\%once);
    $client->post('/api/v1/chat', { message => 'x', session_id => $session });
    my $again = $client->ask(\%once);
    $_->run(30) for $s, $again;
});
moves('a resume', { resumes_total => 1, 'admissions_total{result="admitted"}' => 1 }, sub {
    my $s = $client->chat({ message => 'x @{"tokens":3}@' });
    $client->resume(@$s{qw(job session)})->run(30);
});
moves('a replay', { replays_total => 1 }, sub {
    my $s = $client->chat({ message => 'x @{"tokens":3}@' });
    $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 5, 'the job to be over');
    $stack->redis('live', 'DEL', "fd:ev:$s->{job}");
    is $client->resume(@$s{qw(job session)})->run(30)->{terminal}{event}, 'done', 'replayed';
});
moves('a limit', { 'admissions_total{result="limited"}' => 1 }, sub {
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 1, messages_per_month => 0);
    my $s = $client->ask({ message => $slower });
    is $client->post('/api/v1/chat', { message => 'x' })->{status}, 429, 'limited';
    $s->run(30);
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
});
moves('a connection made anew', { redis_reconnects_total => 2, 'redis_up{role="jobs"}' => 0 }, sub {
    $stack->redis('jobs', 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    $stack->until(sub { metrics()->{'redis_up{role="jobs"}'} == 2 }, 5, 'the connections');
});

subtest 'EDGE-9: gauges follow, and come back' => sub {
    my $idle = metrics();
    my @s = map { $client->ask({ message => "$slower $_" }) } 1 .. 12;
    $_->next(20) for @s;
    is metrics()->{streams}, 12, '12 open answers';
    $s[$_]->close for 0 .. 5;
    $_->run(30), $_->close for @s[6 .. 11];
    ok $stack->until(sub { my $now = metrics(); !grep { $now->{$_} != $idle->{$_} } qw(streams redis_pending processes) }, 5), 'none is left'
        or diag explain metrics();
    kill KILL => ($stack->nginx_workers)[0];
    ok $stack->until(sub { my $m = metrics(); $m->{processes} == 2 && $m->{'redis_up{role="live"}'} == 2 }, 5), 'a process that died is not counted for ever';
    cmp_ok metrics()->{requests_total}, '>=', $idle->{requests_total}, 'and its counters are kept';
};

# -- variables -----------------------------------------------------------------

subtest 'EDGE-9: variables for the log' => sub {
    my $line = sub {
        my ($id, $match) = @_;
        my $found;
        $stack->until(sub { ($found) = grep { /\Q$id/ && $_ =~ $match } reverse split /\n/, $stack->log_text('access.log'); $found }, 3, "a line with $id");
        return $found ? JSON::PP::decode_json($found) : {};
    };
    my $s = $client->chat({ message => $slow });
    $s->close;
    my $l = $line->($s->{job}, qr/"POST"/);
    is $l->{org}, $stack->{org}, '$frontdesk_org';
    is $l->{key}, $stack->sql("SELECT id FROM api_keys WHERE key_sha256 = '" . sha256_hex($stack->{pk}) . "'"), '$frontdesk_key_id';
    like $l->{auth}, qr/^(?:pass|cached)$/, '$frontdesk_auth';
    is $l->{limit}, 'pass', '$frontdesk_limit';
    is $l->{session}, substr(sha256_hex($s->{session}), 0, 16), '$frontdesk_session: a hash';
    is $l->{events}, scalar @{ $s->{events} }, '$frontdesk_events';
    is $l->{close}, 'done', '$frontdesk_close';
    like $l->{$_}, qr/^\d+$/, "\$frontdesk_$_" for qw(first_byte_ms redis_ms);
    cmp_ok $l->{first_byte_ms}, '<=', 1000 * $l->{ms}, 'the first byte is not after the last';

    $s = $client->ask({ message => $slower });
    $s->next(20);
    $s->close;
    is $line->($s->{job}, qr/"POST"/)->{close}, 'client', 'a client that left';
    my $later = $client->resume(@$s{qw(job session)})->run(30);
    $later->close;
    is $line->($s->{job}, qr/"GET"/)->{close}, 'done', 'a resume that was read';

    my $r = $nobody->get('/api/v1/config', { 'X-Api-Key' => $stack->{pk}, 'Origin' => 'https://evil.example' });
    my $denied = $line->($r->{json}{request_id}, qr/"deny"/);
    is $denied->{status}, 403, 'denied, found by the problem\'s request_id';
    is $denied->{$_}, '', "no $_" for qw(job session events close limit);
};

# -- Redis away ------------------------------------------------------------------

for my $role (qw(jobs live)) {
    subtest "EDGE-10: the $role server is away" => sub {
        is $client->get('/api/v1/config')->{status}, 200, 'config is cached';
        my $s = $client->chat({ message => 'x @{"tokens":3}@' });
        my $away = metrics()->{'admissions_total{result="unavailable"}'};
        $stack->signal(KILL => $role);
        $stack->redis_forget;
        ok $stack->until(sub { $nobody->get('/readyz')->{status} == 503 }, 3), 'readyz: 503';
        my $ready = $nobody->get('/readyz');
        is $ready->{json}{"redis_$role"}, JSON::PP::false, 'it says which';
        is $ready->{json}{ $role eq 'jobs' ? 'redis_live' : 'redis_jobs' }, JSON::PP::true, 'and which not';
        is $nobody->get('/healthz')->{status}, 200, 'healthz: 200';
        sleep 1.1; # a control channel is trusted for a second
        for my $case (['chat', sub { $client->post('/api/v1/chat', { message => 'x' }) }],
                      ['stream', sub { $client->post('/api/v1/chat', { message => 'x', stream => JSON::PP::true }) }],
                      ['session start', sub { $client->post('/api/v1/sessions/start', '{}') }],
                      ['history', sub { $client->get("/api/v1/sessions/$session/history") }]) {
            my ($name, $code) = @$case;
            next if $role eq 'jobs' && $name eq 'history'; # asks the live server
            my $at = time;
            my $r = $code->();
            is $r->{status}, 503, "$name: 503";
            like $r->{headers}{'retry-after'} // '', qr/^[1-9]\d*$/, '... with Retry-After';
            is $r->{json}{retryable}, JSON::PP::true, '... retryable';
            cmp_ok time - $at, '<', $stack->limit(2), '... soon';
        }
        my $at = time;
        my $later = $client->resume(@$s{qw(job session)});
        is $later->{status}, 200, 'a reconnect: 200, as an EventSource would give up for good on anything else';
        like $later->{headers}{'content-type'} // '', qr{^text/event-stream}, '... a stream';
        $later->read_all;
        like $later->{body}, qr/^retry: [1-9]\d*\n\n\z/, '... that says when to come again, and ends' or diag $later->{body};
        cmp_ok time - $at, '<', $stack->limit(2), '... at once';
        is $client->get('/api/v1/config')->{status}, 200, 'config still comes';
        is $nobody->get('/widget.js')->{status}, 200, 'the widget too';
        is $client->get('/api/v1/config', { Origin => 'https://evil.example' })->{status}, 403, 'origins are still checked';
        cmp_ok metrics()->{'admissions_total{result="unavailable"}'}, '>', $away, 'counted';
        $stack->must($role, 'start');
        my $back = time;
        ok $stack->until(sub { $nobody->get('/readyz')->{status} == 200 }, 20), 'ready again';
        cmp_ok time - $back, '<', $stack->limit(5), 'within 5 s';
        ok $stack->until(sub { $client->post('/api/v1/chat', { message => 'x @{"tokens":2}@' })->{status} == 200 }, 5), 'and serving';
        ok $stack->until(sub { metrics()->{"redis_up{role=\"$role\"}"} == 2 }, 5), 'in both processes';
    };
}

subtest 'EDGE-10: a frozen live server' => sub {
    $stack->signal(STOP => 'live');
    sleep 1.2;
    my $at = time;
    is $client->get('/api/v1/config')->{status}, 200, 'config comes from the cache';
    is $client->post('/api/v1/chat', { message => 'x' })->{status}, 503, 'chat does not hang';
    cmp_ok time - $at, '<', $stack->limit(7), 'both in time';
    is $nobody->get('/healthz')->{status}, 200, 'healthy';
    $stack->signal(CONT => 'live');
    ok $stack->until(sub { $client->post('/api/v1/chat', { message => 'x @{"tokens":2}@' })->{status} == 200 }, 5), 'and serving again';
};

# -- configuration -----------------------------------------------------------------

subtest 'EDGE-9: nginx -t says what is wrong' => sub {
    my ($dir, $build) = ($stack->{dir}, { $stack->environment }->{STACK_BUILD});
    mkdir "$dir/assets";
    my $put = sub { my ($name, $text) = @_; open my $out, '>', "$dir/assets/$name" or die "$name: $!"; print $out $text; close $out; return; };
    my $entry = sub { my %e = (path => '/w.js', file => 'w.js', type => 'text/javascript', etag => 'x', cache => 'alias', @_);
        return JSON::PP::encode_json({ files => [{ map { defined $e{$_} ? ($_ => $e{$_}) : () } keys %e }] }); };
    my $redis = 'frontdesk_jobs_redis unix:/x; frontdesk_live_redis unix:/y;';
    my $all = "frontdesk_zone z:1m; $redis";
    my $api = 'location / { frontdesk_api; }';
    my @case = ( # http, location, what it says (undef: fine)
        [$all, $api, undef],
        ['', 'location / { frontdesk_healthz; }', undef],
        ['', 'location / { frontdesk_admin off; }', undef],
        ['frontdesk_jobs_redis 127.0.0.1; frontdesk_live_redis [::1]:6380 password=x; frontdesk_zone z:256k;', $api, undef],
        [$redis, $api, qr/need "frontdesk_zone" in the http block/],
        ['frontdesk_zone z:1m; frontdesk_live_redis unix:/y;', $api, qr/need "frontdesk_jobs_redis"/],
        ['frontdesk_zone z:1m; frontdesk_jobs_redis unix:/y;', 'location / { frontdesk_metrics; }', qr/need "frontdesk_live_redis"/],
        ["$all frontdesk_zone z:1m;", $api, qr/"frontdesk_zone" directive is duplicate/],
        ["$all frontdesk_jobs_redis unix:/x;", $api, qr/"frontdesk_jobs_redis" directive is duplicate/],
        ["frontdesk_zone z:8k; $redis", $api, qr/zone "z:8k".*too small|too small|at least/],
        ["frontdesk_zone z; $redis", $api, qr/invalid zone/],
        ["frontdesk_zone z:large; $redis", $api, qr/invalid zone size/],
        ["frontdesk_zone z:1m; frontdesk_jobs_redis unix:/x; frontdesk_live_redis no.such.host.invalid;", $api, qr/host not found in "no\.such\.host\.invalid" of the "frontdesk_live_redis" directive/],
        ["frontdesk_zone z:1m; frontdesk_jobs_redis 127.0.0.1:99999; frontdesk_live_redis unix:/y;", $api, qr/invalid port in "127\.0\.0\.1:99999"/],
        ["frontdesk_zone z:1m; frontdesk_jobs_redis 127.0.0.1:6379/0; frontdesk_live_redis unix:/y;", $api, qr/invalid host in "127\.0\.0\.1:6379\/0" of the "frontdesk_jobs_redis"/],
        ["frontdesk_zone z:1m; frontdesk_jobs_redis unix:/x secret; frontdesk_live_redis unix:/y;", $api, qr/must be "password=\.\.\."/],
        ["$all frontdesk_queue_length 0;", $api, qr/value must be between 1 and/],
        ["$all frontdesk_queue_length x;", $api, qr/invalid number/],
        ["$all frontdesk_queue_bytes -1;", $api, qr/invalid value/],
        ["$all frontdesk_session_rate 0;", $api, qr/value must be between 1 and/],
        ["$all frontdesk_read_rate -1;", $api, qr/invalid number/],
        ["$all frontdesk_redis_timeout 0;", $api, qr/"frontdesk_redis_timeout" must not be 0/],
        ["$all frontdesk_key_ttl soon;", $api, qr/invalid value/],
        ["$all frontdesk_max_body 65k;", $api, qr/"frontdesk_max_body" must be between 1 and 65536 bytes/],
        ["$all frontdesk_max_body 0;", $api, qr/"frontdesk_max_body" must be between/],
        ["$all frontdesk_heartbeat 0;", $api, qr/"frontdesk_heartbeat" must not be 0/],
        [$all, 'location / { frontdesk_api; frontdesk_api; }', qr/"frontdesk_api" directive is duplicate/],
        [$all, 'location / { frontdesk_api; frontdesk_metrics; }', qr/"frontdesk_metrics" directive is the second service of this location/],
        [$all, 'location / { frontdesk_api on; }', qr/invalid number of arguments in "frontdesk_api"/],
        ["$all frontdesk_api;", $api, qr/"frontdesk_api" directive is not allowed here/],
        [$all, "$api location /w { frontdesk_zone z:1m; }", qr/"frontdesk_zone" directive is not allowed here/],
        ['', "location / { frontdesk_assets $dir/nowhere; }", qr/"[^"]*nowhere\/manifest\.json".*No such file/],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/manifest\.json": .* at byte \d+/, 'not json'],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/manifest\.json" must have 1 to \d+ "files"/, '{}'],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/must have 1 to \d+ "files"/, '{"files":[]}'],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/file 1 needs "path", "type", "file", "etag" and "cache"/, $entry->(etag => undef)],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/is not/, $entry->(file => '../keys.env')],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/is not/, $entry->(path => 'w.js')],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/none\.js".*No such file/, $entry->(file => 'none.js')],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/file 1 needs "path"/, $entry->(etag => "x\"\r\nX: y")],
        ['', "location / { frontdesk_assets $dir/assets; }", qr/w\.js\.br".*No such file/, $entry->(encodings => ['br'])],
    );
    $put->('w.js', 'void 0');
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    for my $case (@case) {
        my ($http, $location, $expected, $manifest) = @$case;
        $put->('manifest.json', $manifest) if defined $manifest;
        open my $out, '>', "$dir/nginx/bad.conf" or die "bad.conf: $!";
        print $out "load_module $build/ngx_http_frontdesk_module.so;\npid $dir/run/bad.pid;\nevents { }\nhttp {\n"
            . "access_log off; client_body_temp_path $dir/nginx/t1; proxy_temp_path $dir/nginx/t2; fastcgi_temp_path $dir/nginx/t3;\n"
            . "uwsgi_temp_path $dir/nginx/t4; scgi_temp_path $dir/nginx/t5;\n$http\nserver { listen unix:$dir/run/bad.sock; $location }\n}\n";
        close $out;
        my $text = `nginx -t -e stderr -c $dir/nginx/bad.conf 2>&1`;
        my $name = $manifest // ($http =~ s/\Q$all\E ?/.../r . " $location");
        $name =~ s/\Q$dir\E//g;
        if ($expected) {
            ok $? != 0 && $text =~ $expected, $name or diag $text;
            like $text, qr/\[emerg\]/, '... as an emergency';
        } else {
            is $?, 0, "fine: $name" or diag $text;
        }
    }
};

$stack->finish(allow => qr/exited on signal 9/); # we sent it
done_testing;
