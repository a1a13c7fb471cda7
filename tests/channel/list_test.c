/*
 * list_test.c - each channel has an identity of its own, and how much memory it takes is known
 * before. What a list says of channels is in tests/scenarios/list.scn.
 */
#include "support.h"

#include <string.h>

/* Two handles of a channel and its name have one identity; one made anew has another. */
#define CHECK_IDENTITY(K, ...)                                                         \
    do {                                                                               \
        mmf_channel_stats first, second, by_name;                                      \
        mmf_##K *one, *other;                                                          \
                                                                                       \
        CHECK_OK(mmf_##K##_create_new("C", __VA_ARGS__, NULL, &one));                  \
        CHECK_OK(mmf_##K##_open_existing("C", NULL, &other));                          \
        CHECK_OK(mmf_##K##_stat(one, &first));                                         \
        CHECK_OK(mmf_##K##_stat(other, &second));                                      \
        CHECK_OK(mmf_channel_stat("C", &by_name));                                     \
        CHECK(memcmp(first.identity, none, 16) != 0);                                  \
        CHECK_BYTES(second.identity, first.identity, 16);                              \
        CHECK_BYTES(by_name.identity, first.identity, 16);                             \
        for (size_t i = 0; i < COUNT_OF(first.reserved); i++)                          \
            CHECK_INT(first.reserved[i], 0);                                           \
        mmf_##K##_close(one);                                                          \
        mmf_##K##_close(other);                                                        \
        CHECK_OK(mmf_##K##_create_new("C", __VA_ARGS__, NULL, &one));                  \
        CHECK_OK(mmf_##K##_stat(one, &second));                                        \
        CHECK(memcmp(second.identity, first.identity, 16) != 0);                       \
        mmf_##K##_close(one);                                                          \
    } while (0)

TEST(a_name_made_anew_has_another_identity)
{
    static const uint8_t none[16];

    CHECK_IDENTITY(queue, 8, 8, MMF_OVERFLOW_FAIL);
    CHECK_IDENTITY(topic, 8, 8, MMF_OVERFLOW_FAIL);
    CHECK_IDENTITY(latest, 8);
}

TEST(the_size_is_known_before)
{
    const mmf_channel_options *pins = CHANNEL_OPTIONS(.max_pins = 2);
    int64_t bytes = 0, more = 0;
    const size_t frame = 1920 * 1080 * 3;

    CHECK_OK(mmf_channel_size(MMF_KIND_QUEUE, 1000, 100, NULL, &bytes));
    CHECK(bytes > 128 * 1000 && bytes < 128 * 1000 + 200000);
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, NULL, &bytes));
    CHECK(bytes > 8 * (int64_t)frame && bytes < 9 * (int64_t)frame);
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, pins, &more));
    CHECK(more > 4 * (int64_t)frame && more < 5 * (int64_t)frame);
    CHECK_OK(mmf_channel_size(MMF_KIND_TOPIC, frame, 1, pins, &bytes));
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
