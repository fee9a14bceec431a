#include "ids.h"

#include <stdio.h>
#include <string.h>

/* Sizes are chosen so that the encoded length resembles the real ones: about 72 characters for
 * immutable ids, about 120 for ordinary ones, each with padding at its end. */
enum {
    IMMUTABLE_BYTES = 53,
    ORDINARY_BYTES = 89,
    FOLDER_BYTES = 89,
    CONVERSATION_BYTES = 50,
    ATTACHMENT_BYTES = 74
};
/* What ids of each kind begin with: "AAkA", "AAMk", "AQMk", "AAQk". */
static const uint8_t immutable_head[3] = {0x00, 0x09, 0x00};
static const uint8_t ordinary_head[3] = {0x00, 0x03, 0x24};
static const uint8_t folder_head[3] = {0x01, 0x03, 0x24};
static const uint8_t conversation_head[3] = {0x00, 0x04, 0x24};

#define NUMBERS_AT 3
#define MAC_AT     11

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* head, serial, generation, then a digest of all that and the key, stretched to the length. */
static void make(const struct mailbox *b, const uint8_t head[3], uint32_t serial,
                 uint32_t generation, uint8_t *out, size_t len)
{
    uint8_t in[16 + MAC_AT + 1];
    memcpy(out, head, 3);
    put32(out + NUMBERS_AT, serial);
    put32(out + NUMBERS_AT + 4, generation);
    memcpy(in, b->key, 16);
    memcpy(in + 16, out, MAC_AT);
    for (size_t at = MAC_AT, round = 0; at < len; round++) {
        uint8_t digest[SHA256_SIZE];
        in[16 + MAC_AT] = (uint8_t)round;
        sha256(in, sizeof in, digest);
        size_t n = len - at < sizeof digest ? len - at : sizeof digest;
        memcpy(out + at, digest, n);
        at += n;
    }
}

static void encode(const uint8_t *raw, size_t len, char out[ID_SIZE])
{
    struct buf text = BUF_INIT(ID_SIZE);
    base64url_encode(raw, len, &text);
    while (text.len % 4 != 0)
        buf_putc(&text, '=');
    snprintf(out, ID_SIZE, "%s", buf_str(&text));
    buf_free(&text);
}

void id_message_at(const struct mailbox *b, uint32_t serial, uint32_t moves, bool immutable,
                   char out[ID_SIZE])
{
    uint8_t raw[ORDINARY_BYTES];
    size_t len = immutable ? IMMUTABLE_BYTES : ORDINARY_BYTES;
    make(b, immutable ? immutable_head : ordinary_head, serial, immutable ? 0 : moves, raw, len);
    encode(raw, len, out);
}

void id_message(const struct mailbox *b, const struct message *m, bool immutable, char out[ID_SIZE])
{
    id_message_at(b, m->serial, m->moves, immutable, out);
}

/* "AAMk…" and "AAkA…" like the message's own, which they begin with; the length differs. */
void id_attachment(const struct message *m, uint32_t serial, bool immutable, char out[ID_SIZE])
{
    uint8_t raw[ORDINARY_BYTES];
    uint8_t head[3] = {0x00, immutable ? 0x09 : 0x03, (uint8_t)m->moves};
    if (immutable)
        head[2] = 0;
    make(m->folder->mailbox, head, m->serial, serial, raw, ATTACHMENT_BYTES);
    encode(raw, ATTACHMENT_BYTES, out);
}

void id_folder(const struct folder *f, char out[ID_SIZE])
{
    uint8_t raw[FOLDER_BYTES];
    make(f->mailbox, folder_head, f->serial, 0, raw, sizeof raw);
    encode(raw, sizeof raw, out);
}

void id_conversation(const struct mailbox *b, const char *topic, char out[ID_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    uint8_t raw[CONVERSATION_BYTES];
    sha256(topic, strlen(topic), digest);
    make(b, conversation_head, get32(digest), get32(digest + 4), raw, sizeof raw);
    encode(raw, sizeof raw, out);
}

/* Decodes, and checks that these very bytes would be made again. */
static bool decode(const struct mailbox *b, const char *id, uint8_t *raw, size_t *len)
{
    struct buf bytes = BUF_INIT(ID_SIZE);
    bool ok = strlen(id) < ID_SIZE && base64url_decode(id, strlen(id), &bytes) &&
              bytes.len > MAC_AT && bytes.len <= ORDINARY_BYTES;
    if (ok) {
        uint8_t again[ORDINARY_BYTES];
        *len = bytes.len;
        memcpy(raw, bytes.data, bytes.len);
        make(b, raw, get32(raw + NUMBERS_AT), get32(raw + NUMBERS_AT + 4), again, *len);
        ok = memcmp(raw, again, *len) == 0;
    }
    buf_free(&bytes);
    return ok;
}

enum id_fault id_find_message(const struct mailbox *b, const char *id, struct message **out,
                              bool *immutable)
{
    uint8_t raw[ORDINARY_BYTES];
    size_t len;
    if (!decode(b, id, raw, &len))
        return ID_MALFORMED;
    *immutable = memcmp(raw, immutable_head, 3) == 0 && len == IMMUTABLE_BYTES;
    if (!*immutable && (memcmp(raw, ordinary_head, 3) != 0 || len != ORDINARY_BYTES))
        return ID_MALFORMED;
    uint32_t serial = get32(raw + NUMBERS_AT);
    if (serial >= b->message_count)
        return ID_MALFORMED;
    struct message *m = b->messages[serial];
    if (!m->folder || (!*immutable && m->moves != get32(raw + NUMBERS_AT + 4)))
        return ID_GONE;
    *out = m;
    return ID_FOUND;
}

enum id_fault id_find_folder(const struct mailbox *b, const char *id, struct folder **out)
{
    uint8_t raw[ORDINARY_BYTES];
    size_t len;
    if (!decode(b, id, raw, &len) || memcmp(raw, folder_head, 3) != 0 || len != FOLDER_BYTES)
        return ID_MALFORMED;
    uint32_t serial = get32(raw + NUMBERS_AT);
    if (serial >= b->folder_count)
        return ID_MALFORMED;
    if (b->folders[serial]->gone)
        return ID_GONE;
    *out = b->folders[serial];
    return ID_FOUND;
}

bool id_find_attachment(const struct message *m, const char *id, uint32_t *serial)
{
    uint8_t raw[ORDINARY_BYTES];
    size_t len;
    if (!decode(m->folder->mailbox, id, raw, &len) || len != ATTACHMENT_BYTES ||
        get32(raw + NUMBERS_AT) != m->serial)
        return false;
    *serial = get32(raw + NUMBERS_AT + 4);
    return true;
}
