/* file.h - a file to make a section of. */
#ifndef MMF_OS_LINUX_SECTION_FILE_H
#define MMF_OS_LINUX_SECTION_FILE_H

#include <stdbool.h>

#include "os/os.h"

struct mmf_os_file {
    int fd;      /* to map */
    int lock_fd; /* by path: carries the locks; -1: wrapped */
    bool made;   /* we made the file: abandoned, it is removed */
    bool alone;  /* no other map has it */
    bool can_read;
    bool can_write;
    char *path; /* NULL: wrapped */
};

/* For messages. */
const char *mmf_file_name(const struct mmf_os_file *file);

/* Why `path` could not be opened or found, by errno. */
int mmf_file_fail_open(const char *path);

/* Free the record; the descriptors are the section's. */
void mmf_file_free(struct mmf_os_file *file);

#endif
