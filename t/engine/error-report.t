# Errors of the log reach an error tracker, in Sentry's envelopes, and nothing else does.  OPS-3
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Process;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $port = Frontdesk::Process->can('free_port')->();
my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_ERROR_DSN => "http://pub1ic\@127.0.0.1:$port/7" });
my $journal = "$stack->{dir}/tracker.journal";
my $tracker = Frontdesk::Process->new($port, "$stack->{dir}/tracker.log", $^X, Frontdesk::Stack->root . '/t/lib/tracker.pl', $port, $journal);
$stack->start;
my $client = $stack->client;

sub reports {
    open my $in, '<', $journal or return;
    return map { JSON::PP::decode_json($_) } <$in>;
}
# An entry that no nginx wrote: the worker discards it, and that is an error.
sub spoil { $stack->redis('jobs', 'XADD', 'fd:jobs:{0}', '*', 'nonsense', 'secret-canary'); return; }

subtest 'OPS-3: an error is reported' => sub {
    is $client->chat({ message => 'private-canary @{"tokens":2}@' })->{terminal}{event}, 'done', 'an answer, which is none';
    spoil();
    ok $stack->until(sub { scalar reports() }, 20), 'the tracker hears of it';
    my ($report) = reports();
    is $report->{request}, 'POST /api/7/envelope/ HTTP/1.1', 'at the endpoint of its project';
    is $report->{headers}{'content-type'}, 'application/x-sentry-envelope', 'as an envelope';
    like $report->{headers}{'x-sentry-auth'}, qr/^Sentry sentry_version=7, sentry_client=frontdesk\/\S+, sentry_key=pub1ic$/, 'with its key';
    my ($envelope, $item, $event, @more) = split /\n/, $report->{body};
    is scalar @more, 0, 'three lines';
    my $json = JSON::PP::decode_json($event);
    is $json->{event_id}, JSON::PP::decode_json($envelope)->{event_id}, 'one id';
    is_deeply JSON::PP::decode_json($item), { type => 'event' }, 'one event';
    is $json->{level}, 'error';
    is $json->{message}{formatted}, 'entry.discarded', 'named as in the log';
    is $json->{tags}{role}, 'worker', 'and by whom';
    is $json->{extra}{line}{event}, 'entry.discarded', 'with the line of the log';
};

subtest 'OPS-3: the same is not reported again and again, and texts never' => sub {
    spoil() for 1 .. 5;
    ok $stack->until(sub { 6 == (() = $stack->log_text('worker-1.log') =~ /"entry\.discarded"/g) }, 20), 'it happened six times';
    is $client->chat({ message => 'And on @{"tokens":2}@' })->{terminal}{event}, 'done', 'answers go on';
    is scalar(grep { $_->{body} =~ /entry\.discarded/ } reports()), 1, 'it was reported once in this minute';
    unlike join('', map { $_->{body} } reports()), qr/private-canary|secret-canary/, 'without what anybody said';
};

subtest 'OPS-3: a wrong DSN is said at the start' => sub {
    my $text = qx(FRONTDESK_ERROR_DSN=nonsense FRONTDESK_LOG_LEVEL=error $stack->{binary} worker 2>&1);
    isnt $? >> 8, 0, 'the worker does not start';
    like $text, qr/FRONTDESK_ERROR_DSN is no DSN; https:\/\/KEY\@host\/PROJECT would be right/, 'and says what would be right';
} if $stack->{binary} = ($ENV{STACK_BUILD} || Frontdesk::Stack->root . '/build/' . ($ENV{MODE} || 'release')) . '/frontdesk';

$stack->finish;
done_testing;
