#!/usr/bin/env python3
"""Writes oracle.h: what Python's email package makes of the inputs below.

usage: make-oracle.py > oracle.h

The table is committed, so the tests need no Python. Inputs on which Postern differs from Python on
purpose are not here but in the test files, with the reason.
"""
import os
import sys
import time
from email import utils
from email.header import decode_header

WORDS = [
    "plain", "", "a  b", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?UTF-8?B?R3LDvMOfZQ==?=",
    "=?iso-8859-1?Q?caf=E9?=", "=?ISO-8859-15?Q?=A4_100?=", "=?windows-1252?Q?=93quoted=94?=",
    "=?windows-1251?B?z/Do4uXy?=", "=?koi8-r?B?8NLJ18XU?=", "=?iso-8859-5?Q?=BF=E0=D8=D2=D5=E2?=",
    "=?iso-8859-7?B?zuXt3Q==?=", "=?iso-8859-2?Q?=A3=F3d=BC?=", "=?windows-1250?Q?=8A=9A?=",
    "=?shift_jis?B?k/qWe4zq?=", "=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "=?euc-jp?B?xvzL3Ljs?=",
    "=?euc-kr?B?x9GxubnO?=", "=?big5?B?pKSk5Q==?=", "=?gb2312?B?1tDOxA==?=",
    "=?gbk?B?1tDOxA==?=", "=?gb18030?B?1tDOxA==?=", "=?tis-620?B?4Lus?=",
    "=?utf-8?q?two?= =?utf-8?q?words?=", "=?utf-8?q?one?=  =?iso-8859-1?q?=E9t=E9?=",
    "before =?utf-8?q?in?= after", "=?utf-8?q?a?= b =?utf-8?q?c?=", "=?utf-8?Q?under_score?=",
    "=?utf-8?Q?=3D=5F=3F?=", "=?utf-8?B?4pyT?= done",
    "=?utf-8?B?4pyT4g==?= =?utf-8?B?nJM=?=",
    "=?utf-8?q?bad_=FF_byte?=", "=?us-ascii?q?ascii?=", "=?", "=?utf-8?q?open", "=?utf-8?x?no?=",
    "=?utf-8?q?=?=", "a=b?c", "? =", "=?UTF-8?q?=E2=82=AC?=", "=?utf-8?q?no_=ZZ_hex?=",
    "=?utf-8?b?8J+YgA==?=", "Re: =?utf-8?q?Re=3A_?= x"
]

ADDRESSES = [
    "", "a@b.example", "<a@b.example>", "Ann <a@b.example>", '"Ann B." <a@b.example>',
    "Ann B <a@b.example>, c@d.example", "Ann B. Cee <a@b.example>", "a@b.example (Ann)",
    '"Doe, John" <j@d.example>, x@y.example', '"q\\"uote" <q@d.example>', "a@[192.0.2.1]",
    '"back\\\\slash" <b@d.example>', "=?utf-8?q?J=C3=B6rg?= <j@d.example>",
    "A Group: a@b.example, Bee <c@d.example>;", "undisclosed-recipients:;", "g:;, a@b.example",
    "a @ b . example", "first . last @ b.example", "Ann <@r1.example:a@b.example>", "a@b.example,", ",a@b.example", "a@b.example,,c@d.example",
    "Ann\r\n <a@b.example>,\r\n c@d.example", "a+tag@b.example", "a.b.c@d.example",
    "\t a@b.example \t", "o'brien@b.example", "<a@b.example>, <c@d.example>", "a@b",
    '"" <a@b.example>', "J\u00f6rg <j@d.example>",
]

DATES = [
    "Sat, 21 Nov 2026 05:44:24 +0000", "Sat, 21 Nov 2026 05:44:24 +0100",
    "21 Nov 2026 05:44:24 -0830", "21 Nov 2026 05:44 +0000", "1 Jan 70 00:00:00 GMT",
    "Fri, 31 Dec 99 23:59:59 EST", "31 Dec 49 23:59:59 PST", "1 Jun 2026 12:00:00 EDT",
    "1 Jun 2026 12:00:00 CST", "1 Jun 2026 12:00:00 CDT", "1 Jun 2026 12:00:00 MST",
    "1 Jun 2026 12:00:00 MDT", "1 Jun 2026 12:00:00 PDT", "1 Jun 2026 12:00:00 UT",
    "1 Jun 2026 12:00:00 UTC", "1 Jun 2026 12:00:00 Z", "Mon,  1 Jun 2026 12:00:00 +0530 (IST)",
    "29 Feb 2024 00:00:00 +0000", "29 Feb 2000 00:00:00 +0000", "28 Feb 1900 00:00:00 +0000",
    "Sat Nov 21 05:44:24 2026", "Sat Nov  1 05:44:24 2026", "1 September 2026 01:02:03 +0000",
    "Saturday, 21-Nov-26 05:44:24 GMT", "21 nov 2026 05:44:24 +0000", "1 Jan 1601 00:00:00 +0000",
    "1 Jan 2026 00:00:00 +1400", "1 Jan 2026 00:00:00 -1200", "31 Dec 9999 23:59:59 +0000",
    "", "x", "21 Nov", "21 Nov 2026", "Nov", "05:44:24", "0 x 0 0:0:0",
]


def c_string(text):
    out = ""
    for byte in text.encode():
        char = chr(byte)
        out += "\\" + char if char in '"\\' else char if 32 <= byte < 127 else "\\%03o" % byte
    return '"' + out.replace("??", '?""?') + '"'


def word(text):
    return "".join(part if isinstance(part, str) else part.decode(charset or "ascii", "replace")
                   for part, charset in decode_header(text)).strip()


def addresses(text):
    return "".join("%s|%s;" % pair for pair in utils.getaddresses([text])
                   if pair != ("", ""))


def date(text):
    parts = utils.parsedate_tz(text)
    if parts is None:
        return "false, 0"
    try:
        return "true, %d" % utils.mktime_tz(parts)
    except ValueError:
        return "false, 0"


def main():
    os.environ["TZ"] = "UTC"  # a date without zone is local time to Python
    time.tzset()
    print("#include <stdbool.h>\n")
    print("/* Written by make-oracle.py with Python %d.%d; not edited by hand. */"
          % sys.version_info[:2])
    for name, inputs, answer in (("words", WORDS, word), ("addresses", ADDRESSES, addresses)):
        print("static const struct {\n    const char *in;\n    const char *out;\n} oracle_%s[] = {"
              % name)
        for text in inputs:
            print("    {%s, %s}," % (c_string(text), c_string(answer(text))))
        print("};")
    print("static const struct {\n    const char *in;\n    bool valid;\n    long long seconds;\n"
          "} oracle_dates[] = {")
    for text in DATES:
        print("    {%s, %s}," % (c_string(text), date(text)))
    print("};")


main()
