/*
 * holders.c - see holders.h.
 *
 * A failure here is about a process that has just ended or that we may not inspect, so
 * the process is skipped; only a lack of memory is a failure of the call.
 */
#include "os/linux/store/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/directory_walk.h"
#include "os/linux/sys/procfs.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

enum { PATH_SIZE = 64, TEXT_SIZE = 1024 };

static int
fail_memory(void)
{
    return mmf_fail(MMF_E_NO_MEMORY,
                    "no memory to note which processes hold the objects");
}

/* Make space for one more. */
static int
grow(void **items, size_t *capacity, size_t count, size_t size)
{
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *larger;

    MMF_ASSERT(count <= *capacity && size > 0);
    if (count < *capacity)
        return MMF_OK;
    larger = realloc(*items, wanted * size);
    if (larger == NULL)
        return fail_memory();
    *items = larger;
    *capacity = wanted;
    return MMF_OK;
}

/* Call `visit` for each entry of a directory that is a number. */
typedef int (*number_visitor)(void *payload, int32_t number);

struct number_walk {
    number_visitor visit;
    void *payload;
};

static int
visit_record(void *payload, const struct mmf_directory_record *record)
{
    const struct number_walk *walk = payload;
    char *end;
    long number = strtol(record->name, &end, 10);

    if (record->name[0] < '0' || record->name[0] > '9' || *end != '\0' ||
        number > INT32_MAX)
        return MMF_OK;
    return walk->visit(walk->payload, (int32_t)number);
}

static int
visit_numbers(const char *directory, number_visitor visit, void *payload)
{
    struct number_walk walk = {.visit = visit, .payload = payload};
    int fd = mmf_sys_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return MMF_OK;
    rc = mmf_directory_walk(fd, INT32_MAX, visit_record, &walk);
    mmf_sys_close(fd);
    return rc < 0 ? rc : MMF_OK;
}

/*
 * One process.
 */

struct search {
    struct mmf_holders *holders;
    int32_t pid;
    bool noted; /* the process is among the holders' processes */
};

static void
describe_process(int32_t pid, struct mmf_holder_process *process)
{
    char text[TEXT_SIZE];
    char path[PATH_SIZE];
    unsigned real;
    unsigned effective;
    const char *state;

    memset(process, 0, sizeof(*process));
    process->pid = pid;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    mmf_procfs_read(path, text, sizeof(text));
    sscanf(mmf_procfs_find_line(text, "Name:\t"), "%63[^\n]", process->command);
    state = mmf_procfs_find_line(text, "State:\t");
    process->stopped = state[0] == 'T' || state[0] == 't';
    if (sscanf(mmf_procfs_find_line(text, "Uid:"), "%u %u", &real, &effective) == 2)
        process->user = effective;
}

/* The process of this search, noted when it turns out to hold something. */
static int
note_process(struct search *search)
{
    struct mmf_holders *holders = search->holders;
    int rc;

    if (search->noted)
        return MMF_OK;
    rc = grow((void **)&holders->processes, &holders->process_capacity,
              holders->process_count, sizeof(*holders->processes));
    if (rc < 0)
        return rc;
    describe_process(search->pid, &holders->processes[holders->process_count++]);
    search->noted = true;
    return MMF_OK;
}

static int
note_held(struct search *search, const struct stat *status, uint64_t ticket,
          bool read_only)
{
    struct mmf_holders *holders = search->holders;
    struct mmf_held *held;
    int rc = note_process(search);

    if (rc == MMF_OK)
        rc = grow((void **)&holders->held, &holders->held_capacity, holders->held_count,
                  sizeof(*holders->held));
    if (rc < 0)
        return rc;
    MMF_ASSERT(holders->process_count > 0);
    held = &holders->held[holders->held_count++];
    held->device = status->st_dev;
    held->inode = status->st_ino;
    held->ticket = ticket;
    held->process = holders->process_count - 1;
    held->read_only = read_only;
    return MMF_OK;
}

/*
 * One lock of a description: its kind and the byte where it begins. Only what a holder
 * has counts: write locks in HOLD, read locks in READERS, write locks in SELF.
 */
static int
read_lock(struct search *search, const struct stat *status, const char *kind,
          uint64_t start, bool whole_range)
{
    bool writes = strcmp(kind, "WRITE") == 0;

    if (start >= (uint64_t)MMF_LOCK_SELF)
        return writes
                   ? note_held(search, status, start - (uint64_t)MMF_LOCK_SELF, false)
                   : MMF_OK;
    if (start >= (uint64_t)MMF_LOCK_READERS)
        return writes ? MMF_OK : note_held(search, status, 0, true);
    if (start >= (uint64_t)MMF_LOCK_HOLD && !whole_range)
        return writes ? note_held(search, status, 0, false) : MMF_OK;
    return MMF_OK;
}

