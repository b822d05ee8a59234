# PostgreSQL's disk is full: answers stream, their end comes when there is room again,
# and nothing is lost.  ENG-19
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Test::More;

plan skip_all => 'needs root: mounts a small tmpfs' if $>;
my $stack = Frontdesk::Stack->new(env => { STACK_PG_OPTIONS => '-c max_wal_size=32MB -c min_wal_size=32MB' });
my $pg = "$stack->{dir}/pg";
mkdir $pg or die "$pg: $!";
if (system('mount', '-t', 'tmpfs', '-o', 'size=150m,mode=755', 'tmpfs', $pg) != 0) {
    plan skip_all => 'tmpfs cannot be mounted here';
}
END { my $status = $?; $stack->stop if $stack; system('umount', '-l', $pg) if $pg; $? = $status; }
$stack->start;
my $client = $stack->client;

is $client->chat({ message => 'Before' })->{terminal}{event}, 'done', 'before';

# Every block but a few: what is open goes on, what is new is refused.
open my $filler, '>', "$pg/filler" or die;
while (syswrite $filler, "\0" x 65536) { }
while (syswrite $filler, "\0" x 4096) { }
close $filler;
# Text that does not compress: every one of them takes new blocks.
sub noise { return join ' ', map { join '', map { ('a' .. 'z', 0 .. 9)[rand 36] } 1 .. 9 } 1 .. 1000; }
my @s = map { $client->ask({ message => "$_ \@{\"text\":\"" . noise() . '"}@' }) } 1 .. 6;
for my $s (@s) {
    while (my $e = $s->next(10)) { last if $e->{event} eq 'delta'; }
}
is scalar(grep { $_->{text} ne '' } @s), 6, 'answers stream all the same';
sleep 2;
$_->run(0.5) for @s; # all that is there
my $over = grep { $_->{terminal} } @s;
cmp_ok $over, '<', 6, 'but do not end: what cannot be stored is not over';
unlink "$pg/filler";
$stack->must('postgres', 'start') unless $stack->pid('postgres');
$_->run(40) for @s;
is scalar(grep { ($_->{terminal}{event} // '') eq 'done' && !$_->{broken} } @s), 6, 'and end once there is room';
my $stored = join ',', map { "'$_->{job}'" } @s;
is $stack->sql("SELECT count(*) FROM messages WHERE role = 'assistant' AND job_id IN ($stored)"), 6, 'every answer is stored, once';
ok $stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty';
$stack->finish;
done_testing;
