# The widget, the dashboard and the demo pages, as the build made them: names, encodings, caches, versions
# side by side, and nothing else of the directory.  EDGE-4
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex sha384_base64);
use File::Path ();
use Frontdesk::Stack;
use IO::Uncompress::Gunzip ();
use JSON::PP ();
use Test::More;

my $stack = Frontdesk::Stack->new(provider => undef, web => 1);
$stack->start;
my $client = $stack->client(key => undef, origin => undef);
my $web = "$stack->{dir}/web";

sub slurp { my ($name) = @_; open my $in, '<:raw', $name or die "$name: $!"; local $/; return scalar <$in>; }

sub manifest { return map { $_->{path} => $_ } @{ JSON::PP::decode_json(slurp("$web/manifest.json"))->{files} }; }

my %file = manifest();
my ($hashed) = grep { m{^/widget\.[0-9a-f]{8}\.js$} } keys %file;
ok $file{'/widget.js'} && $hashed, 'the build made the widget and its hashed name';
ok $file{"/demo/$_"}, "and the demo page /demo/$_"
    for '', qw(shop wordpress shopify wix dark hebrew strict playground);

# A path as it stands, with no client to tidy it.
sub raw {
    my ($path, $headers) = @_;
    my $s = $client->connect_;
    syswrite $s, $client->head(GET => $path, $headers);
    my $stream = Frontdesk::Client::Stream->new($s, 5);
    $stream->read_head;
    $stream->read_all;
    return $stream;
}

sub decoded {
    my ($r) = @_;
    my $encoding = $r->{headers}{'content-encoding'} // 'identity';
    return $r->{body} if $encoding eq 'identity';
    if ($encoding eq 'gzip') {
        my $text;
        IO::Uncompress::Gunzip::gunzip(\$r->{body}, \$text) or return "not gzip";
        return $text;
    }
    open my $out, '>:raw', "$stack->{dir}/body.br" or die "body.br: $!";
    print $out $r->{body};
    close $out;
    return scalar `brotli -dc '$stack->{dir}/body.br'`;
}

# -- every file, in every encoding ----------------------------------------------

for my $path (sort keys %file) {
    subtest "EDGE-4: $path" => sub {
        my $whole = slurp("$web/$file{$path}{file}");
        my %tag;
        for my $accept ('', 'br', 'gzip') {
            my $r = $client->get($path, { 'Accept-Encoding' => $accept });
            my $h = $r->{headers};
            my $name = $accept || 'as it is';
            is $r->{status}, 200, $name;
            is $h->{'content-encoding'} // '', $accept, 'encoded as asked';
            is length($r->{body}), $h->{'content-length'}, 'of a known length';
            ok decoded($r) eq $whole, 'the bytes of the build';
            is $h->{'content-type'}, $file{$path}{type}, 'type';
            is $h->{'x-content-type-options'}, 'nosniff', 'no guessing of types';
            like $h->{vary}, qr/^Accept-Encoding$/, 'Vary';
            like $h->{etag}, qr/^"\Q$file{$path}{etag}\E(?:-\w+)?"$/, 'a strong ETag';
            $tag{ $h->{etag} }++;

            my $head = $client->request('HEAD', $path, { 'Accept-Encoding' => $accept });
            is "$head->{status} $head->{headers}{'content-length'} $head->{headers}{etag} [$head->{body}]",
                "200 $h->{'content-length'} $h->{etag} []", 'HEAD: the same without a body';

            for my $match ($h->{etag}, "\"x\", $h->{etag}", "W/$h->{etag}", '*') {
                my $same = $client->get($path, { 'Accept-Encoding' => $accept, 'If-None-Match' => $match });
                is "$same->{status} [$same->{body}]", '304 []', "If-None-Match: $match: 304";
                is $same->{headers}{etag}, $h->{etag}, '... with its tag' if $match ne '*';
                is $same->{headers}{$_}, $h->{$_}, "... and its $_" for qw(cache-control vary access-control-allow-origin);
            }
            is $client->get($path, { 'Accept-Encoding' => $accept, 'If-None-Match' => '"other"' })->{status}, 200, 'another tag: 200';
        }
        is keys %tag, 3, 'each encoding has a tag of its own';
    };
}

