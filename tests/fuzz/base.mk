if FUZZERS
noinst_PROGRAMS += fuzz-config fuzz-csv fuzz-text fuzz-logins
fuzz_config_SOURCES = tests/fuzz/base/config.c
fuzz_config_LDADD = $(base_LIBS)
fuzz_config_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_csv_SOURCES = tests/fuzz/base/csv.c
fuzz_csv_LDADD = $(base_LIBS)
fuzz_csv_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_text_SOURCES = tests/fuzz/base/text.c
fuzz_text_LDADD = $(base_LIBS)
fuzz_text_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_logins_SOURCES = tests/fuzz/base/logins.c
fuzz_logins_LDADD = $(base_LIBS)
fuzz_logins_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
