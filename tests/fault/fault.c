/*
 * fault.c - counts calls and says which one fails.
 */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct fault armed;
static int is_armed;
static struct fault_report report;

void
fault_arm(const struct fault *fault)
{
    armed = *fault;
    memset(&report, 0, sizeof(report));
    is_armed = 1;
}

void
fault_disarm(struct fault_report *out)
{
    is_armed = 0;
    *out = report;
}

static int
is_counted(const char *function)
{
    char word[40];

    snprintf(word, sizeof(word), " %s ", function);
    if (armed.immune != NULL && strstr(armed.immune, word) != NULL)
        return 0;
    return armed.functions == NULL || strstr(armed.functions, word) != NULL;
}

/* Count; 1 if the fault is for this call. */
static int
is_the_one(const char *function)
{
    if (!is_counted(function))
        return 0;
    report.calls++;
    if (armed.at == 0 || report.calls < armed.at ||
        (report.calls > armed.at && armed.way != FAULT_FOREVER))
        return 0;
    if (!report.struck)
        snprintf(report.function, sizeof(report.function), "%s", function);
    report.struck = 1;
    return 1;
}

int
fault_strikes(enum fault_calls calls, const char *function)
{
    if (!is_armed || armed.calls != calls || armed.way == FAULT_HALF ||
        !is_the_one(function))
        return 0;
    errno = calls == FAULT_MEMORY ? ENOMEM : armed.error;
    return 1;
}

int
fault_strikes_transfer(const char *function, size_t *count)
{
    if (!is_armed || armed.calls != FAULT_SYSTEM || armed.way != FAULT_HALF)
        return fault_strikes(FAULT_SYSTEM, function);
    if (*count > 1 && is_the_one(function))
        *count /= 2;
    return 0;
}
