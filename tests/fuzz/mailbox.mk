if FUZZERS
noinst_PROGRAMS += fuzz-mailbox-diff fuzz-mailbox-keywords
fuzz_mailbox_diff_SOURCES = tests/fuzz/mailbox/diff.c
fuzz_mailbox_diff_LDADD = libmailbox.a $(base_LIBS)
fuzz_mailbox_diff_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mailbox_keywords_SOURCES = tests/fuzz/mailbox/keywords.c
fuzz_mailbox_keywords_LDADD = libmailbox.a $(base_LIBS)
fuzz_mailbox_keywords_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
