/*
 * open_fault.c - opening maps by name, and inherited ones, while something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/page/control.h"

static int
open_cat(struct stage *stage)
{
    return mmf_map_open_existing("Cat", NULL, &stage->map);
}

static int
open_for(mmf_rights rights, mmf_inheritability inheritability, struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.rights = rights;
    options.inheritability = inheritability;
    return mmf_map_open_existing("Cat", &options, &stage->map);
}

static int
open_for_reading(struct stage *stage)
{
    return open_for(MMF_RIGHTS_READ, MMF_INHERITABILITY_NONE, stage);
}

static int
open_inheritable(struct stage *stage)
{
    return open_for(MMF_RIGHTS_READ_WRITE, MMF_INHERITABILITY_INHERITABLE, stage);
}

static int
open_with_privilege(struct stage *stage)
{
    return open_for(MMF_RIGHTS_READ_WRITE | MMF_RIGHTS_ACCESS_SYSTEM_SECURITY,
                    MMF_INHERITABILITY_NONE, stage);
}

/*
 * What can lie under the name.
 */

/* The page of the holder's object, changed. */
static void
change_page(size_t offset, const void *bytes, size_t size)
{
    int fd = open(round_file_of("Cat"), O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0 && pwrite(fd, bytes, size, 65536 + (off_t)offset) == (ssize_t)size);
    close(fd);
}

static void
hold_damaged(struct stage *stage)
{
    static const int64_t capacity = -1;

    step_hold_elsewhere(stage);
    change_page(offsetof(struct mmf_control_shared, capacity), &capacity,
                sizeof(capacity));
}

static void
hold_newer(struct stage *stage)
{
    static const uint32_t version = MMF_LAYOUT_VERSION + 1;

    step_hold_elsewhere(stage);
    change_page(offsetof(struct mmf_control_shared, layout_version), &version,
                sizeof(version));
}

static void
hold_another_kind(struct stage *stage)
{
    static const uint32_t kind = MMF_KIND_QUEUE;

    step_hold_elsewhere(stage);
    change_page(offsetof(struct mmf_control_shared, kind), &kind, sizeof(kind));
}

static void
hold_another_name(struct stage *stage)
{
    step_hold_elsewhere(stage);
    change_page(offsetof(struct mmf_control_shared, name), "Dog", 3);
}

/* A file that is no object, among those of another object. */
static void
plant_file(struct stage *stage)
{
    static const char text[MMF_CONTROL_SIZE] = "What is this?";
    int fd;

    step_hold_another(stage);
    fd = open(round_file_of("Cat"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, sizeof(text)) == (ssize_t)sizeof(text));
    close(fd);
}

static void
plant_link(struct stage *stage)
{
    char target[256];

    step_hold_another(stage);
    snprintf(target, sizeof(target), "%s", round_file_of("Dog"));
    CHECK(symlink(target, round_file_of("Cat")) == 0);
}

static void
uproot(struct stage *stage)
{
    CHECK(unlink(round_file_of("Cat")) == 0);
    step_close_elsewhere(stage);
}

/* Another process has locked all that the protocol knows, and keeps it. */
static void
block_the_name(struct stage *stage)
{
    struct flock all = {.l_type = F_WRLCK,
                        .l_whence = SEEK_SET,
                        .l_start = MMF_LOCK_HOLD,
                        .l_len = 2 * MMF_LOCK_RANGE};

    step_leave_dead(stage);
    stage->fd = open(round_file_of("Cat"), O_RDWR | O_CLOEXEC);
    CHECK(stage->fd >= 0 && fcntl(stage->fd, F_OFD_SETLK, &all) == 0);
}

static void
unblock_the_name(struct stage *stage)
{
    close(stage->fd);
}

static int
create_cat(struct stage *stage)
{
    return mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage->map);
}

/* This process has the map already. */
static void
create_given(struct stage *stage)
{
    CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage->given));
}

static void
close_given(struct stage *stage)
{
    round_check_usable(stage->given);
    mmf_map_close(stage->given);
}

static void
can_be_read(struct stage *stage)
{
    mmf_accessor *view;

    step_is_theirs(stage);
    CHECK_FAILS(
        mmf_accessor_create(stage->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view),
        MMF_E_ACCESS);
}

/* Two descriptors: the claim that children get, and the one that views map. */
static void
is_inherited(struct stage *stage)
{
    intptr_t handle;

    step_is_theirs(stage);
    CHECK_OK(mmf_map_native_handle(stage->map, &handle));
    CHECK_INT(fcntl((int)handle, F_GETFD), 0);
}

/*
 * Inherited handles. The parent's part is played by this process: its descriptor's copy
 * is what a child would find.
 */

static void
copy_descriptor(const mmf_map *map, struct stage *stage)
{
    intptr_t handle;

    CHECK_OK(mmf_map_native_handle(map, &handle));
    stage->fd = fcntl((int)handle, F_DUPFD, 0);
    CHECK(stage->fd >= 0);
}

static void
inherit(const char *name, struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    CHECK_OK(mmf_map_create_new(name, CAT_SIZE, &options, &stage->given));
    copy_descriptor(stage->given, stage);
}

static void
inherit_named(struct stage *stage)
{
    inherit("Cat", stage);
}

static void
inherit_unnamed(struct stage *stage)
{
    inherit(NULL, stage);
}

