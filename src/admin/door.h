/*
 * The listening socket of the admin endpoint.
 */
#ifndef ADMIN_DOOR_H
#define ADMIN_DOOR_H

#include "postern/base/config.h"
#include "postern/base/error.h"

/* Binds the admin address of a config, which has one, and listens; -1: `e` says why not. */
int admin_door_open(const struct config *config, struct error *e);
/* Its port, which the kernel chose where the config says 0. */
unsigned admin_door_port(int fd);

#endif