/* "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1a:6 2305843009213693952 23058430..." */
static int
read_locks(struct search *search, const struct stat *status, const char *text)
{
    int rc = MMF_OK;

    for (text = strstr(text, "lock:\t"); text != NULL && rc == MMF_OK;
         text = strstr(text + 1, "lock:\t")) {
        char kind[8];
        char end[24];
        unsigned long long start;

        if (sscanf(text, "lock:\t%*d: OFDLCK %*s %7s %*s %*s %llu %23s", kind, &start,
                   end) == 3)
            rc = read_lock(search, status, kind, start,
                           strtoull(end, NULL, 10) - start >=
                               (unsigned long long)MMF_LOCK_RANGE);
    }
    return rc;
}

/* A descriptor. Most are not a file that an object can be, as stat says cheaply. */
static int
inspect_descriptor(void *payload, int32_t number)
{
    struct search *search = payload;
    struct stat status;
    char path[PATH_SIZE];
    char *text;
    int rc;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)search->pid, (int)number);
    if (mmf_sys_stat(path, &status) < 0 || !S_ISREG(status.st_mode) ||
        status.st_size % MMF_CONTROL_ALIGNMENT != MMF_CONTROL_SIZE)
        return MMF_OK;
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)search->pid, (int)number);
    text = mmf_procfs_load(path);
    if (text == NULL)
        return errno == ENOMEM ? fail_memory() : MMF_OK;
    rc = read_locks(search, &status, text);
    free(text);
    return rc;
}

static int
inspect_process(void *payload, int32_t number)
{
    struct search search = {.holders = payload, .pid = number};
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)number);
    return visit_numbers(path, inspect_descriptor, &search);
}

/*
 * All of them.
 */

static int
compare_numbers(uint64_t one, uint64_t other)
{
    return (one > other) - (one < other);
}

static int
compare_objects(const struct mmf_held *one, const struct mmf_held *other)
{
    int order = compare_numbers(one->device, other->device);

    return order != 0 ? order : compare_numbers(one->inode, other->inode);
}

static int
compare_held(const void *one, const void *other)
{
    const struct mmf_held *a = one;
    const struct mmf_held *b = other;
    int order = compare_objects(a, b);

    if (order == 0)
        order = compare_numbers(a->process, b->process);
    return order != 0 ? order : compare_numbers(a->ticket, b->ticket);
}

int
mmf_holders_find(struct mmf_holders *holders)
{
    int rc;

    MMF_ASSERT(holders->processes == NULL && holders->held_count == 0);
    rc = visit_numbers("/proc", inspect_process, holders);
    if (rc == MMF_OK && holders->held_count > 0)
        qsort(holders->held, holders->held_count, sizeof(*holders->held), compare_held);
    return rc;
}

void
mmf_holders_free(struct mmf_holders *holders)
{
    free(holders->processes);
    free(holders->held);
    free(holders->infos);
    memset(holders, 0, sizeof(*holders));
}

/* The first lock on the object; `held_count` if it has no lock. */
static size_t
find_first(const struct mmf_holders *holders, const struct mmf_held *wanted)
{
    size_t low = 0;
    size_t high = holders->held_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_objects(&holders->held[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int
add_info(struct mmf_holders *holders, const struct mmf_held *held, size_t count)
{
    const struct mmf_holder_process *process = &holders->processes[held->process];
    mmf_holder_info *info;
    int rc = grow((void **)&holders->infos, &holders->infos_capacity, count,
                  sizeof(*holders->infos));

    MMF_ASSERT(held->process < holders->process_count);
    if (rc < 0)
        return rc;
    info = &holders->infos[count];
    info->command = process->command;
    info->pid = process->pid;
    info->user = process->user;
    info->read_only = held->read_only;
    info->stopped = process->stopped;
    return MMF_OK;
}

int
mmf_holders_of(struct mmf_holders *holders, uint64_t device, uint64_t inode,
               const mmf_holder_info **infos, int32_t *count)
{
    struct mmf_held wanted = {.device = device, .inode = inode};
    size_t found = 0;
    size_t i;

    MMF_ASSERT(infos != NULL && count != NULL);
    for (i = find_first(holders, &wanted); i < holders->held_count; i++) {
        const struct mmf_held *held = &holders->held[i];
        int rc;

        if (compare_objects(held, &wanted) != 0)
            break;
        if (held->ticket != 0)
            continue;
        /* Once for each process; it reads only if none of its handles may write. */
        if (found > 0 &&
            holders->infos[found - 1].pid == holders->processes[held->process].pid) {
            holders->infos[found - 1].read_only &= held->read_only;
            continue;
        }
        rc = add_info(holders, held, found);
        if (rc < 0)
            return rc;
        found++;
    }
    *infos = holders->infos;
    *count = (int32_t)found;
    return MMF_OK;
}

int32_t
mmf_holders_of_ticket(const struct mmf_holders *holders, uint64_t device,
                      uint64_t inode, uint64_t ticket)
{
    struct mmf_held wanted = {.device = device, .inode = inode};
    size_t i;

    MMF_ASSERT(ticket != 0);
    for (i = find_first(holders, &wanted); i < holders->held_count; i++) {
        if (compare_objects(&holders->held[i], &wanted) != 0)
            break;
        if (holders->held[i].ticket == ticket)
            return holders->processes[holders->held[i].process].pid;
    }
    return 0;
}
