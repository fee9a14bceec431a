#include "url.h"

#include <curl/curl.h>
#include <string.h>

/* Segments of the log longer than this are ids; so much of their end is shown. */
#define SHOWN_SEGMENT_MAX 32
#define SHOWN_ID_TAIL     12
#include <strings.h>

static bool unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static bool put_escaped(struct buf *out, const char *text, const char *keep)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool ok = unreserved(*p) || strchr(keep, *p) ? buf_putc(out, (char)*p)
                                                     : buf_printf(out, "%%%02X", *p);
        if (!ok)
            return false;
    }
    return true;
}

bool url_put_segment(struct buf *out, const char *text)
{
    return put_escaped(out, text, "");
}

bool url_put_query(struct buf *out, const char *text)
{
    return put_escaped(out, text, "$,()'/:=");
}

bool url_put_form(struct buf *out, const char *text)
{
    return put_escaped(out, text, "");
}

bool url_put_odata_string(struct buf *out, const char *text)
{
    buf_putc(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_putc(out, '\'');
        buf_putc(out, *text);
    }
    return buf_putc(out, '\'');
}

struct origin {
    char *scheme;
    char *host;
    char *port;
};

static void origin_free(struct origin *o)
{
    curl_free(o->scheme);
    curl_free(o->host);
    curl_free(o->port);
}

/* Reads with the parser that the transfer will use, so that both see the same host. */
static const char *origin_read(const char *url, struct origin *o)
{
    char *user = NULL, *password = NULL;
    const char *fault = NULL;
    CURLU *u = curl_url();
    if (!u)
        return "(out of memory)";
    if (curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &o->scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &o->host, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        fault = "(not a URL)";
    else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK ||
             curl_url_get(u, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK)
        fault = "(user information)";
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(u);
    return fault;
}

static bool plain_characters(const char *link)
{
    for (const unsigned char *p = (const unsigned char *)link; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '\\' || *p == '#')
            return false;
    }
    return true;
}

/* Written out in full: libcurl would also take one slash or three, and escapes in the host. */
static bool plain_authority(const char *link)
{
    if (strncasecmp(link, "https://", 8) != 0)
        return false;
    size_t n = strcspn(link + 8, "/?#");
    return n > 0 && !memchr(link + 8, '%', n) && !memchr(link + 8, '@', n);
}

bool url_is_https(const char *link)
{
    struct origin o = {0};
    bool ok = strlen(link) <= URL_LINK_MAX && plain_characters(link) && plain_authority(link) &&
              !origin_read(link, &o) && strcasecmp(o.scheme, "https") == 0;
    origin_free(&o);
    return ok;
}

bool url_same_origin(const char *link, const char *origin, struct buf *host)
{
    struct origin want = {0}, have = {0};
    bool same = false;
    const char *fault = NULL;
    if (strlen(link) > URL_LINK_MAX)
        fault = "(too long)";
    else if (!plain_characters(link))
        fault = "(characters that no URL has)";
    else if (!plain_authority(link))
        fault = "(no plain https:// and host)";
    else if (origin_read(origin, &want))
        fault = "(the configured graph-url is not a URL)";
    else
        fault = origin_read(link, &have);
    if (!fault)
        same = strcasecmp(have.scheme, "https") == 0 && strcasecmp(want.scheme, "https") == 0 &&
               strcasecmp(have.host, want.host) == 0 && strcmp(have.port, want.port) == 0;
    if (fault)
        buf_puts(host, fault);
    else
        buf_printf(host, "%s://%s:%s", have.scheme, have.host, have.port);
    origin_free(&want);
    origin_free(&have);
    return same;
}

/* Ids have 150 characters; their beginnings are alike, so some of the end is shown. */
static void put_short(struct buf *out, const char *segment, size_t len)
{
    if (len > SHOWN_SEGMENT_MAX) {
        buf_puts(out, "…");
        segment += len - SHOWN_ID_TAIL;
        len = SHOWN_ID_TAIL;
    }
    buf_append(out, segment, len);
}

bool url_put_shown(struct buf *out, const char *path_or_link)
{
    const char *p = strstr(path_or_link, "://");
    if (p) {
        const char *user = strstr(p, "/users/");
        p = user ? user + strlen("/users/") : p + 3;
        p += strcspn(p, "/?");
    } else {
        p = path_or_link;
    }
    buf_puts(out, "/users/…");
    while (*p == '/') {
        size_t n = strcspn(++p, "/?");
        buf_putc(out, '/');
        put_short(out, p, n);
        p += n;
    }
    return !out->overflow;
}
