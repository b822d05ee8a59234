package Frontdesk::Tools;

# Tools for a test's organisation: rows in client_tools, and a webhook that counts what
# happened (t/lib/hook.pl).
#
#     my $tools = Frontdesk::Tools->new($stack);    # before $stack->start
#     $tools->add('book', risk => 'write');
#     my @effects = $tools->effects('book');

use strict;
use warnings;

use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time);

use Frontdesk::Process;

sub new {
    my ($class, $stack) = @_;
    my $self = bless { stack => $stack, port => Frontdesk::Process::free_port(), calls => 0 }, $class;
    $self->{journal} = "$stack->{dir}/hook.journal";
    $stack->{worker}{FRONTDESK_OUTBOUND_ALLOW} = "127.0.0.1:$self->{port}";
    $stack->{worker}{FRONTDESK_PUBLIC_URL} = $stack->url;
    $self->{process} = Frontdesk::Process->new($self->{port}, "$stack->{dir}/hook.log",
        $^X, $stack->root . '/t/lib/hook.pl', $self->{port}, $self->{journal});
    return $self;
}

sub url { my ($self) = @_; return "http://127.0.0.1:$self->{port}/hook"; }

# An organisation's own tool. Its arguments: whatever the hook is to do.
sub add {
    my ($self, $name, %option) = @_;
    my $json = JSON::PP->new->canonical;
    my $schema = $json->encode($option{schema} || {
        type => 'object', additionalProperties => JSON::PP::false,
        properties => { behave => { type => 'string' }, ms => { type => 'integer' }, text => { type => 'string' },
                        day => { type => 'string' }, owner => { type => 'string' } } });
    my $bindings = $json->encode($option{bindings} || {});
    my $org = $option{org} || $self->{stack}{org};
    my $url = $option{url} || $self->url;
    my $risk = $option{risk} || 'read';
    my $description = $option{description} || "Does $name. Only for tests.";
    s/'/''/g for $schema, $bindings, $description;
    my $timeout = $option{timeout_ms} || 30000;
    $self->{stack}->sql("INSERT INTO client_tools (org_id, tool_name, enabled, n8n_webhook_url, description, parameters_schema, risk, bindings, timeout_ms)"
        . " VALUES ('$org', '$name', true, '$url', '$description', '$schema', '$risk', '$bindings', $timeout)");
    return $self->{stack}->hint($org);
}

sub entries {
    my ($self, $event, $tool) = @_;
    open my $in, '<', $self->{journal} or return;
    return grep { $_->{event} eq $event && (!defined $tool || ($_->{tool} // '') eq $tool) } map { JSON::PP::decode_json($_) } <$in>;
}
sub requests { my ($self, $tool) = @_; return $self->entries('request', $tool); }
sub effects  { my ($self, $tool) = @_; return $self->entries('effect', $tool); }

# -- an answer that calls them ----------------------------------------------------------

# A question whose scenario (provider.pl) is told in it.
sub question { my ($self, $words, $scenario, %more) = @_; return { message => "$words \@" . JSON::PP->new->canonical->encode($scenario) . '@', %more }; }

# It is asked; the stream.
sub ask { my ($self, @question) = @_; return $self->{stack}->client->ask($self->question(@question)); }

# A call for a scenario, of arguments that no other call has.
sub call { my ($self, $name, %arguments) = @_; return { name => $name, arguments => { day => 'd' . $self->{calls}++, %arguments } }; }

# Reads a stream until it has had that many of the event; the last of them.
sub run_to {
    my ($self, $s, $event, $count, $seconds) = @_;
    my $end = time + ($seconds || 30);
    while (time < $end && $self->named($s, $event) < ($count || 1)) { last unless $s->next($end - time); }
    return ($self->named($s, $event))[-1];
}
sub named { my ($self, $s, $event) = @_; return grep { $_->{event} eq $event } @{ $s->{events} }; }

# The visitor's word on the stream's last question: the answer to the request.
sub word {
    my ($self, $s, $decision) = @_;
    return $self->{stack}->client->post("/api/v1/chat/$s->{job}/confirm",
        { call_id => ($self->named($s, 'confirm'))[-1]{json}{call_id}, decision => $decision || 'accept' },
        { 'X-Frontdesk-Session' => $s->{session} });
}

# How often the webhook was asked ('request') or did something ('effect') for a job.
sub of_job { my ($self, $event, $s) = @_; return scalar grep { $_->{key} =~ /\Q$s->{job}\E/ } $self->entries($event); }
sub statuses { my ($self, $s) = @_; return join ',', $self->{stack}->sql("SELECT status FROM tool_executions WHERE job_id = '$s->{job}' ORDER BY created_at"); }

# What must hold of every answer, whatever happened meanwhile.
sub one_answer {
    my ($self, $s, $text, $requests) = @_;
    $s->run(40);
    Test::More::is($s->{terminal}{event}, 'done', 'done') or Test::More::diag(Test::More::explain($s->{events}));
    Test::More::is($s->{text}, $text, 'the whole answer');
    Test::More::is($s->{broken}, 0, 'no gap, no double') or Test::More::diag(Test::More::explain($s->{gaps}));
    Test::More::is($self->{stack}->sql("SELECT count(*) FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 1, 'stored once');
    Test::More::is($self->of_job('request', $s), $requests, "requests to the tool: $requests") if defined $requests;
    return;
}

# What must hold when all was answered: no job is left, and no call of this tool was
# asked for twice.
sub all_over {
    my ($self, $write) = @_;
    my $stack = $self->{stack};
    my %requests;
    Test::More::ok($stack->until(sub { $stack->redis('jobs', 'XLEN', 'fd:jobs:{0}') == 0 }, 15), 'the queue is empty');
    Test::More::is($stack->sql("SELECT count(*) FROM jobs WHERE state = 'running'"), 0, 'no job is left running');
    $requests{ $_->{key} }++ for $self->requests($write);
    Test::More::is(scalar(grep { $_ > 1 } values %requests), 0, 'ENG-10: no write was ever asked for twice');
    return;
}

sub stop { my ($self) = @_; return $self->{process}->stop; }

1;
