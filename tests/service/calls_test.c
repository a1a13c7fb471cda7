/*
 * calls_test.c - what clients and servers get: one answer, several, none; several calls
 * at once; a server or a client that goes.
 */
#include "support.h"

#include <pthread.h>
#include <string.h>

enum { CLIENT = MMF_ROLE_CLIENT, SERVER = MMF_ROLE_SERVER, BOTH = MMF_ROLE_BOTH };

static void
an_answer_comes_to_its_call(void **state)
{
    mmf_service *server = new_service(SERVER, 8);
    mmf_service *client = open_service(CLIENT);
    mmf_message request, got;
    uint64_t call;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        call = begin_call(client, i);
        no_answer(client, call);
        request = take_request(server, i);
        CHECK_INT(request.sequence, call);
        CHECK_INT(request.deliveries, 1);
        CHECK_INT(request.flags, 0);
        CHECK_INT(is_wanted(server, &request), 1);
        answer(server, &request, i + 100, MMF_ANSWER_LAST);
        got = receive_number(client, call, i + 100);
        CHECK_INT(got.flags, MMF_MESSAGE_LAST);
        CHECK_INT(got.deliveries, 1);
        CHECK_FAILS(mmf_service_take_answer(client, call, 0, &got), MMF_E_STATE);
        CHECK_FAILS(mmf_service_answer(server, &request, "1", 1, 0, 0), MMF_E_STATE);
    }
    no_request(server);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* A server in a thread: says the number and one more. */
static void *
serve(void *count)
{
    mmf_service *server = open_service(SERVER);

    for (int i = 0; i < *(int *)count; i++) {
        char bytes[300];
        mmf_message request;
        size_t length;

        CHECK_STATUS(mmf_service_receive(server, bytes, sizeof(bytes), LONG_MS, &length,
                                         &request),
                     MMF_OK);
        CHECK(request.bytes == bytes);
        bytes[0]++;
        CHECK_STATUS(mmf_service_answer(server, &request, bytes, length,
                                        MMF_ANSWER_LAST, LONG_MS),
                     MMF_OK);
    }
    mmf_service_close(server);
    return NULL;
}

/* Lengths on both sides of where a payload has a line of its own. */
static void
calls_have_any_length(void **state)
{
    static const size_t lengths[] = {0,  1,  31, 32, 33,  40, 47,
                                     48, 49, 64, 65, 255, 256};
    mmf_service *client = new_service(CLIENT, 256);
    int count = (int)COUNT_OF(lengths);
    pthread_t thread;

    (void)state;
    CHECK_INT(pthread_create(&thread, NULL, serve, &count), 0);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        char bytes[256], expected[256], got[256];
        size_t length = 7777;

        CHECK_CONTEXT("%zu bytes", lengths[i]);
        memset(bytes, 'a' + (int)i, sizeof(bytes));
        memcpy(expected, bytes, sizeof(bytes));
        expected[0]++;
        CHECK_STATUS(mmf_service_call(client, bytes, lengths[i], got, sizeof(got),
                                      LONG_MS, &length),
                     MMF_OK);
        CHECK_INT(length, lengths[i]);
        CHECK_BYTES(got, expected, length);
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_service_close(client);
}

/* Sizes of requests and answers on both sides of a line, in place. */
static void
sizes_may_be_any(void **state)
{
    static const size_t sizes[] = {1,  31, 32, 33,  47,  48, 49,
                                   63, 64, 65, 127, 128, 129};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        mmf_service *service = new_service(BOTH, sizes[i]);
        mmf_message request, got;
        uint64_t call;
        void *bytes;

        CHECK_CONTEXT("%zu bytes", sizes[i]);
        for (int often = 0; often < 20; often++) {
            CHECK_OK(mmf_service_reserve(service, sizes[i], 0, &bytes));
            memset(bytes, often, sizes[i]);
            CHECK_OK(mmf_service_commit(service, sizes[i], &call));
            CHECK_OK(mmf_service_take(service, 0, &request));
            CHECK_OK(
                mmf_service_reserve_answer(service, &request, sizes[i], 0, &bytes));
            CHECK_INT(request.length, sizes[i]);
            memcpy(bytes, request.bytes, sizes[i]);
            CHECK_OK(mmf_service_commit_answer(service, &request, sizes[i], 0));
            CHECK_OK(mmf_service_take_answer(service, call, 0, &got));
            CHECK_INT(got.length, sizes[i]);
            CHECK_INT(*(const char *)got.bytes, often);
            CHECK_INT(((const char *)got.bytes)[sizes[i] - 1], often);
            CHECK_OK(mmf_service_release_answer(service, &got));
        }
        mmf_service_close(service);
    }
}

