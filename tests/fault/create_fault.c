/*
 * create_fault.c - creating maps, named and unnamed, while something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE = 3 << 20 };

static int
create(const char *name, int64_t capacity, const mmf_map_options *options)
{
    return mmf_map_create_new(name, capacity, options, &stage.map);
}

CALL(create_small, create("Cat", CAT_SIZE, NULL));
CALL(create_large, create("Cat", LARGE, NULL));
CALL(create_global, create("Global\\Cat", CAT_SIZE, NULL));
CALL(create_delayed,
     create("Cat", LARGE, MAP_OPTIONS(.allocation = MMF_DELAY_ALLOCATE_PAGES)));
CALL(create_inheritable, create("Cat", CAT_SIZE, INHERITABLE_MAP));

/* The umask takes bits that the mode wants: they are put back by another call. */
static int
create_with_mode(void)
{
    mode_t mask = umask(0277);
    int rc;

    rc = create("Cat", CAT_SIZE, MAP_OPTIONS(.mode = 0640));
    umask(mask);
    return rc;
}

CALL(create_unnamed, create(NULL, LARGE, NULL));
CALL(create_unnamed_inheritable,
     create(NULL, CAT_SIZE,
            MAP_OPTIONS(.inheritability = MMF_INHERITABILITY_INHERITABLE,
                        .access = MMF_ACCESS_READ_WRITE_EXECUTE)));
CALL(create_or_open, mmf_map_create_or_open("Cat", CAT_SIZE, NULL, NULL, &stage.map));
CALL(create_or_open_for_writing,
     mmf_map_create_or_open("Cat", CAT_SIZE, MAP_OPTIONS(.access = MMF_ACCESS_WRITE),
                            NULL, &stage.map));

/* Arrangements and inspections. */

STEP(leave_large_dead, round_leave_dead("Cat", LARGE));

static void
leave_some_dead(void)
{
    round_leave_dead("Dog", CAT_SIZE);
    round_leave_dead("Cow", CAT_SIZE);
}

static void
has_mode(void)
{
    struct stat status;

    step_is_found();
    CHECK(stat(round_file_of("Cat"), &status) == 0);
    CHECK_INT(status.st_mode & 07777, 0640);
}

static void
is_inheritable(void)
{
    intptr_t handle;

    round_check_usable(stage.map);
    CHECK_OK(mmf_map_native_handle(stage.map, &handle));
    CHECK_INT(fcntl((int)handle, F_GETFD), 0);
}

static void
is_for_writing(void)
{
    mmf_accessor *view;

    CHECK_OK(mmf_accessor_create(stage.map, 0, 0, MMF_ACCESS_WRITE, NULL, &view));
    mmf_accessor_close(view);
}

static struct scenario scenarios[] = {
    {"create_small", create_small, .inspect = step_is_found},
    {"create_beside_another", create_small, .arrange = step_hold_another,
     .inspect = step_is_found},
    {"create_large", create_large, .inspect = step_is_found},
    {"create_large_in_a_cgroup", create_large, .inspect = step_is_found,
     .host = HOST_CGROUP},
    {"create_global", create_global, .inspect = step_is_usable},
    {"create_delayed", create_delayed, .inspect = step_is_found},
    {"create_with_mode", create_with_mode, .inspect = has_mode},
    {"create_inheritable", create_inheritable, .inspect = is_inheritable},
    {"create_by_proc", create_small, .inspect = step_is_found,
     .host = HOST_NO_EMPTY_PATH},
    {"create_without_proc", create_small, .inspect = step_is_found,
     .host = HOST_NO_EMPTY_PATH | HOST_NO_PROC},
    {"create_by_rename", create_small, .inspect = step_is_found,
     .host = HOST_NO_TMPFILE},
    {"create_global_by_rename", create_global, .inspect = step_is_usable,
     .host = HOST_NO_TMPFILE},
    {"create_without_links", create_small, .inspect = step_is_found,
     .host = HOST_NO_LINK},
    {"create_without_fallocate", create_small, .inspect = step_is_found,
     .host = HOST_NO_FALLOCATE},
    {"create_in_a_full_directory", create_small, .arrange = leave_some_dead,
     .host = HOST_FULL, .expected = MMF_E_NO_SPACE},
    {"create_in_a_directory_full_of_orphans", create_small, .arrange = leave_some_dead,
     .inspect = step_is_found, .host = HOST_FULL_OF_DEAD, .or_else = MMF_E_NO_SPACE},
    {"create_and_collect", create_small, .arrange = leave_some_dead,
     .inspect = step_is_found, .host = HOST_PID_OF_COLLECTOR},
    {"create_taken", create_small, .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS},
    {"create_large_taken", create_large, .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS},
    {"create_taken_by_rename", create_small, .arrange = step_hold_elsewhere,
     .host = HOST_NO_TMPFILE, .expected = MMF_E_EXISTS},
    {"create_taken_in_a_full_directory", create_small, .arrange = step_hold_elsewhere,
     .host = HOST_FULL, .expected = MMF_E_EXISTS, .or_else = MMF_E_NO_SPACE},
    {"create_on_a_dead_name", create_small, .arrange = step_leave_dead,
     .inspect = step_is_found},
    {"create_large_on_a_dead_name", create_large, .arrange = leave_large_dead,
     .inspect = step_is_found},
    {"create_unnamed", create_unnamed, .inspect = step_is_usable},
    {"create_unnamed_inheritable", create_unnamed_inheritable,
     .inspect = is_inheritable, .host = HOST_OLD_MEMFD},
    {"create_or_open_creates", create_or_open, .inspect = step_is_found},
    {"create_or_open_opens", create_or_open, .arrange = step_hold_elsewhere,
     .inspect = step_is_theirs},
    {"create_or_open_on_a_dead_name", create_or_open, .arrange = step_leave_dead,
     .inspect = step_is_found},
    {"create_or_open_opens_for_writing", create_or_open_for_writing,
     .arrange = step_hold_elsewhere, .inspect = is_for_writing,
     .or_else = MMF_E_INVALID, .documented = round_open_statuses},
    {"create_or_open_has_nothing_to_write", create_or_open_for_writing,
     .expected = MMF_E_INVALID, .documented = round_open_statuses},
};

SCENARIOS(round_create_statuses);
