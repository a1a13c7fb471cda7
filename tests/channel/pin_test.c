/*
 * pin_test.c - what readers have taken is not overwritten; one producer; how much memory a
 * channel takes; readers beside a writer that is quicker than they.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static mmf_channel_options
with_pins(mmf_role role, int32_t pins)
{
    mmf_channel_options options = options_for(role, 0);

    options.max_pins = pins;
    return options;
}

static mmf_latest *
new_latest(int32_t pins)
{
    const mmf_channel_options options = with_pins(MMF_ROLE_SEND, pins);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_new("L", 8, &options, &latest));
    return latest;
}

static mmf_latest *
reader_of_latest(void)
{
    const mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_open_existing("L", &options, &latest));
    return latest;
}

static void
write_number(mmf_latest *latest, uint64_t number)
{
    CHECK_STATUS(mmf_latest_send(latest, &number, sizeof(number), NULL), MMF_OK);
}

static uint64_t
number_of(const mmf_message *message)
{
    uint64_t number;

    CHECK_INT(message->length, sizeof(number));
    memcpy(&number, message->bytes, sizeof(number));
    return number;
}

/* Each reader keeps another value, as many as there are pins, and a writer goes on. */
static void
readers_keep_what_they_have(int32_t pins)
{
    mmf_latest *writer = new_latest(pins);
    mmf_latest *readers[9];
    mmf_message messages[9];
    mmf_channel_stats stats;
    int count = pins == 0 ? 4 : pins;

    CHECK_CONTEXT("%d pins", pins);
    for (int i = 0; i <= count; i++)
        readers[i] = reader_of_latest();
    CHECK_STATUS(mmf_latest_take(readers[0], &messages[0]), MMF_TIMED_OUT);
    for (int i = 0; i < count; i++) {
        write_number(writer, (uint64_t)i);
        CHECK_OK(mmf_latest_take(readers[i], &messages[i]));
    }
    for (uint64_t i = 0; i < 1000; i++)
        write_number(writer, 100 + i);
    CHECK_FAILS(mmf_latest_take(readers[count], &messages[count]), MMF_E_TOO_MANY);
    CHECK_OK(mmf_latest_stat(writer, &stats));
    CHECK_INT(stats.pins, count);
    CHECK_INT(stats.max_pins, count);
    CHECK(stats.capacity >= count + 2);
    for (int i = 0; i < count; i++) {
        CHECK_INT(number_of(&messages[i]), i);
        CHECK_OK(mmf_latest_release(readers[i]));
        CHECK_OK(mmf_latest_take(readers[count], &messages[count]));
        CHECK_INT(number_of(&messages[count]), 1099);
        CHECK_OK(mmf_latest_release(readers[count]));
    }
    CHECK_OK(mmf_latest_stat(writer, &stats));
    CHECK_INT(stats.pins, 0);
    for (int i = 0; i <= count; i++)
        mmf_latest_close(readers[i]);
    mmf_latest_close(writer);
}

static void
a_value_that_is_taken_stays(void **state)
{
    static const int32_t pins[] = {0, 1, 2, 3, 5, 8};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pins); i++)
        readers_keep_what_they_have(pins[i]);
}

/* While the reader has a value and copies others. */
static void
a_reader_that_has_a_value_can_copy(void **state)
{
    mmf_latest *writer = new_latest(1);
    mmf_latest *reader = reader_of_latest();
    mmf_message message;
    uint64_t number = 0, version;
    size_t length;

    (void)state;
    write_number(writer, 1);
    CHECK_OK(mmf_latest_take(reader, &message));
    write_number(writer, 2);
    CHECK_OK(mmf_latest_receive(reader, &number, 8, &length, &version));
    CHECK_INT(number, 2);
    CHECK_INT(number_of(&message), 1);
    mmf_latest_close(reader); /* its pin goes with it */
    reader = reader_of_latest();
    CHECK_OK(mmf_latest_take(reader, &message));
    CHECK_INT(number_of(&message), 2);
    mmf_latest_close(reader);
    mmf_latest_close(writer);
}

