# What the command changes for an organisation leaves a row in its record: who, what, of what, and
# how it ended; what only looks leaves none, and no row has a secret.  ADM-1 OPS-1
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef, worker => { FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:9' }); # where nobody listens
$stack->start;
my $mine = Frontdesk::Admin->new($stack);
my $secret = 'canary-in-a-file-4711';

sub spew { my ($name, $text) = @_; open my $out, '>', "$stack->{dir}/$name" or die "$name: $!"; print $out $text; close $out; return "$stack->{dir}/$name"; }
sub one { return scalar $stack->sql($_[0]); }
sub last_id { return one('SELECT coalesce(max(id), 0) FROM audit_log'); }

my $key = spew('key', "$secret\n");
my ($model, $second) = $stack->sql("SELECT model_id FROM model_catalog WHERE provider = 'openai' ORDER BY model_id LIMIT 2");
my $case = $mine->make_test_case;
my @made = map { one("INSERT INTO api_keys (org_id, name, kind, key_sha256, last4) VALUES ('$stack->{org}', 'cli $_', 'sk', repeat('$_', 64), 'last') RETURNING id") } 1, 2;
my @asked = map { $mine->make_approval } 1, 2;
my $identity = $mine->make_identity_secret;

# Each as it is typed, without --org.
my @changes = (
    ['key create', qw(--name cli --kind sk)], ['key rotate', $made[0], '-'], ['key revoke', $made[1], '-'],
    ['identity revoke', $identity], ['identity create'],
    ['tool add', 'get_order_status', '--url', 'http://127.0.0.1:9/hook', '--token', $secret], ['tool set', 'get_order_status', qw(--timeout 1000)],
    (map { ["tool $_", 'get_order_status'] } qw(disable enable test remove)),
    ['integration add', 'shop', qw(--type custom_api --url https://127.0.0.1:9)], ['integration set', 'shop', '--settings', '{}'],
    (map { ["integration $_", 'shop'] } qw(disable enable test)),
    ['integration endpoint add', 'shop', 'look', qw(--description Looks --url /x --method GET)],
    (map { ["integration endpoint $_", 'look'] } qw(disable enable remove)), ['integration remove', 'shop'],
    ['budget set', qw(--monthly 5)], ['plan set', 'pro'], ['usage rate', '--model', $model, qw(--markup 5)],
    ['models enable', $model], ['models enable', $second], ['models default', $model], ['models label', $model, 'Quick'], ['models set-tier', 'fast', $model], ['models disable', $second],
    ['settings set', 'temperature=0.3'], ['settings business', 'tone=calm'],
    ['settings provider set', '--key', $key, 'provider=openai', 'base_url=https://nowhere.invalid/v1'], ['settings provider remove'],
    ['settings embedding set', '--key', $key, 'provider=openai', 'base_url=https://nowhere.invalid/v1', 'model=m'], ['settings embedding remove'],
    ['knowledge import', spew('quince.md', "# Quince\n\nA fruit.\n")], ['knowledge delete', 'quince'],
    ['retention set', qw(--message-days 30)], ['retention run'],
    ['visitor export', qw(--session nobody)], ['visitor delete', qw(--session nobody)],
    ['conversations export'], ['approvals approve', $asked[0]], ['approvals decline', $asked[1]],
    ['test-cases run', '--case', $case, qw(--wait 1)],
);
my %tried;
for my $case (@changes) {
    my ($action, @words) = @$case;
    my $before = last_id();
    my $named = @words && $words[-1] eq '-' ? pop @words : '';
    $stack->frontdesk(split(/ /, $action), @words, $named ? () : ('--org', 'Demo Shop'));
    my $status = $stack->{status};
    isnt $status, 2, "$action: as it is used";
    is_deeply [map { s/^cli:\S+/cli/r } $stack->sql("SELECT actor || ' ' || action || ' ' || (after->>'status') FROM audit_log WHERE id > $before AND org_id = '$stack->{org}' AND actor ~ '^cli:'")],
        ["cli $action $status"], "ADM-1: $action leaves a row";
    $tried{$action} = 1;
}
is one("SELECT count(*) FROM audit_log WHERE actor ~ '^cli:' AND concat(target, before, after) ~ '$secret|fd_sk_|0[.]3|calm'"), 0, 'none has a secret, or what was set';
is one("SELECT target FROM audit_log WHERE action = 'tool add'"), 'get_order_status', 'but what it was done to';

my $before = last_id();
my @looks = (['key list'], ['identity list'], ['tool list'], ['tool log'], ['integration list'], ['integration log'], ['integration endpoint list'], ['budget show'],
    ['usage report'], ['usage invoice'], ['usage rates'], ['models list'], ['models ab'], ['settings show'], ['settings provider show'], ['knowledge list'],
    ['knowledge search', 'fruit'], ['retention status'], ['conversations list'], ['approvals list'], ['dry-run', 'Hello?'], ['prompt show'], ['route', 'Hello?'], ['user list']);
for (@looks) {
    my ($action, @words) = @$_;
    $stack->frontdesk(split(/ /, $action), @words, '--org', 'Demo Shop');
    isnt $stack->{status}, 2, "$action: as it is used";
    $tried{$action} = 1;
}
is last_id(), $before, 'ADM-1: what only looks leaves no row';

# -- and no verb that nobody thought of ---------------------------------------------------------

my %elsewhere = map { $_ => 1 } # told by themselves (engine/organizations.t, edge/sign-in.t), of no organisation, or looks
    qw(org user worker admin migrate seed vault doctor jobs), 'plan list', 'models sync', 'prompt check', 'knowledge show', 'conversations show', 'settings embedding';
my @commands = $stack->frontdesk('help') =~ /^    (\S+)\s{2,}\S/mg;
cmp_ok scalar @commands, '>', 20, 'the commands';
for my $command (grep { !/^(?:help|version)$/ } @commands) {
    my $usage = $stack->frontdesk('help', $command);
    my %verbs = map { map { $_ => 1 } split /\|/ } $usage =~ /^frontdesk $command ([a-z][a-z|-]*)/mg;
    my @unknown = $elsewhere{$command} ? () : grep { my $verb = $_; !grep { /^\Q$command $verb\E\b/ } keys %tried, keys %elsewhere } sort keys %verbs;
    is "@unknown", '', "each verb of $command changes something above, or looks";
}

$stack->finish;
done_testing;
