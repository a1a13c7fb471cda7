/*
 * trace.h - run a forked child under ptrace, up to a chosen system call or instruction.
 *
 * The child calls trace_begin and trace_end around what is to be watched. The
 * tracer sees it stopped at the begin, continues it from stop to stop, and kills it,
 * leaves it stopped, or lets it go.
 */
#ifndef MMF_TEST_TRACE_H
#define MMF_TEST_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* In the child: the marks. They are signals that the tracer swallows. */
void trace_begin(void);
void trace_end(void);

/* 1 if this process may trace its children here. */
int trace_possible(void);

/* Fork; the child runs `run` and exits with 0. It stands at its trace_begin. */
pid_t trace_fork(void (*run)(void *argument), void *argument);

/* Where a traced process stands. */
enum trace_site {
    TRACE_ENTRY, /* before a system call */
    TRACE_EXIT,  /* after it */
    TRACE_STEP,  /* before an instruction */
    TRACE_END,   /* at its trace_end */
    TRACE_GONE   /* it has ended */
};

struct trace_stop {
    enum trace_site place;
    uint64_t number;       /* of the system call; of the entry, also at its exit */
    uint64_t arguments[6]; /* likewise */
    int64_t result;        /* at TRACE_EXIT */
};

/* Go on to the next system call's entry or exit. */
void trace_system_call(pid_t pid, struct trace_stop *stop);

/* Execute one instruction. */
void trace_step(pid_t pid, struct trace_stop *stop);

/* 1 if trace_step and what follows it know this machine. */
int trace_knows_instructions(void);

/* The address of the next instruction. */
uintptr_t trace_position(pid_t pid);

/*
 * It has just left the code between `begin` and `end`: run on until it comes back. A
 * called function is passed over in one go, without seeing what it calls back.
 */
void trace_come_back(pid_t pid, uintptr_t begin, uintptr_t end,
                     struct trace_stop *stop);

/*
 * Run until it is about to execute `address` for the `count`-th time: TRACE_STEP. Returns
 * how often it came to `address`: fewer times if it ended before.
 */
unsigned trace_run_to(pid_t pid, uintptr_t address, unsigned count,
                      struct trace_stop *stop);

/* Copy `size` bytes at `address` of the process. 0, or -1. */
int trace_read(pid_t pid, uint64_t address, void *bytes, size_t size);

/* SIGKILL, and wait until it is gone. */
void trace_kill(pid_t pid);

/* Stop tracing it; it stays stopped, by SIGSTOP, until SIGCONT. */
void trace_leave_stopped(pid_t pid);

/* Stop tracing it; it runs on. Its exit status, when it has ended; -1: by a signal. */
void trace_detach(pid_t pid);
int trace_wait(pid_t pid);

#endif
