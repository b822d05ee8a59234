# Limits are exact over two nginx instances with two processes each on the same
# Redis, say what a client needs to know, and store nothing of what they refuse.
# EDGE-3, EDGE-5, ENG-9
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $extra = 'frontdesk_session_rate 5; frontdesk_start_rate 6; frontdesk_read_rate 40;'
    . ' set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;';
my $stack = Frontdesk::Stack->new(env => {
    STACK_NGINX_WORKERS  => 2,
    STACK_HTTP_EXTRA     => $extra,
    STACK_LOCATION_EXTRA => 'add_header X-Process $pid always;',
});
$stack->start;

# A second host: the same configuration and Redis, another port and memory.
my $port = Frontdesk::Stack::free_port();
{
    open my $in, '<', "$stack->{dir}/nginx/nginx.conf" or die "nginx.conf: $!";
    my $text = do { local $/; <$in> };
    $text =~ s/listen 127\.0\.0\.1:\d+/listen 127.0.0.1:$port/ or die 'no listen';
    $text =~ s/nginx\.pid/second.pid/;
    open my $out, '>', "$stack->{dir}/nginx/second.conf" or die "second.conf: $!";
    print $out $text;
    close $out;
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    system('nginx', '-p', "$stack->{dir}/nginx/", '-e', "$stack->{dir}/log/nginx-error.log",
           '-c', "$stack->{dir}/nginx/second.conf") == 0 or die 'the second nginx does not start';
}
sub stop_second {
    open my $in, '<', "$stack->{dir}/run/second.pid" or return;
    my ($pid) = <$in> =~ /(\d+)/;
    kill QUIT => $pid;
    return $stack->until(sub { !-e "$stack->{dir}/run/second.pid" }, 10, 'the second nginx to end');
}
END { stop_second() if $stack && $stack->{owner} == $$; }

my @hosts = map { $stack->client(port => $_, key => $stack->{sk}, origin => undef) } $stack->{port}, $port;
my @pages = map { $stack->client(port => $_) } $stack->{port}, $port;
ok $stack->until(sub { my $r = eval { $hosts[1]->get('/readyz') }; $r && $r->{status} == 200 }, 10), 'the second instance is ready';
my $quiet = "fd:org:{0}:$stack->{org}";
my $address = 0;

# As many requests at once as there are, in turn to both hosts: all are sent before an answer is read.
sub at_once {
    my ($clients, $method, $path, @requests) = @_;
    my @open = map { my $c = $clients->[$_ % @$clients]; [$c, $c->connect_, $requests[$_]] } 0 .. $#requests;
    for (@open) {
        my ($c, $s, $r) = @$_;
        my $body = JSON::PP::encode_json($r->{body} || {});
        syswrite $s, $c->head($method, $path, $r->{headers}, $body) . $body;
    }
    return map {
        my $stream = Frontdesk::Client::Stream->new($_->[1], 20);
        $stream->read_head;
        $stream;
    } @open;
}

# Empty limits, and an address nobody came from.
sub afresh {
    my (%limit) = @_;
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0, %limit);
    $stack->redis('jobs', 'HDEL', $quiet, 'tat');
    return sprintf '198.51.100.%d', ++$address;
}

sub statuses { my %n; $n{ $_->{status} }++ for @_; return \%n; }
sub refused { return grep { $_->{status} == 429 } @_; }

