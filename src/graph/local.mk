noinst_LIBRARIES += libgraph.a
libgraph_a_SOURCES =
noinst_HEADERS += \
	include/postern/graph/client.h \
	include/postern/graph/mail.h
graph_LIBS = libgraph.a libmime.a $(base_LIBS) $(CURL_LIBS) $(JSONC_LIBS)
