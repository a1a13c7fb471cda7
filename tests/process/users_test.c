/*
 * users_test.c - names that several users share, and users that get in each other's
 * way.
 *
 * Run as root: other users are processes that have become 65534 or 65533.
 */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 65534, OTHER = 65533 };

/* The test's directory as /dev/shm is: every user may create in it, and only that. */
static int
share_directory(void **state)
{
    (void)state;
    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    return chmod(harness_dir(), 01777);
}

static struct process *
start_user(unsigned user)
{
    struct process *actor = actor_start();

    actor_does(actor, "user %u", user);
    return actor;
}

TEST_WITH(mode_0666_lets_everybody_read_and_write, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);

    actor_does(root, "public 0 666 10000 Global\\Cat");
    actor_does(root, "view 0");
    actor_does(stranger, "open 0 Global\\Cat");
    actor_does(stranger, "view 0");
    actor_does(stranger, "write 0 0 from stranger");
    CHECK_TEXT(actor_says(root, "read 0 0 13"), "from stranger");
    actor_fails(stranger, MMF_E_EXISTS, "Cat", "create 1 100 Global\\Cat");
    actor_does(stranger, "either 1 100 Global\\Cat");
    actor_does(stranger, "close 1");
    process_kill(root);
    /* The other user's hold is as good. */
    root = actor_start();
    actor_does(root, "open 0 Global\\Cat");
    actor_does(root, "close 0");
    actor_end(stranger);
    actor_fails(root, MMF_E_NOT_FOUND, "Cat", "open 0 Global\\Cat");
    actor_does(root, "create 0 100 Global\\Cat");
    actor_end(root);
    harness_expect_dead();
}

static const mmf_object_info *
owned_by(const mmf_list *list, uint32_t user)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (mmf_list_get(list, i)->owner == user)
            return mmf_list_get(list, i);
    return NULL;
}

static int32_t
count_listed(mmf_list_flags flags)
{
    mmf_list *list;
    int32_t count;

    CHECK_OK(mmf_list_create(flags, &list));
    count = mmf_list_count(list);
    mmf_list_close(list);
    return count;
}

TEST_WITH(root_lists_and_collects_all_users_names, share_directory)
{
    const mmf_list_flags all = MMF_LIST_ALL_USERS | MMF_LIST_KEEP_ORPHANED;
    struct process *stranger = start_user(STRANGER), *other = start_user(OTHER);
    char planted[PATH_MAX];
    mmf_gc_result result;
    mmf_list *list;

    actor_does(stranger, "create 0 100 Cat");
    actor_does(other, "create 0 5000 Cat");
    CHECK_INT(count_listed(0), 0);
    CHECK_INT(count_listed(MMF_LIST_ALL_USERS | MMF_LIST_GLOBAL), 0);
    CHECK_OK(mmf_list_create(all | MMF_LIST_HOLDERS, &list));
    CHECK_INT(mmf_list_count(list), 2);
    CHECK_TEXT(mmf_list_get(list, 1)->name, "Cat");
    CHECK_INT(owned_by(list, STRANGER)->capacity, 100);
    CHECK_INT(owned_by(list, OTHER)->capacity, 5000);
    CHECK_INT(owned_by(list, OTHER)->process_count, 1);
    mmf_list_close(list);
    process_kill(stranger);
    CHECK_OK(mmf_gc(all, &result));
    CHECK_INT(result.removed, 1);
    CHECK_INT(count_listed(all), 2);
    CHECK_OK(mmf_gc(MMF_LIST_ALL_USERS, &result));
    CHECK_INT(result.removed, 1);
    CHECK_INT(result.in_use, 1);
    CHECK_INT(count_listed(all), 1);
    /* A link in a directory's place leads nowhere. */
    snprintf(planted, sizeof(planted), "%s/mmf-%d", harness_dir(), STRANGER);
    CHECK_INT(rmdir(planted), 0);
    CHECK_INT(symlink("mmf-65533", planted), 0);
    CHECK_INT(count_listed(all), 1);
    CHECK_INT(unlink(planted), 0);
    actor_end(other);
    CHECK_INT(count_listed(all), 0);
}

