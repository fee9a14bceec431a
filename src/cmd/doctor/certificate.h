/*
 * What an administrator wants to know of a certificate in a PEM file: until when, for which names,
 * from whom, with which key.
 */
#ifndef POSTERN_CMD_CERTIFICATE_H
#define POSTERN_CMD_CERTIFICATE_H

#include "postern/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct certificate {
    int64_t from_ms, until_ms; /* wall clock */
    char names[512];           /* of its subjectAltName, "a.example.com, b.example.com"; "" */
    char issuer[256];
    char key[64]; /* "RSA 2048", "EC 256" */
    bool is_rsa;
    int bits;
    bool self_signed;
    size_t chain; /* certificates in the file */
};

/* Reads the first certificate of the file. False: `e` names the file. */
bool certificate_read(const char *path, struct certificate *out, struct error *e);

#endif
