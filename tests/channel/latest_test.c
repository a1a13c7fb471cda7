/*
 * latest_test.c - what a latest value does, and every way in which its calls refuse, in
 * one process.
 */
#include "support.h"

#include <string.h>

static mmf_latest *
new_latest(mmf_role role, size_t size)
{
    mmf_channel_options options = options_for(role, 0);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_or_open("L", size, &options, NULL, &latest));
    return latest;
}

static mmf_latest *
open_latest(mmf_role role)
{
    mmf_channel_options options = options_for(role, 0);
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
expect(mmf_latest *latest, uint64_t number)
{
    uint64_t got = ~number;
    uint64_t version = 0;
    size_t length = 77;

    CHECK_STATUS(mmf_latest_receive(latest, &got, sizeof(got), &length, &version),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
    CHECK(version > 0);
    return version;
}

static mmf_channel_stats
latest_stats(mmf_latest *latest)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_latest_stat(latest, &stats), MMF_OK);
    return stats;
}

static void
readers_see_the_newest(void **state)
{
    mmf_latest *writer = new_latest(MMF_ROLE_SEND, 8);
    mmf_latest *one = open_latest(MMF_ROLE_RECEIVE);
    mmf_latest *other = open_latest(MMF_ROLE_RECEIVE);
    uint64_t version = 99, before = 0;
    size_t length = 99;
    uint64_t got = 99;
    mmf_message message;

    (void)state;
    CHECK_STATUS(mmf_latest_receive(one, &got, 8, &length, &version), MMF_OK);
    CHECK_INT(length, 0);
    CHECK_INT(version, 0);
    CHECK_INT(got, 99);
    CHECK_STATUS(mmf_latest_take(one, &message), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_latest_wait(one, 0, 0), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_latest_wait(one, 0, 10), MMF_TIMED_OUT);
    for (uint64_t i = 0; i < 1000; i++) {
        write_number(writer, i);
        version = expect(one, i);
        CHECK(version > before);
        CHECK_STATUS(mmf_latest_wait(one, before, -1), MMF_OK);
        CHECK_STATUS(mmf_latest_wait(one, version, 0), MMF_TIMED_OUT);
        before = version;
        if (i % 7 == 0)
            CHECK_INT(expect(other, i), version);
    }
    CHECK_INT(expect(one, 999), before);
    CHECK_INT(latest_stats(one).sent, 1000);
    CHECK_INT(latest_stats(one).received, 1000 + 143 + 1);
    mmf_latest_close(writer);
    CHECK_INT(expect(one, 999), before); /* a value outlives its writer */
    writer = open_latest(MMF_ROLE_SEND);
    write_number(writer, 1);
    expect(other, 1);
    mmf_latest_close(one);
    mmf_latest_close(other);
    mmf_latest_close(writer);
}

static void
every_length(void **state)
{
    static const size_t sizes[] = {1, 8, 48, 49, 64, 65, 1000, 70000};
    static uint8_t bytes[70000], got[70000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        mmf_latest *latest = new_latest(MMF_ROLE_BOTH, sizes[i]);

        for (size_t length = 0; length <= sizes[i]; length += 1 + length / 5) {
            uint64_t version;
            size_t got_length = 77;

            memset(bytes, (int)length + 1, sizeof(bytes));
            CHECK_OK(mmf_latest_send(latest, bytes, length, NULL));
            memset(got, 0, sizeof(got));
            CHECK_OK(mmf_latest_receive(latest, got, sizes[i], &got_length, &version));
            CHECK_INT(got_length, length);
            CHECK_BYTES(got, bytes, length);
            CHECK_INT(got[length < 70000 ? length : 0], length < 70000 ? 0 : got[0]);
        }
        mmf_latest_close(latest);
    }
}

static void
read_and_written_directly(void **state)
{
    mmf_latest *writer = new_latest(MMF_ROLE_SEND, 1000);
    mmf_latest *reader = open_latest(MMF_ROLE_RECEIVE);
    mmf_message message;
    void *bytes;

    (void)state;
    CHECK_OK(mmf_latest_send(writer, "first", 5, NULL));
    for (int i = 0; i < 100; i++) {
        CHECK_OK(mmf_latest_reserve(writer, 1000, &bytes));
        CHECK_INT((uintptr_t)bytes % 64, 0);
        memset(bytes, i, 1000);
        CHECK_OK(mmf_latest_take(reader, &message));
        CHECK_INT(message.length, i == 0 ? 5 : 990);
        CHECK_INT((uintptr_t)message.bytes % 64, 0);
        if (i > 0)
            CHECK_INT(((const uint8_t *)message.bytes)[989], i - 1);
        CHECK_OK(mmf_latest_commit(writer, 990, NULL));
        CHECK_STATUS(mmf_latest_release(reader), MMF_OK);
        CHECK_OK(mmf_latest_reserve(writer, 8, &bytes));
        CHECK_OK(mmf_latest_abandon(writer));
    }
    CHECK_OK(mmf_latest_take(reader, &message));
    for (int i = 0; i < 20; i++)
        CHECK_OK(mmf_latest_send(writer, "x", 1, NULL));
    CHECK_INT(message.length, 990);
    CHECK_INT(((const uint8_t *)message.bytes)[989], 99);
    CHECK_STATUS(mmf_latest_release(reader), MMF_OK);
    mmf_latest_close(writer);
    mmf_latest_close(reader);
}

