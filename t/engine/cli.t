# The command line: what each command does, and what it says to whoever calls it wrongly.
# OPS-2, OPS-3, EDGE-2, ENG-1, ENG-3
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use File::Copy qw(copy);
use Frontdesk::Stack;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

my $root = Frontdesk::Stack::root();
my $stack = Frontdesk::Stack->new(env => { STACK_PG_FSYNC => 'on' });
$stack->start;
my $dir = $stack->{dir};
my %stack = $stack->environment;
my $binary = "$stack{STACK_BUILD}/frontdesk";
my %settings = (
    $stack->stack('environment', 'x') =~ /^export (\w+)='(.*)'$/mg,
    map { ($_ => $stack{$_}) } grep { /^(?:LLM|OPEN|ANTHROPIC|OLLAMA)/ } keys %stack,
);

# -- running it ---------------------------------------------------------------------------

sub slurp { my ($file) = @_; open my $in, '<', $file or return ''; local $/; return <$in> // ''; }
sub spew { my ($file, $text) = @_; open my $out, '>', $file or die "$file: $!"; print $out $text; close $out; return $file; }

# {out, err, status}; a setting of undef is unset.
sub run_with {
    my ($more, @words) = @_;
    my %env = (%settings, %$more);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        delete @ENV{ grep { /^(?:FRONTDESK|LLM|OPEN|ANTHROPIC|OLLAMA)/ } keys %ENV };
        $ENV{$_} = $env{$_} for grep { defined $env{$_} } keys %env;
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        exec($binary, @words) or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my %r = (out => slurp("$dir/out"), err => slurp("$dir/err"), status => $? & 127 ? "signal $?" : $? >> 8);
    $r{json} = eval { JSON::PP::decode_json($r{out}) };
    return \%r;
}
sub run_ { return run_with({}, @_); }

# Refused: with this status, this text on stderr and nothing on stdout.
sub refused {
    my ($what, $status, $text, $r) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $r->{status}, $status, "$what: status $status" or diag $r->{err};
    like $r->{err}, $text, "$what: says why";
    is $r->{out}, '', "$what: nothing on stdout";
    return;
}

# -- help -----------------------------------------------------------------------------------

subtest 'frontdesk help' => sub {
    my $help = run_('help');
    is $help->{status}, 0, 'help: status 0';
    my @commands = $help->{out} =~ /^    ([\w-]+) +\S/mg;
    is_deeply [sort @commands], [sort qw(worker admin migrate seed org key user integration identity vault plan budget usage dry-run prompt knowledge models settings route
        conversations visitor retention doctor approvals jobs test-cases tool help version)], 'lists every command';
    for my $command (grep { !/help|version/ } @commands) {
        my $r = run_('help', $command);
        is $r->{status}, 0, "help $command";
        like $r->{out}, qr/^frontdesk $command\b/, 'shows how it is used';
    }
    is run_('--help')->{out}, $help->{out}, '--help is the same';
    like run_('version')->{out}, qr/^frontdesk \d+\.\d+\.\d+$/, 'version';
    is run_('help', 'config')->{out}, slurp("$root/conf/frontdesk.env.example"), 'help config is the example file';
    my $bare = run_();
    is $bare->{status}, 2, 'no command: status 2';
    is $bare->{err}, $help->{out}, 'and the overview on stderr';
    refused('an unknown command', 2, qr/there is no command "brew"/, run_('brew'));
    refused('help of it', 2, qr/there is no command "brew"/, run_('help', 'brew'));
    refused('an unknown option', 2, qr/usage: frontdesk/, run_('--brew'));
    refused("frontdesk $_->[0] @$_[1 .. $#$_]", 2, qr/^frontdesk $_->[0]/m, run_(@$_))
        for [qw(migrate down)], [qw(migrate up now)], [qw(seed now)], [qw(key)], [qw(key eat)], [qw(doctor now)],
            [qw(doctor --brew)], [qw(jobs)], [qw(jobs list all)], [qw(jobs show)], [qw(jobs eat 0-0)], [qw(worker now)], [qw(admin now)];
    my $unknown = '0-' . '0' x 32;
    refused("jobs $_ of none", 1, qr/no dead job $unknown; `frontdesk jobs list` shows them/, run_('jobs', $_, $unknown))
        for qw(show retry drop);
};

# -- settings ---------------------------------------------------------------------------------

subtest 'a wrong setting is named, with its value and what would be right' => sub {
    my @wrong = (
        [FRONTDESK_DB_THREADS => 'many', 'a whole number from 1 to 64'],
        [FRONTDESK_DB_THREADS => '0', 'a whole number from 1 to 64'],
        [FRONTDESK_DB_THREADS => '4 ', 'a whole number from 1 to 64'],
        [FRONTDESK_JOB_SLOTS => '99999999999999999999', 'a whole number from 1 to 20000'],
        [OPENROUTER_MAX_CHUNK_TOKENS => '299', 'a whole number from 300 to 100000'],
        [OPENROUTER_TEMPERATURE => '1.5', 'a number from 0 to 1'],
        [OPENROUTER_TEMPERATURE => 'nan', 'a number from 0 to 1'],
        [LLM_PROVIDER => 'oracle', 'one of auto, openrouter, openai, anthropic, claude, ollama, builtin'],
        [LLM_PROVIDER => 'auto|openai', 'one of auto, openrouter, openai, anthropic, claude, ollama, builtin'],
        [FRONTDESK_LOG_LEVEL => 'loud', 'one of debug, info, warn, error'],
        [FRONTDESK_JOBS_REDIS => 'redis.example:6379', 'unix:/path or IP:port'],
        [FRONTDESK_METRICS_LISTEN => '127.0.0.1:99999', 'unix:/path or IP:port'],
        [OPENAI_BASE_URL => 'ftp://api.example', 'an http or https URL'],
        [FRONTDESK_WORKER_NAME => 'a b', 'up to 63 letters, digits, dots, dashes and underscores'],
    );
    for (@wrong) {
        my ($name, $value, $rule) = @$_;
        refused("$name=$value", 1, qr/^\Q$name is "$value", but must be $rule\E$/m, run_with({ $name => $value }, 'doctor'));
    }
    my $secret = run_with({ OPENAI_API_KEY => "sk-canary\x01" }, 'doctor');
    refused('a secret', 1, qr/^OPENAI_API_KEY is not usable: it must be text without control characters$/m, $secret);
    unlike $secret->{err}, qr/canary/, 'whose value is not shown';
    my $two = run_with({ FRONTDESK_DB_THREADS => 'x', LLM_PROVIDER => 'y' }, 'doctor');
    is scalar(() = $two->{err} =~ /but must be/g), 2, 'all that is wrong is said at once';

    my $file = spew("$dir/settings", "# comment\nFRONTDESK_DB_THREADS = 'few'\nFRONTDESK_TYPO=1\nnonsense\n");
    my $r = run_with({ FRONTDESK_DB_THREADS => undef }, '--config', $file, 'doctor');
    is $r->{status}, 1, 'a file: status 1';
    like $r->{err}, qr/^FRONTDESK_DB_THREADS is "few", but must be/m, 'its value is checked';
    like $r->{err}, qr/^\Q$file\E:3: there is no variable of this name$/m, 'an unknown name, with its line';
    like $r->{err}, qr/^\Q$file\E:4: expected NAME=value$/m, 'nonsense, with its line';
    spew($file, "FRONTDESK_DB_THREADS=few\n");
    is run_with({ FRONTDESK_DB_THREADS => 2 }, '--config', $file, 'doctor')->{status}, 0, 'the environment comes before the file';
    refused('a missing file', 1, qr{cannot read \Q$dir\E/none: No such file}, run_('--config', "$dir/none", 'doctor'));
};

# -- migrate -----------------------------------------------------------------------------------

my @migrations = map { m{([^/]+)$} } glob "$root/migrations/*.sql";
my $databases = 0;

# Another database of the same server, and a directory of migrations to spoil.
sub fresh {
    my ($count) = @_;
    my $name = 'fresh' . ++$databases;
    $stack->sql("CREATE DATABASE $name");
    my $files = "$dir/migrations-$name";
    mkdir $files;
    copy("$root/migrations/$_", "$files/$_") for @migrations[0 .. ($count // @migrations) - 1];
    (my $owner = $settings{FRONTDESK_OWNER_DATABASE_URL}) =~ s/dbname=\S+/dbname=$name/;
    return ($files, { FRONTDESK_OWNER_DATABASE_URL => $owner, FRONTDESK_MIGRATIONS_DIR => $files });
}
sub psql {
    my ($env, $sql) = @_;
    my ($host, $name) = $env->{FRONTDESK_OWNER_DATABASE_URL} =~ /host=(\S+) dbname=(\S+)/;
    open my $out, '-|', 'psql', '-qAtX', '-h', $host, '-U', 'frontdesk_owner', '-d', $name, '-c', $sql or die "psql: $!";
    chomp(my @rows = <$out>);
    return join "\n", @rows;
}

subtest 'OPS-2: frontdesk migrate' => sub {
    my $all = @migrations;
    my ($files, $env) = fresh();
    my $status = run_with($env, qw(migrate status));
    is $status->{status}, 1, 'status of an empty database: 1';
    like $status->{out}, qr/^pending +0001_tenants\.sql$/m, 'pending';
    like $status->{out}, qr/^0 of $all applied$/m, 'counted';
    is psql($env, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 0, 'and it only looks';

    my $up = run_with($env, 'migrate');
    is $up->{status}, 0, 'up' or diag $up->{err};
    is_deeply [$up->{out} =~ /^applied (\S+)$/mg], \@migrations, 'all, in order';
    like $up->{out}, qr/^the database is at \Q$migrations[-1]\E$/m, 'and says where it is';
    is run_with($env, qw(migrate up))->{out}, "the database is at $migrations[-1]\n", 'again: nothing to do';
    $status = run_with($env, qw(migrate status));
    is $status->{status}, 0, 'status: 0';
    is scalar(() = $status->{out} =~ /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  /mg), $all, 'each with its time';

    my $next = sprintf '%04d', $all + 1;
    spew("$files/${next}_half.sql", "CREATE TABLE half ();\nSELECT 1 / 0;\n");
    refused('a migration that fails', 1, qr/${next}_half\.sql: .*division by zero/, run_with($env, qw(migrate up)));
    is psql($env, "SELECT to_regclass('half') IS NULL"), 't', 'nothing of it stays';
    spew("$files/${next}_half.sql", "CREATE TABLE half ();\n");
    is run_with($env, qw(migrate up))->{out}, "applied ${next}_half.sql\nthe database is at ${next}_half.sql\n", 'repaired, it is applied';

    spew("$files/$migrations[1]", slurp("$files/$migrations[1]") . "-- a remark\n");
    refused("a changed file ($_)", 1, qr/\Q$migrations[1]\E was changed after it was applied: restore it/, run_with($env, 'migrate', $_))
        for qw(up status);
    copy("$root/migrations/$migrations[1]", "$files/$migrations[1]");
    unlink "$files/${next}_half.sql";
    refused('an older program', 1, qr/has applied ${next}_half\.sql, which is not among the files/, run_with($env, qw(migrate up)));
};

subtest 'OPS-2: migrations that cannot be read' => sub {
    my ($files, $env) = fresh();
    rename "$files/$migrations[2]", "$files/parked";
    refused('a gap', 1, qr{\Q$files/$migrations[3]\E: expected number 0003 here; there is a gap or a double}, run_with($env, 'migrate'));
    rename "$files/parked", "$files/$migrations[2]";
    copy("$files/$migrations[0]", "$files/0001_twice.sql");
    refused('a double', 1, qr/0001_twice\.sql: expected number 0002 here/, run_with($env, 'migrate'));
    rename "$files/0001_twice.sql", "$files/7_short.sql";
    refused('a name', 1, qr/7_short\.sql: a migration is named NNNN_name\.sql, from 0001/, run_with($env, 'migrate'));
    unlink "$files/7_short.sql";
    spew("$files/$migrations[0]", "SELECT '\xff';\n");
    refused('bytes', 1, qr/\Q$migrations[0]\E: not UTF-8 text/, run_with($env, 'migrate'));
    refused('no directory', 1, qr{$dir/nowhere: No such file or directory \(FRONTDESK_MIGRATIONS_DIR\)},
            run_with({ %$env, FRONTDESK_MIGRATIONS_DIR => "$dir/nowhere" }, 'migrate'));
    mkdir "$dir/empty";
    refused('an empty one', 1, qr{$dir/empty: no migrations there \(FRONTDESK_MIGRATIONS_DIR\)},
            run_with({ %$env, FRONTDESK_MIGRATIONS_DIR => "$dir/empty" }, 'migrate'));
    is psql($env, "SELECT to_regclass('schema_migrations') IS NULL"), 't', 'nothing was applied by any of them';

    refused('no owner', 1, qr/FRONTDESK_OWNER_DATABASE_URL is not set: the role that owns the tables/,
            run_with({ FRONTDESK_OWNER_DATABASE_URL => undef }, 'migrate'));
    (my $app = $env->{FRONTDESK_OWNER_DATABASE_URL}) =~ s/user=\S+/user=frontdesk_app/;
    refused('the wrong role', 1, qr/permission denied/, run_with({ FRONTDESK_OWNER_DATABASE_URL => $app }, 'migrate'));
    refused('no server', 1, qr/No such file or directory/, run_with({ FRONTDESK_OWNER_DATABASE_URL => "host=$dir dbname=x" }, 'migrate'));
};

subtest 'OPS-2: two hosts migrate at the same time' => sub {
    my ($files, $env) = fresh();
    my @pids = map {
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            %ENV = (PATH => $ENV{PATH}, %settings, %$env);
            open STDOUT, '>', "$dir/up-$_";
            open STDERR, '>&', \*STDOUT;
            exec($binary, 'migrate') or POSIX::_exit(127);
        }
        $pid;
    } 1, 2;
    my $bad = 0;
    for (@pids) { waitpid $_, 0; $bad++ if $?; }
    is $bad, 0, 'both succeed' or diag slurp("$dir/up-1"), slurp("$dir/up-2");
    is scalar(() = (slurp("$dir/up-1") . slurp("$dir/up-2")) =~ /^applied /mg), scalar @migrations, 'each was applied once';
};

subtest 'OPS-2 ENG-3: one model per org becomes a list of one' => sub {
    my ($files, $env) = fresh(4);
    is run_with($env, 'migrate')->{status}, 0, 'a database of before';
    psql($env, <<'SQL');
INSERT INTO organizations (id, name) SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'org ' || n FROM generate_series(1, 3) n;
INSERT INTO org_ai_settings (org_id, model) VALUES ('00000000-0000-0000-0000-000000000001', 'openai/gpt-4'), ('00000000-0000-0000-0000-000000000002', NULL);
INSERT INTO org_ai_settings (org_id, model, enabled_models, default_model_id)
 VALUES ('00000000-0000-0000-0000-000000000003', 'openai/gpt-4', '[{"model_id": "a", "is_default": false}, {"model_id": "b", "is_default": true}]', 'b');
SQL
    copy("$root/migrations/$_", "$files/$_") for @migrations;
    is run_with($env, 'migrate')->{status}, 0, 'brought up to date';
    my $models = 'SELECT org_id, default_model_id, enabled_models FROM org_ai_settings ORDER BY org_id';
    my @after = map { [split /\|/] } split /\n/, psql($env, $models);
    is_deeply [map { $_->[1] } @after], ['openai/gpt-4', 'anthropic/claude-3-5-sonnet', 'b'], 'the default is what it was, or the fallback';
    is_deeply [map { [map { "$_->{model_id} $_->{is_default}" } @{ JSON::PP::decode_json($_->[2]) }] } @after],
        [['openai/gpt-4 1'], ['anthropic/claude-3-5-sonnet 1'], ['a 0', 'b 1']], 'one entry, which is the default; a list is left alone';
    is psql($env, "SELECT model FROM org_ai_settings ORDER BY org_id LIMIT 1"), 'openai/gpt-4', 'the old column stays';
    my $before = psql($env, $models);
    psql($env, slurp("$root/migrations/0005_multi_model.sql"));
    is psql($env, $models), $before, 'a second time changes nothing';
};

# -- seed ----------------------------------------------------------------------------------------

subtest 'OPS-2: frontdesk seed is idempotent' => sub {
    my @origins = ('--origin', $stack->{origin}, '--origin', $stack->url);
    my $rows = 'SELECT (SELECT count(*) FROM organizations), (SELECT count(*) FROM articles), (SELECT count(*) FROM article_sections),'
        . ' (SELECT count(*) FROM products), (SELECT count(*) FROM orders), (SELECT count(*) FROM model_prices), (SELECT count(*) FROM api_keys)';
    my ($before, $keys) = ($stack->sql($rows), slurp("$dir/keys.env"));
    my $r = run_('seed', '--demo', @origins, '--keys-file', "$dir/keys.env");
    is $r->{status}, 0, 'a second time' or diag $r->{err};
    is $stack->sql($rows), $before, 'no row more';
    is slurp("$dir/keys.env"), $keys, 'the keys stay';
    is $stack->client->get('/api/v1/config')->{status}, 200, 'and work';
    is sprintf('%04o', (stat "$dir/keys.env")[2] & 07777), '0600', 'in a file of their owner alone';

    $r = run_('seed', '--demo', @origins);
    is $r->{status}, 0, 'without a keys file';
    unlike $r->{out}, qr/fd_/, 'no key is shown';
    like $r->{err}, qr/its keys were made before and cannot be shown again; --keys-file FILE makes new/, 'and why';

    unlink "$dir/keys.env";
    $r = run_('seed', '--demo', @origins, '--keys-file', "$dir/keys.env");
    is $r->{status}, 0, 'the keys file is gone';
    unlike $r->{out}, qr/fd_/, 'the new keys are only in the file';
    my $old = $stack->{pk};
    $stack->read_keys;
    isnt $stack->{pk}, $old, 'new keys';
    is $stack->client->get('/api/v1/config')->{status}, 200, 'which work';
    my $at = time;
    ok $stack->until(sub { $stack->client(key => $old)->get('/api/v1/config')->{status} == 401 }, 20, 'the old key'), 'the lost ones do not';
    cmp_ok time - $at, '<', $stack->limit(1), 'within a second';

    is run_('seed')->{status}, 0, 'the models alone';
    refused('seed --origin without --demo', 2, qr/frontdesk seed --demo/, run_('seed', '--origin', 'https://a.example'));
    refused('a bad origin', 1, qr{origin "shop\.example": an origin starts with https:// or http://}, run_(qw(seed --demo --origin shop.example --keys-file), "$dir/new.env"));
    refused('no such models', 1, qr{$dir/none.json.*No such file}, run_('seed', '--models', "$dir/none.json"));
    refused('models that are none', 1, qr/models\.json: /, run_('seed', '--models', spew("$dir/models.json", '{"models": [')));
    refused('no such content', 1, qr{No such file}, run_('seed', '--demo', '--dir', "$dir/empty", '--models', "$root/conf/models.json"));
    $keys = $stack->sql("SELECT string_agg(key_sha256, ' ' ORDER BY id) FROM api_keys WHERE revoked_at IS NULL");
    refused('a keys file that cannot be written', 1, qr{$dir/nowhere/keys\.env}, run_('seed', '--demo', @origins, '--keys-file', "$dir/nowhere/keys.env"));
    is $stack->sql("SELECT string_agg(key_sha256, ' ' ORDER BY id) FROM api_keys WHERE revoked_at IS NULL"), $keys, 'leaves the keys as they were';
};

# -- key -------------------------------------------------------------------------------------------

sub works { my ($key, $origin) = @_; return $stack->client(key => $key, origin => $origin // '')->get('/api/v1/config')->{status}; }

subtest 'EDGE-2: frontdesk key create and list' => sub {
    my $r = run_(qw(key create --name server --kind sk --org), 'Demo Shop');
    is $r->{status}, 0, 'a secret key';
    like $r->{out}, qr/\Afd_sk_[0-9A-Za-z]{49}\n\z/, 'prefixed, alone on stdout';
    like $r->{err}, qr/^key ([0-9a-f-]{36}); it is not shown again$/m, 'its id on stderr';
    is run_('key', '--org', 'Demo Shop', 'create', '--name', 'early', '--kind', 'sk')->{status}, 0, 'with its options first';
    is $stack->sql("SELECT string_agg(DISTINCT action || ' ' || split_part(actor, ':', 1), ',') || ' ' || count(*) FROM audit_log WHERE action LIKE 'key%'"),
        'key create cli ' . $stack->sql("SELECT count(*) FROM api_keys WHERE name IN ('server', 'early')"), 'ADM-1: each leaves a row, however it was typed';
    chomp(my $key = $r->{out});
    is works($key), 200, 'works at once';
    my $stored = $stack->sql("SELECT key_sha256 || ' ' || last4 FROM api_keys WHERE name = 'server'");
    is $stored, sha256_hex($key) . ' ' . substr($key, -4), 'stored as its hash';
    open my $dump, '-|', 'redis-cli', '-s', "$dir/run/live.sock", 'HGETALL', 'fd:key:' . sha256_hex($key);
    unlike join('', <$dump>), qr/\Q$key\E/, 'in Redis, too';
    (my $typo = $key) =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/e;
    is works($typo), 401, 'a typo is no key';

    my $j = run_(qw(key create --json --kind pk --name page --origin https://a.example --origin https://*.b.example --org), $stack->{org});
    is_deeply [sort keys %{ $j->{json} }], [qw(id key org_id)], '--json';
    like $j->{json}{key}, qr/^fd_pk_/, 'a publishable key';
    is works($j->{json}{key}, $_->[0]), $_->[1], "from $_->[0]: $_->[1]"
        for ['https://a.example', 200], ['https://x.b.example', 200], ['https://b.example', 403], ['http://a.example', 403];

    my $list = run_(qw(key list --json));
    my ($mine) = grep { $_->{id} eq $j->{json}{id} } @{ $list->{json} };
    is_deeply { %$mine{qw(org_id name kind origins status last4 expires_at)} },
        { org_id => $stack->{org}, name => 'page', kind => 'pk', origins => 'https://a.example https://*.b.example',
          status => 'live', last4 => substr($j->{json}{key}, -4), expires_at => undef }, 'listed with all but itself';
    for my $text (run_('key', 'list')->{out}, $list->{out}) {
        unlike $text, qr/fd_[ps]k_\w/, 'no list shows a key';
        unlike $text, qr/[0-9a-f]{64}/, 'nor its hash';
    }
    like run_(qw(key list --org), 'Demo Shop')->{out}, qr/^[0-9a-f-]{36}  server +sk \.\.\.\w{4}  live +Demo Shop/m, 'as text, of one organisation';
};

subtest 'EDGE-2: frontdesk key rotate and revoke' => sub {
    my $first = run_(qw(key create --json --kind sk --name turned --org), $stack->{org})->{json};
    my $second = run_(qw(key rotate --json --overlap 1h), $first->{id})->{json};
    is works($_->{key}), 200, 'both work during the overlap' for $first, $second;
    my %status = map { ($_->{id} => $_->{status}) } @{ run_(qw(key list --json))->{json} };
    is $status{ $first->{id} }, 'expiring', 'the old one is expiring';
    is $stack->sql("SELECT round(extract(epoch FROM expires_at - now()) / 60) FROM api_keys WHERE id = '$first->{id}'"), 60, 'in an hour';
    is $stack->sql("SELECT rotated_from FROM api_keys WHERE id = '$second->{id}'"), $first->{id}, 'it is known where the new one comes from';

    my $third = run_(qw(key rotate --json --overlap 0s), $second->{id})->{json};
    my $at = time;
    ok $stack->until(sub { works($second->{key}) == 401 }, 3, 'the old key to stop'), 'without an overlap the old one stops';
    cmp_ok time - $at, '<', $stack->limit(1), 'within a second';
    is works($third->{key}), 200, 'and the new one works';

    my $slow = Frontdesk::Client->new(port => $stack->{port}, key => $third->{key});
    my $open = $slow->ask({ message => 'Revoked @{"tokens":200,"gap_ms":50}@' });
    $open->next(20) for 1 .. 3;
    my $r = run_('key', 'revoke', $third->{id});
    $at = time;
    is $r->{out}, "revoked $third->{id}\n", 'revoked';
    ok $stack->until(sub { works($third->{key}) == 401 }, 3, 'the key to stop'), 'it stops';
    cmp_ok time - $at, '<', $stack->limit(1), 'within a second';
    $open->run(30);
    ok $open->{eof} || $open->{ended}, 'and its open stream ends';
    is run_(qw(key revoke --json), $first->{id})->{json}{status}, 'revoked', '--json';
};

subtest 'EDGE-2: frontdesk key refuses' => sub {
    my @create = ('key', 'create', '--org', $stack->{org}, '--name', 'x', '--kind');
    my $usage = qr/^frontdesk key create --org NAME/m;
    refused('no kind', 2, $usage, run_(@create[0 .. 5]));
    refused('no name', 2, $usage, run_(@create[0 .. 3], '--kind', 'sk'));
    refused('no organisation', 2, $usage, run_(qw(key create --name x --kind sk)));
    refused('another kind', 2, $usage, run_(@create, 'xx'));
    refused('one word too many', 2, $usage, run_(@create, 'sk', 'more'));
    refused('an unknown option', 2, $usage, run_(@create, 'sk', '--forever'));
    refused('51 origins', 2, $usage, run_(@create, 'pk', map { ('--origin', "https://s$_.example") } 1 .. 51));
    refused('an overlap that is none', 2, $usage, run_(qw(key rotate x --overlap), $_)) for 'soon', '-1h', '1y', '99999999';
    refused('rotate of nothing', 2, $usage, run_(qw(key rotate)));
    refused('revoke of nothing', 2, $usage, run_(qw(key revoke)));
    refused('list of what', 2, $usage, run_(qw(key list all)));

    refused('another organisation', 1, qr/there is no organisation "Nobody"/, run_(qw(key create --org Nobody --name x --kind sk)));
    refused('a secret key with origins', 1, qr/a secret key is for servers: it has no origins/, run_(@create, 'sk', '--origin', 'https://a.example'));
    refused('a publishable key without', 1, qr/a publishable key has 1 to 50 origins/, run_(@create, 'pk'));
    refused('no name at all', 1, qr/a key's name has 1 to 100 bytes/, run_(@create[0 .. 3], qw(--kind sk --name), ''));
    refused('a long name', 1, qr/a key's name has 1 to 100 bytes/, run_(@create[0 .. 3], qw(--kind sk --name), 'x' x 101));
    my %origins = (
        'shop.example' => qr/starts with https/, '*' => qr/starts with https/, 'https://' => qr/the host is/,
        'https://shop.example/path' => qr/no path/, 'https://u@shop.example' => qr/no user name/,
        'https://shop.example:443' => qr/the port is/, 'https://shop.example:0' => qr/the port is/,
        'https://*' => qr/the host is/, 'https://*.example' => qr/before a domain with a dot/,
        'https://Shop.example' => qr/lower-case/, "https://a.example\nhttps://b.example" => qr/no path/,
    );
    refused("origin $_", 1, $origins{$_}, run_(@create, 'pk', '--origin', $_)) for sort keys %origins;
    refused("$_ of an unknown key", 1, qr/there is no live key "12345678-/, run_('key', $_, '12345678-1234-1234-1234-123456789012'))
        for qw(rotate revoke);
    my $gone = $stack->sql("SELECT id FROM api_keys WHERE revoked_at IS NOT NULL LIMIT 1");
    refused("$_ of a revoked key", 1, qr/there is no live key "$gone"/, run_('key', $_, $gone)) for qw(rotate revoke);
    my $away = run_with({ FRONTDESK_DATABASE_URL => "host=$dir dbname=x" }, 'key', 'list');
    refused('PostgreSQL away', 1, qr/^frontdesk key: PostgreSQL: /m, $away);
};

# -- doctor ------------------------------------------------------------------------------------------

sub doctor { my ($more) = @_; return run_with($more || {}, 'doctor', '--json'); }

# There is a finding of this level whose detail and advice are like these.
sub finds {
    my ($what, $level, $check, $detail, $advice, $r) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @found = grep { $_->{level} eq $level && $_->{check} eq $check && $_->{detail} =~ $detail && ($_->{advice} // '') =~ $advice }
        @{ $r->{json}{checks} || [] };
    is scalar @found, 1, "$what: $level $check" or diag $r->{out}, $r->{err};
    is $r->{json}{status}, $level, "$what: $level over all" if $level eq 'FAIL';
    is $r->{status}, $level eq 'FAIL' ? 1 : 0, "$what: status";
    return;
}

subtest 'OPS-3: frontdesk doctor' => sub {
    $stack->redis($_, qw(CONFIG SET maxmemory 1gb)) for qw(jobs live);
    my $good = run_('doctor');
    is $good->{status}, 0, 'a good stack: status 0';
    is_deeply [grep { !/^OK  / } split /\n/, $good->{out}], [], 'all OK';
    my $json = doctor();
    is $json->{json}{status}, 'OK', '--json says the same';
    is scalar @{ $json->{json}{checks} }, scalar(() = $good->{out} =~ /^OK /mg), 'check by check';
    unlike $good->{out} . $json->{out}, qr/sk-test/, 'without a secret';

    my @redis = (
        ['jobs', 'appendonly', 'no', 'yes', qr/appendonly no/, qr/set appendonly yes/],
        ['jobs', 'appendfsync', 'everysec', 'always', qr/appendfsync everysec/, qr/set appendfsync always/],
        ['jobs', 'maxmemory-policy', 'allkeys-lru', 'noeviction', qr/allkeys-lru/, qr/set maxmemory-policy noeviction/],
        ['live', 'maxmemory-policy', 'volatile-ttl', 'noeviction', qr/volatile-ttl/, qr/set maxmemory-policy noeviction/],
    );
    for (@redis) {
        my ($role, $name, $bad, $right, $detail, $advice) = @$_;
        $stack->redis($role, 'CONFIG', 'SET', $name, $bad);
        finds("$role: $name $bad", 'FAIL', "redis.$role", $detail, $advice, doctor());
        $stack->redis($role, 'CONFIG', 'SET', $name, $right);
    }
    $stack->redis('jobs', qw(HSET fd:meta shards 2));
    finds('more than one shard', 'FAIL', 'shards', qr/made for 2$/, qr/more are not supported/, doctor());
    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->start_worker;
    ok $stack->until(sub { $stack->log_text('worker-1.log') =~ /"sync\.bad_shards"/ }, 10, 'the log'), 'the worker says so and takes no job';
    $stack->redis('jobs', qw(HSET fd:meta shards 1));
    ok $stack->wait_ready(15), 'with one it goes on by itself';
    finds('one server for both', 'FAIL', 'redis.two_servers', qr/the same server/, qr/run a second Redis for the live role/,
          doctor({ FRONTDESK_LIVE_REDIS => $settings{FRONTDESK_JOBS_REDIS} }));
    finds("no $_ server", 'FAIL', "redis.$_", qr/none\.sock/, qr/start it, or check FRONTDESK_\U$_\E_REDIS/,
          doctor({ "FRONTDESK_\U$_\E_REDIS" => "unix:$dir/none.sock" })) for qw(jobs live);
    finds('no PostgreSQL', 'FAIL', 'postgresql.reachable', qr/No such file/, qr/start PostgreSQL, or check FRONTDESK_DATABASE_URL/,
          doctor({ FRONTDESK_DATABASE_URL => "host=$dir dbname=x" }));
    my $owner = doctor({ FRONTDESK_DATABASE_URL => $settings{FRONTDESK_OWNER_DATABASE_URL} });
    finds('the owner as the worker', 'FAIL', 'postgresql.owner', qr/frontdesk_owner owns \d+ tables/, qr/sign in as frontdesk_app/, $owner);
    finds('a superuser as the worker', 'FAIL', 'postgresql.role', qr/passes by row-level security/, qr/neither SUPERUSER nor BYPASSRLS/, $owner);

    mkdir "$dir/more";
    copy("$root/migrations/$_", "$dir/more/$_") for @migrations;
    spew(sprintf("$dir/more/%04d_more.sql", @migrations + 1), "SELECT 1;\n");
    finds('a migration is missing', 'FAIL', 'postgresql.migrations', qr/^\d+ of \d+ applied$/, qr/run frontdesk migrate up/,
          doctor({ FRONTDESK_MIGRATIONS_DIR => "$dir/more" }));
    finds('no migrations', 'FAIL', 'postgresql.migrations', qr/nowhere: No such file/, qr/FRONTDESK_MIGRATIONS_DIR/,
          doctor({ FRONTDESK_MIGRATIONS_DIR => "$dir/nowhere" }));
    finds('no prompts', 'FAIL', 'prompts', qr/nowhere: No such file/, qr/FRONTDESK_PROMPTS_DIR/, doctor({ FRONTDESK_PROMPTS_DIR => "$dir/nowhere" }));

    my %none = map { ($_ => undef) } grep { /^(?:OPEN|ANTHROPIC|OLLAMA)/ } keys %settings;
    finds('a provider without its key', 'FAIL', 'provider', qr/LLM_PROVIDER is anthropic, but it is not configured: set ANTHROPIC_API_KEY/, qr/set the variable/,
          doctor({ %none, LLM_PROVIDER => 'anthropic' }));
    finds('no provider', 'WARN', 'provider', qr/^built-in: answers are extracts/, qr/set OPENROUTER_API_KEY/, doctor({ %none, LLM_PROVIDER => 'auto' }));
    finds('a key over plain http', 'WARN', 'provider.encrypted', qr/unencrypted to http:/, qr/use https/, doctor({ OPENAI_BASE_URL => 'http://192.0.2.1/v1' }));

    finds('no admin API', 'WARN', 'admin', qr/none\.sock: No such file/, qr/start `frontdesk admin`/, doctor({ FRONTDESK_ADMIN_LISTEN => "unix:$dir/none.sock" }));
    finds('no token', 'WARN', 'admin.token', qr/none: No such file/, qr/FRONTDESK_ADMIN_TOKEN_FILE/, doctor({ FRONTDESK_ADMIN_TOKEN_FILE => "$dir/none" }));
    finds('a short token', 'FAIL', 'admin.token', qr/^5 characters/, qr/32 random characters/, doctor({ FRONTDESK_ADMIN_TOKEN => 'short' }));
    chmod 0644, $settings{FRONTDESK_ADMIN_TOKEN_FILE};
    finds('a token for everyone', 'FAIL', 'admin.token', qr/mode 644/, qr/chmod/, doctor());
    chmod 0600, $settings{FRONTDESK_ADMIN_TOKEN_FILE};

    chmod 0644, $settings{FRONTDESK_VAULT_KEYS};
    finds('a vault for everyone', 'FAIL', 'vault', qr/only its owner may read/, qr/chmod 600/, doctor());
    chmod 0600, $settings{FRONTDESK_VAULT_KEYS};
    finds('no vault', 'FAIL', 'vault', qr/none: No such file|none/, qr/frontdesk vault init/, doctor({ FRONTDESK_VAULT_KEYS => "$dir/none" }));
    finds('no vault is set', 'WARN', 'vault', qr/cannot be stored/, qr/FRONTDESK_VAULT_KEYS/, doctor({ FRONTDESK_VAULT_KEYS => undef }));
    is scalar(grep { $_->{check} =~ /^(?:knowledge\.pdf|sandbox\.landlock)$/ } @{ doctor()->{json}{checks} }), 2, 'what reads PDF files is tried';

    psql(\%settings, 'ALTER TABLE articles NO FORCE ROW LEVEL SECURITY');
    finds('a table without its guard', 'FAIL', 'postgresql.isolation', qr/1 tables .* articles$/, qr/FORCE ROW LEVEL SECURITY/, doctor());
    psql(\%settings, 'ALTER TABLE articles FORCE ROW LEVEL SECURITY');

    $stack->must('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    # A worker that could not leave its lease behind in good order is believed for its time.
    $stack->until(sub { $stack->redis('jobs', 'ZCOUNT', 'fd:alive:{0}', int(time * 1000), '+inf') == 0 }, 12, 'the lease to end');
    finds('no worker', 'WARN', 'workers', qr/^0 alive/, qr/start one/, doctor());
};

subtest 'EDGE-2: a key made while Redis is away' => sub {
    $stack->must('live', 'stop');
    $stack->redis_forget;
    my $r = run_(qw(key create --json --kind sk --name away --org), $stack->{org});
    is $r->{status}, 0, 'is made';
    like $r->{err}, qr/^warning: the change is stored but not yet in Redis/m, 'with a warning';
    $stack->must('live', 'start');
    $stack->start_worker;
    ok $stack->until(sub { works($r->{json}{key}) == 200 }, 15, 'the key to work'), 'and works once a worker has synchronised';
};

$stack->finish;
done_testing;
