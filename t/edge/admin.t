# The admin API behind nginx: who may ask, of whom, and that nobody else is answered.
# EDGE-1 EDGE-2 EDGE-8 EDGE-9 OPS-3
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_NGINX_WORKERS => 2, STACK_HTTP_EXTRA => 'frontdesk_read_rate 6000;' },
    worker => { FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:9' }, # where nobody listens
);
$stack->start;

my %org = (mine => Frontdesk::Admin->new($stack), other => Frontdesk::Admin->organization($stack, 'Other Shop'));
my ($mine, $other) = @org{qw(mine other)};
my $bare = $stack->client(key => undef, origin => undef);

sub code { my ($r) = @_; return ($r->{json} || {})->{code} // ''; }

# -- users of every role, keys of every scope, sessions that are over ---------------------

my @roles = qw(client staff admin owner superadmin);
my %rank;
@rank{@roles} = 0 .. $#roles;
my %caller = map { $_ => Frontdesk::Browser->user($stack, "$_\@shop.example", $_ eq 'superadmin' ? 'owner' : $_) } @roles;
$stack->frontdesk('user', 'superadmin', 'superadmin@shop.example', 'on', '--org', $stack->{org});
$caller{'a stranger'} = Frontdesk::Browser->user($stack, 'owner@other.example', 'owner', $other->{org});
$caller{over} = Frontdesk::Browser->user($stack, 'over@shop.example', 'owner');
$caller{over}->twin->post('auth/logout');
$stack->must('admin', 'stop');
$stack->must('admin', 'start', FRONTDESK_SESSION_ACCESS_S => 1, FRONTDESK_SESSION_IDLE_S => 100000);
$caller{expired} = Frontdesk::Browser->user($stack, 'expired@shop.example', 'owner');
my $leaving = $caller{expired}->twin; # ends one of them
$leaving->sign_in;
$stack->must('admin', 'stop');
$stack->must('admin', 'start');
$caller{superadmin}->sign_in;
my %scoped = map { $_ => Frontdesk::Admin->new($stack, key => $stack->key('create', '--kind', 'sk', '--name', $_, '--scope', $_)->{key}) } qw(read write);
$stack->until(sub { $caller{expired}->get('auth/me')->{status} == 401 && $caller{over}->get('auth/me')->{status} == 401 }, 20, 'two sessions to be over');

my %row = Frontdesk::Admin->matrix;

# What the table says of a caller: 401, 403, or 0: it is heard.
sub verdict {
    my ($who, $route) = @_;
    return 0 if $route->{access} eq 'open';
    return $who eq 'expired' && $route->{pattern} =~ m{^auth/(?:refresh|logout)$} ? 0 : 401 if $who =~ /^(?:over|expired)$/;
    my $least = $rank{ $route->{role} };
    if ($scoped{$who}) {
        return 403 if $least > $rank{admin} || $route->{access} eq 'user' || $route->{access} eq 'access';
        return $who eq 'read' && $route->{method} ne 'GET' ? 403 : 0;
    }
    return ($rank{$who} // $rank{owner}) < $least ? 403 : 0;
}

# Asks what does no harm: of nothing that exists, with a field that nobody knows.
sub asks {
    my ($who, $route) = @_;
    my $path = $mine->path($route->{pattern}, ('00000000-0000-4000-8000-000000000000') x 3)
        . ($route->{method} eq 'GET' && ($row{"GET $route->{pattern}"} // {})->{query} // ''); # a stream would not end
    my @body = $route->{method} =~ /GET|DELETE/ ? () : ('{"no_such_field":1}');
    return $scoped{$who}->request($route->{method}, $path, @body) if $scoped{$who};
    return $caller{$who}->twin->request($route->{method}, $path, @body) unless $route->{pattern} =~ m{^auth/(?:refresh|logout|sessions)$};
    return $leaving->request($route->{method}, $path, @body) if $who eq 'expired' && $route->{pattern} eq 'auth/logout';
    my $fresh = $caller{$who}->twin; # it will be over, or all others
    my $lives = $who !~ /^(?:over|expired)$/;
    $fresh->sign_in if $lives;
    my $r = $fresh->request($route->{method}, $path, @body);
    $caller{$who}->sign_in if $lives;
    return $r;
}

for my $route ($mine->routes) {
    my $name = "$route->{method} $route->{pattern}";
    subtest "ADM-1: $name for every role, scope and session" => sub {
        for my $who (@roles, sort(keys %scoped), 'over', 'expired', 'a stranger') {
            my ($want, $r) = (verdict($who, $route), asks($who, $route));
            if ($want) {
                is $r->{status}, $want, "$who: $want" or diag $r->{body};
            } else {
                ok $r->{status} !~ /^(?:401|403|405|5..)$/, "$who is heard" or diag "$r->{status} $r->{body}";
            }
        }
    };
}

# What a role, scope or session may ask at all, and still not with these parameters.
for my $route (grep { ($row{"$_->{method} $_->{pattern}"} // {})->{platform} } $mine->routes) {
    my ($asked, $good) = @{ $row{"$route->{method} $route->{pattern}"}{platform} };
    my ($name, $value) = split /=/, $asked;
    subtest "ADM-4: $route->{method} $route->{pattern}?$asked is the platform's owner's alone" => sub {
        for my $who (@roles, sort(keys %scoped), 'over', 'expired', 'a stranger') {
            my %said;
            for my $given ($value, $mine->{org}, $other->{org}, '00000000-0000-4000-8000-000000000000', 'x') {
                my $r = ($scoped{$who} || $caller{$who}->twin)->request($route->{method}, "$route->{pattern}?$name=$given");
                if ($who eq 'superadmin') {
                    is $r->{status}, $good, "$who, $given: $good" or diag $r->{body} if $given eq $value;
                    next;
                }
                is "$r->{status} " . code($r), verdict($who, $route) == 401 ? '401 sign-in-required' : '403 role-required', "$who, $given";
                unlike $r->{body}, qr/\Q$other->{org}\E/, 'nothing is shown';
                delete $r->{json}{request_id};
                $said{ JSON::PP->new->canonical->encode($r->{json}) } = 1;
                is $r->{json}{field}, $name, 'at the parameter' if $r->{status} == 403 && !verdict($who, $route);
            }
            is scalar(keys %said), 1, "$who is told the same of what there is and what there is not" if $who ne 'superadmin';
        }
    };
}

# -- the matrix: every route x every kind of caller --------------------------------

my $revoked = $mine->post('keys', { name => 'soon gone', kind => 'sk' })->{json};
$mine->delete("keys/$revoked->{id}");
my @strangers = (
    ['no key',             {},                                           401, 'sign-in-required'],
    ['a publishable key',  { 'X-Api-Key' => $stack->{pk}, Origin => $stack->{origin} }, 403, 'key-kind'],
    ['a revoked key',      { 'X-Api-Key' => $revoked->{key} },           401, 'key-invalid'],
    ['a browser',          { 'X-Api-Key' => $mine->{key}, Origin => 'https://evil.example' }, 401, 'key-invalid'],
    ['claimed headers',    { 'X-Frontdesk-Org' => $stack->{org}, 'X-Frontdesk-Role' => 'owner',
                             'X-Frontdesk-Actor' => "key:$stack->{org}", 'X-Frontdesk-Token' => 'x' x 64 }, 401, 'sign-in-required'],
);

for my $route ($mine->routes) {
    my ($method, $pattern, $raw) = @$route{qw(method pattern raw)};
    my $name = "$method $pattern";
    my $row  = delete $row{$name};
    ok $row, "$name is in the matrix" or next;
    next if $route->{access} =~ /^(?:open|user)$/; # of no key: above, and in sign-in.t
    subtest "$name keeps organisations apart" => sub {
        my @ids  = $row->{ids} ? $row->{ids}->($mine) : ();
        my @body = defined $row->{body} ? ($row->{body}) : $method =~ /GET|DELETE/ ? () : ($raw ? 'x' : {});
        my $path = $mine->path($pattern, @ids) . ($row->{query} // '');
        for my $stranger (@strangers) {
            my ($who, $headers, $status, $code) = @$stranger;
            my $r = $mine->send($bare, $method, $path, $body[0], { %$headers, %{ $row->{headers} || {} } });
            is "$r->{status} " . code($r), "$status $code", $who;
        }
        if ($pattern =~ /:/) {
            my $r = $other->request($method, $path, $body[0], $row->{headers});
            ok $r->{status} == 404 && code($r) eq 'not-found', "another organisation's key finds nothing"
                or diag "$r->{status} $r->{body}";
        }
        my $mark;
        if (my $hidden = $row->{hidden}) {
            $mark = $hidden->($mine);
            my $r = $other->request($method, $path, $body[0], $row->{headers});
            unlike $r->{body}, qr/\Q$mark\E/, "another organisation's key does not see it";
        }
        my $r = $mine->request($method, $path, $body[0], $row->{headers});
        is $r->{status}, $row->{good} // 200, 'its own key is answered' or diag $r->{body};
        like $r->{body}, qr/\Q$mark\E/, 'and sees what it has' if defined $mark;
        unlike $r->{body}, qr/\Q$_\E/, 'with nothing of the other' for grep { defined } $other->{org};
    };
}
is join(', ', sort keys %row), '', 'and the matrix has no route that is not there';

for my $method (qw(FOO PROPFIND LOCK)) {
    my $odd = $mine->request($method, 'organization', $method eq 'LOCK' ? {} : undef);
    is "$odd->{status} " . code($odd) . " $odd->{headers}{'content-type'}", '405 method-not-allowed application/problem+json', "EDGE-8: $method is refused in JSON"
        or diag $odd->{body};
}

# -- what a client says of itself ----------------------------------------------------

my $r = $mine->get('organization', { 'X-Frontdesk-Org' => $other->{org}, 'X-Frontdesk-Role' => 'client',
                                     'X-Frontdesk-Actor' => 'user:' . $other->{org}, 'X-Request-Id' => 'forged' });
is $r->{json}{id}, $stack->{org}, 'EDGE-8: a client\'s own identity headers are overwritten';
unlike $stack->log_text('admin.log'), qr/forged|user:$other->{org}/, 'and are in no log';

# Straight to the socket, past nginx.
sub direct {
    my ($path, %headers) = @_;
    my $s = IO::Socket::UNIX->new(Peer => "$stack->{dir}/run/admin.sock") or return "connect: $!";
    print $s "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers), "\r\n";
    local $/;
    return <$s> // '';
}
open my $in, '<', "$stack->{dir}/admin.token" or die "admin.token: $!";
my $token = <$in>;
close $in;
my %claim = ('X-Frontdesk-Org' => $stack->{org}, 'X-Frontdesk-Role' => 'admin',
             'X-Frontdesk-Actor' => "key:$stack->{org}", 'X-Request-Id' => 'direct-1');
like direct('/api/admin/organization', %claim), qr{^HTTP/1.1 401}, 'a process that has not nginx\'s token is nobody';
like direct('/api/admin/organization', %claim, 'X-Frontdesk-Token' => 'f' x 64), qr{^HTTP/1.1 401}, 'nor with another token';
like direct('/api/admin/organization', %claim, 'X-Frontdesk-Token' => $token), qr{^HTTP/1.1 200}, 'with it, it is nginx';
for my $missing (sort keys %claim) {
    my %less = %claim;
    delete $less{$missing};
    like direct('/api/admin/organization', %less, 'X-Frontdesk-Token' => $token), qr{^HTTP/1.1 401}, "without $missing: 401";
}
like direct('/api/admin/keys', %claim, 'X-Frontdesk-Token' => $token, 'X-Frontdesk-Role' => 'staff'),
    qr{^HTTP/1.1 403.*admin role required}s, 'a role below the route\'s: 403';
like direct('/metrics'), qr/^frontdesk_admin_requests_total\{status="2xx"\} \d+/m, 'OPS-3: metrics of its own';
like direct($_, %claim, 'X-Frontdesk-Token' => $token), qr{^HTTP/1.1 404.*"not-found"}s, "$_ is not for who comes through nginx"
    for '/metrics', '/healthz', '//x/metrics', '//x/api/admin/organization', 'http://x/api/admin/organization';
like direct('//x/metrics'), qr{^HTTP/1.1 401}, 'nor has it another name';
is $bare->get('/api/admin/../../metrics')->{status}, 200, '/metrics through nginx is nginx\'s';
is sprintf('%o', (stat "$stack->{dir}/run/admin.sock")[2] & 07777), '660', 'the socket is for nginx\'s group only';

# -- what is no request ---------------------------------------------------------------

for my $case (
    ['GET',    'nowhere',           undef,                404, 'not-found'],
    ['GET',    'keys/',             undef,                404, 'not-found'],
    ['PUT',    'keys',              '{}',                 405, 'method-not-allowed'],
    ['PATCH',  'keys',              '{}',                 405, 'method-not-allowed'],
    ['OPTIONS', 'keys',             undef,                405, 'method-not-allowed'],
    ['POST',   'keys',              '{"name":',           400, 'malformed-json', 'name'],
    ['POST',   'keys',              '[]',                 400, 'malformed-json'],
    ['POST',   'keys',              '{"name":"a","name":"b"}', 400, 'malformed-json', 'name'],
    ['POST',   'keys',              "{\"name\":\"\xff\"}", 400, 'malformed-json', 'name'],
    ['POST',   'keys',              '[' x 2000,           400, 'malformed-json', '[0]' x 24],
    ['POST',   'keys',              '{"name":"a","kind":"sk","colour":1}', 422, 'invalid-field', 'colour'],
    ['POST',   'keys',              '{"name":"a","kind":"xx"}', 422, 'invalid-field', 'kind'],
    ['POST',   'keys',              '{"kind":"sk"}',      422, 'invalid-field', 'name'],
    ['POST',   'keys',              '{"name":"a","kind":"pk"}', 422, 'invalid-field', 'origins'],
    ['POST',   'keys',              '{"name":"a","kind":"pk","origins":["javascript:x"]}', 422, 'invalid-field', 'origins'],
    ['POST',   'keys',              '{"name":"a","kind":"sk","origins":["https://a.example"]}', 422, 'invalid-field', 'origins'],
    ['GET',    'keys?limit=0',      undef,                400, 'bad-request', 'limit'],
    ['GET',    'keys?cursor=abc',   undef,                400, 'bad-request', 'cursor'],
    ['GET',    'keys?limit=%ff',    undef,                400, 'bad-request'],
    ['DELETE', 'keys/1',            undef,                404, 'not-found'],
    ['DELETE', "keys/'; --",        undef,                400, 'bad-request'],
    ['POST',   'keys',              '{"name":"' . 'a' x 1_100_000 . '"}', 413, 'too-large'],
    ['POST',   'keys',              'a' x 34_000_000,     413, 'too-large'],
) {
    my ($method, $path, $body, $status, $code, $field) = @$case;
    $r = $mine->request($method, $path, $body);
    is join(' ', $r->{status}, code($r), $r->{json}{field} // ()), join(' ', $status, $code, $field // ()),
        "$method " . substr("$path " . ($body // ''), 0, 60);
}
$r = $mine->request('PUT', 'keys', '{}');
is $r->{headers}{allow}, 'GET, HEAD, POST', '405 says what is allowed';
like $r->{headers}{'content-type'}, qr{^application/problem\+json}, 'as a problem document';
$r = $mine->request('POST', 'keys', 'name=a', { 'Content-Type' => 'application/x-www-form-urlencoded' });
is "$r->{status} " . code($r), '415 media-type', 'a form is no JSON';
my $get  = $mine->get('organization?unknown=1');
my $head = $mine->request('HEAD', 'organization');
is "$get->{status} $head->{status} $head->{body}", '200 200 ', 'an unknown parameter is ignored; HEAD has no body';
is $head->{headers}{'content-length'}, length $get->{body}, 'but its length';
is $get->{headers}{'cache-control'}, 'no-store', 'nothing is kept by caches';

# -- keys -------------------------------------------------------------------------------

my $made = $mine->post('keys', { name => 'site', kind => 'pk', origins => ['https://a.example'] })->{json};
my $site = $stack->client(key => $made->{key}, origin => 'https://a.example');
is $site->get('/api/v1/config')->{status}, 200, 'EDGE-2: a key made here works at once';
my ($listed) = grep { $_->{id} eq $made->{id} } @{ $mine->get('keys?limit=200')->{json}{keys} };
is_deeply [@$listed{qw(name kind status origins)}], ['site', 'pk', 'live', ['https://a.example']], 'it is in the list';
unlike $mine->get('keys?limit=200')->{body}, qr/fd_[ps]k_/, 'the list tells no key';
my $new = $mine->post("keys/$made->{id}/rotate", { overlap_s => 0 })->{json};
ok $stack->until(sub { $site->get('/api/v1/config')->{status} == 401 }, 2), 'rotated without overlap the old one stops';
is $stack->client(key => $new->{key}, origin => 'https://a.example')->get('/api/v1/config')->{status}, 200, 'and the new one works';
is $mine->post("keys/$made->{id}/rotate", {})->{status}, 404, 'what is over cannot be rotated';
is $mine->delete("keys/$new->{id}")->{status}, 204, 'revoked';
is $mine->delete("keys/$new->{id}")->{status}, 404, 'once';

$mine->post('keys', { name => "page $_", kind => 'sk' }) for 1 .. 7;
my (@seen, $cursor);
do {
    $r = $mine->get('keys?limit=3' . ($cursor ? "&cursor=$cursor" : ''))->{json};
    push @seen, map { $_->{id} } @{ $r->{keys} };
    $cursor = $r->{next_cursor};
} while ($cursor && @seen < 100);
my $all = $mine->get('keys?limit=200')->{json}{keys};
is_deeply \@seen, [map { $_->{id} } @$all], 'ADM-8: pages of three are the whole list, once each';
$cursor = $mine->get('keys?limit=3')->{json}{next_cursor};
is code($other->get("keys?cursor=$cursor")), 'bad-request', 'another organisation\'s cursor opens nothing';

# -- bounds -----------------------------------------------------------------------------

# What the code returns while nobody gets at the keys; it may end that before.
sub locked {
    my ($code) = @_;
    my $over;
    $stack->sql('DROP TABLE IF EXISTS let_go; CREATE TABLE let_go (n int)');
    my $locker = fork // die "fork: $!";
    if (!$locker) {
        $stack->sql('DO $$ BEGIN LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE;'
            . ' FOR i IN 1..1000 LOOP EXIT WHEN EXISTS (SELECT FROM let_go); PERFORM pg_sleep(0.02); END LOOP; END $$');
        POSIX::_exit(0);
    }
    $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_locks WHERE relation = 'api_keys'::regclass AND mode = 'AccessExclusiveLock' AND granted") }, 20, 'the lock');
    my $release = sub { $stack->sql('INSERT INTO let_go VALUES (1)') unless $over++ };
    my $result = $code->($release);
    $release->();
    waitpid $locker, 0;
    return $result;
}

# What the requests were answered, all at a time, while the table is locked until so many are refused.
sub flood {
    my ($each, $refused, @who) = @_;
    my $flood = 'curl --no-progress-meter -Z --parallel-immediate --parallel-max 90 ' . join ' --next ',
        map { "-o /dev/null -w '%{stderr}%{http_code}\\n' -H 'X-Api-Key: $_->{key}' '" . $stack->url . "/api/admin/keys?n=[1-$each]'" } @who;
    return locked(sub {
        my ($release) = @_;
        my %count;
        open my $answers, '-|', "$flood 2>&1 >/dev/null" or die "curl: $!"; # as they come: stdout would keep them to the end
        while (<$answers>) {
            my ($status) = /^(\d+)$/ or next;
            $count{$status}++;
            $release->() if $status != 200 && --$refused == 0;
        }
        close $answers;
        return \%count;
    });
}
my $count = flood(90, 64, $mine);
is_deeply [$count->{200}, $count->{429} + ($count->{503} // 0)], [26, 64], 'EDGE-9: of 90 requests of an organisation at a time 26 are in work or wait' or diag explain $count;
$count = flood(22, 24, $mine, $other, map { Frontdesk::Admin->organization($stack, $_) } 'Third Shop', 'Fourth Shop');
is_deeply [@$count{qw(200 503)}], [64, 24], 'of 88 of four organisations 64, the others are told to come again' or diag explain $count;
is $mine->get('keys')->{status}, 200, 'and then all is well';

$stack->must('admin', 'stop');
$stack->must('admin', 'start', FRONTDESK_ADMIN_TIMEOUT_MS => 300);
is slow(), 504, 'a request that takes too long is answered 504';
is $mine->get('organization')->{status}, 200, 'the next one is none the worse';
$stack->must('admin', 'stop');
$stack->must('admin', 'start');

$stack->{env}{STACK_HTTP_EXTRA} = 'frontdesk_read_rate 5;';
$stack->must('nginx', 'reload');
my $limited = $stack->until(sub { my $a = $mine->get('organization'); $a->{status} == 429 && $a }, 10, 'the limit');
is code($limited || {}), 'rate-limited', 'EDGE-3: requests of an address are limited';
ok $limited && $limited->{headers}{'retry-after'}, 'with Retry-After';
$stack->{env}{STACK_HTTP_EXTRA} = 'frontdesk_read_rate 6000;';
$stack->must('nginx', 'reload');
$stack->until(sub { $mine->get('organization')->{status} == 200 }, 10, 'the limit to be gone');

# -- life -----------------------------------------------------------------------------------

# The status of a request that waits in PostgreSQL; it goes on when the block, if there is one, has run meanwhile.
sub slow {
    my ($during) = @_;
    return locked(sub {
        my ($release) = @_;
        my $child = open(my $out, '-|') // die "fork: $!";
        if (!$child) {
            print $mine->get('keys')->{status};
            close STDOUT;
            POSIX::_exit(0);
        }
        if ($during) {
            $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'FROM api_keys'") }, 20, 'the request');
            $during->();
            $release->();
        }
        my $status = <$out>;
        close $out;
        return $status;
    });
}

is slow(sub { $stack->signal(TERM => 'admin') }), 200, 'SIGTERM: a request that runs is answered';
ok $stack->until(sub { !$stack->pid('admin') }, 5), 'and then it ends';
$r = $mine->get('organization');
is "$r->{status} " . code($r), '503 unavailable', 'while it is away nginx says so';
ok $r->{headers}{'retry-after'}, 'and when to come again';
$stack->must('admin', 'start');
is $mine->get('organization')->{status}, 200, 'started again it answers';
$stack->signal(KILL => 'admin');
$stack->must('admin', 'start');
is $mine->get('organization')->{status}, 200, 'after a crash as well: the old socket is no hindrance';
my $second = qx(env STACK_DIR=$stack->{dir} STACK_BUILD=@{[ {$stack->environment}->{STACK_BUILD} ]} $Frontdesk::Admin::root/scripts/stack frontdesk admin 2>&1);
like $second, qr/another frontdesk admin listens/, 'a second one at the same socket says why not';
is $mine->get('organization')->{status}, 200, 'and the first is none the worse';

$stack->stack('live', 'stop');
$r = $stack->until(sub { my $a = $mine->get('organization'); $a->{status} == 503 && $a }, 5);
is code($r || {}), 'unavailable', 'EDGE-10: without Redis nobody is let in';
$stack->must('live', 'start');
$stack->redis_forget;
ok $stack->until(sub { $mine->get('organization')->{status} == 200 }, 15), 'until it is back';

# -- logs ------------------------------------------------------------------------------------

my $log = $stack->log_text('admin.log');
unlike $log, qr/fd_[ps]k_[0-9A-Za-z]/, 'OPS-3: no key is in the log';
unlike $log, qr/$token/, 'nor the token';
my ($line) = grep { /"route":"organization"/ && /"actor":"key:/ && /$stack->{org}/ } split /\n/, $log;
my $entry = JSON::PP::decode_json($line);
like $entry->{request_id}, qr/^[0-9a-f]{32}$/, 'its lines have nginx\'s request id';
like $stack->log_text('access.log'), qr/"request_id":"$entry->{request_id}"/, 'which is in nginx\'s too';
is $entry->{org_id}, $stack->{org}, 'the organisation';
like $entry->{actor}, qr/^key:[0-9a-f-]{36}$/, 'and who it was';

$stack->finish;
done_testing;
