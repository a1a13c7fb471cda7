/*
 * error.c - GetLastError() as a status, its text, and the way out for the errors that
 * have one.
 */
#include "os/windows/sys/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "os/windows/sys/utf16.h"

int
mmf_error_status(unsigned long system_error)
{
    switch (system_error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
        return MMF_E_ACCESS;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS:
        return MMF_E_EXISTS;
    case ERROR_FILE_NOT_FOUND:
        return MMF_E_NOT_FOUND;
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_PATHNAME:
    case ERROR_BAD_NETPATH:
        return MMF_E_PATH_NOT_FOUND;
    case ERROR_FILENAME_EXCED_RANGE:
        return MMF_E_PATH_TOO_LONG;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_USER_MAPPED_FILE:
        return MMF_E_SHARING;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_FILE_TOO_LARGE:
        return MMF_E_NO_SPACE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_WORKING_SET_QUOTA:
        return MMF_E_NO_MEMORY;
    default:
        return MMF_E_IO;
    }
}

static const char *
way_out(unsigned long system_error)
{
    switch (system_error) {
    case ERROR_COMMITMENT_LIMIT:
        return " (the page file is too small: enlarge it, or ask for delayed "
               "allocation)";
    case ERROR_SHARING_VIOLATION:
        return " (another handle on the file does not share it: close that, or share "
               "with MMF_FILE_SHARE_READ_WRITE)";
    case ERROR_WORKING_SET_QUOTA:
        return " (raise the working set: SetProcessWorkingSetSize)";
    default:
        return "";
    }
}

static int
fail_with(unsigned long system_error, const char *format, va_list arguments)
{
    char what[700];

    vsnprintf(what, sizeof(what), format, arguments);
    return mmf_fail_system(mmf_error_status(system_error), (int)system_error, "%s%s",
                           what, way_out(system_error));
}

int
mmf_error_fail(const char *format, ...)
{
    unsigned long system_error = GetLastError();
    va_list arguments;
    int rc;

    va_start(arguments, format);
    rc = fail_with(system_error, format, arguments);
    va_end(arguments);
    return rc;
}

int
mmf_error_fail_with(unsigned long system_error, const char *format, ...)
{
    va_list arguments;
    int rc;

    va_start(arguments, format);
    rc = fail_with(system_error, format, arguments);
    va_end(arguments);
    return rc;
}

const char *
mmf_error_text(int system_error, char *buffer, size_t size)
{
    wchar_t wide[256];
    DWORD length = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
        (DWORD)system_error, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);

    /* The system ends its sentences with a full stop and a line end. */
    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.'))
        length--;
    wide[length] = L'\0';
    if (length == 0 || mmf_utf16_to_utf8(wide, buffer, size) < 0)
        return "unknown error";
    return buffer;
}
