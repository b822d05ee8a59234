# POST /v1/chat/completions and GET /v1/models byte by byte: framing, headers, hostile
# bodies, who may not.  EDGE-11
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Door qw(error_of frames content read_until);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

my $door = Frontdesk::Door->new;
my ($stack, $client, $impatient) = @$door{qw(stack client impatient)};
my %auth = %{ $door->{auth} };
my ($path, $json, $true) = ($Frontdesk::Door::path, $Frontdesk::Door::json, JSON::PP::true);

# -- the wire ----------------------------------------------------------------------

subtest 'EDGE-11: a stream\'s bytes' => sub {
    my $r = $door->ask($door->body({ tokens => 6, gap_ms => 20 }, stream => $true));
    is $r->{status}, 200, 'answered';
    is $r->{headers}{'content-type'}, 'text/event-stream', 'as events';
    like $r->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/, 'with an id for support';
    is $r->{headers}{'x-accel-buffering'}, 'no', 'that no proxy holds back';
    my ($data, $odd) = frames($r->{body});
    is_deeply $odd, [], 'no id, no event, no retry: only data';
    is $data->[-1], '[DONE]', 'the last word';
    is scalar(grep { $_ eq '[DONE]' } @$data), 1, 'said once';
    like $r->{body}, qr/data: \[DONE\]\n\n\z/, 'and nothing behind it';
    is content($data), join('', map { "word$_ " } 1 .. 6), 'the whole text';
    ok !grep({ /message_id|"tier"|conversation/ } @$data), 'no event of our own protocol';
};

subtest 'EDGE-11: a long silence' => sub {
    my $s = $door->open_($door->body({ tokens => 2, gap_ms => 700 }, stream => $true), $impatient);
    $s->read_all;
    like $s->{body}, qr/\n\n: ping\n\n/, 'is broken by comments';
    is_deeply((frames($s->{body}))[1], [], 'which are no events');
};

subtest 'EDGE-11: a slow first token is not cut by a proxy' => sub {
    my $s = $door->open_($door->body({ first_ms => 3000, tokens => 3 }, stream => $true), $impatient);
    is $s->{status}, 200, 'the header comes with the first heartbeat';
    read_until($s, qr/: ping\n\n/);
    unlike $s->{body}, qr/data:/, 'and comments before the first token';
    $s->read_all;
    my ($data, $odd) = frames($s->{body});
    is_deeply $odd, [], 'which are no events';
    is content($data), 'word1 word2 word3 ', 'then the whole answer';
    is $data->[-1], '[DONE]', 'and its end';
};

subtest 'EDGE-11: an error before the first heartbeat keeps its status' => sub {
    my $at = time;
    my $r = $door->ask($door->body({ first_ms => 500, status => 401 }, stream => $true));
    is error_of($r), '502 provider_failed - server_error', 'of a stream as well';
    is $r->{headers}{'content-type'}, 'application/json', 'as JSON';
    cmp_ok time - $at, '>', 0.5, 'long after the request';
    unlike $r->{body}, qr/data:|ping/, 'no frame came before it';
    is error_of($door->ask($door->body({ status => 401 }))), '502 provider_failed - server_error', 'and of an answer in one piece';
    is $door->ask($door->body)->{status}, 200, 'the next one is answered'; # five failures in a row would open the breaker
    is error_of($door->ask($door->body({ tokens => 3, usage => 0 }, model => 'gpt-9', stream => $true))), '404 model_not_found model invalid_request_error', 'an unknown model';
};

subtest 'EDGE-11: an error after the first heartbeat' => sub {
    my $r = $impatient->post($path, $door->body({ first_ms => 2000, status => 401 }, stream => $true), {%auth});
    is $r->{status}, 200, 'finds the status gone';
    my ($data, $odd) = frames($r->{body});
    is_deeply [$odd, scalar @$data, $json->decode($data->[0])->{error}{code}], [[], 1, 'provider_failed'], 'and is the only frame';
    is $door->ask($door->body)->{status}, 200, 'the next one is answered';
};

