check_PROGRAMS += test-graph
UNIT_TESTS += test-graph
TESTS += test-graph
test_graph_SOURCES = \
	tests/unit/graph/keys.c \
	tests/unit/graph/keys.h \
	tests/unit/graph/main.c \
	tests/unit/graph/server.c \
	tests/unit/graph/server.h \
	tests/unit/graph/test_client.c
test_graph_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/graph
test_graph_LDADD = $(graph_LIBS) $(UNIT_LIBS)
