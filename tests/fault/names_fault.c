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

static int
close_given(struct stage *stage)
{
    mmf_map_close(stage->given);
    stage->given = NULL;
    return MMF_OK;
}

static void
create_given(struct stage *stage)
{
    CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, NULL, &stage->given));
}

static void
create_inheritable(struct stage *stage)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    CHECK_OK(mmf_map_create_new("Cat", CAT_SIZE, &options, &stage->given));
}

static void
create_unnamed(struct stage *stage)
{
    CHECK_OK(mmf_map_create_new(NULL, CAT_SIZE, NULL, &stage->given));
}

static void
create_and_view(struct stage *stage)
{
    create_given(stage);
    CHECK_OK(mmf_accessor_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &stage->given_view));
    CHECK_OK(mmf_accessor_write_byte(stage->given_view, 0, 7));
}

static void
close_view(struct stage *stage)
{
    mmf_accessor_close(stage->given_view);
}

/* The view stays, the name does not. */
static void
has_only_view(struct stage *stage)
{
    uint8_t byte;

    step_is_gone(stage);
    CHECK_OK(mmf_accessor_read_byte(stage->given_view, 0, &byte));
    CHECK_INT(byte, 7);
}

/* Two handles in this process; stage->map is kept. */
static void
create_and_open_again(struct stage *stage)
{
    create_given(stage);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage->kept));
}

static void
close_kept(struct stage *stage)
{
    mmf_map_close(stage->kept);
}

static void
has_kept(struct stage *stage)
{
    mmf_map *map;

    round_check_usable(stage->kept);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
}

static void
hold_elsewhere_and_open(struct stage *stage)
{
    step_hold_elsewhere(stage);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage->given));
}

static void
hold_elsewhere_and_read(struct stage *stage)
{
    mmf_map_options options;

    step_hold_elsewhere(stage);
    mmf_map_options_init(&options);
    options.rights = MMF_RIGHTS_READ;
    fault_set_host(HOST_READ_ONLY);
    CHECK_OK(mmf_map_open_existing("Cat", &options, &stage->given));
    fault_set_host(0);
}

static void
is_held_elsewhere(struct stage *stage)
{
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &stage->map));
    step_is_theirs(stage);
    mmf_map_close(stage->map);
}

static void
name_file(struct stage *stage)
{
    round_make_file(stage, 5000);
    CHECK_OK(mmf_map_create_from_file(stage->path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL,
                                      &stage->given));
}

/* The file is free for others again. */
static void
file_is_free(struct stage *stage)
{
    mmf_map *map;

    step_is_gone(stage);
    CHECK_OK(mmf_map_create_from_file(stage->path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL,
                                      &map));
    mmf_map_close(map);
}

