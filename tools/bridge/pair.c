/* pair.c - what the two directions of one channel know of each other. */
#include "pair.h"

#include <pthread.h>
#include <stdlib.h>

struct pair {
    pthread_mutex_t mutex;
    bool goes_both_ways;
    uint64_t *echoes; /* a ring */
    size_t capacity, first, count;
    struct pair_value value;
};

struct pair *
pair_create(bool goes_both_ways)
{
    struct pair *pair = calloc(1, sizeof *pair);

    if (pair == NULL)
        return NULL;
    (void)pthread_mutex_init(&pair->mutex, NULL);
    pair->goes_both_ways = goes_both_ways;
    return pair;
}

void
pair_free(struct pair *pair)
{
    if (pair == NULL)
        return;
    (void)pthread_mutex_destroy(&pair->mutex);
    free(pair->echoes);
    free(pair);
}

void
pair_lock(struct pair *pair)
{
    (void)pthread_mutex_lock(&pair->mutex);
}

void
pair_unlock(struct pair *pair)
{
    (void)pthread_mutex_unlock(&pair->mutex);
}

bool
pair_begin_echoes(struct pair *pair, size_t capacity)
{
    bool has_memory = true;

    if (!pair->goes_both_ways)
        return true;
    pair_lock(pair);
    free(pair->echoes);
    pair->echoes = calloc(capacity, sizeof *pair->echoes);
    pair->capacity = capacity;
    pair->first = pair->count = 0;
    has_memory = pair->echoes != NULL;
    pair_unlock(pair);
    return has_memory;
}

void
pair_note_echo(struct pair *pair, uint64_t sequence)
{
    if (!pair->goes_both_ways || pair->echoes == NULL)
        return;
    if (pair->count == pair->capacity) {
        pair->first = (pair->first + 1) % pair->capacity;
        pair->count--;
    }
    pair->echoes[(pair->first + pair->count++) % pair->capacity] = sequence;
}

bool
pair_is_echo(struct pair *pair, uint64_t sequence)
{
    bool is_echo = false;

    if (!pair->goes_both_ways)
        return false;
    pair_lock(pair);
    while (pair->count > 0 && pair->echoes[pair->first] <= sequence) {
        is_echo = pair->echoes[pair->first] == sequence;
        pair->first = (pair->first + 1) % pair->capacity;
        pair->count--;
    }
    pair_unlock(pair);
    return is_echo;
}

struct pair_value *
pair_value(struct pair *pair)
{
    return &pair->value;
}