static void
the_newest_stays_while_others_only_reserve(void **state)
{
    mmf_latest *writers[9];
    mmf_latest *reader = new_latest(MMF_ROLE_RECEIVE, 8);
    void *bytes = UNTOUCHED;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        writers[i] = open_latest(MMF_ROLE_SEND);
    write_number(writers[0], 5);
    for (int round = 0; round < 50; round++) {
        CHECK_OK(mmf_latest_reserve(writers[0], 8, &bytes));
        CHECK_OK(mmf_latest_abandon(writers[0]));
        expect(reader, 5);
    }
    for (size_t i = 0; i < 7; i++) {
        CHECK_OK(mmf_latest_reserve(writers[i], 8, &bytes));
        memcpy(bytes, &(uint64_t){i}, 8);
        expect(reader, 5);
    }
    bytes = UNTOUCHED;
    CHECK_FAILS(mmf_latest_reserve(writers[7], 8, &bytes), MMF_E_BUSY);
    CHECK(bytes == UNTOUCHED);
    CHECK_FAILS(mmf_latest_send(writers[7], "x", 1, NULL), MMF_E_BUSY);
    expect(reader, 5);
    mmf_latest_close(writers[6]); /* abandons */
    write_number(writers[7], 70);
    expect(reader, 70);
    /* A commit of an older version is no news. */
    CHECK_OK(mmf_latest_commit(writers[2], 8, NULL));
    expect(reader, 70);
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        if (i != 6)
            mmf_latest_close(writers[i]);
    }
    expect(reader, 70);
    mmf_latest_close(reader);
}

