#include "grid.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define GAP      2
#define CELL_MAX 4096

struct grid {
    const struct grid_column *columns;
    size_t column_count;
    char **cells; /* the titles are the first row */
    size_t count;
    size_t cap;
};

struct grid *grid_new(const struct grid_column *columns, size_t count)
{
    struct grid *g = xcalloc(1, sizeof *g);
    g->columns = columns;
    g->column_count = count;
    for (size_t i = 0; i < count; i++)
        grid_put(g, columns[i].title);
    return g;
}

void grid_free(struct grid **grid)
{
    struct grid *g = *grid;
    if (!g)
        return;
    for (size_t i = 0; i < g->count; i++)
        free(g->cells[i]);
    free(g->cells);
    free(g);
    *grid = NULL;
}

void grid_put(struct grid *g, const char *text)
{
    if (g->count == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 64;
        g->cells = xreallocarray(g->cells, g->cap, sizeof *g->cells);
    }
    g->cells[g->count++] = xstrdup(text);
}

/* Columns that the next character takes on the terminal, and its bytes. */
static unsigned character(const char *s, bool utf8, size_t *len)
{
    wchar_t wide;
    mbstate_t state = {0};
    *len = text_utf8_len(s);
    if (*len <= 1 || !utf8)
        return 1;
    if (mbrtowc(&wide, s, *len, &state) > *len)
        return 1;
    int columns = wcwidth(wide);
    return columns >= 0 ? (unsigned)columns : 1;
}

static unsigned width_of(const char *s, bool utf8)
{
    unsigned width = 0;
    for (size_t len; *s; s += len ? len : 1)
        width += character(s, utf8, &len);
    return width;
}

static void measure(const struct grid *g, bool utf8, unsigned *widths)
{
    memset(widths, 0, g->column_count * sizeof *widths);
    for (size_t i = 0; i < g->count; i++) {
        unsigned width = width_of(g->cells[i], utf8);
        if (width > widths[i % g->column_count])
            widths[i % g->column_count] = width;
    }
}

/* Takes from the widest column, one by one, until all fit or none gives any more. */
static void squeeze(const struct grid *g, unsigned width, unsigned *widths)
{
    unsigned total = (unsigned)(g->column_count - 1) * GAP;
    for (size_t i = 0; i < g->column_count; i++)
        total += widths[i];
    for (; total > width; total--) {
        size_t widest = g->column_count;
        for (size_t i = 0; i < g->column_count; i++) {
            bool gives = g->columns[i].least && widths[i] > g->columns[i].least;
            if (gives && (widest == g->column_count || widths[i] > widths[widest]))
                widest = i;
        }
        if (widest == g->column_count)
            return;
        widths[widest]--;
    }
}

/* Appends a cell that fills its width, unless it is the last of its row. */
static void put_cell(const struct grid_column *column, const char *text, unsigned width, bool utf8,
                     bool last, struct buf *out)
{
    unsigned whole = width_of(text, utf8), put = 0;
    unsigned room = whole > width ? width - 1 : width;
    for (; column->right && put + whole < width; put++)
        buf_putc(out, ' ');
    for (size_t len; *text; text += len ? len : 1) {
        unsigned columns = character(text, utf8, &len);
        if (put + columns > room)
            break;
        if (len == 0 || (len > 1 && !utf8))
            buf_putc(out, '?');
        else
            buf_append(out, text, len);
        put += columns;
    }
    if (whole > width) {
        buf_putc(out, '~');
        put++;
    }
    for (; !last && put < width + GAP; put++)
        buf_putc(out, ' ');
}

void grid_print(const struct grid *g, unsigned width, FILE *out)
{
    unsigned *widths = xcalloc(g->column_count, sizeof *widths);
    bool utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    struct buf line = BUF_INIT(g->column_count * CELL_MAX);
    measure(g, utf8, widths);
    if (width)
        squeeze(g, width, widths);
    for (size_t i = 0; i < g->count; i++) {
        size_t column = i % g->column_count;
        bool last = column + 1 == g->column_count;
        put_cell(&g->columns[column], g->cells[i], widths[column], utf8, last, &line);
        if (last) {
            fprintf(out, "%s\n", buf_str(&line));
            buf_clear(&line);
        }
    }
    buf_free(&line);
    free(widths);
}

unsigned grid_terminal_width(FILE *out)
{
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
