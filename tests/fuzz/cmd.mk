if FUZZERS
noinst_PROGRAMS += fuzz-cmd-control
fuzz_cmd_control_SOURCES = tests/fuzz/cmd/control.c src/cmd/control/control.h src/cmd/control/control_request.c
fuzz_cmd_control_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/src/cmd
fuzz_cmd_control_LDADD = $(base_LIBS) $(JSONC_LIBS)
fuzz_cmd_control_LDFLAGS = $(LIBFUZZER_FLAGS)
endif
