# Where the sources have nothing on a question, the model is told so and the visitor is, too;
# how far they go stands beside the answer.  ENG-5, ENG-14
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $stack = Frontdesk::Stack->new;
$stack->start;
my $client = $stack->client;
my $secret = $stack->client(key => $stack->{sk}, origin => undef);
my $admin = Frontdesk::Admin->new($stack);

sub ask { my ($message, %more) = @_; return $client->chat({ message => $message, %more }); }
sub notices { my ($s) = @_; return map { $_->{json} } grep { $_->{event} eq 'notice' && $_->{json}{kind} eq 'grounding' } @{ $s->{events} }; }
sub grounding { my ($s) = @_; return $stack->sql("SELECT route->>'grounding' FROM messages WHERE job_id = '$s->{job}' AND role = 'assistant'"); }
sub dry_run { my ($message) = @_; return $admin->post('dry-run', { message => $message })->{json}; }

subtest 'ENG-5: a question that the sources answer' => sub {
    my $s = ask('How long does shipping to the United States take?');
    is $s->{terminal}{event}, 'done', 'answered';
    is_deeply [notices($s)], [], 'no notice';
    cmp_ok grounding($s), '>', 0.5, 'the message\'s row has its grounding';
    my $run = dry_run('How long does shipping to the United States take?');
    cmp_ok $run->{route}{grounding}, '>', 0.5, 'the trace, too';
    unlike $run->{prompt}{messages}[-1]{content}, qr/say nothing on this question/, 'nothing is said to the model';
    ok scalar(grep { $_ eq 'words' } @{ $run->{snippets}[0]{found} }), 'why a snippet was found';
};

subtest 'ENG-5, ENG-14: a question that they do not' => sub {
    my $s = ask('Can penguins juggle xylophones in Antarctica?');
    my ($notice, @more) = notices($s);
    is $notice->{text}, 'This is not in our sources, so the answer does not rest on them.', 'the visitor is told';
    is scalar @more, 0, 'once';
    is $s->{events}[-1]{event}, 'done', 'before the end';
    is $s->{broken}, 0, 'in its place' if defined $s->{broken};
    cmp_ok grounding($s), '<', 0.3, 'the row says how far the sources go';
    like dry_run('Can penguins juggle xylophones in Antarctica?')->{prompt}{messages}[-1]{content},
        qr/The sources of Demo Shop say nothing on this question/, 'the model is told';

    my $r = $secret->post('/api/v1/chat', { message => 'Can penguins juggle xylophones in Antarctica?' });
    is_deeply [map { $_->{kind} } @{ $r->{json}{notices} }], ['grounding'], 'in JSON' or diag $r->{body};

    ($notice) = notices(ask('פינגווינים מנגנים בקסילופון באנטארקטיקה?'));
    is $notice->{text}, 'הדבר אינו מופיע במקורות שלנו, ולכן התשובה אינה נשענת עליהם.', 'in Hebrew';
};

subtest 'ENG-5: what asks nothing needs no source' => sub {
    for my $words ('Hello!', 'Thanks', '??') {
        my $s = ask($words);
        is_deeply [notices($s)], [], $words;
        is grounding($s), '', 'and nothing was sought';
    }
};

subtest 'ENG-5: an organisation without knowledge is not told of its sources' => sub {
    $stack->sql('DELETE FROM article_sections; DELETE FROM articles; DELETE FROM products; DELETE FROM orders');
    $stack->hint;
    my $s = ask('Can penguins juggle?');
    is_deeply [notices($s)], [], 'no notice';
    is grounding($s), '', 'no grounding';
};

$stack->finish;
done_testing;
