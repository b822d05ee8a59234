# The workflows that ship, run by the real n8n: each imports and answers every branch; tools do
# their work when the worker calls them for a model, channels carry messages both ways.  ENG-10 ENG-15
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Client;
use Frontdesk::Process;
use Frontdesk::Stack;
use File::Temp;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $home = $ENV{N8N_HOME} or plan skip_all => 'make test-n8n sets N8N_HOME';
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $port = Frontdesk::Stack::free_port();
my $data = File::Temp->newdir;
local @ENV{qw(N8N_USER_FOLDER N8N_PORT N8N_LISTEN_ADDRESS N8N_DIAGNOSTICS_ENABLED N8N_VERSION_NOTIFICATIONS_ENABLED
    N8N_TEMPLATES_ENABLED N8N_RUNNERS_ENABLED N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS N8N_PERSONALIZATION_ENABLED
    GENERIC_TIMEZONE)} = ("$data", $port, '127.0.0.1', 'false', 'false', 'false', 'false', 'false', 'false', 'UTC');
local $ENV{PATH} = "$home/node/node_modules/node/bin:$home/node_modules/.bin:$ENV{PATH}";
my @tools = qw(get_order_status book_appointment check_inventory get_product_info);

my $version = `n8n --version 2>/dev/null`;
chomp $version;
diag "n8n $version, node " . `node --version`;

sub n8n_command {
    my ($what, @words) = @_;
    open my $out, '-|', 'sh', '-c', 'n8n "$@" 2>&1', 'sh', @words or die "n8n: $!";
    my $text = do { local $/; <$out> };
    ok close $out, $what or diag $text;
    return $text;
}
n8n_command('the workflows import', 'import:workflow', '--separate', '--input=conf/n8n-workflows');

my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_OUTBOUND_ALLOW => "127.0.0.1:$port" });
$stack->start;
my $made = Frontdesk::Admin->new($stack)->post('channels', { channel => 'email', enabled => JSON::PP::true,
    outbound_url => "http://127.0.0.1:$port/webhook/frontdesk/email/out" })->{json};

