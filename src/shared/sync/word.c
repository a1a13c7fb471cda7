/*
 * word.c - the single steps on the words of mutex, event and semaphore.
 *
 * A mutex in three states with a mark for sleepers is Drepper's ("Futexes Are Tricky",
 * 2004, mutex 2 and 3); the owner's identity in the word, so that the dead can be told,
 * is the robust futex's idea, with tickets instead of thread ids.
 */
#include "shared/sync/word.h"

#include <limits.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"

uint32_t *
mmf_sync_futex(struct mmf_sync_shared *shared)
{
    uint32_t *halves = (uint32_t *)(void *)&shared->word;
    const uint16_t one = 1;
    uint8_t first_byte;

    memcpy(&first_byte, &one, 1); /* 1: the low half comes first */
    return first_byte == 1 ? halves : halves + 1;
}

static uint64_t
content(uint64_t word)
{
    return word >> 4;
}

static uint64_t
with_content(uint64_t value, uint64_t word)
{
    return value << 4 | (word & MMF_WORD_FLAGS);
}

/*
 * What each kind allows in a given state.
 */

static enum mmf_sync_answer
judge_mutex(const struct mmf_sync *sync, uint64_t word, int ours)
{
    uint64_t owner = content(word);

    if (owner == sync->identity) {
        uint32_t recursion = mmf_load_relaxed_u32(&sync->shared->recursion);

        /* RESERVED is of a wait that waits for us; ABANDONED has no owner. */
        if (word & MMF_WORD_ABANDONED)
            return MMF_SYNC_CORRUPT;
        return recursion >= MMF_RECURSION_MAX - 1 ? MMF_SYNC_TOO_OFTEN : MMF_SYNC_TAKEN;
    }
    if (owner != 0) {
        if (mmf_sync_ticket(owner) == 0 || (word & MMF_WORD_ABANDONED))
            return MMF_SYNC_CORRUPT;
        return MMF_SYNC_NOT_NOW;
    }
    if ((word & MMF_WORD_RESERVED) && !ours)
        return MMF_SYNC_RESERVED;
    return word & MMF_WORD_ABANDONED ? MMF_SYNC_TAKEN_ABANDONED : MMF_SYNC_TAKEN;
}

static enum mmf_sync_answer
judge_event(const struct mmf_sync *sync, uint64_t word, int ours)
{
    if (sync->shared->manual != 0 && sync->shared->manual != 1)
        return MMF_SYNC_CORRUPT;
    if (!(word & MMF_WORD_SIGNALLED))
        return MMF_SYNC_NOT_NOW;
    if ((word & MMF_WORD_RESERVED) && !ours && !sync->shared->manual)
        return MMF_SYNC_RESERVED;
    return MMF_SYNC_TAKEN;
}

static enum mmf_sync_answer
judge_semaphore(const struct mmf_sync *sync, uint64_t word, int ours)
{
    uint64_t count = content(word);

    if ((word & MMF_WORD_SIGNALLED) || sync->shared->maximum < 1 ||
        count > (uint64_t)sync->shared->maximum)
        return MMF_SYNC_CORRUPT;
    if (count == 0)
        return MMF_SYNC_NOT_NOW;
    /* The reserver needs one; what is beyond that others may have. */
    if ((word & MMF_WORD_RESERVED) && !ours && count == 1)
        return MMF_SYNC_RESERVED;
    return MMF_SYNC_TAKEN;
}

static enum mmf_sync_answer
judge(const struct mmf_sync *sync, uint64_t word, int ours)
{
    switch (sync->kind) {
    case MMF_SYNC_MUTEX:
        return judge_mutex(sync, word, ours);
    case MMF_SYNC_EVENT:
        return judge_event(sync, word, ours);
    default:
        return judge_semaphore(sync, word, ours);
    }
}

/* The word after taking. */
static uint64_t
taken(const struct mmf_sync *sync, uint64_t word)
{
    switch (sync->kind) {
    case MMF_SYNC_MUTEX:
        return with_content(sync->identity, word & ~(uint64_t)MMF_WORD_ABANDONED);
    case MMF_SYNC_EVENT:
        return with_content(content(word) + 1, word & ~(uint64_t)MMF_WORD_SIGNALLED);
    default:
        return with_content(content(word) - 1, word);
    }
}

static int
is_taking(enum mmf_sync_answer answer)
{
    return answer == MMF_SYNC_TAKEN || answer == MMF_SYNC_TAKEN_ABANDONED;
}

/* Taking that leaves the word as it is: again by the owner, or a manual event. */
static int
takes_nothing(const struct mmf_sync *sync, uint64_t word)
{
    return sync->kind == MMF_SYNC_MUTEX
               ? content(word) == sync->identity
               : sync->kind == MMF_SYNC_EVENT && sync->shared->manual;
}