static void
calls_check_their_arguments(void **state)
{
    mmf_latest *latest = UNTOUCHED;
    mmf_channel_options single = options_for(MMF_ROLE_BOTH, MMF_CHANNEL_SPSC);
    mmf_message message;
    mmf_channel_stats stats;
    char buffer[8];
    void *bytes = UNTOUCHED;
    uint64_t version = 7;
    size_t length = 77;
    int created = -7, fd = -7;

    (void)state;
    CHECK_FAILS_PARAM(mmf_latest_create_or_open("L", 8, NULL, NULL, NULL), MMF_E_NULL,
                      "out");
    CHECK_FAILS_PARAM(mmf_latest_create_or_open(NULL, 8, NULL, &created, &latest),
                      MMF_E_NULL, "name");
    CHECK_FAILS_PARAM(mmf_latest_create_or_open("", 8, NULL, &created, &latest),
                      MMF_E_INVALID, "name");
    CHECK_FAILS_PARAM(mmf_latest_create_or_open("L", 0, NULL, &created, &latest),
                      MMF_E_RANGE, "value_size");
    CHECK_FAILS_PARAM(mmf_latest_create_or_open("L", 8, &single, &created, &latest),
                      MMF_E_INVALID, "flags");
    CHECK_FAILS_PARAM(mmf_latest_open_existing("L", NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS(mmf_latest_open_existing("L", NULL, &latest), MMF_E_NOT_FOUND);
    CHECK(latest == UNTOUCHED);
    CHECK_INT(created, -7);
    CHECK_OK(mmf_latest_create_or_open("L", 8, NULL, &created, &latest));
    CHECK_INT(created, 1);

    CHECK_FAILS_PARAM(mmf_latest_reserve(NULL, 8, &bytes), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_commit(NULL, 8, NULL), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_abandon(NULL), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_send(NULL, "a", 1, NULL), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_receive(NULL, buffer, 8, &length, &version),
                      MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_take(NULL, &message), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_release(NULL), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_wait(NULL, 0, 0), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_fd(NULL, &fd), MMF_E_NULL, "latest");
    CHECK_FAILS_PARAM(mmf_latest_stat(NULL, &stats), MMF_E_NULL, "latest");

    CHECK_FAILS_PARAM(mmf_latest_reserve(latest, 9, &bytes), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_latest_reserve(latest, SIZE_MAX, &bytes), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_latest_reserve(latest, 8, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS(mmf_latest_commit(latest, 8, NULL), MMF_E_STATE);
    CHECK_FAILS(mmf_latest_abandon(latest), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_latest_send(latest, NULL, 1, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_latest_send(latest, "123456789", 9, NULL), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_latest_receive(latest, NULL, 8, &length, &version),
                      MMF_E_NULL, "buffer");
    CHECK_FAILS_PARAM(mmf_latest_receive(latest, buffer, 8, NULL, &version), MMF_E_NULL,
                      "length");
    CHECK_FAILS_PARAM(mmf_latest_receive(latest, buffer, 8, &length, NULL), MMF_E_NULL,
                      "version");
    CHECK_FAILS_PARAM(mmf_latest_take(latest, NULL), MMF_E_NULL, "message");
    CHECK_FAILS(mmf_latest_release(latest), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_latest_wait(latest, 0, -2), MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS_PARAM(mmf_latest_fd(latest, NULL), MMF_E_NULL, "fd");
    CHECK_FAILS_PARAM(mmf_latest_stat(latest, NULL), MMF_E_NULL, "stats");

    CHECK_OK(mmf_latest_reserve(latest, 4, &bytes));
    CHECK_FAILS(mmf_latest_reserve(latest, 4, &bytes), MMF_E_STATE);
    CHECK_FAILS(mmf_latest_send(latest, "a", 1, NULL), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_latest_commit(latest, 5, NULL), MMF_E_RANGE, "length");
    memcpy(bytes, "abcd", 4);
    CHECK_OK(mmf_latest_commit(latest, 4, NULL));
    CHECK_FAILS_PARAM(mmf_latest_receive(latest, buffer, 3, &length, &version),
                      MMF_E_RANGE, "capacity");
    CHECK_INT(length, 77);
    CHECK_INT(version, 7);
    CHECK_INT(fd, -7);
    CHECK_OK(mmf_latest_take(latest, &message));
    CHECK_FAILS(mmf_latest_take(latest, &message), MMF_E_STATE);
    CHECK_OK(mmf_latest_receive(latest, buffer, 8, &length, &version)); /* beside it */
    CHECK_INT(length, 4);
    CHECK_OK(mmf_latest_release(latest));
    mmf_latest_close(latest);
    mmf_latest_close(NULL);
}

static void
roles_are_kept(void **state)
{
    mmf_latest *writer = new_latest(MMF_ROLE_SEND, 8);
    mmf_latest *reader = open_latest(MMF_ROLE_RECEIVE);
    char buffer[8];
    mmf_message message;
    uint64_t version;
    size_t length;
    void *bytes;
    int fd;

    (void)state;
    CHECK_FAILS(mmf_latest_receive(writer, buffer, 8, &length, &version),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_take(writer, &message), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_release(writer), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_wait(writer, 0, 0), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_fd(writer, &fd), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_reserve(reader, 8, &bytes), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_commit(reader, 8, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_abandon(reader), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_latest_send(reader, "a", 1, NULL), MMF_E_NOT_SUPPORTED);
    mmf_latest_close(writer);
    mmf_latest_close(reader);
}

static void
a_writer_that_has_gone_is_told(void **state)
{
    mmf_channel_options options =
        options_for(MMF_ROLE_RECEIVE, MMF_CHANNEL_PEER_CLOSED);
    mmf_latest *writer = new_latest(MMF_ROLE_SEND, 8);
    mmf_latest *reader;
    uint64_t version;

    (void)state;
    CHECK_OK(mmf_latest_open_existing("L", &options, &reader));
    write_number(writer, 1);
    version = expect(reader, 1);
    CHECK_STATUS(mmf_latest_wait(reader, version, 1), MMF_TIMED_OUT);
    write_number(writer, 2);
    mmf_latest_close(writer);
    CHECK_STATUS(mmf_latest_wait(reader, version, -1), MMF_OK);
    CHECK_FAILS(mmf_latest_wait(reader, expect(reader, 2), -1), MMF_E_PEER_CLOSED);
    mmf_latest_close(reader);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_the_newest),
        cmocka_unit_test(every_length),
        cmocka_unit_test(read_and_written_directly),
        cmocka_unit_test(the_newest_stays_while_others_only_reserve),
        cmocka_unit_test(calls_check_their_arguments),
        cmocka_unit_test(roles_are_kept),
        cmocka_unit_test(a_writer_that_has_gone_is_told),
    };

    return harness_main(argc, argv, "channel.latest", tests, COUNT_OF(tests), NULL);
}
