/*
 * source.h - committing messages of a source with their positions.
 */
#ifndef MMF_SHARED_RING_SOURCE_H
#define MMF_SHARED_RING_SOURCE_H

#include "shared/ring/wait.h"

/* A source as a sender has found it. */
struct mmf_ring_source {
    struct mmf_source_shared *entry; /* NULL: there is no place for another one */
    uint64_t applied;                /* its last position; 0: none */
    uint64_t last;                   /* the index of its message */
    uint64_t pid;                    /* of the other handle that commits for it */
};

/*
 * Become the one that commits for `source`, or find that the handle is. WOULD_BLOCK: all
 * entries are other sources', or another living handle commits for it. AGAIN: what is
 * reserved comes before its last message, which the owner before had reserved later.
 */
enum mmf_step mmf_ring_own_source(struct mmf_ring *ring, uint64_t source,
                                  const struct mmf_ring_ops *ops,
                                  struct mmf_ring_source *out);

/* Commit the reservation as its message `position`, which is above what is applied. */
void mmf_ring_commit_from(struct mmf_ring *ring, uint64_t length,
                          const struct mmf_ring_source *source, uint64_t position);

/* The last position of `source`, after settling what a dead sender has begun. */
enum mmf_step mmf_ring_applied(struct mmf_ring *ring, uint64_t source,
                               const struct mmf_ring_ops *ops, uint64_t *position);

/*
 * For recovery. `word` is that of a slot reserved by a dead sender, which had decided to
 * commit it.
 */
bool mmf_ring_is_decided(const struct mmf_ring *ring, uint64_t word);

/* SPSC: commit what the dead producer of this identity had decided to commit. */
void mmf_ring_spsc_commit_decided(const struct mmf_ring *ring, uint64_t identity);

#endif
