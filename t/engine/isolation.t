# Two organisations side by side through the whole product: no byte of one reaches the
# other.  ENG-5, ENG-7, ENG-9, EDGE-6, EDGE-7
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new;
$stack->start;
my $json = JSON::PP->new->canonical;

# -- A is the demo organisation, B a rival with knowledge on the same subject --------------

my $b_org = 'b0000000-0000-4000-8000-00000000000b';
my ($a_secret, $b_secret) = ('canary-amber-4711', 'canary-basalt-0815');
$stack->sql(<<"SQL");
INSERT INTO organizations (id, name, plan_type) VALUES ('$b_org', 'Rival', 'pro');
INSERT INTO org_ai_settings (org_id, system_prompt, widget) VALUES ('$b_org', 'Speak of $b_secret.', '{"greeting": "$b_secret"}');
INSERT INTO articles (id, org_id, slug, title, body) SELECT gen_random_uuid(), org, 'zeppelin', 'Zeppelin delivery', word
  FROM (VALUES ('$stack->{org}'::uuid, '$a_secret'), ('$b_org', '$b_secret')) AS v (org, word);
INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)
SELECT org_id, id, 'zeppelin', 0, 'Zeppelin delivery', 'Zeppelin delivery takes 3 days, says ' || body, 'en' FROM articles WHERE slug = 'zeppelin';
INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language)
SELECT org_id, id, 'only-rival', 1, 'Airship rental', 'Airship rental is cheap, says $b_secret', 'en' FROM articles WHERE org_id = '$b_org';
INSERT INTO products (org_id, sku, name, description, price_minor, currency) VALUES ('$b_org', 'ZEP-1', 'Zeppelin model', '$b_secret', 990, 'USD');
INSERT INTO orders (org_id, number, customer_email, status, total_minor, currency)
VALUES ('$b_org', '77001', 'ann\@mail.example', '$b_secret', 100, 'USD');
SQL
sub key { my @words = @_; return JSON::PP::decode_json($stack->frontdesk(qw(key create --json --name t --org), $b_org, @words))->{key}; }
my $b_sk = key(qw(--kind sk));
my $a = $stack->client;
my $b = $stack->client(key => key('--kind', 'pk', '--origin', $stack->{origin}));
my $a_server = $stack->client(key => $stack->{sk}, origin => '');
my $b_server = $stack->client(key => $b_sk, origin => '');
$stack->redis('live', 'PUBLISH', 'fd:ctl', "org $_") for $stack->{org}, $b_org; # their articles are new

sub last_prompt {
    my ($question) = @_;
    my ($r) = grep { $_->{event} eq 'request' && index($_->{question}, $question) >= 0 } reverse $stack->journal;
    return $r ? $json->encode($r->{body}) : '';
}
sub session_header { my ($session) = @_; return { 'X-Frontdesk-Session' => $session }; }

subtest 'ENG-5: what is found belongs to the asker' => sub {
    my @questions = (
        ['How long does zeppelin delivery take?', 1],
        ['What about airship rental?', 0],
        ['zepelin delivry', 1],    # the path of mistyped words
        ['Do you sell ZEP-1?', 0],
        ['Where is my order 77001? ann@mail.example', 0],
    );
    for (@questions) {
        my ($question, $both) = @$_;
        $a->chat({ message => "A: $question" });
        $b->chat({ message => "B: $question" });
        my ($of_a, $of_b) = (last_prompt("A: $question"), last_prompt("B: $question"));
        unlike $of_a, qr/$b_secret/, "$question: nothing of B in A's prompt";
        unlike $of_b, qr/$a_secret/, 'nothing of A in B\'s';
        like $of_b, qr/$b_secret.*$b_secret/s, 'while B\'s own is there, its rules and its record';
        like $of_a, qr/$a_secret/, 'and so is A\'s' if $both;
    }
    my $s = $a->chat({ message => 'Airships? @{"text":"They are cheap [article:only-rival]."}@' });
    is_deeply $s->{terminal}{json}{citations}, [], 'A cannot be made to cite a record of B';
    like $stack->worker_get('/metrics'), qr/^frontdesk_citations_total\{outcome="dropped"\} 1$/m, 'the attempt is counted';
    ok $stack->until(sub { $stack->log_text('worker-1.log') =~ /"event":"job\.ended"[^\n]*"job_id":"$s->{job}"[^\n]*"citations_dropped":1/ }), 'and in the log';
    my $dry = $a_server->post('/api/v1/chat', { message => 'airship rental zeppelin', dry_run => JSON::PP::true });
    unlike $dry->{body}, qr/only-rival|$b_secret/, 'nor does a dry run find one';
    $dry = $b_server->post('/api/v1/chat', { message => 'airship rental zeppelin', dry_run => JSON::PP::true });
    like $dry->{body}, qr/only-rival/, 'which B\'s own does';
};

