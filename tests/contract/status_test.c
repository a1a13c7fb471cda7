/*
 * status_test.c - the statuses and the numbers of .NET's enumerations: rules 0.2 and
 * 0.3. Names, texts and threads are the unit tests' business.
 */
#include "support.h"

#include <string.h>

/* .NET raises exactly IOException for these, a subclass or another for the rest. */
TEST(rule_0_2_the_io_family)
{
    static const int family[] = {MMF_E_EXISTS,    MMF_E_SHARING, MMF_E_NO_SPACE,
                                 MMF_E_NO_MEMORY, MMF_E_IO,      MMF_E_BUSY};
    size_t i;
    int status;

    for (status = -100; status <= 100; status++) {
        int belongs = 0;

        for (i = 0; i < COUNT_OF(family); i++)
            belongs |= status == family[i];
        CHECK_CONTEXT("status %d", status);
        CHECK_INT(mmf_status_is_io_error(status), belongs);
    }
}

/* One value each, negative; bindings have them in tables. */
TEST(rule_0_2_statuses_are_distinct)
{
    static const int statuses[] = {
        MMF_E_INVALID,        MMF_E_NULL,          MMF_E_RANGE,
        MMF_E_ACCESS,         MMF_E_EXISTS,        MMF_E_NOT_FOUND,
        MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, MMF_E_SHARING,
        MMF_E_NO_SPACE,       MMF_E_NO_MEMORY,     MMF_E_IO,
        MMF_E_DISPOSED,       MMF_E_NOT_SUPPORTED, MMF_E_PLATFORM,
        MMF_E_MISMATCH,       MMF_E_WRONG_KIND,    MMF_E_NOT_OWNER,
        MMF_E_FULL,           MMF_E_RECURSION,     MMF_E_STATE,
        MMF_E_BUSY,           MMF_E_LAYOUT,        MMF_E_CORRUPT,
        MMF_E_PEER_CLOSED,    MMF_E_MAXIMUM,       MMF_E_TOO_MANY};
    size_t i;

    for (i = 0; i < COUNT_OF(statuses); i++) {
        CHECK_INT(statuses[i], -(int)i - 1);
        CHECK(mmf_strerror(statuses[i])[0] != '\0');
        CHECK(strncmp(mmf_status_name(statuses[i]), "MMF_E_", 6) == 0);
    }
    CHECK_INT(MMF_OK, 0);
    CHECK_INT(MMF_TIMED_OUT, 1);
    CHECK_INT(MMF_ABANDONED, 2);
    CHECK_INT(MMF_OVERWRITTEN, 3);
}

TEST(rule_0_3_numbers_are_dotnets)
{
    CHECK_INT(MMF_ACCESS_READ_WRITE, 0);
    CHECK_INT(MMF_ACCESS_READ, 1);
    CHECK_INT(MMF_ACCESS_WRITE, 2);
    CHECK_INT(MMF_ACCESS_COPY_ON_WRITE, 3);
    CHECK_INT(MMF_ACCESS_READ_EXECUTE, 4);
    CHECK_INT(MMF_ACCESS_READ_WRITE_EXECUTE, 5);
    CHECK_INT(MMF_ALLOCATE_NOW, 0);
    CHECK_INT(MMF_DELAY_ALLOCATE_PAGES, 0x04000000);
    CHECK_INT(MMF_RIGHTS_COPY_ON_WRITE, 0x1);
    CHECK_INT(MMF_RIGHTS_WRITE, 0x2);
    CHECK_INT(MMF_RIGHTS_READ, 0x4);
    CHECK_INT(MMF_RIGHTS_READ_WRITE, 0x6);
    CHECK_INT(MMF_RIGHTS_EXECUTE, 0x8);
    CHECK_INT(MMF_RIGHTS_READ_EXECUTE, 0xC);
    CHECK_INT(MMF_RIGHTS_READ_WRITE_EXECUTE, 0xE);
    CHECK_INT(MMF_RIGHTS_DELETE, 0x10000);
    CHECK_INT(MMF_RIGHTS_READ_PERMISSIONS, 0x20000);
    CHECK_INT(MMF_RIGHTS_CHANGE_PERMISSIONS, 0x40000);
    CHECK_INT(MMF_RIGHTS_TAKE_OWNERSHIP, 0x80000);
    CHECK_INT(MMF_RIGHTS_FULL_CONTROL, 0xF000F);
    CHECK_INT(MMF_RIGHTS_ACCESS_SYSTEM_SECURITY, 0x1000000);
    CHECK_INT(MMF_INHERITABILITY_NONE, 0);
    CHECK_INT(MMF_INHERITABILITY_INHERITABLE, 1);
    CHECK_INT(MMF_FILE_MODE_CREATE_NEW, 1);
    CHECK_INT(MMF_FILE_MODE_CREATE, 2);
    CHECK_INT(MMF_FILE_MODE_OPEN, 3);
    CHECK_INT(MMF_FILE_MODE_OPEN_OR_CREATE, 4);
    CHECK_INT(MMF_FILE_MODE_TRUNCATE, 5);
    CHECK_INT(MMF_FILE_MODE_APPEND, 6);
    CHECK_INT(MMF_FILE_SHARE_READ, 1);
    CHECK_INT(MMF_FILE_SHARE_READ_WRITE, 3);
    CHECK_INT(MMF_SEEK_BEGIN, 0);
    CHECK_INT(MMF_SEEK_CURRENT, 1);
    CHECK_INT(MMF_SEEK_END, 2);
}
