/*
 * calls_test.c - what systems answer that this one does not: system calls whose answers
 * the test gives (the linker's --wrap), and numbers that take long to come around.
 */
#include "../harness/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel/channel.h"
#include "os/linux/channel/handle.h"

/* The names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier) */

int __real_mmf_sys_fallocate(int fd, off_t offset, off_t length);
int __wrap_mmf_sys_fallocate(int fd, off_t offset, off_t length);
int __real_mmf_sys_posix_fallocate(int fd, off_t offset, off_t length);
int __wrap_mmf_sys_posix_fallocate(int fd, off_t offset, off_t length);
int __wrap_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected,
                               int count, int64_t until);
int __real_mmf_sys_inotify_watch(int fd, const char *path, uint32_t events);
int __wrap_mmf_sys_inotify_watch(int fd, const char *path, uint32_t events);
int __real_mmf_sys_set_times(int fd);
int __wrap_mmf_sys_set_times(int fd);
pid_t __wrap_mmf_sys_getpid(void);
int __real_mmf_sys_open(const char *path, int flags, mode_t mode);
int __wrap_mmf_sys_open(const char *path, int flags, mode_t mode);

/* A call for more bytes than that is interrupted, each time. 0: no call is. */
static off_t uninterrupted;
static int calls;

/* While a call is refused, another process makes the file grow to that. */
static off_t other_length;

/* The cgroup's limit; NULL: this machine's. */
static const char *cgroup_limit;

static int are_times_refused;

/* What limits answer; 0: none is reached. */
static int space_error;
static int watch_error;

/* O_TMPFILE is missing; the path of the file that was made instead. */
static int is_without_tmpfile;
static char temporary[4096];

enum { MOST_CALLS = 100000 };

static int
is_interrupted(off_t length)
{
    if (uninterrupted == 0 || length <= uninterrupted)
        return 0;
    if (++calls > MOST_CALLS)
        CHECK_FAIL("%d calls of fallocate, and no end", calls);
    return 1;
}

int
__wrap_mmf_sys_fallocate(int fd, off_t offset, off_t length)
{
    if (is_interrupted(length)) {
        errno = EINTR;
        return -1;
    }
    if (space_error != 0) {
        errno = space_error;
        return -1;
    }
    return __real_mmf_sys_fallocate(fd, offset, length);
}

int
__wrap_mmf_sys_inotify_watch(int fd, const char *path, uint32_t events)
{
    if (watch_error == 0)
        return __real_mmf_sys_inotify_watch(fd, path, events);
    errno = watch_error;
    return -1;
}

int
__wrap_mmf_sys_posix_fallocate(int fd, off_t offset, off_t length)
{
    if (is_interrupted(length))
        return EINTR;
    if (space_error != 0)
        return space_error;
    if (other_length != 0) {
        CHECK(ftruncate(fd, other_length) == 0);
        return ENOSPC;
    }
    return __real_mmf_sys_posix_fallocate(fd, offset, length);
}

static int
open_text(const char *text)
{
    int fd = memfd_create("host", MFD_CLOEXEC);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

int
__wrap_mmf_sys_open(const char *path, int flags, mode_t mode)
{
    if (cgroup_limit != NULL && strcmp(path, "/proc/self/cgroup") == 0)
        return open_text("0::/host\n");
    if (cgroup_limit != NULL && strcmp(path, "/sys/fs/cgroup/host/memory.max") == 0)
        return open_text(cgroup_limit);
    if (cgroup_limit != NULL && strcmp(path, "/sys/fs/cgroup/host/memory.current") == 0)
        return open_text("0\n");
    if (is_without_tmpfile) {
        if ((flags & O_TMPFILE) == O_TMPFILE) {
            errno = EOPNOTSUPP;
            return -1;
        }
        if (flags & O_EXCL)
            snprintf(temporary, sizeof(temporary), "%s", path);
    }
    return __real_mmf_sys_open(path, flags, mode);
}

/* A system without the call would do better: it says so. */
int
__wrap_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected, int count,
                           int64_t until)
{
    (void)words;
    (void)expected;
    (void)count;
    (void)until;
    calls++;
    errno = EINVAL;
    return -1;
}

int
__wrap_mmf_sys_set_times(int fd)
{
    if (!are_times_refused)
        return __real_mmf_sys_set_times(fd);
    errno = EPERM;
    return -1;
}

/* As in two PID namespaces, each of which has its process 1. */
pid_t
__wrap_mmf_sys_getpid(void)
{
    return is_without_tmpfile ? 1 : getpid();
}

/* NOLINTEND(bugprone-reserved-identifier) */

static int
answer_as_the_system_does(void **state)
{
    (void)state;
    uninterrupted = 0;
    other_length = 0;
    cgroup_limit = NULL;
    are_times_refused = 0;
    is_without_tmpfile = 0;
    space_error = 0;
    watch_error = 0;
    return 0;
}

