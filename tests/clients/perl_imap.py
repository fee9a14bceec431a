#!/usr/bin/env python3
"""Perl's Mail::IMAPClient, Net::IMAP::Simple and Mail::IMAPTalk, each as its manual has it."""

from mailprograms import Skip, box, imap_wire, main, message, messages_for, need, run, test

IMAPCLIENT = r"""
use strict; use Mail::IMAPClient;
my ($port, $user, $password, $to) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => '127.0.0.1', Port => $port, User => $user,
    Password => $password, Uid => 1, Peek => 1) or die "connect: $@";
die 'capability' unless $imap->has_capability('UIDPLUS');
$imap->select('INBOX') or die $imap->LastError;
if ($to) {
    for my $uid ($imap->messages) {
        open my $file, '>:raw', "$to/$uid" or die $!;
        $imap->message_to_file($file, $uid) or die $imap->LastError;
        close $file or die $!;
    }
    exit 0;
}
$imap->create('Done') or die $imap->LastError;
$imap->exists('Done') or die 'exists';
my @found = $imap->search('UNSEEN SUBJECT ' . $imap->Quote('number 1')) or die $imap->LastError;
die "found @found" unless @found == 1;
$imap->copy('Done', @found) or die $imap->LastError;
$imap->delete_message(@found) or die $imap->LastError;
$imap->expunge or die $imap->LastError;
my @two = $imap->search('HEADER Message-ID ' . $imap->Quote('<2@example.com>'));
$imap->see(@two) or die $imap->LastError;
$imap->store(@two, '+FLAGS (checked)') or die $imap->LastError;
my $hash = $imap->parse_headers(\@two, 'Subject', 'Date');
die 'parse_headers' unless (values %$hash)[0]{Subject}[0] eq 'number 2';
my $flags = $imap->flags($two[0]);
die "flags @$flags" unless grep { $_ eq 'checked' } @$flags;
my $body = $imap->get_bodystructure($two[0]) or die 'bodystructure';
die 'type' unless lc $body->bodytype eq 'text';
my $env = $imap->get_envelope($two[0]) or die 'envelope';
die 'subject' unless $env->subject eq 'number 2';
my $uid = $imap->append_string('Done', "Subject: appended\r\n\r\nbody\r\n", '\Seen',
    '17-Jul-2020 02:44:25 +0000') or die $imap->LastError;
die 'status' unless $imap->message_count('Done') == 2;
$imap->move('Done', $imap->search('SUBJECT "number 0"')) or die $imap->LastError;
$imap->expunge or die $imap->LastError;
die 'size' unless $imap->size($two[0]) > 100;
my $idle = $imap->idle or die $imap->LastError;
$imap->done($idle) or die $imap->LastError;
$imap->subscribe('Done') or die $imap->LastError;
die 'folders' unless grep { $_ eq 'Done' } $imap->folders;
$imap->rename('Done', 'Gone') or die $imap->LastError;
$imap->logout or die $imap->LastError;
"""
SIMPLE = r"""
use strict; use Net::IMAP::Simple;
my ($port, $user, $password) = @ARGV;
my $imap = Net::IMAP::Simple->new("127.0.0.1:$port") or die $Net::IMAP::Simple::errstr;
$imap->login($user, $password) or die $imap->errstr;
my $count = $imap->select('INBOX'); die 'count' unless $count == 4;
die 'seen' if $imap->seen(1);
die 'list' unless keys %{$imap->list} == 4;
my $top = join '', @{$imap->top(1)}; die "top $top" unless $top =~ /Subject: number 0/;
my $text = join '', @{$imap->get(2)}; die 'get' unless $text =~ /text 1/;
die 'seen' unless $imap->seen(2);
my @found = $imap->search_subject('number 3'); die "search @found" unless "@found" eq '4';
$imap->create_mailbox('Done') or die $imap->errstr;
$imap->copy(1, 'Done') or die $imap->errstr;
$imap->delete(1) or die $imap->errstr;
die 'deleted' unless $imap->deleted(1);
$imap->expunge_mailbox or die $imap->errstr;
$imap->add_flags(1, '\Flagged') or die $imap->errstr;
$imap->put('Done', "Subject: appended\r\n\r\nbody\r\n", '\Seen') or die $imap->errstr;
my ($unseen, $recent, $messages) = $imap->status('Done'); die 'status' unless $messages == 2;
die 'mailboxes' unless grep { $_ eq 'Done' } $imap->mailboxes;
$imap->quit or die 'quit';
"""
TALK = r"""
use strict; use Mail::IMAPTalk;
my ($port, $user, $password) = @ARGV;
my $imap = Mail::IMAPTalk->new(Server => '127.0.0.1', Port => $port, Username => $user,
    Password => $password, Uid => 1, UseSSL => 0) or die "connect: $@";
$imap->select('INBOX') or die $imap->get_last_error;
my $ids = $imap->search('not', 'deleted') or die $@;
die 'search' unless @$ids == 4;
my $data = $imap->fetch($ids, '(envelope bodystructure flags rfc822.size)') or die $@;
for my $id (@$ids) {
    die 'subject' unless $data->{$id}{envelope}{Subject} =~ /^number/;
    die 'type' unless lc $data->{$id}{bodystructure}{'MIME-Type'} eq 'text';
}
$imap->create('Done') or die $@;
$imap->copy($ids->[0], 'Done') or die $@;
$imap->store($ids->[1], '+flags', '(\\Seen)') or die $@;
$imap->store($ids->[0], '+flags', '(\\Deleted)') or die $@;
$imap->expunge or die $@;
my $headers = $imap->fetch($ids->[2], '(body.peek[header.fields (subject)])') or die $@;
die 'status' unless $imap->status('Done', '(messages)')->{messages} == 1;
$imap->append('Done', '(\\Seen)', { Literal => "Subject: appended\r\n\r\nbody\r\n" }) or die $@;
my $folders = $imap->list('', '*') or die $@;
my $sorted = $imap->sort('(subject)', 'utf-8', 'all') or die $@;
die "sort @$sorted" unless @$sorted == 3;
$imap->logout;
"""