# What a limited client is told.
sub told {
    my ($s, $code, $limit, $window) = @_;
    $s->read_all;
    my $h = $s->{headers};
    my $json = eval { JSON::PP::decode_json($s->{body}) } || {};
    is $json->{code}, $code, "429 $code" or diag $s->{body};
    like $h->{'content-type'}, qr{^application/problem\+json}, 'a problem document';
    like $h->{'retry-after'} // '', qr/^[1-9]\d*$/, 'Retry-After';
    is $json->{retry_after}, $h->{'retry-after'}, 'the same in the body';
    return unless $limit;
    my ($reset) = ($h->{ratelimit} // '') =~ /^"org";r=0;t=(\d+)$/;
    ok $reset, 'RateLimit' or diag $h->{ratelimit};
    is $h->{'ratelimit-policy'}, "\"org\";q=$limit;w=$window", 'RateLimit-Policy';
    is $h->{'x-ratelimit-limit'}, $limit, 'X-RateLimit-Limit';
    is $h->{'x-ratelimit-remaining'}, 0, 'X-RateLimit-Remaining';
    is $h->{'x-ratelimit-reset'}, $reset, 'X-RateLimit-Reset';
    return;
}

# All that the jobs server holds but the workers' leases.
sub contents {
    my %all;
    for my $key (@{ $stack->redis('jobs', 'KEYS', '*') }) {
        next if $key =~ /^fd:alive/;
        $all{$key} = $key =~ /^fd:jobs:/ ? { @{ $stack->redis('jobs', 'XINFO', 'STREAM', $key) } }->{'entries-added'}
            : unpack 'H*', $stack->redis('jobs', 'DUMP', $key);
    }
    return \%all;
}

# -- the organisation's rate ------------------------------------------------------

subtest 'EDGE-3: requests a minute, exact over all processes and hosts' => sub {
    my ($from, @all, %process, $refill);
    for (1 .. 20) { # until the kernel spreads the connections over all of them
        $from = afresh(requests_per_minute => 20);
        my $start = time;
        @all = at_once(\@hosts, POST => '/api/v1/sessions/start', map { { headers => { 'X-Real-IP' => "203.0.113.$_" } } } 1 .. 60);
        $refill = int((time - $start) / 3); # one each 3 s
        my $n = grep { $_->{status} == 200 } @all;
        ok $n >= 20 && $n <= 20 + $refill, '20 of 60 pass, not one more' or diag "$n pass, at most $refill by refill";
        %process = map { $_->{headers}{'x-process'} => 1 } @all;
        last if keys %process == 4;
    }
    is keys %process, 4, 'asked of four processes on two hosts at once';
    my @left = sort { $a <=> $b } map { $_->{headers}{'x-ratelimit-remaining'} } grep { $_->{status} == 200 } @all;
    is_deeply [@left[0 .. 19]], [0 .. 19], 'each was told another number of requests left' if !$refill;
    told($_, 'rate-limited', 20, 60) for (refused(@all))[0];
    my ($good) = grep { $_->{status} == 200 } @all;
    like $good->{headers}{'ratelimit-policy'}, qr/^"org";q=20;w=60$/, 'those who pass see the policy too';

    my $before = contents();
    my @chats = at_once(\@pages, POST => '/api/v1/chat', map { { body => { message => "x $_" }, headers => { 'X-Real-IP' => $from } } } 1 .. 4);
    is statuses(@chats)->{429} // 0, 4, 'chats count in the same';
    is_deeply contents(), $before, 'refusals store nothing';
    my ($wait) = map { $_->{headers}{'retry-after'} } at_once(\@hosts, POST => '/api/v1/sessions/start', {});
    cmp_ok $wait, '<=', 3, 'a place is free every 3 s';
    sleep $wait;
    is +(at_once(\@hosts, POST => '/api/v1/sessions/start', { headers => { 'X-Real-IP' => $from } }))[0]{status}, 200, 'Retry-After is true';
};

# -- address, session -------------------------------------------------------------

subtest 'EDGE-3: session starts of an address' => sub {
    my $from = afresh();
    my @all = at_once(\@pages, POST => '/api/v1/sessions/start', map { { headers => { 'X-Real-IP' => $from } } } 1 .. 20);
    is_deeply statuses(@all), { 200 => 6, 429 => 14 }, '6 an hour' or diag explain statuses(@all);
    told((refused(@all))[0], 'address-rate-limited');
    my $before = contents();
    my @chats = at_once(\@pages, POST => '/api/v1/chat', map { { body => { message => 'x' }, headers => { 'X-Real-IP' => $from } } } 1 .. 2);
    is statuses(@chats)->{429}, 2, 'a chat that starts one counts';
    told($chats[0], 'address-rate-limited');
    is_deeply contents(), $before, 'refusals store nothing';
    is +(at_once(\@pages, POST => '/api/v1/sessions/start', { headers => { 'X-Real-IP' => '203.0.113.99' } }))[0]{status}, 200, 'others may';

    my @six = at_once(\@pages, POST => '/api/v1/sessions/start', map { { headers => { 'X-Real-IP' => "2001:db8:0:1::$_" } } } 1 .. 12);
    is_deeply statuses(@six), { 200 => 6, 429 => 6 }, 'an IPv6 /64 is one address';
    is +(at_once(\@pages, POST => '/api/v1/sessions/start', { headers => { 'X-Real-IP' => '2001:db8:0:2::1' } }))[0]{status}, 200, 'another is not';

    $from = afresh();
    my @server = at_once(\@hosts, POST => '/api/v1/sessions/start', map { { headers => { 'X-Real-IP' => $from } } } 1 .. 10);
    is_deeply statuses(@server), { 200 => 10 }, 'a server with a secret key starts all its visitors\' sessions';
    my @chat = at_once(\@hosts, POST => '/api/v1/chat', map { { body => { message => 'x' }, headers => { 'X-Real-IP' => $from } } } 1 .. 10);
    is_deeply statuses(@chat), { 200 => 10 }, 'by chats as well';
    $_->read_all for @chat;
};

subtest 'EDGE-3: messages of a session' => sub {
    my $from = afresh();
    my $session = $pages[0]->post('/api/v1/sessions/start', '{}', { 'X-Real-IP' => $from })->{json}{session_id};
    my @r = map { $pages[$_ % 2]->post('/api/v1/chat', { message => 'x @{"tokens":1}@', session_id => $session }) } 1 .. 6;
    is join(' ', map { $_->{status} } @r), '200 200 200 200 200 429', '5 a minute, asked in turn of two hosts';
    is $r[5]{json}{code}, 'session-rate-limited', 'and told so';
    cmp_ok $r[5]{headers}{'retry-after'}, '<=', 12, 'with Retry-After';
    my $other = $pages[0]->post('/api/v1/chat', { message => 'x @{"tokens":1}@' }, { 'X-Real-IP' => $from });
    is $other->{status}, 200, 'another conversation goes on';
};

# -- concurrency, quota -----------------------------------------------------------

subtest 'EDGE-3: concurrent chats' => sub {
    afresh(concurrent_chats => 3);
    my $many = sub { at_once(\@hosts, POST => '/api/v1/chat',
        map { { body => { message => "$_ \@{\"tokens\":10,\"gap_ms\":$_[0]}\@", stream => JSON::PP::true } } } 1 .. 12) };
    my @all = $many->(400);
    is_deeply statuses(@all), { 200 => 3, 429 => 9 }, '3 of 12' or diag explain statuses(@all);
    my $before = contents();
    my ($more) = at_once(\@hosts, POST => '/api/v1/chat', { body => { message => 'more' } });
    told($more, 'concurrency-limited');
    is_deeply contents(), $before, 'refusals store nothing';
    my @running = grep { $_->{status} == 200 } @all;
    $_->run(30) for @running;
    is scalar(grep { $_->{terminal}{event} eq 'done' } @running), 3, 'those 3 are answered';
    ok $stack->until(sub { @{ $stack->redis('jobs', 'ZRANGE', "fd:lease:{0}:$stack->{org}", 0, -1) } == 0 }, 5), 'their places are free';
    @all = $many->(300);
    is_deeply statuses(@all), { 200 => 3, 429 => 9 }, 'and taken again';
    $_->run(30) for grep { $_->{status} == 200 } @all;
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 5), 'idle';
};

