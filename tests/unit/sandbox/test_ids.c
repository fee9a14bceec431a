#include "../unit.h"

#include "generator.h"
#include "ids.h"

#include <ctype.h>
#include <string.h>

static void test_survive_moves(void)
{
    struct model model = {0};
    struct mailbox *b = model_add_mailbox(&model, "a@example.com");
    struct folder *inbox = mailbox_well_known(b, "inbox");
    CU_ASSERT(generator_fill(inbox, 2, 0, 1780308000000));
    struct message *m = inbox->items[0], *found = NULL;
    char immutable[ID_SIZE], ordinary[ID_SIZE];
    bool is_immutable;
    id_message(b, m, true, immutable);
    id_message(b, m, false, ordinary);
    CU_ASSERT(strlen(ordinary) > strlen(immutable));
    message_move(m, mailbox_well_known(b, "deleteditems"));
    CU_ASSERT_EQUAL(id_find_message(b, immutable, &found, &is_immutable), ID_FOUND);
    CU_ASSERT(is_immutable && found == m);
    CU_ASSERT_EQUAL(id_find_message(b, ordinary, &found, &is_immutable), ID_GONE);
    message_destroy(m);
    CU_ASSERT_EQUAL(id_find_message(b, immutable, &found, &is_immutable), ID_GONE);
    model_free(&model);
}

static void test_forged(void)
{
    struct model model = {0};
    struct mailbox *a = model_add_mailbox(&model, "a@example.com");
    struct mailbox *b = model_add_mailbox(&model, "b@example.com");
    struct folder *f = NULL;
    struct message *m = NULL;
    char id[ID_SIZE];
    bool immutable;
    generator_fill(mailbox_well_known(a, "inbox"), 1, 0, 1780308000000);
    id_message(a, mailbox_well_known(a, "inbox")->items[0], true, id);
    CU_ASSERT_EQUAL(id_find_message(b, id, &m, &immutable), ID_MALFORMED);
    CU_ASSERT_EQUAL(id_find_folder(a, id, &f), ID_MALFORMED);
    for (char *p = id; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    CU_ASSERT_EQUAL(id_find_message(a, id, &m, &immutable), ID_MALFORMED);
    CU_ASSERT_EQUAL(id_find_message(a, "", &m, &immutable), ID_MALFORMED);
    model_free(&model);
}

static void test_generated_text(void)
{
    static const size_t sizes[] = {GENERATED_SIZE_MIN, 1025, 1100, 4096, 65537};
    struct buf one = BUF_INIT(GENERATED_SIZE_MAX), two = BUF_INIT(GENERATED_SIZE_MAX);
    for (uint32_t seed = 1; seed < 200; seed++) {
        size_t size = sizes[seed % 5];
        generator_write(seed, size, 1780308000000, &one);
        generator_write(seed, size, 1780308000000, &two);
        CU_ASSERT_EQUAL(one.len, size);
        CU_ASSERT_STRING_EQUAL(buf_str(&one), buf_str(&two));
        CU_ASSERT(memcmp(one.data + one.len - 2, "\r\n", 2) == 0);
    }
    buf_free(&one);
    buf_free(&two);
}

extern const struct unit_test ids_tests[];
const struct unit_test ids_tests[] = {
    {"immutable ids survive moves", test_survive_moves},
    {"ids that are not ours", test_forged},
    {"generated text", test_generated_text},
    {NULL, NULL},
};
