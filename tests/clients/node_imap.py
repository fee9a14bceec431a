#!/usr/bin/env python3
"""Node's imapflow, where it is installed (NODE_PATH says where)."""

from mailprograms import Skip, box, main, message, need, run, test

IMAPFLOW = r"""
const { ImapFlow } = require('imapflow');
const check = (good, what) => { if (!good) throw new Error(what); };
(async () => {
    const [port, user, pass] = process.argv.slice(-3);
    const client = new ImapFlow({ host: '127.0.0.1', port: Number(port), secure: false,
                                  auth: { user, pass }, logger: false, doSTARTTLS: false });
    await client.connect();
    check((await client.mailboxCreate('Done')).created, 'create');
    const lock = await client.getMailboxLock('INBOX');
    check(client.mailbox.exists === 4, 'exists');
    for await (const m of client.fetch('1:*', { envelope: true, bodyStructure: true, flags: true,
                                                source: true, uid: true, internalDate: true })) {
        check(m.envelope.subject.startsWith('number'), 'subject');
        check(m.source.toString().includes('text'), 'source');
        check(m.bodyStructure.type === 'text/plain', 'type');
    }
    const [one] = await client.search({ subject: 'number 1' }, { uid: true });
    await client.messageCopy(one, 'Done', { uid: true });
    await client.messageDelete(one, { uid: true });
    await client.messageFlagsAdd({ subject: 'number 2' }, ['\\Seen', 'checked']);
    const moved = await client.messageMove({ subject: 'number 3' }, 'Done');
    check(moved.uidMap.size === 1, 'uidMap');
    const appended = await client.append('Done', 'Subject: appended\r\n\r\nbody\r\n', ['\\Seen']);
    check(appended.uid > 0, 'append');
    check((await client.status('Done', { messages: true })).messages === 3, 'status');
    check((await client.list()).length >= 2, 'list');
    const download = await client.download('1', '1');
    let text = '';
    for await (const piece of download.content) text += piece;
    check(text.trim() === 'text 0', 'download');
    lock.release();
    await client.logout();
})().catch(error => { console.error(error); process.exit(1); });
"""


@test
def imapflow():
    """imapflow: fetch, search, copy, move, delete, append, list, status"""
    node = need("node")
    try:
        run(node, "-e", "require('imapflow')")
    except AssertionError:
        raise Skip("imapflow is not installed") from None
    with box(*map(message, range(4))) as where:
        run(node, "-e", IMAPFLOW, where.port, where.user, where.password)
        assert where.contents() == [("number 0", False), ("number 2", True)], where.contents()
        assert where.contents("Done") == [("number 1", False), ("number 3", False),
                                          ("appended", True)], where.contents("Done")


main()
