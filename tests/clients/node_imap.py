#!/usr/bin/env python3
"""Node's imapflow and imap, where they are installed (NODE_PATH says where)."""

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
    const appended = await client.append('Done', 'Subject: appended\r\n\r\nbody\r\n', ['\\Seen'],
                                         new Date('2020-01-02T03:04:05Z'));
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
IMAP = r"""
const Imap = require('imap');
const [port, user, password] = process.argv.slice(-3);
const imap = new Imap({ user, password, host: '127.0.0.1', port: Number(port), tls: false });
const call = (what, ...args) => new Promise((done, fail) =>
    what.call(imap, ...args, (error, result) => error ? fail(error) : done(result)));
imap.once('error', error => { console.error(error); process.exit(1); });
imap.once('ready', async () => {
    try {
        await call(imap.addBox, 'Done');
        const box = await call(imap.openBox, 'INBOX', false);
        if (box.messages.total !== 4) throw new Error('total');
        const [one] = await call(imap.search, [['SUBJECT', 'number 1']]);
        await call(imap.copy, one, 'Done');
        await call(imap.addFlags, one, '\\Deleted');
        await call(imap.expunge, one);
        const [three] = await call(imap.search, [['HEADER', 'Message-ID', '3@example.com']]);
        await call(imap.move, three, 'Done');
        await call(imap.append, 'Subject: appended\r\n\r\nbody\r\n',
                   { mailbox: 'Done', flags: ['Seen'] });
        let text = '';
        await new Promise((done, fail) => {
            const fetch = imap.seq.fetch('1:*', { bodies: ['HEADER.FIELDS (SUBJECT)', 'TEXT'],
                                                  struct: true, markSeen: true });
            fetch.on('message', m => m.on('body', s => s.on('data', d => { text += d; })));
            fetch.once('error', fail);
            fetch.once('end', done);
        });
        if (!/number 0/.test(text) || !/text 2/.test(text)) throw new Error(text);
        imap.end();
    } catch (error) { console.error(error); process.exit(1); }
});
imap.connect();
"""


def node(script, module, where_done):
    """Runs a script with four messages; then looks at what is left, and what is in Done."""
    program = need("node")
    try:
        run(program, "-e", f"require('{module}')")
    except AssertionError:
        raise Skip(f"{module} is not installed") from None
    with box(*map(message, range(4))) as where:
        run(program, "-e", script, where.port, where.user, where.password)
        assert where.contents() == where_done, where.contents()
        assert where.contents("Done") == [("number 1", False), ("number 3", False),
                                          ("appended", True)], where.contents("Done")


@test
def imapflow():
    """imapflow: fetch, search, copy, move, delete, append, list, status"""
    node(IMAPFLOW, "imapflow", [("number 0", False), ("number 2", True)])


@test
def imap():
    """imap: search, copy, expunge, move, append, fetch"""
    node(IMAP, "imap", [("number 0", True), ("number 2", True)])


main()
