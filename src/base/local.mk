noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/alloc.c \
	src/base/arena.c \
	src/base/buf.c \
	src/base/clock.c \
	src/base/config.c \
	src/base/config_check.c \
	src/base/config_check.h \
	src/base/config_check_listener.c \
	src/base/config_check_login.c \
	src/base/config_check_tenant.c \
	src/base/config_logins.c \
	src/base/config_parse.c \
	src/base/config_report.c \
	src/base/config_report.h \
	src/base/config_text.c \
	src/base/config_text.h \
	src/base/config_tree.h \
	src/base/config_values.c \
	src/base/csv.c \
	src/base/encode.c \
	src/base/error.c \
	src/base/file.c \
	src/base/log.c \
	src/base/logins_file.c \
	src/base/principal.c \
	src/base/settings.c \
	src/base/settings.h \
	src/base/sign_in.c \
	src/base/table.c \
	src/base/text.c \
	src/base/thread.c \
	src/base/wait.c
noinst_HEADERS += \
	include/postern/base/alloc.h \
	include/postern/base/arena.h \
	include/postern/base/buf.h \
	include/postern/base/clock.h \
	include/postern/base/config.h \
	include/postern/base/csv.h \
	include/postern/base/encode.h \
	include/postern/base/error.h \
	include/postern/base/file.h \
	include/postern/base/log.h \
	include/postern/base/logins_file.h \
	include/postern/base/principal.h \
	include/postern/base/sign_in.h \
	include/postern/base/table.h \
	include/postern/base/text.h \
	include/postern/base/thread.h \
	include/postern/base/wait.h
base_LIBS = libbase.a $(CONFUSE_LIBS) $(CRYPT_LIBS) $(OPENSSL_LIBS) $(SYSTEMD_LIBS)
