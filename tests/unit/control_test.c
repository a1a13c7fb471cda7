/*
 * control_test.c - the control page is input: what is sound is taken, each damage is
 * found, and what a newer version may do is distinguished from damage.
 */
#include "harness/check.h"

#include <stdio.h>
#include <string.h>

#include <mmf/list.h>

#include "base/name.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"

enum { CAPACITY = 10000, DATA_SIZE = 65536 };

static void
parse(const char *text, struct mmf_name *name)
{
    CHECK_OK(mmf_name_parse(text, "mapName", name));
}

static void
fill_with(const char *text, const char *command, struct mmf_control_shared *page)
{
    struct mmf_name name;
    struct mmf_control_request request = {
        .name = &name,
        .capacity = CAPACITY,
        .created = 1700000000000000000,
        .kind = MMF_KIND_MAP,
        .protection = MMF_ACCESS_READ_WRITE,
        .creator_uid = 1000,
        .creator_pid = 4711,
        .creator_command = command,
    };

    parse(text, &name);
    memset(page, 0xAA, sizeof(*page));
    mmf_control_fill(&request, page);
}

static void
fill(struct mmf_control_shared *page)
{
    fill_with("Global\\Cat", "process_a", page);
}

TEST(the_page_stands_at_the_next_64_kib)
{
    static const int64_t cases[][2] = {
        {1, 65536},
        {10000, 65536},
        {65535, 65536},
        {65536, 65536},
        {65537, 131072},
        {(int64_t)1 << 40, (int64_t)1 << 40},
        {MMF_CAPACITY_MAX - 1, MMF_CAPACITY_MAX},
        {MMF_CAPACITY_MAX, MMF_CAPACITY_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_INT(mmf_control_offset(cases[i][0]), cases[i][1]);
    /* The whole file of the largest map lies before the locks. */
    CHECK(mmf_control_offset(MMF_CAPACITY_MAX) + MMF_CONTROL_SIZE < MMF_LOCK_HOLD);
}

TEST(the_lock_ranges_do_not_meet)
{
    CHECK(MMF_LOCK_HOLD + MMF_LOCK_RANGE <= MMF_LOCK_READERS);
    CHECK(MMF_LOCK_READERS + MMF_LOCK_RANGE <= MMF_LOCK_SELF);
    CHECK(MMF_LOCK_SELF <= INT64_MAX - MMF_LOCK_RANGE);
}

TEST(a_filled_page_is_sound)
{
    struct mmf_control_shared page;
    struct mmf_name name;

    fill(&page);
    CHECK_INT(mmf_control_is_ours(&page), 1);
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "map \"Cat\""));
    CHECK_INT(page.layout_version, MMF_LAYOUT_VERSION);
    CHECK_INT(page.kind, MMF_KIND_MAP);
    CHECK_INT(page.required, 0);
    CHECK_INT(page.optional, 0);
    CHECK_INT(page.capacity, CAPACITY);
    CHECK_INT(page.protection, MMF_ACCESS_READ_WRITE);
    CHECK_INT(page.flags, 0);
    CHECK_INT(page.created, 1700000000000000000);
    CHECK_INT(page.creator_uid, 1000);
    CHECK_INT(page.creator_pid, 4711);
    CHECK_TEXT(page.creator_command, "process_a");
    CHECK_INT(page.scope, MMF_SCOPE_GLOBAL);
    CHECK_INT(page.name_length, 3);
    CHECK_TEXT(page.name, "Cat");
    CHECK(page.tickets >= 1);
    parse("Global\\Cat", &name);
    CHECK_INT(mmf_control_has_name(&page, &name), 1);
}

/* No byte of the page is left as it was before: files are not windows on old memory. */
TEST(every_byte_is_written)
{
    struct mmf_control_shared page;
    const uint8_t *bytes = (const uint8_t *)&page;

    fill(&page);
    for (size_t i = 0; i < sizeof(page); i++)
        CHECK(bytes[i] != 0xAA);
}

TEST(a_long_command_is_cut)
{
    struct mmf_control_shared page;

    fill_with("Cat", "a_command_longer_than_16_bytes", &page);
    CHECK_TEXT(page.creator_command, "a_command_longe");
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
}

TEST(the_longest_name_fits)
{
    struct mmf_control_shared page;
    char text[MMF_NAME_MAX + 1];
    struct mmf_name name;

    memset(text, 'x', MMF_NAME_MAX);
    text[MMF_NAME_MAX] = '\0';
    fill_with(text, "it", &page);
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
    parse(text, &name);
    CHECK_INT(mmf_control_has_name(&page, &name), 1);
}

TEST(another_name_is_not_this_one)
{
    static const char *const others[] = {"Cat",          "Local\\Cat",  "Global\\Ca",
                                         "Global\\Cats", "Global\\cat", "Global\\Cat ",
                                         "Global\\Dog"};
    struct mmf_control_shared page;
    struct mmf_name name;

    fill(&page);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        parse(others[i], &name);
        CHECK_INT(mmf_control_has_name(&page, &name), 0);
    }
}

