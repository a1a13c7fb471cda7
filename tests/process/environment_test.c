/*
 * environment_test.c - unusual file systems and scarce resources: without /proc, on
 * other file systems, on a full one, without descriptors, under limits.
 *
 * What needs mounts happens in a child with mounts of its own.
 */
#include "children.h"
#include "fuse_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Write the map's every byte: what was reserved is there. */
static void
fill(mmf_map *map)
{
    void *bytes;
    size_t size;

    CHECK_OK(mmf_map_bytes(map, MMF_ACCESS_READ_WRITE, &bytes, &size));
    memset(bytes, 0x5a, size);
}

struct orphan {
    const char *name;
    int64_t capacity;
};

static void
make_and_die(void *argument)
{
    const struct orphan *orphan = argument;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new(orphan->name, orphan->capacity, NULL, &map));
    fill(map);
}

/* Leave an orphaned object. Its process ends without a word. */
static void
leave_dead(const char *name, int64_t capacity)
{
    in_child(make_and_die, &(struct orphan){name, capacity});
}

/* All that can be done with a name, works; and nothing stays. */
static void
use_name(const char *name)
{
    mmf_map *map, *other;
    mmf_accessor *view;
    mmf_gc_result result;
    mmf_list *list;
    int32_t value = 0;

    CHECK_FAILS(mmf_map_open_existing(name, NULL, &map), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_map_create_new(name, 10000, NULL, &map));
    fill(map);
    CHECK_FAILS(mmf_map_create_new(name, 10000, NULL, &other), MMF_E_EXISTS);
    CHECK_OK(mmf_map_open_existing(name, NULL, &other));
    CHECK_OK(mmf_accessor_create(other, 4, 8, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_INT(value, 0x5a5a5a5a);
    mmf_accessor_close(view);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_or_open(name, 1, NULL, NULL, &map));
    mmf_map_close(other);
    CHECK_OK(mmf_list_create(0, &list));
    CHECK_INT(mmf_list_count(list), 1);
    CHECK_TEXT(mmf_list_get(list, 0)->name, name);
    mmf_list_close(list);
    mmf_map_close(map);
    leave_dead(name, 5000);
    CHECK_OK(mmf_map_create_new(name, 100, NULL, &map));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_INT(value, 0);
    mmf_accessor_close(view);
    mmf_map_close(map);
    leave_dead(name, 5000);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 1);
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_OK(mmf_map_create_new(NULL, 10000, NULL, &map));
    fill(map);
    mmf_map_close(map);
}

static void
use_names(void)
{
    use_name("Cat");
    use_name("Global\\Cat");
}

/*
 * Without /proc.
 */

static void
hide_proc(void)
{
    make_mounts_private();
    if (umount2("/proc", MNT_DETACH) < 0)
        CHECK(mount("tmpfs", "/proc", "tmpfs", 0, "size=64k") == 0);
    CHECK(access("/proc/self", F_OK) < 0);
}

static void
use_names_without_proc(void *argument)
{
    hide_proc();
    if (*(int *)argument != 0)
        become_user((uid_t) * (int *)argument);
    use_names();
}

TEST_WITH(proc_is_not_needed, need_mounts)
{
    int user = 0;

    in_child(use_names_without_proc, &user);
}

/* An unprivileged user cannot link a descriptor either, before Linux 6.10. */
TEST_WITH(proc_is_not_needed_by_an_unprivileged_user, need_mounts)
{
    int user = 65534;

    if (!may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
    in_child(use_names_without_proc, &user);
}

/*
 * Other file systems.
 */

static void
use_names_on(void *argument)
{
    const char *type = argument;
    char options[512];

    make_mounts_private();
    if (strcmp(type, "overlay") == 0) {
        CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, "size=4m") == 0);
        CHECK(mkdir("/mnt/lower", 0755) == 0);
        CHECK(mkdir("/mnt/upper", 0755) == 0);
        CHECK(mkdir("/mnt/work", 0755) == 0);
        snprintf(options, sizeof(options),
                 "lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work");
    } else {
        options[0] = '\0';
    }
    if (mount(type, harness_dir(), type, 0, options) < 0) {
        CHECK(errno == ENODEV);
        dprintf(STDERR_FILENO, "SKIPPED: no %s here\n", type);
        return;
    }
    use_names();
}

TEST_WITH(ramfs_works, need_mounts)
{
    in_child(use_names_on, (char[]){"ramfs"});
}

TEST_WITH(overlayfs_works, need_mounts)
{
    in_child(use_names_on, (char[]){"overlay"});
}

