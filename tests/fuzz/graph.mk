if FUZZERS
graph_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/graph
noinst_PROGRAMS += fuzz-graph-error fuzz-graph-link fuzz-graph-page fuzz-graph-report \
	fuzz-graph-token fuzz-graph-managed fuzz-graph-device fuzz-graph-challenge
fuzz_graph_error_SOURCES = tests/fuzz/graph/error.c
fuzz_graph_error_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_error_LDADD = $(graph_LIBS)
fuzz_graph_error_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_link_SOURCES = tests/fuzz/graph/link.c
fuzz_graph_link_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_link_LDADD = $(graph_LIBS)
fuzz_graph_link_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_page_SOURCES = tests/fuzz/graph/page.c
fuzz_graph_page_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_page_LDADD = $(graph_LIBS)
fuzz_graph_page_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_report_SOURCES = tests/fuzz/graph/report.c
fuzz_graph_report_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_report_LDADD = $(graph_LIBS)
fuzz_graph_report_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_token_SOURCES = tests/fuzz/graph/token.c
fuzz_graph_token_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_token_LDADD = $(graph_LIBS)
fuzz_graph_token_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_managed_SOURCES = tests/fuzz/graph/managed.c
fuzz_graph_managed_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_managed_LDADD = $(graph_LIBS)
fuzz_graph_managed_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_device_SOURCES = tests/fuzz/graph/device.c
fuzz_graph_device_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_device_LDADD = $(graph_LIBS)
fuzz_graph_device_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_graph_challenge_SOURCES = tests/fuzz/graph/challenge.c
fuzz_graph_challenge_CPPFLAGS = $(graph_fuzz_CPPFLAGS)
fuzz_graph_challenge_LDADD = $(graph_LIBS)
fuzz_graph_challenge_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
