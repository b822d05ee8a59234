# A worker killed at each step of a job (core/failpoint.h: sanitizer and debug builds):
# the other one takes over; no question is lost, one final answer, one ledger.  ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use Test::More;

my $stack = Frontdesk::Stack->new(env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0;' }, worker => {
    FRONTDESK_HEARTBEAT_MS => 200, FRONTDESK_TAKEOVER_IDLE_MS => 1200,
    FRONTDESK_CACHE_MS => 60000, OPENAI_FAST_MODEL => 'gpt-4.1-mini', # RECALLING asks, RESERVING has a price
});
my $tools = Frontdesk::Tools->new($stack);
my $built = { $stack->environment }->{STACK_BUILD};
system('grep', '-q', 'FRONTDESK_FAIL_AT', "$built/frontdesk") == 0 or plan skip_all => 'a release build has no fail points';
$stack->start(no_worker => 1);
$tools->add('book', risk => 'write');
$stack->limits(requests_per_minute => 100000, concurrent_chats => 50, messages_per_month => 0);
my $client = $stack->client;
my $whole = join '', map { "word$_ " } 1 .. 12;

my @points = qw(claimed loading retrieving routed requesting streaming checking saving committed acking finishing done);
my @cases = map { [$_, '"tokens":12,"gap_ms":15'] } @points;
push @cases, ['backoff', '"tokens":12,"status":[503,200]'] if $ENV{FRONTDESK_LONG};
@cases = map { my $case = $_; map { $case } 1 .. 20 } @cases if $ENV{FRONTDESK_LONG};


my $n = 0; # the provider counts its calls by the question

# What must hold of an answer of so many calls whose worker died at that point.
sub is_whole {
    my ($s, $calls) = @_;
    is $s->{text}, $whole, 'the whole answer';
    is $s->{broken}, 0, 'no gap, no double' or diag explain $s->{gaps};
    is $s->{terminal}{event}, 'done', 'done';
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 10), 'nothing is left in the queue';
    is $stack->sql("SELECT string_agg(role, ',' ORDER BY created_at) FROM messages WHERE job_id = '$s->{job}'"), 'user,assistant', 'one question, one answer';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}'"), $calls, 'each call is billed once';
    is $stack->redis('jobs', 'HGET', "fd:job:{0}:$s->{job}", 'state'), 'done', 'and Redis knows';
    return;
}

# The first worker, to die at that point of the question, and the second, once it has.
sub ask_of_the_doomed {
    my ($point, $question, $meanwhile) = @_;
    $stack->start_worker('worker-1', FRONTDESK_FAIL_AT => $point);
    $stack->wait_ready;
    my $pid = $stack->pid('worker', 'worker-1');
    my $s = $client->ask($question);
    is $s->{status}, 200, 'accepted' or return diag $s->read_all;
    $meanwhile->($s) if $meanwhile;
    ok $stack->until(sub { !kill(0, $pid) || Frontdesk::Stack::zombie($pid) }, 10), 'the worker dies there';
    $stack->start_worker('worker-2');
    return $s;
}

for my $case (@cases) {
    my ($point, $scenario) = @$case;
    subtest "ENG-19: killed at $point" => sub {
        my $s = ask_of_the_doomed($point, { message => "Point $point " . ++$n . " \@{$scenario}\@" }) or return;
        is_whole($s->run(40), 1);
        $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-2');
    };
}

# The same with a write that the visitor confirms and a budget, at the points that only they
# have, and in the round behind the write (":2"; REQUESTING comes before and after RESERVING, so
# ":4"; STREAMING begins with text); whether the visitor's word comes before the death.
$stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', '100');
is $stack->{status}, 0, 'a budget';
my @with_tool = map { [$_, /:\d$|^(?:streaming|checking|saving)$/] } qw(recalling reserving tools confirming reserving:2 requesting:4 streaming checking saving);
@with_tool = map { my $case = $_; map { $case } 1 .. 20 } @with_tool if $ENV{FRONTDESK_LONG};

for my $case (@with_tool) {
    my ($point, $after_word) = @$case;
    subtest "ENG-19 ENG-10: killed at $point, with a write" => sub {
        my $word = sub {
            my ($s) = @_;
            ok $tools->run_to($s, 'confirm'), 'the visitor is asked' or return diag explain $s->{events};
            is $tools->word($s)->{status}, 200, 'and agrees';
        };
        my $question = $tools->question("With a tool $point " . ++$n, { rounds => [{ tools => [$tools->call('book')] }, { tokens => 12, gap_ms => 15 }] });
        my $s = ask_of_the_doomed($point, $question, $after_word && $word) or return;
        $word->($s) unless $after_word;
        is_whole($s->run(40), 2);
        is $tools->of_job('request', $s) . ' ' . $tools->of_job('effect', $s), '1 1', 'the write was made once';
        is $tools->statuses($s), 'done', 'one row';
        is $stack->sql('SELECT count(*) FROM budget_reservations'), 0, 'nothing is held';
        $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-2');
    };
}
$tools->all_over('book');
$tools->stop;
$stack->finish;
done_testing;
