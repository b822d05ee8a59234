# Webhook tools as an operator sets them up and tries them, against a stand-in that answers
# as n8n does on the wire; and as a visitor's question runs them.  ENG-10
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Client;
use Frontdesk::N8n;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->canonical;
my $stack = Frontdesk::Stack->new;
my $n8n = Frontdesk::N8n->new($stack->{dir});
$stack->{worker}{FRONTDESK_OUTBOUND_ALLOW} = $n8n->address;
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my @org = ('--org', $stack->{org});

sub tool {
    my (@words) = @_;
    my $text = $stack->frontdesk('tool', @words, @org);
    return { text => $text, status => $stack->{status}, json => scalar eval { JSON::PP::decode_json($text) } };
}

# A test run of a workflow of the stand-in, through a tool of that risk.
sub try_out {
    my ($workflow, %option) = @_;
    my $name = $option{risk} && $option{risk} eq 'write' ? 'try_write' : 'try_read';
    my $set = tool('set', $name, '--url', $n8n->url($workflow), @{ $option{set} || [] });
    is $set->{status}, 0, "$workflow: set" or diag $set->{text};
    return tool('test', $name, '--args', $json->encode($option{args} || {}), '--json')->{json};
}
sub error_of { my ($r) = @_; return $r->{result}{error} || {}; }

open my $out, '>', "$stack->{dir}/any.json" or die $!;
print $out '{"type":"object","properties":{"text":{"type":"string"}}}';
close $out;
my @own = ('--description', 'Only for tests.', '--schema', "$stack->{dir}/any.json");

subtest 'ENG-10: the catalogue, taken up' => sub {
    my $list = tool('list', '--json')->{json};
    is_deeply [map { "$_->{name} $_->{risk}" } @$list],
        ['book_appointment write', 'check_inventory read', 'get_order_status read', 'get_product_info read'],
        'four tools that nobody has enabled';
    ok !(grep { $_->{enabled} } @$list), 'none is enabled';
    my $added = tool('add', 'get_order_status', '--url', $n8n->url('get_order_status'));
    like $added->{text}, qr/^fdts_[0-9a-f]{64}$/, 'the signing secret is told once';
    ($stack->{secret}) = $added->{text} =~ /(\S+)/;
    my $typed = getpwuid($<) // $<;
    is scalar($stack->sql("SELECT actor || ' ' || action || ' ' || target || ' ' || (after->>'status') FROM audit_log ORDER BY id DESC LIMIT 1")),
        "cli:$typed tool add get_order_status 0", 'ADM-1: the record has who typed what';
    tool('list');
    is scalar($stack->sql('SELECT action FROM audit_log ORDER BY id DESC LIMIT 1')), 'tool add', 'but not who looked';
    is tool('add', $_, '--url', $n8n->url($_))->{status}, 0, $_ for qw(book_appointment check_inventory get_product_info);
    is tool('list', 'get_order_status', '--json')->{json}[0]{enabled}, JSON::PP::true, 'enabled';
    unlike tool('list', '--json')->{text}, qr/\Q$stack->{secret}\E/, 'the secret is in no list';
    my ($sealed) = $stack->sql("SELECT encode(signing_secret, 'escape') FROM client_tools WHERE tool_name = 'get_order_status'");
    unlike $sealed, qr/fdts_/, 'nor readable in the database';
    is tool('add', "try_$_", @own, '--risk', $_, '--url', $n8n->url('echo'))->{status}, 0, "own tool: $_" for qw(read write);
};

