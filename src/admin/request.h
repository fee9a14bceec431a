/*
 * Which requests the admin endpoint answers, and with what. Pure functions.
 */
#ifndef ADMIN_REQUEST_H
#define ADMIN_REQUEST_H

#include <stdbool.h>

enum admin_view { ADMIN_PAGE, ADMIN_HEALTH, ADMIN_METRICS };

/* Does a Host header (RFC 9110 section 7.2; NULL: there is none) name this machine's loopback:
 * "localhost", 127.0.0.0/8 or [::1], with any port or none? What comes by another name comes from
 * a page of another site that had its name point here. */
bool admin_host_is_ours(const char *host);

/* 200, and *view is what to show; 403, 404 or 405: why not. */
unsigned admin_request(const char *method, const char *host, const char *path,
                       enum admin_view *view);

#endif
