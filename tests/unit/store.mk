check_PROGRAMS += test-store
UNIT_TESTS += test-store
TESTS += test-store
test_store_SOURCES = \
	tests/unit/store/db_util.c \
	tests/unit/store/db_util.h \
	tests/unit/store/main.c \
	tests/unit/store/scratch.c \
	tests/unit/store/scratch.h \
	tests/unit/store/test_cache.c \
	tests/unit/store/test_client.c \
	tests/unit/store/test_damage.c \
	tests/unit/store/test_db.c \
	tests/unit/store/test_email.c \
	tests/unit/store/test_fact.c \
	tests/unit/store/test_message.c \
	tests/unit/store/test_original.c \
	tests/unit/store/test_schema.c \
	tests/unit/store/test_state.c \
	tests/unit/store/test_vault.c \
	tests/unit/store/test_vault_key.c \
	tests/unit/store/vault_util.c \
	tests/unit/store/vault_util.h
test_store_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/store
test_store_LDADD = $(store_LIBS) $(UNIT_LIBS)