subtest 'ENG-10: what cannot be saved is refused with its field' => sub {
    my @cases = (
        [['--url', 'ftp://x/y'], qr/url: /], [['--url', 'http://user:pw@x/y'], qr/url: /],
        [['--risk', 'none'], qr/risk: read, write or high/], [['--token-header', 'Host', '--token', 'x'], qr/token_header: /],
        [['--token', "a\tb"], qr/token: /], [['--bind', 'a=visitor.phone'], qr/bindings: .*visitor\.user_id/],
    );
    for (@cases) {
        my ($words, $text) = @$_;
        my ($result) = admin_refuses($words);
        like $result, $text, "@$words";
    }
    my $r = $admin->request('PATCH', 'tools/try_read', { parameters_schema => { type => 'object', patternProperties => {} } });
    is "$r->{status} $r->{json}{field}", '422 parameters_schema', 'a schema that is not supported';
    like $r->{json}{detail}, qr/^\$\.patternProperties: "patternProperties" is not supported/, 'by its keyword';
    $r = $admin->post('tools', { name => 'no spaces', url => 'https://x.example/y' });
    is "$r->{status} $r->{json}{field}", '422 name', 'a name that no provider takes';
    $r = $admin->post('tools', { name => 'bare', url => 'https://x.example/y' });
    is "$r->{status} $r->{json}{field}", '422 parameters_schema', 'an own tool without a schema';
    is $admin->get('tools/bare')->{status}, 404, 'nothing of it is stored';
    $r = $admin->request('PATCH', 'tools/try_read', { signing_secret => 'short' });
    is "$r->{status} $r->{json}{field}", '422 signing_secret', 'a secret that is too short';
    $r = $admin->post('tools', { name => 'try_read', url => 'https://x.example/y' });
    is $r->{status}, 409, 'made twice';
};

# The same through the command, which says it on stderr.
sub admin_refuses {
    my ($words) = @_;
    local $ENV{PERL5OPT};
    open my $saved, '>&', \*STDERR or die $!;
    open STDERR, '>', "$stack->{dir}/err" or die $!;
    tool('set', 'try_read', @$words);
    open STDERR, '>&', $saved or die $!;
    open my $in, '<', "$stack->{dir}/err" or die $!;
    local $/;
    return scalar <$in> // '';
}

subtest 'ENG-10: the request' => sub {
    my $before = time;
    my $r = tool('test', 'get_order_status', '--args', '{"order_number":"#1001","email":"dana@example.com"}', '--json')->{json};
    is_deeply $r->{result}, { order_number => '1001', status => 'shipped', carrier => 'DHL', email => 'dana@example.com' }, 'data alone reaches the model';
    ok $r->{ok} && $r->{http_status} == 200 && $r->{ms} >= 0 && $r->{request_id} =~ /^test-/, 'status, time and request id are told';
    my ($e) = $n8n->executions('get_order_status');
    my $b = $e->{body};
    is_deeply [sort keys %$b], [qw(args attempt call_id callback_url channel client_id conversation_id deadline_ms idempotency_key session_id tool v visitor)], 'its members';
    is_deeply [@$b{qw(v tool client_id channel attempt)}], [1, 'get_order_status', $stack->{org}, 'test', 1], 'what they say';
    is_deeply $b->{args}, { order_number => '#1001', email => 'dana@example.com' }, 'the arguments';
    is_deeply [sort keys %{ $b->{visitor} }], [qw(id locale verified)], 'the visitor';
    ok $b->{deadline_ms} > $before * 1000 && $b->{deadline_ms} <= ($before + 32) * 1000, 'until when we wait';
    is $e->{headers}{'idempotency-key'}, $b->{idempotency_key}, 'Idempotency-Key';
    my ($t, $v1) = $e->{headers}{'x-frontdesk-signature'} =~ /^t=(\d+),v1=([0-9a-f]{64})$/;
    is $v1, hmac_sha256_hex("$t.$e->{raw}", $stack->{secret}), 'X-Frontdesk-Signature is over the time and the body';
    is $e->{headers}{'x-frontdesk-timestamp'}, $t, 'X-Frontdesk-Timestamp is its time';
    ok abs($t - $before) < 30, 'which is now';
    ok !exists $e->{headers}{cookie} && !exists $e->{headers}{'x-frontdesk-token'}, 'and nothing else of ours';
};

