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

CALL(open_cat, mmf_map_open_existing("Cat", NULL, &stage.map));

static int
open_for(mmf_rights rights, mmf_inheritability inheritability)
{
    return mmf_map_open_existing(
        "Cat", MAP_OPTIONS(.rights = rights, .inheritability = inheritability),
        &stage.map);
}

CALL(open_for_reading, open_for(MMF_RIGHTS_READ, MMF_INHERITABILITY_NONE));
CALL(open_inheritable, open_for(MMF_RIGHTS_READ_WRITE, MMF_INHERITABILITY_INHERITABLE));
CALL(open_with_privilege,
     open_for(MMF_RIGHTS_READ_WRITE | MMF_RIGHTS_ACCESS_SYSTEM_SECURITY,
              MMF_INHERITABILITY_NONE));

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
hold_damaged(void)
{
    step_hold_elsewhere();
    change_page(offsetof(struct mmf_control_shared, capacity), &(int64_t){-1}, 8);
}

static void
hold_newer(void)
{
    step_hold_elsewhere();
    change_page(offsetof(struct mmf_control_shared, layout_version),
                &(uint32_t){MMF_LAYOUT_VERSION + 1}, 4);
}

static void
hold_another_kind(void)
{
    step_hold_elsewhere();
    change_page(offsetof(struct mmf_control_shared, kind), &(uint32_t){MMF_KIND_QUEUE},
                4);
}

static void
hold_another_name(void)
{
    step_hold_elsewhere();
    change_page(offsetof(struct mmf_control_shared, name), "Dog", 3);
}

/* A file that is no object, among those of another object. */
static void
plant_file(void)
{
    static const char text[MMF_CONTROL_SIZE] = "What is this?";
    int fd;

    step_hold_another();
    fd = open(round_file_of("Cat"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, sizeof(text)) == (ssize_t)sizeof(text));
    close(fd);
}

static void
plant_link(void)
{
    char target[256];

    step_hold_another();
    snprintf(target, sizeof(target), "%s", round_file_of("Dog"));
    CHECK(symlink(target, round_file_of("Cat")) == 0);
}

STEP(uproot, CHECK(unlink(round_file_of("Cat")) == 0));

/* Another process has locked all that the protocol knows, and keeps it. */
static void
block_the_name(void)
{
    struct flock all = {.l_type = F_WRLCK,
                        .l_whence = SEEK_SET,
                        .l_start = MMF_LOCK_HOLD,
                        .l_len = 2 * MMF_LOCK_RANGE};

    step_leave_dead();
    stage.fd = open(round_file_of("Cat"), O_RDWR | O_CLOEXEC);
    CHECK(stage.fd >= 0 && fcntl(stage.fd, F_OFD_SETLK, &all) == 0);
}

CALL(create_cat, mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage.map));

/* This process has the map already. */
STEP(create_given, CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage.given)));
STEP(given_works, round_check_usable(stage.given));

static void
can_be_read(void)
{
    mmf_accessor *view;

    step_is_theirs();
    CHECK_FAILS(
        mmf_accessor_create(stage.map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view),
        MMF_E_ACCESS);
}

/* Two descriptors: the claim that children get, and the one that views map. */
static void
is_inherited(void)
{
    intptr_t handle;

    step_is_theirs();
    CHECK_OK(mmf_map_native_handle(stage.map, &handle));
    CHECK_INT(fcntl((int)handle, F_GETFD), 0);
}

/*
 * Inherited handles. The parent's part is played by this process: its descriptor's copy
 * is what a child would find.
 */

static void
inherit(const char *name)
{
    intptr_t handle;

    CHECK_OK(mmf_map_create_new(name, CAT_SIZE, INHERITABLE_MAP, &stage.given));
    CHECK_OK(mmf_map_native_handle(stage.given, &handle));
    stage.fd = fcntl((int)handle, F_DUPFD, 0);
    CHECK(stage.fd >= 0);
}

STEP(inherit_named, inherit("Cat"));
STEP(inherit_unnamed, inherit(NULL));

