check_PROGRAMS += test-mime
UNIT_TESTS += test-mime
TESTS += test-mime
test_mime_SOURCES = \
	tests/unit/mime/main.c \
	tests/unit/mime/test_crlf.c \
	tests/unit/mime/test_header.c
test_mime_LDADD = $(mime_LIBS) $(UNIT_LIBS)
