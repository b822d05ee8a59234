package Frontdesk::Process;

# A server of a test's own, in the background on a port of 127.0.0.1. It takes connections
# when new() returns, and ends with the object in the process that made it.
#
#     my $server = Frontdesk::Process->new($port, "$dir/hook.log", $^X, 'hook.pl', $port);

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

sub new {
    my ($class, $port, $log, @command) = @_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', $log;
        open STDERR, '>&', \*STDOUT;
        exec(@command) or POSIX::_exit(127);
    }
    my $self = bless { pid => $pid, owner => $$ }, $class;
    for (1 .. 100) {
        return $self if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        sleep 0.05;
    }
    die "nobody listens on port $port: see $log\n";
}

# Below those that the kernel gives to connections on their own: the server that is to have
# it starts later, and meanwhile nobody's connection may come to have it.
my %given;
sub free_port {
    for (1 .. 1000) {
        my $port = 12_000 + int rand 20_000;
        next if $given{$port};
        my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => $port) or next;
        $given{$port} = 1;
        return $port;
    }
    die "no free port: $!";
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill KILL => $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->stop;
    return;
}

1;
