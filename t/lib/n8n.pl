#!/usr/bin/perl

# A stand-in for n8n's webhook server, as n8n 2.8 answers on the wire (its Webhook and
# Respond to Webhook nodes), with its failures on demand. Written apart from the code
# that calls it; real n8n: `make test-n8n`.
#
#     n8n.pl PORT JOURNAL
#
# POST /webhook/<workflow>; active workflows, besides the four of conf/n8n-workflows
# (get_order_status, book_appointment, check_inventory, get_product_info):
#
#   items array wrapped data     the same answer in n8n's shapes
#   text html json-as-html       other content types
#   empty                        no Respond node was reached: 200 {}
#   nothing                      200 without a body
#   started                      responds immediately
#   error                        the workflow failed: 500 without a reason
#   unconfigured                 a Webhook node without its credential: 500 text
#   guarded                      Header Auth; the value is "open sesame": 403 text
#   failed                       {ok: false, error: ...}    refused: the same under 404
#   say                          {ok, data, say}
#   slow                         answers after ?s= seconds (40); what it does, it does
#   later                        {pending}, the outcome goes to callback_url after ?ms= (300)
#   huge                         ?bytes= of data (3000000)
#   redirect cut stream invalid  a 302, half an answer, NDJSON, broken JSON
#   echo                         what it was sent
#
# Another path: 404 with n8n's hint; /webhook-test/: the hint of test URLs. Every execution is
# a line of the journal: {execution, workflow, method, headers, raw, body, duplicate}; a
# workflow whose idempotency key was seen answers the same and says so in the journal, as the
# first node of every demo does.

use strict;
use warnings;

use Fcntl qw(:flock SEEK_SET);
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

my ($port, $journal) = @ARGV;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $parent = $$;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

my $listener = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";

# -- answers, as express sends them ------------------------------------------------------

my %reason = (200 => 'OK', 204 => 'No Content', 302 => 'Found', 403 => 'Forbidden', 404 => 'Not Found',
    500 => 'Internal Server Error');

sub reply {
    my ($client, $status, $type, $body, %header) = @_;
    my $head = "HTTP/1.1 $status $reason{$status}\r\n";
    $head .= "Content-Type: $type\r\n" if defined $type;
    $head .= "$_: $header{$_}\r\n" for sort keys %header;
    $head .= 'Content-Length: ' . length($body) . "\r\nVary: Accept-Encoding\r\n"
        . "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n";
    print $client $head, $body;
    return;
}

sub reply_json {
    my ($client, $status, $data) = @_;
    reply($client, $status, 'application/json; charset=utf-8', $json->encode($data));
    return;
}

my $production_hint = "The workflow must be active for a production URL to run successfully. You can activate the "
    . "workflow using the toggle in the top-right of the editor. Note that unlike test URL calls, production URL "
    . "calls aren't shown on the canvas (only in the executions list)";
my $test_hint = "Click the 'Execute workflow' button on the canvas, then try again. (In test mode, the webhook only "
    . "works for one call after you click this button)";

sub not_registered {
    my ($client, $method, $path, $hint) = @_;
    reply_json($client, 404, {
        code    => 404,
        message => qq(The requested webhook "$method $path" is not registered.),
        hint    => $hint,
    });
    return;
}

# -- the journal ---------------------------------------------------------------------------

# Appends the execution; the number of the first with its idempotency key.
sub note {
    my ($line) = @_;
    open my $file, '+>>', $journal or die "$journal: $!";
    flock $file, LOCK_EX;
    seek $file, 0, SEEK_SET;
    my ($count, $first) = (0);
    my $key = $line->{headers}{'idempotency-key'};
    while (<$file>) {
        my $other = $json->decode($_);
        $count++;
        $first //= $other->{execution} if defined $key && ($other->{headers}{'idempotency-key'} // '') eq $key
            && $other->{workflow} eq $line->{workflow};
    }
    $line->{execution} = $count + 1;
    $line->{duplicate} = $first ? JSON::PP::true() : JSON::PP::false();
    print $file $json->encode($line), "\n";
    close $file;
    return $first // $line->{execution};
}

