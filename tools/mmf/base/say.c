/* say.c - see say.h. */
#include "base/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "os/os.h"

static const char *name = "mmf";
static void (*before)(void);

void
say_set_name(const char *command)
{
    static char full[64];

    snprintf(full, sizeof(full), "mmf %s", command);
    name = full;
}

void
say_call_before(void (*function)(void))
{
    before = function;
}

/* A message is one line, whatever stands in a name. */
static void
print_line(const char *format, va_list arguments)
{
    char line[8192];

    vsnprintf(line, sizeof(line), format, arguments);
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    if (before != NULL)
        before();
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", name, line);
    fflush(stderr);
}

void
say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

void
say_usage(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    exit(TOOL_USAGE);
}

void
say_and_exit(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    exit(status);
}

int
say_status_of(int rc)
{
    switch (rc) {
    case MMF_OK:
    case MMF_ABANDONED:
        return TOOL_DONE;
    case MMF_TIMED_OUT:
        return TOOL_TIMED_OUT;
    case MMF_E_NOT_FOUND:
        return TOOL_NO_OBJECT;
    case MMF_E_INVALID:
    case MMF_E_NULL:
    case MMF_E_RANGE:
    case MMF_E_PATH_NOT_FOUND:
    case MMF_E_PATH_TOO_LONG:
        return TOOL_USAGE;
    case MMF_E_ACCESS:
    case MMF_E_SHARING:
    case MMF_E_NOT_OWNER:
        return TOOL_DENIED;
    case MMF_E_EXISTS:
    case MMF_E_MISMATCH:
        return TOOL_EXISTS;
    case MMF_E_NO_SPACE:
    case MMF_E_NO_MEMORY:
        return TOOL_NO_SPACE;
    case MMF_E_WRONG_KIND:
        return TOOL_WRONG_KIND;
    case MMF_E_CORRUPT:
    case MMF_E_LAYOUT:
        return TOOL_DAMAGED;
    case MMF_E_BUSY:
        return TOOL_BUSY;
    default:
        return TOOL_FAILED;
    }
}

int
say_failure(int rc)
{
    say("%s", mmf_last_message());
    return say_status_of(rc);
}

void
say_check(int rc)
{
    if (rc < 0)
        exit(say_failure(rc));
}

void
say_no_memory(void)
{
    say_and_exit(TOOL_NO_SPACE, "no memory left");
}

/*
 * Loops that print leave after the first write that fails, so errno is still its own.
 */
int
say_finish(int status)
{
    int reason = errno;

    if (!ferror(stdout)) {
        if (fflush(stdout) == 0)
            return status;
        reason = errno;
    }
    if (os_reader_has_left(reason))
        return TOOL_BROKEN_PIPE;
    say("standard output: %s", strerror(reason));
    return TOOL_FAILED;
}
