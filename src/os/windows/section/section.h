/* section.h - what a section is here; for section.c, file.c and view.c. */
#ifndef MMF_OS_WINDOWS_SECTION_SECTION_H
#define MMF_OS_WINDOWS_SECTION_SECTION_H

#include <windows.h>

#include "os/os.h"

struct mmf_os_section {
    HANDLE handle;
    HANDLE file;      /* to close with the section; NULL: none */
    int64_t capacity; /* rounded up to pages, as the kernel maps it */
    uint32_t given;   /* MMF_CAN_...: by the creator, as far as we know */
    int is_memory;    /* the page file's, not a file's */
};

/* PAGE_... for a section of that access. */
DWORD mmf_section_protection(mmf_access access);

/* A section that owns `handle`; on failure the handle stays the caller's. */
int mmf_section_wrap(HANDLE handle, uint32_t given, struct mmf_os_section **out);

#endif
