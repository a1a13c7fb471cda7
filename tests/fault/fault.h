/*
 * fault.h - making the Nth call of the library fail.
 *
 * sys_fault.c stands in for src/os/linux/sys/sys.c, memory_fault.c (with the linker's
 * --wrap) for the allocator and the few functions of libc that make system calls of
 * their own. Until fault_arm both pass everything through.
 */
#ifndef MMF_TESTS_FAULT_FAULT_H
#define MMF_TESTS_FAULT_FAULT_H

#include <stddef.h>

/* Which calls are counted. */
enum fault_calls { FAULT_SYSTEM, FAULT_MEMORY };

/* What happens to the call that the fault is for. */
enum fault_way {
    FAULT_ONCE,    /* it fails, those after it work */
    FAULT_FOREVER, /* it fails, and all after it */
    FAULT_HALF     /* it moves half of the bytes; only reads and writes are counted */
};

struct fault {
    enum fault_calls calls;
    enum fault_way way;
    long at;   /* the first call is 1; 0: none fails */
    int error; /* errno of a failing system call */
    /* Only calls of these functions are counted: " open linkat "; NULL: all. */
    const char *functions;
    const char *immune; /* none of these; NULL: as far as `functions` goes */
};

/* What happened since fault_arm. */
struct fault_report {
    long calls; /* counted */
    int struck;
    char function[32]; /* the one that was struck first */
};

void fault_arm(const struct fault *fault);
void fault_disarm(struct fault_report *report);

/*
 * What the system under the library lacks or has, whether armed or not: flags. Calls
 * that fail by them are counted like others.
 */
enum fault_host {
    HOST_NO_TMPFILE = 1,           /* a file system without O_TMPFILE */
    HOST_NO_EMPTY_PATH = 2,        /* linkat of a descriptor needs a privilege */
    HOST_NO_PROC = 4,              /* /proc is not mounted */
    HOST_NO_LINK = 8,              /* a file system without hard links */
    HOST_NO_FALLOCATE = 16,        /* a file system without fallocate */
    HOST_OLD_MEMFD = 32,           /* a kernel that does not know the exec flags */
    HOST_READ_ONLY = 64,           /* objects of another user, which we may only read */
    HOST_HUGE_PAGES = 128,         /* huge pages for shared memory, if asked for */
    HOST_FORCED_HUGE_PAGES = 2048, /* for all of it */
    HOST_CGROUP = 256,             /* a cgroup with a limit */
    HOST_PID_OF_COLLECTOR = 512,   /* a process whose first creation collects orphans */
    HOST_FULL = 1024,              /* no space for anything */
    HOST_FULL_OF_DEAD = 4096,      /* no space until something is removed */
    HOST_BUSY = 8192 /* what was notified last is notified again after each read */
};

void fault_set_host(unsigned host);

/* Blocks that the program has allocated and not freed. */
long fault_live_blocks(void);

/*
 * For the stand-ins: count a call. 1 if it shall fail, with errno set.
 */
int fault_strikes(enum fault_calls calls, const char *function);

/* The same for a read or write of `*count` bytes, which it may halve. */
int fault_strikes_transfer(const char *function, size_t *count);

#endif
