#include "props.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const type_names[] = {
    [PROP_INTEGER] = "Integer", [PROP_LONG] = "Long",     [PROP_STRING] = "String",
    [PROP_BOOLEAN] = "Boolean", [PROP_BINARY] = "Binary", [PROP_SYSTEMTIME] = "SystemTime",
    [PROP_CLSID] = "CLSID",     [PROP_DOUBLE] = "Double",
};

static bool parse_hex(const char *s, uint32_t max, uint32_t *out)
{
    if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X') || !isxdigit((unsigned char)s[2]))
        return false;
    char *end;
    errno = 0;
    unsigned long n = strtoul(s + 2, &end, 16);
    if (errno || *end || n > max)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool parse_guid(const char *s, char out[37])
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
        out[i] = (char)tolower((unsigned char)s[i]);
    }
    out[36] = '\0';
    return true;
}

bool prop_id_parse(const char *text, struct prop_id *id)
{
    memset(id, 0, sizeof *id);
    size_t word = strcspn(text, " ");
    size_t type = 0;
    while (strlen(type_names[type]) != word || strncasecmp(type_names[type], text, word) != 0) {
        if (++type == sizeof type_names / sizeof type_names[0])
            return false;
    }
    id->type = (enum prop_type)type;
    if (text[word] != ' ')
        return false;
    text += word + 1;
    if (*text != '{')
        return parse_hex(text, 0xffff, &id->number);
    if (strlen(text) < 39 || !parse_guid(text + 1, id->guid) || text[37] != '}' || text[38] != ' ')
        return false;
    text += 39;
    if (strncasecmp(text, "Id ", 3) == 0) {
        id->kind = PROP_ID;
        return parse_hex(text + 3, 0xffff, &id->number);
    }
    if (strncasecmp(text, "Name ", 5) != 0 || !text[5] || strlen(text + 5) > PROP_NAME_MAX)
        return false;
    id->kind = PROP_NAME;
    snprintf(id->name, sizeof id->name, "%s", text + 5);
    return true;
}

void prop_id_format(const struct prop_id *id, char out[PROP_ID_SIZE])
{
    const char *type = type_names[id->type];
    if (id->kind == PROP_TAG)
        snprintf(out, PROP_ID_SIZE, "%s 0x%x", type, (unsigned)id->number);
    else if (id->kind == PROP_ID)
        snprintf(out, PROP_ID_SIZE, "%s {%s} Id 0x%x", type, id->guid, (unsigned)id->number);
    else
        snprintf(out, PROP_ID_SIZE, "%s {%s} Name %s", type, id->guid, id->name);
}

static bool is_whole_number(enum prop_type type)
{
    return type == PROP_INTEGER || type == PROP_LONG;
}

bool prop_id_same(const struct prop_id *a, const struct prop_id *b)
{
    bool types = a->type == b->type || (is_whole_number(a->type) && is_whole_number(b->type));
    return types && a->kind == b->kind && a->number == b->number && strcmp(a->guid, b->guid) == 0 &&
           strcmp(a->name, b->name) == 0;
}

static bool fits_number(const char *value, long long min, long long max)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    return !errno && end != value && !*end && n >= min && n <= max;
}

static bool fits_base64(const char *value)
{
    struct buf out = BUF_INIT(PROP_VALUE_MAX);
    bool ok = base64_decode(value, strlen(value), &out);
    buf_free(&out);
    return ok;
}

bool prop_value_fits(enum prop_type type, const char *value)
{
    char guid[37];
    char *end;
    int64_t when;
    switch (type) {
    case PROP_INTEGER:
        return fits_number(value, INT32_MIN, INT32_MAX);
    case PROP_LONG:
        return fits_number(value, INT64_MIN, INT64_MAX);
    case PROP_DOUBLE:
        strtod(value, &end);
        return end != value && !*end;
    case PROP_BOOLEAN:
        return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0;
    case PROP_SYSTEMTIME:
        return clock_parse_iso(value, strlen(value), &when);
    case PROP_CLSID:
        return strlen(value) == 36 && parse_guid(value, guid);
    case PROP_BINARY:
        return fits_base64(value);
    case PROP_STRING:
        return strlen(value) <= PROP_VALUE_MAX;
    }
    return false;
}

static struct prop *find(const struct prop_set *set, const struct prop_id *id)
{
    for (size_t i = 0; i < set->count; i++) {
        if (prop_id_same(&set->items[i].id, id))
            return &set->items[i];
    }
    return NULL;
}

const char *prop_get(const struct prop_set *set, const struct prop_id *id)
{
    const struct prop *p = find(set, id);
    return p ? p->value : NULL;
}

void prop_put(struct prop_set *set, const struct prop_id *id, const char *value)
{
    struct prop *p = find(set, id);
    if (!p) {
        set->items = xreallocarray(set->items, set->count + 1, sizeof *set->items);
        p = &set->items[set->count++];
        *p = (struct prop){.id = *id};
    }
    free(p->value);
    p->value = xstrdup(value);
}

void prop_copy(struct prop_set *to, const struct prop_set *from)
{
    for (size_t i = 0; i < from->count; i++)
        prop_put(to, &from->items[i].id, from->items[i].value);
}

void prop_free(struct prop_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i].value);
    free(set->items);
    *set = (struct prop_set){0};
}
