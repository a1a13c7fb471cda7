/*
 * fail.c - this thread's last failure.
 *
 * It is thread-local, of fixed size and never read by the library itself, so that
 * failing needs no memory and changes nothing but the record.
 */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local mmf_error last;

/* Names may have line ends in them; a message is one line. */
static void
write_record(int status, int system_error, const char *parameter, const char *format,
             va_list arguments)
{
    last.status = status;
    last.system_error = system_error;
    snprintf(last.parameter, sizeof(last.parameter), "%s", parameter);
    vsnprintf(last.message, sizeof(last.message), format, arguments);
    for (char *c = last.message; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\x7f')
            *c = '?';
}

int
mmf_fail(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_record(status, 0, "", format, arguments);
    va_end(arguments);
    return status;
}

int
mmf_fail_argument(int status, const char *parameter, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_record(status, 0, parameter, format, arguments);
    va_end(arguments);
    return status;
}

int
mmf_fail_null(const char *parameter)
{
    return mmf_fail_argument(MMF_E_NULL, parameter, "%s is NULL", parameter);
}

int
mmf_fail_system(int status, int system_error, const char *format, ...)
{
    va_list arguments;
    size_t used;
    char buffer[256];
    const char *text;

    va_start(arguments, format);
    write_record(status, system_error, "", format, arguments);
    va_end(arguments);
    text = mmf_error_text(system_error, buffer, sizeof(buffer));
    used = strlen(last.message);
    snprintf(last.message + used, sizeof(last.message) - used, ": %s (error %d)", text,
             system_error);
    return status;
}

void
mmf_last_error(mmf_error *error)
{
    if (error != NULL)
        *error = last;
}

const char *
mmf_last_message(void)
{
    return last.message;
}

/* Without what lies behind the message: calls that open or create keep a record. */
static void
copy_record(mmf_error *to, const mmf_error *from)
{
    memcpy(to, from, offsetof(mmf_error, message) + strlen(from->message) + 1);
}

void
mmf_fail_keep(mmf_error *kept)
{
    copy_record(kept, &last);
}

void
mmf_fail_restore(const mmf_error *kept)
{
    copy_record(&last, kept);
}

int
mmf_fail_settle(int rc, const mmf_error *kept)
{
    if (rc >= 0)
        mmf_fail_restore(kept);
    return rc;
}
