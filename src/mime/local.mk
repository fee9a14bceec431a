noinst_LIBRARIES += libmime.a
libmime_a_SOURCES = \
	src/mime/address.c \
	src/mime/casemap.c \
	src/mime/casemap.inc \
	src/mime/charset.c \
	src/mime/crlf.c \
	src/mime/date.c \
	src/mime/header.c \
	src/mime/match.c \
	src/mime/msgid.c \
	src/mime/param.c \
	src/mime/structure.c \
	src/mime/subject.c \
	src/mime/transfer.c \
	src/mime/word.c
noinst_HEADERS += \
	include/postern/mime/address.h \
	include/postern/mime/casemap.h \
	include/postern/mime/charset.h \
	include/postern/mime/crlf.h \
	include/postern/mime/date.h \
	include/postern/mime/header.h \
	include/postern/mime/match.h \
	include/postern/mime/msgid.h \
	include/postern/mime/param.h \
	include/postern/mime/structure.h \
	include/postern/mime/subject.h \
	include/postern/mime/transfer.h \
	include/postern/mime/word.h
EXTRA_DIST += src/mime/make-casemap.py
mime_LIBS = libmime.a $(base_LIBS)
