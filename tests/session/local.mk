# Conversations with the real programs, in Python; results as TAP. HACKING.md tells more.
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/session/run
PY_LOG_DRIVER = env POSTERN_BUILD='$(abs_top_builddir)' AM_TAP_AWK='$(AWK)' \
	$(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SESSION_TESTS = \
	tests/session/pop3.py \
	tests/session/corpus.py \
	tests/session/faults.py \
	tests/session/deletes.py \
	tests/session/transfer.py \
	tests/session/budgets.py \
	tests/session/fetch.py \
	tests/session/flags.py \
	tests/session/folders.py \
	tests/session/search.py \
	tests/session/crash.py \
	tests/session/service.py \
	tests/session/http2.py \
	tests/session/signin.py \
	tests/session/login.py \
	tests/session/identities.py \
	tests/session/tokens.py \
	tests/session/upstream.py \
	tests/session/listeners.py \
	tests/session/tls.py \
	tests/session/privileges.py \
	tests/session/sockets.py \
	tests/session/terminal.py \
	tests/session/logins.py \
	tests/session/loginsfile.py \
	tests/session/lockout.py \
	tests/session/logs.py \
	tests/session/memory.py \
	tests/session/wiped.py \
	tests/session/flood.py \
	tests/session/hostile.py \
	tests/session/trust.py \
	tests/session/clients.py \
	tests/session/injection.py \
	tests/session/uidl.py \
	tests/session/demo.py \
	tests/session/discover.py \
	tests/session/doctor.py \
	tests/session/admin.py \
	tests/session/sandbox.py \
	tests/session/entra.py \
	tests/session/append.py \
	tests/session/imap.py \
	tests/session/objectid.py \
	tests/session/imapstress.py \
	tests/session/imapbudgets.py \
	tests/session/imapcrash.py \
	tests/session/imapfaults.py
TESTS += $(SESSION_TESTS)
EXTRA_DIST += $(SESSION_TESTS) \
	tests/session/run \
	tests/session/tap.py \
	tests/session/harness.py \
	tests/session/graphclient.py \
	tests/session/delegated.py \
	tests/session/entraclient.py \
	tests/session/connection.py \
	tests/session/pop3client.py \
	tests/session/proxies.py \
	tests/session/tlsserver.py \
	tests/session/conversation.py \
	tests/session/pop3.conv \
	tests/session/imap \
	tests/session/imapclient.py \
	tests/session/imapsyntax.py \
	tests/session/imapscript.py \
	tests/session/imapservers.py \
	tests/session/staterows.py \
	tests/session/dovecot.py \
	tests/data/make-mail.py \
	tests/data/mail

# All of these and nothing else.
check-session: $(bin_PROGRAMS)
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(SESSION_TESTS)"
.PHONY: check-session