subtest 'EDGE-4: the hashed name is for ever, the alias for minutes' => sub {
    my $alias = $client->get('/widget.js');
    my $ever  = $client->get($hashed);
    ok $alias->{body} eq $ever->{body}, 'the same file';
    is substr(sha256_hex($ever->{body}), 0, 8), $hashed =~ /\.([0-9a-f]{8})\./ ? $1 : '', 'named by its content';
    like $ever->{headers}{'cache-control'}, qr/\bimmutable\b/, 'immutable';
    like $ever->{headers}{'cache-control'}, qr/\bpublic\b.*\bmax-age=31536000\b/, 'for a year';
    like $alias->{headers}{'cache-control'}, qr/\bmax-age=300\b/, 'the alias for minutes';
    unlike $alias->{headers}{'cache-control'}, qr/immutable/, 'and never for ever';
    for my $r ($alias, $ever) {
        is $r->{headers}{'cross-origin-resource-policy'}, 'cross-origin', 'other sites may load it';
        is $r->{headers}{'access-control-allow-origin'}, '*', 'also with integrity=';
        is $r->{headers}{'content-security-policy'}, undef, 'no policy on a script';
    }
    cmp_ok length($client->get('/widget.js', { 'Accept-Encoding' => 'br' })->{body}), '<', length($alias->{body}) / 2, 'brotli is worth it';
    cmp_ok length($alias->{body}), '<', 50 * 1024, 'WID-6: under 50 KB';
};

