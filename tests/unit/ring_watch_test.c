/*
 * ring_watch_test.c - which of a channel's receivers tick, and which sleep long because
 * others do. The clock is the test's: a sleep lasts until its end, unless it is rung.
 */
#include "harness/check.h"
#include "ring_support.h"

#include "shared/ring/slot.h"

static int64_t now, slept;
static int woken;

/* The sleep is rung, or others are: that changes the doorbell alone. */
static bool rings, rings_others;

static int64_t
read_clock(void *context)
{
    (void)context;
    return now;
}

static void
sleep_until(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, int64_t until)
{
    (void)context;
    (void)expected;
    slept = until - now;
    now = rings ? now + slept / 2 : until;
    if (rings || rings_others)
        *doorbell += MMF_DOORBELL_RING;
}

static int
wake(void *context, mmf_atomic_u32 *doorbell, int count)
{
    (void)context;
    (void)doorbell;
    woken = count;
    return count;
}

static int
is_alive(void *context, uint64_t ticket)
{
    (void)context;
    (void)ticket;
    return 1;
}

static const struct mmf_ring_ops ops = {
    .now = read_clock, .sleep = sleep_until, .wake = wake, .is_alive = is_alive};

enum { US = 1, OTHER = 2, THIRD = 3 };

static struct mmf_ring_wait wait_at_ring;

/* The wait of a receiver at an empty channel, of process US. */
static void
begin(struct mmf_ring_shape shape)
{
    make_ring(shape);
    mmf_ring_be_receiver(&ring, MMF_RECEIVERS_FROM);
    ring.cursor = FIRST;
    ring.dead_checked = now = (int64_t)1 << 54;
    wait_at_ring = (struct mmf_ring_wait){.ring = &ring,
                                          .ops = &ops,
                                          .deadline = MMF_RING_FOREVER,
                                          .strategy = MMF_STRATEGY_WAIT,
                                          .is_for_newer = true};
    rings = rings_others = false;
    woken = 0;
}

/* For how many ticks it sleeps next. */
static int
ticks(void)
{
    slept = 0;
    while (slept == 0)
        CHECK(mmf_ring_wait_more(&wait_at_ring));
    CHECK_INT(slept % MMF_RING_TICK, 0);
    return (int)(slept / MMF_RING_TICK);
}

static void
watch(int word, uint64_t ticket)
{
    ring.shared->watch[word] = mmf_watch_stamp(ticket, now);
}

/* Sleepers of other processes. */
static void
add_sleepers(void)
{
    ring.shared->message_doorbell |= MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL;
}

static void
end(enum mmf_step step)
{
    mmf_ring_wait_end(&wait_at_ring, step);
    free_ring();
}

static const struct mmf_ring_shape queue = {.kind = MMF_KIND_QUEUE};
static const struct mmf_ring_shape topic = {.kind = MMF_KIND_TOPIC};
static const struct mmf_ring_shape latest = {.kind = MMF_KIND_LATEST};

