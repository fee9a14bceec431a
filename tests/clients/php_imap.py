#!/usr/bin/env python3
"""PHP's imap_* functions, which are the c-client library, as ticket systems use them."""

import os

from mailprograms import (Skip, box, imap_wire, main, message, messages_for, need, run, secure_box,
                          test)

OPEN = r"""
[$_, $port, $user, $password] = $argv;
function check($good, $what) {
    if (!$good) { fwrite(STDERR, "$what: " . json_encode(imap_errors()) . "\n"); exit(1); }
}
$ref = '{127.0.0.1:' . $port . '/imap' . ($argv[5] ?? '/notls') . '}';
$box = imap_open($ref . 'INBOX', $user, $password, 0, 1);
check($box, 'open');
foreach ((array)imap_alerts() as $alert) check(!$alert, "alert $alert");
foreach ((array)imap_errors() as $error) {
    // The oracle does what we must not: it offers AUTH=PLAIN without TLS.
    if (getenv('POSTERN_TEST_IMAP') != 'dovecot') check(!$error, "error $error");
}
"""
REFUSED = OPEN.replace("check($box, 'open');", "exit($box ? 1 : 0);")
FETCH = OPEN + r"""
for ($n = 1; $n <= imap_num_msg($box); $n++) {
    check(imap_savebody($box, $argv[4] . "/$n", $n, '', FT_PEEK), 'savebody');
}
imap_close($box);
"""
TICKETS = OPEN + r"""
check(imap_createmailbox($box, $ref . 'Done'), 'create');
check(count(imap_getmailboxes($box, $ref, '*')) >= 2, 'getmailboxes');
check(imap_search($box, 'SUBJECT "number 1"') == [2], 'search');
check(count(imap_search($box, 'UNSEEN')) == 4, 'unseen');
foreach (imap_fetch_overview($box, '1:4') as $o) check(str_starts_with($o->subject, 'number'), 'o');
$header = imap_headerinfo($box, 1);
check($header->from[0]->host == 'example.com', 'headerinfo');
$structure = imap_fetchstructure($box, 1);
check($structure->type == TYPETEXT && $structure->subtype == 'PLAIN', 'structure');
check(trim(imap_fetchbody($box, 1, '1')) == 'text 0', 'fetchbody');
check(imap_uid($box, 1) > 0 && imap_msgno($box, imap_uid($box, 1)) == 1, 'uid');
check(imap_setflag_full($box, '3', '\\Flagged'), 'setflag');
check(imap_mail_copy($box, '2', 'Done'), 'copy');
check(imap_mail_move($box, '3', 'Done'), 'move');
check(imap_delete($box, '2'), 'delete');
check(imap_expunge($box), 'expunge');
check(imap_append($box, $ref . 'Done', "Subject: appended\r\n\r\nbody\r\n", '\\Seen'), 'append');
$status = imap_status($box, $ref . 'Done', SA_ALL);
check($status->messages == 3, 'status');
check(imap_sort($box, SORTSUBJECT, 1) == [2, 1], 'sort');
check(imap_num_msg($box) == 2, 'num_msg');
check(imap_reopen($box, $ref . 'Done'), 'reopen');
check(imap_renamemailbox($box, $ref . 'Done', $ref . 'Other'), 'rename');
foreach ((array)imap_errors() as $error) check(!$error, "error $error");
imap_close($box, CL_EXPUNGE);
"""


# The machine that such a client runs on has a policy of its time.
OLD_POLICY = """openssl_conf = all
[all]
ssl_conf = tls
[tls]
system_default = policy
[policy]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
"""


def php(script, where, *more, **options):
    try:
        run(need("php"), "-r", "exit(function_exists('imap_open') ? 0 : 1);")
    except AssertionError:
        raise Skip("PHP's imap extension is not installed") from None
    run(need("php"), "-d", "display_errors=stderr", "-r", script, where.port, where.user,
        where.password, *more, **options)


@test
def same_bytes():
    """PHP fetches every message with the same bytes"""
    messages = messages_for()
    with box(*messages.values()) as where:
        target = where.work / "mail"
        target.mkdir()
        php(FETCH, where, target)
        for number, (name, data) in enumerate(messages.items(), 1):
            assert (target / str(number)).read_bytes() == imap_wire(data), name
        assert not any(seen for _, seen in where.contents())


@test
def tickets():
    """PHP: search, overview, structure, copy, move, delete, append, sort; no alert, no error"""
    with box(*map(message, range(4))) as where:
        php(TICKETS, where)
        assert where.contents() == [("number 0", True), ("number 3", False)], where.contents()
        assert where.contents("Other") == [("number 1", False), ("number 2", False),
                                           ("appended", True)], where.contents("Other")


@test
def over_tls():
    """PHP over implicit TLS"""
    # For STARTTLS its c-client knows TLS 1.0 only: see through_the_gateway().
    with secure_box(message(1)) as where:
        where.port = where.tls_port
        php(OPEN, where, "", "/ssl/novalidate-cert")


@test
def through_the_gateway():
    """PHP by STARTTLS, for which it knows TLS 1.0 only: through a legacy listener"""
    gateway = {"protocol": "imap", "tls": "starttls", "min-version": '"1.0"', "legacy-tls": "yes",
               "networks": '{ "127.0.0.1" }'}
    with secure_box(message(1), tls="rsa", gateway=gateway) as where:
        policy = where.work / "openssl.cnf"
        policy.write_text(OLD_POLICY)
        aged = {**os.environ, "OPENSSL_CONF": str(policy)}
        modern, where.port = where.port, where.where.pair.ports["gateway"]
        php(OPEN, where, "", "/tls/novalidate-cert", env=aged)
        where.where.pair.log_has("login accepted")
        where.port = modern
        php(REFUSED, where, "", "/tls/novalidate-cert", env=aged)
        where.where.pair.log_has("TLS handshake failed: unsupported protocol")


main()