TEST_WITH(an_unprivileged_creator_serves_root, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);
    struct process *other = start_user(OTHER);

    actor_does(stranger, "public 0 600 100 Global\\Cat");
    actor_does(stranger, "view 0");
    actor_does(stranger, "write 0 0 mine");
    actor_fails(other, MMF_E_ACCESS, "65534", "open 0 Global\\Cat");
    actor_fails(other, MMF_E_ACCESS, "65534", "either 0 100 Global\\Cat");
    actor_fails(other, MMF_E_ACCESS, "65534", "create 0 100 Global\\Cat");
    actor_does(root, "open 0 Global\\Cat"); /* root may */
    actor_does(root, "view 0");
    CHECK_TEXT(actor_says(root, "read 0 0 4"), "mine");
    actor_does(stranger, "close 0");
    actor_does(stranger, "open 0 Global\\Cat");
    actor_does(stranger, "close 0");
    actor_does(root, "close 0");
    actor_fails(stranger, MMF_E_NOT_FOUND, "Cat", "open 0 Global\\Cat");
    actor_does(other, "create 0 100 Global\\Cat");
    actor_end(other);
    actor_end(stranger);
    actor_end(root);
    harness_expect_dead();
}

TEST_WITH(mode_0600_is_the_default, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);
    struct stat st;

    actor_does(root, "create 0 100 Global\\Cat");
    CHECK(stat(only_file(), &st) == 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    actor_fails(stranger, MMF_E_ACCESS, "root", "open 0 Global\\Cat");
    actor_fails(stranger, MMF_E_ACCESS, "root", "reader 0 Global\\Cat");
    actor_fails(stranger, MMF_E_ACCESS, "root", "create 0 100 Global\\Cat");
    actor_fails(stranger, MMF_E_ACCESS, "root", "either 0 100 Global\\Cat");
    actor_end(stranger);
    actor_does(root, "close 0");
    actor_end(root);
}

TEST_WITH(the_umask_does_not_matter, share_directory)
{
    struct stat st;
    mmf_map_options options;
    mmf_map *map;
    mode_t mask = umask(0777);

    mmf_map_options_init(&options);
    options.mode = 0664;
    CHECK_OK(mmf_map_create_new("Global\\Cat", 100, &options, &map));
    umask(mask);
    CHECK(stat(only_file(), &st) == 0);
    CHECK_INT(st.st_mode & 07777, 0664);
    mmf_map_close(map);
}

TEST_WITH(mode_0644_lets_others_read, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);

    actor_does(root, "public 0 644 100 Global\\Cat");
    actor_does(root, "view 0");
    actor_does(root, "write 0 0 read me");
    actor_fails(stranger, MMF_E_ACCESS, "root", "open 0 Global\\Cat");
    actor_does(stranger, "reader 0 Global\\Cat");
    actor_fails(stranger, MMF_E_ACCESS, "", "view 0");
    actor_does(stranger, "read-view 0");
    CHECK_TEXT(actor_says(stranger, "read 0 0 7"), "read me");
    actor_does(root, "write 0 0 changed");
    CHECK_TEXT(actor_says(stranger, "read 0 0 7"), "changed");
    actor_does(stranger, "close 0");
    actor_does(stranger, "close-view 0");
    actor_end(stranger);
    actor_does(root, "close 0");
    actor_end(root);
}

/* A reader keeps the name, although it may not write-lock or unlink anything. */
TEST_WITH(a_reader_may_be_the_last_holder, share_directory)
{
    int ways; /* the owner closes or is killed; so does the reader */

    for (ways = 0; ways < 4; ways++) {
        struct process *root = actor_start(), *stranger = start_user(STRANGER);

        check_context("ways %d", ways);
        actor_does(root, "public 0 644 100 Global\\Cat");
        actor_does(stranger, "reader 0 Global\\Cat");
        if (ways & 1) {
            process_kill(root);
            process_finish(root);
            root = actor_start();
        } else {
            actor_does(root, "close 0");
        }
        actor_does(root, "open 0 Global\\Cat");
        actor_fails(root, MMF_E_EXISTS, "Cat", "create 1 100 Global\\Cat");
        actor_does(root, "close 0");
        actor_does(stranger, "reader 1 Global\\Cat");
        actor_does(stranger, "close 1");
        if (ways & 2) {
            process_kill(stranger);
        } else {
            actor_does(stranger, "close 0");
            /* What it cannot remove is nevertheless gone. */
            actor_fails(stranger, MMF_E_NOT_FOUND, "Cat", "reader 0 Global\\Cat");
        }
        actor_fails(root, MMF_E_NOT_FOUND, "Cat", "open 0 Global\\Cat");
        CHECK_INT(count_files(NULL, 0), 0);
        actor_does(root, "create 0 100 Global\\Cat");
        actor_does(root, "close 0");
        actor_end(root);
        process_finish(stranger);
    }
}

