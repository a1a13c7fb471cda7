/*
 * list_test.c - mmf_list and mmf_gc: what they say of the living, the dead, what is
 * not ours and what we may not see.
 */
#include "actor.h"

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

TEST(an_entry_says_all_there_is_to_say)
{
    struct process *holder = actor_start();
    const mmf_object_info *info;
    mmf_map_options options;
    struct timespec before, after;
    mmf_list *list;
    mmf_map *map;
    int64_t created;

    mmf_map_options_init(&options);
    options.access = MMF_ACCESS_READ_EXECUTE;
    options.mode = 0640;
    clock_gettime(CLOCK_REALTIME, &before);
    CHECK_OK(mmf_map_create_new("Global\\a name with blanks/\xc3\xa9", 100000, &options,
                                &map));
    clock_gettime(CLOCK_REALTIME, &after);
    actor_does(holder, "reader 0 Global\\a name with blanks/\xc3\xa9");
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 1);
    info = find(list, "Global\\a name with blanks/\xc3\xa9");
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
    actor_end(holder);
    mmf_map_close(map);
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 0);
    CHECK(mmf_list_get(list, 0) == NULL);
    CHECK(mmf_list_get(list, -1) == NULL);
    mmf_list_close(list);
}

TEST(scopes_are_listed_as_asked)
{
    mmf_map *local, *global;
    mmf_list *list;

    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &local));
    CHECK_OK(mmf_map_create_new("Global\\Cat", 1, NULL, &global));
    list = list_names(MMF_LIST_LOCAL);
    CHECK_INT(mmf_list_count(list), 1);
    CHECK(find(list, "Cat") != NULL);
    mmf_list_close(list);
    list = list_names(MMF_LIST_GLOBAL);
    CHECK_INT(mmf_list_count(list), 1);
    CHECK(find(list, "Global\\Cat") != NULL);
    mmf_list_close(list);
    list = list_names(MMF_LIST_LOCAL | MMF_LIST_GLOBAL);
    CHECK_INT(mmf_list_count(list), 2);
    mmf_list_close(list);
    mmf_map_close(local);
    mmf_map_close(global);
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

/* A process counts once, whatever it has open; a lone view not at all. */
TEST(holders_are_processes)
{
    struct process *actors[5];
    mmf_list *list;
    int i;

    for (i = 0; i < 5; i++) {
        actors[i] = actor_start();
        actor_does(actors[i], i == 0 ? "create 0 100 Cat" : "open 0 Cat");
        actor_does(actors[i], "view 0");
        actor_does(actors[i], "open 1 Cat");
        list = list_names(0);
        CHECK_INT(find(list, "Cat")->holders, i + 1);
        mmf_list_close(list);
    }
    for (i = 0; i < 5; i++) {
        if (i % 2 == 0) {
            actor_does(actors[i], "close 0");
            actor_does(actors[i], "close 1");
        } else {
            process_kill(actors[i]);
        }
        list = list_names(0);
        if (i < 4)
            CHECK_INT(find(list, "Cat")->holders, 4 - i);
        else
            CHECK_INT(mmf_list_count(list), 0);
        mmf_list_close(list);
    }
    for (i = 0; i < 5; i++)
        process_finish(actors[i]);
}

TEST(the_dead_are_shown_or_removed)
{
    struct process *holder = actor_start();
    mmf_gc_result result;
    mmf_list *list;
    mmf_map *map;

    actor_does(holder, "create 0 1000000 Cat");
    actor_does(holder, "create 1 100 Global\\Cat");
    CHECK_OK(mmf_map_create_new("Dog", 100, NULL, &map));
    process_kill(holder);
    list = list_names(MMF_LIST_KEEP_ORPHANED);
    CHECK_INT(mmf_list_count(list), 3);
    CHECK_INT(find(list, "Cat")->status, MMF_OBJECT_ORPHANED);
    CHECK_INT(find(list, "Cat")->holders, 0);
    CHECK_INT(find(list, "Global\\Cat")->status, MMF_OBJECT_ORPHANED);
    CHECK_INT(find(list, "Dog")->status, MMF_OBJECT_IN_USE);
    mmf_list_close(list);
    CHECK_OK(mmf_gc(MMF_LIST_GLOBAL, &result));
    CHECK_INT(result.removed, 1);
    CHECK_INT(result.in_use, 0);
    CHECK_INT(count_files(NULL, 0), 2);
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 1);
    CHECK_INT(find(list, "Dog")->status, MMF_OBJECT_IN_USE);
    mmf_list_close(list);
    CHECK_INT(count_files(NULL, 0), 1);
    mmf_map_close(map);
}

