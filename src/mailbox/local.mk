noinst_LIBRARIES += libmailbox.a
libmailbox_a_SOURCES = \
	src/mailbox/merge.c \
	src/mailbox/merge.h \
	src/mailbox/row.c \
	src/mailbox/row.h \
	src/mailbox/view.c \
	src/mailbox/view_build.h
noinst_HEADERS += \
	include/postern/mailbox/account.h \
	include/postern/mailbox/view.h
mailbox_LIBS = libmailbox.a libstore.a $(graph_LIBS) $(SQLITE_LIBS)
