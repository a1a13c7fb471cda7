/*
 * create_fault.c - creating maps, named and unnamed, while something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE = 3 << 20 };

static int
create(const char *name, int64_t capacity, const mmf_map_options *options,
       struct stage *stage)
{
    return mmf_map_create_new(name, capacity, options, &stage->map);
}

static int
create_small(struct stage *stage)
{
    return create("Cat", CAT_SIZE, NULL, stage);
}

static int
create_large(struct stage *stage)
{
    return create("Cat", LARGE, NULL, stage);
}

static int
create_global(struct stage *stage)
{
    return create("Global\\Cat", CAT_SIZE, NULL, stage);
}

static int
create_delayed(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.allocation = MMF_DELAY_ALLOCATE_PAGES;
    return create("Cat", LARGE, &options, stage);
}

static int
create_inheritable(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    return create("Cat", CAT_SIZE, &options, stage);
}

/* The umask takes bits that the mode wants: they are put back by another call. */
static int
create_with_mode(struct stage *stage)
{
    mmf_map_options options;
    mode_t mask = umask(0277);
    int rc;

    mmf_map_options_init(&options);
    options.mode = 0640;
    rc = create("Cat", CAT_SIZE, &options, stage);
    umask(mask);
    return rc;
}

static int
create_unnamed(struct stage *stage)
{
    return create(NULL, LARGE, NULL, stage);
}

static int
create_unnamed_inheritable(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    options.access = MMF_ACCESS_READ_WRITE_EXECUTE;
    return create(NULL, CAT_SIZE, &options, stage);
}

static int
create_or_open(struct stage *stage)
{
    return mmf_map_create_or_open("Cat", CAT_SIZE, NULL, NULL, &stage->map);
}

static int
create_or_open_for_writing(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.access = MMF_ACCESS_WRITE;
    return mmf_map_create_or_open("Cat", CAT_SIZE, &options, NULL, &stage->map);
}

/* Arrangements and inspections. */

static void
leave_large_dead(struct stage *stage)
{
    (void)stage;
    round_leave_dead("Cat", LARGE);
}

static void
leave_some_dead(struct stage *stage)
{
    (void)stage;
    round_leave_dead("Dog", CAT_SIZE);
    round_leave_dead("Cow", CAT_SIZE);
}

static void
has_mode(struct stage *stage)
{
    struct stat status;

    step_is_found(stage);
    CHECK(stat(round_file_of("Cat"), &status) == 0);
    CHECK_INT(status.st_mode & 07777, 0640);
}

static void
is_inheritable(struct stage *stage)
{
    intptr_t handle;

    round_check_usable(stage->map);
    CHECK_OK(mmf_map_native_handle(stage->map, &handle));
    CHECK_INT(fcntl((int)handle, F_GETFD), 0);
}

static void
is_for_writing(struct stage *stage)
{
    mmf_accessor *view;

    CHECK_OK(mmf_accessor_create(stage->map, 0, 0, MMF_ACCESS_WRITE, NULL, &view));
    mmf_accessor_close(view);
}

static struct scenario scenarios[] = {
    {.name = "create_small",
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_beside_another",
     .act = create_small,
     .arrange = step_hold_another,
     .inspect = step_is_found,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "create_large",
     .act = create_large,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_large_in_a_cgroup",
     .host = HOST_CGROUP,
     .act = create_large,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_global",
     .act = create_global,
     .inspect = step_is_usable,
     .clean = step_close_map},
    {.name = "create_delayed",
     .act = create_delayed,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_with_mode",
     .act = create_with_mode,
     .inspect = has_mode,
     .clean = step_close_map},
    {.name = "create_inheritable",
     .act = create_inheritable,
     .inspect = is_inheritable,
     .clean = step_close_map},
    {.name = "create_by_proc",
     .host = HOST_NO_EMPTY_PATH,
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_without_proc",
     .host = HOST_NO_EMPTY_PATH | HOST_NO_PROC,
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_by_rename",
     .host = HOST_NO_TMPFILE,
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_global_by_rename",
     .host = HOST_NO_TMPFILE,
     .act = create_global,
     .inspect = step_is_usable,
     .clean = step_close_map},
    {.name = "create_without_links",
     .host = HOST_NO_LINK,
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_without_fallocate",
     .host = HOST_NO_FALLOCATE,
     .act = create_small,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_in_a_full_directory",
     .host = HOST_FULL,
     .act = create_small,
     .arrange = leave_some_dead,
     .expected = MMF_E_NO_SPACE},
    {.name = "create_in_a_directory_full_of_orphans",
     .host = HOST_FULL_OF_DEAD,
     .act = create_small,
     .or_else = MMF_E_NO_SPACE,
     .arrange = leave_some_dead,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_and_collect",
     .host = HOST_PID_OF_COLLECTOR,
     .act = create_small,
     .arrange = leave_some_dead,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_taken",
     .act = create_small,
     .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS,
     .disarrange = step_close_elsewhere},
    {.name = "create_large_taken",
     .act = create_large,
     .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS,
     .disarrange = step_close_elsewhere},
    {.name = "create_taken_by_rename",
     .host = HOST_NO_TMPFILE,
     .act = create_small,
     .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS,
     .disarrange = step_close_elsewhere},
    {.name = "create_taken_in_a_full_directory",
     .host = HOST_FULL,
     .act = create_small,
     .arrange = step_hold_elsewhere,
     .expected = MMF_E_EXISTS,
     .or_else = MMF_E_NO_SPACE,
     .disarrange = step_close_elsewhere},
    {.name = "create_on_a_dead_name",
     .act = create_small,
     .arrange = step_leave_dead,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_large_on_a_dead_name",
     .act = create_large,
     .arrange = leave_large_dead,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_unnamed",
     .act = create_unnamed,
     .inspect = step_is_usable,
     .clean = step_close_map},
    {.name = "create_unnamed_inheritable",
     .host = HOST_OLD_MEMFD,
     .act = create_unnamed_inheritable,
     .inspect = is_inheritable,
     .clean = step_close_map},
    {.name = "create_or_open_creates",
     .act = create_or_open,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_or_open_opens",
     .act = create_or_open,
     .arrange = step_hold_elsewhere,
     .inspect = step_is_theirs,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "create_or_open_on_a_dead_name",
     .act = create_or_open,
     .arrange = step_leave_dead,
     .inspect = step_is_found,
     .clean = step_close_map},
    {.name = "create_or_open_opens_for_writing",
     .documented = round_open_statuses,
     .act = create_or_open_for_writing,
     .or_else = MMF_E_INVALID, /* ENOENT */
     .arrange = step_hold_elsewhere,
     .inspect = is_for_writing,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "create_or_open_has_nothing_to_write",
     .documented = round_open_statuses,
     .act = create_or_open_for_writing,
     .expected = MMF_E_INVALID},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_create",
                        round_make_tests(scenarios, COUNT, round_create_statuses),
                        COUNT, NULL);
}