TEST(any_other_magic_is_not_ours)
{
    struct mmf_control_shared page;

    fill(&page);
    for (size_t i = 0; i < sizeof(page.magic); i++) {
        page.magic[i] ^= 0x20;
        CHECK_INT(mmf_control_is_ours(&page), 0);
        CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_CORRUPT);
        page.magic[i] ^= 0x20;
    }
    memset(&page, 0, sizeof(page));
    CHECK_INT(mmf_control_is_ours(&page), 0);
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_CORRUPT);
}

/* A newer version's page is no damage, whatever else has changed with it. */
TEST(newer_is_told_from_damaged)
{
    struct mmf_control_shared page;

    fill(&page);
    page.layout_version = MMF_LAYOUT_VERSION + 1;
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_LAYOUT);
    memset(&page.kind, 0xFF, sizeof(page) - offsetof(struct mmf_control_shared, kind));
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_LAYOUT);
    CHECK_INT(mmf_control_is_ours(&page), 1);

    for (int bit = 0; bit < 32; bit++) {
        fill(&page);
        page.required = (uint32_t)1 << bit;
        CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_LAYOUT);
        page.required = 0;
        page.optional = (uint32_t)1 << bit;
        CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
    }
}

static void
set_name_length(struct mmf_control_shared *page, uint32_t length)
{
    page->name_length = length;
}

TEST(damage_is_found)
{
    struct mmf_control_shared page;

#define FINDS(damage)                                                                  \
    do {                                                                               \
        fill(&page);                                                                   \
        damage;                                                                        \
        CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "map \"Cat\""),                \
                    MMF_E_CORRUPT);                                                    \
        CHECK(strstr(mmf_last_message(), "map \"Cat\"") != NULL);                      \
    } while (0)
    FINDS(set_name_length(&page, 0));
    FINDS(set_name_length(&page, 2)); /* the name does not end there */
    FINDS(set_name_length(&page, 4)); /* it ends before */
    FINDS(set_name_length(&page, MMF_NAME_MAX + 1));
    FINDS(set_name_length(&page, UINT32_MAX));
    FINDS(memset(page.name, 'x', sizeof(page.name)); page.name_length = MMF_NAME_MAX);
    FINDS(memset(page.name, 'x', sizeof(page.name));
          page.name_length = MMF_NAME_MAX + 1);
    FINDS(page.kind = MMF_KIND_UNKNOWN);
    FINDS(page.kind = UINT32_MAX);
    FINDS(page.protection = MMF_ACCESS_WRITE); /* no creator may give that */
    FINDS(page.protection = MMF_ACCESS_READ_WRITE_EXECUTE + 1);
    FINDS(page.protection = UINT32_MAX);
    FINDS(page.flags = 4);
    FINDS(page.flags = UINT32_MAX);
    FINDS(page.scope = MMF_SCOPE_GLOBAL + 1);
    FINDS(page.scope = UINT32_MAX);
    FINDS(memset(page.creator_command, 'x', sizeof(page.creator_command)));
    FINDS(page.capacity = 0);
    FINDS(page.capacity = -1);
    FINDS(page.capacity = INT64_MIN);
    FINDS(page.capacity = INT64_MAX);
    FINDS(page.capacity = MMF_CAPACITY_MAX + 1);
    FINDS(page.capacity = DATA_SIZE + 1);
#undef FINDS
}

TEST(the_file_has_the_size_that_the_page_says)
{
    struct mmf_control_shared page;

    fill(&page);
    CHECK_FAILS(mmf_control_check(&page, 0, "it"), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_control_check(&page, CAPACITY, "it"), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE - 1, "it"), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE + 1, "it"), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_control_check(&page, 2 * DATA_SIZE, "it"), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_control_check(&page, -1, "it"), MMF_E_CORRUPT);
    page.capacity = DATA_SIZE;
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
}

/* A map of a file: the capacity is the file's, the data is the reference. */
TEST(a_reference_to_a_file_has_its_own_size)
{
    struct mmf_control_shared page;

    fill(&page);
    page.flags = MMF_CONTROL_FILE_REF;
    page.capacity = (int64_t)1 << 40;
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
    CHECK_FAILS(mmf_control_check(&page, page.capacity, "it"), MMF_E_CORRUPT);
    page.capacity = 0;
    CHECK_FAILS(mmf_control_check(&page, DATA_SIZE, "it"), MMF_E_CORRUPT);
}

/* Reading damaged pages of every sort must end in an answer. */
TEST(no_single_byte_matters_to_safety)
{
    struct mmf_control_shared page;
    uint8_t *bytes = (uint8_t *)&page;

    fill(&page);
    for (size_t i = 0; i < sizeof(page); i++) {
        for (int bit = 0; bit < 8; bit++) {
            int rc;

            bytes[i] ^= (uint8_t)(1 << bit);
            rc = mmf_control_check(&page, DATA_SIZE, "it");
            CHECK(rc == MMF_OK || rc == MMF_E_LAYOUT || rc == MMF_E_CORRUPT);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
    CHECK_OK(mmf_control_check(&page, DATA_SIZE, "it"));
}
