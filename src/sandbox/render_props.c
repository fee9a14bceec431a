/* Extended properties that Exchange computes; all others are what was stored. */
#include "render.h"

#include "summary.h"

#include "postern/base/clock.h"

#include <string.h>

/* Exchange sums up property sizes, which is not the size of the text: a tenth and a bit more. */
#define SIZE_OVERHEAD 1500

static const char *number(struct arena *arena, int64_t n)
{
    return arena_printf(arena, "%lld", (long long)n);
}

static const char *date(struct arena *arena, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(ms, text);
    return arena_strdup(arena, text);
}

static const char *article(struct view *v)
{
    uint32_t n = v->m->article;
    switch ((enum article_mode)v->s->settings.article) {
    case ARTICLE_ABSENT:
        return NULL;
    case ARTICLE_SHUFFLED:
        /* A bijection that does not rise: the low byte is turned round. */
        return number(v->arena, (n & ~(uint32_t)0xff) + 0x100 - (n & 0xff));
    case ARTICLE_DUPLICATE:
        return number(v->arena, (n + 1) / 2);
    case ARTICLE_NORMAL:
        break;
    }
    return number(v->arena, n);
}

const char *view_transport_headers(struct view *v)
{
    struct prop_id id = {.type = PROP_STRING, .kind = PROP_TAG, .number = TAG_HEADERS};
    const char *stored = prop_get(&v->m->props, &id);
    if (stored || v->m->composed)
        return stored;
    size_t len;
    const char *head = view_head(v, &len);
    return summary_lines(v->arena, head, len);
}

/* Cut as Exchange was seen to cut long texts in lists, or without the final blank line. */
static const char *told_headers(struct view *v)
{
    const char *text = view_transport_headers(v);
    switch (text ? (enum headers_mode)v->s->settings.headers : HEADERS_ABSENT) {
    case HEADERS_FULL:
        return text;
    case HEADERS_UNENDED: {
        size_t len = strlen(text);
        while (len > 0 && (text[len - 1] == '\r' || text[len - 1] == '\n'))
            len--;
        return arena_printf(v->arena, "%.*s\r\n", (int)len, text);
    }
    case HEADERS_CUT_255:
        return summary_characters(v->arena, text, 255);
    case HEADERS_CUT_510:
        return summary_characters(v->arena, text, 510);
    case HEADERS_CUT_512:
        return summary_characters(v->arena, text, 512);
    case HEADERS_ABSENT:
        break;
    }
    return NULL;
}

static const char *from_text(struct view *v, uint32_t tag)
{
    size_t len;
    const char *head = view_head(v, &len);
    switch (tag) {
    case TAG_MESSAGE_ID:
        return summary_raw(v->arena, head, len, "Message-ID");
    case TAG_REFERENCES:
        return summary_raw(v->arena, head, len, "References");
    case TAG_IN_REPLY_TO:
        return summary_raw(v->arena, head, len, "In-Reply-To");
    case TAG_SUBMIT_TIME:
        return date(v->arena, summary_sent(head, len, v->m->received_ms));
    default:
        return NULL;
    }
}

static const char *const classes[] = {
    [KIND_MESSAGE] = "IPM.Note",
    [KIND_EVENT] = "IPM.Schedule.Meeting.Canceled",
    [KIND_REQUEST] = "IPM.Schedule.Meeting.Request",
    [KIND_RESPONSE] = "IPM.Schedule.Meeting.Resp.Pos",
    [KIND_SHARING] = "IPM.Sharing",
};

const char *render_message_prop(struct view *v, const struct prop_id *id)
{
    const struct message *m = v->m;
    const char *stored = prop_get(&m->props, id);
    if (id->kind != PROP_TAG)
        return stored;
    switch (id->number) {
    case TAG_ARTICLE:
        return article(v);
    case TAG_MESSAGE_SIZE:
        return number(v->arena, (int64_t)(m->size + m->size / 10 + SIZE_OVERHEAD));
    case TAG_MESSAGE_FLAGS:
        return number(v->arena, (m->is_read ? MESSAGE_FLAG_READ : 0) |
                                    (m->is_draft ? MESSAGE_FLAG_UNSENT : 0));
    case TAG_READ:
        return m->is_read ? "true" : "false";
    case TAG_MESSAGE_CLASS:
        return stored ? stored : classes[m->kind];
    case TAG_FLAG_STATUS:
        return m->flag ? number(v->arena, m->flag) : NULL;
    case TAG_DELIVERY_TIME:
        return date(v->arena, m->received_ms);
    case TAG_HEADERS:
        return told_headers(v);
    case TAG_CREATED:
        return date(v->arena, m->created_ms);
    case TAG_MODIFIED:
        return date(v->arena, m->modified_ms);
    default:
        return stored ? stored : from_text(v, id->number);
    }
}

const char *render_folder_prop(const struct sandbox *s, struct arena *arena, const struct folder *f,
                               const struct prop_id *id)
{
    if (id->kind != PROP_TAG)
        return prop_get(&f->props, id);
    switch (id->number) {
    case TAG_ARTICLE_NEXT:
        return s->settings.article == ARTICLE_ABSENT || s->settings.article_next_absent
                   ? NULL
                   : number(arena, f->next_article);
    case TAG_CONTAINER_CLASS:
        return prop_get(&f->props, id) ? prop_get(&f->props, id) : "IPF.Note";
    case TAG_CONTENT_COUNT:
        return number(arena, (int64_t)(f->count + f->others));
    case TAG_UNREAD_COUNT:
        return number(arena, (int64_t)(f->unread + f->others_unread));
    case TAG_HIDDEN:
        return f->hidden ? "true" : "false";
    default:
        return prop_get(&f->props, id);
    }
}
