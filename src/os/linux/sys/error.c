/*
 * error.c - errno as a status, and the way out for the errors that have one.
 */
#include "os/linux/sys/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"

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

/*
 * There are two strerror_r: GNU's returns the text, POSIX's (musl) fills the buffer and
 * returns a number. The overload that fits the declaration is chosen by the
 * type of the call, so that neither a macro nor a probe has to know the libc.
 */
static const char *
text_of_gnu(const char *text, const char *buffer)
{
    (void)buffer;
    return text;
}

static const char *
text_of_posix(int rc, const char *buffer)
{
    return rc == 0 ? buffer : "unknown error";
}

const char *
mmf_error_text(int system_error, char *buffer, size_t size)
{
    return _Generic(strerror_r(0, buffer, size),
                    char *: text_of_gnu,
                    int: text_of_posix)(strerror_r(system_error, buffer, size), buffer);
}

static const char *
way_out(int system_error)
{
    switch (system_error) {
    case EMFILE:
        return " (this process has its limit of descriptors open: raise ulimit -n, and "
               "the hard "
               "limit, ulimit -Hn, if that is as low)";
    case ENOMEM:
        return " (no more mappings or address space: raise the sysctl "
               "vm.max_map_count, or ulimit -v)";
    case EDQUOT:
        return " (this user's quota is used up: see quota(1))";
    case ENOLCK:
        return " (no more locks: raise ulimit -x)";
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

    MMF_ASSERT(system_error > 0);
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return mmf_fail_system(mmf_error_status(system_error), system_error, "%s%s", what,
                           way_out(system_error));
}
