package Frontdesk::Client;

# An HTTP/1.1 client that shows everything: one connection a request, chunked
# decoding as it comes, and a reader of server-sent events that follows the
# client's side of the hand-off (assembles text, obeys reset, remembers ids).

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(time sleep);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
    my ($class, %option) = @_;
    return bless { host => '127.0.0.1', timeout => 30, %option }, $class;
}

sub connect_ {
    my ($self) = @_;
    my @from = $self->{from} ? (LocalAddr => $self->{from}) : ();
    return IO::Socket::INET->new(PeerAddr => $self->{host}, PeerPort => $self->{port}, @from, Timeout => 5)
        || die "connect: $!\n";
}

sub head {
    my ($self, $method, $path, $headers, $body) = @_;
    my %h = (Host => 'shop.example', Connection => 'close', %{ $headers || {} });
    $h{'X-Api-Key'} //= $self->{key} if defined $self->{key};
    $h{Origin} //= $self->{origin} if defined $self->{origin};
    $h{'Content-Length'} //= length $body if defined $body;
    $h{'Content-Type'} //= 'application/json' if defined $body;
    return "$method $path HTTP/1.1\r\n"
        . join('', map { defined $h{$_} && $h{$_} ne '' ? "$_: $h{$_}\r\n" : () } sort keys %h) . "\r\n";
}

