/*
 * support_linux.c - files, children and other users, and what Linux makes of sizes and
 * names.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRANGER = 65534 };

int64_t
page_size(void)
{
    return (int64_t)sysconf(_SC_PAGESIZE);
}

int64_t
granularity(void)
{
    return page_size();
}

int64_t
map_size(int64_t capacity)
{
    return capacity;
}

/*
 * Handles of files.
 */

intptr_t
open_file(const char *path, int how, int inheritable)
{
    static const int flags[] = {0, O_RDONLY, O_WRONLY, O_RDWR};
    int fd = open(path, flags[how] | (inheritable ? 0 : O_CLOEXEC));

    if (fd < 0)
        CHECK_FAIL("open %s: %s", path, strerror(errno));
    return fd;
}

void
close_file(intptr_t handle)
{
    close((int)handle);
}

int
is_open(intptr_t handle)
{
    return fcntl((int)handle, F_GETFD) >= 0;
}

int
is_inheritable(intptr_t handle)
{
    int flags = fcntl((int)handle, F_GETFD);

    CHECK(flags >= 0);
    return (flags & FD_CLOEXEC) == 0;
}

int
has_descriptors(void)
{
    return 1;
}

int
try_flock(intptr_t handle, int exclusive)
{
    return flock((int)handle, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}

void
make_pipe(intptr_t ends[2])
{
    int fds[2];

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    ends[0] = fds[0];
    ends[1] = fds[1];
}

intptr_t
open_socket(void)
{
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    close(ends[1]);
    return ends[0];
}

void
make_fifo(const char *path)
{
    CHECK(mkfifo(path, 0666) == 0);
}

int
make_socket(const char *path, intptr_t *handle)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return 0;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    *handle = fd;
    return 1;
}

void
link_to_zero_device(const char *path)
{
    CHECK(symlink("/dev/zero", path) == 0);
}

intptr_t
open_zero_device(void)
{
    return open_file("/dev/zero", FOR_BOTH, 0);
}

intptr_t
open_nameless_file(int64_t length)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    CHECK(ftruncate(fd, (off_t)length) == 0);
    return fd;
}

/*
 * Files.
 */

void
file_path(char path[FILE_PATH_SIZE])
{
    static unsigned count;
    const char *place = getenv("MMF_TEST_FILES");
    char below[FILE_PATH_SIZE / 2];

    if (place == NULL) {
        snprintf(below, sizeof(below), "%s/files", harness_dir());
        if (mkdir(below, 0777) < 0 && errno != EEXIST)
            CHECK_FAIL("make %s: %s", below, strerror(errno));
        chmod(below, 0777); /* whatever the umask: as_stranger makes files there, too */
        place = below;
    }
    snprintf(path, FILE_PATH_SIZE, "%s/contract-%ld-%u", place, (long)getpid(),
             ++count);
}

void
make_file(const char *path, int64_t length)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0 || ftruncate(fd, (off_t)length) < 0)
        CHECK_FAIL("make %s: %s", path, strerror(errno));
    close(fd);
}

void
write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
        CHECK_FAIL("write %s: %s", path, strerror(errno));
    close(fd);
}

void
read_file(const char *path, void *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || pread(fd, bytes, size, 0) != (ssize_t)size)
        CHECK_FAIL("read %s: %s", path, strerror(errno));
    close(fd);
}

int64_t
file_length(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? -1 : (int64_t)st.st_size;
}

void
remove_file(const char *path)
{
    if (unlink(path) < 0)
        CHECK_FAIL("remove %s: %s", path, strerror(errno));
}

/*
 * What the host allows.
 */

static int
can_execute(int fd)
{
    size_t size = (size_t)page_size();
    void *page;

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return 0;
    page = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 0;
    munmap(page, size);
    return 1;
}

int
host_executes_unnamed(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC);
    int can = can_execute(fd);

    close(fd);
    return can;
}

int
host_executes_in(const char *dir)
{
    char path[FILE_PATH_SIZE];
    int fd, can;

    snprintf(path, sizeof(path), "%s/probe", dir);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    can = can_execute(fd);
    close(fd);
    unlink(path);
    return can;
}

int
host_keeps_protection(void)
{
    return 1;
}

int
host_keeps_execution(void)
{
    return 1;
}

static void
run_in_child(void (*run)(void *payload), void *payload, int drop)
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    if (child < 0)
        CHECK_FAIL("fork: %s", strerror(errno));
    if (child == 0) {
        if (drop &&
            (setgroups(0, NULL) < 0 || setgid(STRANGER) < 0 || setuid(STRANGER) < 0))
            CHECK_FAIL("become user %d: %s", STRANGER, strerror(errno));
        run(payload);
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        CHECK_FAIL("the child process failed (wait status 0x%x)", status);
}

void
in_child(void (*run)(void *payload), void *payload)
{
    run_in_child(run, payload, 0);
}

void
as_stranger(void (*run)(void *payload), void *payload)
{
    if (geteuid() != 0)
        harness_skip("needs root, to become another user");
    if (chmod(harness_dir(), 01777) < 0)
        CHECK_FAIL("chmod %s: %s", harness_dir(), strerror(errno));
    run_in_child(run, payload, 1);
}

void
need_files_for_stranger(void)
{
    char *place = getenv("MMF_TEST_FILES");
    pid_t child;
    int status = 0;

    if (place == NULL)
        return; /* below MMF_DIR, which as_stranger opens to all */
    child = fork();
    if (child == 0) {
        int reached = setgroups(0, NULL) == 0 && setgid(STRANGER) == 0 &&
                      setuid(STRANGER) == 0 && access(place, X_OK) == 0;

        _exit(reached ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        harness_skip("user %d cannot go to %s", STRANGER, place);
}

int
replace_file(const char *from, const char *to)
{
    CHECK(rename(from, to) == 0);
    return 1;
}

void
make_directory(const char *path)
{
    CHECK(mkdir(path, 0755) == 0);
}

void
remove_directory(const char *path)
{
    CHECK(rmdir(path) == 0);
}

void
set_mode(const char *path, unsigned mode)
{
    if (chmod(path, (mode_t)mode) < 0)
        CHECK_FAIL("chmod %s: %s", path, strerror(errno));
}

/*
 * Memory.
 */

size_t
pages_present(void *bytes, size_t size)
{
    unsigned char pages[64];
    size_t i, n = 0, page = (size_t)page_size();

    CHECK(size <= 64 * page);
    CHECK(mincore(bytes, size, pages) == 0);
    for (i = 0; i < size / page; i++)
        n += pages[i] & 1;
    return n;
}

long
locked_kilobytes(void)
{
    char line[256];
    long kilobytes = -1;
    FILE *status = fopen("/proc/self/status", "re");

    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmLck: %ld", &kilobytes) == 1)
            break;
    fclose(status);
    return kilobytes;
}

void
forbid_locking(void)
{
    const struct rlimit none = {0, 0};

    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
}
