check_PROGRAMS += test-cmd
UNIT_TESTS += test-cmd
TESTS += test-cmd
test_cmd_SOURCES = \
	src/cmd/clients/clients.h \
	src/cmd/clients/clients_filter.c \
	src/cmd/control/control.h \
	src/cmd/control/control_client.c \
	src/cmd/control/control_request.c \
	src/cmd/control/control_server.c \
	src/cmd/grid.c \
	src/cmd/grid.h \
	src/cmd/sign_in/login_target.c \
	src/cmd/sign_in/login_target.h \
	src/cmd/sign_in/redirect.h \
	src/cmd/sign_in/redirect_page.c \
	tests/unit/cmd/main.c \
	tests/unit/cmd/test_clients.c \
	tests/unit/cmd/test_control.c \
	tests/unit/cmd/test_grid.c \
	tests/unit/cmd/test_login.c \
	tests/unit/store/scratch.c \
	tests/unit/store/scratch.h
test_cmd_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/cmd
test_cmd_LDADD = $(base_LIBS) $(JSONC_LIBS) $(UNIT_LIBS)
