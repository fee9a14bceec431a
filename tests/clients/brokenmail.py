"""Messages as nobody should write them, each with one thing wrong or odd, and messages damaged at
random: for comparing what servers tell of them."""

HEAD = (b"From: a@example.org\nTo: b@example.com\nSubject: odd\n"
        b"Date: Tue, 23 Jun 2026 09:00:00 +0000\nMessage-ID: <odd@example.org>\n")
MIME = b"MIME-Version: 1.0\n"

# Of what a damaged byte or line becomes.
DIRT = b"();:,<>@\"\\=/- \t.[]?*xA1\xfc\x80"

ADDRESSES = [
    'a@b', '<a@b>', 'N <a@b>', '"N" <a@b>', '"N, M" <a@b>', 'N M <a@b>, O P <c@d>', 'a@b (N)',
    '(N) a@b', '<a@b> (N)', 'N (c) <a@b>', '"a b"@c', 'N. M. <a@b>', 'N.M <a@b>', 'a', 'a b',
    'a b c', '"a b"', '<a>', 'N <a>', 'N <>', '<>', 'N <a@>', 'N <@b>', 'a@', '@b',
    'G: a@b, c@d;', 'G:;', 'undisclosed-recipients:;', 'G: a@b; c@d', '"G H": N <a@b>;',
    'x@y, G: a@b;, z@w', 'G: a@b', '<@r1,@r2:a@b>', '@r:a@b', 'a@[1.2.3.4]', 'N <a@[1.2.3.4]>',
    'a@b c', 'a@b, ', 'a@b,,c@d', ', a@b', 'a@b; c@d', 'a@b;c@d;', 'a @ b', 'a.b @ c . d',
    'a..b@c', '.a@b', 'a.@b', 'a@b.', 'a@b@c', 'N <a@b', 'N <a@b>>', '<<a@b>>', 'N <a@b> junk',
    'N <a@b> <c@d>', 'a@b <a@b>', '"a@b" <a@b>', 'a@b, N', 'N, a@b', "O'N <a@b>", 'N (x) M <a@b>',
    '=?utf-8?q?N=2C?= <a@b>', '"=?utf-8?q?N?=" <a@b>', '"unterminated <a@b>', 'N <a@b>, "unterm',
    '(unterm a@b', 'a@b (unterm', 'N\\ M <a@b>', '"N\\"M" <a@b>', '"N\\\\M" <a@b>', '""<a@b>',
    '"" <a@b>', 'N<a@b>', 'N <a@b>,M <c@d>', 'N < a@b >', 'N <a @b>', 'mailto:a@b',
    'N <mailto:a@b>', 'a%b@c', 'a!b@c', 'a+b=c@d', 'a/b@c', 'N [x] <a@b>', '[N] <a@b>',
    'N: <a@b>', 'N; <a@b>', 'N @ M <a@b>', 'N <a@b>; M <c@d>', 'root', 'root (Cron Daemon)',
    '"Cron Daemon" <root>', '(Cron) root', 'Cron Daemon', 'a@b (N) (M)', 'a@b (N (M) O)',
    'a(x)@b', 'a@(x)b', 'a@b(x)', 'N\t<a@b>', '  N   M   <a@b>  ', 'N <a@b>\n ,\n M <c@d>',
    'N\n M <a@b>', 'a@b.c,', '"N"M <a@b>', 'N"M" <a@b>', '"N" "M" <a@b>', '=?utf-8?q?N M?= <a@b>',
    'a@b:c', 'a:b@c', 'a\\@b@c', '"a@b"@c', 'a@-b-', 'a@b_c', 'A@B', 'a b@c', 'a b@c, d@e',
    '<a b@c>', 'N <a b@c>', 'N <"a b"@c>', 'N <a,b@c>', 'a@[IPv6:::1]', 'a@[x y]', 'ü@b',
    'N <ü@ü>', 'ü <a@b>', '"ü" <a@b>', 'a@b\x7f', 'N <a@b?subject=x>', 'N <a@b><c@d>', 'N <a@b>;',
    'N <a@b>.', '.', '"', '(', ')', '<', '>', '@', ':', ';', ',', '\\', 'a@b)', 'a)@b',
    'N) <a@b>', '[a@b', 'a]@b', 'a@b;;', 'G:a@b;H:c@d;', 'G: H: a@b;;', 'G: a@b, "x', 'no reply',
    'no-reply', 'noreply@x <no reply>', '"x" y', 'x "y"', 'x "y" z@w', 'x <y> z@w', "'x' <a@b>",
    "'a@b'", "<'a@b'>", 'a@b,c', 'a@b c@d', 'a@b\tc@d', 'a@b>', '<a@b', 'Undisclosed Recipients',
    'recipients list not shown: ;', '"G:" <a@b>', 'a.b.c.d.', '..', 'a@.', 'N <a@b (c)>',
    'N <(c)a@b>', '<a@b>(c)', 'x@y.z (Foo "bar" \\) baz)',
]