/*
 * Topics.
 */

static mmf_topic *
new_topic(size_t capacity, int32_t pins, uint32_t flags)
{
    mmf_channel_options options = with_pins(MMF_ROLE_SEND, pins);
    mmf_topic *topic;

    options.flags = flags;
    CHECK_OK(mmf_topic_create_new("T", 8, capacity, MMF_OVERFLOW_DROP_OLDEST, &options,
                                  &topic));
    return topic;
}

static mmf_topic *
subscriber_of_topic(void)
{
    const mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("T", &options, &topic));
    return topic;
}

static void
publish(mmf_topic *topic, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        CHECK_STATUS(mmf_topic_send(topic, &i, 8, 0, NULL), MMF_OK);
}

static void
a_topic_s_message_that_is_taken_stays(void **state)
{
    mmf_topic *publisher = new_topic(1, 2, 0);
    mmf_topic *subscribers[3];
    mmf_message messages[3];
    mmf_channel_stats stats;

    (void)state;
    CHECK_OK(mmf_topic_stat(publisher, &stats));
    CHECK_INT(stats.capacity, 4); /* two pins and two more */
    for (int i = 0; i < 3; i++)
        subscribers[i] = subscriber_of_topic();
    publish(publisher, 0, 2);
    CHECK_STATUS(mmf_topic_take(subscribers[0], 0, &messages[0]), MMF_OK);
    CHECK_STATUS(mmf_topic_take(subscribers[1], 0, &messages[1]), MMF_OK);
    CHECK_OK(mmf_topic_release(subscribers[1]));
    CHECK_STATUS(mmf_topic_take(subscribers[1], 0, &messages[1]), MMF_OK);
    CHECK_FAILS(mmf_topic_take(subscribers[2], 0, &messages[2]), MMF_E_TOO_MANY);
    publish(publisher, 2, 1000);
    CHECK_INT(number_of(&messages[0]), 0);
    CHECK_INT(number_of(&messages[1]), 1);
    CHECK_STATUS(mmf_topic_release(subscribers[0]), MMF_OK);
    CHECK_STATUS(mmf_topic_release(subscribers[1]), MMF_OK);
    for (uint64_t i = 0; i < 2; i++) { /* what others kept is there for all */
        CHECK_STATUS(mmf_topic_take(subscribers[2], 0, &messages[2]), MMF_OK);
        CHECK_INT(number_of(&messages[2]), i);
        CHECK_STATUS(mmf_topic_release(subscribers[2]), MMF_OK);
    }
    CHECK_STATUS(mmf_topic_take(subscribers[2], 0, &messages[2]), MMF_OK);
    CHECK(number_of(&messages[2]) >= 990);
    CHECK(messages[2].lost > 900);
    CHECK_INT(messages[2].deliveries, 1);
    for (int i = 0; i < 3; i++)
        mmf_topic_close(subscribers[i]);
    mmf_topic_close(publisher);
}

/*
 * One producer.
 */

