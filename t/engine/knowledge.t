# What an organisation knows: imported from files by command and API, asked, cited,
# changed and forgotten. ENG-13
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Compress::Zlib ();
use Frontdesk::Admin;
use Frontdesk::Stack;
use JSON::PP ();
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);

my $stack = Frontdesk::Stack->new(provider => undef);
$stack->start;
my $admin = Frontdesk::Admin->new($stack);
my $json = JSON::PP->new->canonical;
my $dir = "$stack->{dir}/files";
mkdir $dir;
chdir $dir;

sub file {
    my ($name, $bytes) = @_;
    utf8::encode($bytes) if utf8::is_utf8($bytes);
    open my $out, '>:raw', $name or die "$name: $!";
    print $out $bytes;
    close $out;
    return $name;
}
# The command, what it said on stdout and stderr, and its status.
sub knowledge {
    my @words = @_;
    local $ENV{PATH} = $ENV{PATH};
    my $text = $stack->frontdesk('knowledge', @words, '--org', $stack->{org});
    return { text => $text, status => $stack->{status} };
}
sub import_files { return $json->decode(knowledge('import', '--json', @_)->{text} || '[]'); }
sub upload {
    my ($bytes, $type, $query) = @_;
    return $admin->post('knowledge/articles' . ($query // ''), $bytes, { 'Content-Type' => $type });
}
sub code { my ($r) = @_; return join ' ', $r->{status}, map { $_ // '-' } @{ $r->{json} }{qw(code field)}; }

# The built-in provider quotes what it found, with its id.
sub answer_of { my ($question) = @_; return $stack->chat({ message => $question }); }
sub cites {
    my ($question, $fact, $id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $s = answer_of($question);
    like $s->{text}, $fact, $question;
    ok scalar(grep { $_->{id} eq $id } @{ $s->{terminal}{json}{citations} }), "and cites $id"
        or diag explain $s->{terminal}{json}{citations};
    return;
}

sub pdf {
    my ($content, %option) = @_;
    my $stream = "BT /F 12 Tf 50 700 Td 14 TL $content ET";
    my $filter = '';
    if ($option{deflate}) { $stream = Compress::Zlib::compress($stream); $filter = '/Filter/FlateDecode'; }
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        . "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        . '4 0 obj<</Length ' . length($stream) . "$filter>>stream\n$stream\nendstream endobj\n"
        . "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R/Size 6>>\n%%EOF\n";
}

subtest 'ENG-13: each format, by the command, asked and cited' => sub {
    my @files = (
        file('zeppelin.md',  "# Zeppelin trips\n\nGeneral words.\n\n## Departure\n\nThe zeppelin departs at 7:45 from Gdansk.\n"),
        file('tortoise.txt', "The tortoise sanctuary feeds lettuce on Wednesdays.\n"),
        file('glacier.html', "<!doctype html><title>x</title><script>var marzipan='secret'</script><h1>Glacier walks</h1>"
                             . "<p>Glacier walks need <b>crampons</b> of size 42&ndash;44.</p>"),
        file('harp.pdf',     pdf('(The harpsichord workshop opens in February.) Tj')),
        file('faq.csv',      "\x{FEFF}question;answer\r\n\"Do you sell \"\"marmalade\"\"?\";\"Marmalade jars cost 12 florins; ask in room 9.\"\r\n"),
        file('carob.md',     "# חרובים\n\nסירופ החרובים נמכר בבקבוק של 300 מיליליטר.\n"),
    );
    my $done = import_files(@files);
    is_deeply [map { "$_->{slug} $_->{language} $_->{format} $_->{status}" } @$done],
        ['zeppelin en markdown created', 'tortoise en text created', 'glacier en html created', 'harp en pdf created',
         'faq en csv created', 'carob-he he markdown created'], 'what became of them';
    is $done->[0]{sections}, 2, 'split along headings';
    cites('When does the zeppelin depart?', qr/departs at 7:45 from Gdansk/, 'article:zeppelin.2');
    cites('What does the tortoise sanctuary feed?', qr/lettuce on Wednesdays/, 'article:tortoise');
    cites('What do glacier walks need?', qr/crampons of size 42–44/, 'article:glacier');
    cites('When does the harpsichord workshop open?', qr/opens in February/, 'article:harp');
    cites('Do you sell marmalade?', qr/12 florins/, 'article:faq');
    cites('באיזה בקבוק נמכר סירופ החרובים?', qr/300 מיליליטר/, 'article:carob-he');
    unlike answer_of('marzipan')->{text}, qr/secret/, 'scripts are dropped';
};

subtest 'ENG-13: imported again' => sub {
    my $sections = "SELECT string_agg(s.id || s.slug, ' ' ORDER BY s.slug) FROM article_sections s JOIN articles a ON a.id = s.article_id WHERE a.slug = 'zeppelin'";
    my $before = $stack->sql($sections);
    is import_files('zeppelin.md')->[0]{status}, 'unchanged', 'the same file changes nothing';
    is $stack->sql($sections), $before, 'no row';
    file('zeppelin.md', "# Zeppelin trips\n\nGeneral words.\n\n## Luggage\n\nBring a valise.\n\n## Departure\n\nThe zeppelin departs at 8:15 from Gdansk.\n");
    my ($done) = @{ import_files('./zeppelin.md') };
    is "$done->{status} $done->{added} $done->{updated} $done->{removed}", 'updated 1 1 0', 'one section more, one changed';
    my $after = $stack->sql($sections);
    ok index($after, (split ' ', $before)[0]) >= 0 && index($after, (split ' ', $before)[1]) >= 0, 'the old ones keep their ids' or diag "$before\n$after";
    cites('When does the zeppelin depart?', qr/departs at 8:15/, 'article:zeppelin.2');
};

subtest 'ENG-13: list, show, search, delete by the command' => sub {
    my $list = $json->decode(knowledge('list', '--json')->{text});
    my ($row) = grep { $_->{slug} eq 'harp' } @$list;
    is "$row->{format} $row->{language} $row->{source} $row->{sections}", 'pdf en harp.pdf 1', 'list';
    is scalar(grep { $_->{language} ne 'he' } @{ $json->decode(knowledge('list', '--language', 'he', '--json')->{text}) }), 0, 'of one language';
    my $shown = knowledge('show', 'zeppelin');
    like $shown->{text}, qr/\[article:zeppelin\.3\] Zeppelin trips - Luggage\nBring a valise\./, 'show';
    my $found = $json->decode(knowledge('search', 'harpsichord', '--json')->{text});
    is $found->[0]{id}, 'article:harp', 'search';
    is knowledge('delete', 'harp')->{status}, 0, 'delete';
    is knowledge('delete', 'harp')->{status}, 1, 'there is nothing to delete twice';
    is knowledge('show', 'harp')->{status}, 1, 'nor to show';
    unlike answer_of('When does the harpsichord workshop open?')->{text}, qr/February/, 'it is forgotten';
    is $stack->sql("SELECT count(*) FROM article_sections WHERE body LIKE '%harpsichord%'"), 0, 'with its sections';
    is knowledge('import')->{status}, 2, 'nothing to import: how it is used';
    is knowledge('import', '--slug', 'x', 'carob.md', 'faq.csv')->{status}, 2, 'a slug is for one file';
};

subtest 'ENG-13: the same by API' => sub {
    my $r = upload("# Quince\n\nQuince jelly sets in October.", 'text/markdown', '?source=quince.md');
    is "$r->{status} $r->{json}{slug} $r->{json}{status}", '201 quince created', 'Markdown as it is';
    $r = upload(pdf('(The bassoon choir rehearses in cellar B.) Tj'), 'application/octet-stream', '?slug=bassoon&title=Bassoon%20choir&language=en');
    is "$r->{status} $r->{json}{format} $r->{json}{title}", '201 pdf Bassoon choir', 'a PDF, known by its bytes';
    $r = $admin->post('knowledge/articles', { body => '<p>Pomelos ripen in <i>Jaffa</i>.', format => 'html', slug => 'pomelo' });
    is code($r), '201 - -', 'JSON';
    is $r->{json}{format}, 'html', 'of a format';
    cites('When does quince jelly set?', qr/in October/, 'article:quince');
    cites('Where does the bassoon choir rehearse?', qr/cellar B/, 'article:bassoon');
    cites('Where do pomelos ripen?', qr/Jaffa/, 'article:pomelo');
    is upload("# Quince\n\nQuince jelly sets in October.", 'text/markdown', '?source=quince.md')->{json}{status}, 'unchanged', 'again';

    my ($seen, $path) = ({}, 'knowledge/articles?limit=5');
    for (1 .. 20) {
        $r = $admin->get($path);
        $seen->{ $_->{slug} }++ for @{ $r->{json}{articles} };
        last unless defined $r->{json}{next_cursor};
        $path = "knowledge/articles?limit=5&cursor=$r->{json}{next_cursor}";
    }
    is scalar(keys %$seen), $stack->sql("SELECT count(*) FROM articles WHERE org_id = '$stack->{org}'"), 'a cursor leads through the list';
    is scalar(grep { $_ > 1 } values %$seen), 0, 'once';
    $r = $admin->get('knowledge/articles/bassoon');
    is_deeply [map { "$_->{id}: $_->{body}" } @{ $r->{json}{sections} }], ['article:bassoon: The bassoon choir rehearses in cellar B.'], 'one article';
    is $admin->get('knowledge/search?q=bassoon')->{json}{results}[0]{id}, 'article:bassoon', 'search';
    is $admin->delete('knowledge/articles/bassoon')->{status}, 204, 'delete';
    is code($admin->get('knowledge/articles/bassoon')), '404 not-found -', 'gone';
    unlike answer_of('Where does the bassoon choir rehearse?')->{text}, qr/cellar/, 'and forgotten';
};

subtest 'ENG-13: an organisation without knowledge learns at once' => sub {
    my $other = Frontdesk::Admin->organization($stack, 'Other');
    my $key = $stack->key('create', '--org', $other->{org}, '--kind', 'sk', '--name', 'chat')->{key};
    my $ask = sub { return $stack->client(key => $key, origin => undef)->chat({ message => 'When does the observatory open?' })->{text}; };
    unlike $ask->(), qr/midnight/, 'it knows nothing';
    is $other->post('knowledge/articles', 'The observatory opens at midnight.', { 'Content-Type' => 'text/plain' })->{status}, 201, 'told';
    like $ask->(), qr/midnight/, 'it knows';
    unlike answer_of('When does the observatory open?')->{text}, qr/midnight/, 'the others do not';
};

subtest 'ENG-13: nothing is written over unawares' => sub {
    my $write = sub { my ($method, $path, $json, $headers) = @_; return $admin->request($method, "knowledge/articles$path", $json, $headers) };
    is $write->('POST', '', { title => 'Returns policy', body => 'Thirty days.' })->{status}, 201, 'an article';
    my $r = $write->('POST', '', { title => 'Returns policy', body => 'By a colleague.' });
    is code($r), '409 conflict title', 'another of the same title is refused';
    is $r->{json}{reason}{code}, 'article_slug_there', 'with words';
    my $first = $admin->get('knowledge/articles/returns-policy');
    like $first->{json}{body}, qr/Thirty days/, 'and changes nothing';
    is $write->('POST', '', { slug => 'returns-policy', title => 'Returns policy', body => 'Forty days.' })->{status}, 200, 'its slug says which is meant';
    $r = $write->('PUT', '/returns-policy', { title => 'Returns', body => 'Fifty days.' }, { 'If-Match' => $first->{headers}{etag} });
    is $r->{status}, 412, 'who saw it before that does not write over it';
    $r = $write->('PUT', '/returns-policy', { title => 'Returns', body => 'Fifty days.' }, { 'If-Match' => $admin->get('knowledge/articles/returns-policy')->{headers}{etag} });
    is "$r->{status} $r->{json}{slug} $r->{json}{title}", '200 returns-policy Returns', 'who sees it as it is does' or diag $r->{body};
    is $stack->sql("SELECT (before->>'title') || ', ' || (after->>'title') FROM audit_log WHERE action = 'PUT knowledge/articles/:slug' ORDER BY id DESC LIMIT 1"),
        'Returns policy, Returns', 'ADM-1: the record has what it was, and is';
    is $write->('PUT', '/no-such', { body => 'x' })->{status}, 404, 'one that is not there is not made';
    is $write->('PUT', '/returns-policy', { slug => 'other', body => 'x' })->{status}, 422, 'and none gets another slug';
    $admin->delete('knowledge/articles/returns-policy');
};

subtest 'ENG-13: what is refused, and why' => sub {
    my $articles = $stack->sql('SELECT count(*) FROM articles');
    my @cases = (
        ['a ZIP archive',       "PK\x03\x04...",               'text/markdown', '', '415 media-type body', qr/ZIP/],
        ['a picture as PDF',    "\x89PNG\r\n\x1a\n\0\0\0",     'application/pdf', '', '415 media-type body', qr/picture/],
        ['text as PDF',         'hello',                       'application/pdf', '', '415 media-type body', qr/not/],
        ['a PDF as HTML',       pdf('(x) Tj'),                 'text/html', '', '415 media-type body', qr/it is a PDF/],
        ['NULs',                "hello\0world",                'text/plain', '', '415 media-type body', qr/not text/],
        ['broken UTF-8',        "caf\xE9",                     'text/markdown', '', '415 media-type body', qr/UTF-8/],
        ['overlong UTF-8',      "\xC0\xAF",                    'text/plain', '', '415 media-type body', qr/UTF-8/],
        ['nothing',             '',                            'text/plain', '', '422 invalid-field body', qr/empty/],
        ['blanks',              " \n ",                        'text/plain', '', '422 invalid-field body', qr/no text/],
        ['a row of one',        "question,answer\nwhy?",       'text/csv', '', '422 invalid-field body', qr/line 2: a row has/],
        ['an open quote',       qq("why?,because),             'text/csv', '', '422 invalid-field body', qr/line 1: a quotation mark/],
        ['a scan',              pdf(''),                       'application/pdf', '', '422 invalid-field body', qr/OCR/],
        ['half a PDF',          "%PDF-1.7\n%\xE2\xE3\n1 0 obj", 'application/pdf', '', '422 invalid-field body', qr/damaged/],
        ['5 MB of text',        'a' x 5_000_000,               'text/plain', '', '413 too-large body', qr/4194304/],
        ['2 MB of words',       "word\n" x 400_000,            'text/plain', '', '413 too-large body', qr/1048576/],
        ['a bad slug',          'x',                           'text/plain', '?slug=A%20b', '422 invalid-field slug', qr/lower-case/],
        ['a bad language',      'x',                           'text/plain', '?language=klingonese', '422 invalid-field language', qr/tag/],
        ['a bad format',        'x',                           'text/plain', '?format=docx', '422 invalid-field format', qr/markdown/],
        ['another\'s slug',     'x',                           'text/plain', '?source=other/quince.md', '409 conflict slug', qr/from quince\.md/],
        ['no JSON',             '{"body": ',                   'application/json', '', '400 malformed-json -', qr/./],
        ['a field too many',    '{"body": "x", "colour": 1}',  'application/json', '', '422 invalid-field colour', qr/no such field/],
        ['no body',             '{"slug": "x"}',               'application/json', '', '422 invalid-field body', qr/required/],
    );
    for (@cases) {
        my ($what, $bytes, $type, $query, $code, $why) = @$_;
        my $r = upload($bytes, $type, $query);
        is code($r), $code, $what;
        like $r->{json}{detail} // '', $why, 'and why';
    }
    my $r = $stack->client(key => $admin->{key}, origin => undef)
        ->request('POST', '/api/admin/knowledge/articles', { 'Content-Type' => 'application/pdf', 'Content-Length' => 52_428_800 }, '%PDF-1.4');
    is $r->{status}, 413, '50 MB';
    is $stack->sql('SELECT count(*) FROM articles'), $articles, 'nothing of it was stored';
    my $k = knowledge('import', file('archive.md', "PK\x03\x04"), 'missing.md', 'carob.md');
    is $k->{status}, 1, 'the command ends with 1';
    like $k->{text}, qr/^carob\.md: unchanged carob-he/m, 'but takes what it can';
};

subtest 'ENG-13: PDFs that are bombs' => sub {
    my $start = time;
    my $words = join '', map { my $y = 10 + int($_ / 40); join '', map { '1 0 0 1 ' . (10 + 14 * $_) . " $y Tm (boom) Tj\n" } 0 .. 39 } 0 .. 27_999;
    my $text = pdf($words x 2, deflate => 1);
    cmp_ok length($text) * 20, '<', length($words) * 2, 'small outside, large inside';
    my $r = upload($text, 'application/pdf');
    like code($r), qr/^(?:413 too-large|422 invalid-field) body$/, 'text without end is refused' or diag $r->{body};
    my $loop = pdf('q /X Do Q' . ' /X Do' x 50);
    $loop =~ s{/Font<<}{/XObject<</X 6 0 R>>/Font<<};
    $loop =~ s{trailer}{6 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X 6 0 R>>>>/Length 60>>stream\n/X Do /X Do /X Do /X Do BT (x) Tj ET\nendstream endobj\ntrailer};
    $r = upload($loop, 'application/pdf');
    cmp_ok $r->{status}, '<', 500, 'one that draws itself is answered' or diag $r->{body};
    cmp_ok time - $start, '<', $stack->limit(50), 'in time';
    is $admin->get('organization')->{status}, 200, 'and the others are served';
    is $stack->sql("SELECT count(*) FROM article_sections WHERE body LIKE '%boom%'"), 0, 'nothing was stored';
};

chdir '/';
$stack->finish;
done_testing;