# Whole messages with odd headers.
HEADERS = {
    'fold': b'Subject: one\n two\n\tthree\n    four\nFrom: a@b\n\nx\n',
    'fold-empty': b'Subject:\n one\nFrom: a@b\n\nx\n',
    'fold-blank': b'Subject: one\n \n two\nFrom: a@b\n\nx\n',
    'ws-line': b'Subject: one\n   \nFrom: a@b\n\nx\n',
    'space-colon': b'Subject : one\nFrom\t: a@b\n\nx\n',
    'lead-space': b' Subject: one\nFrom: a@b\n\nx\n',
    'nocolon': b'Subject: one\nno colon here\nFrom: a@b\n\nx\n',
    'emptyname': b': x\nSubject: one\nFrom: a@b\n\nx\n',
    'name-space': b'X Foo: x\nSubject: one\nFrom: a@b\n\nx\n',
    'tabs':
        b'Subject:\tone\t two \t\nFrom:\ta@b\nDate:   x  \nMessage-ID:<x>\n'
        b'In-Reply-To: a\n b\n\nx\n',
    '8bit': b'Subject: f\xfcr\nFrom: J\xf6rg <j@x>\nTo: "J\xf6rg" <j@x>\n\nx\n',
    '8bit8': b'Subject: f\xc3\xbcr\nFrom: J\xc3\xb6rg <j@x>\n\nx\n',
    'ctl': b'Subject: a\x01b\x7fc\x1b[0m\nFrom: a@b\n\nx\n',
    'quote': b'Subject: a "quoted" \\ back\nFrom: a@b\nMessage-ID: <"q"@x>\n\nx\n',
    'nohdr': b'\nbody only\n',
    'nohdr2': b'body only\n\nno header\n',
    'hdr-nonl': b'Subject: x',
    'hdr-nl': b'Subject: x\n',
    'empty-vals':
        b'Subject:\nFrom:\nTo:\nDate:\nMessage-ID:\nIn-Reply-To:\nCc: \n\n'
        b'x\n',
    'mbox': b'From x Mon Jan 1 00:00:00 2026\nSubject: x\n\ny\n',
    'gtfrom': b'>From x Mon Jan 1 00:00:00 2026\nSubject: x\n\ny\n',
    'eq':
        b'Subject: =?utf-8?B?w7w=?= =?utf-8?Q?x?=\n =?utf-8?Q?y?=\n'
        b'From: =?utf-8?Q?J=C3=B6?= <a@b>\n\nx\n',
}

# MIME fields, without MIME-Version; HEAD goes before.
WITHOUT_VERSION = {
    'nomv-mp':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/html\n\nx\n--b--\n',
    'nomv-cte': b'Content-Transfer-Encoding: base64\n\nYWJj\n',
    'nomv-ct': b'Content-Type: text/html; charset=utf-8\nContent-ID: <x>\n\nYWJj\n',
    'nomv-disp':
        b'Content-Disposition: attachment; filename=x\nContent-ID: <q>\n'
        b'Content-Description: de\n\nYWJj\n',
}

