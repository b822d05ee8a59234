# Redis is there, but nobody to answer: refused soon, not left waiting.  EDGE-10
# (docs/api.md: 503 when Redis or all workers are away)
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;
use Time::HiRes qw(time);

my $stack = Frontdesk::Stack->new(provider => undef);
$stack->start;
my $client = $stack->client;
my $session = $client->post('/api/v1/sessions/start', '{}')->{json}{session_id};
is $client->post('/api/v1/chat', { message => 'Hours?' })->{status}, 200, 'a worker answers';
$stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');

my %ask = (
    chat    => sub { $client->post('/api/v1/chat', { message => 'Hours?' }) },
    stream  => sub { $client->post('/api/v1/chat', { message => 'Hours?', stream => JSON::PP::true }) },
    history => sub { $client->get("/api/v1/sessions/$session/history") },
);
$client->{timeout} = 8;
for my $name (sort keys %ask) {
    my $at = time;
    my $r = $ask{$name}->();
    is $r->{status}, 503, "EDGE-10: $name: 503 when all workers are away";
    like $r->{headers}{'retry-after'} // '', qr/^[1-9]\d*$/, '... with Retry-After';
    cmp_ok time - $at, '<', $stack->limit(7), '... within 7 s';
}
is $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}'), 0, 'and no job waits';
is $client->get('/api/v1/config')->{status}, 200, 'config comes';
is $client->post('/api/v1/sessions/start', '{}')->{status}, 200, 'a session starts';

$stack->start_worker;
ok $stack->until(sub { my $r = eval { $client->post('/api/v1/chat', { message => 'Hours?' }) }; $r && $r->{status} == 200 }, 15), 'served again once one is there';
$stack->finish;
done_testing;