TEST(a_directory_on_disk_works)
{
    char dir[] = "/var/tmp/mmf-test-XXXXXX";
    char path[512];
    mmf_gc_result result;
    mmf_map *map;

    CHECK(mkdtemp(dir) != NULL);
    CHECK(setenv("MMF_DIR", dir, 1) == 0);
    leave_dead("Cat", 100);
    CHECK_OK(mmf_map_create_new("Cat", 100000, NULL, &map));
    fill(map);
    mmf_map_close(map);
    leave_dead("Global\\Cat", 100000);
    CHECK_FAILS(mmf_map_open_existing("Global\\Cat", NULL, &map), MMF_E_NOT_FOUND);
    leave_dead("Dog", 100);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 1);
    snprintf(path, sizeof(path), "%s/mmf-%u", dir, (unsigned)geteuid());
    CHECK(rmdir(path) == 0);
    CHECK(rmdir(dir) == 0);
    CHECK(setenv("MMF_DIR", harness_dir(), 1) == 0);
}

static void
be_refused_on_fuse(struct child *self, void *argument)
{
    mmf_list *list;
    mmf_map *map;

    (void)argument;
    make_mounts_private();
    if (fuse_server_mount(harness_dir()) < 0) {
        child_send(self, 's');
        return;
    }
    child_send(self, 'm');
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_NOT_SUPPORTED);
    check_says("FUSE");
    check_says(harness_dir());
    check_says("MMF_DIR");
    CHECK_FAILS(mmf_map_create_or_open("Global\\Cat", 100, NULL, NULL, &map),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_list_create(0, &list), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_gc(0, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_OK(mmf_map_create_new(NULL, 100, NULL, &map)); /* this needs no directory */
    mmf_map_close(map);
    /* A mount that waits for its server must not wait for a dead one. */
    umount2(harness_dir(), MNT_DETACH);
}

TEST_WITH(a_file_system_with_private_locks_is_refused, need_mounts)
{
    char answer = child_answers(be_refused_on_fuse, NULL);

    if (answer == 's')
        harness_skip("no FUSE file system can be mounted here");
    CHECK_INT(answer, 'm');
}

TEST_IN_CHILD(a_read_only_file_system_is_reported, need_mounts)
{
    mmf_map *map;

    make_mounts_private();
    CHECK(mount("tmpfs", harness_dir(), "tmpfs", MS_RDONLY, "size=64k") == 0);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_ACCESS);
    check_says(harness_dir());
    CHECK_FAILS(mmf_map_create_new("Global\\Cat", 100, NULL, &map), MMF_E_ACCESS);
    check_says(harness_dir());
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
}

TEST(a_file_instead_of_a_directory_is_reported)
{
    char path[512];
    mmf_map *map;
    int fd;

    CHECK(setenv("MMF_DIR", "relative/path", 1) == 0);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_PATH_NOT_FOUND);
    check_says("relative/path");
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_PATH_NOT_FOUND);
    snprintf(path, sizeof(path), "%s/none", harness_dir());
    CHECK(setenv("MMF_DIR", path, 1) == 0);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_PATH_NOT_FOUND);
    check_says(path);
    CHECK_FAILS(mmf_gc(0, NULL), MMF_E_PATH_NOT_FOUND);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_PATH_NOT_FOUND);
    check_says(path);
    CHECK(unlink(path) == 0);
    /* The directory goes away in mid-run, and comes back. */
    CHECK(mkdir(path, 0700) == 0);
    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    mmf_map_close(map);
    snprintf(path, sizeof(path), "%s/none/mmf-%u", harness_dir(), (unsigned)geteuid());
    CHECK(rmdir(path) == 0);
    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map)); /* makes its own again */
    mmf_map_close(map);
    CHECK(rmdir(path) == 0);
    snprintf(path, sizeof(path), "%s/none", harness_dir());
    CHECK(rmdir(path) == 0);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_PATH_NOT_FOUND);
    CHECK(setenv("MMF_DIR", harness_dir(), 1) == 0);
}

/*
 * A full file system.
 */

TEST_IN_CHILD(a_full_file_system_is_reported_with_sizes, need_mounts)
{
    mmf_map *maps[32], *map, *other;
    uint64_t before;
    int n;

    mount_small("size=1m,mode=1777");
    before = free_blocks();
    /* Too large by far, and by the control page alone. */
    CHECK_FAILS(mmf_map_create_new("Cat", 4 << 20, NULL, &map), MMF_E_NO_SPACE);
    check_says("1024 KiB");
    check_says("MMF_DIR");
    check_says("4100 KiB"); /* with the control page */
    CHECK_FAILS(mmf_map_create_new("Global\\Cat", 4 << 20, NULL, &map), MMF_E_NO_SPACE);
    CHECK_FAILS(mmf_map_create_or_open("Cat", 1 << 20, NULL, NULL, &map),
                MMF_E_NO_SPACE);
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_INT(free_blocks(), before);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    /* As many as fit, each with all of its bytes. */
    for (n = 0; n < 32; n++) {
        char name[16];
        int rc;

        snprintf(name, sizeof(name), "Cat %d", n);
        rc = mmf_map_create_new(name, 60000, NULL, &maps[n]);
        if (rc == MMF_E_NO_SPACE)
            break;
        CHECK_OK(rc);
        fill(maps[n]);
    }
    CHECK(n >= 12 && n <= 17);
    CHECK_INT(count_files(NULL, 0), n);
    /* A taken name is the better answer. */
    CHECK_FAILS(mmf_map_create_new("Cat 3", 600000, NULL, &map), MMF_E_EXISTS);
    CHECK_OK(mmf_map_create_or_open("Cat 3", 600000, NULL, NULL, &map));
    mmf_map_close(map);
    CHECK_OK(mmf_map_open_existing("Cat 4", NULL, &other));
    fill(other);
    mmf_map_close(other);
    while (n > 0)
        mmf_map_close(maps[--n]);
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_INT(free_blocks(), before);
}