/* The child's handle is the only one left. */
static void
inherit_last(struct stage *stage)
{
    inherit("Cat", stage);
    mmf_map_close(stage->given);
    stage->given = NULL;
}

static int
open_inherited(struct stage *stage)
{
    return mmf_map_open_inherited(stage->fd, NULL, &stage->map);
}

static int
open_inherited_to_pass_on(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    return mmf_map_open_inherited(stage->fd, &options, &stage->map);
}

/* A failed call leaves the descriptor the caller's. */
static void
has_left_descriptor(struct stage *stage)
{
    CHECK(fcntl(stage->fd, F_GETFD) >= 0);
}

static void
close_inherited(struct stage *stage)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    mmf_map_close(stage->map);
    /* For the count of descriptors: there was one more before the call. */
    if (fd != stage->fd) {
        CHECK(dup3(fd, stage->fd, O_CLOEXEC) == stage->fd);
        close(fd);
    }
}

static void
close_parent(struct stage *stage)
{
    close(stage->fd);
    mmf_map_close(stage->given);
}

static struct scenario scenarios[] = {
    {.name = "open_living",
     .act = open_cat,
     .arrange = step_hold_elsewhere,
     .inspect = step_is_theirs,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "open_living_for_reading",
     .host = HOST_READ_ONLY,
     .act = open_for_reading,
     .arrange = step_hold_elsewhere,
     .inspect = can_be_read,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "open_living_denied",
     .host = HOST_READ_ONLY,
     .act = open_cat,
     .expected = MMF_E_ACCESS,
     .arrange = step_hold_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "open_living_inheritable",
     .act = open_inheritable,
     .arrange = step_hold_elsewhere,
     .inspect = is_inherited,
     .clean = step_close_map,
     .disarrange = step_close_elsewhere},
    {.name = "open_without_privilege",
     .act = open_with_privilege,
     .expected = MMF_E_IO,
     .arrange = step_hold_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "open_again",
     .act = open_cat,
     .arrange = create_given,
     .inspect = step_is_found,
     .clean = step_close_map,
     .disarrange = close_given},
    {.name = "open_dead",
     .act = open_cat,
     .expected = MMF_E_NOT_FOUND,
     .arrange = step_leave_dead},
    {.name = "open_dead_for_reading",
     .host = HOST_READ_ONLY,
     .act = open_for_reading,
     .expected = MMF_E_NOT_FOUND,
     .arrange = step_leave_dead},
    {.name = "open_absent", .act = open_cat, .expected = MMF_E_NOT_FOUND},
    {.name = "open_absent_beside_another",
     .act = open_cat,
     .expected = MMF_E_NOT_FOUND,
     .arrange = step_hold_another,
     .disarrange = step_close_elsewhere},
    {.name = "open_damaged",
     .act = open_cat,
     .expected = MMF_E_CORRUPT,
     .arrange = hold_damaged,
     .disarrange = step_close_elsewhere},
    {.name = "open_newer",
     .act = open_cat,
     .expected = MMF_E_LAYOUT,
     .arrange = hold_newer,
     .disarrange = step_close_elsewhere},
    {.name = "open_another_kind",
     .act = open_cat,
     .expected = MMF_E_WRONG_KIND,
     .arrange = hold_another_kind,
     .disarrange = step_close_elsewhere},
    {.name = "open_another_name",
     .act = open_cat,
     .expected = MMF_E_CORRUPT,
     .arrange = hold_another_name,
     .disarrange = step_close_elsewhere},
    {.name = "open_planted_file",
     .act = open_cat,
     .expected = MMF_E_CORRUPT,
     .arrange = plant_file,
     .disarrange = uproot},
    {.name = "open_planted_link",
     .act = open_cat,
     .expected = MMF_E_CORRUPT,
     .arrange = plant_link,
     .disarrange = uproot},
    {.name = "open_blocked",
     .act = open_cat,
     .expected = MMF_E_BUSY,
     .arrange = block_the_name,
     .disarrange = unblock_the_name},
    {.name = "create_blocked",
     .act = create_cat,
     .expected = MMF_E_BUSY,
     .documented = round_create_statuses,
     .arrange = block_the_name,
     .disarrange = unblock_the_name},
    {.name = "inherit_named",
     .act = open_inherited,
     .documented = round_inherit_statuses,
     .arrange = inherit_named,
     .inspect = step_is_found,
     .inspect_failure = has_left_descriptor,
     .clean = close_inherited,
     .disarrange = close_parent},
    {.name = "inherit_last",
     .act = open_inherited,
     .documented = round_inherit_statuses,
     .arrange = inherit_last,
     .inspect = step_is_found,
     .inspect_failure = has_left_descriptor,
     .clean = close_inherited,
     .disarrange = close_parent},
    {.name = "inherit_to_pass_on",
     .act = open_inherited_to_pass_on,
     .documented = round_inherit_statuses,
     .arrange = inherit_named,
     .inspect = step_is_found,
     .inspect_failure = has_left_descriptor,
     .clean = close_inherited,
     .disarrange = close_parent},
    {.name = "inherit_unnamed",
     .act = open_inherited,
     .documented = round_inherit_statuses,
     .arrange = inherit_unnamed,
     .inspect = step_is_usable,
     .inspect_failure = has_left_descriptor,
     .clean = close_inherited,
     .disarrange = close_parent},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_open",
                        round_make_tests(scenarios, COUNT, round_open_statuses), COUNT,
                        NULL);
}
