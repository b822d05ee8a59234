# Stores that go away with a tool in flight: nothing runs without its row, nothing runs
# twice, and the visitor's word is not lost.  ENG-10, ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(worker => {
    FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000, FRONTDESK_ABANDONED_MS => 8000,
});
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$tools->add('look_up');
$tools->add('book', risk => 'write');
my $client = $stack->client;

subtest 'ENG-10: PostgreSQL away when the tool has run' => sub {
    my $s = $tools->ask('Rows', { rounds => [{ tools => [$tools->call('book', behave => 'slow', ms => 1000)] }, { text => 'Booked.' }] });
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $stack->until(sub { $tools->of_job('effect', $s) == 1 }, 5, 'the effect');
    $stack->stack('postgres', 'stop', STACK_PG_STOP => 'fast');
    sleep 2;
    $stack->must('postgres', 'start');
    $tools->one_answer($s, 'Booked.', 1);
    is $tools->statuses($s), 'done', 'the row has its end';
};

subtest 'ENG-10: PostgreSQL away before it runs: nothing runs without its row' => sub {
    my $s = $tools->ask('No rows', { rounds => [{ first_ms => 800, tools => [$tools->call('look_up')] }, { text => 'Yes.' }] });
    sleep 0.3;
    $stack->stack('postgres', 'stop', STACK_PG_STOP => 'fast');
    sleep 2;
    is $tools->of_job('request', $s), 0, 'not asked';
    $stack->must('postgres', 'start');
    $tools->one_answer($s, 'Yes.', 1);
};

subtest 'ENG-10: both Redis servers gone while the visitor is asked' => sub {
    for my $role (qw(jobs live)) {
        my $s; # whoever asks while a server is not back yet is told to come again
        $stack->until(sub { (($s = $tools->ask("Gone $role", { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] }))->{status} || 0) == 200 }, 20, 'a question taken');
        $tools->run_to($s, 'confirm');
        $stack->stack($role, 'stop');
        $stack->redis_forget;
        sleep 0.5;
        isnt $tools->word($s)->{status}, 200, 'jobs away: the word is not taken' if $role eq 'jobs';
        $stack->must($role, 'start');
        ok $stack->until(sub { $tools->word($s)->{status} == 200 }, 10), "$role back: accepted";
        $s->run(30) unless $s->{terminal};
        if (!$s->{terminal}) { my $more = $client->resume(@$s{qw(job session last_id)})->follow($s); $more->run(30); $s = $more; }
        is $s->{text}, 'Booked.', "$role: answered";
        is $tools->of_job('effect', $s), 1, "$role: one effect";
    }
};

$tools->all_over('book');
$tools->stop;
$stack->finish;
done_testing;
