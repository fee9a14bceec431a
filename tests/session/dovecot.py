"""Dovecot with a configuration and mailboxes of its own: the oracle that the tests of IMAP are
tried on. Any user may log in; each has an empty mailbox."""

import os
import pwd
import shutil
import tempfile
import time
from pathlib import Path

from harness import Process, free_port, listening
from imapclient import Imap
from tap import Skip, wait_for

PASSWORD = "sesame"  # its static list of passwords takes no spaces

CONFIG = """
base_dir = {work}/run
log_path = {work}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 1
{users}
mail_location = sdbox:{work}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={work}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol imap {{
  mail_max_userip_connections = 1000
  imap_metadata = no
}}
"""


class Dovecot:
    """A running Dovecot; a context manager."""

    def __enter__(self):
        if not shutil.which("dovecot", path="/usr/sbin:/usr/bin:/usr/local/sbin"):
            raise Skip("dovecot is not installed")
        self.work = Path(tempfile.mkdtemp(prefix="postern-dovecot-"))
        self.work.chmod(0o755)
        mail = self.work / "mail"
        mail.mkdir()
        uid, gid, users = os.getuid(), os.getgid(), ""
        if uid == 0:
            # It does not serve root's mail.
            uid = gid = 65534
            os.chown(mail, uid, gid)
        else:
            me = pwd.getpwuid(uid).pw_name
            users = f"default_login_user = {me}\ndefault_internal_user = {me}"
        self.port = free_port()
        config = self.work / "dovecot.conf"
        config.write_text(CONFIG.format(work=self.work, uid=uid, gid=gid, users=users,
                                        port=self.port, password=PASSWORD))
        dovecot = shutil.which("dovecot", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        self.process = Process([dovecot, "-F", "-c", config], self.work / "output")
        wait_for("dovecot listens", lambda: listening(self.port))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        # Its processes that serve a client end a little later, and write to the last.
        for _ in range(50):
            shutil.rmtree(self.work, ignore_errors=True)
            if not self.work.exists():
                break
            time.sleep(0.02)

    def imap(self, **options):
        client = Imap(self.port, **options)
        client.constant = False
        return client

    def login(self, name):
        """A client that has logged in."""
        return self.imap().login(name, PASSWORD)
