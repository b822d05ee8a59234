# A change by the admin API, the row in the record that tells of it, what If-Match says and the
# answer that an Idempotency-Key keeps: all of it or nothing, whoever else asks at the same time
# and whatever dies.  ADM-1 ADM-8
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use IO::Socket::UNIX;
use POSIX ();
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $stack = Frontdesk::Stack->new(provider => undef, env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' });
$stack->start;
my ($mine, $other) = (Frontdesk::Admin->new($stack), Frontdesk::Admin->organization($stack, 'Other Shop'));

sub code { my ($r) = @_; return ($r->{json} || {})->{code} // ''; }
sub one { return scalar $stack->sql($_[0]); }
sub audited { return one("SELECT count(*) FROM audit_log WHERE org_id = '$mine->{org}'"); }
sub keys_named { return one("SELECT count(*) FROM api_keys WHERE org_id = '$mine->{org}' AND name = '$_[0]'"); }

# All at the same time; what each was answered.
sub together {
    my @blocks = @_;
    my @pipes = map {
        my $block = $_;
        my $pid = open(my $out, '-|') // die "fork: $!";
        if (!$pid) {
            my $r = $block->();
            print $json->encode({ status => $r->{status}, headers => $r->{headers}, body => $r->{body} // '' });
            close STDOUT;
            POSIX::_exit(0);
        }
        $out;
    } @blocks;
    return map { my $out = $_; local $/; my $r = $json->decode(<$out>); $r->{json} = eval { $json->decode($r->{body}) }; $r } @pipes;
}

# -- If-Match -------------------------------------------------------------------------------

my $was = $mine->get('business-info');
my @answers = together(map { my $n = $_; sub { $mine->put('business-info', { tone => "tone $n" }, { 'If-Match' => $was->{headers}{etag} }) } } 1 .. 8);
is_deeply [sort map { $_->{status} } @answers], [200, (412) x 7], 'ADM-8: of eight changes of what one has read, one is made';
my ($won) = grep { $_->{status} == 200 } @answers;
my $now = $mine->get('business-info');
is $now->{headers}{etag}, $won->{headers}{etag}, 'its answer has the tag of what is there now';
is $now->{json}{tone}, $won->{json}{tone}, 'which is what it said';
my ($lost) = grep { $_->{status} == 412 } @answers;
is "$lost->{json}{code} $lost->{json}{field} $lost->{headers}{etag}", "changed-meanwhile If-Match $now->{headers}{etag}", 'the others are told the tag of now';
is one("SELECT after->>'tone' FROM audit_log WHERE action = 'PUT business-info' ORDER BY id DESC LIMIT 1"), $now->{json}{tone}, 'and the record has what came of it';
is $mine->put('business-info', { tone => 'any' }, { 'If-Match' => '*' })->{status}, 200, '"*": whatever is there';
is $mine->put('business-info', { tone => 'calm' })->{status}, 200, 'without If-Match it is made as ever';
is $mine->put('business-info', { tone => 'x' }, { 'If-Match' => 'W/' . $mine->get('business-info')->{headers}{etag} })->{status}, 200,
    'a tag that nginx made weak by compressing is one of ours all the same';
my $gone = $mine->make_tool;
is $mine->request('DELETE', "tools/$gone", undef, { 'If-Match' => '"stale"' })->{status}, 412, 'a deletion, too';
is $mine->get("tools/$gone")->{status}, 200, 'leaves what was changed meanwhile';
is code($mine->request('DELETE', 'tools/no_such_tool', undef, { 'If-Match' => '"stale"' })), 'not-found', 'what is not there is not there';
is code($other->request('DELETE', "tools/$gone", undef, { 'If-Match' => $mine->get("tools/$gone")->{headers}{etag} })), 'not-found', 'nor what is another\'s';

my $budget = $mine->get('budget');
like $budget->{headers}{etag}, qr/^"[\w-]{22}\.[\w-]{22}"$/, 'what also shows what is spent has a tag of two halves';
(my $spent = $budget->{headers}{etag}) =~ s/\.[\w-]{22}/'.' . 'A' x 22/e;
is $mine->put('budget', { session_cap_usd => 3 }, { 'If-Match' => $spent })->{status}, 200, 'what was spent meanwhile is no hindrance';
is $mine->put('budget', { session_cap_usd => 4 }, { 'If-Match' => $spent })->{status}, 412, 'what was set is';

# -- If-None-Match --------------------------------------------------------------------------

my $tag = $mine->get('organization')->{headers}{etag};
my $same = $mine->get('organization', { 'If-None-Match' => qq{"x", $tag} });
is "$same->{status} $same->{body} $same->{headers}{etag}", "304  $tag", 'what is known is not sent again';
is $mine->get('organization', { 'If-None-Match' => '"x"' })->{status}, 200, 'what is not known is';
is $mine->request('HEAD', 'organization')->{headers}{etag}, $tag, 'HEAD has the tag';
isnt $other->get('organization')->{headers}{etag}, $tag, 'another organisation\'s is another';

# -- the record and the change --------------------------------------------------------------

my $tool = $mine->make_tool;
my $dana = Frontdesk::Browser->user($stack, 'dana@atomic.example', 'staff');
my ($dana_id, $session) = @{ $dana->get('auth/me')->{json} }{qw(user session_id)};
$dana_id = $dana_id->{id};
my $before = audited();
$stack->sql('REVOKE INSERT ON audit_log FROM frontdesk_app');
my $r = $mine->put('business-info', { tone => 'unrecorded' });
is $r->{status}, 500, 'ADM-1: what cannot be recorded';
isnt $mine->get('business-info')->{json}{tone}, 'unrecorded', 'is not done';
$r = $mine->post('keys', { name => 'unrecorded', kind => 'sk' }, { 'Idempotency-Key' => 'unrecorded' });
is "$r->{status} " . keys_named('unrecorded'), '500 0', 'no key is made';
unlike $r->{body}, qr/fd_sk_/, 'or told';
$r = $mine->post("tools/$tool/test", { arguments => {} });
is "$r->{status} " . one("SELECT count(*) FROM tool_executions WHERE org_id = '$mine->{org}'"), '500 0', 'and no tool is run';
my $team = one("INSERT INTO teams (org_id, name) VALUES ('$mine->{org}', 'atomic') RETURNING id");
$stack->sql("INSERT INTO team_members (org_id, team_id, user_id, role) VALUES ('$mine->{org}', '$team', '$dana_id', 'staff')");
for (['PATCH', "users/$dana_id", { role => 'client' }], ['DELETE', "teams/$team/members/$dana_id"]) {
    is $mine->request(@$_)->{status}, 500, "$_->[0] $_->[1]";
    is $stack->redis('live', 'ZSCORE', 'fd:ended', $session), undef, 'a session is not told to be over that is not';
}
is $dana->get('auth/me')->{status}, 200, 'who was to be thrown out is not';
$stack->sql('GRANT INSERT ON audit_log TO frontdesk_app');
is audited(), $before, 'and nothing is recorded that was not done';
$r = $mine->post('keys', { name => 'unrecorded', kind => 'sk' }, { 'Idempotency-Key' => 'unrecorded' });
is $r->{status}, 201, 'the same request can be made again then';
is $mine->request('PATCH', "users/$dana_id", { role => 'client' })->{status}, 200, 'and so can the change of a role';
ok $stack->redis('live', 'ZSCORE', 'fd:ended', $session), 'which ends the session at once';

# A request that waits with its change made and not committed, and what happens then.
sub with_lock {
    my ($table, $request, $then) = @_;
    $stack->sql('CREATE TABLE IF NOT EXISTS let_go (n int); TRUNCATE let_go');
    my $locker = fork // die "fork: $!";
    if (!$locker) {
        $stack->sql("DO \$\$ BEGIN LOCK TABLE $table IN EXCLUSIVE MODE;"
            . ' FOR i IN 1..600 LOOP EXIT WHEN EXISTS (SELECT FROM let_go); PERFORM pg_sleep(0.02); END LOOP; END $$');
        POSIX::_exit(0);
    }
    $stack->until(sub { one("SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass AND mode = 'ExclusiveLock' AND granted") }, 20, 'the lock');
    my $asker = fork // die "fork: $!";
    if (!$asker) {
        eval { $request->() };
        POSIX::_exit(0);
    }
    $stack->until(sub { one("SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass AND NOT granted") }, 20, 'somebody to wait for it');
    $then->();
    $stack->sql('INSERT INTO let_go VALUES (1)');
    waitpid $_, 0 for $asker, $locker;
    return;
}

with_lock('audit_log', sub { $mine->post('keys', { name => 'waiting', kind => 'sk' }, { 'Idempotency-Key' => 'waiting' }) }, sub {
    is keys_named('waiting'), 0, 'until its row in the record is there a change is not';
    my $again = $mine->post('keys', { name => 'waiting', kind => 'sk' }, { 'Idempotency-Key' => 'waiting' });
    is "$again->{status} " . code($again), '409 request-running', 'the same request meanwhile is told that it runs';
    ok $again->{headers}{'retry-after'}, 'and when to come again';
    $stack->sql("UPDATE idempotency_keys SET claimed_until = now() - interval '1 second'"); # that of a claim that nobody holds
    is code($mine->post('keys', { name => 'waiting', kind => 'sk' }, { 'Idempotency-Key' => 'waiting' })), 'request-running', 'as long as it takes';
});
$r = $mine->post('keys', { name => 'waiting', kind => 'sk' }, { 'Idempotency-Key' => 'waiting' });
is "$r->{status} $r->{headers}{'idempotency-replayed'} " . keys_named('waiting'), '201 true 1', 'then it is told what was answered';

$before = audited();
with_lock('audit_log', sub { $mine->post('keys', { name => 'killed', kind => 'sk' }, { 'Idempotency-Key' => 'killed' }) }, sub {
    $stack->signal(KILL => 'admin');
    $stack->must('admin', 'start');
});
is keys_named('killed') . ' ' . (audited() - $before), '0 0', 'ADM-1: killed in the middle it has done nothing, and recorded nothing';
$r = $stack->until(sub { my $a = $mine->post('keys', { name => 'killed', kind => 'sk' }, { 'Idempotency-Key' => 'killed' }); $a->{status} == 201 && $a }, 20, 'the key to be free');
is keys_named('killed') . ' ' . ($r->{headers}{'idempotency-replayed'} // 'new'), '1 new', 'the same request is done once then';

# Others are told of what is committed, and not before.
sub published { return $stack->client(key => $stack->{pk})->get('/api/v1/config')->{json}{greeting} // ''; }
with_lock('audit_log', sub { $mine->put('branding', { greeting => 'Told too early?' }) }, sub {
    unlike $json->encode([published()]), qr/early/, 'nobody is told of a change that may still not be made';
});
ok $stack->until(sub { $json->encode([published()]) =~ /early/ }, 20), 'once it is made they are';

# What waits for others: the first row is there before it is done.
$r = $mine->post("tools/$tool/test", { arguments => {} }, { 'Idempotency-Key' => 'run-once' });
is_deeply [$stack->sql("SELECT coalesce(after->>'begun', after::text, 'done') FROM audit_log WHERE org_id = '$mine->{org}' AND target = 'tools/$tool/test' ORDER BY id")],
    ['true', 'done'], 'a run of a tool is recorded before, and when it has ended; what came of it is in the log of tools';
is $mine->post("tools/$tool/test", { arguments => {} }, { 'Idempotency-Key' => 'run-once' })->{body}, $r->{body}, 'and is not run twice';
is one("SELECT count(*) FROM tool_executions WHERE org_id = '$mine->{org}'"), 1, 'once';

with_lock('tool_executions', sub { $mine->post("tools/$tool/test", { arguments => { second => 1 } }) }, sub {
    $stack->signal(KILL => 'admin');
    $stack->must('admin', 'start');
});
is_deeply [$stack->sql("SELECT coalesce(after->>'begun', after->>'ok') FROM audit_log WHERE org_id = '$mine->{org}' AND target = 'tools/$tool/test' ORDER BY id OFFSET 2")],
    ['true'], 'killed in the middle its first row is there';

# What is done is done, whatever cannot be written of it: a tool is not run twice.
sub runs { return one("SELECT count(*) FROM tool_executions WHERE org_id = '$mine->{org}'"); }
sub run_tool { my ($key) = @_; return $mine->post("tools/$tool/test", { arguments => {} }, { 'Idempotency-Key' => $key }); }
sub broken { # statements of a table that fail under a condition, until the name is mended
    my ($name, $event, $table, $when) = @_;
    $stack->sql("CREATE OR REPLACE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'broken'; END \$\$;"
        . " CREATE TRIGGER $name BEFORE $event ON $table FOR EACH ROW WHEN ($when) EXECUTE FUNCTION break()");
    return sub { $stack->sql("DROP TRIGGER $name ON $table") };
}
my $ran = runs();
my $mend = broken('second_row', 'INSERT', 'audit_log', "NEW.action = 'POST tools/:name/test' AND NEW.after->>'begun' IS NULL");
$r = run_tool('second-row');
is "$r->{status} " . (runs() - $ran), '200 1', 'ADM-8: what was done is answered though the row of what came of it cannot be written';
$mend->();
my $same_run = run_tool('second-row');
is "$same_run->{status} " . ($same_run->{headers}{'idempotency-replayed'} // '') . ' ' . (runs() - $ran), '200 true 1', 'and sent again is not done again';
is $same_run->{body}, $r->{body}, 'but told';
for my $case (['no-answer', 'NEW.status IS NOT NULL', ''], ['no-word', 'true', "UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE status IS NULL"]) {
    my ($name, $when, $then) = @$case;
    $ran = runs();
    $mend = broken('keep', 'UPDATE', 'idempotency_keys', $when);
    is run_tool($name)->{status} . ' ' . (runs() - $ran), '200 1', "ADM-8: $name: what was done is answered though the answer cannot be kept";
    is code(run_tool($name)), 'request-running', 'as long as it may run others are told that it does' if $then;
    $mend->();
    $stack->sql($then) if $then;
    $r = run_tool($name);
    is "$r->{status} " . code($r) . " $r->{json}{field} " . (runs() - $ran), '409 conflict Idempotency-Key 1', 'sent again it is not done again, and its answer is not made up';
    ok !$r->{headers}{'retry-after'}, 'nor is there anything to wait for';
}

# An organisation that the platform's owner makes or switches off has a row in its own log.
my $boss = Frontdesk::Browser->user($stack, 'boss@atomic.example', 'owner');
$stack->frontdesk('user', 'superadmin', 'boss@atomic.example', 'on', '--org', $stack->{org});
$boss->sign_in;
sub shop { return one("SELECT coalesce(string_agg(status, ' '), 'none') FROM organizations WHERE name = 'Recorded Shop'"); }
$mend = broken('its_own', 'INSERT', 'audit_log', "NEW.action LIKE 'organization-%'");
is $boss->post('organizations', { name => 'Recorded Shop' })->{status} . ' ' . shop(), '500 none', 'ADM-1: no organisation is made without the row in its log';
$mend->();
my $shop = $boss->post('organizations', { name => 'Recorded Shop' })->{json}{id};
$mend = broken('its_own', 'INSERT', 'audit_log', "NEW.action LIKE 'organization-%'");
is $boss->request('PATCH', "organizations/$shop", { status => 'disabled' })->{status} . ' ' . shop(), '500 active', 'ADM-1: and none is switched off';
$mend->();
is $boss->request('PATCH', "organizations/$shop", { status => 'disabled' })->{status} . ' ' . shop(), '200 disabled', 'with it it is';
is join(' ', $stack->sql("SELECT action FROM audit_log WHERE org_id = '$shop' ORDER BY id")), 'organization-create organization-change', 'and each is told once';

# A protection that cannot be read is not as if it had not been asked for.
for my $case (['Idempotency-Key', sub { $mine->post('keys', { name => 'unreadable', kind => 'sk' }, { 'Idempotency-Key' => "\xff\xfe" }) }],
              ['If-Match', sub { $mine->put('business-info', { tone => 'unreadable' }, { 'If-Match' => "\"\xff\"" }) }]) {
    my ($header, $ask) = @$case;
    $r = $ask->();
    is "$r->{status} " . code($r) . ' ' . ($r->{json}{field} // ''), "400 bad-request $header", "ADM-8: $header that is no UTF-8 is refused by name";
}
is keys_named('unreadable'), 0, 'and nothing is done';
isnt $mine->get('business-info')->{json}{tone}, 'unreadable', 'of either';

# -- Idempotency-Key ------------------------------------------------------------------------

my %environment = $stack->environment;
my $second = fork // die "fork: $!";
if (!$second) { # another process of the same installation
    open STDOUT, '>', "$stack->{dir}/log/second.log" or die;
    open STDERR, '>&', \*STDOUT or die;
    exec 'env', "STACK_DIR=$stack->{dir}", "STACK_BUILD=$environment{STACK_BUILD}", "FRONTDESK_ADMIN_LISTEN=unix:$stack->{dir}/run/second.sock",
        Frontdesk::Stack::root() . '/scripts/stack', 'frontdesk', 'admin';
}
$stack->until(sub { -S "$stack->{dir}/run/second.sock" }, 20, 'a second process');
open my $in, '<', "$stack->{dir}/admin.token" or die "admin.token: $!";
chomp(my $token = <$in>);
close $in;
my $me = one("SELECT 'key:' || id FROM api_keys WHERE org_id = '$mine->{org}' AND name = 'Demo server'");
sub direct { # past nginx, to one of the two
    my ($socket, $body, $key) = @_;
    my $s = IO::Socket::UNIX->new(Peer => "$stack->{dir}/run/$socket.sock") or die "connect: $!";
    my %headers = ('X-Frontdesk-Token' => $token, 'X-Frontdesk-Org' => $mine->{org}, 'X-Frontdesk-Role' => 'admin', 'X-Frontdesk-Actor' => $me,
                   'X-Request-Id' => sprintf('%032x', rand 2**31), 'Idempotency-Key' => $key, 'Content-Type' => 'application/json', 'Content-Length' => length $body);
    print $s "POST /api/admin/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers), "\r\n$body";
    local $/;
    my ($status, $text) = <$s> =~ m{^HTTP/1.1 (\d+).*?\r\n\r\n(.*)}s;
    return { status => $status, headers => {}, body => $text };
}
my $body = '{"name":"crowd","kind":"sk"}';
my @crowd = together(map { my $socket = $_ % 2 ? 'admin' : 'second'; sub { direct($socket, $body, 'crowd') } } 1 .. 12);
is keys_named('crowd'), 1, 'ADM-8: of twelve at two processes one is done';
is join(' ', grep { !/^(?:201|409)$/ } map { $_->{status} } @crowd), '', 'the others are told so, or what it answered';
my %told = map { $_->{json}{key} => 1 } grep { $_->{status} == 201 } @crowd;
is scalar keys %told, 1, 'all of them the same key';
my ($key) = keys %told;
is $_->{json}{key}, $key, 'and so later, at either' for map { my $a = direct($_, $body, 'crowd'); { json => $json->decode($a->{body}) } } 'admin', 'second';
kill TERM => $second;
waitpid $second, 0;

my %with = ('Idempotency-Key' => 'crowd');
unlike join("\n", $stack->sql("SELECT k::text, encode(answer, 'escape'), key_sha256 FROM idempotency_keys k")), qr/\Q$key\E|crowd/, 'what was told once is sealed';
is code($mine->post('keys', { name => 'crowd', kind => 'sk', scope => 'read' }, \%with)), 'idempotency-mismatch', 'another body is refused';
is code($mine->post('teams', { name => 'crowd' }, \%with)), 'idempotency-mismatch', 'and another path';
is $other->post('keys', { name => 'crowd', kind => 'sk' }, \%with)->{status}, 201, 'another organisation has keys of its own';
my $colleague = Frontdesk::Admin->new($stack, key => $mine->post('keys', { name => 'colleague', kind => 'sk' })->{json}{key});
isnt $colleague->post('keys', { name => 'crowd', kind => 'sk' }, \%with)->{json}{key}, $key, 'and so has each who asks';
is code($mine->post('keys', { name => 'x' }, { 'Idempotency-Key' => 'refused' })), 'invalid-field', 'what was refused';
is $mine->post('keys', { name => 'put right', kind => 'sk' }, { 'Idempotency-Key' => 'refused' })->{status}, 201, 'may be put right under its key';
is code($mine->post('keys', { name => 'x', kind => 'sk' }, { 'Idempotency-Key' => 'x' x 256 })), 'bad-request', 'a key has 255 characters at most';
is code($mine->post('keys', { name => 'x', kind => 'sk' }, { 'Idempotency-Key' => 'a b' })), 'bad-request', 'and no spaces';
$stack->sql("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE org_id = '$mine->{org}'");
$r = $mine->post('keys', { name => 'crowd', kind => 'sk' }, \%with);
ok $r->{status} == 201 && $r->{json}{key} ne $key, 'after a day it is another request';
cmp_ok one("SELECT count(*) FROM idempotency_keys WHERE org_id = '$mine->{org}' AND created_at < now() - interval '1 day'"), '<', 8, 'and older ones go';
$stack->sql("INSERT INTO idempotency_keys (org_id, actor, key_sha256, request_sha256, claim, claimed_until)"
    . " SELECT '$mine->{org}', 'filler', n, '', '', now() FROM generate_series(1, 10000) n");
$r = $mine->post('keys', { name => 'one more', kind => 'sk' }, { 'Idempotency-Key' => 'one-more' });
is "$r->{status} " . code($r) . " $r->{json}{field} " . keys_named('one more'), '429 rate-limited Idempotency-Key 0', 'ADM-8: an organisation has so many keys in a day';
ok $r->{headers}{'retry-after'}, 'it is told when to come again';
is $mine->post('keys', { name => 'crowd', kind => 'sk' }, \%with)->{headers}{'idempotency-replayed'}, 'true', 'what was answered is told all the same';
is $mine->post('keys', { name => 'one more', kind => 'sk' })->{status}, 201, 'without a key it is done';
is $other->post('keys', { name => 'one more', kind => 'sk' }, { 'Idempotency-Key' => 'one-more' })->{status}, 201, 'others have room of their own';
$stack->sql("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE actor = 'filler'");
is $mine->post('keys', { name => 'one more', kind => 'sk' }, { 'Idempotency-Key' => 'one-more' })->{status}, 201, 'and so it has itself a day later';
$stack->sql("UPDATE idempotency_keys SET answer = '\\x00' WHERE org_id = '$mine->{org}'");
$r = $mine->post('keys', { name => 'crowd', kind => 'sk' }, \%with);
is "$r->{status} " . code($r), '409 conflict', 'an answer that cannot be opened any more is not made up';

unlike $stack->log_text('admin.log'), qr/fd_sk_|crowd/, 'the log has neither';
$stack->finish;
done_testing;
