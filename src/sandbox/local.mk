# The sandbox: a library for its unit tests, and a small main.
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
	src/sandbox/account.c \
	src/sandbox/assertion.c \
	src/sandbox/attachments.c \
	src/sandbox/authorize.c \
	src/sandbox/batch.c \
	src/sandbox/caller.c \
	src/sandbox/compose.c \
	src/sandbox/content.c \
	src/sandbox/control.c \
	src/sandbox/control_folders.c \
	src/sandbox/control_identity.c \
	src/sandbox/control_mail.c \
	src/sandbox/delta.c \
	src/sandbox/device.c \
	src/sandbox/entra.c \
	src/sandbox/entra_refusals.c \
	src/sandbox/faults.c \
	src/sandbox/federation.c \
	src/sandbox/filter.c \
	src/sandbox/folder_delta.c \
	src/sandbox/folders.c \
	src/sandbox/generator.c \
	src/sandbox/grants.c \
	src/sandbox/graph.c \
	src/sandbox/http.c \
	src/sandbox/ids.c \
	src/sandbox/imds.c \
	src/sandbox/journal.c \
	src/sandbox/jwt.c \
	src/sandbox/links.c \
	src/sandbox/loader.c \
	src/sandbox/mbox.c \
	src/sandbox/message.c \
	src/sandbox/message_create.c \
	src/sandbox/message_list.c \
	src/sandbox/messages.c \
	src/sandbox/model.c \
	src/sandbox/options.c \
	src/sandbox/permission.c \
	src/sandbox/profile.c \
	src/sandbox/props.c \
	src/sandbox/query.c \
	src/sandbox/render.c \
	src/sandbox/render_props.c \
	src/sandbox/reports.c \
	src/sandbox/request.c \
	src/sandbox/sandbox.c \
	src/sandbox/settings.c \
	src/sandbox/summary.c \
	src/sandbox/throttle.c \
	src/sandbox/tls.c \
	src/sandbox/token.c \
	src/sandbox/update.c \
	src/sandbox/upload.c
noinst_HEADERS += \
	src/sandbox/account.h \
	src/sandbox/attachments.h \
	src/sandbox/authorize.h \
	src/sandbox/batch.h \
	src/sandbox/caller.h \
	src/sandbox/compose.h \
	src/sandbox/content.h \
	src/sandbox/control.h \
	src/sandbox/control_mail.h \
	src/sandbox/device.h \
	src/sandbox/entra.h \
	src/sandbox/faults.h \
	src/sandbox/federation.h \
	src/sandbox/filter.h \
	src/sandbox/generator.h \
	src/sandbox/graph.h \
	src/sandbox/http.h \
	src/sandbox/ids.h \
	src/sandbox/imds.h \
	src/sandbox/journal.h \
	src/sandbox/jwt.h \
	src/sandbox/links.h \
	src/sandbox/loader.h \
	src/sandbox/model.h \
	src/sandbox/options.h \
	src/sandbox/permission.h \
	src/sandbox/profile.h \
	src/sandbox/props.h \
	src/sandbox/query.h \
	src/sandbox/render.h \
	src/sandbox/reports.h \
	src/sandbox/request.h \
	src/sandbox/sandbox.h \
	src/sandbox/settings.h \
	src/sandbox/summary.h \
	src/sandbox/throttle.h \
	src/sandbox/tls.h \
	src/sandbox/token.h \
	src/sandbox/update.h \
	src/sandbox/upload.h
sandbox_LIBS = libsandbox.a libmime.a $(base_LIBS) $(MHD_LIBS) $(JSONC_LIBS)

bin_PROGRAMS += postern-sandbox
postern_sandbox_SOURCES = src/sandbox/main.c
postern_sandbox_LDADD = $(sandbox_LIBS)
