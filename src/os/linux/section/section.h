/*
 * section.h - what a section is on Linux; for the files that make and map them.
 */
#ifndef MMF_OS_LINUX_SECTION_SECTION_H
#define MMF_OS_LINUX_SECTION_SECTION_H

#include <stdint.h>

#include "os/linux/store/objects.h"
#include "os/os.h"

struct mmf_os_section {
    struct mmf_object *object; /* NULL: it has no name */
    int fd;        /* unnamed memory or a file; -1: the object's own bytes */
    int close_fd;  /* 0: the descriptor stays the caller's */
    int lock_fd;   /* a by-path file's locks; -1: none */
    int is_memory; /* nothing to write back */
    int inheritable;
    uint32_t generation; /* of the process that made it */
    int64_t capacity;
    mmf_access protection;
};

/* A section with all fields empty, of this process. NULL: no memory, mmf_fail called.
 */
struct mmf_os_section *mmf_section_new(mmf_inheritability inheritability);

/* Set or clear close-on-exec. MMF_E_IO. */
int mmf_section_set_inherit(int fd, mmf_inheritability inheritability);

/* A map's file, found by what a named object says of it (file.c). */
int mmf_file_open_ref(struct mmf_object *object, const struct mmf_name *name,
                      uint32_t needs, int *fd);

#endif
