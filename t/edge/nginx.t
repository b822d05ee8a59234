# What nginx does around the module: directives of its own in our locations, bodies that
# nobody reads on connections that go on, a reload between a question and its answer.
# EDGE-1, EDGE-6, EDGE-11
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Door qw(frames content);
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my ($slow, $inner, $tls) = map { Frontdesk::Stack::free_port() } 1 .. 3;
my $encrypted = "listen 127.0.0.1:$tls ssl; ssl_certificate \@DIR@/tls.pem; ssl_certificate_key \@DIR@/tls.key;";
my $web = $ENV{STACK_WEB} || Frontdesk::Stack->root . '/build/release/web';
my $stack = Frontdesk::Stack->new(env => {
    STACK_NGINX_WORKERS => 1,
    STACK_HTTP_EXTRA    => 'frontdesk_start_rate 0; frontdesk_read_rate 60; set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;',
    STACK_SERVER_EXTRA  => "server_name shop.example; $encrypted",
    STACK_SERVERS_EXTRA => "server { server_name other.example; $encrypted ssl_verify_client optional_no_ca; }"
        . " server { listen 127.0.0.1:$slow; location /api/v1/ { frontdesk_api; limit_rate 8k; } }"
        . " server { listen 127.0.0.1:$inner;"
        . ' location /api/v1/ { frontdesk_api; if ($arg_if) { set $inner 1; } limit_except GET { allow all; } }'
        . " location /widget.js { frontdesk_assets $web;" . ' if ($arg_if) { set $inner 1; } }'
        . ' location = /healthz { frontdesk_healthz; }'
        . q( location = /page { ssi on; default_type text/html; return 200 '<!--# include virtual="/widget.js" -->~<!--# include virtual="/healthz" -->~end'; } }),
});
is system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=shop.example -keyout $stack->{dir}/tls.key -out $stack->{dir}/tls.pem 2>/dev/null"), 0, 'a certificate';
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client;

# -- directives of nginx's own ---------------------------------------------------------

subtest 'EDGE-6: a stream in a location with limit_rate' => sub {
    my $s = $stack->client(port => $slow)->chat({ message => 'Slowly @{"tokens":400}@' });
    is $s->{terminal}{event}, 'done', 'comes to its end';
    is $s->{text}, join('', map { "word$_ " } 1 .. 400), 'with every token';
};

subtest 'EDGE-1: "if" and "limit_except" in a location of ours' => sub {
    my $c = $stack->client(port => $inner);
    is $c->get('/api/v1/config')->{status}, 200, 'the location as it is';
    is $c->get('/api/v1/config?if=1')->{status}, 200, 'with a condition that holds';
    is $c->post('/api/v1/sessions/start', '{}')->{status}, 200, 'with a method that is excepted';
    my $large = $c->post('/api/v1/chat', { message => 'x' x 2_000_000 });
    is "$large->{status} $large->{headers}{'content-type'}", '413 application/problem+json', 'where a body is still refused by us';
    is $stack->client(port => $inner, key => undef)->post('/api/v1/sessions/start', '{}')->{status}, 401, 'and a stranger, too';
    is $c->get('/widget.js?if=1')->{body}, $c->get('/widget.js')->{body}, 'an asset';
};

subtest 'EDGE-4: an answer of ours is a part of a page' => sub {
    my $c = $stack->client(port => $inner);
    my $script = $c->get('/widget.js')->{body};
    is $c->get('/page', { 'Accept-Encoding' => 'br' })->{body}, "$script~{\"status\":\"ok\"}\n~end", 'which goes on behind it';
};

# -- bodies that nobody reads ------------------------------------------------------------

# All that one connection answers to these requests, up to its end.
sub answers {
    my (@requests) = @_;
    my $s = $client->connect_;
    syswrite $s, join '', @requests;
    my $stream = Frontdesk::Client::Stream->new($s, 10);
    while ($stream->fill) { }
    return $stream->{raw} =~ m{HTTP/1\.1 (\d+)}g;
}

subtest 'EDGE-6: the body of a request for events is no request' => sub {
    my %from = ('X-Real-IP' => '192.0.2.1');
    my $path = '/api/v1/chat/0-' . '0' x 32 . '/events';
    my $hidden = "GET /hidden HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    my $next = $client->head(GET => '/healthz', \%from);
    my $with_body = sub { $client->head(GET => $path, { %from, Connection => 'keep-alive', 'X-Frontdesk-Session' => 'x' }, $hidden) . $hidden };
    is_deeply [answers($with_body->(), $next)], [404, 200], 'of a job that is not there';
    ok $stack->until(sub { $client->get('/api/v1/config', \%from)->{status} == 429 }), 'an address that asks too often';
    is_deeply [answers($with_body->(), $next)], [200, 200], 'of who is told to come later';
};

# -- an answer in one piece ----------------------------------------------------------------

subtest 'EDGE-6: an answer in one piece at the end of many events' => sub {
    my $ask = sub { $stack->client(timeout => 10)->post('/api/v1/chat', { message => 'Long @{"tokens":3}@', stream => JSON::PP::false }, { 'Idempotency-Key' => 'long' }) };
    my $first = $ask->();
    is $first->{status}, 200, 'a question';
    my $job = $first->{headers}{'x-frontdesk-job'};
    $stack->redis('live', 'DEL', "fd:ev:$job");
    my $event = sub { my ($n, $type, $data) = @_; $stack->redis('live', 'XADD', "fd:ev:$job", "1-$n", f => "id: 1-$n\nevent: $type\ndata: $data\n\n"); };
    $event->($_, 'delta', '{"text":"x"}') for 0 .. 199;
    $event->(200, 'answer', $first->{body});
    is $ask->()->{body}, $first->{body}, 'whoever asks again need not wait for it';
};

