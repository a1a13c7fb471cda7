/*
 * atomic.h - the one door to atomic operations; the ordering is in the name.
 *
 * A test build can put its own operations behind these names, to make every one of
 * them a point where schedules switch.
 */
#ifndef MMF_BASE_ATOMIC_H
#define MMF_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint32_t mmf_atomic_u32;
typedef _Atomic uint64_t mmf_atomic_u64;

static inline uint32_t
mmf_load_relaxed_u32(const mmf_atomic_u32 *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void
mmf_store_relaxed_u32(mmf_atomic_u32 *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline uint32_t
mmf_load_acquire_u32(const mmf_atomic_u32 *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void
mmf_store_release_u32(mmf_atomic_u32 *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static inline uint32_t
mmf_add_relaxed_u32(mmf_atomic_u32 *word, uint32_t value)
{
    return atomic_fetch_add_explicit(word, value, memory_order_relaxed);
}

#endif
