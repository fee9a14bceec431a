check_PROGRAMS += test-mailbox
UNIT_TESTS += test-mailbox
TESTS += test-mailbox
test_mailbox_SOURCES = \
	tests/unit/graph/keys.c \
	tests/unit/graph/keys.h \
	tests/unit/graph/server.c \
	tests/unit/graph/server.h \
	tests/unit/mailbox/exchange.c \
	tests/unit/mailbox/exchange_folders.c \
	tests/unit/mailbox/exchange.h \
	tests/unit/mailbox/exchange_inside.h \
	tests/unit/mailbox/main.c \
	tests/unit/mailbox/rig.c \
	tests/unit/mailbox/rig.h \
	tests/unit/mailbox/test_bodies.c \
	tests/unit/mailbox/test_claims.c \
	tests/unit/mailbox/test_commit.c \
	tests/unit/mailbox/test_compose.c \
	tests/unit/mailbox/test_diff.c \
	tests/unit/mailbox/test_flags.c \
	tests/unit/mailbox/test_keywords.c \
	tests/unit/mailbox/test_merge.c \
	tests/unit/mailbox/test_names.c \
	tests/unit/mailbox/test_sync.c \
	tests/unit/mailbox/test_tree.c \
	tests/unit/mailbox/test_view.c
test_mailbox_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/mailbox
test_mailbox_LDADD = $(mailbox_LIBS) $(UNIT_LIBS)
