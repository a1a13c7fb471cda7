/*
 * channel.h - one interface for everything that carries messages between two processes, so
 * that one driver measures all of them.
 *
 * A message is a row of 64-bit words. The sender writes every one of them, the receiver
 * reads every one: where a peer has zero copy, in place; else in a private buffer
 * that the peer copies from or to.
 */
#ifndef MMF_BENCH_CHANNELS_CHANNEL_H
#define MMF_BENCH_CHANNELS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the two processes wait for each other. */
enum channel_mode { CHANNEL_SPIN, CHANNEL_SPIN_THEN_WAIT, CHANNEL_WAIT };

/* The two processes. A sends the stream; in a round trip A asks and B replies. */
enum channel_side { SIDE_A, SIDE_B };

/* One measurement, for both processes and their parent. */
struct channel_job {
    size_t size;  /* of every message, in bytes; a multiple of 8 */
    size_t slots; /* messages in flight at most */
    enum channel_mode mode;
    char name[64]; /* unique; a file name without slashes */
    void *shared;  /* zeroed memory that both inherit, as large as the peer asks for */
    int pipes[2][2];
};

/* What arrives. Without a stream of all messages there are round trips only. */
enum channel_load { CHANNEL_LOAD_ALL, CHANNEL_LOAD_NEWEST, CHANNEL_LOAD_SIGNAL };

struct channel_peer {
    const char *name;
    size_t largest; /* of a message; 0: no limit */
    enum channel_load load;
    /* How much of `job->shared` it needs; NULL: nothing. */
    size_t (*share)(const struct channel_job *job);
    /* A service that must run meanwhile, such as a daemon; -1: it cannot. May be NULL.
     */
    int (*start)(void);
    void (*stop)(void);
    /* In the parent, before and after. May be NULL. -1 and a line on standard error. */
    int (*prepare)(struct channel_job *job);
    void (*clean)(struct channel_job *job);
    /* In each of the two; it never returns NULL but ends the process. */
    void *(*open)(struct channel_job *job, enum channel_side side);
    /* Send a message filled from `seed`; receive one, and return its sum. */
    void (*send)(void *end, uint64_t seed);
    uint64_t (*receive)(void *end);
    void (*close)(void *end); /* may be NULL */
};

/* Print to standard error and end this process. */
void channel_die(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Memory of this process, or the end of it. */
void *channel_memory(size_t size);

/*
 * Payloads. What is long goes to a function that uses the machine's wide registers.
 */

/* Words at any address. */
typedef uint64_t __attribute__((aligned(1), may_alias)) channel_word;

void channel_fill_long(channel_word *words, size_t count, uint64_t seed);
uint64_t channel_sum_long(const channel_word *words, size_t count);

static inline void
channel_fill(void *bytes, size_t size, uint64_t seed)
{
    channel_word *words = (channel_word *)bytes;

    if (size > 64) {
        channel_fill_long(words, size / 8, seed);
        return;
    }
    for (size_t i = 0; i < size / 8; i++)
        words[i] = seed + i;
}

static inline uint64_t
channel_sum(const void *bytes, size_t size)
{
    const channel_word *words = (const channel_word *)bytes;
    uint64_t sum = 0;

    if (size > 64)
        return channel_sum_long(words, size / 8);
    for (size_t i = 0; i < size / 8; i++)
        sum += words[i];
    return sum;
}

/* The sum of what was filled from `seed`. */
static inline uint64_t
channel_expected(size_t size, uint64_t seed)
{
    uint64_t count = size / 8;

    return count * seed + count * (count - 1) / 2;
}

static inline void
channel_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#ifdef __cplusplus
}
#endif

#endif
