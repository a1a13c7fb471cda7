/*
 * process.c - other processes in a role, and the lines they say.
 */
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct process *process_all;
static int any_killed;

struct process *
process_add(const char *role)
{
    struct process *p = calloc(1, sizeof(*p));

    if (p == NULL)
        check_fail(__FILE__, __LINE__, "no memory");
    snprintf(p->role, sizeof(p->role), "%s", role);
    p->next = process_all;
    process_all = p;
    return p;
}

pid_t
process_id(const struct process *process)
{
    return process->id;
}

int
process_any_killed(void)
{
    return any_killed;
}

char *
process_read_line(struct process *process, char *buf, size_t size)
{
    int64_t deadline = now_ms() + harness_deadline_ms();
    const char *end;
    size_t length;

    while ((end = memchr(process->pending, '\n', process->length)) == NULL)
        if (!process_read_more(process, deadline))
            return NULL;
    length = (size_t)(end - process->pending);
    if (length >= size)
        check_fail(__FILE__, __LINE__, "role %s: a line of %zu bytes", process->role,
                   length);
    memcpy(buf, process->pending, length);
    buf[length] = '\0';
    process->length -= length + 1;
    memmove(process->pending, end + 1, process->length);
    return buf;
}

void
process_expect(struct process *process, const char *line)
{
    char got[4096];

    if (process_read_line(process, got, sizeof(got)) == NULL)
        check_fail(__FILE__, __LINE__, "role %s ended instead of saying \"%s\"",
                   process->role, line);
    if (strcmp(got, line) != 0)
        check_fail(__FILE__, __LINE__, "role %s said \"%s\", not \"%s\"", process->role,
                   got, line);
}

struct process *
process_ready(const char *role, const char *format, ...)
{
    enum { MOST = 8 };
    const char *arguments[MOST + 1] = {NULL};
    char text[1024], *rest = NULL;
    struct process *process;
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    arguments[0] = strtok_r(text, " ", &rest);
    for (int i = 0; i + 1 < MOST && arguments[i] != NULL; i++)
        arguments[i + 1] = strtok_r(NULL, " ", &rest);
    process = process_start(role, arguments);
    process_expect(process, "ready");
    return process;
}

void
process_kill(struct process *process)
{
    process_end_by_force(process);
    process->killed = 1;
    any_killed = 1;
    process_close_input(process);
}

static void
forget(struct process *p)
{
    struct process **link = &process_all;

    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    process_close(p);
    free(p);
}

int
process_finish(struct process *process)
{
    int64_t deadline = now_ms() + harness_deadline_ms();
    int status;

    process_close_input(process);
    if (!process->ended) {
        /* Read to the end, so that a full pipe does not keep it from ending. */
        do {
            process->length = 0;
        } while (process_read_more(process, deadline));
        if (!process_await_end(process, deadline))
            check_fail(__FILE__, __LINE__, "role %s (process %ld) does not end",
                       process->role, (long)process->id);
    }
    status = process->status;
    forget(process);
    return status;
}

int
process_clean_up(void)
{
    int left = 0;

    while (process_all != NULL) {
        if (!process_all->killed)
            left++;
        process_end_by_force(process_all);
        forget(process_all);
    }
    any_killed = 0;
    return left;
}
