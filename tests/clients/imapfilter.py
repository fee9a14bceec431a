#!/usr/bin/env python3
"""imapfilter: a script of the kind that sorts mail into folders."""

from mailprograms import box, main, message, need, run, test

SCRIPT = """
options.timeout = 60
options.subscribe = true
options.starttls = false
options.create = true
options.expunge = true
a = IMAP { server = '127.0.0.1', port = %d, username = '%s', password = '%s' }
a:create_mailbox('Sorted')
boxes, folders = a:list_all()
a.INBOX:contain_subject('number 1'):move_messages(a['Sorted/One'])
a.INBOX:contain_from('sender2@'):copy_messages(a['Copies'])
a.INBOX:match_subject('number 3$'):mark_seen()
a.INBOX:is_unseen():contain_body('text 4'):add_flags({ 'urgent', '\\\\Flagged' })
a.INBOX:has_keyword('urgent'):mark_seen()
a.INBOX:contain_field('X-Nothing', 'x'):delete_messages()
a.INBOX:contain_field('Message-ID', '5@example.com'):delete_messages()
count, recent, unseen, next = a.INBOX:check_status()
print(count, unseen)
"""


@test
def sorting():
    """imapfilter moves, copies, marks, searches and deletes"""
    with box(*map(message, range(6))) as where:
        script = where.work / "script.lua"
        script.write_text(SCRIPT % (where.port, where.user, where.password))
        shown = run(need("imapfilter"), "-c", script, env={"HOME": str(where.work), "PATH": "/bin"})
        assert shown.split()[-2:] == [b"4", b"2"], shown
        assert where.contents() == [("number 0", False), ("number 2", False), ("number 3", True),
                                    ("number 4", True)]
        assert where.subjects("Sorted/One") == ["number 1"]
        assert where.subjects("Copies") == ["number 2"]


main()
