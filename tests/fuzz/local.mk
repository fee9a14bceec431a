# One libFuzzer target a parser, built with --enable-fuzzers (CC=clang): fuzz-NAME reads and grows
# its corpus, seeded from tests/fuzz/seeds/NAME.
LIBFUZZER_FLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
EXTRA_DIST += tests/fuzz/fuzz.h tests/fuzz/seeds
include tests/fuzz/base.mk
include tests/fuzz/mime.mk
include tests/fuzz/store.mk
include tests/fuzz/graph.mk
include tests/fuzz/mailbox.mk
include tests/fuzz/session.mk
include tests/fuzz/pop3.mk
include tests/fuzz/imap.mk
include tests/fuzz/cmd.mk
