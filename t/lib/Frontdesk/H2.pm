package Frontdesk::H2;

# HTTP/2 over a plain connection (RFC 9113), frame by frame: as much of it as it
# takes to send a request in pieces, to stop reading and to reset one stream.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6, GOAWAY => 7, WINDOW_UPDATE => 8 };
use constant { END_STREAM => 1, ACK => 1, END_HEADERS => 4 };

# window: bytes the server may send on a stream; read bytes are given back unless `hold`.
sub new {
    my ($class, %option) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $option{port}, Timeout => 5) or die "connect: $!\n";
    my $self = bless { socket => $s, raw => '', next => 1, stream => {}, hold => $option{hold} }, $class;
    syswrite $s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    $self->send(SETTINGS, 0, 0, defined $option{window} ? pack('nN', 4, $option{window}) : '');
    return $self;
}

sub send {
    my ($self, $type, $flags, $id, $payload) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $frame = substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $id) . $payload;
    return syswrite $self->{socket}, $frame;
}

sub literal { # without indexing, without Huffman
    my ($name, $value) = @_;
    return "\0" . join '', map { length > 126 ? "\x7f" . integer(length($_) - 127) . $_ : chr(length) . $_ } lc $name, $value;
}

sub integer { my ($n) = @_; my $s = ''; while ($n > 127) { $s .= chr(128 | $n & 127); $n >>= 7; } return $s . chr $n; }

# Opens a stream; its body follows by data() unless it is given or there is none.
sub request {
    my ($self, $method, $path, $headers, $body, %option) = @_;
    my $id = $self->{next};
    $self->{next} += 2;
    my $block = join '', literal(':method', $method), literal(':scheme', 'http'), literal(':authority', 'shop.example'),
        literal(':path', $path), map { literal($_, $headers->{$_}) } sort keys %$headers;
    my $end = !defined $body && !$option{more} ? END_STREAM : 0;
    $self->send(HEADERS, END_HEADERS | $end, $id, $block);
    $self->{stream}{$id} = { id => $id, status => 0, body => '', ended => 0 };
    $self->data($id, $body, 1) if defined $body;
    return $self->{stream}{$id};
}

sub data {
    my ($self, $id, $bytes, $end) = @_;
    while (length $bytes > 16384) { $self->send(DATA, 0, $id, substr $bytes, 0, 16384, ''); }
    return $self->send(DATA, $end ? END_STREAM : 0, $id, $bytes);
}

sub reset { my ($self, $id) = @_; return $self->send(RST_STREAM, 0, $id, pack 'N', 8); }

sub window { my ($self, $id, $bytes) = @_; return $self->send(WINDOW_UPDATE, 0, $id, pack 'N', $bytes); }

# Takes one frame; false at the end of the connection or when time is over.
sub turn {
    my ($self, $seconds) = @_;
    my $end = time + $seconds;
    my $length;
    until (length $self->{raw} >= 9 && length $self->{raw} >= 9 + ($length = unpack 'N', "\0" . substr $self->{raw}, 0, 3)) {
        my $left = $end - time;
        return if $left <= 0 || !IO::Select->new($self->{socket})->can_read($left);
        if (!sysread $self->{socket}, $self->{raw}, 65536, length $self->{raw}) { $self->{closed} = 1; return; }
    }
    my ($type, $flags, $id) = unpack 'CCN', substr $self->{raw}, 3, 6;
    my $payload = substr $self->{raw}, 9, $length;
    substr($self->{raw}, 0, 9 + $length) = '';
    my $stream = $self->{stream}{$id} || {};
    if ($type == SETTINGS) { $self->send(SETTINGS, ACK, 0, '') unless $flags & ACK; }
    elsif ($type == PING) { $self->send(PING, ACK, 0, $payload) unless $flags & ACK; }
    elsif ($type == GOAWAY) { $self->{goaway} = 1; }
    elsif ($type == RST_STREAM) { @$stream{qw(reset ended)} = (1, 1); }
    elsif ($type == HEADERS) { $stream->{status} ||= status($payload); }
    elsif ($type == DATA) {
        $stream->{body} .= $payload;
        if ($length && !$self->{hold}) { $self->window(0, $length); $self->window($id, $length); }
    }
    $stream->{ended} = 1 if ($type == DATA || $type == HEADERS) && $flags & END_STREAM;
    return 1;
}

# nginx sends :status first, as an index of the static table or in three plain digits.
sub status {
    my ($block) = @_;
    $block =~ s/^[\x20-\x3f]//; # a new size of the dynamic table
    my %index = (0x88 => 200, 0x89 => 204, 0x8a => 206, 0x8b => 304, 0x8c => 400, 0x8d => 404, 0x8e => 500);
    return $index{ ord $block } || ($block =~ /^[\x08\x48]\x03(\d{3})/ ? $1 : -1);
}

# Takes frames until the code is true.
sub until {
    my ($self, $code, $seconds) = @_;
    my $end = time + $seconds;
    until ($code->()) {
        return if time >= $end || $self->{closed};
        $self->turn($end - time);
    }
    return 1;
}

sub finish { my ($self, $stream, $seconds) = @_; return $self->until(sub { $stream->{ended} }, $seconds || 10); }

sub close { my ($self) = @_; close delete $self->{socket} if $self->{socket}; return; }

1;
