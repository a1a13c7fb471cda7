/*
 * channel_bytes.h - the memory of a channel, as docs/internals/layout.md has it, without a
 * handle of the library's. Its name is of letters alone, and in the user's own namespace.
 */
#ifndef MMF_TESTS_HARNESS_CHANNEL_BYTES_H
#define MMF_TESTS_HARNESS_CHANNEL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Access to a channel, which keeps it alive if `hold_channel` has made it. NULL: it failed. */
struct hold;
struct hold *open_channel(const char *name);
struct hold *hold_channel(const char *name);
void release_hold(struct hold *hold);

/*
 * Write bytes, counted from the ring's first word, or from the first slot of a channel for
 * one participant of each role.
 */
enum part { IN_RING, IN_SLOTS };
bool write_part(const struct hold *hold, enum part part, int64_t offset,
                const void *bytes, size_t size);

/*
 * The channel, which no handle has, begins as if it had been used for long: five messages
 * before its indexes are 2^48; a queue's count of skipped indexes is before its end, too.
 */
bool put_near_the_end(const struct hold *hold, bool is_queue);

#endif
