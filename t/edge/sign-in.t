# Signing in: passwords, sessions that nginx checks by itself, what ends them, and what a
# page of another site cannot do with them. ADM-1 EDGE-8
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(decode_base64url encode_base64url);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

# An upstream that answers with the headers it was sent, behind a careless configuration.
my $echo = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16, ReuseAddr => 1) or die "listen: $!";
my $careless = Frontdesk::Stack::free_port();
my $echo_pid = fork // die "fork: $!";
if (!$echo_pid) {
    while (my $c = $echo->accept) {
        my $head = '';
        while (my $line = <$c>) { $head .= $line; last if $line =~ /^\r?\n$/; }
        print $c "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($head) . "\r\n\r\n$head";
        close $c;
    }
    POSIX::_exit(0);
}

my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_NGINX_WORKERS => 2, STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;',
             STACK_SERVERS_EXTRA => "server { listen 127.0.0.1:$careless; location /api/admin/ { frontdesk_admin on;"
                 . " proxy_pass http://127.0.0.1:" . $echo->sockport . "; } }" },
);
$stack->start;
my $keys = Frontdesk::Admin->new($stack);

sub code { my ($r) = @_; return ($r->{json} || {})->{code} // ''; }
sub says { my ($r) = @_; return "$r->{status} " . code($r); }
sub forget_tries { $stack->sql('DELETE FROM sign_in_attempts'); return; }

# -- the first user ----------------------------------------------------------------------

my $first = Frontdesk::Browser->new($stack);
ok $first->get('auth/setup')->{json}{open}, 'ADM-1: without any user the set-up is open';
my ($setup) = $stack->frontdesk('user', 'setup-token') =~ /^(\S{43})$/m;
my %owner = (organization => 'First Shop', email => 'first@shop.example', password => 'a long walk in rain');
is says($first->post('auth/setup', { %owner, token => 'x' x 43 })), '422 invalid-field', 'a made-up token opens nothing';
is $first->post('auth/setup', { %owner, token => $setup, password => 'short' })->{json}{field}, 'password', 'nor a bad password';
my $r = $first->post('auth/setup', { %owner, token => $setup });
is $r->{status}, 201, 'the token that the command printed does' or diag $r->{body};
is $first->get('auth/me')->{json}{role}, 'superadmin', 'the first user owns the platform';
is says($first->post('auth/setup', { %owner, token => $setup, email => 'b@b.example' })), '422 invalid-field', 'once';
ok !$first->get('auth/setup')->{json}{open}, 'then the set-up is closed';
like $stack->frontdesk('user', 'setup-token'), qr/^$/, 'and no token is made for it any more';
forget_tries();

# -- in ------------------------------------------------------------------------------------

my $alice = Frontdesk::Browser->user($stack, 'alice@shop.example', 'owner');
$r = $alice->sign_in;
is $r->{status}, 200, 'ADM-1: address and password sign in' or diag $r->{body};
is_deeply [@{ $r->{json}{user} }{qw(email)}, $r->{json}{role}, $r->{json}{organization}{id}],
    ['alice@shop.example', 'owner', $stack->{org}], 'as whom the answer says';
like $alice->{set}{frontdesk}, qr/; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/, 'the cookie is not for scripts or other sites';
unlike $alice->{set}{frontdesk}, qr/Domain=/i, 'and for this host only';
unlike $alice->{set}{'frontdesk-csrf'}, qr/HttpOnly/, 'scripts read the token beside it';
is $alice->{cookies}{'frontdesk-csrf'}, $r->{json}{csrf_token}, 'which the answer holds as well';
is $alice->get('organization')->{json}{id}, $stack->{org}, 'EDGE-8: nginx lets the cookie in';
my $claims = JSON::PP::decode_json(decode_base64url((split /\./, $alice->token)[1]));
is_deeply [sort keys %$claims], [qw(exp iat jti org role sid sub)], 'the claims hold no address and no name';
is says($alice->post('auth/login', { email => 'ALICE@Shop.example', password => $alice->{password} })), '200 ', 'an address has no case';
forget_tries();

my ($wrong, $nobody) = map { Frontdesk::Browser->new($stack, email => $_, password => 'not the password') } 'alice@shop.example', 'nobody@shop.example';
my @bodies = map { my $b = $_->sign_in; my %j = %{ $b->{json} }; delete $j{request_id}; [$b->{status}, \%j] } $wrong, $nobody;
is_deeply $bodies[0], $bodies[1], 'ADM-1: a wrong password and an unknown address look the same';
is $bodies[0][0], 401, 'and are refused';
forget_tries();

my ($tries, $throttled) = (0);
while ($tries++ < 40 && !$throttled) {
    $r = $nobody->sign_in;
    $throttled = $r if $r->{status} == 429;
}
ok $tries > 5 && $throttled, 'ADM-1: after five wrong tries an account has to wait' or diag $tries;
is code($throttled || {}), 'sign-in-throttled', 'it is told so';
like $throttled->{headers}{'retry-after'} // '', qr/^\d+$/, 'and for how long';
is $alice->sign_in->{status}, 200, 'another account does not wait';
$stack->sql("UPDATE sign_in_attempts SET next_at = now() + interval '100 seconds'");
is $alice->sign_in->{status}, 429, 'an address has to wait as well';
like $alice->sign_in->{headers}{'retry-after'}, qr/^(?:100|9\d)$/, 'as long as is left';
forget_tries();

# Who is not let in any more is who tries, not whose account it is.
sub tries_until_told_to_wait {
    my ($browser) = @_;
    for (1 .. 40) { return 1 if $browser->sign_in->{status} == 429; }
    return 0;
}
my %stranger = (email => 'alice@shop.example', password => 'not the password');
ok tries_until_told_to_wait(Frontdesk::Browser->new($stack, %stranger, from => '127.0.7.1')), 'ADM-1: a stranger who tries an account has to wait';
is +Frontdesk::Browser->new($stack, %stranger, from => '127.0.7.2')->sign_in->{status}, 429, 'and so do its neighbours';
is $alice->sign_in->{status}, 200, 'whose account it is does not, elsewhere';
forget_tries();

ok tries_until_told_to_wait($wrong), 'ADM-1: one who forgot the password has to wait';
$stack->sql("UPDATE sign_in_attempts SET next_at = now() + interval '100 seconds' WHERE name <> sign_in_name('address', '127.0.0.1')");
is $alice->sign_in->{status}, 429, 'for long';
my ($chosen) = $stack->frontdesk('user', 'reset-token', 'alice@shop.example', '--org', $stack->{org}) =~ /^(\S{43})$/m;
$alice->{password} = 'a new one, well chosen';
is $alice->post('auth/reset', { token => $chosen, password => $alice->{password} })->{status}, 204, 'chooses another';
is $alice->sign_in->{status}, 200, 'and is let in at once';
$stack->sql("UPDATE sign_in_attempts SET next_at = now() + interval '100 seconds', count = 101 WHERE name = sign_in_name('anywhere', 'alice\@shop.example')");
is $alice->sign_in->{status}, 429, 'ADM-1: tries from very many networks delay the account itself';
forget_tries();

# -- who is who: forged, expired, ended -----------------------------------------------------

my ($head, $body, $mac) = split /\./, $alice->token;
my %forged = (
    'another role'   => join('.', $head, encode_base64url(JSON::PP::encode_json({ %$claims, role => 'superadmin' })), $mac),
    'no signature'   => "$head.$body.",
    'alg none'       => join('.', encode_base64url('{"alg":"none","typ":"JWT"}'), $body, ''),
    'another key'    => join('.', $head, $body, encode_base64url('0' x 32)),
    'not a token'    => 'x',
    'nothing'        => '',
    'a long one'     => 'a' x 3000,
);
for my $how (sort keys %forged) {
    my $thief = Frontdesk::Browser->new($stack);
    $thief->{cookies}{frontdesk} = $forged{$how};
    is says($thief->get('organization')), '401 sign-in-required', "EDGE-8: a cookie with $how is nobody's";
}
is says($alice->get('organization', { Cookie => "frontdesk=x; frontdesk=" . $alice->token })), '401 sign-in-required', 'nor are two';
is says($alice->get('organization', { Cookie => 'Frontdesk=' . $alice->token })), '401 sign-in-required', 'nor one of another name';

$r = $alice->get('organization', { 'X-Frontdesk-Org' => $stack->sql("SELECT id FROM organizations WHERE name = 'First Shop'"),
    'X-Frontdesk-Role' => 'superadmin', 'X-Frontdesk-Actor' => "key:$stack->{org}", 'X-Frontdesk-Token' => 'f' x 64,
    'X-Frontdesk-User-Session' => 'x y', 'X-Frontdesk-Team' => $stack->{org}, 'X-Frontdesk-Address' => '203.0.113.9' });
is $r->{json}{id}, $stack->{org}, 'EDGE-8: headers that a client makes up change nothing';
is says(Frontdesk::Browser->new($stack)->get('organization', { 'X-Frontdesk-Org' => $stack->{org},
    'X-Frontdesk-Role' => 'owner', 'X-Frontdesk-Actor' => "user:$stack->{org}", 'X-Frontdesk-Token' => 'f' x 64 })),
    '401 sign-in-required', 'nor do they stand for a cookie';

$r = Frontdesk::Client->new(port => $careless, key => $stack->{sk})->get('/api/admin/organization',
    { map({ ($_ => 'forged') } 'X-Frontdesk-Org', 'x-frontdesk-role', 'X-FRONTDESK-ACTOR', 'X-Frontdesk-Token', 'X-Frontdesk-Team',
      'X-Frontdesk-User-Session', 'X-Frontdesk-Address', 'X-Frontdesk-Scheme', 'X-Frontdesk-Anything'), 'X-Other' => 'kept' });
is $r->{status}, 200, 'EDGE-8: where a configuration passes a client\'s headers on';
unlike $r->{body}, qr/forged|^x-frontdesk/im, 'those that only nginx may send are not among them';
like $r->{body}, qr/^X-Other: kept/m, 'others are';

# nginx decodes and merges a path before it chooses a location, and passes on what was written
for my $path ('//api%2Fadmin/metrics', '//api%2Fadmin/healthz', '//api%2Fadmin%2Fx/api/admin/users', '//api/admin/organization',
              '/api%2Fadmin/organization', '/%61pi/admin/organization', '/x/../api/admin/organization', '//api%2Fadmin/auth/setup') {
    is says(Frontdesk::Client->new(port => $_, key => $stack->{sk})->get($path)), '404 not-found', "EDGE-8: $path is no way around"
        for $stack->{port}, $careless;
}
is $stack->client(key => $stack->{sk}, origin => undef)->get('/api/admin/organization?a=//api%2Fadmin/')->{status}, 200, 'a plain path is one';

my $before = $alice->twin;
$alice->sign_in;
isnt $alice->token, $before->token, 'ADM-1: each sign-in is a session of its own';
is $before->get('auth/me')->{status}, 200, 'beside the others';
is @{ $alice->get('auth/sessions')->{json}{sessions} } >= 2, 1, 'all are listed';
my ($current) = grep { $_->{current} } @{ $alice->get('auth/sessions')->{json}{sessions} };
is $current->{agent}, 'test browser', 'with the browser they are of';
is $alice->post('auth/logout')->{status}, 204, 'out';
is $alice->token, undef, 'the cookie is gone';

# -- what ends a session, and how soon ---------------------------------------------------------

sub ends_within_a_second {
    my ($name, $browser, $how) = @_;
    $browser->sign_in;
    forget_tries();
    my @twins = map { $browser->twin } 1 .. 8; # a connection each: on both processes
    is $_->get('auth/me')->{status}, 200, "$name: it lives" for $twins[0];
    $how->($browser);
    my $end = time;
    ok $stack->until(sub { !grep { $_->get('auth/me')->{status} != 401 } @twins }, 20), "$name ends it";
    my $took = time - $end;
    ok $took < $stack->limit(2), sprintf '%s: on every process, %.2f s later', $name, $took;
    return;
}
ends_within_a_second('EDGE-8: signing out', $alice, sub { $_[0]->twin->post('auth/logout') });
my $bob = Frontdesk::Browser->user($stack, 'bob@shop.example', 'staff');
$alice->sign_in;
my ($bob_id) = map { $_->{email} eq 'bob@shop.example' ? $_->{id} : () } @{ $alice->get('users?limit=200')->{json}{users} };
ends_within_a_second('EDGE-8: being disabled', $bob, sub { $alice->patch("users/$bob_id", { status => 'disabled' }) });
is says($bob->sign_in), '401 sign-in-failed', 'who is disabled does not come back';
$alice->patch("users/$bob_id", { status => 'active' });
forget_tries();
ends_within_a_second('EDGE-8: another role', $bob, sub { $alice->patch("users/$bob_id", { role => 'client' }) });
$bob->sign_in;
is says($bob->get('organization')), '403 role-required', 'with which one signs in again';
$alice->patch("users/$bob_id", { role => 'staff' });
ends_within_a_second('EDGE-8: a password set by command', $bob, sub {
    $bob->{password} = $stack->frontdesk('user', 'password', 'bob@shop.example', '--org', $stack->{org}, '--generate') =~ /^(\S+)$/m ? $1 : '';
});
ends_within_a_second('EDGE-8: a session ended by its user', $bob, sub {
    my $other = $bob->twin;
    $other->sign_in;
    my ($old) = grep { !$_->{current} } @{ $other->get('auth/sessions')->{json}{sessions} };
    is $other->delete("auth/sessions/$old->{id}")->{status}, 204, 'from another browser';
});
$bob->sign_in;
is says($bob->delete('auth/sessions/' . $alice->get('auth/me')->{json}{session_id})), '404 not-found', 'another user\'s is not there';
ends_within_a_second('EDGE-8: an organisation switched off', $bob, sub {
    $stack->sql("UPDATE organizations SET status = 'disabled' WHERE id = '$stack->{org}'");
    $stack->limits; # publishes the organisation
});
$stack->sql("UPDATE organizations SET status = 'active' WHERE id = '$stack->{org}'");
$stack->limits;

# -- renewal -------------------------------------------------------------------------------------

$alice->sign_in;
my $old = $alice->twin;
$r = $alice->post('auth/refresh');
is $r->{status}, 200, 'ADM-1: claims are renewed';
isnt $alice->token, $old->token, 'with others';
is $old->twin->post('auth/refresh')->{status}, 200, 'those before them may still be, as an answer may be lost';
is $alice->twin->post('auth/refresh')->{status}, 401, 'but older ones were stolen';
is $stack->sql("SELECT count(*) FROM user_sessions WHERE ended_why = 'old claims came back'"), 1, 'and end the session';
ok $stack->until(sub { $old->get('auth/me')->{status} == 401 }), 'for both';

$alice->sign_in;
$stack->sql("UPDATE user_sessions SET created_at = now() - interval '13 hours'");
is says($alice->post('auth/refresh')), '401 sign-in-required', 'ADM-1: no session is renewed for ever';
$alice->sign_in;
$stack->sql("UPDATE user_sessions SET access_until = now() - interval '1 hour' WHERE ended_at IS NULL");
is says($alice->post('auth/refresh')), '401 sign-in-required', 'nor one that was idle for long';

$stack->must('admin', 'stop');
$stack->must('admin', 'start', FRONTDESK_SESSION_ACCESS_S => 1);
$alice->sign_in;
$r = $stack->until(sub { my $a = $alice->get('auth/me'); $a->{status} == 401 && $a });
like $r->{json}{detail} // '', qr/expired/, 'ADM-1: claims expire';
is $alice->twin->post('auth/refresh')->{status}, 200, 'and are renewed all the same';
is $alice->twin->post('auth/logout')->{status}, 204, 'or given up';
$stack->must('admin', 'stop');
$stack->must('admin', 'start');
forget_tries();

# -- other sites' pages ---------------------------------------------------------------------------

$alice->sign_in;
my %cross = (
    'without the token'        => { 'X-Frontdesk-CSRF' => undef },
    'with a wrong token'       => { 'X-Frontdesk-CSRF' => 'x' x 43 },
    'with another session\'s'  => { 'X-Frontdesk-CSRF' => $bob->{cookies}{'frontdesk-csrf'} },
    'from another origin'      => { Origin => 'https://evil.example', 'Sec-Fetch-Site' => undef },
    'from origin null'         => { Origin => 'null', 'Sec-Fetch-Site' => undef },
    'from a longer name'       => { Origin => $stack->url . '.evil.example', 'Sec-Fetch-Site' => undef },
    'from another site'        => { 'Sec-Fetch-Site' => 'cross-site' },
    'from a sub-domain'        => { 'Sec-Fetch-Site' => 'same-site' },
    'from nowhere'             => { Origin => undef, 'Sec-Fetch-Site' => undef },
);
for my $how (sort keys %cross) {
    my $name = "by cross-site $how";
    is says($alice->post('teams', { name => $name }, $cross{$how})), '403 cross-site', "EDGE-8: no change $how";
}
is_deeply [grep { /cross-site/ } map { $_->{name} } @{ $alice->get('teams')->{json}{teams} }], [], 'none was made';
is says($alice->get('teams', { 'Sec-Fetch-Site' => 'cross-site' })), '403 cross-site', 'nor is anything read for another site';
is $alice->get('teams', { 'Sec-Fetch-Site' => 'none' })->{status}, 200, 'but typed into the address bar';
is says(Frontdesk::Browser->new($stack)->post('auth/login', { email => $alice->{email}, password => $alice->{password} },
    { Origin => 'https://evil.example', 'Sec-Fetch-Site' => 'cross-site' })), '403 cross-site', 'another site signs nobody in';
is $alice->post('teams', 'name=x', { 'Content-Type' => 'text/plain' })->{status}, 415, 'a form is no JSON';
is $alice->post('teams', { name => 'Desk' })->{status}, 201, 'a page of ours changes what it likes';

# -- headers on every answer ------------------------------------------------------------------------

my %answers = (
    200 => $alice->get('organization'), 401 => Frontdesk::Browser->new($stack)->get('organization'),
    403 => $alice->post('teams', {}, { Origin => 'https://evil.example', 'Sec-Fetch-Site' => undef }),
    404 => $alice->get('nowhere'), 405 => $alice->patch('keys', {}), 422 => $alice->post('teams', {}),
    204 => $alice->delete('auth/sessions'), 413 => $alice->post('teams', 'a' x 1_100_000),
);
$stack->must('admin', 'stop');
$answers{503} = $alice->get('organization');
$stack->must('admin', 'start');
for my $status (sort keys %answers) {
    my ($a, $h) = ($answers{$status}, $answers{$status}{headers});
    is $a->{status}, $status, "EDGE-8: answer $status";
    is_deeply [@$h{qw(content-security-policy x-frame-options referrer-policy x-content-type-options cache-control)}],
        ["default-src 'none'; frame-ancestors 'none'", 'DENY', 'no-referrer', 'nosniff', 'no-store'],
        "$status has the headers for browsers" or diag explain $h;
    is $h->{'access-control-allow-origin'}, undef, "$status is for no other site";
}

my $passer_by = $stack->client(key => undef, origin => undef);
for my $case ([GET => '/nothing.js', 404], [POST => '/dashboard/', 405], [TRACE => '/', 405], [GET => '/dashboard/../nothing', 404]) {
    my ($method, $path, $status) = @$case;
    my $a = $passer_by->request($method, $path, {}, $method eq 'POST' ? '{}' : undef);
    is $a->{status} . ' ' . ($a->{json}{status} // ''), "$status $status", "EDGE-8: what nginx refuses is a problem document, too: $method $path";
    is_deeply [@{ $a->{headers} }{qw(content-security-policy x-frame-options x-content-type-options)}],
        ["default-src 'none'; frame-ancestors 'none'", 'DENY', 'nosniff'], 'with the headers for browsers' or diag explain $a;
}

# -- passwords ---------------------------------------------------------------------------------------

$bob->sign_in;
my $twin = $bob->twin;
$twin->sign_in;
is $bob->post('auth/password', { old_password => 'x', password => 'another good one' })->{json}{field}, 'old_password', 'ADM-1: the old password is asked for';
my $guess;
for (1 .. 40) { last if ($guess = $bob->post('auth/password', { old_password => 'x', password => 'another good one' }))->{status} == 429; }
is code($guess), 'sign-in-throttled', 'who guesses it has to wait';
forget_tries();
is $bob->post('auth/password', { old_password => $bob->{password}, password => 'bob@shop.example' })->{json}{field}, 'password', 'the rules hold';
is $bob->post('auth/password', { old_password => $bob->{password}, password => 'another good one' })->{status}, 200, 'then it is changed';
$bob->{password} = 'another good one';
is $bob->get('auth/me')->{status}, 200, 'this browser stays';
ok $stack->until(sub { $twin->get('auth/me')->{status} == 401 }), 'the others are out';
my ($reset) = $stack->frontdesk('user', 'reset-token', 'bob@shop.example', '--org', $stack->{org}) =~ /^(\S{43})$/m;
my $anybody = Frontdesk::Browser->new($stack);
for (1 .. 100) { last if ($guess = $anybody->post('auth/reset', { token => 'x' x 43, password => 'a third good one' }))->{status} == 429; }
is code($guess), 'sign-in-throttled', 'ADM-1: who guesses a token has to wait';
forget_tries();
is $anybody->post('auth/reset', { token => $reset, password => '123456789012' })->{json}{field}, 'password', 'a reset token takes no bad password';
is $anybody->post('auth/reset', { token => $reset, password => 'a third good one' })->{status}, 204, 'but a good one';
is $anybody->post('auth/reset', { token => $reset, password => 'a fourth good one' })->{json}{field}, 'token', 'once';
ok $stack->until(sub { $bob->get('auth/me')->{status} == 401 }), 'it ends the sessions';
$bob->{password} = 'a third good one';
forget_tries();
is $bob->sign_in->{status}, 200, 'and is the password';
($reset) = $stack->frontdesk('user', 'reset-token', 'bob@shop.example', '--org', $stack->{org}) =~ /^(\S{43})$/m;
$stack->sql('UPDATE password_resets SET expires_at = now()');
is $anybody->post('auth/reset', { token => $reset, password => 'a fifth good one' })->{json}{field}, 'token', 'ADM-1: after an hour it is void';
is $stack->sql("SELECT count(*) FROM users WHERE password_hash NOT LIKE '\$argon2id\$v=19\$m=65536,t=2,p=1\$%'"), 0, 'ADM-1: argon2id';
forget_tries();

# -- roles of users ------------------------------------------------------------------------------------

my $admin = Frontdesk::Browser->user($stack, 'admin@shop.example', 'admin');
my ($alice_id) = map { $_->{email} eq 'alice@shop.example' ? $_->{id} : () } @{ $admin->get('users?limit=200')->{json}{users} };
is $admin->post('users', { email => 'x@shop.example', role => 'owner' })->{json}{field}, 'role', 'ADM-1: an admin makes no owner';
is $admin->patch("users/$bob_id", { role => 'owner' })->{json}{field}, 'role', 'by no way';
is $admin->patch("users/$alice_id", { status => 'disabled' })->{json}{field}, 'role', 'and does not touch one';
is says($admin->post("users/$alice_id/reset", {})), '403 role-required', 'nor get into the account';
is $alice->patch("users/$alice_id", { role => 'admin' })->{json}{field}, 'role', 'ADM-1: the last owner stays one';
($reset) = $stack->frontdesk('user', 'reset-token', 'bob@shop.example', '--org', $stack->{org}) =~ /^(\S{43})$/m;
is $alice->patch("users/$bob_id", { role => 'admin' })->{status}, 200, 'bob rises';
is $anybody->post('auth/reset', { token => $reset, password => 'a sixth good one' })->{json}{field}, 'token', 'ADM-1: by no token that was made before';
is $alice->patch("users/$bob_id", { role => 'staff' })->{status}, 200, 'and falls';
is $bob->sign_in->{status}, 200, 'with the same password';
$r = $admin->post('users', { email => 'carol@shop.example', role => 'staff', name => 'Carol' });
is $r->{status}, 201, 'an admin makes staff';
is $anybody->post('auth/reset', { token => $r->{json}{reset_token}, password => 'carols own words' })->{status}, 204, 'whose password is their own';
is says($admin->post('users', { email => 'CAROL@shop.example', role => 'staff' })), '409 conflict', 'once';
is $admin->patch("users/$bob_id", { superadmin => JSON::PP::true })->{json}{field}, 'superadmin', 'nobody makes a superadmin here';
like $stack->frontdesk('user', 'superadmin', 'admin@shop.example', 'on', '--org', $stack->{org}), qr/^$/, 'but a command of the tables\' owner';
$admin->sign_in;
my $shop = $stack->sql("SELECT id FROM organizations WHERE name = 'First Shop'");
is $admin->post('auth/organization', { organization_id => $shop })->{status}, 200, 'ADM-1: a superadmin goes to any organisation';
is $admin->get('organization')->{json}{id}, $shop, 'and acts there';
# a page that shows the organisation where its session no longer acts says which it means
my %meant = ('Expect-Organization' => $stack->{org});
my $named = $stack->sql('SELECT string_agg(name, chr(10) ORDER BY id) FROM organizations');
$r = $admin->patch('organization', { name => 'Meant for another' }, \%meant);
is says($r), '409 organization-changed', 'ADM-1: what was meant for another organisation is refused';
is $r->{json}{field}, 'Expect-Organization', 'for that reason';
is $stack->sql('SELECT string_agg(name, chr(10) ORDER BY id) FROM organizations'), $named, 'and not done';
is says($admin->get('conversations', \%meant)), '409 organization-changed', 'nor is anything shown';
is says($admin->get('events', \%meant)), '409 organization-changed', 'or streamed';
is says($admin->get('organization', { 'Expect-Organization' => $_ })), '409 organization-changed', "\"$_\" is none either"
    for 'x', "$shop, $shop", uc $shop;
is says($anybody->get('organization', \%meant)), '401 sign-in-required', 'whoever has not signed in is told so first';
is says($anybody->get('auth/setup', \%meant)), '200 ', 'what needs no session expects nothing';
is $admin->get('organization', { 'Expect-Organization' => $shop })->{status}, 200, 'where one is one is heard';
is $keys->get('organization', \%meant)->{status}, 200, 'a key is of one organisation';
is $keys->get('organization', { 'Expect-Organization' => $shop })->{status}, 409, 'and of no other';
is $admin->post('auth/organization', { organization_id => undef })->{json}{organization}{id}, $stack->{org}, 'and comes home';
is $admin->get('organization', \%meant)->{json}{id}, $stack->{org}, 'then it is as the page expects';
is says($alice->post('auth/organization', { organization_id => $shop })), '403 role-required', 'an owner does not';

my ($team) = map { $_->{id} } @{ $alice->get('teams')->{json}{teams} };
is $alice->put("teams/$team/members/$bob_id", { role => 'staff' })->{status}, 204, 'ADM-1: teams have members';
is $bob->post('auth/team', { team_id => $team })->{json}{team_id}, $team, 'who choose one';
is $bob->get('auth/me')->{json}{team_id}, $team, 'EDGE-8: it goes with each request';
is $alice->post('auth/team', { team_id => $team })->{json}{field}, 'team_id', 'of their own';

# -- several organisations, one person ----------------------------------------------------------------

my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $there = Frontdesk::Browser->user($stack, 'alice@shop.example', 'staff', $other->{org});
forget_tries();
is $alice->sign_in->{json}{organization}{id}, $stack->{org}, 'another organisation\'s user of this address has another password';
$there->{password} = $alice->{password};
$stack->sql("UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = '$alice_id') WHERE email = '$alice->{email}'");
$r = $alice->sign_in;
is says($r), '409 organization-required', 'ADM-1: with the same password, which one is asked';
is scalar @{ $r->{json}{organizations} }, 2, 'of both';
is_deeply [@{ $r->{json} }{qw(type status)}, $r->{headers}{'content-type'}],
    ['urn:frontdesk:problem:organization-required', 409, 'application/problem+json'], 'as a problem';
is $there->sign_in(organization => $other->{org})->{json}{organization}{id}, $other->{org}, 'and it is said';
is $alice->sign_in(organization => $stack->{org})->{status}, 200, 'either way';

# -- Redis away -------------------------------------------------------------------------------------------

$stack->stack('live', 'stop');
$r = $stack->until(sub { my $a = $alice->get('auth/me'); $a->{status} == 503 && $a });
is code($r || {}), 'unavailable', 'EDGE-10: without Redis nobody knows whether a session has ended';
$stack->must('live', 'start');
$stack->redis_forget;
ok $stack->until(sub { $alice->get('auth/me')->{status} == 200 }, 30), 'until it is back';
my $gone = $alice->twin;
$gone->sign_in(organization => $stack->{org});
$gone->twin->post('auth/logout');
ok $stack->until(sub { $gone->get('auth/me')->{status} == 401 }), 'a session ends';
$stack->must('nginx', 'stop'); # which remembers by itself
$stack->stack('live', 'stop');
$stack->must('live', 'start');
$stack->redis_forget;
$stack->must('nginx', 'start');
ok $stack->until(sub { $gone->get('auth/me')->{status} != 503 }, 90), 'EDGE-8: a Redis that forgot everything';
is $gone->get('auth/me')->{status}, 401, 'does not let it in again: the set is rebuilt before it is trusted';
is $alice->get('auth/me')->{status}, 200, 'but those that live';

# -- who changed what ----------------------------------------------------------------------------------------

forget_tries();
$alice->sign_in(organization => $stack->{org});
$alice->put('ai-settings', { temperature => 0.7 });
my ($row) = @{ $alice->get('audit?limit=1&action=PUT%20ai-settings')->{json}{entries} };
is_deeply [$row->{actor}, $row->{actor_name}, $row->{before}{temperature} // 'none', $row->{after}{temperature}],
    ["user:$alice_id", 'alice@shop.example', $row->{before}{temperature} // 'none', 0.7], 'ADM-1: a change leaves a row: who, before, after';
isnt $row->{before}{temperature} // '', 0.7, 'of which they differ';
is $row->{address}, '127.0.0.1', 'and from where';
my $made = $keys->post('keys', { name => 'audited', kind => 'sk' })->{json};
($row) = @{ $alice->get('audit?limit=1&action=POST%20keys')->{json}{entries} };
is $row->{after}{key}, '***', 'without the secret';
is $row->{after}{id}, $made->{id}, 'but with what was made';
my $found = sub { my ($q) = @_; return @{ $alice->get("audit?limit=200&q=$q")->{json}{entries} } };
ok scalar($found->('put%20AI-settings')) == scalar(@{ $alice->get('audit?limit=200&action=PUT%20ai-settings')->{json}{entries} }), 'ADM-1: a part of an action is found, in any case';
my @hers = $found->('alice@shop');
ok @hers > 1 && !(grep { $_->{actor} ne "user:$alice_id" && ($_->{thing} // '') ne "users/$alice_id" } @hers), 'and what somebody did, or was done to them, by a part of the name';
is scalar(() = $found->('no-such-thing')), 0, 'and nothing else';
my $audited = $keys->post('teams', { name => 'Audited' })->{json}{id};
$keys->put("teams/$audited/members/$alice_id", { role => 'staff' });
$keys->put("teams/$audited/members/$alice_id", { role => 'admin' });
$keys->delete("teams/$audited/members/$alice_id");
$keys->delete("teams/$audited");
forget_tries();
$alice->sign_in(organization => $stack->{org}); # who leaves a team signs in anew
my %picture = map { ("$_->{action}" => $_) } reverse $found->($audited);
is_deeply [map { $_->{role} } @{ $picture{'PUT teams/:id/members/:user'} }{qw(before after)}], ['staff', 'admin'], 'ADM-1: a place in a team, as it was and is';
is $picture{'DELETE teams/:id/members/:user'}{before}{role}, 'admin', 'as it was before it went';
is $picture{'DELETE teams/:id'}{before}{name}, 'Audited', 'a team that is gone';
is scalar(grep { $_->{action} eq 'sign-in' } @{ $alice->get('audit?limit=200')->{json}{entries} }) > 0, 1, 'sign-ins are in it';
my (@seen, $cursor);
do {
    $r = $alice->get('audit?limit=7' . ($cursor ? "&cursor=$cursor" : ''))->{json};
    push @seen, map { $_->{id} } @{ $r->{entries} };
    $cursor = $r->{next_cursor};
} while ($cursor && @seen < 1000);
is_deeply \@seen, [sort { $b <=> $a } @seen], 'newest first, page by page';
is scalar(@seen), $stack->sql("SELECT count(*) FROM audit_log WHERE org_id = '$stack->{org}'"), 'all of them';
is $stack->sql("SELECT has_table_privilege('frontdesk_app', 'audit_log', 'UPDATE') OR has_table_privilege('frontdesk_app', 'audit_log', 'DELETE')"),
    'f', 'ADM-1: the application cannot change or remove a row';

# -- secrets --------------------------------------------------------------------------------------------------

for my $log (qw(admin.log access.log nginx-error.log worker-1.log)) {
    my $text = $stack->log_text($log);
    unlike $text, qr/eyJhbGci|\Q$alice->{password}\E|\Q$bob->{password}\E|\$argon2id/, "$log holds no password, hash or claims";
}
is $stack->sql("SELECT count(*) FROM audit_log WHERE before::text || after::text ~ 'argon2id|fd_sk_|eyJhbGci'"), 0, 'nor does the audit log';

kill TERM => $echo_pid;
waitpid $echo_pid, 0;
$stack->finish;
done_testing;
