check_PROGRAMS += test-imap
UNIT_TESTS += test-imap
TESTS += test-imap
test_imap_SOURCES = \
	tests/unit/imap/fake_mailbox.c \
	tests/unit/imap/fake_mailbox.h \
	tests/unit/imap/fake_transfer.c \
	tests/unit/imap/fake_tree.c \
	tests/unit/imap/fake_tree.h \
	tests/unit/imap/main.c \
	tests/unit/imap/talk.c \
	tests/unit/imap/talk.h \
	tests/unit/imap/test_append.c \
	tests/unit/imap/test_auth.c \
	tests/unit/imap/test_fetch.c \
	tests/unit/imap/test_folders.c \
	tests/unit/imap/test_order.c \
	tests/unit/imap/test_parse.c \
	tests/unit/imap/test_pattern.c \
	tests/unit/imap/test_read.c \
	tests/unit/imap/test_respond.c \
	tests/unit/imap/test_search.c \
	tests/unit/imap/test_section.c \
	tests/unit/imap/test_select.c \
	tests/unit/imap/test_session.c \
	tests/unit/imap/test_set.c \
	tests/unit/imap/test_store.c \
	tests/unit/imap/test_structure.c \
	tests/unit/imap/test_sync.c \
	tests/unit/imap/test_utf7.c \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h
test_imap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/imap -I$(top_srcdir)/src/mailbox
# The fake mailbox stands where libmailbox would, of which the views are taken.
test_imap_LDADD = libimap.a libsession.a libmailbox.a $(store_LIBS) $(CRYPT_LIBS) \
	$(UNIT_LIBS)
