/*
 * spaces_test.c - name spaces, file systems and limits as hosts have them.
 */
#include "children.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALICE = 2001, MALLORY = 2002 };

/*
 * User namespaces that leave root out.
 */

static void
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int
try_namespace(void)
{
    return unshare(CLONE_NEWUSER) == 0;
}

/* Become Alice in a user namespace that has her alone. */
static void
enter_namespace(void)
{
    become_user(ALICE);
    CHECK(try_namespace());
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "2001 2001 1");
    write_text("/proc/self/gid_map", "2001 2001 1");
}

static void
be_refused_in_namespace(const char *directory)
{
    mmf_map *map;

    CHECK(setenv("MMF_DIR", directory, 1) == 0);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_ACCESS);
    CHECK_FAILS(mmf_map_create_new("Global\\Cat", 100, NULL, &map), MMF_E_ACCESS);
}

static void
use_namespace(void *argument)
{
    const char *const *directories = argument;
    mmf_map *map;
    mmf_map *other;
    char own[PATH_MAX];

    enter_namespace();
    CHECK(setenv("MMF_DIR", directories[0], 1) == 0);
    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &other));
    mmf_map_close(other);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new("Global\\Cat", 100, NULL, &map));
    mmf_map_close(map);
    snprintf(own, sizeof(own), "%s/mmf-%d", directories[0], ALICE);
    CHECK(rmdir(own) == 0);
    be_refused_in_namespace(directories[1]);
    be_refused_in_namespace(directories[2]);
}

static void
be_refused_outside(void *argument)
{
    become_user(ALICE);
    be_refused_in_namespace(argument);
}

static void
mount_and_use(void *argument)
{
    static char paths[4][PATH_MAX];
    static const char *const kinds[] = {"shm", "shm/mallorys", "open", "nobodys"};
    const char *directories[4];

    (void)argument;
    make_mounts_private();
    CHECK(mount("tmpfs", harness_dir(), "tmpfs", 0, "mode=755") == 0);
    for (int i = 0; i < 4; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/%s", harness_dir(), kinds[i]);
        directories[i] = paths[i];
        CHECK(mkdir(paths[i], 0755) == 0);
        if (i == 0)
            CHECK(mount("tmpfs", paths[i], "tmpfs", 0, "mode=1777") == 0);
    }
    /* No mount, so another user can have made it; and one that is not sticky. */
    CHECK(chown(paths[1], MALLORY, MALLORY) == 0 && chmod(paths[1], 01777) == 0);
    CHECK(mount("tmpfs", paths[2], "tmpfs", 0, "mode=0777") == 0);
    in_child(use_namespace, directories);
    /* Without a namespace the same number is a user as others. */
    CHECK(mount("tmpfs", paths[3], "tmpfs", 0, "mode=1777,uid=65534") == 0);
    in_child(be_refused_outside, paths[3]);
    CHECK(umount2(harness_dir(), MNT_DETACH) == 0);
}

static void
try_to_enter(struct child *self, void *argument)
{
    (void)argument;
    become_user(ALICE);
    child_send(self, try_namespace() ? 'y' : 'n');
}

TEST(a_namespace_without_root_has_names)
{
    if (getuid() != 0 || !may_mount() || !may_change_user())
        harness_skip("file systems cannot be mounted here");
    if (child_answers(try_to_enter, NULL) != 'y')
        harness_skip("no user namespaces can be made here");
    in_child(mount_and_use, NULL);
}

/*
 * Files.
 */

TEST(a_delayed_file_is_sparse)
{
    struct stat status;
    char path[PATH_MAX];
    mmf_map *map;
    int64_t capacity;

    snprintf(path, sizeof(path), "/var/tmp/mmf-test-%d", (int)getpid());
    CHECK_OK(mmf_map_create_from_file(
        path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, (int64_t)1000 << 30,
        MAP_OPTIONS(.allocation = MMF_DELAY_ALLOCATE_PAGES), &map));
    CHECK_OK(mmf_map_capacity(map, &capacity));
    CHECK_INT(capacity, (int64_t)1000 << 30);
    CHECK(stat(path, &status) == 0 && status.st_blocks < 1000);
    CHECK_INT(status.st_size, capacity);
    mmf_map_close(map);
    CHECK(unlink(path) == 0);
    /* Without it the disk must have the room, and the message speaks of a disk. */
    CHECK_FAILS(mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL,
                                         (int64_t)1 << 42, NULL, &map),
                MMF_E_NO_SPACE);
    CHECK(strstr(mmf_last_message(), "--shm-size") == NULL);
}