# The fields of one part; HEAD and MIME go before.
FIELDS = {
    'dup-ct':
        b'Content-Type: text/html\nContent-Type: text/plain; charset=x\n\n'
        b'q\n',
    'dup-cte':
        b'Content-Type: text/html\nContent-Transfer-Encoding: base64\n'
        b'Content-Transfer-Encoding: 7bit\n\nYWJj\n',
    'dup-id':
        b'Content-Type: text/html\nContent-ID: <a>\nContent-ID: <b>\n'
        b'Content-Description: one\nContent-Description: two\n'
        b'Content-Disposition: inline\n'
        b'Content-Disposition: attachment; filename=z\n'
        b'Content-Language: de\nContent-Language: fr\nContent-Location: l1\n'
        b'Content-Location: l2\nContent-MD5: m1\nContent-MD5: m2\n\nYWJj\n',
    'ct-comment':
        b'Content-Type: text/plain (a comment); charset (c) = (d) us-a'
        b'scii (e); x=y (z)\n\nq\n',
    'ct-quoted':
        b'Content-Type: text/plain; name="a \\"q\\" b\\\\c"; charset="utf-'
        b'8"\n\nq\n',
    'ct-unterminated': b'Content-Type: text/plain; name="abc; charset=utf-8\n\nq\n',
    'ct-nosub': b'Content-Type: text\n\nq\n',
    'ct-nosub2': b'Content-Type: text/\n\nq\n',
    'ct-empty': b'Content-Type:\n\nq\n',
    'ct-semi': b'Content-Type: text/plain;;; charset=utf-8;\n\nq\n',
    'ct-nosemi': b'Content-Type: text/plain charset=utf-8\n\nq\n',
    'ct-spaces': b'Content-Type: text / plain ; charset = utf-8\n\nq\n',
    'ct-slash': b'Content-Type: application/x-foo/bar; name=a/b\n\nq\n',
    'ct-eq': b'Content-Type: text/plain; name==x; foo=a=b; charset=utf-8\n\nq\n',
    'ct-spaceval': b'Content-Type: application/pdf; name=my file name.pdf; x=1\n\nq\n',
    'ct-8bit': b'Content-Type: application/pdf; name="f\xfcr.pdf"; n2=f\xfcr\n\nq\n',
    'ct-8bit8':
        b'Content-Type: application/pdf; name="f\xc3\xbcr.pdf"; n2=f\xc3\xbcr\n'
        b'\nq\n',
    'ct-brackets': b'Content-Type: application/pdf; name=[a](b)<c>@d,e:f?g\n\nq\n',
    'ct-2231':
        b"Content-Type: application/pdf; name*=utf-8''f%C3%BCr.pdf; x*"
        b'0=a; x*1*=b%20; x*2=c\n\nq\n',
    'ct-2231b':
        b"Content-Type: application/pdf; name*0*=utf-8''f%C3%BC; name*"
        b'1=r.pdf\nContent-Disposition: attachment;\n filename*0="one";\n'
        b' filename*1="two"\n\nq\n',
    'ct-dupparam': b'Content-Type: text/plain; charset=a; charset=b; CHARSET=c\n\nq\n',
    'ct-case':
        b'Content-Type: TEXT/HTML; CharSet=UTF-8\n'
        b'Content-Transfer-Encoding: BASE64\n\nYWJj\n',
    'ct-nocharset': b'Content-Type: text/html; format=flowed\n\nq\n',
    'ct-emptyparam': b'Content-Type: text/plain; charset=""; x=; y\n\nq\n',
    'ct-fold': b'Content-Type: text/plain;\n\tcharset=utf-8;\n  name="a\n b"\n\nq\n',
    'ct-fold2': b'Content-Type: text/plain; name="a\n\t  b \n c"\n\nq\n',
    'ct-trail': b'Content-Type: text/plain; charset=utf-8 foo bar; x=y\n\nq\n',
    'ct-quoteend': b'Content-Type: text/plain; charset="utf-8"foo; x=y\n\nq\n',
    'cte-params':
        b'Content-Type: text/plain\n'
        b'Content-Transfer-Encoding: base64; foo=bar\n\nYWJj\n',
    'cte-comment':
        b'Content-Type: text/plain\n'
        b'Content-Transfer-Encoding: (c) base64 (d)\n\nYWJj\n',
    'cte-quoted':
        b'Content-Type: text/plain\nContent-Transfer-Encoding: "base64"\n\n'
        b'YWJj\n',
    'cte-unknown':
        b'Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n'
        b'\nYWJj\n',
    'cte-two':
        b'Content-Type: text/plain\nContent-Transfer-Encoding: 7bit base64\n'
        b'\nYWJj\n',
    'cte-8':
        b'Content-Type: text/plain\nContent-Transfer-Encoding: 8-bit\n\n'
        b'YWJj\n',
    'cte-empty': b'Content-Type: text/plain\nContent-Transfer-Encoding:\n\nYWJj\n',
    'disp-1':
        b'Content-Type: text/plain\n'
        b'Content-Disposition: attachment; filename="a b.txt"; size=5;'
        b' creation-date="Wed, 12 Feb 1997 16:29:51 -0500"\n\nYWJj\n',
    'disp-2':
        b'Content-Type: text/plain\nContent-Disposition: filename=x\n\n'
        b'YWJj\n',
    'disp-3':
        b'Content-Type: text/plain\nContent-Disposition: ; filename=x\n\n'
        b'YWJj\n',
    'disp-4':
        b'Content-Type: text/plain\n'
        b'Content-Disposition: (c) inline (d); (e) filename=x\n\nYWJj\n',
    'disp-5': b'Content-Type: text/plain\nContent-Disposition: "inline"\n\nYWJj\n',
    'disp-6': b'Content-Type: text/plain\nContent-Disposition:\n\nYWJj\n',
    'disp-7':
        b'Content-Type: text/plain\n'
        b'Content-Disposition: inline; filename=a b c.txt\n\nYWJj\n',
    'lang-1': b'Content-Type: text/plain\nContent-Language: en\n\nq\n',
    'lang-2': b'Content-Type: text/plain\nContent-Language: en, de-AT ,fr\n\nq\n',
    'lang-3':
        b'Content-Type: text/plain\nContent-Language: (c) en (d), "de"\n\n'
        b'q\n',
    'lang-4': b'Content-Type: text/plain\nContent-Language: en de;x\n\nq\n',
    'lang-5': b'Content-Type: text/plain\nContent-Language:\n\nq\n',
    'misc-1':
        b'Content-Type: text/plain\nContent-ID:  <a b@c> (x)\n'
        b'Content-Description: some =?utf-8?q?t=C3=BC?= text\n  folded\n'
        b'\there\nContent-Location: http://x/\n y\n'
        b'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n\nq\n',
    'misc-2':
        b'Content-Type: text/plain\nContent-ID:\nContent-Description:\n'
        b'Content-Location: \nContent-MD5:  \n\nq\n',
    'misc-3':
        b'Content-Type: text/plain\nContent-ID: "quoted"\n'
        b'Content-Location: (c) a b\nContent-MD5: a b; c (d)\n'
        b'Content-Description: (c) "x"\n\nq\n',
}

