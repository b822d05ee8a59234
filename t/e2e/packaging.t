# What is shipped for an installation holds what its own checkers ask of it.  OPS-1
use strict;
use warnings;
use lib 't/lib';
use File::Temp ();
use Frontdesk::Npm;
use Frontdesk::Stack;
use Test::More;

my $root = Frontdesk::Stack->root;
my $tmp = File::Temp::tempdir('fd-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$ENV{PATH} .= ':/usr/sbin:/sbin';

sub slurp { my ($path) = @_; open my $in, '<', $path or die "$path: $!"; local $/; return <$in>; }
sub said { my ($command) = @_; my $text = qx(( $command ) 2>&1); return ($? >> 8, $text); }
sub has { my ($tool) = @_; return system("command -v $tool >/dev/null 2>&1") == 0; }

subtest 'OPS-1: the units are shut in: systemd counts 2.0 or less' => sub {
    plan skip_all => 'systemd-analyze is not here' unless has('systemd-analyze');
    for my $unit (map { "$root/conf/systemd/frontdesk-$_.service" } qw(worker admin)) {
        my ($status, $text) = said("systemd-analyze security --offline=true --threshold=20 $unit");
        plan skip_all => 'systemd is older than 250' if $text =~ /unrecognized option/;
        is $status, 0, $unit or diag $text;
        my (undef, $faults) = said("systemd-analyze verify $unit");
        unlike $faults, qr/Unknown|Failed to parse|ignoring/, 'and understands every line';
    }
};

subtest 'OPS-1: the production example is a configuration of this nginx' => sub {
    my $build = $ENV{STACK_BUILD} || "$root/build/" . ($ENV{MODE} || 'release');
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=frontdesk.example.com -keyout $tmp/key.pem -out $tmp/cert.pem 2>/dev/null") == 0
        or die "openssl\n";
    open my $token, '>', "$tmp/token.conf" or die $!;
    print $token "proxy_set_header X-Frontdesk-Token \"x\";\n";
    close $token;
    mkdir "$tmp/logs";
    my %place = (
        '\S+/fullchain\.pem'                     => "$tmp/cert.pem",
        '\S+/privkey\.pem'                       => "$tmp/key.pem",
        '/etc/frontdesk/nginx-admin-token\.conf' => "$tmp/token.conf",
        '/usr/local/share/frontdesk/web'         => $ENV{STACK_WEB} || "$root/build/release/web",
        'modules/ngx_http_frontdesk_module\.so'  => "$build/ngx_http_frontdesk_module.so",
        '/var/log/nginx/'                        => "$tmp/logs/",
        '/run/nginx\.pid'                        => "$tmp/nginx.pid",
    );
    my $conf = slurp("$root/conf/nginx.conf.example");
    $conf =~ s/^\s*listen \[::\].*$//mg; # a machine without IPv6 refuses these
    for my $pattern (keys %place) { $conf =~ s/$pattern/$place{$pattern}/g; }
    $conf =~ s/(listen )(?:127\.0\.0\.1:)?\d+/$1 . '127.0.0.1:' . Frontdesk::Stack->free_port/ge;
    $conf =~ s/http2 (sndbuf=64k)/$1/;   # a warning from nginx 1.25.1 on
    open my $out, '>', "$tmp/nginx.conf" or die $!;
    print $out $conf;
    close $out;
    my ($status, $text) = said("nginx -t -p $tmp/ -c $tmp/nginx.conf -e $tmp/error.log");
    is $status, 0, 'nginx -t' or diag $text;
    unlike $text, qr/\[(?:emerg|alert)\]/, 'without a complaint';
};

subtest 'OPS-1: each Redis has its promise in its file' => sub {
    for my $role (qw(jobs live)) {
        my $conf = slurp("$root/conf/redis/redis-frontdesk-$role.conf");
        like $conf, qr/^maxmemory-policy noeviction$/m, "$role forgets nothing by itself";
        like $conf, $role eq 'jobs' ? qr/^appendfsync always$/m : qr/^appendonly no$/m, "$role: what is on the disk";
        $conf =~ s{/run/redis-frontdesk-$role|/var/log/redis|/var/lib/redis}{$tmp}g;
        open my $out, '>', "$tmp/$role.conf" or die $!;
        print $out $conf;
        close $out;
        open my $server, '-|', "exec redis-server $tmp/$role.conf 2>&1" or die $!;
        my $up;
        for (1 .. 200) { last if $up = qx(redis-cli -s $tmp/redis.sock ping 2>/dev/null) =~ /PONG/; select undef, undef, undef, 0.1; }
        ok $up, "$role: Redis takes every line";
        system("redis-cli -s $tmp/redis.sock shutdown nosave >/dev/null 2>&1");
        close $server;
    }
};

subtest 'OPS-1: the compose file is one' => sub {
    my $npm = Frontdesk::Npm->new("$root/t/e2e/compose");
    $npm->install('dclint');
    my ($status, $text) = said($npm->node . " $root/t/e2e/compose/node_modules/dclint/bin/dclint.cjs --quiet $root/conf/compose/compose.yaml");
    is $status, 0, 'no error' or diag $text;
};

subtest 'OPS-3: alerts speak of metrics that there are' => sub {
    my $rules = slurp("$root/conf/prometheus/frontdesk.rules.yml");
    my $code = join '', map { slurp($_) } glob("$root/worker/*/*.c");
    my %named = map { s/_bucket$//r => 1 } $rules =~ /\b(frontdesk_[a-z_]+)/g;
    cmp_ok scalar keys %named, '>', 5, 'several';
    like $code, qr/"$_"/, $_ for sort keys %named;
    return unless has('promtool');
    my ($status, $text) = said("promtool check rules $root/conf/prometheus/frontdesk.rules.yml");
    is $status, 0, 'and Prometheus takes them' or diag $text;
};

subtest 'OPS-3: every metric of the worker and the admin API is in a document' => sub {
    my $code = join '', map { slurp($_) } glob("$root/worker/*/*.c");
    my @names = $code =~ /metric_register\(\s*METRIC_\w+,\s*"(\w+)"/g;
    cmp_ok scalar @names, '>=', 30, 'many';
    is scalar @names, scalar(() = $code =~ /= metric_register\(|^\s+metric_register\(METRIC/mg), 'each is found';
    my %in = map { $_ => 1 } map { slurp($_) =~ /`(frontdesk_\w+)/g } glob("$root/docs/*.md");
    is join(' ', grep { !$in{$_} } @names), '', 'none is missing';
    my %is = map { $_ => 1 } @names;
    is join(' ', sort grep { /^frontdesk_\w+_(?:total|seconds|bytes|pending|length|running|up|queue)$/ && !/^frontdesk_(?:edge|admin)_/ && !$is{$_} } keys %in), '',
        'and none is there that does not exist';
};

subtest 'OPS-1: make install puts all of it in place' => sub {
    my $makefile = slurp("$root/Makefile");
    like $makefile, qr/^\tinstall .*\Q$_\E/m, $_ for qw(frontdesk-backup conf/systemd conf/redis conf/prometheus conf/nginx.conf.example conf/frontdesk.env.example migrations conf/prompts);
};

done_testing;
