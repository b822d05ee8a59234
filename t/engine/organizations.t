# Organisations as the platform's owner makes, looks through and switches them off, how their
# widgets look, and whether those were seen on a site.  ADM-2 ADM-7
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

my $stack = Frontdesk::Stack->new(env => { STACK_NGINX_WORKERS => 2, STACK_HTTP_EXTRA => 'frontdesk_read_rate 60000;' });
$stack->start;
my $json = JSON::PP->new->ascii->canonical->allow_nonref;

sub code { my ($r) = @_; return ($r->{json} || {})->{code} // ''; }
sub says { my ($r) = @_; return "$r->{status} " . code($r); }
sub refused_at { my ($r) = @_; return "$r->{status} " . (($r->{json} || {})->{field} // ''); }
sub page { my ($key, $origin) = @_; return $stack->client(key => $key, origin => $origin); }
sub config_of { my ($key, $origin, $query) = @_; return page($key, $origin)->get('/api/v1/config' . ($query // '')); }
sub steps { my ($who) = @_; return { map { $_->{name} => $_->{done} ? 1 : 0 } @{ $who->get('onboarding')->{json}{steps} } }; }

# -- the first run ------------------------------------------------------------------------

my ($token) = $stack->frontdesk('user', 'setup-token') =~ /^(\S{43})$/m;
my $root = Frontdesk::Browser->new($stack, email => 'root@platform.example', password => 'a long walk in rain');
my %first = (token => $token, email => $root->{email}, password => $root->{password}, name => 'Rut');
is refused_at($root->post('auth/setup', { %first, organization => "First\x{202e}Shop" })), '422 organization', 'ADM-7: a first organisation has a name that can be read';
my $set_up = $root->post('auth/setup', { %first, organization => 'First Shop' });
is $set_up->{status}, 201, 'the first user makes it';
my $pk = $set_up->{json}{publishable_key};
my $home = $root->get('organization')->{json}{id};

subtest 'ADM-7: the first run' => sub {
    my $onboarding = $root->get('onboarding')->{json};
    is_deeply [map { $_->{name} } @{ $onboarding->{steps} }], [qw(branding knowledge model tool budget widget first_chat team)], 'has eight steps';
    is_deeply [grep { $_->{done} } @{ $onboarding->{steps} }], [], 'none of them done';
    ok !$onboarding->{done}, 'so neither is all';
    my $installation = $root->get('installation')->{json};
    my $last4 = substr $pk, -4;
    is $installation->{snippet}, qq{<script async src="https://HOST/widget.js" data-client-key="fd_pk_...$last4"></script>}, 'there is a tag to paste';
    is $installation->{key}{last4}, $last4, 'with the key that the set-up told';
    is_deeply $installation->{key}{origins}, [], 'that works nowhere yet';
    is_deeply [@$installation{qw(seen problems)}], [[], []], 'nothing was seen';

    is says(config_of($pk, 'https://first.example')), '403 origin-forbidden', 'a site that is not allowed is refused';
    my $problem = $stack->until(sub { my ($p) = @{ $root->get('installation')->{json}{problems} }; $p }, 20, 'the refused site') || {};
    is_deeply [@$problem{qw(origin reason)}], ['https://first.example', 'origin-not-allowed'], 'and is told of';
    is steps($root)->{widget}, 0, 'it is no installation';

    is $root->patch("keys/$installation->{key}{id}", { origins => ['https://first.example'] })->{status}, 200, 'allowed';
    is_deeply $root->get('installation')->{json}{problems}, [], 'it is no problem any more';
    ok $stack->until(sub { config_of($pk, 'https://first.example', '?v=2.1.0')->{status} == 200 }), 'works at once';
    my $seen = $stack->until(sub { my ($s) = @{ $root->get('installation')->{json}{seen} }; $s }, 20, 'the site') || {};
    is_deeply [@$seen{qw(origin version)}], ['https://first.example', '2.1.0'], 'and was seen, with the version of the widget';
    like $seen->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, $_ for qw(first_seen last_seen);
    is steps($root)->{widget}, 1, 'ADM-7: "seen on your site" is done';

    is page($pk, 'https://first.example')->chat({ message => 'Do you sell tea?' })->{terminal}{event}, 'done', 'a first chat';
    $root->put('branding', { primary_color => '#123456' });
    $root->post('knowledge/articles', { slug => 'tea', title => 'Tea', format => 'text', body => 'We sell tea.' });
    $root->post('tools', Frontdesk::Admin::tool('first_tool'));
    $root->put('budget', { monthly_budget_usd => 20 });
    $root->put('ai-settings', { fast_model => 'mock-fast' });
    $root->post('users', { email => 'two@first.example', role => 'staff' });
    ok $stack->until(sub { $root->get('onboarding')->{json}{done} }, 20, 'all steps'), 'each step is done by what it is about' or diag explain steps($root);
};

# -- organisations ---------------------------------------------------------------------------

my $owner = Frontdesk::Browser->user($stack, 'owner@shop.example', 'owner');
my $demo = Frontdesk::Admin->new($stack);

subtest 'ADM-2: only the platform\'s owner sees all organisations' => sub {
    for my $path ('organizations', "organizations/$home", "organizations/$stack->{org}") {
        is says($_->get($path)), '403 role-required', "GET $path" for $owner, $demo;
    }
    is says($owner->patch("organizations/$stack->{org}", { plan => 'pro' })), '403 role-required', 'nor changes his own plan';
    is says($owner->post('organizations', { name => 'Mine' })), '403 role-required', 'nor makes one';
    my $list = $root->get('organizations')->{json}{organizations};
    is_deeply [map { $_->{name} } @$list], ['Demo Shop', 'First Shop'], 'he does, by name';
    is_deeply [sort keys %{ $list->[0] }], [sort qw(id name domain plan status created_at conversations_30d cost_usd_month)], 'with their figures';
    ok $stack->until(sub { $root->get("organizations/$home")->{json}{conversations_30d} == 1 }, 20, 'the chat to be counted'), 'which count';
};

my %made;
subtest 'ADM-2: one is made, its keys are shown once' => sub {
    my $r = $root->post('organizations', { name => 'Tea House', domain => 'tea.example', plan => 'starter', language => 'he' });
    is $r->{status}, 201, 'made' or diag $r->{body};
    %made = %{ $r->{json} };
    is_deeply [sort keys %made], [qw(id publishable_key secret_key)], 'with a key of each kind';
    my $admin = Frontdesk::Admin->new($stack, org => $made{id}, key => $made{secret_key});
    unlike join('', map { $admin->get($_)->{body} } 'audit', 'keys', 'installation'), qr/fd_[ps]k_\w/, 'nor by itself';
    my $own = $admin->get('organization')->{json};
    is_deeply [@$own{qw(id name domain plan status)}], [$made{id}, 'Tea House', 'tea.example', 'starter', 'active'], 'the secret one works at once';
    is $own->{limits}{requests_per_minute}, 60, 'the limits are the plan\'s';
    is_deeply $admin->get('ai-settings')->{json}{languages}, ['he'], 'the settings are the usual ones, in its language';
    is config_of($made{publishable_key}, $_)->{status}, 200, "the publishable one works on $_" for 'https://tea.example', 'https://www.tea.example';
    is says(config_of($made{publishable_key}, 'https://tea.example.evil.example')), '403 origin-forbidden', 'and nowhere else';
    unlike join('', map { $root->get($_)->{body} } 'organizations', "organizations/$made{id}", 'audit', 'installation'), qr/fd_[ps]k_\w/, 'no key is told again';
    my $named = $root->post('organizations', { name => 'Named', origins => ['https://a.example', 'https://*.b.example'] })->{json};
    is config_of($named->{publishable_key}, 'https://x.b.example')->{status}, 200, 'origins may be given instead';
    is $root->get("organizations/$named->{id}")->{json}{plan}, 'free', 'the plan is free unless it is said';
};

subtest 'ADM-2: what is wrong is refused at its field, and nothing is made' => sub {
    my $before = $stack->sql('SELECT count(*) FROM organizations');
    for my $case ([{}, 'name'], [{ name => '' }, 'name'], [{ name => ' Tea' }, 'name'], [{ name => "Tea\nHouse" }, 'name'], [{ name => 'x' x 201 }, 'name'],
                  [{ name => "T\x{200b}ea" }, 'name'], [{ name => 7 }, 'name'], [{ domain => 'https://tea.example' }, 'domain'], [{ domain => 'Tea.Example' }, 'domain'],
                  [{ domain => 'tea.example/x' }, 'domain'], [{ domain => '*.tea.example' }, 'domain'], [{ domain => 'tea.example:8443' }, 'domain'],
                  [{ plan => 'gold' }, 'plan'], [{ language => 'Hebrew!' }, 'language'], [{ origins => ['tea.example'] }, 'origins'],
                  [{ origins => [map { "https://s$_.example" } 1 .. 51] }, 'origins'], [{ status => 'active' }, 'status'], [{ id => $home }, 'id']) {
        my ($body, $field) = @$case;
        is refused_at($root->post('organizations', { ($field eq 'name' ? () : (name => 'Tea')), %$body })), "422 $field", $json->encode($body);
    }
    is $stack->sql('SELECT count(*) FROM organizations'), $before, 'none was made';
    for my $case ([{ plan => 'gold' }, 'plan'], [{ status => 'suspended' }, 'status'], [{ name => "\x{202e}" }, 'name'], [{ domain => 'a b' }, 'domain'], [{ created_at => 'now' }, 'created_at']) {
        is refused_at($root->patch("organizations/$made{id}", $case->[0])), "422 $case->[1]", $json->encode($case->[0]);
    }
    is says($root->patch('organizations/' . ('0' x 8) . '-0000-4000-8000-' . ('0' x 12), { name => 'x' })), '404 not-found', 'one that is not there';
    is says($root->get('organizations/tea')), '404 not-found', 'nor this';
};

subtest 'ADM-2: changed' => sub {
    my $before = $root->get("organizations/$made{id}")->{json};
    my $r = $root->patch("organizations/$made{id}", { name => 'Tea & Co', domain => undef, plan => 'pro' });
    is $r->{status}, 200, 'by the platform\'s owner' or diag $r->{body};
    is_deeply [@{ $r->{json} }{qw(name domain plan)}], ['Tea & Co', undef, 'pro'], 'as the answer says';
    is $r->{json}{limits}{requests_per_minute}, 300, 'with the limits of the plan';
    ok $stack->until(sub { config_of($made{publishable_key}, 'https://tea.example')->{json}{branding}{name} eq 'Tea & Co' }), 'the widget has the name at once';
    is $stack->redis('jobs', 'HGET', "fd:org:{0}:$made{id}", 'rpm'), 300, 'nginx the limits';

    my $admin = Frontdesk::Admin->new($stack, org => $made{id}, key => $made{secret_key});
    is $admin->request('PATCH', 'organization', { name => 'Tea Shop', domain => 'shop.tea.example' })->{json}{domain}, 'shop.tea.example', 'its admin changes name and domain';
    is refused_at($admin->request('PATCH', 'organization', { $_ => 'pro' })), "422 $_", "not the $_" for qw(plan status limits);
    my $staff = Frontdesk::Browser->user($stack, 'staff@tea.example', 'staff', $made{id});
    is says($staff->patch('organization', { name => 'Mine' })), '403 role-required', 'nor does staff';

    my ($row) = grep { $_->{action} eq 'organization-change' } @{ $admin->get('audit')->{json}{entries} };
    is $row->{actor_name}, 'root@platform.example', 'ADM-2: its log names the person who changed it from outside' or diag explain $row;
    my ($mine) = grep { $_->{action} eq 'PATCH organizations/:id' } @{ $root->get('audit')->{json}{entries} };
    is_deeply [$mine->{before}{plan}, $mine->{after}{plan}], ['starter', 'pro'], 'the platform\'s has what was there before';
};

subtest 'ADM-2: found and paged through' => sub {
    $root->post('organizations', { name => sprintf 'Shop %02d', $_ }) for 1 .. 7;
    my (@names, $cursor);
    do {
        my $page = $root->get('organizations?limit=3' . ($cursor ? "&cursor=$cursor" : ''))->{json};
        push @names, map { $_->{name} } @{ $page->{organizations} };
        $cursor = $page->{next_cursor};
    } while ($cursor && @names < 100);
    is_deeply \@names, [map { $_->{name} } @{ $root->get('organizations?limit=200')->{json}{organizations} }], 'pages of three are the whole list, once each';
    is_deeply [map { $_->{name} } @{ $root->get('organizations?q=SHOP%200&limit=2')->{json}{organizations} }], ['Shop 01', 'Shop 02'], 'by a part of the name';
    is_deeply [map { $_->{name} } @{ $root->get('organizations?q=tea.exam')->{json}{organizations} }], ['Tea Shop'], 'or of the domain';
    is_deeply $root->get('organizations?q=%25')->{json}{organizations}, [], 'a % is a %';
    is_deeply $root->get('organizations?status=disabled')->{json}{organizations}, [], 'by status';
    is says($root->get('organizations?status=gone')), '400 bad-request', 'that there is';
};

subtest 'ADM-2: whoever acts in another organisation is named there' => sub {
    is $root->post('auth/organization', { organization_id => $made{id} })->{status}, 200, 'the superadmin acts in it';
    is $root->get('organization')->{json}{id}, $made{id}, 'there he is';
    is $root->put('branding', { title => 'Tea' })->{status}, 200, 'and changes something';
    is $root->post('auth/organization', { organization_id => undef })->{status}, 200, 'and goes home';
    my $admin = Frontdesk::Admin->new($stack, org => $made{id}, key => $made{secret_key});
    my @rows = @{ $admin->get('audit')->{json}{entries} };
    for my $action ('PUT branding', 'act') {
        my ($row) = grep { $_->{action} eq $action } @rows;
        is $row->{actor_name}, 'root@platform.example', "$action: the row names him";
        like $row->{actor}, qr/^user:[0-9a-f-]{36}$/, 'beside his id';
    }
};

# -- switching off -----------------------------------------------------------------------------

subtest 'ADM-2: a disabled organisation stops within seconds, on every process' => sub {
    my $user = Frontdesk::Browser->user($stack, 'owner@tea.example', 'owner', $made{id});
    my @users = map { $user->twin } 1 .. 8;
    my @streams = map { page($made{secret_key}, undef)->ask({ message => "Off $_ \@{\"tokens\":2000,\"gap_ms\":20}\@" }) } 1 .. 6;
    $_->next(20) for @streams;
    is refused_at($root->patch("organizations/$home", { status => 'disabled' })), '422 status', 'nobody switches off his own';

    my $began = time;
    is $root->patch("organizations/$made{id}", { status => 'disabled' })->{json}{status}, 'disabled', 'switched off';
    $_->run(20) for @streams;
    is_deeply [map { $_->{terminal}{event} // 'cut' } @streams], [('error') x 6], 'open answers end, and say so';
    cmp_ok time - $began, '<', $stack->limit(5), 'soon';
    ok $stack->until(sub { !grep { config_of($made{publishable_key}, 'https://tea.example')->{status} != 401 } 1 .. 8 }), 'its keys are refused';
    ok $stack->until(sub { !grep { $_->get('auth/me')->{status} != 401 } @users }), 'its users are signed out';
    is $user->sign_in->{status}, 401, 'and do not come back';
    is says(page($made{secret_key}, undef)->post('/api/v1/chat', { message => 'Hello' })), '401 key-invalid', 'nothing is asked any more';
    is_deeply [map { $_->{name} } @{ $root->get('organizations?status=disabled')->{json}{organizations} }], ['Tea Shop'], 'the list has it';
    is config_of($stack->{pk}, $stack->{origin})->{status}, 200, 'others are none the worse';

    is $root->patch("organizations/$made{id}", { status => 'active' })->{json}{status}, 'active', 'switched on again';
    ok $stack->until(sub { !grep { $_ != 200 } map { (config_of($made{publishable_key}, 'https://tea.example')->{status},
        page($made{secret_key}, undef)->get('/api/admin/organization')->{status}) } 1 .. 8 }), 'its keys work';
    is $stack->sql("SELECT count(*) FROM user_sessions WHERE org_id = '$made{id}' AND ended_at IS NULL"), 0, 'the sessions that ended are over';
    is $user->sign_in->{status}, 200, 'its users sign in anew';
};

# -- what the widget looks like ------------------------------------------------------------------

subtest 'ADM-2 WID-2: branding' => sub {
    my $admin = Frontdesk::Admin->new($stack, org => $made{id}, key => $made{secret_key});
    my $now = $admin->get('branding')->{json};
    is_deeply [@$now{qw(title primary_color greeting)}], ['Tea', undef, undef], 'as it is';
    my %all = (
        name => 'Tea House', title => { en => 'Ask us', he => 'שאלו אותנו' }, subtitle => 'We know tea', primary_color => '#0F766E',
        logo_url => 'https://cdn.tea.example/logo.svg?v=1', theme => 'dark', position => 'left', greeting => { en => "Hi!\nAsk away.", he => 'שלום' },
        suggested_questions => { en => ['Which tea?', 'How hot?'], he => ['איזה תה?'] }, languages => ['he', 'en'],
        features => { handoff => JSON::PP::true, rating => JSON::PP::true, model_picker => JSON::PP::true, identity => JSON::PP::false,
                      prechat => { fields => [{ name => 'email', type => 'email', required => JSON::PP::true, label => { en => 'E-mail', he => 'דואל' } }] } },
    );
    my $r = $admin->put('branding', \%all);
    is $r->{status}, 200, 'set' or diag $r->{body};
    is_deeply { map { $_ => $r->{json}{$_} } keys %all }, \%all, 'and answered as it is stored';
    is_deeply $r->{json}{contrast}, { ratio => 5.47, ok => JSON::PP::true, text => '#ffffff' }, 'with the contrast of the colour';
    my $config = $r->{json}{config};
    is_deeply [@{ $config->{branding} }{qw(title primary_color)}, $config->{theme}, $config->{features}{prechat}{fields}[0]{name}],
        [$all{title}, '#0F766E', 'dark', 'email'], 'and what the widget will be sent';
    my $sent = $stack->until(sub { my $c = config_of($made{publishable_key}, 'https://tea.example')->{json}; $c->{theme} eq 'dark' && $c });
    is_deeply $sent, $config, 'which it is, at once';

    $r = $admin->put('branding', { primary_color => '#fde68a', subtitle => undef, features => { handoff => JSON::PP::false, prechat => undef } })->{json};
    is_deeply $r->{contrast}, { ratio => 1.24, ok => JSON::PP::false, text => '#000000' }, 'a pale colour is warned of';
    is_deeply [$r->{subtitle}, $r->{title}, $r->{features}{rating}, $r->{features}{handoff}, $r->{features}{prechat}],
        [undef, $all{title}, JSON::PP::true, JSON::PP::false, JSON::PP::false], 'what is not sent stays, null takes away';
    is_deeply $admin->put('branding', { languages => undef, features => undef })->{json}{languages}, ['en'], 'the languages have a default';
    is_deeply [grep { $_ } values %{ $admin->get('branding')->{json}{features} }], [], 'features are off then';

    my $before = $admin->get('branding')->{json};
    for my $case (
        [primary_color => 'teal'], [primary_color => '#12345'], [primary_color => 5], [logo_url => 'http://tea.example/l.png'], [logo_url => 'https://'],
        [logo_url => 'https://a b/'], [logo_url => 'https://u:p@tea.example/l.png'], [logo_url => 'javascript:x'], [theme => 'blue'], [position => 'top'], [title => ''], [title => "a\nb"],
        [title => 'x' x 81], [title => ['a']], [title => {}], ['title.he' => { title => { he => ' ' } }], [greeting => 'x' x 601], ['greeting.en' => { greeting => { en => 7 } }],
        [greeting => { greeting => { Klingon => 'x' } }], [suggested_questions => 'x'], [suggested_questions => [('x') x 9]],
        ['suggested_questions[1]' => { suggested_questions => ['x', ''] }], ['suggested_questions.he[0]' => { suggested_questions => { he => [1] } }],
        [languages => []], [languages => 'en'], ['languages[1]' => { languages => ['en', 'EN'] }], ['languages[1]' => { languages => ['en', 'en'] }],
        [features => []], ['features.rating' => { features => { rating => 'yes' } }], ['features.magic' => { features => { magic => JSON::PP::true } }],
        ['features.prechat' => { features => { prechat => { fields => [] } } }], ['features.prechat.fields[0]' => { features => { prechat => { fields => [{}] } } }],
        ['features.prechat.fields[0].name' => { features => { prechat => { fields => [{ name => 'age' }] } } }],
        ['features.prechat.fields[1]' => { features => { prechat => { fields => [{ name => 'name' }, { name => 'name' }] } } }],
        ['features.prechat.fields[0].label.he' => { features => { prechat => { fields => [{ name => 'name', label => { he => '' } }] } } }],
        ['features.prechat.fields[0].must' => { features => { prechat => { fields => [{ name => 'name', must => 1 }] } } }],
        [models => []], [config => {}], [contrast => {}],
    ) {
        my ($field, $value) = @$case;
        my $body = ref $value eq 'HASH' && $field =~ /^(\w+)/ && exists $value->{$1} ? $value : { $field => $value };
        is refused_at($admin->put('branding', { position => 'right', %$body })), "422 $field", $json->encode($body);
    }
    is_deeply $admin->get('branding')->{json}, $before, 'nothing of it was stored';
    my $staff = Frontdesk::Browser->user($stack, 'reader@tea.example', 'staff', $made{id});
    is $staff->get('branding')->{status}, 200, 'staff sees it';
    is says($staff->put('branding', { title => 'Mine' })), '403 role-required', 'and does not change it';
};

# -- seen on your site ------------------------------------------------------------------------------

subtest 'ADM-7: made-up origins grow nothing' => sub {
    my $admin = Frontdesk::Admin->new($stack, org => $made{id}, key => $made{secret_key});
    is config_of($made{publishable_key}, 'https://www.tea.example')->{status}, 200, 'a site asks';
    my $began = time;
    config_of($made{publishable_key}, "https://made-up-$_.example") for 1 .. 400;
    cmp_ok $stack->redis('live', 'XLEN', 'fd:seen'), '<=', 10 + 2 * 2 * (2 + time - $began), 'each process tells of two a second';
    config_of($_, 'https://crowded-out.example') for $pk, $stack->{pk};
    for my $who ($root, $demo) {
        ok $stack->until(sub { grep { $_->{origin} eq 'https://crowded-out.example' } @{ $who->get('installation')->{json}{problems} } }, 20), 'and of another key\'s all the same';
    }
    config_of($made{publishable_key}, $_) for 'null', 'https://' . 'a' x 400, "https://x'\"><script>.example", 'chrome-extension://abc';
    my $installation = $stack->until(sub {
        my $i = $admin->get('installation')->{json};
        (grep { $_->{origin} eq 'https://www.tea.example' } @{ $i->{seen} }) && @{ $i->{problems} } && $i;
    }, 20, 'the sites') || {};
    my $row = sub { my ($n) = @_; sprintf '{"org":"%s","key":"%s","origin":"https://crowd-%d.example","at":%d,"allowed":false}', $made{id}, $installation->{key}{id}, $n, 1_800_000_000_000 + 1000 * $n };
    $stack->sql("SET row_security = on; SELECT platform_note_sightings('[" . join(',', map { $row->($_) } 1 .. 300) . "]')");
    my @problems = @{ $admin->get('installation')->{json}{problems} };
    is scalar @problems, 50, 'fifty are kept';
    is $problems[0]{origin}, 'https://crowd-300.example', 'the latest';
    ok !(grep { $_->{origin} !~ m{^https://[a-z0-9.-]+$} && $_->{origin} ne 'null' } @problems), 'what is no origin is not among them';
    ok +(grep { $_->{origin} eq 'https://www.tea.example' } @{ $admin->get('installation')->{json}{seen} }), 'the site is still known';
    is_deeply [map { $_->{origin} } grep { $_->{origin} =~ /tea/ } map { @{ $demo->get('installation')->{json}{$_} } } qw(seen problems)], [], 'another organisation sees nothing of it';
};

subtest 'ADM-7: what nginx said while nobody looked is brought in by the worker' => sub {
    my $key = $root->post('keys', { name => 'second', kind => 'pk', origins => ['https://second.example'] })->{json};
    is config_of($key->{key}, 'https://second.example')->{status}, 200, 'a site asks';
    $stack->redis('live', 'XADD', 'fd:seen', '*', 'org', 'x', 'key', 'y', 'origin', 'z', 'allowed', '1'); # no entry of ours
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker('worker-1');
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM sightings WHERE origin = 'https://second.example'") == 1 }, 20, 'the site'), 'it is known';
    ok $stack->until(sub { $stack->redis('live', 'XLEN', 'fd:seen') == 0 }), 'and nothing is left behind';
    is $root->get('installation')->{json}{key}{id}, $key->{id}, 'the snippet is of the newest key';
    $root->delete("keys/$key->{id}");
    is_deeply [grep { $_->{origin} eq 'https://second.example' } @{ $root->get('installation')->{json}{seen} }], [], 'a revoked key is not looked at';
};

# -- keys ---------------------------------------------------------------------------------------------

subtest 'ADM-2: origins and name of a key' => sub {
    my $pk = $demo->post('keys', { name => 'page', kind => 'pk', origins => ['https://one.example'] })->{json};
    my $sk = $demo->post('keys', { name => 'server', kind => 'sk' })->{json};
    is config_of($pk->{key}, 'https://one.example')->{status}, 200, 'allowed on one site';
    my $r = $demo->request('PATCH', "keys/$pk->{id}", { name => 'pages', origins => ['https://two.example'] });
    is_deeply [@{ $r->{json} }{qw(name origins status)}], ['pages', ['https://two.example'], 'live'], 'changed' or diag $r->{body};
    ok $stack->until(sub { config_of($pk->{key}, 'https://two.example')->{status} == 200 }), 'the other works';
    ok $stack->until(sub { config_of($pk->{key}, 'https://one.example')->{status} == 403 }), 'the first does not';
    is_deeply $demo->get("keys/$pk->{id}")->{json}, $r->{json}, 'shown as it is';
    is refused_at($demo->request('PATCH', "keys/$pk->{id}", $_)), '422 ' . (keys %$_)[0], $json->encode($_)
        for { origins => [] }, { origins => ['nowhere'] }, { name => '' }, { kind => 'sk' }, { scope => 'read' };
    is refused_at($demo->request('PATCH', "keys/$sk->{id}", { origins => ['https://one.example'] })), '422 origins', 'a secret key has none';
    is $demo->request('PATCH', "keys/$sk->{id}", { name => 'renamed' })->{json}{name}, 'renamed', 'but a name';
    $demo->delete("keys/$sk->{id}");
    is $demo->request('PATCH', "keys/$sk->{id}", { name => 'late' })->{status}, 404, 'until it is revoked';
};

# -- on the command line ---------------------------------------------------------------------------------

subtest 'ADM-2: frontdesk org' => sub {
    my $made = eval { JSON::PP::decode_json($stack->frontdesk('org', 'create', 'By Command', '--domain', 'command.example', '--plan', 'pro', '--json')) } || {};
    is config_of($made->{publishable_key} // 'x', 'https://command.example')->{status}, 200, 'create: its key works';
    like $stack->frontdesk('org', 'list', '--search', 'command'), qr/^$made->{id}  active    pro       By Command +  command\.example$/, 'list';
    is scalar @{ JSON::PP::decode_json($stack->frontdesk('org', 'list', '--json')) }, $stack->sql('SELECT count(*) FROM organizations'), 'list: all of them';
    like $stack->frontdesk('org', 'set', 'By Command', '--domain', 'none', '--plan', 'free', '--name', 'Renamed'), qr/free      Renamed +  $/, 'set';
    like $stack->frontdesk('org', 'disable', 'Renamed'), qr/disabled/, 'disable';
    ok $stack->until(sub { config_of($made->{publishable_key}, 'https://command.example')->{status} == 401 }), 'its key stops';
    is JSON::PP::decode_json($stack->frontdesk('org', 'show', 'Renamed', '--json'))->{status}, 'disabled', 'show';
    like $stack->frontdesk('org', 'enable', 'Renamed'), qr/active/, 'enable';
    is $stack->sql("SELECT count(*) FROM audit_log WHERE org_id = '$made->{id}' AND actor LIKE 'cli:%'"), 4, 'each leaves a row';
    $stack->frontdesk('org', 'create', "Bad\x{202e}");
    is $stack->{status}, 1, 'what is wrong is refused';
    $stack->frontdesk('org', split), is $stack->{status}, 2, "frontdesk org $_: how it is used"
        for qw(create show set disable dance), 'set Renamed', 'set Renamed --status disabled', 'disable Renamed --plan pro', 'list --plan pro', 'show Renamed --origin x';
};

$stack->finish;
done_testing;