/* A payload that is longer than what was asked for at first may be shortened. */
static void
commits_may_be_shorter(void **state)
{
    mmf_service *service = new_service(BOTH, 100);
    mmf_message request, got;
    uint64_t call;
    void *bytes;

    (void)state;
    CHECK_OK(mmf_service_reserve(service, 100, 0, &bytes));
    memcpy(bytes, "request", 7);
    CHECK_FAILS_PARAM(mmf_service_commit(service, 101, &call), MMF_E_RANGE, "length");
    CHECK_OK(mmf_service_commit(service, 7, &call));
    CHECK_OK(mmf_service_take(service, 0, &request));
    CHECK_INT(request.length, 7);
    CHECK_BYTES(request.bytes, "request", 7);
    CHECK_INT((uintptr_t)request.bytes % 64, 0);
    CHECK_OK(mmf_service_reserve_answer(service, &request, 100, 0, &bytes));
    memcpy(bytes, "answer", 6);
    CHECK_FAILS_PARAM(mmf_service_commit_answer(service, &request, 101, 0), MMF_E_RANGE,
                      "length");
    CHECK_OK(mmf_service_commit_answer(service, &request, 6, MMF_ANSWER_LAST));
    CHECK_OK(mmf_service_take_answer(service, call, 0, &got));
    CHECK_INT(got.length, 6);
    CHECK_BYTES(got.bytes, "answer", 6);
    CHECK_INT((uintptr_t)got.bytes % 64, 0);
    mmf_service_close(service);
}

