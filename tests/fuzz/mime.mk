# The seeds of tests/data/mail serve the header and crlf targets too.
if FUZZERS
noinst_PROGRAMS += fuzz-mime-address fuzz-mime-crlf fuzz-mime-date fuzz-mime-header \
	fuzz-mime-match fuzz-mime-structure fuzz-mime-subject fuzz-mime-word
fuzz_mime_address_SOURCES = tests/fuzz/mime/address.c
fuzz_mime_address_LDADD = $(mime_LIBS)
fuzz_mime_address_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_crlf_SOURCES = tests/fuzz/mime/crlf.c
fuzz_mime_crlf_LDADD = $(mime_LIBS)
fuzz_mime_crlf_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_date_SOURCES = tests/fuzz/mime/date.c
fuzz_mime_date_LDADD = $(mime_LIBS)
fuzz_mime_date_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_header_SOURCES = tests/fuzz/mime/header.c
fuzz_mime_header_LDADD = $(mime_LIBS)
fuzz_mime_header_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_match_SOURCES = tests/fuzz/mime/match.c
fuzz_mime_match_LDADD = $(mime_LIBS)
fuzz_mime_match_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_structure_SOURCES = tests/fuzz/mime/structure.c
fuzz_mime_structure_LDADD = $(mime_LIBS)
fuzz_mime_structure_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_subject_SOURCES = tests/fuzz/mime/subject.c
fuzz_mime_subject_LDADD = $(mime_LIBS)
fuzz_mime_subject_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_mime_word_SOURCES = tests/fuzz/mime/word.c
fuzz_mime_word_LDADD = $(mime_LIBS)
fuzz_mime_word_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
