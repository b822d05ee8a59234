# Bodies however they come: chunked, byte by byte, pipelined, HTTP/1.0, 100-continue,
# at the bound and one byte beyond, HTTP/2.  EDGE-5, EDGE-6
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::H2;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $h2_port = Frontdesk::Stack::free_port();
my $stack = Frontdesk::Stack->new(env => {
    STACK_NGINX_WORKERS => 1,
    STACK_HTTP_EXTRA    => 'frontdesk_read_rate 0; frontdesk_start_rate 0; frontdesk_session_rate 60000; keepalive_requests 100000;',
    STACK_SERVERS_EXTRA => 'server { ' . Frontdesk::Stack::listen_http2($h2_port) . ' location /api/v1/ { frontdesk_api; } }',
});
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client;
my $chat = '/api/v1/chat';
my $question = '{"message":"hello @{\"tokens\":2}@"}';
my $answer = 'word1 word2 ';

sub padded { my ($size) = @_; my $json = $question; substr($json, -1, 0) = ' ' x ($size - length $json); return $json; }

# A request whose bytes go out as the caller says; the answer(s) until the server closes.
sub raw {
    my (@pieces) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $s = $client->connect_;
    for my $piece (@pieces) {
        if (ref $piece) { sleep $$piece; next; }
        while (length $piece) {
            my $n = syswrite $s, $piece or last;
            substr($piece, 0, $n) = '';
        }
    }
    my ($text, $end) = ('', time + 10);
    while (time < $end && IO::Select->new($s)->can_read($end - time)) {
        sysread($s, $text, 65536, length $text) or last;
    }
    return $text;
}

sub head {
    my (%headers) = @_;
    my $version = delete $headers{version} || '1.1';
    my $head = $client->head(POST => $chat, { 'Content-Type' => 'application/json', %headers });
    $head =~ s{HTTP/1\.1}{HTTP/$version};
    return $head;
}

# The same for a body that never comes: nginx waits for it after its answer.
sub at_once {
    my ($head) = @_;
    my $s = $client->connect_;
    syswrite $s, $head;
    my $stream = Frontdesk::Client::Stream->new($s, 2);
    $stream->read_head;
    $stream->read_all;
    return $stream;
}

sub statuses { my ($text) = @_; return join ' ', $text =~ m{HTTP/1\.1 (\d{3})}g; }
sub answered { my ($text, $n) = @_; return scalar(() = $text =~ /"response":"word1 word2\s*"/g) == ($n || 1); }
sub problem { my ($text) = @_; return $text =~ m{^content-type: application/problem\+json}mi && $text =~ /^access-control-allow-origin:/mi; }
sub chunks { my ($body, $size) = @_; return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack "(a$size)*", $body) . "0\r\n\r\n"; }

# -- framing ------------------------------------------------------------------

for my $size (1, 2, 7, 100, 65536) {
    my $text = raw(head('Transfer-Encoding' => 'chunked') . chunks(padded($size == 1 ? 3000 : 20000), $size));
    ok statuses($text) eq '200' && answered($text), "EDGE-5: chunks of $size" or diag substr $text, 0, 400;
}
{
    my $body = chunks($question, 9);
    $body =~ s/^([0-9a-f]+)\r/"$1;name=\"value\"\r"/gme;
    $body =~ s/0\r\n\r\n$/0\r\nTrailer: x\r\n\r\n/;
    like statuses(raw(head('Transfer-Encoding' => 'chunked') . $body)), qr/^(?:200|400)$/, 'chunk extensions and trailers: answered or refused';
}

