# A worker that dies, sleeps or is told to go: no accepted question lost, exactly one
# final answer, no gap and no double in what a client assembled.  ENG-19, ENG-20
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(worker => {
    FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000, FRONTDESK_ABANDONED_MS => 3000,
});
$stack->start;
$stack->start_worker('worker-2');
my $client = $stack->client;
my $words = 30;
my $whole = join '', map { "word$_ " } 1 .. $words;

sub owner {
    my ($job) = @_;
    return $stack->until(sub { $stack->redis('jobs', 'HGET', "fd:job:{0}:$job", 'owner') }, 5, 'an owner');
}
sub answers { my ($job) = @_; return $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$job' AND role = 'assistant'"); }
sub one_answer {
    my ($s) = @_;
    is $s->{text}, $whole, 'the whole answer';
    is $s->{broken}, 0, 'no gap, no double' or diag explain $s->{gaps};
    is $s->{terminal}{event}, 'done', 'done';
    is answers($s->{job}), 1, 'exactly one answer is stored';
    return;
}

subtest 'ENG-19: killed in mid-stream, another takes over and says so' => sub {
    my $s = $client->ask({ message => "Kill \@{\"tokens\":$words,\"gap_ms\":60}\@" });
    $s->next(20) for 1 .. 5;
    my $owner = owner($s->{job});
    $stack->signal(KILL => 'worker', $owner);
    my $at = time;
    $s->run(40);
    one_answer($s);
    is $s->{resets}, 1, 'one reset';
    like $s->{terminal}{id}, qr/^2-/, 'a new epoch';
    cmp_ok time - $at, '<', $stack->limit(15), 'within 15 s';
    $stack->start_worker($owner);
};

subtest 'ENG-19: stopped and continued, the sleeper can add nothing' => sub {
    my $s = $client->ask({ message => "Sleep \@{\"tokens\":$words,\"gap_ms\":60}\@" });
    $s->next(20) for 1 .. 5;
    my $owner = owner($s->{job});
    $stack->signal(STOP => 'worker', $owner);
    $s->run(40);
    one_answer($s);
    my $length = $stack->redis('live', 'XLEN', "fd:ev:$s->{job}");
    $stack->signal(CONT => 'worker', $owner);
    sleep 1.5;
    is $stack->redis('live', 'XLEN', "fd:ev:$s->{job}"), $length, 'nothing was added afterwards';
    is answers($s->{job}), 1, 'still one answer';
    is $client->resume($s->{job}, $s->{session})->run(30)->{text}, $whole, 'and it reads the same';
};

subtest 'ENG-19: killed at many moments' => sub {
    my @moments = $ENV{FRONTDESK_LONG} ? map { $_ * 0.02 } 0 .. 60 : (0, 0.05, 0.3, 0.9);
    for my $moment (@moments) {
        my $s = $client->ask({ message => "Moment $moment \@{\"tokens\":$words,\"gap_ms\":25}\@" });
        sleep $moment;
        my $owner = $stack->redis('jobs', 'HGET', "fd:job:{0}:$s->{job}", 'owner') || 'worker-1';
        $stack->signal(KILL => 'worker', $owner);
        $stack->start_worker($owner);
        $s->run(40);
        if (!$s->{terminal}) { my $more = $client->resume(@$s{qw(job session last_id)})->follow($s); $more->run(40); $s = $more; }
        one_answer($s);
    }
};

subtest 'ENG-19: SIGTERM drains' => sub {
    my @s = map { $client->ask({ message => "Drain $_ \@{\"tokens\":$words,\"gap_ms\":20}\@" }) } 1 .. 6;
    $_->next(20) for @s;
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-2');
    $_->run(40) for @s;
    is scalar(grep { ($_->{terminal}{event} // '') eq 'done' && $_->{text} eq $whole } @s), 6, 'all answered';
    is scalar(grep { $_->{resets} } @s), 0, 'none had to start anew';
    $stack->start_worker('worker-2');
};

subtest 'ENG-20: nobody listens any more' => sub {
    my $s = $client->ask({ message => 'Leave @{"tokens":2000,"gap_ms":20}@' });
    $s->next(20) for 1 .. 5;
    $s->close;
    my $end = $stack->until(sub { my ($e) = grep { $_->{event} eq 'end' && $_->{question} =~ /^Leave/ } $stack->journal; $e }, 20, 'the upstream call to end');
    is $end->{how}, 'client', 'the upstream call was cancelled';
    my $row = $stack->until(sub { $stack->sql("SELECT estimated::text || ' ' || tokens_output FROM usage_ledger WHERE job_id = '$s->{job}'") }, 5, 'a ledger row');
    like $row, qr/^true [1-9]/, 'what was generated is billed, marked estimated';
    is answers($s->{job}), 1, 'and kept';
};

subtest 'ENG-19: every worker away for longer than its lease' => sub {
    $stack->signal(KILL => 'worker', $_) for qw(worker-1 worker-2);
    my $r = $stack->until(sub {
        my $answer = $client->post('/api/v1/chat', { message => 'Anybody @{"tokens":1}@' }, { Prefer => 'respond-async' });
        $answer->{status} == 503 && $answer;
    }, 15, 'a refusal');
    ok $r, 'refused' or return;
    cmp_ok $r->{headers}{'retry-after'}, '>', 0, 'with Retry-After';
    $stack->start_worker($_) for qw(worker-1 worker-2);
    ok $stack->until(sub { $client->post('/api/v1/chat', { message => 'Back? @{"tokens":1}@' })->{status} == 200 }, 15), 'and back';
};

subtest 'ENG-19: no worker at all, then one' => sub {
    $stack->signal(KILL => 'worker', $_) for qw(worker-1 worker-2);
    my $s = $client->ask({ message => "Wait \@{\"tokens\":$words}\@" });
    is $s->{status}, 200, 'accepted' or diag $s->read_all;
    sleep 0.5;
    $stack->start_worker($_) for qw(worker-1 worker-2);
    $s->run(40);
    one_answer($s);
};

ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
ok $stack->until(sub { $stack->sql("SELECT count(*) FROM jobs WHERE state = 'running'") == 0 }, 15), 'no job is left running';
$stack->finish;
done_testing;
