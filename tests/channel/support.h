/*
 * support.h - shared by the tests of channels.
 */
#ifndef MMF_TESTS_CHANNEL_SUPPORT_H
#define MMF_TESTS_CHANNEL_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/channel_bytes.h"
#include "harness/forks.h"
#include "harness/numbers.h"

/*
 * The two kinds of queue, for tests that hold for both: `run` gets 0 and then
 * MMF_CHANNEL_SPSC; and both again with queues whose indexes begin just before they
 * wrap.
 */
void for_each_kind(void (*run)(uint32_t flags));

/* A queue "Q" of `count` messages of up to `size` bytes, which blocks; must succeed. */
mmf_queue *new_sender(uint32_t flags, size_t size, size_t count);
mmf_queue *new_receiver(uint32_t flags, size_t size, size_t count);

/* The same with an overflow of its own; and of one that is there. */
mmf_queue *new_queue(mmf_role role, uint32_t flags, size_t size, size_t count,
                     mmf_overflow overflow);
mmf_queue *open_queue(mmf_role role, uint32_t flags);

/* The topic "T", which is there. */
mmf_topic *join_topic(mmf_role role);

/* The next message, in place, must be `number`. */
mmf_message take_number(mmf_queue *queue, uint64_t number);

mmf_channel_stats stats_of(mmf_queue *queue);

#ifndef _WIN32
/* Stop it while it sleeps in the library, so that it cannot be awake for its next look after
 * the dead. Any process may ask for it; SIGCONT ends it. */
void stop_asleep(pid_t pid);
#endif

/*
 * Roles that are killed at random.
 */

/* Up to 20 ms from now. */
int64_t random_moment(uint64_t *seed);

/* It must not have ended before, by a check of its own. */
void end_victim(struct process *victim);

/*
 * The channel's memory, as docs/internals/layout.md has it. `name` is the only object there is.
 */

/* Overwrite bytes of it: harness/channel_bytes.h. */
void overwrite(const char *name, enum part part, int64_t offset, const void *bytes,
               size_t size);

/* The slots of every channel can be mapped by themselves here, or the test ends. */
void need_separate_slots(void);

/* 1 if this process cannot write there. */
int is_mapped_read_only(const void *address);

#endif