subtest 'EDGE-5: byte by byte' => sub {
    my $request = head('Content-Length' => length $question) . $question;
    my $text = raw(map { ($_, \0.0005) } split //, $request);
    ok statuses($text) eq '200' && answered($text), 'the whole request';
    $text = raw(map { ($_, \0.0005) } split //, head('Transfer-Encoding' => 'chunked') . chunks($question, 5));
    ok statuses($text) eq '200' && answered($text), 'chunked';
    my $large = padded(60000);
    $text = raw(head('Content-Length' => length $large), map { ($_, \0.002) } $large =~ /(.{1,1001})/gs);
    ok statuses($text) eq '200' && answered($text), '60,000 bytes in pieces';
    my $bad = $question =~ s/\}$//r;
    $text = raw(head('Content-Length' => length $bad), map { ($_, \0.0005) } split //, $bad);
    ok statuses($text) eq '400' && problem($text), 'and one that does not end';
};

subtest 'EDGE-5: at the bound and beyond it' => sub {
    for my $chunked (0, 1) {
        my $send = sub {
            my ($body) = @_;
            return $chunked ? raw(head('Transfer-Encoding' => 'chunked') . chunks($body, 4000))
                : raw(head('Content-Length' => length $body) . $body);
        };
        my $how = $chunked ? 'chunked' : 'by length';
        my $text = $send->(padded(65536));
        ok statuses($text) eq '200' && answered($text), "$how: 65,536 bytes are taken" or diag substr $text, 0, 300;
        for my $size (65537, 65536 * 2, 3_000_000) {
            $text = $send->(padded($size));
            ok statuses($text) eq '413' && problem($text), "$how: $size are not" or diag substr $text, 0, 300;
        }
    }
    my $s = at_once(head('Content-Length' => 99_999_999_999));
    is $s->{status}, 413, 'a length beyond all measure is refused at once';
    for my $length ('-1', 'x', '99999999999999999999999') {
        is statuses(raw(head('Content-Length' => $length))), '400', "Content-Length: $length";
    }
};

subtest 'EDGE-5: broken and ambiguous framing' => sub {
    my %bad = (
        'a chunk size of no number' => head('Transfer-Encoding' => 'chunked') . "zz\r\n",
        'a chunk that is too long'  => head('Transfer-Encoding' => 'chunked') . "5\r\n{\"mess\r\n0\r\n\r\n",
        'an endless chunk size'     => head('Transfer-Encoding' => 'chunked') . "ffffffffffffffffff\r\n",
        'two lengths'               => head('Content-Length' => 5) =~ s/(Content-Length: )5/${1}5\r\n${1}6/r . 'x' x 6,
        'length and chunks'         => head('Content-Length' => 5, 'Transfer-Encoding' => 'chunked') . chunks($question, 9),
        'another transfer encoding' => head('Transfer-Encoding' => 'gzip, chunked') . chunks($question, 9),
    );
    for my $name (sort keys %bad) {
        my $text = raw($bad{$name});
        is statuses($text), '400', $name or diag substr $text, 0, 300;
    }
    my $before = { @{ $stack->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}') } }->{'entries-added'};
    my $s = $client->connect_;
    syswrite $s, head('Content-Length' => 500) . substr $question, 0, 20;
    sleep 0.1;
    close $s;
    sleep 0.2;
    is { @{ $stack->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}') } }->{'entries-added'}, $before, 'a client that leaves in its body makes no job';
};

subtest 'EDGE-5: pipelined requests are answered in order' => sub {
    my @text = map { "{\"message\":\"number $_ \@{\\\"text\\\":\\\"answer $_.\\\"}\@\"}" } 1 .. 6;
    my @all = map { head(Connection => $_ == 5 ? 'close' : 'keep-alive', 'Content-Length' => length $text[$_]) . $text[$_] } 0 .. 5;
    my $text = raw(join '', @all);
    is statuses($text), '200 200 200 200 200 200', 'all';
    is join(' ', $text =~ /"response":"answer (\d)\.\s*"/g), '1 2 3 4 5 6', 'in order';
    my $mixed = head(Connection => 'keep-alive', 'Content-Length' => 1) . '{'
        . head(Connection => 'keep-alive', 'Transfer-Encoding' => 'chunked') . chunks($question, 3)
        . $client->head(GET => '/api/v1/config', { Connection => 'keep-alive' })
        . head(Connection => 'keep-alive', 'Content-Type' => 'text/plain', 'Content-Length' => length $question) . $question
        . $client->head(OPTIONS => $chat, { Connection => 'keep-alive' })
        . $client->head(GET => '/api/v1/nope', {});
    is statuses(raw($mixed)), '400 200 200 415 204 404', 'errors do not put them out of step';
    my $stream = $question =~ s/\}$/,"stream":true}/r;
    $text = raw(head(Connection => 'keep-alive', 'Content-Length' => length $stream) . $stream
        . head('Content-Length' => length $question) . $question);
    is statuses($text), '200 200', 'behind a stream';
    ok answered($text) && $text =~ /event: done/, 'both whole';
};

subtest 'EDGE-5: HTTP/1.0' => sub {
    my $text = raw(head(version => '1.0', 'Content-Length' => length $question) . $question);
    ok statuses($text) eq '200' && answered($text), 'an answer';
    unlike $text, qr/^transfer-encoding:/mi, 'not chunked';
    my $stream = $question =~ s/\}$/,"stream":true}/r;
    $text = raw(head(version => '1.0', 'Content-Length' => length $stream) . $stream);
    like $text, qr/^content-type: text\/event-stream/mi, 'a stream';
    like $text, qr/event: done\n/, 'to its end';
};

