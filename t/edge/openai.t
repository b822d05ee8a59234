# POST /v1/chat/completions and GET /v1/models byte by byte: framing, headers, hostile
# bodies, who may not, and what a client that leaves or a worker that dies means.  EDGE-11
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(env => {
    STACK_LOCATION_EXTRA => 'frontdesk_heartbeat 150ms;',
    STACK_HTTP_EXTRA     => 'frontdesk_read_rate 0;',
});
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $client = $stack->client(key => undef, origin => undef, timeout => 20);
my %auth = (Authorization => "Bearer $stack->{sk}");
my $path = '/v1/chat/completions';
my $true = JSON::PP::true;
my $n = 0;

sub user { my ($scenario) = @_; $n++; return { role => 'user', content => "Edge $n @" . JSON::PP->new->canonical->encode($scenario || {}) . '@' }; }
sub body { my ($scenario, %more) = @_; return { model => 'mock-fast', messages => [user($scenario)], %more }; }
sub ask { my ($body, %headers) = @_; return $client->post($path, $body, { %auth, %headers }); }
sub open_ { my ($body, %headers) = @_; return $client->open(POST => $path, { %auth, %headers }, $json->encode($body)); }
sub read_until { my ($s, $what) = @_; while ($s->{body} !~ $what && !$s->{ended} && $s->fill(10)) { $s->decode; } return; }
sub jobs_made { return { @{ $stack->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}') } }->{'entries-added'}; }
sub provider_end { my ($question) = @_; my ($end) = grep { $_->{event} eq 'end' && $_->{question} eq $question } $stack->journal; return $end; }
sub asked { my ($question) = @_; return scalar grep { $_->{event} eq 'request' && $_->{question} eq $question } $stack->journal; }

# An answer in OpenAI's shape: "status code param type".
sub error_of {
    my ($r) = @_;
    my $e = ref $r->{json} eq 'HASH' ? $r->{json}{error} : undef;
    return "$r->{status} no error: $r->{body}" unless ref $e eq 'HASH';
    return "$r->{status} members: " . join ' ', sort keys %$e unless join(' ', sort keys %$e) eq 'code message param type';
    return join ' ', $r->{status}, map { $_ // '-' } @$e{qw(code param type)};
}

# The data of each frame; whatever is no frame of ours is in the second list.
sub frames {
    my ($text) = @_;
    my (@data, @odd);
    for (split /\n\n/, $text) {
        if (/^data: ([^\n]*)$/) { push @data, $1; } elsif (!/^: ping$/) { push @odd, $_; }
    }
    return (\@data, \@odd);
}
sub content { my ($data) = @_; return join '', map { $_->{choices}[0]{delta}{content} // '' } map { $json->decode($_) } grep { $_ ne '[DONE]' } @$data; }

# -- the wire ----------------------------------------------------------------------

subtest 'EDGE-11: a stream\'s bytes' => sub {
    my $r = ask(body({ tokens => 6, gap_ms => 20 }, stream => $true));
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
    my $s = open_(body({ tokens => 2, gap_ms => 700 }, stream => $true));
    $s->read_all;
    like $s->{body}, qr/\n\n: ping\n\n/, 'is broken by comments';
    is_deeply((frames($s->{body}))[1], [], 'which are no events');
};

subtest 'EDGE-11: an error before the first byte keeps its status' => sub {
    my $at = time;
    my $r = ask(body({ first_ms => 500, status => 401 }, stream => $true));
    is error_of($r), '502 provider_failed - server_error', 'of a stream as well';
    is $r->{headers}{'content-type'}, 'application/json', 'as JSON';
    cmp_ok time - $at, '>', 0.5, 'long after the request';
    unlike $r->{body}, qr/data:|ping/, 'no frame came before it';
    is error_of(ask(body({ status => 401 }))), '502 provider_failed - server_error', 'and of an answer in one piece';
    is ask(body())->{status}, 200, 'the next one is answered'; # five failures in a row would open the breaker
    is error_of(ask(body({ tokens => 3, usage => 0 }, model => 'gpt-9', stream => $true))), '404 model_not_found model invalid_request_error', 'an unknown model';
};

subtest 'EDGE-11: an error after the first byte' => sub {
    my ($data, $odd) = frames(ask(body({ tokens => 5, gap_ms => 10, error_after => 3 }, stream => $true))->{body});
    is_deeply $odd, [], 'only frames';
    my $last = $json->decode($data->[-1]);
    is_deeply [sort keys %$last], ['error'], 'the last one is the error';
    is $last->{error}{code}, 'interrupted', 'in OpenAI\'s shape';
    is content([@$data[0 .. $#$data - 1]]), 'word1 word2 word3 ', 'what came before it stands';
    ok !grep({ $_ eq '[DONE]' } @$data), 'and it is not [DONE]';
};

subtest 'EDGE-11: forged frames' => sub {
    my $text = "a\n\ndata: [DONE]\n\nid: 9\nevent: done\ndata: {}\n\n\x{2028}\r\n\r\n: x";
    my ($data, $odd) = frames(ask(body({ text => $text }, stream => $true))->{body});
    is_deeply $odd, [], 'a model\'s text cannot make one';
    is content($data), $text, 'and comes as it was written';
    is scalar(grep { $_ eq '[DONE]' } @$data), 1, 'one end';
};

subtest 'EDGE-11: a large answer' => sub {
    my $text = join ' ', map { "wörd-$_ \"\\\t" } 1 .. 15000;
    for my $stream (0, 1) {
        my $r = ask(body({ text => $text }, $stream ? (stream => $true) : ()));
        my $got = $stream ? content((frames($r->{body}))[0]) : $r->{json}{choices}[0]{message}{content};
        ok $got eq $text, ($stream ? 'streamed' : 'whole') . ': ' . length($text) . ' characters';
    }
};

# -- who -----------------------------------------------------------------------------

subtest 'EDGE-11: who may' => sub {
    my $b = $json->encode(body());
    my $before = jobs_made();
    is error_of($client->post($path, $b)), '401 invalid_api_key - invalid_request_error', 'nobody without a key';
    is error_of($client->post($path, $b, { Authorization => 'Bearer sk-proj-abc' })), '401 invalid_api_key - invalid_request_error', 'nor with another\'s';
    is error_of($client->post($path, $b, { Authorization => 'Basic abc' })), '401 invalid_api_key - invalid_request_error', 'nor by a password';
    my $pk = $client->post($path, $b, { Authorization => "Bearer $stack->{pk}" });
    is error_of($pk), '403 key_kind - request_forbidden', 'nor with a publishable key';
    is error_of($client->post($path, $b, { Authorization => "Bearer $stack->{pk}", Origin => $stack->{origin} })), '403 key_kind - request_forbidden', 'not from its site either';
    is error_of($client->get('/v1/models', { Authorization => "Bearer $stack->{pk}" })), '403 key_kind - request_forbidden', 'nor the list of models';
    is error_of($client->post($path, $b, { %auth, Origin => 'https://shop.example' })), '401 invalid_api_key - invalid_request_error', 'nor a secret key in a browser';
    like $_->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}$/, 'each with its id' for $pk;
    is jobs_made(), $before, 'no job was made';
    is $client->post($path, $b, { 'X-Api-Key' => $stack->{sk} })->{status}, 200, 'X-Api-Key is taken as well';
};

subtest 'EDGE-11: other addresses and methods' => sub {
    is error_of($client->get('/v1/responses', \%auth)), '404 unknown_url - invalid_request_error', 'what there is not';
    is error_of($client->get('/v1/chat/sessions', \%auth)), '404 unknown_url - invalid_request_error', 'what there is elsewhere only';
    is error_of($client->post('/v1/chat', $json->encode({ message => 'hi' }), \%auth)), '404 unknown_url - invalid_request_error', 'our own chat is below /api/v1';
    is $client->post('/api/v1/chat/completions', $json->encode(body()), \%auth)->{status}, 404, 'and the door is not';
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
    ok $stack->until(sub { error_of(ask(body())) eq '404 model_not_found model invalid_request_error' }, 5), 'a model that is not enabled';
    is_deeply [map { $_->{id} } @{ $client->get('/v1/models', \%auth)->{json}{data} }], [qw(auto mock-reasoning)], 'is not listed';
    is ask(body({ tokens => 1 }, model => 'auto'))->{json}{model}, 'mock-reasoning', 'and not routed to';
    $stack->sql(qq(UPDATE org_ai_settings SET enabled_models = '[]', default_model_id = NULL WHERE org_id = '$stack->{org}'));
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}");
    ok $stack->until(sub { ask(body({ tokens => 1 }))->{status} == 200 }, 5), 'enabled again';
};

# -- hostile bodies --------------------------------------------------------------------

my $message = '{"role":"user","content":"hi"}';
my $nested = '{"type":"object"}';
$nested = "{\"type\":\"object\",\"properties\":{\"a\":$nested}}" for 1 .. 9;
sub with { my ($members) = @_; return "{\"model\":\"mock-fast\",\"messages\":[$message]" . ($members ? ",$members" : '') . '}'; }
sub tool { my ($parameters) = @_; return "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":$parameters}}]"; }

subtest 'EDGE-11: no job is made of a bad body' => sub {
    my $before = jobs_made();
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
    is error_of(ask(with(''), 'Content-Type' => 'text/plain')), '415 media_type - invalid_request_error', 'another type';
    is error_of(ask(with(''), 'Content-Encoding' => 'gzip')), '415 media_type - invalid_request_error', 'compressed';
    is error_of(ask(with(''), 'Idempotency-Key' => 'x' x 300)), '400 bad_request Idempotency-Key invalid_request_error', 'a long idempotency key';
    is jobs_made(), $before, 'not one';
};

subtest 'EDGE-11: at the bound and beyond it' => sub {
    my $bound = 1048576;
    my $padded = sub { my ($size) = @_; my $b = with('"user":""'); substr($b, -2, 0) = 'x' x ($size - length $b); return $b; };
    is ask($padded->($bound))->{status}, 200, '1 MiB is taken';
    is error_of(ask($padded->($bound + 1))), '413 too_large - invalid_request_error', 'one byte more is not';
    my $long = 'מילה ' x 100_000;
    utf8::encode(my $bytes = $long);
    my $r = ask({ model => 'mock-fast', messages => [{ role => 'system', content => $long }, user({ tokens => 1 })] });
    is $r->{status}, 200, length($bytes) . ' bytes of text are passed on' or diag $r->{body};
    my ($sent) = grep { $_->{event} eq 'request' } reverse $stack->journal;
    ok $sent->{body}{messages}[0]{content} eq $long, 'whole';
    is ask(with(tool($nested)))->{status}, 200, 'a schema of ten levels';
};

subtest 'EDGE-11: nothing of a caller\'s gets out of its place' => sub {
    my $r = ask({ model => 'mock-fast', messages => [user(), { role => 'assistant', tool_calls => [{ id => 'a', type => 'function',
        function => { name => 'f', arguments => '{}},"model":"mock-reasoning","x":{' } }] }, { role => 'tool', tool_call_id => 'a', content => 'b' }] });
    is error_of($r), '400 invalid_value messages[1].tool_calls invalid_request_error', 'arguments that are more than one object';
    my $question = user({ tokens => 1 });
    ask({ model => 'mock-fast', messages => [{ role => 'system', content => "\",\"model\":\"mock-reasoning\"" }, $question] });
    my ($sent) = grep { $_->{event} eq 'request' && $_->{question} eq $question->{content} } $stack->journal;
    is $sent->{body}{model}, 'mock-fast', 'text is text';
    is scalar @{ $sent->{body}{messages} }, 2, 'no prompt, record or tool of the organisation is added';
    ok !$sent->{body}{tools}, 'none at all';
};

# -- time --------------------------------------------------------------------------------

subtest 'EDGE-11: a client that leaves stops the provider' => sub {
    for my $stream (0, 1) {
        my $b = body({ tokens => 400, gap_ms => 50 }, $stream ? (stream => $true) : ());
        my $question = $b->{messages}[0]{content};
        my $s = $client->connect_;
        my $text = $json->encode($b);
        syswrite $s, $client->head(POST => $path, { %auth }, $text) . $text;
        $stack->until(sub { asked($question) }, 5);
        sleep 0.2;
        close $s;
        ok $stack->until(sub { provider_end($question) }, 10), $stream ? 'of a stream' : 'of an answer in one piece';
        is provider_end($question)->{how}, 'client', 'its connection is closed';
    }
};

subtest 'EDGE-11: with an idempotency key it may come back' => sub {
    my $b = body({ tokens => 30, gap_ms => 50 });
    my $text = $json->encode($b);
    my $s = $client->connect_;
    syswrite $s, $client->head(POST => $path, { %auth, 'Idempotency-Key' => 'back-1' }, $text) . $text;
    $stack->until(sub { asked($b->{messages}[0]{content}) }, 5);
    close $s;
    my $r = $client->post($path, $text, { %auth, 'Idempotency-Key' => 'back-1' });
    is $r->{json}{choices}[0]{message}{content}, join('', map { "word$_ " } 1 .. 30), 'the whole answer';
    is asked($b->{messages}[0]{content}), 1, 'asked for once';
};

subtest 'EDGE-11: the same key long after' => sub {
    my $tools = [map { { type => 'function', function => { name => $_ } } } qw(f g)];
    my %scenario = (whole => { text => "Said – once. \"x\"" }, calls => { text => 'Let me see. ', tools => [{ name => 'f', arguments => { a => 1 } }, { name => 'g', arguments => {} }] });
    for my $what (sort keys %scenario) {
        for my $stream (0, 1) {
            my $b = body($scenario{$what}, tools => $tools, $stream ? (stream => $true, stream_options => { include_usage => $true }) : ());
            my $first = ask($b, 'Idempotency-Key' => "long-$what-$stream");
            $stack->redis('live', 'DEL', "fd:ev:$first->{headers}{'x-frontdesk-job'}");
            my $again = ask($b, 'Idempotency-Key' => "long-$what-$stream");
            is $again->{status}, 200, "$what, " . ($stream ? 'streamed' : 'in one piece') . ': from the database' or diag $again->{body};
            if ($stream) {
                my ($old, $new) = map { (frames($_->{body}))[0] } $first, $again;
                is content($new), content($old), 'the same text';
                is $new->[-1], '[DONE]', 'to its end';
                is_deeply $json->decode($new->[-2])->{usage}, $json->decode($old->[-2])->{usage}, 'and usage';
                is calls_of($new), calls_of($old), 'and calls';
            } else {
                is_deeply $again->{json}, $first->{json}, 'the same answer';
            }
        }
    }
};
sub calls_of {
    my ($data) = @_;
    my @calls;
    for (map { @{ $_->{choices}[0]{delta}{tool_calls} || [] } } map { $json->decode($_) } grep { $_ ne '[DONE]' } @$data) {
        $calls[ $_->{index} ] .= join ' ', map { $_ // '' } @$_{qw(id type)}, $_->{function}{name}, $_->{function}{arguments};
    }
    return join ' | ', map { s/\s+//gr } @calls;
}

subtest 'EDGE-11: a worker that dies' => sub {
    my $late = open_(body({ tokens => 40, gap_ms => 100 }, stream => $true)); # has begun when it happens
    my $early = $client->connect_;
    my $text = $json->encode(body({ tokens => 3, first_ms => 3000 }, stream => $true));
    syswrite $early, $client->head(POST => $path, { %auth }, $text) . $text;
    read_until($late, qr/word3/);
    $stack->signal(KILL => 'worker', 'worker-1');
    $stack->start_worker('worker-2');
    $late->{timeout} = 40;
    $late->read_all;
    my ($data, $odd) = frames($late->{body});
    is_deeply $odd, [], 'after the first byte: only frames';
    is $json->decode($data->[-1])->{error}{code}, 'interrupted', 'an error, since nothing can be spliced';
    my $stream = Frontdesk::Client::Stream->new($early, 40);
    $stream->read_head;
    $stream->read_all;
    is $stream->{status}, 200, 'before it nothing is seen of it';
    is content((frames($stream->{body}))[0]), 'word1 word2 word3 ', 'but the whole answer';
};

subtest 'EDGE-11: a reload of nginx' => sub {
    my $s = open_(body({ tokens => 20, gap_ms => 100 }, stream => $true));
    read_until($s, qr/word2/);
    $stack->must('nginx', 'reload');
    $s->read_all;
    my ($data) = frames($s->{body});
    is content($data), join('', map { "word$_ " } 1 .. 20), 'lets a stream come to its end';
    is $data->[-1], '[DONE]', 'which cannot be resumed';
};

subtest 'EDGE-11: nobody there' => sub {
    $stack->must('live', 'stop');
    $stack->redis_forget;
    my $r = $stack->until(sub { my $r = ask(body({ tokens => 1 })); $r->{status} == 503 ? $r : undef }, 5);
    is error_of($r), '503 unavailable - server_error', 'Redis is away';
    ok $r->{headers}{'retry-after'}, 'and says when to come back';
    $stack->must('live', 'start');
    ok $stack->until(sub { ask(body({ tokens => 1 }))->{status} == 200 }, 15), 'it is back';
};

is $stack->sql("SELECT count(*) FROM conversations"), 0, 'no conversation was made';
my $access = $stack->log_text('access.log');
unlike $access, qr/gpt-9|%22/, 'the log holds routes, no strangers\' bytes';
like $access, qr{"path":"chat/completions"}, 'of the door as well';
ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 }, 8), 'nothing is left open';
$stack->finish;
done_testing;
