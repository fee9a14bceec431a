check_PROGRAMS += test-graph
UNIT_TESTS += test-graph
TESTS += test-graph
test_graph_SOURCES = \
	tests/unit/graph/fake_vault.c \
	tests/unit/graph/fake_vault.h \
	tests/unit/graph/keys.c \
	tests/unit/graph/keys.h \
	tests/unit/graph/main.c \
	tests/unit/graph/rig.c \
	tests/unit/graph/rig.h \
	tests/unit/graph/server.c \
	tests/unit/graph/server.h \
	tests/unit/graph/stage.c \
	tests/unit/graph/stage.h \
	tests/unit/graph/test_batch.c \
	tests/unit/graph/test_challenge.c \
	tests/unit/graph/test_client.c \
	tests/unit/graph/test_decode.c \
	tests/unit/graph/test_entra.c \
	tests/unit/graph/test_error.c \
	tests/unit/graph/test_failure.c \
	tests/unit/graph/test_flows.c \
	tests/unit/graph/test_header.c \
	tests/unit/graph/test_identity.c \
	tests/unit/graph/test_jwt.c \
	tests/unit/graph/test_report.c \
	tests/unit/graph/test_retry.c \
	tests/unit/graph/test_scheduler.c \
	tests/unit/graph/test_update.c \
	tests/unit/graph/test_url.c
test_graph_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/src/graph \
	-DSAMPLES='"$(abs_top_srcdir)/tests/data/graph"'
test_graph_LDADD = $(graph_LIBS) $(UNIT_LIBS)
EXTRA_DIST += $(graph_samples)
graph_samples = \
	tests/data/graph/ANY-ErrorAccessDenied-application-access-policy.json \
	tests/data/graph/ANY-ErrorNonExistentMailbox-404.json \
	tests/data/graph/ANY-generic-error-shape.json \
	tests/data/graph/ANY-throttled-429.json \
	tests/data/graph/GET-attachment-file-200.json \
	tests/data/graph/GET-attachment-item-expanded-200.json \
	tests/data/graph/GET-childFolders-includeHidden-200.json \
	tests/data/graph/GET-mailFolder-200.json \
	tests/data/graph/GET-mailFolders-list-with-searchfolder-200.json \
	tests/data/graph/GET-masterCategories-200.json \
	tests/data/graph/GET-message-200.json \
	tests/data/graph/GET-message-body-as-text-200.json \
	tests/data/graph/GET-message-expand-singleValueExtendedProperties-200.json \
	tests/data/graph/GET-message-internetMessageHeaders-200.json \
	tests/data/graph/GET-messages-delta-round1-page1-nextLink-200.json \
	tests/data/graph/GET-messages-delta-round1-page2-nextLink-200.json \
	tests/data/graph/GET-messages-delta-round1-page3-deltaLink-200.json \
	tests/data/graph/GET-messages-delta-round2-removed-and-updated-200.json \
	tests/data/graph/GET-messages-list-select-200.json \
	tests/data/graph/GET-user-mailboxSettings-200.json \
	tests/data/graph/POST-attachment-file-201.json \
	tests/data/graph/POST-batch-request-dependsOn.json \
	tests/data/graph/POST-batch-response-200.json \
	tests/data/graph/POST-createImportSession-200.json \
	tests/data/graph/POST-createUploadSession-201.json \
	tests/data/graph/POST-importItem-create-200.json \
	tests/data/graph/POST-mailFolders-create-hidden-201.json \
	tests/data/graph/POST-message-move-201.json \
	tests/data/graph/POST-messages-bad-mime-400.json \
	tests/data/graph/POST-messages-custom-headers-201.json \
	tests/data/graph/POST-messages-json-draft-201.json \
	tests/data/graph/POST-messages-mime-draft-201.json \
	tests/data/graph/POST-sendMail-ErrorSendAsDenied-403.json \
	tests/data/graph/POST-subscriptions-201.json \
	tests/data/graph/POST-translateExchangeIds-200.json \
	tests/data/graph/PUT-upload-range-200.json \
	tests/data/graph/observed-BadRequest-max-request-length.json \
	tests/data/graph/observed-MailboxConcurrency-429.json \
	tests/data/graph/observed-delta-SyncStateNotFound-410.json \
	tests/data/graph/observed-search-error-inside-200-truncated.txt \
	tests/data/graph/observed-value-under-mailFolders-ErrorInvalidRequest-400.json \
	tests/data/graph/token-client_credentials-200.json \
	tests/data/graph/token-device_code-200.json \
	tests/data/graph/token-error-invalid_scope-400.json \
	tests/data/graph/token-imds-managed-identity-200.json