subtest 'ENG-10: a token, n8n\'s header authentication' => sub {
    my $r = try_out('guarded');
    is "$r->{failure} $r->{http_status}", 'http 403', 'without it: 403';
    like $r->{detail}, qr/Authorization data is wrong!.*Header Auth credential/, 'with what to look at';
    unlike $json->encode($r->{result}), qr/Authorization|guarded|127\.0\.0\.1/, 'the model is told nothing of it';
    is $admin->request('PATCH', 'tools/try_read', { token => 'open sesame' })->{json}{token_header}, 'X-Frontdesk-Token', 'set';
    ok try_out('guarded')->{ok}, 'with it: answered';
    unlike tool('list', '--json')->{text}, qr/sesame/, 'it is in no list';
    is tool('set', 'try_read', '--token', '')->{status}, 0, 'removed again';
    is try_out('guarded')->{http_status}, 403, 'and gone';
};

subtest 'ENG-10: whatever n8n answers instead' => sub {
    my $row = { status => 'shipped', n => 1 };
    is_deeply try_out($_)->{result}, $row, $_ for qw(items wrapped data);
    is_deeply try_out('array')->{result}, [{ n => 1 }, { n => 2 }], 'several items';
    is_deeply try_out('say')->{result}, { data => $row, say => 'It is on its way.' }, 'with what to say';
    is_deeply try_out('text')->{result}, { text => "Shipped.\nBy DHL." }, 'text';
    is_deeply try_out('html')->{result}, { text => "Order 1001\nShipped & on its way" }, 'HTML, as text without its scripts';
    is_deeply try_out('json-as-html')->{result}, { n => 1 }, 'JSON that is called HTML';
    my $r = try_out('huge?bytes=100000');
    ok $r->{ok}, 'a large answer';
    like $r->{result}, qr/^x{1000,24000} \[cut: \d+ of 100000 bytes\]$/, 'is cut and says so';
    is try_out('later')->{result}{pending}, JSON::PP::true, 'pending';
};

subtest 'ENG-10: 2xx without what was asked for is a failure' => sub {
    my %hint = (empty => qr/Respond to Webhook node/, nothing => qr/empty body/, started => qr/responds immediately/,
                stream => qr/streams/, invalid => qr/JSON/, cut => qr/cut/);
    for my $workflow (sort keys %hint) {
        my $r = try_out($workflow);
        ok !$r->{ok} && $r->{failure} eq 'response', $workflow or diag explain $r;
        like $r->{detail}, $hint{$workflow}, 'with what to look at';
        is error_of($r)->{retryable}, JSON::PP::false, 'nothing to try again';
    }
    my $r = try_out('empty', risk => 'write');
    like error_of($r)->{message}, qr/not known whether it was done/, 'a write may have happened';
    ok try_out('nothing', risk => 'write', set => ['--reply', 'none'])->{ok}, 'unless nothing is expected';
    tool('set', 'try_write', '--reply', 'data');
};

subtest 'ENG-10: typed failures' => sub {
    my @cases = (
        ['nowhere',      'http 404',        qr/is not registered.*activate the workflow/],
        ['error',        'http 500',        qr/Error in workflow.*executions/],
        ['unconfigured', 'http 500',        qr/No authentication data defined.*credential/],
        ['redirect',     'http 302',        qr/redirect/],
        ['failed',       'failed 200',      qr/out_of_stock/],
        ['refused',      'failed 404',      qr/order_not_found/],
        ['huge',         'response 200',    qr/too_large/],
    );
    for (@cases) {
        my ($workflow, $expected, $detail) = @$_;
        my $r = try_out($workflow);
        is "$r->{failure} $r->{http_status}", $expected, $workflow;
        like $r->{detail}, $detail, 'for the operator';
        unlike $json->encode($r->{result}), qr/127\.0\.0\.1|webhook/i, 'no address for the model';
        like error_of($r)->{code}, qr/^[a-z_]+$/, 'and a code';
    }
    is_deeply error_of(try_out('failed')), { code => 'out_of_stock', message => 'Nothing is left.', retryable => JSON::PP::false }, 'the tool\'s own words';
    my $r = try_out('echo', set => ['--url', 'http://169.254.169.254/latest'], args => {});
    is $r->{failure}, 'blocked', 'an address that tenants may not reach';
    $r = try_out('echo', set => ['--url', 'http://127.0.0.1:1/x']);
    is $r->{failure}, 'blocked', 'another port of an exempt host';
    $n8n->stop;
    $r = tool('test', 'check_inventory', '--args', '{"sku":"MUG-BLUE"}', '--json')->{json};
    is $r->{failure}, 'unreachable', 'nobody listens';
    is error_of($r)->{retryable}, JSON::PP::true, 'which a read may try again';
    $n8n = Frontdesk::N8n->new($stack->{dir}, $n8n->{port});
};

