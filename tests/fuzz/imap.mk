if FUZZERS
imap_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/imap -iquote $(top_srcdir)/src/mailbox
noinst_PROGRAMS += fuzz-imap-command fuzz-imap-pattern fuzz-imap-search fuzz-imap-section fuzz-imap-session \
	fuzz-imap-set fuzz-imap-structure fuzz-imap-thread fuzz-imap-utf7
fuzz_imap_command_SOURCES = tests/fuzz/imap/command.c
fuzz_imap_command_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_command_LDADD = libimap.a $(base_LIBS)
fuzz_imap_command_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_pattern_SOURCES = tests/fuzz/imap/pattern.c
fuzz_imap_pattern_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_pattern_LDADD = libimap.a $(base_LIBS)
fuzz_imap_pattern_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_section_SOURCES = tests/fuzz/imap/section.c
fuzz_imap_section_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_section_LDADD = libimap.a libmime.a $(base_LIBS)
fuzz_imap_section_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_search_SOURCES = tests/fuzz/imap/search.c
fuzz_imap_search_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_search_LDADD = libimap.a libmailbox.a libmime.a $(base_LIBS)
fuzz_imap_search_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_session_SOURCES = \
	tests/fuzz/imap/session.c \
	tests/unit/imap/fake_mailbox.c \
	tests/unit/imap/fake_mailbox.h \
	tests/unit/imap/fake_transfer.c \
	tests/unit/imap/fake_tree.c \
	tests/unit/imap/fake_tree.h \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h
fuzz_imap_session_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_session_LDADD = libimap.a libsession.a libmailbox.a $(store_LIBS) $(CRYPT_LIBS)
fuzz_imap_session_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_set_SOURCES = tests/fuzz/imap/set.c
fuzz_imap_set_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_set_LDADD = libimap.a libmailbox.a $(base_LIBS)
fuzz_imap_set_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_structure_SOURCES = tests/fuzz/imap/structure.c
fuzz_imap_structure_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_structure_LDADD = $(imap_LIBS)
fuzz_imap_structure_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_thread_SOURCES = tests/fuzz/imap/thread.c
fuzz_imap_thread_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_thread_LDADD = libimap.a $(base_LIBS)
fuzz_imap_thread_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_imap_utf7_SOURCES = tests/fuzz/imap/utf7.c
fuzz_imap_utf7_CPPFLAGS = $(imap_fuzz_CPPFLAGS)
fuzz_imap_utf7_LDADD = libimap.a $(base_LIBS)
fuzz_imap_utf7_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