subtest 'two visitors\' answers at the same time' => sub {
    my @streams = map {
        my $n = $_;
        map { [$_->[0], $_->[2], $_->[1]->ask({ message => "$_->[0]$n \@{\"text\":\"" . "$_->[2]-$n " x 20 . "\",\"gap_ms\":10}\@" }), "$_->[2]-$n "] }
            ['A', $a, $a_secret], ['B', $b, $b_secret]
    } 1 .. 12;
    my $bad = 0;
    for (@streams) {
        my ($who, $secret, $s, $piece) = @$_;
        $s->run(40);
        $bad++, diag "$who got $s->{text}" unless $s->{text} eq $piece x 20;
    }
    is $bad, 0, 'each visitor reads the own answer';
};

my $mine = $b->chat({ message => "Remember $b_secret \@{\"text\":\"I will remember $b_secret.\"}\@" });
my $other = $b->chat({ message => 'Another visitor of B' });
my $theirs = $a->chat({ message => "Remember $a_secret \@{\"text\":\"I will remember $a_secret.\"}\@" });
my ($job, $session) = @$mine{qw(job session)};

# Each who must not get at B's conversation, with whatever may be said for it.
my @strangers = (
    ['A\'s page', $a, session_header($session)],
    ['A\'s page with a session of A', $a, session_header($theirs->{session})],
    ['A\'s server', $a_server, {}],
    ['A\'s server with B\'s session', $a_server, session_header($session)],
    ['another visitor of B', $b, session_header($other->{session})],
);

subtest 'EDGE-7: a session is its organisation\'s and its visitor\'s' => sub {
    for my $who (['A\'s page', $a], ['A\'s server', $a_server]) {
        my ($name, $client) = @$who;
        my $r = $client->get("/api/v1/sessions/$session/history");
        is $r->{status}, 404, "$name: no history";
        unlike $r->{body}, qr/$b_secret/, 'and no word of it';
        $r = $client->post('/api/v1/chat', { message => 'Go on', session_id => $session });
        cmp_ok $r->{status}, '>=', 400, "$name: cannot go on with it ($r->{status})";
        unlike $r->{body}, qr/$b_secret/, 'nor learn of it';
        cmp_ok $client->delete_("/api/v1/sessions/$session/end")->{status}, '>=', 400, "$name: cannot end it";
    }
    my $history = $b->get("/api/v1/sessions/$session/history");
    is scalar @{ $history->{json}{messages} }, 2, 'B\'s conversation is as it was';
    like $history->{body}, qr/$b_secret/, 'and its own visitor reads it';
    $b->chat({ message => 'Continue B', session_id => $session });
    like last_prompt('Continue B'), qr/I will remember $b_secret/, 'ENG-7: remembered for B';
    $a->chat({ message => 'Continue A', session_id => $theirs->{session} });
    like last_prompt('Continue A'), qr/I will remember $a_secret/, 'and A\'s for A';
};

subtest 'EDGE-6: a stranger gets no events, not even the news that there are any' => sub {
    my $unknown = $a->get('/api/v1/chat/0-' . 'f' x 32 . '/events', session_header($theirs->{session}));
    my $nobody = sub { my ($r) = @_; my %p = %{ $r->{json} || {} }; delete $p{request_id}; return $json->encode(\%p); };
    for my $state ('finished', 'forgotten by live Redis', 'forgotten by both') {
        $stack->redis('live', 'DEL', "fd:ev:$job") if $state ne 'finished';
        $stack->redis('jobs', 'DEL', "fd:job:{0}:$job") if $state eq 'forgotten by both';
        for (@strangers) {
            my ($name, $client, $headers) = @$_;
            my $r = $client->get("/api/v1/chat/$job/events", $headers);
            is $r->{status}, 404, "$state: $name";
            is $nobody->($r), $nobody->($unknown), 'as if there were no such job';
            unlike $r->{body}, qr/$b_secret/, 'no word of it';
        }
    }
    my $again = $b->resume($job, $session)->run(30);
    is $again->{text}, "I will remember $b_secret.", 'its visitor has it replayed';
};

subtest 'EDGE-7: a stranger cancels nothing' => sub {
    my $s = $b->ask({ message => 'Long B @{"tokens":60,"gap_ms":50}@', session_id => $session });
    $s->next(20) for 1 .. 3;
    for (@strangers) {
        my ($name, $client, $headers) = @$_;
        is $client->post("/api/v1/chat/$s->{job}/cancel", '{}', $headers)->{status}, 404, $name;
        is $client->get("/api/v1/chat/$s->{job}/events", $headers)->{status}, 404, 'nor may it listen' ;
    }
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "cancel 0-$_") for 'f' x 32;
    $s->run(30);
    is $s->{terminal}{event}, 'done', 'the answer came to its end';
};

