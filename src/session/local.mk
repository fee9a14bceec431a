noinst_LIBRARIES += libsession.a
libsession_a_SOURCES = \
	src/session/address.c \
	src/session/address.h \
	src/session/admission.c \
	src/session/admission.h \
	src/session/certificates.c \
	src/session/certificates.h \
	src/session/conn.c \
	src/session/counts.c \
	src/session/counts.h \
	src/session/digest.c \
	src/session/digest.h \
	src/session/gate.c \
	src/session/gate.h \
	src/session/guesses.c \
	src/session/guesses.h \
	src/session/hasher.c \
	src/session/hasher.h \
	src/session/inventory.c \
	src/session/listener.c \
	src/session/listener.h \
	src/session/local_socket.c \
	src/session/local_socket.h \
	src/session/login.c \
	src/session/proxy.c \
	src/session/proxy.h \
	src/session/sasl.c \
	src/session/sasl_parse.c \
	src/session/sasl_parse.h \
	src/session/server.c \
	src/session/success.c \
	src/session/success.h \
	src/session/throttle.c \
	src/session/throttle.h \
	src/session/ticket.c \
	src/session/ticket.h \
	src/session/tls.c \
	src/session/token.c \
	src/session/token.h \
	src/session/transport.c \
	src/session/transport.h \
	src/session/user_name.c \
	src/session/user_name.h
noinst_HEADERS += \
	include/postern/session/conn.h \
	include/postern/session/inventory.h \
	include/postern/session/login.h \
	include/postern/session/sasl.h \
	include/postern/session/server.h \
	include/postern/session/tls.h
session_LIBS = libsession.a $(mailbox_LIBS) $(CRYPT_LIBS)
