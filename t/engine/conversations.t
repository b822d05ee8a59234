# What operators see of conversations, take with them and delete: by the admin API and on
# the command line, counted by the worker meanwhile. ADM-4 ADM-6 ENG-17
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 6000;' },
    worker => { FRONTDESK_HOUSEKEEPING_MS => 200 },
);
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $json = JSON::PP->new;

sub code { my ($r) = @_; return join ' ', $r->{status}, map { $_ // '-' } @{ $r->{json} || {} }{qw(code field)}; }
sub command { return $stack->frontdesk(@_, '--org', $stack->{org}); }

# -- asked, found, read -------------------------------------------------------------------

my $answer = $stack->chat({ message => 'How long does shipping take?', user_id => 'ann' });
my $session = $answer->{session};
$stack->chat({ message => '=1+1 is what I type into cells' });
my $list = $stack->until(sub {
    my $l = $admin->get('conversations?q=shipp&handled=ai')->{json};
    $l && @{ $l->{conversations} } && $l;
}, 20, 'the worker to count');
is scalar @{ $list->{conversations} }, 1, 'ADM-4: a word finds the conversation, once it is counted';
my $found = $list->{conversations}[0];
is_deeply [@$found{qw(title user_identifier channel status messages_total)}],
    ['How long does shipping take?', 'ann', 'widget', 'active', 2], 'and says whose it is';
my $one = $admin->get("conversations/$found->{id}")->{json};
is_deeply [map { $_->{role} } @{ $one->{messages} }], [qw(user assistant)], 'its messages in order';
my $said = $one->{messages}[1];
ok $said->{route}{tier} && @{ $said->{citations} } && $said->{tokens_output} > 0, 'with route, citations and tokens'
    or diag explain $said;
unlike $json->encode([$list, $one]), qr/\Q$session\E/, 'and without its session\'s id';
my $visitor = $stack->client;
is $visitor->post("/api/v1/messages/$said->{id}/feedback", { rating => 'down', comment => 'No days named.' }, { 'X-Frontdesk-Session' => $session })->{status}, 200, 'the visitor says what was wrong';
is $visitor->post("/api/v1/sessions/$session/rating", { score => 2, comment => 'Slow.' })->{status}, 200, 'and how it was';
$one = $admin->get("conversations/$found->{id}")->{json};
is_deeply [@$one{qw(rating_comment)}, @{ $one->{messages}[1] }{qw(rating rating_comment)}], ['Slow.', 'down', 'No days named.'], 'ADM-4: operators read both';
is code($other->get("conversations/$found->{id}")), '404 not-found -', 'another organisation finds nothing';
is code($admin->get('conversations/no-id')), '404 not-found -', 'nor anybody by what is no id';

for my $case (['status=lost', 'status'], ['from=2026-02-30', 'from'], ['rating=9', 'rating'], ['order=best', 'order'],
              ['q=', 'q'], ['limit=0', 'limit'], ['cursor=x', 'cursor']) {
    is code($admin->get("conversations?$case->[0]")), "400 bad-request $case->[1]", "$case->[0] is refused by name";
}
my ($first, $second) = map { $_->{json} } $admin->get('conversations?limit=1');
$second = $admin->get("conversations?limit=1&cursor=$first->{next_cursor}")->{json};
isnt $second->{conversations}[0]{id}, $first->{conversations}[0]{id}, 'pages go on';
is code($other->get("conversations?limit=1&cursor=$first->{next_cursor}")), '400 bad-request cursor', 'an own cursor only';

is $admin->request('PATCH', "conversations/$found->{id}", { status => 'archived', title => 'Delivery' })->{json}{status},
    'archived', 'archived';
is $admin->get('conversations?status=archived')->{json}{conversations}[0]{title}, 'Delivery', 'and found so';
is code($admin->request('PATCH', "conversations/$found->{id}", { status => 'human' })), '422 invalid-field status', 'no other status';
is code($admin->request('PATCH', "conversations/$found->{id}", { session_id => 'x' })), '422 invalid-field session_id', 'no other field';
is code($other->request('PATCH', "conversations/$found->{id}", { title => 'mine' })), '404 not-found -', 'nor by another';

# -- figures ---------------------------------------------------------------------------------

my %figure;
$stack->until(sub {
    %figure = map { $_->{name} => $_ } @{ $admin->get('analytics')->{json}{figures} };
    $figure{handled_by_ai}{value} == 2;
}, 20, 'both to be counted');
is_deeply [map { $figure{$_}{value} } qw(conversations messages handled_by_ai handed_over)], [2, 2, 2, 0],
    'ADM-6: figures of the last thirty days';
my $query = join '&', map { "$_=$figure{handled_by_ai}{filter}{$_}" } sort keys %{ $figure{handled_by_ai}{filter} };
is scalar @{ $admin->get("conversations?$query")->{json}{conversations} }, 2, 'and the very conversations behind one';
ok $figure{first_token_ms_p95}{value} >= 1, 'with the time to the first token';
is code($admin->get('analytics?from=2026-01-02&to=2026-01-01')), '400 bad-request from', 'a period that runs backwards is refused';
$stack->chat({ message => 'THIS IS TERRIBLE, I am very disappointed. Can penguins juggle xylophones?' });
$stack->chat({ message => 'penguins, xylophones: juggle?' });
$stack->until(sub {
    %figure = map { $_->{name} => $_ } @{ $admin->get('analytics')->{json}{figures} };
    $figure{handled_by_ai}{value} == 4 && $figure{response_ms_p50}{conversations} == 4;
}, 20, 'these to be counted');
for my $name (sort keys %figure) {
    my $filter = $figure{$name}{filter};
    my $found = $admin->get('conversations?' . join '&', map { "$_=$filter->{$_}" } sort keys %$filter)->{json};
    is scalar @{ $found->{conversations} }, $figure{$name}{conversations}, "ADM-6: $name is of what its filter finds";
}
is $figure{sentiment_negative}{value}, 1, 'ADM-6: one was unhappy';
is $figure{undecided_7d}{value}, 4, 'whether it was resolved is known in seven days';
my ($unhappy) = @{ $admin->get('conversations?sentiment=negative')->{json}{conversations} };
is_deeply [@$unhappy{qw(sentiment resolved)}], ['negative', undef], 'ADM-4: and its row says so';
my $gaps = $admin->get('knowledge-gaps')->{json};
my ($gap) = grep { $_->{question} =~ /xylophones/ } @{ $gaps->{gaps} };
is_deeply [@$gap{qw(question count conversations)}], ['penguins, xylophones: juggle?', 2, 2],
    'ADM-6: what was asked and is in no source, the same in other words once' or diag explain $gaps;
$query = join '&', map { "$_=$gap->{filter}{$_}" } sort keys %{ $gap->{filter} };
is scalar @{ $admin->get("conversations?$query")->{json}{conversations} }, 2, 'and who asked it';
is scalar @{ $other->get('knowledge-gaps')->{json}{gaps} }, 0, 'but no other\'s';
my ($tile) = grep { $_->{kind} eq 'most_asked_unanswered' } @{ $admin->get('analytics')->{json}{insights} };
is $tile->{values}{question}, $gap->{question}, 'it is to be looked at first';
is code($admin->get('conversations?gap=1,1')), '400 bad-request gap', 'no other words are looked for';

# -- exports ---------------------------------------------------------------------------------

my $csv = $admin->get('conversations/export?format=csv');
like $csv->{headers}{'content-type'}, qr{^text/csv}, 'ADM-4: an export as CSV';
is $csv->{headers}{'content-disposition'}, 'attachment; filename="conversations.csv"', 'to be saved';
like $csv->{body}, qr/^\xEF\xBB\xBFid,started_at,.*\r\n/, 'with a BOM';
like $csv->{body}, qr/,"'=1\+1 is what I type into cells",/, 'and no formula';
like $csv->{body}, qr/^[^\r]*,resolved,sentiment\r\n.*,negative\r\n/s, 'ADM-6: with what the figures count';

# A formula in every column that takes a text, of a conversation and of what was said in it.
sub cells { my ($text) = @_; $text =~ s/^\xEF\xBB\xBF//; return map { s/^"|"$//gr } $text =~ /\G("(?:[^"]|"")*"|[^,\r\n"]*)(?:,|\r\n)/g; }
my $formulas = $stack->sql("INSERT INTO conversations (org_id, session_id, updated_at) VALUES ('$stack->{org}', 'formulas', now()) RETURNING id");
$stack->sql("INSERT INTO messages (org_id, conversation_id, role, content, created_at) VALUES ('$stack->{org}', '$formulas', 'assistant', 'x', now());"
    . " INSERT INTO conversation_outcomes (org_id, conversation_id, started_at, changed_at, channel) SELECT org_id, id, started_at, updated_at, 'widget' FROM conversations WHERE id = '$formulas' ON CONFLICT DO NOTHING");
for my $formula ('=1+1', '+1', '-1', '@SUM(A1)', ' =1', "\t=1") {
    $stack->sql(qq{DO \$\$ DECLARE c record; BEGIN FOR c IN SELECT table_name AS t, column_name AS n FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name IN ('conversations', 'messages', 'conversation_outcomes') AND data_type = 'text' AND column_name NOT IN ('session_id', 'job_id') LOOP
        BEGIN EXECUTE format('UPDATE %I SET %I = %L WHERE %I = %L', c.t, c.n, '$formula', CASE c.t WHEN 'conversations' THEN 'id' ELSE 'conversation_id' END, '$formulas');
        EXCEPTION WHEN check_violation THEN NULL; END; END LOOP; END \$\$});
    for my $path ('conversations/export?format=csv', "conversations/$formulas/export?format=csv") {
        my @cells = cells($admin->get($path)->{body});
        cmp_ok scalar(grep { $_ eq "'$formula" } @cells), '>=', 3, "ADM-4: \Q$formula\E is a text in $path" or diag join '|', @cells;
        is join('|', grep { /^\s*[=+\-@]/ } @cells), '', '... in each of its columns';
    }
}
$stack->sql("DELETE FROM conversations WHERE id = '$formulas'; DELETE FROM messages WHERE conversation_id = '$formulas'; DELETE FROM conversation_outcomes WHERE conversation_id = '$formulas'");
is scalar @{ $admin->get('conversations/export?format=json&status=archived')->{json} }, 1, 'of those that fit, as JSON';
is code($admin->get('conversations/export?format=xls')), '400 bad-request format', 'no other format';
is code($admin->get('conversations/export?status=lost')), '400 bad-request status', 'no other filter';
is scalar @{ $admin->get("conversations/$found->{id}/export")->{json}{messages} }, 2, 'and of one';
is code($other->get("conversations/$found->{id}/export")), '404 not-found -', 'but no other\'s';
is_deeply [$stack->sql("SELECT action || ' ' || target || ' ' || coalesce(after->'filter'->>'status', '-') || ' ' || (after->>'conversations')"
    . " FROM audit_log WHERE action ~ 'export' AND org_id = '$stack->{org}' ORDER BY id DESC LIMIT 2")],
    ["GET conversations/:id/export $found->{id} - 1", 'GET conversations/export conversations archived 1'], 'ADM-1: the record has who took what: the filter, and how many';
is $stack->sql("SELECT count(*) FROM audit_log WHERE action ~ 'export' AND actor !~ '^key:'"), 0, 'and by whom';
my $head = $admin->request('HEAD', 'conversations/export?format=csv');
is "$head->{status} $head->{body}", '200 ', 'HEAD has no body';

my $MANY = 8_000;
$stack->sql("INSERT INTO conversations (org_id, session_id, channel, title, started_at, updated_at)"
    . " SELECT '$stack->{org}', 'many-' || n, 'sms', repeat('x', 150) || n, now() - n * interval '1 s', now() - interval '1 h' FROM generate_series(1, $MANY) n");
$stack->sql("INSERT INTO messages (org_id, conversation_id, role, content, created_at)"
    . " SELECT org_id, id, 'user', repeat('word ', 100) || session_id, started_at FROM conversations WHERE channel = 'sms'");
sub memory { my ($line) = slurp("/proc/" . $stack->pid('admin') . '/status') =~ /^VmHWM:\s+(\d+)/m; return $line; }
sub slurp { my ($path) = @_; open my $in, '<', $path or die "$path: $!"; local $/; return <$in>; }
my $before = memory();
system("curl -sS -H 'X-Api-Key: $admin->{key}' -o '$stack->{dir}/many' '" . $stack->url . "/api/admin/conversations/export?format=jsonl&channel=sms'");
my $size = -s "$stack->{dir}/many";
my %ids = map { $_->{id} => scalar @{ $_->{messages} } } map { $json->decode($_) } split /\n/, slurp("$stack->{dir}/many");
is scalar(keys %ids), $MANY, "ADM-4: $MANY conversations, each once, in " . int($size / 1e6) . ' MB';
is scalar(grep { $ids{$_} != 1 } keys %ids), 0, 'each with its message';
SKIP: {
    my $build = { $stack->environment }->{STACK_BUILD};
    skip 'a sanitizer keeps what was freed', 1 if `ldd $build/frontdesk` =~ /asan/;
    cmp_ok memory() - $before, '<', 8_000, 'in the memory of a part (kB)';
}

# Straight to the socket: nginx would take everything off its hands.
open my $in, '<', "$stack->{dir}/admin.token" or die "admin.token: $!";
my $token = <$in>;
close $in;
sub direct {
    my ($path) = @_;
    my $s = IO::Socket::UNIX->new(Peer => "$stack->{dir}/run/admin.sock") or die "connect: $!";
    print $s "GET $path HTTP/1.1\r\nHost: x\r\nX-Frontdesk-Org: $stack->{org}\r\nX-Frontdesk-Role: admin\r\n"
        . "X-Frontdesk-Actor: key:$stack->{org}\r\nX-Request-Id: direct\r\nX-Frontdesk-Token: $token\r\n\r\n";
    return $s;
}
my $many = '/api/admin/conversations/export?format=jsonl&channel=sms';
sub health { # as this host's monitoring asks: without nginx's token
    my $s = IO::Socket::UNIX->new(Peer => "$stack->{dir}/run/admin.sock") or die "connect: $!";
    print $s "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    my $text = '';
    while ($text !~ /\}/) { sysread $s, $text, 4096, length $text or last }
    return $text;
}
my @held = map { direct($many) } 1 .. 3;
sysread $_, my $some, 8192 for @held;
like health(), qr/"running":3\b/, 'who does not read on is waited for';
is $admin->get('organization')->{status}, 200, 'and holds up nobody: more of them than there are threads would not either';
close $_ for @held;
ok $stack->until(sub { health() =~ /"running":0\b/ }, 20), 'who leaves is let go';

my $cut = direct($many);
sysread $cut, my $start, 8192;
$stack->sql('ALTER TABLE usage_ledger RENAME TO usage_ledger_gone');
my $rest = '';
1 while sysread $cut, $rest, 65536, length $rest;
$stack->sql('ALTER TABLE usage_ledger_gone RENAME TO usage_ledger');
like $start, qr/^HTTP\/1.1 200 .*Transfer-Encoding: chunked/s, 'an export that began well';
unlike $rest, qr/\r\n0\r\n\r\n\z/, 'and cannot go on is seen to be cut';
ok $stack->until(sub { health() =~ /"running":0\b/ }, 20), 'and is over';
is $admin->get('conversations/export?format=csv&status=archived')->{status}, 200, 'the next one is none the worse';

# -- on the command line -------------------------------------------------------------------------

like command('conversations', 'list', '--filter', 'status=archived'), qr/^\Q$found->{id}\E .* Delivery$/, 'conversations list';
is $json->decode(command('conversations', 'show', $found->{id}))->{id}, $found->{id}, 'show';
is scalar(() = command('conversations', 'export', '--format', 'jsonl', '--filter', 'status=archived') =~ /\n/g), 1, 'export';
command('conversations', 'list', '--filter', 'colour=red');
is $stack->{status}, 2, 'an unknown filter is a mistake';

# -- one visitor -----------------------------------------------------------------------------------

my $history = "conversation:$stack->{org}:$session";
is $stack->redis('live', 'EXISTS', $history), 1, 'Redis remembers the conversation';
is code($admin->post('visitors/delete', {})), '422 invalid-field -', 'ENG-17: nobody is named: nothing is done';
is code($admin->post('visitors/delete', { session => 'a', email => 'b' })), '422 invalid-field -', 'nor where two are';
my $mine = $admin->post('visitors/export', { session => $session })->{json};
is $mine->{conversations}[0]{messages}[0]{content}, 'How long does shipping take?', 'all of a visitor is handed over';
is scalar @{ $other->post('visitors/export', { session => $session })->{json}{conversations} }, 0, 'to its organisation alone';
is $other->post('visitors/delete', { session => $session })->{json}{conversations}, 0, 'and nobody else deletes it';
my $report = $admin->post('visitors/delete', { user_identifier => 'ann' })->{json};
is_deeply [@$report{qw(conversations messages)}, $report->{cache_cleared} ? 1 : 0], [1, 2, 1], 'deleted, in PostgreSQL and in Redis';
is $stack->redis('live', 'EXISTS', $history), 0, 'which forgot it at once';
is code($admin->get("conversations/$found->{id}")), '404 not-found -', 'it is gone';
is $admin->post('visitors/delete', { user_identifier => 'ann' })->{json}{conversations}, 0, 'again: nothing to do';
like command('visitor', 'delete', '--email', 'nobody@x.example', '--json'), qr/"conversations":0/, 'visitor delete';
like command('visitor', 'export', '--user', 'ann'), qr/"conversations":\[\]/, 'visitor export';
my $requests = $admin->get('visitors/requests')->{json}{requests};
is_deeply [map { "$_->{action} $_->{named_by}" } @$requests[-2, -1]], ['delete user_identifier', 'export session'],
    'who did it is on record' or diag explain $requests;
is $stack->sql("SELECT count(*) FROM audit_log WHERE action = 'PATCH conversations/:id' AND before IS NULL AND after IS NULL"), 1,
    'the audit log knows that a conversation was changed, and nothing that was said in it';
is $stack->sql("SELECT count(*) FROM audit_log a WHERE a::text ~* 'shipping|\\mann\\M|Delivery'"), 0, 'nor whose it was';
unlike $stack->log_text('admin.log') . $json->encode($requests), qr/\bann\b|\Q$session\E/, 'and whom it was about is nowhere';

# -- what is old -------------------------------------------------------------------------------------

is_deeply [@{ $admin->get('retention')->{json} }{qw(message_days tool_execution_days)}], [30, 90], 'thirty days of messages, ninety of tools';
is code($admin->put('retention', { message_days => 0 })), '422 invalid-field message_days', 'at least one';
is $admin->put('retention', { message_days => 7 })->{json}{message_days}, 7, 'or what is set';
$stack->sql("UPDATE conversations SET started_at = now() - interval '10 days', updated_at = now() - interval '10 days' WHERE session_id IN ('many-1', 'many-2')");
$stack->sql("UPDATE messages SET created_at = now() - interval '10 days' WHERE conversation_id IN (SELECT id FROM conversations WHERE session_id IN ('many-1', 'many-2'))");
is $admin->get('retention')->{json}{due}{messages}, 2, 'two messages are due';
is $json->decode(command('retention', 'run', '--dry-run', '--json'))->{messages}, 2, 'a dry run says so';
my $ran = $json->decode(command('retention', 'run', '--json'));
is "$ran->{messages} $ran->{conversations}", '2 2', 'a run deletes them, while a worker is at work';
is $stack->sql("SELECT count(*) FROM conversations WHERE session_id LIKE 'many-%'"), $MANY - 2, 'and no others';
like command('retention', 'status'), qr/messages 7 days/, 'retention status';
ok $stack->until(sub { $stack->log_text('worker-1.log') =~ /"retention\.done"/ }, 20), 'the worker had its own pass';

$stack->finish;
done_testing;
