/*
 * From the text of a value to its type: sizes, durations, addresses, networks, days, choices.
 */
#include "config_tree.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define VALUE_SHOWN  64 /* bytes of a value repeated in a fault */
#define VALUE_MAX    8192
#define ADDRESS_MAX  64
#define UNIX_PREFIX  "unix:"
#define PREFIX_V4    32
#define PREFIX_V6    128
#define MAPPED_BYTES 12 /* of an IPv4-mapped IPv6 address, before the IPv4 part */

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit size_units[] = {{"", 1},
                                         {"K", INT64_C(1) << 10},
                                         {"M", INT64_C(1) << 20},
                                         {"G", INT64_C(1) << 30},
                                         {"T", INT64_C(1) << 40},
                                         {NULL, 0}};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

/* Digits and a unit; a bare 0 needs none. False: not that, or over int64_t. */
static bool parse_number(const char *text, const struct unit *units, int64_t *out)
{
    int64_t n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > (INT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (*p - '0');
    }
    if (p == text)
        return false;
    for (; units->name; units++) {
        if (strcmp(p, units->name) == 0 || (*p == '\0' && n == 0)) {
            *out = n * units->factor;
            return n <= INT64_MAX / units->factor;
        }
    }
    return false;
}

bool config_parse_duration(const char *text, int64_t *ms)
{
    return parse_number(text, duration_units, ms);
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        *out = strcmp(text, yes[i]) == 0;
        if (*out || strcmp(text, no[i]) == 0)
            return true;
    }
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    int64_t n;
    if (!parse_number(text, count_units, &n) || n > UINT16_MAX)
        return false;
    *port = htons((uint16_t)n);
    return true;
}

/* An absolute path; a relative one would be another each time. */
static bool parse_unix(const char *path, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_un *un = (struct sockaddr_un *)out;
    size_t n = strlen(path);
    if (path[0] != '/' || n >= sizeof un->sun_path)
        return false;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, n);
    *len = sizeof *un;
    return true;
}

bool config_parse_address(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
    char host[ADDRESS_MAX];
    const char *colon = strrchr(text, ':');
    *out = (struct sockaddr_storage){0};
    if (strncmp(text, UNIX_PREFIX, sizeof UNIX_PREFIX - 1) == 0)
        return parse_unix(text + sizeof UNIX_PREFIX - 1, out, len);
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (host[0] == '[' && colon[-1] == ']') {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
        host[colon - text - 1] = '\0';
        v6->sin6_family = AF_INET6;
        *len = sizeof *v6;
        return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
               parse_port(colon + 1, &v6->sin6_port);
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    v4->sin_family = AF_INET;
    *len = sizeof *v4;
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1 && parse_port(colon + 1, &v4->sin_port);
}

bool config_parse_network(const char *text, struct config_network *out)
{
    char host[ADDRESS_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    int64_t prefix;
    *out = (struct config_network){0};
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    out->family = strchr(host, ':') ? AF_INET6 : AF_INET;
    unsigned most = out->family == AF_INET6 ? PREFIX_V6 : PREFIX_V4;
    if (inet_pton(out->family, host, out->address) != 1)
        return false;
    out->prefix = most;
    if (!slash)
        return true;
    if (!parse_number(slash + 1, count_units, &prefix) || prefix > most)
        return false;
    out->prefix = (unsigned)prefix;
    return true;
}

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return memcmp(a, b, bytes) == 0 && (rest == 0 || ((a[bytes] ^ b[bytes]) & mask) == 0);
}

static bool network_match(const struct config_network *nets, size_t count, int family,
                          const void *bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (nets[i].family == family && prefix_equal(nets[i].address, bytes, nets[i].prefix))
            return true;
    }
    return false;
}

/* Who comes to a Unix socket is on this machine. */
static bool local_match(const struct config_network *nets, size_t count)
{
    static const uint8_t v4[] = {127, 0, 0, 1};
    return network_match(nets, count, AF_INET, v4) ||
           network_match(nets, count, AF_INET6, &in6addr_loopback);
}