subtest 'EDGE-11: an error after the first byte' => sub {
    my ($data, $odd) = frames($door->ask($door->body({ tokens => 5, gap_ms => 10, error_after => 3 }, stream => $true))->{body});
    is_deeply $odd, [], 'only frames';
    my $last = $json->decode($data->[-1]);
    is_deeply [sort keys %$last], ['error'], 'the last one is the error';
    is $last->{error}{code}, 'interrupted', 'in OpenAI\'s shape';
    is content([@$data[0 .. $#$data - 1]]), 'word1 word2 word3 ', 'what came before it stands';
    ok !grep({ $_ eq '[DONE]' } @$data), 'and it is not [DONE]';
};

subtest 'EDGE-11: forged frames' => sub {
    my $text = "a\n\ndata: [DONE]\n\nid: 9\nevent: done\ndata: {}\n\n\x{2028}\r\n\r\n: x";
    my ($data, $odd) = frames($door->ask($door->body({ text => $text }, stream => $true))->{body});
    is_deeply $odd, [], 'a model\'s text cannot make one';
    is content($data), $text, 'and comes as it was written';
    is scalar(grep { $_ eq '[DONE]' } @$data), 1, 'one end';
};

subtest 'EDGE-11: a large answer' => sub {
    my $text = join ' ', map { "wörd-$_ \"\\\t" } 1 .. 6000;
    for my $stream (0, 1) {
        my $r = $door->ask($door->body({ text => $text }, $stream ? (stream => $true) : ()));
        my $got = $stream ? content((frames($r->{body}))[0]) : $r->{json}{choices}[0]{message}{content};
        ok $got eq $text, ($stream ? 'streamed' : 'whole') . ': ' . length($text) . ' characters';
    }
};

# -- who -----------------------------------------------------------------------------

subtest 'EDGE-11: who may' => sub {
    my $b = $json->encode($door->body);
    my $before = $door->jobs_made;
    is error_of($client->post($path, $b)), '401 invalid_api_key - invalid_request_error', 'nobody without a key';
    is error_of($client->post($path, $b, { Authorization => 'Bearer sk-proj-abc' })), '401 invalid_api_key - invalid_request_error', 'nor with another\'s';
    is error_of($client->post($path, $b, { Authorization => 'Basic abc' })), '401 invalid_api_key - invalid_request_error', 'nor by a password';
    my $pk = $client->post($path, $b, { Authorization => "Bearer $stack->{pk}" });
    is error_of($pk), '403 key_kind - request_forbidden', 'nor with a publishable key';
    is error_of($client->post($path, $b, { Authorization => "Bearer $stack->{pk}", Origin => $stack->{origin} })), '403 key_kind - request_forbidden', 'not from its site either';
    is error_of($client->get('/v1/models', { Authorization => "Bearer $stack->{pk}" })), '403 key_kind - request_forbidden', 'nor the list of models';
    is error_of($client->post($path, $b, { %auth, Origin => 'https://shop.example' })), '401 invalid_api_key - invalid_request_error', 'nor a secret key in a browser';
    like $_->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/, 'each with its id' for $pk;
    is $door->jobs_made, $before, 'no job was made';
    is $client->post($path, $b, { 'X-Api-Key' => $stack->{sk} })->{status}, 200, 'X-Api-Key is taken as well';
};

subtest 'EDGE-11: other addresses and methods' => sub {
    is error_of($client->get('/v1/responses', \%auth)), '404 unknown_url - invalid_request_error', 'what there is not';
    is error_of($client->get('/v1/chat/sessions', \%auth)), '404 unknown_url - invalid_request_error', 'what there is elsewhere only';
    is error_of($client->post('/v1/chat', $json->encode({ message => 'hi' }), \%auth)), '404 unknown_url - invalid_request_error', 'our own chat is below /api/v1';
    is $client->post('/api/v1/chat/completions', $json->encode($door->body), \%auth)->{status}, 404, 'and the door is not';
    my $r = $client->get($path, \%auth);
    is error_of($r), '405 method_not_allowed - invalid_request_error', 'GET';
    is $r->{headers}{allow}, 'POST, OPTIONS', 'says what would do';
};

subtest 'EDGE-11: models' => sub {
    my $r = $client->get('/v1/models', \%auth);
    is_deeply [map { $_->{id} } @{ $r->{json}{data} }], [qw(auto mock-fast mock-reasoning mock-fallback)], 'the organisation\'s';
    is_deeply [sort keys %{ $r->{json}{data}[1] }], [qw(created id object owned_by)], 'as OpenAI lists them';
    is $client->get('/v1/models/mock-fast', \%auth)->{json}{id}, 'mock-fast', 'one of them';
    is error_of($client->get("/v1/models/$_", \%auth)), '404 model_not_found model invalid_request_error', "not $_"
        for 'gpt-9', 'a/b/c', 'a%2Fb', '%22%7D', 'x' x 500;
    is error_of($client->get('/v1/models/', \%auth)), '404 unknown_url - invalid_request_error', 'nor nothing';
    $stack->sql(qq(UPDATE org_ai_settings SET enabled_models = '[{"model_id": "mock-reasoning", "is_default": true}]', default_model_id = 'mock-reasoning' WHERE org_id = '$stack->{org}'));
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}");
    ok $stack->until(sub { error_of($door->ask($door->body)) eq '404 model_not_found model invalid_request_error' }, 5), 'a model that is not enabled';
    is_deeply [map { $_->{id} } @{ $client->get('/v1/models', \%auth)->{json}{data} }], [qw(auto mock-reasoning)], 'is not listed';
    is $door->ask($door->body({ tokens => 1 }, model => 'auto'))->{json}{model}, 'mock-reasoning', 'and not routed to';
    $stack->sql(qq(UPDATE org_ai_settings SET enabled_models = '[]', default_model_id = NULL WHERE org_id = '$stack->{org}'));
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}");
    ok $stack->until(sub { $door->ask($door->body({ tokens => 1 }))->{status} == 200 }, 5), 'enabled again';
};

# -- hostile bodies --------------------------------------------------------------------

my $message = '{"role":"user","content":"hi"}';
my $nested = '{"type":"object"}';
$nested = "{\"type\":\"object\",\"properties\":{\"a\":$nested}}" for 1 .. 9;
sub with { my ($members) = @_; return "{\"model\":\"mock-fast\",\"messages\":[$message]" . ($members ? ",$members" : '') . '}'; }
sub tool { my ($parameters) = @_; return "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":$parameters}}]"; }

