#include "sandbox.h"

#include "authorize.h"
#include "device.h"
#include "reports.h"
#include "upload.h"

#include "postern/base/clock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STALL_SLICE_MS 100

void sandbox_init(struct sandbox *s)
{
    memset(s, 0, sizeof *s);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->stopping, &attr);
    pthread_condattr_destroy(&attr);
    settings_init(&s->settings);
    journal_init(&s->journal);
    token_issuer_init(&s->tokens);
    s->auth_codes = table_new();
    s->reports.made_ms = clock_wall_ms();
    random_bytes(s->link_key, sizeof s->link_key);
}

void sandbox_free(struct sandbox *s)
{
    model_free(&s->model);
    journal_free(&s->journal);
    faults_clear(&s->faults);
    throttle_free(&s->throttle);
    uploads_free(&s->uploads);
    reports_free(&s->reports);
    free(s->graph_origin);
    free(s->upload_origin);
    device_codes_free(&s->device_codes);
    auth_codes_free(&s->auth_codes);
    EVP_PKEY_free(s->federation_key);
    token_issuer_free(&s->tokens);
    pthread_cond_destroy(&s->stopping);
    pthread_mutex_destroy(&s->lock);
}

void sandbox_pause(struct sandbox *s, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (ms > 0 && !s->stop && pthread_cond_timedwait(&s->stopping, &s->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

static bool is_stopping(struct sandbox *s)
{
    pthread_mutex_lock(&s->lock);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

void sandbox_stall(struct sandbox *s, int64_t ms, int client_fd)
{
    struct pollfd fd = {.fd = client_fd, .events = POLLRDHUP};
    while (ms > 0 && !is_stopping(s) && poll(&fd, 1, STALL_SLICE_MS) == 0)
        ms -= STALL_SLICE_MS;
}

void sandbox_stop(struct sandbox *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->stopping);
    pthread_mutex_unlock(&s->lock);
}
