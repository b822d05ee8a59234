# Redis on bad days: killed, restarted, frozen, full.
# EDGE-10, ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Frontdesk::Stack->new;
$stack->start;
my $client = $stack->client;
my $words = 40;
my $whole = join '', map { "word$_ " } 1 .. $words;

sub quick { my ($code, $limit, $what) = @_; my $at = time; my $r = $code->(); cmp_ok time - $at, '<', $stack->limit($limit), "$what: within $limit s"; return $r; }
sub normal {
    my ($seconds) = @_;
    my $at = time;
    my $ok = $stack->until(sub { my $r = eval { $client->post('/api/v1/chat', { message => 'Back? @{"tokens":2}@' }) }; $r && $r->{status} == 200 }, $seconds, 'normal service');
    my $took = time - $at;
    ok $ok && $took < $stack->limit($seconds), "back to normal within $seconds s" or diag sprintf 'after %.1f s', $took;
    return;
}

for my $role (qw(jobs live)) {
    subtest "EDGE-10: the $role server is killed while an answer runs" => sub {
        my $s = $client->ask({ message => "Kill $role \@{\"tokens\":$words,\"gap_ms\":50}\@" });
        is $s->{status}, 200, 'a question' or diag $s->read_all;
        $s->next(20) for 1 .. 5;
        $stack->signal(KILL => $role);
        $stack->redis_forget;
        my $refused = quick(sub { $client->post('/api/v1/chat', { message => 'Anybody?' }) }, 20, 'a question meanwhile');
        is $refused->{status}, 503, 'is refused';
        ok $refused->{headers}{'retry-after'}, 'with Retry-After';
        is $client->get('/healthz')->{status}, 200, 'nginx is alive';
        is $client->get('/api/v1/config')->{status}, 200, 'config comes from the cache';
        is $client->get('/readyz')->{status}, 503, 'but not ready';
        $stack->must($role, 'start');
        normal(5);
        my ($job, $session) = @$s{qw(job session)};
        $s->run(40);
        if (!$s->{terminal}) { my $more = $client->resume($job, $session, $s->{last_id})->follow($s); $more->run(30); $s = $more; }
        is $s->{text}, $whole, 'the answer came whole';
        is $s->{broken}, 0, 'in order' or diag explain $s->{gaps};
        is $stack->sql("SELECT count(*) FROM messages WHERE job_id = '$job' AND role = 'assistant'"), 1, 'once';
    };

    subtest "EDGE-10: the $role server is frozen" => sub {
        $stack->signal(STOP => $role);
        sleep 1.2; # a key that is known here is trusted for a second more
        my $r = quick(sub { $client->post('/api/v1/chat', { message => 'Frozen?' }) }, 25, 'a question');
        is $r->{status}, 503, 'refused, not hung';
        is quick(sub { $client->get('/healthz') }, 1, 'health')->{status}, 200;
        $stack->signal(CONT => $role);
        normal(8);
    };
}

subtest 'EDGE-2 EDGE-10: the live server lost its memory: keys are valid again within 5 s' => sub {
    my ($used, $unused) = map { $stack->key(qw(create --kind sk --name), $_)->{key} } qw(used unused);
    my $start = sub { my ($key) = @_; return $stack->client(key => $key, origin => undef)->post('/api/v1/sessions/start', '{}')->{status} };
    is $start->($used), 200, 'a key';
    $stack->signal(KILL => 'live');
    $stack->redis_forget;
    $stack->must('live', 'start');
    my $at = time;
    ok $stack->until(sub { $start->($unused) == 200 }, 5, 'the key'), 'one that nginx never saw';
    is $start->($used), 200, 'one that it did';
    is $start->($unused =~ s/.$/!/r), 401, 'what is no key is nobody\'s again';
    is $stack->redis('live', 'EXISTS', 'fd:keys:synced'), 1, 'the mark is there';
    cmp_ok time - $at, '<', $stack->limit(5), 'within 5 s, not with the next minute\'s synchronisation';
};

subtest 'EDGE-10: who waits for a whole answer does not wait for ever' => sub {
    my $pid = fork;
    if (!$pid) {
        $stack->{owner} = 0;
        my $at = time;
        my $r = $client->post('/api/v1/chat', { message => 'Whole @{"tokens":400,"gap_ms":50}@' });
        POSIX::_exit($r->{status} == 503 && $r->{headers}{'retry-after'} && time - $at < 25 ? 0 : 1);
    }
    sleep 1;
    $stack->signal(KILL => 'live');
    $stack->redis_forget;
    waitpid $pid, 0;
    is $?, 0, '503 with Retry-After while the live server stays away';
    $stack->must('live', 'start');
    normal(5);
    ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 40), 'the answer ends all the same';
};

subtest 'a full jobs server refuses whole' => sub {
    my %info = $stack->redis('jobs', 'INFO', 'memory') =~ /^(used_memory):(\d+)/m;
    $stack->redis('jobs', 'CONFIG', 'SET', 'maxmemory', $info{used_memory} - 1000);
    my $r = $client->post('/api/v1/chat', { message => 'Full?' });
    is $r->{status}, 503, 'refused';
    ok $r->{headers}{'retry-after'}, 'with Retry-After';
    is_deeply $stack->redis('jobs', 'KEYS', 'fd:sess:*'), [], 'and left nothing behind';
    $stack->redis('jobs', 'CONFIG', 'SET', 'maxmemory', 0);
    normal(5);
};

ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
$stack->finish;
done_testing;