subtest 'EDGE-11: no job is made of a bad body' => sub {
    my $before = $door->jobs_made;
    my %bad = (
        'nothing'                  => ['', '400 malformed_json -'],
        'no JSON'                  => ['hello', '400 malformed_json -'],
        'half of it'               => [substr(with(''), 0, -1), '400 malformed_json -'],
        'two values'               => [with('') . with(''), '400 malformed_json -'],
        'an array'                 => ['[]', '400 invalid_type -'],
        'invalid UTF-8'            => [with("\"user\":\"\xff\""), '400 malformed_json user'],
        'a lone surrogate'         => [with('"user":"\ud800"'), '400 malformed_json user'],
        'NUL'                      => [with('"user":"\u0000"'), '400 malformed_json user'],
        'a key twice'              => [with('"model":"b"'), '400 malformed_json model'],
        'a number beyond measure'  => [with('"temperature":1e999'), '400 malformed_json temperature'],
        'deep nesting'             => [with('"metadata":' . '[' x 40 . ']' x 40), '400 malformed_json'],
        'many values'              => [with('"metadata":[' . join(',', (0) x 40000) . ']'), '400 malformed_json'],
        'no messages'              => ['{"model":"mock-fast"}', '400 missing_required_parameter messages'],
        'no model'                 => ["{\"messages\":[$message]}", '400 missing_required_parameter model'],
        'an image'                 => ['{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://127.0.0.1/"}}]}]}', '400 invalid_value messages[0].content[0]'],
        'a result without a call'  => ['{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"b"}]}', '400 invalid_value messages[0].role'],
        'our own chat\'s body'     => ['{"message":"hi"}', '400 unknown_parameter message'],
        'a forged session'         => [with('"session_id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'), '400 unknown_parameter session_id'],
        'a key in the body'        => [with("\"client_api_key\":\"$stack->{pk}\""), '400 unknown_parameter client_api_key'],
        'several choices'          => [with('"n":3'), '400 unsupported_parameter n'],
        'a schema that is none'    => [with(tool('"x"')), '400 invalid_type tools[0]'],
        'line ends in a model'     => ['{"model":"a\r\nX: y","messages":[' . $message . ']}', '400 invalid_value model'],
    );
    for my $name (sort keys %bad) {
        my ($bytes, $expected) = @{ $bad{$name} };
        my $r = $client->post($path, $bytes, { %auth, 'Content-Length' => length $bytes });
        like error_of($r), qr/^\Q$expected\E.* invalid_request_error$/, $name or diag $r->{body};
    }
    is error_of($door->ask(with(''), 'Content-Type' => 'text/plain')), '415 media_type - invalid_request_error', 'another type';
    is error_of($door->ask(with(''), 'Content-Encoding' => 'gzip')), '415 media_type - invalid_request_error', 'compressed';
    is error_of($door->ask(with(''), 'Idempotency-Key' => 'x' x 300)), '400 bad_request Idempotency-Key invalid_request_error', 'a long idempotency key';
    is $door->jobs_made, $before, 'not one';
};