static void
one_producer_at_a_time(void **state)
{
    const mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_topic *publisher = new_topic(8, 0, MMF_CHANNEL_SINGLE_PRODUCER);
    mmf_topic *subscriber = subscriber_of_topic();
    mmf_topic *other = UNTOUCHED;
    mmf_channel_stats stats;
    mmf_message message;
    uint64_t number;
    size_t length;

    (void)state;
    CHECK_OK(mmf_topic_stat(publisher, &stats));
    CHECK_INT(stats.flags, MMF_CHANNEL_SINGLE_PRODUCER);
    CHECK_INT(stats.max_senders, 1);
    CHECK_FAILS(mmf_topic_open_existing("T", &options, &other), MMF_E_SHARING);
    CHECK(other == UNTOUCHED);
    for (uint64_t lap = 0; lap < 20; lap++) {
        publish(publisher, lap * 3, 3);
        for (uint64_t i = 0; i < 3; i++) {
            CHECK_STATUS(
                mmf_topic_receive(subscriber, &number, 8, 0, &length, &message),
                MMF_OK);
            CHECK_INT(number, lap * 3 + i);
            CHECK_INT(message.lost, 0);
        }
        mmf_topic_close(publisher); /* the next one goes on where it was */
        CHECK_OK(mmf_topic_open_existing("T", &options, &publisher));
    }
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

static void
options_are_checked(void **state)
{
    const int32_t out_of_range[] = {-1, 1025};
    mmf_channel_options options = with_pins(MMF_ROLE_BOTH, 1);
    mmf_queue *queue = UNTOUCHED;
    mmf_topic *topic = UNTOUCHED;
    mmf_latest *latest = UNTOUCHED;

    (void)state;
    CHECK_FAILS_PARAM(
        mmf_queue_create_new("Q", 8, 4, MMF_OVERFLOW_BLOCK, &options, &queue),
        MMF_E_INVALID, "max_pins");
    CHECK_FAILS_PARAM(
        mmf_topic_create_new("T", 8, 4, MMF_OVERFLOW_BLOCK, &options, &topic),
        MMF_E_INVALID, "max_pins");
    for (size_t i = 0; i < COUNT_OF(out_of_range); i++) {
        options.max_pins = out_of_range[i];
        CHECK_FAILS_PARAM(mmf_latest_create_new("L", 8, &options, &latest), MMF_E_RANGE,
                          "max_pins");
    }
    options = options_for(MMF_ROLE_BOTH, MMF_CHANNEL_SINGLE_PRODUCER);
    CHECK_FAILS_PARAM(
        mmf_queue_create_new("Q", 8, 4, MMF_OVERFLOW_BLOCK, &options, &queue),
        MMF_E_INVALID, "flags");
    options = with_pins(MMF_ROLE_BOTH, 2);
    CHECK_OK(mmf_latest_create_new("L", 8, &options, &latest));
    options.max_pins = 3;
    CHECK_FAILS_PARAM(
        mmf_latest_create_or_open("L", 8, &options, NULL, (mmf_latest **)&queue),
        MMF_E_MISMATCH, "capacity"); /* 3 and 2 are 5, so 8 */
    options.max_pins = 1;
    CHECK_FAILS_PARAM(
        mmf_latest_create_or_open("L", 8, &options, NULL, (mmf_latest **)&queue),
        MMF_E_MISMATCH, "max_pins");
    mmf_latest_close(latest);
}

/*
 * Memory.
 */

static void
the_size_is_known_before(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    int64_t bytes = 0, more = 0;
    const size_t frame = 1920 * 1080 * 3;

    (void)state;
    CHECK_OK(mmf_channel_size(MMF_KIND_QUEUE, 1000, 100, NULL, &bytes));
    CHECK(bytes > 128 * 1000 && bytes < 128 * 1000 + 200000);
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, NULL, &bytes));
    CHECK(bytes > 8 * (int64_t)frame && bytes < 9 * (int64_t)frame);
    options.max_pins = 2;
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, &options, &more));
    CHECK(more > 4 * (int64_t)frame && more < 5 * (int64_t)frame);
    CHECK_OK(mmf_channel_size(MMF_KIND_TOPIC, frame, 1, &options, &bytes));
    CHECK_INT(bytes, more);
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_MAP, 8, 8, NULL, &bytes), MMF_E_INVALID,
                      "kind");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 0, 8, NULL, &bytes), MMF_E_RANGE,
                      "message_size");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 8, 0, NULL, &bytes), MMF_E_RANGE,
                      "capacity");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 8, 8, NULL, NULL), MMF_E_NULL,
                      "bytes");
    CHECK_INT(bytes, more);
}

/*
 * Readers beside a quick writer: it overwrites a message in less time than a copy takes.
 */

