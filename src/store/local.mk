noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/body_cache.c \
	src/store/body_file.c \
	src/store/body_file.h \
	src/store/client_db.c \
	src/store/client_read.c \
	src/store/client_sql.c \
	src/store/client_sql.h \
	src/store/db.c \
	src/store/db.h \
	src/store/db_aside.c \
	src/store/db_email.c \
	src/store/db_fact.c \
	src/store/db_folder.c \
	src/store/db_mailbox.c \
	src/store/db_making.c \
	src/store/db_message.c \
	src/store/db_open.c \
	src/store/db_original.c \
	src/store/db_tree.c \
	src/store/db_tx.c \
	src/store/mailbox_sql.c \
	src/store/mailbox_sql.h \
	src/store/original.c \
	src/store/original_file.h \
	src/store/path.c \
	src/store/path.h \
	src/store/schema.c \
	src/store/schema.h \
	src/store/state.c \
	src/store/vault.c \
	src/store/vault_file.c \
	src/store/vault_file.h \
	src/store/vault_inside.h \
	src/store/vault_key.c \
	src/store/vault_key.h \
	src/store/vault_lock.c \
	src/store/vault_rights.c \
	src/store/vault_rotate.c
noinst_HEADERS += \
	include/postern/store/body_cache.h \
	include/postern/store/client_db.h \
	include/postern/store/email_db.h \
	include/postern/store/fact_db.h \
	include/postern/store/mailbox_db.h \
	include/postern/store/original.h \
	include/postern/store/state.h \
	include/postern/store/tree_db.h \
	include/postern/store/vault.h
store_LIBS = libstore.a libmime.a $(base_LIBS) $(SQLITE_LIBS)
