# The response cache: the same first question, the same answer, for a while.  ENG-8
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_CACHE_MS => 3000 });
my $tools = Frontdesk::Tools->new($stack);
$stack->start;
my $client = $stack->client;

sub asked { my ($words) = @_; return scalar grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^\s*\Q$words\E/ } $stack->journal; }
sub done { my ($s) = @_; return $s->{terminal}{json}; }

subtest 'ENG-8: the same question is answered again, free' => sub {
    my $first = $client->chat({ message => 'Same @{"tokens":5}@' });
    is $first->{terminal}{event}, 'done', 'answered' or diag explain $first->{events};
    ok !done($first)->{cached}, 'by the model';
    my $again = $client->chat({ message => "  Same \t\@{\"tokens\":5}\@\n" });
    is $again->{text}, $first->{text}, 'white space apart, it is the same question';
    ok done($again)->{cached}, 'and says so';
    is asked('Same'), 1, 'the model was asked once';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$again->{job}'"), 0, 'nothing is billed';
    is $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$again->{job}'"), 2, 'the conversation has it all the same';
    my $whole = $client->post('/api/v1/chat', { message => 'Same @{"tokens":5}@' });
    ok $whole->{json}{cached}, 'as JSON too' or diag $whole->{body};
    like $stack->worker_get('/metrics'), qr/^frontdesk_cache_total\{outcome="hit"\} 2$/m, 'metrics count the hits';
};

subtest 'ENG-8: what is not the same' => sub {
    $client->chat({ message => 'Case @{"tokens":2}@' });
    $client->chat({ message => 'case @{"tokens":2}@' });
    is asked('case'), 1, 'case is kept';
    $client->chat({ message => 'Out @{"tokens":2}@' });
    my $out = $client->chat({ message => 'Out @{"tokens":2}@', cache => JSON::PP::false });
    ok !done($out)->{cached}, 'who opts out is answered by the model';
    is asked('Out'), 2, 'each time';
    my $turn = $client->chat({ message => 'Case @{"tokens":2}@', session_id => $out->{session} });
    ok !done($turn)->{cached}, 'a second turn has a context of its own';
    my $dry = $client->post('/api/v1/chat', { message => 'Case @{"tokens":2}@', dry_run => JSON::PP::true });
    ok !$dry->{json}{cached}, 'a dry run asks nobody';
    $stack->frontdesk('settings', 'set', '--org', $stack->{org}, 'system_prompt=Speak like a pirate.');
    $stack->heard;
    my $other = $client->chat({ message => 'Same @{"tokens":5}@' });
    ok !done($other)->{cached}, 'other settings, another answer';
};

subtest 'ENG-8: off for tool turns: what a tool said is asked for again' => sub {
    $tools->add('look_up');
    my $question = $tools->question('Stock', { rounds => [{ tools => [$tools->call('look_up')] }, { text => 'Twelve are left.' }] });
    for my $time (1, 2) {
        my $s = $client->chat($question);
        is $s->{text}, 'Twelve are left.', 'answered' or diag explain $s->{events};
        ok !done($s)->{cached}, 'by the model';
        is $tools->of_job('request', $s), 1, 'the tool was asked';
        is asked('Stock'), 2 * $time, 'and the model, in both rounds';
        is $stack->sql("SELECT count(*) > 0 FROM usage_ledger WHERE job_id = '$s->{job}'"), 't', 'which is billed';
    }
    my $first = $client->chat({ message => 'Beside @{"tokens":3}@' });
    my $again = $client->chat({ message => 'Beside @{"tokens":3}@' });
    is $again->{text}, $first->{text}, 'a question beside it that needs no tool';
    is asked('Beside'), 1, 'is answered from the cache all the same';
};

subtest 'ENG-8: another organisation asks for itself' => sub {
    $client->chat({ message => 'Tenants @{"tokens":2}@' });
    my ($other) = $stack->sql("INSERT INTO organizations (name, plan_type) VALUES ('Other', 'pro') RETURNING id") =~ /([0-9a-f-]{36})/;
    my $key = $stack->frontdesk('key', 'create', '--org', 'Other', '--name', 'k', '--kind', 'sk', '--json');
    my ($sk) = $key =~ /(fd_sk_\w+)/ or return fail("a key: $key");
    my $s = $stack->until(sub { my $c = $stack->client(key => $sk, origin => undef)->chat({ message => 'Tenants @{"tokens":2}@' }); $c->{status} == 200 && $c }, 10, 'the other key');
    ok $s && !done($s)->{cached}, 'nothing crosses';
    is asked('Tenants'), 2, 'two calls of the model';
};

subtest 'ENG-8: at the same time, one call of the model' => sub {
    my @s = map { $client->ask({ message => 'Crowd @{"tokens":20,"gap_ms":30}@' }) } 1 .. 6;
    $_->run(30) for @s;
    is scalar(grep { ($_->{terminal}{event} // '') eq 'done' } @s), 6, 'all are answered';
    is scalar(grep { $_->{text} eq $s[0]{text} } @s), 6, 'with the same words';
    is asked('Crowd'), 1, 'the model was asked once';
};

subtest 'ENG-8: a failure is nobody\'s answer' => sub {
    my $ask = { message => 'Broken @{"tokens":3,"cut_at":600}@' };
    my $before = do { $client->chat($ask); asked('Broken') };
    my $again = $client->chat($ask);
    ok !$again->{terminal}{json}{cached}, 'it is not kept';
    cmp_ok asked('Broken'), '>', $before, 'the model is asked again';
};

subtest 'ENG-8: it is forgotten' => sub {
    $client->chat({ message => 'Forget @{"tokens":2}@' });
    sleep 3.2;
    ok !done($client->chat({ message => 'Forget @{"tokens":2}@' }))->{cached}, 'after its time';
    is $stack->redis('live', 'KEYS', 'cache:*:lead') ? scalar @{ $stack->redis('live', 'KEYS', 'cache:*:lead') } : 0, 0, 'nobody leads when nobody answers';
};
$tools->stop;
$stack->finish;
done_testing;
