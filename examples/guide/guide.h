/* guide.h - what the guide's programs share: report a failure and end. */
#ifndef GUIDE_H
#define GUIDE_H

#include <mmf/mmf.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void
check(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "%s\n", mmf_last_message());
        exit(EXIT_FAILURE);
    }
}

/* Print a line at once, also into a pipe. */
#define say(...) (printf(__VA_ARGS__), putchar('\n'), fflush(stdout))

/* Wait for Enter; false at the end of input. */
static inline bool
wait_for_enter(void)
{
    int c;

    do
        c = getchar();
    while (c != '\n' && c != EOF);
    return c == '\n';
}

#endif
