/*
 * procfs.c - see procfs.h. The kernel may give such a file in several pieces.
 */
#include "os/linux/sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "os/linux/sys/sys.h"

static ssize_t
read_all(int fd, char *text, size_t size, size_t *used)
{
    ssize_t count = 1;

    while (count > 0 && *used < size) {
        count = mmf_sys_pread(fd, text + *used, size - *used, (off_t)*used);
        if (count > 0)
            *used += (size_t)count;
    }
    return count;
}

ssize_t
mmf_procfs_read(const char *path, char *text, size_t size)
{
    int fd = mmf_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    size_t used = 0;
    ssize_t rc;
    int saved;

    MMF_ASSERT(size > 0);
    text[0] = '\0';
    if (fd < 0)
        return -1;
    rc = read_all(fd, text, size - 1, &used);
    saved = errno;
    mmf_sys_close(fd);
    errno = saved;
    text[used] = '\0';
    return rc < 0 ? -1 : (ssize_t)used;
}

char *
mmf_procfs_load(const char *path)
{
    enum { SIZE = 65536 };
    char *text = malloc(SIZE);

    if (text != NULL && mmf_procfs_read(path, text, SIZE) < 0) {
        int saved = errno;

        free(text);
        errno = saved;
        return NULL;
    }
    return text;
}

const char *
mmf_procfs_find_line(const char *text, const char *key)
{
    size_t length = strlen(key);

    MMF_ASSERT(length > 0);
    while (strncmp(text, key, length) != 0) {
        text = strchr(text, '\n');
        if (text == NULL)
            return "";
        text++;
    }
    return text + length;
}
