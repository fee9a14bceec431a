"""What the tests of fetchmail share."""

from mailprograms import need

WITHOUT = (
    "long-line-100k",  # longer than its buffer, where it puts line ends
    "header-only", "header-no-final-newline", "minimal-newline", "minimal-one-byte", "no-headers",
    # … it adds the empty line that they lack, or one more
    "nul-in-header", "from-first-line", "dot-in-header")  # it drops what is no header field


def poll(where, protocol, user, password, options, server):
    """The directory that mail goes to, and the command. where: work and port."""
    target = where.work / "mail"
    target.mkdir(exist_ok=True)
    config = where.work / "fetchmailrc"
    config.write_text(
        f'set invisible\n'
        f'poll 127.0.0.1 service {where.port} protocol {protocol} auth password\n'
        f'  no envelope bad-header accept {server}\n'
        f'  user {user} there with password "{password}" is root here\n'
        f'  mda "cat > $(mktemp -p {target} message.XXXXXXXX)"\n'
        f'  no rewrite no mimedecode {" ".join(options)}\n')
    config.chmod(0o600)
    return target, (need("fetchmail"), "-f", config, "--idfile", where.work / "fetchids",
                    "--pidfile", where.work / "pid", "--sslproto", "", "--silent")
