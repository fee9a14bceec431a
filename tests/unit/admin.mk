check_PROGRAMS += test-admin
UNIT_TESTS += test-admin
TESTS += test-admin
test_admin_SOURCES = \
	tests/unit/admin/main.c \
	tests/unit/admin/test_request.c \
	tests/unit/admin/test_views.c
test_admin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/admin
test_admin_LDADD = libadmin.a $(session_LIBS) $(MHD_LIBS) $(UNIT_LIBS)
