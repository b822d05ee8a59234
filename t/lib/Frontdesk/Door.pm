package Frontdesk::Door;

# What a caller of the OpenAI-compatible door sends and gets, byte by byte. One nginx
# server of the stack has the usual heartbeat, the other a short one (`impatient`).
#
#     my $door = Frontdesk::Door->new;
#     my $r = $door->ask($door->body({ tokens => 3 }, stream => JSON::PP::true));

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

use Frontdesk::Stack;

our @EXPORT_OK = qw(error_of frames content read_until);
our $path = '/v1/chat/completions';
our $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
    my ($class) = @_;
    my $port = Frontdesk::Stack::free_port();
    my $stack = Frontdesk::Stack->new(env => {
        STACK_HTTP_EXTRA    => 'frontdesk_read_rate 0;',
        STACK_SERVERS_EXTRA => "server { listen 127.0.0.1:$port; location /v1/ { frontdesk_api; frontdesk_heartbeat 150ms; } }",
    });
    $stack->start;
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
    my %client = (key => undef, origin => undef, timeout => 20);
    return bless { stack => $stack, client => $stack->client(%client), impatient => $stack->client(%client, port => $port),
                   auth => { Authorization => "Bearer $stack->{sk}" }, questions => 0 }, $class;
}

# -- asking -----------------------------------------------------------------------

# A question that is like no other, with a scenario of t/lib/provider.pl.
sub user {
    my ($self, $scenario) = @_;
    $self->{questions}++;
    return { role => 'user', content => "Edge $self->{questions} @" . JSON::PP->new->canonical->encode($scenario || {}) . '@' };
}
sub body { my ($self, $scenario, %more) = @_; return { model => 'mock-fast', messages => [$self->user($scenario)], %more }; }

sub ask { my ($self, $body, %headers) = @_; return $self->{client}->post($path, $body, { %{ $self->{auth} }, %headers }); }
# The same, up to the header.
sub open_ { my ($self, $body, $client) = @_; return ($client || $self->{client})->open(POST => $path, $self->{auth}, $json->encode($body)); }
# The same, up to the request: a socket.
sub send_ {
    my ($self, $body, $client, %headers) = @_;
    my ($text, $s) = ($json->encode($body), ($client || $self->{client})->connect_);
    syswrite $s, $self->{client}->head(POST => $path, { %{ $self->{auth} }, %headers }, $text) . $text;
    return $s;
}

# -- answers ------------------------------------------------------------------------

# An error in OpenAI's shape: "status code param type".
sub error_of {
    my ($r) = @_;
    my $e = ref $r->{json} eq 'HASH' ? $r->{json}{error} : undef;
    return "$r->{status} no error: $r->{body}" unless ref $e eq 'HASH';
    return "$r->{status} members: " . join ' ', sort keys %$e unless join(' ', sort keys %$e) eq 'code message param type';
    return join ' ', $r->{status}, map { $_ // '-' } @$e{qw(code param type)};
}

# The data of each frame; whatever is no frame of ours is in the second list.
sub frames {
    my ($text) = @_;
    my (@data, @odd);
    for (split /\n\n/, $text) {
        if (/^data: ([^\n]*)$/) { push @data, $1; } elsif (!/^: ping$/) { push @odd, $_; }
    }
    return (\@data, \@odd);
}
sub content { my ($data) = @_; return join '', map { $_->{choices}[0]{delta}{content} // '' } map { $json->decode($_) } grep { $_ ne '[DONE]' } @$data; }
sub read_until { my ($s, $what) = @_; while ($s->{body} !~ $what && !$s->{ended} && $s->fill(10)) { $s->decode; } return; }

# -- what was done --------------------------------------------------------------------

sub jobs_made { my ($self) = @_; return { @{ $self->{stack}->redis('jobs', 'XINFO', 'STREAM', 'fd:jobs:{0}') } }->{'entries-added'}; }
sub jobs_left { my ($self) = @_; return $self->{stack}->redis('jobs', 'XLEN', 'fd:jobs:{0}'); }
sub provider_end { my ($self, $question) = @_; my ($end) = grep { $_->{event} eq 'end' && $_->{question} eq $question } $self->{stack}->journal; return $end; }
sub asked { my ($self, $question) = @_; return scalar grep { $_->{event} eq 'request' && $_->{question} eq $question } $self->{stack}->journal; }

1;
