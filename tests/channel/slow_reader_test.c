/*
 * slow_reader_test.c - readers that are slower than the writer, however slow they are. In
 * the middle of each try to read, another process sends as many messages as the test
 * says. The clock moves with the tries alone, so their number is known to the last one.
 */
#include "support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "shared/ring/inner.h"

enum { SLOTS = 16, LAP = 2 * SLOTS, STEP_MS = 20 };

/* What the library does, whatever the timeout, and at most. */
enum { TRIES_OF_TOPIC = 4, TRIES_OF_LATEST = 100, TRIES_BEFORE_PIN = 3 };

/* No try is overtaken any more after so many: then a call without a bound ends, too. */
enum { ENDLESS = 1000 };

/*
 * The writer: it sends as many as a line says, and answers.
 */

ROLE(publisher)
{
    uint64_t number = 0;
    mmf_topic *topic;
    char line[32];

    CHECK_OK(
        mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), &topic));
    role_say("ready");
    while (role_hear(line, sizeof(line))) {
        for (int count = atoi(line); count > 0; count--, number++)
            send_number(topic, number);
        role_say("sent");
    }
    mmf_topic_close(topic);
    return 0;
}

ROLE(writer)
{
    mmf_latest *latest;
    uint64_t version = 0;
    char line[32];

    CHECK_OK(
        mmf_latest_open_existing("L", CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), &latest));
    role_say("ready");
    while (role_hear(line, sizeof(line))) {
        for (int count = atoi(line); count > 0; count--)
            CHECK_STATUS(mmf_latest_send(latest, &version, sizeof(version), &version),
                         MMF_OK);
        role_say("sent");
    }
    mmf_latest_close(latest);
    return 0;
}

static struct process *writer;

static void
sends(int count)
{
    char line[32];

    snprintf(line, sizeof(line), "%d", count);
    process_send(writer, line);
    process_expect(writer, "sent");
}

/*
 * The library's steps in which a reader may be overtaken, and its clock.
 */

static struct {
    bool is_on;
    int copies, pins;            /* how often the reader has tried */
    int during_copy, during_pin; /* what the writer sends meanwhile */
    int most;                    /* after so many copies or pins it sends no more */
    int64_t now;
} race;

static void
overtake(int tries, int count)
{
    race.now += (int64_t)STEP_MS * 1000000;
    if (count > 0 && tries <= race.most)
        sends(count);
}

/* The names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier) */

bool __real_mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index);
bool __wrap_mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index);
enum mmf_step __real_mmf_ring_pin(struct mmf_ring *ring, uint64_t index);
enum mmf_step __wrap_mmf_ring_pin(struct mmf_ring *ring, uint64_t index);
int64_t __real_mmf_os_now(void);
int64_t __wrap_mmf_os_now(void);

/* Called after a copy. */
bool
__wrap_mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index)
{
    if (race.is_on)
        overtake(++race.copies, race.during_copy);
    return __real_mmf_ring_still_valid(ring, index);
}

enum mmf_step
__wrap_mmf_ring_pin(struct mmf_ring *ring, uint64_t index)
{
    if (race.is_on)
        overtake(++race.pins, race.during_pin);
    return __real_mmf_ring_pin(ring, index);
}

int64_t
__wrap_mmf_os_now(void)
{
    return race.is_on ? race.now : __real_mmf_os_now();
}

/* NOLINTEND(bugprone-reserved-identifier) */

static void
begin_race(int during_copy, int during_pin, int most)
{
    race.copies = race.pins = 0;
    race.during_copy = during_copy;
    race.during_pin = during_pin;
    race.most = most;
    race.now = __real_mmf_os_now();
    race.is_on = true;
}

static void
end_race(int copies, int pins)
{
    race.is_on = false;
    CHECK_INT(race.copies, copies);
    CHECK_INT(race.pins, pins);
}

/*
 * Topics.
 */

static mmf_topic *
new_subscriber(int32_t pins)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_new(
        "T", sizeof(uint64_t), SLOTS, MMF_OVERFLOW_DROP_OLDEST,
        CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE, .max_pins = pins), &topic));
    writer = process_ready("publisher", " ");
    sends(SLOTS);
    return topic;
}

static void
end_subscriber(mmf_topic *topic)
{
    CHECK_INT(process_finish(writer), 0);
    mmf_topic_close(topic);
}

