check_PROGRAMS += test-mailbox
UNIT_TESTS += test-mailbox
TESTS += test-mailbox
test_mailbox_SOURCES = \
	tests/unit/mailbox/main.c \
	tests/unit/mailbox/test_merge.c \
	tests/unit/mailbox/test_view.c
test_mailbox_LDADD = $(mailbox_LIBS) $(UNIT_LIBS)
