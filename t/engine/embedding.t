# Sections are embedded in the background and found by what they mean, beside their words; a
# server of embeddings that is slow, wrong or away costs nobody an answer.  ENG-5, ENG-1
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Process;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $canary = 'ek-canary-5Kq8vN2xZb-4242';
my $port = Frontdesk::Process::free_port();
my $stack = Frontdesk::Stack->new(worker => {
    FRONTDESK_OUTBOUND_ALLOW => "127.0.0.1:$port", FRONTDESK_SYNC_MS => 300, FRONTDESK_EMBEDDING_MS => 3000 });
my ($journal, $behaviour) = ("$stack->{dir}/embeddings.journal", "$stack->{dir}/embeddings.json");
my $json = JSON::PP->new->canonical;
behave();
my $server = start_server();
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $admin = Frontdesk::Admin->new($stack);
my $client = $stack->client(key => $stack->{sk}, origin => undef);
my $url = "http://127.0.0.1:$port/v1";
my ($n, @seen) = (0);

sub start_server { return Frontdesk::Process->new($port, "$stack->{dir}/embeddings.log", $^X, $stack->root . '/t/lib/embeddings.pl', $port, $journal, $behaviour); }
sub behave {
    my (%how) = @_;
    open my $out, '>', "$behaviour.new" or die "$behaviour: $!";
    print $out $json->encode(\%how);
    close $out;
    rename "$behaviour.new", $behaviour;
    return;
}
sub requests {
    open my $in, '<', $journal or return;
    return map { $json->decode($_) } <$in>;
}
sub asked { my @all = requests(); return scalar @all; }
sub keep { my ($r) = @_; push @seen, $r->{body} // ''; return $r; }
sub put { my (%settings) = @_; return keep($admin->put('ai-settings/embedding', \%settings)); }
sub article { my ($slug, $text) = @_; my $r = $admin->post("knowledge/articles?slug=$slug", $text, { 'Content-Type' => 'text/markdown' }); is $r->{status}, 201, "article $slug" or diag $r->{body}; return; }
sub metric { my ($name) = @_; my ($value) = $stack->worker_get('/metrics') =~ /^\Q$name\E (\S+)$/m; return $value // 0; }
sub missing { return $stack->sql("SELECT count(*) FROM article_sections s LEFT JOIN section_embeddings e ON e.section_id = s.id WHERE s.org_id = '$stack->{org}' AND e.section_id IS NULL"); }
sub again { $stack->sql('UPDATE embedding_state SET retry_at = NULL'); return; }
sub hint { $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}"); return; }

# Ids of what the model was shown for a question.
sub shown {
    my ($question) = @_;
    $n++;
    my $s = $client->chat({ message => "$question \@{\"tokens\":1,\"n\":$n}\@" });
    is $s->{terminal}{event}, 'done', 'answered' or diag explain $s->{events};
    my ($call) = grep { $_->{event} eq 'request' } reverse $stack->journal;
    return $call->{body}{messages}[-1]{content} =~ /^\[(\S+?)\]/mg;
}
sub questions { return $stack->sql("SELECT count(*) FROM usage_ledger WHERE kind = 'embedding' AND job_id LIKE 'question:%'"); }
sub dry { my ($question) = @_; return $admin->post('dry-run', { message => $question })->{json}; }
sub has_pgvector { return $stack->sql('SELECT has_embedding_column()') eq 't'; }
sub finds { my ($slug, $question) = @_; return scalar grep { $_ eq "article:$slug" } shown($question); }

# No word of the question is in the article.
my $question = 'Kangaroos allowed?';
article('pets', "# Quokkas\n\nMarsupials may be handed over at the counter.");

# Where pgvector is installed, a migration has taken it up already; its own turn comes later.
$stack->sql('SET client_min_messages = warning; DROP EXTENSION IF EXISTS vector CASCADE');
$stack->hint;

subtest 'ENG-5: without embeddings, words alone find' => sub {
    is finds('pets', $question), 0, 'what has none of the words is not found';
    ok finds('pets', 'Where is the counter for marsupials?'), 'what has them is';
    is dry($question)->{meaning}, 'off', 'and a dry run says so';
    is asked(), 0, 'nobody was asked';
};

subtest 'ENG-1: settings of embeddings are checked, sealed and tested' => sub {
    for my $case (
        [{ provider => 'openai', base_url => $url },                                   'model'],
        [{ provider => 'anthropic', base_url => $url, model => 'm' },                  'provider'],
        [{ provider => 'openai', base_url => $url, model => 'm', dimensions => 8 },    'dimensions'],
        [{ provider => 'openai', base_url => $url, model => 'm', dimensions => 5000 }, 'dimensions'],
        [{ provider => 'openai', base_url => 'https://10.0.0.1/v1', model => 'm' },    'base_url'],
        [{ provider => 'openai', model => 'm' },                                       'api_key'],
    ) {
        my $r = put(%{ $case->[0] });
        is "$r->{status} " . ($r->{json}{field} // ''), "422 $case->[1]", $json->encode($case->[0]) or diag $r->{body};
    }
    behave(dimensions => 48);
    my $r = put(provider => 'openai', base_url => $url, model => 'fake-embed', dimensions => 32, api_key => $canary);
    is $r->{status}, 200, 'set' or diag $r->{body};
    is $r->{json}{api_key}{ends_with}, '4242', 'the last four characters of the key';
    $r = keep($admin->post('ai-settings/embedding/test', {}));
    ok !$r->{json}{ok}, 'a server with other dimensions fails the test';
    like $r->{json}{detail}, qr/48 dimensions, 32 were expected/, 'and is told why';
    behave();
    $r = keep($admin->post('ai-settings/embedding/test', {}));
    is $r->{json}{detail}, 'vectors of 32 dimensions', 'one with the right ones passes' or diag $r->{body};
};

subtest 'ENG-5: sections are embedded in the background' => sub {
    again();
    ok $stack->until(sub { missing() == 0 }, 30, 'all sections'), 'all of them';
    my ($request) = grep { ($_->{body}{encoding_format} // '') eq 'base64' && @{ $_->{body}{input} } > 1 } requests();
    ok $request, 'in batches, as base64';
    is_deeply [@{ $request->{body} }{qw(model dimensions)}], ['fake-embed', 32], 'of that model';
    is $request->{headers}{authorization}, "Bearer $canary", 'with that key';
    is $stack->sql("SELECT string_agg(DISTINCT octet_length(vector)::text, ',') FROM section_embeddings"), 128, '32 numbers each';
    cmp_ok $stack->sql("SELECT count(*) FROM usage_ledger WHERE kind = 'embedding' AND own_key"), '>', 0, 'accounted as what they are';
    cmp_ok $stack->sql("SELECT sum(tokens_input) FROM usage_ledger WHERE kind = 'embedding'"), '>', 0, 'with the provider\'s tokens';
};

subtest 'ENG-5: found by what it means' => sub {
    ok $stack->until(sub { sleep 0.2; finds('pets', $question) }, 30, 'the article'), 'without a word in common';
    ok finds('pets', 'Where is the counter for marsupials?'), 'by words as well';
    cmp_ok metric('frontdesk_meaning_total{outcome="found"}'), '>', 0, 'and it is counted';
    cmp_ok metric('frontdesk_vectors_bytes'), '>', 0, 'with the memory that it takes';
};

subtest 'ENG-5 ENG-18: a dry run searches as a chat does, and pays for it' => sub {
    my $paid = questions();
    my $run = dry($question);
    is $run->{meaning}, 'found', 'the admin API';
    my ($snippet) = grep { $_->{id} eq 'article:pets' } @{ $run->{snippets} };
    ok $snippet && $snippet->{sent}, 'the article is sent' or diag explain $run->{snippets};
    is_deeply $snippet->{found}, ['meaning'], 'and why it was found is told';
    is_deeply [sort map { $_->{id} } grep { $_->{sent} } @{ $run->{snippets} }], [sort +shown($question)], 'a chat is shown the same';
    is questions(), $paid + 2, 'each question is in the ledger';
    my $text = $stack->frontdesk('dry-run', '--org', 'Demo Shop', $question);
    like $text, qr/^meaning +found$/m, 'the command line' or diag $text;
    like $text, qr/^(?:snippets)? +[\d.]+  article:pets  by meaning$/m, 'with the reason';
    like $text, qr/^saved +\d+ repeated snippets; tokens: \d+ of repeated lines, \d+ of schemas, 0 of 0 tools left out$/m, 'and what the prompt need not say';
    is questions(), $paid + 3, 'paid as well';
    behave(status => 500);
    $run = dry('Where is the counter for marsupials?');
    is $run->{meaning}, 'failed', 'a server that fails';
    ok scalar(grep { $_->{id} eq 'article:pets' } @{ $run->{snippets} }), 'leaves the words';
    is questions(), $paid + 3, 'and its refusal costs nothing';
    behave();
};

subtest 'ENG-5: what is new or changed is embedded, what is gone is forgotten' => sub {
    my $before = $stack->sql("SELECT string_agg(md5(vector) || made_at, ',' ORDER BY section_id) FROM section_embeddings e JOIN article_sections s ON s.id = e.section_id WHERE s.slug <> 'pets'");
    article('zoo', "# Zoo\n\nA kangaroo lives at the pond.");
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM section_embeddings e JOIN article_sections s ON s.id = e.section_id WHERE s.slug = 'zoo'") }, 30, 'the new one'), 'a new section';
    ok $stack->until(sub { hint(); sleep 0.2; finds('zoo', 'Any quokka around?') }, 30, 'the new one'), 'is found';
    is $stack->sql("SELECT string_agg(md5(vector) || made_at, ',' ORDER BY section_id) FROM section_embeddings e JOIN article_sections s ON s.id = e.section_id WHERE s.slug NOT IN ('pets', 'zoo')"),
        $before, 'the others were not embedded again';
    $admin->delete('knowledge/articles/zoo');
    is $stack->sql("SELECT count(*) FROM section_embeddings e LEFT JOIN article_sections s ON s.id = e.section_id WHERE s.id IS NULL"), 0, 'nothing is left of one that is gone';
    is finds('zoo', 'Any quokka around?'), 0, 'nor is it found';
};

subtest 'ENG-5: a server that is slow, wrong or away: words alone, in time' => sub {
    my $ask = 'Where is the counter for marsupials?';
    for my $case (
        ['stalls', stall_ms => 20000], ['429', status => 429, headers => { 'Retry-After' => 7 }], ['garbage', body => '<html>no</html>'],
        ['other dimensions', dimensions => 48], ['no number', nan => 1, floats => 0], ['a vector less', drop => 1], ['cut', cut => 1],
    ) {
        my ($what, %how) = @$case;
        my $failed = metric('frontdesk_meaning_total{outcome="failed"}');
        my ($asked, $paid) = (asked(), questions());
        behave(%how);
        my $began = time;
        ok finds('pets', $ask), "$what: words find";
        cmp_ok time - $began, '<', 15, "$what: in time";
        cmp_ok metric('frontdesk_meaning_total{outcome="failed"}') + metric('frontdesk_meaning_total{outcome="breaker"}'), '>', $failed, "$what: counted";
        my $due = $paid + (asked() - $asked) * ($how{status} ? 0 : 1);
        ok $stack->until(sub { questions() == $due }, 20, 'the ledger'), "$what: " . ($how{status} ? 'a refusal is free' : 'what the server may have counted is paid');
        put(model => 'fake-embed'); # nothing changes but the revision
    }
    behave();
    $server->stop;
    ok finds('pets', $ask) for 1 .. 6;
    cmp_ok metric('frontdesk_meaning_total{outcome="breaker"}'), '>', 0, 'after some failures nobody asks any more';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE kind = 'embedding' AND estimated AND tokens_input <= 0"), 0, 'what was not counted is estimated';
    $server = start_server();
};

subtest 'ENG-5: floats and another order are understood' => sub {
    behave(floats => 1, shuffle => 1);
    put(model => 'fake-floats');
    again();
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM section_embeddings WHERE model <> 'fake-floats/32'") == 0 && missing() == 0 }, 30, 'the other model'),
        'another model embeds all sections again';
    behave();
};

subtest 'ENG-5: put off where the server fails, and taken up again' => sub {
    behave(status => 429, headers => { 'Retry-After' => 600 });
    article('late', "# Late\n\nThe kangaroo comes late.");
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM embedding_state WHERE retry_at > now() + interval '5 minutes' AND last_error = 'HTTP status 429'") }, 30, 'a pause'), 'for as long as it says';
    behave();
    my $asked = asked();
    $stack->until(sub { 0 }, 1);
    is asked(), $asked, 'nobody asks meanwhile';
    again();
    ok $stack->until(sub { missing() == 0 }, 30, 'the rest'), 'then the rest is embedded';
};

subtest 'ENG-5: of a redirect nothing of the server is told' => sub {
    behave(status => 302, headers => { Location => "http://elsewhere.example/redirect-canary?key=$canary" });
    my $r = keep($admin->post('ai-settings/embedding/test', {}));
    is $r->{json}{detail}, 'redirect', 'by the test';
    article('moved', "# Moved\n\nThe kangaroo has moved.");
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM embedding_state WHERE last_error = 'redirect'") }, 30, 'a pause'), 'nor kept with what is put off';
    is dry('Where is the counter?')->{meaning}, 'failed', 'a question goes on';
    behave();
    again();
    ok $stack->until(sub { missing() == 0 }, 30, 'the rest'), 'it is back';
};

subtest 'ENG-5: where pgvector is installed, PostgreSQL searches' => sub {
    plan skip_all => 'PostgreSQL has no extension `vector` (postgresql-17-pgvector)'
        unless $stack->sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'");
    $stack->sql('CREATE EXTENSION vector; SELECT adopt_pgvector()');
    ok has_pgvector(), 'taken up while it runs';
    $stack->hint;
    ok finds('pets', $question), 'found by what it means';
    is metric('frontdesk_vectors_bytes'), 0, 'the worker keeps no vectors';
    my $run = dry($question);
    is $run->{meaning}, 'found', 'a dry run';
    is_deeply [sort map { $_->{id} } grep { $_->{sent} } @{ $run->{snippets} }], [sort +shown($question)], 'finds the same';
    article('koala', "# Koala\n\nNo quokka, and no wombat.");
    ok $stack->until(sub { missing() == 0 }, 30, 'the new one'), 'what is new';
    ok $stack->until(sub { finds('koala', $question) }, 30, 'the new one'), 'is found';
    $stack->sql('SET client_min_messages = warning; DROP EXTENSION vector CASCADE');
    ok finds('pets', 'Where is the counter for marsupials?'), 'when it is gone, words find at once';
    $stack->hint;
    ok $stack->until(sub { sleep 0.2; finds('pets', $question) }, 30, 'the article'), 'then the worker searches again';
};

subtest 'ENG-5 ENG-16: within the budget' => sub {
    $stack->sql("INSERT INTO model_catalog (model_id, provider, name) VALUES ('fake-priced', 'openai', 'F');"
        . "INSERT INTO model_prices (model_id, effective_from, input_per_mtok, output_per_mtok) VALUES ('fake-priced', '2020-01-01', 20000, 0)");
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', '1');
    article('capped', "# Capped\n\nThe kangaroo has no price.");
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM embedding_state WHERE last_error LIKE '%budget%'") }, 30, 'a refusal'), 'a model without a price is not asked under a cap';
    put(model => 'fake-priced');
    again();
    ok $stack->until(sub { missing() == 0 && $stack->sql("SELECT count(*) FROM section_embeddings WHERE model <> 'fake-priced/32'") == 0 }, 30, 'the rest'), 'one with a price is';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE model_id = 'fake-priced' AND cost_micro IS NULL"), 0, 'and paid';
    is $stack->sql('SELECT count(*) FROM budget_reservations'), 0, 'nothing is held';
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', 'none');
};

subtest 'ENG-5: one who does not fit is searched by words alone' => sub {
    put(dimensions => 4096);
    article('bulk', join "\n\n", '# Bulk', map { "## Part $_\n\nAbout the kangaroo of part $_." } 1 .. 80);
    again();
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM section_embeddings WHERE model = 'fake-priced/4096'") > 80 && missing() == 0 }, 30, 'many'), 'more than a megabyte of vectors';
    $stack->stack('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', FRONTDESK_EMBEDDING_CACHE_MB => 1);
    $stack->wait_ready;
    ok $stack->until(sub { shown('Where is the counter for marsupials?'); sleep 0.2; $stack->log_text('worker-1.log') =~ /vectors\.no_room/ }, 30, 'the word'), 'and the log says so';
    is metric('frontdesk_vectors_bytes'), 0, 'no memory is taken';
};

subtest 'ENG-5: without a server of its own, the platform\'s' => sub {
    my $last = $stack->sql('SELECT max(id) FROM usage_ledger');
    my %platform = (OPENAI_BASE_URL => $url, AI_MODEL_EMBEDDING => 'fake-priced', LLM_PROVIDER => 'builtin');
    is $admin->delete('ai-settings/embedding')->{status}, 204, 'its own is removed';
    $stack->stack('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', %platform);
    $stack->wait_ready;
    $stack->sql('UPDATE embedding_state SET retry_at = NULL, claimed_until = NULL'); # of a worker that is gone
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM section_embeddings WHERE model <> 'fake-priced'") == 0 && missing() == 0 }, 30, 'all'), 'embeds all again';
    my $asked = asked();
    my $text = $stack->stack('frontdesk', ['dry-run', '--org', 'Demo Shop', $question], %platform);
    like $text, qr/^meaning +found$/m, 'a dry run asks it' or diag $text;
    like $text, qr/article:pets  by meaning/, 'and finds';
    is asked(), $asked + 1, 'with one request';
    is $stack->sql("SELECT string_agg(DISTINCT own_key::text, ',') FROM usage_ledger WHERE model_id = 'fake-priced' AND id > $last"), 'false', 'for the platform\'s money';
};

opendir my $logs, "$stack->{dir}/log" or die "log: $!";
my @told = grep { $stack->log_text($_) =~ /canary/ } readdir $logs;
is "@told", '', 'ENG-1: the key is in no log';
is scalar(grep { /canary/ } @seen), 0, 'ENG-1: and in no answer';
$server->stop;
$stack->finish;
done_testing;
