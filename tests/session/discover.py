#!/usr/bin/env python3
"""postern discover: the usage report, whatever it looks like, and what is made of it."""

import csv
import http.server
import io
import json
import ssl
import subprocess
import threading

import tap
from harness import PASSWORD_HASH, Pair, make_certificate, program, sanitizer_environment
from tap import PATIENCE, test

HEAD = ("Report Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date,Last Activity "
        "Date,Mail For Mac,Outlook For Mac,Outlook For Windows,Outlook For Mobile,Other For Mobile,"
        "Outlook For Web,POP3 App,IMAP4 App,SMTP App,Report Period\r\n")


def row(user, *, pop3="", imap4="", smtp="", name="A name", deleted="False", last="2026-11-18"):
    """One line of the report, as it is documented."""
    out = io.StringIO()
    csv.writer(out).writerow(["2026-11-19", user, name, deleted, "", last, "", "", "", "", "", "",
                              pop3, imap4, smtp, "30"])
    return out.getvalue()


class Reports:
    """A Graph of one report: a redirect to an address of its own, which wants no token."""

    def __init__(self, work):
        self.certificate, key = make_certificate(work, stem="reports")
        self.report = b""
        self.type = "application/octet-stream"
        self.status = 200
        self.location = None
        self.seen = []
        reports = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """GET of the question and of the file."""

            def do_GET(self):  # pylint: disable=invalid-name
                reports.seen.append((self.path, self.headers.get("Authorization")))
                if self.path.startswith("/v1.0/reports/"):
                    self.send_response(302)
                    self.send_header("Location", reports.location or f"{reports.url}/file?x=secret")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = reports.report
                self.send_response(reports.status)
                self.send_header("Content-Type", reports.type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Nobody reads it."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Case:
    """A configuration that nobody serves, and optionally a Graph of our own behind it."""

    def __init__(self, *, own=False, **settings):
        self.own = own
        self.pair = Pair(serve=False, **settings)
        self.reports = None

    def __enter__(self):
        self.pair.__enter__()
        if self.own:
            self.reports = Reports(self.pair.work)
            both = self.pair.work / "both.pem"
            both.write_bytes(open(self.pair.sandbox.ca_file, "rb").read()
                             + self.reports.certificate.read_bytes())
            self.pair.tenant |= {"graph-url": f"'{self.reports.url}'", "ca-file": f"'{both}'"}
            self.pair.postern.write(self.pair.config_text())
        return self

    def __exit__(self, *error):
        if self.reports:
            self.reports.close()
        return self.pair.__exit__(*error)

    def used(self, user, **apps):
        """Tells the sandbox that this mailbox used these programs so many days ago."""
        self.pair.sandbox.control("POST", "/report", {"user": user, **apps})

    def run(self, *arguments, status=0):
        done = subprocess.run([program("postern"), "discover", "-c", self.pair.postern.config,
                               *arguments], capture_output=True, text=True, timeout=PATIENCE,
                              env=sanitizer_environment(), check=False)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        for secret in (self.pair.sandbox.client_secret, "Bearer", "eyJ", "x=secret"):
            assert secret not in done.stdout + done.stderr, secret
        return done

    def found(self, *arguments):
        """{mailbox: finding} of --json."""
        return {f["mailbox"]: f for f in json.loads(self.run("--json", *arguments).stdout)}


@test
def table():
    """Who used what, when, and which login serves it; other users are counted only"""
    with Case() as case:
        case.used("ann@example.com", pop3=3)
        case.used("alice@example.com", imap4=1, smtp=2)
        case.used("idle@example.com")
        lines = case.run().stdout.splitlines()
        ann = next(line for line in lines if line.startswith("ann@"))
        assert ann.split()[1] == "POP3" and ann.endswith("not served"), ann
        alice = next(line for line in lines if line.startswith("alice@"))
        assert "IMAP4, SMTP" in alice and alice.endswith('login "alice"'), alice
        assert not any("idle@" in line for line in lines), lines
        assert "2 of 3 mailboxes used POP3, IMAP4 or SMTP; logins serve 1" in lines[-1], lines


@test
def periods():
    """Each period that Graph knows is asked for; others are refused"""
    with Case() as case:
        case.used("ann@example.com", pop3=20)
        case.used("old@example.com", imap4=100)
        assert not case.found("--period", "7")
        assert list(case.found("--period", "30")) == ["ann@example.com"]
        assert list(case.found()) == ["ann@example.com"]
        assert list(case.found("--period", "90")) == ["ann@example.com"]
        assert set(case.found("--period", "180")) == {"ann@example.com", "old@example.com"}
        for bad in ("", "0", "8", "D7", "7 ", "-7", "07", "1800"):
            assert "7, 30, 90 or 180" in case.run("--period", bad, status=64).stderr


@test
def formats():
    """CSV and JSON say the same as the table; only one at a time"""
    with Case() as case:
        case.used("o'brien@example.com", pop3=3)
        case.used("alice@example.com", imap4=1)
        rows = list(csv.DictReader(io.StringIO(case.run("--csv").stdout)))
        assert [(r["tenant"], r["mailbox"], r["pop3"], r["imap4"], r["smtp"], r["login"])
                for r in rows] == [("example", "o'brien@example.com", "yes", "no", "no", ""),
                                   ("example", "alice@example.com", "no", "yes", "no", "alice")]
        found = case.found()
        assert found["o'brien@example.com"]["login"] is None
        assert found["alice@example.com"]["login"] == "alice"
        assert found["alice@example.com"]["last_activity"] == rows[1]["last_activity"]
        case.run("--csv", "--json", status=64)


@test
def logins():
    """--print-logins: sections for what is not served, good once they have a password"""
    names = ["o'brien@example.com", '${HOME}"\\$x@example.com', "käthe@example.com",
             "a}b{c#d@example.com"]
    with Case() as case:
        for name in names:
            case.used(name, pop3=1, imap4=1)
        case.used("alice@example.com", pop3=1)
        case.used("sender@example.com", smtp=1)
        case.used("gone@example.com", pop3=1, deleted=True)
        text = case.run("--print-logins").stdout
        assert text.count("login ") == len(names), text
        assert "# sender@example.com only sent by SMTP" in text
        pair = case.pair
        text = text.replace("# password = …   made by: postern passwd",
                            f"password = '{PASSWORD_HASH}'")
        pair.postern.write(pair.config_text() + text)
        check = subprocess.run([program("postern"), "check", "-c", pair.postern.config],
                               capture_output=True, text=True, timeout=PATIENCE,
                               env=sanitizer_environment(), check=False)
        assert check.returncode == 0 and not check.stderr, check.stderr
        assert "5 logins" in check.stdout, check.stdout
        found = case.found()
        for name in names:
            assert found[name]["login"] == name, (name, found.keys())
        assert not case.run("--print-logins").stdout.count("login ")


@test
def hostile_names():
    """A name with line breaks makes no login, and no line of its own"""
    with Case(own=True) as case:
        bad = "x@example.com\r\n} tenant 'evil' {"
        case.reports.report = (HEAD + row(bad, pop3="x") + row("ok@example.com", pop3="x",
                                                                  name='"a,\r\nb"')).encode()
        assert "evil" not in case.run("--print-logins").stdout
        lines = case.run().stdout.splitlines()
        assert any(line.startswith("x@example.com??") for line in lines), lines
        assert set(case.found()) == {bad.replace("\r\n", "??"), "ok@example.com"}


@test
def concealed():
    """Concealed names: said, and where an administrator shows them"""
    with Case() as case:
        case.used("ann@example.com", pop3=3)
        case.pair.sandbox.settings(**{"report-concealed": True})
        done = case.run()
        assert "conceals the names" in done.stderr and "admin center" in done.stderr, done.stderr
        assert not case.run("--print-logins").stdout


@test
def denied():
    """Without Reports.Read.All: what to grant, and where"""
    with Case() as case:
        case.pair.sandbox.settings(**{"app-roles": "Mail.ReadWrite"})
        done = case.run(status=69)
        assert "Reports.Read.All" in done.stderr and "admin consent" in done.stderr, done.stderr


@test
def no_token_behind_the_redirect():
    """The file is fetched without the token, from wherever the redirect says, by https alone"""
    with Case(own=True) as case:
        case.reports.report = (HEAD + row("ann@example.com", pop3="Undetermined")).encode()
        assert list(case.found("--period", "90")) == ["ann@example.com"]
        question, file = case.reports.seen
        assert question[0].endswith("/reports/getEmailAppUsageUserDetail(period='D90')"), question
        assert question[1].startswith("Bearer "), question
        assert file == ("/file?x=secret", None), file
        for location in (case.reports.url.replace("https", "http") + "/file", "ftp://127.0.0.1/",
                         "https://user:pass@127.0.0.1/file"):
            case.reports.location = location
            case.reports.seen.clear()
            case.run(status=69)
            assert len(case.reports.seen) == 1, case.reports.seen


@test
def shapes():
    """Columns in another order, unknown ones, a byte order mark, LF alone, values of every kind"""
    texts = {
        "order": "SMTP App,POP3 App,New App,User Principal Name\r\n,2026-11-01,1,a@example.com\r\n"
                 "x,,1,b@example.com\r\n",
        "mark": "\ufeff" + HEAD + row("a@example.com", pop3="Yes") + row("b@example.com", smtp="Yes"),
        "lf": (HEAD + row("a@example.com", pop3="Undetermined")
               + row("b@example.com", smtp="Undetermined")).replace("\r\n", "\n"),
        "case": HEAD.lower() + row("a@example.com", pop3="1.0, 2.0") + row("b@example.com", smtp="True"),
        "none": HEAD + row("a@example.com", pop3="Yes", imap4="No", smtp="0")
                + row("b@example.com", pop3="False", smtp="yes") + row("c@example.com", pop3="No"),
        "short": HEAD + row("a@example.com", pop3="x") + row("b@example.com", smtp="x")
                 + "2026-11-19,c@example.com\r\n",
        "no end": (HEAD + row("a@example.com", pop3="x") + row("b@example.com", smtp="x"))[:-2],
    }
    with Case(own=True) as case:
        for name, text in texts.items():
            case.reports.report = text.encode()
            found = case.found()
            assert {user: (f["pop3"], f["imap4"], f["smtp"]) for user, f in found.items()} == {
                "a@example.com": (True, False, False),
                "b@example.com": (False, False, True)}, (name, found)


@test
def empty():
    """A report of nobody is an answer"""
    with Case(own=True) as case:
        case.reports.report = HEAD.encode()
        assert "0 of 0 mailboxes" in case.run().stdout
        assert not case.found()


@test
def broken():
    """What is no report is an error that says so"""
    bodies = {
        "has no column \"User Principal Name\"": "Name,POP3 App\r\nx,y\r\n",
        "has none of the columns": "User Principal Name\r\na@example.com\r\n",
        "a quote is never closed": HEAD + "\"a@example.com",
        "with an error page": "<html>log in</html>",
        "without a message": "",
        "the report is empty": "\r\n\r\n",
    }
    with Case(own=True) as case:
        for words, body in bodies.items():
            case.reports.report = body.encode()
            done = case.run(status=69)
            assert words in done.stderr and not done.stdout, (words, done)
        case.reports.report = HEAD.encode()
        case.reports.status = 403
        assert "good for minutes only" in case.run(status=69).stderr


@test
def large():
    """Fifty thousand users, one of whom still uses POP3"""
    with Case(own=True) as case:
        case.reports.report = (HEAD + "".join(row(f"user{i}@example.com") for i in range(50000))
                               + row("last@example.com", pop3="x")).encode()
        assert list(case.found()) == ["last@example.com"]


tap.main()
