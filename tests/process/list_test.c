/*
 * list_test.c - mmf_list and mmf_gc: what they say of the living, the dead, what is
 * not ours and what we may not see.
 */
#include "children.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The entry called `name`, or NULL. */
static const mmf_object_info *
find(const mmf_list *list, const char *name)
{
    int32_t i;

    for (i = 0; i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, name) == 0)
            return mmf_list_get(list, i);
    return NULL;
}

static mmf_list *
list_names(mmf_list_flags flags)
{
    mmf_list *list;

    CHECK_OK(mmf_list_create(flags, &list));
    return list;
}

static void
read_and_wait(struct child *self, void *argument)
{
    mmf_map *map;

    CHECK_OK(
        mmf_map_open_existing(argument, MAP_OPTIONS(.rights = MMF_RIGHTS_READ), &map));
    child_send(self, 'r');
    child_hear(self);
    mmf_map_close(map);
}

TEST(an_entry_says_all_there_is_to_say)
{
    static char name[] = "Global\\a name with blanks/\xc3\xa9";
    struct child holder;
    const mmf_object_info *info;
    struct timespec before, after;
    mmf_list *list;
    mmf_map *map;
    int64_t created;

    clock_gettime(CLOCK_REALTIME, &before);
    CHECK_OK(mmf_map_create_new(
        name, 100000, MAP_OPTIONS(.access = MMF_ACCESS_READ_EXECUTE, .mode = 0640),
        &map));
    clock_gettime(CLOCK_REALTIME, &after);
    child_start(&holder, read_and_wait, name);
    child_expect(&holder, 'r');
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 1);
    info = find(list, name);
    CHECK(info != NULL);
    CHECK_TEXT(info->path, only_file());
    CHECK_TEXT(info->creator_command, "process_list");
    CHECK_TEXT(info->file, "");
    CHECK_INT(info->capacity, 100000);
    CHECK(info->resident >= 100000 && info->resident <= 200000);
    created = info->created;
    CHECK(created >= (int64_t)before.tv_sec * 1000000000 + before.tv_nsec);
    CHECK(created <= (int64_t)after.tv_sec * 1000000000 + after.tv_nsec);
    CHECK_INT(info->kind, MMF_KIND_MAP);
    CHECK_INT(info->status, MMF_OBJECT_IN_USE);
    CHECK_INT(info->holders, 2);
    CHECK_INT(info->protection, MMF_ACCESS_READ_EXECUTE);
    CHECK_INT(info->mode, 0640);
    CHECK_INT(info->owner, getuid());
    CHECK_INT(info->creator_pid, getpid());
    CHECK_INT(info->reserved, 0);
    mmf_list_close(list);
    child_finish(&holder);
    mmf_map_close(map);
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 0);
    CHECK(mmf_list_get(list, 0) == NULL);
    CHECK(mmf_list_get(list, -1) == NULL);
    mmf_list_close(list);
}

TEST(bad_arguments_are_refused)
{
    mmf_gc_result result;
    mmf_list *list;

    CHECK_FAILS(mmf_list_create(0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_list_create(0x100, &list), MMF_E_INVALID);
    CHECK_FAILS(mmf_gc(0x100, &result), MMF_E_INVALID);
    CHECK_INT(mmf_list_count(NULL), 0);
    CHECK(mmf_list_get(NULL, 0) == NULL);
    mmf_list_close(NULL);
}

static void
create_many(struct child *self, void *argument)
{
    mmf_map *map;
    char name[32];
    int i;

    (void)argument;
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "dead %03d", i);
        CHECK_OK(mmf_map_create_new(name, 10, NULL, &map));
    }
    child_send(self, 'r');
    child_hear(self);
}

