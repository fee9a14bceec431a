dist_check_SCRIPTS = tests/lint/source
TESTS += tests/lint/source
