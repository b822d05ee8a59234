# The bad days, with a tool in flight: whatever dies at whatever step, a write happens at
# most once, a stored result is used and not made again, and the visitor gets one answer
# that is honest about it.  ENG-10, ENG-19
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
$stack->start_worker('worker-2');
$tools->add('look_up');
$tools->add('book', risk => 'write');
$tools->add('refund', risk => 'high');
my $client = $stack->client;

sub crash {
    my ($s) = @_;
    my $name = owner($s);
    $stack->signal(KILL => 'worker', $name);
    return $name;
}
sub owner { my ($s) = @_; return $stack->until(sub { $stack->redis('jobs', 'HGET', "fd:job:{0}:$s->{job}", 'owner') }, 5, 'an owner'); }

subtest 'ENG-10: killed before the tool was called' => sub {
    my $s = $tools->ask('Before', { rounds => [{ first_ms => 1200, tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    sleep 0.4;
    my $name = crash($s);
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $tools->one_answer($s, 'Booked.', 1);
    is $tools->statuses($s), 'done', 'one row';
    $stack->start_worker($name);
};

subtest 'ENG-10: killed while it reads: read again' => sub {
    my $s = $tools->ask('Reads', { rounds => [{ text => 'Let me see. ', tools => [$tools->call('look_up', behave => 'slow', ms => 1500)] }, { text => 'It is there.' }] });
    $tools->run_to($s, 'tool');
    $stack->until(sub { $tools->of_job('request', $s) == 1 }, 5, 'the request');
    my $name = crash($s);
    $tools->one_answer($s, "Let me see. \n\nIt is there.", 2);
    is $s->{resets}, 1, 'one reset';
    is $tools->statuses($s), 'done', 'one row';
    is $tools->of_job('effect', $s), 1, 'one key, so that what counts requests counts one';
    $stack->start_worker($name);
};

subtest 'ENG-10: killed while the visitor is asked; the word comes before anybody has taken over' => sub {
    my $s = $tools->ask('Asked', { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    $tools->run_to($s, 'confirm');
    my $name = crash($s);
    is $tools->word($s)->{status}, 200, 'accepted while nobody works on it';
    $tools->one_answer($s, 'Booked.', 1);
    is scalar(() = $tools->named($s, 'confirm')), 1, 'the visitor is not asked again';
    $stack->start_worker($name);
};

subtest 'ENG-10: killed while the visitor is asked; asked again by the next, about the same call' => sub {
    my $s = $tools->ask('Asked twice', { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    my $first = $tools->run_to($s, 'confirm');
    my $name = crash($s);
    my $second = $tools->run_to($s, 'confirm', 2);
    is $second->{json}{call_id}, $first->{json}{call_id}, 'the same question';
    is $second->{json}{expires_at}, $first->{json}{expires_at}, 'with the same end';
    is $tools->word($s)->{status}, 200, 'accepted';
    $tools->one_answer($s, 'Booked.', 1);
    $stack->start_worker($name);
};

subtest 'ENG-10: killed while it writes: it happened, it is not made twice, nobody pretends to know' => sub {
    my $s = $tools->ask('Writes', { rounds => [{ tools => [$tools->call('book', behave => 'slow', ms => 2500)] }, { text => 'I will have that checked.' }] });
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $stack->until(sub { $tools->of_job('effect', $s) == 1 }, 5, 'the effect');
    my $name = crash($s);
    $tools->one_answer($s, 'I will have that checked.', 1);
    is $tools->of_job('effect', $s), 1, 'one effect';
    is $tools->statuses($s), 'unknown', 'the row says that it is not known';
    my ($last) = reverse grep { $_->{event} eq 'request' && $_->{question} =~ /^Writes/ } $stack->journal;
    like $last->{body}{messages}[-1]{content}, qr/"code":"outcome_unknown"/, 'and so was the model told';
    my ($url) = map { $_->{body}{callback_url} } grep { $_->{key} =~ /\Q$s->{job}\E/ } $tools->requests;
    my ($path) = $url =~ m{(/api/.*)};
    is +Frontdesk::Client->new(port => $stack->{port})->post($path, { ok => JSON::PP::true })->{status}, 200, 'the tool may still tell';
    is $tools->statuses($s), 'done', 'and then it is known';
    $stack->start_worker($name);
};

subtest 'ENG-10: killed after it wrote, while the model speaks: the stored result is used' => sub {
    my $s = $tools->ask('After', { rounds => [{ tools => [$tools->call('book')] }, { tokens => 30, gap_ms => 60 }] });
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $tools->run_to($s, 'delta', 3);
    my $name = crash($s);
    $tools->one_answer($s, join('', map { "word$_ " } 1 .. 30), 1);
    is $tools->of_job('effect', $s), 1, 'one effect';
    is scalar(() = $tools->named($s, 'confirm')), 1, 'asked once';
    is $tools->statuses($s), 'done', 'one row';
    $stack->start_worker($name);
};

subtest 'ENG-10: a sleeper that wakes up in the middle of its write' => sub {
    my $s = $tools->ask('Sleeps', { rounds => [{ tools => [$tools->call('book', behave => 'slow', ms => 800)] }, { text => 'It has to be checked.' }] });
    $tools->run_to($s, 'confirm');
    $tools->word($s);
    $stack->until(sub { $tools->of_job('effect', $s) == 1 }, 5, 'the effect');
    my $name = owner($s);
    $stack->signal(STOP => 'worker', $name);
    $tools->one_answer($s, 'It has to be checked.', 1);
    $stack->signal(CONT => 'worker', $name);
    sleep 1.5;
    is $tools->of_job('effect', $s), 1, 'one effect';
    is $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 1, 'one answer';
};

subtest 'ENG-10: SIGTERM while the visitor is asked' => sub {
    my $s = $tools->ask('Leaves', { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    $tools->run_to($s, 'confirm');
    my $name = owner($s);
    $stack->signal(TERM => 'worker', $name);
    sleep 0.3;
    $stack->signal(TERM => 'worker', $name); # at once: what runs is handed back
    $tools->run_to($s, 'confirm', 2);
    $tools->word($s);
    $tools->one_answer($s, 'Booked.', 1);
    $stack->start_worker($name);
};

subtest 'ENG-10: SIGTERM while an approved call runs: it is waited for' => sub {
    my $s = $tools->ask('Approved', { rounds => [{ tools => [$tools->call('refund', behave => 'slow', ms => 3000)] }, { text => 'Somebody looks at it.' }] });
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'the answer ends before it';
    my $id = $stack->sql("SELECT id FROM tool_executions WHERE job_id = '$s->{job}'");
    $stack->frontdesk('approvals', 'approve', $id, '--org', $stack->{org});
    is $stack->{status}, 0, 'approved';
    ok $stack->until(sub { $tools->of_job('request', $s) == 1 }, 20, 'the run'), 'a worker runs it';
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => $_) for qw(worker-1 worker-2); # whichever it is
    is $tools->statuses($s), 'done', 'its end is stored before they go';
    is $tools->of_job('request', $s), 1, 'it ran once';
    $stack->start_worker($_) for qw(worker-1 worker-2);
};

subtest 'ENG-10: no time is left for the visitor\'s word' => sub {
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => $_) for qw(worker-1 worker-2);
    $stack->redis('jobs', 'ZADD', 'fd:alive:{0}', 4e12, 'nobody');
    my $s = $tools->ask('Late', { rounds => [{ tools => [$tools->call('book')] }, { text => 'There was no time.' }] });
    # the job as it would be after minutes of waiting: its deadline is near
    my ($entry) = @{ $stack->redis('jobs', 'XRANGE', 'fd:jobs:{0}', '-', '+') };
    my %field = @{ $entry->[1] };
    $field{deadline} = int(time * 1000) + 32_000;
    $stack->redis('jobs', 'XDEL', 'fd:jobs:{0}', $entry->[0]);
    my $again = $stack->redis('jobs', 'XADD', 'fd:jobs:{0}', '*', %field);
    $stack->redis('jobs', 'HSET', "fd:job:{0}:$s->{job}", deadline => $field{deadline}, entry => $again);
    $stack->redis('jobs', 'ZREM', 'fd:alive:{0}', 'nobody');
    $stack->start_worker($_) for qw(worker-1 worker-2);
    $s->run(30);
    is $s->{text}, 'There was no time.', 'answered' or diag explain $s->{events};
    is scalar(() = $tools->named($s, 'confirm')), 0, 'the visitor is not asked what cannot be done any more';
    is $tools->of_job('request', $s), 0, 'nothing happened';
    is $stack->sql("SELECT status || ' ' || failure FROM tool_executions WHERE job_id = '$s->{job}'"), 'failed no_time', 'and the row says why';
};

# What the provider does in the round behind a write, and the answer that is left of it.
sub ask_after_write {
    my ($words, %round) = @_;
    my $s = $tools->ask($words, { rounds => [{ tools => [$tools->call('book')] }, \%round] });
    $tools->run_to($s, 'confirm');
    is $tools->word($s)->{status}, 200, 'the visitor agrees';
    $s->run(40);
    is $tools->of_job('request', $s) . ' ' . $tools->of_job('effect', $s), '1 1', 'it was done once';
    is $tools->statuses($s), 'done', 'and is stored as done';
    is scalar(() = $tools->named($s, 'confirm')), 1, 'the visitor is asked once';
    is $s->{broken}, 0, 'no gap, no double' or diag explain $s->{gaps};
    return $s;
}
sub stored_answer { my ($s) = @_; return scalar $stack->sql("SELECT status FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"); }

subtest 'ENG-1: the provider fails behind a write, and then not: the write stands' => sub {
    my $s = ask_after_write('Fails once', status => [200, 503, 200], text => 'Booked.');
    is $s->{terminal}{event}, 'done', 'done' or diag explain $s->{events};
    is $s->{text}, 'Booked.', 'answered by the next try';
};

subtest 'ENG-1: the provider fails behind a write for good: an error that says so' => sub {
    my $s = ask_after_write('Fails', status => [200, 503]);
    is $s->{terminal}{event}, 'error', 'an error' or diag explain $s->{events};
    like $s->{terminal}{json}{type}, qr/provider/, 'that names the provider';
    unlike $s->{terminal}{data}, qr/mock status/, 'not in its words';
    unlike $s->{text}, qr/booked/i, 'nothing is claimed that no model said';
    my ($done) = grep { $_->{json}{status} eq 'done' } $tools->named($s, 'tool');
    is $done->{json}{name}, 'book', 'the visitor was told that the call is done';
};

subtest 'ENG-1: the provider is cut off in its sentence about a write' => sub {
    my $s = ask_after_write('Cut', tokens => 12, gap_ms => 15, error_after => 5);
    is $s->{terminal}{event}, 'error', 'an error' or diag explain $s->{events};
    is $s->{text}, 'word1 word2 word3 word4 word5 ', 'what came is kept';
    is stored_answer($s), 'interrupted', 'and stored as what it is';
    my $more = $client->chat({ message => 'And now? @{"text":"Let us see."}@', session_id => $s->{session} });
    is $more->{text}, 'Let us see.', 'the conversation goes on';
    my ($heard) = reverse grep { $_->{event} eq 'request' && $_->{question} =~ /^And now/ } $stack->journal;
    ok scalar(grep { ref $_->{content} || ($_->{content} // '') =~ /word1/ } @{ $heard->{body}{messages} }), 'with what was said' or diag explain $heard->{body}{messages};
};

subtest 'ENG-10: the visitor leaves while a write waits' => sub {
    my $s = $tools->ask('Left', { rounds => [{ tools => [$tools->call('book')] }, { text => 'Booked.' }] });
    $tools->run_to($s, 'confirm');
    $client->post("/api/v1/chat/$s->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $s->{session} });
    $s->run(30);
    is $s->{terminal}{event}, 'cancelled', 'cancelled';
    is $tools->word($s)->{status}, 404, 'a late word is not taken';
    is $tools->statuses($s), 'expired', 'the question is closed';
    is $tools->of_job('request', $s), 0, 'nothing happened';
};

$tools->all_over('book');
$tools->stop;
$stack->finish;
done_testing;
