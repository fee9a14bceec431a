# Mail programs of the distribution against the real pair; each is skipped where it is missing.
CLIENT_TESTS = \
	tests/clients/curl.py \
	tests/clients/poplib_client.py \
	tests/clients/perl.py \
	tests/clients/mpop.py \
	tests/clients/signin.py \
	tests/clients/getmail.py \
	tests/clients/fetchmail.py \
	tests/clients/php.py \
	tests/clients/movemail.py \
	tests/clients/searchoracle.py \
	tests/clients/fetchoracle.py \
	tests/clients/curl_imap.py \
	tests/clients/fetchmail_imap.py \
	tests/clients/getmail_imap.py \
	tests/clients/mbsync.py \
	tests/clients/offlineimap.py \
	tests/clients/imapfilter.py \
	tests/clients/imaplib_client.py \
	tests/clients/perl_imap.py \
	tests/clients/php_imap.py \
	tests/clients/ruby_imap.py \
	tests/clients/javamail.py \
	tests/clients/node_imap.py \
	tests/clients/check_imap.py \
	tests/clients/mutt.py \
	tests/clients/alpine.py
TESTS += $(CLIENT_TESTS)
EXTRA_DIST += $(CLIENT_TESTS) tests/clients/mailprograms.py tests/clients/searchmail.py \
	tests/clients/brokenmail.py \
	tests/clients/fetchmail_common.py tests/clients/getmail_common.py