subtest 'EDGE-1: what a client takes' => sub {
    my $type = sub { my ($accept) = @_; return $client->post('/api/v1/chat', { message => 'Take @{"tokens":1}@' }, { Accept => $accept })->{headers}{'content-type'}; };
    is $type->('application/json, text/event-stream'), 'text/event-stream', 'events among others';
    is $type->('application/json, text/event-stream;q=0'), 'application/json', 'not the events that it refuses';
    is $type->('x-text/event-streams'), 'application/json', 'nor those whose name it only contains';
    is $type->('text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'), 'application/json', 'nor what a wildcard stands for, of Java';
    is $type->('*'), 'application/json', 'or alone';
    is $client->post('/api/v1/chat', { message => 'Take @{"tokens":1}@' }, { Prefer => '*' })->{status}, 200, 'and nobody prefers everything';
};

# -- what it refuses before it knows where to ---------------------------------------------

subtest 'EDGE-8: what nginx cannot read is refused with the headers for browsers' => sub {
    my $program = $stack->client(key => $stack->{sk}, origin => undef);
    my %request = (
        'no path' => "GET\r\n\r\n", 'a broken path' => "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 'no host' => "GET / HTTP/1.1\r\n\r\n",
        # as much as a buffer holds: what is not read when a connection ends could take the answer with it
        'a long path' => 'GET /' . 'a' x (8192 - 5), 'a long header' => "GET / HTTP/1.1\r\nHost: x\r\nX: " . 'a' x (8192 - 3),
        'two lengths' => "POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        'an unknown coding' => "POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        'an unknown version' => "GET / HTTP/3.0\r\n\r\n",
        'a broken chunk' => $program->head(POST => '/api/admin/keys', { 'Content-Type' => 'application/json', 'Transfer-Encoding' => 'chunked' }) . "zz\r\n",
    );
    my $sent = sub {
        my ($to, $request) = @_;
        my $s = $to->connect_;
        syswrite $s, $request;
        local $/;
        return <$s> // '';
    };
    my %answer = map { $_ => $sent->($client, $request{$_}) } keys %request;
    $answer{'no TLS'} = $sent->($stack->client(port => $tls), $client->head(GET => '/'));
    $answer{'the name of another server'} = qx(printf 'GET / HTTP/1.1\\r\\nHost: other.example\\r\\n\\r\\n' | openssl s_client -quiet -servername shop.example -connect 127.0.0.1:$tls 2>/dev/null);
    for my $what (sort keys %answer) {
        my ($head, $body) = split /\r\n\r\n/, $answer{$what}, 2;
        my $problem = eval { JSON::PP::decode_json($body) } || {};
        my $expected = $what eq 'a long header' ? '431 headers-too-large' : '400 bad-request';
        is "$problem->{status} $problem->{code}", $expected, $what or diag $answer{$what};
        my ($status) = $expected =~ /(\d+)/;
        like $head, qr{^HTTP/1\.1 $status }, '... as the answer says';
        like "$head\r\n", qr/^$_\r$/mi, '... with its headers' for "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", 'X-Frame-Options: DENY', 'X-Content-Type-Options: nosniff',
            'Content-Type: application\/problem\+json';
        my $line = $stack->until(sub { my ($l) = grep { /"request_id":"$problem->{request_id}"/ } split /\n/, $stack->log_text('access.log'); $l && JSON::PP::decode_json($l) }, 20, 'its line') || {};
        is $line->{path}, $what eq 'a broken chunk' ? 'admin' : '', 'OPS-3: logged with the path that it had';
    }
    is $client->get('/frontdesk-problem')->{status}, 404, 'and nobody asks for that by name';
};

# -- reload ----------------------------------------------------------------------------

subtest 'EDGE-11: a reload while a completion is admitted' => sub {
    my $stream;
    for my $try (1 .. 3) { # a server that is away for longer than a client waits is another matter
        my ($old) = $stack->nginx_workers;
        $stack->signal(STOP => 'jobs');
        my $body = JSON::PP::encode_json({ model => 'mock-fast', stream => JSON::PP::true, messages => [{ role => 'user', content => "Reload $try \@{\"tokens\":20,\"gap_ms\":50}\@" }] });
        my $s = $client->connect_;
        syswrite $s, $stack->client(key => undef, origin => undef)->head(POST => '/v1/chat/completions', { Authorization => "Bearer $stack->{sk}" }, $body) . $body;
        my $leaving = () = $stack->log_text('nginx-error.log') =~ /gracefully shutting down/g;
        $stack->must('nginx', 'reload');
        ok $stack->until(sub { $leaving < (() = $stack->log_text('nginx-error.log') =~ /gracefully shutting down/g) }), 'the process is about to leave';
        $stack->signal(CONT => 'jobs');
        $stream = Frontdesk::Client::Stream->new($s, 20);
        $stream->read_head;
        $stream->read_all;
        ok $stack->until(sub { !grep { $_ == $old } $stack->nginx_workers }), 'and leaves in the end';
        last if $stream->{status} != 503;
    }
    my ($data) = frames($stream->{body});
    is $data->[-1], '[DONE]', 'it waits for the answer';
    is content($data), join('', map { "word$_ " } 1 .. 20), 'all of it';
};

$stack->finish;
done_testing;
