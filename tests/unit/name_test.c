/*
 * name_test.c - what names mean, and that no two names get one file.
 */
#include "harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

/* The file name of a name that must be legal. */
static void
file_name_of(const char *given, char file_name[MMF_FILE_NAME_SIZE])
{
    struct mmf_name name;

    CHECK_OK(mmf_name_parse(given, "mapName", &name));
    mmf_name_file_name(&name, file_name);
}

static void
check_parsed(const char *given, const char *text, enum mmf_scope scope)
{
    struct mmf_name name;

    CHECK_OK(mmf_name_parse(given, "mapName", &name));
    CHECK_INT(name.length, strlen(text));
    CHECK_BYTES(name.text, text, strlen(text));
    CHECK_INT(name.scope, scope);
}

TEST(prefixes_choose_the_scope)
{
    check_parsed("Cat", "Cat", MMF_SCOPE_LOCAL);
    check_parsed("Local\\Cat", "Cat", MMF_SCOPE_LOCAL);
    check_parsed("Global\\Cat", "Cat", MMF_SCOPE_GLOBAL);
}

/* Windows compares object names with their case, prefixes too. */
TEST(names_that_only_resemble_prefixes)
{
    check_parsed("Local", "Local", MMF_SCOPE_LOCAL);
    check_parsed("Global", "Global", MMF_SCOPE_LOCAL);
    check_parsed("Global/Cat", "Global/Cat", MMF_SCOPE_LOCAL);
    check_parsed("Local\\Global", "Global", MMF_SCOPE_LOCAL);
}

TEST(bad_names_are_refused)
{
    static const struct {
        const char *given;
        int status;
    } cases[] = {
        {"", MMF_E_INVALID},
        {"Local\\", MMF_E_INVALID},
        {"Global\\", MMF_E_INVALID},
        {"\\", MMF_E_PATH_NOT_FOUND},
        {"\\Cat", MMF_E_PATH_NOT_FOUND},
        {"Cat\\", MMF_E_PATH_NOT_FOUND},
        {"a\\b", MMF_E_PATH_NOT_FOUND},
        {"Session\\1\\Cat", MMF_E_PATH_NOT_FOUND},
        {"Local\\Global\\Cat", MMF_E_PATH_NOT_FOUND},
        {"Global\\a\\b", MMF_E_PATH_NOT_FOUND},
        {"local\\Cat", MMF_E_PATH_NOT_FOUND},
        {"GLOBAL\\Cat", MMF_E_PATH_NOT_FOUND},
    };
    struct mmf_name name;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_FAILS_PARAM(mmf_name_parse(cases[i].given, "mapName", &name),
                          cases[i].status, "mapName");
}

TEST(the_longest_name)
{
    char given[MMF_NAME_MAX + 16];
    struct mmf_name name;

    memset(given, 'x', sizeof(given));
    given[MMF_NAME_MAX] = '\0';
    CHECK_OK(mmf_name_parse(given, "mapName", &name));
    CHECK_INT(name.length, MMF_NAME_MAX);
    given[MMF_NAME_MAX] = 'x';
    given[MMF_NAME_MAX + 1] = '\0';
    CHECK_FAILS_PARAM(mmf_name_parse(given, "mapName", &name), MMF_E_PATH_TOO_LONG,
                      "mapName");

    /* The prefix is no part of the name. */
    memcpy(given, "Global\\", 7);
    given[MMF_NAME_MAX + 1] = 'x';
    given[7 + MMF_NAME_MAX] = '\0';
    CHECK_OK(mmf_name_parse(given, "mapName", &name));
    CHECK_INT(name.length, MMF_NAME_MAX);
}

TEST(short_leaves_are_readable)
{
    static const struct {
        const char *name;
        const char *file_name;
    } cases[] = {
        {"Cat", "Cat"},
        {"a-b_C9", "a-b_C9"},
        {"/", "%2F"},
        {".", "%2E"},
        {"..", "%2E%2E"},
        {".tmp-1", "%2Etmp-1"},
        {"a b\tc\n", "a%20b%09c%0A"},
        {"100%", "100%25"},
        {"%2F", "%252F"},
        {"~", "%7E"},
        {"\xE7\x8C\xAB", "\xE7\x8C\xAB"}, /* a cat */
        {"\xFF\x80", "\xFF\x80"},         /* no UTF-8, legal nevertheless */
        {"\x01\x7F", "%01%7F"},
    };
    char file_name[MMF_FILE_NAME_SIZE];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        file_name_of(cases[i].name, file_name);
        CHECK_TEXT(file_name, cases[i].file_name);
    }
}

/* What any file name promises to the directory that it is put in. */
static void
check_file_name_is_safe(const char *file_name)
{
    size_t length = strlen(file_name);

    CHECK(length >= 1 && length < MMF_FILE_NAME_SIZE && length <= 200);
    CHECK(strpbrk(file_name, "/.\\ \n") == NULL);
}

