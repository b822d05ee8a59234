# POST /v1/chat/completions on bad days: clients that leave, a worker that dies, Redis
# away.  EDGE-11
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Door qw(error_of frames content read_until);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $door = Frontdesk::Door->new;
my ($stack, $impatient) = @$door{qw(stack impatient)};
my ($json, $true) = ($Frontdesk::Door::json, JSON::PP::true);

subtest 'EDGE-11: a client that leaves stops the provider' => sub {
    for my $stream (0, 1) {
        my $b = $door->body({ tokens => 400, gap_ms => 50 }, $stream ? (stream => $true) : ());
        my $question = $b->{messages}[0]{content};
        my $s = $door->send_($b);
        $stack->until(sub { $door->asked($question) }, 5);
        sleep 0.2;
        close $s;
        ok $stack->until(sub { $door->provider_end($question) }, 10), $stream ? 'of a stream' : 'of an answer in one piece';
        is $door->provider_end($question)->{how}, 'client', 'its connection is closed';
    }
};

subtest 'EDGE-11: with an idempotency key it may come back' => sub {
    my $b = $door->body({ tokens => 30, gap_ms => 50 });
    my $s = $door->send_($b, undef, 'Idempotency-Key' => 'back-1');
    $stack->until(sub { $door->asked($b->{messages}[0]{content}) }, 5);
    close $s;
    my $r = $door->ask($b, 'Idempotency-Key' => 'back-1');
    is $r->{json}{choices}[0]{message}{content}, join('', map { "word$_ " } 1 .. 30), 'the whole answer';
    is $door->asked($b->{messages}[0]{content}), 1, 'asked for once';
};

subtest 'EDGE-11: the same key long after' => sub {
    my $tools = [map { { type => 'function', function => { name => $_ } } } qw(f g)];
    my %scenario = (whole => { text => "Said – once. \"x\"" }, calls => { text => 'Let me see. ', tools => [{ name => 'f', arguments => { a => 1 } }, { name => 'g', arguments => {} }] });
    for my $what (sort keys %scenario) {
        for my $stream (0, 1) {
            my $b = $door->body($scenario{$what}, tools => $tools, $stream ? (stream => $true, stream_options => { include_usage => $true }) : ());
            my $first = $door->ask($b, 'Idempotency-Key' => "long-$what-$stream");
            $stack->redis('live', 'DEL', "fd:ev:$first->{headers}{'x-frontdesk-job'}");
            my $again = $door->ask($b, 'Idempotency-Key' => "long-$what-$stream");
            is $again->{status}, 200, "$what, " . ($stream ? 'streamed' : 'in one piece') . ': from the database' or diag $again->{body};
            if ($stream) {
                my ($old, $new) = map { (frames($_->{body}))[0] } $first, $again;
                is content($new), content($old), 'the same text';
                is $new->[-1], '[DONE]', 'to its end';
                is_deeply $json->decode($new->[-2])->{usage}, $json->decode($old->[-2])->{usage}, 'and usage';
                is calls_of($new), calls_of($old), 'and calls';
            } else {
                is_deeply $again->{json}, $first->{json}, 'the same answer';
            }
        }
    }
};
sub calls_of {
    my ($data) = @_;
    my @calls;
    for (map { @{ $_->{choices}[0]{delta}{tool_calls} || [] } } map { $json->decode($_) } grep { $_ ne '[DONE]' } @$data) {
        $calls[ $_->{index} ] .= join ' ', map { $_ // '' } @$_{qw(id type)}, $_->{function}{name}, $_->{function}{arguments};
    }
    return join ' | ', map { s/\s+//gr } @calls;
}

subtest 'EDGE-11: what nobody waits for any more is not done' => sub {
    my $b = $door->body({ tokens => 2000, gap_ms => 50 }, stream => $true);
    my $before = $door->jobs_made;
    $stack->signal(STOP => 'jobs'); # the admission is on its way
    my $r = $door->ask($b);
    $stack->signal(CONT => 'jobs');
    is error_of($r), '503 unavailable - server_error', 'the client is told to come back';
    ok $stack->until(sub { $door->jobs_made > $before }, 10), 'the job was made all the same';
    ok $stack->until(sub { $door->jobs_left == 0 }, 20), 'and stopped, not for want of listeners in 30 s';
};

subtest 'EDGE-11: a worker that dies' => sub {
    my $late = $door->open_($door->body({ tokens => 40, gap_ms => 100 }, stream => $true)); # has begun when it happens
    my $early = $door->send_($door->body({ tokens => 3, first_ms => 3000 }, stream => $true), $impatient); # its header is sent when it happens
    read_until($late, qr/word3/);
    $stack->signal(KILL => 'worker', 'worker-1');
    $stack->start_worker('worker-2', FRONTDESK_HEARTBEAT_MS => 300, FRONTDESK_TAKEOVER_IDLE_MS => 2000); # it need not wait so long
    $late->{timeout} = 40;
    $late->read_all;
    my ($data, $odd) = frames($late->{body});
    is_deeply $odd, [], 'after the first byte: only frames';
    is $json->decode($data->[-1])->{error}{code}, 'interrupted', 'an error, since nothing can be spliced';
    my $stream = Frontdesk::Client::Stream->new($early, 40);
    $stream->read_head;
    $stream->read_all;
    is $stream->{status}, 200, 'before the first token nothing is seen of it';
    is content((frames($stream->{body}))[0]), 'word1 word2 word3 ', 'but the whole answer';
};

subtest 'EDGE-11: a reload of nginx' => sub {
    my $s = $door->open_($door->body({ tokens => 20, gap_ms => 100 }, stream => $true));
    read_until($s, qr/word2/);
    $stack->must('nginx', 'reload');
    $s->read_all;
    my ($data) = frames($s->{body});
    is content($data), join('', map { "word$_ " } 1 .. 20), 'lets a stream come to its end';
    is $data->[-1], '[DONE]', 'which cannot be resumed';
};

subtest 'EDGE-11: nobody there' => sub {
    $stack->must('live', 'stop');
    $stack->redis_forget;
    my $r = $stack->until(sub { my $r = $door->ask($door->body({ tokens => 1 })); $r->{status} == 503 ? $r : undef }, 5);
    is error_of($r), '503 unavailable - server_error', 'Redis is away';
    ok $r->{headers}{'retry-after'}, 'and says when to come back';
    $stack->must('live', 'start');
    ok $stack->until(sub { $door->ask($door->body({ tokens => 1 }))->{status} == 200 }, 15), 'it is back';
};

is $stack->sql("SELECT count(*) FROM conversations"), 0, 'no conversation was made';
ok $stack->until(sub { $door->jobs_left == 0 }, 15), 'the queue is empty';
ok $stack->until(sub { $stack->metrics->{frontdesk_edge_streams} == 0 }, 20), 'nothing is left open';
$stack->finish;
done_testing;
