/*
 * open_existing_test.c - MemoryMappedFile.OpenExisting: rule 2.1.
 */
#include "support.h"

#include <string.h>
#include <sys/stat.h>

TEST(rule_2_1_1_null_name)
{
    REFUSES_OPEN(NULL, NULL, MMF_E_NULL, "mapName");
    REFUSES_OPEN(NULL, WITH_RIGHTS(MMF_RIGHTS_READ), MMF_E_NULL, "mapName");
    REFUSES_OPEN(NULL, WITH_RIGHTS_AND(MMF_RIGHTS_READ, 0), MMF_E_NULL, "mapName");
}

TEST(rule_2_1_2_empty_name)
{
    REFUSES_OPEN("", NULL, MMF_E_INVALID, "mapName");
    REFUSES_OPEN("", WITH_RIGHTS(MMF_RIGHTS_READ), MMF_E_INVALID, "mapName");
    REFUSES_OPEN("", WITH_RIGHTS_AND(MMF_RIGHTS_READ, 0), MMF_E_INVALID, "mapName");
}

TEST(rule_2_1_3_inheritability_out_of_range)
{
    static const mmf_inheritability bad[] = {-1, 2, 42, INT32_MIN};
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++)
        REFUSES_OPEN("Cat", WITH_RIGHTS_AND(MMF_RIGHTS_READ, bad[i]), MMF_E_RANGE,
                     "inheritability");
}

TEST(rule_2_1_4_rights_out_of_range)
{
    const uint32_t known = MMF_RIGHTS_FULL_CONTROL | MMF_RIGHTS_ACCESS_SYSTEM_SECURITY;
    int bit;

    for (bit = 0; bit < 32; bit++) {
        uint32_t right = UINT32_C(1) << bit;

        CHECK_CONTEXT("bit %d", bit);
        if (right & known) /* a known right: the name is what is wrong */
            REFUSES_OPEN("Cat", WITH_RIGHTS((mmf_rights)right), MMF_E_NOT_FOUND, NULL);
        else
            REFUSES_OPEN("Cat", WITH_RIGHTS((mmf_rights)(right | 4u)), MMF_E_RANGE,
                         "desiredAccessRights");
    }
    REFUSES_OPEN("Cat", WITH_RIGHTS(0x800000), MMF_E_RANGE, "desiredAccessRights");
    REFUSES_OPEN("Cat", WITH_RIGHTS(-1), MMF_E_RANGE, "desiredAccessRights");
}

/* .NET on Unix stops here with "not supported on this platform". We go on. */
TEST(rule_2_1_5_names_are_accepted)
{
    struct names names;
    mmf_map *first, *map;
    size_t i;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        CHECK_CONTEXT("name N%zu", i + 1);
        first = create_new(names.text[i], 4096, NULL);
        map = open_existing(names.text[i], NULL);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(map);
        map = open_existing(names.text[i], WITH_RIGHTS(MMF_RIGHTS_READ));
        validate_map(map, 4096, MMF_ACCESS_READ, 0);
        mmf_map_close(map);
        map = open_existing(names.text[i], WITH_RIGHTS_AND(MMF_RIGHTS_FULL_CONTROL, 1));
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 1);
        mmf_map_close(map);
        mmf_map_close(first);
    }
}

TEST(rule_2_1_6_missing_name)
{
    struct names names;
    size_t i;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        CHECK_CONTEXT("name N%zu", i + 1);
        REFUSES_OPEN(names.text[i], NULL, MMF_E_NOT_FOUND, NULL);
        mmf_map_close(create_new(names.text[i], 4096, NULL));
        REFUSES_OPEN(names.text[i], NULL, MMF_E_NOT_FOUND, NULL);
    }
    CHECK(!mmf_status_is_io_error(MMF_E_NOT_FOUND));
}

static void
open_as_stranger(void *name)
{
    mmf_map *map;

    REFUSES_OPEN(name, NULL, MMF_E_ACCESS, NULL);
    REFUSES_OPEN(name, WITH_RIGHTS(MMF_RIGHTS_READ), MMF_E_ACCESS, NULL);
    REFUSES_OPEN("Global\\Readable", NULL, MMF_E_ACCESS, NULL);
    REFUSES_OPEN("Global\\Readable", WITH_RIGHTS(MMF_RIGHTS_FULL_CONTROL), MMF_E_ACCESS,
                 NULL);
    map = open_existing("Global\\Readable", WITH_RIGHTS(MMF_RIGHTS_READ));
    CHECK_INT(byte_at(map, 0), 3);
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
    map = open_existing("Global\\Writable", NULL);
    CHECK_INT(byte_at(map, 0), 4);
    poke(map, 0, 5);
    mmf_map_close(map);
}

