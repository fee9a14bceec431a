#!/usr/bin/env python3
"""Perl's Net::POP3 and Mail::POP3Client. Both give lines with LF, dots undone."""

from mailprograms import (PASSWORD, Pair, Skip, corpus, inbox, lf, main, messages_for, need,
                          on_the_wire, run, test)

# One file per message, named by its number; then deletes what stands in @ARGV.
NET_POP3 = r"""
use strict; use Net::POP3;
my ($port, $password, $to, @delete) = @ARGV;
my $pop = Net::POP3->new('127.0.0.1', Port => $port, Timeout => 60) or die "connect: $@";
defined $pop->login('alice', $password) or die 'login: ' . $pop->message;
my $list = $pop->list; my $uidl = $pop->uidl;
die 'LIST and UIDL differ' unless keys %$list == keys %$uidl;
for my $number (keys %$list) {
    open my $file, '>:raw', "$to/$number" or die $!;
    print $file @{$pop->get($number) or die 'get: ' . $pop->message};
    close $file or die $!;
}
$pop->delete($_) or die 'delete: ' . $pop->message for @delete;
$pop->quit or die 'quit: ' . $pop->message;
"""
POP3CLIENT = r"""
use strict; use Mail::POP3Client;
my ($port, $password, $to, @delete) = @ARGV;
my $pop = Mail::POP3Client->new(USER => 'alice', PASSWORD => $password, HOST => '127.0.0.1',
                                PORT => $port, AUTH_MODE => 'PASS') or die 'connect';
die 'login: ' . $pop->Message if $pop->Count < 0;
for my $number (1 .. $pop->Count) {
    open my $file, '>:raw', "$to/$number" or die $!;
    $pop->RetrieveToFile($file, $number) or die 'retrieve: ' . $pop->Message;
    close $file or die $!;
}
$pop->Delete($_) or die 'delete: ' . $pop->Message for @delete;
$pop->Close or die 'close';
"""


def perl(pair, script, module, *delete):
    try:
        run(need("perl"), f"-M{module}", "-e", "1")
    except AssertionError:
        raise Skip(f"Perl's {module} is not installed") from None
    target = pair.work / "mail"
    target.mkdir(exist_ok=True)
    run(need("perl"), "-e", script, pair.port, PASSWORD, target, *delete)
    return {int(path.name): path.read_bytes() for path in target.iterdir()}


def check(script, module, as_stored):
    messages = messages_for()
    with Pair() as pair:
        pair.deliver(*messages.values())
        got = perl(pair, script, module)
        assert len(got) == len(messages)
        for number, (name, message) in enumerate(messages.items(), 1):
            assert got[number] == as_stored(message), name
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:5])
        perl(pair, script, module, 2, 4)
        assert inbox(pair) == 3


@test
def net_pop3():
    """Net::POP3 fetches every message with the same bytes, and deletes"""
    check(NET_POP3, "Net::POP3", lf)


@test
def pop3client():
    """Mail::POP3Client fetches every message with the same bytes, and deletes"""
    check(POP3CLIENT, "Mail::POP3Client", on_the_wire)


main()
