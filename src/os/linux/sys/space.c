/*
 * space.c - reserving bytes.
 *
 * fallocate reports a full tmpfs at once, but beyond the cgroup's or the machine's
 * memory it wakes the out-of-memory killer instead of failing. So for sizes that matter
 * the available memory is read first. It may be gone a moment later; that race is the
 * kernel's.
 */
#include "os/linux/sys/space.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/procfs.h"
#include "os/linux/sys/sys.h"

/* Below this much the questions cost more than they save. */
enum { SMALL = 1 << 20 };

/*
 * A piece of one fallocate call. Kernels before 6.10 undo a piece when a signal comes,
 * so beside a quick timer it has to become smaller until one gets through.
 */
enum { PIECE = 64 << 20, SMALLEST_PIECE = 64 << 10 };

enum { LONGEST_GROUP = 1023 };

/* The number that the file holds; INT64_MAX if it says "max" or cannot be read. */
static int64_t
read_number(const char *directory, const char *name)
{
    char path[LONGEST_GROUP + 64];
    char text[64];
    uint64_t value;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (mmf_procfs_read(path, text, sizeof(text)) <= 0 || text[0] < '0' ||
        text[0] > '9')
        return INT64_MAX;
    value = strtoull(text, NULL, 10);
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* The number behind the name that begins a line; 0 if no line has it. */
static int64_t
line_number(const char *text, const char *name)
{
    return (int64_t)strtoull(mmf_procfs_find_line(text, name), NULL, 10);
}

/* The same in arcstats, whose lines are "size   4   123456". */
static int64_t
second_number(const char *text, const char *name)
{
    char *end;

    strtoull(mmf_procfs_find_line(text, name), &end, 10);
    return (int64_t)strtoull(end, NULL, 10);
}

/*
 * ZFS gives its cache back when memory is short, but MemAvailable does not have it.
 */
static int64_t
zfs_cache(void)
{
    char *text = mmf_procfs_load("/proc/spl/kstat/zfs/arcstats");
    int64_t size;
    int64_t least;

    if (text == NULL)
        return 0;
    size = second_number(text, "size ");
    least = second_number(text, "c_min ");
    free(text);
    return size > least ? size - least : 0;
}

static int64_t
available_in_machine(int64_t *swap)
{
    char *text = mmf_procfs_load("/proc/meminfo");
    int64_t available;

    *swap = 0;
    if (text == NULL)
        return INT64_MAX;
    available = line_number(text, "MemAvailable:") * 1024;
    *swap = line_number(text, "SwapFree:") * 1024;
    free(text);
    return available == 0 ? INT64_MAX : available + *swap;
}

/*
 * A cgroup has left what is between its usage and its limit, what the kernel drops
 * before it kills (clean file pages, active or not, and reclaimable slab), and what it
 * may swap out. memory.high is no limit here: above it the kernel makes a process
 * slower, and kills none.
 */

/* The cgroup file systems, where all systems mount them; version 2's names first. */
struct cgroup_files {
    const char *marker; /* of the line in /proc/self/cgroup */
    const char *mount;
    const char *limit;
    const char *usage;
    const char *dropped[3]; /* lines of memory.stat: what the kernel drops, */
    const char *kept[2];    /* and what of it has to be written first */
    const char *swap_limit;
    const char *swap_usage;
    bool swap_with_memory; /* their numbers have memory and swap in one */
};

static const struct cgroup_files cgroup_versions[] = {
    {.marker = "0::",
     .mount = "/sys/fs/cgroup",
     .limit = "memory.max",
     .usage = "memory.current",
     .dropped = {"inactive_file ", "active_file ", "slab_reclaimable "},
     .kept = {"file_dirty ", "file_writeback "},
     .swap_limit = "memory.swap.max",
     .swap_usage = "memory.swap.current"},
    {.marker = ":memory:",
     .mount = "/sys/fs/cgroup/memory",
     .limit = "memory.limit_in_bytes",
     .usage = "memory.usage_in_bytes",
     .dropped = {"total_inactive_file ", "total_active_file "},
     .kept = {"total_dirty ", "total_writeback "},
     .swap_limit = "memory.memsw.limit_in_bytes",
     .swap_usage = "memory.memsw.usage_in_bytes",
     .swap_with_memory = true},
};

/* The group whose limit binds. */
struct cgroup_room {
    int64_t left;
    int64_t limit;
    char directory[LONGEST_GROUP + 1];
};

static int64_t
droppable_bytes(const char *directory, const struct cgroup_files *files)
{
    char path[LONGEST_GROUP + 64];
    int64_t bytes = 0;
    char *text;

    snprintf(path, sizeof(path), "%s/memory.stat", directory);
    text = mmf_procfs_load(path);
    if (text == NULL)
        return 0;
    for (size_t i = 0; i < 3 && files->dropped[i] != NULL; i++)
        bytes += line_number(text, files->dropped[i]);
    for (size_t i = 0; i < 2; i++)
        bytes -= line_number(text, files->kept[i]);
    free(text);
    return bytes > 0 ? bytes : 0;
}

/* What a group with `left` bytes of memory has with what it may swap out. */
static int64_t
with_swap(const char *directory, const struct cgroup_files *files, int64_t left,
          int64_t free_swap)
{
    int64_t limit = read_number(directory, files->swap_limit);
    int64_t usage = read_number(directory, files->swap_usage);
    int64_t swap;

    if (free_swap == 0 || usage == INT64_MAX)
        return left;
    swap = limit > usage ? limit - usage : 0;
    if (!files->swap_with_memory)
        return left + (swap < free_swap ? swap : free_swap);
    return left + free_swap < swap ? left + free_swap : swap > left ? swap : left;
}

static void
measure_group(const char *directory, const struct cgroup_files *files,
              int64_t free_swap, struct cgroup_room *room)
{
    int64_t limit = read_number(directory, files->limit);
    int64_t usage = read_number(directory, files->usage);
    int64_t left;

    if (limit == INT64_MAX || usage == INT64_MAX)
        return;
    left = limit > usage ? limit - usage : 0;
    if (left > INT64_MAX / 4)
        return; /* version 1 says so that there is no limit */
    left = with_swap(directory, files, left, free_swap) +
           droppable_bytes(directory, files);
    if (left >= room->left)
        return;
    room->left = left;
    room->limit = limit;
    snprintf(room->directory, sizeof(room->directory), "%s", directory);
}

/* The path of this process's group. */
static bool
find_group(const struct cgroup_files *files, char *directory, size_t size)
{
    char *groups = mmf_procfs_load("/proc/self/cgroup");
    const char *line = groups != NULL ? strstr(groups, files->marker) : NULL;
    size_t length;
    int written;

    if (line == NULL) {
        free(groups);
        return false;
    }
    line += strlen(files->marker);
    length = strcspn(line, "\n");
    if (length == 1 && line[0] == '/')
        length = 0; /* the mount itself */
    written = snprintf(directory, size, "%s%.*s", files->mount, (int)length, line);
    free(groups);
    return written < (int)size;
}

/* The least that the process's group and those above it have left. */
static void
measure_groups(const struct cgroup_files *files, int64_t free_swap,
               struct cgroup_room *room)
{
    char directory[LONGEST_GROUP + 1];
    size_t mount_length = strlen(files->mount);

    room->left = INT64_MAX;
    if (!find_group(files, directory, sizeof(directory)))
        return;
    for (;;) {
        char *slash = strrchr(directory, '/');

        measure_group(directory, files, free_swap, room);
        if (slash == NULL || (size_t)(slash - directory) < mount_length)
            return;
        *slash = '\0';
    }
}

static int
check_file_size_limit(int64_t size, const char *what)
{
    struct rlimit limit;

    if (mmf_sys_getrlimit(RLIMIT_FSIZE, &limit) < 0)
        return mmf_error_fail("%s: ask for the file size limit", what);
    if (limit.rlim_cur != RLIM_INFINITY && (uint64_t)size > (uint64_t)limit.rlim_cur)
        return mmf_fail(MMF_E_NO_SPACE,
                        "%s: %" PRId64 " bytes are more than this process may put in a "
                        "file (%" PRIu64 "): raise ulimit -f",
                        what, size, (uint64_t)limit.rlim_cur);
    return MMF_OK;
}

/* What the kernel itself needs for so many bytes: page tables of the page cache, and
 * what other threads take meanwhile. At the limit it kills, so not to the last byte. */
static int64_t
margin_of(int64_t wanted)
{
    return wanted / 256 + SMALL;
}

static int
check_cgroups(int64_t wanted, int64_t free_swap, const char *what)
{
    for (size_t i = 0; i < sizeof(cgroup_versions) / sizeof(cgroup_versions[0]); i++) {
        const struct cgroup_files *files = &cgroup_versions[i];
        struct cgroup_room room;

        measure_groups(files, free_swap, &room);
        if (room.left == INT64_MAX || wanted + margin_of(wanted) <= room.left)
            continue;
        return mmf_fail(
            MMF_E_NO_MEMORY,
            "%s: needs %" PRId64 " bytes, this process's cgroup has %" PRId64
            " left of %" PRId64 ", with what the kernel can drop and swap: raise %s/%s",
            what, wanted, room.left, room.limit, room.directory, files->limit);
    }
    return MMF_OK;
}

int
mmf_space_check(int64_t size, int64_t wanted, const char *what)
{
    int64_t available;
    int64_t free_swap;
    int rc = check_file_size_limit(size, what);

    MMF_ASSERT(size >= 0 && wanted >= 0 && what != NULL);
    if (rc < 0 || wanted < SMALL)
        return rc;
    available = available_in_machine(&free_swap);
    if (wanted > available)
        available += zfs_cache();
    if (wanted > available)
        return mmf_fail(MMF_E_NO_MEMORY,
                        "%s: needs %" PRId64 " bytes, the machine has %" PRId64
                        " bytes of memory available, with free swap: end other "
                        "programs or add swap",
                        what, wanted, available);
    return check_cgroups(wanted, free_swap, what);
}

int64_t
mmf_space_smaller_piece(int64_t piece)
{
    MMF_ASSERT(piece > 0);
    return piece / 2 > SMALLEST_PIECE ? piece / 2 : SMALLEST_PIECE;
}

int
mmf_space_allocate(int fd, int64_t count)
{
    int64_t done = 0;
    int64_t piece = PIECE;

    MMF_ASSERT(fd >= 0 && count >= 0);
    while (done < count) {
        if (piece > count - done)
            piece = count - done;
        if (mmf_sys_fallocate(fd, done, piece) == 0) {
            done += piece;
        } else if (errno == EOPNOTSUPP) {
            /* MMF_DIR on a file system without it: libc writes the blocks. */
            errno = mmf_sys_posix_fallocate(fd, done, count - done);
            return errno == 0 ? 0 : -1;
        } else if (errno != EINTR) {
            return -1;
        } else {
            piece = mmf_space_smaller_piece(piece);
        }
    }
    return 0;
}

/* What makes a full file system larger. */
static const char *
way_out(const struct statfs *status)
{
    if ((uint32_t)status->f_type == MMF_TMPFS_MAGIC)
        return "mount it larger (containers: --shm-size), or set MMF_DIR";
    return "free space on this disk, or use another one";
}

int
mmf_space_fail_full(int system_error, const char *directory, int64_t wanted,
                    const char *what)
{
    struct statfs status;

    MMF_ASSERT(wanted >= 0 && what != NULL);
    if (system_error == EDQUOT)
        return mmf_fail_system(MMF_E_NO_SPACE, system_error,
                               "%s: needs %" PRId64 " bytes, more than this user's "
                               "quota: see quota(1)",
                               what, wanted);
    if (directory == NULL || mmf_sys_statfs(directory, &status) < 0)
        return mmf_fail_system(MMF_E_NO_SPACE, system_error,
                               "%s: no space for %" PRId64 " bytes", what, wanted);
    if (status.f_files != 0 && status.f_ffree == 0)
        return mmf_fail_system(MMF_E_NO_SPACE, system_error,
                               "%s: %s can hold no more files: mount it with a larger "
                               "nr_inodes, or set MMF_DIR",
                               what, directory);
    return mmf_fail_system(
        MMF_E_NO_SPACE, system_error,
        "%s: %s holds %" PRIu64 " KiB, %" PRIu64 " KiB free; needs %" PRIu64 " KiB: %s",
        what, directory, (uint64_t)status.f_blocks * (uint64_t)status.f_bsize / 1024,
        (uint64_t)status.f_bavail * (uint64_t)status.f_bsize / 1024,
        ((uint64_t)wanted + 1023) / 1024, way_out(&status));
}
