dist_check_SCRIPTS = tests/lint/source
TESTS += tests/lint/source

# The settings of the code, the manual and the sample are the same ones.
dist_check_SCRIPTS += tests/lint/settings tests/lint/manuals
TESTS += tests/lint/settings tests/lint/manuals
check_PROGRAMS += lint-settings
lint_settings_SOURCES = tests/lint/settings.c
lint_settings_LDADD = $(base_LIBS)

# The unit keeps its fences.
dist_check_SCRIPTS += tests/lint/unit
TESTS += tests/lint/unit