# The channels' settings, as an operator types them in. E-mail goes to Frontdesk itself; of the
# others, Frontdesk and the providers are one receiver, and that of text messages is away.
my $receiver_port = Frontdesk::Stack::free_port();
my $receiver = Frontdesk::Process->new($receiver_port, "$data/hook.log", $^X, 't/lib/hook.pl', $receiver_port, "$data/hook.journal");
sub received { # behind so many
    my ($from) = @_;
    open my $in, '<', "$data/hook.journal" or return;
    my @all = grep { $_->{event} eq 'request' } map { $json->decode($_) } <$in>;
    return @all[($from // 0) .. $#all];
}
sub count_received { return scalar(my @all = received()); }
my %setting = (
    frontdesk_url => "http://127.0.0.1:$receiver_port", frontdesk_key => 'fd_sk_test', inbound_token => 'in-token',
    app_secret => 'app-secret', signing_secret => 'a secret', verify_token => 'verify-me', api_url => "http://127.0.0.1:$receiver_port/api",
    (map { ($_ => "my-$_") } qw(phone_number_id access_token account_sid auth_token from_number server_token from_address)),
);
my %own = (
    sms   => { api_url => 'http://127.0.0.1:9' },
    email => { frontdesk_url => $stack->url, frontdesk_key => $stack->{sk}, signing_secret => $made->{signing_secret} },
);
my @channels = qw(whatsapp messenger sms email);
mkdir "$data/channels";
for my $channel (@channels, 'password_reset', @tools) {
    my $workflow = decode_json(do { local (@ARGV, $/) = ("conf/n8n-workflows/$channel.json"); <> });
    $_->{parameters}{jsCode} =~ s/^const TOKEN = ''/const TOKEN = 'tool-token'/m for grep { $_->{parameters}{jsCode} } @{ $workflow->{nodes} };
    for my $field (map { @{ $_->{parameters}{assignments}{assignments} } } grep { $_->{type} =~ /\.set$/ } @{ $workflow->{nodes} }) {
        $field->{value} = ($own{$channel} || {})->{ $field->{name} } // $setting{ $field->{name} };
    }
    open my $out, '>', "$data/channels/$channel.json" or die "$channel: $!";
    print $out $json->encode($workflow);
    close $out;
}
# One that nobody has filled in.
my $unset = do { local (@ARGV, $/) = ('conf/n8n-workflows/sms.json'); <> };
$unset =~ s{frontdesk/sms/}{frontdesk/unset/}g;
$unset =~ s{"((?:id|webhookId))": "[0-9a-f]}{"$1": "f}g;
open my $out, '>', "$data/channels/unset.json" or die "unset: $!";
print $out $unset;
close $out;
n8n_command('so do the channels, with their settings', 'import:workflow', '--separate', "--input=$data/channels");
n8n_command('and are activated', 'update:workflow', '--all', '--active=true');

my $n8n = fork // die "fork: $!";
if (!$n8n) {
    setpgrp;
    open STDOUT, '>', "$data/n8n.log";
    open STDERR, '>&', \*STDOUT;
    exec 'n8n', 'start' or POSIX::_exit(127);
}
END { if ($n8n) { local $?; kill TERM => -$n8n; waitpid $n8n, 0; } }

my $call = 0;
sub post {
    my ($tool, $body, %more) = @_;
    my $text = $json->encode($body);
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5) or return;
    print $s join "\r\n", "POST /webhook/frontdesk/$tool HTTP/1.0", 'Host: n8n', 'Content-Type: application/json',
        "X-Frontdesk-Token: " . (delete $more{token} // 'tool-token'), (map { "$_: $more{$_}" } keys %more), 'Content-Length: ' . length $text, '', $text;
    my $answer = do { local $/; <$s> } // '';
    my ($status) = $answer =~ m{^HTTP/1\.\d (\d+)};
    my ($payload) = $answer =~ /\r\n\r\n(.*)/s;
    return { status => $status, text => $payload, json => scalar eval { $json->decode($payload) } };
}
sub call_of {
    my ($tool, $args, %more) = @_;
    return { v => 1, call_id => 'call_' . ++$call, idempotency_key => "key-$$-$call", tool => $tool, args => $args, %more };
}

my $up;
for (1 .. 240) {
    my $r = post('get_order_status', {});
    last if $up = $r && ($r->{status} // 0) == 400;
    sleep 0.5;
}
ok $up, 'n8n serves the webhooks' or do { diag `tail -40 $data/n8n.log`; done_testing; exit 1 };

subtest 'ENG-10: get_order_status' => sub {
    my $r = post('get_order_status', call_of('get_order_status', { order_number => '#d-1002', email => 'Noam@customer.example' }));
    is $r->{json}{data}{status}, 'shipped', 'the order of its owner' or diag explain $r;
    $r = post('get_order_status', call_of('get_order_status', { order_number => 'D-1002', email => 'dana@customer.example' }));
    is $r->{json}{error}{code}, 'not_found', 'somebody else\'s looks like a missing one' or diag explain $r;
};

subtest 'ENG-10: book_appointment, once a key' => sub {
    my @time = gmtime(time + 86400 * (1 + (5 + 7 - (gmtime(time + 86400))[6]) % 7)); # a Friday to come
    my $date = POSIX::strftime('%Y-%m-%d', @time);
    my $first = call_of('book_appointment', { date => $date, time => '10:30', name => 'Dana' });
    my $r = post('book_appointment', $first);
    ok $r->{json}{data}{booked}, 'booked' or diag explain $r;
    sleep 1; # n8n keeps the reply when the execution is over
    my $again = post('book_appointment', $first);
    is_deeply $again->{json}, $r->{json}, 'the same call again: the same reply';
    $r = post('book_appointment', call_of('book_appointment', { date => $date, time => '10:30', name => 'Noam' }));
    is $r->{json}{error}{code}, 'taken', 'another call: the time is taken' or diag explain $r;
    $r = post('book_appointment', call_of('book_appointment', { date => '2001-01-01', time => '10:30', name => 'Noam' }));
    is $r->{json}{error}{code}, 'past', 'no time travel' or diag explain $r;
};

subtest 'ENG-10: check_inventory and get_product_info' => sub {
    my $r = post('check_inventory', call_of('check_inventory', { sku => 'jkt-rain', quantity => 3 }));
    is_deeply [@{ $r->{json}{data}[0] }{qw(in_stock enough)}], [7, JSON::PP::true], 'in stock' or diag explain $r;
    $r = post('get_product_info', call_of('get_product_info', { query => 'rain jacket' }));
    is $r->{json}{data}[0]{sku}, 'JKT-RAIN', 'found by words' or diag explain $r;
    $r = post('get_product_info', call_of('get_product_info', { query => 'unicorn' }));
    is $r->{json}{error}{code}, 'not_found', 'nothing is made up';
};

subtest 'ENG-10: every branch answers' => sub {
    for my $tool (@tools) {
        my $r = post($tool, { v => 1, tool => 'other', args => {}, idempotency_key => 'x' });
        is $r->{status}, 400, "$tool: a foreign call" or diag explain $r;
        is $r->{json}{ok}, JSON::PP::false, 'says so';
        is post($tool, call_of($tool, {}), token => 'other')->{status}, 403, "$tool: a foreign caller";
        $r = post($tool, call_of($tool, { sku => { '$gt' => '' }, query => ['x'], order_number => {}, email => [], date => {}, time => 1, name => {} }));
        ok $r->{json} && !$r->{json}{ok}, "$tool: hostile arguments are answered" or diag explain $r;
    }
};

# -- channels ---------------------------------------------------------------------------

my %comes = (
    whatsapp => { entry => [{ changes => [{ value => { contacts => [{ wa_id => '972501', profile => { name => 'Noa' } }],
        messages => [{ from => '972501', id => 'wamid.1', type => 'text', text => { body => 'Hello' } }, { from => '972501', id => 'wamid.2', type => 'image', image => { caption => 'Look' } }] } }] }] },
    messenger => { entry => [{ messaging => [{ sender => { id => '77' }, message => { mid => 'mid.1', text => 'Hello' } }, { sender => { id => '1' }, message => { mid => 'mid.2', is_echo => JSON::PP::true, text => 'Own' } }] }] },
    sms => { From => '+972502', MessageSid => 'SM1', Body => 'Hello', NumMedia => '0' },
    email => { From => 'Noa@Example.com', FromName => 'Noa', Subject => 'Re: RE: My order', TextBody => 'Hello', MessageID => 'e-1', Attachments => [] },
);
my %passed = (
    whatsapp => [{ channel => 'whatsapp', from => '+972501', message_id => 'wamid.1', name => 'Noa', text => 'Hello', attachments => [] },
                 { channel => 'whatsapp', from => '+972501', message_id => 'wamid.2', name => 'Noa', text => 'Look', attachments => [{ type => 'image' }] }],
    messenger => [{ channel => 'messenger', from => '77', message_id => 'mid.1', text => 'Hello', attachments => [] }],
    sms => [{ channel => 'sms', from => '+972502', message_id => 'SM1', text => 'Hello', attachments => [] }],
);

# Signed as it is sent.
sub as_meta {
    my ($body, $secret) = @_;
    return ('X-Hub-Signature-256' => 'sha256=' . hmac_sha256_hex($json->encode($body), $secret // 'app-secret'));
}

subtest 'ENG-15: a workflow that is not filled in hears nobody' => sub {
    is post('unset/in', $comes{sms})->{status}, 403, 'no token';
    is post('unset/in?token=', $comes{sms})->{status}, 403, 'an empty one';
    is signed('unset', delivery('sms'), '')->{status}, 403, 'nor a signature with an empty secret';
};

subtest 'ENG-15: what comes in is passed on to Frontdesk' => sub {
    for my $channel (qw(whatsapp messenger sms)) {
        my $before = count_received();
        my $r = post("$channel/in?token=in-token", $comes{$channel}, as_meta($comes{$channel}));
        is_deeply [$r->{status}, $r->{json}], [200, { ok => JSON::PP::true }], "$channel: taken" or diag explain $r;
        my @seen = received($before);
        is_deeply [map { $_->{body} } @seen], $passed{$channel}, "$channel: as Frontdesk takes it" or diag explain \@seen;
        is_deeply [map { $_->{headers}{'x-api-key'} } @seen], [('fd_sk_test') x @seen], "$channel: with the key";
        is post("$channel/in?token=other", $comes{$channel}, as_meta($comes{$channel}))->{status}, 403, "$channel: a foreign caller";
        my $receipt = { entry => [{ changes => [{ value => { statuses => [1] } }] }] };
        is_deeply post("$channel/in?token=in-token", $receipt, as_meta($receipt))->{json}, { ok => JSON::PP::true }, "$channel: a receipt is no message";
        is count_received(), $before + @seen, "$channel: neither is passed on";
    }
    my $meta = Frontdesk::Client->new(port => $port);
    for my $channel (qw(whatsapp messenger)) {
        my $before = count_received();
        is post("$channel/in?token=in-token", $comes{$channel}, %$_)->{status}, 403, "$channel: what Meta has not signed" for {}, { as_meta($comes{$channel}, 'another') };
        is count_received(), $before, "$channel: is not passed on";
        my $r = $meta->get("/webhook/frontdesk/$channel/in?hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=4711");
        is "$r->{status} $r->{body}", '200 4711', "$channel: Meta's question is answered";
        is $meta->get("/webhook/frontdesk/$channel/in?hub.mode=subscribe&hub.verify_token=x&hub.challenge=4711")->{status}, 403, "$channel: and nobody else's";
    }
};

sub signed {
    my ($channel, $message, $secret) = @_;
    my ($text, $time) = ($json->encode($message), time | 0);
    return post("$channel/out", $message, 'X-Frontdesk-Signature' => "t=$time,v1=" . hmac_sha256_hex("$time.$text", $secret // ($own{$channel} || {})->{signing_secret} // 'a secret'));
}
sub delivery {
    my ($channel, %more) = @_;
    return { v => 1, event => 'message', channel => $channel, delivery_id => "$channel-$$-" . ++$call, to => '+972503', thread => 'My order',
             text => "One.\nTwo \x{5e9}.", parts => ['One.', "Two \x{5e9}."], %more };
}

subtest 'ENG-15: what goes out is sent by the provider, each part once' => sub {
    my %address = (whatsapp => '/api/my-phone_number_id/messages', messenger => '/api/me/messages', email => '/api/email');
    my %text = (whatsapp => sub { $_[0]{text}{body} }, messenger => sub { $_[0]{message}{text} }, email => sub { $_[0]{TextBody} });
    for my $channel (qw(whatsapp messenger email)) {
        my $before = count_received();
        my $message = delivery($channel);
        my $r = signed($channel, $message);
        is_deeply [$r->{status}, $r->{json}], [200, { ok => JSON::PP::true, sent => 2 }], "$channel: sent" or diag explain $r;
        my @seen = received($before);
        is_deeply [map { $text{$channel}->($_->{body}) } @seen], $message->{parts}, "$channel: in parts" or diag explain \@seen;
        is $seen[0]{headers}{ $channel eq 'email' ? 'x-postmark-server-token' : 'authorization' }, $channel eq 'email' ? 'my-server_token' : 'Bearer my-access_token', "$channel: as its owner";
        sleep 1; # n8n keeps what was sent when the execution is over
        is_deeply signed($channel, $message)->{json}, { ok => JSON::PP::true, sent => 0 }, "$channel: once";
        is signed($channel, delivery($channel), 'another secret')->{status}, 403, "$channel: a foreign signature";
        is post("$channel/out", delivery($channel))->{status}, 403, "$channel: none";
        is signed($channel, delivery($channel, v => 2))->{status}, 400, "$channel: another version";
        is count_received(), $before + 2, "$channel: none of it is sent";
    }
    my $r = signed('sms', delivery('sms'));
    is_deeply [$r->{status}, $r->{json}{error}{code}], [502, 'not_sent'], 'sms: a provider that is away: Frontdesk is told, and asks again' or diag explain $r;
};

subtest 'ENG-15: an e-mail is answered: provider, n8n, Frontdesk, model, and back' => sub {
    my $before = count_received();
    my $mail = { %{ $comes{email} }, TextBody => "Do you ship?\n@" . '{"text":"**Yes**, \u05db\u05df, to \"all\" places."}@' };
    is post('email/in?token=in-token', $mail)->{status}, 200, 'it comes in' for 1, 2;
    $stack->until(sub { count_received() > $before }, 30, 'the answer');
    my @sent = received($before);
    is_deeply [map { $_->{body} } @sent], [{ From => 'my-from_address', To => 'noa@example.com', Subject => 'Re: My order', TextBody => "Yes, \x{5db}\x{5df}, to \"all\" places." }], 'and is answered, once' or diag explain \@sent;
    is_deeply [split /\|/, $stack->sql("SELECT channel, user_identifier, contact->>'name' FROM conversations WHERE channel = 'email'")], ['email', 'noa@example.com', 'Noa'], 'in the inbox';
};

subtest 'ADM-1: a link to a new password is mailed' => sub {
    my %reset = (type => 'password_reset', email => 'dana@shop.example', name => 'Dana', organization => "Caf\x{e9} \x{5e9}", language => 'he',
                 url => 'https://desk.example/dashboard/reset#token=Zm9v-_', expires_at => '2026-11-21T13:00:00Z');
    my $sent = sub {
        my ($delivery, $secret, %more) = @_;
        my ($mail, $time) = ({ %reset, %more }, time | 0);
        return post('password_reset', $mail, 'X-Frontdesk-Delivery' => $delivery,
            'X-Frontdesk-Signature' => "t=$time,v1=" . hmac_sha256_hex("$time." . $json->encode($mail), $secret));
    };
    my $before = count_received();
    is_deeply $sent->('one', 'a secret')->{json}, { ok => JSON::PP::true, sent => 1 }, 'handed over';
    my ($mail) = map { $_->{body} } received($before);
    is "$mail->{To} $mail->{From} $mail->{TrackLinks}", 'dana@shop.example my-from_address None', 'to whom it is for, and nobody counts clicks';
    like $mail->{TextBody}, qr/^\x{5e9}\x{5dc}\x{5d5}\x{5dd} Dana.*^\Q$reset{url}\E$/ms, 'in their language, with the link' or diag explain $mail;
    sleep 1; # n8n keeps what was sent when the execution is over
    is_deeply $sent->('one', 'a secret')->{json}, { ok => JSON::PP::true, sent => 0 }, 'once';
    is $sent->('two', 'another secret')->{status}, 403, 'a foreign signature';
    is $sent->('three', 'a secret', type => 'other')->{status}, 400, 'another kind';
    is count_received(), $before + 1, 'none of it is mailed';
};

subtest 'ENG-10: the worker calls them for a model, and confirms what writes' => sub {
    for my $tool (@tools) {
        $stack->frontdesk('tool', 'add', $tool, '--org', $stack->{org}, '--url', "http://127.0.0.1:$port/webhook/frontdesk/$tool", '--token', 'tool-token');
        $stack->frontdesk('tool', 'enable', $tool, '--org', $stack->{org});
    }
    my $tested = $stack->frontdesk('tool', 'test', 'check_inventory', '--org', $stack->{org}, '--args', '{"sku":"JKT-RAIN"}', '--json');
    like $tested, qr/"in_stock":\s*7/, 'frontdesk tool test shows what n8n said' or diag $tested;

    my @time = gmtime(time + 86400 * (8 + (5 + 7 - (gmtime(time + 86400))[6]) % 7));
    my %case = (
        get_order_status => [{ order_number => 'D-1002', email => 'noam@customer.example' }, 'shipped'],
        book_appointment => [{ date => POSIX::strftime('%Y-%m-%d', @time), time => '11:00', name => 'Dana' }, 'booked'],
        check_inventory  => [{ sku => 'JKT-RAIN', quantity => 3 }, 'enough'],
        get_product_info => [{ query => 'rain jacket' }, 'JKT-RAIN'],
    );
    my $client = $stack->client;
    for my $tool (@tools) {
        my ($arguments, $said) = @{ $case{$tool} };
        my $scenario = $json->encode({ rounds => [{ tools => [{ name => $tool, arguments => $arguments }] }, { text => 'So it is.' }] });
        my $s = $client->ask({ message => "Use $tool \@$scenario\@" });
        my $confirm;
        while (my $event = $s->next(20)) { $confirm = $event, last if $event->{event} eq 'confirm'; last if $s->{terminal}; }
        is !!$confirm, $tool eq 'book_appointment', "$tool: the visitor is asked about a write, and about nothing else";
        $client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $confirm->{json}{call_id}, decision => 'accept' }, { 'X-Frontdesk-Session' => $s->{session} })
            if $confirm;
        $s->run(30);
        is $s->{text}, 'So it is.', "$tool: answered" or diag explain $s->{events};
        my ($row) = $stack->sql("SELECT status || ' ' || tool_name || ' ' || response FROM tool_executions WHERE job_id = '$s->{job}'");
        like $row, qr/^done $tool .*$said/, "$tool: with what n8n said";
        my ($heard) = reverse grep { $_->{event} eq 'request' && $_->{question} =~ /^Use $tool/ } $stack->journal;
        like $json->encode($heard->{body}{messages}[-1]), qr/$said/, "$tool: and the model heard it";
    }
};

$stack->finish;
done_testing;