subtest 'ENG-10: a write that takes too long is asked once' => sub {
    my $began = time;
    my $r = try_out('slow', risk => 'write', set => ['--timeout', 700]);
    ok time - $began < 5, 'its own limit of time';
    is $r->{failure}, 'timeout', 'timeout';
    like error_of($r)->{message}, qr/not known whether it was done/, 'the model does not claim it';
    is error_of($r)->{retryable}, JSON::PP::false, 'nor tries it again';
    sleep 0.3;
    is scalar(() = $n8n->executions('slow')), 1, 'one execution';
};

subtest 'ENG-10: arguments' => sub {
    my $r = admin_test('book_appointment', { date => '2026-02-30', time => '9:00', name => 'Dana' });
    is "$r->{status} $r->{json}{field}", '422 arguments', 'checked before anything is sent';
    like $r->{json}{detail}, qr/^\$\.date must be a date such as 2026-03-14, not the string "2026-02-30"$/, 'the first that is wrong';
    $r = admin_test('check_inventory', {});
    like $r->{json}{detail}, qr/must be an object with "sku" or an object with "product_name"/, 'one of two';
    is scalar(() = $n8n->executions('book_appointment')), 0, 'nothing was sent';
    $r = admin_test('book_appointment', { date => '2026-03-14', time => '10:00', name => 'Dana' });
    is $r->{json}{result}{say}, 'Booked for 2026-03-14 at 10:00.', 'right ones are';
    is tool('set', 'try_read', '--url', $n8n->url('echo'), '--bind', 'owner=visitor.user_id', '--bind', 'shop==main')->{status}, 0, 'bound';
    $r = admin_test('try_read', { text => 'a', owner => 'somebody else', shop => 'other' });
    is_deeply $r->{json}{result}{args}, { text => 'a', owner => 'test-user', shop => 'main' }, 'the server\'s, whatever is sent';
    tool('set', 'try_read', '--no-bindings');
};

