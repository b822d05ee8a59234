# The main job, end to end on real parts: a question in, a streamed answer out.
# EDGE-5, EDGE-6, EDGE-7, ENG-1, ENG-7, ENG-9
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new;
$stack->start;
my $client = $stack->client;

my $session;
subtest 'EDGE-5 EDGE-6: an answer streams as server-sent events' => sub {
    my $s = $client->chat({ message => 'Hello @{"tokens":20,"gap_ms":5}@' });
    is $s->{status}, 200, 'status';
    like $s->{headers}{'content-type'}, qr{^text/event-stream}, 'content type';
    like $s->{headers}{'cache-control'}, qr/no-cache/, 'not cached';
    is $s->{headers}{'x-accel-buffering'}, 'no', 'not buffered by an outer proxy';
    is $s->{headers}{'access-control-allow-origin'}, $stack->{origin}, 'CORS';
    like $s->{job}, qr/^0-[0-9a-f]{32}$/, 'job id';
    like $s->{session}, qr/^[\w-]{32}$/, 'session id';
    is $s->{text}, join('', map { "word$_ " } 1 .. 20), 'the whole text';
    is $s->{broken}, 0, 'ids without a gap' or diag explain $s->{gaps};
    is $s->{events}[0]{event}, 'meta', 'meta first';
    is $s->{events}[0]{id}, '1-0', 'explicit id';
    is $s->{events}[0]{json}{model}, 'mock-fast', 'the model';
    is $s->{events}[0]{json}{tier}, 'fast', 'the tier';
    is $s->{terminal}{event}, 'done', 'terminal event';
    is $s->{terminal}{json}{finish_reason}, 'stop', 'finish_reason';
    is_deeply [@{ $s->{terminal}{json}{usage} }{qw(input_tokens output_tokens cache_read_tokens)}], [60, 20, 40], 'ENG-6: usage in disjoint buckets';
    cmp_ok scalar(grep { $_->{event} eq 'delta' } @{ $s->{events} }), '>', 5, 'really streamed';
    $session = $s->{session};
};

subtest 'ENG-7: the conversation is remembered' => sub {
    my $s = $client->chat({ message => 'And then?', session_id => $session });
    is $s->{terminal}{event}, 'done';
    is $s->{session}, $session, 'same session';
    my ($last) = grep { $_->{event} eq 'request' } reverse $stack->journal;
    my @roles = map { $_->{role} } @{ $last->{body}{messages} };
    is_deeply [grep { $_ ne 'system' } @roles], [qw(user assistant user)], 'history went along';
};

subtest 'EDGE-5: JSON when asked for' => sub {
    my $r = $client->post('/api/v1/chat', { message => 'Hi @{"text":"Good day."}@' });
    is $r->{status}, 200;
    like $r->{headers}{'content-type'}, qr{^application/json};
    is $r->{json}{response}, 'Good day.';
    like $r->{json}{session_id}, qr/^[\w-]{32}$/;
    is ref $r->{json}{tool_calls_made}, 'ARRAY';
    ok $r->{json}{message_id}, 'message id';
};

subtest 'EDGE-5: Prefer: respond-async (RFC 7240): accepted now, read later' => sub {
    my %body = (message => 'Later @{"text":"In good time."}@', client_message_id => 'later-1', session_id => $session);
    my $r = $client->post('/api/v1/chat', \%body, { Prefer => 'respond-async' });
    is $r->{status}, 202, 'accepted';
    is $r->{headers}{'preference-applied'}, 'respond-async';
    is $r->{headers}{location}, "/api/v1/chat/$r->{json}{job_id}/events", 'where the answer is';
    is $client->post('/api/v1/chat', \%body, { Prefer => 'respond-async' })->{json}{job_id}, $r->{json}{job_id}, 'a repetition names the same job';
    my $s = $client->resume($r->{json}{job_id}, $session)->run(30);
    is $s->{terminal}{json}{response}, 'In good time.', 'the answer';
};

subtest 'EDGE-7: history, paged' => sub {
    my $r = $client->get("/api/v1/sessions/$session/history?limit=2");
    is $r->{status}, 200;
    is scalar @{ $r->{json}{messages} }, 2, 'a page';
    ok $r->{json}{next_cursor}, 'more to come';
    my @all = @{ $r->{json}{messages} };
    my $next = $client->get("/api/v1/sessions/$session/history?limit=100&cursor=$r->{json}{next_cursor}");
    push @all, @{ $next->{json}{messages} };
    my %ids = map { $_->{id} => 1 } @all;
    is scalar keys %ids, scalar @all, 'none twice';
    is scalar(grep { $_->{role} eq 'assistant' } @all), 3, 'three answers';
};

