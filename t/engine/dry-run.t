# A dry run tells everything up to the model call, which is not made: the same from the
# admin API, the command line and a chat, because it is the same code.  ENG-18
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Encode qw(encode);
use Frontdesk::Admin;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new;
my $tools = Frontdesk::Tools->new($stack);
$stack->{worker}{FRONTDESK_SYNC_MS} = 500;
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 100, messages_per_month => 0);
my $admin = Frontdesk::Admin->new($stack);
my $secret = $stack->client(key => $stack->{sk}, origin => undef);
my $json = JSON::PP->new->utf8;

sub cli { my (@words) = @_; return $stack->frontdesk('dry-run', '--org', 'Demo Shop', @words); }
sub counts { return join ' ', $stack->sql('SELECT count(*) FROM messages'), $stack->sql('SELECT count(*) FROM jobs'), $stack->sql('SELECT count(*) FROM usage_ledger'); }

my $question = 'How long does shipping to the United States take?';
my $before = counts();
my $r = $admin->post('dry-run', { message => $question });
is $r->{status}, 200, 'the admin API answers' or diag $r->{body};
my $run = $r->{json};
is_deeply [@$run{qw(refused language model provider)}], [undef, 'en', 'mock-fast', 'openai'], 'who would be asked';
is $run->{route}{tier}, 'fast', 'the route';
ok @{ $run->{route}{reasons} }, 'with its reasons';
my %sent = map { $_->{id} => $_ } grep { $_->{sent} } @{ $run->{snippets} };
my ($needed) = grep { $_->{label} eq 'International shipping - Times and costs' } @{ $run->{snippets} };
ok $needed && $needed->{sent}, 'the snippet that answers is sent';
cmp_ok $_->{score}, '>', 0, "$_->{id} has a score" for @{ $run->{snippets} }[0, -1];
is_deeply [sort { $b <=> $a } map { $_->{score} } @{ $run->{snippets} }], [map { $_->{score} } @{ $run->{snippets} }], 'in falling score';
my %packed = map { $_ => 1 } map { @{ $_->{snippet_ids} } } @{ $run->{chunks} };
is_deeply [sort keys %packed], [sort keys %sent], 'the chunks are made of what is sent';
my $tokens = 0;
$tokens += $_->{estimated_tokens} for @{ $run->{chunks} };
is $tokens, $run->{context_tokens}, 'their tokens are the context\'s';
cmp_ok $run->{prompt_tokens}, '>', $run->{context_tokens}, 'and the prompt has more';
like $run->{prompt}{system}, qr/front desk assistant of Demo Shop/, 'the prompt: system';
like $run->{prompt}{messages}[-1]{content}, qr/\[\Q$needed->{id}\E\].*Question:\n\Q$question\E/s, 'the prompt: context and question';
is $run->{price}{prompt_micro}, undef, 'a model without a price has none: unknown is not 0';
is counts(), $before, 'nothing is stored or counted';
is scalar(grep { ($_->{path} // '') =~ /completions/ } $stack->journal), 0, 'no model was called';

is_deeply $json->decode(cli('--json', $question)), $run, 'frontdesk dry-run --json says exactly the same';
my $text = cli($question);
like $text, qr/^model +mock-fast \(openai\)$/m, 'for people: the model';
like $text, qr/^tokens +$run->{prompt_tokens} of the prompt, $run->{context_tokens} of context in 1 chunks/m, 'the tokens';
like $text, qr/^-- system\n.*Question:\n\Q$question\E/ms, 'and the prompt';

my $chat = $secret->post('/api/v1/chat', { message => $question, dry_run => JSON::PP::true })->{json};
is_deeply [@$chat{qw(model tier intent context_tokens prompt_tokens)}],
    [$run->{model}, @{ $run->{route} }{qw(tier intent)}, @$run{qw(context_tokens prompt_tokens)}], 'a chat\'s dry run: the same route and tokens';
is_deeply [map { $_->{snippet_ids} } @{ $chat->{chunks} }], [map { $_->{snippet_ids} } @{ $run->{chunks} }], 'and the same chunks';
is scalar(grep { ($_->{path} // '') =~ /completions/ } $stack->journal), 0, 'still no model was called';

# What the job really sends is what was told.
$secret->post('/api/v1/chat', { message => $question });
my ($asked) = grep { $_->{body} && ($_->{body}{messages} || $_->{body} =~ /messages/) } $stack->journal;
my $body = ref $asked->{body} ? $asked->{body} : $json->decode(encode('UTF-8', $asked->{body}));
is $body->{model}, $run->{model}, 'the job asks the model that was told';
is $body->{messages}[-1]{content}, $run->{prompt}{messages}[-1]{content}, 'with the very prompt';
is $body->{messages}[0]{content}, $run->{prompt}{system}, 'and system text';

$stack->sql("INSERT INTO model_catalog (model_id, provider, name) VALUES ('mock-fast', 'openai', 'Mock')");
$stack->sql("INSERT INTO model_prices (model_id, effective_from, input_per_mtok, output_per_mtok) VALUES ('mock-fast', '2020-01-01', 2000000, 8000000)");
my $priced = $json->decode(cli('--json', $question))->{price};
is $priced->{prompt_micro}, 2 * $run->{prompt_tokens}, 'with a price: what the prompt costs, in micro-dollars';
is $priced->{at_most_micro}, 2 * $run->{prompt_tokens} + 8 * $run->{max_tokens}, 'and what it costs at most';
is $run->{likely_tokens}, $run->{prompt_tokens}, 'a model whose counts are not known counts as we do';
$stack->sql("INSERT INTO model_calibration (model_id, ratio, samples) VALUES ('mock-fast', 1.5, 100)");
my $counted = $admin->post('dry-run', { message => $question })->{json};
my $likely = int(1.5 * $run->{prompt_tokens} + 0.5);
is $counted->{prompt_tokens}, $run->{prompt_tokens}, 'routes never drift';
# the worker may add what it has counted itself meanwhile
cmp_ok abs($counted->{likely_tokens} - $likely), '<=', 0.05 * $likely, 'calibrated: what the model\'s provider counted before, as a reservation has it';
is $counted->{price}{prompt_micro}, 2 * $counted->{likely_tokens}, 'which is what it costs';
my ($said) = cli($question) =~ /^ +(\d+) of the prompt as this model counts$/m;
cmp_ok abs(($said // 0) - $likely), '<=', 0.05 * $likely, 'on the command line as well';
ok $stack->until(sub { ($secret->post('/api/v1/chat', { message => $question, dry_run => JSON::PP::true })->{json}{likely_tokens} // 0) > 1.3 * $run->{prompt_tokens} }, 20),
    'and in a chat, once its worker has heard';

my $hebrew = $admin->post('dry-run', { message => 'כמה זמן לוקח משלוח?' })->{json};
is $hebrew->{language}, 'he', 'Hebrew is seen';
is $admin->post('dry-run', { message => 'shipping', language => 'he' })->{json}{language}, 'he', 'or asked for';
my $reasoning = $admin->post('dry-run', { message => 'How do I unblock the Acme deal this week?' })->{json};
is_deeply [@{ $reasoning->{route} }{qw(intent tier)}, $reasoning->{model}], [qw(deal_coaching reasoning mock-reasoning)], 'ENG-2: the contract\'s case';

$stack->sql("INSERT INTO org_ai_settings (org_id, enabled_models) VALUES ('$stack->{org}', '[{\"model_id\":\"mock-fast\"}]')"
    . " ON CONFLICT (org_id) DO UPDATE SET enabled_models = excluded.enabled_models");
my $refused = $admin->post('dry-run', { message => $question, model_id => 'mock-reasoning' })->{json};
is $refused->{refused}, 'Model mock-reasoning is not enabled for this organization', 'a refusal is told';
is_deeply $refused->{candidates}, [], 'and nobody would be asked';
like cli('--model', 'mock-reasoning', $question), qr/^refused +Model mock-reasoning is not enabled/, 'on the command line as well';
$stack->sql("UPDATE org_ai_settings SET enabled = false WHERE org_id = '$stack->{org}'");
is $admin->post('dry-run', { message => $question })->{json}{refused}, 'AI assistant is disabled for this org', 'so is one that is switched off';
$stack->sql("UPDATE org_ai_settings SET enabled = true WHERE org_id = '$stack->{org}'");

for my $case (
    [{},                                        'message'],
    [{ message => '' },                         'message'],
    [{ message => 'x' x 16385 },                'message'],
    [{ message => 'a', language => 'x' x 36 },  'language'],
    [{ message => 'a', model_id => 'x' x 129 }, 'model_id'],
    [{ message => 'a', question => 'b' },       'question'],
) {
    $r = $admin->post('dry-run', $case->[0]);
    is "$r->{status} " . ($r->{json}{field} // ''), "422 $case->[1]", "422 names $case->[1]";
}
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $foreign = $other->post('dry-run', { message => $question })->{json};
is_deeply $foreign->{snippets}, [], 'another organisation finds nothing of it';
unlike $foreign->{prompt}{system}, qr/Demo Shop/, 'nor its name';

# Of many tools those that the question speaks of are offered, and the rules name no other.
$tools->add("gadget_$_") for 10 .. 26;
$tools->add('book_table', description => 'Books a table.');
my $many = $admin->post('dry-run', { message => 'I want to book a table' })->{json};
is scalar @{ $many->{prompt}{tools} }, 16, 'ENG-10: of 18 tools 16 are offered';
ok scalar(grep { $_ eq 'book_table' } @{ $many->{prompt}{tools} }), 'the one that is meant among them';
my ($named) = $many->{prompt}{system} =~ /^- Tools: ([\w, ]+)\./m;
is $named, join(', ', @{ $many->{prompt}{tools} }), 'ENG-12: these are named in the rules, and no other';
is_deeply [@{ $many->{saved} }{qw(tools_left_out)}], [2], 'ENG-18: two are left out';
like cli('I want to book a table'), qr/^saved .*; tokens: .*, [1-9]\d* of 2 tools left out$/m, 'and the command line says so';
$secret->post('/api/v1/chat', { message => 'I want to book a table @{"tokens":1}@' });
my ($last) = grep { $_->{event} eq 'request' } reverse $stack->journal;
is_deeply [map { $_->{function}{name} } @{ $last->{body}{tools} }], $many->{prompt}{tools}, 'a chat offers the same';
like $last->{body}{messages}[0]{content}, qr/^- Tools: \Q$named\E\./m, 'and names them';

$stack->stack('frontdesk', ['dry-run', '--org', 'Nobody', 'x']);
is $stack->{status}, 1, 'no such organisation: 1';
$stack->stack('frontdesk', ['dry-run', '--org', 'Demo Shop', '']);
is $stack->{status}, 1, 'an empty question: 1';
$stack->stack('frontdesk', ['dry-run', 'x']);
is $stack->{status}, 2, 'without --org: 2';

$tools->stop;
$stack->finish;
done_testing;
