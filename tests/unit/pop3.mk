check_PROGRAMS += test-pop3
UNIT_TESTS += test-pop3
TESTS += test-pop3
test_pop3_SOURCES = \
	tests/unit/pop3/fake_mailbox.c \
	tests/unit/pop3/fake_mailbox.h \
	tests/unit/pop3/main.c \
	tests/unit/pop3/talk.c \
	tests/unit/pop3/talk.h \
	tests/unit/pop3/test_auth.c \
	tests/unit/pop3/test_parse.c \
	tests/unit/pop3/test_session.c \
	tests/unit/pop3/test_sizes.c \
	tests/unit/pop3/test_transaction.c \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h
test_pop3_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/pop3
# The fake mailbox stands where libmailbox would.
test_pop3_LDADD = libpop3.a libsession.a $(store_LIBS) $(CRYPT_LIBS) $(UNIT_LIBS)