static const char *
file_path(void)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    return path;
}

static mmf_map *
map_file(mmf_file_mode mode, int64_t capacity, mmf_file_share share, int expected)
{
    mmf_map *map = NULL;

    CHECK_INT(mmf_map_create_from_file(file_path(), mode, NULL, capacity,
                                       MAP_OPTIONS(.share = share), &map),
              expected);
    return map;
}

static off_t
file_length(void)
{
    struct stat status;

    CHECK(stat(file_path(), &status) == 0);
    return status.st_size;
}

/* Kernels before 6.10 undo what fallocate has done when a signal comes. */
TEST_WITH(a_timer_keeps_no_map_from_being_made, answer_as_the_system_does)
{
    mmf_map *map;

    uninterrupted = 1 << 20;
    calls = 0;
    CHECK_OK(mmf_map_create_new("Cat", 8 << 20, NULL, &map));
    mmf_map_close(map);
    CHECK(calls > 0);
    calls = 0;
    map = map_file(MMF_FILE_MODE_CREATE_NEW, 8 << 20, MMF_FILE_SHARE_READ, MMF_OK);
    mmf_map_close(map);
    CHECK(calls > 0);
    CHECK_INT(file_length(), 8 << 20);
    uninterrupted = 0;
    unlink(file_path());
}

/* Undo what is one's own: here another process has made the file grow meanwhile. */
TEST_WITH(a_refused_growth_cuts_nothing_off, answer_as_the_system_does)
{
    mmf_map_close(
        map_file(MMF_FILE_MODE_CREATE_NEW, 100, MMF_FILE_SHARE_READ_WRITE, MMF_OK));
    other_length = 5000;
    map_file(MMF_FILE_MODE_OPEN, 1 << 20, MMF_FILE_SHARE_READ_WRITE, MMF_E_NO_SPACE);
    CHECK_INT(file_length(), 5000);
    /* Alone, all that it has grown by is the refused call's. */
    map_file(MMF_FILE_MODE_OPEN, 1 << 20, MMF_FILE_SHARE_READ, MMF_E_NO_SPACE);
    CHECK_INT(file_length(), 5000);
    other_length = 6000;
    map_file(MMF_FILE_MODE_OPEN, 1 << 20, MMF_FILE_SHARE_READ, MMF_E_NO_SPACE);
    CHECK_INT(file_length(), 5000);
    other_length = 0;
    unlink(file_path());
}

/* The kernel's own pages for a map count as well, and would be one too many. */
TEST_WITH(a_cgroup_s_last_bytes_are_not_for_maps, answer_as_the_system_does)
{
    mmf_map *map;

    cgroup_limit = "16777216\n";
    CHECK_FAILS(mmf_map_create_new("Cat", (16 << 20) - (1 << 17), NULL, &map),
                MMF_E_NO_MEMORY);
    CHECK_OK(mmf_map_create_new("Cat", 14 << 20, NULL, &map));
    cgroup_limit = NULL;
    mmf_map_close(map);
}

static struct mmf_channel_handle *
handle_of(mmf_queue *queue)
{
    const struct mmf_channel *channel = (const void *)queue; /* its first member */

    return mmf_channel_handle_of(channel->os);
}

/* A process has opened a channel a million times, and its first handle is still open. */
TEST_WITH(numbers_that_come_again_are_skipped, answer_as_the_system_does)
{
    mmf_channel_options options;
    mmf_queue *first;
    mmf_queue *sender;

    mmf_channel_options_init(&options);
    options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_queue_create_new("Queue", 8, 1, MMF_OVERFLOW_BLOCK, &options, &first));
    CHECK_INT(((struct mmf_channel_part *)handle_of(first)->object->part)->handles_made,
              1);
    ((struct mmf_channel_part *)handle_of(first)->object->part)->handles_made =
        (uint64_t)1 << MMF_IDENTITY_HANDLE_BITS;
    options.role = MMF_ROLE_SEND;
    options.flags = MMF_CHANNEL_PEER_CLOSED;
    CHECK_OK(mmf_queue_open_existing("Queue", &options, &sender));
    CHECK(handle_of(first)->ring.identity != handle_of(sender)->ring.identity);
    CHECK_OK(mmf_queue_send(sender, "a", 1, 0, NULL));
    /* It is full, and a living receiver has not taken the message. */
    CHECK_STATUS(mmf_queue_send(sender, "b", 1, 50, NULL), MMF_TIMED_OUT);
    mmf_queue_close(sender);
    mmf_queue_close(first);
}

