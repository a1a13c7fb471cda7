/*
 * fail.h - the one place where this thread's last failure is written.
 *
 * Called where the failure happens, with what was being done to which object; callers
 * above pass the status on.
 */
#ifndef MMF_BASE_FAIL_H
#define MMF_BASE_FAIL_H

#include <stddef.h>

#include <mmf/status.h>

/* The printf that formats here; a build whose C library has several says which. */
#ifndef MMF_PRINTF
#define MMF_PRINTF printf
#endif

/* Note the failure and return `status`. Cold: what leads here is off the fast path. */
int mmf_fail(int status, const char *format, ...)
    __attribute__((cold, format(MMF_PRINTF, 2, 3)));

/* The same for a bad argument; `parameter` is .NET's name of it. */
int mmf_fail_argument(int status, const char *parameter, const char *format, ...)
    __attribute__((cold, format(MMF_PRINTF, 3, 4)));

/* MMF_E_NULL: `parameter` is missing. */
int mmf_fail_null(const char *parameter) __attribute__((cold));

/* mmf_fail with the system's error number; the message ends with its text. */
int mmf_fail_system(int status, int system_error, const char *format, ...)
    __attribute__((cold, format(MMF_PRINTF, 3, 4)));

/*
 * The text of the system's error number, in `buffer` or constant. The platform's:
 * os/SYSTEM/error.c.
 */
const char *mmf_error_text(int system_error, char *buffer, size_t size);

/*
 * For a call that tries something, and may succeed although the try has failed:
 *
 *     mmf_fail_keep(&before);
 *     rc = try_one_way();
 *     if (rc == MMF_E_NOT_FOUND)
 *         rc = try_another_way();
 *     return mmf_fail_settle(rc, &before);
 *
 * Keep this thread's record of the last failure.
 */
void mmf_fail_keep(mmf_error *kept);

/* If `rc` is no failure, put the record back. Returns `rc`. */
int mmf_fail_settle(int rc, const mmf_error *kept);

/* Put the record back, after failures that are not the call's own. */
void mmf_fail_restore(const mmf_error *kept);

#endif
