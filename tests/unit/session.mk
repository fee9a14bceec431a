check_PROGRAMS += test-session
UNIT_TESTS += test-session
TESTS += test-session
test_session_SOURCES = \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h \
	tests/unit/session/main.c \
	tests/unit/session/test_conn.c \
	tests/unit/session/test_counts.c \
	tests/unit/session/test_guesses.c \
	tests/unit/session/test_hasher.c \
	tests/unit/session/test_inventory.c \
	tests/unit/session/test_login.c \
	tests/unit/session/test_proxy.c \
	tests/unit/session/test_sasl.c \
	tests/unit/session/test_server.c \
	tests/unit/session/test_throttle.c \
	tests/unit/session/test_token.c \
	tests/unit/session/test_user_name.c
test_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/session
# The session layer calls nothing of the mailbox layer, it only passes it on.
test_session_LDADD = libsession.a $(store_LIBS) $(CRYPT_LIBS) $(UNIT_LIBS)
