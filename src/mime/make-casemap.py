#!/usr/bin/env python3
"""Writes casemap.inc, the table behind mime/casemap.h, from Python's copy of the Unicode data:

    src/mime/make-casemap.py >src/mime/casemap.inc

For each character that i;unicode-casemap (RFC 5051) changes: what becomes of it once it has its
titlecase and is taken apart, again and again until nothing changes. Hangul syllables, which are
taken apart by arithmetic, are left to casemap.c, as is ASCII."""

import sys
import unicodedata

FIRST = 0x80
HANGUL = range(0xAC00, 0xD7A4)
SURROGATES = range(0xD800, 0xE000)
COLUMNS = 100


def titlecase(char):
    """The simple mapping: one of several characters (SpecialCasing) does not count."""
    mapped = char.title()
    return mapped if len(mapped) == 1 else char


def apart(char):
    codes = [word for word in unicodedata.decomposition(char).split() if not word.startswith("<")]
    return "".join(chr(int(code, 16)) for code in codes) or char


def folded(text):
    while True:
        once = "".join(apart(titlecase(char)) for char in text)
        if once == text:
            return text
        text = once


def lines(words):
    line = "   "
    for word in words:
        if len(line) + 1 + len(word) > COLUMNS:
            yield line
            line = "   "
        line += " " + word
    yield line


def main():
    changed = [(code, folded(chr(code)).encode())
               for code in range(FIRST, sys.maxunicode + 1)
               if code not in HANGUL and code not in SURROGATES and folded(chr(code)) != chr(code)]
    ends, pool = [], b""
    for _, mapped in changed:
        pool += mapped
        ends.append(len(pool))
    print(f"/* Unicode {unicodedata.unidata_version}, made by make-casemap.py. */")
    print("static const uint32_t changed[] = {")
    print("\n".join(lines(f"0x{code:x}," for code, _ in changed)))
    print("};")
    print("/* Where the mapping of changed[i] ends in `mapped`; it begins where the one before ends. */")
    print("static const uint16_t ends[] = {")
    print("\n".join(lines(f"{end}," for end in ends)))
    print("};")
    print("static const uint8_t mapped[] = {")
    print("\n".join(lines(f"{byte}," for byte in pool)))
    print("};")


main()
