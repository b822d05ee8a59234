# Conversations that come and go by webhooks: WhatsApp, SMS and the like.  ENG-15
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256_hex);
use Frontdesk::Admin;
use Frontdesk::Stack;
use Frontdesk::Tools;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $stack = Frontdesk::Stack->new(env => { STACK_HTTP_EXTRA => 'frontdesk_start_rate 0; frontdesk_read_rate 0;' });
my $hook = Frontdesk::Tools->new($stack); # receives what goes out
$stack->start;
$stack->limits(requests_per_minute => 1000000, concurrent_chats => 1000, messages_per_month => 0);
$stack->sql("UPDATE org_ai_settings SET widget = '{\"features\": {\"handoff\": true}}' WHERE org_id = '$stack->{org}'");
$stack->hint;
my $admin = Frontdesk::Admin->new($stack);
my $other = Frontdesk::Admin->organization($stack, 'Other');
my (%secret, $number);

sub channel {
    my ($name, %option) = @_;
    my $r = $admin->post('channels', { channel => $name, enabled => $true, outbound_url => $hook->url, %option });
    $secret{$name} = $r->{json}{signing_secret} if $r->{json}{signing_secret};
    return $r;
}
sub comes {
    my ($channel, $from, $text, %more) = @_;
    return $admin->post('channels/inbound', { channel => $channel, from => $from, text => $text, message_id => 'm' . ++$number, %more });
}
sub asks { my ($words, $scenario) = @_; return "$words \@" . $json->encode($scenario || { text => 'Here you are.' }) . '@'; }
# What was delivered to this address, in order; of one that was tried again, each try.
sub tries { my ($to) = @_; return grep { ($_->{body}{to} // '') eq $to } $hook->requests; }
sub delivered {
    my ($to, $count, $what) = @_;
    $stack->until(sub { tries($to) >= $count }, 20, $what || "$count deliveries to $to");
    return map { $_->{body} } tries($to);
}
sub conversations { my ($from) = @_; return $stack->sql("SELECT id FROM conversations WHERE user_identifier = '$from' ORDER BY started_at"); }
sub does { my ($id, $what, $body) = @_; return $admin->post("conversations/$id/$what", $body || {}); }
# What waits for its time is due now.
sub due { $stack->sql("UPDATE channel_deliveries SET next_attempt_at = now() WHERE state = 'pending'"); return $stack->redis('live', 'PUBLISH', 'fd:ctl', "channel $stack->{org}"); }

subtest 'ENG-15: a channel is set up; its secret is told once' => sub {
    my $r = channel('whatsapp');
    is $r->{status}, 201, 'made' or diag $r->{body};
    like $r->{json}{signing_secret}, qr/^[0-9a-f]{64}$/, 'with its secret';
    is_deeply $r->{json}{secret}, { set => $true, ends_with => substr $r->{json}{signing_secret}, -4 }, 'of which the end stays';
    my $shown = $admin->get('channels/whatsapp');
    is_deeply [@{ $shown->{json} }{qw(channel enabled outbound_url waiting pending failed)}], ['whatsapp', $true, $hook->url, 0, 0, 0], 'shown';
    unlike $admin->get($_)->{body}, qr/\Q$secret{whatsapp}\E/, "never again: $_" for qw(channels channels/whatsapp audit);
    is channel('whatsapp')->{status}, 409, 'once';
    channel($_) for qw(sms email);
    is_deeply [map { $_->{channel} } @{ $admin->get('channels')->{json}{channels} }], [qw(email sms whatsapp)], 'the list';
    for (['widget', 'channel'], ['Whats App', 'channel'], ['x' x 33, 'channel']) {
        my $bad = $admin->post('channels', { channel => $_->[0] });
        is "$bad->{status} $bad->{json}{field}", "422 $_->[1]", "refused: $_->[0]";
    }
    is $admin->put('channels/sms', { outbound_url => 'ftp://x' })->{json}{field}, 'outbound_url', 'no web address: refused';
    ok !$admin->put('channels/sms', { outbound_url => $hook->url . '?other=path' })->{json}{signing_secret}, 'the same server keeps its secret';
    like $admin->put('channels/sms', { outbound_url => 'https://elsewhere.example/hook' })->{json}{signing_secret} // '', qr/^\S{32,}$/, 'another is told another secret, once';
    $admin->put('channels/sms', { outbound_url => $hook->url });
    is $other->get('channels/sms')->{status}, 404, 'another organisation has its own';
    is $other->put('channels/sms', { enabled => $false })->{status}, 404, 'and sets up no other';
    my $new = $admin->put('channels/sms', { rotate_secret => $true })->{json}{signing_secret};
    isnt $new, $secret{sms}, 'another secret';
    $secret{sms} = $new;
    is $stack->sql("SELECT count(*) FROM channels WHERE position('$new'::bytea in secret) > 0"), 0, 'sealed';
};

subtest 'ENG-15: a message is answered by a signed webhook, as plain text' => sub {
    my $r = comes('whatsapp', '+972501', asks('Hi', { text => "**Yes**, see [returns](https://shop.example/r):\n\n* one\n* two" }), name => 'Noa', language => 'en');
    is $r->{status}, 202, 'taken' or diag $r->{body};
    my ($said) = delivered('+972501', 1);
    is_deeply [@$said{qw(v event channel to name role author thread)}], [1, 'message', 'whatsapp', '+972501', 'Noa', 'assistant', undef, ''], 'the answer' or diag explain $said;
    is $said->{text}, "Yes, see returns (https://shop.example/r):\n\n- one\n- two", 'without Markdown';
    is_deeply $said->{parts}, [$said->{text}], 'in one part';
    like $said->{markdown}, qr/^\*\*Yes\*\*/, 'and as it was written';
    my ($try) = tries('+972501');
    my ($t, $v1) = $try->{headers}{'x-frontdesk-signature'} =~ /^t=(\d+),v1=([0-9a-f]{64})$/;
    is $v1, hmac_sha256_hex("$t.$try->{text}", $secret{whatsapp}), 'signed';
    cmp_ok abs($t - time), '<', 300, 'now';
    is $try->{headers}{'x-frontdesk-delivery'}, $said->{delivery_id}, 'with an id';
    my ($id) = conversations('+972501');
    my $one = $admin->get("conversations/$id")->{json};
    is_deeply [@$one{qw(channel user_identifier language)}, $one->{contact}{name}], ['whatsapp', '+972501', 'en', 'Noa'], 'in the inbox, with its channel';
    is_deeply [map { $_->{role} } @{ $one->{messages} }], [qw(user assistant)], 'as it was said';
    is $said->{conversation_id}, $id, 'which the webhook names';
    is_deeply [map { $_->{id} } @{ $admin->get('conversations?channel=whatsapp')->{json}{conversations} }], [$id], 'found by its channel';
    comes('whatsapp', '+972501', asks('And then'));
    is((delivered('+972501', 2))[1]{text}, 'Here you are.', 'it goes on');
    is scalar(() = conversations('+972501')), 1, 'in the same conversation';
    my ($asked) = grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^And then/ } $stack->journal;
    is scalar(grep { $_->{role} eq 'user' } @{ $asked->{body}{messages} }), 2, 'which the model knows';
    is $stack->sql("SELECT count(*) FROM channel_inbox WHERE text <> ''"), 0, 'what was answered is kept in the conversation only';
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM channel_deliveries WHERE text <> ''") == 0 }, 20), 'and so is what was delivered';
    is_deeply [map { $_->{state} } @{ $admin->get('channels/whatsapp/deliveries')->{json}{deliveries} }], [qw(delivered delivered)], 'how it went';
};

subtest 'ENG-15: what is sent twice is one message' => sub {
    my %message = (message_id => 'twice');
    my @r = map { comes('whatsapp', '+972502', asks('Twice'), %message) } 1 .. 3;
    is_deeply [map { [$_->{status}, $_->{json}{duplicate}] } @r], [[202, $false], [200, $true], [200, $true]], 'said so';
    is $r[1]{json}{id}, $r[0]{json}{id}, 'by its id';
    delivered('+972502', 1);
    comes('whatsapp', '+972502', asks('Once more'));
    is scalar(() = delivered('+972502', 2)), 2, 'answered once';
    my $theirs = $other->post('channels', { channel => 'whatsapp', enabled => $true, outbound_url => $hook->url });
    is $other->post('channels/inbound', { channel => 'whatsapp', from => '+1', text => 'Hi', %message })->{status}, 202, 'another organisation counts by itself' or diag $theirs->{body};
};

subtest 'ENG-15: several messages at once are answered one after the other' => sub {
    comes('sms', '+972503', asks("Number $_", { text => "Answer $_.", gap_ms => 20 })) for 1 .. 4;
    my @said = delivered('+972503', 4);
    is_deeply [map { $_->{text} } @said], [map { "Answer $_." } 1 .. 4], 'in order';
    my ($id) = conversations('+972503');
    is_deeply [map { $_->{role} } @{ $admin->get("conversations/$id")->{json}{messages} }], [(qw(user assistant)) x 4], 'each with its answer';
};

subtest 'ENG-15: nobody is answered before what he wrote earlier' => sub {
    my $gate = "$stack->{dir}/gate-order";
    my $waiting = sub { scalar $stack->sql("SELECT count(*) FROM channel_inbox WHERE state = 'pending'") };
    comes('sms', '+972530', asks('Number 1', { text => 'Answer 1.', gate => $gate }));
    comes('sms', '+972530', asks("Number $_", { text => "Answer $_." })) for 2, 3;
    ok $stack->until(sub { grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^Number 1 .*gate-order/ } $stack->journal }, 20), 'the model thinks about the first';
    $stack->sql("UPDATE channel_inbox SET next_at = now() + interval '1 hour' WHERE text LIKE 'Number 2%'"); # as if it were tried again later
    open my $open, '>', $gate or die "gate: $!";
    is_deeply [map { $_->{text} } delivered('+972530', 1)], ['Answer 1.'], 'which is answered';
    comes('sms', '+972531', asks('Another sender'));
    delivered('+972531', 1);
    is $waiting->(), 2, 'the third waits for the second, others do not';
    $stack->sql("UPDATE channel_inbox SET next_at = now() WHERE state = 'pending'");
    due();
    is_deeply [map { $_->{text} } delivered('+972530', 3)], [map { "Answer $_." } 1 .. 3], 'and all come in their order';
    my ($id) = conversations('+972530');
    is_deeply [map { $_->{role} } @{ $admin->get("conversations/$id")->{json}{messages} }], [(qw(user assistant)) x 3], 'each with its answer';
};

subtest 'ENG-15: senders, channels and threads are apart' => sub {
    comes('email', 'a@example.com', asks('Order'), thread => 'order');
    comes('email', 'a@example.com', asks('Return'), thread => 'return');
    comes('sms', 'a@example.com', asks('Odd'));
    my @said = delivered('a@example.com', 3);
    is scalar(() = conversations('a@example.com')), 3, 'three conversations';
    is_deeply [sort map { "$_->{channel}/$_->{thread}" } @said], ['email/order', 'email/return', 'sms/'], 'each is answered where it came from';
};

subtest 'ENG-15: what may not come in' => sub {
    is comes('messenger', 'x', 'Hi')->{status}, 409, 'a channel that is not there';
    $admin->put('channels/email', { enabled => $false });
    is comes('email', 'x', 'Hi')->{json}{field}, 'channel', 'one that is off';
    $admin->put('channels/email', { enabled => $true });
    for ([{ text => ' ' }, 'text'], [{ from => '' }, 'from'], [{ message_id => 'x' x 257 }, 'message_id'], [{ channel => 'test' }, 'channel'], [{ wait => $true }, 'wait']) {
        my $bad = comes('sms', 'x', 'Hi', %{ $_->[0] });
        is "$bad->{status} $bad->{json}{field}", "422 $_->[1]", "refused: $_->[1]";
    }
    my $reader = $stack->key(qw(create --kind sk --name reader --scope read));
    my $reading = Frontdesk::Admin->new($stack, key => $reader->{key});
    is $reading->post('channels/inbound', { channel => 'sms', from => 'x', text => 'x', message_id => 'x' })->{status}, 403, 'a key that only reads';
    is $stack->client->post('/api/admin/channels/inbound', { channel => 'sms', from => 'x', text => 'x', message_id => 'x' })->{status}, 403, 'a page\'s key';
};

subtest 'ENG-15: a receiver that fails is asked again, by the same id and in order' => sub {
    $admin->put('channels/sms', { outbound_url => $hook->url . '?fails=2' });
    comes('sms', '+972504', asks('First', { text => 'One.' }));
    comes('sms', '+972504', asks('Second', { text => 'Two.' }));
    delivered('+972504', 1);
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM channel_deliveries d JOIN channel_threads t ON t.id = d.thread_id WHERE t.sender = '+972504'") == 2 }, 20), 'both are answered';
    is scalar(tries('+972504')), 1, 'the second waits for the first';
    ok $stack->until(sub { due(); $stack->sql("SELECT count(*) FROM channel_deliveries WHERE state = 'pending'") == 0 }, 20), 'tried again';
    my @said = map { $_->{body} } tries('+972504');
    is_deeply [map { $_->{text} } @said], [('One.') x 3, ('Two.') x 3], 'in order, until it was taken';
    is $said[0]{delivery_id}, $said[2]{delivery_id}, 'each by its id';
    isnt $said[0]{delivery_id}, $said[3]{delivery_id}, 'which is its own';
    $admin->put('channels/sms', { outbound_url => 'http://192.168.0.1/hook' });
    comes('sms', '+972505', asks('Inside'));
    ok $stack->until(sub { ($admin->get('channels/sms')->{json}{last_error} // '') =~ /^blocked/ }, 20), 'an address inside is refused';
    $stack->sql("UPDATE channel_deliveries SET attempts = 8 WHERE state = 'pending'");
    ok $stack->until(sub { due(); $admin->get('channels/sms')->{json}{failed} == 1 }, 20), 'and given up at last';
    is $admin->get('channels/sms/deliveries?limit=1')->{json}{deliveries}[0]{state}, 'failed', 'which shows';
    $admin->put('channels/sms', { outbound_url => $hook->url });
};

subtest 'ENG-15: ENG-14: a person takes over, and writes by the same channel' => sub {
    comes('whatsapp', '+972506', asks('Hello'), name => 'Noa');
    delivered('+972506', 1);
    comes('whatsapp', '+972506', 'I want to talk to a human');
    my ($told) = (delivered('+972506', 2))[1];
    is $told->{role}, 'notice', 'who asks for a person is told';
    like $told->{text}, qr{ here}, 'in words';
    my ($id) = conversations('+972506');
    my ($row) = grep { $_->{id} eq $id } @{ $admin->get('handoffs')->{json}{handoffs} };
    is_deeply [@$row{qw(status channel)}, $row->{contact}{name}], ['waiting_human', 'whatsapp', 'Noa'], 'and waits in the queue';
    is $row->{last_message}{text}, 'I want to talk to a human', 'with what was said';
    is does($id, 'join', { name => 'Dana' })->{status}, 200, 'an operator joins';
    comes('whatsapp', '+972506', 'Are you there?');
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM messages WHERE conversation_id = '$id' AND role = 'user'") == 3 }, 20), 'what he writes is kept for her';
    my $r = does($id, 'reply', { name => 'Dana', text => 'Yes, *I* am.' });
    is $r->{status}, 200, 'she answers' or diag $r->{body};
    my ($said) = (delivered('+972506', 3))[2];
    is_deeply [@$said{qw(role author text message_id)}], ['operator', 'Dana', 'Yes, *I* am.', $r->{json}{message_id}], 'by the channel, in her own words';
    is scalar(grep { ($_->{question} // '') =~ /^Are you there/ } $stack->journal), 0, 'no model was asked';
    does($id, 'release');
    comes('whatsapp', '+972506', asks('Thanks'));
    is((delivered('+972506', 4))[3]{role}, 'assistant', 'given back, the model answers');
    does($id, 'resolve');
    comes('whatsapp', '+972506', asks('Again'));
    delivered('+972506', 5);
    is scalar(() = conversations('+972506')), 2, 'resolved: the next message begins another';
};

subtest 'ENG-15: ENG-14: an answer that a person stops is not sent' => sub {
    comes('whatsapp', '+972520', asks('Stopped', { tokens => 2000, gap_ms => 20 }));
    ok $stack->until(sub { grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^Stopped/ } $stack->journal }, 20), 'the model answers';
    my ($id) = conversations('+972520');
    is does($id, 'join', { name => 'Dana' })->{status}, 200, 'an operator joins';
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM channel_inbox WHERE state IN ('pending', 'admitted')") == 0 }, 20), 'the answer is over';
    does($id, 'reply', { name => 'Dana', text => 'Here I am.' });
    is_deeply [map { $_->{role} } delivered('+972520', 1)], ['operator'], 'and hers is the only one';
};

subtest 'ENG-15: nobody is left without an answer' => sub {
    comes('whatsapp', '+972507', '', attachments => [{ type => 'image' }]);
    like((delivered('+972507', 1))[0]{text}, qr/only text/, 'a picture alone: said so');
    comes('whatsapp', '+972507', asks('With words'), attachments => [{ type => 'image' }]);
    is((delivered('+972507', 2))[1]{role}, 'assistant', 'with words: answered');
    comes('whatsapp', '+972508', '', attachments => [1], language => 'he');
    like((delivered('+972508', 1))[0]{text}, qr/\p{Hebrew}/, 'in his language');
    comes('whatsapp', '+972509', asks('Fails', { status => 400, error_body => '{"error":{"message":"no"}}' }));
    my ($sorry) = delivered('+972509', 1);
    is_deeply [$sorry->{role}, $sorry->{text} =~ /Sorry/ ? 1 : 0], ['notice', 1], 'a model that fails: said so';
    comes('sms', '+972510', asks('Long', { text => join ' ', map { "Sentence number $_ is here." } 1 .. 30 }));
    my ($long) = delivered('+972510', 1);
    cmp_ok scalar(@{ $long->{parts} }), '>', 2, 'a long one comes in parts';
    is scalar(grep { length > 200 } @{ $long->{parts} }), 0, 'of what an SMS holds';
    is join(' ', @{ $long->{parts} }), $long->{text}, 'and nothing is lost';
    comes('whatsapp', '+972511', asks('This is terrible, awful, you idiots!!'));
    like((delivered('+972511', 1))[0]{text}, qr/Here you are\.\n\n.*person/, 'an offer of a person comes with the answer');
};

subtest 'ENG-15: a worker that dies loses and repeats nothing' => sub {
    my $gate = "$stack->{dir}/gate";
    comes('whatsapp', '+972512', asks('Dies', { text => 'After all.', gate => $gate }));
    comes('whatsapp', '+972512', asks('Waits', { text => 'And this.' }));
    ok $stack->until(sub { grep { $_->{event} eq 'request' && ($_->{question} // '') =~ /^Dies/ } $stack->journal }, 20), 'the model thinks';
    $stack->signal('KILL', 'worker', 'worker-1');
    comes('whatsapp', '+972513', asks('Meanwhile'));
    open my $open, '>', $gate or die "gate: $!";
    $stack->start_worker('worker-2');
    is_deeply [map { $_->{text} } delivered('+972512', 2)], ['After all.', 'And this.'], 'both are answered';
    delivered('+972513', 1);
    ok $stack->until(sub { $stack->sql("SELECT count(*) FROM channel_inbox WHERE state IN ('pending', 'admitted')") == 0 }, 20), 'nothing is left';
    is scalar(tries('+972512')), 2, 'each once';
};

subtest 'ENG-15: ENG-17: who is erased is forgotten by the channels, too' => sub {
    is $admin->post('visitors/delete', { user_identifier => '+972501' })->{status}, 200, 'erased';
    is $stack->sql("SELECT count(*) FROM channel_threads WHERE sender = '+972501'"), 0, 'no address is left';
    is $stack->sql("SELECT count(*) FROM channel_deliveries d LEFT JOIN channel_threads t ON t.id = d.thread_id WHERE t.id IS NULL"), 0, 'and nothing that was sent to it';
    my $logs = join '', map { $stack->log_text($_) } qw(admin.log worker-1.log worker-2.log nginx-access.log nginx-error.log);
    unlike $logs, qr/\+97250|Here you are/, 'no log ever had it';
};

$stack->finish;
done_testing;