subtest 'EDGE-3: messages a month' => sub {
    afresh();
    my $used = sub { $stack->redis('jobs', 'HGET', $quiet, 'used') // 0 };
    my $quota = $used->() + 5;
    afresh(messages_per_month => $quota, at_limit => 'refuse');
    my @all = at_once(\@hosts, POST => '/api/v1/chat', map { { body => { message => "$_ \@{\"tokens\":1}\@" } } } 1 .. 12);
    is_deeply statuses(@all), { 200 => 5, 429 => 7 }, '5 of 12' or diag explain statuses(@all);
    is $used->(), $quota, 'counted exactly';
    told((refused(@all))[0], 'quota-exhausted');
    is $hosts[0]->post('/api/v1/sessions/start', '{}')->{status}, 200, 'a session may start';
    $_->read_all for @all;
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 5), 'idle';
    my $before = contents();
    is statuses(at_once(\@hosts, POST => '/api/v1/chat', { body => { message => 'x' } }))->{429}, 1, 'no more messages';
    is_deeply contents(), $before, 'refusals store nothing';
    $stack->redis('jobs', 'HSET', $quiet, 'month', 202001);
    is $hosts[0]->post('/api/v1/chat', { message => 'x @{"tokens":1}@' })->{status}, 200, 'a new month begins at nothing';
    is $used->(), 1, 'and counts from there';
};

