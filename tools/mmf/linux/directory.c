/* directory.c - see directory.h. */
#include "linux/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "base/say.h"

static const char own_prefix[] = "mmf-run-";

/* Above what people use; commands keep their low numbers. */
enum { LOWEST_DESCRIPTOR = 100 };

const char *
directory_root(void)
{
    const char *root = secure_getenv("MMF_DIR");

    return root != NULL && root[0] != '\0' ? root : "/dev/shm";
}

void
directory_local(const char *root, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/mmf-%u", root, (unsigned)geteuid());
}

/* Whether the path still leads to the directory that we have locked. */
static int
is_still(int fd, const char *path)
{
    struct stat open;
    struct stat named;

    return fstat(fd, &open) == 0 && lstat(path, &named) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

static int
lock_directory(const char *path)
{
    int low = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fd;

    if (low < 0)
        return -1;
    fd = fcntl(low, F_DUPFD, LOWEST_DESCRIPTOR);
    close(low);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0 && is_still(fd, path))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int
directory_make_own(char path[PATH_MAX])
{
    mmf_gc_result ignored;

    say_check(mmf_gc(MMF_LIST_LOCAL, &ignored)); /* is the root safe? */
    for (;;) {
        int fd;

        snprintf(path, PATH_MAX, "%s/%sXXXXXX", directory_root(), own_prefix);
        if (mkdtemp(path) == NULL)
            say_and_exit(errno == ENOSPC ? TOOL_NO_SPACE : TOOL_FAILED,
                         "make a directory in %s: %s", directory_root(),
                         strerror(errno));
        fd = lock_directory(path);
        if (fd >= 0)
            return fd;
        rmdir(path); /* another process removed it between the two steps: once more */
    }
}

int
directory_remove_own(const char *path)
{
    char before[PATH_MAX];
    char local[PATH_MAX];
    mmf_gc_result result = {0};
    const char *root = secure_getenv("MMF_DIR");

    snprintf(before, sizeof(before), "%s", root != NULL ? root : "");
    setenv("MMF_DIR", path, 1);
    if (mmf_gc(0, &result) < 0)
        say("%s", mmf_last_message());
    if (root != NULL)
        setenv("MMF_DIR", before, 1);
    else
        unsetenv("MMF_DIR");
    directory_local(path, local);
    rmdir(local);
    return rmdir(path) == 0 || errno == ENOENT;
}

/* No process has it open, not even the command that ran in it. */
static int
is_left(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int left;

    if (fd < 0)
        return 0;
    left = fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return left;
}

int
directory_visit_left(void (*visit)(const char *path))
{
    DIR *directory = opendir(directory_root());
    const struct dirent *entry;
    int count = 0;

    if (directory == NULL)
        return 0;
    while ((entry = readdir(directory)) != NULL) {
        char path[PATH_MAX];

        if (strncmp(entry->d_name, own_prefix, sizeof(own_prefix) - 1) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory_root(), entry->d_name);
        if (!is_left(path))
            continue;
        visit(path);
        count++;
    }
    closedir(directory);
    return count;
}
