noinst_LIBRARIES += libimap.a
libimap_a_SOURCES = \
	src/imap/append.c \
	src/imap/args.c \
	src/imap/args.h \
	src/imap/auth.c \
	src/imap/basic.c \
	src/imap/capability.c \
	src/imap/commands.c \
	src/imap/commands.h \
	src/imap/envelope.c \
	src/imap/fetch.c \
	src/imap/fetch.h \
	src/imap/fetch_parse.c \
	src/imap/fetch_reply.c \
	src/imap/flags.c \
	src/imap/folders.c \
	src/imap/folders.h \
	src/imap/idle.c \
	src/imap/list.c \
	src/imap/list.h \
	src/imap/list_parse.c \
	src/imap/message.c \
	src/imap/order.c \
	src/imap/order.h \
	src/imap/parse.c \
	src/imap/parse.h \
	src/imap/pattern.c \
	src/imap/pattern.h \
	src/imap/read.c \
	src/imap/read.h \
	src/imap/respond.c \
	src/imap/respond.h \
	src/imap/search.c \
	src/imap/search.h \
	src/imap/search_eval.c \
	src/imap/search_parse.c \
	src/imap/search_run.c \
	src/imap/section.c \
	src/imap/select.c \
	src/imap/session.c \
	src/imap/session.h \
	src/imap/set.c \
	src/imap/set.h \
	src/imap/sort.c \
	src/imap/status.c \
	src/imap/store.c \
	src/imap/structure.c \
	src/imap/structure.h \
	src/imap/structure_read.c \
	src/imap/sync.c \
	src/imap/thread.c \
	src/imap/thread_build.c \
	src/imap/transfer.c \
	src/imap/utf7.c \
	src/imap/utf7.h
noinst_HEADERS += \
	include/postern/imap/imap.h
imap_LIBS = libimap.a $(session_LIBS)