subtest 'ADM-3: what went over the wire is shown, without what signs it' => sub {
    $admin->request('PATCH', 'tools/try_read', { token_header => 'X-Their-Token', token => 'token-canary-1' });
    my $new = $admin->request('PATCH', 'tools/try_read', { signing_secret => JSON::PP::true })->{json}{signing_secret};
    my $r = admin_test('try_read', { text => 'shown' });
    is_deeply [@{ $r->{json}{request} }{qw(method url)}], ['POST', $n8n->url('echo')], 'where it went' or diag $r->{body};
    my $sent = JSON::PP::decode_json($r->{json}{request}{body});
    is_deeply [@$sent{qw(tool channel)}, $sent->{args}{text}], [qw(try_read test shown)], 'the body';
    my ($e) = reverse $n8n->executions('echo');
    is $r->{json}{request}{body}, $e->{raw}, 'as it was received';
    is_deeply [map { $r->{json}{request}{headers}{$_} } 'X-Frontdesk-Signature', 'X-Their-Token', 'Content-Type'], ['***', '***', 'application/json'], 'the headers, masked';
    is $r->{json}{answer}{status}, 200, 'the answer';
    like $r->{json}{answer}{body}, qr/shown/, 'as it came';
    unlike $r->{body}, qr/token-canary-1|\Q$e->{headers}{'x-frontdesk-signature'}\E|\Q$new\E/, 'no secret';
    isnt $stack->sql("SELECT count(*) FROM audit_log WHERE action = 'POST tools/:name/test'"), 0, 'that it was tried is in the record';
    unlike $stack->sql("SELECT coalesce(string_agg(after::text, ' '), '') FROM audit_log WHERE action = 'POST tools/:name/test'"), qr/shown|v1=/, 'not what was sent and answered';
    $r = admin_test('try_read', { text => 'long ' x 8000 });
    is_deeply [length $r->{json}{request}{body}, $r->{json}{request}{cut}], [16384, JSON::PP::true], 'a long one is cut, and says so';
    $stack->sql("UPDATE client_tools SET n8n_webhook_url = 'http://192.168.0.1/hook' WHERE tool_name = 'try_read'");
    $r = admin_test('try_read', { text => 'a' });
    is_deeply [@{ $r->{json} }{qw(failure answer)}], ['blocked', undef], 'where nothing answered there is no answer';
    $admin->request('PATCH', 'tools/try_read', { token => undef });
    tool('set', 'try_read', '--url', $n8n->url('echo'));
};
sub admin_test { my ($name, $arguments) = @_; return $admin->post("tools/$name/test", { arguments => $arguments }); }

subtest 'ENG-10: keys of the vault change under it' => sub {
    $stack->must('frontdesk', [qw(vault rotate)]);
    my $r = tool('test', 'get_order_status', '--args', '{"order_number":"1001","email":"dana@example.com"}', '--json')->{json};
    ok $r->{ok}, 'the tool works';
    my ($e) = reverse $n8n->executions('get_order_status');
    my ($t, $v1) = $e->{headers}{'x-frontdesk-signature'} =~ /^t=(\d+),v1=(.+)$/;
    is $v1, hmac_sha256_hex("$t.$e->{raw}", $stack->{secret}), 'with the same secret';
    my $new = tool('set', 'get_order_status', '--new-secret')->{text};
    like $new, qr/^fdts_/, 'a new one on demand';
    unlike $new, qr/\Q$stack->{secret}\E/, 'is another';
};

subtest 'ENG-10: a question runs it' => sub {
    my $s = $stack->chat({ message => 'Where is it? @' . $json->encode({ rounds => [
        { tools => [{ name => 'get_order_status', arguments => { order_number => '1001', email => 'dana@example.com' } }] },
        { text => 'It is on its way.' }] }) . '@' });
    is $s->{terminal}{event}, 'done', 'answered' or diag explain $s->{events};
    is $s->{text}, 'It is on its way.', 'with what the model made of it';
    my ($asked) = reverse grep { $_->{event} eq 'request' } $stack->journal;
    my ($told) = grep { $_->{role} eq 'tool' } @{ $asked->{body}{messages} };
    is_deeply JSON::PP::decode_json($told->{content}), { order_number => '1001', status => 'shipped', carrier => 'DHL', email => 'dana@example.com' }, 'which is the data alone';
    my ($e) = reverse $n8n->executions('get_order_status');
    is $e->{body}{channel}, 'widget', 'from the widget' or diag explain $e->{body};
    is $e->{duplicate}, JSON::PP::false, 'with a key of its own';
};

