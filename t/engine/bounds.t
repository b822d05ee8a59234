# How many of a thing an organisation may have: what one fills, others do without.  ADM-2
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use Test::More;

my $stack = Frontdesk::Stack->new;
$stack->start;
my $admin = Frontdesk::Admin->organization($stack, 'Full Shop');
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $org = $admin->{org};

sub fill { my ($table, $columns, $values, $most) = @_; return $stack->sql("INSERT INTO $table (org_id, $columns) SELECT '$org', $values FROM generate_series(1, $most) n"); }
sub said { my ($r) = @_; return join ' ', $r->{status}, map { $_ // '' } $r->{json}{reason}{code}, $r->{json}{detail}; }

my @kinds = (
    ['api_keys', "name, kind, key_sha256, last4", "'k', 'sk', encode(sha256(n::text::bytea), 'hex'), 'last'", 99,
     'keys', { name => 'one more', kind => 'sk' }, 'an organisation may have 100 keys'],
    ['users', 'email, role', "'u' || n || '\@x.example', 'client'", 1000,
     'users', { email => 'more@x.example', role => 'client' }, 'an organisation may have 1000 users'],
    ['teams', 'name', "'t' || n", 500, 'teams', { name => 'one more' }, 'an organisation may have 500 teams'],
    ['test_cases', 'name, message', "'c' || n, 'Hi'", 1000,
     'test-cases', { name => 'one more', message => 'Hi' }, 'an organisation may have 1000 test cases'],
    ['articles', 'slug, title, body', "'a-' || n, 'A', 'A'", 5000,
     'knowledge/articles', { body => "# One more\n\nText.", title => 'One more' }, 'an organisation may have 5000 articles'],
    ['client_tools', 'tool_name, parameters_schema', "'x' || n, '{\"type\":\"object\"}'", 200,
     'tools', { name => 'one_more', description => 'Does it.', url => 'https://hooks.example/x', parameters_schema => { type => 'object' } },
     'an organisation may have 200 tools'],
);
for my $kind (@kinds) {
    my ($table, $columns, $values, $most, $path, $body, $words) = @$kind;
    subtest "ADM-2: $words" => sub {
        fill($table, $columns, $values, $most);
        my $r = $admin->post($path, $body);
        is said($r), "409 as_many_as_may_be $words", 'one more is refused, with the bound' or diag $r->{body};
        $r = $other->post($path, $body);
        is $r->{status}, 201, 'another organisation has its own' or diag $r->{body};
    };
}

subtest 'ADM-2: what is there can be changed' => sub {
    my ($key) = grep { $_->{name} eq 'admin' } @{ $admin->get('keys?limit=200')->{json}{keys} };
    my $r = $admin->post("keys/$key->{id}/rotate", { overlap_s => 60 });
    is $r->{status}, 201, 'a key is rotated' or diag $r->{body};
    $r = $admin->put('knowledge/articles/a-7', { body => "# A\n\nOther text.", title => 'A' });
    is $r->{status}, 200, 'an article is replaced' or diag $r->{body};
    $r = $admin->request('PATCH', 'tools/x7', { description => 'Does something else.', url => 'https://hooks.example/x' });
    is $r->{status}, 200, 'a tool is changed' or diag $r->{body};
    $stack->sql("UPDATE api_keys SET revoked_at = now() WHERE org_id = '$org' AND name = 'k'");
    is $admin->post('keys', { name => 'one more', kind => 'sk' })->{status}, 201, 'what is revoked counts no more';
};

$stack->finish;
done_testing;
