package Frontdesk::ProviderFaults;

# A provider on bad days, in the wire format of its kind: refusing, hanging, cutting, sending
# garbage or an error after 200.  ENG-1, ENG-6

use strict;
use warnings;

use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);

use Frontdesk::Stack;

my $json = JSON::PP->new->canonical;

# Every case, on a stack of its own: openai, anthropic or ollama.
sub run {
    my ($provider) = @_;
    my $stack = Frontdesk::Stack->new(provider => $provider, env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0;' }, worker => {
        FRONTDESK_LLM_CONNECT_TIMEOUT_MS => 1000, FRONTDESK_LLM_FIRST_TOKEN_MS => 2500,
        FRONTDESK_LLM_IDLE_MS => 2500, FRONTDESK_LLM_TOTAL_MS => 15000,
    });
    $stack->start;
    $stack->limits(requests_per_minute => 100000, concurrent_chats => 50, messages_per_month => 0);
    my $client = $stack->client;
    my $n = 0;
    my $ask = sub {
        my ($scenario) = @_;
        $n++;
        my $s = $client->chat({ message => "Case $n \@" . $json->encode($scenario) . '@' }, seconds => 40);
        # A success in between: five failures in a row would open the circuit breaker.
        my $well = $client->chat({ message => 'Well again?' });
        diag "case $n left the provider unused: $well->{terminal}{data}" if $well->{terminal}{event} ne 'done';
        return $s;
    };
    my $calls = sub { return scalar grep { $_->{event} eq 'request' && $_->{question} =~ /^Case $n / } $stack->journal };

    subtest "ENG-1 $provider: every fragmentation" => sub {
        for my $split (1, 2, 3, 7, 50) {
            my $s = $ask->({ tokens => 6, split => $split, comments => 1, crlf => $provider eq 'openai' ? 1 : 0 });
            is $s->{text}, 'word1 word2 word3 word4 word5 word6 ', "split at $split";
            is $s->{terminal}{event}, 'done';
        }
        my $s = $ask->({ text => "\x{05e9}\x{05dc}\x{05d5}\x{05dd} \x{1F600} ", split => 1 });
        is $s->{text}, "\x{05e9}\x{05dc}\x{05d5}\x{05dd} \x{1F600} ", 'characters cut in the middle';
    };

    subtest "ENG-1 $provider: failures before the first token are tried again" => sub {
        my $s = $ask->({ tokens => 3, status => [503, 200] });
        is $s->{terminal}{event}, 'done', '503 then 200' or diag explain $s->{terminal};
        is $calls->(), 2, 'two calls';
        my $at = time;
        $s = $ask->({ tokens => 3, status => [429, 200], headers => { 'Retry-After' => '1' } });
        is $s->{terminal}{event}, 'done', '429 then 200';
        cmp_ok time - $at, '>=', 1, 'not before Retry-After';
        $s = $ask->({ tokens => 3, status => [500, 500, 200] });
        is $s->{terminal}{event}, 'done', 'the fallback model answers';
        my ($meta) = grep { $_->{event} eq 'notice' } @{ $s->{events} };
        ok $meta, 'and a notice says so';
        $s = $ask->({ error_after => 0, tokens => 3 });
        is $s->{terminal}{event}, 'error', 'an error event as the only one under 200';
        cmp_ok $calls->(), '>', 1, 'was tried again';
    };

    subtest "ENG-1 $provider: failures that no retry heals" => sub {
        my $s = $ask->({ status => 401 });
        is $s->{terminal}{event}, 'error', 'status 401';
        like $s->{terminal}{json}{type}, qr/provider/, 'says provider';
        unlike $s->{terminal}{data}, qr/mock status|sk-test|ak-test/, 'and not the provider\'s words';
        $s = $ask->({ status => 400 });
        is $s->{terminal}{event}, 'error', 'status 400';
    };

    subtest "ENG-1 $provider: after the first token nothing is spliced" => sub {
        my $s = $ask->({ tokens => 10, gap_ms => 20, error_after => 5 });
        is $s->{terminal}{event}, 'error', 'an error after five tokens';
        is $s->{text}, 'word1 word2 word3 word4 word5 ', 'what came is kept';
        is $calls->(), 1, 'no second call';
        is $stack->sql("SELECT status FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"), 'interrupted', 'stored as interrupted';
        is $stack->sql("SELECT estimated AND tokens_output > 0 FROM usage_ledger WHERE job_id = '$s->{job}'"), 't', 'ENG-6: billed, marked estimated';
        $s = $ask->({ tokens => 10, gap_ms => 20, stall_at => 900 });
        is $s->{terminal}{event}, 'error', 'a stall ends by the idle timeout';
        is $s->{broken}, 0;
    };

    subtest "ENG-1 $provider: hanging" => sub {
        my $s = $ask->({ first_ms => 20000 });
        is $s->{terminal}{event}, 'error', 'no first token';
        $s = $ask->({ refuse_connection => 1 });
        is $s->{terminal}{event}, 'error', 'refused';
    };

    subtest "ENG-1 $provider: cut at a byte" => sub {
        my @offsets = $ENV{FRONTDESK_LONG} ? (0 .. 1600) : (0, 1, 30, 199, 200, 201, 350, 700);
        my $bad = 0;
        for my $offset (@offsets) {
            my $s = $ask->({ tokens => 4, cut_at => $offset, reset => $offset % 2 ? 1 : 0 });
            my $t = $s->{terminal}{event} // 'nothing';
            $bad++, diag "cut at $offset: $t" unless $t eq 'error' || ($t eq 'done' && $s->{text} eq 'word1 word2 word3 word4 ');
            $bad++, diag "cut at $offset: broken" if $s->{broken};
        }
        is $bad, 0, 'never a silent success';
    };

    subtest "ENG-1 $provider: garbage" => sub {
        my $s = $ask->({ tokens => 3, garbage => 200 });
        is $s->{terminal}{event}, 'error';
        $s = $ask->({ tokens => 3, garbage => 2_000_000 });
        is $s->{terminal}{event}, 'error', 'without an end';
        is $client->chat({ message => "Fine $provider" })->{terminal}{event}, 'done', 'and the worker lives';
    };

    subtest "ENG-6 $provider: usage forgotten" => sub {
        my $s = $ask->({ tokens => 5, usage => 0 });
        is $s->{terminal}{event}, 'done';
        is $stack->sql("SELECT estimated FROM usage_ledger WHERE job_id = '$s->{job}'"), 't', 'estimated' unless $provider ne 'openai';
        is $stack->sql("SELECT count(*) FROM usage_ledger WHERE job_id = '$s->{job}' AND cost_micro = 0"), 0, 'an unknown cost is never 0';
    };
    $stack->finish;
    return;
}

1;
