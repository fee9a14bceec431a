noinst_LIBRARIES += libmailbox.a
libmailbox_a_SOURCES =
noinst_HEADERS += \
	include/postern/mailbox/account.h \
	include/postern/mailbox/view.h
mailbox_LIBS = libmailbox.a libstore.a $(graph_LIBS) $(SQLITE_LIBS)
