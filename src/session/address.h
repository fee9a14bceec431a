/*
 * Client addresses as text and as keys of limits.
 */
#ifndef SESSION_ADDRESS_H
#define SESSION_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ADDRESS_SIZE 64

/* "192.0.2.7", "2001:db8::1"; an IPv4-mapped address as IPv4; "local" for other families. */
void address_format(const struct sockaddr *address, char out[ADDRESS_SIZE]);
/* Whom limits count as one: an IPv4 address, or the /64 that an IPv6 host may choose from. */
void address_key(const struct sockaddr *address, char out[ADDRESS_SIZE]);
bool address_loopback(const struct sockaddr *address);
/* 0 for other families. */
in_port_t address_port(const struct sockaddr *address);
/* Same family, address and port; of Unix sockets the path. */
bool address_equal(const struct sockaddr *a, const struct sockaddr *b);

#endif
