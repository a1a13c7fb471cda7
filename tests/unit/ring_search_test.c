/*
 * ring_search_test.c - how much one step of shared/ring/ does, at most, beside a process
 * that writes a word before each of its operations: the worst that a hostile one can do, for
 * it does not know when. The sources are built with the atomic operations of the model,
 * which come to model_point.
 */
#include <setjmp.h>

#include "harness/check.h"
#include "ring_support.h"
#include "shared/ring/join.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MANY_SLOTS = 65536 };

/* What the other process does before an operation on `address`; NULL: nothing. */
static void (*write_words)(const volatile void *address);
static uint64_t operations, most, written;
static jmp_buf too_many;

void model_point(const char *operation, const volatile void *address);

void
model_point(const char *operation, const volatile void *address)
{
    (void)operation;
    if (write_words == NULL)
        return;
    write_words(address);
    if (++operations > most)
        longjmp(too_many, 1);
}

/* The step's answer, after so many operations for each slot or fewer. */
static void
check_step(enum mmf_step (*step)(void), void (*writer)(const volatile void *address),
           uint64_t for_each_slot, enum mmf_step expected)
{
    enum mmf_step answer;

    operations = written = 0;
    most = for_each_slot * ring.shape.slots;
    if (setjmp(too_many) != 0) {
        write_words = NULL;
        CHECK_CONTEXT("more than %llu operations", (unsigned long long)most);
        CHECK(operations <= most);
    }
    write_words = writer;
    answer = step();
    write_words = NULL;
    CHECK_INT(answer, expected);
    free_ring();
}

/* The oldest message is always one that has come since it was found. */
static void
write_newer_message(const volatile void *address)
{
    (void)address;
    ring.shared->skipped++;
    set_slot(0, SLOTS * ++written, 1, MMF_SLOT_COMMITTED);
}

static enum mmf_step
take(void)
{
    struct mmf_ring_message message;

    return mmf_ring_take(&ring, &message);
}

static void
newer_messages(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE});
    mmf_ring_be_receiver(&ring, MMF_RECEIVERS_FROM);
    mmf_ring_begin(&ring);
    ring.cursor = 0;
    ring.shared->tail = (uint64_t)1 << 46;
    check_step(take, write_newer_message, 4000, MMF_STEP_WOULD_BLOCK);
}

/* A message was returned, but another consumer has it; and the next one has just come. */
static void
write_returned_and_next(const volatile void *address)
{
    const mmf_atomic_u64 *next = &mmf_ring_slot(&ring, 0)->word;

    ring.shared->return_epoch += MMF_ONE_RETURN;
    if (address != next)
        return;
    written++;
    set_slot(0, written % 3 == 2 ? FIRST - SLOTS : FIRST, 1, MMF_SLOT_RESERVED);
}

static void
returned_messages(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE});
    mmf_ring_be_receiver(&ring, MMF_RECEIVERS_FROM);
    mmf_ring_begin(&ring);
    ring.cursor = FIRST;
    ring.shared->tail = 2 * FIRST;
    check_step(take, write_returned_and_next, 4000, MMF_STEP_WOULD_BLOCK);
}

static void
write_nothing(const volatile void *address)
{
    (void)address;
}

static void
write_pin(const volatile void *address)
{
    (void)address;
    ring.pins[0]++;
}

static enum mmf_step
reserve(void)
{
    uint8_t *bytes;

    return mmf_ring_reserve(&ring, 8, &bytes);
}

/* All slots are owned, and at no moment all have been so. */
static void
pins(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){
        .kind = MMF_KIND_TOPIC, .overflow = MMF_OVERFLOW_DROP_OLDEST, .max_pins = 1});
    for (uint64_t i = 0; i < SLOTS; i++)
        set_slot(i, FIRST - SLOTS + i, 1, MMF_SLOT_RESERVED);
    check_step(reserve, write_pin, 4000, MMF_STEP_WOULD_BLOCK);
}

/* A pin for each receiver, from this index on. */
static void
set_pins(uint64_t index)
{
    for (uint64_t i = 0; i < ring.shape.max_pins; i++)
        ring.pins[i] =
            (index + i) << MMF_INDEX_SHIFT | (i + 1) << MMF_SLOT_PARTICIPANT_SHIFT;
}

/* As many as there can be, of the slots that a writer comes to first: it reads all pins
 * for 64 slots at a time. */