subtest 'EDGE-11: at the bound and beyond it' => sub {
    my $bound = 1048576;
    my $padded = sub { my ($size) = @_; my $b = with('"user":""'); substr($b, -2, 0) = 'x' x ($size - length $b); return $b; };
    is $door->ask($padded->($bound))->{status}, 200, '1 MiB is taken';
    is error_of($door->ask($padded->($bound + 1))), '413 too_large - invalid_request_error', 'one byte more is not';
    my $long = 'מילה ' x 100_000;
    utf8::encode(my $bytes = $long);
    my $r = $door->ask({ model => 'mock-fast', messages => [{ role => 'system', content => $long }, $door->user({ tokens => 1 })] });
    is $r->{status}, 200, length($bytes) . ' bytes of text are passed on' or diag $r->{body};
    my ($sent) = grep { $_->{event} eq 'request' } reverse $stack->journal;
    ok $sent->{body}{messages}[0]{content} eq $long, 'whole';
    is $door->ask(with(tool($nested)))->{status}, 200, 'a schema of ten levels';
};

subtest 'EDGE-11: nothing of a caller\'s gets out of its place' => sub {
    my $r = $door->ask({ model => 'mock-fast', messages => [$door->user, { role => 'assistant', tool_calls => [{ id => 'a', type => 'function',
        function => { name => 'f', arguments => '{}},"model":"mock-reasoning","x":{' } }] }, { role => 'tool', tool_call_id => 'a', content => 'b' }] });
    is error_of($r), '400 invalid_value messages[1].tool_calls invalid_request_error', 'arguments that are more than one object';
    my $question = $door->user({ tokens => 1 });
    $door->ask({ model => 'mock-fast', messages => [{ role => 'system', content => "\",\"model\":\"mock-reasoning\"" }, $question] });
    my ($sent) = grep { $_->{event} eq 'request' && $_->{question} eq $question->{content} } $stack->journal;
    is $sent->{body}{model}, 'mock-fast', 'text is text';
    is scalar @{ $sent->{body}{messages} }, 2, 'no prompt, record or tool of the organisation is added';
    ok !$sent->{body}{tools}, 'none at all';
};

is $stack->sql("SELECT count(*) FROM conversations"), 0, 'no conversation was made';
my $access = $stack->log_text('access.log');
unlike $access, qr/gpt-9|%22/, 'the log holds routes, no strangers\' bytes';
like $access, qr{"path":"chat/completions"}, 'of the door as well';
ok $stack->until(sub { $door->jobs_left == 0 }, 15), 'the queue is empty';
ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 }, 20), 'nothing is left open';
$stack->finish;
done_testing;
