# Secrets go in, and come out nowhere: a string of its own in every place where an organisation,
# a user or a program gives one, and those that are made; then all that the API shows, all
# exports, the record, the commands, the logs of every process, the metrics, Redis and a dump of
# the database are searched.  ADM-1 EDGE-8 OPS-3
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use MIME::Base64 ();
use Test::More;

my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' },
    worker => { FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:9' }, # where nobody listens
);
$stack->start;
my $mine = Frontdesk::Admin->new($stack);

# -- what goes in ---------------------------------------------------------------------------

my (%secret, $number);
sub canary { my ($where) = @_; return $secret{$where} = sprintf 'canary%04dTweetTweet%04d', ++$number, $number * 7919 % 10000; }
sub keep { my ($where, $value) = @_; ok $value, "$where is told once" or return; $secret{$where} = $value; return $value; }
sub done { my ($what, $r, $status) = @_; is $r->{status}, $status // 200, $what or diag $r->{body}; return $r->{json}; }

done('a provider\'s key', $mine->put('ai-settings/provider', { provider => 'openai', base_url => 'https://nowhere.invalid/v1', api_key => canary('provider key') }));
done('an embedder\'s key', $mine->put('ai-settings/embedding', { provider => 'openai', base_url => 'https://nowhere.invalid/v1', model => 'm', api_key => canary('embedding key') }));
my %shown;
sub tried { my ($path, $body) = @_; $shown{"trial $path"} .= $mine->post($path, $body)->{body}; return; }
tried("ai-settings/$_/test", {}) for 'provider', 'embedding'; # sent, and refused
keep('an alert webhook\'s secret that was made', done('an alert webhook', $mine->put('budget', { alert_webhook_url => 'https://nowhere.invalid/hook' }))->{alert_webhook_secret});
done('one of one\'s own', $mine->put('budget', { alert_webhook_secret => canary('alert webhook secret') x 2 }));
my $made = done('a tool', $mine->post('tools', { %{ Frontdesk::Admin::tool('canary_tool') }, url => 'http://127.0.0.1:9/hook', token_header => 'X-Hook-Token', token => canary('tool token') }), 201);
keep('a tool\'s signing secret that was made', $made->{signing_secret});
$made = done('a tool with its own', $mine->post('tools', { %{ Frontdesk::Admin::tool('canary_signed') }, url => 'http://127.0.0.1:9/hook', signing_secret => canary('signing secret') }), 201);
tried("tools/$_/test", { arguments => {} }) for 'canary_tool', 'canary_signed';
my %integrations = (
    basic => { auth => 'basic', credentials => { username => 'shop', password => canary('basic password') } },
    bearer => { auth => 'bearer', credentials => { token => canary('bearer token') } },
    oauth2 => { auth => 'oauth2', credentials => { client_id => 'shop', client_secret => canary('client secret') }, settings => { token_url => 'https://127.0.0.1:9/token' } },
    shopify => { type => 'shopify', url => 'canary-shop', auth => undef, credentials => { access_token => canary('shop token') } },
    database => { type => 'database', url => '127.0.0.1:9/shop', auth => undef, credentials => { username => 'reader', password => canary('database password') } },
);
my @integrations;
for my $kind (sort keys %integrations) {
    my %body = (%{ Frontdesk::Admin::integration("canary $kind") }, %{ $integrations{$kind} });
    delete $body{auth} unless defined $body{auth};
    push @integrations, my $id = done("an integration by $kind", $mine->post('integrations', \%body), 201)->{id};
    tried("integrations/$id/test", {});
}
done('other credentials', $mine->request('PATCH', "integrations/$integrations[0]", { credentials => { username => 'shop', password => canary('another password') } }));
keep('an identity secret', done('an identity secret', $mine->post('identity-secrets', {}), 201)->{secret});
my $key = done('a key', $mine->post('keys', { name => 'canary', kind => 'sk' }, { 'Idempotency-Key' => 'canary-key' }), 201);
keep('a secret key', $key->{key});
keep('a rotated key', done('its successor', $mine->post("keys/$key->{id}/rotate", {}), 201)->{key});
my $user = done('a user', $mine->post('users', { email => 'canary@shop.example', role => 'staff' }), 201);
keep('a reset token', $user->{reset_token});
my $bare = Frontdesk::Browser->new($stack);
done('a password', $bare->post('auth/reset', { token => $user->{reset_token}, password => canary('password') . '!' }), 204);
keep('an unused reset token', done('a reset', $mine->post("users/$user->{id}/reset", {}), 201)->{reset_token});
my $browser = Frontdesk::Browser->new($stack, email => 'canary@shop.example', password => "$secret{password}!");
done('a session', $browser->sign_in);
keep('the claims of a session', (split /\./, $browser->token)[2]);
keep('the session\'s token', $browser->{cookies}{'frontdesk-csrf'});
done('another password', $browser->post('auth/password', { old_password => "$secret{password}!", password => canary('new password') . '!' }));

# What is wrong is told by its name, not by its value.
my @refused = map { my ($method, $path, $body) = @$_; $mine->request($method, $path, $body) } (
    ['PUT', 'ai-settings/provider', { provider => canary('where a name belongs'), api_key => canary('refused provider key') }],
    ['PUT', 'ai-settings/provider', '{"api_key": "' . canary('broken JSON') . '"'],
    ['PUT', 'budget', { alert_webhook_secret => { a => canary('of another kind') } }],
    ['POST', 'tools', { name => 'canary_tool', token => canary('of a tool that is there') }],
    ['POST', 'integrations', { type => 'custom_api', name => 'x', url => 'https://127.0.0.1:9', auth => 'basic', credentials => { password => canary('incomplete credentials'), unknown => canary('unknown credential') } }],
    ['POST', 'integrations', { type => 'database', name => 'y', url => 'postgres://u:' . canary('password in a URL') . '@127.0.0.1/shop', credentials => { username => 'u', password => 'p' } }],
    ['GET', 'keys?api_key=' . canary('in a query'), undef],
    ['POST', 'users', { email => 'two@shop.example', role => 'staff', password => canary('an unknown member') }],
);
push @refused, map { $bare->post('auth/login', $_) } { email => 'canary@shop.example', password => canary('a wrong password') },
    { email => canary('password as address'), password => 'x' }, { email => 'canary@shop.example', password => { a => canary('password of another kind') } };
push @refused, $bare->post('auth/reset', { token => canary('a wrong token'), password => canary('a password with it') . '!' });
push @refused, $bare->post('auth/setup', { token => canary('a setup token'), organization => 'x', email => 'x@y.example', password => canary('a setup password') . '!' });
push @refused, $stack->client(key => 'fd_sk_' . canary('a wrong key'), origin => undef)->get('/api/admin/keys');
push @refused, $stack->client(key => undef, origin => undef)->get('/api/admin/keys', { Authorization => 'Basic ' . MIME::Base64::encode_base64(canary('basic authorization'), '') });
is join(' ', grep { $_ !~ /^4/ && $_ != 200 } map { $_->{status} } @refused), '', 'wrong requests are refused as such';

# -- what comes out -------------------------------------------------------------------------

$shown{problems} = join "\n", map { $_->{body} } @refused;
my %row = Frontdesk::Admin->matrix;
my %own = (tools => 'canary_tool', integrations => $integrations[0], users => $user->{id}, keys => $key->{id});
for my $route (grep { $_->{method} eq 'GET' && $_->{role} !~ /superadmin/ } $mine->routes) {
    my $row = $row{"GET $route->{pattern}"} or next;
    my ($first) = $route->{pattern} =~ m{^([^/]+)};
    my @ids = $route->{pattern} !~ /:/ ? () : $own{$first} ? $own{$first} : $row->{ids} ? $row->{ids}->($mine) : ();
    next if $route->{pattern} =~ m{^test-chat|^events$}; # streams
    my $path = $mine->path($route->{pattern}, @ids);
    $shown{"GET $route->{pattern}"} .= $_->{body} . join "\n", %{ $_->{headers} }
        for $mine->get("$path?limit=200" . ($row->{query} // '') =~ s/^\?/&/r), $route->{access} eq 'user' ? $browser->get($path) : ();
}
$shown{"integration $_"} = $mine->get("integrations/$_")->{body} . $mine->get("integrations/$_/calls")->{body} for @integrations;
$shown{"export $_"} = $mine->get("conversations/export?format=$_")->{body} for qw(csv json jsonl);
cmp_ok scalar(keys %shown), '>', 40, 'all that the API shows';
my $org = $stack->{org};
$shown{"frontdesk @$_"} = $stack->frontdesk(@$_, '--org', $org) for [qw(tool list)], [qw(integration list)], [qw(key list)], [qw(user list)], [qw(identity list)], [qw(settings show)];
$shown{metrics} = $stack->client(key => undef, origin => undef)->get('/metrics')->{body} . qx(curl -sS --unix-socket $stack->{dir}/run/admin.sock http://x/metrics);
for my $log (map { m{([^/]+)$} } glob "$stack->{dir}/log/*") {
    $shown{"log $log"} = $stack->log_text($log);
}
ok $shown{'log admin.log'} && $shown{'log access.log'}, 'logs were written';
$shown{'the record'} = join "\n", $stack->sql('SELECT a::text FROM audit_log a');
cmp_ok scalar(split /\n/, $shown{'the record'}), '>', 15, 'the record was kept';
$shown{'the kept answers'} = join "\n", $stack->sql("SELECT encode(answer, 'escape') FROM idempotency_keys");
for my $which (qw(jobs live)) {
    $stack->redis($which, qw(CONFIG SET rdbcompression no)); # so that a dump of a key can be read
    my @names = @{ $stack->redis($which, 'KEYS', '*') };
    $shown{"Redis $which"} = join "\n", @names, map { my $dump = $stack->redis($which, 'DUMP', $_); $dump // '' } @names;
}
my ($host) = $stack->stack('environment', 'x') =~ /FRONTDESK_OWNER_DATABASE_URL='(?:host=)(\S+)/;
$shown{'a dump of the database'} = qx(PGOPTIONS='-c row_security=off' pg_dump --data-only --inserts -h $host -U frontdesk_owner -d frontdesk 2>/dev/null);
cmp_ok length $shown{'a dump of the database'}, '>', 100_000, 'and what is stored';

for my $where (sort keys %secret) {
    my $value = $secret{$where};
    my @forms = ($value, unpack('H*', $value), MIME::Base64::encode_base64($value, ''));
    my @seen = grep { my $text = $shown{$_}; grep { index($text, $_) >= 0 } @forms } sort keys %shown;
    is join(', ', @seen), '', "$where is nowhere";
}

$stack->finish;
done_testing;