# -- repeats ------------------------------------------------------------------------

subtest 'EDGE-3 ENG-9: an idempotent repeat is free, also for a client that is limited' => sub {
    my $from = afresh(requests_per_minute => 2);
    my %once = (body => { message => 'once @{"tokens":5}@', stream => JSON::PP::true },
                headers => { 'X-Real-IP' => $from, 'Idempotency-Key' => 'repeat-' . time });
    my ($first) = at_once(\@pages, POST => '/api/v1/chat', \%once);
    is $first->{status}, 200, 'the message';
    $first->run(30);
    my $start = time;
    my ($second) = at_once(\@pages, POST => '/api/v1/chat', { body => { message => 'last' }, headers => { 'X-Real-IP' => $from } });
    is $second->{status}, 200, 'one more';
    $second->read_all;
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 5), 'idle';
    is +(at_once(\@pages, POST => '/api/v1/chat', { body => { message => 'x' }, headers => { 'X-Real-IP' => $from } }))[0]{status}, 429,
        'the limit is reached';
    my $before = contents();
    my @again = at_once(\@pages, POST => '/api/v1/chat', (\%once) x 8);
    is_deeply statuses(@again), { 200 => 8 }, 'repeats are answered' or diag explain statuses(@again);
    $_->run(30) for @again;
    is scalar(grep { $_->{text} eq $first->{text} && $_->{job} eq $first->{job} } @again), 8, 'with the same answer';
    is_deeply contents(), $before, 'and change nothing';

    $from = afresh();
    %once = (body => { message => 'twice @{"tokens":5,"gap_ms":20}@', stream => JSON::PP::true },
             headers => { 'X-Real-IP' => $from, 'Idempotency-Key' => 'at-once-' . time });
    my @all = at_once(\@pages, POST => '/api/v1/chat', (\%once) x 10);
    is_deeply statuses(@all), { 200 => 10 }, '10 at once on two hosts';
    $_->run(30) for @all;
    my %job = map { $_->{job} => 1 } @all;
    is keys %job, 1, 'are one job';
    is scalar(grep { $_->{event} eq 'request' && $_->{question} =~ /^twice/ } $stack->journal), 1, 'asked once';
    is scalar(grep { $_->{text} eq 'word1 word2 word3 word4 word5 ' && !$_->{broken} } @all), 10, 'and all have the answer';
};

# -- reads, queue -----------------------------------------------------------------

subtest 'EDGE-3: light requests of an address, on this host' => sub {
    my $from = afresh();
    my $start = time;
    my @all = at_once([$pages[0]], GET => '/api/v1/config', map { { headers => { 'X-Real-IP' => $from } } } 1 .. 80);
    my $n = statuses(@all)->{200} // 0;
    my $refill = int((time - $start) / 1.5);
    ok $n >= 40 && $n <= 40 + $refill, '40 of 80 pass' or diag $n;
    my ($limited) = refused(@all);
    told($limited, 'rate-limited');
    is $pages[0]->get('/api/v1/config', { 'X-Real-IP' => '203.0.113.77' })->{status}, 200, 'another address may';
    is $pages[1]->get('/api/v1/config', { 'X-Real-IP' => $from })->{status}, 200, 'another host counts for itself';
    is $pages[0]->post('/api/v1/chat', { message => 'x @{"tokens":1}@' }, { 'X-Real-IP' => $from })->{status}, 200, 'chat is not in it';
    my @guess = at_once([$stack->client(key => undef)], POST => '/api/v1/chat',
        map { { headers => { 'X-Real-IP' => $from, 'X-Api-Key' => $stack->{pk} =~ s/.$/!/r }, body => { message => 'x' } } } 1 .. 3);
    is_deeply statuses(@guess), { 401 => 3 }, 'nor what a checksum refuses';
};

