# Budgets, limits of plans and alerts as their owner meets them.  ENG-16
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use Frontdesk::Stack;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

# A webhook of the organisation: keeps what it is sent, answers as it is told.
my $hook = IO::Socket::INET->new(Listen => 50, LocalAddr => '127.0.0.1', LocalPort => 0, ReuseAddr => 1) or die "listen: $!";
my ($hook_status, @told) = (204);
sub listen_for {
    my ($seconds) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        vec(my $read = '', $hook->fileno, 1) = 1;
        next unless select $read, undef, undef, 0.05;
        my $c = $hook->accept or next;
        my $head = '';
        while (defined(my $line = <$c>)) { last if $line eq "\r\n"; $head .= $line; }
        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        read $c, my $body, $length || 0;
        print $c "HTTP/1.1 $hook_status X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        close $c;
        push @told, { head => $head, body => $body, json => eval { JSON::PP::decode_json($body) } };
    }
    return;
}

# Micro-dollars a token: 0.40 to read (0.10 from a cache), 1.60 to write.
my ($fast, $dear, $unpriced) = ('gpt-4.1-mini', 'gpt-4.1', 'mock-unpriced');
my $stack = Frontdesk::Stack->new(worker => {
    OPENAI_FAST_MODEL => $fast, OPENAI_REASONING_MODEL => $unpriced, OPENAI_FALLBACK_MODEL => $dear,
    FRONTDESK_LLM_FIRST_TOKEN_MS => 3000, FRONTDESK_MAX_TOKENS => 1000, FRONTDESK_SYNC_MS => 500,
    FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000,
    FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:' . $hook->sockport,
});
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $client = $stack->client(key => $stack->{sk}, origin => undef);
my $json = JSON::PP->new->canonical;
my $n = 0;

sub ask { my ($scenario, %more) = @_; $n++; return $client->chat({ message => "Budget $n \@" . $json->encode($scenario) . '@', %more }); }
sub once { my ($scenario, %more) = @_; $n++; return $client->post('/api/v1/chat', { message => "Budget $n \@" . $json->encode($scenario) . '@', %more }); }
sub held { return $stack->sql('SELECT coalesce(sum(amount_micro), 0) FROM budget_reservations'); }
sub spent { return $stack->sql("SELECT coalesce(sum(cost_estimate), 0) FROM api_usage WHERE org_id = '$stack->{org}'"); }
sub ledger { return $stack->sql('SELECT coalesce(sum(cost_micro), 0) FROM usage_ledger'); }
sub calls { my ($of) = @_; return scalar grep { $_->{event} eq 'request' && $_->{question} =~ /^Budget $of / } $stack->journal; }
sub frontdesk { my $text = $stack->frontdesk(@_); is $stack->{status}, 0, "frontdesk @_[0, 1]" or diag $text; return $text; }
sub budget { frontdesk('budget', 'set', '--org', 'Demo Shop', @_); return; }
# So much is left of a budget of one dollar.
sub leave {
    my ($micro) = @_;
    $stack->sql("DELETE FROM api_usage; INSERT INTO api_usage (org_id, date, model_id, cost_estimate)"
                . " VALUES ('$stack->{org}', (now() AT TIME ZONE 'UTC')::date, 'before', 1000000 - $micro)");
    budget('--monthly', '1');
    return;
}
sub refused {
    my ($s, $what) = @_;
    is $s->{terminal}{event}, 'error', "$what: refused";
    is $s->{terminal}{json}{code}, 'budget-exhausted', 'for the budget';
    return;
}

subtest 'ENG-16: without a cap nothing is reserved' => sub {
    my $s = $client->ask({ message => 'Budget free @{"tokens":3,"first_ms":600}@' });
    sleep 0.4;
    is $stack->sql('SELECT count(*) FROM budget_reservations'), 0, 'while it is answered';
    is $s->run(30)->{terminal}{event}, 'done', 'answered';
    my $u = ask({ tokens => 3 }, model_id => $unpriced);
    is $u->{terminal}{event}, 'done', 'an unknown price is allowed';
    ok !defined $u->{terminal}{json}{cost}, 'its cost is unknown, not 0';
};

