# The official `openai` npm package against a whole stack: t/engine/openai-sdk.  EDGE-11
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Npm;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $dir = Frontdesk::Stack::root() . '/t/engine/openai-sdk';
my $npm = Frontdesk::Npm->new($dir);
$npm->install('openai');
my $node = $npm->node;

my $stack = Frontdesk::Stack->new;
$stack->start;

# Organisations whose limits are reached: of requests a minute, of messages, of money.
sub organization {
    my ($id, $name, $limits) = @_;
    $stack->sql("INSERT INTO organizations (id, name, plan_type, limits) VALUES ('$id', '$name', 'pro', '$limits')");
    $stack->sql("INSERT INTO org_ai_settings (org_id) VALUES ('$id') ON CONFLICT DO NOTHING");
    return $stack->key(qw(create --kind sk --name t --org), $id)->{key};
}
my $limited = organization('c0000000-0000-4000-8000-000000000001', 'Limited', '{"requests_per_minute": 1}');
my $spent = organization('c0000000-0000-4000-8000-000000000002', 'Spent', '{"messages_per_month": 1, "at_limit": "refuse"}');
my $broke = organization('c0000000-0000-4000-8000-000000000003', 'Broke', '{}');
$stack->sql("UPDATE org_ai_settings SET monthly_budget_usd = 0 WHERE org_id = 'c0000000-0000-4000-8000-000000000003'");
$stack->hint('c0000000-0000-4000-8000-000000000003');
my $first = $stack->client(key => $spent, origin => '')->post('/v1/chat/completions',
    { model => 'auto', messages => [{ role => 'user', content => 'The month\'s message' }] });
is $first->{status}, 200, 'the one message of the month' or diag $first->{body};

@ENV{qw(FRONTDESK_URL FRONTDESK_SECRET_KEY FRONTDESK_PUBLISHABLE_KEY FRONTDESK_JOURNAL)} =
    ($stack->url, $stack->{sk}, $stack->{pk}, $stack->{journal});
@ENV{qw(FRONTDESK_LIMITED_KEY FRONTDESK_SPENT_KEY FRONTDESK_BROKE_KEY)} = ($limited, $spent, $broke);
open my $out, '-|', $node, '--test-reporter=tap', "$dir/sdk.test.mjs" or die "$node: $!";
my ($tests, $failed, @lines) = (0);
while (<$out>) {
    @lines = () if /^# Subtest/;
    push @lines, $_;
    if (/^(not )?ok \d+ - (.*)$/) { # what went wrong follows
        $tests++;
        $failed = $1;
        ok !$failed, $2;
    }
    diag @lines if $failed && /^  \.\.\.$/;
}
close $out;
is $?, 0, 'the SDK\'s tests ended well';
cmp_ok $tests, '>=', 18, 'all of them ran';

is $stack->sql("SELECT count(*) FROM conversations WHERE org_id = '$stack->{org}'"), 0, 'a completion belongs to no conversation';
is $stack->sql("SELECT count(*) FROM messages WHERE org_id = '$stack->{org}'"), 0, 'and leaves no message';
cmp_ok $stack->sql("SELECT count(*) FROM usage_ledger WHERE org_id = '$stack->{org}' AND conversation_id IS NULL AND kind = 'chat'"),
    '>=', 20, 'each is in the ledger';
ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
$stack->finish;
done_testing;
