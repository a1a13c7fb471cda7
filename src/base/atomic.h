/*
 * atomic.h - all atomic operations; the ordering is in the name.
 *
 * A test build can put its own operations behind these names, to make every one of
 * them a point where schedules switch.
 */
#ifndef MMF_BASE_ATOMIC_H
#define MMF_BASE_ATOMIC_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/*
 * Without a lock: where 64-bit atomics come from libatomic (i486, ARMv5, MIPS32), its
 * locks are those of one process, and other processes go past them.
 */
static_assert(ATOMIC_INT_LOCK_FREE == 2, "shared words need lock-free atomics");
/* Clang says "sometimes" of i386, where its instruction is there all the same. */
#if !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_8)
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared words need lock-free atomics");
#endif

typedef _Atomic uint32_t mmf_atomic_u32;
typedef _Atomic uint64_t mmf_atomic_u64;
typedef _Atomic(void *) mmf_atomic_pointer;

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

static inline uint32_t
mmf_add_release_u32(mmf_atomic_u32 *word, uint32_t value)
{
    return atomic_fetch_add_explicit(word, value, memory_order_release);
}

static inline uint64_t
mmf_load_relaxed_u64(const mmf_atomic_u64 *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void
mmf_store_relaxed_u64(mmf_atomic_u64 *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline uint64_t
mmf_load_acquire_u64(const mmf_atomic_u64 *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void
mmf_store_release_u64(mmf_atomic_u64 *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static inline uint64_t
mmf_add_relaxed_u64(mmf_atomic_u64 *word, uint64_t value)
{
    return atomic_fetch_add_explicit(word, value, memory_order_relaxed);
}

/*
 * Of a field that only one thread touches until it releases another word, and that others
 * read when they have acquired that: what they read is of no use if the word has changed.
 */
static inline uint64_t
mmf_load_guarded_u64(const mmf_atomic_u64 *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void
mmf_store_guarded_u64(mmf_atomic_u64 *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline void *
mmf_load_acquire_pointer(const mmf_atomic_pointer *pointer)
{
    return atomic_load_explicit(pointer, memory_order_acquire);
}

static inline void
mmf_store_release_pointer(mmf_atomic_pointer *pointer, void *value)
{
    atomic_store_explicit(pointer, value, memory_order_release);
}

/*
 * If the word is `*expected`, make it `desired`; else put what it is into `*expected`.
 * Acquire and release when it succeeds, acquire when it does not.
 */
static inline int
mmf_exchange_if_u64(mmf_atomic_u64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        word, expected, desired, memory_order_acq_rel, memory_order_acquire);
}

/*
 * The same, and a load, in the one order of all such operations: a process that changes
 * one word and then loads another, and one that does it the other way round, do not both
 * load what was there before.
 */
static inline int
mmf_exchange_if_ordered_u64(mmf_atomic_u64 *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        word, expected, desired, memory_order_seq_cst, memory_order_acquire);
}

static inline uint64_t
mmf_load_ordered_u64(const mmf_atomic_u64 *word)
{
    return atomic_load_explicit(word, memory_order_seq_cst);
}

/* The same, for a pointer. */
static inline int
mmf_exchange_if_pointer(mmf_atomic_pointer *pointer, void **expected, void *desired)
{
    return atomic_compare_exchange_strong_explicit(
        pointer, expected, desired, memory_order_acq_rel, memory_order_acquire);
}

/* The same, for 32 bits. */
static inline int
mmf_exchange_if_u32(mmf_atomic_u32 *word, uint32_t *expected, uint32_t desired)
{
    return atomic_compare_exchange_strong_explicit(
        word, expected, desired, memory_order_acq_rel, memory_order_acquire);
}

static inline uint64_t
mmf_add_release_u64(mmf_atomic_u64 *word, uint64_t value)
{
    return atomic_fetch_add_explicit(word, value, memory_order_release);
}

#if defined(__SANITIZE_THREAD__)
#define MMF_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MMF_THREAD_SANITIZER 1
#endif
#endif

/* The thread sanitizer knows no fences; an exchange orders all that they order. */
#ifdef MMF_THREAD_SANITIZER
static inline void
mmf_fence(memory_order order)
{
    static mmf_atomic_u32 nothing;

    (void)order;
    atomic_fetch_add_explicit(&nothing, 0, memory_order_seq_cst);
}
#else
static inline void
mmf_fence(memory_order order)
{
    atomic_thread_fence(order);
}
#endif

/* What comes before stays before every later store. */
static inline void
mmf_fence_release(void)
{
    mmf_fence(memory_order_release);
}

/* Every earlier load stays before what comes after. */
static inline void
mmf_fence_acquire(void)
{
    mmf_fence(memory_order_acquire);
}

/* Nothing passes, not even a later load an earlier store. */
static inline void
mmf_fence_full(void)
{
    mmf_fence(memory_order_seq_cst);
}

/*
 * Copy what another participant may be writing. The caller finds out afterwards, and
 * then does not use the copy.
 */
#ifdef MMF_THREAD_SANITIZER
__attribute__((no_sanitize("thread"), noinline, unused)) static void
mmf_copy_changing(void *to, const void *from, size_t size)
{
    volatile unsigned char *byte = (volatile unsigned char *)to;

    for (size_t i = 0; i < size; i++)
        byte[i] = ((const volatile unsigned char *)from)[i];
}
#else
static inline void
mmf_copy_changing(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}
#endif

/* Up to so much is copied without a call, which would cost more than the copy. */
#define MMF_COPY_SHORT 64

#ifdef MMF_THREAD_SANITIZER
#define mmf_copy_short_changing mmf_copy_changing
#else
/* The first and the last `part` bytes, which may be the same ones. */
static inline void
mmf_copy_ends(void *to, const void *from, size_t size, size_t part)
{
    memcpy(to, from, part);
    memcpy((char *)to + (size - part), (const char *)from + (size - part), part);
}

static inline void
mmf_copy_short_changing(void *to, const void *from, size_t size)
{
    if (size >= 32)
        mmf_copy_ends(to, from, size, 32);
    else if (size >= 16)
        mmf_copy_ends(to, from, size, 16);
    else if (size >= 8)
        mmf_copy_ends(to, from, size, 8);
    else if (size >= 4)
        mmf_copy_ends(to, from, size, 4);
    else if (size >= 2)
        mmf_copy_ends(to, from, size, 2);
    else if (size == 1)
        memcpy(to, from, 1);
}
#endif

/*
 * The line at `address` will be written, or read, soon: bring it here meanwhile.
 * Nothing comes of it if there is no such address.
 */
static inline void
mmf_prefetch_to_write(const void *address)
{
#if defined(__x86_64__)
    /* The compiler knows it only for processors that are said to have it; the others
     * take it for one that does nothing. */
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
    __builtin_prefetch(address, 1);
#endif
}

static inline void
mmf_prefetch_to_read(const void *address)
{
    __builtin_prefetch(address);
}

/* In a loop that waits for another core. */
static inline void
mmf_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static inline void
mmf_pause_often(int times)
{
    for (int i = 0; i < times; i++)
        mmf_pause();
}

#endif