enum { LARGE = 16 << 20, QUICK_WRITER_MS = 10000 };

static atomic_int is_over;

static void *
write_quickly(void *argument)
{
    mmf_topic *topic = argument;
    int64_t end = now_us() + QUICK_WRITER_MS * 1000;
    void *bytes;

    while (!atomic_load(&is_over) && now_us() < end) {
        CHECK_STATUS(mmf_topic_reserve(topic, LARGE, LONG_MS, &bytes), MMF_OK);
        ((volatile uint64_t *)bytes)[0]++;
        CHECK_STATUS(mmf_topic_commit(topic, LARGE, NULL), MMF_OK);
    }
    return NULL;
}

static void *
write_latest_quickly(void *argument)
{
    mmf_latest *latest = argument;
    int64_t end = now_us() + QUICK_WRITER_MS * 1000;
    void *bytes;

    while (!atomic_load(&is_over) && now_us() < end) {
        CHECK_STATUS(mmf_latest_reserve(latest, LARGE, &bytes), MMF_OK);
        ((volatile uint64_t *)bytes)[0]++;
        CHECK_STATUS(mmf_latest_commit(latest, LARGE, NULL), MMF_OK);
    }
    return NULL;
}

static void
a_copy_keeps_to_its_timeout(void **state)
{
    static uint8_t buffer[LARGE];
    mmf_topic *publisher;
    mmf_topic *subscriber;
    pthread_t thread;
    int64_t begin;
    size_t length;
    int rc;

    (void)state;
    atomic_store(&is_over, 0);
    CHECK_OK(mmf_topic_create_new("T", LARGE, 2, MMF_OVERFLOW_DROP_OLDEST, NULL,
                                  &publisher));
    subscriber = subscriber_of_topic();
    CHECK_INT(pthread_create(&thread, NULL, write_quickly, publisher), 0);
    begin = now_us();
    rc = mmf_topic_receive(subscriber, buffer, LARGE, 100, &length, NULL);
    CHECK(rc == MMF_OK || rc == MMF_TIMED_OUT);
    CHECK(now_us() - begin < (QUICK_WRITER_MS - 1000) * 1000);
    atomic_store(&is_over, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_topic_close(subscriber);
    mmf_topic_close(publisher);
}

/* A latest value has pins, so there is an answer whatever the writer does. */
static void
the_newest_can_be_copied_beside_any_writer(void **state)
{
    static uint8_t buffer[LARGE];
    mmf_latest *writer;
    mmf_latest *reader;
    pthread_t thread;
    int64_t begin;
    uint64_t version;
    size_t length;

    (void)state;
    atomic_store(&is_over, 0);
    CHECK_OK(mmf_latest_create_new("L", LARGE, NULL, &writer));
    reader = reader_of_latest();
    CHECK_INT(pthread_create(&thread, NULL, write_latest_quickly, writer), 0);
    while (mmf_latest_wait(reader, 0, LONG_MS) != MMF_OK)
        ;
    begin = now_us();
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(mmf_latest_receive(reader, buffer, LARGE, &length, &version),
                     MMF_OK);
        CHECK_INT(length, LARGE);
    }
    CHECK(now_us() - begin < (QUICK_WRITER_MS - 1000) * 1000);
    atomic_store(&is_over, 1);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_latest_close(reader);
    mmf_latest_close(writer);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_taken_stays),
        cmocka_unit_test(a_reader_that_has_a_value_can_copy),
        cmocka_unit_test(a_topic_s_message_that_is_taken_stays),
        cmocka_unit_test(one_producer_at_a_time),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(the_size_is_known_before),
        cmocka_unit_test(a_copy_keeps_to_its_timeout),
        cmocka_unit_test(the_newest_can_be_copied_beside_any_writer),
    };

    return harness_main(argc, argv, "channel.pin", tests, COUNT_OF(tests), NULL);
}
