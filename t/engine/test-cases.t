# Regression cases: questions with what their answers have to be like, asked in the background by
# the workers, of one model or of two.  ADM-4
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_ABANDONED_MS => 1000, FRONTDESK_TAKEOVER_IDLE_MS => 2000, FRONTDESK_HEARTBEAT_MS => 500 });
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
$tools->add('book', risk => 'write', description => 'Books a table.');
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $json = JSON::PP->new->canonical;

sub patch { my ($path, $body) = @_; return $admin->request('PATCH', $path, $body); }
sub add { my ($name, $scenario, $expect, %more) = @_; return $admin->post('test-cases', { name => $name, message => "$name \@" . $json->encode($scenario) . '@', expect => $expect, %more })->{json}{id}; }
sub start_run { my (%body) = @_; my $r = $admin->post('test-runs', \%body); is $r->{status}, 202, 'a run begins' or diag $r->{body}; return $r->{json}{id}; }
sub run_of { my ($id) = @_; return $admin->get("test-runs/$id")->{json}; }
sub ended { my ($id) = @_; $stack->until(sub { run_of($id)->{status} ne 'running' }, 60, 'the run to end'); return run_of($id); }
sub drop_all { $admin->delete("test-cases/$_->{id}") for @{ $admin->get('test-cases?limit=200')->{json}{test_cases} }; return; }

subtest 'ADM-4: cases are kept, changed and forgotten' => sub {
    my $made = $admin->post('test-cases', { name => 'Shipping', message => 'Do you ship abroad?', expect => { contains => ['yes'], tier => 'fast' } });
    is $made->{status}, 201, 'kept' or diag $made->{body};
    my $id = $made->{json}{id};
    is_deeply $admin->get("test-cases/$id")->{json}, $made->{json}, 'as it was given';
    is patch("test-cases/$id", { language => 'he', model_id => 'mock-fast' })->{json}{language}, 'he', 'changed';
    my $r = patch("test-cases/$id", { language => undef });
    is_deeply [@{ $r->{json} }{qw(language model_id name)}], [undef, 'mock-fast', 'Shipping'], 'null takes a value away, the rest stays';
    is $other->get("test-cases/$id")->{status}, 404, 'another organisation\'s are not there';
    for my $case ([{ message => ' ' }, 'message'], [{ language => '!' }, 'language'], [{ expect => { tier => 'best' } }, 'expect.tier'],
                  [{ expect => { has => 1 } }, 'expect.has'], [{ name => '' }, 'name']) {
        my $bad = patch("test-cases/$id", $case->[0]);
        is "$bad->{status} $bad->{json}{field}", "422 $case->[1]", $json->encode($case->[0]);
    }
    is scalar @{ $admin->get('test-cases')->{json}{test_cases} }, 1, 'listed';
    is $admin->delete("test-cases/$id")->{status}, 204, 'forgotten';
    is $admin->get("test-cases/$id")->{status}, 404, 'it is gone';
    my $none = $admin->post('test-runs', {});
    is "$none->{status} $none->{json}{field}", '422 case_ids', 'without cases there is no run';
};

my $slow = add('Slow', { text => 'one two', gap_ms => 1500 }, { contains => ['TWO'] });
my $good = add('Good', { text => 'The answer is forty-two.' }, { contains => ['Forty-Two', 'answer'], not_contains => ['wrong'], language => 'en', tier => 'fast' });
my $bad = add('Bad', { text => 'It is wrong, and it will stay wrong for as long as anybody asks.' }, { contains => ['right', 'it is'], not_contains => ['WRONG'], tool => 'book', cites => ['article:none'], tier => 'reasoning', language => 'he' });
my $tool = add('Tool', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'x' } }] }, { text => 'I did not.' }] }, { tool => 'book' });
my $broken = add('Broken', { status => 400, error_body => { error => { message => 'no' } } }, {});
my $shipping = $admin->post('test-cases', { name => 'Knows', message => 'How long does shipping to the United States take?', expect => {} })->{json}{id};

subtest 'ADM-4: a run asks every case and says what each answer lacks' => sub {
    my $run = ended(start_run());
    is $run->{status}, 'done', 'it is done' or diag explain $run;
    is "$run->{done} of $run->{total}", '6 of 6', 'all of it';
    my %by = map { $_->{case_id} => $_ } @{ $run->{results} };
    is_deeply [map { $by{$_}{name} } grep { $by{$_}{passed} } ($slow, $good, $bad, $tool, $broken, $shipping)], [qw(Slow Good Tool Knows)], 'what passed' or diag explain $run->{results};
    is_deeply $by{$bad}{failures}, ['is not in the answer: right', 'must not be in the answer: WRONG', 'the answer is not in the language: he',
        'was not called: book', 'is not cited: article:none', 'the tier is not: reasoning'], 'a line for each thing';
    like $by{$broken}{failures}[0], qr/^no answer: ./, 'an answer that failed says why';
    is $by{$good}{response}, 'The answer is forty-two.', 'the answer is shown';
    is $by{$good}{model}, 'mock-fast', 'and who gave it';
    ok $by{$good}{ms} > 0 && $by{$good}{first_token_ms} > 0, 'and how long it took';
    ok $by{$slow}{passed}, 'nobody listens to it, and it is not given up';
    is_deeply [map { [@$_{qw(label passed failed)}] } @{ $run->{arms} }], [['now', 4, 2]], 'the arm';
    is scalar(() = $tools->requests('book')), 0, 'no tool that writes was run';
    is $stack->sql("SELECT count(*) FROM conversations WHERE channel <> 'test'"), 0, 'they are test conversations';
    is $stack->sql('SELECT count(DISTINCT job_id) FROM usage_ledger'), 5, 'and billed';
    is_deeply [map { "$_->{status} $_->{passed}/$_->{total}" } @{ $admin->get('test-runs')->{json}{test_runs} }], ['done 4/6'], 'listed';
    is $other->get("test-runs/$run->{id}")->{status}, 404, 'not for others';
};