TEST_IN_CHILD(the_dead_make_room, need_mounts)
{
    mmf_map *living, *map;

    mount_small("size=1m,mode=1777");
    CHECK_OK(mmf_map_create_new("living", 100000, NULL, &living));
    fill(living);
    /* Orphans of both scopes fill the rest. */
    leave_dead("dead", 400000);
    leave_dead("Global\\dead", 400000);
    CHECK_OK(mmf_map_create_new("Cat", 700000, NULL, &map));
    fill(map);
    mmf_map_close(map);
    leave_dead("dead", 850000);
    CHECK_OK(mmf_map_create_or_open("Global\\Cat", 700000, NULL, NULL, &map));
    fill(map);
    /* The living stay. */
    CHECK_FAILS(mmf_map_create_new("Dog", 700000, NULL, &living), MMF_E_NO_SPACE);
    mmf_map_close(map);
    CHECK_OK(mmf_map_open_existing("living", NULL, &map));
    mmf_map_close(map);
    CHECK_INT(count_files(NULL, 0), 1);
    mmf_map_close(living);
}

TEST_IN_CHILD(a_file_system_without_inodes_is_reported, need_mounts)
{
    mmf_map *maps[8];
    int n, rc = MMF_OK;

    mount_small("size=8m,nr_inodes=6,mode=1777");
    for (n = 0; n < 8; n++) {
        char name[16];

        snprintf(name, sizeof(name), "Cat %d", n);
        rc = mmf_map_create_new(name, 100, NULL, &maps[n]);
        if (rc < 0)
            break;
    }
    CHECK_INT(rc, MMF_E_NO_SPACE);
    check_says("inodes");
    while (n > 0)
        mmf_map_close(maps[--n]);
    leave_dead("dead 1", 100);
    leave_dead("dead 2", 100);
    leave_dead("dead 3", 100);
    leave_dead("dead 4", 100);
    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &maps[0]));
    mmf_map_close(maps[0]);
}

TEST_IN_CHILD(delayed_allocation_takes_no_space, need_mounts)
{
    mmf_accessor *view;
    int32_t value = 1;
    mmf_map *map;

    mount_small("size=1m,mode=1777");
    CHECK_OK(mmf_map_create_new(
        "Cat", 64 << 20, MAP_OPTIONS(.allocation = MMF_DELAY_ALLOCATE_PAGES), &map));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_read_int32(view, 60 << 20, &value));
    CHECK_INT(value, 0);
    CHECK_OK(mmf_accessor_write_int32(view, 60 << 20, 7));
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Limits of the process.
 */

static void
run_into_file_size_limit(void *argument)
{
    char path[512];
    mmf_map *map;
    int fd;

    if (*(int *)argument) {
        /* Used before, when there was no limit. */
        CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
        mmf_map_close(map);
    }
    set_limit(RLIMIT_FSIZE, 100000);
    CHECK_FAILS(mmf_map_create_new("Cat", 1000000, NULL, &map), MMF_E_NO_SPACE);
    check_says("ulimit");
    CHECK_OK(mmf_map_create_new("Cat", 1000, NULL, &map)); /* 69,632 bytes of file */
    mmf_map_close(map);
    set_limit(RLIMIT_FSIZE, 1000);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_NO_SPACE);
    check_says("ulimit");
    CHECK_FAILS(mmf_map_create_or_open("Global\\Cat", 1, NULL, NULL, &map),
                MMF_E_NO_SPACE);
    CHECK_FAILS(mmf_map_create_new(NULL, 10000, NULL, &map), MMF_E_NO_SPACE);
    CHECK_INT(count_files(NULL, 0), 0);
    snprintf(path, sizeof(path), "%s/file", harness_dir());
    fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, "123", 3) == 3);
    close(fd);
    CHECK_FAILS(
        mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 10000, NULL, &map),
        MMF_E_NO_SPACE);
    CHECK(unlink(path) == 0);
    CHECK_INT(count_files(NULL, 0), 0);
}

