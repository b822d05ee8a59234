#!/usr/bin/perl

# A webhook for tools that does what its caller's arguments say ("behave"), and counts
# what happened: one line of the journal a request, one a side effect. A side effect
# happens once an idempotency key, as docs/n8n.md asks of workflows.
#
#   ok         {"ok":true,"data":{...}}          (the default)
#   fail       {"ok":false,"error":{...}}        error   500
#   empty      200 without a body                slow    answers after `ms` (the effect comes first)
#   pending    {"ok":true,"pending":true}        hang    the effect, and never an answer
#   text       `text` as the data, whatever it is
#
# Of any request: "?fails=2" in the address answers the first two of each key with 500.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my ($port, $journal_file) = @ARGV;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';

my $listener = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";
my %done;

sub note {
    my (%line) = @_;
    open my $journal, '>>', $journal_file or die "$journal_file: $!";
    print $journal $json->encode({ at => time, %line }), "\n";
    close $journal;
    return;
}

while (1) {
    my $c = $listener->accept or next;
    my ($head, $body) = read_request($c) or next;
    my $r = eval { $json->decode($body) } || {};
    my $args = ref $r->{args} eq 'HASH' ? $r->{args} : {};
    my %h = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } split /\r\n/, $head;
    my $key = $r->{idempotency_key} // $h{'idempotency-key'} // $h{'x-frontdesk-delivery'} // '';
    note(event => 'request', tool => $r->{tool}, key => $key, body => $r, headers => \%h, text => $body);
    my $first = !$done{$key}++;
    my ($fails) = $head =~ /^POST \S+[?&]fails=(\d+)/;
    $args->{behave} = 'error' if $done{$key} <= ($fails // 0);
    note(event => 'effect', tool => $r->{tool}, key => $key) if $first && ($args->{behave} // '') !~ /^(?:error|fail)$/;
    next if fork; # the answer may take its time; the next request does not wait
    answer($c, $args);
    exit 0;
}

sub read_request {
    my ($c) = @_;
    my $in = '';
    while ($in !~ /\r\n\r\n/) {
        sysread($c, my $bytes, 65536) or return;
        $in .= $bytes;
    }
    my ($head, $body) = split /\r\n\r\n/, $in, 2;
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    while (length $body < ($length || 0)) {
        sysread($c, my $bytes, 65536) or return;
        $body .= $bytes;
    }
    return ($head, $body);
}

sub answer {
    my ($c, $args) = @_;
    my $behave = $args->{behave} // 'ok';
    sleep(($args->{ms} // 0) / 1000) if $behave eq 'slow';
    sleep 60 if $behave eq 'hang';
    return reply($c, 500, { message => 'Error in workflow' }) if $behave eq 'error';
    return reply($c, 200, { ok => JSON::PP::false, error => { code => 'sold_out', message => 'Nothing is left.', retryable => JSON::PP::false } })
        if $behave eq 'fail';
    return reply($c, 200, { ok => JSON::PP::true, pending => JSON::PP::true }) if $behave eq 'pending';
    return raw($c, 200, '') if $behave eq 'empty';
    my $data = $behave eq 'text' ? { text => $args->{text} } : { done => JSON::PP::true, echo => $args };
    return reply($c, 200, { ok => JSON::PP::true, data => $data });
}

sub reply { my ($c, $status, $value) = @_; return raw($c, $status, $json->encode($value)); }

sub raw {
    my ($c, $status, $body) = @_;
    print $c "HTTP/1.1 $status Hook\r\nContent-Type: application/json\r\nContent-Length: " . length($body)
        . "\r\nConnection: close\r\n\r\n$body";
    close $c;
    return;
}
