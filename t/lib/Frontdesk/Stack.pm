package Frontdesk::Stack;

# A whole private Frontdesk for one test file: PostgreSQL, two Redis servers, nginx,
# one or more workers, the admin API and a mock provider, real processes under one temporary
# directory. At the end it asserts what must hold after every test: no alert in
# nginx's log, no sanitizer line anywhere, processes gone.
#
#     my $stack = Frontdesk::Stack->new(worker => { FRONTDESK_JOB_SLOTS => 8 });
#     $stack->start;
#     my $answer = $stack->chat({ message => 'Hello' });

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use File::Path qw(remove_tree);
use File::Temp ();
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(sleep time);

use Frontdesk::Client;
use Frontdesk::Process;

my $root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');

sub new {
    my ($class, %option) = @_;
    my $dir = File::Temp::tempdir('fd-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    chmod 0755, $dir;
    my $self = bless {
        dir      => $dir,
        port     => $option{port} || free_port(),
        env      => $option{env} || {},       # of scripts/stack: STACK_...
        worker   => $option{worker} || {},    # of every worker: FRONTDESK_..., LLM_...
        provider => exists $option{provider} ? $option{provider} : 'openai',
        origin   => 'https://shop.example',
        pool     => $option{pool},            # sessions of a PgBouncer before PostgreSQL
        web      => $option{web},             # build the demo page with this stack's key
        workers  => {},
        owner    => $$,
    }, $class;
    return $self;
}

sub root { $root }

sub free_port { return Frontdesk::Process::free_port(); }

# HTTP/2 is a word of "listen" for nginx before 1.25.1, a directive from then on.
sub listen_http2 {
    my ($port) = @_;
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    my ($minor) = qx(nginx -v 2>&1) =~ m{nginx/1\.(\d+)} or die "nginx is not installed\n";
    return $minor >= 25 ? "listen 127.0.0.1:$port; http2 on;" : "listen 127.0.0.1:$port http2;";
}

# -- processes ------------------------------------------------------------

sub environment {
    my ($self, %more) = @_;
    my %env = (
        STACK_DIR       => $self->{dir},
        STACK_BUILD     => $ENV{STACK_BUILD} || "$root/build/" . ($ENV{MODE} || 'release'),
        STACK_LISTEN    => "127.0.0.1:$self->{port}",
        STACK_WEB       => $ENV{STACK_WEB} || "$root/build/release/web",
        STACK_PG_FSYNC  => 'off',
        LLM_PROVIDER    => 'builtin',
        FRONTDESK_CACHE_MS => 0, # tests ask the same twice and mean it
        $self->{pool} ? (STACK_POOL_SIZE => $self->{pool}) : (),
        %{ $self->{env} },
        %more,
    );
    if ($self->{provider_process}) {
        my $url = "http://127.0.0.1:$self->{provider_port}";
        if ($self->{provider} eq 'openai') {
            @env{qw(LLM_PROVIDER OPENAI_API_KEY OPENAI_BASE_URL)} = ('openai', 'sk-test', "$url/v1");
            @env{qw(OPENAI_FAST_MODEL OPENAI_REASONING_MODEL OPENAI_FALLBACK_MODEL)} =
                ('mock-fast', 'mock-reasoning', 'mock-fallback');
        } elsif ($self->{provider} eq 'anthropic') {
            @env{qw(LLM_PROVIDER ANTHROPIC_API_KEY ANTHROPIC_BASE_URL)} = ('anthropic', 'ak-test', $url);
            @env{qw(ANTHROPIC_FAST_MODEL ANTHROPIC_REASONING_MODEL ANTHROPIC_FALLBACK_MODEL)} =
                ('mock-fast', 'mock-reasoning', 'mock-fallback');
        } elsif ($self->{provider} eq 'ollama') {
            @env{qw(LLM_PROVIDER OLLAMA_HOST)} = ('ollama', $url);
            @env{qw(OLLAMA_FAST_MODEL OLLAMA_REASONING_MODEL OLLAMA_FALLBACK_MODEL)} =
                ('mock-fast', 'mock-reasoning', 'mock-fallback');
        }
    }
    return (%env, %{ $self->{worker} }, %more);
}

sub stack {
    my ($self, $service, $action, %more) = @_;
    my %env = $self->environment(%more);
    local @ENV{ keys %env } = values %env;
    my @words = ref $action ? @$action : ($action);
    open my $out, '-|', "$root/scripts/stack", $service, @words or die "scripts/stack: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    $self->{status} = $? >> 8;
    return $text;
}

sub must {
    my ($self, @call) = @_;
    my $text = $self->stack(@call);
    die "scripts/stack @call[0, 1] failed ($self->{status}): $text" if $self->{status};
    return $text;
}

sub frontdesk {
    my ($self, @words) = @_;
    return $self->stack('frontdesk', [@words]);
}

sub start {
    my ($self, %option) = @_;
    $self->start_provider if $self->{provider};
    $self->must($_, 'start') for qw(postgres jobs live);
    $self->must('frontdesk', [qw(migrate up)]);
    $self->must('pooler', 'start') if $self->{pool};
    $self->must('frontdesk', ['seed', '--demo', '--origin', $self->{origin}, '--origin', $self->url,
                              '--keys-file', "$self->{dir}/keys.env"]);
    $self->read_keys;
    if ($self->{web}) {
        $self->{env}{STACK_WEB} = "$self->{dir}/web";
        system("$root/scripts/build-web", '--out', "$self->{dir}/web", '--demo-key', $self->{pk}) == 0
            or die "the demo page could not be built\n";
    }
    $self->start_worker unless $option{no_worker};
    $self->must('admin', 'start');
    $self->must('nginx', 'start');
    $self->wait_ready unless $option{no_worker};
    return $self;
}

sub url { my ($self) = @_; return "http://127.0.0.1:$self->{port}"; }

sub read_keys {
    my ($self) = @_;
    open my $in, '<', "$self->{dir}/keys.env" or die "keys.env: $!";
    while (<$in>) {
        $self->{pk}  = $1 if /^FRONTDESK_DEMO_PUBLISHABLE_KEY='?([^'\s]+)/;
        $self->{sk}  = $1 if /^FRONTDESK_DEMO_SECRET_KEY='?([^'\s]+)/;
        $self->{org} = $1 if /^FRONTDESK_DEMO_ORG='?([^'\s]+)/;
    }
    return;
}