TEST(a_thousand_names_are_listed_and_collected)
{
    static mmf_map *maps[500];
    struct child child;
    mmf_gc_result result;
    mmf_list *list;
    char name[32];
    int i;

    child_start(&child, create_many, NULL);
    child_expect(&child, 'r');
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "living %03d", i);
        CHECK_OK(mmf_map_create_new(name, 10, NULL, &maps[i]));
    }
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 1000);
    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), i < 500 ? "dead %03d" : "living %03d", i % 500);
        CHECK_TEXT(mmf_list_get(list, i)->name, name);
        CHECK_INT(mmf_list_get(list, i)->holders, 1);
    }
    mmf_list_close(list);
    child_kill(&child);
    list = list_names(MMF_LIST_KEEP_ORPHANED);
    CHECK_INT(mmf_list_count(list), 1000);
    CHECK_INT(mmf_list_get(list, 0)->status, MMF_OBJECT_ORPHANED);
    CHECK_INT(mmf_list_get(list, 999)->status, MMF_OBJECT_IN_USE);
    mmf_list_close(list);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 500);
    CHECK_INT(result.in_use, 500);
    for (i = 0; i < 500; i++)
        mmf_map_close(maps[i]);
    CHECK_INT(count_files(NULL, 0), 0);
}

/* Every creation collects some orphans, so that they do not pile up without mmf_gc. */
TEST(creators_collect_other_names)
{
    struct child child;
    mmf_map *map;
    int i;

    child_start(&child, create_many, NULL);
    child_expect(&child, 'r');
    child_kill(&child);
    CHECK_INT(count_files(NULL, 0), 500);
    for (i = 0; i < 5000 && count_files(NULL, 0) > 0; i++) {
        CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
        mmf_map_close(map);
    }
    CHECK_INT(count_files(NULL, 0), 0);
}

/* Listing while others come and go: no failure, and what is held is there. */
static void
come_and_go(struct child *self, void *argument)
{
    mmf_map *map;
    char name[32];
    unsigned i;

    (void)argument;
    child_send(self, 'r');
    for (i = 0;; i++) {
        snprintf(name, sizeof(name), "passer-by %u", i % 50);
        if (mmf_map_create_or_open(name, 10, NULL, NULL, &map) == MMF_OK && i % 7 != 0)
            mmf_map_close(map);
        if (i % 1000 == 999)
            _exit(EXIT_SUCCESS); /* some die with what they have */
    }
}

TEST(lists_are_sound_while_names_come_and_go)
{
    struct child children[3];
    mmf_map *map;
    int i, k;

    harness_expect_dead();
    CHECK_OK(mmf_map_create_new("the one that stays", 10, NULL, &map));
    for (i = 0; i < 3; i++) {
        child_start(&children[i], come_and_go, NULL);
        child_expect(&children[i], 'r');
    }
    for (i = 0; i < 200; i++) {
        mmf_list *list = list_names(i % 2 == 0 ? 0 : MMF_LIST_KEEP_ORPHANED);
        const mmf_object_info *info = find(list, "the one that stays");

        CHECK(info != NULL);
        CHECK_INT(info->status, MMF_OBJECT_IN_USE);
        for (k = 0; k < mmf_list_count(list); k++)
            CHECK(mmf_list_get(list, k)->status == MMF_OBJECT_IN_USE ||
                  mmf_list_get(list, k)->status == MMF_OBJECT_ORPHANED);
        mmf_list_close(list);
    }
    for (i = 0; i < 3; i++)
        child_kill(&children[i]);
    mmf_map_close(map);
}

/* Locks of a process that is no holder, on a file like an object's. */
TEST(other_locks_are_no_holders)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = 0, .l_len = 10};
    mmf_list *list;
    mmf_map *map;
    int fd;

    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    fd = open(only_file(), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    mmf_map_close(map);
    list = list_names(MMF_LIST_HOLDERS | MMF_LIST_KEEP_ORPHANED);
    CHECK_INT(mmf_list_count(list), 0);
    mmf_list_close(list);
    close(fd);
    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    fd = open(only_file(), O_RDWR | O_CLOEXEC);
    list = list_names(MMF_LIST_HOLDERS);
    CHECK_INT(mmf_list_count(list), 1);
    CHECK_INT(mmf_list_get(list, 0)->process_count, 1);
    CHECK_INT(mmf_list_get(list, 0)->holders, 1);
    mmf_list_close(list);
    close(fd);
    mmf_map_close(map);
}
