# nginx reloaded, killed, and clients that leave, read slowly or come back all at
# once.  EDGE-6, EDGE-10
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use Test::More;
use Time::HiRes qw(sleep time);

my $many = $ENV{FRONTDESK_LONG} ? 1000 : 200;
my $stack = Frontdesk::Stack->new(env => { STACK_NGINX_WORKERS => 2, STACK_SEND_TIMEOUT => '3s',
                                         STACK_HTTP_EXTRA => 'frontdesk_read_rate 0;' },
                                  worker => { FRONTDESK_JOB_SLOTS => 2000 });
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$tools->add('book', risk => 'write');
$stack->sql("UPDATE organizations SET limits = '{\"requests_per_minute\": 100000, \"concurrent_chats\": 5000, \"messages_per_month\": 0}', generation = generation + 1");
$stack->frontdesk('key', 'create', '--org', $stack->{org}, '--name', 'publish', '--kind', 'sk') if $stack->{org};
my $client = $stack->client;
my $words = 60;
my $whole = join '', map { "word$_ " } 1 .. $words;

sub nginx_workers {
    my $master = $stack->pid('nginx');
    return grep { $_ } split ' ', `cat /proc/$master/task/$master/children`;
}

# Reads a stream to its terminal event, and asks for the rest where it ends before.
sub to_the_end {
    my ($s) = @_;
    $s->run(30);
    $stack->until(sub {
        return 1 if $s->{terminal};
        my $more = $client->resume(@$s{qw(job session last_id)});
        return unless ($more->{status} // 0) == 200;
        $more->follow($s);
        $more->run(30);
        $s = $more;
        return $s->{terminal};
    }, 40, 'a terminal event');
    return $s;
}

subtest 'EDGE-6: reload with open streams' => sub {
    my @s = map { $client->ask({ message => "Reload $_ \@{\"tokens\":$words,\"gap_ms\":30}\@" }) } 1 .. 10;
    $_->next(20) for @s;
    my @old = nginx_workers();
    $stack->must('nginx', 'reload');
    my @done = grep { $_->{terminal} && $_->{text} eq $whole && !$_->{broken} && !$_->{resets} } map { to_the_end($_) } @s;
    is scalar @done, 10, 'all answers whole, in order, without a reset';
    ok $stack->until(sub { !grep { kill 0, $_ } @old }, 20, 'the old processes to end'), 'the old processes ended';
};

subtest 'EDGE-6: a process killed with open streams' => sub {
    my $s = $client->persevere({ message => "Kill \@{\"tokens\":$words,\"gap_ms\":30}\@" }, each => do {
        my $n = 0;
        sub { if (++$n == 5) { kill KILL => nginx_workers(); } return 1; };
    });
    is $s->{text}, $whole, 'whole';
    is $s->{broken}, 0, 'in order' or diag explain $s->{gaps};
    is $client->get('/healthz')->{status}, 200, 'nginx serves';
};

for my $case ([reload => sub { $stack->must('nginx', 'reload') }], [kill => sub { kill KILL => nginx_workers() }]) {
    my ($how, $happens) = @$case;
    subtest "EDGE-6 ENG-10: $how while a write waits for the visitor" => sub {
        my $s = $tools->ask("Waits $how", { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
        ok $tools->run_to($s, 'confirm'), 'the visitor is asked' or return diag explain $s->{events};
        my @old = nginx_workers();
        $happens->();
        ok $stack->until(sub { my %old = map { $_ => 1 } @old; grep { !$old{$_} } nginx_workers() }, 20, 'new processes'), 'others serve';
        ok $stack->until(sub { $tools->word($s)->{status} == 200 }, 20, 'the word'), 'the word is taken by one of them';
        my $end = to_the_end($s);
        is $end->{text}, 'Booked.', 'answered' or diag explain $end->{events};
        is $end->{broken}, 0, 'no gap, no double' or diag explain $end->{gaps};
        ok !$end->{resets}, 'from where it was';
        is $tools->of_job('request', $s), 1, 'and done once';
        is $tools->statuses($s), 'done', 'one row';
    };
}

subtest 'EDGE-6: a reader that does not read' => sub {
    my @slow = map { $client->ask({ message => "Slow $_ \@{\"tokens\":4000,\"text\":\"" . ('x ' x 3000) . "\"}\@" }) } 1 .. 5;
    my $ok = $client->chat({ message => 'Fast @{"tokens":20}@' });
    is $ok->{terminal}{event}, 'done', 'others are served';
    $_->run(40) for @slow;
    is scalar(grep { ($_->{terminal}{event} // '') eq 'done' && !$_->{broken} } @slow), 5, 'and those who read late got all of it';
};

subtest "EDGE-6: $many clients reconnect at once" => sub {
    my $one = $client->ask({ message => "Herd \@{\"tokens\":$words,\"gap_ms\":50}\@" });
    $one->next(20) for 1 .. 5;
    my @ids = map { $_->{id} } @{ $one->{events} };
    my @herd = map { my $s = $client->resume($one->{job}, $one->{session}, $ids[0]); $s->{last_id} = $ids[0]; $s } 1 .. $many;
    $_->run(40) for @herd;
    is scalar(grep { $_->{text} eq $whole && !$_->{broken} } @herd), $many, 'every one of them has the whole text';
};

subtest 'EDGE-6: a client that leaves' => sub {
    for my $n (0, 1, 3, 10) {
        my $s = $client->ask({ message => "Leave $n \@{\"tokens\":30,\"gap_ms\":10}\@" });
        $s->next(20) for 1 .. $n;
        my ($job, $session) = @$s{qw(job session)};
        $s->close;
        my $again = $client->resume($job, $session)->run(30);
        is $again->{text}, join('', map { "word$_ " } 1 .. 30), "left after $n, the answer is there";
    }
};

$tools->stop;
$stack->finish(allow => qr/exited on signal 9/); # we sent it
done_testing;
