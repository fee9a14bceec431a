#include "redirect.h"

#include "postern/base/encode.h"

#include <string.h>

enum redirect_kind redirect_classify(const char *expected, const char *state, const char *code,
                                     const char *error)
{
    if (!state || !secret_equal(expected, strlen(expected), state, strlen(state)))
        return REDIRECT_NO_ANSWER;
    if (error && *error)
        return REDIRECT_ERROR;
    return code && *code ? REDIRECT_CODE : REDIRECT_NO_ANSWER;
}

void redirect_page(struct buf *out, const char *nonce, const char *title, const char *text)
{
    buf_printf(out,
               "<!DOCTYPE html>\n"
               "<html lang=\"en\">\n"
               "<head>\n"
               "<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<title>Postern</title>\n"
               "<style nonce=\"%s\">\n"
               ":root { color-scheme: light dark; }\n"
               "body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 15vh auto; "
               "max-width: 36rem; padding: 0 1.5rem; }\n"
               "h1 { font-size: 1.5rem; }\n"
               "footer { margin-top: 2rem; opacity: .7; font-size: .9rem; }\n"
               "</style>\n"
               "</head>\n"
               "<body>\n"
               "<main>\n"
               "<h1>",
               nonce);
    html_escape(title, out);
    buf_puts(out, "</h1>\n<p>");
    html_escape(text, out);
    buf_puts(out, "</p>\n</main>\n<footer>Postern, on this machine</footer>\n</body>\n</html>\n");
}
