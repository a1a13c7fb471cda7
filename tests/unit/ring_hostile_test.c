/*
 * ring_hostile_test.c - shared/ring/ beside a process that keeps writing one of its words:
 * each step ends, whatever it finds. The slots are such that the step would succeed if the
 * other did not write. And beside words that are damaged.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "harness/check.h"
#include "ring_support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MOST_MS = 20000 };

static atomic_int is_over;

static void *
write_the_tail(void *argument)
{
    (void)argument;
    while (!atomic_load(&is_over))
        mmf_store_relaxed_u64(&ring.shared->tail, FIRST);
    return NULL;
}

/* All slots but the last are owned: a sender goes past them, and is put back. */
static void
only_the_last_is_free(void)
{
    for (uint64_t i = 0; i < SLOTS; i++)
        set_slot(i, FIRST - SLOTS + i, MMF_RECEIVERS_FROM,
                 i == SLOTS - 1                      ? MMF_SLOT_RELEASED
                 : ring.shape.kind == MMF_KIND_QUEUE ? MMF_SLOT_TAKEN
                                                     : MMF_SLOT_RESERVED);
}

/* A timer ends the other's writing, so that a loop without a bound shows as its time. */
static void *
end_it_all(void *argument)
{
    int64_t end = now_ms() + MOST_MS;

    (void)argument;
    while (!atomic_load(&is_over) && now_ms() < end)
        nap_us(10000);
    atomic_store(&is_over, 1);
    return NULL;
}

static void
reserve_beside_a_writer(mmf_kind kind, mmf_overflow overflow)
{
    pthread_t writer, timer;
    uint8_t *bytes;
    int was_over;

    CHECK_CONTEXT("kind %d, overflow %d", (int)kind, (int)overflow);
    make_ring((struct mmf_ring_shape){.kind = kind, .overflow = overflow});
    only_the_last_is_free();
    atomic_store(&is_over, 0);
    CHECK_INT(pthread_create(&writer, NULL, write_the_tail, NULL), 0);
    CHECK_INT(pthread_create(&timer, NULL, end_it_all, NULL), 0);
    for (int i = 0; i < 20; i++) {
        if (mmf_ring_reserve(&ring, 8, &bytes) == MMF_STEP_DONE)
            mmf_ring_abandon(&ring); /* it was quicker this time */
        only_the_last_is_free();
    }
    was_over = atomic_exchange(&is_over, 1);
    CHECK_INT(pthread_join(writer, NULL), 0);
    CHECK_INT(pthread_join(timer, NULL), 0);
    CHECK_INT(was_over, 0);
    free_ring();
}

static void
a_tail_that_is_written_all_the_time(void **state)
{
    (void)state;
    reserve_beside_a_writer(MMF_KIND_QUEUE, MMF_OVERFLOW_BLOCK);
    reserve_beside_a_writer(MMF_KIND_QUEUE, MMF_OVERFLOW_DROP_OLDEST);
    reserve_beside_a_writer(MMF_KIND_TOPIC, MMF_OVERFLOW_DROP_OLDEST);
}

/* What a search has found is not ahead of a tail that is on the far side of all indexes. */
static void
a_tail_far_from_what_was_found(void **state)
{
    uint64_t far = (MMF_INDEX_MASK + 1) / 2 + 16 * SLOTS;

    (void)state;
    for (uint64_t slots = 1; slots <= 4; slots *= 4) {
        uint8_t *bytes;

        CHECK_CONTEXT("%d slots", (int)slots);
        make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE, .slots = slots});
        ring.free_at = 0;
        mmf_store_relaxed_u64(&ring.shared->tail, far);
        for (uint64_t i = 0; i < slots; i++)
            set_slot(i, far - slots + i, MMF_RECEIVERS_FROM, MMF_SLOT_TAKEN);
        CHECK_INT(mmf_ring_reserve(&ring, 8, &bytes), MMF_STEP_WOULD_BLOCK);
        CHECK_INT(mmf_load_relaxed_u64(&ring.shared->skipped), 0);
        free_ring();
    }
}

/*
 * Each time that the owner of a source is found dead, it is another one.
 */

static int deaths;

static void
write_the_owner(void)
{
    uint64_t identity = (uint64_t)(2 + deaths) << MMF_IDENTITY_HANDLE_BITS;

    mmf_store_relaxed_u64(&ring.senders[1].identity, identity);
    mmf_store_relaxed_u64(&ring.shared->sources[0].owner, identity);
}

static int
is_alive(void *context, uint64_t ticket)
{
    (void)context;
    (void)ticket;
    CHECK(++deaths <= 1000);
    write_the_owner();
    return 0;
}

static void
an_owner_that_is_written_all_the_time(void **state)
{
    const struct mmf_ring_ops ops = {.is_alive = is_alive};
    struct mmf_ring_source source;
    uint8_t *bytes;

    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE});
    mmf_store_relaxed_u64(&ring.shared->sources[0].source, 7);
    write_the_owner();
    CHECK_INT(mmf_ring_reserve(&ring, 8, &bytes), MMF_STEP_DONE);
    CHECK_INT(mmf_ring_own_source(&ring, 7, &ops, &source), MMF_STEP_CORRUPT);
    CHECK(deaths > 0);
    mmf_ring_abandon(&ring);
    free_ring();
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tail_that_is_written_all_the_time),
        cmocka_unit_test(a_tail_far_from_what_was_found),
        cmocka_unit_test(an_owner_that_is_written_all_the_time),
    };

    return harness_main(argc, argv, "unit_ring_hostile", tests, COUNT_OF(tests), NULL);
}
