package Frontdesk::Npm;

# Packages from npm that a test runs: a directory with a committed lock file, and a Node
# that is young enough.
#
#     my $npm = Frontdesk::Npm->new("$root/t/engine/openai-sdk");
#     $npm->install('openai');
#     system($npm->node, ...);

use strict;
use warnings;

sub new { my ($class, $dir) = @_; return bless { dir => $dir }, $class; }

sub run_ { my ($self, @words) = @_; return system('npm', @words, '--prefix', $self->{dir}, qw(--no-audit --no-fund --loglevel=error)) == 0; }

# What the lock file says, unless it is there already: npm writes its own list last, so that a
# half of it does not count.
sub install {
    my ($self, $package) = @_;
    -e "$self->{dir}/node_modules/$package" && -e "$self->{dir}/node_modules/.package-lock.json" || $self->run_('ci') || die "npm ci failed in $self->{dir}\n";
    return;
}

# The machine's, or one from npm where it is too old.
sub node {
    my ($self) = @_;
    my ($major, $minor) = (qx(node --version 2>/dev/null) // '') =~ /^v(\d+)\.(\d+)/;
    return 'node' if $major && ($major > 20 || ($major == 20 && $minor >= 15));
    my $own = "$self->{dir}/node_modules/node/bin/node";
    -x $own || $self->run_(qw(install --no-save node@22)) || die "no Node 20.15 or later\n";
    return $own;
}

1;
