"""What the tests of getmail share."""

import re

# getmail takes mail apart and writes it anew by Python's email package, which folds addresses and
# parameters its own way, ends every header with an empty line, drops lines that are no fields, and
# puts right what is broken about boundaries.
WITHOUT = (
    "address-comments", "attachments", "body-without-blank-line", "boundary-no-end",
    "boundary-same-nested", "boundary-special", "boundary-wrong-nesting", "content-type-broken",
    "dsn", "encoded-words", "encoded-words-broken", "encoding-unknown", "encrypted",
    "external-body", "folded-headers", "from-first-line", "giant-header", "group-addresses",
    "header-no-final-newline", "header-only", "long-header-line", "mdn", "message-rfc822",
    "minimal-one-byte", "mixed-nested", "nul-in-header", "partial", "rfc2231", "utf8-bom")


def without_return_path(message):
    """getmail puts the envelope sender first, in place of what Return-Path there was."""
    return re.sub(rb"\AReturn-Path: .*\n", b"", message)
