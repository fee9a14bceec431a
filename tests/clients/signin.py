#!/usr/bin/env python3
"""Mail programs that sign in in other ways than by name and password in the clear: digests, and
names with a mailbox behind them."""

from pathlib import Path

from mailprograms import PASSWORD, Pair, Skip, main, message, need, run, test

BOB = "bob@example.com"
SECRET = "a secret of an old scanner"
BOTH = {"pop": {"tls": "none"}, "imap": {"protocol": "imap", "tls": "none"}}
LOGINS = {"scanner": {"password": None, "device-secret": f"'{SECRET}'"}, "alice": {}}
MESSAGE = message(1)


def pair_with(**options):
    return Pair(**{"listeners": BOTH, "logins": LOGINS, **options})


def modes(pair):
    """By which mechanisms sessions were opened."""
    return [line.split(" by ")[1] for line in pair.postern.log().splitlines()
            if "login accepted" in line]


def fetchmail(pair, protocol, port, auth):
    target = pair.work / f"{protocol}-{auth}"
    target.mkdir()
    config = pair.work / "fetchmailrc"
    config.write_text(
        f"set invisible\npoll 127.0.0.1 service {port} protocol {protocol} auth {auth}\n"
        f'  no envelope user "scanner" there with password "{SECRET}" is root here\n'
        f'  mda "cat > $(mktemp -p {target} message.XXXXXXXX)" no rewrite keep fetchall\n')
    config.chmod(0o600)
    run(need("fetchmail"), "-f", config, "--idfile", pair.work / "fetchids", "--pidfile",
        pair.work / "pid", "--sslproto", "", "--silent")
    return [path.read_bytes() for path in target.iterdir()]


@test
def by_fetchmail():
    """fetchmail: APOP, CRAM-MD5 over IMAP"""
    with pair_with() as pair:
        pair.deliver(MESSAGE)
        for protocol, listener, auth, told in (("apop", "pop", "any", "APOP"),
                                               ("imap", "imap", "cram-md5", "CRAM-MD5")):
            got = fetchmail(pair, protocol, pair.ports[listener], auth)
            assert len(got) == 1 and b"number 1" in got[0], got
            assert modes(pair)[-1] == told, modes(pair)


@test
def by_mbsync():
    """mbsync: CRAM-MD5, and a mailbox behind the login's name"""
    with pair_with(logins={**LOGINS, "alice": {"mailboxes": f'{{ "{BOB}" }}'}},
                   sandbox=("--user", BOB)) as pair:
        pair.deliver(MESSAGE)
        pair.deliver(message(2), message(3), user=BOB)
        ways = [(f"alice/{BOB}", PASSWORD, "LOGIN", 2)]
        if list(Path("/usr/lib").glob("*/sasl2/libcrammd5.so")):  # a module of libsasl
            ways.append(("scanner", SECRET, "CRAM-MD5", 1))
        for user, secret, mechanism, count in ways:
            local = pair.work / mechanism
            local.mkdir()
            config = pair.work / "mbsyncrc"
            config.write_text(
                f"IMAPAccount there\nHost localhost\nPort {pair.ports['imap']}\nUser {user}\n"
                f'Pass "{secret}"\nSSLType None\nAuthMechs {mechanism}\n\n'
                f"IMAPStore far\nAccount there\n\nMaildirStore near\nPath {local}/\n"
                f"Inbox {local}/INBOX\n\nChannel all\nFar :far:\nNear :near:\nPatterns INBOX\n"
                f"Create Near\nSync Pull\nSyncState *\n")
            config.chmod(0o600)
            run(need("mbsync"), "-c", config, "all")
            got = [path for part in ("cur", "new") for path in (local / "INBOX" / part).iterdir()]
            assert len(got) == count, (user, got)


NET_POP3 = r"""
use strict; use Net::POP3;
my ($port, $secret) = @ARGV;
my $pop = Net::POP3->new('127.0.0.1', Port => $port, Timeout => 60) or die "connect: $@";
my $count = $pop->apop('scanner', $secret);
die 'apop: ' . $pop->message unless defined $count;
print @{$pop->get(1)};
$pop->quit or die;
"""
POP3CLIENT = r"""
use strict; use Mail::POP3Client;
my ($port, $secret) = @ARGV;
my $pop = Mail::POP3Client->new(USER => 'scanner', PASSWORD => $secret, HOST => '127.0.0.1',
                                PORT => $port, AUTH_MODE => 'CRAM-MD5') or die 'connect';
die 'login: ' . $pop->Message if $pop->Count < 0;
print $pop->HeadAndBody(1), "\n";
$pop->Close or die 'close';
"""
IMAPCLIENT = r"""
use strict; use Mail::IMAPClient;
my ($port, $secret) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => '127.0.0.1', Port => $port, User => 'scanner',
    Password => $secret, Authmechanism => 'CRAM-MD5', Uid => 0) or die "connect: $@";
$imap->select('INBOX') or die $imap->LastError;
print $imap->message_string(1);
$imap->logout or die $imap->LastError;
"""


def perl(script, port, *modules):
    for module in modules:
        try:
            run(need("perl"), f"-M{module}", "-e", "1")
        except AssertionError:
            raise Skip(f"Perl's {module} is not installed") from None
    return run(need("perl"), "-e", script, port, SECRET)


def check_perl(scripts):
    with pair_with() as pair:
        pair.deliver(MESSAGE)
        for script, listener, modules, told in scripts:
            got = perl(script, pair.ports[listener], *modules)
            assert b"number 1" in got, got
            assert modes(pair)[-1] == told, modes(pair)


@test
def apop_by_perl():
    """Perl: Net::POP3's apop"""
    check_perl(((NET_POP3, "pop", ("Net::POP3", "Digest::MD5"), "APOP"),))


@test
def cram_md5_by_perl():
    """Perl: CRAM-MD5 of Mail::POP3Client and Mail::IMAPClient"""
    check_perl(((POP3CLIENT, "pop", ("Mail::POP3Client", "Digest::HMAC_MD5"), "CRAM-MD5"),
                (IMAPCLIENT, "imap", ("Mail::IMAPClient", "Digest::HMAC_MD5"), "CRAM-MD5")))


main()
