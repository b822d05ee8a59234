# What a long conversation leaves behind is summarised beside its answers, and told to the
# model that answers next.  ENG-7
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $model = 'gpt-4o-mini';
my $stack = Frontdesk::Stack->new(worker => { AI_MODEL_SUMMARY => $model, FRONTDESK_SYNC_MS => 500 });
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client(key => $stack->{sk}, origin => undef);
my $admin = Frontdesk::Admin->new($stack);
my $json = JSON::PP->new->canonical;
my $n = 0;

# A conversation of so many turns; its session.
sub talk {
    my ($turns, $session, %more) = @_;
    for my $turn (1 .. $turns) {
        my $s = $client->chat({ message => "Turn $turn: my order is #A-10$turn. \@{\"tokens\":2}\@", ($session ? (session_id => $session) : ()), %more });
        is($s->{terminal}{event}, 'done', "turn $turn") or diag explain $s->{events};
        $session ||= $s->{session};
    }
    return $session;
}
sub summaries { my ($session) = @_; return $stack->sql("SELECT count(*) FROM conversation_summaries s JOIN conversations c ON c.id = s.conversation_id WHERE c.session_id = '$session' AND s.content <> ''"); }
sub content_of { my ($session) = @_; return $stack->sql("SELECT s.content FROM conversation_summaries s JOIN conversations c ON c.id = s.conversation_id WHERE c.session_id = '$session'"); }
sub price {
    my ($of) = @_;
    return $stack->sql("INSERT INTO model_catalog (model_id, provider, name) VALUES ('$of', 'openai', 'M');"
        . "INSERT INTO model_prices (model_id, effective_from, input_per_mtok, output_per_mtok) VALUES ('$of', '2020-01-01', 100000, 400000)");
}
sub calls { my ($of) = @_; return grep { $_->{event} eq 'request' && $_->{model} eq $of } $stack->journal; }
sub note_of { my ($body) = @_; return (grep { $_->{content} =~ /<notes>/ } @{ $body->{messages} })[0]; }
sub metric { my ($name) = @_; my ($value) = $stack->worker_get('/metrics') =~ /^\Q$name\E (\S+)$/m; return $value // 0; }

my $session;
subtest 'ENG-7: a long conversation is summarised by the model that is named' => sub {
    $session = talk(8);
    ok $stack->until(sub { summaries($session) }, 20, 'a summary'), 'after eight turns';
    my ($call) = calls($model);
    like $call->{body}{messages}[0]{content}, qr/never instructions/, 'the model is told what it reads';
    is $call->{body}{messages}[1]{role}, 'user', 'and reads it as a user\'s words';
    my $material = $json->decode($call->{body}{messages}[1]{content});
    is scalar @{ $material->{messages} }, 8, 'the first half';
    like $material->{messages}[0]{text}, qr/^Turn 1: my order is #A-101\./, 'from the first on';
    is_deeply [sort keys %{ $material->{messages}[0] }], [qw(from text)], 'and nothing but what was said';
    is $stack->sql("SELECT s.messages FROM conversation_summaries s JOIN conversations c ON c.id = s.conversation_id WHERE c.session_id = '$session'"), 8, 'it says how far it reaches';
};

subtest 'ENG-7: the next prompt has it as a note, not among the rules' => sub {
    ok $stack->until(sub { $stack->redis('live', 'GET', "conversation:$stack->{org}:$session:summary") }, 20, 'the note'), 'live Redis has it';
    talk(1, $session);
    my $body = (calls('mock-fast'))[-1]{body};
    my $note = note_of($body);
    ok $note, 'the note is there' or diag explain $body;
    is $note->{role}, 'user', 'as no system message';
    like $note->{content}, qr/word1 word2/, 'with what the model wrote';
    unlike $body->{messages}[0]{content}, qr/word1|<notes>/, 'the rules have nothing of it';
    is $body->{messages}[1]{content}, $note->{content}, 'it comes first';
    is scalar(grep { $_->{content} =~ /^Turn \d+/ } @{ $body->{messages} }), 8, 'the last messages are there themselves';
};

subtest 'ENG-7: after the hour, from PostgreSQL' => sub {
    $stack->redis('live', 'DEL', "conversation:$stack->{org}:$session", "conversation:$stack->{org}:$session:summary");
    talk(1, $session);
    ok note_of((calls('mock-fast'))[-1]{body}), 'the note is there';
    $stack->redis('live', 'DEL', "conversation:$stack->{org}:$session:summary");
    talk(1, $session);
    ok note_of((calls('mock-fast'))[-1]{body}), 'and where only the note was lost';
};

subtest 'ENG-7: a dry run tells what is shown of the conversation' => sub {
    my $r = $client->post('/api/v1/chat', { message => 'And now?', session_id => $session, dry_run => JSON::PP::true });
    is $r->{json}{memory}{summary}{messages}, 8, 'the summary reaches to the eighth message' or diag $r->{body};
    cmp_ok $r->{json}{memory}{summary}{tokens}, '>', 0, 'and has tokens';
    is $r->{json}{memory}{left_out}, 0, 'nothing was left out';
    my $run = $admin->post('dry-run', { message => 'And now?', session_id => $session })->{json};
    is_deeply $run->{memory}, $r->{json}{memory}, 'the admin API says the same' or diag explain $run;
    ok note_of({ messages => $run->{prompt}{messages} }), 'and shows the very note';
    my $text = $stack->frontdesk('dry-run', '--org', 'Demo Shop', '--session', $session, 'And now?');
    like $text, qr/^memory +\d+ messages, summary of 8$/m, 'as the command does';
    my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
    is $other->post('dry-run', { message => 'And now?', session_id => $session })->{json}{memory}{summary}, undef, 'another organisation has none of it';
};

subtest 'ENG-7 ENG-16: paid within the budget, in the same books' => sub {
    is $stack->sql("SELECT string_agg(DISTINCT model_id, ',') FROM usage_ledger WHERE kind = 'summary'"), $model, 'the ledger knows the kind';
    cmp_ok $stack->sql("SELECT min(cost_micro) FROM usage_ledger WHERE kind = 'summary'"), '>', 0, 'and the cost';
    is $stack->sql('SELECT sum(cost_micro) FROM usage_ledger'), $stack->sql('SELECT sum(cost_estimate) FROM api_usage WHERE model_id = \'' . $model . '\''), 'the day\'s sum is the ledger\'s';
    is $stack->sql('SELECT count(*) FROM budget_reservations'), 0, 'nothing is held any more';
};

subtest 'ENG-7 ENG-16: each summary of a conversation is paid, under an id of its own' => sub {
    my $paid = "FROM usage_ledger l JOIN conversations c ON c.id = l.conversation_id WHERE l.kind = 'summary' AND c.session_id = '$session'";
    is $stack->sql("SELECT count(*) $paid"), 1, 'the first';
    talk(1, $session);
    ok $stack->until(sub { $stack->sql("SELECT count(*) $paid") == 2 }, 20, 'a second one'), 'and the second';
    is $stack->sql("SELECT count(DISTINCT job_id) $paid AND job_id ~ '^summary:[0-9a-f]{16}\$'"), 2, 'the ids are drawn';
    is $stack->sql("SELECT s.messages FROM conversation_summaries s JOIN conversations c ON c.id = s.conversation_id WHERE c.session_id = '$session'"), 16, 'it goes on from the first';
};

subtest 'ENG-7: without a cap, a price that nobody knows keeps nobody from a summary' => sub {
    $stack->sql("DELETE FROM model_prices WHERE model_id = '$model'; DELETE FROM model_catalog WHERE model_id = '$model'");
    price('mock-fast'); # for what comes next: a worker remembers for a minute that there was none
    $stack->stack('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', AI_MODEL_SUMMARY => 'nobody-knows-1');
    $stack->wait_ready;
    my $s = talk(9);
    ok $stack->until(sub { summaries($s) }, 20, 'a summary'), 'there is one';
    cmp_ok scalar(calls('nobody-knows-1')), '>', 0, 'of that model';
};

# Who answers has a price by now, so that the cap refuses the summary's model alone.
subtest 'ENG-7 ENG-16: under a cap, a model without a price writes no summary, and the operator hears of it' => sub {
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', '1');
    $stack->hint;
    $stack->sql("UPDATE api_usage SET unpriced_calls = 0; DELETE FROM alerts"); # of the calls without a cap
    my $asked = () = calls('nobody-knows-1');
    my $refused = metric('frontdesk_summaries_total{outcome="refused"}');
    my $s = talk(8);
    ok $stack->until(sub { summaries($s) }, 20, 'a summary'), 'there is one';
    like content_of($s), qr/^- Visitor: Turn 1: my order is #A-101\./m, 'of the conversation\'s own sentences';
    is scalar(my @calls = calls('nobody-knows-1')), $asked, 'the model was not asked';
    is metric('frontdesk_summaries_total{outcome="refused"}'), $refused + 1, 'the refusal is counted';
    is $stack->sql("SELECT string_agg(subject || ' ' || detail, ', ') FROM alerts WHERE kind = 'price_unknown' AND org_id = '$stack->{org}'"),
        'nobody-knows-1 {"refused": true}', 'an alert names the model';
    is $stack->sql('SELECT count(*) FROM budget_reservations'), 0, 'nothing is held';
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', 'none');
    $stack->hint;
};

subtest 'ENG-7: without a network, sentences of the conversation itself' => sub {
    $stack->stack('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->{provider_process}->stop;
    delete $stack->{provider_process};
    $stack->start_worker('worker-1', LLM_PROVIDER => 'builtin', AI_MODEL_SUMMARY => '');
    $stack->wait_ready;
    my $s = talk(8);
    ok $stack->until(sub { summaries($s) }, 20, 'a summary'), 'there is one';
    like content_of($s), qr/Visitor: Turn 1: my order is #A-101\./, 'of what was said';
    is $stack->sql("SELECT count(*) FROM usage_ledger WHERE kind = 'summary' AND provider = 'builtin'"), 0, 'it costs nothing';
};

unlike $stack->log_text('worker-1.log'), qr/my order is/, 'no message is in a log';
$stack->finish;
done_testing;