/* The inverse of a short file name: that it exists proves that no two names share one. */
static size_t
decode(const char *file_name, char *name)
{
    char *end = name;

    while (*file_name != '\0') {
        if (*file_name == '%') {
            char digits[3] = {file_name[1], file_name[2], '\0'};

            *end++ = (char)strtol(digits, NULL, 16);
            file_name += 3;
        } else {
            *end++ = *file_name++;
        }
    }
    return (size_t)(end - name);
}

static void
check_decodes(const char *text)
{
    char file_name[MMF_FILE_NAME_SIZE], decoded[MMF_FILE_NAME_SIZE];
    size_t length;

    file_name_of(text, file_name);
    check_file_name_is_safe(file_name);
    length = decode(file_name, decoded);
    CHECK_INT(length, strlen(text));
    CHECK_BYTES(decoded, text, length);
}

TEST(short_leaves_are_injective)
{
    char text[3] = {0};

    for (int first = 1; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            text[0] = (char)first;
            text[1] = (char)second;
            if (first != '\\' && second != '\\')
                check_decodes(text);
        }
    }
}

TEST(long_leaves_have_a_head_and_a_hash)
{
    char given[2000], file_name[MMF_FILE_NAME_SIZE];

    memset(given, 'x', sizeof(given));
    given[200] = '\0';
    file_name_of(given, file_name);
    CHECK_TEXT(file_name, given);

    given[200] = 'x';
    given[201] = '\0';
    file_name_of(given, file_name);
    check_file_name_is_safe(file_name);
    CHECK_INT(strspn(file_name, "x"), 160);
    CHECK_INT(file_name[160], '~');
    CHECK_INT(strspn(file_name + 161, "0123456789abcdef"), 32);
    CHECK_INT(strlen(file_name), 193);

    /* What counts is the encoded length: 67 slashes are 201 bytes. */
    memset(given, '/', 67);
    given[67] = '\0';
    file_name_of(given, file_name);
    check_file_name_is_safe(file_name);
    CHECK_INT(strchr(file_name, '~') - file_name, 159);
    given[66] = '\0';
    file_name_of(given, file_name);
    CHECK(strchr(file_name, '~') == NULL);
}

/* Names that differ only where the readable head does not reach. */
TEST(long_leaves_differ)
{
    enum { COUNT = 64 };
    static char file_names[2 * COUNT][MMF_FILE_NAME_SIZE];
    char given[1033];

    memset(given, 'x', sizeof(given) - 1);
    given[sizeof(given) - 1] = '\0';
    for (size_t i = 0; i < COUNT; i++) {
        given[1031] = (char)('0' + i);
        if (given[1031] == '\\')
            given[1031] = ' ';
        file_name_of(given, file_names[i]);
        given[1031] = 'x';
        given[400 + i] = '\0';
        file_name_of(given, file_names[COUNT + i]);
        given[400 + i] = 'x';
    }
    for (size_t i = 0; i < 2 * COUNT; i++) {
        check_file_name_is_safe(file_names[i]);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(file_names[i], file_names[k]) != 0);
    }
}

/* A short name cannot be spelled so that it gets a long one's file name. */
TEST(a_long_file_name_is_never_a_short_one)
{
    char given[300], file_name[MMF_FILE_NAME_SIZE], other[MMF_FILE_NAME_SIZE];

    memset(given, 'x', 299);
    given[299] = '\0';
    file_name_of(given, file_name);
    file_name_of(file_name, other);
    CHECK(strcmp(file_name, other) != 0);
}

/* The head is cut between characters. 'x' and 1 to 4 bytes a character, at every shift.
 */
TEST(long_leaves_are_valid_utf8)
{
    static const char *const characters[] = {"\xC3\xA9", "\xE7\x8C\xAB",
                                             "\xF0\x9F\x90\x88"};
    char given[400], file_name[MMF_FILE_NAME_SIZE];

    for (size_t c = 0; c < 3; c++) {
        size_t size = strlen(characters[c]);

        for (size_t shift = 0; shift < size; shift++) {
            size_t used = shift;

            memset(given, 'x', shift);
            while (used + size < sizeof(given)) {
                memcpy(given + used, characters[c], size);
                used += size;
            }
            given[used] = '\0';
            file_name_of(given, file_name);
            used = (size_t)(strchr(file_name, '~') - file_name);
            CHECK((used - shift) % size == 0);
            CHECK(used + 2 * size > 160 && used <= 160);
        }
    }
}

TEST(the_scope_is_not_in_the_file_name)
{
    char local[MMF_FILE_NAME_SIZE], global[MMF_FILE_NAME_SIZE];

    file_name_of("Local\\Cat", local);
    file_name_of("Global\\Cat", global);
    CHECK_TEXT(local, global);
}

/* Programs of other builds find the same file. */
TEST(the_encoding_is_fixed_forever)
{
    char given[1033], file_name[MMF_FILE_NAME_SIZE], expected[MMF_FILE_NAME_SIZE];

    memset(given, 'x', 1032);
    given[1032] = '\0';
    file_name_of(given, file_name);
    memset(expected, 'x', 160);
    strcpy(expected + 160, "~ea56ba15903aed8e59fbc7234117637a");
    CHECK_TEXT(file_name, expected);
}
