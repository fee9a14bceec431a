# Unit tests: one CUnit program a layer, one file a module.
UNIT_LIBS = -lcunit
UNIT_TESTS =
include tests/unit/base.mk
include tests/unit/mime.mk
include tests/unit/store.mk
include tests/unit/graph.mk
include tests/unit/mailbox.mk
include tests/unit/session.mk
include tests/unit/pop3.mk
include tests/unit/imap.mk
include tests/unit/admin.mk
include tests/unit/cmd.mk
include tests/unit/sandbox.mk
include tests/fuzz/local.mk
include tests/session/local.mk
include tests/clients/local.mk
include tests/bench/local.mk
include tests/lint/local.mk
EXTRA_DIST += tests/unit/unit.h
