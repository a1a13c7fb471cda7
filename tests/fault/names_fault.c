/*
 * names_fault.c - the end of names: closing, listing, collecting, and fork, while
 * something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Closing. It has no answer; whatever fails, the handle is closed, and the name lives
 * no longer than its holders.
 */

STEP(create_given, CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage.given)));

static void
create_inheritable(void)
{
    CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, INHERITABLE_MAP, &stage.given));
}

STEP(create_unnamed, CHECK_OK(mmf_map_create_new(NULL, CAT_SIZE, NULL, &stage.given)));

static void
create_and_view(void)
{
    create_given();
    CHECK_OK(mmf_accessor_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &stage.given_view));
    CHECK_OK(mmf_accessor_write_byte(stage.given_view, 0, 7));
}

/* The view stays, the name does not. */
static void
has_only_view(void)
{
    uint8_t byte;

    step_is_gone();
    CHECK_OK(mmf_accessor_read_byte(stage.given_view, 0, &byte));
    CHECK_INT(byte, 7);
}

/* Two handles in this process; stage.map is kept. */
static void
create_and_open_again(void)
{
    create_given();
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage.kept));
}

static void
has_kept(void)
{
    mmf_map *map;

    round_check_usable(stage.kept);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
}

static void
hold_elsewhere_and_open(void)
{
    step_hold_elsewhere();
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage.given));
}

static void
hold_elsewhere_and_read(void)
{
    step_hold_elsewhere();
    fault_set_host(HOST_READ_ONLY);
    CHECK_OK(mmf_map_open_existing("Cat", MAP_OPTIONS(.rights = MMF_RIGHTS_READ),
                                   &stage.given));
    fault_set_host(0);
}

static void
is_held_elsewhere(void)
{
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage.map));
    step_is_theirs(); /* the end closes it */
}

static void
name_file(void)
{
    round_make_file(5000);
    CHECK_OK(mmf_map_create_from_file(stage.path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL,
                                      &stage.given));
}

/* The file is free for others again. */
static void
file_is_free(void)
{
    mmf_map *map;

    step_is_gone();
    CHECK_OK(
        mmf_map_create_from_file(stage.path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL, &map));
    mmf_map_close(map);
}

/*
 * Listing and collecting. "Cat" is open elsewhere, "Dog" and a creator's temporary file
 * are orphans, "Rock" is no object, and "Cow" is a file's map, open here.
 */

