/* file.h - a file to make a section of. */
#ifndef MMF_OS_WINDOWS_SECTION_FILE_H
#define MMF_OS_WINDOWS_SECTION_FILE_H

#include <stdbool.h>
#include <windows.h>

#include "os/os.h"

struct mmf_os_file {
    HANDLE handle;
    bool is_ours;      /* opened by path */
    bool made;         /* we made the file: abandoned, it is removed */
    wchar_t *wide;     /* NULL: wrapped */
    const char *shown; /* for messages */
    char *path;        /* what `shown` points to, or NULL */
};

/* Free the record; the handle is the section's or the caller's. */
void mmf_file_free(struct mmf_os_file *file);

#endif
