/* procfs.h - small files of /proc, /sys and /etc, read as text. */
#ifndef MMF_OS_LINUX_SYS_PROCFS_H
#define MMF_OS_LINUX_SYS_PROCFS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Read the file as text, at most size - 1 bytes of it. Returns their number, or -1 with
 * errno. `text` ends with a NUL in any case; after a failure it has what could be read.
 */
ssize_t mmf_procfs_read(const char *path, char *text, size_t size);

/*
 * The same in memory that the caller frees, for what is large: threads may have small
 * stacks. NULL with errno.
 */
char *mmf_procfs_load(const char *path);

/* The text behind the first `key`, which begins a line; "" if no line has it. */
const char *mmf_procfs_find_line(const char *text, const char *key);

#endif
