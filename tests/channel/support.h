/*
 * support.h - shared by the tests of channels.
 */
#ifndef MMF_TESTS_CHANNEL_SUPPORT_H
#define MMF_TESTS_CHANNEL_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/*
 * Peers: other processes. Each answers a command with one line: the status' name, then what
 * the command says, or the message of a failure. They end at the end of input, and close
 * their handles. T is a timeout; ROLE, FLAGS and STRATEGY are numbers.
 *
 *   create ROLE FLAGS STRATEGY SIZE COUNT OVERFLOW    the queue "Q": "new" or "old"
 *   open ROLE [FLAGS STRATEGY]     "Q"; open_topic: "T"; open_latest: "L"
 *   send NUMBER T                  8 bytes
 *   receive T, take T              the number, and the flags; what is taken is kept
 *   reserve T                      8 bytes
 *   sleep_at_topic, sleep_at_latest    until there is something
 */
struct process *peer_start(void);

/* Close its input; it must end with 0. */
void peer_end(struct process *peer);

/* Say a command; its answer must be exactly `answer`; "MMF_OK". */
void peer_answers(struct process *peer, const char *answer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 3, 4)));
void peer_does(struct process *peer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));

/* Say a command and do not wait for its answer. */
void peer_begins(struct process *peer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));

/* It sleeps in the library. */
void peer_await_sleep(struct process *peer);

#ifndef _WIN32
/* Stop it while it sleeps, so that it cannot be awake for its next look after the dead.
 * Any process may ask for it, and process_continue ends it. */
void peer_stop_asleep(struct process *peer);
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

/* Keep the channel alive without a handle of the library's. */
struct hold;
struct hold *hold_channel(const char *name);
void release_hold(struct hold *hold);

/*
 * Overwrite bytes, counted from the ring's first word, or from the first slot of a
 * channel for one participant of each role.
 */
enum part { IN_RING, IN_SLOTS };
void overwrite(const char *name, enum part part, int64_t offset, const void *bytes,
               size_t size);

/* The slots of every channel can be mapped by themselves here, or the test ends. */
void need_separate_slots(void);

/* 1 if this process cannot write there. */
int is_mapped_read_only(const void *address);

#endif
