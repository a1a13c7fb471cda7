/*
 * bench.h - what `mmf bench` compares: pairs of the same thing, done by mmf and by the
 * system's own means. bench_pairs.c has mmf's half, the system the raw one.
 */
#ifndef MMF_TOOL_BENCH_H
#define MMF_TOOL_BENCH_H

#include <stdint.h>

#include <mmf/mmf.h>

enum { BENCH_BLOCK = 1 << 20, BENCH_MESSAGE = 64 };

enum bench_what {
    BENCH_VALUES,
    BENCH_BLOCKS,
    BENCH_MUTEX,
    BENCH_EVENT,
    BENCH_ROUND_TRIP,
    BENCH_OPEN,
    BENCH_CREATE,
    BENCH_QUEUE,
    BENCH_TOPIC,
    BENCH_LATEST,
    BENCH_PAIRS
};

struct bench_pair {
    const char *name;
    void (*run)(int64_t count);
    int64_t bytes; /* moved by each: then it is a rate */
};

struct bench_raw {
    const char *name;
    void (*run)(int64_t count);
};

extern const struct bench_pair bench_pairs[BENCH_PAIRS];
extern const struct bench_raw bench_raws[BENCH_PAIRS];

/* What both halves work on; the name is the map's, and the others' begin with it. */
extern struct bench_stage {
    char name[64];
    mmf_map *map;
    unsigned char *bytes; /* of the map, BENCH_BLOCK of them */
    unsigned char *block; /* as many, of this process alone */
} bench_stage;

/* Does not return if this process is the partner of the round trips. */
void bench_be_partner(void);

/* Make mmf's objects; then the raw ones, and start the partner. */
void bench_begin(void);
void bench_raw_begin(void);

/* The same in reverse. */
void bench_raw_end(void);
void bench_end(void);

/* The partner: reply to the events of the bench of that name, forever. */
_Noreturn void bench_answer(const char *name);

#endif
