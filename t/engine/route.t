# Who answers, why, and in which language: decided by rules, and told.
# ENG-1, ENG-2, ENG-5, ENG-12, ENG-18
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $stack = Frontdesk::Stack->new;
$stack->start;
my $client = $stack->client;
my $json = JSON::PP->new->canonical;

# Changes the organisation's settings; the worker is told.
sub settings {
    my ($set) = @_;
    $stack->sql("UPDATE org_ai_settings SET $set WHERE org_id = '$stack->{org}'");
    return $stack->hint;
}
# Another worker in the place of the last one, once it is there.
sub restart {
    my (%environment) = @_;
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', %environment);
    $stack->wait_ready;
    return;
}
sub ask { my ($message, %more) = @_; return $client->chat({ message => $message, %more }); }
sub meta { my ($s) = @_; my ($meta) = grep { $_->{event} eq 'meta' } @{ $s->{events} }; return $meta->{json}; }
sub last_call { my ($call) = grep { $_->{event} eq 'request' } reverse $stack->journal; return $call; }
sub calls { return scalar grep { $_->{event} eq 'request' } $stack->journal; }
sub routed {
    my ($message, $intent, $tier, $reason) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $meta = meta(ask($message));
    is_deeply [@$meta{qw(intent tier model)}], [$intent, $tier, "mock-$tier"], $message;
    like join('; ', @{ $meta->{reasons} }), $reason, 'and why';
    is last_call()->{model}, "mock-$tier", 'it is that model which was asked';
    return $meta;
}

subtest 'ENG-2: intent and tier of the contract' => sub {
    routed('How do I unblock the Acme deal this week?', 'deal_coaching', 'reasoning', qr/intent deal_coaching by "deal"/);
    routed('Hi there', 'general_qa', 'fast', qr/no intent word; context_tokens \d+ <= 2500, chunk_count \d < 4/);
    routed('A window shines', 'general_qa', 'fast', qr/no intent word/);
    routed('We won it!', 'deal_coaching', 'reasoning', qr/by "w[io]n"/);
    routed('DRAFTING a mail about our pipeline', 'email_drafting', 'fast', qr/by "draft"/);
    routed('Our pipeline and the deals in it', 'pipeline_summary', 'fast', qr/by "pipeline"/);
    routed('איך לקדם את העסקה?', 'deal_coaching', 'reasoning', qr/intent deal_coaching by "עסקה"/);
    routed('ובפייפליין?', 'pipeline_summary', 'fast', qr/by "פייפליין"/);
};

subtest 'ENG-2: context decides as well' => sub {
    my $body = 'Stalled strategy. ' . 'The matter is long and dry. ' x 120; # some 850 tokens
    $stack->sql("INSERT INTO articles (id, org_id, slug, title, body) VALUES ('aaaaaaaa-0000-4000-8000-000000000000', '$stack->{org}', 'stalled', 'Stalled', '')");
    $stack->sql("INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)"
                . " SELECT '$stack->{org}', 'aaaaaaaa-0000-4000-8000-000000000000', 'stalled-' || n, n, 'Stalled strategy ' || n, '$body Case ' || n || '.', 'en' FROM generate_series(1, 5) n");
    my $s = ask('Build a win strategy for my top 5 stalled deals and draft next steps.');
    my $meta = meta($s);
    is $meta->{tier}, 'reasoning', 'the contract\'s long case: reasoning';
    is $meta->{model}, 'mock-reasoning', 'by its model';
    my $reasons = join '; ', @{ $meta->{reasons} };
    like $reasons, qr/context_tokens [345]\d{3} > 2500/, 'for its tokens';
    like $reasons, qr/chunk_count [56] >= 4/, 'and its chunks';
    my $route = JSON::PP::decode_json($stack->sql("SELECT route FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"));
    is $route->{tier}, 'reasoning', 'stored with the answer';
    is_deeply $route->{reasons}, $meta->{reasons}, 'with its reasons';
    my ($line) = grep { $_->{event} eq 'job.routed' && $_->{job_id} eq $s->{job} } map { eval { JSON::PP::decode_json($_) } || {} } split /\n/, $stack->log_text('worker-1.log');
    is_deeply [@$line{qw(tier intent model)}], [@$meta{qw(tier intent model)}], 'and in the log';
    $stack->sql("DELETE FROM articles WHERE slug = 'stalled'");
};

subtest 'ENG-2: thresholds and words are settings' => sub {
    settings('reasoning_min_chunks = 1');
    routed('How long does shipping take?', 'general_qa', 'reasoning', qr/chunk_count \d >= 1/);
    settings('reasoning_min_chunks = 4, reasoning_min_tokens = 10');
    routed('How long does shipping take?', 'general_qa', 'reasoning', qr/context_tokens \d+ > 10/);
    settings(q(reasoning_min_tokens = 2500, intent_words = '{"support": ["refund", "it is broken"]}'));
    routed('Any refunds?', 'support', 'fast', qr/intent support by "refund"/);
    routed('Help, it is broken', 'support', 'fast', qr/by "it is broken"/);
    routed('A refund for the deal', 'deal_coaching', 'reasoning', qr/by "deal"/);
    settings("intent_words = '{}'");
    routed('Any refunds?', 'general_qa', 'fast', qr/no intent word/);
};

