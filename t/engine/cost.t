# What an answer costs: every call in the ledger, to the micro-dollar, and never a 0
# where nobody knows.  ENG-6
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

# The mock reports 60 fresh and 40 cached input tokens and one output token a word.
my ($fast, $fallback, $unpriced) = ('gpt-4.1-mini', 'gpt-4o-mini', 'mock-unpriced');
my $stack = Frontdesk::Stack->new(worker => {
    OPENAI_FAST_MODEL => $fast, OPENAI_REASONING_MODEL => $unpriced, OPENAI_FALLBACK_MODEL => $fallback,
    FRONTDESK_LLM_FIRST_TOKEN_MS => 2000, FRONTDESK_ABANDONED_MS => 1000,
});
$stack->start;
my $client = $stack->client;
my $json = JSON::PP->new->canonical;
my $n = 0;

# Another worker in the place of the last one, once it is there.
sub restart {
    my (%environment) = @_;
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', %environment);
    $stack->wait_ready;
    return;
}
sub ask {
    my ($scenario, %more) = @_;
    $n++;
    return $client->chat({ message => "Cost $n \@" . $json->encode($scenario) . '@', %more });
}
sub ledger {
    my ($job) = @_;
    my @rows = $stack->sql('SELECT model_id, tokens_input, tokens_cache_read, tokens_cache_write, tokens_output,'
                           . " coalesce(cost_micro::text, 'unknown'), estimated, attempt FROM usage_ledger WHERE job_id = '$job' ORDER BY attempt");
    my @names = qw(model input read write output cost estimated attempt);
    return map { my %row; @row{@names} = split /\|/; \%row } @rows;
}
# What the price list makes of it: micro-dollars a token, rounded up as a bill is.
my %price = ($fast => [0.40, 0.10, 1.60], $fallback => [0.15, 0.075, 0.60], 'claude-haiku-4-5' => [1, 0.10, 5]);
sub price {
    my ($row) = @_;
    my ($input, $read, $output) = @{ $price{ $row->{model} } };
    my $exact = $row->{input} * $input + $row->{read} * $read + $row->{output} * $output;
    return int($exact + 1 - 1e-6);
}

subtest 'ENG-6: a known price' => sub {
    for ([20, 60], [3, 33], [1000, 1628]) {
        my ($tokens, $cost) = @$_;
        my $s = ask({ tokens => $tokens });
        my ($row, @more) = ledger($s->{job});
        is_deeply $row, { model => $fast, input => 60, read => 40, write => 0, output => $tokens, cost => $cost, estimated => 'f', attempt => 0 },
            "$tokens words: $cost micro-dollars";
        is scalar @more, 0, 'one row';
        cmp_ok abs($s->{terminal}{json}{cost} - $cost / 1e6), '<', 1e-9, 'as `done` says';
    }
};

subtest 'ENG-6: streamed or at once, the same' => sub {
    my $streamed = ask({ tokens => 17 });
    my $once = $client->post('/api/v1/chat', { message => 'Cost at once @{"tokens":17}@' });
    my $job = $stack->sql("SELECT job_id FROM messages WHERE id = '$once->{json}{message_id}'");
    is_deeply [ledger($job)], [ledger($streamed->{job})], 'in the ledger';
    is_deeply [@{ $once->{json} }{qw(usage cost)}], [@{ $streamed->{terminal}{json} }{qw(usage cost)}], 'and in the answer';
};

subtest 'ENG-6: the price of the day' => sub {
    $stack->sql("INSERT INTO model_prices VALUES ('$fast', current_date - 1, 1000000, 2000000), ('$fast', current_date + 1, 9000000, 9000000)");
    restart(); # a running one believes a price for a minute
    my ($row) = ledger(ask({ tokens => 10 })->{job});
    is $row->{cost}, 120, 'the newest that holds; cached tokens at the input price where none is given';
    $stack->sql("DELETE FROM model_prices WHERE model_id = '$fast' AND effective_from >= current_date - 1");
    restart();
    is +(ledger(ask({ tokens => 10 })->{job}))[0]{cost}, 44, 'a price withdrawn holds no more';
};

