# The database's server is lost, and everything comes back from a backup on a new one.  OPS-1
use strict;
use warnings;
use lib 't/lib';
use File::Path qw(remove_tree);
use Frontdesk::Admin;
use Frontdesk::Stack;
use Test::More;

my $stack = Frontdesk::Stack->new;
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my $client = $stack->client;
my $backups = "$stack->{dir}/backups";

# The command's words, as whoever runs it in the shell; its output, errors included.
sub backup {
    my ($role, @words) = @_;
    $stack->sql('SELECT 1'); # so that the socket is known
    local @ENV{qw(PGHOST PGUSER)} = ($stack->{pg_socket}, $role);
    open my $out, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1', $stack->root . '/scripts/frontdesk-backup', @words
        or die "frontdesk-backup: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    $stack->{status} = $? >> 8;
    chomp $text;
    return $text;
}

sub counts {
    return join ' ', map { $stack->sql("SELECT count(*) FROM $_") }
        qw(organizations api_keys conversations messages articles usage_ledger audit_log);
}

# {table => how many rows it has, and a sum over them}.
sub rows_of {
    my ($database) = @_;
    my $each = q{format('SELECT count(*) || chr(32) || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), chr(45)) AS x FROM %I t', relname)};
    local $ENV{PGOPTIONS} = '-c row_security=off';
    open my $out, '-|', 'psql', '-qAtX', '-h', $stack->{pg_socket}, '-U', 'frontdesk_owner', '-d', $database, '-c',
        "SELECT relname, (xpath('/row/x/text()', query_to_xml($each, false, true, '')))[1] FROM pg_class"
        . " WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace" or die "psql: $!";
    return { map { chomp; split /\|/, $_, 2 } <$out> };
}

my $answer = $client->chat({ message => 'Before @{"text":"I remember."}@' });
is $answer->{terminal}{event}, 'done', 'something was said';
my $shop = $admin->post('integrations', { name => 'shop', type => 'custom_api', url => 'https://shop.example/api',
                                          auth => 'bearer', credentials => { token => 'token-sealed-4321' } });
is $shop->{status}, 201, 'a credential is sealed' or diag $shop->{body};
mkdir "$stack->{dir}/etc";
for ([ 'frontdesk.env', "OPENAI_API_KEY=sk-platform\n" ], [ 'prompts.txt', "Be kind.\n" ]) {
    open my $file, '>', "$stack->{dir}/etc/$_->[0]" or die $!;
    print $file $_->[1];
}

my $made;
subtest 'OPS-1: a backup is made while everything runs' => sub {
    like backup('frontdesk_app', 'create', '--to', $backups), qr/BYPASSRLS/, 'not by a role that sees a part: what would be right is said';
    isnt $stack->{status}, 0, 'and it fails';
    $stack->sql('CREATE ROLE frontdesk_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data');
    $stack->sql("UPDATE jobs SET state = 'running', finished_at = NULL WHERE id = '$answer->{job}'");
    $made = (split /\n/, backup('frontdesk_backup', 'create', '--to', $backups, '--etc', "$stack->{dir}/etc", '--keep', 2))[-1];
    is $stack->{status}, 0, 'made' or diag $made;
    ok -s "$made/database.dump", 'the database';
    ok -e "$made/etc/prompts.txt", 'what was set';
    mkdir "$backups/.frontdesk-2026-01-01T00-00-00Z.partial";
    ok !-e "$made/etc/frontdesk.env", 'no secret';
    is sprintf('%o', (stat $made)[2] & 0777), '700', 'for its owner only';
    unlike qx(strings $made/database.dump 2>/dev/null || cat $made/database.dump), qr/token-sealed-4321/, 'credentials are sealed in it, too';
    backup('frontdesk_backup', 'verify', $made);
    is $stack->{status}, 0, 'whole';
    my $all = (split /\n/, backup('frontdesk_backup', 'create', '--to', "$stack->{dir}/with-secrets", '--etc', "$stack->{dir}/etc", '--with-secrets'))[-1];
    ok -e "$all/etc/frontdesk.env", 'secrets where they are asked for';
    like backup('frontdesk_backup', 'create', '--to', "$stack->{dir}/with-secrets", '--etc', "$stack->{dir}/etc/prompts.txt", '--with-secrets'),
        qr/cannot be read/, 'what cannot be read is no backup without it';
    isnt $stack->{status}, 0, 'but a failure';
    is_deeply [glob "$stack->{dir}/with-secrets/.*.partial"], [], 'that leaves nothing';
};