static void
several_calls_are_open_at_once(void **state)
{
    mmf_service *server = new_service(SERVER, 8);
    mmf_service *client = open_service(CLIENT);
    mmf_message requests[3], got;
    uint64_t calls[3], one_more;

    (void)state;
    for (uint64_t i = 0; i < 3; i++)
        calls[i] = begin_call(client, i);
    CHECK_FAILS(mmf_service_send(client, "1", 1, LONG_MS, &one_more), MMF_E_TOO_MANY);
    for (uint64_t i = 0; i < 3; i++)
        requests[i] = take_request(server, i);
    answer(server, &requests[2], 12, MMF_ANSWER_LAST);
    answer(server, &requests[0], 10, MMF_ANSWER_LAST);
    no_answer(client, calls[1]);
    receive_number(client, calls[0], 10);
    got = receive_number(client, 0, 12); /* to any */
    CHECK_INT(got.sequence, calls[2]);
    no_answer(client, 0);
    answer(server, &requests[1], 11, MMF_ANSWER_LAST);
    got = receive_number(client, 0, 11);
    CHECK_INT(got.sequence, calls[1]);
    CHECK_FAILS(mmf_service_take_answer(client, 0, LONG_MS, &got), MMF_E_STATE);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* Many more answers than there are slots; in place and as copies. */
static void
a_call_may_have_many_answers(void **state)
{
    mmf_service *server = new_service(SERVER, 8);
    mmf_service *client = open_service(CLIENT);
    uint64_t call = begin_call(client, 1);
    mmf_message request = take_request(server, 1);
    mmf_message got;

    (void)state;
    for (uint64_t i = 0; i < 50; i++) {
        uint64_t number = 2 * i;
        void *bytes;

        answer(server, &request, number, MMF_ANSWER_MORE);
        CHECK_OK(mmf_service_reserve_answer(server, &request, 8, 0, &bytes));
        number++;
        memcpy(bytes, &number, 8);
        CHECK_OK(mmf_service_commit_answer(server, &request, 8,
                                           i < 49 ? MMF_ANSWER_MORE : MMF_ANSWER_LAST));
        if (i < 49) /* two wait */
            CHECK_STATUS(mmf_service_answer(server, &request, "1", 1, 0, 1),
                         MMF_TIMED_OUT);
        got = receive_number(client, call, 2 * i);
        CHECK_INT(got.flags, 0);
        CHECK_OK(mmf_service_take_answer(client, call, LONG_MS, &got));
        CHECK_BYTES(got.bytes, &number, 8);
        CHECK_INT(got.flags, i < 49 ? 0 : MMF_MESSAGE_LAST);
        CHECK_FAILS(mmf_service_take_answer(client, call, 0, &got), MMF_E_STATE);
        CHECK_OK(mmf_service_release_answer(client, &got));
        CHECK_FAILS(mmf_service_release_answer(client, &got), MMF_E_STATE);
    }
    no_request(server);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* A call gets the first of several answers, and gives up the others. */
static void *
serve_many(void *unused)
{
    mmf_service *server = open_service(SERVER);
    mmf_message request = take_request(server, 1);
    uint64_t number = 5;
    int rc = MMF_OK;

    (void)unused;
    while (rc == MMF_OK)
        rc = mmf_service_answer(server, &request, &number, 8, MMF_ANSWER_MORE, LONG_MS);
    CHECK_INT(rc, MMF_E_PEER_CLOSED);
    CHECK_INT(is_wanted(server, &request), 0);
    CHECK_STATUS(mmf_service_answer(server, &request, "1", 1, MMF_ANSWER_LAST, LONG_MS),
                 MMF_OK);
    mmf_service_close(server);
    return NULL;
}

static void
a_call_takes_one_of_many(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    uint64_t number = 1, got = 0;
    pthread_t thread;
    size_t length;

    (void)state;
    CHECK_INT(pthread_create(&thread, NULL, serve_many, NULL), 0);
    CHECK_STATUS(mmf_service_call(client, &number, 8, &got, 8, LONG_MS, &length),
                 MMF_OK);
    CHECK_INT(got, 5);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(service_stats(client).received, 1);
    mmf_service_close(client);
}

static void
a_call_ends_at_its_timeout(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *server = open_service(SERVER);
    uint64_t number = 3;
    mmf_message request;
    size_t length = 77;
    int64_t begin = now_us();

    (void)state;
    CHECK_STATUS(mmf_service_call(client, &number, 8, &number, 8, 30, &length),
                 MMF_TIMED_OUT);
    CHECK(now_us() - begin >= 30000);
    CHECK_INT(length, 77);
    no_request(server); /* it was taken back */
    CHECK_INT(service_stats(client).depth, 0);
    begin_call(client, 4);
    request = take_request(server, 4);
    answer(server, &request, 4, MMF_ANSWER_LAST);
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
a_cancelled_call_is_not_wanted(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *server = open_service(SERVER);
    uint64_t call = begin_call(client, 1), next[3];
    mmf_message request = take_request(server, 1), message;

    (void)state;
    CHECK_INT(is_wanted(server, &request), 1);
    CHECK_OK(mmf_service_cancel(client, call));
    CHECK_FAILS(mmf_service_cancel(client, call), MMF_E_STATE);
    CHECK_INT(is_wanted(server, &request), 0);
    /* The server still has it, and so has its place. */
    next[0] = begin_call(client, 2);
    next[1] = begin_call(client, 3);
    CHECK_STATUS(mmf_service_send(client, "1", 1, 30, &next[2]), MMF_TIMED_OUT);
    /* Its answers are for no other call. */
    answer(server, &request, 77, MMF_ANSWER_MORE);
    answer(server, &request, 78, MMF_ANSWER_MORE);
    CHECK_FAILS(mmf_service_answer(server, &request, "1", 1, MMF_ANSWER_MORE, LONG_MS),
                MMF_E_PEER_CLOSED);
    no_answer(client, 0);
    answer(server, &request, 79, MMF_ANSWER_LAST);
    next[2] = begin_call(client, 4);
    no_answer(client, 0);
    for (uint64_t i = 0; i < 3; i++) {
        request = take_request(server, 2 + i);
        answer(server, &request, 12 + i, MMF_ANSWER_LAST);
        receive_number(client, next[i], 12 + i);
    }
    /* One that no server has is taken out of the queue. */
    call = begin_call(client, 9);
    CHECK_OK(mmf_service_cancel(client, call));
    CHECK_STATUS(mmf_service_take(server, 0, &message), MMF_TIMED_OUT);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* Closing cancels; and a new client with the same number gets none of its answers. */
static void
a_client_that_leaves_is_succeeded(void **state)
{
    mmf_service *server = new_service(SERVER, 8);
    mmf_service_options options = service_options(CLIENT);
    mmf_service *client = open_service(CLIENT), *other = open_service(CLIENT);
    mmf_service *third = UNTOUCHED;
    mmf_message request;
    uint64_t call;

    (void)state;
    CHECK_FAILS(mmf_service_open_existing("S", &options, &third), MMF_E_TOO_MANY);
    CHECK(third == UNTOUCHED);
    begin_call(client, 1);
    begin_call(client, 2);
    request = take_request(server, 1);
    mmf_service_close(client);
    CHECK_INT(is_wanted(server, &request), 0);
    no_request(server); /* the other one was taken back */
    client = open_service(CLIENT);
    for (uint64_t i = 0; i < 2; i++)
        begin_call(client, 10 + i); /* as many as there are, but for the first's */
    answer(server, &request, 66, MMF_ANSWER_LAST);
    no_answer(client, 0);
    call = begin_call(client, 12);
    for (uint64_t i = 0; i < 3; i++) {
        request = take_request(server, 10 + i);
        answer(server, &request, 20 + i, MMF_ANSWER_LAST);
    }
    receive_number(client, call, 22);
    receive_number(client, 0, 20);
    receive_number(client, 0, 21);
    mmf_service_close(client);
    mmf_service_close(other);
    mmf_service_close(server);
}

/* A server that leaves after some answers: the next one goes on behind them. */
static void
a_request_is_redelivered(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *first = open_service(SERVER), *second = open_service(SERVER);
    uint64_t call = begin_call(client, 1);
    mmf_message request = take_request(first, 1), got;

    (void)state;
    answer(first, &request, 10, MMF_ANSWER_MORE);
    no_request(second);
    mmf_service_close(first);
    request = take_request(second, 1);
    CHECK_INT(request.sequence, call);
    CHECK_INT(request.deliveries, 2);
    CHECK_INT(request.flags, MMF_MESSAGE_REDELIVERED);
    answer(second, &request, 20, MMF_ANSWER_MORE);
    got = receive_number(client, call, 10);
    CHECK_INT(got.deliveries, 1);
    got = receive_number(client, call, 20);
    CHECK_INT(got.deliveries, 2);
    CHECK_INT(got.flags, MMF_MESSAGE_REDELIVERED);
    answer(second, &request, 21, MMF_ANSWER_MORE);
    mmf_service_close(second);
    first = open_service(SERVER);
    receive_number(client, call, 21);
    request = take_request(first, 1);
    CHECK_INT(request.deliveries, 3);
    answer(first, &request, 30, MMF_ANSWER_LAST);
    got = receive_number(client, call, 30);
    CHECK_INT(got.deliveries, 3);
    CHECK_INT(service_stats(client).redelivered, 2);
    mmf_service_close(first);
    mmf_service_close(client);
}

static void
a_server_may_return_a_request(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *first = open_service(SERVER), *second = open_service(SERVER);
    uint64_t call = begin_call(client, 1);
    mmf_message request = take_request(first, 1), got;
    void *bytes;

    (void)state;
    CHECK_OK(mmf_service_reserve_answer(first, &request, 8, 0, &bytes));
    CHECK_OK(mmf_service_return(first, &request));
    CHECK_FAILS(mmf_service_return(first, &request), MMF_E_STATE);
    CHECK_FAILS(mmf_service_commit_answer(first, &request, 8, 0), MMF_E_STATE);
    got = take_request(second, 1);
    CHECK_INT(got.deliveries, 2);
    answer(second, &got, 5, MMF_ANSWER_LAST);
    receive_number(client, call, 5);
    mmf_service_close(first);
    mmf_service_close(second);
    mmf_service_close(client);
}

/* One that was cancelled while a server had it goes to no other server. */
static void
an_unwanted_request_is_not_redelivered(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *first = open_service(SERVER), *second = open_service(SERVER);
    uint64_t call = begin_call(client, 1);

    (void)state;
    take_request(first, 1);
    CHECK_OK(mmf_service_cancel(client, call));
    mmf_service_close(first);
    no_request(second);
    CHECK_INT(service_stats(client).depth, 0);
    for (uint64_t i = 0; i < 3; i++) /* all places are free */
        begin_call(client, i);
    mmf_service_close(second);
    mmf_service_close(client);
}

static void
peers_may_be_asked_for(void **state)
{
    mmf_service_options options = service_options(CLIENT);
    mmf_service *client, *server;
    mmf_message message;
    char byte;
    size_t length;
    uint64_t call;

    (void)state;
    options.flags = MMF_CHANNEL_PEER_CLOSED;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 4, &options, &client));
    CHECK_STATUS(mmf_service_call(client, "1", 1, &byte, 1, 30, &length),
                 MMF_TIMED_OUT); /* there has been none */
    options.role = SERVER;
    CHECK_OK(mmf_service_open_existing("S", &options, &server));
    call = begin_call(client, 1);
    message = take_request(server, 1);
    answer(server, &message, 2, MMF_ANSWER_MORE);
    mmf_service_close(server);
    receive_number(client, call, 2);
    CHECK_FAILS(mmf_service_take_answer(client, call, LONG_MS, &message),
                MMF_E_PEER_CLOSED);
    CHECK_FAILS(mmf_service_call(client, "1", 1, &byte, 1, LONG_MS, &length),
                MMF_E_PEER_CLOSED);
    CHECK_OK(mmf_service_open_existing("S", &options, &server));
    take_request(server, 1);
    mmf_service_close(client);
    CHECK_FAILS(mmf_service_take(server, LONG_MS, &message), MMF_E_PEER_CLOSED);
    mmf_service_close(server);
}

/* A client waits for its last place, and a server for space. */
static void *
finish_soon(void *request)
{
    nap_us(20000);
    CHECK_STATUS(mmf_service_answer(((void **)request)[0], ((void **)request)[1], "1",
                                    1, MMF_ANSWER_LAST, 0),
                 MMF_OK);
    return NULL;
}

static void
a_lane_that_becomes_free_is_waited_for(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *server = open_service(SERVER);
    mmf_message request;
    uint64_t call = begin_call(client, 1);
    void *both[2] = {server, &request};
    pthread_t thread;

    (void)state;
    request = take_request(server, 1);
    CHECK_OK(mmf_service_cancel(client, call));
    begin_call(client, 2);
    begin_call(client, 3);
    CHECK_INT(pthread_create(&thread, NULL, finish_soon, both), 0);
    CHECK_STATUS(mmf_service_send(client, "1", 1, LONG_MS, &call), MMF_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_service_close(client);
    mmf_service_close(server);
}

static void *
receive_soon(void *client)
{
    nap_us(20000);
    for (uint64_t i = 0; i < 3; i++)
        receive_number(client, 0, i);
    return NULL;
}

static void
space_that_becomes_free_is_waited_for(void **state)
{
    mmf_service *client = new_service(CLIENT, 8);
    mmf_service *server = open_service(SERVER);
    mmf_message request;
    pthread_t thread;

    (void)state;
    begin_call(client, 1);
    request = take_request(server, 1);
    answer(server, &request, 0, MMF_ANSWER_MORE);
    answer(server, &request, 1, MMF_ANSWER_MORE);
    CHECK_INT(pthread_create(&thread, NULL, receive_soon, client), 0);
    CHECK_STATUS(mmf_service_answer(server, &request, &(uint64_t){2}, 8,
                                    MMF_ANSWER_LAST, LONG_MS),
                 MMF_OK);
    CHECK_INT(pthread_join(thread, NULL), 0);
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
a_full_queue_is_waited_for(void **state)
{
    mmf_service_options options = service_options(CLIENT);
    mmf_service *client, *server;
    uint64_t call;

    (void)state;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 1, &options, &client));
    server = open_service(SERVER);
    begin_call(client, 1);
    CHECK_STATUS(mmf_service_send(client, "1", 1, 0, &call), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_service_send(client, "1", 1, 30, &call), MMF_TIMED_OUT);
    take_request(server, 1);
    mmf_service_close(server);
    mmf_service_close(client);
}

static void
small_buffers_lose_nothing(void **state)
{
    mmf_service *service = new_service(BOTH, 8);
    uint64_t number, call = begin_call(service, 7);
    mmf_message request;
    size_t length = 77;

    (void)state;
    begin_call(service, 8);
    CHECK_FAILS_PARAM(mmf_service_receive(service, &number, 7, 0, &length, &request),
                      MMF_E_RANGE, "capacity");
    CHECK_INT(length, 77);
    CHECK_STATUS(mmf_service_receive(service, &number, 8, 0, &length, &request),
                 MMF_OK);
    CHECK_INT(number, 7);
    CHECK_INT(request.sequence, call);
    CHECK_INT(request.deliveries, 1);
    answer(service, &request, 9, MMF_ANSWER_LAST);
    length = 77;
    CHECK_FAILS_PARAM(
        mmf_service_receive_answer(service, call, &number, 7, 0, &length, &request),
        MMF_E_RANGE, "capacity");
    CHECK_INT(length, 77);
    receive_number(service, call, 9);
    /* A call has no other place for it. */
    mmf_service_close(service);
}

/* The pending request is behind others that are answered meanwhile. */
static void
what_is_pending_stays_the_last(void **state)
{
    mmf_service *service = new_service(BOTH, 8);
    mmf_message first, second, last;
    uint64_t number;
    size_t length;

    (void)state;
    begin_call(service, 1);
    begin_call(service, 2);
    begin_call(service, 3);
    first = take_request(service, 1);
    second = take_request(service, 2);
    CHECK_FAILS(mmf_service_receive(service, &number, 1, 0, &length, &last),
                MMF_E_RANGE);
    answer(service, &first, 1, MMF_ANSWER_LAST);
    answer(service, &second, 2, MMF_ANSWER_LAST);
    last = take_request(service, 3);
    answer(service, &last, 3, MMF_ANSWER_LAST);
    receive_number(service, 0, 1);
    receive_number(service, 0, 2);
    receive_number(service, 0, 3);
    mmf_service_close(service);
}

/* The indexes begin before they wrap; a call has no number 0. */
static void
indexes_come_round(void **state)
{
    const uint64_t first = ((uint64_t)1 << 48) - 5;
    mmf_service *service = new_service(BOTH, 8);
    struct hold *hold = hold_channel("S");

    (void)state;
    mmf_service_close(service);
    overwrite("S", IN_RING, 0, &first, 8);
    service = open_service(BOTH);
    release_hold(hold);
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t call = begin_call(service, i);
        mmf_message request = take_request(service, i);

        answer(service, &request, i, MMF_ANSWER_LAST);
        receive_number(service, call, i);
    }
    mmf_service_close(service);
}

/* One slot for answers: each lies where the one before lay. */
static void
one_slot_for_answers_is_enough(void **state)
{
    mmf_service_options options = service_options(BOTH);
    mmf_service *service, *other;
    mmf_message request;
    uint64_t call;

    (void)state;
    options.max_calls = options.max_answers = 1;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 1, &options, &service));
    options.role = SERVER;
    for (uint64_t round = 0; round < 5; round++) {
        call = begin_call(service, round);
        CHECK_OK(mmf_service_open_existing("S", &options, &other));
        request = take_request(other, round);
        for (uint64_t i = 0; i < 3; i++) {
            answer(other, &request, i, MMF_ANSWER_MORE);
            receive_number(service, call, i);
        }
        mmf_service_close(other);
        request = take_request(service, round);
        CHECK_INT(request.deliveries, 2);
        answer(service, &request, 3, MMF_ANSWER_LAST);
        receive_number(service, call, 3);
    }
    mmf_service_close(service);
}

