if FUZZERS
noinst_PROGRAMS += fuzz-pop3-command fuzz-pop3-session
fuzz_pop3_command_SOURCES = tests/fuzz/pop3/command.c
fuzz_pop3_command_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/pop3
fuzz_pop3_command_LDADD = libpop3.a
fuzz_pop3_command_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_pop3_session_SOURCES = \
	tests/fuzz/pop3/session.c \
	tests/unit/pop3/fake_mailbox.c \
	tests/unit/pop3/fake_mailbox.h \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h
fuzz_pop3_session_LDADD = libpop3.a libsession.a $(store_LIBS) $(CRYPT_LIBS)
fuzz_pop3_session_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