my $worst;
subtest 'ENG-16: reserved before the call, settled after it' => sub {
    budget('--monthly', '1');
    my $s = $client->ask({ message => 'Budget held @{"tokens":20,"first_ms":2000}@' });
    ok $stack->until(sub { held() > 0 }, 3, 'a reservation'), 'the most it can cost is held';
    $worst = held();
    cmp_ok $worst, '>=', 1600, 'a whole answer and the prompt' or diag $worst;
    like $stack->sql('SELECT owner FROM budget_reservations'), qr/^worker-1 /, 'by its worker';
    is $s->run(30)->{terminal}{event}, 'done', 'answered';
    is held(), 0, 'nothing is held';
    is spent(), ledger(), 'what is spent is what the ledger says';
    cmp_ok spent(), '<', $worst, 'less than was held';
    my $before = spent();
    my $streamed = ask({ tokens => 17 });
    my $middle = spent();
    my $at_once = once({ tokens => 17 });
    is $at_once->{status}, 200, 'not streamed';
    is spent() - $middle, $middle - $before, 'costs the same';
};

subtest 'ENG-16: failed, cancelled, left: given back' => sub {
    ask({ status => 400 });
    is held(), 0, 'after a failure';
    my $s = $client->ask({ message => 'Budget cancelled @{"tokens":500,"gap_ms":20}@' });
    $s->next(20) for 1 .. 4;
    cmp_ok held(), '>', 0, 'held while it runs';
    $client->post("/api/v1/chat/$s->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $s->{session} });
    is $s->run(30)->{terminal}{event}, 'cancelled', 'cancelled';
    is held(), 0, 'nothing is held';
    my $early = $client->ask({ message => 'Budget early @{"tokens":5,"first_ms":2000}@' });
    $early->next(20);
    $client->post("/api/v1/chat/$early->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $early->{session} });
    $early->run(30);
    is held(), 0, 'nor when no word had come';
    is spent(), ledger(), 'and the sums agree';

    # Somebody else is being decided on: this one is cancelled while it waits for its turn.
    open my $psql, '|-', "psql -qAtX -h $stack->{pg_socket} -U frontdesk_owner -d frontdesk >/dev/null" or die "psql: $!";
    $psql->autoflush(1);
    print $psql "SELECT pg_advisory_lock(hashtextextended('frontdesk budget $stack->{org}', 0));\n";
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") > 0 }, 5, 'the lock'), 'its turn is not yet';
    my $waits = $client->ask({ message => 'Budget turn @{"tokens":5}@' });
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0 }, 5, 'the job'), 'it waits';
    $client->post("/api/v1/chat/$waits->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $waits->{session} });
    sleep 0.3;
    close $psql;
    is $waits->run(30)->{terminal}{event}, 'cancelled', 'cancelled';
    ok $stack->until(sub { held() == 0 }), 'nothing is held for nobody';
};

subtest 'ENG-16: a clear refusal' => sub {
    leave(10);
    refused(ask({ tokens => 3 }), 'streamed');
    is calls($n), 0, 'no model was asked';
    my $r = once({ tokens => 3 });
    is $r->{status}, 402, 'its status';
    is $r->{json}{title}, "The budget does not allow this request.", 'a title for people';
    ok $r->{json}{detail}, 'a detail';
    unlike $r->{body}, qr/micro|0\.99|\$/, 'without the organisation\'s figures';
    is held(), 0, 'nothing is held';
    is $stack->sql("SELECT count(*) FROM alerts WHERE kind = 'budget_100'"), 1, 'its owner is told';
    budget('--monthly', '2');
    is ask({ tokens => 3 })->{terminal}{event}, 'done', 'a larger budget holds at once';
};

subtest 'ENG-16: no crowd spends more than there is' => sub {
    my $room = 7 * $worst + 100;
    leave($room);
    my $before = ledger();
    my @open = map { $client->ask({ message => "Budget crowd $_ \@{\"tokens\":400,\"first_ms\":1500}\@" }) } 1 .. 40;
    my %end;
    $end{ $_->run(40)->{terminal}{event} }++ for @open;
    my $cost = ledger() - $before;
    note "$end{done} answered, $end{error} refused, $cost of $room spent";
    is $end{done} + $end{error}, 40, 'each is answered or refused';
    cmp_ok $end{done}, '>=', 5, 'as many as there is room for';
    cmp_ok $end{done}, '<=', 9, 'and no more'; # prompts differ in length
    cmp_ok $cost, '<=', $room, 'the budget holds';
    is held(), 0, 'nothing is held';
};

subtest 'ENG-16: caps of a conversation and of a visitor' => sub {
    budget('--monthly', 'none', '--session', '0.003');
    my $first = ask({ tokens => 500 });
    is $first->{terminal}{event}, 'done', 'the first';
    my $second = ask({ tokens => 500 }, session_id => $first->{session});
    my $third = $second->{terminal}{event} eq 'done' ? ask({ tokens => 500 }, session_id => $first->{session}) : $second;
    refused($third, 'when the conversation\'s cap is met');
    like $third->{terminal}{json}{detail}, qr/^This conversation/, 'it says which';
    is ask({ tokens => 3 })->{terminal}{event}, 'done', 'another conversation is not concerned';
    budget('--session', 'none', '--user', '0.003');
    my @s = map { ask({ tokens => 900 }, user_id => 'visitor-7') } 1 .. 3;
    refused($s[2], 'a visitor\'s third conversation');
    is ask({ tokens => 3 }, user_id => 'visitor-8')->{terminal}{event}, 'done', 'another visitor is not';
    budget('--user', 'none');
};

subtest 'ENG-16: an unknown price under a budget fails closed' => sub {
    $stack->sql('DELETE FROM alerts');
    budget('--monthly', '100');
    my $s = ask({ tokens => 3 }, model_id => $unpriced);
    refused($s, 'a model without a price');
    like $s->{terminal}{json}{detail}, qr/price of $unpriced is not known/, 'it says why';
    is calls($n), 0, 'it was not asked';
    is $stack->sql("SELECT subject FROM alerts WHERE kind = 'price_unknown'"), $unpriced, 'its owner is told';
};

# What would be refused is told as refused: by every way to ask without asking.
sub told_apart {
    my ($name, $reason, @model) = @_;
    my ($question, %model) = ('Budget would be asked', @model ? (model_id => $model[0]) : ());
    my @option = @model ? ('--model', @model) : ();
    like $client->post('/api/admin/dry-run', { message => $question, %model })->{json}{refused} // '', $reason, "$name: dry run, admin API";
    like $json->decode($stack->frontdesk('dry-run', '--org', 'Demo Shop', '--json', @option, $question))->{refused} // '', $reason, "$name: dry run, command line";
    my $chat = $client->post('/api/v1/chat', { message => $question, dry_run => JSON::PP::true, %model });
    is $chat->{status}, 402, "$name: a chat's dry run";
    like $chat->{json}{detail}, $reason, "$name: why";
    like $stack->frontdesk('route', '--org', $stack->{org}, @option, $question), qr/^refused +$reason/m, "$name: frontdesk route";
    is $stack->{status}, 1, "$name: its exit status";
    return;
}
subtest 'ENG-16 ENG-18: a dry run says what the budget would' => sub {
    $stack->sql('DELETE FROM alerts');
    told_apart('no price', qr/The price of $unpriced is not known/, $unpriced);
    my $most = $client->post('/api/admin/dry-run', { message => 'Budget would be asked' })->{json}{price}{at_most_micro};
    budget('--monthly', 'none', '--session', sprintf '%.6f', ($most - 400) / 1e6);
    told_apart('a cap of conversations', qr/This conversation has used/);
    leave(10);
    budget('--session', 'none');
    told_apart('the month', qr/The month's budget has no room/);
    is $stack->sql("SELECT count(*) FROM alerts WHERE kind IN ('price_unknown', 'budget_100')"), 0, 'nobody is alarmed';
    is held(), 0, 'nothing is held';
    budget('--monthly', '100');
    is $client->post('/api/admin/dry-run', { message => 'Budget would be asked' })->{json}{refused}, undef, 'with room it would be asked';
    $stack->frontdesk('route', '--org', $stack->{org}, 'Budget would be asked');
    is $stack->{status}, 0, 'and routed';
    is $client->post('/api/v1/chat', { message => 'Budget would be asked', dry_run => JSON::PP::true })->{status}, 200, 'and a chat\'s dry run tells so';
};

subtest 'ENG-16: a dearer fallback is asked for anew' => sub {
    leave($worst * 2);
    my $s = ask({ tokens => 3, status => [500, 500, 200] });
    refused($s, 'no room for five times the price');
    is calls($n), 2, 'the fallback was not asked';
    is held(), 0, 'nothing is held';
    leave($worst * 20);
    $s = ask({ tokens => 3, status => [500, 500, 200] });
    is $s->{terminal}{json}{model}, $dear, 'with room it answers';
    is held(), 0, 'nothing is held';
};

subtest 'ENG-16: a crash: whoever takes over holds it, once' => sub {
    budget('--monthly', '100');
    $stack->start_worker('worker-2');
    my $s = $client->ask({ message => 'Budget crash @{"tokens":100,"gap_ms":30}@' });
    $s->next(20) for 1 .. 4;
    my ($owner) = $stack->sql('SELECT owner FROM budget_reservations') =~ /^(\S+)/;
    $stack->signal('KILL', 'worker', $owner);
    ok $stack->until(sub { my $o = $stack->sql('SELECT owner FROM budget_reservations'); $o && $o !~ /^$owner / }, 15, 'the other'), 'the other worker holds it';
    is $stack->sql('SELECT count(*) FROM budget_reservations'), 1, 'once';
    ok $stack->until(sub { held() == 0 }, 15, 'the end'), 'and gives it back';
    $s->close;
    $stack->start_worker($owner);
    $stack->wait_ready;
};

subtest 'ENG-16: alerts, signed, once, by one of two workers' => sub {
    $stack->sql('DELETE FROM alerts');
    my $text = frontdesk('budget', 'set', '--org', 'Demo Shop', '--alert-webhook', 'http://127.0.0.1:' . $hook->sockport . '/alerts');
    my ($secret) = $text =~ /^([0-9a-f]{64})$/m;
    ok $secret, 'the secret is shown';
    leave(150000);
    listen_for(4);
    is scalar @told, 1, 'told once' or diag explain \@told;
    my ($t) = @told;
    is $t->{json}{kind}, 'budget_80', 'of 80 per cent';
    is $t->{json}{org_id}, $stack->{org}, 'whose';
    is $t->{json}{detail}{percent}, 85, 'how much';
    my ($id) = $t->{head} =~ /^X-Frontdesk-Delivery: (\S+)\r$/m;
    is $id, $t->{json}{id}, 'with an id';
    my ($at, $hex) = $t->{head} =~ /^X-Frontdesk-Signature: t=(\d+),v1=([0-9a-f]{64})\r$/m;
    is $hex, hmac_sha256_hex("$at.$t->{body}", $secret), 'signed';
    cmp_ok abs($at - time), '<', 30, 'now';

    @told = ();
    $hook_status = 500;
    $stack->sql("UPDATE api_usage SET cost_estimate = 1000000 WHERE model_id = 'before'");
    listen_for(3);
    $hook_status = "302 Found\r\nLocation: http://127.0.0.1/\xff" . ("\xd7\xa9" x 100) . "\r\nX-Rest:";
    $stack->sql("UPDATE alerts SET next_attempt_at = now() WHERE kind = 'budget_100'");
    listen_for(3);
    like $stack->sql("SELECT last_error FROM alerts WHERE kind = 'budget_100'"), qr/^redirect: redirects \(302\) are not followed/,
        'an answer that is no text is written down as well';
    $hook_status = 200;
    $stack->sql("UPDATE alerts SET next_attempt_at = now() WHERE kind = 'budget_100'");
    listen_for(3);
    is scalar @told, 3, 'a receiver that failed is told again' or diag explain \@told;
    is $told[1]{json}{kind}, 'budget_100', 'of 100 per cent';
    is $told[$_]{json}{id}, $told[0]{json}{id}, 'under the same id' for 1, 2;
    is $stack->sql("SELECT string_agg(DISTINCT delivery, ',') FROM alerts"), 'delivered', 'and then no more';
    unlike $stack->log_text('worker-1.log') . $stack->log_text('worker-2.log'), qr/$secret/, 'no secret in a log';
    budget('--monthly', 'none', '--alert-webhook', 'none');
};

subtest 'ENG-16: over the month\'s messages: slower, and told so' => sub {
    my $used = $stack->redis('jobs', 'HGET', "fd:org:{0}:$stack->{org}", 'used');
    $stack->limits(requests_per_minute => 60, concurrent_chats => 100, messages_per_month => $used + 1);
    $stack->redis('jobs', 'HDEL', "fd:org:{0}:$stack->{org}", 'tat');
    my $s = ask({ tokens => 2 });
    is_deeply [grep { $_->{event} eq 'notice' && $_->{json}{kind} eq 'upgrade' } @{ $s->{events} }], [], 'the last one within it: no word';
    $s = ask({ tokens => 2 });
    my ($notice) = grep { $_->{event} eq 'notice' && $_->{json}{kind} eq 'upgrade' } @{ $s->{events} };
    is $notice->{json}{kind}, 'upgrade', 'beyond: an upgrade is due';
    is $s->{terminal}{event}, 'done', 'and it is answered';
    my $r = once({ tokens => 2 });
    is $r->{json}{notices}[0]{kind}, 'upgrade', 'in JSON as well';
    $r = once({ tokens => 2 }, language => 'he');
    like $r->{body}, qr/\xd7\xa9\xd7\x93\xd7\xa8\xd7\x95\xd7\x92/, 'in Hebrew';
    my ($passed, $last) = (0);
    for (1 .. 12) { $last = once({ tokens => 1 }); last if $last->{status} == 429; $passed++; }
    is $last->{status}, 429, 'one in ten a minute';
    is $last->{json}{code}, 'rate-limited', 'as a rate';
    cmp_ok $passed, '<=', 4, 'not sixty';
    $stack->limits(requests_per_minute => 60, concurrent_chats => 100, messages_per_month => $used, at_limit => 'refuse');
    $stack->redis('jobs', 'HDEL', "fd:org:{0}:$stack->{org}", 'tat');
    $r = once({ tokens => 1 });
    is $r->{json}{code}, 'quota-exhausted', 'a plan that refuses refuses';
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
};

subtest 'ENG-16: the free plan spends nothing' => sub {
    frontdesk('plan', 'set', 'free', '--org', 'Demo Shop');
    my $r = once({ tokens => 1 });
    is $r->{status}, 402, 'on a paid model';
    budget('--monthly', '50');
    is once({ tokens => 1 })->{status}, 402, 'its own budget does not lift that';
    budget('--allow', '10');
    is once({ tokens => 1 })->{status}, 200, 'the operator\'s word does';
    budget('--allow', 'plan', '--monthly', 'none');
    frontdesk('plan', 'set', 'pro', '--org', 'Demo Shop');
    is once({ tokens => 1 })->{status}, 200, 'as another plan does';
};

subtest 'ENG-16: commands' => sub {
    like frontdesk('plan', 'list'), qr/^free +20 +2 +500 +0\.00 +refuse$/m, 'plan list';
    my $plans = $json->decode(frontdesk('plan', 'list', '--json'));
    is $plans->[2]{messages_per_month}, 50000, 'in JSON';
    frontdesk('plan', 'set', 'pro', '--requests-per-minute', '400', '--monthly-budget', '9.50');
    like frontdesk('plan', 'list'), qr/^pro +400 +50 +50000 +9\.50 +throttle$/m, 'plan set';
    frontdesk('plan', 'set', 'pro', '--requests-per-minute', '300', '--monthly-budget', 'none');
    leave(250000);
    my $view = $json->decode(frontdesk('budget', 'show', '--org', $stack->{org}, '--json'));
    is $view->{used_percent}, 75, 'budget show';
    is $view->{budget_usd}, 1, 'in dollars';
    like frontdesk('budget', 'show', '--org', 'Demo Shop'), qr/^spent +0\.75 USD, 75 %$/m, 'and for people';
    frontdesk('usage', 'rate', '--model', '*', '--markup', '20', '--from', '2020-01-01');
    my $invoice = $json->decode(frontdesk('usage', 'invoice', '--org', 'Demo Shop', '--json'));
    is $invoice->{total}{charge_micro}, 900000, 'an invoice with the markup';
    my @lines = split /\r\n/, frontdesk('usage', 'report', '--org', 'Demo Shop', '--csv');
    is scalar @lines, 2, 'a report as CSV';
    like $lines[1], qr/^\d{4}-\d\d-\d\d,Demo Shop,before,before,0,0,0,0,0,0,0\.75$/, 'a line a day and model';
    like frontdesk('usage', 'invoice', '--org', 'Demo Shop'), qr/^\S+ +total .* 0\.90$/m, 'for people';
    for (['usage', 'invoice', '--org', 'Demo Shop', '--month', '2026-13'], ['budget', 'set', '--org', 'Demo Shop', '--monthly', 'much'],
         ['plan', 'set', 'gold', '--org', 'Demo Shop'], ['budget', 'show', '--org', 'Nobody']) {
        $stack->frontdesk(@$_);
        is $stack->{status}, 1, "refused: @$_";
    }
    $stack->frontdesk(qw(usage invoice));
    is $stack->{status}, 2, 'usage';
};

subtest 'ENG-16: the admin API' => sub {
    my $r = $client->get('/api/admin/budget');
    is $r->{json}{used_percent}, 75, 'budget' or diag $r->{body};
    $r = $client->get('/api/admin/usage/invoice?format=csv');
    is $r->{status}, 200, 'invoice';
    like $r->{headers}{'content-type'}, qr{^text/csv}, 'as CSV';
    like $r->{headers}{'content-disposition'}, qr/invoice-\d{4}-\d\d\.csv/, 'as a file';
    like $r->{body}, qr/^\d{4}-\d\d,Demo Shop,total,,.*,0\.75,,0\.90\r$/m, 'with its total';
    is $client->get('/api/admin/usage')->{json}{total}{cost_micro}, 750000, 'usage';
    is ref $client->get('/api/admin/alerts')->{json}{alerts}, 'ARRAY', 'alerts';
    is $client->get('/api/admin/usage?month=2026-1')->{status}, 422, 'not a month';
    is $client->get('/api/admin/usage?format=xml')->{status}, 422, 'not a format';
    $r = $client->request('PUT', '/api/admin/budget', {}, '{"monthly_budget_usd": 3, "session_cap_usd": "0.5", "user_cap_usd": null}');
    is $r->{json}{budget_usd}, 3, 'set' or diag $r->{body};
    is $r->{json}{session_cap_usd}, 0.5, 'as text, too';
    $r = $client->request('PUT', '/api/admin/budget', {}, '{"monthly_budget_usd": -3}');
    is $r->{status}, 422, 'a debt is refused';
    is $client->request('PUT', '/api/admin/budget', {}, '{"allowed": "9"}')->{status}, 422, 'the operator\'s is not theirs to set';
    is $stack->client->get('/api/admin/budget')->{status}, 403, 'not with a publishable key';
};

subtest 'ENG-16: metrics' => sub {
    my $text = join '', map { $stack->worker_get('/metrics', "worker-$_") } 1, 2; # whichever refused
    like $text, qr/^frontdesk_budget_refused_total\{cap="budget"\} [1-9]/m, 'refusals by cap';
    like $text, qr/^frontdesk_alerts_pending 0$/m, 'alerts';
};

is spent() > 0, 1, 'money was spent';
$stack->finish;
done_testing;
