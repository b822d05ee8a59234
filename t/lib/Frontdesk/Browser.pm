package Frontdesk::Browser;

# What a browser does with the admin API: keeps its cookies, says where its page is from,
# and shows the session's token with every change.

use strict;
use warnings;

use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, $stack, %option) = @_;
    return bless { stack => $stack, cookies => {}, %option }, $class;
}

# A user of an organisation, made on the command line, and signed in.
sub user {
    my ($class, $stack, $email, $role, $org) = @_;
    my $self = $class->new($stack, email => $email, org => $org || $stack->{org});
    $self->{password} = $stack->frontdesk('user', 'create', '--org', $self->{org}, '--email', $email,
                                          '--role', $role, '--generate') =~ /^(\S+)$/m ? $1 : die "no user $email\n";
    $self->sign_in;
    return $self;
}

sub sign_in {
    my ($self, %more) = @_;
    return $self->post('auth/login', { email => $self->{email}, password => $self->{password}, %more });
}

# Another browser that holds the same cookies, as they are now.
sub twin {
    my ($self) = @_;
    return bless { %$self, cookies => { %{ $self->{cookies} } } }, ref $self;
}

sub token { my ($self) = @_; return $self->{cookies}{frontdesk}; }

# $headers replaces what a browser would send; undef leaves it out.
sub request {
    my ($self, $method, $path, $body, $headers) = @_;
    my $stack = $self->{stack};
    my %h = (
        Host => "127.0.0.1:$stack->{port}",
        'Sec-Fetch-Site' => 'same-origin',
        'User-Agent' => 'test browser',
        %{ $self->{cookies} } ? (Cookie => join '; ', map { "$_=$self->{cookies}{$_}" } sort keys %{ $self->{cookies} }) : (),
        $method =~ /^(?:GET|HEAD)$/ ? () : (Origin => $stack->url),
        $method !~ /^(?:GET|HEAD)$/ && $self->{cookies}{'frontdesk-csrf'}
            ? ('X-Frontdesk-CSRF' => $self->{cookies}{'frontdesk-csrf'}) : (),
        %{ $headers || {} },
    );
    delete $h{$_} for grep { !defined $h{$_} } keys %h;
    $body = $json->encode($body) if ref $body;
    my $r = $stack->client(key => undef, origin => undef, from => $self->{from})->request($method, "/api/admin/$path", \%h, $body);
    for my $cookie (split /, (?=[A-Za-z_-]+=)/, $r->{headers}{'set-cookie'} // '') {
        my ($name, $value, $rest) = $cookie =~ /^([^=]+)=([^;]*)(.*)/ or next;
        $self->{set}{$name} = $cookie;
        if ($rest =~ /Max-Age=0/) { delete $self->{cookies}{$name}; }
        else                      { $self->{cookies}{$name} = $value; }
    }
    return $r;
}

sub get    { my ($self, $path, $headers) = @_; return $self->request('GET', $path, undef, $headers); }
sub post   { my ($self, $path, $body, $headers) = @_; return $self->request('POST', $path, $body // {}, $headers); }
sub patch  { my ($self, $path, $body, $headers) = @_; return $self->request('PATCH', $path, $body, $headers); }
sub put    { my ($self, $path, $body, $headers) = @_; return $self->request('PUT', $path, $body, $headers); }
sub delete { my ($self, $path, $headers) = @_; return $self->request('DELETE', $path, undef, $headers); }

1;
