/*
 * role.c - what a role says and hears: lines on its standard output and input.
 */
#include "harness/check.h"

#include <stdio.h>
#include <string.h>

void
role_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

int
role_hear(char *buf, size_t size)
{
    if (fgets(buf, (int)size, stdin) == NULL)
        return 0;
    buf[strcspn(buf, "\n")] = '\0';
    return 1;
}