static void
plant(const char *name, const char *text)
{
    int fd = open(round_file_of(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* The orphans come last: every creation may collect them. */
static void
populate(void)
{
    step_hold_elsewhere();
    round_make_file(5000);
    CHECK_OK(mmf_map_create_from_file(stage.path, MMF_FILE_MODE_OPEN, "Global\\Cow", 0,
                                      NULL, &stage.given));
    round_leave_dead("Dog", CAT_SIZE);
    plant("Rock", "hard");
    plant(".tmp-1-0", "half-made");
}

STEP(depopulate, unlink(round_file_of("Rock")));
CALL(list, mmf_list_create(0, &stage.list));
CALL(list_with_dead,
     mmf_list_create(MMF_LIST_LOCAL | MMF_LIST_KEEP_ORPHANED, &stage.list));

/* Without /proc: with it the round is as long as the machine has descriptors. */
CALL(list_with_holders, mmf_list_create(MMF_LIST_HOLDERS, &stage.list));

static const mmf_object_info *
find(const mmf_list *all, const char *name)
{
    for (int32_t i = 0; i < mmf_list_count(all); i++) {
        if (strcmp(mmf_list_get(all, i)->name, name) == 0)
            return mmf_list_get(all, i);
    }
    CHECK_FAIL("%s is not listed", name);
}

static void
lists_the_local(void)
{
    const mmf_object_info *cat;

    if (stage.says_less)
        return;
    cat = find(stage.list, "Cat");
    CHECK_INT(cat->status, MMF_OBJECT_IN_USE);
    CHECK_INT(cat->holders, 1);
    CHECK_INT(cat->capacity, CAT_SIZE);
    CHECK_INT(find(stage.list, "Rock")->status, MMF_OBJECT_INVALID);
}

static void
lists_all(void)
{
    const mmf_object_info *cow;

    if (stage.says_less)
        return;
    lists_the_local();
    cow = find(stage.list, "Global\\Cow");
    CHECK_INT(cow->status, MMF_OBJECT_IN_USE);
    CHECK_INT(cow->holders, 1);
    CHECK_TEXT(cow->file, stage.path);
}

static void
lists_dead(void)
{
    if (stage.says_less)
        return;
    lists_the_local();
    CHECK_INT(find(stage.list, "Dog")->status, MMF_OBJECT_ORPHANED);
    CHECK_INT(find(stage.list, ".tmp-1-0")->status, MMF_OBJECT_ORPHANED);
}

CALL(collect, mmf_gc(0, &stage.collected));

/* Whatever the call could not remove, the next one does. */
static void
has_collected(void)
{
    if (!stage.says_less) {
        CHECK_INT(stage.collected.in_use, 2);
        CHECK_INT(stage.collected.invalid, 1);
    }
    CHECK(stage.collected.removed + stage.collected.refused <= 2);
    CHECK_OK(mmf_gc(0, &stage.collected));
    CHECK_INT(stage.collected.in_use, 2);
    CHECK(access(round_file_of("Dog"), F_OK) < 0);
    CHECK(access(round_file_of(".tmp-1-0"), F_OK) < 0);
    CHECK(access(round_file_of("Rock"), F_OK) == 0);
}

/*
 * fork. The child has the view, but no lock: the name goes when the parent closes it,
 * though the child lives on.
 */

static int
fork_child(void)
{
    struct fault_report ignored;
    int go[2];
    uint8_t byte;

    CHECK(pipe2(go, O_CLOEXEC) == 0);
    stage.child = fork();
    if (stage.child == 0) {
        fault_disarm(&ignored);
        close(go[1]);
        CHECK(read(go[0], &byte, 1) == 0);
        _exit(0);
    }
    close(go[0]);
    stage.fd = go[1];
    return MMF_OK;
}

/* The parent closes; the child's copy of the claim holds on. */
static void
child_holds(void)
{
    mmf_map *map;

    step_close_given();
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
}

/* The map still works here; closed, its name is gone, and the child still there. */
static void
name_ends_with_parent(void)
{
    round_check_usable(stage.given);
    step_close_given();
    CHECK(waitpid(stage.child, NULL, WNOHANG) == 0);
    step_is_gone();
}

static void
end_child(void)
{
    int status;

    close(stage.fd);
    stage.fd = -1;
    CHECK(waitpid(stage.child, &status, 0) == stage.child && status == 0);
    stage.child = 0;
}

static struct scenario scenarios[] = {
    {"close_last", step_close_given, .arrange = create_given, .inspect = step_is_gone},
    {"close_with_view", step_close_given, .arrange = create_and_view,
     .inspect = has_only_view, .immune = " unlock lstat "},
    {"close_one_of_two", step_close_given, .arrange = create_and_open_again,
     .inspect = has_kept},
    {"close_not_last", step_close_given, .arrange = hold_elsewhere_and_open,
     .inspect = is_held_elsewhere},
    {"close_reader", step_close_given, .arrange = hold_elsewhere_and_read,
     .inspect = is_held_elsewhere},
    {"close_inheritable", step_close_given, .arrange = create_inheritable,
     .inspect = step_is_gone},
    {"close_unnamed", step_close_given, .arrange = create_unnamed},
    {"close_named_file", step_close_given, .arrange = name_file,
     .inspect = file_is_free},
    {"list", list, .arrange = populate, .inspect = lists_all, .disarrange = depopulate},
    {"list_with_dead", list_with_dead, .arrange = populate, .inspect = lists_dead,
     .disarrange = depopulate},
    {"list_with_holders", list_with_holders, .arrange = populate, .inspect = lists_all,
     .disarrange = depopulate, .host = HOST_NO_PROC},
    {"gc", collect, .arrange = populate, .inspect = has_collected,
     .disarrange = depopulate},
    {"fork_with_view", fork_child, .arrange = create_and_view,
     .inspect = name_ends_with_parent, .clean = end_child},
    {"fork_without_view", fork_child, .arrange = create_given,
     .inspect = name_ends_with_parent, .clean = end_child},
    {"fork_inheritable", fork_child, .arrange = create_inheritable,
     .inspect = child_holds, .clean = end_child},
};

SCENARIOS(round_list_statuses);