TEST(gc_counts_what_it_finds)
{
    struct process *holder = actor_start();
    mmf_gc_result result;
    char path[512];
    mmf_map *map;
    int fd;

    actor_does(holder, "create 0 1000000 Cat");
    actor_does(holder, "create 1 3000000 Cow");
    CHECK_OK(mmf_map_create_new("Dog", 100, NULL, &map));
    process_kill(holder);
    snprintf(path, sizeof(path), "%s/mmf-%u/notes", harness_dir(), (unsigned)geteuid());
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 2);
    CHECK_INT(result.in_use, 1);
    CHECK_INT(result.invalid, 1);
    CHECK_INT(result.refused, 0);
    CHECK(result.bytes >= 4000000 && result.bytes < 5000000);
    CHECK_OK(mmf_gc(0, NULL));
    CHECK(access(path, F_OK) == 0);
    CHECK(unlink(path) == 0);
    mmf_map_close(map);
}

static void
list_as_another_user(struct child *self, void *argument)
{
    mmf_gc_result result;
    const mmf_object_info *info;
    mmf_list *list;
    int dead = *(int *)argument;

    (void)self;
    become_user(65534);
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 2); /* local names are not ours */
    info = find(list, "mmf.hidden");
    CHECK(info != NULL);
    CHECK_INT(info->status, MMF_OBJECT_INACCESSIBLE);
    info = find(list, "Global\\readable");
    CHECK(info != NULL);
    CHECK_INT(info->status, dead ? MMF_OBJECT_ORPHANED : MMF_OBJECT_IN_USE);
    CHECK_INT(info->holders, dead ? 0 : 1);
    CHECK_INT(info->owner, 0);
    mmf_list_close(list);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 0);
    CHECK_INT(result.refused, dead);
    CHECK_INT(result.in_use, !dead);
}

TEST(other_users_names_are_hidden_or_refused)
{
    struct process *holder;
    mmf_gc_result result;
    int dead;

    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
    holder = actor_start();
    actor_does(holder, "public 0 600 100 Global\\hidden");
    actor_does(holder, "public 1 644 100 Global\\readable");
    actor_does(holder, "create 2 100 local");
    for (dead = 0; dead < 2; dead++) {
        if (dead)
            process_kill(holder);
        in_child(list_as_another_user, &dead);
    }
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 3);
    process_finish(holder);
}

TEST(a_file_s_map_names_its_file)
{
    char path[256];
    const mmf_object_info *info;
    mmf_list *list;
    mmf_map *map;
    int fd;

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, "twelve bytes", 12) == 12);
    close(fd);
    CHECK_OK(
        mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 5000, NULL, &map));
    list = list_names(0);
    info = find(list, "Cat");
    CHECK(info != NULL);
    CHECK_TEXT(info->file, path);
    CHECK_INT(info->capacity, 5000);
    mmf_list_close(list);
    mmf_map_close(map);
    CHECK(unlink(path) == 0);
}

TEST(strange_names_come_back_as_they_were)
{
    char longest[3501];
    char text[301];
    const char *names[6];
    mmf_map *maps[6];
    mmf_list *list;
    int i;

    memset(longest, '/', sizeof(longest) - 1);
    longest[3500] = '\0';
    memset(text, 'x', sizeof(text) - 1);
    text[300] = '\0';
    names[0] = longest;
    names[1] = text;
    names[2] = " ";
    names[3] = "\t\n\r\x7f\x01";
    names[4] = "..";
    names[5] = "100%~\xff\xfe";
    for (i = 0; i < 6; i++)
        CHECK_OK(mmf_map_create_new(names[i], 1, NULL, &maps[i]));
    list = list_names(0);
    CHECK_INT(mmf_list_count(list), 6);
    for (i = 0; i < 6; i++) {
        CHECK(find(list, names[i]) != NULL);
        if (i > 0)
            CHECK(strcmp(mmf_list_get(list, i - 1)->name, mmf_list_get(list, i)->name) <
                  0);
    }
    mmf_list_close(list);
    for (i = 0; i < 6; i++)
        mmf_map_close(maps[i]);
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

ROLE("actor", actor_role);
