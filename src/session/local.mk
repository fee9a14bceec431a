noinst_LIBRARIES += libsession.a
libsession_a_SOURCES =
noinst_HEADERS += \
	include/postern/session/conn.h \
	include/postern/session/login.h \
	include/postern/session/server.h
session_LIBS = libsession.a $(mailbox_LIBS) $(CRYPT_LIBS)