TEST_WITH(a_dead_object_of_another_user_is_reported, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);
    struct process *other = start_user(OTHER);

    actor_does(root, "public 0 644 100 Global\\root's");
    actor_does(root, "public 1 666 100 Global\\everybody's");
    actor_does(stranger, "create 0 100 Global\\stranger's");
    process_kill(root);
    process_kill(stranger);
    actor_fails(other, MMF_E_NOT_FOUND, "root's", "reader 0 Global\\root's");
    actor_fails(other, MMF_E_NOT_FOUND, "everybody's", "open 0 Global\\everybody's");
    actor_fails(other, MMF_E_ACCESS, "root", "create 0 100 Global\\root's");
    actor_fails(other, MMF_E_ACCESS, "root", "create 0 100 Global\\everybody's");
    actor_fails(other, MMF_E_ACCESS, "root", "either 0 100 Global\\everybody's");
    actor_fails(other, MMF_E_ACCESS, "65534", "create 0 100 Global\\stranger's");
    actor_does(other, "create 0 100 Global\\other's");
    CHECK_INT(count_files(NULL, 0), 4);
    /* Their owners may; and root may everything. */
    process_finish(stranger);
    stranger = start_user(STRANGER);
    actor_does(stranger, "create 0 100 Global\\stranger's");
    actor_does(stranger, "close 0");
    process_finish(root);
    root = actor_start();
    actor_does(root, "create 0 100 Global\\everybody's");
    actor_does(root, "close 0");
    actor_end(stranger);
    actor_end(root);
    actor_end(other);
}

/* Another user puts a file where our name belongs; it is not touched. */
static void
plant_in_global_directory(struct child *self, void *argument)
{
    char path[512];
    int fd;

    (void)self;
    (void)argument;
    become_user(STRANGER);
    snprintf(path, sizeof(path), "%s/mmf.Cat", harness_dir());
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0666);
    CHECK(fd >= 0);
    CHECK(write(fd, "squat", 5) == 5);
    CHECK(fchmod(fd, 0666) == 0);
    snprintf(path, sizeof(path), "%s/mmf.Pipe", harness_dir());
    CHECK(mkfifo(path, 0666) == 0);
    CHECK(chmod(path, 0666) == 0);
    snprintf(path, sizeof(path), "%s/mmf.Link", harness_dir());
    CHECK(symlink("/etc/passwd", path) == 0);
    snprintf(path, sizeof(path), "%s/mmf.Dangling", harness_dir());
    CHECK(symlink("/dev/shm/mmf-test-no-such-file", path) == 0);
}

TEST_WITH(a_squatter_s_files_are_reported_and_left_alone, share_directory)
{
    static const char *const names[] = {"Cat", "Pipe", "Link", "Dangling"};
    struct process *root = actor_start();
    char path[512];
    struct stat st;
    size_t i;

    in_child(plant_in_global_directory, NULL);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        actor_fails(root, MMF_E_CORRUPT, names[i], "create 0 100 Global\\%s", names[i]);
        actor_fails(root, MMF_E_CORRUPT, names[i], "either 0 100 Global\\%s", names[i]);
        actor_fails(root, MMF_E_CORRUPT, names[i], "open 0 Global\\%s", names[i]);
        actor_fails(root, MMF_E_CORRUPT, names[i], "reader 0 Global\\%s", names[i]);
    }
    CHECK(access("/dev/shm/mmf-test-no-such-file", F_OK) < 0);
    actor_does(root, "gc 0");
    CHECK_INT(count_files(NULL, 0), 4);
    snprintf(path, sizeof(path), "%s/mmf.Cat", harness_dir());
    CHECK(stat(path, &st) == 0);
    CHECK_INT(st.st_size, 5);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/mmf.%s", harness_dir(), names[i]);
        CHECK(unlink(path) == 0);
    }
    actor_does(root, "create 0 100 Global\\Cat");
    actor_does(root, "close 0");
    actor_end(root);
}

/*
 * Directories.
 */

