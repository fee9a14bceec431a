bin_PROGRAMS += postern
postern_SOURCES = \
	src/cmd/answers.c \
	src/cmd/answers.h \
	src/cmd/arguments.c \
	src/cmd/asking.c \
	src/cmd/asking.h \
	src/cmd/certificate.c \
	src/cmd/certificate.h \
	src/cmd/check.c \
	src/cmd/child.c \
	src/cmd/child.h \
	src/cmd/cmd.h \
	src/cmd/control.h \
	src/cmd/control_client.c \
	src/cmd/control_request.c \
	src/cmd/control_server.c \
	src/cmd/demo.c \
	src/cmd/discover.c \
	src/cmd/doctor.c \
	src/cmd/doctor.h \
	src/cmd/doctor_listener.c \
	src/cmd/doctor_local.c \
	src/cmd/doctor_login.c \
	src/cmd/doctor_tenant.c \
	src/cmd/housekeeper.c \
	src/cmd/housekeeper.h \
	src/cmd/identity.c \
	src/cmd/identity.h \
	src/cmd/main.c \
	src/cmd/need.c \
	src/cmd/need.h \
	src/cmd/passwd.c \
	src/cmd/powershell.c \
	src/cmd/powershell.h \
	src/cmd/process.c \
	src/cmd/process.h \
	src/cmd/serve.c \
	src/cmd/steps.c \
	src/cmd/steps.h \
	src/cmd/version.c \
	src/cmd/weak.c \
	src/cmd/weak.h
postern_LDADD = libpop3.a $(imap_LIBS)
