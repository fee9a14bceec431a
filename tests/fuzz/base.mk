if FUZZERS
noinst_PROGRAMS += fuzz-config
fuzz_config_SOURCES = tests/fuzz/base/config.c
fuzz_config_LDADD = $(base_LIBS)
fuzz_config_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
