noinst_LIBRARIES += libpop3.a
libpop3_a_SOURCES = \
	src/pop3/auth.c \
	src/pop3/maildrop.c \
	src/pop3/maildrop.h \
	src/pop3/parse.c \
	src/pop3/parse.h \
	src/pop3/quit.c \
	src/pop3/respond.c \
	src/pop3/respond.h \
	src/pop3/retrieve.c \
	src/pop3/session.c \
	src/pop3/session.h \
	src/pop3/transaction.c
noinst_HEADERS += \
	include/postern/pop3/pop3.h
pop3_LIBS = libpop3.a $(session_LIBS)
