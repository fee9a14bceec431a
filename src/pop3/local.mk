noinst_LIBRARIES += libpop3.a
libpop3_a_SOURCES =
noinst_HEADERS += \
	include/postern/pop3/pop3.h
pop3_LIBS = libpop3.a $(session_LIBS)
