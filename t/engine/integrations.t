# A client's shop, API and database: endpoints as tools, credentials, cache, log.  ENG-11
#
# The other side is a server of our own that speaks what Shopify, WooCommerce, a REST API
# and an OAuth2 server document, and notes what it was asked. It was written apart from
# the client; like a shop, it may ignore a filter.
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical->allow_nonref;
my $api_port = Frontdesk::Stack::free_port();
my $pg_port = Frontdesk::Stack::free_port();
my $stack = Frontdesk::Stack->new(worker => {
    FRONTDESK_OUTBOUND_ALLOW => "127.0.0.1:$api_port,127.0.0.1:$pg_port",
});
my $api = "http://127.0.0.1:$api_port";
my $notes = "$stack->{dir}/api.notes";
my @children;

# -- the other side -----------------------------------------------------------------

my @orders = (
    { id => 11, name => '#1001', number => '1001', email => 'ada@example.com', billing => { email => 'ada@example.com' },
      status => 'processing', fulfillment_status => 'fulfilled', total_price => '20.00' },
    { id => 12, name => '#1002', number => '1002', email => 'bob@example.com', billing => { email => 'bob@example.com' },
      status => 'completed', fulfillment_status => undef, total_price => '99.00' },
);

sub reply {
    my ($status, $body, %headers) = @_;
    $body = ref $body ? $json->encode($body) : $body;
    my %h = ('Content-Type' => 'application/json; charset=utf-8', 'Content-Length' => length $body, %headers);
    return "HTTP/1.1 $status X\r\n" . join('', map { "$_: $h{$_}\r\n" } sort keys %h) . "Connection: close\r\n\r\n$body";
}

sub shopify {
    my ($path, $head) = @_;
    return reply(401, { errors => '[API] Invalid API key or access token (unrecognized login or wrong password)' })
        unless $head =~ /^X-Shopify-Access-Token: (shpat_0123456789abcdef|shop-token-\d+)\r$/mi;
    my %limit = ('X-Shopify-Shop-Api-Call-Limit' => '1/40');
    return reply(200, { shop => { name => 'Snowdevil', domain => 'snowdevil.example', currency => 'USD' } }, %limit) if $path =~ m{^/shop\.json};
    return reply(200, { orders => \@orders }, %limit) if $path =~ m{^/orders\.json};
    return reply(200, { products => [{ id => 7, title => 'Board', variants => [{ price => '10.00', inventory_quantity => 3 }] }] }, %limit) if $path =~ m{^/products\.json};
    return reply(200, { product => { id => 7, title => 'Board' } }, %limit) if $path =~ m{^/products/7\.json};
    return reply(403, { errors => '[API] This action requires merchant approval for read_inventory scope.' }, %limit) if $path =~ m{^/inventory};
    return reply(404, { errors => 'Not Found' }, %limit);
}

sub woocommerce {
    my ($path, $head) = @_;
    my $basic = encode_base64('ck_0123456789abcdef:cs_fedcba9876543210', '');
    return reply(401, { code => 'woocommerce_rest_cannot_view', message => 'Sorry, you cannot list resources.', data => { status => 401 } })
        unless $head =~ /^Authorization: Basic \Q$basic\E\r$/mi;
    return reply(200, \@orders, 'X-WP-Total' => 2, 'X-WP-TotalPages' => 1) if $path =~ m{^/orders\?};
    return reply(200, [{ id => 5, name => 'Mug', price => '8', stock_status => 'instock' }]) if $path =~ m{^/products\?};
    return reply(404, { code => 'rest_no_route', message => 'No route was found', data => { status => 404 } });
}

sub api_answer {
    my ($state, $method, $path, $head, $body) = @_;
    return shopify($path, $head) if $path =~ s{^/admin/api/2026-07}{};
    return woocommerce($path, $head) if $path =~ s{^/wp-json/wc/v3}{};
    if ($path eq '/admin/oauth/access_token') { # Shopify's: in the body
        return reply(400, { error => 'invalid_client' }) unless $body =~ /client_id=app/ && $body =~ /client_secret=app-secret-123/;
        return reply(200, { access_token => 'shop-token-1', scope => 'read_orders', expires_in => 86399 });
    }
    if ($path eq '/oauth/token') {
        my $basic = encode_base64('client%2F1:secret%20123456', ''); # RFC 6749, 2.3.1
        return reply(401, { error => 'invalid_client' }, 'WWW-Authenticate' => 'Basic') unless $head =~ /^Authorization: Basic \Q$basic\E\r$/mi;
        return reply(200, { access_token => 'tok-' . ++$state->{tokens}, token_type => 'Bearer', expires_in => 3600 });
    }
    if ($path =~ m{^/oauth/revoke}) { $state->{good} = $state->{tokens} + 1; return reply(200, {}); }
    if ($path =~ m{^/oauth/never}) { $state->{good} = 1e9; return reply(200, {}); }
    if ($path =~ m{^/guarded/}) {
        my ($n) = $head =~ /^Authorization: Bearer tok-(\d+)\r$/mi;
        return reply(401, { error => 'expired' }) unless $n && $n >= ($state->{good} || 1);
        return reply(200, { token => "number $n", path => $path });
    }
    return reply(302, '', Location => "$api/secret") if $path =~ m{^/redirect};
    return reply(200, '<!DOCTYPE html><html><body>Sign in</body></html>', 'Content-Type' => 'text/html') if $path =~ m{^/page};
    return reply(200, '') if $path =~ m{^/empty};
    return reply(422, { errors => { day => ['is in the past'] } }) if $path =~ m{^/past};
    return reply(429, {}, 'Retry-After' => 9) if $path =~ m{^/limited};
    return reply(500, 'Traceback: password=hunter2', 'Content-Type' => 'text/plain') if $path =~ m{^/broken};
    return reply(404, { error => 'none' }) if $path =~ m{^/items/404};
    if ($path =~ m{^/items|^/bookings}) {
        return reply(401, {}) unless $head =~ /^X-Api-Key: key-0123456789\r$/mi;
        return reply(200, { method => $method, path => $path, body => $body, idempotency => ($head =~ /^Idempotency-Key: (\S+)/mi ? $1 : undef) });
    }
    return reply(404, { error => 'no such path' });
}