static void
a_list_has_the_counters(void **state)
{
    mmf_service *service = new_service(BOTH, 8);
    mmf_channel_stats stats, by_name;
    const mmf_object_info *info = NULL;
    mmf_message request;
    mmf_list *list;

    (void)state;
    begin_call(service, 1);
    begin_call(service, 2);
    request = take_request(service, 1);
    answer(service, &request, 1, MMF_ANSWER_LAST);
    CHECK_OK(mmf_list_create(0, &list));
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, "S") == 0)
            info = mmf_list_get(list, i);
    CHECK(info != NULL);
    CHECK_INT(info->kind, MMF_KIND_SERVICE);
    CHECK_TEXT(mmf_kind_name(info->kind), "service");
    CHECK(info->channel != NULL);
    stats = service_stats(service);
    CHECK_BYTES(info->channel, &stats, sizeof(stats));
    CHECK_OK(mmf_channel_stat("S", &by_name));
    CHECK_BYTES(&by_name, &stats, sizeof(stats));
    CHECK_INT(stats.message_size, 8);
    CHECK_INT(stats.answer_size, 8);
    CHECK_INT(stats.capacity, 4);
    CHECK_INT(stats.max_calls, 3);
    CHECK_INT(stats.max_answers, 2);
    CHECK_INT(stats.sent, 2);
    CHECK_INT(stats.received, 1);
    CHECK_INT(stats.depth, 1);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.max_senders, 2);
    mmf_list_close(list);
    mmf_service_close(service);
}

