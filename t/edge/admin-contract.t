# What the description of the admin API says of every route, asked of every route: its answers
# are as described, what it does not know is refused by name, what is refused changes nothing, a
# change of what was changed meanwhile is refused, what is sent twice is done once, and nobody
# else's rows move.  ADM-1 ADM-8
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Npm;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $json = JSON::PP->new->utf8->canonical;
my $stack = Frontdesk::Stack->new(
    provider => undef,
    env => { STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' },
    worker => { FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:9', # where nobody listens
                FRONTDESK_RESET_WEBHOOK_URL => 'http://127.0.0.1:9/', FRONTDESK_RESET_WEBHOOK_SECRET => 'x' x 16,
                FRONTDESK_PUBLIC_URL => 'http://desk.example' },
);
$stack->start;
$stack->must('worker', 'stop'); # it counts and tidies when it likes; what asks it has it for as long
my ($mine, $other) = (Frontdesk::Admin->new($stack), Frontdesk::Admin->organization($stack, 'Other Shop'));

sub code { my ($r) = @_; return ($r->{json} || {})->{code} // ''; }

# -- the document ---------------------------------------------------------------------------

my $npm = Frontdesk::Npm->new(Frontdesk::Stack::root() . '/t/edge/openapi');
$npm->install('ajv');
my @answers;
sub check_document {
    my ($answers) = @_;
    my $output = qx{@{[$npm->node]} $npm->{dir}/check.mjs $stack->{dir}/openapi.yaml $answers 2>&1};
    return $? == 0 ? '' : $output;
}
sub write_file { my ($name, @text) = @_; open my $out, '>', "$stack->{dir}/$name" or die "$name: $!"; print $out @text; close $out or die; return "$stack->{dir}/$name"; }

my $yaml = $stack->frontdesk('admin', '--openapi');
write_file('openapi.yaml', $yaml);
open my $in, '<', Frontdesk::Stack::root() . '/docs/openapi.yaml' or die "docs/openapi.yaml: $!";
ok do { local $/; <$in> } eq $yaml, 'ADM-8: docs/openapi.yaml is what `frontdesk admin --openapi` prints';
is check_document(''), '', 'ADM-8: it is OpenAPI 3.1';
my $document = $mine->get('openapi.json')->{json};

my %reasons = map { $_ => 1 } @{ $document->{components}{schemas}{ReasonCode}{enum} };
cmp_ok scalar keys %reasons, '>', 200, 'ADM-8: the codes of refusals are a closed set';

my %described;
for my $path (keys %{ $document->{paths} }) {
    $described{ uc($_) . " $path" } = $document->{paths}{$path}{$_} for keys %{ $document->{paths}{$path} };
}
sub name_of { my ($method, $pattern) = @_; return "$method /api/admin/" . ($pattern =~ s/:([a-z_]+)/{$1}/gr); }
my @routes = $mine->routes;
is_deeply [sort map { name_of(@$_{qw(method pattern)}) } @routes], [sort grep { m{ /api/admin/} } keys %described], 'every route is described, and no other';
open my $table, '<', Frontdesk::Stack::root() . '/ngx_module/ngx_http_frontdesk_route.c' or die "route.c: $!";
my ($edge_table) = do { local $/; <$table> } =~ /(.*?)ngx_null_string/s; # the API's; what follows is the admin API's
my @edge = $edge_table =~ /\{ NGX_HTTP_(\w+?)(?:\|NGX_HTTP_HEAD)?, ngx_string\("([^"]+)"\),\s*([\w|\s]+)/g;
my %edge;
while (my ($method, $path, $flags) = splice @edge, 0, 3) {
    $edge{ "$method " . ($flags =~ /OPENAI/ ? '/v1/' : '/api/v1/') . $path =~ s/:\w+|\*/{}/gr } = 1;
}
is_deeply [sort keys %edge], [sort map { s/\{\w+\}/{}/gr } grep { !m{ /api/admin/} } keys %described], 'and so is every route of nginx';
for my $edge (grep { !m{ /api/admin/} } sort keys %described) {
    my ($method, $path) = split / /, $edge;
    my $r = $stack->client(key => undef, origin => undef)->request($method, $path =~ s/\{\w+\}/0/gr, {}, $method eq 'POST' ? '{}' : undef);
    ok $r->{status} =~ /^(?:401|422)$/ || ($path =~ m{/callback/} && $r->{status} != 405), "$edge is there" or diag "$r->{status} $r->{body}";
}

# -- methods --------------------------------------------------------------------------------

my %methods;
push @{ $methods{ $_->{pattern} } }, $_->{method} for @routes;
subtest 'ADM-8: no path takes a method that is not described' => sub {
    for my $pattern (sort keys %methods) {
        my %takes = map { $_ => 1 } @{ $methods{$pattern} };
        my $path = $mine->path($pattern, ('00000000-0000-4000-8000-000000000000') x 3);
        for my $method (grep { !$takes{$_} } qw(GET POST PUT PATCH DELETE)) {
            my $r = $mine->request($method, $path, $method =~ /GET|DELETE/ ? undef : {});
            my %allowed = map { $_ => 1 } grep { $_ ne 'HEAD' } split /, /, $r->{headers}{allow} // '';
            ok $r->{status} == 405 && join(' ', sort keys %allowed) eq join(' ', sort keys %takes), "$method $pattern"
                or diag "$r->{status} $r->{headers}{allow}";
        }
    }
};

# -- whose rows there are -------------------------------------------------------------------

my @tables = grep { !/^(?:audit_log|idempotency_keys)$/ } $stack->sql(
    "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
    . " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1");
cmp_ok scalar @tables, '>', 20, 'the tables with rows of organisations';
# {table => a sum over the organisation's rows}, of mine and of the other's.
sub rows_of {
    my $each = "md5(query_to_xml(format('SELECT t::text FROM %I t WHERE %I = %L ORDER BY 1', name, key, org), true, false, '')::text)";
    my %sums;
    for ($stack->sql("SELECT name, org, $each FROM (VALUES ('organizations', 'id')" . join('', map { ", ('$_', 'org_id')" } @tables)
        . ") AS l (name, key), (VALUES ('$mine->{org}'), ('$other->{org}')) AS o (org)")) {
        my ($name, $org, $sum) = split /\|/;
        $sums{$org}{$name} = $sum;
    }
    return @sums{ $mine->{org}, $other->{org} };
}
sub moved { my ($before, $after) = @_; return join ' ', grep { $before->{$_} ne $after->{$_} } sort keys %$before; }
sub audited { return $stack->sql("SELECT count(*) FROM audit_log WHERE org_id = '$mine->{org}'"); }

# The tables that changes of a path may change, beside audit_log.
my @moves = (
    [qr{^ai-settings/},             'org_ai_endpoints'],
    [qr{^ai-settings$|^budget$},    'org_ai_settings'],
    [qr{^approvals/},               'tool_executions'],
    [qr{^branding$},                'org_ai_settings organizations'],
    [qr{^business-info$|^organization$}, 'organizations'],
    [qr{^canned-replies},           'canned_replies'],
    [qr{^channels(?:/:channel)?$},  'channels'],
    [qr{^channels/inbound$},        'channel_inbox channel_threads'],
    [qr{^conversations/},           'conversations messages'],
    [qr{^identity-secrets},         'identity_secrets'],
    [qr{^integrations(?:/:id)?$},   'client_integrations'],
    [qr{^integrations/:id/test$},   'client_integrations integration_calls'],
    [qr{^integrations/:id/endpoints$|^endpoints/:name$}, 'integration_endpoints'],
    [qr{^endpoints/:name/test$},    'integration_calls tool_executions'],
    [qr{^keys},                     'api_keys organizations'],
    [qr{^knowledge/articles},       'article_sections articles organizations search_words'],
    [qr{^retention$},               'retention_settings'],
    [qr{^teams(?:/:id)?$},          'teams'],
    [qr{^teams/:id/members/},       'team_members'],
    [qr{^tools(?:/:name)?$},        'client_tools'],
    [qr{^tools/:name/test$},        'tool_executions'],
    [qr{^test-cases},               'test_cases'],
    [qr{^test-runs},                'test_runs test_results'],
    [qr{^users$},                   'password_resets users'],
    [qr{^users/:id$},               'users'],
    [qr{^users/:id/reset$},         'password_resets'],
    [qr{^visitors/},                'visitor_requests'],
);
sub may_move { my ($pattern) = @_; return map { split / /, $_->[1] } grep { $pattern =~ $_->[0] } @moves; }

# -- every route ----------------------------------------------------------------------------

# A value of no kind that the schema takes; undef: it takes all.
sub wrong_value {
    my ($schema) = @_;
    my %type = map { $_ => 1 } ref $schema->{type} ? @{ $schema->{type} } : $schema->{type} // return;
    return !$type{object} ? { no_such => 1 } : !$type{integer} && !$type{number} ? 7 : [[]];
}

my %row = Frontdesk::Admin->matrix;
my $keys = 0;
for my $route (@routes) {
    my ($method, $pattern, $raw) = @$route{qw(method pattern raw)};
    next if $route->{access} =~ /^(?:open|user)$/ || $route->{role} =~ /^(?:superadmin|owner)$/;
    my $name = "$method $pattern";
    my $row = $row{$name} or next; # admin.t says so
    my $operation = $described{ name_of($method, $pattern) } or next;
    my %takes = map { ($_->{'$ref'} // '') => 1 } @{ $operation->{parameters} };
    my $schema = ($operation->{requestBody}{content}{'application/json'} // {})->{schema} // {};
    my $changes = $method !~ /GET/ && ($method ne 'POST' || $takes{'#/components/parameters/IdempotencyKey'});
    my $asks_worker = $pattern =~ m{^test-chat};
    if ($asks_worker) {
        $stack->must('worker', 'start');
        $stack->wait_ready;
    }
    subtest $name => sub {
        my @ids = $row->{ids} ? $row->{ids}->($mine) : ();
        $row->{hidden}->($mine) if $row->{hidden};
        my $path = $mine->path($pattern, @ids) . ($row->{query} // '');
        my $body = $row->{body} // ($method =~ /GET|DELETE/ ? undef : $raw ? 'x' : {});
        my $ask = sub { my ($with, %headers) = @_; return $mine->request($method, $path, $with, { %{ $row->{headers} || {} }, %headers }) };
        my ($rows, $theirs) = rows_of();
        my $audited = audited();

        if (ref $body) {
            for my $extra (grep { !$schema->{properties}{$_} } qw(org_id id created_at updated_at actor role status plan_type superadmin version generation no_such_field)) {
                my $r = $ask->({ %$body, $extra => 'x' });
                is "$r->{status} " . ($r->{json}{field} // ''), "422 $extra", "$extra is refused by name" or diag $r->{body};
                is $r->{json}{reason}{code}, 'unknown_field', 'with a code';
            }
            for my $property (sort keys %{ $schema->{properties} || {} }) {
                my $wrong = wrong_value($schema->{properties}{$property}) // next;
                my $r = $ask->({ %$body, $property => $wrong });
                is $r->{status}, 422, "$property of another kind is refused" or diag $r->{body};
                like $r->{json}{field} // '', qr/^\Q$property\E/, 'by name';
                ok $reasons{ $r->{json}{reason}{code} // '' }, 'with a code' or diag $r->{body};
            }
            for my $required (@{ $schema->{required} || [] }) {
                my %less = %$body;
                delete $less{$required};
                my $r = $ask->(\%less);
                is "$r->{json}{field} $r->{json}{reason}{code}", "$required required", "$required is required";
            }
        }
        if ($takes{'#/components/parameters/IfMatch'}) {
            my $r = $ask->($body, 'If-Match' => '"stale"');
            is "$r->{status} " . code($r), '412 changed-meanwhile', 'what was changed meanwhile is not changed' or diag $r->{body};
            is $r->{headers}{etag}, $mine->get($path)->{headers}{etag}, 'the answer has the tag that it has now';
        } elsif ($method =~ /PUT|PATCH|DELETE/) {
            is $ask->($body, 'If-Match' => '"stale"')->{status}, 400, 'a tag that cannot be compared is refused';
        }
        is moved($rows, (rows_of())[0]), '', 'what was refused has changed nothing' unless $asks_worker;
        is audited(), $audited, 'and left no row in the record';

        my %with;
        $with{'Idempotency-Key'} = 'matrix-' . $keys++ if $takes{'#/components/parameters/IdempotencyKey'};
        $with{'If-Match'} = '"other", ' . $mine->get($path)->{headers}{etag} if $takes{'#/components/parameters/IfMatch'};
        my $r = $ask->($body, %with);
        is $r->{status}, $row->{good} // 200, 'it is answered' or diag $r->{body};
        push @answers, { route => name_of($method, $pattern), status => $r->{status}, type => ($r->{headers}{'content-type'} // '') =~ s/;.*//r, body => $r->{body} }
            unless ($r->{headers}{'content-type'} // '') =~ /event-stream/;
        my ($after, $theirs_after) = rows_of();
        my %may = map { $_ => 1 } $changes ? may_move($pattern) : ();
        is join(' ', grep { !$may{$_} } split / /, moved($rows, $after)), '', 'it changes only what it may' unless $asks_worker;
        is moved($theirs, $theirs_after), '', 'and nothing of the other organisation';
        if ($method eq 'GET' && $takes{'#/components/parameters/IfNoneMatch'}) {
            like $r->{headers}{etag}, qr/^"[\w.-]+"$/, 'it has a tag';
            my $again = $ask->($body, 'If-None-Match' => $r->{headers}{etag});
            ok "$again->{status} $again->{body}" eq '304 ' || ($again->{status} == 200 && $again->{body} ne $r->{body}), 'and is not sent twice'
                or diag $again->{status};
        }
        cmp_ok audited() - $audited, '>=', $changes ? 1 : 0, 'the record tells of it';
        if ($with{'Idempotency-Key'} && !$row->{streams}) {
            my $again = $ask->($body, %with);
            is "$again->{status} " . ($again->{headers}{'idempotency-replayed'} // ''), "$r->{status} true", 'sent again it is answered again';
            is $again->{body}, $r->{body}, 'in the same words';
            is moved($after, (rows_of())[0]), '', 'and not done again';
            my $else = $mine->request($method, $path . ($path =~ /\?/ ? '&' : '?') . 'other=1', $body, { %{ $row->{headers} || {} }, %with });
            is "$else->{status} $else->{json}{field}", '422 Idempotency-Key', 'another request with the same key is refused';
        }
    };
    $stack->must('worker', 'stop') if $asks_worker;
}
# -- what only users may ask ----------------------------------------------------------------

my $boss = Frontdesk::Browser->user($stack, 'boss@shop.example', 'owner');
$stack->frontdesk('user', 'superadmin', 'boss@shop.example', 'on', '--org', $stack->{org});
for my $case (
    ['POST', 'auth/login', { email => $boss->{email}, password => $boss->{password} }],
    ['POST', 'auth/forgot', { email => 'nobody@shop.example' }, 202],
    ['GET', 'auth/me'], ['GET', 'auth/sessions'], ['GET', 'auth/setup'], ['POST', 'auth/refresh', {}], ['POST', 'auth/team', { team_id => undef }],
    ['POST', 'auth/organization', { organization_id => undef }],
    ['GET', 'organizations'], ['GET', 'organizations/:id'], ['POST', 'organizations', { name => 'Third Shop' }, 201],
    ['PATCH', 'organizations/:id', { name => 'Another Name' }],
) {
    my ($method, $pattern, $body, $good) = @$case;
    my $path = $mine->path($pattern, $other->{org});
    if ($body) {
        my $r = $boss->request($method, $path, { %$body, no_such_field => 1 });
        is "$r->{status} " . ($r->{json}{field} // ''), '422 no_such_field', "$method $pattern: what it does not know is refused by name";
    }
    my $again = $pattern eq 'organizations' && $method eq 'POST';
    my $r = $boss->request($method, $path, $body, { 'Idempotency-Key' => 'boss', $method eq 'PATCH' ? ('If-Match' => '"stale"') : () });
    if ($method eq 'PATCH') {
        is code($r), 'changed-meanwhile', "$method $pattern: only of what one has read";
        $r = $boss->request($method, $path, $body, { 'If-Match' => $r->{headers}{etag} });
    }
    is $r->{status}, $good // 200, "$method $pattern" or diag $r->{body};
    push @answers, { route => name_of($method, $pattern), status => $r->{status}, type => $r->{headers}{'content-type'}, body => $r->{body} };
    is $boss->request($method, $path, $body, { 'Idempotency-Key' => 'boss' })->{body}, $r->{body}, "$method $pattern: once" if $again;
}

for my $whose ('all', $other->{org}) { # what he alone may ask for
    my $r = $boss->get("conversations?organization=$whose");
    is $r->{status}, 200, "GET conversations?organization=$whose" or diag $r->{body};
    ok !grep({ !$_->{organization} } @{ $r->{json}{conversations} }), 'each row says whose it is';
    push @answers, { route => name_of('GET', 'conversations'), status => $r->{status}, type => $r->{headers}{'content-type'}, body => $r->{body} };
}

my %words = map { my $list = $_; $list => { map { $_ => 1 } @{ $document->{components}{schemas}{$list}{enum} } } } qw(AuditKind AuditVerb);
is_deeply [grep { my ($kind, $verb) = split /\|/; !$words{AuditKind}{$kind} || !$words{AuditVerb}{$verb} } $stack->sql("SELECT DISTINCT kind || '|' || verb || '|' || action FROM audit_log")],
    [], 'ADM-8: what each row of the record tells is among the kinds and verbs that are described';

is check_document(write_file('answers.jsonl', map { $json->encode($_) . "\n" } @answers)), '', 'ADM-8: ' . @answers . ' answers are as described';

$stack->finish;
done_testing;
