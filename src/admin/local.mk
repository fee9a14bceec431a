noinst_LIBRARIES += libadmin.a
libadmin_a_SOURCES = \
	src/admin/admin.c \
	src/admin/door.c \
	src/admin/door.h \
	src/admin/health.c \
	src/admin/metrics.c \
	src/admin/page.c \
	src/admin/request.c \
	src/admin/request.h \
	src/admin/snapshot.c \
	src/admin/views.h
noinst_HEADERS += \
	include/postern/admin/admin.h \
	include/postern/admin/snapshot.h
