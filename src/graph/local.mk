noinst_LIBRARIES += libgraph.a
libgraph_a_SOURCES = \
	src/graph/aadsts.c \
	src/graph/batch.c \
	src/graph/batch.h \
	src/graph/build.c \
	src/graph/build.h \
	src/graph/call.c \
	src/graph/call_cut.c \
	src/graph/call_end.c \
	src/graph/client.c \
	src/graph/client_credentials.c \
	src/graph/decode.h \
	src/graph/disk.c \
	src/graph/disk.h \
	src/graph/dispatch.c \
	src/graph/envelope.c \
	src/graph/error.c \
	src/graph/error.h \
	src/graph/folder.c \
	src/graph/folder_calls.c \
	src/graph/gate.c \
	src/graph/gate.h \
	src/graph/header.c \
	src/graph/internal.h \
	src/graph/json.c \
	src/graph/json.h \
	src/graph/jwt.c \
	src/graph/jwt.h \
	src/graph/mail.c \
	src/graph/message.c \
	src/graph/oauth.c \
	src/graph/oauth.h \
	src/graph/property.c \
	src/graph/report.c \
	src/graph/route.c \
	src/graph/retry.c \
	src/graph/retry.h \
	src/graph/scheduler.c \
	src/graph/scheduler.h \
	src/graph/tenant.c \
	src/graph/transfer.c \
	src/graph/transfer.h \
	src/graph/upload.c \
	src/graph/update.c \
	src/graph/upstream.c \
	src/graph/upstream.h \
	src/graph/url.c \
	src/graph/url.h \
	src/graph/write.c \
	src/graph/write.h
noinst_HEADERS += \
	include/postern/graph/client.h \
	include/postern/graph/folder.h \
	include/postern/graph/mail.h \
	include/postern/graph/report.h \
	include/postern/graph/route.h \
	include/postern/graph/sign_in.h \
	include/postern/graph/write.h
graph_LIBS = libgraph.a libmime.a $(base_LIBS) $(CURL_LIBS) $(JSONC_LIBS)
