# PgBouncer before PostgreSQL: it has two of the server's sessions, and gives them out by transaction to two
# workers and the admin APIs of two hosts. Nothing that one of them needs may stay in a session.  OPS-4
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $stack = Frontdesk::Stack->new(pool => 2, env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 0;' }, worker => {
    FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000, FRONTDESK_HOUSEKEEPING_MS => 200,
});
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$stack->start_worker('worker-2');
$tools->add('book', risk => 'write');
my $client = $stack->client;
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $words = 20;
my $whole = join '', map { "word$_ " } 1 .. $words;

# What the code returns is its exit status.
sub aside {
    my ($code) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    open STDERR, '>', '/dev/null';
    POSIX::_exit(eval { $code->() } // 99);
}
sub ask { my ($name) = @_; return $client->ask({ message => "$name \@{\"tokens\":$words,\"gap_ms\":20}\@" }); }
sub begin { my ($s) = @_; while (my $e = $s->next(20)) { last if $e->{event} eq 'delta'; } return $s; }
sub stored { my ($s) = @_; return $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"); }
sub one_answer {
    my ($s) = @_;
    $s->run(40);
    is $s->{terminal}{event}, 'done', 'done';
    is $s->{text}, $whole, 'whole';
    is stored($s), 1, 'and stored once';
    return;
}

subtest 'OPS-4: the doctor tells that a pooler is between' => sub {
    like $stack->frontdesk('doctor'), qr/postgresql\.sessions\s.*pooler/, 'found by itself';
    is $stack->{status}, 0, 'and all is well';
};

subtest 'OPS-4: chats and tools' => sub {
    one_answer($_) for map { ask("Chat $_") } 1 .. 4;
    my $s = $tools->ask('Table', { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $tools->one_answer($s, 'Booked.', 1);
    my $sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'frontdesk_app'";
    ok $stack->until(sub { $stack->sql($sessions) <= 2 }), 'two sessions did it all';
};

# Of the conversation of an answer that is stored.
sub heard {
    my ($events, $s) = @_;
    my $id = $stack->sql("SELECT conversation_id FROM messages WHERE job_id = '$s->{job}' LIMIT 1");
    my $end = time + 20;
    while ((my $left = $end - time) > 0) {
        my $e = $events->next($left) or last;
        return 1 if $e->{event} eq 'conversation' && $e->{json}{id} eq $id;
    }
    return;
}

# Writes and lists for one organisation; how often what came back was not its own.
sub hammer {
    my ($who, $mark) = @_;
    my $wrong = 0;
    for my $n (1 .. 25) {
        my $made = $who->post('canned-replies', { shortcut => "$mark-$n", text => "of $who->{org}" });
        my $list = $who->get('canned-replies?limit=100')->{json}{canned_replies} || [];
        my $own = grep { $_->{text} eq "of $who->{org}" } @$list;
        $wrong++ if $made->{status} != 201 || $own != @$list || !grep { $_->{shortcut} eq "$mark-$n" } @$list;
    }
    return $wrong;
}

subtest 'OPS-4: the admin API, two organisations at once' => sub {
    my $events = $stack->client(key => $admin->{key}, origin => undef)->open(GET => '/api/admin/events', {});
    my @pids;
    for my $n (1, 2) { push @pids, map { my $who = $_; aside(sub { hammer($who, "reply-$n") }) } $admin, $other; }
    my $s = ask('Heard');
    is_deeply [map { waitpid $_, 0; $? >> 8 } @pids], [(0) x 4], 'each sees its own, all of it and nothing else';
    one_answer($s);
    ok heard($events, $s), 'and operators hear what happens';
    $events->close;
};

# Another host: an nginx and an admin API of its own, the same stores.
sub start_host {
    my %env = $stack->environment(FRONTDESK_ADMIN_LISTEN => "unix:$stack->{dir}/2/run/admin.sock");
    my ($root, $dir) = ($stack->root, "$stack->{dir}/2");
    mkdir $_ for $dir, "$dir/run";
    symlink "$stack->{dir}/$_", "$dir/$_" for qw(run/jobs.sock run/live.sock admin.token);
    my $admin_pid = fork // die "fork: $!";
    if (!$admin_pid) {
        local @ENV{ keys %env } = values %env;
        exec 'sh', '-c', qq(eval "\$($root/scripts/stack environment x)"; exec $env{STACK_BUILD}/frontdesk admin >$stack->{dir}/log/admin-2.log 2>&1)
            or POSIX::_exit(127);
    }
    my $port = $stack->free_port;
    $stack->must('nginx', 'start', STACK_DIR => $dir, STACK_LISTEN => "127.0.0.1:$port");
    return { port => $port, admin => $admin_pid, dir => $dir };
}

subtest 'OPS-4: one of two hosts goes' => sub {
    my $host = start_host();
    my %at = (port => $host->{port});
    my %operator = (%at, key => $admin->{key}, origin => undef);
    my $second = $stack->client(%operator, timeout => 20);
    ok $stack->until(sub { $stack->client(%at)->get('/readyz')->{status} == 200 && $second->get('/api/admin/canned-replies')->{status} == 200 }), 'both are up';
    my $events = $second->open(GET => '/api/admin/events', {});
    my $note = { shortcut => 'twice', text => 'Once' };
    my @once = map { $_->request('POST', '/api/admin/canned-replies', { 'Idempotency-Key' => 'hosts' }, JSON::PP::encode_json($note)) }
        $stack->client(%operator, port => $stack->{port}), $second;
    is_deeply [map { $_->{status} } @once], [201, 201], 'a change that is asked of both';
    is $once[1]{headers}{'idempotency-replayed'}, 'true', 'is made once';
    my $s = begin(ask('Hosts'));
    $stack->signal(TERM => 'nginx');
    ok $stack->until(sub { !$stack->pid('nginx') }), 'one goes while it streams';
    my $rest = $stack->client(%at)->resume($s->{job}, $s->{session}, $s->{last_id})->follow($s)->run(40);
    is $rest->{text}, $whole, 'the answer goes on at the other';
    is $rest->{broken}, 0, 'without a gap';
    ok heard($events, $s), 'whose operators heard of it';
    $events->close;
    $stack->must('nginx', 'stop', STACK_DIR => $host->{dir});
    kill TERM => $host->{admin};
    waitpid $host->{admin}, 0;
    $stack->must('nginx', 'start');
    ok $stack->wait_ready, 'it is back';
};

subtest 'OPS-4, ENG-17: who counts is killed at it, another goes on' => sub {
    my $locker = aside(sub { $stack->sql('BEGIN; LOCK TABLE conversation_outcomes; SELECT pg_sleep(60)') });
    my $holder = "pg_locks WHERE relation = 'conversation_outcomes'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM $holder") > 0 }), 'what is counted into is locked';
    one_answer(ask('Count me'));
    my %name = map { $stack->pid('worker', $_) => $_ } qw(worker-1 worker-2);
    my ($pid, $token);
    ok $stack->until(sub {
        my $turn = $stack->sql("SELECT owner || ' ' || token FROM leases WHERE name = 'housekeeping' AND expires_at > clock_timestamp() + interval '1 s'");
        (($pid, $token) = ($turn // '') =~ m{/(\d+)/\S+ (\d+)}) && $name{$pid};
    }), 'one of them is at it';
    my $leader = $name{ $pid // '' } || 'worker-1';
    $stack->signal(KILL => 'worker', $leader);
    $stack->sql("UPDATE leases SET expires_at = now() WHERE name = 'housekeeping'"); # half a minute later
    $stack->sql("SELECT pg_terminate_backend(pid) FROM $holder");
    waitpid $locker, 0;
    ok $stack->until(sub { $stack->sql('SELECT (SELECT count(*) FROM conversations) = (SELECT count(*) FROM conversation_outcomes)') eq 't' }),
        'all is counted';
    ok $stack->until(sub { $stack->sql("SELECT owner NOT LIKE '%/$pid/%' AND token > $token FROM leases WHERE name = 'housekeeping'") eq 't' }),
        'by the other, under a new number';
    $stack->start_worker($leader);
};

subtest 'OPS-4, ENG-19: PgBouncer is killed and comes back' => sub {
    my @streams = map { begin(ask("Bouncer $_")) } 1, 2;
    $stack->must('pooler', 'stop');
    for my $s (@streams) { while (length $s->{text} < length $whole) { last unless $s->next(20); } }
    is_deeply [map { $_->{text} } @streams], [$whole, $whole], 'answers stream without it';
    is $admin->get('conversations')->{status}, 503, 'operators are told that it is away';
    $stack->must('pooler', 'start');
    one_answer($_) for @streams;
    ok $stack->until(sub { $admin->get('conversations')->{status} == 200 }), 'and have it again';
};

subtest 'OPS-4, ENG-19: PostgreSQL is killed behind it' => sub {
    my $s = begin(ask('Server'));
    $stack->must('postgres', 'stop', STACK_PG_STOP => 'immediate');
    while (length $s->{text} < length $whole) { last unless $s->next(20); }
    $stack->must('postgres', 'start');
    one_answer($s);
    ok $stack->until(sub { $admin->get('conversations')->{status} == 200 }), 'and operators have it again';
};

for my $log (qw(worker-1 worker-2 admin admin-2)) {
    my @faults = grep { /"db\.failed"/ && /"level":"error"/ } split /\n/, $stack->log_text("$log.log");
    is "@faults", '', "no statement of $log was at fault";
}
ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
$stack->finish;
done_testing;