subtest 'ENG-9: idempotency keys are the organisation\'s own' => sub {
    my @asked;
    for (['A', $a, $a_secret], ['B', $b, $b_secret], ['A', $a_server, "$a_secret-server"], ['B', $b_server, "$b_secret-server"]) {
        my ($name, $client, $text) = @$_;
        my $headers = { 'Idempotency-Key' => 'the-same-key-1' };
        my $r = $client->post('/api/v1/chat', { message => "Idem \@{\"text\":\"$text\"}\@" }, $headers);
        is $r->{status}, 200, "$name: its own request" or diag $r->{body};
        is $r->{json}{response}, $text, 'and its own answer';
        push @asked, $r->{json}{message_id};
    }
    my %ids = map { $_ => 1 } @asked;
    is scalar keys %ids, 4, 'four jobs';
};

subtest 'limits of one are not the other\'s' => sub {
    $stack->sql("UPDATE organizations SET limits = '{\"requests_per_minute\": 1}', generation = generation + 1 WHERE id = '$b_org'");
    key(qw(--kind sk)); # writes B's limits through
    ok $stack->until(sub { $b->post('/api/v1/chat', { message => 'B again' })->{status} == 429 }, 5, 'B\'s limit'), 'B is limited';
    is $a->post('/api/v1/chat', { message => 'A again' })->{status}, 200, 'A is not';
};

subtest 'config, on one connection' => sub {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $stack->{port}) or die "connect: $!";
    print $s map { "GET /api/v1/config HTTP/1.1\r\nHost: h\r\nOrigin: $stack->{origin}\r\nX-Api-Key: $_->[0]\r\nConnection: $_->[1]\r\n\r\n" }
        [$b->{key}, 'keep-alive'], [$a->{key}, 'close'];
    local $/;
    my (undef, $of_b, $of_a) = split m{HTTP/1\.1 }, <$s>;
    like $of_b, qr/^200 .*$b_secret/s, 'B\'s config for B';
    like $of_a, qr/^200 .*Demo Shop/s, 'A\'s config for A';
    unlike $of_a, qr/$b_secret/, 'with nothing of B';
};

subtest 'the stores' => sub {
    for my $key (@{ $stack->redis('live', 'KEYS', 'conversation:*') }) {
        my $text = join "\n", @{ $stack->redis('live', 'LRANGE', $key, 0, -1) };
        my $foreign = index($key, $b_org) >= 0 ? $a_secret : $b_secret;
        unlike $text, qr/$foreign/, "ENG-7: $key";
    }
    my ($host) = $stack->stack('environment', 'x') =~ /FRONTDESK_DATABASE_URL='host=(\S+)/;
    my $as_app = sub {
        my ($sql) = @_;
        open my $out, '-|', 'psql', '-qAtX', '-h', $host, '-U', 'frontdesk_app', '-d', 'frontdesk', '-c', $sql or die "psql: $!";
        chomp(my @rows = <$out>);
        return $rows[-1] // '';
    };
    my @tables = $stack->sql("SELECT DISTINCT table_name FROM information_schema.columns JOIN pg_class ON relname = table_name AND relkind IN ('r', 'p')"
        . " AND NOT relispartition WHERE table_schema = 'public' AND column_name = 'org_id'");
    cmp_ok scalar @tables, '>', 10, 'tables of tenants';
    for my $table (@tables) {
        is $as_app->("SET app.org_id = '$stack->{org}'; SELECT count(*) FROM $table WHERE org_id <> '$stack->{org}'"), 0, "$table: A sees no row of B";
        is $as_app->("SELECT count(*) FROM $table"), 0, "$table: nobody sees a row of anybody";
    }
    is $as_app->("SET app.org_id = '$stack->{org}'; SELECT count(*) > 0 FROM messages"), 't', 'A sees its own';
    is $stack->sql('SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.org_id <> m.org_id'), 0, 'no message in a foreign conversation';
    is $stack->sql("SELECT count(*) FROM messages WHERE org_id = '$stack->{org}' AND content LIKE '%$b_secret%'"), 0, 'no word of B in a message of A';
};

my %foreign = ('Demo Shop' => $b_secret, 'Rival' => $a_secret);
my ($seen, @crossed) = (0);
for my $r (grep { $_->{event} eq 'request' && $_->{path} =~ /completions/ } $stack->journal) {
    my $body = $json->encode($r->{body});
    my ($org) = $body =~ /front desk assistant of (Demo Shop|Rival)\./ or next;
    $seen++;
    push @crossed, $r->{question} if $body =~ /$foreign{$org}/;
}
cmp_ok $seen, '>', 40, 'prompts looked at';
is_deeply \@crossed, [], 'in none of them a word of the other organisation';
$stack->finish;
done_testing;
