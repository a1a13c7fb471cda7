/*
 * pair.h - what the two directions of one channel know of each other, so that what came in
 * does not go out again.
 */
#ifndef MMF_BRIDGE_PAIR_H
#define MMF_BRIDGE_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pair;

/* `goes_both_ways` false: there is no other direction, and nothing is noted. */
struct pair *pair_create(bool goes_both_ways);
void pair_free(struct pair *pair);

/* Sending to the local channel and noting what was sent are one step for the other
 * direction: between these two. */
void pair_lock(struct pair *pair);
void pair_unlock(struct pair *pair);

/*
 * Topic. Sequences that came in, in their order; no more than `capacity` are kept, since
 * older ones are not in the topic any more. False: no memory.
 */
bool pair_begin_echoes(struct pair *pair, size_t capacity);
void pair_note_echo(struct pair *pair, uint64_t sequence); /* locked */
bool pair_is_echo(struct pair *pair, uint64_t sequence);   /* locks; sequences rise */

/* Latest. Locked. */
struct pair_value {
    int64_t created;   /* when the bucket was made that has `revision` */
    uint64_t revision; /* of the value that is in the channel here, as far as known */
    uint64_t version;  /* in the channel, of the value that came in last; 0: none */
};
struct pair_value *pair_value(struct pair *pair);

#endif
