/*
 * process.h - what process.c and its file for each system have in common.
 */
#ifndef MMF_TESTS_HARNESS_PROCESS_H
#define MMF_TESTS_HARNESS_PROCESS_H

#include "harness/check.h"
#include "harness/internal.h"

#ifdef _WIN32
#include <windows.h>
typedef HANDLE process_end; /* NULL when closed */
#else
typedef int process_end; /* -1 when closed */
#endif

struct process {
    struct process *next;
    char role[64];
#ifdef _WIN32
    HANDLE process;
#endif
    pid_t id;
    process_end in;  /* we write, its standard input */
    process_end out; /* we read, its standard output */
    int ended;       /* waited for; `status` holds */
    int killed;      /* by process_kill */
    int status;
    size_t length; /* bytes in `pending` that no line has been made of */
    char pending[4096];
};

/* All that are not finished. */
extern struct process *process_all;

/* Another one, which has begun as far as the list says. */
struct process *process_add(const char *role);

/*
 * What each system does in its own way.
 */

/* Read more of what it says. 0 at the end of its output. */
int process_read_more(struct process *process, int64_t deadline);

/* Wait for its end. 0 if the deadline passed first. */
int process_await_end(struct process *process, int64_t deadline);
void process_end_by_force(struct process *process);

/* Close our end of its input; of all that we have of it. */
void process_close_input(struct process *process);
void process_close(struct process *process);

#endif
