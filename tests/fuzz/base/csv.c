/* CSV: what was read can be written, and is then read the same, formulas aside. */
#include "../fuzz.h"

#include "postern/base/csv.h"

#include <string.h>

static void put_record(const struct csv_record *record, struct buf *out)
{
    buf_puts(out, "first\n"); /* what looks like a byte order mark is one in the first line only */
    for (size_t i = 0; i < record->count; i++) {
        if (i)
            buf_putc(out, ',');
        csv_put(out, record->fields[i]);
    }
    /* A record of one empty field would be an empty line, which is no record. */
    if (record->count == 1 && !record->fields[0][0])
        buf_puts(out, "\"\"");
    buf_putc(out, '\n');
}

/* But for the apostrophe before a formula. */
static bool same(const char *field, const char *again)
{
    bool guarded = *field && strchr("=+-@\t\r", *field);
    return (!guarded || *again == '\'') && strcmp(field, again + guarded) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct error e = ERROR_INIT;
    struct csv csv, again;
    struct csv_record record, twin;
    enum csv_result result;
    csv_open(&csv, (const char *)data, size);
    while ((result = csv_next(&csv, a, &record, &e)) == CSV_RECORD) {
        struct buf text = BUF_INIT(4 * size + 8 * CSV_FIELDS_MAX);
        FUZZ_CHECK(record.count > 0 && record.count <= CSV_FIELDS_MAX && record.line > 0);
        put_record(&record, &text);
        csv_open(&again, buf_str(&text), text.len);
        FUZZ_CHECK(csv_next(&again, a, &twin, &e) == CSV_RECORD && twin.count == 1);
        FUZZ_CHECK(csv_next(&again, a, &twin, &e) == CSV_RECORD && twin.count == record.count);
        for (size_t i = 0; i < record.count; i++)
            FUZZ_CHECK(same(record.fields[i], twin.fields[i]));
        buf_free(&text);
    }
    FUZZ_CHECK(result == CSV_END || e.kind == ERROR_ANSWER);
    FUZZ_CHECK(csv_next(&csv, a, &record, &e) == CSV_END);
    arena_free(&a);
    return 0;
}
