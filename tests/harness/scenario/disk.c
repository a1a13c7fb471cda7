/*
 * disk.c - what a scenario does with files by itself, as the actors `disk` and `names`. The
 * answers are like an actor program's.
 */
#include "harness/scenario/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_BYTES = 256 };

static int locked = -1; /* the descriptor of `flock` */

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

void
disk_forget(const char *directory)
{
    if (locked >= 0)
        close(locked);
    locked = -1;
    files_below(directory, true);
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
    return NULL;
}