static void
pins_in_a_row(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_LATEST,
                                      .max_pins = MMF_PARTICIPANTS_MAX,
                                      .slots = 2 * MMF_PARTICIPANTS_MAX});
    for (uint64_t i = 0; i < ring.shape.slots; i++)
        set_slot(i, FIRST - ring.shape.slots + i, 1, MMF_SLOT_COMMITTED);
    set_pins(FIRST);
    check_step(reserve, write_nothing, 32, MMF_STEP_DONE);
}

static void
pin(uint32_t i, uint64_t index)
{
    ring.pins[i] = index << MMF_INDEX_SHIFT | 1 << MMF_SLOT_PARTICIPANT_SHIFT;
}

/* The pins as the writer has read them last say that the only free slot is pinned. */
static void
a_pin_that_was_freed(void **state)
{
    (void)state;
    make_ring(
        (struct mmf_ring_shape){.kind = MMF_KIND_LATEST, .max_pins = 2, .slots = 4});
    for (int i = 0; i < 4; i++) {
        CHECK_INT(reserve(), MMF_STEP_DONE);
        mmf_ring_commit(&ring, 8);
        pin(0, FIRST);
    }
    pin(0, FIRST + 1);
    pin(1, FIRST + 2);
    check_step(reserve, write_nothing, 32, MMF_STEP_DONE);
}

/* Each slot that is read is found pinned, by the last pin. */
static void
write_last_pin(const volatile void *address)
{
    static uint64_t slot;
    uint64_t at = (uint64_t)((const volatile uint8_t *)address - ring.slots);

    if (at < SLOTS * ring.shape.stride)
        slot = at / ring.shape.stride;
    else if (address == &ring.pins[ring.shape.max_pins - 1])
        ring.pins[ring.shape.max_pins - 1] = slot << MMF_INDEX_SHIFT |
                                             1 << MMF_SLOT_PARTICIPANT_SHIFT |
                                             (++written & 31);
}

static void
many_pins(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_TOPIC,
                                      .overflow = MMF_OVERFLOW_DROP_OLDEST,
                                      .max_pins = MMF_PARTICIPANTS_MAX});
    check_step(reserve, write_last_pin, 4000, MMF_STEP_WOULD_BLOCK);
}

static int
is_alive(void *context, uint64_t ticket)
{
    (void)context;
    (void)ticket;
    return 0;
}

static void
write_version(const volatile void *address)
{
    (void)address;
    ring.shared->sources[0].version++;
}

/* Always another one, and it has gone. */
static void
write_owner(const volatile void *address)
{
    (void)address;
    ring.shared->sources[0].owner++;
}

/* Whenever it is asked for it is another one, which has died with a slot. */
static void
write_dead_owner(const volatile void *address)
{
    if (address != &ring.shared->sources[0].owner)
        return;
    ring.shared->sources[0].owner = (100 + ++written) << MMF_IDENTITY_HANDLE_BITS;
    ring.senders[1].identity = ring.shared->sources[0].owner;
    ring.senders[1].held = 1;
}

static enum mmf_step
own_source(void)
{
    const struct mmf_ring_ops ops = {.is_alive = is_alive};
    struct mmf_ring_source source;

    return mmf_ring_own_source(&ring, 7, &ops, &source);
}

static void
a_source(void **state)
{
    void (*const writers[])(const volatile void *) = {write_version, write_owner,
                                                      write_dead_owner};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        CHECK_CONTEXT("writer %d", (int)i);
        make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE});
        CHECK_INT(reserve(), MMF_STEP_DONE);
        ring.shared->sources[0].source = 7;
        ring.shared->sources[0].owner = 8;
        check_step(own_source, writers[i], 32, MMF_STEP_CORRUPT);
    }
}

/*
 * The dead, as many as there can be, who own all slots, or have all pins. They cost a
 * search for each 64 of them.
 */

/* All but the test's own, and each has a slot. */
static void
let_all_die(void)
{
    for (uint32_t i = 0; i < ring.shape.max_senders; i++) {
        ring.senders[i].identity = (uint64_t)(i + 2) << MMF_IDENTITY_HANDLE_BITS;
        ring.senders[i].held = 1;
    }
    for (uint32_t i = 0; i < ring.shape.max_receivers; i++) {
        ring.receivers[i].identity = (uint64_t)(i + 2) << MMF_IDENTITY_HANDLE_BITS;
        ring.receivers[i].held = 1;
    }
    ring.senders[0].identity = ring.identity;
    ring.senders[0].held = 0;
}