sub serve_api {
    my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $api_port, ReuseAddr => 1) or die $!;
    open my $out, '>>', $notes or die $!;
    $out->autoflush(1);
    my %state = (tokens => 0);
    while (my $s = $listener->accept) {
        my $in = '';
        while ($in !~ /\r\n\r\n/) { sysread($s, $in, 65536, length $in) or last; }
        my ($head, $body) = split /(?<=\r\n)\r\n/, $in, 2;
        my ($length) = ($head // '') =~ /^Content-Length: (\d+)/mi;
        while (length($body // '') < ($length || 0)) { sysread($s, $body, 65536, length $body) or last; }
        my ($method, $path) = ($head // '') =~ /^(\S+) (\S+)/ or next;
        print $out $json->encode({ method => $method, path => $path, body => $body }), "\n";
        syswrite $s, api_answer(\%state, $method, $path, $head, $body // '');
        close $s;
    }
    POSIX::_exit(0);
}

# The client's database: the stack's PostgreSQL, over TCP as a client's is.
sub serve_pg {
    my ($socket) = @_;
    my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $pg_port, ReuseAddr => 1) or die $!;
    my $select = IO::Select->new($listener);
    my %peer;
    while (1) {
        for my $s ($select->can_read) {
            if ($s == $listener) {
                my $client = $listener->accept or next;
                my $server = IO::Socket::UNIX->new(Peer => $socket) or next;
                @peer{ $client, $server } = ($server, $client);
                $select->add($client, $server);
                next;
            }
            my $other = $peer{$s} or next; # it went with the other one
            if (sysread $s, my $bytes, 65536) { syswrite $other, $bytes; next; }
            $select->remove($s, $other);
            delete @peer{ $s, $other };
            $_->close for $s, $other;
        }
    }
}

sub child {
    my ($code, @arguments) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) { $SIG{PIPE} = 'IGNORE'; $code->(@arguments); POSIX::_exit(0); }
    push @children, $pid;
    return;
}
END { kill KILL => @children if @children && $$ == $stack->{owner}; }

sub noted {
    my ($pattern) = @_;
    open my $in, '<', $notes or return;
    return grep { $_->{path} =~ $pattern } map { $json->decode($_) } <$in>;
}

# -- our side ---------------------------------------------------------------------------

my $org;
sub cli {
    my ($words, $stdin) = @_;
    my %env = $stack->environment;
    local @ENV{ keys %env } = values %env;
    my $given = "$stack->{dir}/stdin";
    open my $out, '>', $given or die $!;
    print $out defined $stdin ? $json->encode($stdin) : '';
    close $out;
    my $command = join ' ', map { my $w = $_; $w =~ s/'/'\\''/g; "'$w'" } Frontdesk::Stack->root . '/scripts/stack', 'frontdesk', 'integration', @$words, '--org', $org;
    my $text = qx($command <'$given' 2>&1);
    return wantarray ? ($? >> 8, $text) : $text;
}
sub cli_ok {
    my ($name, @call) = @_;
    my ($rc, $text) = cli(@call);
    is $rc, 0, $name or diag $text;
    return $text;
}

my $client;
# One call of a tool in a chat: what the model was told of it.
my $count = 0;
sub call {
    my ($tool, $arguments, %more) = @_;
    my $words = 'Question ' . ++$count . ' end';
    my $scenario = { rounds => [{ tools => [{ name => $tool, arguments => $arguments }] }, { text => 'Done.' }] };
    my $s = ($more{client} || $client)->chat({ message => "$words \@" . $json->encode($scenario) . '@' });
    my @asked = grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^\Q$words\E/ } $stack->journal;
    my $told = @asked > 1 ? $asked[1]{body}{messages}[-1]{content} : '';
    return { told => $told, json => scalar eval { $json->decode($told) } };
}
sub last_log { return $json->decode(scalar cli(['log', '--json', '--limit', '1']))->[0]; }
# The log is written behind the answer.
sub logged {
    my ($endpoint, $outcome) = @_;
    my $found;
    $stack->until(sub { $found = last_log(); $found && $found->{endpoint} eq $endpoint && $found->{outcome} eq $outcome }, 5, "a line of $endpoint: $outcome")
        or diag explain $found;
    return $found || {};
}

child(\&serve_api);
$stack->start;
$org = $stack->{org};
$client = $stack->client;
child(\&serve_pg, ($stack->sql('SHOW unix_socket_directories') =~ s{,.*}{}r) . '/.s.PGSQL.5432');

subtest 'ENG-11: a Shopify shop needs a URL and a token' => sub {
    my ($rc, $text) = cli(['add', 'shop', '--type', 'shopify', '--url', 'http://8.8.8.8', '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    is $rc, 1, 'not in clear text';
    like $text, qr/https/, 'and says so';
    (undef, $text) = cli(['add', 'shop', '--type', 'shopify', '--url', 'https://169.254.169.254', '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    like $text, qr/url: .*metadata/, 'not at an address of ours';
    (undef, $text) = cli(['add', 'shop', '--type', 'shopify', '--url', $api]);
    like $text, qr/credentials: api_key needs api_key/, 'not without a token';
    cli_ok('added', ['add', 'shop', '--type', 'shopify', '--url', $api, '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    (undef, $text) = cli(['add', 'shop', '--type', 'shopify', '--url', $api, '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    like $text, qr/name: another integration/, 'once';
    my $list = cli(['list', '--json']);
    unlike $list, qr/shpat|0123456789/, 'the token is shown to nobody';
    is $json->decode($list)->[0]{credentials_last4}{api_key}, 'cdef', 'but its end';
    like cli(['endpoint', 'list', 'shop']), qr/shopify_find_order.*\n.*shopify_get_product|shopify_find_order/s, 'its endpoints are there';
};

subtest 'ENG-11: the test of a connection says what is missing' => sub {
    my ($rc, $text) = cli(['test', 'shop']);
    is $rc, 1, 'not all is well';
    like $text, qr/^shop\s+ok\s+HTTP 200/m, 'it answers';
    like $text, qr/^orders \(read_orders\)\s+ok/m, 'orders may be read';
    like $text, qr/^inventory.*http\s+HTTP 403.*lacks a scope/m, 'inventory may not: a scope is missing';
    my $tested = $json->decode(scalar cli(['test', 'shop', '--json']));
    is $tested->{sample}{shop}{name}, 'Snowdevil', 'with a sample';
    is $tested->{ok}, JSON::PP::false, 'as JSON';
    is $json->decode(scalar cli(['list', '--json']))->[0]{last_test}{sample}, undef, 'the sample is not kept';
    cli(['add', 'wrong', '--type', 'woocommerce', '--url', $api, '--credentials', '-'], { consumer_key => 'ck_wrong', consumer_secret => 'cs_wrong' });
    (undef, $text) = cli(['test', 'wrong']);
    like $text, qr/HTTP 401.*consumer key or secret is wrong/, 'wrong credentials';
    cli(['remove', 'wrong']);
    cli(['add', 'gone', '--type', 'custom_api', '--url', 'https://10.1.2.3']);
    cli(['add', 'gone', '--type', 'custom_api', '--url', 'http://gone.invalid'], {});
    (undef, $text) = cli(['add', 'closed', '--type', 'custom_api', '--url', 'https://nosuchname.invalid']);
    (undef, $text) = cli(['test', 'closed']);
    like $text, qr/unreachable.*nosuchname\.invalid/, 'nobody there';
    cli(['remove', 'closed']);
};

subtest 'ENG-11: the model finds the order of the one who asks, and no other' => sub {
    my $tested = () = noted(qr{/orders\.json});
    my $r = call('shopify_find_order', { order_number => '1001', email => 'ada@example.com' });
    is scalar(() = noted(qr{/orders\.json})), $tested, 'not before it is enabled';
    cli_ok('enabled', ['enable', 'shop']);
    $r = call('shopify_find_order', { order_number => '1001', email => 'Ada@example.com' });
    is scalar @{ $r->{json} || [] }, 1, 'one order' or diag $r->{told};
    like $r->{told}, qr/#1001/, 'the right one';
    unlike $r->{told}, qr/bob|1002/, 'though the shop sent two';
    my ($asked) = noted(qr{/orders\.json.*name=1001});
    like $asked->{path}, qr{^/admin/api/2026-07/orders\.json\?status=any&.*&name=1001&email=Ada%40example\.com$}, 'as Shopify wants it asked';
    is logged('shopify_find_order', 'ok')->{status}, 200, 'the call is in the log';
    $r = call('shopify_find_order', { order_number => '1002', email => 'ada@example.com' });
    unlike $r->{told}, qr/bob|99\.00/, 'another\'s order is not found';
    $r = call('shopify_find_order', { order_number => '1002' });
    like $r->{told}, qr/email/, 'and the address cannot be left out';
};

subtest 'ENG-11: answers are kept for a while, per organisation' => sub {
    my $before = () = noted(qr{/products\.json});
    call('shopify_search_products', { title => 'Board' });
    my $r = call('shopify_search_products', { title => 'Board' });
    like $r->{told}, qr/Board/, 'the answer';
    is scalar(() = noted(qr{/products\.json})), $before + 1, 'one request for both';
    is logged('shopify_search_products', 'ok')->{cached}, JSON::PP::true, 'and the log says so';
    my @keys = @{ $stack->redis('live', 'KEYS', 'fd:int:*') };
    ok @keys > 0 && !grep({ !/^fd:int:\Q$org\E:/ } @keys), 'the organisation is in every key';
    my $ttl = (sort { $b <=> $a } map { $stack->redis('live', 'TTL', $_) } @keys)[0];
    ok $ttl > 240 && $ttl <= 600, "for $ttl s";
    cli_ok('changed', ['set', 'shop', '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    call('shopify_search_products', { title => 'Board' });
    is scalar(() = noted(qr{/products\.json})), $before + 2, 'a change forgets them';
};

subtest 'ENG-11: WooCommerce' => sub {
    cli_ok('added', ['add', 'woo', '--type', 'woocommerce', '--url', $api, '--credentials', '-'], { consumer_key => 'ck_0123456789abcdef', consumer_secret => 'cs_fedcba9876543210' });
    cli_ok('tested', ['test', 'woo']);
    cli_ok('enabled', ['enable', 'woo']);
    my $r = call('woocommerce_find_order', { order_number => '1002', email => 'bob@example.com' });
    like $r->{told}, qr/completed/, 'the order' or diag $r->{told};
    unlike $r->{told}, qr/ada/, 'and no other';
    like call('woocommerce_search_products', { query => 'a mug & more' })->{told}, qr/Mug/, 'products';
    like +(noted(qr{/products\?status}))[-1]{path}, qr/search=a%20mug%20%26%20more$/, 'words stay in their parameter';
};

my @schema_id = ('--schema', $json->encode({ type => 'object', required => ['id'], properties => { id => { type => 'string' } } }));
sub endpoint {
    my ($integration, $name, @more) = @_;
    return cli_ok("endpoint $name", ['endpoint', 'add', $integration, $name, '--description', "About $name", @more]);
}

subtest 'ENG-11: an API: path, query and body' => sub {
    cli_ok('added', ['add', 'rest', '--type', 'custom_api', '--url', "$api/", '--credentials', '-'], { api_key => 'key-0123456789' });
    cli_ok('enabled', ['enable', 'rest']);
    endpoint('rest', 'item', '--url', '/items/{id}', @schema_id);
    endpoint('rest', 'search', '--url', '/items', '--schema', $json->encode({ type => 'object', properties => { q => { type => 'string' }, tags => { type => 'array', items => { type => 'string' } } } }));
    my ($rc, $text) = cli(['endpoint', 'add', 'rest', 'bad', '--description', 'x', '--url', '/items/{other}', @schema_id]);
    like $text, qr/no property "other"/, 'a template names what the schema has';
    (undef, $text) = cli(['endpoint', 'add', 'rest', 'bad', '--description', 'x', '--url', 'https://evil.example/{id}', @schema_id]);
    like $text, qr/^.*url:/, 'and stays behind the base URL';
    is call('item', { id => 'A 1' })->{json}{path}, '/items/A%201', 'encoded';
    is call('search', { q => 'x&admin=1#', tags => ['a', 'b'] })->{json}{path}, '/items?q=x%26admin%3D1%23&tags=a,b', 'a parameter stays one';
    my $before = () = noted(qr{.});
    for my $evil ('../admin', '..', '.', 'a/b', 'a\\b', '', "a\r\nX: y", '%2e%2e/x/') {
        my $r = call('item', { id => $evil });
        like $r->{told}, qr/"error"/, 'refused: ' . $json->encode($evil) or diag $r->{told};
    }
    is scalar(() = noted(qr{.})), $before, 'and nothing of it was sent';
    is call('item', { id => '%2e%2e' })->{json}{path}, '/items/%252e%252e', 'what is encoded is encoded again';
    is call('item', { id => '@evil.example:80' })->{json}{path}, '/items/%40evil.example%3A80', 'a host is no host there';
    is call('item', { id => '404' })->{told}, '{"found":false}', '404 of one thing: it is not there';
    endpoint('rest', 'book', '--url', '/bookings/{id}', '--method', 'POST', '--config', '{"wrap":"booking"}', '--risk', 'read',
             '--schema', $json->encode({ type => 'object', required => ['id'], properties => { id => { type => 'string' }, day => { type => 'string' } } }));
    my $r = call('book', { id => '7', day => 'friday' });
    is $r->{json}{method}, 'POST', 'a body is sent';
    is $r->{json}{body}, '{"booking":{"day":"friday"}}', 'of what is not in the URL, wrapped';
    endpoint('rest', 'cancel', '--url', '/bookings/{id}/cancel', '--method', 'POST', @schema_id);
    my $s = $client->ask({ message => 'Cancel @' . $json->encode({ rounds => [{ tools => [{ name => 'cancel', arguments => { id => '7' } }] }, { text => 'Cancelled.' }] }) . '@' });
    my $confirm;
    my $end = time + 10;
    while (time < $end && !$confirm) {
        last unless $s->next($end - time);
        ($confirm) = grep { $_->{event} eq 'confirm' } @{ $s->{events} };
    }
    is scalar(() = noted(qr{/cancel})), 0, 'what is not a GET is a write: it waits for the visitor';
    $client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $confirm->{json}{call_id}, decision => 'accept' }, { 'X-Frontdesk-Session' => $s->{session} });
    $s->run(30);
    is $s->{text}, 'Cancelled.', 'who agrees';
    my ($told) = map { $_->{body}{messages}[-1]{content} } (grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^Cancel/ } $stack->journal)[1];
    like $told, qr/"idempotency":"[^"]*\Q$s->{job}\E/, 'and it is done under a key of its own';
};

subtest 'ENG-11: bad answers are failures with a reason' => sub {
    my %reason = (redirect => ['blocked', qr/redirect/], page => ['response', qr/HTML page/], empty => ['response', qr/without an answer/],
                  past => ['http', qr/HTTP 422/], limited => ['http', qr/429.*limit/], broken => ['http', qr/500.*its side/]);
    for my $path (sort keys %reason) {
        endpoint('rest', "try_$path", '--url', "/$path");
        my $r = call("try_$path", {});
        like $r->{told}, qr/"error"/, "$path: the model is told" or diag $r->{told};
        unlike $r->{told}, qr/hunter2|127\.0\.0\.1/, 'but no secret and no address';
        like logged("try_$path", $reason{$path}[0])->{detail}, $reason{$path}[1], 'and the operator what to do';
    }
    like call('try_past', {})->{told}, qr/is in the past/, 'what an API says about the values the model may read';
    is scalar(() = noted(qr{/secret})), 0, 'no redirect was followed';
};

subtest 'ENG-11: OAuth2: one token for many calls, one new one when it is refused' => sub {
    my @settings = ('--settings', $json->encode({ token_url => "$api/oauth/token", scope => 'read:orders' }));
    cli_ok('added', ['add', 'guarded', '--type', 'custom_api', '--url', "$api/guarded", @settings, '--credentials', '-'], { client_id => 'client/1', client_secret => 'secret 123456' });
    cli_ok('enabled', ['enable', 'guarded']);
    endpoint('guarded', 'peek', '--url', '/{id}', '--config', '{"cache_seconds":0}', @schema_id);
    is call('peek', { id => 1 . '' })->{json}{token}, 'number 1', 'a token';
    is call('peek', { id => '2' })->{json}{token}, 'number 1', 'the same one again';
    my @tokens = noted(qr{/oauth/token});
    is scalar @tokens, 1, 'it was asked for once';
    is $tokens[0]{body}, 'grant_type=client_credentials&scope=read%3Aorders', 'as the standard says';
    Frontdesk::Client->new(port => $api_port)->get('/oauth/revoke');
    is call('peek', { id => '3' })->{json}{token}, 'number 2', 'refused, it is made anew';
    is scalar(() = noted(qr{/oauth/token})), 2, 'once';
    Frontdesk::Client->new(port => $api_port)->get('/oauth/never');
    like call('peek', { id => '4' })->{told}, qr/"error"/, 'refused again, it is a failure';
    is scalar(() = noted(qr{/oauth/token})), 3, 'and not tried for ever';
    my ($rc, $text) = cli(['set', 'guarded', '--settings', $json->encode({ token_url => 'https://elsewhere.example/token' })]);
    like $text, qr/given again/, 'credentials do not go to another URL unseen';
    cli(['set', 'guarded', @settings, '--credentials', '-'], { client_id => 'client/1', client_secret => 'wrong' });
    call('peek', { id => '5' });
    like logged('peek', 'unreachable')->{detail}, qr/token URL answered 401 invalid_client; check client_id/, 'the log tells';
    cli_ok('a shop with OAuth2', ['add', 'shop2', '--type', 'shopify', '--prefix', 'second', '--url', $api, '--credentials', '-'], { client_id => 'app', client_secret => 'app-secret-123' });
    cli_ok('enabled', ['enable', 'shop2']);
    like call('second_get_product', { product_id => 7 })->{told}, qr/Board/, 'Shopify\'s own client credentials';
};

subtest 'ENG-11: named queries on the client\'s own PostgreSQL' => sub {
    $stack->sql('CREATE TABLE public.their_orders (number text, total numeric, paid boolean)');
    $stack->sql("INSERT INTO public.their_orders VALUES ('A-1', 12.50, true), ('A-2', 3, false)");
    $stack->sql("CREATE ROLE their_reader LOGIN PASSWORD 'pw-0123456789'");
    $stack->sql('GRANT ALL ON public.their_orders TO their_reader');
    my @plain = ('--settings', '{"sslmode":"disable"}');
    cli_ok('added', ['add', 'db', '--type', 'database', '--url', "127.0.0.1:$pg_port/frontdesk", @plain, '--credentials', '-'], { username => 'their_reader', password => 'pw-0123456789' });
    like cli_ok('tested', ['test', 'db', '--json']), qr/their_reader/, 'it answers';
    cli_ok('enabled', ['enable', 'db']);
    my @number = ('--schema', $json->encode({ type => 'object', required => ['number'], properties => { number => { type => 'string' } } }));
    endpoint('db', 'their_order', '--query', 'SELECT number, total, paid FROM their_orders WHERE number = {number}', @number);
    is call('their_order', { number => 'A-1' })->{told}, '{"rows":[{"number":"A-1","total":12.50,"paid":true}],"truncated":false}', 'rows, typed';
    is call('their_order', { number => "x' OR 'a'='a" })->{told}, '{"rows":[],"truncated":false}', 'an argument is a value';
    endpoint('db', 'their_numbers', '--query', 'SELECT n FROM generate_series(1, 100000) n');
    my $r = call('their_numbers', {});
    is scalar @{ $r->{json}{rows} }, 100, 'a hundred rows';
    ok $r->{json}{truncated}, 'of more';
    endpoint('db', 'their_wipe', '--query', 'WITH gone AS (DELETE FROM their_orders RETURNING 1) SELECT count(*) FROM gone');
    like call('their_wipe', {})->{told}, qr/"error"/, 'nothing is written';
    like logged('their_wipe', 'failed')->{detail}, qr/25006.*read-only/, 'the transaction is read-only';
    is $stack->sql('SELECT count(*) FROM their_orders'), 2, 'it is all there';
    for my $bad ('DELETE FROM their_orders', 'SELECT 1; DELETE FROM their_orders', 'SELECT $1') {
        my ($rc) = cli(['endpoint', 'add', 'db', 'bad', '--description', 'x', '--query', $bad]);
        is $rc, 1, "not saved: $bad";
    }
    endpoint('db', 'their_nap', '--query', 'SELECT pg_sleep(60)::text AS nap');
    my $slow = $client->ask({ message => 'Slow @' . $json->encode({ rounds => [{ tools => [{ name => 'their_nap', arguments => {} }] }, { text => 'Late.' }] }) . '@' });
    my $gone = $client->ask({ message => 'Gone @' . $json->encode({ rounds => [{ tools => [{ name => 'their_nap', arguments => {} }] }, { text => 'Never.' }] }) . '@' });
    sleep 0.5;
    $gone->next(0.1) until $gone->{job};
    $client->post("/api/v1/chat/$gone->{job}/cancel", {}, { 'X-Frontdesk-Session' => $gone->{session} });
    $gone->run(30);
    is $gone->{terminal}{event}, 'cancelled', 'who waits for a query may leave';
    my $began = time;
    is $stack->client->chat({ message => 'Quick @{"text":"At once."}@' })->{text}, 'At once.', 'others are answered meanwhile';
    cmp_ok time - $began, '<', $stack->limit(2), 'at once';
    $slow->run(30);
    is $slow->{text}, 'Late.', 'and a slow database is given up';
    is logged('their_nap', 'timeout')->{outcome}, 'timeout', 'as the log says';
    cli_ok('elsewhere', ['add', 'db2', '--type', 'database', '--url', '10.0.0.1:5432/x', '--credentials', '-'], { username => 'u', password => 'p' });
    my ($rc, $text) = cli(['test', 'db2']);
    like $text, qr/blocked.*private network/, 'an address of ours is not connected to';
};

subtest 'ENG-11: another organisation sees and calls nothing of it' => sub {
    my $other = $stack->sql("INSERT INTO organizations (name, plan_type) VALUES ('Other', 'pro') RETURNING id");
    my $mine = $org;
    $org = $other;
    is scalar cli(['list', '--json']), "[]\n", 'none of its own';
    is scalar cli(['endpoint', 'list', '--json']), "[]\n", 'no endpoint';
    like scalar cli(['test', 'shop']), qr/no such integration/, 'by name';
    cli_ok('the same shop', ['add', 'shop', '--type', 'shopify', '--url', $api, '--credentials', '-'], { access_token => 'shpat_0123456789abcdef' });
    cli_ok('enabled', ['enable', 'shop']);
    my $their_key = $stack->frontdesk(qw(key create --kind sk --name t --org), $other);
    chomp $their_key;
    my $theirs = $stack->client(key => $their_key, origin => undef);
    my $before = () = noted(qr{/products\.json});
    like call('shopify_search_products', { title => 'Board' }, client => $theirs)->{told}, qr/Board/, 'the same question';
    is scalar(() = noted(qr{/products\.json})), $before + 1, 'is not answered from another\'s cache';
    $org = $mine;
    $stack->sql("UPDATE client_integrations a SET connection_config = b.connection_config FROM client_integrations b WHERE a.org_id = '$other' AND b.org_id = '$mine' AND b.name = 'shop'");
    like call('shopify_search_products', { title => 'Snow' }, client => $theirs)->{told}, qr/"error"/, 'credentials that were moved do not open';
};

subtest 'ENG-11: the admin API' => sub {
    my $admin = $stack->client(key => $stack->{sk}, origin => undef);
    my $r = $admin->post('/api/admin/integrations', { type => 'custom_api', name => 'by API', url => $api, credentials => { token => 'token-0123456789' } });
    is $r->{status}, 201, 'made' or diag $r->{body};
    my $id = $r->{json}{id};
    $r = $admin->get("/api/admin/integrations/$id");
    is $r->{json}{auth}, 'bearer', 'it signs in as its credentials say';
    is $r->{json}{credentials_last4}{token}, '6789', 'four characters';
    unlike $r->{body}, qr/token-012/, 'no more';
    is $admin->request('PATCH', "/api/admin/integrations/$id", {}, '{"enabled":true}')->{json}{enabled}, JSON::PP::true, 'enabled';
    $r = $admin->post("/api/admin/integrations/$id/endpoints", { name => 'api_items', description => 'x', url => '/items/{id}', parameters_schema => { type => 'object', required => ['id'], properties => { id => { type => 'string' } } } });
    is $r->{status}, 201, 'an endpoint' or diag $r->{body};
    is $admin->get("/api/admin/integrations/$id/endpoints")->{json}{endpoints}[0]{name}, 'api_items', 'is listed';
    is $admin->post("/api/admin/integrations/$id/endpoints", { name => 'a b', description => 'x' })->{json}{errors}[0]{field} // 'name', 'name', 'a bad name is told';
    $r = $admin->post("/api/admin/integrations/$id/test", {});
    is $r->{status}, 200, 'tested';
    is $r->{json}{checks}[0]{status}, 404, 'with what came';
    is scalar @{ $admin->get("/api/admin/integrations/$id/calls")->{json}{calls} }, 1, 'and logged';
    $r = $admin->get("/api/admin/integrations/by%20API/calls");
    is scalar @{ $r->{json}{calls} }, 1, 'by its name, too';
    is $admin->get("/api/admin/integrations/$id/calls?limit=abc")->{status}, 400, 'a page of no size is refused';
    is $admin->request('DELETE', '/api/admin/endpoints/api_items')->{status}, 204, 'removed';
    is $admin->request('DELETE', "/api/admin/integrations/$id")->{status}, 204, 'and the integration';
    is $admin->get("/api/admin/integrations/$id")->{status}, 404, 'gone';
    is $client->get('/api/admin/integrations')->{status}, 403, 'a publishable key may not' ;
};

sub change_endpoint {
    my ($name, $change, $tag) = @_;
    my $admin = $stack->client(key => $stack->{sk}, origin => undef);
    return $admin->request('PATCH', "/api/admin/endpoints/$name", { $tag ? ('If-Match' => $tag) : () }, $json->encode($change));
}

subtest 'ENG-11 ADM-3: an endpoint is tried out, and what went over the wire is shown' => sub {
    my $admin = $stack->client(key => $stack->{sk}, origin => undef);
    my $try = sub { my ($name, %arguments) = @_; return $admin->post("/api/admin/endpoints/$name/test", { arguments => \%arguments })->{json} };
    my $made = $admin->post('/api/admin/integrations', { type => 'custom_api', name => 'tried', url => $api, auth => 'api_key', credentials => { api_key => 'key-0123456789' } });
    is $made->{status}, 201, 'an integration' or diag $made->{body};
    my %id = (type => 'object', required => ['id'], properties => { id => { type => 'string' } });
    is $admin->post("/api/admin/integrations/$made->{json}{id}/endpoints", { name => 'tried_item', description => 'One item.', url => '/items/{id}', parameters_schema => \%id })->{status}, 201, 'an endpoint';
    is change_endpoint('tried_item', { enabled => JSON::PP::false })->{json}{enabled}, JSON::PP::false, 'that is switched off';
    my $r = $try->('tried_item', id => '7');
    is_deeply [@$r{qw(ok failure http_status)}], [JSON::PP::true, undef, 200], 'is tried all the same' or diag explain $r;
    is_deeply $r->{request}, { method => 'GET', url => "$api/items/7", body => undef, cut => JSON::PP::false,
        headers => { Accept => 'application/json', 'X-API-Key' => '***' } }, 'the request, without the key';
    is $r->{answer}{status}, 200, 'the answer';
    like $r->{answer}{headers}{'Content-Type'}, qr{^application/json}, 'its type';
    is $json->decode($r->{answer}{body})->{path}, '/items/7', 'its body';
    unlike $json->encode($r), qr/key-0123456789/, 'no secret in it';
    is $admin->request('PATCH', "/api/admin/integrations/$made->{json}{id}", {}, '{"settings":{"header":"Accept"}}')->{status}, 200, 'the key in a header that is usually shown';
    is $try->('tried_item', id => '7')->{request}{headers}{Accept}, '***', 'is masked there, too';
    is $admin->request('PATCH', "/api/admin/integrations/$made->{json}{id}", {}, '{"settings":{}}')->{status}, 200, 'as before';
    unlike $stack->sql("SELECT coalesce(string_agg(after::text, ' '), '') FROM audit_log WHERE action = 'POST endpoints/:name/test'"), qr/items/, 'the record has nothing of what was sent and answered';
    is $try->('tried_item', id => '404')->{answer}{status}, 404, 'a refusal is shown as well';
    is $admin->post('/api/admin/endpoints/tried_item/test', { arguments => { id => 7 } })->{json}{field}, 'arguments', 'what does not fit is not sent';
    is $admin->post('/api/admin/endpoints/no_such/test', {})->{status}, 404, 'one that is not there';
    my $calls = $admin->get("/api/admin/integrations/$made->{json}{id}/calls")->{json}{calls};
    is_deeply [map { "$_->{endpoint} $_->{status}" } @$calls], ['tried_item 404', 'tried_item 401', 'tried_item 200'], 'all are in the log of calls';
    is $admin->get('/api/admin/tool-executions?tool=tried_item')->{json}{executions}[2]{status}, 'done', 'and in the tools\' one';

    my $tag = $admin->get('/api/admin/endpoints/tried_item')->{headers}{etag};
    $r = change_endpoint('tried_item', { method => 'POST', url => '/items', config => { wrap => 'item' }, enabled => JSON::PP::true }, $tag);
    is_deeply [@{ $r->{json} }{qw(method url risk enabled description)}], ['POST', '/items', 'write', JSON::PP::true, 'One item.'], 'changed: what writes now is not run by itself' or diag $r->{body};
    is change_endpoint('tried_item', { description => 'Mine.' }, $tag)->{status}, 412, 'only as one has seen it';
    is change_endpoint('tried_item', { url => '/items/{no_such}' })->{json}{field}, 'url', 'what is checked of a new one is checked of a changed one';
    is change_endpoint('tried_item', { query => 'SELECT 1' })->{json}{field}, 'query', 'and it stays what it is';
    $r = $try->('tried_item', id => 'new');
    is $r->{request}{body}, '{"item":{"id":"new"}}', 'the body that was sent' or diag explain $r;
    like $r->{request}{headers}{'Idempotency-Key'}, qr/^test-/, 'of a write';
    my ($audit) = $stack->sql("SELECT before->>'method' || ' ' || (after->>'method') FROM audit_log WHERE action = 'PATCH endpoints/:name' AND after->>'method' = 'POST' ORDER BY id LIMIT 1");
    is $audit, 'GET POST', 'the record has what it was, and is';
    $r = $try->('their_order', number => '1001');
    is_deeply [@{ $r->{request} }{qw(method url)}], ['QUERY', "127.0.0.1:$pg_port/frontdesk"], 'a query, too' or diag explain $r;
    is_deeply $json->decode($r->{request}{body})->{values}, ['1001'], 'with its values';
    ok $r->{answer} && $r->{answer}{body} =~ /rows/, 'and its rows' or diag explain $r;
    is $stack->client(key => $stack->{sk}, origin => undef)->delete_("/api/admin/integrations/$made->{json}{id}")->{status}, 204, 'removed again';
};

sub schema_file {
    open my $out, '>', "$stack->{dir}/schema.json" or die $!;
    print $out '{"type":"object","properties":{}}';
    close $out;
    return "$stack->{dir}/schema.json";
}
subtest 'ENG-11: the keys are changed under it' => sub {
    my $keys = "$stack->{dir}/vault.keys";
    open my $in, '<', $keys or die $!;
    my $old = do { local $/; <$in> };
    $stack->frontdesk(qw(tool add hook --url https://hook.example/ --description x --schema), schema_file(), '--token', 'token-0123456789', '--new-secret', '--org', $org);
    $stack->frontdesk(qw(budget set --alert-webhook https://hook.example/ --alert-secret alert-0123456789012345 --org), $org);
    my $others = "SELECT encode(signing_secret, 'hex') || encode(token, 'hex') || (SELECT encode(alert_webhook_secret, 'hex') FROM org_ai_settings WHERE org_id = '$org') FROM client_tools WHERE tool_name = 'hook'";
    my $sealed = $stack->sql($others);
    ok length $sealed > 300, 'other secrets are there';
    my $before = $stack->sql("SELECT encode(connection_config, 'hex') FROM client_integrations WHERE name = 'rest'");
    like $stack->frontdesk('vault', 'rotate'), qr/credentials are under a new key/, 'rotated';
    is $stack->{status}, 0, 'well';
    my $after = $stack->sql("SELECT encode(connection_config, 'hex') FROM client_integrations WHERE name = 'rest'");
    isnt $after, $before, 'sealed anew';
    my $again = $stack->sql($others);
    is length $again, length $sealed, 'and so are the tools\' and the alerts\' secrets';
    isnt substr($again, $_, 20), substr($sealed, $_, 20), 'under the new key' for 0, length($sealed) - 300;
    is call('item', { id => 'rotated' })->{json}{path}, '/items/rotated', 'and usable at once, by a worker that runs';
    is((stat $keys)[2] & 07777, 0400, 'the file is its owner\'s');
    rename $keys, "$keys.new";
    open my $out, '>', $keys or die $!;
    print $out $old;
    close $out;
    chmod 0400, $keys;
    like call('item', { id => 'old key' })->{told}, qr/"error"/, 'the old key opens nothing';
    rename "$keys.new", $keys;
    is call('item', { id => 'new key' })->{json}{path}, '/items/new%20key', 'the new one does';
};

subtest 'ENG-11: no secret in the database, in Redis or in a log' => sub {
    my @secrets = qw(shpat_0123456789abcdef cs_fedcba9876543210 key-0123456789 app-secret-123 pw-0123456789 tok-1);
    my ($host) = $stack->stack('environment', 'x') =~ /FRONTDESK_OWNER_DATABASE_URL='host=(\S+)/;
    my $dump = qx(pg_dump -h '$host' -U frontdesk_owner frontdesk 2>&1);
    like $dump, qr/client_integrations/, 'a dump';
    my $logs = join '', map { $stack->log_text($_) } qw(worker-1.log admin.log nginx-error.log access.log);
    my $redis = join "\n", map { $_ . ' ' . (eval { $stack->redis('live', 'GET', $_) } // '') } @{ $stack->redis('live', 'KEYS', 'fd:int:*') };
    for my $secret (@secrets) {
        ok index($dump, $secret) < 0, "$secret is not in the dump";
        ok index($logs, $secret) < 0, 'nor in a log';
        ok index($redis, $secret) < 0, 'nor in the cache';
    }
    unlike $logs, qr/ada\@example\.com/, 'nor does a log know whom a call was about';
};

$stack->finish;
done_testing;
