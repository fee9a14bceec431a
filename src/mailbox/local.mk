noinst_LIBRARIES += libmailbox.a
libmailbox_a_SOURCES = \
	src/mailbox/abreast.c \
	src/mailbox/abreast.h \
	src/mailbox/arrive.c \
	src/mailbox/body.c \
	src/mailbox/body.h \
	src/mailbox/commit.c \
	src/mailbox/copy.c \
	src/mailbox/delete.c \
	src/mailbox/expunge.c \
	src/mailbox/fact.c \
	src/mailbox/fetch.c \
	src/mailbox/find.c \
	src/mailbox/flags.c \
	src/mailbox/folder.c \
	src/mailbox/headers.c \
	src/mailbox/internal.h \
	src/mailbox/keywords.c \
	src/mailbox/keywords.h \
	src/mailbox/mark.c \
	src/mailbox/merge.c \
	src/mailbox/merge.h \
	src/mailbox/move.c \
	src/mailbox/names.c \
	src/mailbox/names.h \
	src/mailbox/open.c \
	src/mailbox/paths.c \
	src/mailbox/poll.c \
	src/mailbox/poll.h \
	src/mailbox/pool.c \
	src/mailbox/pool.h \
	src/mailbox/reader.c \
	src/mailbox/reader.h \
	src/mailbox/reading.c \
	src/mailbox/registry.c \
	src/mailbox/remove.c \
	src/mailbox/rename.c \
	src/mailbox/row.c \
	src/mailbox/row.h \
	src/mailbox/special.c \
	src/mailbox/sync.c \
	src/mailbox/sync_full.c \
	src/mailbox/sync_round.c \
	src/mailbox/tree.c \
	src/mailbox/tree_build.c \
	src/mailbox/tree_build.h \
	src/mailbox/tree_keep.h \
	src/mailbox/tree_rows.c \
	src/mailbox/undo.c \
	src/mailbox/upload.c \
	src/mailbox/upload.h \
	src/mailbox/tree_write.c \
	src/mailbox/tree_write.h \
	src/mailbox/validity.c \
	src/mailbox/view.c \
	src/mailbox/view_build.h \
	src/mailbox/warm.c \
	src/mailbox/workers.c \
	src/mailbox/workers.h
noinst_HEADERS += \
	include/postern/mailbox/account.h \
	include/postern/mailbox/facts.h \
	include/postern/mailbox/flags.h \
	include/postern/mailbox/transfer.h \
	include/postern/mailbox/tree.h \
	include/postern/mailbox/view.h
mailbox_LIBS = libmailbox.a libstore.a $(graph_LIBS) $(SQLITE_LIBS)
