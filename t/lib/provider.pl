#!/usr/bin/perl

# A mock provider that speaks the wire formats of OpenAI, Anthropic and Ollama, byte
# for byte as documented, with their edge cases on demand. The scenario stands in
# the visitor's question: "... @{"tokens":20,"gap_ms":10,"cut_at":900}@". Written
# apart from the decoders it tests.
#
#   text        the answer; default: `tokens` words "word1 word2 ..."
#   tokens      words of the default answer (20)
#   first_ms    before the first byte of the body       gap_ms   between events
#   gate        nothing of the body before this file is there
#   split       at most this many bytes a write (1: every byte its own packet)
#   cut_at      close the connection after this many bytes of the body
#   reset       cut with RST instead of FIN
#   stall_at    send nothing more after this many bytes, keep the connection
#   error_after after this many tokens an error event under HTTP 200
#   error_type  its type ("overloaded_error", "server_error")
#   garbage     bytes of nonsense in place of the stream's tokens
#   status      HTTP status, or a list: one a request with this question
#   headers     more response headers (Retry-After)
#   error_body  body with a status other than 200
#   usage       0: the provider forgets to report it
#   finish      finish_reason ("stop")
#   no_tools    1: a request with tools is refused in Ollama's words
#   tools       [{"name":"f","arguments":{...},"id":"..."}] calls behind the text, if there is
#               any; "raw" in place of arguments is sent as it is, "times" makes many of
#               one (with "day" counting), "fill" a long argument "text"
#   rounds      [{...},{...}]: what counts instead in the first, second, ... answer to the
#               question; how many the model gave already is seen from the messages
#   sentiment   {...}: what counts instead where the message is to be rated ({"score": 0})
#   crlf        1: CRLF line ends        comments 1: comment lines between events
#   refuse_connection 1: accept and close at once
#
# Every request and its end goes to the journal, one JSON object a line.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

my ($port, $journal_file) = @ARGV;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
open my $journal, '>>', $journal_file or die "$journal_file: $!";
$journal->autoflush(1);
$SIG{PIPE} = 'IGNORE';