subtest 'ENG-2: a model that is asked for' => sub {
    my $meta = meta(ask('Hi', model_id => 'mock-fallback'));
    is $meta->{model}, 'mock-fallback', 'answers';
    like join('; ', @{ $meta->{reasons} }), qr/model: mock-fallback was asked for/, 'and that is why';
    is meta(ask('Hi', model_id => 'auto'))->{model}, 'mock-fast', 'auto: the tier decides';

    my $before = calls();
    for my $model ('gpt-99', 'mock-fast ', 'openai/mock-fast') {
        my $s = ask('Hi', model_id => $model);
        is $s->{terminal}{event}, 'error', "$model: refused";
        is_deeply [@{ $s->{terminal}{json} }{qw(status code field detail)}],
            [422, 'invalid-field', 'model_id', "Model $model is not enabled for this organization"], 'in the contract\'s words';
        my $r = $client->post('/api/v1/chat', { message => 'Hi', model_id => $model });
        is $r->{status}, 422, 'without a stream, too';
        is $r->{json}{detail}, "Model $model is not enabled for this organization", 'the same words';
    }
    is calls(), $before, 'nobody was asked';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE model_id LIKE '%99'"), 0, 'nothing is billed';

    settings(q(enabled_models = '[{"model_id": "mock-fallback", "is_default": true}]', default_model_id = 'mock-fallback'));
    is meta(ask('Hi'))->{model}, 'mock-fallback', 'with a list of models, a tier\'s model outside of it is not used';
    is ask('Hi', model_id => 'mock-fast')->{terminal}{json}{detail}, 'Model mock-fast is not enabled for this organization', 'and may not be asked for';
    settings(q(enabled_models = '[]', default_model_id = 'mock-reasoning', routing = 'default'));
    $meta = meta(ask('Hi'));
    is $meta->{model}, 'mock-reasoning', 'routing = default: the default model';
    like join('; ', @{ $meta->{reasons} }), qr/mock-reasoning is the organization's default/, 'and why';
    is meta(ask('Hi', model_id => 'mock-fast'))->{model}, 'mock-fast', 'the user\'s choice comes before it';
    settings("default_model_id = NULL, routing = 'auto'");
};

subtest 'ENG-2: an organisation without an assistant' => sub {
    settings('enabled = false');
    my $before = calls();
    my $s = ask('Anybody?');
    is_deeply [$s->{terminal}{event}, @{ $s->{terminal}{json} }{qw(code title)}],
        ['error', 'assistant-disabled', 'AI assistant is disabled for this org'], 'is told so';
    my $r = $client->post('/api/v1/chat', { message => 'Anybody?', session_id => $s->{session} });
    is $r->{status}, 403, 'without a stream: 403';
    is $r->{json}{title}, 'AI assistant is disabled for this org', 'the same words';
    is calls(), $before, 'nobody was asked';
    settings('enabled = true');
    is ask('Anybody?', session_id => $s->{session})->{terminal}{event}, 'done', 'switched on, the conversation goes on';
};

