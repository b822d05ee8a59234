# What is written down: lines that a machine can read, ids that join both halves, and
# never a secret or a word of what people say.  OPS-3, EDGE-9
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Frontdesk::Stack;
use Digest::SHA qw(hmac_sha256);
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();
use Test::More;

# Each of these goes in somewhere and must come out nowhere else.
my %canary = (
    message => 'canary-message-1861', answer => 'canary-answer-1862', title => 'canary-title-1863', page => 'canary-page-1864',
    user => 'canary-user-1865', client_id => 'canary-client-id-1866', idempotency => 'canary-idempotency-1867',
    identity => 'canary-identity-1868', body => 'canary-body-1869', provider_text => 'canary-provider-text-1870',
    article => 'canary-article-1871', stray_key => 'fd_sk_canaryStrayKey1872', provider_key => 'sk-canaryProviderKey1873abc',
    gateway_key => 'canary.gateway.key.1874', name => 'canary-name-1875',
);
my $stack = Frontdesk::Stack->new(worker => { OPENAI_API_KEY => $canary{provider_key} });
$stack->start;
$stack->sql("INSERT INTO articles (id, org_id, slug, title, body) VALUES ('aaaaaaaa-0000-4000-8000-000000000000', '$stack->{org}', 'canary', 'Canaries', '')");
$stack->sql("INSERT INTO article_sections (org_id, article_id, slug, position, label, body, language) VALUES"
            . " ('$stack->{org}', 'aaaaaaaa-0000-4000-8000-000000000000', 'canary', 0, 'Canaries', 'Canaries sing $canary{article}', 'en')");
my $client = $stack->client;
my $json = JSON::PP->new->utf8->canonical;
my @bodies;      # of errors, as clients were told
my $metrics = ''; # of both halves, at all times

