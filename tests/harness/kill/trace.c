/*
 * trace.c - ptrace, as far as the tests need it.
 */
#include "trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "trace: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

void
trace_begin(void)
{
    raise(SIGUSR1);
}

void
trace_end(void)
{
    raise(SIGUSR2);
}

/* Wait until `pid` stops or ends; its wait status. */
static int
wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, __WALL) < 0)
        if (errno != EINTR)
            die("waitpid");
    return status;
}

static void
go_on(pid_t pid, int request, int signal_number)
{
    if (ptrace((enum __ptrace_request)request, pid, 0, (long)signal_number) < 0 &&
        errno != ESRCH)
        die("ptrace");
}

int
trace_possible(void)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    status = wait_for(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

pid_t
trace_fork(void (*run)(void *argument), void *argument)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            die("PTRACE_TRACEME");
        run(argument);
        _exit(0);
    }
    for (;;) {
        status = wait_for(pid);
        if (!WIFSTOPPED(status)) {
            fprintf(stderr, "trace: the child ended before it began, status %x\n",
                    (unsigned)status);
            exit(EXIT_FAILURE);
        }
        if (WSTOPSIG(status) == SIGUSR1)
            break;
        go_on(pid, PTRACE_CONT, WSTOPSIG(status));
    }
    if (ptrace(PTRACE_SETOPTIONS, pid, 0,
               (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0)
        die("PTRACE_SETOPTIONS");
    return pid;
}

/*
 * Let it go on by `request` until it stands where the caller wants to look: at a trap
 * of that request, at the end mark, or nowhere any more. Other signals are passed on.
 */
static void
advance(pid_t pid, int request, int trap, struct trace_stop *stop)
{
    int pass = 0;
    int status;

    for (;;) {
        go_on(pid, request, pass);
        status = wait_for(pid);
        if (!WIFSTOPPED(status)) {
            stop->place = TRACE_GONE;
            return;
        }
        if (WSTOPSIG(status) == trap) {
            stop->place = TRACE_STEP;
            return;
        }
        if (WSTOPSIG(status) == SIGUSR2) {
            stop->place = TRACE_END;
            return;
        }
        pass = WSTOPSIG(status);
    }
}

void
trace_system_call(pid_t pid, struct trace_stop *stop)
{
    struct __ptrace_syscall_info info;

    advance(pid, PTRACE_SYSCALL, SIGTRAP | 0x80, stop);
    if (stop->place != TRACE_STEP)
        return;
    memset(&info, 0, sizeof(info));
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) < 0)
        die("PTRACE_GET_SYSCALL_INFO");
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        stop->place = TRACE_EXIT;
        stop->result = info.exit.rval;
    } else {
        int i;

        stop->place = TRACE_ENTRY;
        stop->number = info.entry.nr;
        for (i = 0; i < 6; i++)
            stop->arguments[i] = info.entry.args[i];
    }
}

void
trace_step(pid_t pid, struct trace_stop *stop)
{
    advance(pid, PTRACE_SINGLESTEP, SIGTRAP, stop);
}

#if defined(__x86_64__)

int
trace_knows_instructions(void)
{
    return 1;
}

uintptr_t
trace_position(pid_t pid)
{
    long value;

    errno = 0;
    value = ptrace(PTRACE_PEEKUSER, pid, (void *)offsetof(struct user_regs_struct, rip),
                   NULL);
    if (errno != 0)
        die("PTRACE_PEEKUSER");
    return (uintptr_t)value;
}

static void
set_position(pid_t pid, uintptr_t address)
{
    if (ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user_regs_struct, rip),
               (void *)address) < 0)
        die("PTRACE_POKEUSER");
}

static long
word_at(pid_t pid, uintptr_t address)
{
    long word;

    errno = 0;
    word = ptrace(PTRACE_PEEKTEXT, pid, (void *)address, NULL);
    if (errno != 0)
        die("PTRACE_PEEKTEXT");
    return word;
}

static void
poke(pid_t pid, uintptr_t address, long word)
{
    if (ptrace(PTRACE_POKETEXT, pid, (void *)address, (void *)word) < 0)
        die("PTRACE_POKETEXT");
}

unsigned
trace_run_to(pid_t pid, uintptr_t address, unsigned count, struct trace_stop *stop)
{
    long whole = word_at(pid, address);
    long broken = (whole & ~0xffL) | 0xcc; /* int3 */

    for (unsigned came = 0;;) {
        poke(pid, address, broken);
        advance(pid, PTRACE_CONT, SIGTRAP, stop);
        if (stop->place == TRACE_GONE)
            return came;
        poke(pid, address, whole);
        if (stop->place != TRACE_STEP)
            return came;
        if (trace_position(pid) != address + 1) {
            fprintf(stderr, "trace: stopped at %lx instead of %lx\n",
                    (unsigned long)trace_position(pid), (unsigned long)address);
            exit(EXIT_FAILURE);
        }
        set_position(pid, address);
        if (++came == count)
            return came;
        do {
            trace_step(pid, stop);
            if (stop->place != TRACE_STEP)
                return came;
        } while (trace_position(pid) == address); /* a repeated string instruction */
    }
}

void
trace_come_back(pid_t pid, uintptr_t begin, uintptr_t end, struct trace_stop *stop)
{
    do {
        uintptr_t sp, from;
        long value;

        /* Just called? Then the way back lies on the stack. */
        errno = 0;
        value = ptrace(PTRACE_PEEKUSER, pid,
                       (void *)offsetof(struct user_regs_struct, rsp), NULL);
        if (errno != 0)
            die("PTRACE_PEEKUSER");
        sp = (uintptr_t)value;
        from = (uintptr_t)word_at(pid, sp);
        if (from >= begin && from < end)
            trace_run_to(pid, from, 1, stop);
        else
            trace_step(pid, stop);
    } while (stop->place == TRACE_STEP &&
             (trace_position(pid) < begin || trace_position(pid) >= end));
}

#else

int
trace_knows_instructions(void)
{
    return 0;
}

uintptr_t
trace_position(pid_t pid)
{
    (void)pid;
    abort();
}

void
trace_come_back(pid_t pid, uintptr_t begin, uintptr_t end, struct trace_stop *stop)
{
    (void)pid;
    (void)begin;
    (void)end;
    (void)stop;
    abort();
}

unsigned
trace_run_to(pid_t pid, uintptr_t address, unsigned count, struct trace_stop *stop)
{
    (void)pid;
    (void)address;
    (void)count;
    (void)stop;
    abort();
}

#endif

int
trace_read(pid_t pid, uint64_t address, void *bytes, size_t size)
{
    struct iovec here = {.iov_base = bytes, .iov_len = size};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};

    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size ? 0 : -1;
}

void
trace_kill(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    do {
        status = wait_for(pid);
    } while (!WIFSIGNALED(status) && !WIFEXITED(status));
}

void
trace_leave_stopped(pid_t pid)
{
    int status;

    kill(pid, SIGSTOP);
    go_on(pid, PTRACE_DETACH, 0);
    do {
        while (waitpid(pid, &status, WUNTRACED) < 0)
            if (errno != EINTR)
                die("waitpid");
        if (!WIFSTOPPED(status)) {
            fprintf(stderr, "trace: it ended instead of stopping\n");
            exit(EXIT_FAILURE);
        }
    } while (WSTOPSIG(status) != SIGSTOP);
}

void
trace_detach(pid_t pid)
{
    go_on(pid, PTRACE_DETACH, 0);
}

int
trace_wait(pid_t pid)
{
    int status = wait_for(pid);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
