# Models: the catalogue, what an organisation enables, what it may cost, where it may run,
# and two of them side by side.  ENG-2, ENG-3, ENG-4, ENG-16
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Stack;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $json = JSON::PP->new->utf8->canonical;
my $stack = Frontdesk::Stack->new;
$stack->start;
my $client = $stack->client;
my $admin = $stack->client(key => $stack->{sk}, origin => '');

# A command: its output, and the status in $stack->{status}; complaints in $complaint.
my $complaint;
sub frontdesk {
    my (@words) = @_;
    my $file = "$stack->{dir}/complaint";
    open my $keep, '>&', \*STDERR or die;
    open STDERR, '>', $file or die;
    my $text = $stack->frontdesk(@words);
    open STDERR, '>&', $keep or die;
    open my $in, '<', $file or die;
    $complaint = do { local $/; <$in> } // '';
    utf8::decode($text);
    return $text;
}
sub models { return frontdesk('models', @_); }
sub settings {
    my (@assignments) = @_;
    frontdesk('settings', 'set', '--org', $stack->{org}, @assignments);
    is $stack->{status}, 0, "settings @assignments" or diag $complaint;
    $stack->heard;
    return;
}
sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', "$stack->{dir}/$name" or die;
    print $out $text;
    return "$stack->{dir}/$name";
}
sub ask { my ($message, %more) = @_; return $client->chat({ message => $message, %more }); }
sub meta { my ($s) = @_; my ($meta) = grep { $_->{event} eq 'meta' } @{ $s->{events} }; return $meta->{json}; }
sub notices { my ($s) = @_; return join '; ', map { $_->{json}{text} } grep { $_->{event} eq 'notice' } @{ $s->{events} }; }
sub reasons { my ($s) = @_; return join '; ', @{ meta($s)->{reasons} }; }
sub last_model { my ($call) = grep { $_->{event} eq 'request' } reverse $stack->journal; return $call->{body}{model}; }
sub route_of { my ($s) = @_; return $json->decode($stack->sql("SELECT route FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'")); }

# What these tests use, with prices and windows.
sub catalogue {
    my (@models) = @_;
    return $json->encode({ effective_from => '2025-01-01', models => [map { my %m = (provider => 'openai', %$_); \%m } @models] });
}
my $file = write_file('models.json', catalogue(
    { model_id => 'mock-fast', name => 'Fast', context_length => 200000, region => 'eu', usd_per_mtok => { input => 3, output => 15, cache_read => 0.3, cache_write => 3.75 } },
    { model_id => 'mock-reasoning', name => 'Reasoning', context_length => 200000, region => 'us', usd_per_mtok => { input => 10, output => 30 } },
    { model_id => 'mock-cheap', name => 'Cheap', context_length => 16000, region => 'eu', usd_per_mtok => { input => 0.1, output => 0.2 } },
    { model_id => 'mock-small', name => 'Small', context_length => 300, region => 'eu', usd_per_mtok => { input => 1, output => 1 } },
    { model_id => 'mock-unpriced', name => 'Unpriced', usd_per_mtok => { input => -1 } },
));

subtest 'ENG-3: the catalogue, from a file' => sub {
    like models('sync', '--file', $file), qr/\A5 models, 4 prices new or changed, from 2025-01-01 on\n1 without a known price/, 'sync';
    is $stack->{status}, 0, 'status';
    like models('sync', '--file', $file), qr/ 0 prices new or changed/, 'again: nothing to do';
    is $stack->sql("SELECT input_per_mtok, output_per_mtok, cache_read_per_mtok, cache_write_per_mtok FROM model_prices WHERE model_id = 'mock-fast'"),
        '3000000|15000000|300000|3750000', 'four prices, in micro-dollars a million tokens';
    is $stack->sql("SELECT count(*) FROM model_prices WHERE model_id = 'mock-unpriced'"), 0, 'a negative price is not known, never 0';
    my $list = models('list');
    like $list, qr/^openai\n(?:.*\n)*mock-fast\s+\$9\.00\/1M tokens · 200k context\s+eu$/m, 'listed by provider, with price hint and region';
    like $list, qr/^mock-unpriced\s+price not known/m, 'an unknown price is said to be so';
    my $shipped = models('sync', '--json');
    is $json->decode($shipped)->{effective_from}, '2025-09-01', 'without a file: the shipped one, with its date';
    for my $case (['{', qr/at byte/], ['{"data":[]}', qr/no models/], ['{"data":[{"id":"a"},{"id":"b\u001b[31m"}]}', qr/data\[1\]\.id: .*control characters/],
                  ['{"models":[{"model_id":"a","provider":"p"}]}', qr/must have its date/], ['{"data":[{"id":"a","pricing":{"prompt":"free!"}}]}', qr/data\[0\]\.prompt: must be a price/]) {
        models('sync', '--file', write_file('bad.json', $case->[0]));
        is $stack->{status}, 1, "refused: $case->[0]";
        like $complaint, $case->[1], 'and why';
    }
    is $stack->sql("SELECT count(*) FROM model_catalog WHERE model_id IN ('a', 'b')"), 0, 'nothing of a bad list is kept';
    models('sync', '--file', "$stack->{dir}/nowhere.json");
    is $stack->{status}, 1, 'a file that is not there';
    like $complaint, qr/nowhere\.json/, 'is named';
};

