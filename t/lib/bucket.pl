#!/usr/bin/perl

# A store of one bucket that speaks as much of S3 as an archive needs: HEAD and PUT, each
# with a signature of version 4, which is computed here from the rules and compared.
# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#
#     bucket.pl PORT DIRECTORY KEY_ID SECRET
#
# An object is a file of the directory, its name with "/" as "+". `DIRECTORY/cut` makes it
# hang up in the middle of the next body.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use IO::Socket::INET;

my ($port, $directory, $key_id, $secret) = @ARGV;
$SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";

while (1) {
    my $c = $listener->accept or next;
    $c->autoflush(1);
    my $status = serve($c);
    print $c "HTTP/1.1 $status X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" if $status;
    close $c;
}

sub serve {
    my ($c) = @_;
    my $in = '';
    while ($in !~ /\r\n\r\n/) { sysread($c, $in, 65536, length $in) or return 0; }
    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    my ($line, @headers) = split /\r\n/, $head;
    my %header = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1, $2) : () } @headers;
    my ($method, $path) = $line =~ m{^(HEAD|PUT) (/[^? ]*) HTTP/1} or return 405;
    print $c "HTTP/1.1 100 Continue\r\n\r\n" if lc($header{expect} // '') eq '100-continue';
    if (-e "$directory/cut" && $method eq 'PUT') { unlink "$directory/cut"; return 0; }
    while (length $body < ($header{'content-length'} // 0)) { sysread($c, $body, 65536, length $body) or return 0; }
    return 403 unless is_signed($method, $path, \%header);
    return 400 unless $header{'x-amz-content-sha256'} eq sha256_hex($body);
    my $file = "$directory/" . ($path =~ s{^/}{}r =~ tr{/}{+}r);
    return -e $file ? 200 : 404 if $method eq 'HEAD';
    open my $out, '>', $file or return 500;
    print $out $body;
    close $out;
    return 200;
}

sub is_signed {
    my ($method, $path, $header) = @_;
    my ($id, $scope, $signed, $signature) = ($header->{authorization} // '') =~
        m{^AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$} or return 0;
    my ($date, $region, $service) = $scope =~ m{^(\d{8})/([^/]+)/([^/]+)/aws4_request$} or return 0;
    return 0 unless $id eq $key_id && $service eq 's3' && $header->{'x-amz-date'} =~ /^\Q$date\E/;
    my @names = split /;/, $signed;
    return 0 unless grep({ $_ eq 'host' } @names) && grep({ $_ eq 'x-amz-content-sha256' } @names);
    my $canonical = join "\n", $method, $path, '', (map { "$_:" . ($header->{$_} // '') } @names), '', $signed, $header->{'x-amz-content-sha256'};
    my $to_sign = join "\n", 'AWS4-HMAC-SHA256', $header->{'x-amz-date'}, $scope, sha256_hex($canonical);
    my $key = "AWS4$secret";
    $key = hmac_sha256($_, $key) for $date, $region, $service, 'aws4_request';
    return hmac_sha256_hex($to_sign, $key) eq $signature;
}
