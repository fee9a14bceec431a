# Figures, never assertions about a clock: not part of "make check".
EXTRA_DIST += tests/bench/bench.py
bench: $(bin_PROGRAMS)
	POSTERN_BUILD='$(abs_top_builddir)' $(SHELL) $(top_srcdir)/tests/session/run \
		$(srcdir)/tests/bench/bench.py
.PHONY: bench
