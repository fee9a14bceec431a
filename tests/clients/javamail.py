#!/usr/bin/env python3
"""JavaMail (Debian's libjavamail-java), as Java programs use it."""

import glob

from mailprograms import Skip, box, main, message, need, run, test

PROGRAM = r"""
import java.util.*;
import javax.mail.*;
import javax.mail.internet.*;
import javax.mail.search.*;
import com.sun.mail.imap.*;

public class Client {
    static void check(boolean good, String what) {
        if (!good) throw new RuntimeException(what);
    }
    public static void main(String[] a) throws Exception {
        Properties p = new Properties();
        p.put("mail.imap.timeout", "60000");
        Store store = Session.getInstance(p).getStore("imap");
        store.connect("127.0.0.1", Integer.parseInt(a[0]), a[1], a[2]);
        IMAPFolder inbox = (IMAPFolder) store.getFolder("INBOX");
        Folder done = store.getFolder("Done");
        check(!done.exists() && done.create(Folder.HOLDS_MESSAGES | Folder.HOLDS_FOLDERS), "create");
        inbox.open(Folder.READ_WRITE);
        check(inbox.getMessageCount() == 4 && inbox.getUnreadMessageCount() == 4, "counts");
        Message[] all = inbox.getMessages();
        FetchProfile profile = new FetchProfile();
        profile.add(FetchProfile.Item.ENVELOPE);
        profile.add(FetchProfile.Item.FLAGS);
        profile.add(FetchProfile.Item.CONTENT_INFO);
        profile.add(UIDFolder.FetchProfileItem.UID);
        profile.add("Message-ID");
        inbox.fetch(all, profile);
        for (Message m : all) {
            check(m.getSubject().startsWith("number"), "subject");
            check(m.isMimeType("text/plain") && m.getSize() > 0, "type");
            check(m.getHeader("Message-ID").length == 1, "header");
        }
        check(((String) all[0].getContent()).trim().equals("text 0"), "content");
        Message[] one = inbox.search(new SubjectTerm("number 1"));
        check(one.length == 1, "search");
        inbox.copyMessages(one, done);
        one[0].setFlag(Flags.Flag.DELETED, true);
        check(inbox.expunge().length == 1, "expunge");
        all[2].setFlags(new Flags("checked"), true);
        inbox.moveMessages(new Message[] {all[3]}, done);
        MimeMessage fresh = new MimeMessage((Session) null,
            new java.io.ByteArrayInputStream("Subject: appended\r\n\r\nbody\r\n".getBytes()));
        fresh.setFlag(Flags.Flag.SEEN, true);
        AppendUID[] uids = ((IMAPFolder) done).appendUIDMessages(new Message[] {fresh});
        check(uids[0] != null, "APPENDUID");
        check(done.getMessageCount() == 3, "status");
        check(store.getDefaultFolder().list("*").length >= 2, "list");
        inbox.close(true);
        store.close();
    }
}
"""


@test
def a_program():
    """JavaMail: envelopes, search, copy, move, expunge, append"""
    java = need("java")
    jars = glob.glob("/usr/share/java/javax.mail.jar") + glob.glob(
        "/usr/share/java/*activation*.jar")
    if not jars:
        raise Skip("JavaMail is not installed")
    with box(*map(message, range(4))) as where:
        source = where.work / "Client.java"
        source.write_text(PROGRAM)
        run(java, "-cp", ":".join(jars), source, where.port, where.user, where.password)
        assert where.contents() == [("number 0", True), ("number 2", False)], where.contents()
        assert where.contents("Done") == [("number 1", False), ("number 3", False),
                                          ("appended", True)], where.contents("Done")


main()
