/*
 * status_test.c - every status has a name and a meaning of its own. The header itself
 * is read, so that a status added there and forgotten in the table is found.
 */
#include "harness/check.h"

#include <stdio.h>
#include <string.h>

#include <mmf/list.h>
#include <mmf/status.h>
#include <mmf/version.h>

/* What stands in the header as "MMF_NAME = number", the first of them MMF_OK. */
struct constant {
    char name[64];
    int value;
};

enum { MOST = 64 };

static char header[65536];

static size_t
read_constants(struct constant constants[MOST])
{
    FILE *file = fopen(STATUS_HEADER, "r");
    const char *at;
    size_t count = 0, length;

    if (file == NULL)
        CHECK_FAIL("cannot open %s", STATUS_HEADER);
    length = fread(header, 1, sizeof(header) - 1, file);
    header[length] = '\0';
    fclose(file);
    for (at = strstr(header, "MMF_OK"); at != NULL; at = strstr(at + 1, "MMF_")) {
        struct constant *next = &constants[count];

        if (sscanf(at, "%63[A-Z_] = %d", next->name, &next->value) == 2)
            count++;
        CHECK(count < MOST);
    }
    return count;
}

TEST(every_status_of_the_header_has_its_name)
{
    struct constant constants[MOST];
    size_t count = read_constants(constants);

    CHECK(count >= 31);
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(mmf_status_name(constants[i].value), constants[i].name);
}

TEST(every_status_has_a_meaning_of_its_own)
{
    struct constant constants[MOST];
    size_t count = read_constants(constants);

    for (size_t i = 0; i < count; i++) {
        const char *text = mmf_strerror(constants[i].value);

        CHECK(text[0] != '\0' && strchr(text, '\n') == NULL);
        CHECK(strcmp(text, mmf_strerror(12345)) != 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(constants[k].value != constants[i].value);
            CHECK(strcmp(mmf_strerror(constants[k].value), text) != 0);
        }
    }
}

/* A number between the first and the last that no status has is a mistake. */
TEST(the_numbers_have_no_holes)
{
    struct constant constants[MOST];
    int count = (int)read_constants(constants);
    int lowest = 0, highest = 0;

    for (int i = 0; i < count; i++) {
        lowest = constants[i].value < lowest ? constants[i].value : lowest;
        highest = constants[i].value > highest ? constants[i].value : highest;
    }
    CHECK_INT(highest - lowest + 1, count);
    CHECK_TEXT(mmf_status_name(lowest - 1), "MMF_E_?");
    CHECK_TEXT(mmf_status_name(highest + 1), "MMF_E_?");
    CHECK_TEXT(mmf_strerror(lowest - 1), mmf_strerror(highest + 1));
}

/* The family that .NET's tests ask for: exactly IOException. */
TEST(exactly_these_are_io_errors)
{
    static const int io_errors[] = {MMF_E_EXISTS,    MMF_E_SHARING, MMF_E_NO_SPACE,
                                    MMF_E_NO_MEMORY, MMF_E_IO,      MMF_E_BUSY};
    struct constant constants[MOST];
    size_t count = read_constants(constants);

    for (size_t i = 0; i < count; i++) {
        int expected = 0;

        for (size_t k = 0; k < sizeof(io_errors) / sizeof(io_errors[0]); k++)
            expected |= constants[i].value == io_errors[k];
        CHECK_INT(mmf_status_is_io_error(constants[i].value), expected);
    }
    CHECK_INT(mmf_status_is_io_error(12345), 0);
}

TEST(kinds_have_names)
{
    static const char *const names[] = {"unknown", "map",       "mutex",
                                        "event",   "semaphore", "queue",
                                        "topic",   "latest",    "service"};

    for (mmf_kind kind = 0; kind <= MMF_KIND_SERVICE; kind++)
        CHECK_TEXT(mmf_kind_name(kind), names[kind]);
    CHECK_TEXT(mmf_kind_name(-1), "unknown");
    CHECK_TEXT(mmf_kind_name(MMF_KIND_SERVICE + 1), "unknown");
    CHECK_TEXT(mmf_kind_name(INT32_MAX), "unknown");
    CHECK_TEXT(mmf_kind_name(INT32_MIN), "unknown");
}

/* Four places say which version this is: two in the header, the build, the library. */
TEST(one_version_everywhere)
{
    char text[64];

    snprintf(text, sizeof(text), "%d.%d.%d", MMF_VERSION_MAJOR, MMF_VERSION_MINOR,
             MMF_VERSION_PATCH);
    CHECK_TEXT(MMF_VERSION_STRING, text);
    CHECK_TEXT(PROJECT_VERSION, text);
    CHECK_TEXT(mmf_version(), text);
}
