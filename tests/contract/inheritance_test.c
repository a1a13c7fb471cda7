/*
 * inheritance_test.c - HandleInheritability: rule 3.7. Programs that a process starts; its
 * forks are in tests/scenarios/fork.scn, which handles are inheritable in map.scn.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A child program: takes over the handle with the given number, if it is one. */
ROLE(inherit)
{
    mmf_map *map = UNTOUCHED;
    char line[32];
    int rc;

    rc = mmf_map_open_inherited((intptr_t)strtoll(argv[1], NULL, 10), NULL, &map);
    if (rc < 0) {
        CHECK((void *)map == UNTOUCHED);
        role_say("%s", mmf_status_name(rc));
        return EXIT_SUCCESS;
    }
    CHECK_INT(byte_at(map, 10), 10);
    poke(map, 11, 11);
    role_say("written");
    role_hear(line, sizeof(line));
    mmf_map_close(map);
    return EXIT_SUCCESS;
}

static struct process *
start_heir(mmf_map *map)
{
    char handle[32];
    const char *const args[] = {handle, NULL};
    intptr_t number = -1;

    CHECK_OK(mmf_map_native_handle(map, &number));
    snprintf(handle, sizeof(handle), "%ld", (long)number);
    return process_start("inherit", args);
}

static void
check_child_program_has_it(const char *name)
{
    mmf_map *map = create_new(name, 4096, INHERITABLE_MAP);
    struct process *heir;

    poke(map, 10, 10);
    heir = start_heir(map);
    process_expect(heir, "written");
    CHECK_INT(byte_at(map, 11), 11);
    CHECK_INT(process_finish(heir), EXIT_SUCCESS);
    mmf_map_close(map);
}

TEST(rule_3_7_a_child_program_has_inheritable_handles)
{
    check_child_program_has_it(NULL);
    check_child_program_has_it("Cat");
    check_child_program_has_it("Global\\Cat");
}

TEST(rule_3_7_a_child_program_has_no_others)
{
    static const char *const names[] = {NULL, "Cat"};
    struct process *heir;
    size_t i;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(names); i++) {
        map = create_new(names[i], 4096, NULL);
        heir = start_heir(map);
        process_expect(heir, "MMF_E_DISPOSED");
        CHECK_INT(process_finish(heir), EXIT_SUCCESS);
        mmf_map_close(map);
    }
}

/* An inherited handle is a handle: with it the name lives. */
TEST(rule_3_7_an_inherited_handle_keeps_the_name)
{
    struct process *heir;
    mmf_map *map;

    map = create_new("Cat", 4096, INHERITABLE_MAP);
    poke(map, 10, 10);
    heir = start_heir(map);
    process_expect(heir, "written");
    mmf_map_close(map);
    REFUSES_CREATE_NEW("Cat", MMF_E_EXISTS, NULL);
    map = open_existing("Cat", NULL);
    CHECK_INT(byte_at(map, 11), 11);
    mmf_map_close(map);
    CHECK_INT(process_finish(heir), EXIT_SUCCESS);
    REFUSES_OPEN("Cat", MMF_E_NOT_FOUND, NULL);
}

/* What is no inheritable map cannot be taken over. */
TEST(rule_3_7_what_is_no_handle)
{
    mmf_map *map = UNTOUCHED;
    intptr_t ends[2];

    CHECK_FAILS(mmf_map_open_inherited(-1, NULL, &map), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_map_open_inherited(100000, NULL, &map), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_map_open_inherited(INTPTR_MAX, NULL, &map), MMF_E_DISPOSED);
    make_pipe(ends);
    CHECK_FAILS(mmf_map_open_inherited(ends[0], NULL, &map), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_map_open_inherited(ends[0], NULL, NULL), MMF_E_NULL);
    CHECK_FAILS_PARAM(
        mmf_map_open_inherited(ends[0],
                               MAP_OPTIONS(.rights = MMF_RIGHTS_READ,
                                           .inheritability = (mmf_inheritability)42),
                               &map),
        MMF_E_RANGE, "inheritability");
    CHECK_FAILS_PARAM(mmf_map_open_inherited(
                          ends[0], MAP_OPTIONS(.rights = (mmf_rights)0x800000), &map),
                      MMF_E_RANGE, "desiredAccessRights");
    CHECK((void *)map == UNTOUCHED);
    CHECK(is_open(ends[0]));
    close_file(ends[0]);
    close_file(ends[1]);
}
