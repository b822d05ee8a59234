# The loop of tools on the other providers' wires: calls and results go back in their own
# form, and a model without tools gets them in words.  ENG-10, ENG-1
use strict;
use warnings;
use lib 't/lib';
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;

my %last = (
    anthropic => sub {
        my (@messages) = @_;
        my ($assistant, $user) = @messages[-2, -1];
        is_deeply [map { $_->{type} } @{ $assistant->{content} }], [qw(text tool_use tool_use)], 'its calls';
        is_deeply $assistant->{content}[1]{input}, { day => 'mon' }, 'with an object as input';
        is $user->{role}, 'user', 'the results are the user\'s';
        is_deeply [map { "$_->{type} $_->{tool_use_id}" } @{ $user->{content} }], [map { "tool_result $_->{id}" } @{ $assistant->{content} }[1, 2]], 'in one turn, by their ids';
    },
    ollama => sub {
        my (@messages) = @_;
        is_deeply [map { $_->{role} } @messages[-3 .. -1]], [qw(assistant tool tool)], 'calls and results';
        is_deeply [map { $_->{function}{arguments}{day} } @{ $messages[-3]{tool_calls} }], [qw(mon tue)], 'arguments as objects';
        is $messages[-1]{tool_name}, 'look_up', 'results by their tool\'s name';
    },
);

for my $provider (sort keys %last) {
    my $stack = Frontdesk::Stack->new(provider => $provider);
    my $tools = Frontdesk::Tools->new($stack);
    $stack->start;
    $tools->add('look_up');
    $tools->add('book', risk => 'write');
    my $client = $stack->client;
    my $asked = sub { my ($words) = @_; return grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^\Q$words\E/ } $stack->journal; };

    subtest "ENG-10: $provider" => sub {
        my $s = $client->chat($tools->question('Loop', { rounds => [
            { text => 'Let me look. ', tools => [map { { name => 'look_up', arguments => { day => $_ } } } qw(mon tue)] },
            { text => 'Both are fine.' }] }));
        is $s->{text}, "Let me look. \n\nBoth are fine.", 'answered' or diag explain $s->{events};
        is scalar(() = $tools->effects('look_up')), 2, 'both ran';
        my @requests = $asked->('Loop');
        is scalar @requests, 2, 'two calls of the model';
        $last{$provider}->(@{ $requests[1]{body}{messages} });
        is scalar @{ $requests[1]{body}{tools} }, 2, 'the tools are offered again';
        is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}'"), 2, 'both are in the ledger';
    };

    subtest "ENG-10: $provider, a write" => sub {
        my $s = $client->ask($tools->question('Book', { rounds => [{ tools => [{ name => 'book', arguments => { day => 'wed' } }] }, { text => 'Booked.' }] }));
        $tools->run_to($s, 'confirm');
        is $tools->word($s)->{status}, 200, 'confirmed';
        $tools->one_answer($s, 'Booked.', 1);
    };

    subtest "ENG-10: $provider, calls without end" => sub {
        my $s = $client->chat($tools->question('Endless', { rounds => [map { { tools => [{ name => 'look_up', arguments => { day => "e$_" } }] } } 1 .. 9] }));
        like $s->{text}, qr/^I could not finish this/, 'end with an honest sentence';
        my $body = ($asked->('Endless'))[-1]{body};
        is_deeply $provider eq 'anthropic' ? $body->{tool_choice} : $body->{tools}, $provider eq 'anthropic' ? { type => 'none' } : undef, 'the last request takes no calls';
    };

    subtest "ENG-10: $provider, a model without tools" => sub {
        my $s = $client->chat($tools->question('Words', { no_tools => 1, rounds => [
            { text => '<tool_call>{"name": "look_up", "arguments": {"day": "thu"}}</tool_call>' }, { text => 'Thursday.' }] }));
        is $s->{text}, 'Thursday.', 'answered' or diag explain $s->{events};
        my $t = $client->chat($tools->question('Again', { no_tools => 1, text => 'Hello.' }));
        is $t->{text}, 'Hello.', 'and it is remembered';
        is scalar(() = $asked->('Again')), 1, 'no second refusal';
    } if $provider eq 'ollama';

    $tools->stop;
    $stack->finish;
}
done_testing;
