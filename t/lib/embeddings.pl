#!/usr/bin/perl

# A server of embeddings with OpenAI's wire format (POST /v1/embeddings), whose vectors know
# a few synonyms. How it behaves is read from a file before each request, a JSON object:
#
#   dimensions  of its vectors (32), unless the request says which
#   floats      1: lists of numbers, whatever encoding was asked for
#   status      a number: an error, with `headers`
#   body        the response, instead of embeddings
#   stall_ms    answers late
#   drop        1: one vector less than texts      shuffle  1: in another order, by index
#   nan         1: a value that is no number       cut      1: the connection ends in the body
#
# Every request goes to the journal, one JSON object a line.

use strict;
use warnings;

use Digest::MD5 qw(md5);
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep time);

my ($port, $journal_file, $behaviour_file) = @ARGV;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';

my @concepts = (
    [qw(quokka quokkas marsupial marsupials kangaroo kangaroos)],
    [qw(refund refunds reimbursement reimbursed money)],
    [qw(delivery deliver courier shipping shipment parcel)],
);
my %concept;
for my $i (0 .. $#concepts) { $concept{$_} = $i for @{ $concepts[$i] }; }

my $listener = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";

while (1) {
    my $c = $listener->accept or next;
    next if fork; # an answer may take its time; the next request does not wait
    close $listener;
    serve($c);
    exit 0;
}

sub behaviour {
    open my $in, '<', $behaviour_file or return {};
    local $/;
    return eval { $json->decode(<$in> // '{}') } || {};
}

sub serve {
    my ($c) = @_;
    my $in = '';
    while ($in !~ /\r\n\r\n/) { sysread($c, my $bytes, 65536) or return; $in .= $bytes; }
    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    while (length $body < ($length || 0)) { sysread($c, my $bytes, 65536) or return; $body .= $bytes; }
    my $r = eval { $json->decode($body) } || {};
    my %h = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } split /\r\n/, $head;
    my ($path) = $head =~ m{^\S+ (\S+)};
    note(path => $path, body => $r, headers => \%h);
    my $b = behaviour();
    sleep(($b->{stall_ms} || 0) / 1000);
    return reply($c, 404, { error => { message => "no $path" } }) if $path !~ m{/embeddings$};
    return reply($c, $b->{status}, { error => { message => "mock status $b->{status} for $h{authorization}", type => 'mock' } }, $b->{headers}) if $b->{status};
    return raw($c, 200, $b->{body}) if defined $b->{body};
    return reply($c, 400, { error => { message => 'input is required' } }) unless ref $r->{input} eq 'ARRAY' && @{ $r->{input} };
    return answer($c, $r, $b);
}

sub answer {
    my ($c, $r, $b) = @_;
    my $n = $r->{dimensions} || $b->{dimensions} || 32;
    $n = $b->{dimensions} if $b->{dimensions};
    my $base64 = ($r->{encoding_format} // 'float') eq 'base64' && !$b->{floats};
    my (@data, $tokens);
    for my $i (0 .. $#{ $r->{input} }) {
        my @v = vector($r->{input}[$i], $n);
        $v[0] = 'nan' if $b->{nan};
        push @data, { object => 'embedding', index => $i, embedding => $base64 ? encode_base64(pack('f<*', @v), '') : [map { $_ + 0 } @v] };
        $tokens += int(length($r->{input}[$i]) / 4) + 1;
    }
    pop @data if $b->{drop};
    @data = reverse @data if $b->{shuffle};
    my $body = $json->encode({ object => 'list', data => \@data, model => $r->{model}, usage => { prompt_tokens => $tokens, total_tokens => $tokens } });
    if ($b->{cut}) {
        print $c "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n" . substr($body, 0, length($body) / 2);
        return close $c;
    }
    return raw($c, 200, $body);
}

# A direction for each concept, and a faint one for every other word.
sub vector {
    my ($text, $n) = @_;
    my @v = (0) x $n;
    for my $word (map { lc } $text =~ /[A-Za-z]+/g) {
        if (exists $concept{$word}) { $v[$concept{$word}] += 3; next; }
        my $hash = unpack 'N', md5($word);
        $v[@concepts + $hash % ($n - @concepts)] += $hash & 1 ? 0.1 : -0.1;
    }
    $v[$n - 1] += 0.01;
    return @v;
}

sub note {
    my (%line) = @_;
    open my $journal, '>>', $journal_file or die "$journal_file: $!";
    print $journal $json->encode({ at => time, %line }), "\n";
    close $journal;
    return;
}

sub reply { my ($c, $status, $value, $headers) = @_; return raw($c, $status, $json->encode($value), $headers); }

sub raw {
    my ($c, $status, $body, $headers) = @_;
    utf8::encode($body) if utf8::is_utf8($body);
    my $more = join '', map { "$_: $headers->{$_}\r\n" } sort keys %{ $headers || {} };
    print $c "HTTP/1.1 $status Mock\r\nContent-Type: application/json\r\n${more}Content-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
    return close $c;
}