subtest 'ENG-10: the log of executions' => sub {
    my $log = tool('log', '--json', '--limit', 1000)->{json};
    ok @$log > 20, 'every run is there';
    my ($test) = grep { $_->{tool} eq 'book_appointment' } @$log;
    is_deeply [@$test{qw(status failure http_status)}], ['done', undef, 200], 'how it ended';
    is_deeply $test->{arguments}, { date => '2026-03-14', time => '10:00', name => 'Dana' }, 'with which arguments';
    my ($wrong) = grep { ($_->{failure} // '') eq 'timeout' } @$log;
    is $wrong->{status}, 'failed', 'and what failed';
    my $text = tool('log', 'book_appointment')->{text};
    like $text, qr/book_appointment\s+done/, 'a line for people';
    unlike $text, qr/Dana/, 'without what visitors wrote';
    my $first = $admin->get('tool-executions?limit=3')->{json};
    is scalar @{ $first->{executions} }, 3, 'in pages';
    my $second = $admin->get("tool-executions?limit=3&cursor=$first->{next_cursor}")->{json};
    is scalar(grep { my $id = $_->{id}; grep { $_->{id} eq $id } @{ $second->{executions} } } @{ $first->{executions} }), 0, 'that do not overlap';
    unlike $stack->log_text('admin.log') . $stack->log_text('worker-1.log'), qr/fdts_|sesame|dana\@example/, 'no secret and no text in a log';
};

subtest 'ENG-10: executed twice, as n8n has done: the same key, one side effect' => sub {
    my $s = $stack->client->ask({ message => 'Book it. @' . $json->encode({ rounds => [
        { tools => [{ name => 'book_appointment', arguments => { date => '2026-03-15', time => '11:00', name => 'Dana' } }] },
        { text => 'Booked.' }] }) . '@' });
    my $confirm;
    while (my $event = $s->next(20)) { last if ($confirm = $event)->{event} eq 'confirm'; }
    is $stack->client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $confirm->{json}{call_id}, decision => 'accept' },
        { 'X-Frontdesk-Session' => $s->{session} })->{status}, 200, 'confirmed';
    is $s->run(30)->{text}, 'Booked.', 'answered' or diag explain $s->{events};
    my $of_job = sub { return grep { ($_->{body}{idempotency_key} // '') =~ /\Q$s->{job}\E/ } $n8n->executions('book_appointment') };
    my ($first, @more) = $of_job->();
    is scalar @more, 0, 'the worker asked once';
    is $first->{headers}{'idempotency-key'}, $first->{body}{idempotency_key}, 'with its key in header and body';
    my ($stored) = $stack->sql("SELECT response FROM tool_executions WHERE job_id = '$s->{job}'");

    my ($path) = $n8n->url('book_appointment') =~ m{(/webhook/.*)};
    my $post = sub { # the bytes of the call again, with this key
        my ($key) = @_;
        return Frontdesk::Client->new(port => $n8n->{port})->post($path, $first->{raw} =~ s/\Q$first->{body}{idempotency_key}\E/$key/r, { 'Idempotency-Key' => $key })->{json};
    };
    my $again = $post->($first->{body}{idempotency_key});
    is $again->{data}{booking_id}, JSON::PP::decode_json($stored)->{data}{booking_id}, 'again: the same booking' or diag $stored;
    isnt $post->('another')->{data}{booking_id}, $again->{data}{booking_id}, 'another key: another booking';
    my @executions = $of_job->();
    is_deeply [map { $_->{duplicate} ? 'duplicate' : 'booked' } @executions], [qw(booked duplicate)], 'two executions, one side effect';
    is $stack->sql("SELECT count(*) FROM tool_executions WHERE job_id = '$s->{job}'"), 1, 'one row';
};

subtest 'ENG-10: taken away' => sub {
    is tool('disable', 'check_inventory')->{status}, 0, 'disabled';
    is tool('list', 'check_inventory', '--json')->{json}[0]{enabled}, JSON::PP::false, 'and said so';
    is tool('remove', 'try_write')->{status}, 0, 'an own one is removed';
    is tool('remove', 'try_write')->{status}, 1, 'once';
    is $admin->get('tools/try_write')->{status}, 404, 'and gone';
    is $admin->request('DELETE', 'tools/check_inventory')->{status}, 204, 'the catalogue\'s is put back';
    is $admin->get('tools/check_inventory')->{json}{url}, undef, 'as it was';
};

$stack->finish;
done_testing;
