# Links to a new password by mail: handed to the platform's webhook, and nobody learns from asking
# for one who has an account. ADM-1
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;

my $secret = 'a secret of the webhook';
my $stack = Frontdesk::Stack->new(provider => undef);
my $hook = Frontdesk::Tools->new($stack);
my %set_up = (FRONTDESK_RESET_WEBHOOK_URL => $hook->url . '?fails=1', FRONTDESK_RESET_WEBHOOK_SECRET => $secret,
              FRONTDESK_PUBLIC_URL => 'http://desk.example');
@{ $stack->{worker} }{ keys %set_up } = values %set_up;
$stack->start;

my $bare = Frontdesk::Browser->new($stack);
sub says { my ($r) = @_; return "$r->{status} " . (($r->{json} || {})->{code} // ''); }
sub forget_tries { $stack->sql('DELETE FROM sign_in_attempts'); return; }
sub forgot { my ($email, $headers, %more) = @_; return $bare->post('auth/forgot', { email => $email, %more }, $headers); }
# What was mailed, each once, and nothing is on its way any more.
sub mails {
    $stack->until(sub { $stack->sql('SELECT count(*) FROM reset_requests') == 0 }, 20, 'every request to be worked on');
    my %seen;
    return map { $_->{body} } grep { !$seen{ $_->{key} }++ } $hook->requests;
}
sub token { my ($mail) = @_; return $mail->{url} =~ m{^\Qhttp://desk.example/dashboard/reset#token=\E([\w-]{43})$} ? $1 : ''; }

my $alice = Frontdesk::Browser->user($stack, 'alice@shop.example', 'owner');
my $gone = Frontdesk::Browser->user($stack, 'gone@shop.example', 'staff');
$stack->frontdesk(qw(user disable gone@shop.example --org), $stack->{org});
my $closed = Frontdesk::Admin->organization($stack, 'Closed Shop');
Frontdesk::Browser->user($stack, 'closed@shop.example', 'admin', $closed->{org});
$stack->sql("UPDATE organizations SET status = 'disabled' WHERE id = '$closed->{org}'");
forget_tries();

subtest 'ADM-1: whoever asks is answered alike' => sub {
    ok $bare->get('auth/setup')->{json}{reset_mail}, 'the sign-in page is told that links are mailed';
    my @answers = map {
        my $r = forgot($_);
        delete @{ $r->{headers} }{qw(x-request-id date)};
        [@$r{qw(status body headers)}];
    } qw(nobody@shop.example gone@shop.example closed@shop.example alice@shop.example);
    is $answers[0][0], 202, 'with 202';
    is_deeply $answers[$_], $answers[3], 'and the same words' for 0 .. 2;
    is says(forgot('no address')), '422 invalid-field', 'what is no address is refused';
    is says(forgot('alice@shop.example', { 'Sec-Fetch-Site' => 'cross-site', Origin => 'https://evil.example' })), '403 cross-site',
        'and so is a page of another site';
    is_deeply [map { $_->{email} } mails()], ['alice@shop.example'], 'only who has an account is sent a mail';
};

subtest 'ADM-1: what the webhook is handed' => sub {
    my @tries = $hook->requests;
    is scalar @tries, 2, 'it failed once, and was tried again';
    is $tries[0]{text}, $tries[1]{text}, 'with the same words';
    is $tries[0]{key}, $tries[1]{key}, 'and the same name';
    my ($at, $hex) = $tries[1]{headers}{'x-frontdesk-signature'} =~ /^t=(\d+),v1=([0-9a-f]{64})$/;
    is $hex, hmac_sha256_hex("$at.$tries[1]{text}", $secret), 'signed as other webhooks are';
    my $mail = $tries[1]{body};
    is_deeply [sort keys %$mail], [qw(email expires_at name organization type url)], 'all that a mail needs';
    is $mail->{type}, 'password_reset', 'it says what it is';
    ok token($mail), 'its link is of the configured address';
    like $mail->{expires_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'and how long it is good';
    my ($row) = $stack->sql("SELECT actor || ' ' || action || ' ' || (target = u.id::text) || ' ' || address FROM audit_log a JOIN users u"
        . " ON u.org_id = a.org_id WHERE action = 'password-reset-mail' AND u.email = 'alice\@shop.example'");
    is $row, 'anyone password-reset-mail true 127.0.0.1', 'a row of the audit log tells of it';
};

subtest 'ADM-1: the link opens the account, once' => sub {
    my $token = token((mails())[0]);
    is $alice->get('auth/me')->{status}, 200, 'until then old sessions go on';
    is $bare->post('auth/reset', { token => $token, password => 'three green bottles' })->{status}, 204, 'the token sets a password';
    ok $stack->until(sub { $alice->get('auth/me')->{status} == 401 }, 20, 'the old session to end'), 'which ends them';
    is says($bare->post('auth/reset', { token => $token, password => 'four green bottles' })), '422 invalid-field', 'it is good once';
    $alice->{password} = 'three green bottles';
    is $alice->sign_in->{status}, 200, 'the new password signs in';
};

subtest 'ADM-1: headers that a client makes up lead nowhere' => sub {
    my $host = 'evil.example';
    is forgot('Alice@Shop.Example', { Host => $host, Origin => "http://$host", 'X-Forwarded-Host' => $host, Forwarded => "host=$host" },
        language => 'he')->{status}, 202, 'asked under another name of the host';
    my $mail = (mails())[1];
    ok token($mail), 'the link is of the configured address';
    is "$mail->{email} $mail->{language}", 'alice@shop.example he', 'sent to the address of the account, in the language of the page';
};

subtest 'ADM-1: only so many' => sub {
    forget_tries();
    forgot('alice@shop.example') for 1 .. 3;
    is scalar mails(), 3, 'three mails an hour for a user';
    my ($known, $unknown) = map {
        my ($email, $n, $r) = ($_, 0);
        do { $r = forgot($email) } while $r->{status} == 202 && $n++ < 10;
        [$n, says($r), $r->{headers}{'retry-after'} ? 'later' : ''];
    } qw(alice@shop.example nobody@shop.example);
    is $unknown->[1], '429 sign-in-throttled', 'and who asks again and again has to wait';
    is $unknown->[2], 'later', 'is told how long';
    is $unknown->[0], 5, 'whether there is such an account';
    is $known->[1], $unknown->[1], 'or not';
    is $alice->sign_in->{status}, 200, 'which does not keep anybody from signing in';
    $stack->sql("UPDATE sign_in_attempts SET next_at = now() + interval '100 seconds'");
    is says(forgot('somebody@else.example')), '429 sign-in-throttled', 'an address of the net has to wait as it does for signing in';
    forget_tries();
};

subtest 'ADM-1: a person of two organisations has a link to each' => sub {
    my $second = Frontdesk::Admin->organization($stack, 'Second Shop');
    Frontdesk::Browser->user($stack, 'both@shop.example', 'staff', $_) for $stack->{org}, $second->{org};
    forgot('both@shop.example');
    my @both = grep { $_->{email} eq 'both@shop.example' } mails();
    is join(', ', sort map { $_->{organization} } @both), join(', ', sort 'Second Shop', $stack->sql("SELECT name FROM organizations WHERE id = '$stack->{org}'")), 'each says for which';
    isnt token($both[0]), token($both[1]), 'and is a token of its own';
};

subtest 'ADM-1: no token is in any log' => sub {
    my $logs = join '', map { $stack->log_text($_) } qw(admin.log access.log error.log worker-1.log);
    like $logs, qr/reset_mail\.delivered/, 'they tell that a mail was handed over';
    unlike $logs, qr/\Q@{[token($_)]}\E/, 'not what was in it' for mails();
};

subtest 'ADM-1: where no webhook is set up' => sub {
    $stack->stack('admin', 'stop');
    for my $missing (qw(FRONTDESK_RESET_WEBHOOK_SECRET FRONTDESK_PUBLIC_URL)) {
        $stack->stack('frontdesk', ['admin'], $missing => '');
        is $stack->{status}, 1, "without $missing the process does not start";
        like $stack->stack('frontdesk', ['doctor'], $missing => ''), qr/admin\.reset.*FRONTDESK_RESET_WEBHOOK_SECRET/, 'and doctor says why';
    }
    $stack->must('admin', 'start', map { ($_ => '') } keys %set_up);
    my $r = $stack->until(sub { my $now = $bare->get('auth/setup'); $now->{status} == 200 && $now }, 20, 'the process to be back');
    is_deeply $r->{json}{reset_mail}, JSON::PP::false, 'nobody is offered a link';
    is says(forgot('alice@shop.example')), '404 not-found', 'and there is none';
};

$hook->stop;
$stack->finish;
done_testing;
