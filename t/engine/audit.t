# The audit log as operators read it: what was done to what in words, each row found again by
# who, what, when and by the thing itself, and never another organisation's.  ADM-1 ADM-8
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef, env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' });
$stack->start;
my ($mine, $other) = (Frontdesk::Admin->new($stack), Frontdesk::Admin->organization($stack, 'Other Shop'));
my $boss = Frontdesk::Browser->user($stack, 'boss@shop.example', 'admin');
my $boss_id = $stack->sql("SELECT id FROM users WHERE email = 'boss\@shop.example'");

sub entries { my ($query, $who) = @_; return @{ ($who || $mine)->get("audit?limit=200&$query")->{json}{entries} || [] }; }
sub told { return map { join ' ', @$_{qw(verb kind)}, $_->{thing} // '-' } @_; }
sub newest { my ($query, $who) = @_; my ($row) = entries($query, $who); return $row || {}; }

subtest 'ADM-1: what was done, to what' => sub {
    $mine->post('tools', { name => 'order_status', description => 'Looks an order up.', url => 'https://example.com/hook', risk => 'read',
        parameters_schema => { type => 'object', properties => {} } });
    $mine->request('PATCH', 'tools/order_status', { timeout_ms => 10000 });
    $boss->request('PATCH', 'tools/order_status', { timeout_ms => 20000 });
    is_deeply [told(entries('thing=tools/order_status'))],
        ['change tools tools/order_status', 'change tools tools/order_status', 'create tools tools/order_status'], 'a thing has its history, from when it was made';
    my $row = newest('thing=tools/order_status');
    is_deeply [@$row{qw(actor actor_name thing_name)}, $row->{actor_platform} ? 1 : 0], ["user:$boss_id", 'boss@shop.example', 'order_status', 0], 'by whom, and how it is called';
    is "$row->{before}{timeout_ms} $row->{after}{timeout_ms}", '10000 20000', 'before and after';
    is scalar(entries('thing=tools/order_status_2')), 0, 'and no other thing\'s';

    my $key = $mine->post('keys', { name => 'page', kind => 'sk' })->{json}{id};
    $mine->delete("keys/$key");
    is_deeply [told(entries("thing=keys/$key"))], ["remove keys keys/$key", "create keys keys/$key"], 'a key';
    is newest("thing=keys/$key")->{thing_name}, 'page', 'by its name';
    my $team = $mine->post('teams', { name => 'Support' })->{json}{id};
    $mine->put("teams/$team/members/$boss_id", { role => 'staff' });
    $mine->put("teams/$team/members/$boss_id", { role => 'admin' });
    is_deeply [told(entries("thing=teams/$team"))], ["change members teams/$team", "create members teams/$team", "create teams teams/$team"],
        'a PUT that made something is told as that, and a place in a team is the team\'s';
    $mine->delete("teams/$team/members/$boss_id");
    $mine->delete("teams/$team");
    is newest("thing=teams/$team")->{thing_name}, undef, 'what is gone has no name any more';
    is newest("thing=teams/$team")->{before}{name}, 'Support', 'but the one it had';
};

subtest 'ADM-1: a row has what somebody set, and nothing that changed by itself' => sub {
    $mine->put('budget', { session_cap_usd => 5 });
    my $row = newest('kind=budget');
    is $row->{after}{session_cap_usd}, 5, 'the cap';
    is_deeply [grep { exists $row->{after}{$_} || exists $row->{before}{$_} } qw(spent_usd held_usd used_percent messages)], [], 'not what was spent meanwhile';
};

subtest 'ADM-1: commands, as they ended' => sub {
    $stack->frontdesk('tool', 'disable', 'order_status', '--org', $stack->{org});
    my $row = newest('actor=cli&kind=tools');
    is join(' ', told($row)), 'disable tools tools/order_status', 'a command is told as a route is';
    is $row->{after}{status}, 0, 'it worked';
    $stack->frontdesk('tool', 'disable', 'no_such_tool', '--org', $stack->{org});
    isnt newest('actor=cli&thing=tools/no_such_tool')->{after}{status} // 0, 0, 'and one that was refused says so';
    is newest("thing=users/$boss_id&kind=users")->{verb}, 'create', 'users made by a command, too';
};

subtest 'ADM-1: signing in, and failing to' => sub {
    my $wrong = Frontdesk::Browser->new($stack, email => 'BOSS@shop.example', password => 'not this one, sorry');
    is $wrong->sign_in->{status}, 401, 'a wrong password';
    my $row = newest('verb=sign-in-failed');
    is_deeply [@$row{qw(actor kind thing address)}], ['anyone', 'sessions', "users/$boss_id", '127.0.0.1'], 'is in the log of whose address it is';
    my $before = $stack->sql('SELECT count(*) FROM audit_log');
    is(Frontdesk::Browser->new($stack, email => 'nobody@shop.example', password => 'not this one, sorry')->sign_in->{status}, 401, 'of nobody');
    is $stack->sql('SELECT count(*) FROM audit_log'), $before, 'it is in none';
    is $wrong->sign_in(organization => 'Other Shop')->{status}, 401, 'of another organisation';
    is $stack->sql('SELECT count(*) FROM audit_log'), $before, 'it is in none either';
    # anybody may enter any address as a person's: that tells nothing of who has it elsewhere
    $other->post('users', { email => 'boss@shop.example', role => 'staff' });
    my $theirs = $stack->sql("SELECT id FROM users WHERE email = 'boss\@shop.example' AND org_id = '$other->{org}'");
    $wrong->sign_in;
    is scalar(entries("thing=users/$theirs&verb=sign-in-failed", $other)), 0, 'nor where the address has no password';
    $stack->sql("UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = '$boss_id') WHERE id = '$theirs'");
    $wrong->sign_in;
    is_deeply [map { $_->{address} } newest("thing=users/$theirs&verb=sign-in-failed", $other), newest('verb=sign-in-failed')], [undef, undef],
        'and where it has one in two organizations, neither is told from where';
    $stack->sql("DELETE FROM users WHERE id = '$theirs'");
    $stack->sql("INSERT INTO audit_log (org_id, actor, action, kind, verb, thing) SELECT '$stack->{org}', 'anyone', 'sign-in-failed', 'sessions', 'sign-in-failed', 'users/$boss_id' FROM generate_series(1, 18)");
    $before = $stack->sql('SELECT count(*) FROM audit_log');
    is $wrong->sign_in->{status}, 401, 'one more';
    is $stack->sql('SELECT count(*) FROM audit_log'), $before, 'a stranger makes twenty rows of an hour, and no more';
    unlike join('', map { $_->{action} . $_->{target} } entries('kind=sessions')), qr/sorry/, 'the password nowhere';
    is newest('verb=sign-in')->{thing}, "users/$boss_id", 'and who signed in';
};

subtest 'ADM-2: the platform\'s owner, who comes from outside' => sub {
    my $root = Frontdesk::Browser->user($stack, 'root@platform.example', 'owner', $other->{org});
    $stack->frontdesk('user', 'superadmin', 'root@platform.example', 'on', '--org', $other->{org});
    $root->sign_in;
    is $root->post('auth/organization', { organization_id => $stack->{org} })->{status}, 200, 'switches into the organisation';
    my $row = newest('verb=act');
    is_deeply [$row->{actor_name}, $row->{actor_platform} ? 1 : 0, $row->{kind}], ['root@platform.example', 1, 'sessions'], 'whose log says who, and from where';
    $root->post('auth/organization', { organization_id => undef });
    is newest('verb=act-end', $other)->{actor_platform} ? 1 : 0, 0, 'at home it is one of theirs who came back';
};

subtest 'ADM-1: who and when' => sub {
    my %actors = map { $_->{actor} => 1 } entries("actor=user:$boss_id");
    is_deeply [keys %actors], ["user:$boss_id"], 'one person';
    is_deeply [grep { $_->{actor} !~ /^key:/ } entries('actor=key')], [], 'any key';
    my @all = entries('');
    is scalar(entries('from=2000-01-01')), scalar @all, 'since a day';
    is scalar(entries('to=2000-01-01')), 0, 'until a day';
    my $day = $stack->sql("SELECT (max(at) AT TIME ZONE 'UTC')::date FROM audit_log");
    cmp_ok scalar(entries("from=$day&to=$day")), '>', 0, 'of a day, its end with it';
    $stack->sql("INSERT INTO audit_log (org_id, actor, action, at, kind, verb, thing) VALUES ('$stack->{org}', 'cli:old', 'tool set', '2020-02-03 04:05:06.5Z', 'tools', 'change', 'tools/old')");
    is newest('from=2020-02-03T04:05:06Z&to=2020-02-03T04:05:07Z')->{thing}, 'tools/old', 'of a second';
    is scalar(entries('from=2020-02-03T04:05:07Z&to=2020-02-04')), 0, 'and not of the next';
    for my $wrong ('yesterday', '2020-02-30', '2020-02-03T25:00:00Z', '2020-02-03T04:05:06+02:00', '2020-02-03 04:05') {
        my $r = $mine->get('audit?from=' . ($wrong =~ s/([ +])/sprintf '%%%02X', ord $1/ger));
        is "$r->{status} $r->{json}{field} $r->{json}{reason}{code}", '400 from day', "not $wrong";
    }
    cmp_ok scalar(entries('q=ORDER_stat')), '>=', 4, 'a part of a name, in any case';
    cmp_ok scalar(entries('q=boss@shop&kind=tools')), '>=', 1, 'whose it is, and of what kind';
    is scalar(entries('q=boss@shop&kind=budget')), 0, 'all of what is asked for';
};

subtest 'ADM-1: whose log it is, and for whom' => sub {
    my @rows = map { entries($_, $other) } 'thing=tools/order_status', "actor=user:$boss_id", 'kind=tools', 'q=order_status';
    is_deeply \@rows, [], 'another organisation finds nothing of it, whatever it asks for';
    my $staff = Frontdesk::Browser->user($stack, 'staff@shop.example', 'staff');
    is $staff->get('audit?thing=tools/order_status')->{status}, 403, 'staff may not read it';
    my $cursor = $mine->get('audit?limit=1')->{json}{next_cursor};
    is $other->get("audit?limit=1&cursor=$cursor")->{status}, 400, 'nor go on where another stopped';
};

subtest 'ADM-1: pages, and a search that goes further back' => sub {
    my (@seen, $cursor, $page);
    do {
        $page = $mine->get('audit?limit=7' . ($cursor ? "&cursor=$cursor" : ''))->{json};
        push @seen, map { $_->{id} } @{ $page->{entries} };
        $cursor = $page->{next_cursor};
    } while ($cursor);
    is_deeply \@seen, [$stack->sql("SELECT id FROM audit_log WHERE org_id = '$stack->{org}' ORDER BY at DESC, id DESC")], 'every row once, newest first';

    $stack->sql("INSERT INTO audit_log (org_id, actor, action, at, kind, verb, thing, target)"
        . " SELECT '$stack->{org}', 'cli:many', 'tool set', timestamptz '2021-01-01Z' + n * interval '1 second', 'tools', 'change', 'tools/many', 'many'"
        . " FROM generate_series(1, 15000) n");
    $page = $mine->get('audit?q=cli:old')->{json};
    is_deeply $page->{entries}, [], 'a text is looked for in so many rows at a time';
    like $page->{looked_back_to}, qr/^2021-/, 'and the answer says how far back';
    $page = $mine->get("audit?q=cli:old&cursor=$page->{next_cursor}")->{json};
    is_deeply [map { $_->{thing} } @{ $page->{entries} }], ['tools/old'], 'from where it goes on';
    is_deeply [@$page{qw(looked_back_to next_cursor)}], [undef, undef], 'to the end';
    is newest('actor=cli:old')->{thing}, 'tools/old', 'who acted is found at once, behind however many';
    is newest('thing=tools/old')->{actor}, 'cli:old', 'and so is a thing';
};

subtest 'ADM-1: all of it, as a file' => sub {
    $stack->sql("INSERT INTO audit_log (org_id, actor, action, kind, verb, thing, target) VALUES ('$stack->{org}', 'cli:odd', 'tool set', 'tools', 'change', 'tools/odd', '=cmd()')");
    my $r = $mine->get('audit/export?format=csv&thing=tools/odd');
    like $r->{headers}{'content-type'}, qr{^text/csv}, 'CSV';
    like $r->{headers}{'content-disposition'}, qr/audit\.csv/, 'with a name';
    like $r->{body}, qr/^\xEF\xBB\xBFid,at,actor,.*\r\n\d+,[^\r\n]*,cli:odd,.*change,tools,tools\/odd,.*'=cmd\(\).*\r\n\z/, 'a row of it, in which no text is a formula';
    is scalar(my @lines = $r->{body} =~ /\r\n/g), 2, 'and no other';
    my $five = 'from=2021-01-01T00:00:00Z&to=2021-01-01T00:05:01Z';
    is scalar(@{ $mine->get("audit/export?$five")->{json} }), 300, 'JSON, in as many parts as it takes';
    is scalar(my @objects = split /\n/, $mine->get("audit/export?$five&format=jsonl")->{body}), 300, 'JSON lines';
    is scalar(@{ $mine->get('audit/export?q=cli:old')->{json} }), 1, 'whatever has to be looked through';
    is_deeply $other->get("audit/export?$five")->{json}, [], 'nothing of it to another organisation';
    is $mine->get('audit/export?format=xml')->{status}, 400, 'in no other format';
    is $mine->get('audit/export?from=soon')->{status}, 400, 'nor of no day';
    my $row = newest('verb=export&kind=audit');
    is_deeply [@{ $row->{after} }{qw(q format)}], ['cli:old', undef], 'that it was taken is in the log as well';
};

$stack->finish;
done_testing;