/* The child's handle is the only one left. */
STEP(inherit_last, inherit("Cat"); step_close_given());

CALL(open_inherited, mmf_map_open_inherited(stage.fd, NULL, &stage.map));
CALL(open_inherited_to_pass_on,
     mmf_map_open_inherited(stage.fd, INHERITABLE_MAP, &stage.map));

/* A failed call leaves the descriptor the caller's. */
STEP(has_left_descriptor, CHECK(fcntl(stage.fd, F_GETFD) >= 0));

static void
close_inherited(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    /* For the count of descriptors: there was one more before the call. */
    if (fd != stage.fd) {
        CHECK(dup3(fd, stage.fd, O_CLOEXEC) == stage.fd);
        close(fd);
    }
}

static struct scenario scenarios[] = {
    {"open_living", open_cat, .arrange = step_hold_elsewhere,
     .inspect = step_is_theirs},
    {"open_living_for_reading", open_for_reading, .arrange = step_hold_elsewhere,
     .inspect = can_be_read, .host = HOST_READ_ONLY},
    {"open_living_denied", open_cat, .arrange = step_hold_elsewhere,
     .host = HOST_READ_ONLY, .expected = MMF_E_ACCESS},
    {"open_living_inheritable", open_inheritable, .arrange = step_hold_elsewhere,
     .inspect = is_inherited},
    {"open_without_privilege", open_with_privilege, .arrange = step_hold_elsewhere,
     .expected = MMF_E_IO},
    {"open_again", open_cat, .arrange = create_given, .inspect = step_is_found,
     .disarrange = given_works},
    {"open_dead", open_cat, .arrange = step_leave_dead, .expected = MMF_E_NOT_FOUND},
    {"open_dead_for_reading", open_for_reading, .arrange = step_leave_dead,
     .host = HOST_READ_ONLY, .expected = MMF_E_NOT_FOUND},
    {"open_absent", open_cat, .expected = MMF_E_NOT_FOUND},
    {"open_absent_beside_another", open_cat, .arrange = step_hold_another,
     .expected = MMF_E_NOT_FOUND},
    {"open_damaged", open_cat, .arrange = hold_damaged, .expected = MMF_E_CORRUPT},
    {"open_newer", open_cat, .arrange = hold_newer, .expected = MMF_E_LAYOUT},
    {"open_another_kind", open_cat, .arrange = hold_another_kind,
     .expected = MMF_E_WRONG_KIND},
    {"open_another_name", open_cat, .arrange = hold_another_name,
     .expected = MMF_E_CORRUPT},
    {"open_planted_file", open_cat, .arrange = plant_file, .disarrange = uproot,
     .expected = MMF_E_CORRUPT},
    {"open_planted_link", open_cat, .arrange = plant_link, .disarrange = uproot,
     .expected = MMF_E_CORRUPT},
    {"open_blocked", open_cat, .arrange = block_the_name, .expected = MMF_E_BUSY},
    {"create_blocked", create_cat, .arrange = block_the_name, .expected = MMF_E_BUSY,
     .documented = round_create_statuses},
    {"inherit_named", open_inherited, .arrange = inherit_named,
     .inspect = step_is_found, .inspect_failure = has_left_descriptor,
     .clean = close_inherited, .documented = round_inherit_statuses},
    {"inherit_last", open_inherited, .arrange = inherit_last, .inspect = step_is_found,
     .inspect_failure = has_left_descriptor, .clean = close_inherited,
     .documented = round_inherit_statuses},
    {"inherit_to_pass_on", open_inherited_to_pass_on, .arrange = inherit_named,
     .inspect = step_is_found, .inspect_failure = has_left_descriptor,
     .clean = close_inherited, .documented = round_inherit_statuses},
    {"inherit_unnamed", open_inherited, .arrange = inherit_unnamed,
     .inspect = step_is_usable, .inspect_failure = has_left_descriptor,
     .clean = close_inherited, .documented = round_inherit_statuses},
};

SCENARIOS(round_open_statuses);
