# An organisation's own model server and key in place of the platform's: nowhere seen again,
# never stood in for.  ENG-1, ENG-16
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Process;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $canary = 'sk-canary-7Qd0mZr4TtXw91Lk-7777';
my $port = Frontdesk::Process::free_port();
my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_OUTBOUND_ALLOW => "127.0.0.1:$port", FRONTDESK_SYNC_MS => 500 });
my $journal = "$stack->{dir}/own.journal";
my $own = start_own();
$stack->start;
$stack->limits(requests_per_minute => 100000, concurrent_chats => 1000, messages_per_month => 0);
my $admin = Frontdesk::Admin->new($stack);
my $client = $stack->client(key => $stack->{sk}, origin => undef);
my $other = Frontdesk::Admin->organization($stack, 'Other Shop');
my $url = "http://127.0.0.1:$port/v1";
my $json = JSON::PP->new->canonical;
my ($n, @seen) = (0);

sub start_own { return Frontdesk::Process->new($port, "$stack->{dir}/own.log", $^X, '-I' . $stack->root . '/t/lib', $stack->root . '/t/lib/provider.pl', $port, $journal); }
sub own_calls {
    open my $in, '<', $journal or return;
    return grep { $_->{event} eq 'request' } map { $json->decode($_) } <$in>;
}
sub platform_calls { return scalar grep { $_->{event} eq 'request' } $stack->journal; }
sub keep { my ($r) = @_; push @seen, $r->{body} // ''; return $r; }
sub ask { my ($c, %more) = @_; $n++; my $s = $c->chat({ message => "Own $n \@" . $json->encode({ tokens => 2, %more }) . '@' }); push @seen, map { $_->{data} // '' } @{ $s->{events} }; return $s; }
sub put { my (%settings) = @_; return keep($admin->put('ai-settings/provider', \%settings)); }

subtest 'ENG-1: what is not right is refused by name' => sub {
    for my $case (
        [{},                                                              'provider'],
        [{ provider => 'acme', api_key => $canary },                      'provider'],
        [{ provider => 'openai' },                                        'api_key'],
        [{ provider => 'openai', api_key => 'short' },                    'api_key'],
        [{ provider => 'openai', api_key => "has a blank $canary" },      'api_key'],
        [{ provider => 'openai', api_key => "line\r\nX-Forged: $canary" }, 'api_key'],
        [{ provider => 'openai', api_key => $canary, base_url => 'http://api.example/v1' },       'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'https://127.0.0.1/v1' },        'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'https://169.254.169.254/v1' },  'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'https://[::ffff:10.0.0.1]/v1' }, 'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'https://u:p@api.example/v1' },  'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'https://api.example/v1?key=1' }, 'base_url'],
        [{ provider => 'openai', api_key => $canary, base_url => 'file:///etc/passwd' },          'base_url'],
        [{ provider => 'openai', api_key => $canary, model => 'gpt-4.1' },   'model'],
        [{ provider => 'openai', api_key => $canary, secret => 1 },          'secret'],
    ) {
        my $r = put(%{ $case->[0] });
        is "$r->{status} " . ($r->{json}{field} // ''), "422 $case->[1]", $json->encode($case->[0]) or diag $r->{body};
    }
    is keep($admin->get('ai-settings/provider'))->{json}{provider}, undef, 'none is set';
    is $admin->delete('ai-settings/provider')->{status}, 404, 'nor can it be removed';
    is $admin->post('ai-settings/provider/test', {})->{status}, 404, 'or tested';
};

subtest 'ENG-1: set, shown without the key, tested' => sub {
    my $r = put(provider => 'openai', base_url => "$url/", api_key => $canary);
    is $r->{status}, 200, 'set' or diag $r->{body};
    is_deeply [@{ $r->{json} }{qw(provider base_url)}], ['openai', $url], 'as it was given';
    is_deeply $r->{json}{api_key}, { set => JSON::PP::true, ends_with => '7777' }, 'of the key the last four characters';
    $r = keep($admin->post('ai-settings/provider/test', {}));
    ok $r->{json}{ok}, 'it answers' or diag $r->{body};
    is((own_calls())[-1]{headers}{authorization}, "Bearer $canary", 'to this key');
    is keep($admin->get('ai-settings/provider'))->{json}{last_test}{status}, 200, 'which is kept';
    is keep($other->get('ai-settings/provider'))->{json}{provider}, undef, 'another organisation has none';
    is keep($admin->get('ai-settings'))->{status}, 200, 'the other settings say nothing of it';
};

subtest 'ENG-1: calls go to it, and not to the platform\'s' => sub {
    my $before = platform_calls();
    my $s = ask($client);
    is $s->{terminal}{event}, 'done', 'answered' or diag explain $s->{events};
    is $s->{terminal}{json}{model}, 'gpt-4.1-mini', 'by its model';
    my $call = (own_calls())[-1];
    is $call->{headers}{authorization}, "Bearer $canary", 'with its key';
    is $call->{path}, '/v1/chat/completions', 'at its URL';
    is platform_calls(), $before, 'the platform\'s provider was not asked';
    my $door = keep($client->post('/v1/chat/completions', { model => 'auto', messages => [{ role => 'user', content => 'Own door @{"tokens":1}@' }] }));
    is $door->{status}, 200, 'the door as well' or diag $door->{body};
    is platform_calls(), $before, 'goes there';
    is keep($admin->post('dry-run', { message => 'Hello' }))->{json}{model}, 'gpt-4.1-mini', 'a dry run knows';
    my $foreign = ask($stack->client(key => $other->{key}, origin => undef));
    is $foreign->{terminal}{json}{model}, 'mock-fast', 'another organisation has the platform\'s';
    is platform_calls(), $before + 1, 'as before';
};

subtest 'ENG-1 ENG-16: in the same books, told apart' => sub {
    is $stack->sql("SELECT string_agg(DISTINCT own_key::text, ',') FROM usage_ledger WHERE org_id = '$stack->{org}'"), 'true', 'the ledger says whose key it was';
    cmp_ok $stack->sql("SELECT sum(cost_micro) FROM usage_ledger WHERE org_id = '$stack->{org}'"), '>', 0, 'and what it cost';
    is $stack->sql("SELECT sum(own_cost) FROM api_usage WHERE org_id = '$stack->{org}'"),
        $stack->sql("SELECT sum(cost_micro) FROM usage_ledger WHERE org_id = '$stack->{org}'"), 'which is the organisation\'s own money';
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', '0');
    ok $stack->until(sub { ask($client)->{terminal}{event} eq 'error' }, 20, 'a refusal'), 'its budget holds for its own key, too';
    $stack->frontdesk('budget', 'set', '--org', 'Demo Shop', '--monthly', 'none');
    ok $stack->until(sub { ask($client)->{terminal}{event} eq 'done' }, 20, 'an answer'), 'and is lifted';
};

subtest 'ENG-1: the platform\'s provider never stands in' => sub {
    my $before = platform_calls();
    is ask($client, status => 401, error_body => { error => { message => "Incorrect API key provided: $canary", code => 'invalid_api_key' } })->{terminal}{event}, 'error', 'a key that is refused is an error';
    my $moved = ask($client, status => 302, headers => { Location => "http://elsewhere.example/$canary" });
    is $moved->{terminal}{event}, 'error', 'a redirect is not followed, and where to is the server\'s secret' or diag explain $moved->{events};
    is ask($client)->{terminal}{event}, 'done', 'the next is answered again';
    $own->stop;
    is ask($client)->{terminal}{event}, 'error', 'so is a server that is away';
    is platform_calls(), $before, 'nobody else was asked';
    is ask($stack->client(key => $other->{key}, origin => undef))->{terminal}{event}, 'done', 'and nobody else notices';
    my $r = keep($admin->post('ai-settings/provider/test', {}));
    ok !$r->{json}{ok}, 'the test says so';
    like $r->{json}{detail}, qr/^connect/, 'and why';
    $own = start_own();
    put(provider => 'openai', api_key => $canary); # a new revision: its breaker is new
    ok $stack->until(sub { ask($client)->{terminal}{event} eq 'done' }, 20, 'an answer'), 'it is back';
};

subtest 'ENG-1: a key goes to no server that it was not given for' => sub {
    my $r = put(base_url => 'https://thief.example/v1');
    is "$r->{status} $r->{json}{field}", '422 api_key', 'another URL needs the key again';
    $r = put(provider => 'openrouter');
    is "$r->{status} $r->{json}{field}", '422 api_key', 'another provider as well';
    $r = put(base_url => undef);
    is "$r->{status} $r->{json}{field}", '422 api_key', 'and the provider\'s own URL';
};

subtest 'ENG-1 ENG-6: what its server counts holds for nobody else' => sub {
    cmp_ok scalar(grep { ($_->{model} // '') eq 'gpt-4.1-mini' } own_calls()), '>', 1, 'its server was asked';
    ask($stack->client(key => $other->{key}, origin => undef));
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM model_calibration WHERE model_id = 'mock-fast'") }, 20, 'a calibration'), 'the platform\'s model is calibrated';
    is $stack->sql("SELECT count(*) FROM model_calibration WHERE model_id <> 'mock-fast'"), 0, 'a model of its own server is not';
};

subtest 'ENG-1: the command line' => sub {
    open my $file, '>', "$stack->{dir}/key" or die "key: $!";
    print $file "$canary\n";
    close $file;
    my $text = $stack->frontdesk('settings', 'provider', 'set', '--org', 'Other Shop', '--key', "$stack->{dir}/key", 'provider=openai', "base_url=$url");
    push @seen, $text;
    is $stack->{status}, 0, 'set';
    is $json->decode($text)->{api_key}{ends_with}, '7777', 'the last four characters';
    $text = $stack->frontdesk('settings', 'provider', 'test', '--org', 'Other Shop');
    ok $json->decode($text)->{ok}, 'test' or diag $text;
    ok $stack->until(sub { my $s = ask($stack->client(key => $other->{key}, origin => undef)); ($s->{terminal}{json}{model} // '') eq 'gpt-4.1-mini' }, 20, 'its own'), 'its answers come from there';
    $stack->frontdesk('settings', 'provider', 'set', '--org', 'Other Shop', "api_key=$canary");
    is $stack->{status}, 1, 'a key is no argument: others would see it';
    $stack->frontdesk('settings', 'provider', 'set', '--org', 'Other Shop', 'provider=acme');
    is $stack->{status}, 1, 'a provider that is none';
    $stack->frontdesk('settings', 'provider', 'remove', '--org', 'Other Shop');
    is $stack->{status}, 0, 'remove';
    is $json->decode($stack->frontdesk('settings', 'provider', 'show', '--org', 'Other Shop'))->{provider}, undef, 'show';
    $stack->frontdesk('settings', 'provider', 'lose', '--org', 'Other Shop');
    is $stack->{status}, 2, 'usage';
    ok $stack->until(sub { my $s = ask($stack->client(key => $other->{key}, origin => undef)); ($s->{terminal}{json}{model} // '') eq 'mock-fast' }, 20, 'the platform\'s'), 'the platform\'s answers again';
};

subtest 'ENG-1: sealed, and sealed anew' => sub {
    unlike $stack->sql('SELECT encode(api_key, \'escape\') FROM org_ai_endpoints'), qr/canary/, 'the table does not have it';
    my $text = $stack->frontdesk('vault', 'rotate');
    is $stack->{status}, 0, 'the vault is given new keys' or diag $text;
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}");
    ok $stack->until(sub { ask($client)->{terminal}{event} eq 'done' }, 20, 'an answer'), 'and it opens';
    $stack->sql("UPDATE org_ai_endpoints SET api_key = decode(repeat('00', 80), 'hex'), revision = revision + 1");
    $stack->redis('live', 'PUBLISH', 'fd:ctl', "org $stack->{org}");
    my $before = platform_calls();
    ok $stack->until(sub { ask($client)->{terminal}{event} eq 'error' }, 20, 'an error'), 'a key that cannot be opened leads nowhere';
    is platform_calls(), $before, 'least of all to the platform\'s';
};

opendir my $logs, "$stack->{dir}/log" or die "log: $!";
my @told = grep { $stack->log_text($_) =~ /canary/ } readdir $logs;
is "@told", '', 'ENG-1: the key is in no log';
is scalar(grep { /canary/ } @seen), 0, 'ENG-1: and in no answer';
$own->stop;
$stack->finish;
done_testing;