bool config_network_match(const struct config_network *nets, size_t count,
                          const struct sockaddr *address)
{
    const uint8_t *bytes;
    int family = address->sa_family;
    if (family == AF_INET) {
        bytes = (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        bytes = (const uint8_t *)v6;
        if (IN6_IS_ADDR_V4MAPPED(v6)) {
            family = AF_INET;
            bytes += MAPPED_BYTES;
        }
    } else {
        return family == AF_UNIX && local_match(nets, count);
    }
    return network_match(nets, count, family, bytes);
}

bool config_address_is_loopback(const struct sockaddr_storage *address)
{
    const struct config_network loopback[] = {
        {.family = AF_INET, .address = {127}, .prefix = 8},
        {.family = AF_INET6, .address = {[15] = 1}, .prefix = PREFIX_V6}};
    return config_network_match(loopback, 2, (const struct sockaddr *)address);
}

/* "a, b or c" */
static void list_choices(const struct settings_choice *choices, struct buf *out)
{
    for (; choices->name; choices++) {
        if (out->len > 0)
            buf_puts(out, choices[1].name ? ", " : " or ");
        buf_puts(out, choices->name);
    }
}

static void fault_value(struct config_report *r, const struct setting *s, int line,
                        const char *value, const char *want)
{
    if (s->flags & SETTING_IS_SECRET)
        config_fault(r, line, "'%s' must be %s", s->name, want);
    else
        config_fault(r, line, "'%s' must be %s, not '%.*s'", s->name, want, VALUE_SHOWN, value);
}

static void fault_choice(struct config_report *r, const struct setting *s, int line,
                         const char *value)
{
    struct buf names = BUF_INIT(VALUE_MAX);
    list_choices(s->choices, &names);
    fault_value(r, s, line, value, buf_str(&names));
    buf_free(&names);
}

static void store_number(struct config_report *r, const struct setting *s, int line,
                         const char *value, void *place)
{
    static const char *const wants[] = {[SETTING_COUNT] = "a whole number",
                                        [SETTING_SIZE] = "a size such as 64K, 10M or 2G",
                                        [SETTING_DURATION] = "a time such as 20s, 10m or 1h"};
    const struct unit *units = s->type == SETTING_COUNT  ? count_units
                               : s->type == SETTING_SIZE ? size_units
                                                         : duration_units;
    int64_t n = 0;
    if (!parse_number(value, units, &n)) {
        fault_value(r, s, line, value, wants[s->type]);
    } else if (n < s->min || n > s->max) {
        const char *unit = s->type == SETTING_COUNT  ? ""
                           : s->type == SETTING_SIZE ? " bytes"
                                                     : " milliseconds";
        config_fault(r, line, "'%s' must be from %lld to %lld%s, not '%.*s'", s->name,
                     (long long)s->min, (long long)s->max, unit, VALUE_SHOWN, value);
    } else if (s->type == SETTING_COUNT) {
        *(unsigned *)place = (unsigned)n;
    } else if (s->type == SETTING_SIZE) {
        *(size_t *)place = (size_t)n;
    } else {
        *(int64_t *)place = n;
    }
}

static void store_networks(struct config_report *r, const struct setting *s, int line,
                           char *const *values, size_t count, void *base)
{
    struct config_network **nets = (struct config_network **)((char *)base + s->offset);
    size_t *stored = (size_t *)((char *)base + s->count_offset);
    free(*nets);
    *nets = xcalloc(count, sizeof **nets);
    *stored = 0;
    for (size_t i = 0; i < count; i++) {
        if (config_parse_network(values[i], &(*nets)[*stored]))
            (*stored)++;
        else
            fault_value(r, s, line, values[i], "addresses such as 192.0.2.0/24 or 2001:db8::/32");
    }
}

static void store_set(struct config_report *r, const struct setting *s, int line,
                      char *const *values, size_t count, unsigned *place)
{
    *place = 0;
    for (size_t i = 0; i < count; i++) {
        const struct settings_choice *choice = settings_choice_find(s->choices, values[i]);
        if (choice)
            *place |= (unsigned)choice->value;
        else
            fault_choice(r, s, line, values[i]);
    }
}

/* Empty ones are left out. */
static void store_texts(const struct setting *s, char *const *values, size_t count, void *base)
{
    char ***texts = (char ***)((char *)base + s->offset);
    size_t *stored = (size_t *)((char *)base + s->count_offset);
    config_texts_free(*texts, *stored);
    *texts = xcalloc(count, sizeof **texts);
    *stored = 0;
    for (size_t i = 0; i < count; i++) {
        if (*values[i])
            (*texts)[(*stored)++] = xstrdup(values[i]);
    }
}

static void store_text(const char *value, char **place)
{
    secret_free(*place);
    *place = *value ? xstrdup(value) : NULL;
}

static bool is_printable(const char *value)
{
    for (; *value; value++) {
        if ((unsigned char)*value < 0x20 || *value == 0x7f)
            return false;
    }
    return true;
}

static void store_one(struct config_report *r, const struct setting *s, int line, const char *value,
                      void *place)
{
    const struct settings_choice *choice;
    switch (s->type) {
    case SETTING_TEXT:
        store_text(value, place);
        break;
    case SETTING_COUNT:
    case SETTING_SIZE:
    case SETTING_DURATION:
        store_number(r, s, line, value, place);
        break;
    case SETTING_BOOL:
        if (!parse_bool(value, place))
            fault_value(r, s, line, value, "yes or no");
        break;
    case SETTING_CHOICE:
        choice = settings_choice_find(s->choices, value);
        if (choice)
            *(int *)place = choice->value;
        else
            fault_choice(r, s, line, value);
        break;
    case SETTING_DAY:
        if (!clock_parse_day(value, place))
            fault_value(r, s, line, value, "a day such as 2026-01-31");
        break;
    case SETTING_SET:
    case SETTING_NETWORKS:
    case SETTING_TEXTS:
        break; /* lists go through config_store() alone */
    }
}

static void store_values(struct config_report *r, const struct setting *s, int line,
                         char *const *values, size_t count, void *base)
{
    union {
        char *text;
        int64_t number;
        int choice;
        bool flag;
    } elsewhere = {.text = NULL};
    void *place = s->offset == SETTING_ELSEWHERE ? (void *)&elsewhere : (char *)base + s->offset;
    for (size_t i = 0; i < count; i++) {
        if (strlen(values[i]) > VALUE_MAX || !is_printable(values[i])) {
            config_fault(r, line, "'%s' is too long or holds a control character", s->name);
            return;
        }
    }
    if (s->type == SETTING_NETWORKS)
        store_networks(r, s, line, values, count, base);
    else if (s->type == SETTING_SET)
        store_set(r, s, line, values, count, place);
    else if (s->type == SETTING_TEXTS)
        store_texts(s, values, count, base);
    else
        store_one(r, s, line, values[0], place);
    if (place == &elsewhere && s->type == SETTING_TEXT)
        secret_free(elsewhere.text);
}

void config_store(struct config_report *r, const struct setting *s,
                  const struct config_entry *entry, void *base)
{
    if (entry) {
        store_values(r, s, entry->line, entry->values, entry->count, base);
        return;
    }
    if (!s->fallback)
        return;
    char *text = xstrdup(s->fallback), *save = NULL;
    bool list = setting_is_list(s);
    char *values[8] = {text};
    size_t count = list ? 0 : 1;
    for (char *p = list ? strtok_r(text, ",", &save) : NULL; p && count < 8;
         p = strtok_r(NULL, ",", &save))
        values[count++] = p;
    store_values(r, s, 0, values, count, base);
    free(text);
}
