# The seeds of tests/data/mail serve fuzz-mailbox-compose.
if FUZZERS
noinst_PROGRAMS += fuzz-mailbox-compose fuzz-mailbox-diff fuzz-mailbox-keywords fuzz-mailbox-names
fuzz_mailbox_compose_SOURCES = tests/fuzz/mailbox/compose.c
fuzz_mailbox_compose_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/mailbox
fuzz_mailbox_compose_LDADD = $(mailbox_LIBS)
fuzz_mailbox_compose_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mailbox_diff_SOURCES = tests/fuzz/mailbox/diff.c
fuzz_mailbox_diff_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/mailbox
fuzz_mailbox_diff_LDADD = libmailbox.a $(base_LIBS)
fuzz_mailbox_diff_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mailbox_keywords_SOURCES = tests/fuzz/mailbox/keywords.c
fuzz_mailbox_keywords_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/mailbox
fuzz_mailbox_keywords_LDADD = libmailbox.a $(base_LIBS)
fuzz_mailbox_keywords_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mailbox_names_SOURCES = tests/fuzz/mailbox/names.c
fuzz_mailbox_names_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/mailbox
fuzz_mailbox_names_LDADD = libmailbox.a $(base_LIBS)
fuzz_mailbox_names_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
