# Figures, never assertions about a clock: not part of "make check".
EXTRA_DIST += tests/bench/bench.py
bench: $(bin_PROGRAMS)
	env POSTERN_BUILD='$(abs_top_builddir)' $(PYTHON3) -B $(srcdir)/tests/bench/bench.py
.PHONY: bench
