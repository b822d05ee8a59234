# What is old goes into a bucket before it is deleted; its store checks every signature by
# the rules.  ENG-17
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Process;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $root = Frontdesk::Stack->root;
my $port = Frontdesk::Process->can('free_port')->();
# the worker archives nothing by itself: the command does, so that its answer is seen
my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_HOUSEKEEPING_MS => 3_600_000 });
my $store = "$stack->{dir}/store";
mkdir $store;
my $server = Frontdesk::Process->new($port, "$stack->{dir}/store.log", $^X, "$root/t/lib/bucket.pl", $port, $store, 'key-1', 'secret/1+');
$stack->start;
my %bucket = (FRONTDESK_ARCHIVE_URL => "http://127.0.0.1:$port/archive/frontdesk/", FRONTDESK_ARCHIVE_KEY_ID => 'key-1', FRONTDESK_ARCHIVE_SECRET => 'secret/1+',
              FRONTDESK_ARCHIVE_REGION => 'eu-central-1');

sub run { my (%env) = @_; return $stack->stack('frontdesk', [qw(retention run)], %env) // ''; }
sub objects { my @names = sort map { s{.*/}{}r } glob "$store/archive+*"; return @names; }
sub old_messages { return $stack->sql("SELECT count(*) FROM messages WHERE created_at < now() - interval '2 days'"); }

Frontdesk::Admin->new($stack)->put('retention', { message_days => 3 });
my $answer = $stack->client->chat({ message => 'Long ago @{"text":"A nice \"day\" \u05e9\u05dc\u05d5\u05dd"}@' });
is $answer->{terminal}{event}, 'done', 'something was said';
$stack->sql("UPDATE messages SET created_at = created_at - interval '10 days'");
$stack->sql("UPDATE conversations SET started_at = started_at - interval '10 days', updated_at = updated_at - interval '10 days'");
is old_messages(), 2, 'long ago';

subtest 'ENG-17: what the bucket does not take is not deleted' => sub {
    run(%bucket, FRONTDESK_ARCHIVE_SECRET => 'wrong');
    isnt $stack->{status}, 0, 'a wrong secret fails';
    run(%bucket, FRONTDESK_ARCHIVE_SECRET => '');
    isnt $stack->{status}, 0, 'so does none';
    run(%bucket, FRONTDESK_ARCHIVE_URL => "http://127.0.0.1:" . Frontdesk::Process->can('free_port')->() . "/archive");
    isnt $stack->{status}, 0, 'so does a store that is away';
    open my $cut, '>', "$store/cut" or die $!;
    close $cut;
    run(%bucket);
    isnt $stack->{status}, 0, 'so does one that hangs up';
    is old_messages(), 2, 'and everything is still there';
    is_deeply [objects()], [], 'nothing is in the bucket';
};

subtest 'ENG-17: then it is there, whole, and goes' => sub {
    run(%bucket);
    is $stack->{status}, 0, 'done';
    is old_messages(), 0, 'deleted';
    my @objects = objects();
    is scalar @objects, 1, 'one file of the day' or diag explain \@objects;
    like $objects[0], qr/^archive\+frontdesk\+5eed[-0-9a-f]+\+messages-\d{4}-\d\d-\d\d\.jsonl$/, 'by its name';
    open my $in, '<', "$store/$objects[0]" or die $!;
    my @lines = map { JSON::PP::decode_json($_) } <$in>;
    is_deeply [map { $_->{role} } @lines], [qw(user assistant)], 'a line a message';
    like $lines[1]{content}, qr/^A nice "day" \x{5e9}\x{5dc}\x{5d5}\x{5dd}$/, 'with what was said';
    run(%bucket);
    is $stack->{status}, 0, 'again';
    is scalar(my @again = objects()), 1, 'makes no second one';
};

$stack->finish;
done_testing;
