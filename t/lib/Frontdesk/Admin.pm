package Frontdesk::Admin;

# A client of the admin API with an organisation's secret key, and what the matrix of
# routes and callers has to know of each route.

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use JSON::PP ();

our $root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
my $json = JSON::PP->new->utf8->canonical;

# The stack's own organisation, or the one whose id and key are given.
sub new {
    my ($class, $stack, %option) = @_;
    return bless { stack => $stack, org => $stack->{org}, key => $stack->{sk}, %option }, $class;
}

# Another organisation of the same installation.
sub organization {
    my ($class, $stack, $name) = @_;
    my $org = $stack->sql("INSERT INTO organizations (name, plan_type) VALUES ('$name', 'pro') RETURNING id");
    my $key = $stack->key('create', '--org', $org, '--kind', 'sk', '--name', 'admin');
    return $class->new($stack, org => $org, key => $key->{key});
}

sub send {
    my ($self, $client, $method, $path, $body, $headers) = @_;
    $body = $json->encode($body) if ref $body;
    return $client->request($method, "/api/admin/$path", $headers, $body);
}

sub request {
    my ($self, $method, $path, $body, $headers) = @_;
    my $client = $self->{stack}->client(key => $self->{key}, origin => undef);
    return $self->send($client, $method, $path, $body, $headers);
}

sub get    { my ($self, $path, $headers) = @_; return $self->request('GET', $path, undef, $headers); }
sub delete { my ($self, $path) = @_; return $self->request('DELETE', $path); }
sub post   { my ($self, $path, $body, $headers) = @_; return $self->request('POST', $path, $body, $headers); }
sub put    { my ($self, $path, $body, $headers) = @_; return $self->request('PUT', $path, $body, $headers); }

# Every route that the binary serves: {method, pattern, role, raw}.
sub routes {
    my ($self) = @_;
    return map {
        my ($method, $pattern, $role, $kind) = split;
        { method => $method, pattern => $pattern, role => $role, raw => $kind eq 'raw' };
    } split /\n/, $self->{stack}->frontdesk('admin', '--routes');
}

sub path {
    my ($self, $pattern, @ids) = @_;
    $pattern =~ s{:[a-z_]+}{shift @ids}ge;
    return $pattern;
}

my $number = 0;
my %markdown = ('Content-Type' => 'text/markdown');

# "METHOD pattern" => what a good request is: ids (made in the organisation given), body,
# headers, query, the status of success (200), and hidden: text of an own record that
# another organisation's key must not see in a list.
sub matrix {
    return (
        'GET ai-settings'  => {},
        'PUT ai-settings'  => { body => { temperature => 0.3 } },
        'GET alerts'       => {},
        'GET approvals'    => { hidden => \&make_approval },
        'POST approvals/:id/approve' => { ids => \&make_approval },
        'POST approvals/:id/decline' => { ids => \&make_approval },
        'GET budget'       => {},
        'PUT budget'       => { body => { session_cap_usd => 5 } },
        'POST dry-run'     => { body => { message => 'Do you ship abroad?' } },
        'GET integrations' => { hidden => \&make_integration },
        'POST integrations' => { body => integration('new'), good => 201 },
        'GET integrations/:id' => { ids => \&make_integration },
        'PATCH integrations/:id' => { ids => \&make_integration, body => { enabled => JSON::PP::false } },
        'DELETE integrations/:id' => { ids => \&make_integration, good => 204 },
        'POST integrations/:id/test' => { ids => \&make_integration },
        'GET integrations/:id/calls' => { ids => \&make_integration },
        'GET integrations/:id/endpoints' => { ids => \&make_integration },
        'POST integrations/:id/endpoints' => { ids => \&make_integration, body => endpoint('matrix_new'), good => 201 },
        'PATCH endpoints/:name' => { ids => \&make_endpoint, body => { enabled => JSON::PP::false }, good => 204 },
        'DELETE endpoints/:name' => { ids => \&make_endpoint, good => 204 },
        'GET keys'         => { query => '?limit=200', hidden => \&make_key },
        'POST keys'        => { body => { name => 'matrix', kind => 'sk' }, good => 201 },
        'POST keys/:id/rotate' => { ids => \&make_key, body => { overlap_s => 0 }, good => 201 },
        'DELETE keys/:id'  => { ids => \&make_key, good => 204 },
        'GET knowledge/articles' => { hidden => \&make_article },
        'POST knowledge/articles' => { body => "# Matrix\n\nNew.", query => '?slug=matrix-new', headers => \%markdown, good => 201 },
        'GET knowledge/articles/:slug' => { ids => \&make_article },
        'DELETE knowledge/articles/:slug' => { ids => \&make_article, good => 204 },
        'GET knowledge/search' => { query => '?q=quokka', hidden => \&make_article },
        'GET models'       => {},
        'GET models/ab'    => {},
        'GET organization' => { hidden => sub { $_[0]{org} } },
        'GET tools'        => { hidden => \&make_tool },
        'POST tools'       => { body => tool('matrix_new'), good => 201 },
        'GET tools/:name'  => { ids => \&make_tool },
        'PATCH tools/:name' => { ids => \&make_tool, body => { enabled => JSON::PP::false } },
        'DELETE tools/:name' => { ids => \&make_tool, good => 204 },
        'POST tools/:name/test' => { ids => \&make_tool, body => { arguments => {} } },
        'GET tool-executions' => { hidden => \&make_approval },
        'GET usage'        => {},
        'GET usage/invoice' => {},
    );
}


sub make_key {
    my ($self) = @_;
    return $self->post('keys', { name => 'matrix ' . $number++, kind => 'sk' })->{json}{id};
}

sub make_article {
    my ($self) = @_;
    my $slug = 'matrix-' . $number++;
    $self->post("knowledge/articles?slug=$slug", "# Quokka\n\nThe quokka of $slug lives here.", \%markdown);
    return $slug;
}

# The address is one that may not be reached: a test of it ends at once.
sub tool {
    my ($name) = @_;
    return { name => $name, description => 'Does nothing.', url => 'http://192.168.0.1/hook', risk => 'read',
             parameters_schema => { type => 'object', properties => {} } };
}

sub integration {
    my ($name) = @_;
    return { type => 'custom_api', name => "Matrix $name", url => 'https://127.0.0.1:9', auth => 'none' };
}

sub make_integration {
    my ($self) = @_;
    return $self->post('integrations', integration($number++))->{json}{id};
}

sub endpoint {
    my ($name) = @_;
    return { name => $name, description => 'Looks nothing up.', method => 'GET', url => '/things',
             parameters_schema => { type => 'object', properties => {} } };
}

sub make_endpoint {
    my ($self) = @_;
    my ($id, $name) = ($self->make_integration, 'matrix_' . $number++);
    $self->post("integrations/$id/endpoints", endpoint($name));
    return $name;
}

sub make_tool {
    my ($self) = @_;
    return $self->post('tools', tool('matrix_' . $number++))->{json}{name};
}

sub make_approval {
    my ($self) = @_;
    return $self->{stack}->sql("INSERT INTO tool_executions (org_id, tool_name, risk, status, summary, expires_at)"
        . " VALUES ('$self->{org}', 'refund', 'high', 'approving', 'Refund it', now() + interval '1 hour') RETURNING id");
}

1;