subtest 'ENG-6: an unknown price is unknown, not 0' => sub {
    my $s = ask({ tokens => 20 }, model_id => $unpriced);
    is $s->{terminal}{json}{model}, $unpriced, 'the model';
    my ($row) = ledger($s->{job});
    is $row->{cost}, 'unknown', 'NULL in the ledger';
    is $row->{output}, 20, 'its tokens are known';
    ok exists $s->{terminal}{json}{cost} && !defined $s->{terminal}{json}{cost}, 'null in `done`';
};

subtest 'ENG-6: usage that nobody reported' => sub {
    my $s = ask({ text => 'A few words that somebody has to count.', usage => 0 });
    my ($row) = ledger($s->{job});
    is $row->{estimated}, 't', 'is marked as an estimate';
    is $row->{output}, 10, 'a token for four letters';
    cmp_ok $row->{input}, '>', 100, 'of the whole prompt';
    is $row->{cost}, price($row), 'and paid';
    ok $s->{terminal}{json}{usage}{estimated}, '`done` says so, too';
};

subtest 'ENG-6: retries and fallbacks' => sub {
    my $s = ask({ tokens => 20, status => [503, 200] });
    is_deeply [map { "$_->{attempt} $_->{model} $_->{cost}" } ledger($s->{job})], ["0 $fast 60"], 'a refused call costs nothing';
    $s = ask({ tokens => 20, status => [500, 500, 200] });
    is_deeply [map { "$_->{model} $_->{cost}" } ledger($s->{job})], ["$fallback 24"], 'the fallback has its own price';
    $s = ask({ text => '' });
    my @rows = ledger($s->{job});
    my $calls = grep { $_->{event} eq 'request' && $_->{question} =~ /^Cost $n / } $stack->journal;
    cmp_ok $calls, '>', 1, 'an empty answer is asked for again';
    is_deeply [map { $_->{attempt} } @rows], [0 .. $calls - 1], 'each call that was counted is billed, once';
    is_deeply [map { $_->{cost} } @rows], [map { price($_) } @rows], 'at its model\'s price';
    ask({ tokens => 1 });
};

