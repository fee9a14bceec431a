/* Ids of extended (MAPI) properties. Graph page: singleValueLegacyExtendedProperty. */
#include "decode.h"
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GUID_TEXT 36

static void skip_blanks(const char **p)
{
    *p += strspn(*p, " ");
}

static bool parse_type(const char **p, char *out, size_t size)
{
    size_t n = strcspn(*p, " ");
    if (n == 0 || n >= size)
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)(*p)[i]);
    out[n] = '\0';
    *p += n;
    skip_blanks(p);
    return true;
}

static bool parse_guid(const char **p, char out[GUID_TEXT + 1])
{
    if (strnlen(*p, GUID_TEXT + 2) < GUID_TEXT + 2 || (*p)[GUID_TEXT + 1] != '}')
        return false;
    for (size_t i = 0; i < GUID_TEXT; i++)
        out[i] = (char)tolower((unsigned char)(*p)[i + 1]);
    out[GUID_TEXT] = '\0';
    *p += GUID_TEXT + 2;
    skip_blanks(p);
    return true;
}

/* "0x0E23", "0xe23": upper or lower case, leading zeros or none, to the end of the text. */
static bool parse_number(const char *p, uint32_t *out)
{
    char *end;
    if (p[0] != '0' || (p[1] != 'x' && p[1] != 'X') || !isxdigit((unsigned char)p[2]))
        return false;
    errno = 0;
    unsigned long long n = strtoull(p + 2, &end, 16);
    if (errno || n > UINT32_MAX || end[strspn(end, " ")] != '\0')
        return false;
    *out = (uint32_t)n;
    return true;
}

bool property_id_parse(const char *text, struct property_id *out)
{
    memset(out, 0, sizeof *out);
    if (!parse_type(&text, out->type, sizeof out->type))
        return false;
    if (*text != '{')
        return parse_number(text, &out->number);
    if (!parse_guid(&text, out->guid))
        return false;
    if (strncasecmp(text, "Name ", 5) == 0) {
        out->name = text + 5;
        return *out->name != '\0';
    }
    if (strncasecmp(text, "Id ", 3) != 0)
        return false;
    text += 3;
    skip_blanks(&text);
    return parse_number(text, &out->number);
}

static bool same_property(const struct property_id *a, const struct property_id *b)
{
    if (strcmp(a->type, b->type) != 0 || strcmp(a->guid, b->guid) != 0)
        return false;
    if (a->name || b->name)
        return a->name && b->name && strcmp(a->name, b->name) == 0;
    return a->number == b->number;
}

/* The element of the property array with this id, NULL if there is none. */
static struct json_object *find(struct json_object *item, const char *want, struct error *e)
{
    struct json_object *list;
    struct property_id id, wanted;
    if (!json_get_array(item, "singleValueExtendedProperties", &list, e) || !list ||
        !property_id_parse(want, &wanted))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *element = json_object_array_get_idx(list, i);
        const char *text = json_peek_string(element, "id");
        if (text && property_id_parse(text, &id) && same_property(&id, &wanted))
            return element;
    }
    return NULL;
}

bool property_find(struct json_object *item, const char *want, struct arena *a, const char **value,
                   struct error *e)
{
    *value = NULL;
    error_clear(e);
    struct json_object *element = find(item, want, e);
    if (!element)
        return e->kind == ERROR_NONE;
    return json_get_string(element, "value", a, value, e);
}

bool property_find_int(struct json_object *item, const char *want, int64_t *value, bool *present,
                       struct error *e)
{
    *present = false;
    error_clear(e);
    struct json_object *element = find(item, want, e);
    if (!element)
        return e->kind == ERROR_NONE;
    return json_get_int(element, "value", value, present, e);
}