subtest 'ENG-18: a dry run' => sub {
    settings("fast_model = 'gpt-4.1-mini'");
    my $before = calls();
    my $conversations = $stack->sql('SELECT count(*) FROM conversations');
    my $r = $client->post('/api/v1/chat', { message => 'How long does shipping take?', dry_run => JSON::PP::true });
    is $r->{status}, 200, 'status';
    my $d = $r->{json};
    is $d->{finish_reason}, 'dry_run', 'finish_reason';
    ok $d->{dry_run}, 'dry_run';
    is $d->{response}, '', 'no answer';
    is $d->{model}, 'gpt-4.1-mini', 'model';
    is_deeply [@{ $d->{route} }{qw(tier intent)}], ['fast', 'general_qa'], 'route';
    is ref $d->{route}{reasons}, 'ARRAY', 'with reasons';
    is $d->{chunk_count}, scalar @{ $d->{chunks} }, 'the number of chunks';
    cmp_ok $d->{chunk_count}, '>=', 1, 'at least one';
    my ($sum, @ids) = (0);
    for my $chunk (@{ $d->{chunks} }) { $sum += $chunk->{estimated_tokens}; push @ids, @{ $chunk->{snippet_ids} }; }
    is_deeply [map { $_->{index} } @{ $d->{chunks} }], [0 .. $#{ $d->{chunks} }], 'each with its index';
    ok scalar(grep { /^article:shipping/ } @ids), 'and the ids in it';
    cmp_ok $sum, '<=', $d->{context_tokens}, 'its tokens sum up';
    cmp_ok $d->{context_tokens}, '<=', 6000, 'within the bound';
    cmp_ok $d->{prompt_tokens}, '>', $d->{context_tokens}, 'the prompt has the rules as well';
    cmp_ok scalar @{ $d->{citations} }, '<=', 12, 'at most 12 citations';
    is scalar(grep { my $c = $_->{id}; !grep { $_ eq $c } @ids } @{ $d->{citations} }), 0, 'all of them sent';
    cmp_ok abs($d->{cost} - $d->{prompt_tokens} * 0.4 / 1e6), '<=', 1e-6, 'the price of the prompt';
    my $s = ask('How long does shipping take?', dry_run => JSON::PP::true);
    is $s->{terminal}{event}, 'done', 'as a stream';
    is_deeply $s->{terminal}{json}{chunks}, $d->{chunks}, 'with the same chunks';
    is scalar(grep { $_->{event} eq 'delta' } @{ $s->{events} }), 0, 'and no text';
    is calls(), $before, 'no model was called';
    is $stack->sql('SELECT count(*) FROM conversations'), $conversations, 'no conversation begun';
    settings('fast_model = NULL');
};

subtest 'ENG-12: the language of the message' => sub {
    settings(q(system_prompt = 'Never speak of whales.'));
    my @cases = (
        ['How long does shipping take?', {}, qr/You are the front desk assistant of Demo Shop\..*Answer in English/s, qr/\AContext:.*Question:\n/s],
        ['כמה זמן לוקח משלוח?', {}, qr/העוזר\/ת הדיגיטלי\/ת של Demo Shop.*\(Hebrew\)/s, qr/\Aהקשר:.*שאלה:\n/s],
        ['Is DHL ok? האם אפשר משלוח ב-DHL?', {}, qr/העוזר\/ת הדיגיטלי\/ת/, qr/שאלה:/],
        ['Shipping?', { language => 'he' }, qr/העוזר\/ת הדיגיטלי\/ת/, qr/שאלה:/],
        ['Combien de temps?', { language => 'fr' }, qr/Answer in French/, qr/Question:/],
        ['Сколько идёт доставка?', {}, qr/Answer in Russian/, qr/Question:/],
        ['???', {}, qr/Answer in English/, qr/Question:/],
    );
    for (@cases) {
        my ($question, $more, $system, $turn) = @$_;
        ask($question, %$more);
        my @messages = @{ last_call()->{body}{messages} };
        like $messages[0]{content}, $system, "$question: the system prompt";
        like $messages[-1]{content}, $turn, 'and the turn';
        like $messages[0]{content}, qr/Never speak of whales\./, 'with the organisation\'s own text';
        unlike $messages[0]{content} . $messages[-1]{content}, qr/\{\{|\}\}/, 'no placeholder is left';
    }
    settings('system_prompt = NULL');
    ask('Hi');
    unlike last_call()->{body}{messages}[0]{content}, qr/Further instructions/, 'without a text of its own no line for it';
};

subtest 'ENG-1: the built-in provider' => sub {
    restart(LLM_PROVIDER => 'builtin');
    my @cases = (
        ['How long does standard delivery take?', qr/3 to 5 working days/, qr/^article:shipping(?:\.\d+)?$/, qr/I am the built-in offline assistant: no language model is connected/],
        ['כמה זמן לוקח משלוח רגיל?', qr/3 עד 5 ימי עסקים/, qr/^article:shipping(?:-\d+)?-he|^article:shipping-he/, qr/העוזר המובנה, הפועל ללא מודל שפה/],
    );
    for (@cases) {
        my ($question, $fact, $id, $what) = @$_;
        my $s = ask($question);
        is $s->{terminal}{event}, 'done', $question;
        is meta($s)->{model}, 'builtin', 'the built-in model';
        like $s->{text}, $fact, 'answers from the articles';
        like $s->{text}, $what, 'says what it is';
        my @cited = map { $_->{id} } @{ $s->{terminal}{json}{citations} };
        ok scalar(grep { $_ =~ $id } @cited), 'cites its source' or diag explain \@cited;
        is scalar(grep { index($s->{text}, "[$_]") < 0 } @cited), 0, 'in the text';
        is_deeply [map { $_->{json}{id} } grep { $_->{event} eq 'citation' } @{ $s->{events} }], \@cited, 'as events, too';
        is $stack->sql("SELECT provider || ' ' || cost_micro FROM usage_ledger WHERE job_id = '$s->{job}'"), 'builtin 0', 'free of charge';
    }
    my $none = ask('What is the capital of Mongolia?');
    like $none->{text}, qr/^I found nothing about that/, 'what it does not know it does not guess';
    is_deeply $none->{terminal}{json}{citations}, [], 'and cites nothing';
};

$stack->finish;
done_testing;