# An HTTP server that answers one request a child.
sub serve_once {
    my ($status, $body, $headers) = @_;
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
    my $pid = fork // die;
    if (!$pid) {
        my $c = $s->accept or POSIX::_exit(1);
        my $request = '';
        while (<$c>) { $request .= $_; last if /^\r$/; }
        open my $out, '>', "$stack->{dir}/served" or POSIX::_exit(1);
        print $out $request;
        close $out;
        print $c "HTTP/1.1 $status\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n" . ($headers // '') . "\r\n$body";
        close $c;
        POSIX::_exit(0);
    }
    return ('http://127.0.0.1:' . $s->sockport . '/api/v1/models', $pid);
}

subtest 'ENG-3: the catalogue, from a provider\'s /models' => sub {
    my $list = $json->encode({ data => [
        { id => 'anthropic/claude-3-opus', name => 'Claude 3 Opus', context_length => 200000, extra => { deep => [1] },
          architecture => { input_modalities => ['text', 'image'] }, pricing => { prompt => '0.000015', completion => '0.000075', input_cache_read => '0.0000015', input_cache_write => '0.00001875' } },
        { id => 'openrouter/auto', name => 'Auto', pricing => { prompt => '-1', completion => '-1' } } ] });
    my ($url, $pid) = serve_once('200 OK', $list);
    like models('sync', '--url', $url, '--region', 'us'), qr/\A2 models, /, 'sync --url' or diag $complaint;
    waitpid $pid, 0;
    open my $in, '<', "$stack->{dir}/served" or die;
    my $request = do { local $/; <$in> };
    like $request, qr{\AGET /api/v1/models HTTP/1\.1\r\n}, 'asked for the list';
    unlike $request, qr/Authorization|sk-test/i, 'no key goes to a host that is no configured provider';
    is $stack->sql("SELECT provider, context_length, region, array_to_string(modalities, ' ') FROM model_catalog WHERE model_id = 'anthropic/claude-3-opus'"),
        'openrouter|200000|us|text image', 'stored';
    is $stack->sql("SELECT count(*) FROM model_prices WHERE model_id = 'openrouter/auto'"), 0, '-1 is not a price';
    is $stack->sql("SELECT effective_from = (now() AT TIME ZONE 'UTC')::date FROM model_prices WHERE model_id = 'anthropic/claude-3-opus' ORDER BY effective_from DESC LIMIT 1"), 'f', 'the same price as the shipped one: no new row';
    for my $case (['500 Oops', 'x', '', qr/status 500/], ['302 Found', '', "Location: http://127.0.0.1:1/\r\n", qr/status 302/], ['200 OK', '<html>', '', qr/at byte/]) {
        ($url, $pid) = serve_once(@$case[0 .. 2]);
        models('sync', '--url', $url);
        waitpid $pid, 0;
        is $stack->{status}, 1, "$case->[0]: refused";
        like $complaint, $case->[3], 'and why';
    }
    models('sync', '--url', 'http://127.0.0.1:1/models');
    is $stack->{status}, 1, 'nobody there';
};

subtest 'ENG-3: what is enabled' => sub {
    my @org = ('--org', $stack->{org});
    models('enable', 'mock-fast', @org);
    is $stack->{status}, 0, 'enable' or diag $complaint;
    models('enable', 'mock-reasoning', @org, '--label', 'Thinker');
    models('enable', 'mock-cheap', @org);
    like models('list', @org), qr/^\* mock-fast .*(?:\n.*)*^\+ mock-reasoning .*\n    called Thinker$/m, 'the first is the default, labels are shown';
    models('default', 'mock-none', @org);
    like $complaint, qr/Default model must be enabled/, 'a default must be enabled';
    models('disable', 'mock-fast', @org);
    like $complaint, qr/Default model must be enabled/, 'and stays so';
    models('set-tier', 'reasoning', 'mock-none', @org);
    is $stack->{status}, 1, 'a tier\'s model, too';
    like $complaint, qr/Model mock-none is not enabled for this organization/, 'in the contract\'s words';
    models('set-tier', 'reasoning', 'mock-reasoning', @org);
    models('set-tier', 'fast', 'mock-fast', @org);
    is $stack->{status}, 0, 'set-tier';
    settings('fallback_model=mock-cheap');
    frontdesk('settings', 'set', @org, 'max_chunk_tokens=299');
    like $complaint, qr/max_chunk_tokens: must be at least 300/, 'settings are checked';
    frontdesk('settings', 'set', @org, 'temperature=0.4', 'max_chunks=0');
    is $stack->sql("SELECT coalesce(temperature, -1) FROM org_ai_settings WHERE org_id = '$stack->{org}'"), -1, 'all or none';
    like frontdesk('settings', 'show', @org), qr/^fast_model="mock-fast"$/m, 'show';
    models('list', '--org', 'Nobody');
    like $complaint, qr/there is no organisation "Nobody"/, 'an unknown organisation';

    $stack->sql(qq(UPDATE org_ai_settings SET widget = widget || '{"features": {"model_picker": true}}'));
    models('label', 'mock-cheap', 'Sparsam', @org); # publishes
    my $config = $stack->until(sub { my $c = $client->get('/api/v1/config')->{json}; @{ $c->{models} } == 3 && $c }, 5, 'the picker');
    is_deeply [map { "$_->{model_id} $_->{label}" } @{ $config->{models} }], ['mock-fast Fast', 'mock-reasoning Thinker', 'mock-cheap Sparsam'], 'the picker offers them';
    is $config->{models}[0]{price_hint}, '$9.00/1M tokens · 200k context', 'with their price';
    is $config->{default_model_id}, undef, '"Auto" first: nothing is preselected';
    settings('routing=default');
    ok $stack->until(sub { ($client->get('/api/v1/config')->{json}{default_model_id} // '') eq 'mock-fast' }, 5, 'the default'), 'unless the organisation routes so';
    settings('routing=auto');
};

subtest 'ENG-3: the admin API has the same' => sub {
    my $r = $admin->get('/api/admin/models');
    is $r->{status}, 200, 'GET models' or diag $r->{body};
    my ($fast) = grep { $_->{model_id} eq 'mock-fast' } @{ $r->{json}{models} };
    is $fast->{price_hint}, '$9.00/1M tokens · 200k context', 'price hint';
    cmp_ok abs($fast->{usd_per_mtok}{output} - 15), '<', 1e-9, 'prices on demand';
    my $put = sub { $admin->request('PUT', '/api/admin/ai-settings', { 'Content-Type' => 'application/json' }, $json->encode($_[0])) };
    $r = $put->({ temperature => 0.7 });
    is $r->{status}, 200, 'PUT ai-settings' or diag $r->{body};
    cmp_ok abs($r->{json}{temperature} - 0.7), '<', 1e-9, 'answers what holds now';
    is $r->{json}{fast_model}, 'mock-fast', 'what is not sent stays';
    is_deeply $admin->get('/api/admin/ai-settings')->{json}, $r->{json}, 'GET ai-settings';
    for my $case ([{ default_model_id => 'x' }, 'default_model_id', 'Default model must be enabled'],
                  [{ enabled_models => [{ model_id => 'a' }, { model_id => 'b' }] }, 'enabled_models', 'Exactly one model must be set as default'],
                  [{ reasoning_model => 'x' }, 'reasoning_model', 'Model x is not enabled for this organization'],
                  [{ temperature => 2 }, 'temperature', 'must be at most 1'], [{ colour => 1 }, 'colour', 'there is no such setting']) {
        $r = $put->($case->[0]);
        is_deeply [$r->{status}, @{ $r->{json} }{qw(field detail)}], [422, @$case[1, 2]], $json->encode($case->[0]);
    }
    is $client->get('/api/admin/ai-settings')->{status}, 403, 'not with a publishable key';
};

subtest 'ENG-3: a model for a conversation, switched mid-way' => sub {
    my $s = ask('Hi', model_id => 'mock-cheap');
    is meta($s)->{model}, 'mock-cheap', 'picked';
    my $more = ask('Go on', model_id => 'mock-reasoning', session_id => $s->{session});
    is meta($more)->{model}, 'mock-reasoning', 'switched';
    is meta(ask('And on', session_id => $s->{session}))->{model}, 'mock-fast', 'and back to Auto';
    is_deeply [$stack->sql("SELECT model_id FROM messages WHERE role = 'assistant' AND conversation_id = (SELECT id FROM conversations WHERE session_id = '$s->{session}') ORDER BY created_at")],
        ['mock-cheap', 'mock-reasoning', 'mock-fast'], 'each message has its model';
    is ask('x', model_id => 'mock-none', session_id => $s->{session})->{terminal}{json}{detail}, 'Model mock-none is not enabled for this organization', 'one that is not enabled';
    settings('model_presets={"cheap":["mock-none","mock-cheap"]}');
    is meta(ask('Hi', model_id => 'preset:cheap'))->{model}, 'mock-cheap', 'ENG-4: a preset, filtered to what is enabled';
    is ask('x', model_id => 'preset:writing')->{terminal}{json}{detail}, 'Model preset:writing is not enabled for this organization', 'of which nothing is';
    settings('model_suggestions={"code":"mock-reasoning"}');
    $s = ask('Why does my code not compile?');
    is_deeply [@{ meta($s) }{qw(model suggested_model_id)}], ['mock-fast', 'mock-reasoning'], 'ENG-4: a model is suggested for the task, not used';
};

subtest 'ENG-4: a prompt that outgrows its model\'s window' => sub {
    models('enable', 'mock-small', '--org', $stack->{org});
    settings('fast_model=mock-small', 'max_tokens=64');
    my $s = ask('Hi');
    is meta($s)->{model}, 'mock-cheap', 'goes to the cheapest that holds it';
    like reasons($s), qr/window: \d+ tokens, mock-small holds 300/, 'for that reason';
    like notices($s), qr/longer than mock-small can read; mock-cheap answers instead/, 'and says so';
    is last_model(), 'mock-cheap', 'which was asked';
    settings('fast_model=mock-fast', 'max_tokens=null');
    $s = ask('Hi');
    is_deeply [meta($s)->{model}, notices($s)], ['mock-fast', ''], 'where it fits, nothing is said';
};

subtest 'ENG-3: regions fence the picker, the router, the fallback and the API' => sub {
    settings('region_allow_list=EU');
    my $s = ask('How do I close this deal?');
    is meta($s)->{tier}, 'reasoning', 'tier reasoning';
    is meta($s)->{model}, 'mock-fast', 'but its model is in the us: the default answers';
    is ask('x', model_id => 'mock-reasoning')->{terminal}{json}{detail}, 'Model mock-reasoning is not enabled for this organization', 'it may not be picked';
    my $config = $stack->until(sub { my $c = $client->get('/api/v1/config')->{json}; @{ $c->{models} } == 3 && $c }, 5, 'the picker');
    is_deeply [map { $_->{model_id} } @{ $config->{models} }], [qw(mock-fast mock-cheap mock-small)], 'nor is it offered';
    is ask('Fall @{"tokens":2,"status":[500,500,200]}@')->{terminal}{json}{model}, 'mock-cheap', 'a fallback within';
    settings('fallback_model=mock-reasoning');
    is ask('Fail @{"tokens":2,"status":[500,500,200]}@')->{terminal}{event}, 'error', 'none beyond';
    my @models = map { $_->{id} } @{ $admin->get('/v1/models')->{json}{data} };
    is_deeply [grep { /^mock/ } @models], [qw(mock-fast mock-cheap mock-small)], 'nor has the OpenAI door it';
    settings('region_allow_list=mars');
    $s = ask('Anybody?');
    is_deeply [$s->{terminal}{event}, $s->{terminal}{json}{status}], ['error', 403], 'nowhere to run: refused';
    is last_model(), 'mock-fast', 'and nobody is asked';
    settings('region_allow_list=', 'fallback_model=mock-cheap');
};

# The month's usage, as if so much had been spent of ten dollars.
sub spend {
    my ($dollars) = @_;
    $stack->sql("DELETE FROM api_usage WHERE org_id = '$stack->{org}'");
    $stack->sql("INSERT INTO api_usage (org_id, date, model_id, cost_estimate) VALUES ('$stack->{org}', (now() AT TIME ZONE 'UTC')::date, 'x', " . int($dollars * 1e6) . ')');
    frontdesk('budget', 'set', '--org', $stack->{org}, '--monthly', '10');
    $stack->heard;
    return;
}

subtest 'ENG-4: near the budget the cheapest, at its end a refusal' => sub {
    $stack->sql("UPDATE organizations SET plan_type = 'pro' WHERE id = '$stack->{org}'");
    spend(8.9);
    is meta(ask('How do I close this deal?'))->{model}, 'mock-reasoning', '89 %: as ever';
    spend(9.1);
    my $s = ask('How do I close this deal?');
    is meta($s)->{model}, 'mock-cheap', '91 %: the cheapest';
    like reasons($s), qr/budget: 9\d % used, mock-cheap is the cheapest/, 'and why';
    $s = ask('Hi', model_id => 'mock-reasoning');
    is meta($s)->{model}, 'mock-cheap', 'even if another was asked for';
    like notices($s), qr/mock-reasoning is not available here; mock-cheap answers instead/, 'which is said';
    spend(10);
    $s = ask('Hi');
    is_deeply [$s->{terminal}{event}, @{ $s->{terminal}{json} }{qw(status code)}], ['error', 402, 'budget-exhausted'], '100 %: refused';
    my $r = $client->post('/api/v1/chat', { message => 'Hi' });
    is $r->{status}, 402, 'without a stream, too';
    frontdesk('budget', 'set', '--org', $stack->{org}, '--monthly', 'none');
    $stack->heard;
    is ask('Hi')->{terminal}{event}, 'done', 'without a budget: as ever';
};

subtest 'ENG-2: rules on trial are told, not used' => sub {
    settings('route_shadow={"version":2,"reasoning_min_chunks":0}');
    my $s = ask('Where is my order?');
    is_deeply [@{ meta($s) }{qw(tier intent)}], ['fast', 'general_qa'], 'decided by the rules in force';
    is_deeply route_of($s)->{trial}, { version => 2, intent => 'order_status', tier => 'reasoning' }, 'the trial is on the message\'s row';
    is last_model(), 'mock-fast', 'and changes nothing';
    my ($line) = grep { $_->{event} eq 'job.route_trial' && $_->{job_id} eq $s->{job} } map { eval { JSON::PP::decode_json($_) } || {} } split /\n/, $stack->log_text('worker-1.log');
    is_deeply [@$line{qw(intent tier version differs)}], ['order_status', 'reasoning', 2, 1], 'and in the log';
    settings('route_shadow=null', 'route_version=2');
    $s = ask('Where is my order?');
    is meta($s)->{intent}, 'order_status', 'switched on';
    is route_of($s)->{version}, 2, 'with its version';
    settings('route_version=1');
};

subtest 'ENG-2: sticky within a topic, where it is switched on' => sub {
    my $two = sub {
        my $s = ask('How do I close this deal?');
        return ask('And then?', session_id => $s->{session});
    };
    is meta($two->())->{tier}, 'fast', 'off: each question by itself';
    settings('route_sticky=true');
    my $s = $two->();
    is meta($s)->{tier}, 'reasoning', 'on: upgraded';
    like reasons($s), qr/sticky: this topic is on the reasoning tier/, 'and why';
    is meta(ask('And?', session_id => $s->{session}))->{tier}, 'reasoning', 'and on';
    is meta(ask('And then?'))->{tier}, 'fast', 'another conversation is another topic';
    $stack->redis('live', 'FLUSHALL');
    ok $stack->wait_ready(15), 'the live server forgot everything';
    is meta(ask('And?', session_id => $s->{session}))->{tier}, 'reasoning', 'PostgreSQL knows it as well';
    $stack->redis('live', 'FLUSHALL');
    $stack->wait_ready(15);
    $stack->sql("UPDATE messages SET created_at = created_at - interval '31 minutes' WHERE conversation_id = (SELECT id FROM conversations WHERE session_id = '$s->{session}')");
    is meta(ask('And?', session_id => $s->{session}))->{tier}, 'fast', 'after 30 idle minutes a new topic begins';
    settings('route_sticky=false');
};

subtest 'ENG-16: a split of models by conversation' => sub {
    settings('ab_split={"name":"spring","percent":50,"a":{"fast_model":"mock-fast"},"b":{"fast_model":"mock-cheap"}}');
    my (%arms, %sessions);
    for my $n (1 .. 12) {
        my $s = ask("Question $n");
        my $route = route_of($s);
        is meta($s)->{model}, $route->{arm} eq 'b' ? 'mock-cheap' : 'mock-fast', "conversation $n: the arm's model";
        is $route->{split}, 'spring', 'and the split\'s name';
        $sessions{ $route->{arm} } = $s->{session};
        $arms{ $route->{arm} }++;
    }
    is_deeply [sort keys %arms], ['a', 'b'], 'both arms have conversations';
    for my $arm (qw(a b)) {
        is route_of(ask('More', session_id => $sessions{$arm}))->{arm}, $arm, "arm $arm: a conversation stays in it";
        $arms{$arm}++;
    }
    my $picked = ask('Hi', model_id => 'mock-reasoning');
    ok !exists route_of($picked)->{arm}, 'who picks a model is in neither';
    $stack->sql("UPDATE messages SET feedback = 1 WHERE route->>'arm' = 'a'");
    $stack->sql("UPDATE conversations SET rating = 4 WHERE session_id = '$sessions{b}'");

    my $report = $json->decode(models('ab', '--org', $stack->{org}, '--json'));
    is_deeply $report, $admin->get('/api/admin/models/ab')->{json}, 'the command and the API say the same';
    my %arm = map { $_->{arm} => $_ } @{ $report->{arms} };
    is_deeply [map { $arm{$_}{answers} } qw(a b)], [@arms{qw(a b)}], 'answers';
    is_deeply [$arm{a}{models}, $arm{b}{models}], [['mock-fast'], ['mock-cheap']], 'models';
    my @cost = map { $stack->sql("SELECT sum(cost_micro) FROM usage_ledger l JOIN messages m USING (job_id) WHERE m.role = 'assistant' AND m.route->>'arm' = '$_'") } qw(a b);
    is_deeply [map { $arm{$_}{cost_micro} } qw(a b)], \@cost, 'cost, as the ledger has it';
    cmp_ok $cost[0], '>', $cost[1], 'which differs';
    ok $arm{$_}{first_token_ms}{p50} > 0 && $arm{$_}{total_ms}{p95} >= $arm{$_}{first_token_ms}{p50}, "arm $_: latency" for qw(a b);
    is $arm{a}{feedback}{up}, $arms{a}, 'satisfaction: feedback';
    is_deeply [map { $_ + 0 } @{ $arm{b}{rating} }{qw(average count)}], [4, 1], 'and ratings';
    like models('ab', '--org', $stack->{org}), qr/^split spring.*^conversations\s+\d+\s+\d+$/ms, 'side by side';
    settings('ab_split=null');
    ok !exists route_of(ask('Hi', session_id => $sessions{b}))->{arm}, 'switched off';
};

subtest 'ENG-2: frontdesk route' => sub {
    my $r = $json->decode(frontdesk('route', '--org', $stack->{org}, '--json', 'How do I unblock the Acme deal this week?'));
    is_deeply [@$r{qw(intent tier model)}], [qw(deal_coaching reasoning mock-reasoning)], 'by the organisation\'s settings';
    like join('; ', @{ $r->{reasons} }), qr/intent deal_coaching by "deal"/, 'with reasons';
    is_deeply [map { $_->{model} } @{ $r->{models} }], [qw(mock-reasoning mock-cheap)], 'and what comes next if it fails';
    my $text = frontdesk('route', 'Build a win strategy for my top 5 stalled deals and draft next steps.', '--context-tokens', 4200, '--chunks', 5);
    like $text, qr/^tier       reasoning$/m, 'the contract\'s long case, without an organisation';
    like $text, qr/context_tokens 4200 > 2500/, 'why';
    like frontdesk('route', 'What are your opening hours?'), qr/^intent     general_qa\ntier       fast\nmodel      mock-fast \(openai\)$/m, 'a short plain question';
    frontdesk('route', '--org', $stack->{org}, '--model', 'mock-none', 'Hi');
    is $stack->{status}, 1, 'a refusal ends with 1';
    frontdesk('route');
    is $stack->{status}, 2, 'without a question: how it is used';
    is $stack->sql("SELECT count(*) FROM conversations WHERE title LIKE '%Acme%'"), 0, 'nobody was asked';
};

$stack->finish;
done_testing;