static enum mmf_step
recover(void)
{
    const struct mmf_ring_ops ops = {.is_alive = is_alive};
    const struct mmf_ring_wait wait = {
        .ring = &ring, .ops = &ops, .sending = true, .may_write_slots = true};

    mmf_ring_recover_dead(&wait);
    write_words = NULL;
    for (uint64_t i = 0; i < ring.shape.slots; i++)
        CHECK(!mmf_word_is_owned(mmf_ring_word(&ring, i)));
    for (uint32_t i = 0; i < ring.shape.max_senders; i++)
        CHECK_INT(ring.senders[i].identity, i == 0 ? ring.identity : 0);
    for (uint32_t i = 0; i < ring.shape.max_receivers; i++)
        CHECK_INT(ring.receivers[i].identity, 0);
    CHECK_INT(mmf_ring_count_pins(&ring), 0);
    return MMF_STEP_DONE;
}

static void
make_queue_of_the_dead(void)
{
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_QUEUE,
                                      .max_senders = MMF_PARTICIPANTS_MAX,
                                      .max_receivers = 1000, /* no multiple of 64 */
                                      .slots = MANY_SLOTS});
    let_all_die();
    for (uint32_t i = 0; i < MANY_SLOTS; i++)
        set_slot(i, FIRST - MANY_SLOTS + i, i % 2 * MMF_RECEIVERS_FROM + 1 + i % 999,
                 i % 2 == 0 ? MMF_SLOT_RESERVED : MMF_SLOT_TAKEN);
}

static void
the_dead_of_a_queue(void **state)
{
    (void)state;
    make_queue_of_the_dead();
    check_step(recover, write_nothing, 64, MMF_STEP_DONE);
}

static enum mmf_step
join(void)
{
    const struct mmf_ring_ops ops = {.is_alive = is_alive};

    return mmf_ring_join_sender(&ring, &ops);
}

static enum mmf_step
join_often(void)
{
    enum mmf_step step = MMF_STEP_DONE;

    for (uint32_t i = 1; i < ring.shape.max_senders && step == MMF_STEP_DONE; i++)
        step = join();
    return step;
}

/* One sender after the other takes the place of a dead one. */
static void
successors_of_the_dead(void **state)
{
    (void)state;
    make_queue_of_the_dead();
    check_step(join_often, write_nothing, 64, MMF_STEP_DONE);
}

/* Each entry that is freed is at once another dead one's. */
static void
write_dead_sender(const volatile void *address)
{
    for (uint32_t i = 0; i < ring.shape.max_senders; i++) {
        if (address == &ring.senders[i].identity && ring.senders[i].identity == 0) {
            ring.senders[i].identity = (2000 + ++written) << MMF_IDENTITY_HANDLE_BITS;
            ring.senders[i].held = 1;
        }
    }
}

static void
the_dead_come_again(void **state)
{
    (void)state;
    make_queue_of_the_dead();
    check_step(join, write_dead_sender, 64, MMF_STEP_WOULD_BLOCK);
}

static void
the_dead_of_a_latest_value(void **state)
{
    (void)state;
    make_ring((struct mmf_ring_shape){.kind = MMF_KIND_LATEST,
                                      .max_senders = MMF_PARTICIPANTS_MAX,
                                      .max_receivers = MMF_PARTICIPANTS_MAX,
                                      .max_pins = MMF_PARTICIPANTS_MAX});
    let_all_die();
    set_pins(FIRST - SLOTS);
    check_step(recover, write_nothing, 64, MMF_STEP_DONE);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_messages),
        cmocka_unit_test(returned_messages),
        cmocka_unit_test(pins),
        cmocka_unit_test(pins_in_a_row),
        cmocka_unit_test(a_pin_that_was_freed),
        cmocka_unit_test(many_pins),
        cmocka_unit_test(a_source),
        cmocka_unit_test(the_dead_of_a_queue),
        cmocka_unit_test(successors_of_the_dead),
        cmocka_unit_test(the_dead_come_again),
        cmocka_unit_test(the_dead_of_a_latest_value),
    };

    return harness_main(argc, argv, "unit_ring_search", tests, COUNT_OF(tests), NULL);
}
