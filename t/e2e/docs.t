# The curl lines of docs/api.md work when pasted, and the README names only what is there.
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef);
$stack->start;
my $root = Frontdesk::Stack->root;

sub text_of { my ($name) = @_; open my $in, '<', "$root/$name" or die "$name: $!"; local $/; return <$in>; }

# Indented command lines, with their continuations.
my $api = text_of('docs/api.md');
my @commands;
while ($api =~ /^    (curl (?:.*\\\n\s+)*.*)$/mg) { push @commands, $1; }
cmp_ok scalar @commands, '>=', 8, 'docs/api.md has examples';

my %shell = (URL => $stack->url . '/api/v1', FRONTDESK_DEMO_SECRET_KEY => $stack->{sk}, FRONTDESK_DEMO_PUBLISHABLE_KEY => $stack->{pk});
my $asked = $stack->client(key => $stack->{sk}, origin => undef)->chat({ message => 'Do you ship abroad?' });
@shell{qw(JOB SESSION)} = @$asked{qw(job session)};
# The end of the session comes last: what follows it would find it ended.
for my $command (sort { ($a =~ /DELETE/) <=> ($b =~ /DELETE/) } @commands) {
    local @ENV{ keys %shell } = values %shell;
    (my $shown = $command) =~ s/\s+/ /g;
    my $quiet = $command =~ s/^curl/curl -sS -w '\\n%{http_code}'/r;
    my $output = qx{$quiet 2>&1};
    like $output, qr/\n20[04]$/, substr($shown, 0, 90) or diag $output;
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