def perl(script, module, where, *more):
    try:
        run(need("perl"), f"-M{module}", "-e", "1")
    except AssertionError:
        raise Skip(f"Perl's {module} is not installed") from None
    run(need("perl"), "-e", script, where.port, where.user, where.password, *more)


@test
def same_bytes():
    """Mail::IMAPClient fetches every message with the same bytes"""
    messages = messages_for()
    with box(*messages.values()) as where:
        target = where.work / "mail"
        target.mkdir()
        perl(IMAPCLIENT, "Mail::IMAPClient", where, target)
        got = [path.read_bytes() for path in sorted(target.iterdir(), key=lambda p: int(p.name))]
        assert len(got) == len(messages)
        for data, (name, sent) in zip(got, messages.items()):
            assert data == imap_wire(sent), name


@test
def imapclient():
    """Mail::IMAPClient: search, copy, move, flags, headers, append, idle, folders"""
    with box(*map(message, range(4))) as where:
        perl(IMAPCLIENT, "Mail::IMAPClient", where)
        assert where.contents() == [("number 2", True), ("number 3", False)]
        assert where.contents("Done") is None
        assert where.contents("Gone") == [("number 1", False), ("appended", True),
                                          ("number 0", False)]


@test
def imap_simple():
    """Net::IMAP::Simple: list, top, get, search, copy, delete, put, status"""
    with box(*map(message, range(4))) as where:
        perl(SIMPLE, "Net::IMAP::Simple", where)
        assert where.contents() == [("number 1", True), ("number 2", False), ("number 3", False)]
        assert where.contents("Done") == [("number 0", False), ("appended", True)]


@test
def imaptalk():
    """Mail::IMAPTalk: search, envelopes, copy, store, expunge, append, sort"""
    with box(*map(message, range(4))) as where:
        perl(TALK, "Mail::IMAPTalk", where)
        assert where.contents() == [("number 1", True), ("number 2", False), ("number 3", False)]
        assert where.contents("Done") == [("number 0", False), ("appended", True)]


main()