static int
count_mappings(const char *path)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    int count = 0;

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL)
        count += strstr(line, path) != NULL;
    fclose(maps);
    return count;
}

static void
view_huge_file(void *argument)
{
    const char *path = argument;
    mmf_accessor *view;
    int32_t value;
    mmf_map *map;

    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 2 << 20,
                                      NULL, &map));
    for (int i = 0; i < 100; i++) {
        CHECK_OK(mmf_accessor_create(map, i * 4096, 4096, MMF_ACCESS_READ_WRITE, NULL,
                                     &view));
        CHECK_OK(mmf_accessor_write_int32(view, 0, i));
        mmf_accessor_close(view);
    }
    CHECK_INT(count_mappings(path), 0);
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    CHECK_OK(mmf_accessor_read_int32(view, 4096 * 7, &value));
    CHECK_INT(value, 7);
    mmf_accessor_close(view);
    CHECK_INT(count_mappings(path), 0);
    mmf_map_close(map);
}

static void
mount_huge(struct child *self, void *argument)
{
    char path[PATH_MAX];

    (void)argument;
    make_mounts_private();
    if (mount("none", harness_dir(), "hugetlbfs", 0, "pagesize=2M") != 0) {
        child_send(self, 'n');
        return;
    }
    child_send(self, 'y');
    snprintf(path, sizeof(path), "%s/file", harness_dir());
    in_child(view_huge_file, path);
    CHECK(umount2(harness_dir(), MNT_DETACH) == 0);
}

static long
huge_pages(long change)
{
    static const char path[] = "/proc/sys/vm/nr_hugepages";
    FILE *file = fopen(path, "re");
    char text[32];
    long pages = -1;

    if (file == NULL || fgets(text, sizeof(text), file) == NULL)
        return -1;
    fclose(file);
    pages = strtol(text, NULL, 10);
    if (change != 0) {
        file = fopen(path, "we");
        if (file == NULL)
            return -1;
        fprintf(file, "%ld\n", pages + change);
        if (fclose(file) != 0)
            return -1;
    }
    return pages;
}

TEST(views_on_hugetlbfs_do_not_leak)
{
    long before;
    char answer;

    if (getuid() != 0 || !may_mount())
        harness_skip("file systems cannot be mounted here");
    before = huge_pages(8);
    if (before < 0 || huge_pages(0) < before + 4) {
        if (before >= 0)
            huge_pages(before - huge_pages(0));
        harness_skip("no huge pages are available here");
    }
    answer = child_answers(mount_huge, NULL);
    huge_pages(before - huge_pages(0));
    if (answer != 'y')
        harness_skip("no huge pages of 2 MiB can be mounted here");
}

/*
 * Limits.
 */

static void
run_out_of_instances(void *argument)
{
    enum { MOST = 2000 };
    static mmf_event *events[MOST];
    int status = MMF_OK;
    int fd;

    (void)argument;
    become_user(ALICE);
    set_hard_limit(RLIMIT_NOFILE, 4096);
    for (int i = 0; i < MOST && status == MMF_OK; i++) {
        char name[32];

        snprintf(name, sizeof(name), "E%d", i);
        CHECK_OK(mmf_event_create_new(name, 0, 0, NULL, &events[i]));
        status = mmf_waitable_fd(mmf_event_waitable(events[i]), &fd);
    }
    CHECK_INT(status, MMF_E_IO);
    check_says("fs.inotify.max_user_instances");
    CHECK(strstr(mmf_last_message(), "ulimit") == NULL);
    for (int i = 0; i < MOST && events[i] != NULL; i++)
        mmf_event_close(events[i]);
}

TEST(a_lack_of_instances_is_named)
{
    char path[PATH_MAX];

    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
    in_child(run_out_of_instances, NULL);
    snprintf(path, sizeof(path), "%s/mmf-%d", harness_dir(), ALICE);
    CHECK(rmdir(path) == 0);
}

enum { AT_ONCE = 4096 };

