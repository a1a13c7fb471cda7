/*
 * error.c - errno as a status, and the way out for the errors that have one.
 */
#include "os/linux/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/fail.h"

int
mmf_error_status(int system_error)
{
    switch (system_error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return MMF_E_ACCESS;
    case EEXIST:
        return MMF_E_EXISTS;
    case ENOENT:
        return MMF_E_NOT_FOUND;
    case ENOTDIR:
        return MMF_E_PATH_NOT_FOUND;
    case ENAMETOOLONG:
        return MMF_E_PATH_TOO_LONG;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return MMF_E_NO_SPACE;
    case ENOMEM:
    case ENOLCK:
        return MMF_E_NO_MEMORY;
    default:
        return MMF_E_IO;
    }
}

static const char *
way_out(int system_error)
{
    switch (system_error) {
    case EMFILE:
        return " (this process has its limit of descriptors open: raise ulimit -n)";
    case ENFILE:
        return " (the machine has its limit of files open: raise fs.file-max)";
    default:
        return "";
    }
}

int
mmf_error_fail(const char *format, ...)
{
    int system_error = errno;
    char what[900];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return mmf_fail_system(mmf_error_status(system_error), system_error, "%s%s", what,
                           way_out(system_error));
}
