/*
 * row.c - the row that runs: what it has done so far, and how it ends early.
 */
#include "harness/scenario/row.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_STEPS = 40, SHOWN_FAILURES = 2 };

struct row row;

static int failures; /* of the case */
static const char *steps[SHOWN_STEPS];
static int step_count;
static int unsaid; /* calls that an actor cannot make */

void
forget_failures(void)
{
    failures = 0;
}

void
forget_steps(void)
{
    step_count = 0;
}

void
record(const struct actor *actor, const char *text)
{
    steps[step_count++ % SHOWN_STEPS] = text_format("%s: %s", actor->name, text);
    if (row.options->verbose)
        fprintf(stderr, "%s: %s\n", actor->name, text);
}

static void
print_row(void)
{
    fprintf(stderr, "    row:");
    for (int i = 0; i < row.scope.count; i++)
        fprintf(stderr, " %s=%.60s", row.scope.parameters[i].name,
                row.scope.parameters[i].value);
    if (row.permutations > 1)
        fprintf(stderr, " order %d of %d", row.permutation + 1, row.permutations);
    fprintf(stderr, "\n    in C:\n");
    for (int i = step_count > SHOWN_STEPS ? step_count - SHOWN_STEPS : 0;
         i < step_count; i++)
        fprintf(stderr, "      %s\n", steps[i % SHOWN_STEPS]);
}

_Noreturn void
fail(const char *format, ...)
{
    va_list args;

    if (++failures > SHOWN_FAILURES)
        longjmp(row.end, FAILED); /* the case's others are much like the first */
    fprintf(stderr, "%s:%d: ", row.scenario->file,
            row.line != NULL ? row.line->number : row.scenario->number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n    case: %s\n", row.scenario->title);
    if (row.line != NULL)
        fprintf(stderr, "    step: %s  %s\n", row.line->text, row.line->expected);
    print_row();
    longjmp(row.end, FAILED);
}

void
skip_row(void)
{
    longjmp(row.end, NOT_HERE);
}

void
count_unsaid(void)
{
    unsaid++;
}

int
run_unsaid(void)
{
    return unsaid;
}

void
words_or_fail(const char *text, struct words *words)
{
    const char *wrong = words_of(text, &row.scope, words);

    if (wrong != NULL)
        fail("%s in: %s", wrong, text);
}
