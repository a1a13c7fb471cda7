/*
 * names_test.c - every byte and every length of names: rule 3.6; the rest is in
 * tests/scenarios/map.scn.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All names of `names` at once: each has its own bytes. */
static void
check_distinct(char *const *names, size_t count)
{
    mmf_map **maps = calloc(count, sizeof(*maps));
    mmf_map *again;
    size_t i;

    CHECK(maps != NULL);
    for (i = 0; i < count; i++) {
        CHECK_CONTEXT("name %zu", i);
        maps[i] = create_new(names[i], 2, NULL);
        poke(maps[i], 0, (uint8_t)i);
        poke(maps[i], 1, (uint8_t)(i >> 8));
    }
    for (i = 0; i < count; i++) {
        CHECK_CONTEXT("name %zu", i);
        again = open_existing(names[i], NULL);
        CHECK_INT(byte_at(again, 0) | byte_at(again, 1) << 8, i);
        mmf_map_close(again);
        mmf_map_close(maps[i]);
        REFUSES_OPEN(names[i], MMF_E_NOT_FOUND, NULL);
    }
    free(maps);
}

/* All functions that take a name refuse this one. */
static void
refuse_everywhere(const char *name, int status)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/f", harness_dir());
    REFUSES_CREATE_NEW(name, status, "mapName");
    REFUSES_CREATE_OR_OPEN(name, status, "mapName");
    REFUSES_OPEN(name, status, "mapName");
    REFUSES(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, name, 4096, NULL,
                                     &map_),
            status, "mapName");
    CHECK(fopen(path, "rb") == NULL);
}

/* Every byte but NUL and the backslash, alone and inside, is a name of its own. */
TEST(rule_3_6_4_any_byte)
{
    char *names[2 * 254];
    size_t count = 0;
    int byte;

    for (byte = 1; byte < 256; byte++) {
        char alone[2] = {(char)byte, '\0'};

        if (byte == '\\')
            continue;
        if (byte >= 0x80 && kernel_has_names()) {
            CHECK_CONTEXT("byte %d", byte);
            refuse_everywhere(alone, MMF_E_INVALID);
            continue;
        }
        names[count] = malloc(4);
        snprintf(names[count++], 4, "%c", byte);
        names[count] = malloc(4);
        snprintf(names[count++], 4, "x%cx", byte);
    }
    CHECK_INT(count, kernel_has_names() ? 2 * 126 : COUNT_OF(names));
    check_distinct(names, count);
    while (count > 0)
        free(names[--count]);
}

/* Lengths where a file name is or is not long enough for the name. */
TEST(rule_3_6_5_any_length)
{
    enum { STEPS = 330 };
    char *names[2 * STEPS];
    size_t count = 0;
    size_t length;

    for (length = 1; length <= STEPS; length++) {
        names[count] = calloc(1, length + 1);
        memset(names[count++], 'a', length); /* a letter is one byte of a file name */
        names[count] = calloc(1, length + 1);
        memset(names[count++], '/', length); /* a slash cannot be */
    }
    check_distinct(names, count);
    while (count > 0)
        free(names[--count]);
}

/* Long names that differ at one place. */
TEST(rule_3_6_5_long_names_differ_anywhere)
{
    static const size_t places[] = {0,   1,   100, 159,  160, 199,
                                    200, 201, 255, 1031, 3499};
    enum { LENGTH = 3500 };
    char *names[COUNT_OF(places) + 1];
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        names[i] = calloc(1, LENGTH + 1);
        memset(names[i], 'a', LENGTH);
        if (i < COUNT_OF(places))
            names[i][places[i]] = 'b';
    }
    check_distinct(names, COUNT_OF(names));
    for (i = 0; i < COUNT_OF(names); i++)
        free(names[i]);
}

TEST(rule_3_6_5_longest_name)
{
    static char name[sizeof("Global\\") + 40000];
    size_t longest = longest_name();
    size_t prefix = kernel_has_names() ? strlen("Local\\") : 0; /* counts there */
    mmf_map *plain, *prefixed;

    strcpy(name, "Local\\");
    memset(name + 6, 'a', longest - prefix);
    plain = create_new(name + 6, 4096, NULL);
    poke(plain, 4095, 1);
    prefixed = open_existing(name, NULL); /* the prefix does not count */
    CHECK_INT(byte_at(prefixed, 4095), 1);
    mmf_map_close(prefixed);
    mmf_map_close(plain);
    memset(name + 6, 'a', longest + 1);
    refuse_everywhere(name + 6, MMF_E_PATH_TOO_LONG);
    refuse_everywhere(name, MMF_E_PATH_TOO_LONG);
    CHECK(!mmf_status_is_io_error(MMF_E_PATH_TOO_LONG));
}
