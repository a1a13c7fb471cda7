/*
 * space.c - reserving bytes.
 *
 * fallocate reports a full tmpfs at once, but beyond the cgroup's or the machine's
 * memory it wakes the out-of-memory killer instead of failing. So for sizes that matter
 * the head room is read first. It may be gone a moment later; that race is the
 * kernel's.
 */
#include "os/linux/sys/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"

/* Below this much the questions cost more than they save. */
enum { SMALL = 1 << 20 };

/* A piece of one fallocate call: a signal undoes no more than this. */
enum { PIECE = 64 << 20 };

static ssize_t
read_small_file(const char *path, char *text, size_t size)
{
    int fd = mmf_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t count;

    if (fd < 0)
        return -1;
    count = mmf_sys_pread(fd, text, size - 1, 0);
    mmf_sys_close(fd);
    text[count > 0 ? count : 0] = '\0';
    return count;
}

/* A number in a file of its own; INT64_MAX if it says "max" or cannot be read. */
static int64_t
read_number(const char *directory, const char *name)
{
    char path[PATH_MAX];
    char text[64];
    uint64_t value;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
        read_small_file(path, text, sizeof(text)) <= 0 || text[0] < '0' ||
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
machine_head_room(void)
{
    char text[4096];
    int64_t available;
    int64_t swap;

    if (read_small_file("/proc/meminfo", text, sizeof(text)) <= 0)
        return INT64_MAX;
    available = find_kilobytes(text, "MemAvailable:");
    swap = find_kilobytes(text, "SwapFree:");
    if (available < 0)
        return INT64_MAX;
    return available + (swap > 0 ? swap : 0);
}

/* The cgroup file systems, where everybody mounts them; version 2's names first. */
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
        read_small_file(path, text, sizeof(text)) <= 0)
        return 0;
    found = strstr(text, marker);
    return found == NULL ? 0 : (int64_t)strtoull(found + strlen(marker), NULL, 10);
}

static int64_t
head_room_of_group(const char *directory, const struct cgroup_files *files)
{
    int64_t limit = read_number(directory, files->limit);
    int64_t usage;
    int64_t room;

    if (limit == INT64_MAX)
        return INT64_MAX;
    usage = read_number(directory, files->usage);
    if (usage == INT64_MAX)
        return INT64_MAX;
    room = limit > usage ? limit - usage : 0;
    return room > INT64_MAX / 2 ? room
                                : room + droppable_bytes(directory, files->cache);
}

/* The least head room of the process's group and those above it. */
static int64_t
cgroup_head_room(const struct cgroup_files *files)
{
    char groups[4096];
    char directory[PATH_MAX];
    const char *line;
    size_t mount_length = strlen(files->mount);
    size_t length;
    int64_t least = INT64_MAX;

    if (read_small_file("/proc/self/cgroup", groups, sizeof(groups)) <= 0)
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
        int64_t room = head_room_of_group(directory, files);
        char *slash = strrchr(directory, '/');

        least = room < least ? room : least;
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

int
mmf_space_check(int64_t size, int64_t wanted, const char *what)
{
    int64_t room;
    int rc = check_file_size_limit(size, what);

    if (rc < 0 || wanted < SMALL)
        return rc;
    room = machine_head_room();
    if (wanted > room)
        return mmf_fail(MMF_E_NO_MEMORY,
                        "%s: needs %" PRId64 " bytes, the machine has %" PRId64
                        " bytes of memory available",
                        what, wanted, room);
    for (size_t i = 0; i < sizeof(cgroup_versions) / sizeof(cgroup_versions[0]); i++) {
        room = cgroup_head_room(&cgroup_versions[i]);
        if (wanted > room)
            return mmf_fail(MMF_E_NO_MEMORY,
                            "%s: needs %" PRId64
                            " bytes, this process's cgroup has %" PRId64
                            " bytes left: raise its memory limit",
                            what, wanted, room);
    }
    return MMF_OK;
}

int
mmf_space_allocate(int fd, int64_t count)
{
    int64_t done = 0;

    while (done < count) {
        int64_t piece = count - done < PIECE ? count - done : PIECE;

        if (mmf_sys_fallocate(fd, done, piece) == 0) {
            done += piece;
        } else if (errno == EOPNOTSUPP) {
            /* MMF_DIR on a file system without it: libc writes the blocks. */
            errno = mmf_sys_posix_fallocate(fd, done, count - done);
            return errno == 0 ? 0 : -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

int
mmf_space_fail_full(int system_error, const char *directory, int64_t wanted,
                    const char *what)
{
    struct statfs status;

    if (directory == NULL || mmf_sys_statfs(directory, &status) < 0)
        return mmf_fail_system(MMF_E_NO_SPACE, system_error,
                               "%s: no room for %" PRId64 " bytes", what, wanted);
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
