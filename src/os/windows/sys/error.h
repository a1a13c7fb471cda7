/* error.h - GetLastError() as a status. */
#ifndef MMF_OS_WINDOWS_SYS_ERROR_H
#define MMF_OS_WINDOWS_SYS_ERROR_H

#include "base/fail.h"

/* The status that fits an error of a call on an object or a file. */
int mmf_error_status(unsigned long system_error);

/* mmf_fail_system with the status that fits GetLastError(), and the way out. */
int mmf_error_fail(const char *format, ...) __attribute__((format(MMF_PRINTF, 1, 2)));

/* The same for an error number that was kept. */
int mmf_error_fail_with(unsigned long system_error, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));

#endif
