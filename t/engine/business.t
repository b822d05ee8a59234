# What an organisation says of itself, set by the command and by the API, checked, and told
# to its models.  ENG-12
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Frontdesk::Admin;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new;
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my $client = $stack->client;
my $json = JSON::PP->new->utf8->canonical;

sub business {
    my (@assignments) = @_;
    my $text = $stack->frontdesk('settings', 'business', '--org', $stack->{org}, @assignments);
    return eval { $json->decode($text) } || {};
}
# What the model is told before this question.
sub told {
    my ($question) = @_;
    $client->chat({ message => $question });
    my ($request) = grep { $_->{event} eq 'request' && $_->{question} =~ /^\Q$question\E/ } $stack->journal;
    return $request->{body}{messages}[0]{content};
}

subtest 'ENG-12: by the command' => sub {
    my $now = business();
    is $now->{timezone}, 'Asia/Jerusalem', 'shown';
    is_deeply $now->{hours_understood}, JSON::PP::true, 'with whether its hours are understood';
    $now = business('hours=mon-fri 9am-5pm', 'timezone=Europe/Berlin', 'currency=EUR', 'shipping_zones=["Malta","Gozo"]',
                    'contact={"email":"help@shop.example","phone":"+49 30 1"}', 'tone=short');
    is $stack->{status}, 0, 'set';
    is_deeply [@$now{qw(hours timezone currency tone)}], ['mon-fri 9am-5pm', 'Europe/Berlin', 'EUR', 'short'], 'and shown as it is then';
    my $system = told('What are your hours?');
    like $system, qr/\Q$_\E/, "the model is told: $_" for 'mon-fri 9am-5pm', 'EUR', 'Malta, Gozo', 'help@shop.example';
    $now = business('tone=null', 'hours=by appointment');
    ok !exists $now->{tone}, 'null takes one away';
    is_deeply $now->{hours_understood}, JSON::PP::false, 'hours that nobody can compute with are taken, and it is said';
    is $now->{currency}, 'EUR', 'what is not named stays';
};

subtest 'ENG-12: by the API' => sub {
    my $r = $admin->put('business-info', { currency => 'GBP', tone => "brief" });
    is $r->{status}, 200, 'set' or diag $r->{body};
    is $r->{json}{currency}, 'GBP', 'and answered';
    is $admin->get('business-info')->{json}{shipping_zones}[1], 'Gozo', 'the rest is as it was';
    like told('And the currency?'), qr/GBP/, 'the running worker knows at once';
};

subtest 'ENG-12: what is wrong is refused by its name' => sub {
    my $before = $admin->get('business-info')->{json};
    my @bad = (
        [timezone => 'Mars/Olympus'], [timezone => 'X+3'], [timezone => 3], [timezone => 'berlin'], [timezone => "Europe/Berlin\n"],
        [currency => 'euro'], [currency => 'eur'], [currency => {}], [hours => ''], [hours => ['a']], [hours => 'x' x 601], [hours => "a\nb"],
        [shipping_zones => []], [shipping_zones => [1]], [shipping_zones => [('x') x 51]], [shipping_zones => { a => 'b' }],
        [contact => { email => ['x'] }], [contact => { ('k' x 60) => 'x' }], [tone => JSON::PP::true], [opening => '9-5'],
    );
    for my $case (@bad) {
        my ($field, $value) = @$case;
        my $r = $admin->put('business-info', { tone => 'changed', $field => $value });
        is $r->{status}, 422, $json->allow_nonref->encode($value) . ': refused' or diag $r->{body};
        like $r->{json}{field}, qr/^$field(?:\[0\])?$/, "names $field";
    }
    is_deeply $admin->get('business-info')->{json}, $before, 'nothing of it was stored';
    business('currency=euro');
    is $stack->{status}, 1, 'the command refuses as well';
};

$stack->finish;
done_testing;