subtest 'OPS-1: damage is found, a wrong place refused' => sub {
    system('cp', '-r', $made, "$stack->{dir}/damaged") == 0 or die;
    open my $file, '+<', "$stack->{dir}/damaged/database.dump" or die $!;
    seek $file, 2000, 0;
    print $file "\0damage\0";
    close $file;
    like backup('frontdesk_owner', 'verify', "$stack->{dir}/damaged"), qr/is damaged/, 'damaged';
    isnt $stack->{status}, 0, 'fails';
    like backup('frontdesk_owner', 'restore', $made), qr/has tables/, 'never over what is there';
    isnt $stack->{status}, 0, 'fails';
    like backup('frontdesk_owner', 'create', '--to', $backups, '--keep', 'x'), qr/--keep takes a number/, 'a wrong option is named';
};

subtest 'OPS-1: everything is lost, and comes back' => sub {
    my $before = counts();
    my $data = "$stack->{pg_socket}/data";
    $stack->stack('worker', 'stop', FRONTDESK_WORKER_NAME => 'worker-1');
    $stack->stack($_, 'stop') for qw(admin jobs live);
    $stack->must('postgres', 'stop');
    remove_tree($data, "$stack->{dir}/jobs", "$stack->{dir}/live");
    $stack->redis_forget;
    $stack->must($_, 'start') for qw(postgres jobs live);
    # as in production: another makes the database, and the owner of the tables is no superuser
    $stack->sql($_) for 'CREATE ROLE postgres SUPERUSER LOGIN', 'ALTER DATABASE frontdesk OWNER TO postgres';
    like backup('postgres', 'restore', $made), qr/restored: \d+ organisations/, 'restored on a new server';
    is $stack->{status}, 0, 'without a fault';
    is $stack->sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'frontdesk'"), 'frontdesk_owner', 'the next migration may make tables';
    $stack->must('frontdesk', [qw(migrate up)]);
    is counts(), $before, 'every row is back';
    is $stack->sql("SELECT count(*) FROM jobs WHERE state = 'running'"), 0, 'no job waits for a worker that never comes';
    my $rows = rows_of('frontdesk');
    my $still = (split /\n/, backup('postgres', 'create', '--to', "$stack->{dir}/still", '--etc', "$stack->{dir}/etc"))[-1];
    $stack->sql('CREATE DATABASE copy');
    backup('postgres', 'restore', $still, '--database', 'dbname=copy');
    cmp_ok scalar keys %$rows, '>', 50, 'while nothing runs:';
    is_deeply rows_of('copy'), $rows, 'each row of every table is as it was';
    $stack->start_worker;
    $stack->must('admin', 'start');
    ok $stack->until(sub { my $r = eval { $client->post('/api/v1/chat', { message => 'Warm @{"tokens":1}@' }) }; $r && $r->{status} == 200 }, 30),
        'the key of before is good';
    my $history = $client->get("/api/v1/sessions/$answer->{session}/history");
    is $history->{json}{messages}[1]{content}, 'I remember.', 'what was said is remembered';
    my $more = $client->chat({ message => 'After @{"tokens":2}@', session_id => $answer->{session} });
    is $more->{terminal}{event}, 'done', 'and the conversation goes on';
    $stack->frontdesk('vault', 'rotate');
    is $stack->{status}, 0, 'the sealed credential opens';
};

$stack->finish(allow => qr/connect\(\)|Redis/);
done_testing;
