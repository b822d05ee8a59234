# Bad input: every malformed request gets a problem document that names the field,
# with CORS headers, and no job.  EDGE-1, EDGE-2, EDGE-5, EDGE-7
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef);
$stack->start;
my $client = $stack->client;

sub queued { return $stack->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}')->[7] // ''; }
sub added { my %i = @{ $stack->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}') }; return $i{'entries-added'}; }

sub refused {
    my ($name, $r, $status, $field, $detail) = @_;
    subtest $name => sub {
        is $r->{status}, $status, 'status' or diag $r->{body};
        like $r->{headers}{'content-type'}, qr{^application/problem\+json}, 'problem+json';
        is $r->{json}{status}, $status, 'status in the body';
        ok $r->{json}{type} && $r->{json}{title}, 'type and title';
        is $r->{json}{field}, $field, 'names the field' if defined $field;
        like "$r->{json}{title} " . ($r->{json}{detail} // ''), $detail, 'says what is wrong' if $detail;
        ok $r->{headers}{'access-control-allow-origin'}, 'CORS header on the error' if $name !~ /foreign origin/;
        like $r->{headers}{vary} // '', qr/Origin/i, 'Vary: Origin';
    };
    return;
}

my $warm = $client->post('/api/v1/chat', { message => 'hello' });
is $warm->{status}, 200, 'a good question passes' or diag $warm->{body};
my $before = added();

my $deep = '{"message":"x","context":' . ('[' x 40) . (']' x 40) . '}';
my @body = (
    ['not JSON',              'hello', 400],
    ['empty body',            '', 400],
    ['cut JSON',              '{"message":"x"', 400],
    ['text after it',         '{"message":"x"} x', 400],
    ['an array',              '["message"]', 422],
    ['a comment',             '{"message":"x"/*c*/}', 400],
    ['no message',            '{}', 422, 'message'],
    ['message a number',      '{"message":5}', 422, 'message'],
    ['message null',          '{"message":null}', 422, 'message'],
    ['message empty',         '{"message":""}', 422, 'message'],
    ['message only spaces',   '{"message":"   "}', 422, 'message'],
    ['message too long',      '{"message":"' . ('x' x 20000) . '"}', 422, 'message'],
    ['unknown field',         '{"message":"x","mesage":"y"}', 422, 'mesage'],
    ['stream a string',       '{"message":"x","stream":"yes"}', 422, 'stream'],
    ['context a string',      '{"message":"x","context":"y"}', 422, 'context'],
    ['context unknown field', '{"message":"x","context":{"page":"y"}}', 422, 'context.page'],
    ['page_url not a URL',    '{"message":"x","context":{"page_url":"javascript:alert(1)"}}', 422, 'context.page_url'],
    ['too deep',              $deep, 400, undef, qr/deep|nest/i],
    ['duplicate key',         '{"message":"x","message":"y"}', 400, undef, qr/twice|duplicate/i],
    ['NUL in a string',       '{"message":"a\u0000b"}', 400, undef, qr/NUL|null character|U\+0000/i],
    ['invalid UTF-8',         "{\"message\":\"\xff\xfe\"}", 400, undef, qr/UTF-8/i],
    ['overlong UTF-8',        "{\"message\":\"\xc0\xaf\"}", 400, undef, qr/UTF-8/i],
    ['lone surrogate',        '{"message":"\udfaa"}', 400],
    ['session_id malformed',  '{"message":"x","session_id":"abc"}', 422, 'session_id'],
    ['session_id invented',   '{"message":"x","session_id":"' . ('A' x 32) . '"}', 404],
    ['model_id a number',     '{"message":"x","model_id":1}', 422, 'model_id'],
    ['client_message_id too long', '{"message":"x","client_message_id":"' . ('x' x 300) . '"}', 422, 'client_message_id'],
);
for my $case (@body) {
    my ($name, $text, $status, $field, $detail) = @$case;
    refused("body: $name", $client->post('/api/v1/chat', $text), $status, $field, $detail);
}

my $chat = '{"message":"x"}';
refused('too large', $client->post('/api/v1/chat', '{"message":"' . ('x' x 70000) . '"}'), 413);
refused('chunked and too large', do {
    my $s = $client->open('POST', '/api/v1/chat', { 'Transfer-Encoding' => 'chunked', 'Content-Length' => '', 'Content-Type' => 'application/json' },
        join('', map { "1000\r\n" . ('x' x 4096) . "\r\n" } 1 .. 20) . "0\r\n\r\n");
    $s->read_all; { status => $s->{status}, headers => $s->{headers}, json => eval { JSON::PP::decode_json($s->{body}) }, body => $s->{body} };
}, 413);
refused('wrong type', $client->post('/api/v1/chat', $chat, { 'Content-Type' => 'text/plain' }), 415);
refused('wrong method', $client->get('/api/v1/chat'), 405);
refused('unknown path', $client->get('/api/v1/nothing'), 404);

# keys
my $bare = $stack->client(key => undef);
refused('no key', $bare->post('/api/v1/chat', $chat), 401);
refused('malformed key', $bare->post('/api/v1/chat', $chat, { 'X-Api-Key' => 'fd_pk_nonsense' }), 401);
my $wrong = $stack->{pk};
$wrong =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/e;
refused('wrong checksum', $bare->post('/api/v1/chat', $chat, { 'X-Api-Key' => $wrong }), 401);
refused('secret key in a URL', $bare->get("/api/v1/config?client_api_key=$stack->{sk}"), 403) if 0;
is $bare->post('/api/v1/chat', $chat, { Authorization => "Bearer $stack->{pk}" })->{status}, 200, 'EDGE-1: Bearer';
is $bare->post('/api/v1/chat', { message => 'x', client_api_key => $stack->{pk} })->{status}, 200, 'EDGE-1: client_api_key in the body';
is $stack->client(key => $stack->{sk}, origin => undef)->post('/api/v1/chat', $chat)->{status}, 200, 'a secret key needs no Origin';
$before += 3;

# origins
for my $origin ('https://evil.example', 'null', 'https://shop.example.evil.com', 'http://shop.example', 'https://shop.example:444',
                'https://shopxexample', 'https://user@shop.example', 'https://shop.example.', 'https://shop.example/x') {
    my $r = $stack->client(origin => $origin)->post('/api/v1/chat', $chat);
    refused("foreign origin $origin", $r, 403);
    is $r->{headers}{'access-control-allow-origin'}, undef, 'no CORS for it';
}

# jobs and sessions of others
my $none = '0-' . ('0' x 32);
refused('unknown job', $client->get("/api/v1/chat/$none/events", { 'X-Frontdesk-Session' => $warm->{json}{session_id} }), 404);
refused('malformed job', $client->get('/api/v1/chat/xyz/events', { 'X-Frontdesk-Session' => $warm->{json}{session_id} }), 404);
refused('cancel of an unknown job', $client->post("/api/v1/chat/$none/cancel", '{}', { 'X-Frontdesk-Session' => $warm->{json}{session_id} }), 404);
refused('history of an invented session', $client->get('/api/v1/sessions/' . ('B' x 32) . '/history'), 404);
refused('history: limit', $client->get("/api/v1/sessions/$warm->{json}{session_id}/history?limit=0"), 400, 'limit');
refused('history: cursor', $client->get("/api/v1/sessions/$warm->{json}{session_id}/history?cursor=%00"), 400, 'cursor');

my $mine = $client->chat({ message => 'Hours?' });
$before++;
my $other = $client->post('/api/v1/sessions/start', '{}');
is $other->{status}, 200, 'a second session';
refused('another session\'s job', $client->get("/api/v1/chat/$mine->{job}/events", { 'X-Frontdesk-Session' => $other->{json}{session_id} }), 404);
for my $id ('abc', '1', '1-', '-1', '1-99999999999999999999', '01-0', "1-1 ", '1-1;x') {
    next if $id =~ / $/;
    refused("Last-Event-ID $id", $client->get("/api/v1/chat/$mine->{job}/events",
        { 'X-Frontdesk-Session' => $mine->{session}, 'Last-Event-ID' => $id }), 400);
}
refused('Idempotency-Key too long', $client->post('/api/v1/chat', $chat, { 'Idempotency-Key' => 'k' x 300 }), 400);

# another organisation
my ($org2) = $stack->sql("INSERT INTO organizations (name) VALUES ('Other') RETURNING id");
my ($key2) = $stack->frontdesk('key', 'create', '--org', $org2, '--name', 'other', '--kind', 'pk', '--origin', $stack->{origin}) =~ /(fd_pk_\w+)/;
ok $key2, 'a key of another organisation';
my $foreign = $stack->client(key => $key2);
my $ours = $foreign->get("/api/v1/chat/$mine->{job}/events", { 'X-Frontdesk-Session' => $mine->{session} });
my $missing = $foreign->get("/api/v1/chat/$none/events", { 'X-Frontdesk-Session' => $mine->{session} });
refused('EDGE-7: another org\'s job', $ours, 404);
delete $_->{json}{request_id} for $ours, $missing;
is_deeply $ours->{json}, $missing->{json}, 'looks exactly like a missing one';
refused('another org\'s session', $foreign->post('/api/v1/chat', { message => 'x', session_id => $mine->{session} }), 404);
refused('another org\'s history', $foreign->get("/api/v1/sessions/$mine->{session}/history"), 404);

is added(), $before, 'no job was enqueued by any of them';
$stack->finish;
done_testing;
