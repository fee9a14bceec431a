#!/usr/bin/env python3
"""PHP's imap_open on {…/pop3}, which is UW c-client: CRLF as on the wire."""

from mailprograms import (PASSWORD, Pair, Skip, corpus, inbox, main, messages_for, need,
                          on_the_wire, run, test)

# c-client drops NUL octets.
WITHOUT = ("binary", "binary-noise", "nul", "nul-in-header", "utf16")
SCRIPT = r"""
[, $port, $password, $to] = $argv;
$box = imap_open("{127.0.0.1:$port/pop3/notls}INBOX", 'alice', $password, 0, 1)
    or exit(implode("; ", imap_errors() ?: []) . "\n");
$count = imap_num_msg($box);
for ($i = 1; $i <= $count; $i++) {
    file_put_contents("$to/$i", imap_fetchheader($box, $i, FT_PREFETCHTEXT)
                                . imap_body($box, $i, FT_PEEK));
}
foreach (array_slice($argv, 4) as $number) {
    imap_delete($box, $number);
}
imap_close($box, CL_EXPUNGE);
foreach (imap_errors() ?: [] as $error) {
    fwrite(STDERR, "$error\n");
}
echo "fetched $count\n";
"""


def php(pair, *delete):
    if b"imap" not in run(need("php"), "-m").lower().split():
        raise Skip("PHP has no imap extension here")
    target = pair.work / "mail"
    target.mkdir(exist_ok=True)
    said = run(need("php"), "-d", "display_errors=stderr", "-r", SCRIPT, "--", pair.port, PASSWORD,
               target, *delete)
    assert said.startswith(b"fetched "), said
    return {int(path.name): path.read_bytes() for path in target.iterdir()}


@test
def same_bytes():
    """PHP's imap_open fetches every message with the same bytes"""
    messages = messages_for(without=WITHOUT)
    with Pair() as pair:
        pair.deliver(*messages.values())
        got = php(pair)
        assert len(got) == len(messages)
        wrong = [name for number, (name, message) in enumerate(messages.items(), 1)
                 if got[number] != on_the_wire(message)]
        assert not wrong, wrong


@test
def deletes():
    """PHP's imap_delete and expunge delete"""
    with Pair() as pair:
        pair.deliver(*list(corpus().values())[:5])
        php(pair, 1, 5)
        assert inbox(pair) == 3


main()
