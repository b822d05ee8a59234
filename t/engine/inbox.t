# What operators work with beside the conversation itself: the queue, teams, who looks and who
# writes, canned replies.  ADM-4, ENG-14
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new(env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0; frontdesk_read_rate 0;' });
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
$stack->sql("UPDATE org_ai_settings SET widget = '{\"features\": {\"handoff\": true}}' WHERE org_id = '$stack->{org}'");
$stack->hint;
my $client = $stack->client;
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other');

sub talk { my ($words, %more) = @_; return $client->chat({ message => "$words \@" . '{"text":"Here."}' . '@', %more }); }
sub handoff { my ($session, $body) = @_; return $client->post("/api/v1/sessions/$session/handoff", $body || {}); }
sub conversation { my ($session) = @_; return $stack->sql("SELECT id FROM conversations WHERE session_id = '$session'"); }
sub does { my ($by, $session, $what, $body) = @_; return $by->post('conversations/' . conversation($session) . "/$what", $body || {}); }
sub queue { my ($query) = @_; return $admin->get('handoffs' . ($query // ''))->{json}; }
sub listen_ { my $s = $stack->client(key => $admin->{key}, origin => undef)->open(GET => '/api/admin/events', {}); next_of($s); return $s; }
sub next_of {
    my ($s, @kinds) = @_;
    my $end = time + 20;
    while ((my $left = $end - time) > 0) {
        my $e = $s->next($left) or return {};
        return $e if $e->{event} ne 'ping' && (!@kinds || grep { $_ eq $e->{event} } @kinds);
    }
    return {};
}

subtest 'ENG-14: the queue says who waits, since when and why, and how he feels' => sub {
    is_deeply queue(), { handoffs => [], waiting => 0, next_cursor => undef }, 'empty';
    my @session = map { talk("Hello $_")->{session} } 1 .. 3;
    $client->chat({ message => 'This is terrible, awful, the worst!! @{"text":"Sorry."}@', session_id => $session[1] });
    handoff($session[0], { reason => 'My mug broke', name => 'Noa' });
    handoff($_) for @session[1, 2];
    my $r = does($admin, $session[2], 'join', { name => 'Dana' });
    my $queue = queue();
    is $queue->{waiting}, 2, 'two wait';
    my @row = @{ $queue->{handoffs} };
    is_deeply [map { $_->{id} } @row], [map { conversation($_) } @session[0, 1, 2]], 'the longest first, then who is with a person';
    is_deeply [@{ $row[0] }{qw(status reason cause holder name team_id channel)}, $row[0]{contact}{name}],
        ['waiting_human', 'My mug broke', 'visitor', undef, undef, undef, 'widget', 'Noa'], 'in his words';
    ok $row[0]{waiting_s} >= 0 && $row[0]{waiting_s} < 120, 'for so many seconds';
    like $row[0]{waiting_since}, qr/^20\d\d-\d\d-\d\dT/, 'since';
    is_deeply [$row[1]{cause}, $row[1]{reason}], ['upset', undef], 'who was offered a person: why' or diag explain $row[1];
    cmp_ok $row[1]{score}, '<', 0, 'and his mood';
    is_deeply [@{ $row[2] }{qw(status name waiting_s holder)}], ['human', 'Dana', undef, $r->{json}{holder}], 'who has it';
    is $row[1]{last_message}{role}, 'assistant', 'the last that was said';
    my $first = queue('?limit=2');
    my $rest = queue("?limit=2&cursor=$first->{next_cursor}");
    is_deeply [map { $_->{id} } @{ $first->{handoffs} }, @{ $rest->{handoffs} }], [map { $_->{id} } @row], 'in pages';
    is_deeply $other->get('handoffs')->{json}{handoffs}, [], 'another organisation has its own';
    is queue('?team=x')->{field}, 'team', 'no team: refused';
    does($admin, $_, 'resolve') for @session;
    is_deeply queue()->{handoffs}, [], 'resolved, they leave it';
};

subtest 'ENG-14: each reason for offering a person is kept' => sub {
    for (['Can I talk to a human please?', 'asked'], ['You idiots, this is terrible, awful!!', 'upset']) {
        my $session = talk($_->[0])->{session};
        handoff($session);
        is queue()->{handoffs}[0]{cause}, $_->[1], $_->[1];
        does($admin, $session, 'resolve');
    }
    my $s = talk('Where is my parcel?');
    talk($_, session_id => $s->{session}) for 'where is my parcel', 'Where is the parcel??';
    handoff($s->{session});
    is queue()->{handoffs}[0]{cause}, 'repeated', 'repeated';
    does($admin, $s->{session}, 'resolve');
    $s = $client->chat({ message => 'Odd @{"text":"I cannot do that. You may want to talk to a hum\u0061n."}@' });
    handoff($s->{session});
    is queue()->{handoffs}[0]{cause}, 'suggested', 'suggested by the answer';
    does($admin, $s->{session}, 'resolve');
    $s = talk('Join me');
    does($admin, $s->{session}, 'join', { name => 'Dana' });
    is queue()->{handoffs}[0]{cause}, 'operator', 'an operator\'s own';
    does($admin, $s->{session}, 'resolve');
};

subtest 'ADM-4: a conversation may be a team\'s' => sub {
    my $team = $admin->post('teams', { name => 'Returns' })->{json}{id};
    my $session = talk('A return')->{session};
    my $id = conversation($session);
    my $s = listen_();
    my $r = $admin->request('PATCH', "conversations/$id", { team_id => $team });
    is $r->{status}, 200, 'assigned' or diag $r->{body};
    is $r->{json}{team_id}, $team, 'and shown';
    my $heard = next_of($s, 'conversation')->{json};
    is_deeply [@$heard{qw(id team_id)}], [$id, $team], 'operators hear of it';
    handoff($session);
    my $free = talk('Nobody\'s')->{session};
    handoff($free);
    is_deeply [map { $_->{id} } @{ queue("?team=$team")->{handoffs} }], [$id], 'the queue of the team';
    is_deeply [map { $_->{id} } @{ queue('?team=none')->{handoffs} }], [conversation($free)], 'of nobody\'s';
    is queue("?team=$team")->{waiting}, 1, 'with its number';
    is scalar(@{ queue()->{handoffs} }), 2, 'and of all';
    my $list = sub { [map { $_->{id} } @{ $admin->get("conversations?team=$_[0]&status=waiting_human")->{json}{conversations} }] };
    is_deeply $list->($team), [$id], 'the list, too';
    is_deeply $list->('none'), [conversation($free)], 'of nobody\'s';
    is $admin->request('PATCH', "conversations/$id", { team_id => $other->post('teams', { name => 'Theirs' })->{json}{id} })->{json}{field}, 'team_id', 'another organisation\'s team is none';
    is $admin->request('PATCH', "conversations/$id", { team_id => undef })->{json}{team_id}, undef, 'taken from it';
    is $admin->request('PATCH', "conversations/$id", { title => 'A return' })->{status}, 200, 'what is not sent stays';
    $admin->request('PATCH', "conversations/$id", { team_id => $team });
    is $admin->delete("teams/$team")->{status}, 204, 'a team that ends';
    is $admin->get("conversations/$id")->{json}{team_id}, undef, 'leaves its conversations to all';
    $s->close;
    does($admin, $_, 'resolve') for $session, $free;
};

subtest 'ADM-4: operators see who looks at a conversation' => sub {
    my $dana = Frontdesk::Browser->user($stack, 'dana@inbox.example', 'staff');
    $stack->sql("UPDATE users SET name = 'Dana' WHERE email = 'dana\@inbox.example'");
    my $session = talk('Look')->{session};
    my $id = conversation($session);
    my $s = listen_();
    is_deeply $dana->post("conversations/$id/look")->{json}, { conversation_id => $id, operators => ['Dana'] }, 'one looks';
    is_deeply next_of($s, 'presence')->{json}, { conversation_id => $id, operators => ['Dana'] }, 'and is seen';
    my $r = $admin->post("conversations/$id/look", { name => 'Avi' });
    is_deeply [sort @{ $r->{json}{operators} }], [qw(Avi Dana)], 'two';
    is_deeply [sort @{ $admin->post("conversations/$id/look", { name => 'Avi' })->{json}{operators} }], [qw(Avi Dana)], 'said again, it is still two';
    is_deeply $dana->post("conversations/$id/look", { away => JSON::PP::true })->{json}{operators}, ['Avi'], 'one turns away';
    cmp_ok $stack->redis('live', 'PTTL', "fd:look:$stack->{org}:$id"), '<=', 30000, 'and is forgotten by itself';
    my @nameless = map { Frontdesk::Browser->user($stack, "$_\@inbox.example", 'staff') } qw(gal.levi rut);
    is $nameless[0]->get('auth/me')->{json}{speaks_as}, 'gal.levi', 'who gave no name is known by the address';
    $_->post("conversations/$id/look") for @nameless;
    is_deeply [sort @{ $admin->post("conversations/$id/look", { name => 'Avi' })->{json}{operators} }], [qw(Avi gal.levi rut)], 'so two of them are two';
    is $other->post("conversations/$id/look", { name => 'Eve' })->{status}, 404, 'of another organisation: not there';
    is $dana->post("conversations/$id/look", { name => 'Someone' })->{json}{field}, 'name', 'a user looks in his own name';
    is $stack->sql("SELECT count(*) FROM audit_log WHERE action LIKE '%look'"), 0, 'which nobody needs to record';
    $s->close;
};

subtest 'ENG-14: both see that the other writes' => sub {
    my $session = talk('Typing')->{session};
    $client->post("/api/v1/sessions/$session/identify", { profile => { name => 'Noa' } });
    my $s = listen_();
    is_deeply $client->post("/api/v1/sessions/$session/typing", {})->{json}, { status => 'active' }, 'the model does not mind';
    handoff($session);
    is_deeply $client->post("/api/v1/sessions/$session/typing", {})->{json}, { status => 'waiting_human' }, 'people do';
    is_deeply next_of($s, 'typing')->{json}, { conversation_id => conversation($session), name => 'Noa', who => 'visitor' }, 'operators see the visitor write';
    is $client->post("/api/v1/sessions/$session/typing", { text => 'x' })->{json}{field}, 'text', 'what he writes is not asked for';
    is $client->post('/api/v1/sessions/' . ('x' x 32) . '/typing', {})->{status}, 404, 'an invented session: 404';
    my $page = $client->open(GET => "/api/v1/sessions/$session/events", {});
    is next_of($page)->{event}, 'sync', 'the visitor listens';
    does($admin, $session, 'join', { name => 'Dana' });
    does($admin, $session, 'typing', { name => 'Dana' });
    is_deeply next_of($page, 'typing')->{json}, { name => 'Dana' }, 'and sees the operator write';
    is_deeply next_of($s, 'typing')->{json}, { conversation_id => conversation($session), name => 'Dana', who => 'operator' }, 'as other operators do';
    $_->close for $s, $page;
    does($admin, $session, 'resolve');
};

subtest 'ADM-4: canned replies' => sub {
    my $make = sub { $admin->post('canned-replies', $_[0]) };
    my $hello = $make->({ shortcut => 'hello', text => 'Hello {visitor}, this is {operator} of {organization}.' });
    is $hello->{status}, 201, 'kept' or diag $hello->{body};
    is_deeply [@{ $hello->{json} }{qw(shortcut language text)}], ['hello', undef, 'Hello {visitor}, this is {operator} of {organization}.'], 'as it is';
    my $shalom = $make->({ shortcut => 'hello', language => 'he', text => 'שלום {visitor}' })->{json};
    $make->({ shortcut => 'bye', text => 'Bye.' });
    is $make->({ shortcut => 'hello', text => 'Again' })->{status}, 409, 'each shortcut once';
    is $make->({ shortcut => 'hello', language => 'he', text => 'Again' })->{status}, 409, 'in a language';
    my $list = sub { [map { "$_->{shortcut}/" . ($_->{language} // '') } @{ $admin->get('canned-replies' . ($_[0] // ''))->{json}{canned_replies} }] };
    is_deeply [sort @{ $list->() }], ['bye/', 'hello/', 'hello/he'], 'the list';
    is_deeply $list->('?language=he'), ['bye/', 'hello/he'], 'in a language: its own before the one for all';
    my $page = $admin->get('canned-replies?limit=1')->{json};
    is $admin->get("canned-replies?limit=1&cursor=$page->{next_cursor}")->{json}{canned_replies}[0]{shortcut}, 'hello', 'in pages';
    my $path = "canned-replies/$shalom->{id}";
    is $admin->request('PATCH', $path, { text => 'שלום!' })->{json}{text}, 'שלום!', 'changed';
    is $admin->get($path)->{json}{language}, 'he', 'the rest stays';
    is $admin->request('PATCH', $path, { language => undef })->{status}, 409, 'not into one that is there';
    is $admin->request('PATCH', $path, { shortcut => 'shalom', language => undef })->{json}{language}, undef, 'for every language';
    for (['{"text":"x"}', 'shortcut'], ['{"shortcut":"x"}', 'text'], ['{"shortcut":"A b","text":"x"}', 'shortcut'], ['{"shortcut":"a","text":" "}', 'text'],
         ['{"shortcut":"a","text":"x","language":"e"}', 'language'], ['{"shortcut":"a","text":"x","language":"\u00e9"}', 'language'], ['{"shortcut":"a","text":"x","to":1}', 'to'],
         [JSON::PP->new->encode({ shortcut => 'a', text => 'x' x 6001 }), 'text']) {
        my $bad = $admin->post('canned-replies', $_->[0]);
        is "$bad->{status} $bad->{json}{field}", "422 $_->[1]", "refused: " . substr $_->[0], 0, 40;
    }
    is $admin->request('PATCH', $path, { language => 'e' })->{json}{field}, 'language', 'nor is it changed so';
    is $other->get($path)->{status}, 404, 'another organisation\'s are not there';
    is $other->delete($path)->{status}, 404, 'nor can they go';
    is $admin->delete($path)->{status}, 204, 'forgotten';
    is $admin->delete($path)->{status}, 404, 'once';
    $stack->sql("INSERT INTO canned_replies (org_id, shortcut, text) SELECT '$stack->{org}', 'many-' || n, 'x' FROM generate_series(1, 498) n");
    is $make->({ shortcut => 'too-many', text => 'x' })->{status}, 409, 'five hundred are enough';
};

$stack->finish;
done_testing;
