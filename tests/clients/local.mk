# Mail programs of the distribution against the real pair; each is skipped where it is missing.
CLIENT_TESTS = \
	tests/clients/curl.py \
	tests/clients/poplib_client.py \
	tests/clients/perl.py \
	tests/clients/mpop.py \
	tests/clients/getmail.py \
	tests/clients/fetchmail.py \
	tests/clients/php.py \
	tests/clients/movemail.py \
	tests/clients/searchoracle.py \
	tests/clients/fetchoracle.py
TESTS += $(CLIENT_TESTS)
EXTRA_DIST += $(CLIENT_TESTS) tests/clients/mailprograms.py tests/clients/searchmail.py tests/clients/brokenmail.py
