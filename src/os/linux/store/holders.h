/*
 * holders.h - which processes hold the objects, found in /proc.
 *
 * The kernel does not say which process has an open file description lock, but it shows
 * for each descriptor of a process which locks its description has. So every descriptor
 * that can be ours, of every process that we may inspect, is inspected once.
 */
#ifndef MMF_OS_LINUX_STORE_HOLDERS_H
#define MMF_OS_LINUX_STORE_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/list.h>

/* What one lock of one process says. */
struct mmf_held {
    uint64_t device;
    uint64_t inode;
    uint64_t ticket; /* of a SELF lock; 0: it holds the object */
    size_t process;  /* index in `processes` */
    bool read_only;
};

struct mmf_holder_process {
    int32_t pid;
    uint32_t user;
    bool stopped;
    char command[64];
};

/* All that was found, `held` ordered by device, inode, process and ticket. */
struct mmf_holders {
    struct mmf_holder_process *processes;
    size_t process_count;
    size_t process_capacity;
    struct mmf_held *held;
    size_t held_count;
    size_t held_capacity;
    mmf_holder_info *infos; /* of the last mmf_holders_of */
    size_t infos_capacity;
};

/*
 * Inspect all processes. Those that end meanwhile or that we may not inspect are
 * skipped, also all of them if there is no /proc. MMF_E_NO_MEMORY. `holders` is zero.
 */
int mmf_holders_find(struct mmf_holders *holders);

void mmf_holders_free(struct mmf_holders *holders);

/*
 * Those of one object, borrowed until the next call; `*count` of them.
 * MMF_E_NO_MEMORY.
 */
int mmf_holders_of(struct mmf_holders *holders, uint64_t device, uint64_t inode,
                   const mmf_holder_info **infos, int32_t *count);

/* The process that has a ticket at the object; 0 if it was not found. */
int32_t mmf_holders_of_ticket(const struct mmf_holders *holders, uint64_t device,
                              uint64_t inode, uint64_t ticket);

#endif
