/*
 * room_test.c - the space for a map is what the kernel would give before it kills: file cache
 * is dropped, slab is reclaimed, memory is swapped out.
 *
 * Version 1 runs in a cgroup of its own. Version 2 is played: files as the kernel has
 * them, in a mount of this test's own over /sys/fs/cgroup.
 */
#include "children.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((int64_t)1 << 20)

static void
write_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* The process's cgroup has these numbers, in MiB. */
struct group {
    const char *high;
    int limit, usage, active, inactive, slab, dirty, swap_limit;
};

static void
play_version_2(const struct group *group)
{
    char text[512];

    snprintf(text, sizeof(text), "%lld\n", (long long)(group->limit * MIB));
    write_file("/sys/fs/cgroup", "memory.max", text);
    write_file("/sys/fs/cgroup", "memory.high", group->high);
    snprintf(text, sizeof(text), "%lld\n", (long long)(group->usage * MIB));
    write_file("/sys/fs/cgroup", "memory.current", text);
    snprintf(text, sizeof(text), "%lld\n", (long long)(group->swap_limit * MIB));
    write_file("/sys/fs/cgroup", "memory.swap.max", text);
    write_file("/sys/fs/cgroup", "memory.swap.current", "0\n");
    snprintf(text, sizeof(text),
             "anon 4096\nfile 8192\nfile_dirty %lld\nfile_writeback 0\n"
             "inactive_anon 0\nactive_anon 0\ninactive_file %lld\nactive_file %lld\n"
             "unevictable 0\nslab_reclaimable %lld\nslab_unreclaimable 0\n",
             (long long)(group->dirty * MIB), (long long)(group->inactive * MIB),
             (long long)(group->active * MIB), (long long)(group->slab * MIB));
    write_file("/sys/fs/cgroup", "memory.stat", text);
}

static void
check_group(const struct group *group, int64_t size, int is_room)
{
    mmf_map *map;

    make_mounts_private();
    CHECK(mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=755") == 0);
    play_version_2(group);
    if (is_room) {
        CHECK_OK(mmf_map_create_new("Cat", size, NULL, &map));
        mmf_map_close(map);
    } else {
        CHECK_FAILS(mmf_map_create_new("Cat", size, NULL, &map), MMF_E_NO_MEMORY);
        check_says("raise /sys/fs/cgroup/memory.max");
    }
    CHECK(umount2("/sys/fs/cgroup", MNT_DETACH) == 0);
}

struct row {
    struct group group;
    int64_t size;
    int is_room;
};

static void
try_row(void *argument)
{
    const struct row *row = argument;

    check_group(&row->group, row->size, row->is_room);
}

TEST(version_2_counts_what_can_be_dropped)
{
    static const struct row rows[] = {
        {{"max", 64, 60, 0, 0, 0, 0, 0}, 8 * MIB, 0},
        {{"max", 64, 60, 0, 20, 0, 0, 0}, 8 * MIB, 1},
        {{"max", 64, 60, 20, 0, 0, 0, 0}, 8 * MIB, 1},
        {{"max", 64, 60, 0, 0, 20, 0, 0}, 8 * MIB, 1},
        {{"max", 64, 60, 20, 0, 0, 20, 0}, 8 * MIB, 0},
        {{"1048576", 64, 10, 0, 0, 0, 0, 0}, 8 * MIB, 1},     /* slower, not killed */
        {{"max", 64, 10, 0, 0, 0, 0, 0}, 54 * MIB - 4096, 0}, /* the kernel's own */
        {{"max", 64, 10, 0, 0, 0, 0, 0}, 52 * MIB, 1},
    };

    if (getuid() != 0 || !may_mount())
        harness_skip("file systems cannot be mounted here");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row row = rows[i];

        CHECK_CONTEXT("row %zu", i);
        in_child(try_row, &row);
    }
}

/*
 * A group of version 1.
 */

static char own_group[128];

static void
fill_active_cache(const char *path)
{
    static char piece[1 << 20];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    for (int i = 0; i < 48; i++)
        CHECK(write(fd, piece, sizeof(piece)) == (ssize_t)sizeof(piece));
    CHECK(fsync(fd) == 0);
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < 48; i++)
            CHECK(pread(fd, piece, sizeof(piece), i * MIB) == (ssize_t)sizeof(piece));
    close(fd);
}

static void
create_beside_cache(void *argument)
{
    char id[32];
    mmf_map *map;

    snprintf(id, sizeof(id), "%d", (int)getpid());
    write_file(own_group, "cgroup.procs", id);
    fill_active_cache(argument);
    CHECK_OK(mmf_map_create_new("Cat", 32 * MIB, NULL, &map));
    mmf_map_close(map);
    CHECK_FAILS(mmf_map_create_new("Cat", 64 * MIB, NULL, &map), MMF_E_NO_MEMORY);
    check_says("memory.limit_in_bytes");
}

TEST(version_1_counts_the_active_cache)
{
    char path[64];

    snprintf(own_group, sizeof(own_group), "/sys/fs/cgroup/memory/mmf-test-%d",
             (int)getpid());
    if (getuid() != 0 || mkdir(own_group, 0755) != 0)
        harness_skip("no cgroup of version 1 can be made here");
    snprintf(path, sizeof(path), "/var/tmp/mmf-test-%d", (int)getpid());
    write_file(own_group, "memory.limit_in_bytes", "67108864");
    in_child(create_beside_cache, path);
    unlink(path);
    CHECK(rmdir(own_group) == 0);
}
