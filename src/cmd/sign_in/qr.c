#include "qr.h"

#include "config.h"

#ifdef HAVE_QRENCODE

#include <langinfo.h>
#include <locale.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUIET_ZONE 4 /* modules of light around it (ISO/IEC 18004) */
#define INDENT     2

/* Black on white whatever the colours of the terminal: many readers want it so. */
#define COLOURS     "\033[38;5;16;48;5;231m"
#define COLOURS_OFF "\033[0m"

static bool speaks_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    if (!locale)
        return false;
    bool utf8 = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    freelocale(locale);
    return utf8;
}

static bool has_room(FILE *out, int columns, int lines)
{
    const char *kind = getenv("TERM");
    struct winsize size;
    return isatty(fileno(out)) && kind && strcmp(kind, "dumb") != 0 && speaks_utf8() &&
           ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= columns &&
           size.ws_row >= lines;
}

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1);
}

/* Two rows of modules in each line. */
static void print_lines(FILE *out, const QRcode *code)
{
    static const char *const halves[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
    for (int y = -QUIET_ZONE; y < code->width + QUIET_ZONE; y += 2) {
        fprintf(out, "%*s%s", INDENT, "", COLOURS);
        for (int x = -QUIET_ZONE; x < code->width + QUIET_ZONE; x++)
            fputs(halves[is_dark(code, x, y)][is_dark(code, x, y + 1)], out);
        fputs(COLOURS_OFF "\n", out);
    }
}

void qr_print(FILE *out, const char *text, int lines_beside)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    int modules = code ? code->width + 2 * QUIET_ZONE : 0;
    if (code && has_room(out, INDENT + modules, (modules + 1) / 2 + lines_beside))
        print_lines(out, code);
    QRcode_free(code);
}

#else

void qr_print(FILE *out, const char *text, int lines_beside)
{
    (void)out;
    (void)text;
    (void)lines_beside;
}

#endif
