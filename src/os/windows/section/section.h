/*
 * section.h - what a section is on Windows; for the files that make and map them.
 */
#ifndef MMF_OS_WINDOWS_SECTION_SECTION_H
#define MMF_OS_WINDOWS_SECTION_SECTION_H

#include <stdbool.h>
#include <windows.h>

#include "os/os.h"

/* Where the system does not say what the creator gave. */
#define MMF_SECTION_GIVEN_ALL (MMF_CAN_READ | MMF_CAN_WRITE | MMF_CAN_EXECUTE)

struct mmf_os_section {
    HANDLE handle;
    HANDLE file;      /* to close with the section; NULL: there is no such file */
    int64_t capacity; /* rounded up to pages, as the kernel maps it */
    uint32_t given;   /* MMF_CAN_...: by the creator, as far as we know */
    bool is_memory;   /* the page file's, not a file's */
};

/* A section that owns `handle`; on failure the handle stays the caller's. */
int mmf_section_wrap(HANDLE handle, uint32_t given, struct mmf_os_section **out);

#endif