# Multiparts and messages in messages; HEAD and MIME go before.
PARTS = {
    'simple':
        b'Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n--b--\nepi\n',
    'noclose':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n',
    'noclose-nonl':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two',
    'trailws':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b \t\n'
        b'Content-Type: text/plain\n\none\n--b  \nContent-Type: text/plain\n'
        b'\ntwo\n--b-- \n',
    'prefix':
        b'Content-Type: multipart/mixed; boundary=b\n\n--bb\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n--b--\n',
    'prefix2':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--bx\nContent-Type: text/plain\n'
        b'\ntwo\n--b--x\nthree\n--b--\n',
    'closejunk':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--junk\n'
        b'Content-Type: text/plain\n\ntwo\n--b\nContent-Type: text/plain\n\n'
        b'z\n--b--\n',
    'after-close':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--\nepi\n--b\n'
        b'Content-Type: text/plain\n\nafter\n--b--\n',
    'empty-part':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b\n'
        b'Content-Type: text/plain\n\n--b\n\n\n--b--\n',
    'empty-part2':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/html\n--b\nContent-Type: text/html\n\n--b\n'
        b'Content-Type: text/html\n\n\n--b--\n',
    'part-noblank':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\nbody without blank\nmore\n--b--\n',
    'part-nohdr':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n'
        b'body without header\nmore\n--b--\n',
    'part-nohdr2':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\nbody directly\n'
        b'\nmore\n--b--\n',
    'quoted-b':
        b'Content-Type: multipart/mixed; boundary="b c"\n\n--b c\n'
        b'Content-Type: text/plain\n\none\n--b c--\n',
    'b-space':
        b'Content-Type: multipart/mixed; boundary="b "\n\n--b \n'
        b'Content-Type: text/plain\n\none\n--b --\n',
    'b-empty':
        b'Content-Type: multipart/mixed; boundary=""\n\n--\n'
        b'Content-Type: text/plain\n\none\n----\n',
    'b-dup':
        b'Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n--a--\n--b--\n',
    'b-case':
        b'Content-Type: multipart/mixed; BOUNDARY=b\n\n--B\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n--b--\n',
    'nested':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=c\n\n--c\n'
        b'Content-Type: text/plain\n\none\n--c\nContent-Type: text/html\n\n'
        b'h\n--c--\n\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n',
    'nested-noclose':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=c\n\n--c\n'
        b'Content-Type: text/plain\n\none\n--c\nContent-Type: text/html\n\n'
        b'h\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n',
    'nested-same':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--\n--b\n'
        b'Content-Type: text/plain\n\ntwo\n--b--\n',
    'nested-prefix':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=bb\n\n--bb\n'
        b'Content-Type: text/plain\n\none\n--bb--\n--b\n'
        b'Content-Type: text/plain\n\ntwo\n--b--\n',
    'nested-prefix2':
        b'Content-Type: multipart/mixed; boundary=bb\n\n--bb\n'
        b'Content-Type: multipart/alternative; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--\n--bb\n'
        b'Content-Type: text/plain\n\ntwo\n--bb--\n',
    'nested-empty':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=c\n\nnothing\n--b\n'
        b'Content-Type: text/plain\n\ntwo\n--b--\n',
    'nested-innerlater':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: multipart/alternative; boundary=c\n\n--c\n'
        b'Content-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\n'
        b'two\n--c\nContent-Type: text/plain\n\nthree\n--b--\n',
    'digest':
        b'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s1\n'
        b'From: x@y\n\none\n--b\n\nSubject: s2\n\ntwo\n--b--\n',
    'digest-ct':
        b'Content-Type: multipart/digest; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\nSubject: s1\n\none\n--b\n'
        b'Content-Type: message/rfc822\n\nSubject: s2\n\ntwo\n--b--\n',
    'digest-nb':
        b'Content-Type: multipart/digest; boundary=b\n\n--b\nSubject: s1\n\n'
        b'one\n--b--\n',
    'digest-empty': b'Content-Type: multipart/digest; boundary=b\n\n--b\n\n--b\n--b--\n',
    'rfc':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\nSubject: inner\nFrom: i@x\n\n'
        b'inner body\n--b--\n',
    'rfc-mp':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\nSubject: inner\n'
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n'
        b'--c\nContent-Type: text/plain\n\none\n--c--\n\n--b--\n',
    'rfc-mp-nomv':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\nSubject: inner\n'
        b'Content-Type: multipart/mixed; boundary=c\n\n--c\n'
        b'Content-Type: text/plain\n\none\n--c--\n\n--b--\n',
    'rfc-empty':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\n--b\n'
        b'Content-Type: message/rfc822\n--b--\n',
    'rfc-noblank':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\nSubject: inner\n--b--\n',
    'rfc-blank':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n\n\nbody only\n--b--\n',
    'rfc-b64':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n'
        b'\nU3ViamVjdDogeAoKeQo=\n--b--\n',
    'rfc-qp':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: message/rfc822\n'
        b'Content-Transfer-Encoding: quoted-printable\n\nSubject: x=\n y\n\n'
        b'z=3D\n--b--\n',
    'rfc-top':
        b'Content-Type: message/rfc822\n\nSubject: inner\nFrom: i@x\n\n'
        b'inner body\n',
    'rfc-top-mp':
        b'Content-Type: message/rfc822\n\nSubject: inner\n'
        b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n'
        b'--c\nContent-Type: text/plain\n\none\n--c--\n',
    'rfc-rfc':
        b'Content-Type: message/rfc822\n\nSubject: inner\n'
        b'MIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: in2\n'
        b'\nx\n',
    'global': b'Content-Type: message/global\n\nSubject: inner\n\nx\n',
    'partial':
        b'Content-Type: message/partial; id=x; number=1; total=2\n\n'
        b'Subject: inner\n\nx\n',
    'ext':
        b'Content-Type: message/external-body; access-type=URL; URL="h'
        b'ttp://x"\n\nContent-Type: text/html\nContent-ID: <x>\n\n',
    'delivery':
        b'Content-Type: multipart/report; report-type=delivery-status;'
        b' boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n--b\n'
        b'Content-Type: message/delivery-status\n\nA: b\n\n--b\n'
        b'Content-Type: text/rfc822-headers\n\nFrom: x\n\n--b--\n',
    'nonl':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--',
    'hdronly-mp': b'Content-Type: multipart/mixed; boundary=b\n',
    'hdronly-mp2': b'Content-Type: multipart/mixed; boundary=b\n\n',
    'inhdr-b':
        b'Content-Type: multipart/mixed; boundary=b\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--\n',
    'mp-cte':
        b'Content-Type: multipart/mixed; boundary=b\n'
        b'Content-Transfer-Encoding: base64\nContent-ID: <m>\n'
        b'Content-MD5: x\nContent-Disposition: inline\n'
        b'Content-Language: en\nContent-Location: l\n\n--b\n'
        b'Content-Type: text/plain\n\none\n--b--\n',
    'blanks':
        b'Content-Type: multipart/mixed; boundary=b\n\n\n\n--b\n\n\n'
        b'Content-Type: text/plain\n\none\n\n\n--b--\n\n\n',
    'ws-blank':
        b'Content-Type: multipart/mixed; boundary=b\n\n--b\n'
        b'Content-Type: text/html\n \nbody?\n--b--\n',
}


