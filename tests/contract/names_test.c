/*
 * names_test.c - what a name is, and which names are one: rule 3.6.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
        REFUSES_OPEN(names[i], NULL, MMF_E_NOT_FOUND, NULL);
    }
    free(maps);
}

/* A name that something else than a map has. */
static void
check_other_kind(const char *name)
{
    char path[FILE_PATH_SIZE];
    const char *other = strcmp(name, "Cat") == 0 ? "Local\\Cat" : name;

    REFUSES_CREATE_NEW(other, 4096, NULL, MMF_E_WRONG_KIND, NULL);
    REFUSES_CREATE_OR_OPEN(other, 4096, NULL, MMF_E_WRONG_KIND, NULL);
    REFUSES_CREATE_OR_OPEN(other, 4096, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_WRONG_KIND,
                           NULL);
    REFUSES_OPEN(other, NULL, MMF_E_WRONG_KIND, NULL);
    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, other, 4096, NULL, MMF_E_WRONG_KIND, NULL);
    CHECK_INT(file_length(path), -1);
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, other, 0, NULL, MMF_E_WRONG_KIND, NULL);
    remove_file(path);
}

static void
check_one_namespace(const char *name)
{
    mmf_semaphore *semaphore = NULL;
    mmf_mutex *mutex = NULL;
    mmf_event *event = NULL;
    int created = 0;
    mmf_map *map;

    CHECK_OK(mmf_mutex_create_or_open(name, 0, NULL, &created, &mutex));
    check_other_kind(name);
    mmf_mutex_close(mutex);
    CHECK_OK(mmf_event_create_or_open(name, 0, MMF_EVENT_AUTO_RESET, NULL, &created,
                                      &event));
    check_other_kind(name);
    mmf_event_close(event);
    CHECK_OK(mmf_semaphore_create_or_open(name, 0, 1, NULL, &created, &semaphore));
    check_other_kind(name);
    mmf_semaphore_close(semaphore);
    map = create_new(name, 4096, NULL);
    mutex = UNTOUCHED;
    CHECK_FAILS(mmf_mutex_create_or_open(name, 0, NULL, &created, &mutex),
                MMF_E_WRONG_KIND);
    CHECK_FAILS(mmf_mutex_open_existing(name, NULL, &mutex), MMF_E_WRONG_KIND);
    CHECK((void *)mutex == UNTOUCHED);
    mmf_map_close(map);
}

/* Maps and sync objects have one namespace. */
TEST(rule_3_6_1_names_of_other_kinds)
{
    check_one_namespace("Cat");
    check_one_namespace("Global\\Cat");
}

