/*
 * atomic.h - stands in front of src/base/atomic.h when the model is built: the same
 * names, and every operation is a point where another thread may go on.
 *
 * Sequential consistency: one operation after the other, whatever the order in its
 * name.
 */
#ifndef MMF_BASE_ATOMIC_H
#define MMF_BASE_ATOMIC_H

#include <stdint.h>

typedef uint32_t mmf_atomic_u32;
typedef uint64_t mmf_atomic_u64;

/* Let others go on; then what is about to be done is done. In explore.c. */
void model_point(const char *operation, const volatile void *address);

static inline uint32_t
mmf_load_relaxed_u32(const mmf_atomic_u32 *word)
{
    model_point("load", word);
    return *word;
}

static inline void
mmf_store_relaxed_u32(mmf_atomic_u32 *word, uint32_t value)
{
    model_point("store", word);
    *word = value;
}

static inline uint32_t
mmf_load_acquire_u32(const mmf_atomic_u32 *word)
{
    model_point("load", word);
    return *word;
}

static inline void
mmf_store_release_u32(mmf_atomic_u32 *word, uint32_t value)
{
    model_point("store", word);
    *word = value;
}

static inline uint32_t
mmf_add_relaxed_u32(mmf_atomic_u32 *word, uint32_t value)
{
    uint32_t before;

    model_point("add", word);
    before = *word;
    *word = before + value;
    return before;
}

static inline uint32_t
mmf_add_release_u32(mmf_atomic_u32 *word, uint32_t value)
{
    return mmf_add_relaxed_u32(word, value);
}

static inline uint64_t
mmf_load_relaxed_u64(const mmf_atomic_u64 *word)
{
    model_point("load", word);
    return *word;
}

static inline void
mmf_store_relaxed_u64(mmf_atomic_u64 *word, uint64_t value)
{
    model_point("store", word);
    *word = value;
}

static inline uint64_t
mmf_load_acquire_u64(const mmf_atomic_u64 *word)
{
    model_point("load", word);
    return *word;
}

static inline void
mmf_store_release_u64(mmf_atomic_u64 *word, uint64_t value)
{
    model_point("store", word);
    *word = value;
}

static inline uint64_t
mmf_add_relaxed_u64(mmf_atomic_u64 *word, uint64_t value)
{
    uint64_t before;

    model_point("add", word);
    before = *word;
    *word = before + value;
    return before;
}

static inline uint64_t
mmf_add_release_u64(mmf_atomic_u64 *word, uint64_t value)
{
    return mmf_add_relaxed_u64(word, value);
}

/* Guarded by another word, whose steps are points. */
static inline uint64_t
mmf_load_guarded_u64(const mmf_atomic_u64 *word)
{
    return *word;
}

static inline void
mmf_store_guarded_u64(mmf_atomic_u64 *word, uint64_t value)
{
    *word = value;
}

static inline void
mmf_fence_release(void)
{
}

static inline void
mmf_fence_acquire(void)
{
}

static inline void
mmf_fence_full(void)
{
}

static inline void
mmf_pause_often(int times)
{
    (void)times;
}

/* Lines are not in the model. */
static inline void
mmf_prefetch_to_write(const void *address)
{
    (void)address;
}

static inline void
mmf_prefetch_to_read(const void *address)
{
    (void)address;
}

static inline void
mmf_pause(void)
{
}

static inline int
mmf_exchange_if_u64(mmf_atomic_u64 *word, uint64_t *expected, uint64_t desired)
{
    model_point("exchange", word);
    if (*word == *expected) {
        *word = desired;
        return 1;
    }
    *expected = *word;
    return 0;
}

static inline int
mmf_exchange_if_ordered_u64(mmf_atomic_u64 *word, uint64_t *expected, uint64_t desired)
{
    return mmf_exchange_if_u64(word, expected, desired);
}

static inline uint64_t
mmf_load_ordered_u64(const mmf_atomic_u64 *word)
{
    return mmf_load_acquire_u64(word);
}

static inline int
mmf_exchange_if_u32(mmf_atomic_u32 *word, uint32_t *expected, uint32_t desired)
{
    model_point("exchange", word);
    if (*word == *expected) {
        *word = desired;
        return 1;
    }
    *expected = *word;
    return 0;
}

#endif