sub wait_ready {
    my ($self, $seconds) = @_;
    return $self->until(sub {
        my $r = eval { $self->client->get('/readyz') };
        return $r && $r->{status} == 200 && $self->edge_is_up
            && $self->redis('jobs', 'ZCOUNT', 'fd:alive:{0}', int(time * 1000) + 500, '+inf') > 0;
    }, $seconds || 15, 'readyz');
}

# Every process of nginx, not only the one that says that it is ready.
sub edge_is_up {
    my ($self) = @_;
    my $m = eval { $self->metrics } or return;
    my $processes = $m->{frontdesk_edge_processes} or return;
    return !grep { ($m->{"frontdesk_edge_redis_up{role=\"$_\"}"} // 0) < $processes } qw(jobs live);
}

# What must happen within so many seconds: of an idle machine, and as many times more as
# there are processes waiting for each of this one's processors.
sub limit {
    my ($self, $seconds) = @_;
    open my $in, '<', '/proc/loadavg' or return $seconds;
    my ($load) = split ' ', <$in> // '';
    open my $cpu, '<', '/proc/cpuinfo' or return $seconds;
    my $each = ($load || 0) / ((grep { /^processor\s*:/ } <$cpu>) || 1);
    return $each > 1 ? $seconds * $each : $seconds;
}

# Waits until the code is true; false (and a diagnostic) when it never was. A condition is
# given its time, however short it is expected to be: what must be quick is compared with
# limit().
sub until {
    my ($self, $code, $seconds, $what) = @_;
    my $end = time + (($seconds || 0) > 20 ? $seconds : 20);
    my $fault; # a server that is not back yet is a condition that does not hold yet
    while (time < $end) {
        my $value = eval { $code->() };
        return $value if $value;
        $fault = $@;
        $self->redis_forget if $fault;
        sleep 0.02;
    }
    Test::More::diag("waited in vain for $what") if $what;
    Test::More::diag("at last: $fault") if $fault;
    return;
}

sub start_worker {
    my ($self, $name, %more) = @_;
    $name ||= 'worker-1';
    $self->{workers}{$name} = 1;
    $self->must('worker', 'start', FRONTDESK_WORKER_NAME => $name, %more);
    return;
}

sub pid {
    my ($self, $service, $name) = @_;
    my $text = $self->stack($service, 'status', $name ? (FRONTDESK_WORKER_NAME => $name) : ());
    return $text =~ /(\d+)/ ? $1 : undef;
}

sub signal {
    my ($self, $signal, $service, $name) = @_;
    my $pid = $self->pid($service, $name) or die "$service is not running";
    kill $signal, $pid or die "kill $signal $pid: $!";
    if ($signal eq 'KILL') {
        $self->until(sub { !kill(0, $pid) || zombie($pid) }, 20, "$service to die");
    }
    return $pid;
}

sub zombie {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return 1;
    return (<$in> // '') =~ /\) Z /;
}

# -- stores -----------------------------------------------------------------

sub redis {
    my ($self, $role, @words) = @_;
    my $s = $self->{"redis_$role"};
    unless ($s && $s->connected) {
        $s = IO::Socket::UNIX->new(Peer => "$self->{dir}/run/$role.sock") or die "redis $role: $!";
        $self->{"redis_$role"} = $s;
    }
    print $s '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words;
    $s->flush;
    return resp($s);
}

sub redis_forget { my ($self) = @_; delete @$self{qw(redis_jobs redis_live)}; return; }

sub resp {
    my ($s) = @_;
    my $line = <$s>;
    die "redis closed the connection\n" unless defined $line;
    $line =~ s/\r\n$//;
    my ($type, $rest) = (substr($line, 0, 1), substr($line, 1));
    return $rest if $type eq '+' || $type eq ':';
    die "redis: $rest\n" if $type eq '-';
    if ($type eq '$') {
        return undef if $rest < 0;
        my $data = '';
        read $s, $data, $rest + 2;
        return substr($data, 0, $rest);
    }
    return $rest < 0 ? undef : [map { resp($s) } 1 .. $rest];
}

sub sql {
    my ($self, $sql) = @_;
    my $host = $self->{pg_socket} ||= do {
        my ($url) = $self->stack('environment', 'x') =~ /FRONTDESK_OWNER_DATABASE_URL='(?:host=)(\S+)/;
        $url;
    };
    local $ENV{PGOPTIONS} = '-c row_security=off';
    open my $out, '-|', 'psql', '-qAtX', '-h', $host, '-U', 'frontdesk_owner', '-d', 'frontdesk', '-c', $sql
        or die "psql: $!";
    my @rows = <$out>;
    close $out;
    chomp @rows;
    return wantarray ? @rows : $rows[0];
}

# -- the provider -----------------------------------------------------------

sub start_provider {
    my ($self) = @_;
    $self->{provider_port} ||= free_port();
    $self->{journal} = "$self->{dir}/provider.journal";
    $self->{provider_process} = Frontdesk::Process->new($self->{provider_port}, "$self->{dir}/provider.log",
        $^X, "-I$root/t/lib", "$root/t/lib/provider.pl", $self->{provider_port}, $self->{journal});
    return;
}

sub stop_provider {
    my ($self) = @_;
    my $process = delete $self->{provider_process} or return;
    return $process->stop;
}

# What the mock provider saw, oldest first. A line is parsed once, however often it is asked for.
sub journal {
    my ($self) = @_;
    my $seen = $self->{journal_seen} ||= { lines => [], at => 0 };
    open my $in, '<', $self->{journal} or return;
    seek $in, $seen->{at}, 0;
    while (my $line = <$in>) {
        last if $line !~ /\n\z/; # it is being written
        $seen->{at} += length $line;
        push @{ $seen->{lines} }, JSON::PP::decode_json($line);
    }
    return @{ $seen->{lines} };
}

# -- clients ------------------------------------------------------------------

sub client {
    my ($self, %option) = @_;
    return Frontdesk::Client->new(port => $self->{port}, key => $self->{pk}, origin => $self->{origin}, %option);
}

# A question, answered: {status, text, events, job, session, ...} of a stream.
sub chat {
    my ($self, $body, %option) = @_;
    return $self->client->chat($body, %option);
}

sub log_text {
    my ($self, $name) = @_;
    open my $in, '<', "$self->{dir}/log/$name" or return '';
    local $/;
    return <$in> // '';
}

# -- the end ----------------------------------------------------------------

sub stop {
    my ($self) = @_;
    return if $self->{stopped}++;
    delete @$self{qw(redis_jobs redis_live)};
    kill CONT => $_ for grep { $_ } map { $self->pid('worker', $_) } keys %{ $self->{workers} };
    $self->stack('nginx', 'stop');
    $self->stack('admin', 'stop');
    $self->stack('worker', 'stop', FRONTDESK_WORKER_NAME => $_) for keys %{ $self->{workers} };
    $self->stack($_, 'stop') for qw(live jobs);
    $self->stack('pooler', 'stop') if $self->{pool};
    $self->stack('postgres', 'stop', STACK_PG_STOP => 'immediate');
    $self->stop_provider;
    return;
}

# The assertions that end every test file.
sub finish {
    my ($self, %option) = @_;
    $self->stop;
    my $error = $self->log_text('nginx-error.log');
    my @alerts = grep { !$option{allow} || $_ !~ $option{allow} } $error =~ /^(.*\[(?:alert|emerg|crit)\].*)$/mg;
    Test::More::is("@alerts", '', 'no alert in nginx\'s log');
    my @sanitizer;
    opendir my $logs, "$self->{dir}/log" or die "log: $!";
    for my $name (readdir $logs) {
        push @sanitizer, "$name: $1" if $self->log_text($name) =~ /^(.*(?:Sanitizer|runtime error:).*)$/m;
    }
    Test::More::is("@sanitizer", '', 'no sanitizer line');
    Test::More::is(join("\n", @Frontdesk::Client::untold), '', 'ADM-8: what was refused has a code');
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@);
    $self->stop;
    if ($ENV{FRONTDESK_KEEP}) {
        Test::More::diag("kept $self->{dir}");
    } else {
        my ($url) = $self->stack('environment', 'x') =~ /FRONTDESK_OWNER_DATABASE_URL='(?:host=)(\S+)/;
        remove_tree($url, { safe => 0 }) if $url && $url =~ m{^/var/lib/postgresql/frontdesk-};
        remove_tree($self->{dir}, { safe => 0 });
    }
    return;
}

# -- the edge -----------------------------------------------------------------

# A key of this organisation (or of --org among the words): {id, key, org_id}.
sub key {
    my ($self, @words) = @_;
    my @org = (grep { $_ eq '--org' } @words) ? () : ('--org', $self->{org});
    my $text = $self->frontdesk('key', @words, '--json', $words[0] eq 'create' ? @org : ());
    return eval { JSON::PP::decode_json($text) } || {};
}

# Sets limits of the plan; nginx and Redis know them when this returns.
sub limits {
    my ($self, %limit) = @_;
    my $json = JSON::PP->new->canonical->encode(\%limit);
    $self->sql("UPDATE organizations SET limits = '$json', generation = generation + 1 WHERE id = '$self->{org}'");
    return $self->key(qw(create --kind sk --name limits)); # publishes the organisation
}

# Something about the organisation changed; every worker knows when this returns.
sub hint {
    my ($self, $org) = @_;
    $self->redis('live', 'PUBLISH', 'fd:ctl', 'org ' . ($org || $self->{org}));
    return $self->heard;
}

# Hints that were published before have come to every worker: its loop has turned since.
sub heard {
    my ($self) = @_;
    eval { $self->worker_get('/metrics', $_) } for keys %{ $self->{workers} };
    return;
}

sub nginx_workers {
    my ($self) = @_;
    my $master = $self->pid('nginx') or return;
    open my $in, '<', "/proc/$master/task/$master/children" or return;
    return split ' ', <$in> // '';
}

# What /metrics says: {'frontdesk_edge_streams' => 0, 'name{label="x"}' => 1, ...}.
# What a worker serves on its own socket: the whole response.
sub worker_get {
    my ($self, $path, $worker) = @_;
    my $s = IO::Socket::UNIX->new(Peer => "$self->{dir}/run/" . ($worker || 'worker-1') . '.metrics.sock') or die "metrics: $!";
    print $s "GET $path HTTP/1.0\r\n\r\n";
    local $/;
    return <$s> // '';
}

sub metrics {
    my ($self) = @_;
    my $text = $self->client->get('/metrics')->{body};
    return { map { /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/ ? ($1, $2) : () } split /\n/, $text };
}

1;