static void
remove_file(struct stage *stage)
{
    unlink(stage->path);
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
populate(struct stage *stage)
{
    step_hold_elsewhere(stage);
    round_make_file(stage, 5000);
    CHECK_OK(mmf_map_create_from_file(stage->path, MMF_FILE_MODE_OPEN, "Global\\Cow", 0,
                                      NULL, &stage->given));
    round_leave_dead("Dog", CAT_SIZE);
    plant("Rock", "hard");
    plant(".tmp-1-0", "half-made");
}

static void
depopulate(struct stage *stage)
{
    mmf_map_close(stage->given);
    step_close_elsewhere(stage);
    unlink(round_file_of("Rock"));
    unlink(stage->path);
}

static int
list(struct stage *stage)
{
    return mmf_list_create(0, &stage->list);
}

static int
list_with_dead(struct stage *stage)
{
    return mmf_list_create(MMF_LIST_LOCAL | MMF_LIST_KEEP_ORPHANED, &stage->list);
}

/* Without /proc: with it the round is as long as the machine has descriptors. */
static int
list_with_holders(struct stage *stage)
{
    return mmf_list_create(MMF_LIST_HOLDERS, &stage->list);
}

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
lists_the_local(struct stage *stage)
{
    const mmf_object_info *cat;

    if (stage->says_less)
        return;
    cat = find(stage->list, "Cat");
    CHECK_INT(cat->status, MMF_OBJECT_IN_USE);
    CHECK_INT(cat->holders, 1);
    CHECK_INT(cat->capacity, CAT_SIZE);
    CHECK_INT(find(stage->list, "Rock")->status, MMF_OBJECT_INVALID);
}

static void
lists_all(struct stage *stage)
{
    const mmf_object_info *cow;

    if (stage->says_less)
        return;
    lists_the_local(stage);
    cow = find(stage->list, "Global\\Cow");
    CHECK_INT(cow->status, MMF_OBJECT_IN_USE);
    CHECK_INT(cow->holders, 1);
    CHECK_TEXT(cow->file, stage->path);
}

static void
lists_dead(struct stage *stage)
{
    if (stage->says_less)
        return;
    lists_the_local(stage);
    CHECK_INT(find(stage->list, "Dog")->status, MMF_OBJECT_ORPHANED);
    CHECK_INT(find(stage->list, ".tmp-1-0")->status, MMF_OBJECT_ORPHANED);
}

static void
close_list(struct stage *stage)
{
    mmf_list_close(stage->list);
}

static int
collect(struct stage *stage)
{
    return mmf_gc(0, &stage->collected);
}

/* Whatever the call could not remove, the next one does. */
static void
has_collected(struct stage *stage)
{
    if (!stage->says_less) {
        CHECK_INT(stage->collected.in_use, 2);
        CHECK_INT(stage->collected.invalid, 1);
    }
    CHECK(stage->collected.removed + stage->collected.refused <= 2);
    CHECK_OK(mmf_gc(0, &stage->collected));
    CHECK_INT(stage->collected.in_use, 2);
    CHECK(access(round_file_of("Dog"), F_OK) < 0);
    CHECK(access(round_file_of(".tmp-1-0"), F_OK) < 0);
    CHECK(access(round_file_of("Rock"), F_OK) == 0);
}

/*
 * fork. The child has the view, but no lock: the name goes when the parent closes it,
 * though the child lives on.
 */

static int
fork_child(struct stage *stage)
{
    struct fault_report ignored;
    int go[2];
    uint8_t byte;

    CHECK(pipe2(go, O_CLOEXEC) == 0);
    stage->child = fork();
    if (stage->child == 0) {
        fault_disarm(&ignored);
        close(go[1]);
        CHECK(read(go[0], &byte, 1) == 0);
        _exit(0);
    }
    close(go[0]);
    stage->fd = go[1];
    return MMF_OK;
}

/* The parent closes; the child's copy of the claim holds on. */
static void
child_holds(struct stage *stage)
{
    mmf_map *map;

    mmf_map_close(stage->given);
    stage->given = NULL;
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
}

/* The map still works here; closed, its name is gone, and the child still there. */
static void
name_ends_with_parent(struct stage *stage)
{
    round_check_usable(stage->given);
    mmf_map_close(stage->given);
    stage->given = NULL;
    CHECK(waitpid(stage->child, NULL, WNOHANG) == 0);
    step_is_gone(stage);
}

static void
end_child(struct stage *stage)
{
    int status;

    close(stage->fd);
    CHECK(waitpid(stage->child, &status, 0) == stage->child && status == 0);
}

static void
close_view_and_map(struct stage *stage)
{
    mmf_accessor_close(stage->given_view);
    mmf_map_close(stage->given);
}

static struct scenario scenarios[] = {
    {.name = "close_last",
     .act = close_given,
     .arrange = create_given,
     .inspect = step_is_gone},
    {.name = "close_with_view",
     /* The view's mapping keeps the lock, if the kernel does not let us unlock. */
     .immune = " unlock lstat ",
     .act = close_given,
     .arrange = create_and_view,
     .inspect = has_only_view,
     .disarrange = close_view},
    {.name = "close_one_of_two",
     .act = close_given,
     .arrange = create_and_open_again,
     .inspect = has_kept,
     .disarrange = close_kept},
    {.name = "close_not_last",
     .act = close_given,
     .arrange = hold_elsewhere_and_open,
     .inspect = is_held_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "close_reader",
     .act = close_given,
     .arrange = hold_elsewhere_and_read,
     .inspect = is_held_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "close_inheritable",
     .act = close_given,
     .arrange = create_inheritable,
     .inspect = step_is_gone},
    {.name = "close_unnamed", .act = close_given, .arrange = create_unnamed},
    {.name = "close_named_file",
     .act = close_given,
     .arrange = name_file,
     .inspect = file_is_free,
     .disarrange = remove_file},
    {.name = "list",
     .act = list,
     .arrange = populate,
     .inspect = lists_all,
     .clean = close_list,
     .disarrange = depopulate},
    {.name = "list_with_dead",
     .act = list_with_dead,
     .arrange = populate,
     .inspect = lists_dead,
     .clean = close_list,
     .disarrange = depopulate},
    {.name = "list_with_holders",
     .host = HOST_NO_PROC,
     .act = list_with_holders,
     .arrange = populate,
     .inspect = lists_all,
     .clean = close_list,
     .disarrange = depopulate},
    {.name = "gc",
     .act = collect,
     .arrange = populate,
     .inspect = has_collected,
     .disarrange = depopulate},
    {.name = "fork_with_view",
     .act = fork_child,
     .arrange = create_and_view,
     .inspect = name_ends_with_parent,
     .clean = end_child,
     .disarrange = close_view_and_map},
    {.name = "fork_without_view",
     .act = fork_child,
     .arrange = create_given,
     .inspect = name_ends_with_parent,
     .clean = end_child,
     .disarrange = close_view_and_map},
    {.name = "fork_inheritable",
     .act = fork_child,
     .arrange = create_inheritable,
     .inspect = child_holds,
     .clean = end_child,
     .disarrange = close_view_and_map},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_names",
                        round_make_tests(scenarios, COUNT, round_list_statuses), COUNT,
                        NULL);
}
