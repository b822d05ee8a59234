# Conversations of all organisations, or of another one, for the platform's owner: found, paged,
# filtered, refused to everybody else, and told to those whose they are. ADM-4
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
$stack->signal('KILL', 'worker', 'worker-1'); # what is counted is written here
$stack->redis('live', 'PERSIST', 'fd:keys:synced'); # which a worker renews
my $json = JSON::PP->new->utf8->canonical;

my %org = (home => $stack->{org}, map { $_ => Frontdesk::Admin->organization($stack, "$_ shop")->{org} } qw(side third));
my %admin = map { $_ => Frontdesk::Admin->new($stack, org => $org{$_}, $_ eq 'home' ? () : (key => $stack->key('create', '--org', $org{$_}, '--kind', 'sk', '--name', 'a')->{key})) } keys %org;
my $boss = Frontdesk::Browser->user($stack, 'boss@platform.example', 'owner');
$stack->frontdesk('user', 'superadmin', 'boss@platform.example', 'on', '--org', $org{home});
$boss->sign_in;
my $me = $boss->get('auth/me')->{json}{user}{id};

sub code { my ($r) = @_; return join ' ', $r->{status}, map { $_ // '-' } @{ $r->{json} || {} }{qw(code field)}; }
sub names { my ($r) = @_; return join ' ', map { $_->{title} } @{ ($r->{json} || {})->{conversations} || [] }; }
sub find { my ($query) = @_; return $boss->get("conversations?$query"); }

my $minute = 0;
# A conversation whose last word is a minute older than that of the one made before.
sub make {
    my ($org, $title, %has) = @_;
    $minute++ unless exists $has{minute};
    my $at = 'now() - interval \'' . ($has{minute} // $minute) . ' min\'';
    my $id = $stack->sql("INSERT INTO conversations (org_id, session_id, title, status, channel, language, started_at, updated_at)"
        . " VALUES ('$org{$org}', gen_random_uuid(), '$title', '" . ($has{status} // 'active') . "', '" . ($has{channel} // 'widget') . "', '"
        . ($has{language} // 'en') . "', $at - interval '" . ($has{began} // '1 h') . "', $at) RETURNING id");
    $stack->sql("INSERT INTO conversation_search SELECT org_id, id, started_at, to_tsvector('simple', title || ' umbrella') FROM conversations WHERE id = '$id'");
    $stack->sql("INSERT INTO conversation_outcomes (org_id, conversation_id, started_at, changed_at, channel, questions, answers, rating, mood)"
        . " SELECT org_id, id, started_at, updated_at, channel, 1, 1, $has{rating}, -1 FROM conversations WHERE id = '$id'") if $has{rating};
    return $id;
}
my %id = (
    a => make('home', 'a', began => '40 days'), b => make('side', 'b', rating => 2), c => make('third', 'c', status => 'waiting_human'),
    d => make('side', 'd', status => 'archived', language => 'he'), e => make('home', 'e', rating => 5, channel => 'sms'), f => make('third', 'f'),
    t => make('side', 't', channel => 'test'),
);

# -- found ------------------------------------------------------------------------------------

my $all = find('organization=all');
is names($all), 'a b c d e f', 'ADM-4: the platform\'s owner sees conversations of all organisations, the latest active first, and no tests';
is_deeply [map { $_->{organization}{name} } @{ $all->{json}{conversations} }], ['Demo Shop', 'side shop', 'third shop', 'side shop', 'Demo Shop', 'third shop'],
    'each names its organisation';
is_deeply [map { $_->{organization}{id} } @{ $all->{json}{conversations} }[0 .. 2]], [@org{qw(home side third)}], 'by id as well';
is $all->{json}{conversations}[1]{rating}, 2, 'with what is counted of it';
unlike $all->{body}, qr/session_id/, 'and without its session';
is names(find("organization=$org{side}")), 'b d', 'of another one alone';
is names(find("organization=$org{side}&q=umbrella")), 'b d', 'which can be searched by words';
is names(find("organization=$org{side}&q=umbrella&order=recent&status=archived")), 'd', 'and filtered as usual';
is names(find("organization=$org{home}&order=recent")), names(find('order=recent')), 'of the own one as without it';
ok !grep({ $_->{organization} } @{ find('')->{json}{conversations} }), 'where rows name none';

for my $case (['status=waiting_human', 'c'], ['status=archived', 'd'], ['language=he', 'd'], ['channel=sms', 'e'], ['channel=test', 't'], ['rating=any', 'b e'],
              ['rating=5', 'e'], ['handled=ai', 'b e'], ['sentiment=negative', 'b e'], ['rating=2&status=active', 'b'], ['from=' . $stack->sql("SELECT (now() - interval '20 days')::date"), 'b c d e f'],
              ['to=' . $stack->sql("SELECT (now() - interval '20 days')::date"), 'a'], ['status=ended', '']) {
    is names(find("organization=all&$case->[0]")), $case->[1], "over all: $case->[0]";
}
for my $own ('gap=1,2', qw(q=umbrella team=none user=ann tool=refund handoff_reason=why)) {
    my ($name) = $own =~ /^(\w+)/;
    my $r = find("organization=all&$own");
    is code($r), "400 bad-request $name", "over all, $name is refused by name";
    is $r->{json}{reason}{code}, 'one_only', 'as a filter of one organisation';
}
is code(find('organization=all&order=started')), '400 bad-request order', 'and so is another order';
is code(find("organization=$_")), '400 bad-request organization', "organization=$_ is none" for '00000000-0000-4000-8000-000000000000', 'side', '';
is code(find("organization=all&$_->[0]")), "400 bad-request $_->[1]", "$_->[0] is refused by name" for ['status=lost', 'status'], ['limit=0', 'limit'], ['cursor=x', 'cursor'];

# -- in pages, while others come ----------------------------------------------------------------

my ($cursor, @seen);
do {
    my $page = find('organization=all&limit=2' . ($cursor ? "&cursor=$cursor" : ''));
    is $page->{status}, 200, 'a page' or diag $page->{body};
    push @seen, map { $_->{title} } @{ $page->{json}{conversations} };
    make($_, "new $_", minute => 0) for sort keys %org; # new ones, before what was read
    $cursor = $page->{json}{next_cursor};
} while ($cursor && @seen < 20);
is "@seen", 'a b c d e f', 'ADM-4: pages over all are the whole list, once each, whatever comes meanwhile';
$cursor = find('organization=all&limit=2')->{json}{next_cursor};
is code(find("order=recent&cursor=$cursor")), '400 bad-request cursor', 'a cursor is of its list: not of the own';
is code(find("organization=$org{side}&order=recent&cursor=$cursor")), '400 bad-request cursor', 'nor of another organisation\'s';

my $tag = find('organization=all')->{headers}{etag};
is $boss->get('conversations?organization=all', { 'If-None-Match' => $tag })->{status}, 304, 'an unchanged list is not sent twice';
make('third', 'newest', minute => -1);
is $boss->get('conversations?organization=all', { 'If-None-Match' => $tag })->{status}, 200, 'one with a row more is';

# -- nobody else --------------------------------------------------------------------------------

my %else = ((map { ("$_ of home" => Frontdesk::Browser->user($stack, "$_\@shop.example", $_)) } qw(owner admin staff)),
    'owner of side' => Frontdesk::Browser->user($stack, 'owner@side.example', 'owner', $org{side}),
    (map { ("a key that may $_" => Frontdesk::Admin->new($stack, key => $stack->key('create', '--kind', 'sk', '--name', $_, '--scope', $_)->{key})) } qw(read write admin)),
    'a key of side' => $admin{side});
for my $who (sort keys %else) {
    my %said;
    for my $given ('all', $org{side}, $org{home}, '00000000-0000-4000-8000-000000000000', 'x') {
        my $r = $else{$who}->get("conversations?organization=$given");
        is code($r), '403 role-required organization', "ADM-4: $who is refused organization=$given";
        is $r->{json}{reason}{code}, 'platform_only', 'with the reason';
        delete $r->{json}{request_id};
        $said{ $json->encode($r->{json}) } = 1;
    }
    is scalar(keys %said), 1, "$who cannot tell which organisations there are";
    is code($else{$who}->get('conversations/export?organization=all&format=csv')), '403 role-required organization', 'nor take them as a file';
}
is code(Frontdesk::Browser->user($stack, 'client@shop.example', 'client')->get('conversations?organization=all')), '403 role-required -', 'a client sees no conversations at all';
for my $format (qw(csv json jsonl)) {
    is code($boss->get("conversations/export?format=$format&organization=$_")), '400 bad-request organization', "the platform's owner exports $format where he acts" for 'all', $org{side};
}
is code($boss->get("conversations/$id{b}")), '404 not-found -', 'a foreign id looks missing to him as well, until he acts there';
is code($boss->patch("conversations/$id{b}", { title => 'mine' })), '404 not-found -', 'nor does he change it';

# -- told -----------------------------------------------------------------------------------------

sub told { my ($where) = @_; return $stack->sql("SELECT count(*) FROM audit_log WHERE action = 'conversations-read' AND org_id = '$org{$where}'"); }
is_deeply [map { told($_) } qw(home side third)], [0, 1, 1], 'ADM-1: each other organisation\'s record tells of it, once, however often it was looked at';
my ($row) = grep { $_->{action} eq 'conversations-read' } @{ $admin{side}->get('audit')->{json}{entries} };
is_deeply [@$row{qw(actor actor_name target before after)}], ["user:$me", 'boss@platform.example', 'conversations', undef, undef],
    'its own administrators read who it was, and nothing of what was seen' or diag explain $row;
ok $row->{request_id}, 'with the request';
my $fourth = Frontdesk::Admin->organization($stack, 'fourth shop')->{org};
$org{fourth} = $fourth;
make('fourth', 'old', minute => 5000);
find('organization=all&limit=3');
is told('fourth'), 0, 'one of which nothing was shown is told nothing';
find("organization=$fourth");
is told('fourth'), 1, 'until something is';
$stack->sql("UPDATE audit_log SET at = now() - interval '61 min' WHERE action = 'conversations-read' AND org_id = '$org{side}'");
find('organization=all');
is told('side'), 2, 'after an hour it is told again';
is $stack->sql("SELECT count(*) FROM audit_log WHERE action = 'conversations-read' AND actor <> 'user:$me'"), 0, 'of nobody else';
is $boss->post('auth/organization', { organization_id => $org{side} })->{status}, 200, 'he goes there';
is names(find("organization=$org{side}&status=archived")), 'd', 'reads on';
is told('side'), 2, 'and it is his own now: that he went there is what is recorded';
is $boss->get("conversations/$id{b}")->{json}{title}, 'b', 'now the conversation is there';
is $stack->sql("SELECT count(*) FROM audit_log WHERE action = 'act' AND org_id = '$org{side}' AND actor = 'user:$me'"), 1, 'which the record says';
$boss->post('auth/organization', { organization_id => undef });

# -- in SQL ---------------------------------------------------------------------------------------

# As the process signs in, acting in an organisation: an answer, or what is refused.
sub as_app {
    my ($org, $sql) = @_;
    my $host = $stack->{pg_socket};
    open my $out, '-|', 'sh', '-c', 'exec psql -qAtX "$@" 2>&1', 'psql', '-h', $host, '-U', 'frontdesk_app', '-d', 'frontdesk',
        '-c', "SELECT set_config('app.org_id', '$org', false)", '-c', $sql or die "psql: $!";
    my @rows = <$out>;
    close $out;
    shift @rows; # what was set
    return join '', @rows;
}
sub page_of { my ($session, $everywhere) = @_; return "SELECT count(*) FROM platform_conversations('$session', $everywhere, '{}', true, NULL, NULL, 100, '', 'r')"; }
my %session = map { $_ => $stack->sql("SELECT s.id FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE u.email = '$_' AND s.ended_at IS NULL ORDER BY s.created_at DESC LIMIT 1") }
    'boss@platform.example', 'owner@shop.example';
my $mine = $stack->sql("SELECT count(*) FROM conversations WHERE org_id = '$org{side}' AND channel <> 'test'");
is as_app($org{side}, "SELECT count(*) FROM find_conversations('{}', true, NULL, NULL, 1000)"), "$mine\n", 'ADM-4: what finds an organisation\'s conversations finds no other\'s';
is as_app($org{side}, 'SELECT count(DISTINCT org_id) FROM conversations'), "1\n", 'and nor does the table';
like as_app($org{home}, page_of($session{'boss@platform.example'}, 'true')), qr/^\d+$/, 'those of all are for the session of the platform\'s owner';
is as_app($org{side}, page_of($session{'boss@platform.example'}, 'false')), "$mine\n", 'or those of the transaction\'s organisation alone';
for my $session ($session{'owner@shop.example'}, '00000000-0000-4000-8000-000000000000') {
    like as_app($org{home}, page_of($session, $_)), qr/no session of the platform's owner/, "whatever asks: not for another's ($_)" for qw(true false);
}
$stack->frontdesk('user', 'superadmin', 'boss@platform.example', 'off', '--org', $org{home});
like as_app($org{home}, page_of($session{'boss@platform.example'}, 'true')), qr/no session of the platform's owner/, 'nor for one who was the owner';

# -- bounded --------------------------------------------------------------------------------------

$stack->frontdesk('user', 'superadmin', 'boss@platform.example', 'on', '--org', $org{home});
$boss->sign_in;
$stack->sql("ALTER FUNCTION conversations_query(jsonb, boolean, boolean, boolean) RENAME TO conversations_query_kept");
$stack->sql("CREATE FUNCTION conversations_query(f jsonb, by_activity boolean, goes_on boolean, everywhere boolean) RETURNS text LANGUAGE plpgsql AS"
    . " \$\$ BEGIN PERFORM pg_sleep(20); RETURN conversations_query_kept(f, by_activity, goes_on, everywhere); END \$\$");
my $slow = find('organization=all');
is code($slow), '400 bad-request organization', 'ADM-4: what would look through everything is ended, and says what to leave out';
is $slow->{json}{reason}{code}, 'too_much_of_all', 'with the reason';
$stack->sql('DROP FUNCTION conversations_query(jsonb, boolean, boolean, boolean)');
$stack->sql("ALTER FUNCTION conversations_query_kept(jsonb, boolean, boolean, boolean) RENAME TO conversations_query");
is find('organization=all')->{status}, 200, 'the next one is none the worse';

$stack->finish;
done_testing;
