# The curl lines of the documents work when pasted, and the README names only what is there.
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Browser;
use Frontdesk::Stack;
use POSIX ();
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef, worker => { FRONTDESK_OUTBOUND_ALLOW => '127.0.0.1:9' });
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my $root = Frontdesk::Stack->root;

sub text_of { my ($name) = @_; open my $in, '<', "$root/$name" or die "$name: $!"; local $/; return <$in>; }

# Indented command lines, with what continues them (a backslash, an open quote), and what
# the document says $URL is; a document that does not say is about the admin API.
sub commands_of {
    my ($name) = @_;
    my $text = text_of($name);
    my ($base) = $text =~ m{^    URL=http://127\.0\.0\.1:8080(\S*)$}m;
    my (@commands, $open);
    for my $line (split /\n/, $text) {
        my $begins = !$open && $line =~ /^    curl /;
        next unless $begins || $open;
        push @commands, '' if $begins;
        $commands[-1] .= $line =~ s/^    //r . "\n";
        $open = $line =~ /\\$/ || (() = $commands[-1] =~ /'/g) % 2;
    }
    return ($stack->url . ($base // '/api/admin'), @commands);
}

my $asked = $stack->client(key => $stack->{sk}, origin => undef)->chat({ message => 'Do you ship abroad?' });
my %shell = (
    FRONTDESK_DEMO_SECRET_KEY => $stack->{sk}, FRONTDESK_DEMO_PUBLISHABLE_KEY => $stack->{pk},
    JOB => $asked->{job}, SESSION => $asked->{session},
);
my $owner = Frontdesk::Browser->user($stack, 'owner@docs.example', 'owner');
@shell{qw(FRONTDESK_DEMO_OWNER_EMAIL FRONTDESK_DEMO_OWNER_PASSWORD)} = @$owner{qw(email password)};
# What a reader has from an earlier answer: made anew for each command.
my %made = (
    KEY_ID         => sub { $admin->make_key },
    SLUG           => sub { $admin->make_article },
    TOOL           => sub { $admin->make_tool },
    APPROVAL_ID    => sub { $admin->make_approval },
    INTEGRATION_ID => sub { $admin->make_integration },
    ENDPOINT       => sub { $admin->make_endpoint },
    CONVERSATION   => sub { $admin->make_conversation },
    WAITING        => sub { $admin->make_conversation },
    HELD           => sub { $admin->make_held },
    CANNED_REPLY   => sub { $admin->make_canned_reply },
    CHANNEL        => sub { $admin->make_channel },
    IDENTITY_SECRET => sub { $admin->make_identity_secret },
    MESSAGE        => sub { (grep { $_->{event} eq 'meta' } @{ $asked->{events} })[0]{json}{message_id} },
    TICKET         => sub { $stack->client(key => $stack->{sk}, origin => undef)->post("/api/v1/chat/$asked->{job}/ticket", '{}', { 'X-Frontdesk-Session' => $asked->{session} })->{json}{ticket} },
    TEST_CASE      => sub { $admin->make_test_case },
    USER_ID        => sub { $admin->make_user },
    SIGNED_IN      => sub { $owner->sign_in; "frontdesk=" . $owner->token },
    MONTH          => sub { POSIX::strftime('%Y-%m', gmtime) },
);
my %examples = ('docs/api.md' => 8, 'docs/admin-api.md' => 30);
for my $name (map { "docs/$_" } map { m{([^/]+)$} } glob "$root/docs/*.md") {
    my ($url, @commands) = commands_of($name);
    cmp_ok scalar @commands, '>=', $examples{$name}, "$name has examples" if $examples{$name};
    # The end of a thing comes last: what follows it would find it gone.
    for my $command (sort { ($a =~ /DELETE/) <=> ($b =~ /DELETE/) } @commands) {
        my %env = (%shell, URL => $url, map { $_ => $made{$_}->() } grep { $command =~ /\$$_\b/ } keys %made);
        local @ENV{ keys %env } = values %env;
        (my $shown = $command) =~ s/\s+/ /g;
        my $quiet = $command =~ s/^curl/curl -sS -w '\\n%{http_code}'/r;
        my $output = qx{cd $root && $quiet 2>&1};
        like $output, qr/\n20[0-4]$/, substr("$name: $shown", 0, 100) or diag $output;
    }
}

my @missing = grep { !-e "$root/$_" } map { text_of($_) =~ /\]\(((?:docs\/|conf\/)[\w.\/-]+)\)/g } 'README.md';
is "@missing", '', 'every file that README.md points at exists';
for my $doc (glob "$root/docs/*.md") {
    open my $in, '<', $doc or die;
    my @bad = grep { !-e "$root/$_" } map { /`((?:t|scripts|conf|worker|protocol|ngx_module)\/[\w.\/-]+\.\w+)`/g } <$in>;
    is "@bad", '', "every file that $doc names exists";
}
$stack->finish;
done_testing;