TEST(a_file_size_limit_is_an_error_and_no_signal)
{
    int used = 0;

    in_child(run_into_file_size_limit, &used);
}

TEST(a_file_size_limit_set_later_is_an_error_and_no_signal)
{
    int used = 1;

    in_child(run_into_file_size_limit, &used);
}

/* With so few descriptors it fails, or is done and undone. */
#define WITH_FEW(spare, call, undo)                                                    \
    do {                                                                               \
        int rc_ = (call);                                                              \
        if ((spare) == 0)                                                              \
            CHECK_INT(rc_, MMF_E_IO);                                                  \
        if (rc_ < 0)                                                                   \
            check_says("ulimit -n");                                                   \
        else                                                                           \
            undo;                                                                      \
    } while (0)

static void
run_out_of_descriptors(void *argument)
{
    int spare = *(int *)argument;
    mmf_map *map, *held;
    mmf_list *list;

    CHECK_OK(mmf_map_create_new("held", 100, NULL, &held));
    take_descriptors(spare);
    for (int i = 0; i < 3; i++) {
        WITH_FEW(spare, mmf_map_create_new("Cat", 100, NULL, &map), mmf_map_close(map));
        WITH_FEW(spare, mmf_map_open_existing("held", NULL, &map), mmf_map_close(map));
        WITH_FEW(spare, mmf_map_create_new(NULL, 100, NULL, &map), mmf_map_close(map));
        WITH_FEW(spare, mmf_list_create(0, &list), mmf_list_close(list));
    }
    set_limit(RLIMIT_NOFILE, 1000);
    CHECK_INT(count_files(NULL, 0), 1);
    mmf_map_close(held);
    use_name("Dog");
}

TEST(no_descriptors_left_is_reported)
{
    int spare;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs descriptors of its own");
    for (spare = 0; spare < 5; spare++) {
        check_context("%d spare", spare);
        in_child(run_out_of_descriptors, &spare);
    }
}

/*
 * A memory cgroup, of either version.
 */

struct cgroup {
    const char *mount;
    const char *limit;
};

static const struct cgroup cgroups[] = {
    {"/sys/fs/cgroup", "memory.max"},
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
};

static char group[128];

static int
write_text(const char *file, const char *text)
{
    char path[256];
    int fd, rc;

    snprintf(path, sizeof(path), "%s/%s", group, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    rc = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
    close(fd);
    return rc;
}

/* Make a group with 16 MiB of memory. */
static int
make_group(void)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        snprintf(group, sizeof(group), "%s/mmf-test-%ld", cgroups[i].mount,
                 (long)getpid());
        if (mkdir(group, 0755) < 0)
            continue;
        if (write_text(cgroups[i].limit, "16777216") == 0)
            return 0;
        rmdir(group);
    }
    return -1;
}

static void
create_in_group(struct child *self, void *argument)
{
    mmf_map *map, *other;

    (void)argument;
    if (write_text("cgroup.procs", "0") < 0) {
        child_send(self, 's');
        return;
    }
    child_send(self, 'm');
    CHECK_FAILS(mmf_map_create_new("Cat", 64 << 20, NULL, &map), MMF_E_NO_MEMORY);
    check_says("cgroup");
    CHECK_FAILS(mmf_map_create_new(NULL, 64 << 20, NULL, &map), MMF_E_NO_MEMORY);
    check_says("cgroup");
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_OK(mmf_map_create_new("Cat", 8 << 20, NULL, &map));
    fill(map);
    CHECK_FAILS(mmf_map_create_new("Dog", 12 << 20, NULL, &other), MMF_E_NO_MEMORY);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new("Dog", 8 << 20, NULL, &other));
    fill(other);
    mmf_map_close(other);
    /* The memory of orphans is freed when a creation needs it. */
    leave_dead("Cat", 10 << 20);
    CHECK_OK(mmf_map_create_new("Dog", 10 << 20, NULL, &other));
    fill(other);
    mmf_map_close(other);
    leave_dead("Global\\Cat", 10 << 20);
    CHECK_OK(mmf_map_create_new(NULL, 10 << 20, NULL, &other));
    fill(other);
    mmf_map_close(other);
    CHECK_INT(count_files(NULL, 0), 0);
}

TEST(a_memory_cgroup_s_limit_is_reported)
{
    char answer;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs memory of its own");
    if (make_group() < 0)
        harness_skip("no memory cgroup can be made here");
    answer = child_answers(create_in_group, NULL);
    /* The kernel takes a moment to see that the group is empty. */
    for (int64_t begin = now_ms(); rmdir(group) < 0 && now_ms() - begin < 5000;)
        usleep(1000);
    CHECK(access(group, F_OK) < 0);
    if (answer == 's')
        harness_skip("no process can be put in a memory cgroup here");
}