static void
note_taken_again(const struct mmf_sync *sync)
{
    uint32_t recursion;

    if (sync->kind != MMF_SYNC_MUTEX)
        return;
    recursion = mmf_load_relaxed_u32(&sync->shared->recursion);
    mmf_store_relaxed_u32(&sync->shared->recursion, recursion + 1);
}

static void
note_taken(const struct mmf_sync *sync)
{
    if (sync->kind == MMF_SYNC_MUTEX)
        mmf_store_relaxed_u32(&sync->shared->recursion, 0);
}

enum mmf_sync_answer
mmf_sync_take(const struct mmf_sync *sync, int slept, int ours)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    for (;;) {
        enum mmf_sync_answer answer = judge(sync, word, ours);
        uint64_t next;

        if (!is_taking(answer))
            return answer;
        if (takes_nothing(sync, word)) {
            note_taken_again(sync);
            return answer;
        }
        next = taken(sync, word);
        if (slept)
            next |= MMF_WORD_WAITERS;
        if (mmf_exchange_if_u64(&sync->shared->word, &word, next)) {
            note_taken(sync);
            return answer;
        }
    }
}

enum mmf_sync_answer
mmf_sync_peek(const struct mmf_sync *sync, int ours, uint64_t *word)
{
    *word = mmf_load_acquire_u64(&sync->shared->word);
    return judge(sync, *word, ours);
}

enum mmf_sync_answer
mmf_sync_announce(const struct mmf_sync *sync, uint32_t *expected)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    for (;;) {
        enum mmf_sync_answer answer = judge(sync, word, 0);

        if (answer != MMF_SYNC_NOT_NOW && answer != MMF_SYNC_RESERVED)
            return answer;
        if ((word & MMF_WORD_WAITERS) ||
            mmf_exchange_if_u64(&sync->shared->word, &word, word | MMF_WORD_WAITERS)) {
            *expected = mmf_sync_low_half(word | MMF_WORD_WAITERS);
            return answer;
        }
    }
}

uint64_t
mmf_sync_owner(const struct mmf_sync *sync)
{
    if (sync->kind != MMF_SYNC_MUTEX)
        return 0;
    return content(mmf_load_acquire_u64(&sync->shared->word));
}

int
mmf_sync_take_from_dead(const struct mmf_sync *sync, uint64_t dead)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    while (content(word) == dead) {
        /* Others may sleep, and nobody has woken them: keep the mark in. */
        uint64_t next = with_content(sync->identity, word | MMF_WORD_WAITERS);

        if (mmf_exchange_if_u64(&sync->shared->word, &word, next)) {
            note_taken(sync);
            return 1;
        }
    }
    return 0;
}

/*
 * Letting through. The word's WAITERS goes out with the change, so that a sleeper's
 * futex no longer has the value it sleeps on. Killed between the exchange and the wake:
 * sleepers look again by themselves (sync_wait.c).
 */

static const struct mmf_sync_alarm nobody;

/* After `word` was changed so that up to `count` may go through. */
static struct mmf_sync_alarm
raise_alarm(uint64_t word, int count)
{
    struct mmf_sync_alarm alarm = {.sleepers = word & MMF_WORD_WAITERS ? count : 0,
                                   .pollers = (word & MMF_WORD_POLLED) != 0};

    return alarm;
}

static int
fail_corrupt(const char *what)
{
    return mmf_fail(MMF_E_CORRUPT,
                    "the %s's shared words make no sense: another program "
                    "has written to them",
                    what);
}

int
mmf_sync_release_mutex(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    uint32_t recursion;
    uint64_t next;

    *alarm = nobody;
    if (content(word) != sync->identity)
        return mmf_fail(MMF_E_NOT_OWNER, "this thread does not own the mutex");
    recursion = mmf_load_relaxed_u32(&sync->shared->recursion);
    if (recursion > MMF_RECURSION_MAX)
        return fail_corrupt("mutex");
    if (recursion > 0) {
        mmf_store_relaxed_u32(&sync->shared->recursion, recursion - 1);
        return MMF_OK;
    }
    do
        next = word & (MMF_WORD_RESERVED | MMF_WORD_POLLED);
    while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    *alarm = raise_alarm(word, 1);
    return MMF_OK;
}

int
mmf_sync_free_from_dead(const struct mmf_sync *sync, uint64_t dead,
                        struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    *alarm = nobody;
    while (content(word) == dead) {
        uint64_t next =
            (word & (MMF_WORD_RESERVED | MMF_WORD_POLLED)) | MMF_WORD_ABANDONED;

        if (mmf_exchange_if_u64(&sync->shared->word, &word, next)) {
            *alarm = raise_alarm(word, 1);
            return 1;
        }
    }
    return 0;
}

void
mmf_sync_abandon_mutex(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm)
{
    mmf_sync_free_from_dead(sync, sync->identity, alarm);
}

