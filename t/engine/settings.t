# What an organisation sets holds for every running worker, soon, and comes before what
# the installation sets.  ENG-1, ENG-2, ENG-12
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use IO::Socket::UNIX;
use Test::More;

my @workers = qw(worker-1 worker-2);
my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_SYNC_MS => 500, FRONTDESK_MAX_TOKENS => 700, OPENROUTER_TEMPERATURE => 0.3 });
$stack->start;
$stack->start_worker('worker-2');
my $client = $stack->client(key => $stack->{sk}, origin => ''); # starts of a server are not limited
my $n = 0;

sub change {
    my ($set) = @_;
    $stack->sql("UPDATE org_ai_settings SET $set WHERE org_id = '$stack->{org}'");
    return;
}

# Questions at the same time until every worker has answered one: {worker: [model]}.
sub models {
    my (%models, %questions);
    for my $round (1 .. 10) {
        my @streams = map { $n++; $client->ask({ message => "Settings $n \@{\"tokens\":2,\"gap_ms\":150}\@" }) } 1 .. 6;
        for my $s (@streams) {
            my $meta = $s->next(20);
            my ($owner) = $stack->sql("SELECT split_part(owner, ' ', 1) FROM jobs WHERE id = '$s->{job}'");
            $s->run(30);
            ($owner) = $stack->sql("SELECT split_part(owner, ' ', 1) FROM jobs WHERE id = '$s->{job}'") unless $owner;
            push @{ $models{$owner} }, $meta->{json}{model};
        }
        last if keys %models == @workers;
    }
    return \%models;
}
sub all_use {
    my ($model, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $models = models();
    is_deeply [sort keys %$models], \@workers, "$what: both workers answered";
    my @others = grep { $_ ne $model } map { @$_ } values %$models;
    is_deeply \@others, [], "$what: with $model";
    return;
}
sub ask { my (%more) = @_; $n++; return $client->chat({ message => "Settings $n", %more }); }
sub last_call { my ($call) = grep { $_->{event} eq 'request' } reverse $stack->journal; return $call->{body}; }
sub model { my ($s) = @_; return $s->{terminal}{json}{model}; }

all_use('mock-fast', 'as the environment says');

subtest 'a hint reaches every running worker' => sub {
    change("fast_model = 'own-fast'");
    $stack->hint;
    all_use('own-fast', 'after the hint');
    change('fast_model = NULL');
    $stack->hint;
    all_use('mock-fast', 'and back');
};

subtest 'a change of the organisation is hinted by the synchronisation' => sub {
    my $control = IO::Socket::UNIX->new(Peer => "$stack->{dir}/run/live.sock") or die "live: $!";
    print $control "SUBSCRIBE fd:ctl\r\n";
    <$control> for 1 .. 6;
    change("fast_model = 'own-fast'");
    $stack->sql("UPDATE organizations SET generation = generation + 1 WHERE id = '$stack->{org}'");
    my $heard;
    local $SIG{ALRM} = sub { die "nothing heard\n" };
    eval { alarm 10; while (<$control>) { last if $heard = /^org \Q$stack->{org}\E/; } alarm 0; };
    ok $heard, 'the hint comes by itself';
    $stack->heard;
    all_use('own-fast', 'after it');
};

subtest 'a hint that was lost: the connection that carries them is back' => sub {
    my $listeners = sub { eval { $stack->redis('live', 'PUBSUB', 'NUMSUB', 'fd:ctl')->[1] } // 0 };
    my $all = $listeners->();
    $stack->must('live', 'stop');
    $stack->redis_forget;
    change("fast_model = 'own-newer'");
    $stack->must('live', 'start');
    ok $stack->wait_ready, 'Redis is back';
    ok $stack->until(sub { $listeners->() >= $all }), 'and so are those who listen to hints';
    $stack->heard;
    all_use('own-newer', 'after the reconnect');
    change('fast_model = NULL');
    $stack->hint;
};

subtest 'a hint that was lost: nothing is believed for longer than a minute' => sub {
    plan skip_all => 'takes a minute (FRONTDESK_LONG)' unless $ENV{FRONTDESK_LONG};
    all_use('mock-fast', 'before');
    change("fast_model = 'own-late'");
    all_use('mock-fast', 'right after');
    select undef, undef, undef, 61;
    all_use('own-late', 'a minute later');
    change('fast_model = NULL');
    $stack->hint;
};

subtest 'an answer keeps the settings that it began with' => sub {
    my $s = $client->ask({ message => 'Settings kept @{"tokens":20,"gap_ms":30}@' });
    $s->next(20) for 1 .. 3;
    change('enabled = false');
    $stack->hint;
    is ask()->{terminal}{json}{code}, 'assistant-disabled', 'the next one is refused';
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'the running one comes to its end';
    change('enabled = true');
    $stack->hint;
};

subtest 'ENG-1 ENG-2: tiers of the organisation come before the environment\'s' => sub {
    change("fast_model = 'own-fast', reasoning_model = 'own-reasoning', fallback_model = 'own-fallback'");
    $stack->hint;
    is model(ask()), 'own-fast', 'fast';
    is last_call()->{model}, 'own-fast', 'asked of the provider';
    is model($client->chat({ message => 'Close the deal' })), 'own-reasoning', 'reasoning';
    is model($client->chat({ message => 'Settings fall @{"tokens":2,"status":[500,500,200]}@' })), 'own-fallback', 'fallback';
    is model(ask(model_id => 'own-fast')), 'own-fast', 'and may be asked for by name';
    change('reasoning_model = NULL');
    $stack->hint;
    is model($client->chat({ message => 'Close the deal' })), 'mock-reasoning', 'each by itself: what is not set is the environment\'s';
    change(q(enabled_models = '[{"model_id": "listed", "is_default": true}]', default_model_id = 'listed'));
    $stack->hint;
    is model(ask()), 'listed', 'a tier\'s model that is not enabled is not used';
    change(q(enabled_models = '[]', default_model_id = NULL, fast_model = NULL, fallback_model = NULL));
    $stack->hint;
    is model(ask()), 'mock-fast', 'without settings: the environment';
};

subtest 'ENG-1: what the environment does not say is built in' => sub {
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => $_) for @workers;
    $stack->start_worker('worker-1', OPENAI_FAST_MODEL => '', OPENAI_REASONING_MODEL => '', OPENAI_FALLBACK_MODEL => '');
    $stack->wait_ready;
    is model(ask()), 'gpt-4.1-mini', 'fast';
    is model($client->chat({ message => 'Close the deal' })), 'gpt-4.1', 'reasoning';
    change("fast_model = 'own-fast'");
    $stack->hint;
    is model(ask()), 'own-fast', 'the organisation comes before that, too';
    change('fast_model = NULL');
    $stack->hint;
};

subtest 'ENG-1 ENG-12: the other settings' => sub {
    ask();
    is last_call()->{temperature}, 0.3, 'temperature: the environment\'s';
    my ($limit) = grep { defined } @{ last_call() }{qw(max_completion_tokens max_tokens)};
    is $limit, 700, 'length of an answer: the environment\'s';
    change("temperature = 0.9, max_tokens = 55, system_prompt = 'Mention the moon.', max_chunks = 1, max_chunk_tokens = 300");
    $stack->sql("UPDATE organizations SET business_info = business_info || '{\"tone\": \"like a pirate\"}' WHERE id = '$stack->{org}'");
    $stack->hint;
    my $s = $client->chat({ message => 'How long does shipping take?' });
    my $call = last_call();
    is $call->{temperature}, 0.9, 'temperature';
    ($limit) = grep { defined } @$call{qw(max_completion_tokens max_tokens)};
    is $limit, 55, 'length of an answer';
    like $call->{messages}[0]{content}, qr/Tone: like a pirate/, 'tone';
    like $call->{messages}[0]{content}, qr/Mention the moon\./, 'the organisation\'s own text';
    is $stack->sql("SELECT route->>'chunks' FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 1, 'chunks';
    cmp_ok $stack->sql("SELECT route->>'context_tokens' FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), '<=', 300, 'and their size';
};

subtest 'what a page sees changes as well' => sub {
    change(q(widget = widget || '{"greeting": "Ahoy there"}'));
    $stack->sql("UPDATE organizations SET generation = generation + 1 WHERE id = '$stack->{org}'");
    ok $stack->until(sub { $client->get('/api/v1/config')->{body} =~ /Ahoy there/ }, 10, 'the new greeting'), 'GET /config, after the synchronisation';
    $stack->sql("UPDATE organizations SET status = 'disabled', generation = generation + 1 WHERE id = '$stack->{org}'");
    ok $stack->until(sub { $client->get('/api/v1/config')->{status} == 401 }, 10, 'the keys to stop'), 'a disabled organisation\'s keys stop';
    $stack->sql("UPDATE organizations SET status = 'active', generation = generation + 1 WHERE id = '$stack->{org}'");
    ok $stack->until(sub { $client->get('/api/v1/config')->{status} == 200 }, 10, 'the keys to work'), 'and work again';
};

$stack->finish;
done_testing;