sub base64url { my $text = MIME::Base64::encode_base64url($_[0], ''); $text =~ s/=+$//; return $text; }
sub token {
    my ($claims) = @_;
    my $signed = join '.', map { base64url($json->encode($_)) } { alg => 'HS256', typ => 'JWT' }, $claims;
    return "$signed." . base64url(hmac_sha256($signed, $canary{identity_secret}));
}
sub chat {
    my ($scenario, %more) = @_;
    my $s = $client->chat({ message => "$canary{message} canaries \@" . $json->encode($scenario) . '@', %more });
    $s->close; # nginx writes its line when the connection is over
    push @bodies, $s->{terminal}{data} if $s->{terminal}{event} eq 'error';
    return $s;
}
# Another worker in the place of the last one, once it is there.
sub restart {
    my (%environment) = @_;
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1', %environment);
    $stack->wait_ready;
    return;
}
sub post { my @request = @_; my $r = $client->post(@request); push @bodies, $r->{body}; return $r; }
sub lines { my ($name) = @_; return map { eval { $json->decode($_) } || {} } split /\n/, $stack->log_text($name); }
sub worker_http {
    my ($path) = @_;
    my ($head, $body) = split /\r\n\r\n/, $stack->worker_get($path), 2;
    $metrics .= $body;
    return { status => $head =~ m{^HTTP/1\.[01] (\d+)}, body => $body };
}

# {name{labels}: value}, after a check of the exposition format.
sub metrics {
    my ($text) = @_;
    my (%values, %type, @bad);
    for (split /\n/, $text) {
        if (/^# TYPE (\w+) (counter|gauge|histogram)$/) { push @bad, "$_ (twice)" if $type{$1}; $type{$1} = $2; }
        elsif (/^# HELP \w+ \S/) { }
        elsif (/^(\w+)(\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})? (-?\d[\d.e+-]*|NaN|[+-]Inf)$/) {
            my ($name, $labels, $value) = ($1, $2 // '', $3);
            (my $family = $name) =~ s/_(?:bucket|sum|count)$//;
            push @bad, "$_ (no type)" unless $type{$name} || ($type{$family} // '') eq 'histogram';
            push @bad, "$_ (twice)" if exists $values{"$name$labels"};
            $values{"$name$labels"} = $value;
        } else { push @bad, $_; }
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply \@bad, [], 'in Prometheus\' format';
    for my $family (grep { $type{$_} eq 'histogram' } sort keys %type) {
        my %series;
        for (keys %values) { push @{ $series{$1} }, [$2 eq '+Inf' ? 9e99 : $2, $values{$_}] if /^${family}_bucket\{(.*?),?le="([^"]+)"\}$/; }
        for my $labels (keys %series) {
            my @counts = map { $_->[1] } sort { $a->[0] <=> $b->[0] } @{ $series{$labels} };
            is_deeply \@counts, [sort { $a <=> $b } @counts], "$family is cumulative";
            is $counts[-1], $values{ $family . '_count' . ($labels ? "{$labels}" : '') }, 'and ends at its count';
        }
    }
    return \%values;
}

my %before;
subtest 'OPS-3: metrics of both halves can be read' => sub {
    my $r = worker_http('/metrics');
    is $r->{status}, 200, 'the worker\'s';
    $before{worker} = metrics($r->{body});
    $r = $client->get('/metrics');
    is $r->{status}, 200, 'EDGE-9: nginx\'s';
    $before{nginx} = metrics($r->{body});
    is_deeply $json->decode(worker_http('/healthz')->{body}), { status => 'ok', worker => 'worker-1', jobs => JSON::PP::true, live => JSON::PP::true, running => 0, slots => 1000 },
        'the worker\'s health';
    is worker_http('/none')->{status}, 404, 'and nothing else is there';
};

# -- every way in -----------------------------------------------------------------------------

my $s = chat({}, identity => $canary{identity});
is $s->{terminal}{event}, 'error', 'WID-5: an identity that proves nothing';
$canary{identity_secret} = (split /\n/, $stack->frontdesk(qw(identity create --org), $stack->{org}))[0];
$canary{token} = token({ sub => $canary{user}, name => $canary{name}, exp => int(time) + 600 });
$s = chat({ text => "$canary{answer} [article:canary]" }, user_id => $canary{user}, client_message_id => $canary{client_id},
          identity => $canary{token}, context => { page_url => "https://shop.example/$canary{page}", title => $canary{title} });
is $s->{terminal}{event}, 'done', 'an answer' or diag explain $s->{terminal};
my ($call) = grep { $_->{event} eq 'request' } reverse $stack->journal;
like $json->encode($call->{body}), qr/$canary{message}.*|$canary{article}/, 'the canaries sing where they may';
is $call->{headers}{authorization}, "Bearer $canary{provider_key}", 'and the provider had its key';
post('/api/v1/chat', { message => "$canary{message} once" }, { 'Idempotency-Key' => $canary{idempotency} });
post('/api/v1/chat', { message => "$canary{message} twice" }, { 'Idempotency-Key' => $canary{idempotency} });
post('/api/v1/chat', { message => $canary{message}, nonsense => $canary{body} });
post('/api/v1/chat', "{\"message\": \"$canary{message}\", \"$canary{body}");
post('/api/v1/chat', { message => "\0$canary{body}" });
post('/api/v1/chat', { message => $canary{message} x 4000 });
post('/api/v1/chat', { message => $canary{message}, model_id => 'no-such-model' });
post('/api/v1/chat', { message => $canary{message}, session_id => 'x' . $canary{body} });
post('/api/v1/chat', { message => $canary{message} }, { 'X-Api-Key' => $canary{stray_key} });
post('/api/v1/chat', { message => $canary{message} }, { 'X-Api-Key' => $stack->{sk} });
post('/api/v1/chat', { message => $canary{message}, client_api_key => $canary{stray_key} }, { 'X-Api-Key' => '' });
push @bodies, $client->get("/api/v1/sessions/$s->{session}/history?limit=x$canary{body}")->{body};
push @bodies, $client->get('/api/v1/config', { Authorization => "Bearer $canary{stray_key}", 'X-Api-Key' => '' })->{body};
push @bodies, $client->get("/api/v1/config?client_key=$canary{stray_key}", { 'X-Api-Key' => '' })->{body};
push @bodies, $client->get('/api/v1/config', { Origin => "https://$canary{body}.example" })->{body};

# What a provider says of a bad request or a bad key may quote both.
my $quote = { error => { message => "$canary{provider_text}: you said '$canary{message}' with key $canary{provider_key} or $canary{gateway_key}",
                         type => 'invalid_request_error', code => 'nonsense', param => $canary{provider_text} } };
is chat({ status => $_, error_body => $quote })->{terminal}{event}, 'error', "the provider answers $_" for 400, 401, 404, 500;
chat({ text => 'x' }); # not five failures in a row
is chat({ tokens => 5, error_after => 2 })->{terminal}{event}, 'error', 'an error after the first words';
is chat({ tokens => 3, garbage => 100 })->{terminal}{event}, 'error', 'garbage';
chat({ text => 'x' });
is chat({ tokens => 5, cut_at => 900 })->{terminal}{event}, 'error', 'a cut';
my $hold = $client->ask({ message => "$canary{message} hold \@{\"tokens\":300,\"gap_ms\":20}\@" });
$hold->next(20) for 1 .. 3;
$client->post("/api/v1/chat/$hold->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $hold->{session} });
$hold->run(30);

# A path that is no UTF-8 and tries to be JSON, from a client that is no friend.
my $raw = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $stack->{port}) or die "connect: $!";
print $raw "GET /api/v1/%ff%fe%22,%22level%22:%22x%5c\xff HTTP/1.1\r\nHost: x\r\nX-Api-Key: \xff\"\r\nConnection: close\r\n\r\n";
{ local $/; push @bodies, <$raw> // ''; }
close $raw;

worker_http('/metrics');
restart(OPENAI_API_KEY => $canary{gateway_key});
chat({ status => 401, error_body => $quote });

subtest 'OPS-3: every line is JSON' => sub {
    for my $name ('access.log', 'worker-1.log') {
        my @lines = split /\n/, $stack->log_text($name);
        cmp_ok scalar @lines, '>', 15, "$name has lines";
        my @bad = grep { !eval { ref $json->decode($_) eq 'HASH' } } @lines;
        is_deeply \@bad, [], "$name: all of them objects";
    }
    my @worker = lines('worker-1.log');
    is scalar(grep { ($_->{ts} // '') !~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ } @worker), 0, 'each with its time';
    is scalar(grep { ($_->{level} // '') !~ /^(?:info|warn|error)$/ || ($_->{role} // '') ne 'worker' || !$_->{pid} || ($_->{event} // '') !~ /^\w+\.\w+$/ } @worker), 0,
        'level, role, process and event';
};

subtest 'OPS-3: the production example writes the same line' => sub {
    my %format;
    for my $file (qw(nginx.private.conf.in nginx.conf.example)) {
        open my $in, '<', Frontdesk::Stack::root() . "/conf/$file" or die "$file: $!";
        my $text = do { local $/; <$in> };
        my ($format) = $text =~ /log_format frontdesk escape=json(.*?);/s;
        $format{$file} = { $format =~ /"(\w+)":"?\$(\w+)/g };
    }
    is delete $format{'nginx.conf.example'}{address}, 'remote_addr', 'with the client\'s address';
    is_deeply $format{'nginx.conf.example'}, $format{'nginx.private.conf.in'}, 'the same fields of the same values';
};

subtest 'OPS-3: ids join both halves' => sub {
    my ($access) = grep { ($_->{job} // '') eq $s->{job} && $_->{method} eq 'POST' } lines('access.log');
    like $access->{request_id}, qr/^[0-9a-f]{32}$/, 'nginx\'s line of the job has a request id';
    is $access->{org}, $stack->{org}, 'the organisation';
    is $access->{session}, substr(sha256_hex($s->{session}), 0, 16), 'and the conversation, as a hash';
    my @worker = grep { ($_->{job_id} // '') eq $s->{job} } lines('worker-1.log');
    my ($meta) = grep { $_->{event} eq 'meta' } @{ $s->{events} };
    for my $event (qw(job.started job.routed job.ended)) {
        my ($line) = grep { $_->{event} eq $event } @worker;
        is_deeply [@{ $line || {} }{qw(request_id conversation_id org_id)}], [$access->{request_id}, $meta->{json}{conversation_id}, $stack->{org}], "the worker's $event has the same";
    }
    is $stack->sql("SELECT request_id || ' ' || conversation_id FROM jobs WHERE id = '$s->{job}'"), "$access->{request_id} $meta->{json}{conversation_id}", 'and PostgreSQL';
    my ($failed) = grep { $_->{event} eq 'provider.failed' } lines('worker-1.log');
    is_deeply [map { defined $failed->{$_} ? 1 : 0 } qw(job_id request_id provider model class status)], [1, 1, 1, 1, 1, 1], 'a provider\'s failure is told with its ids, class and status';
    my $refused = $client->post('/api/v1/chat', { message => '' });
    my $line = $stack->until(sub { # nginx writes it behind the answer
        my ($found) = grep { ($_->{request_id} // '') eq $refused->{json}{request_id} } lines('access.log');
        return $found;
    }, 5, 'the line of a refusal');
    is $line->{status}, 422, 'a refusal\'s request id is in the log';
};

subtest 'OPS-3: the worker\'s metrics have moved' => sub {
    chat({ tokens => 7 });
    my $now = metrics(worker_http('/metrics')->{body});
    is $now->{'frontdesk_jobs_total{outcome="done"}'}, 1, 'answers since this worker\'s start';
    is $now->{'frontdesk_jobs_total{outcome="failed"}'}, 1, 'failures';
    is $now->{'frontdesk_tokens_total{direction="output"}'}, 7, 'tokens';
    is $now->{'frontdesk_tokens_total{direction="cached"}'}, 40, 'cached ones';
    is $now->{frontdesk_first_token_seconds_count}, 1, 'a first token';
    is $now->{frontdesk_answer_seconds_count}, 2, 'two ends';
    cmp_ok $now->{'frontdesk_provider_errors_total{class="auth"}'}, '>=', 1, 'provider errors by class';
    ok $stack->until(sub { 2 == grep { $_ } @{ quick() }{map { "frontdesk_redis_up{role=\"$_\"}" } qw(jobs live)} }, 6, 'redis_up'), 'both Redis servers are up';
    my $running = sub { my $values = quick(); return join ' ', sort map { /^frontdesk_jobs_running\{state="(\w+)"/ && $values->{$_} != 0 ? $1 : () } keys %$values };
    ok $stack->until(sub { $running->() eq '' }, 5, 'the end'), 'no job is running';
    my $slow = $client->ask({ message => 'Slow @{"tokens":400,"gap_ms":50}@' });
    $slow->next(20) for 1 .. 3;
    is $running->(), 'streaming', 'one is, by state';
    ok $stack->until(sub { quick()->{frontdesk_queue_length} }, 10, 'the queue\'s length'), 'and is in the queue';
    $client->post("/api/v1/chat/$slow->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $slow->{session} });
    $slow->run(30);
    my $nginx = metrics($client->get('/metrics')->{body});
    my @grown = grep { /^frontdesk_edge_(?:requests_total|events_total|admissions_total\{result="admitted"\})$/ && $nginx->{$_} > $before{nginx}{$_} } sort keys %$nginx;
    is scalar @grown, 3, 'EDGE-9: nginx\'s, too: requests, events and admissions' or diag explain $nginx;
};
sub quick { my %values = worker_http('/metrics')->{body} =~ /^([^#\s]\S*) (\S+)$/mg; return \%values; }

subtest 'OPS-3: no secret and no word of anybody' => sub {
    my ($host) = $stack->stack('environment', 'x') =~ /FRONTDESK_DATABASE_URL='host=(\S+)/;
    my %text = (
        'PostgreSQL\'s log' => do { open my $in, '<', "$host/log" or die "$host/log: $!"; local $/; <$in> },
        'error bodies' => join("\n", @bodies),
        '/metrics' => $metrics . $client->get('/metrics')->{body},
    );
    opendir my $logs, "$stack->{dir}/log" or die "log: $!";
    $text{$_} = $stack->log_text($_) for grep { !/^\./ } readdir $logs;
    ok exists $text{$_}, "$_ was read" for qw(access.log nginx-error.log worker-1.log jobs.log live.log);
    my %secret = (%canary, 'publishable key' => $stack->{pk}, 'secret key' => $stack->{sk}, 'session id' => $s->{session});
    for my $where (sort keys %text) {
        my @found = grep { index($text{$where}, $secret{$_}) >= 0 } sort keys %secret;
        is_deeply \@found, [], $where or diag map { my $c = quotemeta $secret{$_}; $text{$where} =~ /^(.*$c.*)$/m ? substr($1, 0, 500) . "\n" : () } @found;
    }
};

$stack->finish;
done_testing;
