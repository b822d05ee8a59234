# A job that kills its worker, every time: three crashes, then a dead letter, and
# nobody else notices.  ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my @workers = qw(worker-1 worker-2);
my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000 });
$stack->start;
$stack->start_worker('worker-2');
my $client = $stack->client;
my $words = 12;
my $whole = join '', map { "word$_ " } 1 .. $words;

# -- the poison: a step of this job that never comes to its end -----------------------

# Holds the conversation's row, so that the job stands in PostgreSQL, its crumb laid.
sub poison {
    my ($session) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $stack->{owner} = 0;
        open STDERR, '>', '/dev/null';
        $ENV{PGAPPNAME} = 'poison';
        $stack->sql("BEGIN; SELECT FROM conversations WHERE session_id = '$session' FOR UPDATE; SELECT pg_sleep(60)");
        POSIX::_exit(0);
    }
    $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'poison' AND query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'") }, 5, 'the lock');
    return $pid;
}
sub antidote {
    my ($pid) = @_;
    $stack->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'poison'");
    waitpid $pid, 0;
    return;
}

# The worker that is at work on the job, by its crumb file.
sub working_on {
    my ($job) = @_;
    for my $name (@workers) {
        open my $in, '<:raw', "$stack->{dir}/run/worker-$name.crumb" or next;
        local $/;
        return $name if (<$in> // '') =~ /\Q$job\E/;
    }
    return;
}

# Dies at once, as by a signal of its own making.
sub crash {
    my ($job) = @_;
    my $name = $stack->until(sub { working_on($job) }, 15, "a worker with $job") or return;
    sleep 0.3; # it is still there: not a step in passing
    return unless (working_on($job) // '') eq $name;
    $stack->signal(KILL => 'worker', $name);
    return $name;
}

sub short { my ($n) = @_; my $at = time; $client->chat({ message => "Short $_ \@{\"tokens\":3}\@" })->{terminal}{event} eq 'done' or return for 1 .. $n; return time - $at; }
sub state_of { my ($job) = @_; return $stack->sql("SELECT state || ' ' || coalesce(reason, '') FROM jobs WHERE id = '$job'"); }

my $calm = short(15);
my $hello = $client->chat({ message => 'Hello @{"tokens":2}@' });
my ($poisoned, $session) = (undef, $hello->{session});

subtest 'ENG-19: a poison job ends as a dead letter after three crashes' => sub {
    my $lock = poison($session);
    my $s = $client->ask({ message => 'Poison @{"tokens":5}@', session_id => $session });
    is $s->{status}, 200, 'accepted';
    $poisoned = $s->{job};
    my (@others, $meanwhile, @killed);
    for my $round (1 .. 3) {
        push @others, map { $client->ask({ message => "Other $round $_ \@{\"tokens\":$words,\"gap_ms\":50}\@" }) } 1 .. 4;
        my $name = crash($poisoned) or return fail "crash $round: no worker is at work on it";
        push @killed, $name;
        antidote($lock) if $round == 3;
        $stack->start_worker($name);
        next if $round == 3;
        $stack->until(sub { working_on($poisoned) }, 15, 'the next try');
        $meanwhile //= short(15);
    }
    is scalar @killed, 3, 'three crashes';
    ok defined $meanwhile, 'others are answered while it stands in the way';
    cmp_ok $meanwhile, '<', 3 * $calm + 2, sprintf 'and as fast as ever (%.1f s, calm: %.1f s)', $meanwhile, $calm;

    $s->run(40);
    is $s->{terminal}{event}, 'error', 'its visitor is told' or diag explain $s->{events};
    is $s->{terminal}{json}{code}, 'internal', 'that it was us';
    cmp_ok $s->{resets}, '>=', 1, 'after a reset';
    is $s->{broken}, 0, 'no gap, no double' or diag explain $s->{gaps};
    is state_of($poisoned), 'dead crashes', 'PostgreSQL says why';
    is $stack->redis('jobs', 'HGET', "fd:job:{0}:$poisoned", 'crashes'), 3, 'three crashes are charged to it';
    my %entry = map { my %f = @{ $_->[1] }; ($f{job} => $f{reason}) } @{ $stack->redis('jobs', 'XRANGE', 'fd:dead:{0}', '-', '+') };
    is_deeply \%entry, { $poisoned => 'crashes' }, 'one dead letter, no innocent with it';

    $_->run(40) for @others;
    my @bad = grep { ($_->{terminal}{event} // '') ne 'done' || $_->{text} ne $whole || $_->{broken} } @others;
    is scalar @bad, 0, 'the workers\' other answers came whole' or diag explain [map { [@$_{qw(text gaps terminal)}] } @bad];
    my $jobs = join ',', map { "'$_->{job}'" } @others;
    is $stack->sql("SELECT count(*) FROM messages WHERE role = 'assistant' AND job_id IN ($jobs)"), scalar @others, 'and are stored once each';
    is $client->chat({ message => 'And now?', session_id => $session })->{terminal}{event}, 'done', 'the conversation goes on';
};

# One whose crashes were counted elsewhere: as the third worker it would kill sees it.
sub dead_job {
    my ($question) = @_;
    my $s = $client->ask({ message => "$question \@{\"tokens\":400,\"gap_ms\":50}\@" });
    $s->next(20) for 1 .. 3;
    my $owner = $stack->until(sub { $stack->redis('jobs', 'HGET', "fd:job:{0}:$s->{job}", 'owner') }, 5, 'an owner');
    $stack->redis('jobs', 'HSET', "fd:job:{0}:$s->{job}", 'crashes', 3);
    $stack->signal(KILL => 'worker', $owner);
    $stack->start_worker($owner);
    $s->run(40);
    return $s;
}

subtest 'ENG-19: frontdesk jobs list and show' => sub {
    my $list = $stack->frontdesk(qw(jobs list));
    is $stack->{status}, 0, 'status 0';
    like $list, qr/^\Q$poisoned\E  20\d\d-\d\d-\d\dT[\d:]+Z  org \Q$stack->{org}\E  crashes$/m, 'the list has it, with the reason';
    is scalar(() = $list =~ /^0-/mg), 1, 'and nothing else';
    my $show = $stack->frontdesk('jobs', 'show', $poisoned);
    is $stack->{status}, 0, 'status 0';
    like $show, qr/^reason\s+crashes$/m, 'the reason';
    like $show, qr/^session\s+\Q$session\E$/m, 'the session';
    like $show, qr/^request\s+[0-9a-f]{32}$/m, 'the request, to be found in the logs';
    like $show, qr/^body\s+\{.*Poison/m, 'the question';
};

subtest 'ENG-19: frontdesk jobs retry waits for the conversation' => sub {
    my $busy = $client->ask({ message => 'Busy @{"tokens":60,"gap_ms":50}@', session_id => $session });
    $busy->next(20) for 1 .. 3;
    is $stack->frontdesk('jobs', 'retry', $poisoned), '', 'no second answer beside a running one';
    is $stack->{status}, 1, 'refused';
    is state_of($poisoned), 'dead crashes', 'it stays on the list';
    is $stack->redis('jobs', 'GET', "fd:sess:{0}:$stack->{org}:$session"), $busy->{job}, 'the running one keeps the conversation';
    $busy->run(40);
    is $busy->{terminal}{event}, 'done', 'and ends as ever';
    ok $stack->until(sub { !defined $stack->redis('jobs', 'GET', "fd:sess:{0}:$stack->{org}:$session") }, 5), 'then it is free';
};

subtest 'ENG-19: frontdesk jobs retry answers it' => sub {
    my $new = $stack->frontdesk('jobs', 'retry', $poisoned);
    is $stack->{status}, 0, 'status 0';
    chomp $new;
    like $new, qr/^0-[0-9a-f]{32}$/, 'the new job\'s id';
    ok $stack->until(sub { (state_of($new) // '') eq 'done ' }, 10, 'the answer'), 'answered';
    ok $stack->until(sub { !defined $stack->redis('jobs', 'GET', "fd:sess:{0}:$stack->{org}:$session") }, 5), 'the conversation is free again';
    is state_of($poisoned), "failed retried as $new", 'the old one is off the list';
    is $stack->frontdesk(qw(jobs list)), '', 'which is empty';
    my $late = $client->resume($new, $session)->run(30);
    is $late->{text}, 'word1 word2 word3 word4 word5 ', 'its answer can be read as any other';
    my @messages = @{ $client->get("/api/v1/sessions/$session/history?limit=50")->{json}{messages} };
    is scalar(grep { $_->{role} eq 'user' && $_->{content} =~ /^Poison/ } @messages), 1, 'the question is in the history once';
    is scalar(grep { $_->{content} =~ /^word1 .*word5 $/ } @messages), 1, 'and so is its answer';
    $stack->frontdesk('jobs', 'retry', $poisoned);
    is $stack->{status}, 1, 'a second time is refused';
    is $stack->sql("SELECT count(*) FROM jobs WHERE reason LIKE 'retried%'"), 1, 'and does nothing';
};

subtest 'ENG-19: frontdesk jobs drop' => sub {
    my $s = dead_job('Drop me');
    is $s->{terminal}{event}, 'error', 'dead';
    like $stack->frontdesk(qw(jobs list)), qr/^\Q$s->{job}\E /, 'listed';
    $stack->frontdesk('jobs', 'drop', $s->{job});
    is $stack->{status}, 0, 'dropped';
    is state_of($s->{job}), 'failed dropped', 'PostgreSQL says so';
    is $stack->frontdesk(qw(jobs list)), '', 'the list is empty';
    is scalar(grep { $_->{event} eq 'request' && $_->{question} =~ /^Drop me/ } $stack->journal), 1, 'it was not asked again';
    my ($finding) = grep { $_->{check} eq 'dead_letters' } @{ JSON::PP::decode_json($stack->frontdesk(qw(doctor --json)))->{checks} };
    is $finding->{level}, 'OK', 'and the doctor is content' or diag $finding->{detail};
};

subtest 'ENG-19: entries that cannot be read are listed and dropped' => sub {
    my $id = $stack->redis('jobs', qw(XADD fd:jobs:{0} * job nonsense));
    my $list = '';
    ok $stack->until(sub { ($list = $stack->frontdesk(qw(jobs list))) ne '' }, 10), 'listed';
    like $list, qr/^\Q$id\E  20\d\d-\d\d-\d\dT[\d:]+Z  org -  unreadable: \S.*$/, 'with the reason';
    for my $verb (qw(show retry)) {
        $stack->frontdesk('jobs', $verb, $id);
        is $stack->{status}, 1, "there is nothing to $verb";
    }
    my $dead = $stack->redis('jobs', 'XLEN', 'fd:dead:{0}');
    $stack->frontdesk('jobs', 'drop', $id);
    is $stack->{status}, 0, 'dropped';
    is $stack->redis('jobs', 'XLEN', 'fd:dead:{0}'), $dead - 1, 'this one alone';
    is $stack->frontdesk(qw(jobs list)), '', 'the list is empty';
    $stack->frontdesk('jobs', 'drop', $id);
    is $stack->{status}, 1, 'not twice';
};

ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
ok $stack->until(sub { $stack->sql("SELECT count(*) FROM jobs WHERE state = 'running'") == 0 }, 15), 'no job is left running';
$stack->finish;
done_testing;
