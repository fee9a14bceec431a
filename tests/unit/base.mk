check_PROGRAMS += test-base
UNIT_TESTS += test-base
TESTS += test-base
test_base_SOURCES = \
	tests/unit/base/main.c \
	tests/unit/base/test_buf.c \
	tests/unit/base/test_clock.c \
	tests/unit/base/test_config.c \
	tests/unit/base/test_csv.c \
	tests/unit/base/test_encode.c \
	tests/unit/base/test_file.c \
	tests/unit/base/test_log.c \
	tests/unit/base/test_logins_file.c \
	tests/unit/base/test_table.c \
	tests/unit/base/test_text.c \
	tests/unit/base/test_wait.c
test_base_LDADD = $(base_LIBS) $(UNIT_LIBS)