subtest 'EDGE-5 ENG-9: the same request is answered once' => sub {
    my %body = (message => 'Once @{"tokens":7}@', client_message_id => 'c0ffee-1', session_id => $session);
    my $first  = $client->chat(\%body);
    my $again  = $client->chat(\%body);
    is $again->{status}, 200;
    is $again->{job}, $first->{job}, 'the same job';
    is $again->{text}, $first->{text}, 'the same answer';
    my $other = $client->ask({ %body, message => 'Something else' });
    is $other->{status}, 422, 'another body under the same id';
    is scalar(grep { $_->{event} eq 'request' && $_->{question} =~ /^Once/ } $stack->journal), 1, 'one upstream call';
};

subtest 'ENG-9: one answer at a time in a conversation' => sub {
    my $slow = $client->ask({ message => 'Slow @{"tokens":20,"gap_ms":50}@', session_id => $session });
    $slow->next(20);
    my $r = $client->post('/api/v1/chat', { message => 'Me too', session_id => $session });
    is $r->{status}, 409;
    is $r->{json}{job_id}, $slow->{job}, 'names the running job';
    my $attached = $client->resume($r->{json}{job_id}, $session);
    $attached->run(30);
    $slow->run(30);
    is $attached->{text}, $slow->{text}, 'both saw the whole answer';
};

subtest 'EDGE-7: cancel' => sub {
    my $s = $client->ask({ message => 'Long @{"tokens":500,"gap_ms":20}@', session_id => $session });
    $s->next(20) for 1 .. 4;
    my $r = $client->post("/api/v1/chat/$s->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $session });
    is $r->{status}, 200;
    $s->run(30);
    is $s->{terminal}{event}, 'cancelled', 'the stream says so';
    my $end = $stack->until(sub { my ($e) = grep { $_->{event} eq 'end' && $_->{question} =~ /^Long/ } $stack->journal; $e }, 5, 'upstream end');
    is $end->{how}, 'client', 'the upstream connection was closed';
    my $again;
    my $told = $stack->until(sub { # the job's state follows its last event
        $again = $client->post("/api/v1/chat/$s->{job}/cancel", '{}', { 'X-Frontdesk-Session' => $session });
        return $again->{status} != 200 || $again->{json}{state} eq 'cancelled';
    });
    is $again->{status}, 200, 'cancelling twice is fine';
    is $again->{json}{state}, 'cancelled', 'and tells the state';
    my ($cost) = $stack->sql("SELECT estimated::text || ' ' || (tokens_output > 0)::text FROM usage_ledger WHERE job_id = '$s->{job}'");
    is $cost, 'true true', 'what was generated is billed, marked estimated';
};

subtest 'EDGE-7: config and end' => sub {
    my $r = $client->get('/api/v1/config');
    is $r->{status}, 200;
    ok exists $r->{json}{$_}, "config has $_" for qw(branding theme position greeting suggested_questions languages features models default_model_id);
    my $end = $client->delete_("/api/v1/sessions/$session/end");
    is $end->{status}, 200;
};

subtest 'ENG-1: grounded in the articles, with citations checked' => sub {
    my $s = $client->chat({ message => 'How long does shipping take?' });
    my ($request) = grep { $_->{event} eq 'request' } reverse $stack->journal;
    my $prompt = JSON::PP->new->canonical->encode($request->{body}{messages});
    like $prompt, qr/\[article:[\w-]+\]/, 'the articles went to the model';
    my ($id) = $prompt =~ /\[(article:[\w-]+)\]/;
    my $cited = $client->chat({ message => "How long does shipping take? \@{\"text\":\"Two days [$id] or so [article:invented].\"}\@" });
    is_deeply [map { $_->{id} } @{ $cited->{terminal}{json}{citations} }], [$id], 'the sent one is cited, the invented one dropped';
    is_deeply [map { $_->{json}{id} } grep { $_->{event} eq 'citation' } @{ $cited->{events} }], [$id], 'citation event';
};

ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
is_deeply $stack->redis('jobs', 'KEYS', 'fd:sess:*'), [], 'no session lock is left';
ok $stack->until(sub { $stack->sql("SELECT count(*) FROM jobs WHERE state = 'running'") == 0 }, 15), 'no job is left running';
my $log = $stack->log_text('worker-1.log') . $stack->log_text('access.log');
unlike $log, qr/Hello|Good day|word3/, 'OPS-3: no message text in the logs';
unlike $log, qr/fd_[ps]k_\w{20}|sk-test/, 'OPS-3: no secret in the logs';
$stack->finish;
done_testing;