subtest 'EDGE-4: which encoding' => sub {
    my %wanted = (
        'gzip, deflate, br' => 'br',   'br, gzip' => 'br', 'gzip;q=1.0,br;q=1' => 'br', 'BR' => 'br', '*' => 'br',
        'gzip' => 'gzip',              'GZIP;q=0.1' => 'gzip', 'br;q=0, gzip' => 'gzip', 'br;q=0.5, gzip;q=0.8' => 'gzip',
        'br;q=0.001,gzip;q=0.002' => 'gzip', 'gzip;q=0, *' => 'br', "br ; q=0 ,\tgzip" => 'gzip', 'br;q=0, gzip;seq=0' => 'gzip', 'br;q=0;x=1, gzip' => 'gzip',
        'identity' => '',              'br;q=0' => '', 'br;q=0.0' => '', 'br;q=0.000, gzip;q=0' => '',
        'gzip, identity' => 'gzip',    'gzip;q=0.5, identity' => '', 'gzip;q=0.5, identity;q=0.2' => 'gzip',
        'identity;q=0, gzip' => 'gzip', 'identity;q=0, *' => 'br', 'br, *;q=0' => 'br', 'identity;q=0.1, *;q=0' => '',
        'xbr, brx, gzipped' => '',     'deflate, zstd' => '', ';;,,q=' => '', ',' => '',
    );
    for my $nothing ('identity;q=0', '*;q=0', 'IDENTITY;q=0.000, deflate', 'br;q=0, gzip;q=0, identity;q=0') {
        my $r = raw('/widget.js', { 'Accept-Encoding' => $nothing });
        is "$r->{status} " . ($r->{headers}{'content-encoding'} // ''), '406 ', "$nothing: there is nothing to send";
    }
    for my $accept (sort keys %wanted) {
        my $r = raw('/widget.js', { 'Accept-Encoding' => $accept });
        is "$r->{status} " . ($r->{headers}{'content-encoding'} // ''), "200 $wanted{$accept}", $accept;
        is $r->{headers}{vary}, 'Accept-Encoding', 'Vary';
    }
    my $plain = $client->get('/widget.js');
    is $client->get('/widget.js', { 'Accept-Encoding' => 'br', 'If-None-Match' => $plain->{headers}{etag} })->{status}, 200,
        'the tag of one encoding is none of another';
};

# -- what is not there -----------------------------------------------------------

subtest 'EDGE-4: nothing else of the directory, or of any other' => sub {
    my @path = ('/', '/manifest.json', '/widget', '/widget.js/', '/WIDGET.JS', '/demo', '/demo/x', '/demo/..', '/favicon.ico', '//x',
                '/../manifest.json', '/..%2fmanifest.json', '/%2e%2e/manifest.json', '/%2e%2e%2f%2e%2e%2fetc/passwd',
                '/../../../../etc/passwd', '/demo/../../etc/passwd', '/demo/..%5c..%5cx', '/widget.js%00', '/widget.js%00.html', '/%00',
                '/widget.js/../manifest.json', "$hashed.br", "$hashed.gz", '/widget.00000000.js', '/.git/config', '/keys.env');
    push @path, map { "/$_->{file}.br" } values %file;
    for my $path (@path) {
        my $r = raw($path);
        like $r->{status}, qr/^(?:400|404)$/, $path;
        unlike $r->{body}, qr/"files"|root:|fd_[ps]k_/, '... and no content of it';
    }
    is raw('/widget.js?v=2')->{status}, 200, 'a query is no name';
    is raw('/./demo/../widget.js')->{status}, 200, 'nginx tidies a path first';
    is $client->request($_, '/widget.js')->{status}, 405, "$_ is refused" for qw(POST PUT DELETE PATCH OPTIONS);
    is $client->request('GET', '/widget.js', { Range => 'bytes=0-9' })->{status}, 200, 'a range is not taken apart';
};

for my $page (grep { m{^/demo/} && $file{$_}{type} =~ /html/ } sort keys %file) {
    subtest "EDGE-4: the page $page" => sub {
        my $r = $client->get($page);
        like $r->{headers}{'content-type'}, qr{^text/html; charset=utf-8}i, 'HTML in UTF-8';
        is $r->{headers}{'cache-control'}, 'no-cache', 'always asked for again';
        my $policy = $r->{headers}{'content-security-policy'} // '';
        like $policy, qr/default-src 'self'/, 'a strict policy';
        unlike $policy, qr/unsafe-eval|script-src[^;]*unsafe-inline|\*/, 'without holes for scripts';
        like $policy, qr/frame-ancestors 'none'/, 'not to be framed';
        unlike $r->{body}, qr/<script(?![^>]*\bsrc=)[^>]*>|\son\w+\s*=/i, 'no script in the page itself';
        like $r->{body}, qr/\Q$stack->{pk}/, 'it has the publishable key';
        unlike $r->{body}, qr/__[A-Z]+_/, 'and nothing unfilled';
        my @links = $r->{body} =~ /(?:src|href)=["'](\/[^"'#]+)/g;
        ok scalar(@links), 'it uses files';
        is $client->get($_)->{status}, 200, "$_ is there" for @links;
        unlike $r->{body}, qr{(?:src|href)=["']?https?://(?!HOST/)}, 'and asks no other host';
    };
}

subtest 'EDGE-4: the dashboard is one page wherever one is in it, under a policy of its own' => sub {
    my $page = $client->get('/dashboard/');
    my $policy = $file{'/dashboard/'}{policy};
    for my $path ('/dashboard', '/dashboard/', '/dashboard/inbox/42', '/dashboard/conversations?q=a.b', '/dashboard/a/b/c/') {
        my $r = $client->get($path);
        is "$r->{status} $r->{headers}{'content-security-policy'}", "200 $policy", $path;
        ok $r->{body} eq $page->{body}, '... the same page';
        is $r->{headers}{'referrer-policy'}, 'no-referrer', '... which names no address to others';
        is $r->{headers}{'cache-control'}, 'no-cache', '... and is asked for again';
    }
    like $policy, qr/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/, 'nothing but its own files';
    like $policy, qr/\Q$_\E(?:;|$)/, $_
        for "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'";
    unlike $policy, qr/unsafe|\*|https?:/, 'no hole in it';
    unlike $page->{body}, qr/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+\s*=|__[A-Z]+__/i, 'nothing inline, nothing unfilled';
    my @links = $page->{body} =~ /(?:src|href)="(\/[^"]+)/g;
    cmp_ok scalar(@links), '>', 2, 'it uses files';
    like $client->get($_)->{headers}{'cache-control'}, qr/immutable/, "$_ is for ever" for @links;
    is $client->get($_)->{status}, 404, "$_ is none"
        for '/dashboard/assets/main.js', '/dashboard/x.css', '/dashboards', '/dashboard.html', '/dashboard/../manifest.json';
};

subtest 'EDGE-4: configuration and greeting in one small request that needs no preflight' => sub {
    my $site = $stack->client(key => undef, origin => $stack->{origin});
    my $r = $site->get("/api/v1/config?client_key=$stack->{pk}");
    is "$r->{status} $r->{headers}{'access-control-allow-origin'}", "200 $stack->{origin}", 'for the page that asked';
    my $config = JSON::PP::decode_json($r->{body});
    ok $config->{greeting}{en} && $config->{greeting}{he} && $config->{branding}{name}, 'the first words are in it';
    cmp_ok length($r->{body}), '<', 2048, 'in two packets';
};

subtest 'EDGE-4: the integrity value is of the file that never changes' => sub {
    my $digest = sha384_base64($client->get($hashed)->{body});
    is $file{$hashed}{integrity}, "sha384-$digest", 'in the manifest';
    ok !exists $file{'/widget.js'}{integrity}, 'the alias has none: it changes';
    like $client->get('/demo/strict')->{body}, qr/src="\Q$hashed\E" integrity="sha384-\Q$digest\E" crossorigin="anonymous"/,
        'a demo page pins it';
};

# The project again, with another widget in it.
sub upgrade {
    my ($version) = @_;
    my $tree = "$stack->{dir}/upgrade";
    if (!-d $tree) {
        File::Path::make_path("$tree/scripts");
        system('cp', '-R', Frontdesk::Stack->root . '/web', $tree) == 0 or die 'cp';
        system('cp', Frontdesk::Stack->root . '/scripts/build-web', "$tree/scripts") == 0 or die 'cp';
        system('sed', '-i', 's/[0-9]\{5\}/99999/g', "$tree/web/widget/budget.json") == 0 or die 'sed'; # it may be just full
    }
    open my $out, '>>', "$tree/web/widget/src/main.js" or die "main.js: $!";
    print $out "\nwindow.frontdeskVersion = $version;\n";
    close $out;
    system("$tree/scripts/build-web --out $web --demo-key $stack->{pk} >/dev/null") == 0 or die 'build-web';
    my %now = manifest();
    return "/$now{'/widget.js'}{file}";
}

subtest 'EDGE-4: after an upgrade the former versions are served on, five of them' => sub {
    my $before = $client->get($hashed)->{body};
    my @version = ($hashed, upgrade(2));
    isnt $version[1], $hashed, 'another file';
    $stack->must('nginx', 'reload');
    ok $stack->until(sub { $client->get($version[1])->{status} == 200 }), 'the new one is there';
    ok $stack->until(sub { $client->get('/widget.js')->{body} =~ /frontdeskVersion/ }), 'the alias is the new one';
    for my $accept ('', 'br', 'gzip') {
        my $r = $client->get($hashed, { 'Accept-Encoding' => $accept });
        is "$r->{status} " . ($r->{headers}{'content-encoding'} // ''), "200 $accept", 'the former one is there';
        ok decoded($r) eq $before, 'unchanged';
    }
    like $client->get($hashed)->{headers}{'cache-control'}, qr/immutable/, 'and still for ever';

    push @version, upgrade($_) for 3 .. 7;
    my %now = manifest();
    is_deeply [grep { /^\/widget\.[0-9a-f]{8}/ } sort keys %now], [sort @version[-6 .. -1]], 'this one and five before it';
    ok !-e "$web$version[0]", 'the files of older ones are gone';
    is scalar(() = glob "$web/widget.*.js"), 6, 'and nothing is left over';
    ok !$now{$_} || $now{$_}{integrity}, "$_ is pinned by its hash" for @version;
    $hashed = $version[-1];
    %file = %now;
    $stack->must('nginx', 'reload');
    # for a moment the processes of before the reload still accept
    ok $stack->until(sub { 10 == grep { $client->get($hashed)->{status} == 200 } 1 .. 10 }), 'nginx takes them';
};

subtest 'EDGE-10: the widget without Redis' => sub {
    $stack->signal(KILL => $_) for qw(jobs live);
    is $client->get($_)->{status}, 200, $_ for '/widget.js', $hashed, '/demo/';
};

subtest 'EDGE-4: a file that goes or changes does nothing until a reload' => sub {
    my $before = $client->get('/widget.js')->{body};
    open my $out, '>', "$web/$file{'/widget.js'}{file}" or die "widget: $!";
    print $out 'alert("changed")';
    close $out;
    unlink "$web/$file{'/widget.js'}{file}.br";
    is $client->get('/widget.js')->{body}, $before, 'as before';
    is $client->get('/widget.js', { 'Accept-Encoding' => 'br' })->{headers}{'content-encoding'}, 'br', 'in every encoding';
};

$stack->finish;
done_testing;