subtest 'ENG-6: cancelled and left' => sub {
    my $s = $client->ask({ message => 'Cost cancelled @{"tokens":500,"gap_ms":20}@' });
    $s->next(20) for 1 .. 5;
    $client->post("/api/v1/chat/$s->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $s->{session} });
    $s->run(30);
    is $s->{terminal}{event}, 'cancelled';
    my ($row, @more) = ledger($s->{job});
    is scalar @more, 0, 'cancelled: one row';
    is $row->{estimated}, 't', 'an estimate';
    cmp_ok $row->{output}, '>', 0, 'of what was generated';
    cmp_ok $row->{output}, '<', 500, 'and no more';
    is $row->{cost}, price($row), 'and paid';

    my $left = $client->ask({ message => 'Cost left @{"tokens":500,"gap_ms":20}@' });
    $left->next(20) for 1 .. 5;
    $left->close;
    ok $stack->until(sub { ($row) = ledger($left->{job}); $row }, 15, 'the row'), 'ENG-20: left alone: billed';
    is "$row->{estimated} $row->{cost}", 't ' . price($row), 'as an estimate' if $row;
};

subtest 'ENG-9: an answer given twice is billed once' => sub {
    my %body = (message => 'Cost twice @{"tokens":20}@', client_message_id => 'cost-twice-1');
    my $first = $client->chat(\%body);
    $client->chat({ %body, session_id => $first->{session} });
    $stack->redis('live', 'DEL', "fd:ev:$first->{job}");
    is $client->resume($first->{job}, $first->{session})->run(30)->{text}, $first->{text}, 'replayed from PostgreSQL';
    is scalar @{ [ledger($first->{job})] }, 1, 'one row';
};

subtest 'ENG-18: a dry run costs nothing' => sub {
    my $rows = $stack->sql('SELECT count(*) FROM usage_ledger');
    my $usage = $stack->sql('SELECT sum(message_count), sum(tokens_input), sum(cost_estimate) FROM api_usage');
    my $dry = $client->post('/api/v1/chat', { message => 'What would shipping cost?', dry_run => JSON::PP::true });
    is $dry->{status}, 200, 'answered';
    is $stack->sql('SELECT count(*) FROM usage_ledger'), $rows, 'no row in the ledger';
    is $stack->sql('SELECT sum(message_count), sum(tokens_input), sum(cost_estimate) FROM api_usage'), $usage, 'nor in the day\'s usage';
};

# A stream that ends before its end, in each wire format.
my $url = "http://127.0.0.1:$stack->{provider_port}";
my %provider = (
    openai    => { model => $fast, environment => {} },
    anthropic => { model => 'claude-haiku-4-5', environment => { LLM_PROVIDER => 'anthropic', ANTHROPIC_API_KEY => 'k', ANTHROPIC_BASE_URL => $url,
                                                                 ANTHROPIC_FAST_MODEL => 'claude-haiku-4-5' } },
    ollama    => { model => 'llama', environment => { LLM_PROVIDER => 'ollama', OLLAMA_HOST => $url, OLLAMA_FAST_MODEL => 'llama',
                                                      OLLAMA_FALLBACK_MODEL => 'llama2' } },
);
for my $name (qw(openai anthropic ollama)) {
    subtest "ENG-6 $name: a cut stream" => sub {
        restart(%{ $provider{$name}{environment} });
        my %cut = ('cut' => { tokens => 30, gap_ms => 5, cut_at => 2500 }, 'reset' => { tokens => 30, gap_ms => 5, cut_at => 2500, reset => 1 },
                   'an error event' => { tokens => 30, gap_ms => 5, error_after => 12 });
        for my $how (sort keys %cut) {
            my $s = ask($cut{$how});
            is $s->{terminal}{event}, 'error', "$how: an error";
            my $words = () = $s->{text} =~ /word/g;
            my ($row, @more) = ledger($s->{job});
            is scalar @more, 0, 'one row';
            is $row->{model}, $provider{$name}{model}, 'of the model';
            is $row->{estimated}, 't', 'an estimate';
            cmp_ok $row->{output}, '>=', $words, "of at least the $words words that came";
            cmp_ok $row->{input} + $row->{read}, '>', 0, 'and of the prompt';
            is $row->{cost}, $price{ $row->{model} } ? price($row) : 'unknown', 'at the model\'s price';
            ask({ tokens => 1 });
        }
        my $whole = ask({ tokens => 20 });
        is +(ledger($whole->{job}))[0]{estimated}, 'f', 'a whole one is as reported';
        is +(ledger($whole->{job}))[0]{output}, 20, 'to the token';
    };
}

subtest 'ENG-6: the sums agree' => sub {
    my $ledger = 'SELECT model_id, sum(tokens_input + tokens_cache_read + tokens_cache_write), sum(tokens_output), sum(coalesce(cost_micro, 0))'
        . ' FROM usage_ledger GROUP BY org_id, model_id ORDER BY model_id';
    my $usage = 'SELECT model_id, sum(tokens_input), sum(tokens_output), sum(cost_estimate) FROM api_usage GROUP BY org_id, model_id ORDER BY model_id';
    is_deeply [$stack->sql($usage)], [$stack->sql($ledger)], 'the day\'s usage is the sum of the ledger, model by model';
    is $stack->sql('SELECT sum(message_count) FROM api_usage'), $stack->sql('SELECT count(DISTINCT job_id) FROM usage_ledger'), 'a message for each answer';
    is $stack->sql('SELECT sum(conversation_count) FROM api_usage'), $stack->sql('SELECT count(*) FROM conversations'), 'each conversation once';
    is $stack->sql('SELECT count(*) FROM conversations c WHERE tokens_total <> (SELECT coalesce(sum(tokens_input + tokens_cache_read + tokens_cache_write + tokens_output), 0)'
                   . ' FROM usage_ledger WHERE conversation_id = c.id)'), 0, 'the tokens of each conversation, too';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE cost_micro = 0"), 0, 'no call of a provider cost 0';
    is $stack->sql('SELECT count(*) FROM usage_ledger WHERE org_id IS NULL OR job_id IS NULL OR conversation_id IS NULL OR provider = \'\''), 0, 'each row says whose and what for';
};

$stack->finish;
done_testing;