subtest 'ADM-4: two models, or two texts, are compared' => sub {
    my $run = ended(start_run(case_ids => [$good], arms => [{ label => 'fast', model_id => 'mock-fast' }, { label => 'parrot', model_id => 'mock-reasoning', prompt => 'You are a parrot.' }]));
    is_deeply [map { "$_->{arm} $_->{model}" } @{ $run->{results} }], ['fast mock-fast', 'parrot mock-reasoning'], 'each with its own' or diag explain $run;
    is_deeply [map { $_->{passed} } @{ $run->{arms} }], [1, 1], 'counted apart';
    ok defined $_->{p50_ms} && defined $_->{p50_first_token_ms}, "$_->{label} has its times" for @{ $run->{arms} };
    my @asked = grep { $_->{event} eq 'request' && $_->{model} eq 'mock-reasoning' } $stack->journal;
    like $asked[-1]{body}{messages}[0]{content}, qr/You are a parrot\./, 'and its text';
    for my $case ([{ case_ids => ['x'] }, 'case_ids'], [{ case_ids => ['00000000-0000-4000-8000-000000000000'] }, 'case_ids'],
                  [{ arms => [{ label => 'a' }, { label => 'a' }] }, 'arms'], [{ arms => [{ label => 'a' }, { label => 'b' }, { label => 'c' }] }, 'arms'], [{ arms => [{}] }, 'arms[0].label']) {
        my $r = $admin->post('test-runs', $case->[0]);
        is "$r->{status} $r->{json}{field}", "422 $case->[1]", $json->encode($case->[0]);
    }
};

subtest 'ADM-4: from the command line, for a pipeline' => sub {
    my $out = $stack->frontdesk('test-cases', 'run', '--org', 'Demo Shop', '--case', $good, '--case', $tool);
    like $out, qr/^ok +Good .*^ok +Tool .*^now +2 passed, 0 failed/ms, 'a table';
    $out = $stack->stack('frontdesk', ['test-cases', 'run', '--org', 'Demo Shop', '--case', $bad, '--model', 'mock-fast', '--model', 'mock-reasoning']);
    is $stack->{status}, 1, 'a failure: 1';
    like $out, qr/^FAIL +Bad +mock-fast.*^ +is not in the answer: right\n.*^FAIL +Bad +mock-reasoning/ms, 'said in the table';
    $stack->stack('frontdesk', ['test-cases', 'run']);
    is $stack->{status}, 2, 'without --org: 2';
};

subtest 'ADM-4: a run outlives the worker that does it, asks few at a time, and nothing twice' => sub {
    drop_all();
    add("Case $_", { text => "number $_", first_ms => 700 }, { contains => ["number $_"] }) for 1 .. 12;
    my $jobs = $stack->sql('SELECT count(*) FROM jobs');
    my $id = start_run();
    my $most = 0;
    $stack->until(sub {
        my $running = $stack->sql("SELECT count(*) FROM test_results WHERE run_id = '$id' AND status = 'running'");
        $most = $running if $running > $most;
        return run_of($id)->{done} >= 3;
    }, 60, 'some of them to be done');
    cmp_ok $most, '<=', 4, 'four at a time';
    my ($worker) = keys %{ $stack->{workers} };
    $stack->signal('KILL', 'worker', $worker);
    $stack->start_worker($worker);
    my $run = ended($id);
    is $run->{status}, 'done', 'done all the same';
    is $run->{arms}[0]{passed}, 12, 'and every answer is right' or diag explain $run->{results};
    is $stack->sql("SELECT count(*) - $jobs FROM jobs"), 12, 'no case was asked twice';
};

subtest 'ADM-4: it can be stopped' => sub {
    drop_all();
    add("Long $_", { tokens => 300, gap_ms => 100 }, {}) for 1 .. 8;
    my $id = start_run();
    $stack->until(sub { $stack->sql("SELECT count(*) FROM test_results r JOIN jobs j ON j.id = r.job_id WHERE run_id = '$id' AND j.state = 'running'") > 0 }, 30, 'some to be running');
    is $admin->post("test-runs/$id/cancel", {})->{json}{status}, 'cancelled', 'stopped';
    is_deeply [map { $_->{status} } @{ run_of($id)->{results} }], [('cancelled') x 8], 'all of it';
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 20), 'and nothing runs on';
    is $admin->post("test-runs/$id/cancel", {})->{status}, 404, 'a second time there is nothing to stop';
};

$stack->finish;
done_testing;