subtest 'EDGE-5: Expect: 100-continue' => sub {
    my $s = $client->connect_;
    syswrite $s, head(Expect => '100-continue', 'Content-Length' => length $question);
    my $text = '';
    while ($text !~ /\r\n\r\n/) { last unless IO::Select->new($s)->can_read(5); sysread $s, $text, 65536, length $text or last; }
    like $text, qr{^HTTP/1\.1 100 }, 'invited';
    syswrite $s, $question;
    while (IO::Select->new($s)->can_read(5)) { sysread $s, $text, 65536, length $text or last; }
    ok statuses($text) eq '100 200' && answered($text), 'and answered';
    my %refused = (413 => { 'Content-Length' => 70000 }, 415 => { 'Content-Type' => 'text/plain', 'Content-Length' => 9 },
                   401 => { 'X-Api-Key' => 'fd_pk_x', 'Content-Length' => 9 });
    is at_once(head(Expect => '100-continue', %{ $refused{$_} }))->{status}, $_, "$_ without an invitation" for sort keys %refused;
};

subtest 'EDGE-5: encodings and types' => sub {
    for my $encoding (qw(gzip br deflate zstd), 'gzip, identity') {
        my $r = $client->post($chat, $question, { 'Content-Encoding' => $encoding });
        is "$r->{status} $r->{json}{code}", '415 media-type', "Content-Encoding: $encoding";
    }
    is $client->post($chat, $question, { 'Content-Encoding' => $_ })->{status}, 200, "Content-Encoding: $_" for qw(identity IDENTITY);
    my %type = ('application/json; charset=utf-8' => 200, 'application/json;charset="UTF-8"' => 200, 'APPLICATION/JSON' => 200,
                'application/json; charset=latin1' => 415, 'application/jsonx' => 415, 'text/plain' => 415,
                'application/x-www-form-urlencoded' => 415, 'multipart/form-data; boundary=x' => 415, 'json' => 415);
    is $client->post($chat, $question, { 'Content-Type' => $_ })->{status}, $type{$_}, $_ for sort keys %type;
    is statuses(raw(head('Content-Type' => '', 'Content-Length' => length $question) . $question)), '415', 'no type at all';
};

opendir my $spool, "$stack->{dir}/nginx/body" or die "body: $!";
is join(' ', grep { !/^\./ } readdir $spool), '', 'no body was written to a file';

# -- HTTP/2 ----------------------------------------------------------------------

my %h2 = ('x-api-key' => $stack->{pk}, origin => $stack->{origin}, 'content-type' => 'application/json');
my $h2_url = "http://127.0.0.1:$h2_port$chat";

subtest 'EDGE-6: HTTP/2 as curl speaks it' => sub {
    my @curl = ('curl', '-sN', '--max-time', 20, '--http2-prior-knowledge', map { ('-H', "$_: $h2{$_}") } sort keys %h2);
    open my $in, '-|', @curl, '-w', '\n%{http_code} %{http_version}', '-d', $question =~ s/\}$/,"stream":true}/r, $h2_url or die "curl: $!";
    my $text = do { local $/; <$in> };
    close $in;
    like $text, qr/\n200 2$/, 'HTTP/2';
    is join('', map { JSON::PP::decode_json($_)->{text} } $text =~ /^event: delta\ndata: (.*)$/mg), $answer, 'the whole answer';
    like $text, qr/event: done\n/, 'to its end';

    my $h2 = Frontdesk::H2->new(port => $h2_port);
    my @s = map { $h2->request(POST => $chat, \%h2, $question) } 1 .. 8;
    $h2->finish($_) for @s;
    is scalar(grep { $_->{status} == 200 && answered($_->{body}) } @s), 8, '8 at once on one connection';
};