/* Several clients and servers in threads, all at once. */
enum { THREADS = 3, CALLS = 2000 };

static void *
call_often(void *client)
{
    for (uint64_t i = 0; i < CALLS; i++) {
        uint64_t number = (uint64_t)(uintptr_t)client ^ i, got = 0;
        size_t length;

        CHECK_STATUS(mmf_service_call(client, &number, 8, &got, 8, LONG_MS, &length),
                     MMF_OK);
        CHECK_INT(got, ~number);
    }
    return NULL;
}

static void *
serve_until_closed(void *server)
{
    mmf_message request;
    uint64_t number;
    size_t length;
    int rc;

    while ((rc = mmf_service_receive(server, &number, 8, LONG_MS, &length, &request)) ==
           MMF_OK) {
        number = ~number;
        CHECK_STATUS(mmf_service_answer(server, &request, &number, 8, 0, LONG_MS),
                     MMF_OK);
    }
    CHECK_INT(rc, MMF_E_PEER_CLOSED);
    return NULL;
}

static void
many_call_many(void **state)
{
    mmf_service_options options = {.size = sizeof(options), .role = CLIENT};
    mmf_service *clients[THREADS], *servers[THREADS];
    pthread_t callers[THREADS], servants[THREADS];

    (void)state;
    options.flags = MMF_CHANNEL_PEER_CLOSED;
    for (int i = 0; i < THREADS; i++)
        CHECK_OK(mmf_service_create_or_open("S", 8, 8, 2, &options, NULL, &clients[i]));
    options.role = SERVER;
    for (int i = 0; i < THREADS; i++) {
        CHECK_OK(mmf_service_open_existing("S", &options, &servers[i]));
        CHECK_INT(pthread_create(&servants[i], NULL, serve_until_closed, servers[i]),
                  0);
        CHECK_INT(pthread_create(&callers[i], NULL, call_often, clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(callers[i], NULL), 0);
    CHECK_INT(service_stats(clients[0]).received, THREADS * CALLS);
    for (int i = 0; i < THREADS; i++)
        mmf_service_close(clients[i]);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(servants[i], NULL), 0);
        mmf_service_close(servers[i]);
    }
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_to_its_call),
        cmocka_unit_test(calls_have_any_length),
        cmocka_unit_test(sizes_may_be_any),
        cmocka_unit_test(commits_may_be_shorter),
        cmocka_unit_test(several_calls_are_open_at_once),
        cmocka_unit_test(a_call_may_have_many_answers),
        cmocka_unit_test(a_call_takes_one_of_many),
        cmocka_unit_test(a_call_ends_at_its_timeout),
        cmocka_unit_test(a_cancelled_call_is_not_wanted),
        cmocka_unit_test(a_client_that_leaves_is_succeeded),
        cmocka_unit_test(a_request_is_redelivered),
        cmocka_unit_test(a_server_may_return_a_request),
        cmocka_unit_test(an_unwanted_request_is_not_redelivered),
        cmocka_unit_test(peers_may_be_asked_for),
        cmocka_unit_test(a_lane_that_becomes_free_is_waited_for),
        cmocka_unit_test(space_that_becomes_free_is_waited_for),
        cmocka_unit_test(a_full_queue_is_waited_for),
        cmocka_unit_test(small_buffers_lose_nothing),
        cmocka_unit_test(what_is_pending_stays_the_last),
        cmocka_unit_test(indexes_come_round),
        cmocka_unit_test(one_slot_for_answers_is_enough),
        cmocka_unit_test(a_list_has_the_counters),
        cmocka_unit_test(many_call_many),
    };

    return harness_main(argc, argv, "service.calls", tests, COUNT_OF(tests), NULL);
}
