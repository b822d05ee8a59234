# A worker killed at each step of a job (core/failpoint.h: sanitizer and debug builds):
# the other one takes over; no question is lost, one final answer, one ledger.  ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;

my $stack = Frontdesk::Stack->new(env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0;' }, worker => {
    FRONTDESK_HEARTBEAT_MS => 200, FRONTDESK_TAKEOVER_IDLE_MS => 1200,
});
my $built = { $stack->environment }->{STACK_BUILD};
system('grep', '-q', 'FRONTDESK_FAIL_AT', "$built/frontdesk") == 0 or plan skip_all => 'a release build has no fail points';
$stack->start(no_worker => 1);
$stack->limits(requests_per_minute => 100000, concurrent_chats => 50, messages_per_month => 0);
my $client = $stack->client;
my $whole = join '', map { "word$_ " } 1 .. 12;

my @points = qw(claimed loading retrieving routed requesting streaming saving committed acking finishing done);
my @cases = map { [$_, '"tokens":12,"gap_ms":15'] } @points;
push @cases, ['backoff', '"tokens":12,"status":[503,200]'] if $ENV{FRONTDESK_LONG};
@cases = map { my $case = $_; map { $case } 1 .. 20 } @cases if $ENV{FRONTDESK_LONG};

my $n = 0; # the provider counts its calls by the question
for my $case (@cases) {
    my ($point, $scenario) = @$case;
    subtest "ENG-19: killed at $point" => sub {
        $stack->start_worker('worker-1', FRONTDESK_FAIL_AT => $point);
        $stack->wait_ready;
        my $pid = $stack->pid('worker', 'worker-1');
        my $s = $client->ask({ message => "Point $point " . ++$n . " \@{$scenario}\@" });
        is $s->{status}, 200, 'accepted' or return diag $s->read_all;
        ok $stack->until(sub { !kill(0, $pid) || Frontdesk::Stack::zombie($pid) }, 10), 'the worker dies there';
        $stack->start_worker('worker-2');
        $s->run(40);
        is $s->{text}, $whole, 'the whole answer';
        is $s->{broken}, 0, 'no gap, no double' or diag explain $s->{gaps};
        is $s->{terminal}{event}, 'done', 'done';
        ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 10), 'nothing is left in the queue';
        is $stack->sql("SELECT string_agg(role, ',' ORDER BY created_at) FROM messages WHERE job_id = '$s->{job}'"), 'user,assistant', 'one question, one answer';
        is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}'"), 1, 'billed once';
        is $stack->redis('jobs', 'HGET', "fd:job:{0}:$s->{job}", 'state'), 'done', 'and Redis knows';
        $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-2');
    };
}
$stack->finish;
done_testing;
