check_PROGRAMS += test-mime
UNIT_TESTS += test-mime
TESTS += test-mime
test_mime_SOURCES = \
	tests/unit/mime/main.c \
	tests/unit/mime/oracle.h \
	tests/unit/mime/test_address.c \
	tests/unit/mime/test_casemap.c \
	tests/unit/mime/test_charset.c \
	tests/unit/mime/test_corpus.c \
	tests/unit/mime/test_crlf.c \
	tests/unit/mime/test_date.c \
	tests/unit/mime/test_header.c \
	tests/unit/mime/test_match.c \
	tests/unit/mime/test_msgid.c \
	tests/unit/mime/test_param.c \
	tests/unit/mime/test_structure.c \
	tests/unit/mime/test_subject.c \
	tests/unit/mime/test_transfer.c \
	tests/unit/mime/test_word.c
test_mime_LDADD = $(mime_LIBS) $(UNIT_LIBS)
EXTRA_DIST += tests/unit/mime/make-oracle.py
