package Frontdesk::N8n;

# Starts and ends t/lib/n8n.pl, and reads what it executed.
#
#     my $n8n = Frontdesk::N8n->new($dir);      # a directory of the test's own; or ($dir, $port)
#     $n8n->url('get_order_status');            # http://127.0.0.1:PORT/webhook/...
#     my @executions = $n8n->executions('book_appointment');

use strict;
use warnings;

use Cwd ();
use File::Basename ();
use JSON::PP ();

use Frontdesk::Process;

my $lib = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/..');

sub new {
    my ($class, $dir, $port) = @_;
    my $self = bless { port => $port || Frontdesk::Process::free_port(), journal => "$dir/n8n.journal" }, $class;
    $self->{process} = Frontdesk::Process->new($self->{port}, "$dir/n8n.log",
        $^X, "$lib/n8n.pl", $self->{port}, $self->{journal});
    return $self;
}

sub address { my ($self) = @_; return "127.0.0.1:$self->{port}"; } # for FRONTDESK_OUTBOUND_ALLOW
sub url { my ($self, $workflow) = @_; return 'http://' . $self->address . "/webhook/$workflow"; }

# What was executed, oldest first; of one workflow, or all.
sub executions {
    my ($self, $workflow) = @_;
    open my $in, '<', $self->{journal} or return;
    my @lines = map { JSON::PP::decode_json($_) } <$in>;
    return grep { !defined $workflow || $_->{workflow} eq $workflow } @lines;
}

sub stop { my ($self) = @_; return $self->{process}->stop; }

1;
