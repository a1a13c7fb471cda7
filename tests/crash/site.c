/* site.c - see site.h. */
#include "site.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MESSAGES = 20, DEADLINE_S = 120, MOST_CALLS = 64, LONGEST_CALL = 32 };

static const char *program = "";
static const char *operation = "";
static const char *step = "begins";
static char place[192];
static unsigned long failures;

static void
write_text(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(EXIT_FAILURE);
}

/* Children die with us: they are traced, or have asked for it. */
static void
report_where_it_hangs(int signal_number)
{
    const char *const parts[] = {program, ": ", operation, ": ",
                                 place,   ": ", step,      ": it hangs here\n"};

    (void)signal_number;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        write_text(parts[i]);
    _exit(EXIT_FAILURE);
}

void
site_begin(const char *name)
{
    const struct sigaction action = {.sa_handler = report_where_it_hangs};

    program = name;
    sigaction(SIGALRM, &action, NULL);
}

void
site_operation(const char *name)
{
    operation = name;
    site_say("begins");
}

static unsigned
deadline(void)
{
    const char *value = getenv("MMF_TEST_DEADLINE_MS");
    long seconds = value == NULL ? DEADLINE_S : atol(value) * 6 / 1000;

    return seconds < 1 ? 1 : (unsigned)seconds;
}

void
site_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(place, sizeof(place), format, arguments);
    va_end(arguments);
    alarm(deadline());
}

void
site_step(const char *name)
{
    step = name;
}

void
site_fail(const char *what, const char *why)
{
    if (++failures <= MOST_MESSAGES)
        fprintf(stderr, "%s: %s: %s: %s: %s\n", program, operation, place, what, why);
}

unsigned long
site_failures(void)
{
    return failures;
}

/*
 * Kill points by call.
 */

static struct {
    char call[LONGEST_CALL];
    unsigned long kills;
} counts[MOST_CALLS];
static size_t count_of_calls;

void
site_count(const char *call, unsigned long kills)
{
    size_t i = 0;

    while (i < count_of_calls && strcmp(counts[i].call, call) != 0)
        i++;
    if (i == MOST_CALLS)
        abort();
    if (i == count_of_calls) {
        snprintf(counts[i].call, sizeof(counts[i].call), "%s", call);
        count_of_calls++;
    }
    counts[i].kills += kills;
}

void
site_print_counts(const char *how)
{
    unsigned long sum = 0;

    printf("FIGURES: kill points%s:", how);
    for (size_t i = 0; i < count_of_calls; i++) {
        printf(" %s %lu,", counts[i].call, counts[i].kills);
        sum += counts[i].kills;
    }
    printf(" in all %lu\n", sum);
}

const char *
site_call_of(const char *name)
{
    static char call[LONGEST_CALL];
    const char *kind_ends = strstr(name, ": ");
    const char *begin = kind_ends == NULL ? name : kind_ends + 2;

    snprintf(call, sizeof(call), "%.*s", (int)strcspn(begin, " ,"), begin);
    return call;
}
