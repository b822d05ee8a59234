# Origins and cross-origin answers: who may use a publishable key from where, and
# what a page gets to read.  EDGE-1, EDGE-3, EDGE-6
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;

my $stack = Frontdesk::Stack->new(env => {
    STACK_HTTP_EXTRA    => 'frontdesk_read_rate 0; frontdesk_start_rate 0; keepalive_requests 100000;',
});
$stack->start;
my @list = ('https://good.com', 'https://*.wild.example', 'http://localhost:3000', 'https://xn--nxasmq6b.example',
            'https://[2001:db8::1]:8443', 'https://*.ports.example:8443');
my $key = $stack->key(qw(create --kind pk --name cors), map { ('--origin', $_) } @list);
like $key->{key}, qr/^fd_pk_/, 'a key of these origins';
my $client = $stack->client(key => $key->{key}, origin => undef);
my $config = '/api/v1/config';

sub acao { return $_[0]{headers}{'access-control-allow-origin'}; }
sub from { my ($origin, $method, $path, $headers, $body) = @_;
    return $client->request($method || 'GET', $path || $config, { %{ $headers || {} }, Origin => $origin }, $body); }

# An Origin of any bytes, as no HTTP library would send it.
sub raw {
    my ($origin) = @_;
    my $s = $client->connect_;
    syswrite $s, "GET $config HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: $key->{key}\r\nOrigin: $origin\r\n\r\n";
    my $stream = Frontdesk::Client::Stream->new($s, 5);
    $stream->read_head;
    $stream->read_all;
    return { status => $stream->{status}, headers => $stream->{headers}, body => $stream->{body},
             json => eval { JSON::PP::decode_json($stream->{body}) } };
}

# -- origins -----------------------------------------------------------------