my $listener = IO::Socket::INET->new(Listen => 1024, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "listen $port: $!";
$listener->blocking(0);
my (%conn, %seen);
my $select = IO::Select->new($listener);

sub note { my (%line) = @_; print $journal $json->encode({ at => time, %line }), "\n"; return; }

while (1) {
    my $now = time;
    my ($wait, @writers) = (1);
    for my $c (values %conn) {
        next unless $c->{queue} && @{ $c->{queue} };
        my $due = $c->{queue}[0]{at};
        if ($due <= $now) { push @writers, $c->{socket}; }
        elsif ($due - $now < $wait) { $wait = $due - $now; }
    }
    my ($readable, $writable) = IO::Select::select($select, @writers ? IO::Select->new(@writers) : undef, undef, $wait);
    for my $s (@{ $readable || [] }) {
        if ($s == $listener) {
            while (my $new = $listener->accept) {
                $new->blocking(0);
                setsockopt $new, IPPROTO_TCP, TCP_NODELAY, 1;
                $conn{$new} = { socket => $new, in => '', sent => 0 };
                $select->add($new);
            }
            next;
        }
        readable($conn{$s});
    }
    writable($conn{$_}) for grep { $conn{$_} } @{ $writable || [] };
}

sub finish {
    my ($c, $how) = @_;
    note(event => 'end', how => $how, question => $c->{question}, sent => $c->{sent}) if $c->{active};
    setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $how eq 'reset';
    $select->remove($c->{socket});
    delete $conn{ $c->{socket} };
    close $c->{socket};
    return;
}

sub readable {
    my ($c) = @_;
    my $n = sysread $c->{socket}, my $bytes, 65536;
    return if !defined $n && $!{EAGAIN};
    return finish($c, 'client') unless $n;
    $c->{in} .= $bytes;
    while ($c->{in} =~ /^(.*?\r\n\r\n)/s) {
        my $head = $1;
        my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
        $length ||= 0;
        return if length($c->{in}) < length($head) + $length;
        my $body = substr $c->{in}, length $head, $length;
        substr($c->{in}, 0, length($head) + $length) = '';
        request($c, $head, $body);
        return unless $conn{ $c->{socket} };
    }
    return;
}

sub writable {
    my ($c) = @_;
    my $queue = $c->{queue};
    while (@$queue && $queue->[0]{at} <= time) {
        my $item = $queue->[0];
        if (exists $item->{gate}) {
            if (-e $item->{gate}) { shift @$queue; }
            else { $item->{at} = time + 0.05; }
            next;
        }
        if (exists $item->{end}) {
            shift @$queue;
            return finish($c, $item->{end}) if $item->{end} ne 'keep';
            note(event => 'end', how => 'complete', question => $c->{question}, sent => $c->{sent});
            $c->{active} = 0;
            next;
        }
        my $n = syswrite $c->{socket}, $item->{bytes};
        return if !defined $n && $!{EAGAIN};
        return finish($c, 'client') unless defined $n;
        $c->{sent} += $n if $item->{body};
        substr($item->{bytes}, 0, $n) = '';
        shift @$queue if $item->{bytes} eq '';
        return if @$queue; # one write a turn: fragments stay fragments
    }
    return;
}

sub request {
    my ($c, $head, $body) = @_;
    my ($method, $path) = $head =~ /^(\S+) (\S+)/;
    my $r = eval { $json->decode($body) } || {};
    my $question = question_of($r);
    my $scenario = {};
    my $rated = $question =~ /\A\{"message":.*\}\z/ && eval { JSON::PP->new->decode($question)->{message} };
    if (($rated || $question) =~ /\@(\{.*\})\@/s) { $scenario = eval { JSON::PP->new->decode($1) } || {}; }
    if ($rated) { $scenario = $scenario->{sentiment} || { text => '{"score": 0}' }; }
    if ($scenario->{rounds}) {
        my $round = answers_after($r);
        my @rounds = @{ $scenario->{rounds} };
        $scenario = { %$scenario, %{ $rounds[$round < @rounds ? $round : -1] } };
    }
    $scenario->{tools} = [map { expand($_) } @{ $scenario->{tools} }] if $scenario->{tools};
    my $try = $seen{$question}++;
    @$c{qw(question active sent)} = ($question, 1, 0);
    $c->{queue} = [];
    note(event => 'request', path => $path, model => $r->{model}, question => $question, try => $try,
         headers => { map { lc($_->[0]) => $_->[1] } map { [split /:\s*/, $_, 2] } grep { /:/ } split /\r\n/, $head },
         body => $r);

    return finish($c, 'refused') if $scenario->{refuse_connection};
    if ($method eq 'GET') {
        return plain($c, 200, { models => [{ name => 'mock-fast' }, { name => 'mock-reasoning' }] }) if $path eq '/api/tags';
        return plain($c, 200, { object => 'list', data => [{ id => 'mock-fast', object => 'model' }] }) if $path =~ m{/models$};
    }
    my $status = $scenario->{status} || 200;
    $status = $status->[$try < @$status ? $try : -1] if ref $status;
    if ($status != 200) {
        my $error = $scenario->{error_body}
            || { error => { message => "mock status $status", type => $scenario->{error_type} || 'mock', code => undef } };
        return plain($c, $status, $error, $scenario->{headers}, $scenario->{first_ms});
    }
    return plain($c, 400, { error => "registry.ollama.ai/library/$r->{model} does not support tools" })
        if $scenario->{no_tools} && $r->{tools};
    my $wire = $path =~ m{/messages$} ? \&anthropic : $path =~ m{/api/chat$} ? \&ollama : \&openai;
    stream($c, $scenario, $wire->($r, $scenario));
    return;
}

sub text_of {
    my ($m) = @_;
    return ref $m->{content} ? join '', map { $_->{text} // '' } @{ $m->{content} } : $m->{content} // '';
}

# The visitor's: neither results of tools, nor what the server says in between.
sub is_question {
    my ($m) = @_;
    return ($m->{role} // '') eq 'user' && text_of($m) ne '' && text_of($m) !~ /^(?:<tool_result|Automatic check)/;
}

sub question_of {
    my ($r) = @_;
    for my $m (reverse @{ $r->{messages} || [] }) {
        next unless is_question($m);
        my $text = text_of($m);
        return $text =~ /([^\n]*)\s*\z/ ? $1 : $text; # what stands before it is context
    }
    return '';
}

# How often the model has answered the last question.
sub answers_after {
    my ($r) = @_;
    my $answers = 0;
    for my $m (reverse @{ $r->{messages} || [] }) {
        last if is_question($m);
        $answers++ if ($m->{role} // '') eq 'assistant';
    }
    return $answers;
}

sub expand {
    my ($tool) = @_;
    my %arguments = (%{ $tool->{arguments} || {} }, $tool->{fill} ? (text => 'x' x $tool->{fill}) : ());
    return { %$tool, arguments => \%arguments } unless $tool->{times};
    return map { { %$tool, arguments => { %arguments, day => "$_" } } } 1 .. $tool->{times};
}

# A call's arguments on the wire.
sub arguments_of { my ($tool) = @_; return defined $tool->{raw} ? $tool->{raw} : JSON::PP->new->canonical->encode($tool->{arguments} || {}); }

sub plain {
    my ($c, $status, $value, $headers, $delay_ms) = @_;
    my $body = $json->encode($value);
    my %h = ('Content-Type' => 'application/json', 'Content-Length' => length $body, %{ $headers || {} });
    my $at = time + ($delay_ms || 0) / 1000;
    push @{ $c->{queue} },
        { at => $at, bytes => "HTTP/1.1 $status Mock\r\n" . join('', map { "$_: $h{$_}\r\n" } sort keys %h) . "\r\n$body" },
        { at => $at, end => 'keep' };
    return;
}

# Lays the pieces on the connection's queue as the scenario says.
sub stream {
    my ($c, $s, $type, $pieces) = @_;
    my $at = time;
    push @{ $c->{queue} }, { at => $at, bytes => "HTTP/1.1 200 OK\r\nContent-Type: $type\r\n"
        . "Transfer-Encoding: chunked\r\n" . join('', map { "$_: $s->{headers}{$_}\r\n" } sort keys %{ $s->{headers} || {} }) . "\r\n" };
    push @{ $c->{queue} }, { at => $at, gate => $s->{gate} } if $s->{gate};
    $at += ($s->{first_ms} || 0) / 1000;
    my $offset = 0;
    for my $piece (@$pieces) {
        utf8::encode($piece) if utf8::is_utf8($piece);
        $piece =~ s/\n/\r\n/g if $s->{crlf};
        for my $part ($s->{split} ? unpack "(a$s->{split})*", $piece : $piece) {
            for my $limit (grep { defined $s->{$_} && $offset + length $part >= $s->{$_} } qw(cut_at stall_at)) {
                $part = substr $part, 0, $s->{$limit} - $offset;
                push @{ $c->{queue} }, chunk($at, $part) if $part ne '';
                push @{ $c->{queue} }, { at => $at, end => $s->{reset} ? 'reset' : 'cut' } if $limit eq 'cut_at';
                return;
            }
            $offset += length $part;
            push @{ $c->{queue} }, chunk($at, $part);
        }
        $at += ($s->{gap_ms} || 0) / 1000;
    }
    push @{ $c->{queue} }, { at => $at, bytes => "0\r\n\r\n" }, { at => $at, end => 'keep' };
    return;
}

sub chunk { my ($at, $part) = @_; return { at => $at, body => 1, bytes => sprintf("%x\r\n%s\r\n", length $part, $part) }; }

sub words {
    my ($s) = @_;
    return () if $s->{tools} && !defined $s->{text};
    return split /(?<=\s)/, $s->{text} if defined $s->{text};
    return map { "word$_ " } 1 .. ($s->{tokens} // 20);
}

sub openai {
    my ($r, $s) = @_;
    my @out;
    my $event = sub { return 'data: ' . $json->encode($_[0]) . "\n\n" };
    my $chunk = sub {
        my ($delta, $finish, %more) = @_;
        return $event->({ id => 'chatcmpl-mock', object => 'chat.completion.chunk', created => 1763600000,
            model => $r->{model}, choices => [{ index => 0, delta => $delta, finish_reason => $finish, logprobs => undef }],
            usage => undef, %more });
    };
    push @out, ": OPENROUTER PROCESSING\n\n" if $s->{comments};
    if (defined $s->{error_after} && $s->{error_after} == 0) {
        return ('text/event-stream', [$event->({ error => { message => 'mock failed', code => 503 }, choices => [{ index => 0, delta => { content => '' }, finish_reason => 'error' }] })]);
    }
    push @out, $chunk->({ role => 'assistant', content => '' }, undef);
    my $n = 0;
    for my $word (words($s)) {
        push @out, ": ping\n\n" if $s->{comments};
        push @out, $s->{garbage} ? ('x' x $s->{garbage}) . "\n" : $chunk->({ content => $word }, undef);
        $n++;
        if (defined $s->{error_after} && $n >= $s->{error_after}) {
            return ('text/event-stream', [@out, $event->({ error => { message => 'mock failed', type => $s->{error_type} || 'server_error', code => 502 } })]);
        }
    }
    my $index = 0;
    for my $tool (@{ $s->{tools} || [] }) {
        my $arguments = arguments_of($tool);
        push @out, $chunk->({ tool_calls => [{ index => $index, id => $tool->{id} // "call_$index", type => 'function', function => { name => $tool->{name}, arguments => '' } }] }, undef);
        push @out, map { $chunk->({ tool_calls => [{ index => $index, function => { arguments => $_ } }] }, undef) } unpack '(a5)*', $arguments;
        $index++;
    }
    push @out, $chunk->({}, $s->{finish} || ($s->{tools} ? 'tool_calls' : 'stop'));
    push @out, $event->({ id => 'chatcmpl-mock', object => 'chat.completion.chunk', created => 1763600000, model => $r->{model}, choices => [],
        usage => { prompt_tokens => 100, completion_tokens => $n || 5, total_tokens => 100 + $n, prompt_tokens_details => { cached_tokens => 40 } } })
        unless defined $s->{usage} && !$s->{usage};
    return ('text/event-stream', [@out, "data: [DONE]\n\n"]);
}

sub anthropic {
    my ($r, $s) = @_;
    my @out;
    my $event = sub { my ($e) = @_; return "event: $e->{type}\ndata: " . $json->encode($e) . "\n\n" };
    push @out, $event->({ type => 'message_start', message => { id => 'msg_mock', type => 'message', role => 'assistant', model => $r->{model},
        content => [], stop_reason => undef, stop_sequence => undef,
        usage => { input_tokens => 60, cache_read_input_tokens => 40, cache_creation_input_tokens => 0, output_tokens => 1 } } });
    if (defined $s->{error_after} && $s->{error_after} == 0) {
        return ('text/event-stream', [$event->({ type => 'error', error => { type => $s->{error_type} || 'overloaded_error', message => 'Overloaded' } })]);
    }
    push @out, $event->({ type => 'content_block_start', index => 0, content_block => { type => 'text', text => '' } }), $event->({ type => 'ping' });
    my $n = 0;
    for my $word (words($s)) {
        push @out, $s->{garbage} ? ('x' x $s->{garbage}) . "\n" : $event->({ type => 'content_block_delta', index => 0, delta => { type => 'text_delta', text => $word } });
        $n++;
        if (defined $s->{error_after} && $n >= $s->{error_after}) {
            return ('text/event-stream', [@out, $event->({ type => 'error', error => { type => $s->{error_type} || 'overloaded_error', message => 'Overloaded' } })]);
        }
    }
    push @out, $event->({ type => 'content_block_stop', index => 0 });
    my $index = 0;
    for my $tool (@{ $s->{tools} || [] }) {
        $index++;
        push @out, $event->({ type => 'content_block_start', index => $index, content_block => { type => 'tool_use', id => $tool->{id} // "toolu_$index", name => $tool->{name}, input => {} } });
        push @out, map { $event->({ type => 'content_block_delta', index => $index, delta => { type => 'input_json_delta', partial_json => $_ } }) } ('', unpack '(a5)*', arguments_of($tool));
        push @out, $event->({ type => 'content_block_stop', index => $index });
    }
    push @out, $event->({ type => 'message_delta', delta => { stop_reason => $s->{finish} || ($s->{tools} ? 'tool_use' : 'end_turn'), stop_sequence => undef }, usage => { output_tokens => $n || 5 } });
    return ('text/event-stream', [@out, $event->({ type => 'message_stop' })]);
}

sub ollama {
    my ($r, $s) = @_;
    my @out;
    my $line = sub { return $json->encode({ model => $r->{model}, created_at => '2026-11-20T00:00:00Z', @_ }) . "\n" };
    return ('application/x-ndjson', [$json->encode({ error => 'mock failed' }) . "\n"]) if defined $s->{error_after} && $s->{error_after} == 0;
    my $n = 0;
    for my $word (words($s)) {
        push @out, $s->{garbage} ? ('x' x $s->{garbage}) . "\n" : $line->(message => { role => 'assistant', content => $word }, done => JSON::PP::false);
        $n++;
        return ('application/x-ndjson', [@out, $json->encode({ error => 'mock failed' }) . "\n"]) if defined $s->{error_after} && $n >= $s->{error_after};
    }
    push @out, $line->(message => { role => 'assistant', content => '', tool_calls => [map { { function => { name => $_->{name}, arguments => $_->{arguments} || {} } } } @{ $s->{tools} }] }, done => JSON::PP::false) if $s->{tools};
    push @out, $line->(done => JSON::PP::true, done_reason => $s->{finish} || 'stop', message => { role => 'assistant', content => '' },
        total_duration => 5000000, prompt_eval_count => 100, eval_count => $n || 5);
    return ('application/x-ndjson', \@out);
}
