# Many at the same time: what waits for one organisation's servers keeps nobody else from being
# answered, and what is the platform's has one order, whichever organisation a superadmin acts in.
# ADM-8 EDGE-9
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use IO::Socket::INET;
use POSIX ();
use Test::More;

my $silent = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', LocalPort => 0, ReuseAddr => 1) or die "listen: $!";
my $hook = '127.0.0.1:' . $silent->sockport;
my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' },
    worker => { FRONTDESK_OUTBOUND_ALLOW => $hook, FRONTDESK_ADMIN_THREADS => 4 },
);
$stack->start;
my @orgs = (Frontdesk::Admin->new($stack), map { Frontdesk::Admin->organization($stack, $_) } qw(Second Third));
$_->post('tools', { %{ Frontdesk::Admin::tool('slow') }, url => "http://$hook/" }) for @orgs;

# In a process of its own; what it was answered, or who asks.
sub apart {
    my ($block) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    return $out if $pid;
    $stack->{owner} = -1; # the parent's to end
    close $silent;
    my $r = $block->();
    print "$r->{status} ", $r->{json}{failure} // $r->{json}{code} // '';
    close STDOUT;
    POSIX::_exit(0);
}
sub answer_of { my ($out) = @_; local $/; return scalar <$out>; }
sub try_slow { my ($org) = @_; return $org->post('tools/slow/test', { arguments => {} }); }

my @waiting;
for my $org (@orgs[0, 1]) {
    push @waiting, apart(sub { try_slow($org) });
    $stack->until(sub { $stack->sql("SELECT count(*) FROM audit_log WHERE org_id = '$org->{org}' AND action = 'POST tools/:name/test'") == 1 }, 20, 'a test that waits');
}
my $r = try_slow($orgs[0]);
is "$r->{status} $r->{json}{code} $r->{json}{reason}{code}", '429 rate-limited tests_busy', 'EDGE-9: one test of an organisation at a time';
cmp_ok $r->{headers}{'retry-after'} // 0, '>', 0, 'and when to come again';
$r = try_slow($orgs[2]);
is "$r->{status} $r->{json}{code} $r->{json}{reason}{code}", '503 overloaded tests_busy', 'half of the threads are the most that wait';
cmp_ok $r->{headers}{'retry-after'} // 0, '>', 0, 'come again, too';
is $_->get('organization')->{status}, 200, 'EDGE-9: everybody else is answered meanwhile' for @orgs;
close $silent; # whoever waits is cut off
like answer_of($_), qr/^200 \w/, 'its own end comes' for @waiting;
$stack->until(sub { try_slow($orgs[2])->{status} == 200 }, 20, 'room for the next one');
pass 'and then there is room';

sub hold {
    my ($lock) = @_;
    my $held = fork // die "fork: $!";
    if (!$held) {
        $stack->{owner} = -1;
        open STDERR, '>', '/dev/null';
        $ENV{PGAPPNAME} = 'holder';
        $stack->sql("BEGIN; $lock; SELECT pg_sleep(120)");
        POSIX::_exit(0);
    }
    $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'") }, 20, 'the lock');
    return $held;
}

sub let_go {
    my ($held) = @_;
    $stack->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    waitpid $held, 0;
    return;
}

sub until_waiting {
    my ($n) = @_;
    $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'frontdesk admin' AND wait_event_type = 'Lock'") == $n }, 20, 'all to wait');
    return;
}

# What each is answered that waits for a lock of the database, once all of them do.
sub behind {
    my ($lock, @blocks) = @_;
    my $held = hold($lock);
    my @both = map { apart($_) } @blocks;
    until_waiting(scalar @blocks);
    let_go($held);
    return [sort map { answer_of($_) =~ s/ $//r } @both];
}

# Both have read the same; both changes wait for the row, until it is let go.
my %boss = map {
    my $boss = Frontdesk::Browser->user($stack, "$_\@shop.example", 'owner');
    $stack->frontdesk('user', 'superadmin', "$_\@shop.example", 'on', '--org', $stack->{org});
    $boss->sign_in;
    ($_ => $boss);
} qw(here there);
is $boss{there}->post('auth/organization', { organization_id => $orgs[1]{org} })->{status}, 200, 'a superadmin acts elsewhere';
my $path = "organizations/$orgs[2]{org}";
my $tag = $boss{here}->get($path)->{headers}{etag};
is_deeply behind("SELECT FROM organizations WHERE id = '$orgs[2]{org}' FOR UPDATE",
    map { my $who = $_; sub { $boss{$who}->patch($path, { name => "Third, $who" }, { 'If-Match' => $tag }) } } qw(here there)),
    ['200', '412 changed-meanwhile'], 'ADM-8: of two superadmins in two organisations one changes what both have read';

# Two of an organisation's requests are at work, the third stands in its line until its time is over.
$stack->must('admin', 'stop');
$stack->must('admin', 'start', FRONTDESK_ADMIN_TIMEOUT_MS => 2000);
my $held = hold('LOCK TABLE teams IN ACCESS EXCLUSIVE MODE');
my @at_work = map { my $name = $_; apart(sub { $orgs[0]->post('teams', { name => $name }) }) } qw(First Second);
until_waiting(2);
is $orgs[0]->post('teams', { name => 'Too Late' })->{status}, 504, 'EDGE-8: who stood in the line too long is told so';
let_go($held);
answer_of($_) for @at_work;
ok !(grep { $_->{name} eq 'Too Late' } @{ $orgs[0]->get('teams')->{json}{teams} }), 'and it is not done afterwards';
$stack->must('admin', 'stop');
$stack->must('admin', 'start');

$stack->must('worker', 'stop'); # which would end them
$orgs[0]->make_test_run;
$orgs[0]->post('test-cases', { name => 'one', message => 'Hello' });
1 while $orgs[0]->post('test-runs', {})->{status} == 202;
$stack->sql("UPDATE test_runs SET status = 'done' WHERE id = (SELECT id FROM test_runs WHERE org_id = '$orgs[0]{org}' AND status = 'running' LIMIT 1)");
is_deeply behind('LOCK TABLE test_results IN ACCESS EXCLUSIVE MODE', (sub { $orgs[0]->post('test-runs', {}) }) x 2),
    ['202', '422 invalid-field'], 'ADM-4: two runs that begin together do not both take the last place';

$stack->finish;
done_testing;