for my $origin ('https://good.com', 'https://GOOD.com', 'https://good.com:443', 'https://a.wild.example', 'https://a.b.wild.example',
                'https://A.WILD.example', 'https://a-b_c.wild.example', 'http://localhost:3000', 'https://xn--nxasmq6b.example',
                'https://[2001:db8::1]:8443', 'https://[2001:DB8::1]:8443', 'https://x.ports.example:8443') {
    my $r = from($origin);
    is "$r->{status} " . (acao($r) // 'none'), "200 $origin", "EDGE-1: $origin is let in, and itself allowed";
}

my @bad = (
    'null', 'NULL', '*', '', ' ', 'good.com', '//good.com', 'https:good.com', 'https:/good.com', 'https://', 'http://',
    'http://good.com', 'HTTPS://GOOD.COM', 'ftp://good.com', 'file://', 'javascript://good.com', 'chrome-extension://abc',
    'https://evil.com', 'https://evil-good.com', 'https://evilgood.com', 'https://goodxcom', 'https://good.co', 'https://ood.com',
    'https://good.com.evil.com', 'https://good.com.', 'https://.good.com', 'https://good..com', 'https://www.good.com',
    'https://good.com:80', 'https://good.com:444', 'https://good.com:0443', 'https://good.com:443443', 'https://good.com:-1',
    'https://good.com:', 'https://good.com:4294967739', 'https://good.com:443:443',
    'https://good.com@evil.com', 'https://evil.com@good.com', 'https://user:pw@good.com',
    'https://good.com/', 'https://good.com/x', 'https://good.com?x', 'https://good.com#x', 'https://good.com\\evil.com',
    'https://good.com%2eevil.com', 'https://good.com%00.evil.com', 'https://good%2ecom', "https://good.com\x01",
    "https://g\xc3\xb6od.com", 'https://good.com https://evil.com', 'https://evil.com https://good.com',
    'https://good.com,https://evil.com', 'https://good.com;evil.com', "https://good.com'", 'https://good.com"',
    'https://wild.example', 'https://.wild.example', 'https://a..wild.example', 'https://xwild.example', 'https://evilwild.example',
    'https://a.wild.example.evil.com', 'https://*.wild.example', 'https://*', 'https://a.wild.example:8443',
    'http://a.wild.example', 'https://' . ('a' x 300) . '.wild.example', 'https://x.ports.example', 'https://x.ports.example:8444',
    'https://localhost:3000', 'http://localhost', 'http://localhost:30000', 'http://localhost:3001', 'http://127.0.0.1:3000',
    'https://[2001:db8::1]', 'https://[2001:db8::1]:8444', 'https://[2001:db8::1', 'https://[', 'https://]', 'https://[]',
    'https://[2001:db8::2]:8443', 'https://' . ('x' x 7000),
);
cmp_ok scalar(@bad), '>', 40, scalar(@bad) . ' hostile origins';
for my $origin (@bad) {
    my $r = raw($origin);
    my $name = length $origin > 60 ? substr($origin, 0, 40) . '...' : $origin;
    $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    is join(' ', $r->{status}, acao($r) // 'none', $r->{headers}{vary} // '', $r->{json}{code} // ''),
        '403 none Origin origin-forbidden', "EDGE-1: \"$name\" is not";
}

subtest 'EDGE-1: two Origin headers are not a way round' => sub {
    my $s = $client->connect_;
    syswrite $s, "GET $config HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Api-Key: $key->{key}\r\n"
        . "Origin: https://evil.com\r\nOrigin: https://good.com\r\n\r\n";
    my $stream = Frontdesk::Client::Stream->new($s, 5);
    $stream->read_head;
    isnt $stream->{headers}{'access-control-allow-origin'} // '', 'https://evil.com', 'evil is not allowed by it';
    is $stream->{status}, 403, 'refused';
    $stream->close;
};

subtest 'EDGE-1: without an Origin' => sub {
    my %site = (
        'nothing'                => [{}, 403],
        'same-origin'            => [{ 'Sec-Fetch-Site' => 'same-origin' }, 200],
        'same-site'              => [{ 'Sec-Fetch-Site' => 'same-site' }, 403],
        'none'                   => [{ 'Sec-Fetch-Site' => 'none' }, 403],
        'cross-site and referer' => [{ 'Sec-Fetch-Site' => 'cross-site', Referer => 'https://good.com/x' }, 403],
        'referer'                => [{ Referer => 'https://good.com/x' }, 200],
        'referer, no path'       => [{ Referer => 'https://good.com' }, 200],
        'referer, query'         => [{ Referer => 'https://good.com?x=https://evil.com' }, 200],
        'referer, evil'          => [{ Referer => 'https://evil.com/https://good.com/' }, 403],
        'referer, userinfo'      => [{ Referer => 'https://good.com@evil.com/' }, 403],
    );
    $site{"referer $_"} = [{ Referer => $_ }, 403] for '/', 'x', 'https:', 'https:/', 'https://', '//good.com/', 'https:///good.com/', 'null';
    is $client->get($config, $site{$_}[0])->{status}, $site{$_}[1], $_ for sort keys %site;
    is $client->post('/api/v1/chat', { message => 'x' }, { 'Sec-Fetch-Site' => 'same-origin' })->{status}, 403, 'a POST always has one';
};

subtest 'EDGE-2: origins that are none are refused when a key is made' => sub {
    for my $origin ('*', 'null', 'https://*', 'https://good.com/', 'https://good.com/x', 'good.com', 'https://user@good.com',
                    'https://*.*.example', 'https://a*.example', 'https://good.com:0', 'javascript:alert(1)') {
        is $stack->key(qw(create --kind pk --name no --origin), $origin)->{key}, undef, $origin;
    }
};

# -- preflight -----------------------------------------------------------------

subtest 'EDGE-1: preflight is answered at the edge' => sub {
    my %methods = (
        '/api/v1/chat'                        => 'POST, OPTIONS',
        '/api/v1/config'                      => 'GET, HEAD, OPTIONS',
        '/api/v1/chat/x/events'               => 'GET, OPTIONS',
        '/api/v1/chat/x/cancel'               => 'POST, OPTIONS',
        '/api/v1/sessions/start'              => 'POST, OPTIONS',
        '/api/v1/sessions/x/history'          => 'GET, OPTIONS',
        '/api/v1/sessions/x/end'              => 'DELETE, OPTIONS',
    );
    my $anonymous = $stack->client(key => undef);
    for my $path (sort keys %methods) {
        my ($method) = $methods{$path} =~ /^(\w+)/;
        my $r = $anonymous->request('OPTIONS', $path, { Origin => 'https://good.com', 'Access-Control-Request-Method' => $method,
            'Access-Control-Request-Headers' => 'x-api-key,content-type,last-event-id,idempotency-key,x-frontdesk-session' });
        my $h = $r->{headers};
        is $r->{status}, 204, "$path: 204, without a key";
        is acao($r), 'https://good.com', 'the origin';
        is $h->{'access-control-allow-methods'}, $methods{$path}, 'the methods of this path';
        like $h->{'access-control-allow-headers'} // '', qr/\b\Q$_\E\b/i, "allows $_"
            for qw(Authorization X-Api-Key Content-Type Accept Idempotency-Key Last-Event-ID X-Frontdesk-Session);
        cmp_ok $h->{'access-control-max-age'} // 0, '>=', 600, 'may be kept';
        is $h->{'access-control-allow-credentials'}, undef, 'never with credentials';
        like $h->{vary} // '', qr/\bOrigin\b/, 'Vary';
        is $r->{body}, '', 'no body';
    }
    my $null = $anonymous->request('OPTIONS', $config, { Origin => 'null', 'Access-Control-Request-Method' => 'GET' });
    is "$null->{status} " . (acao($null) // 'none'), '204 none', 'null is not echoed';
    is $anonymous->request('OPTIONS', '/api/v1/nope', { Origin => 'https://good.com', 'Access-Control-Request-Method' => 'GET' })->{status},
        404, 'nothing there';
    my $plain = $anonymous->request('OPTIONS', $config, { Origin => '' });
    is "$plain->{status} $plain->{headers}{allow}", '204 GET, HEAD, OPTIONS', 'a plain OPTIONS';
};

# -- what a page may read ----------------------------------------------------------

my @exposed = qw(Retry-After RateLimit RateLimit-Policy X-RateLimit-Limit X-RateLimit-Remaining X-RateLimit-Reset
                 X-Frontdesk-Job X-Frontdesk-Session);
sub readable {
    my ($name, $r) = @_;
    subtest "EDGE-1: a page can read $name" => sub {
        is acao($r), 'https://good.com', 'the origin';
        my %have = map { lc $_ => 1 } split /,\s*/, $r->{headers}{'access-control-expose-headers'} // '';
        ok $have{ lc $_ }, "exposes $_" for @exposed;
        is $r->{headers}{'access-control-allow-credentials'}, undef, 'without credentials';
        is scalar(split /,/, acao($r) // ''), 1, 'one Access-Control-Allow-Origin';
        like $r->{headers}{vary} // '', qr/^Origin$/, 'one Vary: Origin';
    };
    return;
}

my $good = 'https://good.com';
my $page = $stack->client(key => $key->{key}, origin => $good);
readable('the configuration', $page->get($config));
my $stream = $page->chat({ message => 'Hello @{"tokens":3}@' });
is $stream->{terminal}{event}, 'done', 'a stream';
readable('a stream', { headers => $stream->{headers} });
readable('an answer in one piece', $page->post('/api/v1/chat', { message => 'Hello @{"tokens":3}@' }));
readable('204 of a stream it has read', { headers => $page->resume(@$stream{qw(job session last_id)})->{headers} });
readable('a session start', $page->post('/api/v1/sessions/start', '{}'));
readable('400', $page->post('/api/v1/chat', '{'));
readable('401', $page->get($config, { 'X-Api-Key' => 'fd_pk_mistyped' }));
readable('401 without a key', $stack->client(key => undef, origin => $good)->get($config));
readable('404', $page->get('/api/v1/nope'));
readable('405', $page->get('/api/v1/chat'));
readable('413', $page->post('/api/v1/chat', '"' . ('x' x 70000) . '"'));
readable('415', $page->post('/api/v1/chat', '{}', { 'Content-Type' => 'text/plain' }));
readable('422', $page->post('/api/v1/chat', '{}'));
subtest 'EDGE-3: 429 and 503' => sub {
    $stack->limits(requests_per_minute => 1, concurrent_chats => 5, messages_per_month => 0);
    my $limited;
    for (1 .. 3) { $limited = $page->post('/api/v1/sessions/start', '{}'); last if $limited->{status} == 429; }
    is $limited->{status}, 429, 'limited';
    readable('429', $limited);
    $stack->signal(KILL => 'live');
    $stack->redis_forget;
    my $away;
    $stack->until(sub { $away = $page->post('/api/v1/chat', { message => 'x' }); $away->{status} == 503 }, 5, '503');
    readable('503', $away);
    my $later = $page->resume(@$stream{qw(job session)});
    is $later->{status}, 200, 'a stream that is asked to come later';
    readable('it', { headers => $later->{headers} });
    $later->close;
    $stack->must('live', 'start');
};

$stack->finish;
done_testing;