TEST(rule_3_6_2_same_name_same_object)
{
    mmf_map *first, *second;

    first = create_new("Cat", 4096, NULL);
    second = create_or_open("Cat", 4096, NULL);
    poke(first, 0, 1);
    CHECK_INT(byte_at(second, 0), 1);
    REFUSES_CREATE_NEW("Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    mmf_map_close(first);
    mmf_map_close(second);
}

TEST(rule_3_6_3_case_matters)
{
    static char a[] = "Cat", b[] = "cat", c[] = "CAT", d[] = "Cat ", e[] = " Cat";
    char *const names[] = {a, b, c, d, e};

    check_distinct(names, COUNT_OF(names));
}

TEST(rule_3_6_4_local_is_the_default)
{
    mmf_map *plain, *local;

    plain = create_new("Cat", 4096, NULL);
    local = open_existing("Local\\Cat", NULL);
    poke(local, 0, 8);
    CHECK_INT(byte_at(plain, 0), 8);
    REFUSES_CREATE_NEW("Local\\Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    mmf_map_close(plain);
    REFUSES_CREATE_NEW("Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    mmf_map_close(local);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}

TEST(rule_3_6_4_global_is_another_name)
{
    static char a[] = "Cat", b[] = "Global\\Cat", c[] = "Global", d[] = "Local",
                e[] = "Global\\Global", f[] = "Global\\Local";
    char *const names[] = {a, b, c, d, e, f};
    mmf_map *map;

    check_distinct(names, kernel_has_names() ? 2 : COUNT_OF(names));
    map = create_new("Global\\Cat", 4096, NULL);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    REFUSES_OPEN("Local\\Cat", NULL, MMF_E_NOT_FOUND, NULL);
    mmf_map_close(map);
}

/* All functions that take a name refuse this one. */
static void
refuse_everywhere(const char *name, int status)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_CREATE_NEW(name, 4096, NULL, status, "mapName");
    REFUSES_CREATE_OR_OPEN(name, 4096, NULL, status, "mapName");
    REFUSES_OPEN(name, NULL, status, "mapName");
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE_NEW, name, 4096, NULL, status, "mapName");
    CHECK_INT(file_length(path), -1);
}

/* A word of the kernel's own, and another behind it: paths that there are. */
static int
leads_on(const char *name)
{
    return strncmp(name, "Session\\", 8) == 0 || strstr(name, "Local\\Global\\") ||
           strstr(name, "Global\\Local\\");
}

/* The words are case-sensitive; Session\ is reserved; a backslash ends a prefix only.
 */
TEST(rule_3_6_4_other_backslashes)
{
    static const char *const names[] = {"local\\Cat",
                                        "LOCAL\\Cat",
                                        "global\\Cat",
                                        "GLOBAL\\Cat",
                                        "Session\\Cat",
                                        "Session\\1\\Cat",
                                        "\\Cat",
                                        "Cat\\",
                                        "Cat\\Dog",
                                        "Local\\Cat\\Dog",
                                        "Global\\Cat\\Dog",
                                        "Local\\\\Cat",
                                        "Global\\\\Cat",
                                        "Local\\Global\\Cat",
                                        "Global\\Local\\Cat",
                                        "\\",
                                        " Local\\Cat",
                                        "Locals\\Cat"};
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        CHECK_CONTEXT("%s", names[i]);
        if (kernel_has_names() && leads_on(names[i]))
            continue;
        refuse_everywhere(names[i], MMF_E_PATH_NOT_FOUND);
    }
    CHECK(!mmf_status_is_io_error(MMF_E_PATH_NOT_FOUND));
}

TEST(rule_3_6_4_prefix_without_a_name)
{
    refuse_everywhere("Local\\", MMF_E_INVALID);
    refuse_everywhere("Global\\", MMF_E_INVALID);
}

/* .NET's tests use forward slashes and lower case: ordinary names. */
TEST(rule_3_6_4_slashes_are_ordinary)
{
    static char a[] = "local/Cat", b[] = "global/Cat", c[] = "Local/Cat",
                d[] = "Global/Cat", e[] = "/Cat", f[] = "Cat/", g[] = "Cat", h[] = "/",
                i[] = "//", j[] = "..", k[] = ".", l[] = "../Cat", m[] = "a/../Cat",
                n[] = "./Cat", o[] = "...", p[] = "/dev/shm/Cat",
                q[] = "Global\\../Cat", r[] = "Global\\..", s[] = "Global\\/",
                t[] = "mmf.Cat", u[] = ".tmp-1";
    char *const names[] = {a, b, c, d, e, f, g, h, i, j, k,
                           l, m, n, o, p, q, r, s, t, u};

    check_distinct(names, COUNT_OF(names));
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

/* Names that look like what another name might become as a file. */
TEST(rule_3_6_names_that_resemble_encoded_ones)
{
    static char a[] = "a b", b[] = "a%20b", c[] = "a%2520b", d[] = "a%2", e[] = "%",
                f[] = "%%", g[] = "%2F", h[] = "/", i[] = "%5C", j[] = "~", k[] = "%7E",
                l[] = "%7e", m[] = "A", n[] = "%41";
    char *const names[] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n};

    check_distinct(names, COUNT_OF(names));
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
    validate_map(plain, 4096, MMF_ACCESS_READ_WRITE, 0);
    prefixed = open_existing(name, NULL); /* the prefix does not count */
    mmf_map_close(prefixed);
    mmf_map_close(plain);
    memset(name + 6, 'a', longest + 1);
    refuse_everywhere(name + 6, MMF_E_PATH_TOO_LONG);
    refuse_everywhere(name, MMF_E_PATH_TOO_LONG);
    CHECK(!mmf_status_is_io_error(MMF_E_PATH_TOO_LONG));
}

TEST(rule_3_6_6_white_space)
{
    static char a[] = " ", b[] = "  ", c[] = "\t", d[] = "\n", e[] = "\r\n", f[] = "\r",
                g[] = " \t\r\n";
    char *const names[] = {a, b, c, d, e, f, g};

    check_distinct(names, COUNT_OF(names));
}

/* UTF-8 or not: bytes are bytes. */
TEST(rule_3_6_any_encoding)
{
    static char a[] = "\xc3\xa4", b[] = "a\xcc\x88", /* two ways to write one letter */
        c[] = "\xe7\x8c\xab", d[] = "\xff", e[] = "\xc3", f[] = "\x80\x80";
    char *const names[] = {a, b, c, d, e, f};
    size_t texts = 3, i;

    check_distinct(names, kernel_has_names() ? texts : COUNT_OF(names));
    for (i = texts; kernel_has_names() && i < COUNT_OF(names); i++)
        refuse_everywhere(names[i], MMF_E_INVALID);
}

static void
open_local_name(void *payload)
{
    mmf_map *map;

    (void)payload;
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    map = create_new("Cat", 10, NULL); /* the stranger's own */
    CHECK_INT(byte_at(map, 0), 0);
    mmf_map_close(map);
    map = open_existing("Global\\Cat", NULL);
    CHECK_INT(byte_at(map, 0), 2);
    mmf_map_close(map);
    REFUSES_CREATE_NEW("Global\\Cat", 10, NULL, MMF_E_EXISTS, NULL);
}

/* "Local" is this user, "Global" all. */
TEST(rule_3_6_4_scopes_and_users)
{
    mmf_map_options options = options_with(MMF_ACCESS_READ_WRITE, 0, 0);
    mmf_map *local, *global;

    need_other_users();
    set_mode(harness_dir(), 01777);
    local = create_new("Cat", 4096, NULL);
    poke(local, 0, 1);
    options.mode = 0666;
    global = create_new("Global\\Cat", 4096, &options);
    poke(global, 0, 2);
    as_stranger(open_local_name, NULL);
    mmf_map_close(global);
    mmf_map_close(local);
}
