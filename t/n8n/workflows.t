# The four workflows that ship, run by the real n8n: each imports, answers every branch, and does
# its work when the worker calls it for a model.  ENG-10
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use File::Temp;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $home = $ENV{N8N_HOME} or plan skip_all => 'make test-n8n sets N8N_HOME';
my $json = JSON::PP->new->canonical->allow_nonref;
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
        (map { "$_: $more{$_}" } keys %more), 'Content-Length: ' . length $text, '', $text;
    my $answer = do { local $/; <$s> } // '';
    my ($status) = $answer =~ m{^HTTP/1\.\d (\d+)};
    my ($payload) = $answer =~ /\r\n\r\n(.*)/s;
    return { status => $status, text => $payload, json => eval { $json->decode($payload) } };
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
        $r = post($tool, call_of($tool, { sku => { '$gt' => '' }, query => ['x'], order_number => {}, email => [], date => {}, time => 1, name => {} }));
        ok $r->{json} && !$r->{json}{ok}, "$tool: hostile arguments are answered" or diag explain $r;
    }
};

subtest 'ENG-10: the worker calls them for a model, and confirms what writes' => sub {
    my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_OUTBOUND_ALLOW => "127.0.0.1:$port" });
    $stack->start;
    for my $tool (@tools) {
        $stack->frontdesk('tool', 'add', $tool, '--org', $stack->{org}, '--url', "http://127.0.0.1:$port/webhook/frontdesk/$tool");
        $stack->frontdesk('tool', 'enable', $tool, '--org', $stack->{org});
    }
    my $tested = $stack->frontdesk('tool', 'test', 'check_inventory', '--org', $stack->{org}, '--args', '{"sku":"JKT-RAIN"}', '--json');
    like $tested, qr/"in_stock":\s*7/, 'frontdesk tool test shows what n8n said' or diag $tested;

    my $client = $stack->client;
    my $scenario = sub { return '@' . $json->encode({ rounds => [{ tools => [{ name => $_[0], arguments => $_[1] }] }, { text => 'So it is.' }] }) . '@'; };
    my $s = $client->chat({ message => 'Where is D-1002? ' . $scenario->('get_order_status', { order_number => 'D-1002', email => 'noam@customer.example' }) });
    is $s->{terminal}{event}, 'done', 'answered' or diag explain $s->{events};
    like $stack->sql("SELECT response FROM tool_executions WHERE job_id = '$s->{job}'"), qr/shipped/, 'with what n8n said';

    my @time = gmtime(time + 86400 * (8 + (5 + 7 - (gmtime(time + 86400))[6]) % 7));
    my $date = POSIX::strftime('%Y-%m-%d', @time);
    $s = $client->ask({ message => 'Book. ' . $scenario->('book_appointment', { date => $date, time => '11:00', name => 'Dana' }) });
    my $confirm;
    for (1 .. 40) { my $event = $s->next(10) or last; $confirm = $event, last if $event->{event} eq 'confirm'; }
    ok $confirm, 'the visitor is asked' or return;
    $client->post("/api/v1/chat/$s->{job}/confirm", { call_id => $confirm->{json}{call_id}, decision => 'accept' }, { 'X-Frontdesk-Session' => $s->{session} });
    $s->run(20);
    is $s->{terminal}{event}, 'done', 'then it is done' or diag explain $s->{events};
    like $stack->sql("SELECT response FROM tool_executions WHERE job_id = '$s->{job}'"), qr/"booked": *true/, 'and booked in n8n';
    $stack->finish;
};

done_testing;
