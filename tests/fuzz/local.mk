# One libFuzzer target a parser, built with --enable-fuzzers (CC=clang).
include tests/fuzz/base.mk
include tests/fuzz/mime.mk
include tests/fuzz/graph.mk
include tests/fuzz/pop3.mk