subtest 'EDGE-5: HTTP/2 bodies in pieces, at the bound and beyond it' => sub {
    my $h2 = Frontdesk::H2->new(port => $h2_port);
    my $s = $h2->request(POST => $chat, \%h2, undef, more => 1);
    $h2->data($s->{id}, $_, 0), sleep 0.002 for split //, $question;
    $h2->data($s->{id}, '', 1);
    $h2->finish($s);
    ok $s->{status} == 200 && answered($s->{body}), 'byte by byte, without a length';
    for my $length (0, 1) {
        for my $size (65536, 65537, 200_000) {
            my $body = padded($size);
            my $one = Frontdesk::H2->new(port => $h2_port);
            $one->turn(1) for 1 .. 3; # the server's settings: its window for us
            my $r = $one->request(POST => $chat, { %h2, $length ? ('content-length' => $size) : () }, undef, more => 1);
            my $sent = 0;
            while ($sent < $size && !$r->{ended}) {
                my $piece = substr $body, $sent, 8192;
                $sent += length $piece;
                $one->data($r->{id}, $piece, $sent == $size) or last;
                $one->turn(0.01);
            }
            $one->finish($r);
            my $expected = $size > 65536 ? 413 : 200;
            is $r->{status}, $expected, "$size bytes " . ($length ? 'by length' : 'without a length');
            $one->close;
        }
    }
};

subtest 'EDGE-6: HTTP/2 streams end alone' => sub {
    my $h2 = Frontdesk::H2->new(port => $h2_port);
    my $long = '{"message":"Long @{\"tokens\":60,\"gap_ms\":20}@","stream":true,"session_id":"%s"}';
    my @session = map { $client->post('/api/v1/sessions/start', '{}')->{json}{session_id} } 1 .. 3;
    my @s = map { $h2->request(POST => $chat, \%h2, sprintf $long, $_) } @session;
    ok $h2->until(sub { 3 == grep { $_->{body} =~ /event: delta/ } @s }, 5), 'three streams of one connection';
    my ($cut) = map { $stack->redis('jobs', 'GET', "fd:sess:{0}:$stack->{org}:$_") } $session[0];
    $h2->reset($s[0]{id});
    ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 2 }, 3), 'one is reset';
    $h2->finish($_, 10) for @s[1, 2];
    my $whole = join '', map { "word$_ " } 1 .. 60;
    for my $s (@s[1, 2]) {
        is join('', map { JSON::PP::decode_json($_)->{text} } $s->{body} =~ /^event: delta\ndata: (.*)$/mg), $whole, 'another goes on to its end';
    }
    my $again = $client->resume($cut, $session[0]);
    $again->run(30);
    is $again->{text}, $whole, 'and the answer of the one that was reset is there';
    my $more = $h2->request(POST => $chat, \%h2, $question);
    $h2->finish($more);
    ok answered($more->{body}), 'the connection lives';

    for my $moment (0, 0.01, 0.1) {
        my $gone = Frontdesk::H2->new(port => $h2_port);
        $gone->request(POST => $chat, \%h2, sprintf($long, $_)) for @session;
        $gone->turn($moment) if $moment;
        sleep $moment;
        $gone->close;
        for (@session) { my $session = $_; $stack->until(sub { !$stack->redis('jobs', 'EXISTS', "fd:sess:{0}:$stack->{org}:$session") }, 10); }
    }
    my $half = Frontdesk::H2->new(port => $h2_port);
    my $body = $half->request(POST => $chat, \%h2, undef, more => 1);
    $half->data($body->{id}, '{"mess', 0);
    $half->reset($body->{id});
    my $other = $half->request(POST => $chat, \%h2, $question);
    $half->finish($other);
    ok answered($other->{body}), 'a reset in the middle of a body';
    ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 }, 8), 'nothing is left open';
};

$stack->finish;
done_testing;
