/* A QR code on the terminal, for the telephone that will do the signing in. */
#ifndef POSTERN_CMD_QR_H
#define POSTERN_CMD_QR_H

#include <stdio.h>

/* Prints it, each line indented. Nothing is printed if `out` is no terminal that shows UTF-8 and
 * has room for it and so many lines beside it, or if postern was built without libqrencode. */
void qr_print(FILE *out, const char *text, int lines_beside);

#endif