TEST(one_alone_ticks_and_watches)
{
    begin(queue);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(ticks(), 1);
        if (i > 0)
            CHECK(ring.shared->watch[0] == mmf_watch_stamp(US, now - MMF_RING_TICK));
    }
    CHECK_INT(ring.shared->watch[1], 0);
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(it_relies_on_two_other_processes)
{
    begin(queue);
    watch(0, OTHER);
    watch(1, THIRD);
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    CHECK_INT(ticks(), 1); /* their stamps are old by then */
    CHECK(ring.shared->watch[0] == mmf_watch_stamp(US, now - MMF_RING_TICK));
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(it_relies_on_one_of_its_own_process)
{
    begin(queue);
    watch(1, US);
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    end(MMF_STEP_WOULD_BLOCK);
}

/* One kill would end both. */
TEST(it_relies_on_no_two_of_one_other_process)
{
    begin(queue);
    watch(0, OTHER);
    watch(1, OTHER);
    CHECK_INT(ticks(), 1);
    watch(0, OTHER);
    watch(1, OTHER);
    CHECK_INT(ticks(), 1);
    CHECK(ring.shared->watch[1] == mmf_watch_stamp(US, now - MMF_RING_TICK));
    watch(0, OTHER);
    CHECK_INT(ticks(), 1); /* it stays the second watcher */
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(a_ring_ends_no_watch_and_begins_none)
{
    begin(queue);
    rings = true;
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    CHECK_INT(ring.shared->watch[0], 0);
    end(MMF_STEP_DONE);
    CHECK_INT(woken, 0);
}

/* It watches, with others asleep; how many its end wakes. */
static int
woken_at_end(bool is_rung, enum mmf_step step)
{
    begin(queue);
    add_sleepers();
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    CHECK(ring.shared->watch[0] != 0);
    if (is_rung)
        ring.shared->message_doorbell += MMF_DOORBELL_RING;
    mmf_ring_wait_end(&wait_at_ring, step);
    CHECK_INT(ring.shared->watch[0], 0);
    free_ring();
    return woken;
}

TEST(a_watcher_that_leaves_wakes_others)
{
    CHECK_INT(woken_at_end(true, MMF_STEP_DONE), MMF_WATCHERS);
    CHECK_INT(woken_at_end(false, MMF_STEP_WOULD_BLOCK), MMF_WATCHERS);
    CHECK_INT(woken_at_end(true, MMF_STEP_WOULD_BLOCK), MMF_WATCHERS);
}

/* So the ring was missed, or has died. */
TEST(a_watcher_that_finds_a_message_unrung_wakes_all)
{
    CHECK_INT(woken_at_end(false, MMF_STEP_DONE), MMF_RING_ALL);
}

/* It was killed between its step on the doorbell and the wake-up: there is no mark. */
static int
woken_after_dead_ring(struct mmf_ring_shape shape, int sleeps)
{
    begin(shape);
    add_sleepers();
    for (int i = 0; i < sleeps; i++)
        CHECK_INT(ticks(), 1);
    ring.shared->message_doorbell &= ~(MMF_DOORBELL_SLEEPER | MMF_DOORBELL_SEVERAL);
    ring.shared->message_doorbell += MMF_DOORBELL_RING;
    end(MMF_STEP_DONE);
    return woken;
}

TEST(one_that_finds_a_message_whose_ring_died_wakes_all)
{
    CHECK_INT(woken_after_dead_ring(topic, 2), MMF_RING_ALL);
    CHECK_INT(woken_after_dead_ring(latest, 2), MMF_RING_ALL);
    CHECK_INT(woken_after_dead_ring(topic, 1),
              MMF_RING_ALL); /* it does not watch yet */
    CHECK_INT(woken_after_dead_ring(queue, 2), MMF_WATCHERS); /* it took the message */
}

TEST(one_that_is_rung_wakes_none)
{
    begin(topic);
    add_sleepers();
    rings = true;
    CHECK_INT(ticks(), 1);
    end(MMF_STEP_DONE);
    CHECK_INT(woken, 0);
}

/* Two watch, until this one is woken from its long sleep in their stead. */
static void
begin_as_heir(void)
{
    begin(queue);
    add_sleepers();
    watch(0, OTHER);
    watch(1, THIRD);
    rings = true;
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    ring.shared->watch[0] = 0;
    rings = false;
}

TEST(an_heir_that_leaves_before_it_watches_wakes_others)
{
    begin_as_heir();
    rings = true;
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    CHECK_INT(ring.shared->watch[0], 0);
    end(MMF_STEP_DONE);
    CHECK_INT(woken, MMF_WATCHERS);
}

TEST(an_heir_watches_after_a_tick)
{
    begin_as_heir();
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    CHECK(ring.shared->watch[0] == mmf_watch_stamp(US, now - MMF_RING_TICK));
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(an_heir_that_comes_too_late_wakes_none)
{
    begin_as_heir();
    watch(0, OTHER);
    watch(1, THIRD);
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    end(MMF_STEP_WOULD_BLOCK);
    CHECK_INT(woken, 0);
}

/* Else no stamp would be new where messages come more often than ticks. */
TEST(a_ring_for_others_ends_no_watch)
{
    begin(queue);
    rings_others = true;
    for (int i = 0; i < 3; i++) {
        CHECK_INT(ticks(), 1);
        if (i > 0)
            CHECK(ring.shared->watch[0] == mmf_watch_stamp(US, now - MMF_RING_TICK));
    }
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(a_watcher_that_is_blocked_watches_no_more)
{
    begin(topic);
    add_sleepers();
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    CHECK(ring.shared->watch[0] != 0);
    ring.shared->tail = FIRST + 1; /* a reservation */
    CHECK_INT(ticks(), 1);
    CHECK_INT(ring.shared->watch[0], 0);
    CHECK_INT(woken, MMF_WATCHERS);
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(one_that_was_replaced_wakes_none)
{
    begin(queue);
    add_sleepers();
    CHECK_INT(ticks(), 1);
    CHECK_INT(ticks(), 1);
    watch(0, OTHER);
    mmf_ring_wait_end(&wait_at_ring, MMF_STEP_WOULD_BLOCK);
    CHECK(ring.shared->watch[0] == mmf_watch_stamp(OTHER, now));
    CHECK_INT(woken, 0);
    free_ring();
}

/* Two others watch: this one neither relies on them nor watches. */
static void
check_apart(void)
{
    for (int i = 0; i < 3; i++) {
        watch(0, OTHER);
        watch(1, THIRD);
        CHECK_INT(ticks(), 1);
    }
    ring.shared->watch[0] = ring.shared->watch[1] = 0;
    CHECK_INT(ticks(), 1);
    CHECK_INT(ring.shared->watch[0], 0);
    end(MMF_STEP_WOULD_BLOCK);
}

TEST(what_is_not_there_for_all_is_not_shared)
{
    mmf_atomic_u32 answers = 0;

    begin(queue);
    wait_at_ring.wants_peer = true;
    check_apart();
    begin(queue);
    wait_at_ring.sending = true;
    check_apart();
    begin(queue);
    wait_at_ring.doorbell = &answers;
    check_apart();
    begin((struct mmf_ring_shape){
        .kind = MMF_KIND_QUEUE, .is_spsc = true, .max_senders = 1});
    check_apart();
    begin(topic);
    ring.shared->tail = FIRST + 1; /* a reservation is in its way */
    check_apart();
    begin(latest);
    wait_at_ring.is_for_newer = false;
    check_apart();

    begin(topic);
    watch(1, US);
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    end(MMF_STEP_WOULD_BLOCK);
    begin(latest);
    watch(1, US);
    CHECK_INT(ticks(), MMF_RING_LONG_SLEEP);
    end(MMF_STEP_WOULD_BLOCK);
}

/* Clocks of other time namespaces, and one that came round. */
TEST(a_stamp_of_another_time_is_old)
{
    static const int64_t times[] = {MMF_RING_TICK * 2, -MMF_RING_TICK * 2,
                                    ((int64_t)1 << 23) * 1000000};

    for (int i = 0; i < 3; i++) {
        begin(queue);
        ring.shared->watch[0] = mmf_watch_stamp(OTHER, now - times[i]);
        ring.shared->watch[1] = mmf_watch_stamp(THIRD, now);
        CHECK_INT(ticks(), 1);
        end(MMF_STEP_WOULD_BLOCK);
    }
}
