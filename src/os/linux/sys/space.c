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
#include <limits.h>
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

/* The number that the file holds; INT64_MAX if it says "max" or cannot be read. */
static int64_t
read_number(const char *directory, const char *name)
{
    char path[PATH_MAX];
    char text[64];
    uint64_t value;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
        mmf_procfs_read(path, text, sizeof(text)) <= 0 || text[0] < '0' ||
        text[0] > '9')
        return INT64_MAX;
    value = strtoull(text, NULL, 10);
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* "Name:   123 kB" in bytes; -1 if it is not there. */
static int64_t
find_kilobytes(const char *text, const char *name)
{
    const char *found = strstr(text, name);

    return found == NULL ? -1
                         : (int64_t)strtoull(found + strlen(name), NULL, 10) * 1024;
}

static int64_t
available_in_machine(void)
{
    char text[4096];
    int64_t available;
    int64_t swap;

    if (mmf_procfs_read("/proc/meminfo", text, sizeof(text)) <= 0)
        return INT64_MAX;
    available = find_kilobytes(text, "MemAvailable:");
    swap = find_kilobytes(text, "SwapFree:");
    if (available < 0)
        return INT64_MAX;
    return available + (swap > 0 ? swap : 0);
}

/* The cgroup file systems, where all systems mount them; version 2's names first. */
struct cgroup_files {
    const char *marker; /* of the line in /proc/self/cgroup */
    const char *mount;
    const char *limit;
    const char *usage;
    const char *cache; /* the line of memory.stat with what can be dropped */
};

static const struct cgroup_files cgroup_versions[] = {
    {"0::", "/sys/fs/cgroup", "memory.max", "memory.current", "\ninactive_file "},
    {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
     "memory.usage_in_bytes", "\ntotal_inactive_file "},
};

static int64_t
droppable_bytes(const char *directory, const char *marker)
{
    char path[PATH_MAX];
    char text[8192];
    const char *found;

    if (snprintf(path, sizeof(path), "%s/memory.stat", directory) >=
            (int)sizeof(path) ||
        mmf_procfs_read(path, text, sizeof(text)) <= 0)
        return 0;
    found = strstr(text, marker);
    return found == NULL ? 0 : (int64_t)strtoull(found + strlen(marker), NULL, 10);
}

static int64_t
available_in_group(const char *directory, const struct cgroup_files *files)
{
    int64_t limit = read_number(directory, files->limit);
    int64_t usage;
    int64_t left;

    if (limit == INT64_MAX)
        return INT64_MAX;
    usage = read_number(directory, files->usage);
    if (usage == INT64_MAX)
        return INT64_MAX;
    left = limit > usage ? limit - usage : 0;
    return left > INT64_MAX / 2 ? left
                                : left + droppable_bytes(directory, files->cache);
}

/* The least that the process's group and those above it have left. */
static int64_t
available_in_cgroups(const struct cgroup_files *files)
{
    char groups[4096];
    char directory[PATH_MAX];
    const char *line;
    size_t mount_length = strlen(files->mount);
    size_t length;
    int64_t least = INT64_MAX;

    if (mmf_procfs_read("/proc/self/cgroup", groups, sizeof(groups)) <= 0)
        return INT64_MAX;
    line = strstr(groups, files->marker);
    if (line == NULL)
        return INT64_MAX;
    line += strlen(files->marker);
    length = strcspn(line, "\n");
    if (mount_length + length >= sizeof(directory))
        return INT64_MAX;
    memcpy(directory, files->mount, mount_length);
    memcpy(directory + mount_length, line, length);
    directory[mount_length + length] = '\0';
    for (;;) {
        int64_t left = available_in_group(directory, files);
        char *slash = strrchr(directory, '/');

        least = left < least ? left : least;
        if (slash == NULL || (size_t)(slash - directory) < mount_length)
            return least;
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

/* The kernel's own pages for that many bytes: the page cache's tree, and some more. */
static int64_t
kernel_s_share(int64_t wanted)
{
    return wanted / 256 + (1 << 20);
}

int
mmf_space_check(int64_t size, int64_t wanted, const char *what)
{
    int64_t available;
    int rc = check_file_size_limit(size, what);

    MMF_ASSERT(size >= 0 && wanted >= 0 && what != NULL);
    if (rc < 0 || wanted < SMALL)
        return rc;
    available = available_in_machine();
    if (wanted > available)
        return mmf_fail(MMF_E_NO_MEMORY,
                        "%s: needs %" PRId64 " bytes, the machine has %" PRId64
                        " bytes of memory available",
                        what, wanted, available);
    for (size_t i = 0; i < sizeof(cgroup_versions) / sizeof(cgroup_versions[0]); i++) {
        available = available_in_cgroups(&cgroup_versions[i]);
        available -= kernel_s_share(wanted);
        if (wanted > available)
            return mmf_fail(MMF_E_NO_MEMORY,
                            "%s: needs %" PRId64
                            " bytes, this process's cgroup has %" PRId64
                            " bytes left: raise its memory limit",
                            what, wanted, available > 0 ? available : 0);
    }
    return MMF_OK;
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

int
mmf_space_fail_full(int system_error, const char *directory, int64_t wanted,
                    const char *what)
{
    struct statfs status;

    MMF_ASSERT(wanted >= 0 && what != NULL);
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
        "%s: %s holds %" PRIu64 " KiB, %" PRIu64 " KiB free; needs %" PRIu64
        " KiB: mount it larger (containers: --shm-size), or set MMF_DIR",
        what, directory, (uint64_t)status.f_blocks * (uint64_t)status.f_bsize / 1024,
        (uint64_t)status.f_bavail * (uint64_t)status.f_bsize / 1024,
        ((uint64_t)wanted + 1023) / 1024);
}