static void
expect_received(mmf_topic *topic, int32_t timeout_ms, uint64_t number)
{
    mmf_message message;
    uint64_t got;
    size_t length;

    CHECK_STATUS(
        mmf_topic_receive(topic, &got, sizeof(got), timeout_ms, &length, &message),
        MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
    CHECK_INT(message.sequence, number + 1);
    CHECK_INT(message.lost, number);
}

/* How often it is tried until the timeout is over. */
static int
tries_within(int32_t timeout_ms)
{
    int tries = timeout_ms / STEP_MS;

    return tries > TRIES_OF_TOPIC ? tries : TRIES_OF_TOPIC;
}

TEST(a_topic_s_copy_ends_with_its_timeout)
{
    static const int32_t timeouts[] = {0, 1, 200, 2000};
    mmf_topic *topic = new_subscriber(0);

    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        uint64_t got = 0;
        size_t length = 99;

        CHECK_CONTEXT("timeout %d ms", timeouts[i]);
        begin_race(LAP, 0, ENDLESS);
        CHECK_STATUS(
            mmf_topic_receive(topic, &got, sizeof(got), timeouts[i], &length, NULL),
            MMF_TIMED_OUT);
        end_race(tries_within(timeouts[i]), 0);
        CHECK_INT(length, 99);
    }
    end_subscriber(topic);
}

TEST(a_topic_s_pin_ends_with_its_timeout)
{
    static const int32_t timeouts[] = {0, 1, 200, 2000};
    mmf_topic *topic = new_subscriber(2);

    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        mmf_message message;

        CHECK_CONTEXT("timeout %d ms", timeouts[i]);
        begin_race(0, LAP, ENDLESS);
        CHECK_STATUS(mmf_topic_take(topic, timeouts[i], &message), MMF_TIMED_OUT);
        end_race(0, tries_within(timeouts[i]));
    }
    end_subscriber(topic);
}

/* Without a timeout it goes on, and gets a message when the writer has a pause. */
TEST(a_topic_s_copy_without_a_timeout_waits_for_a_pause)
{
    enum { LAPS = 50 };
    mmf_topic *topic = new_subscriber(0);

    begin_race(LAP, 0, LAPS);
    expect_received(topic, -1, SLOTS + LAPS * LAP - SLOTS / 4);
    end_race(LAPS + 1, 0);
    end_subscriber(topic);
}

/* Half a lap overtakes a subscriber at the oldest message, and not one near the newest. */
TEST(an_overtaken_subscriber_goes_on_near_the_newest)
{
    mmf_topic *topic = new_subscriber(0);

    begin_race(SLOTS / 2, 0, ENDLESS);
    expect_received(topic, 0, SLOTS + 2 * (SLOTS / 2) - SLOTS / 4);
    end_race(3, 0);
    end_subscriber(topic);
}

/*
 * Latest values. A handle with a descriptor reads by the general path alone, which looks
 * at the value by the step that is overtaken here.
 */

static mmf_latest *
new_reader(void)
{
    mmf_latest *latest;
    int fd;

    CHECK_OK(mmf_latest_create_new("L", sizeof(uint64_t),
                                   CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE), &latest));
    CHECK_OK(mmf_latest_fd(latest, &fd));
    writer = process_ready("writer", " ");
    sends(1);
    return latest;
}

static void
end_reader(mmf_latest *latest)
{
    CHECK_INT(process_finish(writer), 0);
    mmf_latest_close(latest);
}

/* With a pin it has an answer, whatever the writer does. */
TEST(a_value_is_pinned_after_a_few_copies)
{
    mmf_latest *latest = new_reader();
    uint64_t got, version, before = 0;
    size_t length;

    for (int i = 0; i < 3; i++, before = version) {
        begin_race(LAP, 0, ENDLESS);
        CHECK_STATUS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                     MMF_OK);
        end_race(TRIES_BEFORE_PIN, 1);
        CHECK_INT(length, sizeof(got));
        CHECK(got >= before && got < version);
    }
    end_reader(latest);
}

/* A handle that has taken one copies without a pin; the writer is quicker each time. */
TEST(a_value_s_copy_ends)
{
    mmf_latest *latest = new_reader();
    uint64_t got, version;
    mmf_message message;
    size_t length;

    CHECK_STATUS(mmf_latest_take(latest, &message), MMF_OK);
    sends(1); /* what is taken stays */
    begin_race(LAP, 0, ENDLESS);
    CHECK_FAILS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                MMF_E_BUSY);
    end_race(TRIES_OF_LATEST, 0);
    CHECK(strstr(mmf_last_message(), "100 times") != NULL);
    CHECK_STATUS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                 MMF_OK);
    CHECK_OK(mmf_latest_release(latest));
    end_reader(latest);
}

/* It loses the race for the pin as well. */
TEST(a_value_s_pin_ends)
{
    mmf_latest *latest = new_reader();
    uint64_t got, version;
    mmf_message message;
    size_t length;

    begin_race(LAP, LAP, ENDLESS);
    CHECK_FAILS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                MMF_E_BUSY);
    end_race(TRIES_OF_LATEST, TRIES_OF_LATEST - TRIES_BEFORE_PIN);
    begin_race(0, LAP, ENDLESS);
    CHECK_FAILS(mmf_latest_take(latest, &message), MMF_E_BUSY);
    end_race(0, TRIES_OF_LATEST);
    CHECK_STATUS(mmf_latest_take(latest, &message), MMF_OK);
    CHECK_OK(mmf_latest_release(latest));
    end_reader(latest);
}