# Sends and reads the header; the answer's body is read by more().
sub open {
    my ($self, $method, $path, $headers, $body) = @_;
    my $s = $self->connect_;
    binmode $s;
    my $request = $self->head($method, $path, $headers, $body) . ($body // '');
    local $SIG{PIPE} = 'IGNORE';
    my $sent = syswrite $s, $request;
    my $stream = Frontdesk::Client::Stream->new($s, $self->{timeout});
    $stream->read_head;
    return $stream;
}

# What the admin API refused with a sentence that has no code: it could be told in English only. What nginx
# refuses says enough by its type.
our @untold;
sub note_untold {
    my ($method, $path, $r) = @_;
    return if ($r->{headers}{'content-type'} // '') ne 'application/problem+json' || ref $r->{json} ne 'HASH';
    return if ($r->{json}{code} // '') =~ /^(?:cross-site|key-\w+|origin-forbidden|rate-limited|sign-in-required)$/;
    push @untold, "$method $path: $r->{json}{detail}" if defined $r->{json}{detail} && !$r->{json}{reason}{code};
    return;
}

sub request {
    my ($self, $method, $path, $headers, $body) = @_;
    my $stream = $self->open($method, $path, $headers, $body);
    $stream->read_all;
    my %r = (status => $stream->{status}, headers => $stream->{headers}, body => $stream->{body});
    $r{json} = eval { $json->decode($r{body}) };
    note_untold($method, $path, \%r) if $path =~ m{^/api/admin/};
    return \%r;
}

sub get     { my ($self, $path, $headers) = @_; return $self->request('GET', $path, $headers); }
sub delete_ { my ($self, $path, $headers) = @_; return $self->request('DELETE', $path, $headers); }

sub post {
    my ($self, $path, $body, $headers) = @_;
    return $self->request('POST', $path, $headers, ref $body ? $json->encode($body) : $body);
}

# Opens an answer stream without reading it.
sub ask {
    my ($self, $body, $headers) = @_;
    my %b = (stream => JSON::PP::true, %$body);
    return $self->open('POST', '/api/v1/chat', { Accept => 'text/event-stream', %{ $headers || {} } },
                       $json->encode(\%b));
}

sub resume {
    my ($self, $job, $session, $last_id) = @_;
    return $self->open('GET', "/api/v1/chat/$job/events",
                       { 'X-Frontdesk-Session' => $session,
                         defined $last_id && $last_id ne '' ? ('Last-Event-ID' => $last_id) : () });
}

sub chat {
    my ($self, $body, %option) = @_;
    my $stream = $self->ask($body, $option{headers});
    $stream->run($option{seconds});
    return $stream;
}

package Frontdesk::Client::Stream;

use strict;
use warnings;

use Time::HiRes qw(time);

sub new {
    my ($class, $socket, $timeout) = @_;
    return bless {
        socket => $socket, timeout => $timeout, raw => '', body => '', sse => '', status => 0,
        headers => {}, events => [], text => '', last_id => '', broken => 0, ended => 0,
    }, $class;
}

# Some more bytes from the socket; false at the end or when the time is over.
sub fill {
    my ($self, $seconds) = @_;
    my $s = $self->{socket} or return;
    return unless IO::Select->new($s)->can_read($seconds // $self->{timeout});
    my $n = sysread $s, my $bytes, 65536;
    if (!$n) {
        $self->{eof} = 1;
        return;
    }
    $self->{raw} .= $bytes;
    return 1;
}

sub read_head {
    my ($self) = @_;
    my $end = time + $self->{timeout};
    my $at;
    while (($at = index $self->{raw}, "\r\n\r\n") < 0) {
        return unless time < $end && $self->fill($end - time);
    }
    my ($first, @lines) = split /\r\n/, substr $self->{raw}, 0, $at;
    substr($self->{raw}, 0, $at + 4) = '';
    ($self->{status}) = $first =~ /^HTTP\/1\.[01] (\d{3})/ or return;
    for (@lines) {
        my ($name, $value) = split /:\s*/, $_, 2;
        $name = lc $name;
        $self->{headers}{$name} = exists $self->{headers}{$name} ? "$self->{headers}{$name}, $value" : $value;
    }
    $self->{job}     = $self->{headers}{'x-frontdesk-job'};
    $self->{session} = $self->{headers}{'x-frontdesk-session'};
    $self->decode;
    return;
}

# Moves what is complete from raw to body; sets ended at the last chunk.
sub decode {
    my ($self) = @_;
    if (($self->{headers}{'transfer-encoding'} // '') eq 'chunked') {
        while ($self->{raw} =~ /^([0-9a-f]+)\r\n/i) {
            my ($size, $head) = (hex $1, length($1) + 2);
            if ($size == 0) { $self->{ended} = 1; last; }
            last if length($self->{raw}) < $head + $size + 2;
            $self->{body} .= substr $self->{raw}, $head, $size;
            $self->{sse}  .= substr $self->{raw}, $head, $size;
            substr($self->{raw}, 0, $head + $size + 2) = '';
        }
    } else {
        $self->{body} .= $self->{raw};
        $self->{sse}  .= $self->{raw};
        $self->{raw} = '';
        my $length = $self->{headers}{'content-length'};
        $self->{ended} = 1 if defined $length && length $self->{body} >= $length;
        $self->{ended} = 1 if $self->{status} == 204 || $self->{status} == 304;
        $self->{ended} = 1 if !defined $length && $self->{eof};
    }
    return;
}

sub read_all {
    my ($self) = @_;
    my $end = time + $self->{timeout};
    until ($self->{ended}) {
        last unless time < $end;
        my $more = $self->fill($end - time);
        $self->decode;
        last unless $more;
    }
    close $self->{socket};
    return $self->{body};
}

# The next event {id, event, data, json}, or nothing at the end or in time.
sub next {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // $self->{timeout});
    while (1) {
        if ($self->{sse} =~ s/^(.*?)\n\n//s) {
            my %e = (event => 'message', at => time);
            for (split /\n/, $1) {
                my ($name, $value) = split /: ?/, $_, 2;
                $e{$name} = $value if $name ne '';
            }
            next if !exists $e{data}; # retry:
            $e{json} = eval { JSON::PP->new->utf8->decode($e{data}) };
            $self->take(\%e);
            return \%e;
        }
        return if $self->{ended} || $self->{eof} || time >= $end;
        $self->fill($end - time);
        $self->decode;
    }
}

# The client's rules: ids only grow, n without a gap, reset forgets.
sub take {
    my ($self, $e) = @_;
    return if $e->{event} eq 'ping';
    push @{ $self->{events} }, $e;
    if (defined $e->{id} && $e->{id} =~ /^(\d+)-(\d+)$/) {
        my ($epoch, $n) = ($1, $2);
        if ($self->{last_id} =~ /^(\d+)-(\d+)$/) {
            my $fits = ($epoch == $1 && $n == $2 + 1) || ($epoch > $1 && $n == 0);
            $self->{broken}++, push @{ $self->{gaps} }, "$self->{last_id} then $e->{id}" unless $fits;
        }
        $self->{last_id} = $e->{id};
    } else {
        $self->{broken}++;
    }
    $self->{text} = '' if $e->{event} eq 'reset';
    $self->{resets}++ if $e->{event} eq 'reset';
    $self->{text} .= $e->{json}{text} if $e->{event} eq 'delta';
    $self->{terminal} = $e if $e->{event} =~ /^(?:done|error|cancelled|answer)$/;
    return;
}

# Reads to the end.
sub run {
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // $self->{timeout});
    while (time < $end) {
        last unless $self->next($end - time);
    }
    return $self;
}

sub close {
    my ($self) = @_;
    close delete $self->{socket} if $self->{socket};
    return;
}

# What resume() needs to go on where another stream broke off.
sub follow {
    my ($self, $earlier) = @_;
    $self->{$_} = $earlier->{$_} for qw(text last_id job session);
    $self->{resets} = $earlier->{resets};
    $self->{broken} += $earlier->{broken};
    return $self;
}

package Frontdesk::Client;

# Asks and keeps asking until there is a terminal event, as the widget would.
# $option{each}: called with the stream after every event; false cuts the connection.
sub persevere {
    my ($self, $body, %option) = @_;
    my $end = time + ($option{seconds} || 30);
    my %question = (client_message_id => sprintf('%08x-test-%06d', time, rand 1e6), %$body);
    my $earlier;
    while (time < $end) {
        my $stream = eval {
            $earlier && $earlier->{job} && $earlier->{session}
                ? $self->resume($earlier->{job}, $earlier->{session}, $earlier->{last_id})
                : $self->ask(\%question);
        };
        if (!$stream || !$stream->{status}) {
            sleep 0.1;
            next;
        }
        my ($job, $session) = @$stream{qw(job session)};
        $stream->follow($earlier) if $earlier;
        $stream->{job} //= $job;
        $stream->{session} //= $session;
        if ($stream->{status} == 204) { return $stream; }
        if ($stream->{status} != 200) {
            $stream->read_all;
            return $stream if $stream->{status} < 500 && $stream->{status} != 429;
            sleep 0.3;
            next;
        }
        while (time < $end) {
            my $event = $stream->next($option{silence} || 20) or last;
            last if $stream->{terminal};
            last if $option{each} && !$option{each}->($stream, $event);
        }
        $stream->close;
        return $stream if $stream->{terminal};
        $earlier = $stream;
        sleep 0.05;
    }
    return $earlier;
}

1;
