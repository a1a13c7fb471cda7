/*
 * disk.c - what a scenario does with files by itself, as the actors `disk` and `names`. The
 * answers are like an actor program's.
 */
#include "harness/scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_BYTES = 256 };

static int locked = -1; /* the descriptor of `flock` */
static int held = -1;   /* that of `hold` */
static struct stat kept;

static const char *
answer(bool done)
{
    return done ? "MMF_OK"
                : text_format("MMF_E_IO says=%s", word_encode(strerror(errno)));
}

static const char *
answer_value(long long value)
{
    return text_format("MMF_OK value=%lld", value);
}

static bool
make(const char *path, long long length)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool done = fd >= 0 && ftruncate(fd, length) == 0;

    if (fd >= 0)
        close(fd);
    return done;
}

/* Bytes are hexadecimal. */
static bool
write_bytes(const char *path, long long offset, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0;
    unsigned byte;

    for (; done && sscanf(text, "%2x", &byte) == 1; text += 2) {
        unsigned char one = (unsigned char)byte;

        done = pwrite(fd, &one, 1, offset++) == 1;
    }
    if (fd >= 0)
        close(fd);
    return done;
}

static const char *
read_bytes(const char *path, long long offset, size_t count)
{
    unsigned char bytes[MAX_BYTES];
    char text[2 * MAX_BYTES + 1] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t read =
        fd < 0 || count > MAX_BYTES ? -1 : pread(fd, bytes, count, (off_t)offset);

    for (ssize_t i = 0; i < read; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    if (fd >= 0)
        close(fd);
    return read < 0 ? answer(false) : text_format("MMF_OK value=%s", text);
}

static long long
length_of(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0 ? -1 : (long long)status.st_size;
}

static const char *
mode_of(const char *path)
{
    struct stat status;

    return stat(path, &status) < 0
               ? answer(false)
               : text_format("MMF_OK value=%o", (unsigned)status.st_mode & 07777);
}

static bool
make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    done = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return done;
}

/* Lock it beside what has locked it already: 1 if that can be. */
static const char *
lock(const char *path, const char *how)
{
    if (locked < 0)
        locked = open(path, O_RDONLY | O_CLOEXEC);
    return answer_value(flock(locked, (*how == 'e' ? LOCK_EX : LOCK_SH) | LOCK_NB) ==
                        0);
}

/* As any process that has the object open: the lock of control.h. */
static bool
hold(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)(((int64_t)1 << 61) + 12345),
                         .l_len = 1};

    held = open(path, O_RDWR | O_CLOEXEC);
    return held >= 0 && fcntl(held, F_OFD_SETLK, &lock) == 0;
}

/* A lease, which is not given up: an open that waits does so for 45 s. */
static bool
lease(const char *path)
{
    signal(SIGIO, SIG_IGN);
    held = open(path, O_RDWR | O_CLOEXEC);
    return held >= 0 && fcntl(held, F_SETLEASE, F_WRLCK) == 0;
}

static void
stop_holding(void)
{
    if (held >= 0)
        close(held);
    held = -1;
}

/* 1: it is the file that was kept in mind, and has not been changed. */
static const char *
is_same(const char *path)
{
    struct stat status;

    return answer_value(lstat(path, &status) == 0 && status.st_ino == kept.st_ino &&
                        status.st_size == kept.st_size &&
                        status.st_nlink == kept.st_nlink &&
                        status.st_mtim.tv_sec == kept.st_mtim.tv_sec &&
                        status.st_mtim.tv_nsec == kept.st_mtim.tv_nsec);
}

void
disk_forget(const char *directory)
{
    stop_holding();
    if (locked >= 0)
        close(locked);
    locked = -1;
    files_below(directory, true);
}

/* What only other tests than those of files need. */
static const char *
unusual_call(const char *call, const char *path, const char *one, const char *directory)
{
    if (strcmp(call, "device") == 0)
        return answer(mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0 ||
                      errno == EPERM);
    if (strcmp(call, "hard_link") == 0)
        return answer(link(text_format("%s/%s", directory, one), path) == 0);
    if (strcmp(call, "truncate") == 0)
        return answer(truncate(path, (off_t)atoll(one)) == 0);
    if (strcmp(call, "hold") == 0)
        return answer(hold(path));
    if (strcmp(call, "lease") == 0)
        return answer(lease(path));
    if (strcmp(call, "keep") == 0)
        return answer(lstat(path, &kept) == 0);
    if (strcmp(call, "same") == 0)
        return is_same(path);
    if (strcmp(call, "stop_holding") != 0)
        return NULL;
    stop_holding();
    return answer(true);
}

const char *
disk_call(const char *directory, const struct words *words)
{
    const char *call = words->word[0], *one = words->count > 2 ? words->word[2] : "0";
    const char *other = words->count > 3 ? words->word[3] : "0";
    const char *path =
        text_format("%s/%s", directory, words->count > 1 ? words->word[1] : "");

    if (strcmp(call, "make") == 0)
        return answer(make(path, atoll(one)));
    if (strcmp(call, "length") == 0)
        return answer_value(length_of(path));
    if (strcmp(call, "write") == 0)
        return answer(write_bytes(path, atoll(one), other));
    if (strcmp(call, "read") == 0)
        return read_bytes(path, atoll(one), (size_t)atoll(other));
    if (strcmp(call, "remove") == 0)
        return answer(remove(path) == 0);
    if (strcmp(call, "count") == 0)
        return answer_value(files_below(path, false));
    if (strcmp(call, "mode") == 0 && words->count == 2)
        return mode_of(path);
    if (strcmp(call, "owner") == 0)
        return answer(chown(path, (uid_t)atol(one), (gid_t)atol(one)) == 0);
    if (strcmp(call, "mode") == 0)
        return answer(chmod(path, (mode_t)strtoul(one, NULL, 8)) == 0);
    if (strcmp(call, "directory") == 0)
        return answer(mkdir(path, 0755) == 0);
    if (strcmp(call, "fifo") == 0)
        return answer(mkfifo(path, 0666) == 0);
    if (strcmp(call, "socket") == 0)
        return answer(make_socket(path));
    if (strcmp(call, "link") == 0)
        return answer(symlink(one, path) == 0);
    if (strcmp(call, "replace") == 0)
        return answer(rename(text_format("%s/%s", directory, one), path) == 0);
    if (strcmp(call, "flock") == 0)
        return lock(path, one);
    return unusual_call(call, path, one, directory);
}