static void
run_out_of_mappings(struct child *self, void *argument)
{
    mmf_accessor *view;
    int status = MMF_OK;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map));
    for (long i = 1; i < 80000 && status == MMF_OK; i++) {
        status = mmf_accessor_create(map, 0, 4096, MMF_ACCESS_READ, NULL, &view);
        if (i % AT_ONCE == 0 && i / AT_ONCE <= *(const long *)argument)
            child_send(self, 'm');
    }
    if (status == MMF_OK)
        CHECK_FAIL("more mappings than vm.max_map_count");
    CHECK_INT(status, MMF_E_NO_MEMORY);
    check_says("vm.max_map_count");
    mmf_map_close(map);
}

TEST(a_lack_of_mappings_is_named)
{
    struct child child;
    long most = 0;
    long pieces;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

    if (file == NULL || fscanf(file, "%ld", &most) != 1 || most > 75000)
        harness_skip("vm.max_map_count is %ld: no test of minutes", most);
    fclose(file);
    pieces = most / AT_ONCE - 1; /* the program has some mappings of its own */
    child_start(&child, run_out_of_mappings, &pieces);
    for (long i = 0; i < pieces; i++)
        child_expect(&child, 'm');
    child_finish(&child);
    harness_expect_dead();
}

/* A named map's file is not what it was: every call that opens says so, at once. */
static void
expect_corrupt(const char *what)
{
    mmf_map *map;

    CHECK_FAILS(mmf_map_open_existing("File", NULL, &map), MMF_E_CORRUPT);
    check_says(what);
    CHECK_FAILS(mmf_map_create_or_open("File", 8192, NULL, NULL, &map), MMF_E_CORRUPT);
    check_says(what);
}

TEST(every_call_says_what_became_of_a_named_map_s_file)
{
    mmf_map_options options = {.size = sizeof(options),
                               .share = MMF_FILE_SHARE_READ_WRITE};
    char path[PATH_MAX];
    char moved[PATH_MAX + 8];
    mmf_map *map;
    int fd;

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    snprintf(moved, sizeof(moved), "%s.moved", path);
    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, "File", 8192,
                                      &options, &map));
    CHECK(truncate(path, 4096) == 0);
    expect_corrupt("shorter");
    CHECK(rename(path, moved) == 0);
    expect_corrupt("removed or moved");
    CHECK(symlink(moved, path) == 0);
    expect_corrupt("link");
    CHECK(unlink(path) == 0);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 8192) == 0);
    close(fd);
    expect_corrupt("replaced by another file");
    unlink(path);
    unlink(moved);
    mmf_map_close(map);
}

/* Limits of the process that bind hard: no way out but to raise those. */
static void
run_out_of_address_space(void *argument)
{
    mmf_map_options options = {.size = sizeof(options),
                               .allocation = MMF_DELAY_ALLOCATE_PAGES};
    mmf_accessor *view;
    mmf_map *map;

    (void)argument;
    CHECK_OK(mmf_map_create_new("Cat", (int64_t)2 << 30, &options, &map));
    set_hard_limit(RLIMIT_AS, 1 << 30);
    CHECK_FAILS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view),
                MMF_E_NO_MEMORY);
    check_says("ulimit -v");
    mmf_map_close(map);
}

static void
run_out_of_descriptors(void *argument)
{
    mmf_map *map;

    (void)argument;
    set_hard_limit(RLIMIT_NOFILE, 100);
    take_descriptors(0);
    CHECK_FAILS(mmf_map_create_new("Cat", 4096, NULL, &map), MMF_E_IO);
    check_says("ulimit -n");
    check_says("ulimit -Hn");
}

static void
write_too_large_a_file(void *argument)
{
    mmf_map *map;
    char path[PATH_MAX];

    (void)argument;
    snprintf(path, sizeof(path), "%s/file", harness_dir());
    set_hard_limit(RLIMIT_FSIZE, 100000);
    CHECK_FAILS(mmf_map_create_new("Cat", 200000, NULL, &map), MMF_E_NO_SPACE);
    check_says("ulimit -f");
    CHECK_FAILS(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 200000,
                                         NULL, &map),
                MMF_E_NO_SPACE);
    check_says("ulimit -f");
}

TEST(the_process_s_limits_are_named)
{
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs address space and descriptors of its own");
    in_child(run_out_of_address_space, NULL);
    in_child(run_out_of_descriptors, NULL);
    in_child(write_too_large_a_file, NULL);
}