subtest 'EDGE-3 EDGE-6: a reconnect over the read rate is asked to come again, as an EventSource gives up on 429' => sub {
    my $from = afresh();
    my $s = $pages[0]->chat({ message => 'x @{"tokens":3}@' }, headers => { 'X-Real-IP' => $from });
    my %of = (headers => { 'X-Real-IP' => $from, 'X-Frontdesk-Session' => $s->{session}, 'Last-Event-ID' => '1-1' });
    my @all = at_once([$pages[0]], GET => "/api/v1/chat/$s->{job}/events", (\%of) x 60);
    $_->read_all for @all;
    is_deeply statuses(@all), { 200 => 60 }, 'no other status' or diag explain statuses(@all);
    my @later = grep { $_->{body} =~ /^retry: \d+\n\n\z/ } @all;
    ok @later >= 10 && @later <= 21, 'those over the rate get retry: and the end' or diag scalar @later;
    is scalar(grep { $_->{headers}{'content-type'} !~ m{^text/event-stream} } @later), 0, 'as an event stream';
    is $later[0]{headers}{'access-control-allow-origin'}, $stack->{origin}, 'that the page may read';
    my %retry = map { $_->{body} => 1 } @later;
    cmp_ok scalar(keys %retry), '>', 1, 'not all at the same time';
    is scalar(grep { $_->{body} =~ /^event: done/m } @all), @all - @later, 'the others get the answer';
    my $path = "/api/v1/chat/$s->{job}/cancel";
    is $pages[0]->post($path, undef, $of{headers})->{status}, 429, 'what is no stream gets 429';
};

subtest 'EDGE-5: the queue is bounded by length and by bytes' => sub {
    afresh();
    stop_second();
    for my $bound (['frontdesk_queue_length 3;', 'x'], ['frontdesk_queue_bytes 12k;', 'x' x 3000]) {
        my ($directive, $text) = @$bound;
        $stack->{env}{STACK_HTTP_EXTRA} = $stack->{env}{STACK_HTTP_EXTRA} =~ s/ frontdesk_queue_\w+ \w+;//r . " $directive";
        my @old = $stack->nginx_workers;
        $stack->must('nginx', 'reload');
        $stack->until(sub { my %now = map { $_ => 1 } $stack->nginx_workers; !grep { $now{$_} } @old }, 10, 'the reload');
        $stack->wait_ready;
        my $pid = $stack->signal(STOP => 'worker');
        my @all = at_once([$hosts[0]], POST => '/api/v1/chat', map { { body => { message => "$_ $text \@{\"tokens\":2}\@", stream => JSON::PP::true } } } 1 .. 8);
        is_deeply statuses(@all), { 200 => 3, 503 => 5 }, "$directive: 3 of 8" or diag explain statuses(@all);
        my ($full) = grep { $_->{status} == 503 } @all;
        $full->read_all;
        is JSON::PP::decode_json($full->{body})->{code}, 'overloaded', 'the others: overloaded';
        like $full->{headers}{'retry-after'} // '', qr/^[1-9]\d*$/, 'with Retry-After';
        my $before = contents();
        my ($again) = at_once([$hosts[0]], POST => '/api/v1/chat', { body => { message => "9 $text" } });
        is $again->{status}, 503, 'again';
        is_deeply contents(), $before, 'and nothing stored';
        kill CONT => $pid;
        my @taken = grep { $_->{status} == 200 } @all;
        $_->run(30) for @taken;
        is scalar(grep { ($_->{terminal}{event} // '') eq 'done' } @taken), 3, 'what was taken is answered';
        ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 5), 'the queue is empty';
        is $stack->redis('jobs', 'HGET', 'fd:load:{0}', 'bytes') // 0, 0, 'and weighs nothing';
    }
};

$stack->finish;
done_testing;
