#include "rig.h"

#include "postern/base/log.h"

#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define A_DAY       ((int64_t)24 * 3600 * 1000)

static char tenant_name[] = "contoso", tenant_id[] = "contoso.example", client_id[] = "app",
            secret[] = "secret";

void rig_init(struct rig *r, unsigned messages)
{
    struct error e = ERROR_INIT;
    const struct log_settings quiet = {.level = LOG_LEVEL_ERROR, .target = "stderr"};
    memset(r, 0, sizeof *r);
    CU_ASSERT_FATAL(log_open(&quiet, &e));
    snprintf(r->dir, sizeof r->dir, "/tmp/postern-mailbox-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(r->dir));
    CU_ASSERT_FATAL(wait_init(&r->wait, &e));
    r->exchange = exchange_start();
    exchange_lock(r->exchange)->age_ms = A_DAY;
    exchange_unlock(r->exchange);
    exchange_deliver(r->exchange, messages);
    exchange_lock(r->exchange)->age_ms = 0;
    exchange_unlock(r->exchange);
    r->cache_max = 64 << 20;
    r->read_ahead = 1 << 20;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type;
    return where->level > 0 ? remove(path) : 0;
}

void rig_lose_state(struct rig *r)
{
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void rig_free(struct rig *r)
{
    exchange_stop(&r->exchange);
    rig_lose_state(r);
    rmdir(r->dir);
    wait_close(&r->wait);
}

void rig_open(struct rig *r)
{
    struct error e = ERROR_INIT;
    char url[64], ca[128];
    const struct graph_settings settings = {.request_timeout_ms = 5000,
                                            .patience_ms = PATIENCE_MS,
                                            .background_ms = PATIENCE_MS,
                                            .max_json = 8 << 20,
                                            .max_message = 1 << 20};
    snprintf(url, sizeof url, "%s", exchange_url(r->exchange));
    snprintf(ca, sizeof ca, "%s", exchange_ca(r->exchange));
    struct config_tenant tenant = {.name = tenant_name,
                                   .tenant_id = tenant_id,
                                   .client_id = client_id,
                                   .client_secret = secret,
                                   .graph_url = url,
                                   .login_url = url,
                                   .ca_file = ca,
                                   .max_concurrent = 4};
    struct config config = {.tenants = &tenant, .tenant_count = 1};
    r->graph = graph_client_start(&settings, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->graph);
    CU_ASSERT_FATAL(graph_client_configure(r->graph, &config, &e));
    r->cache = store_cache_open(r->dir, r->cache_max, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->cache);
    const struct mailbox_settings mailbox = {
        .state_dir = r->dir, .read_ahead = r->read_ahead, .poll_interval_ms = 15000};
    r->registry = mailbox_registry_new(r->graph, r->cache, &mailbox);
    r->account = mailbox_account_get(r->registry, &(struct principal){.tenant = tenant_name},
                                     "u@contoso.example", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->account);
    r->folder = mailbox_folder_open(r->account, "INBOX", &r->wait, &e);
    if (!r->folder)
        fprintf(stderr, "cannot open the inbox: %s\n", e.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->folder);
}

void rig_close(struct rig *r)
{
    mailbox_folder_release(&r->folder);
    mailbox_account_release(&r->account);
    mailbox_registry_free(&r->registry);
    store_cache_close(&r->cache);
    graph_client_stop(&r->graph);
}

unsigned rig_sync(struct rig *r)
{
    struct error e = ERROR_INIT;
    exchange_counts(r->exchange, NULL);
    bool ok = mailbox_folder_sync(r->folder, false, &r->wait, &e);
    if (!ok)
        fprintf(stderr, "sync: %s: %s\n", error_kind_name(e.kind), e.text);
    CU_ASSERT_FATAL(ok);
    return exchange_counts(r->exchange, NULL);
}

static struct mailbox_entry entry_at(struct rig *r, size_t index)
{
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    struct mailbox_entry entry = {0};
    if (view && index < mailbox_view_count(view))
        entry = *mailbox_view_at(view, index);
    mailbox_view_unref(&view);
    return entry;
}

uint32_t rig_uid(struct rig *r, size_t index)
{
    return entry_at(r, index).uid;
}

uint32_t rig_flags(struct rig *r, size_t index)
{
    return entry_at(r, index).flags;
}

size_t rig_count(struct rig *r)
{
    struct mailbox_view *view = mailbox_folder_view(r->folder);
    size_t count = view ? mailbox_view_count(view) : 0;
    mailbox_view_unref(&view);
    return count;
}
