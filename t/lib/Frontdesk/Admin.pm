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

# Every route that the binary serves: {method, pattern, role, raw, access}; access is open,
# user, access or -.
sub routes {
    my ($self) = @_;
    return map {
        my ($method, $pattern, $role, $kind, $access) = split;
        { method => $method, pattern => $pattern, role => $role, raw => $kind eq 'raw', access => $access };
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
# headers, query, the status of success (200), hidden: text of an own record that another
# organisation's key must not see in a list, and platform: parameters that only the platform's
# owner may send, with the status of what he is answered.
sub matrix {
    return (
        'GET ai-settings'  => {},
        'PUT ai-settings'  => { body => { temperature => 0.3 } },
        'GET business-info' => {},
        'PUT business-info' => { body => { tone => 'brief' } },
        'GET ai-settings/provider' => {},
        'PUT ai-settings/provider' => { body => { provider => 'openai', api_key => 'sk-matrix-0000' } },
        'POST ai-settings/provider/test' => { ids => \&make_provider },
        'DELETE ai-settings/provider' => { ids => \&make_provider, good => 204 },
        'GET ai-settings/embedding' => {},
        'PUT ai-settings/embedding' => { body => { provider => 'openai', model => 'm', api_key => 'sk-matrix-0000' } },
        'POST ai-settings/embedding/test' => { ids => \&make_embedding },
        'DELETE ai-settings/embedding' => { ids => \&make_embedding, good => 204 },
        'GET alerts'       => {},
        'GET analytics'    => {},
        'GET approvals'    => { hidden => \&make_approval },
        'POST approvals/:id/approve' => { ids => \&make_approval },
        'POST approvals/:id/decline' => { ids => \&make_approval },
        'GET audit'        => {},
        'GET audit/export' => {},
        (map { $_ => {} } 'POST auth/login', 'GET auth/setup', 'POST auth/setup', 'POST auth/forgot', 'POST auth/reset', # edge/sign-in.t
            'POST auth/logout', 'POST auth/refresh', 'POST auth/password', 'GET auth/me', 'GET auth/sessions',
            'DELETE auth/sessions', 'DELETE auth/sessions/:id', 'POST auth/team', 'POST auth/organization'),
        'GET branding'     => {},
        'PUT branding'     => { body => { title => 'Matrix' } },
        'GET budget'       => {},
        'PUT budget'       => { body => { session_cap_usd => 5 } },
        'GET canned-replies' => { hidden => \&make_canned_reply },
        'POST canned-replies' => { body => { shortcut => 'matrix-new', text => 'Hello {visitor}' }, good => 201 },
        'GET canned-replies/:id' => { ids => \&make_canned_reply },
        'PATCH canned-replies/:id' => { ids => \&make_canned_reply, body => { text => 'Hi' } },
        'DELETE canned-replies/:id' => { ids => \&make_canned_reply, good => 204 },
        'GET channels' => { hidden => \&make_channel },
        'GET channels/:channel' => { ids => \&make_channel },
        'PUT channels/:channel' => { ids => \&make_channel, body => { enabled => JSON::PP::false } },
        'POST channels' => { body => { channel => 'matrix-new' }, good => 201 },
        'GET channels/:channel/deliveries' => { ids => \&make_channel },
        'POST channels/inbound' => { ids => \&make_sms, body => { channel => 'sms', from => '+1', message_id => 'matrix', text => 'Hello' }, good => 202 },
        'GET events' => { query => '?last_event_id=none', good => 400 }, # it is heard in engine/events.t
        'GET handoffs' => { hidden => \&make_held },
        'POST conversations/:id/look' => { ids => \&make_conversation, body => { name => 'Dana' } },
        'GET conversations' => { hidden => \&make_conversation, platform => ['organization=all', 200] },
        'GET conversations/export' => { hidden => \&make_conversation, platform => ['organization=all', 400] },
        'GET conversations/:id' => { ids => \&make_conversation },
        'PATCH conversations/:id' => { ids => \&make_conversation, body => { title => 'Named' } },
        'POST conversations/:id/join' => { ids => \&make_conversation, body => { name => 'Dana' } },
        'POST conversations/:id/reply' => { ids => \&make_held, body => { text => 'Hello' } },
        'POST conversations/:id/typing' => { ids => \&make_held },
        'POST conversations/:id/release' => { ids => \&make_held },
        'POST conversations/:id/resolve' => { ids => \&make_held },
        'GET identity-secrets' => { hidden => \&make_identity_secret },
        'GET identity-secrets/:id' => { ids => \&make_identity_secret },
        'POST identity-secrets' => { good => 201 },
        'DELETE identity-secrets/:id' => { ids => \&make_identity_secret, good => 204 },
        'GET conversations/:id/export' => { ids => \&make_conversation },
        'POST dry-run'     => { body => { message => 'Do you ship abroad?' } },
        'GET installation' => {},
        'GET integrations' => { hidden => \&make_integration },
        'POST integrations' => { body => integration('new'), good => 201 },
        'GET integrations/:id' => { ids => \&make_integration },
        'PATCH integrations/:id' => { ids => \&make_integration, body => { enabled => JSON::PP::false } },
        'DELETE integrations/:id' => { ids => \&make_integration, good => 204 },
        'POST integrations/:id/test' => { ids => \&make_integration },
        'GET integrations/:id/calls' => { ids => \&make_integration },
        'GET integrations/:id/endpoints' => { ids => \&make_integration },
        'POST integrations/:id/endpoints' => { ids => \&make_integration, body => endpoint('matrix_new'), good => 201 },
        'GET endpoints/:name' => { ids => \&make_endpoint },
        'PATCH endpoints/:name' => { ids => \&make_endpoint, body => { enabled => JSON::PP::false } },
        'POST endpoints/:name/test' => { ids => \&make_endpoint, body => { arguments => {} } },
        'DELETE endpoints/:name' => { ids => \&make_endpoint, good => 204 },
        'GET keys'         => { query => '?limit=200', hidden => \&make_key },
        'POST keys'        => { body => { name => 'matrix', kind => 'sk' }, good => 201 },
        'GET keys/:id'     => { ids => \&make_key },
        'PATCH keys/:id'   => { ids => \&make_key, body => { name => 'matrix renamed' } },
        'POST keys/:id/rotate' => { ids => \&make_key, body => { overlap_s => 0 }, good => 201 },
        'DELETE keys/:id'  => { ids => \&make_key, good => 204 },
        'GET knowledge-gaps' => {},
        'GET knowledge/articles' => { hidden => \&make_article },
        'POST knowledge/articles' => { body => "# Matrix\n\nNew.", query => '?slug=matrix-new', headers => \%markdown, good => 201 },
        'GET knowledge/articles/:slug' => { ids => \&make_article },
        'PUT knowledge/articles/:slug' => { ids => \&make_article, body => "# Matrix\n\nChanged.", headers => \%markdown },
        'DELETE knowledge/articles/:slug' => { ids => \&make_article, good => 204 },
        'GET knowledge/search' => { query => '?q=quokka', hidden => \&make_article },
        'GET models'       => {},
        'GET openapi.json' => {},
        'GET models/ab'    => {},
        'GET onboarding'   => {},
        'GET organization' => { hidden => sub { $_[0]{org} } },
        'PATCH organization' => { body => { domain => 'matrix.example' } },
        (map { $_ => {} } 'GET organizations', 'POST organizations', 'GET organizations/:id', 'PATCH organizations/:id'), # engine/organizations.t
        'GET teams'        => { hidden => \&make_team },
        'POST teams'       => { body => { name => 'matrix new' }, good => 201 },
        'GET teams/:id'    => { ids => \&make_team },
        'GET teams/:id/members/:user' => { ids => \&make_member },
        'DELETE teams/:id' => { ids => \&make_team, good => 204 },
        'PUT teams/:id/members/:user' => { ids => \&make_member, body => { role => 'admin' }, good => 204 },
        'DELETE teams/:id/members/:user' => { ids => \&make_member, good => 204 },
        'GET retention'    => {},
        'PUT retention'    => { body => { message_days => 30 } },
        'POST test-chat'   => { body => { message => 'Do you ship abroad?' } },
        'GET test-chat/:job' => { ids => \&make_test_chat },
        'POST test-chat/:job/cancel' => { ids => \&make_test_chat },
        'POST test-chat/:job/confirm' => { ids => \&make_test_question, body => { call_id => 'c_1', decision => 'decline' } },
        'GET test-cases'   => { hidden => \&make_test_case },
        'POST test-cases'  => { body => { name => 'matrix new', message => 'Hello' }, good => 201 },
        'GET test-cases/:id' => { ids => \&make_test_case },
        'PATCH test-cases/:id' => { ids => \&make_test_case, body => { name => 'Matrix' } },
        'DELETE test-cases/:id' => { ids => \&make_test_case, good => 204 },
        'GET test-runs'    => { hidden => \&make_test_run },
        'POST test-runs'   => { body => { case_ids => [] }, good => 202 },
        'GET test-runs/:id' => { ids => \&make_test_run },
        'POST test-runs/:id/cancel' => { ids => \&make_test_run },
        'GET tools'        => { hidden => \&make_tool },
        'POST tools'       => { body => tool('matrix_new'), good => 201 },
        'GET tools/:name'  => { ids => \&make_tool },
        'PATCH tools/:name' => { ids => \&make_tool, body => { enabled => JSON::PP::false } },
        'DELETE tools/:name' => { ids => \&make_tool, good => 204 },
        'POST tools/:name/test' => { ids => \&make_tool, body => { arguments => {} } },
        'GET tool-executions' => { hidden => \&make_approval },
        'GET users'        => { query => '?limit=200', hidden => \&make_user },
        'POST users'       => { body => { email => 'matrix@new.example', role => 'staff' }, good => 201 },
        'GET users/:id'    => { ids => \&make_user },
        'PATCH users/:id'  => { ids => \&make_user, body => { name => 'Matrix' } },
        'POST users/:id/reset' => { ids => \&make_user, good => 201 },
        'GET usage'        => {},
        'GET usage/invoice' => {},
        'POST visitors/export' => { body => { session => 'nobody' }, streams => 1 },
        'POST visitors/delete' => { body => { session => 'nobody' } },
        'GET visitors/requests' => {},
    );
}


sub make_conversation {
    my ($self) = @_;
    return $self->{stack}->sql("INSERT INTO conversations (org_id, session_id) VALUES ('$self->{org}', gen_random_uuid()) RETURNING id");
}

# A conversation that this key has joined.
sub make_held {
    my ($self) = @_;
    my $id = $self->make_conversation;
    $self->{stack}->sql("UPDATE conversations SET status = 'human', holder_name = 'Dana', holder = (SELECT 'key:' || id FROM api_keys"
        . " WHERE key_sha256 = encode(sha256('$self->{key}'), 'hex')) WHERE id = '$id'");
    return $id;
}

sub make_channel {
    my ($self, $name) = @_;
    $name ||= 'matrix-' . $number++;
    $self->post('channels', { channel => $name, enabled => JSON::PP::true, outbound_url => 'https://nowhere.invalid/hook' });
    return $name;
}
sub make_sms { my ($self) = @_; $self->make_channel('sms'); return; }

sub make_canned_reply {
    my ($self) = @_;
    return $self->post('canned-replies', { shortcut => 'matrix-' . $number++, text => 'Thank you' })->{json}{id};
}

# At most two may live.
sub make_identity_secret {
    my ($self) = @_;
    $self->{stack}->sql("DELETE FROM identity_secrets WHERE org_id = '$self->{org}'");
    $self->{stack}->frontdesk('identity', 'create', '--org', $self->{org});
    return $self->{stack}->sql("SELECT id FROM identity_secrets WHERE org_id = '$self->{org}'");
}

# There is no such host: a test of it ends at once.
sub make_provider {
    my ($self) = @_;
    $self->put('ai-settings/provider', { provider => 'openai', base_url => 'https://nowhere.invalid/v1', api_key => 'sk-matrix-0000' });
    return;
}

sub make_embedding {
    my ($self) = @_;
    $self->put('ai-settings/embedding', { provider => 'openai', base_url => 'https://nowhere.invalid/v1', model => 'm', api_key => 'sk-matrix-0000' });
    return;
}

sub make_key {
    my ($self) = @_;
    return $self->post('keys', { name => 'matrix ' . $number++, kind => 'sk' })->{json}{id};
}

sub make_user {
    my ($self) = @_;
    return $self->post('users', { email => 'matrix-' . $number++ . '@a.example', role => 'staff' })->{json}{id};
}

sub make_team {
    my ($self) = @_;
    return $self->post('teams', { name => 'matrix ' . $number++ })->{json}{id};
}

sub make_member {
    my ($self) = @_;
    my @ids = ($self->make_team, $self->make_user);
    $self->put("teams/$ids[0]/members/$ids[1]", { role => 'staff' });
    return @ids;
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

sub make_test_case {
    my ($self) = @_;
    return $self->post('test-cases', { name => 'matrix ' . $number++, message => 'Hello' })->{json}{id};
}

sub make_test_run {
    my ($self) = @_;
    $self->make_test_case;
    $self->{stack}->sql("UPDATE test_runs SET status = 'done' WHERE org_id = '$self->{org}'"); # few may run at a time
    return $self->post('test-runs', {})->{json}{id};
}

sub make_test_chat {
    my ($self) = @_;
    return $self->post('test-chat', { message => 'Hello' })->{headers}{'x-frontdesk-job'};
}

# A job whose call of a tool waits for a word.
sub make_test_question {
    my ($self) = @_;
    my $job = sprintf '0-%032x', ++$number;
    my $id = $self->{stack}->sql("SELECT id FROM api_keys WHERE key_sha256 = encode(sha256('$self->{key}'), 'hex')");
    $self->{stack}->redis('jobs', 'HSET', "fd:job:{0}:$job", org => $self->{org}, tester => "key:$id", state => 'running', 'ask:c_1' => 4102444800000);
    return $job;
}

sub make_approval {
    my ($self) = @_;
    return $self->{stack}->sql("INSERT INTO tool_executions (org_id, tool_name, risk, status, summary, expires_at)"
        . " VALUES ('$self->{org}', 'refund', 'high', 'approving', 'Refund it', now() + interval '1 hour') RETURNING id");
}

1;