/* The permission bits of a global map are its access list. */
TEST(rule_2_1_8_rights_that_the_owner_does_not_give)
{
    static char name[] = "Global\\Cat";
    mmf_map_options options = options_with(MMF_ACCESS_READ_WRITE, 0, 0);
    mmf_map *map, *readable, *writable;

    need_other_users();
    set_mode(harness_dir(), 01777);
    map = create_new(name, 4096, NULL);
    options.mode = 0644;
    readable = create_new("Global\\Readable", 4096, &options);
    poke(readable, 0, 3);
    options.mode = 0666;
    writable = create_new("Global\\Writable", 4096, &options);
    poke(writable, 0, 4);
    as_stranger(open_as_stranger, name);
    CHECK_INT(byte_at(writable, 0), 5);
    mmf_map_close(writable);
    mmf_map_close(readable);
    mmf_map_close(map);
}

/* It needs a privilege that no process has here; existence is checked first. */
TEST(rule_2_1_9_access_system_security)
{
    const mmf_rights security = MMF_RIGHTS_ACCESS_SYSTEM_SECURITY;
    mmf_map *map;

    REFUSES_OPEN("Cat", WITH_RIGHTS(security), MMF_E_NOT_FOUND, NULL);
    map = create_new("Cat", 4096, NULL);
    REFUSES_OPEN("Cat", WITH_RIGHTS(security), MMF_E_IO, NULL);
    REFUSES_OPEN("Cat", WITH_RIGHTS(security | MMF_RIGHTS_FULL_CONTROL), MMF_E_IO,
                 NULL);
    CHECK_IO_ERROR(MMF_E_IO);
    mmf_map_close(map);
    REFUSES_OPEN("Cat", WITH_RIGHTS(security), MMF_E_NOT_FOUND, NULL);
}

/* Without rights of its own a handle has those of its access: see 2.1b. */
TEST(rule_2_1_rights_0)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ_WRITE, MMF_ACCESS_READ,
                                          MMF_ACCESS_WRITE, MMF_ACCESS_COPY_ON_WRITE};
    mmf_map *first, *map;
    size_t i;

    REFUSES_OPEN("Cat", WITH_RIGHTS(0), MMF_E_NOT_FOUND, NULL);
    first = create_new("Cat", 4096, NULL);
    map = open_existing("Cat", WITH_RIGHTS(0));
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    for (i = 0; i < COUNT_OF(accesses); i++) {
        CHECK_CONTEXT("%s", access_name(accesses[i]));
        map = open_existing("Cat", WITH_ACCESS(accesses[i]));
        validate_map(map, 4096, accesses[i], 0);
        mmf_map_close(map);
    }
    mmf_map_close(first);
}

TEST(rule_2_1_access_out_of_range)
{
    static const mmf_access bad[] = {-1, 42, ACCESS_COUNT};
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++)
        REFUSES_OPEN("Cat", WITH_ACCESS(bad[i]), MMF_E_RANGE, "access");
}

/* Standard rights, such as delete, open but give no view. */
TEST(rule_2_1_rights_without_memory)
{
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    map = open_existing(
        "Cat", WITH_RIGHTS(MMF_RIGHTS_DELETE | MMF_RIGHTS_READ_PERMISSIONS |
                           MMF_RIGHTS_CHANGE_PERMISSIONS | MMF_RIGHTS_TAKE_OWNERSHIP));
    validate_map(map, 4096, NO_ACCESS, 0);
    mmf_map_close(map);
    mmf_map_close(first);
}

/* Every call breaks all rules from its own on. */
TEST(rule_2_1_order_of_checks)
{
    const mmf_rights bad = 0x800000;

    REFUSES_OPEN(NULL, WITH_RIGHTS_AND(bad, 42), MMF_E_NULL, "mapName");
    REFUSES_OPEN("", WITH_RIGHTS_AND(bad, 42), MMF_E_INVALID, "mapName");
    REFUSES_OPEN("Cat", WITH_RIGHTS_AND(bad, 42), MMF_E_RANGE, "inheritability");
    REFUSES_OPEN("Cat", WITH_RIGHTS(bad), MMF_E_RANGE, "desiredAccessRights");
    REFUSES_OPEN("no\\prefix", WITH_RIGHTS(bad), MMF_E_RANGE, "desiredAccessRights");
    REFUSES_OPEN("no\\prefix", NULL, MMF_E_PATH_NOT_FOUND, NULL);
}

/* The shorter overload asks for reading and writing, not inheritable. */
TEST(rule_1_1_open_existing_defaults)
{
    mmf_map_options options;
    mmf_map *first, *map;

    memset(&options, 0xff, sizeof(options));
    mmf_map_options_init(&options);
    CHECK_INT(options.size, sizeof(options));
    CHECK_INT(options.access, MMF_ACCESS_READ_WRITE);
    CHECK_INT(options.rights, 0); /* those of the access */
    CHECK_INT(options.inheritability, MMF_INHERITABILITY_NONE);
    CHECK_INT(options.reserved, 0);
    first = create_new("Cat", 4096, NULL);
    map = open_existing("Cat", NULL);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    mmf_map_close(first);
}

TEST(rule_2_1_out_is_null)
{
    mmf_map *map;

    map = create_new("Cat", 4096, NULL);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, NULL), MMF_E_NULL);
    mmf_map_close(map);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}
