noinst_LIBRARIES += libstore.a
libstore_a_SOURCES =
noinst_HEADERS += \
	include/postern/store/body_cache.h \
	include/postern/store/mailbox_db.h \
	include/postern/store/state.h
store_LIBS = libstore.a libmime.a $(base_LIBS) $(SQLITE_LIBS)
