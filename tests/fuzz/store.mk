if FUZZERS
noinst_PROGRAMS += fuzz-store-vault
fuzz_store_vault_SOURCES = tests/fuzz/store/vault.c
fuzz_store_vault_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/store
fuzz_store_vault_LDADD = $(store_LIBS)
fuzz_store_vault_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