# -- workflows -------------------------------------------------------------------------------

my %stock = ('MUG-BLUE' => 12, 'MUG-RED' => 0);
my %order = (1001 => { order_number => '1001', status => 'shipped', carrier => 'DHL', email => 'dana@example.com' });

sub fault {
    my ($code, $message, $retryable) = @_;
    return { ok => JSON::PP::false(), error => { code => $code, message => $message,
        retryable => $retryable ? JSON::PP::true() : JSON::PP::false() } };
}
sub success { my ($data, %more) = @_; return { ok => JSON::PP::true(), data => $data, %more }; }

my %demo = (
    get_order_status => sub {
        my ($args) = @_;
        my ($number) = ($args->{order_number} // '') =~ /(\d+)/;
        my $found = $order{ $number // '' };
        return fault('order_not_found', 'There is no such order for this address.')
            unless $found && lc($args->{email} // '') eq $found->{email};
        return success($found);
    },
    book_appointment => sub {
        my ($args, $execution) = @_;
        return fault('slot_taken', 'This time is taken; 10:00 is free.') if $args->{time} eq '09:00';
        return success({ booking_id => "B-$execution", date => $args->{date}, time => $args->{time} },
            say => "Booked for $args->{date} at $args->{time}.");
    },
    check_inventory => sub {
        my ($args) = @_;
        my $sku = $args->{sku} // '';
        return fault('unknown_product', 'There is no such product.') unless exists $stock{$sku};
        return success({ sku => $sku, in_stock => $stock{$sku} });
    },
    get_product_info => sub {
        return success([{ sku => 'MUG-BLUE', name => 'Blue mug', price => '12.00', currency => 'EUR' }]);
    },
);

my $row = { status => 'shipped', n => 1 };
my %special = (
    items   => sub { reply_json($_[0], 200, [{ json => $row, pairedItem => { item => 0 } }]) },
    array   => sub { reply_json($_[0], 200, [{ json => { n => 1 } }, { json => { n => 2 } }]) },
    wrapped => sub { reply_json($_[0], 200, [[{ data => [$row] }]]) },
    data    => sub { reply_json($_[0], 200, { data => $row }) },
    text    => sub { reply($_[0], 200, 'text/plain', "Shipped.\nBy DHL.") },
    html    => sub {
        reply($_[0], 200, 'text/html; charset=utf-8',
            '<html><head><style>b{}</style></head><body><script>alert(1)</script><h1>Order 1001</h1>'
            . '<p>Shipped &amp; on its&nbsp;way</p></body></html>',
            'Content-Security-Policy' => 'sandbox allow-downloads');
    },
    'json-as-html' => sub { reply($_[0], 200, 'text/html; charset=utf-8', '{"ok":true,"data":{"n":1}}') },
    empty        => sub { reply_json($_[0], 200, {}) },
    nothing      => sub { reply($_[0], 200, undef, '') },
    started      => sub { reply_json($_[0], 200, { message => 'Workflow was started' }) },
    error        => sub { reply_json($_[0], 500, { message => 'Error in workflow' }) },
    unconfigured => sub { reply($_[0], 500, 'text/html; charset=utf-8', 'No authentication data defined on node!') },
    failed       => sub { reply_json($_[0], 200, fault('out_of_stock', 'Nothing is left.', 0)) },
    refused      => sub { reply_json($_[0], 404, fault('order_not_found', 'There is no such order.', 0)) },
    say          => sub { reply_json($_[0], 200, success($row, say => 'It is on its way.')) },
    redirect     => sub { reply($_[0], 302, 'text/plain', 'Found', Location => '/webhook/text') },
    invalid      => sub { reply($_[0], 200, 'application/json; charset=utf-8', '{"ok": true, "data": {') },
    stream       => sub {
        reply($_[0], 200, 'application/json; charset=utf-8',
            qq({"type":"begin","metadata":{"nodeId":"1"}}\n{"type":"item","content":"hi"}\n{"type":"end"}\n));
    },
    cut => sub {
        my ($client) = @_;
        print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"ok\":true,";
    },
    huge => sub { reply_json($_[0], 200, success('x' x ($_[1]{query}{bytes} || 3_000_000))) },
    slow => sub {
        my ($client, $request) = @_;
        my $until = time + ($request->{query}{s} || 40);
        while (time < $until && getppid() == $parent) { sleep 0.05; }
        reply_json($client, 200, success($row));
    },
    later => sub {
        my ($client, $request) = @_;
        reply_json($client, 200, { ok => JSON::PP::true(), pending => JSON::PP::true() });
        close $client;
        sleep(($request->{query}{ms} // 300) / 1000);
        call_back($request->{body}{callback_url}, success({ booking_id => 'B-2' })) if $request->{body}{callback_url};
    },
    echo => sub {
        my ($client, $request) = @_;
        reply_json($client, 200, success({ args => $request->{body}{args}, visitor => $request->{body}{visitor} }));
    },
);

sub call_back {
    my ($url, $outcome) = @_;
    my ($host, $path) = $url =~ m{^http://([^/]+)(/.*)$} or return;
    my $s = IO::Socket::INET->new(PeerAddr => $host) or return;
    my $body = $json->encode($outcome);
    print $s "POST $path HTTP/1.1\r\nHost: $host\r\nContent-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\nConnection: close\r\n\r\n$body";
    my $answer = do { local $/; <$s> } // '';
    note({ workflow => 'callback', method => 'POST', headers => {}, raw => $body, body => $outcome,
        status => $answer =~ m{^HTTP/1\.\d (\d+)} ? $1 + 0 : 0 });
    return;
}

# -- requests --------------------------------------------------------------------------------

sub read_request {
    my ($client) = @_;
    my $in = '';
    until ($in =~ /\r\n\r\n/) { return unless sysread $client, $in, 65536, length $in; }
    my ($head, $raw) = split /\r\n\r\n/, $in, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my ($method, $target) = $first =~ m{^(\S+) (\S+) HTTP/} or return;
    my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;
    while (length($raw) < ($headers{'content-length'} || 0)) {
        return unless sysread $client, $raw, 65536, length $raw;
    }
    my ($path, $query) = split /\?/, $target, 2;
    return { method => $method, path => $path, headers => \%headers, raw => $raw,
        body => eval { $json->decode($raw) }, query => { map { split /=/, $_, 2 } split /&/, $query // '' } };
}

sub serve {
    my ($client) = @_;
    my $r = read_request($client) or return;
    my ($kind, $name) = $r->{path} =~ m{^/(webhook|webhook-test)/(.*)$};
    return reply($client, 404, 'text/html; charset=utf-8', "Cannot $r->{method} $r->{path}") unless $kind;
    return not_registered($client, $r->{method}, $name, $test_hint) if $kind eq 'webhook-test';
    return not_registered($client, $r->{method}, $name, $production_hint)
        unless $demo{$name} || $special{$name} || $name eq 'guarded';
    return reply_json($client, 404, { code => 404,
        message => "This webhook is not registered for $r->{method} requests. Did you mean to make a POST request?" })
        unless $r->{method} eq 'POST';
    return reply($client, 403, 'text/html; charset=utf-8', 'Authorization data is wrong!',
        'WWW-Authenticate' => 'Basic realm="Webhook"')
        if $name eq 'guarded' && ($r->{headers}{'x-frontdesk-token'} // '') ne 'open sesame';
    my $execution = note({ workflow => $name, map { ($_ => $r->{$_}) } qw(method headers raw body) });
    return $special{$name}->($client, $r) if $special{$name};
    my $answer = ($demo{$name} || sub { success($row) })->($r->{body}{args} || {}, $execution);
    return reply_json($client, 200, $answer);
}

while (1) {
    my $client = $listener->accept or next;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        close $listener;
        $client->autoflush(1);
        serve($client);
        close $client;
        exit 0;
    }
    close $client;
}