/* Every way to use local names is refused with `part` in the reason. */
static void
check_refused(struct process *actor, int status, const char *part)
{
    actor_fails(actor, status, part, "create 0 100 Cat");
    actor_fails(actor, status, part, "either 0 100 Cat");
    actor_fails(actor, status, part, "gc 0");
}

static void
user_directory(char *path, size_t size, unsigned user)
{
    snprintf(path, size, "%s/mmf-%u", harness_dir(), user);
}

TEST_WITH(a_squatted_directory_is_refused, share_directory)
{
    struct process *stranger = start_user(STRANGER), *root = actor_start();
    char path[512];

    /* Root's directory was made by the stranger, before root came. */
    user_directory(path, sizeof(path), 0);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(chown(path, STRANGER, STRANGER) == 0);
    check_refused(root, MMF_E_ACCESS, "65534");
    CHECK(chmod(path, 0777) == 0);
    check_refused(root, MMF_E_ACCESS, "65534");
    CHECK_INT(count_files(NULL, 0), 0);
    /* The stranger's own is another one. */
    actor_does(stranger, "create 0 100 Cat");
    actor_does(stranger, "close 0");
    CHECK(rmdir(path) == 0);
    actor_does(root, "create 0 100 Cat");
    actor_does(root, "close 0");
    actor_end(root);
    actor_end(stranger);
}

TEST_WITH(an_open_directory_is_refused, share_directory)
{
    static const mode_t modes[] = {0770, 0707, 0777, 0750, 0701, 01777};
    struct process *stranger = start_user(STRANGER);
    char path[512];
    size_t i;

    user_directory(path, sizeof(path), STRANGER);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(chown(path, STRANGER, STRANGER) == 0);
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        check_context("mode %o", (unsigned)modes[i]);
        CHECK(chmod(path, modes[i]) == 0);
        check_refused(stranger, MMF_E_ACCESS, "mode");
    }
    check_context("%s", "");
    CHECK(chmod(path, 0700) == 0);
    actor_does(stranger, "create 0 100 Cat");
    actor_does(stranger, "close 0");
    actor_end(stranger);
}

TEST_WITH(something_else_instead_of_the_directory_is_refused, share_directory)
{
    struct process *root = actor_start();
    char path[512], elsewhere[512];
    int fd;

    user_directory(path, sizeof(path), 0);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    check_refused(root, MMF_E_ACCESS, path);
    CHECK(unlink(path) == 0);
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", harness_dir());
    CHECK(mkdir(elsewhere, 0700) == 0);
    CHECK(symlink(elsewhere, path) == 0);
    check_refused(root, MMF_E_ACCESS, path);
    CHECK(unlink(path) == 0);
    CHECK(rmdir(elsewhere) == 0);
    actor_end(root);
}

TEST_WITH(a_root_directory_that_others_rule_is_refused, share_directory)
{
    struct process *stranger;

    /* Another user's: that user could replace what is in it. */
    CHECK(chown(harness_dir(), OTHER, OTHER) == 0);
    CHECK(chmod(harness_dir(), 01777) == 0);
    stranger = start_user(STRANGER);
    check_refused(stranger, MMF_E_ACCESS, "65533");
    actor_end(stranger);
    /* Every user may write, and may remove other users' files. */
    CHECK(chown(harness_dir(), 0, 0) == 0);
    CHECK(chmod(harness_dir(), 0777) == 0);
    stranger = start_user(STRANGER);
    check_refused(stranger, MMF_E_ACCESS, harness_dir());
    actor_end(stranger);
    CHECK(chmod(harness_dir(), 01777) == 0);
    stranger = start_user(STRANGER);
    actor_does(stranger, "create 0 100 Cat");
    actor_does(stranger, "close 0");
    actor_end(stranger);
}

TEST_WITH(a_local_name_is_each_user_s_own, share_directory)
{
    struct process *root = actor_start(), *stranger = start_user(STRANGER);

    actor_does(root, "create 0 100 Cat");
    actor_fails(stranger, MMF_E_NOT_FOUND, "Cat", "open 0 Cat");
    actor_does(stranger, "create 0 200 Cat");
    actor_does(root, "open 1 Cat");
    CHECK_TEXT(actor_says(root, "capacity 1"), "100");
    actor_does(stranger, "close 0");
    actor_does(root, "close 0");
    actor_does(root, "close 1");
    actor_end(root);
    actor_end(stranger);
}

ROLE("actor", actor_role);