int
mmf_sync_set_event(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    uint64_t next;

    *alarm = nobody;
    do {
        if (judge_event(sync, word, 1) == MMF_SYNC_CORRUPT)
            return fail_corrupt("event");
        next = with_content(content(word) + 1,
                            (word & ~(uint64_t)MMF_WORD_WAITERS) | MMF_WORD_SIGNALLED);
    } while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    *alarm = raise_alarm(word, sync->shared->manual ? INT_MAX : 1);
    return MMF_OK;
}

int
mmf_sync_reset_event(const struct mmf_sync *sync)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    uint64_t next;

    do {
        if (judge_event(sync, word, 1) == MMF_SYNC_CORRUPT)
            return fail_corrupt("event");
        next = with_content(content(word) + 1, word & ~(uint64_t)MMF_WORD_SIGNALLED);
    } while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    return MMF_OK;
}

int
mmf_sync_release_semaphore(const struct mmf_sync *sync, int32_t count,
                           int32_t *previous, struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    int32_t maximum = sync->shared->maximum;
    uint64_t next;

    *alarm = nobody;
    do {
        if (judge_semaphore(sync, word, 1) == MMF_SYNC_CORRUPT)
            return fail_corrupt("semaphore");
        if ((uint64_t)count > (uint64_t)maximum - content(word))
            return mmf_fail(
                MMF_E_MAXIMUM,
                "release %d of a semaphore with count %d: its maximum is %d", count,
                (int)content(word), maximum);
        next = with_content(content(word) + (uint64_t)count,
                            word & ~(uint64_t)MMF_WORD_WAITERS);
    } while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    *previous = (int32_t)content(word);
    *alarm = raise_alarm(word, count);
    return MMF_OK;
}

/*
 * Reserving.
 */

void
mmf_sync_mark(const struct mmf_sync *sync)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    while (!(word & MMF_WORD_RESERVED) &&
           !mmf_exchange_if_u64(&sync->shared->word, &word, word | MMF_WORD_RESERVED)) {
    }
}

int
mmf_sync_unmark(const struct mmf_sync *sync, struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    uint64_t next;

    *alarm = nobody;
    do {
        if (!(word & MMF_WORD_RESERVED))
            return 0;
        next = word & ~(uint64_t)(MMF_WORD_RESERVED | MMF_WORD_WAITERS);
    } while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    *alarm = raise_alarm(word, INT_MAX); /* each must look for itself */
    return 1;
}

/*
 * All were marked and could be had at one moment, and that is when they were taken;
 * what came since comes after. So an event that was set or reset since stays as it is:
 * a set is another signal, for somebody else.
 */
enum mmf_sync_answer
mmf_sync_take_marked(const struct mmf_sync *sync, uint64_t seen,
                     struct mmf_sync_alarm *alarm)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);
    enum mmf_sync_answer answer;
    uint64_t next;

    *alarm = nobody;
    do {
        answer = judge(sync, word, 1);
        if (sync->kind == MMF_SYNC_MUTEX && content(word) == sync->identity) {
            mmf_sync_unmark(sync, alarm);
            note_taken_again(sync);
            return MMF_SYNC_TAKEN;
        }
        next = word;
        if (is_taking(answer) && !takes_nothing(sync, word) &&
            (sync->kind != MMF_SYNC_EVENT || content(word) == content(seen)))
            next = taken(sync, word);
        next &= ~(uint64_t)(MMF_WORD_RESERVED | MMF_WORD_WAITERS);
    } while (!mmf_exchange_if_u64(&sync->shared->word, &word, next));
    note_taken(sync);
    *alarm = raise_alarm(word, INT_MAX);
    return answer == MMF_SYNC_TAKEN_ABANDONED ? answer : MMF_SYNC_TAKEN;
}

void
mmf_sync_mark_polled(const struct mmf_sync *sync)
{
    uint64_t word = mmf_load_acquire_u64(&sync->shared->word);

    while (!(word & MMF_WORD_POLLED) &&
           !mmf_exchange_if_u64(&sync->shared->word, &word, word | MMF_WORD_POLLED)) {
    }
}

/*
 * New objects: nobody else sees them yet.
 */

void
mmf_sync_init_mutex(struct mmf_sync_shared *shared, uint64_t owner)
{
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, with_content(owner, 0));
}

void
mmf_sync_init_event(struct mmf_sync_shared *shared, int signalled, int manual)
{
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, signalled ? MMF_WORD_SIGNALLED : 0);
    shared->manual = manual;
}

void
mmf_sync_init_semaphore(struct mmf_sync_shared *shared, int32_t initial,
                        int32_t maximum)
{
    memset(shared, 0, sizeof(*shared));
    mmf_store_relaxed_u64(&shared->word, with_content((uint64_t)initial, 0));
    shared->maximum = maximum;
}
