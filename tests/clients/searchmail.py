"""Messages made at random, for comparing searches: headers and texts in several charsets and
encodings, parts in parts, replies, forwards and lists, dates in all zones.

What Dovecot 2.3 has ways of its own with is left out: no subject, no date, names that it escapes,
characters of which it makes small letters."""

import base64
import quopri
import random

MESSAGES = 80

WORDS = ("invoice", "Rechnung", "Größe", "café", "naïve", "Straße", "ÅNGSTRÖM", "привет", "Москва",
         "日本語", "テスト", "한국어", "Ελλάδα", "ΣΊΣΥΦΟΣ", "meeting", "Re", "alarm", "disk", "full",
         "100%", "a_b", "x=y", "quote\"d", "back\\slash", "ß", "İstanbul", "e\u0301t")
CHARSETS = ("utf-8", "iso-8859-1", "windows-1252", "koi8-r", "iso-2022-jp", "euc-kr", "iso-8859-7",
            "utf-8", "utf-8", "us-ascii")
PEOPLE = (("Anna Müller", "anna"), ("Doe, John", "john.doe"), ("山田 太郎", "yamada"), ("", "ops"),
          ("Team EU", "team"), ("Bob", "bob"), ("иван", "Ivan"), ("x", "\"a b\""))
MARKS = ("", "", "", "Re: ", "RE:", "Fwd: ", "[list] ", "[list] Re: ", "Re: [list] ", "Fw : ")


def words(dice, charset, low, high):
    """Words that the charset has."""
    picked = []
    for _ in range(dice.randrange(low, high)):
        word = dice.choice(WORDS)
        try:
            word.encode(charset)
            picked.append(word)
        except UnicodeEncodeError:
            picked.append("plain")
    return " ".join(picked)


def encoded_word(text, charset, dice):
    data = text.encode(charset)
    if dice.randrange(2):
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    quoted = "".join(chr(c) if chr(c).isalnum() and c < 128 else f"={c:02X}" for c in data)
    return f"=?{charset}?Q?{quoted}?="


def phrase(text, dice):
    if text.isascii():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return encoded_word(text, "utf-8", dice)


def address(dice):
    name, local = dice.choice(PEOPLE)
    spec = f"{local}@{dice.choice(('example.com', 'Example.ORG', 'sub.example.net'))}"
    form = dice.randrange(4)
    if not name or form == 0:
        return spec
    if form == 1 and name.isascii() and not set(name) & set('()"\\'):
        return f"{spec} ({name})"
    return f"{phrase(name, dice)} <{spec}>"


def addresses(dice):
    if dice.randrange(12) == 0:
        return f"Group: {address(dice)}, {address(dice)};"
    return ",\r\n ".join(address(dice) for _ in range(dice.randrange(1, 4)))


def subject(dice, topics):
    """One of a few topics, so that there are threads, or something of its own."""
    if dice.randrange(3):
        return dice.choice(MARKS) + dice.choice(topics) + dice.choice(("", "", " (fwd)"))
    charset = dice.choice(CHARSETS)
    return encoded_word(words(dice, charset, 1, 5), charset, dice)


def date(dice):
    zone = dice.choice(("+0000", "-0500", "+0530", "+1400", "-1200", "GMT", "EST"))
    return (f"{dice.randrange(1, 29)} {dice.choice(('Jan', 'Feb', 'Dec'))} "
            f"{dice.choice((2019, 2020, 2021))} {dice.randrange(24):02}:{dice.randrange(60):02}:00 "
            f"{zone}")


def body(dice, charset):
    """A part's own header lines and its encoded text."""
    text = "\r\n".join(words(dice, charset, 0, 9) for _ in range(dice.randrange(1, 9))) + "\r\n"
    data = text.encode(charset)
    kind = dice.choice(("plain", "plain", "html"))
    how = dice.choice(("quoted-printable", "base64", "8bit"))
    if how == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    elif how == "quoted-printable":
        data = quopri.encodestring(data).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {how}\r\n"
    return head.encode(), data


def part(dice, depth=0):
    """A part's header lines and body, perhaps with parts in it."""
    choice = dice.randrange(8 if depth < 3 else 4)
    if choice < 4:
        return body(dice, dice.choice(CHARSETS))
    if choice == 4 and depth:
        head = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        return head, base64.encodebytes(b"binary invoice " * 3).replace(b"\n", b"\r\n")
    if choice == 5 and depth:
        inner, text = part(dice, depth + 1)
        name = encoded_word(words(dice, "utf-8", 1, 3), "utf-8", dice)
        return (b"Content-Type: message/rfc822\r\n",
                f"Subject: {name}\r\nFrom: {address(dice)}\r\n".encode() + inner + b"\r\n" + text)
    boundary = f"b{dice.randrange(1 << 40):x}"
    parts = [part(dice, depth + 1) for _ in range(dice.randrange(1, 4))]
    lines = b"".join(b"--%s\r\n%s\r\n%s\r\n" % (boundary.encode(), head, text)
                     for head, text in parts)
    kind = dice.choice(("mixed", "alternative"))
    return (f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n'.encode(),
            b"preamble\r\n" + lines + b"--%s--\r\nepilogue\r\n" % boundary.encode())


def references(dice, ids):
    """A field that names some of the messages before, and one that is not there."""
    if not ids or dice.randrange(3) == 0:
        return ""
    known = [f"<{id_}>" for id_ in dice.sample(ids, min(len(ids), dice.randrange(1, 4)))]
    if dice.randrange(6) == 0:
        known.insert(0, f"<gone{dice.randrange(4)}@example.com>")
    name = dice.choice(("References", "References", "In-Reply-To"))
    return f"{name}: {' '.join(known)}\r\n"


def make_messages(seed, count):
    """{name: message}; the same for the same seed."""
    dice = random.Random(seed)
    topics = [words(dice, "us-ascii", 1, 3) for _ in range(count // 8)]
    messages, ids = {}, []
    for number in range(count):
        id_ = f"{number}.{dice.randrange(1 << 30)}@example.com"
        head, text = part(dice)
        lines = [f"From: {address(dice)}\r\n", f"To: {addresses(dice)}\r\n"]
        if dice.randrange(2):
            lines.append(f"Cc: {addresses(dice)}\r\n")
        lines.append(f"Subject: {subject(dice, topics)}\r\n")
        lines.append(f"Date: {date(dice)}\r\n")
        if dice.randrange(15):
            lines.append(f"Message-ID: <{id_}>\r\n")
        lines.append(references(dice, ids))
        ids.append(id_)
        messages[f"made-{number}"] = ("".join(lines) + "MIME-Version: 1.0\r\n").encode() + head + \
            b"\r\n" + text
    return messages
