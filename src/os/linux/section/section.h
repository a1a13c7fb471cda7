/*
 * section.h - what a section is on Linux; for the files that make and map them.
 */
#ifndef MMF_OS_LINUX_SECTION_SECTION_H
#define MMF_OS_LINUX_SECTION_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "os/linux/store/objects.h"
#include "os/os.h"

struct mmf_os_section {
    struct mmf_object *object; /* NULL: it has no name */
    int fd;         /* unnamed memory or a file; -1: the object's own bytes */
    bool close_fd;  /* false: the descriptor stays the caller's */
    int lock_fd;    /* the locks of a file opened by path; -1: none */
    bool is_memory; /* nothing to write back */
    bool inheritable;
    uint32_t fork_epoch; /* of the process that made it */
    int64_t capacity;
    mmf_access protection;
};

/* A section with all fields empty, of this process. NULL: no memory, mmf_fail called. */
struct mmf_os_section *mmf_section_new(mmf_inheritability inheritability);

/* Set or clear close-on-exec. MMF_E_IO. */
int mmf_section_set_inherit(int fd, mmf_inheritability inheritability);

#endif
