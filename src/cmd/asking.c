#include "asking.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"

#define JSON_MAX    ((size_t)32 << 20)
#define PROGRESS_MS ((int64_t)10000)
#define PATIENCE_MS ((int64_t)15000)

bool asking_open(struct asking *a, const struct config *c, size_t max_body, struct error *e)
{
    static const struct log_settings silent = {LOG_LEVEL_ERROR, LOG_TEXT, "/dev/null"};
    const struct graph_settings settings = {.request_timeout_ms = PROGRESS_MS,
                                            .patience_ms = PATIENCE_MS,
                                            .background_ms = PATIENCE_MS,
                                            .max_json = JSON_MAX,
                                            .max_message = max_body};
    *a = (struct asking){.wait = {.event_fd = -1, .client_fd = -1}, .end_ms = CLOCK_NEVER};
    if (!log_open(&silent, e) || !wait_init(&a->wait, e) ||
        !(a->graph = graph_client_start(&settings, e)))
        return false;
    a->vault = store_vault_open(c->state_dir, c->key_file, c->path, false, e);
    if (!a->vault)
        return false;
    graph_client_set_vault(a->graph, store_vault_functions(a->vault));
    return graph_client_configure(a->graph, c, e);
}

void asking_close(struct asking *a)
{
    if (a->graph) {
        graph_client_cancel_all(a->graph);
        graph_client_stop(&a->graph);
    }
    store_vault_close(&a->vault);
    if (a->wait.event_fd >= 0)
        wait_close(&a->wait);
}

bool asking_wait(struct asking *a, struct graph_call *call, struct error *e)
{
    int64_t until = clock_mono_ms() + ASKING_CALL_MS;
    a->wait.deadline_ms = until < a->end_ms ? until : a->end_ms;
    return graph_call_wait(call, &a->wait, e);
}
