/*
 * A table for the terminal: columns as wide as what stands in them, squeezed where the terminal is
 * narrower. One thread.
 */
#ifndef POSTERN_CMD_GRID_H
#define POSTERN_CMD_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct grid_column {
    const char *title;
    unsigned least; /* it is not squeezed below that; 0: not at all */
    bool right;     /* numbers */
};

struct grid;

/* The columns outlive it. */
struct grid *grid_new(const struct grid_column *columns, size_t count);
void grid_free(struct grid **g);
/* The next cell, row by row; copied. UTF-8 without control characters. */
void grid_put(struct grid *g, const char *text);
/* `width` in columns of the terminal, 0: as wide as it takes. Text that is cut ends with "~". Where
 * the locale has no UTF-8, what is not ASCII is written as '?'. */
void grid_print(const struct grid *g, unsigned width, FILE *out);
/* 0: it is none. */
unsigned grid_terminal_width(FILE *out);

#endif
