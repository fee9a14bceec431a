check_PROGRAMS += test-sandbox
UNIT_TESTS += test-sandbox
TESTS += test-sandbox
test_sandbox_SOURCES = \
	tests/unit/sandbox/fixture.c \
	tests/unit/sandbox/fixture.h \
	tests/unit/sandbox/main.c \
	tests/unit/sandbox/test_assertion.c \
	tests/unit/sandbox/test_caller.c \
	tests/unit/sandbox/test_create.c \
	tests/unit/sandbox/test_delta.c \
	tests/unit/sandbox/test_entra.c \
	tests/unit/sandbox/test_filter.c \
	tests/unit/sandbox/test_folders.c \
	tests/unit/sandbox/test_ids.c \
	tests/unit/sandbox/test_mbox.c \
	tests/unit/sandbox/test_messages.c \
	tests/unit/sandbox/test_props.c
test_sandbox_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/sandbox
test_sandbox_LDADD = $(sandbox_LIBS) $(UNIT_LIBS)
