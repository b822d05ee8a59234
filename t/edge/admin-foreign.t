# Ids of another organisation where a body, a query or the second half of a path takes one: they
# name nothing, nothing of it is shown and nothing moves there.  ADM-1 ADM-4
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
my $json = JSON::PP->new->utf8->canonical;

# -- what there is of theirs, each with a word of its own ------------------------------------

my $word = 'Theirs-4711';
my ($team, $user) = $other->make_member;
my ($my_team, $my_user) = $mine->make_member;
my $case = $other->post('test-cases', { name => $word, message => $word })->{json}{id};
my $session = $stack->client(key => $other->{key}, origin => undef)->post('/api/v1/sessions/start', {})->{json}{session_id};
my $conversation = $stack->sql("INSERT INTO conversations (org_id, session_id, title, user_identifier, team_id)"
    . " VALUES ('$other->{org}', '$session', '$word', '$word', '$team') RETURNING id");
$stack->sql("INSERT INTO messages (org_id, conversation_id, role, content, created_at) VALUES ('$other->{org}', '$conversation', 'user', '$word', now())");
my $my_conversation = $mine->make_conversation;
my $key = $other->get('keys')->{json}{keys}[0]{id};
my $boss = Frontdesk::Browser->user($stack, 'boss@mine.example', 'owner');
my $boss_id = $boss->get('auth/me')->{json}{user}{id};
$mine->put("teams/$my_team/members/$boss_id", { role => 'staff' });
$boss->sign_in;

sub theirs {
    return join "\n", map { $stack->sql("SELECT coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') FROM $_ t WHERE org_id = '$other->{org}'") }
        qw(teams team_members users api_keys conversations messages test_cases test_runs);
}
my $before = theirs();

# -- where an id is taken ---------------------------------------------------------------------

for my $case (
    [$mine, 'PUT',    "teams/$my_team/members/$user", { role => 'staff' },           '404'],
    [$mine, 'PUT',    "teams/$team/members/$my_user", { role => 'owner' },           '404'],
    [$mine, 'DELETE', "teams/$my_team/members/$user", undef,                         '404'],
    [$mine, 'GET',    "teams/$my_team/members/$user", undef,                         '404'],
    [$mine, 'PATCH',  "conversations/$my_conversation", { team_id => $team },        '422 team_id'],
    [$mine, 'POST',   'test-runs', { case_ids => [$case] },                          '422 case_ids'],
    [$boss, 'POST',   'auth/team', { team_id => $team },                             '422 team_id'],
    [$boss, 'POST',   'auth/organization', { organization_id => $other->{org} },     '403'],
    [$mine, 'GET',    "conversations?team=$team", undef,                             '200'],
    [$mine, 'GET',    "conversations?q=$word", undef,                                '200'],
    [$mine, 'GET',    "conversations?user=$word", undef,                             '200'],
    [$mine, 'GET',    "handoffs?team=$team", undef,                                  '200'],
    [$mine, 'GET',    "conversations/export?format=jsonl&user=$word", undef,         '200'],
    [$mine, 'GET',    "audit?actor=user:$user", undef,                               '200'],
    [$mine, 'GET',    "audit?actor=key:$key", undef,                                 '200'],
    [$mine, 'GET',    "knowledge/search?q=$word", undef,                             '200'],
    [$mine, 'POST',   'dry-run', { message => 'And then?', session_id => $session }, '200'],
    [$mine, 'POST',   'test-chat', { message => 'And then?', session_id => $session }, '422 session_id'],
    (map { [$mine, 'POST', 'visitors/export', $_, '200'], [$mine, 'POST', 'visitors/delete', $_, '200'] }
        { conversation_id => $conversation }, { session => $session }, { user_identifier => $word }),
) {
    my ($who, $method, $path, $body, $want) = @$case;
    my $r = $who->request($method, $path, $body);
    my $name = "$method " . $path =~ s/[0-9a-f]{8}-[0-9a-f-]{27}/ID/gr . ' ' . join ',', sort keys %{ $body || {} };
    like join(' ', $r->{status}, $r->{json} && $r->{json}{field} ? $r->{json}{field} : ()), qr/^$want/, $name or diag $r->{body};
    unlike $r->{body}, qr/$word|\Q$conversation\E/, '... and nothing of theirs is in it' unless $path =~ /^audit|auth/;
    is $r->{json}{entries} ? scalar @{ $r->{json}{entries} } : 0, 0, '... no row' if $path =~ /^audit/;
}
is theirs(), $before, 'ADM-1: nothing of theirs has changed';
is $other->get("conversations/$conversation")->{json}{title}, $word, 'they see it as it was';
like $other->post('visitors/export', { session => $session })->{body}, qr/$word/, 'and their own export has it';

# -- who holds a link between two organisations --------------------------------------------------

my $reset = $other->post("users/$user/reset", {})->{json}{reset_token};
is +Frontdesk::Browser->new($stack)->post('auth/reset', { token => $reset, password => 'a long walk in rain' })->{status}, 204, 'a token of theirs';
my $email = $stack->sql("SELECT email FROM users WHERE id = '$user'");
my $there = Frontdesk::Browser->new($stack, email => $email, password => 'a long walk in rain');
is $there->sign_in->{json}{organization}{id}, $other->{org}, 'ADM-1: opens an account of theirs';
is $there->get('organization')->{json}{id}, $other->{org}, 'and no other place';
$there->{cookies}{frontdesk} = $boss->{cookies}{frontdesk};
is $there->post('teams', { name => 'x' })->{status}, 403, 'EDGE-8: another\'s cookie is not changed with by one\'s own token';

$stack->finish;
done_testing;
