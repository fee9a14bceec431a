/* A QR code on the terminal, for the telephone that will do the signing in. */
#ifndef POSTERN_CMD_QR_H
#define POSTERN_CMD_QR_H

#include <stdbool.h>
#include <stdio.h>

/* Prints it, each line indented. False: nothing was printed, since `out` is no terminal that shows
 * UTF-8 and is wide enough, or since postern was built without libqrencode. */
bool qr_print(FILE *out, const char *text);

#endif
