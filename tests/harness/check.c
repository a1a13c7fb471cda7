/*
 * check.c - the checks: compare, explain, and end the test or the process.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char context[256];

void
check_context(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
}

_Noreturn void
check_fail(const char *file, int line, const char *format, ...)
{
    char text[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (runner_is_test_thread()) {
        print_error("%s%s%s\n", context, context[0] != '\0' ? ": " : "", text);
        _fail(file, line);
    }
    /* A role, a thread or a forked child has no test to jump out of. */
    fflush(stdout);
    fprintf(stderr, "process %ld: %s:%d: %s%s%s\n", (long)getpid(), file, line, context,
            context[0] != '\0' ? ": " : "", text);
    fflush(stderr);
    runner_give_up();
    _exit(EXIT_FAILURE);
}

void
check_ok(int rc, const char *call, const char *file, int line)
{
    if (rc < 0)
        check_fail(file, line, "%s: %s: %s", call, mmf_status_name(rc),
                   mmf_last_message());
}

void
check_status(int rc, int status, const char *call, const char *file, int line)
{
    if (rc != status)
        check_fail(file, line, "%s: %s (%d), not %s%s%s", call, mmf_status_name(rc), rc,
                   mmf_status_name(status), rc < 0 ? ": " : "",
                   rc < 0 ? mmf_last_message() : "");
}

/*
 * Make the thread's last error one of another status, so that check_fails can
 * distinguish an error of the call under test from one that was there before. Both
 * calls fail in their argument checks and reach no system call.
 */
void
check_stale_error(int status)
{
    mmf_map *map = NULL;

    if (status == MMF_E_NULL)
        mmf_map_open_existing("", NULL, &map);
    else
        mmf_map_open_existing(NULL, NULL, &map);
}

void
check_fails(int rc, int status, const char *parameter, const char *call,
            const char *file, int line)
{
    mmf_error error;

    mmf_last_error(&error);
    if (rc != status)
        check_fail(file, line, "%s: %s (%d), not %s%s%s", call, mmf_status_name(rc), rc,
                   mmf_status_name(status), rc < 0 ? ": " : "",
                   rc < 0 ? error.message : "");
    if (error.status != status)
        check_fail(file, line, "%s: %s, but left no error: the last one is %s: %s",
                   call, mmf_status_name(rc), mmf_status_name(error.status),
                   error.message);
    if (memchr(error.message, '\0', sizeof(error.message)) == NULL ||
        memchr(error.parameter, '\0', sizeof(error.parameter)) == NULL)
        check_fail(file, line, "%s: the error's text has no end", call);
    if (error.message[0] == '\0' || strchr(error.message, '\n') != NULL)
        check_fail(file, line, "%s: the message is not one line: \"%s\"", call,
                   error.message);
    if (strcmp(mmf_last_message(), error.message) != 0)
        check_fail(file, line,
                   "%s: mmf_last_message says \"%s\", mmf_last_error "
                   "\"%s\"",
                   call, mmf_last_message(), error.message);
    if (parameter != NULL && strcmp(error.parameter, parameter) != 0)
        check_fail(file, line, "%s: the parameter is \"%s\", not \"%s\": %s", call,
                   error.parameter, parameter, error.message);
}

void
check_true(int holds, const char *condition, const char *file, int line)
{
    if (!holds)
        check_fail(file, line, "%s does not hold", condition);
}

void
check_int(int64_t actual, int64_t expected, const char *what, const char *file,
          int line)
{
    if (actual != expected)
        check_fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, actual,
                   expected);
}

void
check_text(const char *actual, const char *expected, const char *what, const char *file,
           int line)
{
    if (actual == NULL || strcmp(actual, expected) != 0)
        check_fail(file, line, "%s is \"%s\", not \"%s\"", what,
                   actual == NULL ? "(null)" : actual, expected);
}

void
check_bytes(const void *actual, const void *expected, size_t size, const char *what,
            const char *file, int line)
{
    const unsigned char *a = actual;
    const unsigned char *e = expected;
    size_t i;

    for (i = 0; i < size; i++)
        if (a[i] != e[i])
            check_fail(file, line, "%s: byte %zu of %zu is 0x%02x, not 0x%02x", what, i,
                       size, a[i], e[i]);
}

void
check_usage(const struct usage *before, const char *file, int line)
{
    struct usage now;

    usage_take(&now);
    if (now.descriptors == before->descriptors && now.mappings == before->mappings &&
        now.files == before->files)
        return;
    usage_print();
    check_fail(file, line,
               "left behind: %+ld descriptors, %+ld mappings, %+ld files (there were "
               "%ld, %ld, %ld)",
               now.descriptors - before->descriptors, now.mappings - before->mappings,
               now.files - before->files, before->descriptors, before->mappings,
               before->files);
}

/* Steele, Lea and Flood's SplitMix64. */
uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