/* A process that takes no part reads so much of a queue, and says so. */
TEST_WITH(a_depth_in_part_is_called_so, answer_as_the_system_does)
{
    static const size_t capacities[] = {1 << 18, 1 << 19};

    for (size_t i = 0; i < 2; i++) {
        mmf_channel_stats stats;
        mmf_queue *queue;
        uint32_t expected = i == 0 ? 0 : MMF_CHANNEL_DEPTH_IN_PART;

        CHECK_OK(mmf_queue_create_new("Queue", 1, capacities[i], MMF_OVERFLOW_BLOCK,
                                      NULL, &queue));
        CHECK_OK(mmf_queue_send(queue, "a", 1, 0, NULL));
        CHECK_OK(mmf_channel_stat("Queue", &stats));
        CHECK_INT(stats.capacity, (int64_t)capacities[i]);
        CHECK_INT(stats.depth, 1);
        CHECK_INT(stats.flags, expected);
        CHECK_OK(mmf_queue_stat(queue, &stats));
        CHECK_INT(stats.flags, 0);
        mmf_queue_close(queue);
    }
}

/* A call that is refused, by whatever, must not be made again and again. */
TEST_WITH(a_refused_wait_for_several_does_not_spin, answer_as_the_system_does)
{
    mmf_event *events[2];
    mmf_waitable *both[2];
    int index;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mmf_event_create_new(i == 0 ? "A" : "B", 0, MMF_EVENT_AUTO_RESET, NULL,
                                      &events[i]));
        both[i] = mmf_event_waitable(events[i]);
    }
    calls = 0;
    CHECK_STATUS(mmf_wait_any(both, 2, 100, &index), MMF_TIMED_OUT);
    CHECK(calls >= 1 && calls < 10);
    CHECK_OK(mmf_event_set(events[1]));
    CHECK_OK(mmf_wait_any(both, 2, 100, &index));
    CHECK_INT(index, 1);
    mmf_event_close(events[1]);
    mmf_event_close(events[0]);
}

/* A process whose filter refuses utimensat has pollers, too. */
TEST_WITH(refused_times_hide_no_signal, answer_as_the_system_does)
{
    mmf_event *event;
    struct pollfd polled = {.events = POLLIN};

    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_waitable_fd(mmf_event_waitable(event), &polled.fd));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    CHECK_INT(poll(&polled, 1, 0), 0);
    are_times_refused = 1;
    CHECK_OK(mmf_event_set(event));
    CHECK_INT(poll(&polled, 1, 0), 1);
    CHECK_OK(mmf_event_wait(event, 0));
    are_times_refused = 0;
    mmf_event_close(event);
}

static void
check_message(const char *wanted)
{
    if (strstr(mmf_last_message(), wanted) == NULL)
        CHECK_FAIL("\"%s\" does not name %s", mmf_last_message(), wanted);
}

/* Limits that a test cannot reach, or not without harm to others: quota and watches. */
TEST_WITH(limits_are_named, answer_as_the_system_does)
{
    mmf_map *map;
    mmf_event *event;
    mmf_queue *queue;
    int fd;

    space_error = EDQUOT;
    CHECK_FAILS(mmf_map_create_new("Cat", 100000, NULL, &map), MMF_E_NO_SPACE);
    check_message("quota(1)");
    CHECK_FAILS(mmf_map_create_from_file(file_path(), MMF_FILE_MODE_CREATE_NEW, NULL,
                                         100000, NULL, &map),
                MMF_E_NO_SPACE);
    check_message("quota(1)");
    space_error = 0;
    watch_error = ENOSPC;
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_FAILS(mmf_waitable_fd(mmf_event_waitable(event), &fd), MMF_E_NO_SPACE);
    check_message("fs.inotify.max_user_watches");
    CHECK_OK(mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_FAILS(mmf_queue_fd(queue, &fd), MMF_E_NO_SPACE);
    check_message("fs.inotify.max_user_watches");
    mmf_queue_close(queue);
    mmf_event_close(event);
}

/* A child of the same state as its siblings; what it has called its file goes to `to`. */
static void
create_in_child(int to)
{
    mmf_map *map;

    if (fork() != 0)
        return;
    CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map));
    mmf_map_close(map);
    CHECK(write(to, temporary, sizeof(temporary)) == (ssize_t)sizeof(temporary));
    _exit(0);
}

TEST_WITH(creators_never_share_a_temporary_name, answer_as_the_system_does)
{
    static char names[2][sizeof(temporary)];
    int ends[2];
    int status;

    is_without_tmpfile = 1;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < 2; i++) {
        create_in_child(ends[1]);
        CHECK(read(ends[0], names[i], sizeof(names[i])) == (ssize_t)sizeof(names[i]));
        CHECK(wait(&status) > 0 && status == 0);
        CHECK(strstr(names[i], "/.tmp-") != NULL);
    }
    CHECK(strcmp(names[0], names[1]) != 0);
    close(ends[0]);
    close(ends[1]);
}
