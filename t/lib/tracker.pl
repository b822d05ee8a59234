#!/usr/bin/perl

# An error tracker: takes Sentry envelopes and writes each request to its journal, a line
# of JSON each. It answers `status` of the file beside the journal, if there is one.
use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();

my ($port, $journal_file) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
$SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";

while (1) {
    my $c = $listener->accept or next;
    my $in = '';
    while ($in !~ /\r\n\r\n/) { sysread($c, $in, 65536, length $in) or last; }
    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    next unless defined $body;
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    while (length $body < ($length // 0)) { sysread($c, $body, 65536, length $body) or last; }
    my ($line, @headers) = split /\r\n/, $head;
    open my $journal, '>>', $journal_file or die "$journal_file: $!";
    print $journal $json->encode({ request => $line, headers => { map { /^([^:]+):\s*(.*)/ ? (lc $1, $2) : () } @headers }, body => $body }), "\n";
    close $journal;
    my $status = 200;
    if (open my $file, '<', "$journal_file.status") { $status = <$file> + 0; }
    print $c "HTTP/1.1 $status X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    close $c;
}
