# PostgreSQL on bad days: killed, restarted, locked.  ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(env => { STACK_PG_FSYNC => 'on' });
$stack->start;
my $client = $stack->client;
my $words = 40;
my $whole = join '', map { "word$_ " } 1 .. $words;

subtest 'ENG-19: PostgreSQL killed: chat goes on, the end comes late' => sub {
    my $s = $client->ask({ message => "PG \@{\"tokens\":$words,\"gap_ms\":30}\@" });
    $s->next(20) for 1 .. 5;
    $stack->must('postgres', 'stop', STACK_PG_STOP => 'immediate');
    sleep 2;
    $stack->must('postgres', 'start');
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'done';
    is $s->{text}, $whole, 'whole';
    is $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 1, 'stored once';
    ok $stack->until(sub { my $r = eval { $client->post('/api/v1/chat', { message => 'Back? @{"tokens":2}@' }) }; $r && $r->{status} == 200 }, 20), 'and normal service';
};

subtest 'ENG-19: PostgreSQL locked: chat still streams' => sub {
    my $pid = fork;
    if (!$pid) {
        $stack->{owner} = 0;
        open STDERR, '>', '/dev/null';
        $stack->sql('BEGIN; LOCK TABLE messages; SELECT pg_sleep(60)');
        POSIX::_exit(0);
    }
    my $holder = "pg_locks WHERE relation = 'messages'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM $holder") > 0 }), 'the table is locked';
    my $s = $client->ask({ message => 'Locked @{"tokens":5}@' });
    while (my $e = $s->next(20)) { last if $e->{event} eq 'delta'; }
    is $s->{events}[-1]{event}, 'delta', 'tokens come';
    ok !$s->{terminal}, 'and the end waits';
    is $stack->sql("SELECT count(pg_terminate_backend(pid)) FROM $holder"), 1, 'for the lock';
    waitpid $pid, 0;
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'then it is there';
};

ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
$stack->finish;
done_testing;
