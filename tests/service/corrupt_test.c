/*
 * corrupt_test.c - a service whose shared words another process has overwritten:
 * MMF_E_CORRUPT, or an answer that could be, and no byte from outside the slots. Then
 * random words, with every call.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

/* As docs/internals/layout.md says, for messages of 8 bytes: 4 requests, 1 client. */
enum {
    STRIDE = 64,
    HEAD = 32, /* in a slot's first line, behind a short payload */
    LENGTH = 48,
    PART = 4 * STRIDE,
    LANES = PART + 256,
    ANSWERS = LANES + 128,
    END = ANSWERS + 2 * 2 * STRIDE
};

/* Of a length: the payload follows the first line, which a slot of 64 bytes has not. */
#define IS_LONG ((uint32_t)1 << 31)

static mmf_service *
new_one(void)
{
    mmf_service_options options = service_options(MMF_ROLE_BOTH);
    mmf_service *service;

    options.max_clients = options.max_servers = 1;
    options.max_calls = 2;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 4, &options, &service));
    return service;
}

static void
put(int64_t at, uint32_t value)
{
    overwrite("S", IN_SLOTS, at, &value, sizeof(value));
}

TEST(a_request_of_no_client)
{
    static const uint32_t lanes[] = {2, 3, 1000, UINT32_MAX};
    mmf_message request = {.sequence = 77}, before = request;

    for (size_t i = 0; i < COUNT_OF(lanes); i++) {
        mmf_service *service = new_one();

        begin_call(service, 1);
        put(STRIDE + HEAD, lanes[i]); /* the first index is 1 */
        CHECK_FAILS(mmf_service_take(service, 100, &request), MMF_E_CORRUPT);
        CHECK_BYTES(&request, &before, sizeof(request));
        no_request(service);
        mmf_service_close(service);
    }
}

TEST(a_request_longer_than_its_slot)
{
    mmf_service *service = new_one();
    mmf_message request;

    begin_call(service, 1);
    put(STRIDE + LENGTH, 9);
    CHECK_FAILS(mmf_service_take(service, 100, &request), MMF_E_CORRUPT);
    mmf_service_close(service);
    service = new_one();
    begin_call(service, 2);
    put(STRIDE + LENGTH, 8 | IS_LONG);
    CHECK_FAILS(mmf_service_take(service, 100, &request), MMF_E_CORRUPT);
    mmf_service_close(service);
}

TEST(an_answer_that_makes_no_sense)
{
    static const struct {
        int64_t at;
        uint32_t value;
    } bad[] = {{LENGTH, 9}, {LENGTH, UINT32_MAX}, {LENGTH, 8 | IS_LONG}, {HEAD, 77}};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        mmf_service *service = new_one();
        uint64_t call = begin_call(service, 1), number;
        mmf_message request = take_request(service, 1), got;
        size_t length = 77;

        answer(service, &request, 2, MMF_ANSWER_LAST);
        put(ANSWERS + bad[i].at, bad[i].value);
        CHECK_FAILS(mmf_service_take_answer(service, call, 100, &got), MMF_E_CORRUPT);
        CHECK_FAILS(
            mmf_service_receive_answer(service, call, &number, 8, 100, &length, NULL),
            MMF_E_CORRUPT);
        CHECK_INT(length, 77);
        CHECK_OK(mmf_service_cancel(service, call));
        mmf_service_close(service);
    }
}

/* Random words anywhere: each call ends, and gives nothing from outside the slots. */
static void
call_all(mmf_service *service, uint64_t *seed)
{
    mmf_message request, got;
    uint64_t call = 0, number = 7;
    size_t length;
    int wanted;
    void *bytes;

    (void)mmf_service_send(service, &number, 8, 0, &call);
    if (mmf_service_take(service, 0, &request) == MMF_OK) {
        CHECK(request.length <= 8);
        memcpy(&number, request.bytes, request.length);
        (void)mmf_service_is_wanted(service, &request, &wanted);
        (void)mmf_service_answer(service, &request, &number, 8, MMF_ANSWER_MORE, 0);
        if (next_random(seed) % 4 == 0)
            (void)mmf_service_return(service, &request);
        else if (mmf_service_reserve_answer(service, &request, 8, 0, &bytes) ==
                 MMF_OK) {
            memset(bytes, 7, 8);
            (void)mmf_service_commit_answer(service, &request, 8, MMF_ANSWER_LAST);
        }
    }
    if (mmf_service_take_answer(service, 0, 0, &got) == MMF_OK) {
        CHECK(got.length <= 8);
        memcpy(&number, got.bytes, got.length);
        (void)mmf_service_release_answer(service, &got);
    }
    (void)mmf_service_receive_answer(service, 0, &number, 8, 0, &length, NULL);
    if (next_random(seed) % 2)
        (void)mmf_service_cancel(service, call);
}

TEST(any_words)
{
    uint64_t seed = 20261129;
    int rounds = harness_long() ? 2000 : 100;

    for (int i = 0; i < rounds; i++) {
        mmf_service *service = new_one();
        mmf_channel_stats stats;

        CHECK_CONTEXT("round %d", i);
        for (int often = 0; often < 20; often++) {
            static const uint32_t values[] = {0, 1, 2, 5, 64, 0xFFFF, UINT32_MAX};
            int64_t at = (int64_t)(next_random(&seed) % (END / 4)) * 4;
            uint32_t value = next_random(&seed) % 2
                                 ? values[next_random(&seed) % COUNT_OF(values)]
                                 : (uint32_t)next_random(&seed);

            if (next_random(&seed) % 4 != 0)
                put(at, value);
            call_all(service, &seed);
        }
        CHECK_OK(mmf_service_stat(service, &stats));
        CHECK(stats.depth >= 0 && stats.depth <= 4);
        mmf_service_close(service);
    }
}
