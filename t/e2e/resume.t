# Resume: a client cut anywhere assembles the same text from any nginx process,
# during the answer, after it, and after its events expired.
# EDGE-5, EDGE-6, ENG-9, WID-4 (the server's part)
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;

my $long = $ENV{FRONTDESK_LONG};
my $stack = Frontdesk::Stack->new(env => { STACK_NGINX_WORKERS => 2 });
$stack->start;
my $client = $stack->client;
my $words = 24;
my $whole = join '', map { "word$_ " } 1 .. $words;
my $question = "Count \@{\"tokens\":$words,\"gap_ms\":8}\@";

my $first = $client->chat({ message => $question });
is $first->{text}, $whole, 'the answer';
my @ids = map { $_->{id} } @{ $first->{events} };

subtest 'EDGE-6: resume of a finished answer, from every id' => sub {
    for my $k (0 .. $#ids - 1) {
        my $s = $client->resume($first->{job}, $first->{session}, $ids[$k]);
        my $expected = join '', map { $_->{json}{text} } grep { $_->{event} eq 'delta' } @{ $first->{events} }[$k + 1 .. $#ids];
        $s->{last_id} = $ids[$k];
        $s->run(30);
        is $s->{text}, $expected, "from $ids[$k]" or last;
        is $s->{broken}, 0, 'no gap' or last;
        is $s->{terminal}{event}, 'done' or last;
    }
};
is $client->resume($first->{job}, $first->{session}, $ids[-1])->{status}, 204, 'EDGE-6: fully read: 204, so that EventSource stops';
is $client->resume($first->{job}, $first->{session})->run(30)->{text}, $whole, 'from the start without an id';

subtest 'EDGE-6: cut after every event of a running answer' => sub {
    my @cuts = $long ? (1 .. $words + 1) : (1, 2, 5, 9, 17, $words);
    for my $cut (@cuts) {
        my $n = 0;
        my $s = $client->persevere({ message => "$question $cut" }, each => sub { $n++ < $cut || $n > $cut + 1 });
        is $s->{text}, $whole, "cut after $cut";
        is $s->{broken}, 0, 'no gap and no double' or diag explain $s->{gaps};
        is $s->{resets} // 0, 0, 'without a reset';
    }
};

subtest 'EDGE-6: many readers of one answer' => sub {
    my $ask = $client->ask({ message => "$question many" });
    my @readers = map { $client->resume($ask->{job}, $ask->{session}) } 1 .. 8;
    $_->run(30) for $ask, @readers;
    is scalar(grep { $_->{text} eq $whole && !$_->{broken} } $ask, @readers), 9, 'all saw all of it';
};

subtest 'ENG-9: replay after the events expired' => sub {
    is $stack->redis('live', 'DEL', "fd:ev:$first->{job}"), 1, 'the live server forgot';
    my $s = $client->resume($first->{job}, $first->{session}, $ids[3]);
    is $s->{status}, 200;
    $s->{last_id} = $ids[3];
    $s->run(30);
    is $s->{text}, $whole, 'the stored answer';
    is $s->{resets}, 1, 'announced by a reset';
    is $s->{terminal}{event}, 'done';
    is $s->{broken}, 0, 'ids in order' or diag explain $s->{gaps};
    is_deeply $s->{terminal}{json}{citations}, $first->{terminal}{json}{citations}, 'citations as before';
};

subtest 'ENG-9: replay after the job\'s hash expired too' => sub {
    $stack->redis('live', 'DEL', "fd:ev:$first->{job}");
    $stack->redis('jobs', 'DEL', "fd:job:{0}:$first->{job}");
    my $s = $client->resume($first->{job}, $first->{session});
    is $s->{status}, 200;
    is $s->run(30)->{text}, $whole, 'from PostgreSQL';
    my $foreign = $client->resume($first->{job}, $client->post('/api/v1/sessions/start', '{}')->{json}{session_id});
    is $foreign->{status}, 404, 'but not for another session';
};

subtest 'a live server that lost its memory in mid-answer' => sub {
    my $s = $client->ask({ message => 'Flush @{"tokens":40,"gap_ms":30}@' });
    $s->next(20) for 1 .. 6;
    $stack->redis('live', 'FLUSHALL');
    $stack->stack('frontdesk', [qw(key list)]);
    my ($job, $session) = @$s{qw(job session)};
    $s->run(40);
    if (!$s->{terminal}) {
        my $again = $client->resume($job, $session, $s->{last_id})->follow($s);
        $again->run(40);
        $s = $again;
    }
    is $s->{terminal}{event}, 'done', 'it ends';
    is $s->{text}, join('', map { "word$_ " } 1 .. 40), 'with the whole text';
    is $s->{broken}, 0, 'in order' or diag explain $s->{gaps};
};

$stack->finish;
done_testing;
