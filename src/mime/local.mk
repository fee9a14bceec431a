noinst_LIBRARIES += libmime.a
libmime_a_SOURCES = \
	src/mime/crlf.c \
	src/mime/header.c
noinst_HEADERS += \
	include/postern/mime/crlf.h \
	include/postern/mime/header.h
mime_LIBS = libmime.a $(base_LIBS)