def damage(message, dice):
    """The message with a few lines or bytes changed, lost, doubled or exchanged."""
    for _ in range(dice.choice((1, 1, 2, 3, 5))):
        lines = message.split(b"\n")
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        line = bytearray(lines[at])
        byte = dice.randrange(len(line) + 1)
        kind = dice.randrange(9)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[other])
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines.insert(at, b"")
        elif kind == 4:
            lines = lines[:at + 1]
        elif kind == 5:
            lines[at] += b"\n " + dice.choice((b"x", b"; a=b", b'"', b"(c)"))
        else:
            line[byte:byte + (kind != 6)] = b"" if kind == 7 else bytes([dice.choice(DIRT)])
            lines[at] = bytes(line)
        message = b"\n".join(lines)
    return message


def odd_messages():
    """All of the above by name."""
    made = {f"header-{name}": message for name, message in HEADERS.items()}
    made |= {f"version-{name}": HEAD + rest for name, rest in WITHOUT_VERSION.items()}
    made |= {f"field-{name}": HEAD + MIME + rest for name, rest in FIELDS.items()}
    made |= {f"parts-{name}": HEAD + MIME + rest for name, rest in PARTS.items()}
    made |= {f"address-{number}": b"From: x@y\nTo: " + text.encode("latin1") + b"\n\nb\n"
             for number, text in enumerate(ADDRESSES)}
    return made
