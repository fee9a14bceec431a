if FUZZERS
session_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/session
noinst_PROGRAMS += fuzz-sasl fuzz-user-name
fuzz_sasl_SOURCES = tests/fuzz/session/sasl.c
fuzz_sasl_CPPFLAGS = $(session_fuzz_CPPFLAGS)
fuzz_sasl_LDADD = libsession.a $(base_LIBS)
fuzz_sasl_LDFLAGS = $(LIBFUZZER_FLAGS)
fuzz_user_name_SOURCES = \
	tests/fuzz/session/user_name.c \
	tests/unit/session/door.c \
	tests/unit/session/door.h \
	tests/unit/session/fake_bearer.c \
	tests/unit/session/fake_bearer.h
fuzz_user_name_CPPFLAGS = $(session_fuzz_CPPFLAGS)
fuzz_user_name_LDADD = libsession.a $(store_LIBS) $(CRYPT_LIBS)
fuzz_user_name_LDFLAGS = $(LIBFUZZER_FLAGS)
noinst_PROGRAMS += fuzz-proxy
fuzz_proxy_SOURCES = tests/fuzz/session/proxy.c
fuzz_proxy_CPPFLAGS = $(session_fuzz_CPPFLAGS)
fuzz_proxy_LDADD = libsession.a $(store_LIBS) $(CRYPT_LIBS)
fuzz_proxy_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
