/*
 * waitable_test.c - services among the objects of a wait for any: requests for a server,
 * answers for a client.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { CLIENT = MMF_ROLE_CLIENT, SERVER = MMF_ROLE_SERVER, BOTH = MMF_ROLE_BOTH };

static mmf_event *
new_event(void)
{
    mmf_event *event;

    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    return event;
}

/* The wait must give that index; -1: none, by its timeout. */
static void
expect_index(mmf_waitable *const *objects, int count, int32_t timeout_ms, int expected)
{
    int index = -1;
    int rc = mmf_wait_any(objects, count, timeout_ms, &index);

    CHECK_STATUS(rc, expected < 0 ? MMF_TIMED_OUT : MMF_OK);
    CHECK_INT(index, expected);
}

static void
both_sides_are_waited_for(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_event *event = new_event();
    mmf_waitable *objects[] = {mmf_service_waitable(client), mmf_event_waitable(event),
                               mmf_service_waitable(server)};
    mmf_message request, taken;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t call;

        expect_index(objects, 3, 0, -1); /* no call is open */
        expect_index(objects, 3, 5, -1);
        call = begin_call(client, i);
        expect_index(objects, 3, LONG_MS, 2);
        CHECK_OK(mmf_event_set(event));
        expect_index(objects, 3, 0, 1); /* the lower index */
        CHECK_OK(mmf_wait_one(objects[2], 0));
        request = take_request(server, i); /* nothing was taken */
        expect_index(objects, 3, 5, -1);
        answer(server, &request, i + 1, MMF_ANSWER_MORE);
        answer(server, &request, i + 2, MMF_ANSWER_LAST);
        expect_index(objects, 3, LONG_MS, 0);
        CHECK_OK(mmf_service_take_answer(client, call, 0, &taken));
        expect_index(objects, 3, 5, -1); /* until it is released */
        CHECK_OK(mmf_service_release_answer(client, &taken));
        expect_index(objects, 3, LONG_MS, 0);
        receive_number(client, call, i + 2);
    }
    mmf_event_close(event);
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
a_request_that_was_too_large_is_there(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_waitable *object = mmf_service_waitable(server);
    uint64_t call = begin_call(client, 7);
    mmf_message request;
    size_t length;
    char byte;

    (void)state;
    CHECK_FAILS(mmf_service_receive(server, &byte, 1, 0, &length, &request),
                MMF_E_RANGE);
    CHECK_OK(mmf_wait_one(object, 0));
    request = take_request(server, 7);
    CHECK_STATUS(mmf_wait_one(object, 0), MMF_TIMED_OUT);
    answer(server, &request, 8, MMF_ANSWER_LAST);
    receive_number(client, call, 8);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* A handle that is client and server: whichever comes. */
static void
one_handle_waits_in_both_roles(void **state)
{
    mmf_service *service = new_service(BOTH, 8);
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    mmf_message request;
    uint64_t call;
    int index = 77;

    (void)state;
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        objects[i] = mmf_service_waitable(service);
    expect_index(objects, MMF_WAIT_MAXIMUM, 0, -1);
    call = begin_call(service, 1);
    expect_index(objects, 32, LONG_MS, 0);
    CHECK_STATUS(mmf_wait_any(objects, 33, 0, &index), MMF_E_NOT_SUPPORTED);
    CHECK(strstr(mmf_last_message(), "more than 64 doorbells") != NULL);
    CHECK_INT(index, 77);
    request = take_request(service, 1);
    expect_index(objects, 32, 5, -1);
    answer(service, &request, 2, MMF_ANSWER_LAST);
    expect_index(objects, 32, LONG_MS, 0);
    receive_number(service, call, 2);
    mmf_service_close(service);
}

static void
what_is_no_wait_is_refused(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_event *event = new_event();
    mmf_waitable *both[] = {mmf_service_waitable(client), mmf_event_waitable(event)};
    int index = 77;

    (void)state;
    CHECK(mmf_service_waitable(NULL) == NULL);
    CHECK_STATUS(mmf_wait_any(both, 1, MMF_INFINITE, &index), MMF_E_STATE);
    CHECK(strstr(mmf_last_message(), "no call is open") != NULL);
    CHECK_STATUS(mmf_wait_one(both[0], MMF_INFINITE), MMF_E_STATE);
    CHECK_STATUS(mmf_wait_all(both, 2, 0), MMF_E_NOT_SUPPORTED);
    CHECK(strstr(mmf_last_message(), "one of the objects is a service") != NULL);
    CHECK_STATUS(mmf_signal_and_wait(both[1], both[0], 0), MMF_E_NOT_SUPPORTED);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT); /* it was not signalled */
    CHECK_INT(index, 77);
    mmf_event_close(event);
    mmf_service_close(client);
    mmf_service_close(server);
}

/*
 * Calls and signals cross between two threads, each of which sleeps in a wait for both.
 */
enum { ROUNDS = HARNESS_TSAN ? 500 : 3000 };

struct office {
    mmf_event *to_client, *to_server;
};

static void *
serve(void *argument)
{
    const struct office *office = argument;
    mmf_service *server = open_service(SERVER);
    mmf_waitable *objects[] = {mmf_service_waitable(server),
                               mmf_event_waitable(office->to_server)};

    for (int requests = 0, signals = 0; requests + signals < 2 * ROUNDS;) {
        mmf_message request;
        int index = -1;

        CHECK_STATUS(mmf_wait_any(objects, 2, LONG_MS, &index), MMF_OK);
        if (index == 1) {
            signals++;
            CHECK_OK(mmf_event_set(office->to_client));
            continue;
        }
        CHECK_STATUS(mmf_service_take(server, 0, &request), MMF_OK);
        requests++;
        CHECK_STATUS(mmf_service_answer(server, &request, request.bytes, request.length,
                                        MMF_ANSWER_LAST, 0),
                     MMF_OK);
    }
    mmf_service_close(server);
    return NULL;
}

static void
every_call_and_every_signal_arrives(void **state)
{
    struct office office = {new_event(), new_event()};
    mmf_service *client = new_service(CLIENT, 8);
    mmf_waitable *objects[] = {mmf_event_waitable(office.to_client),
                               mmf_service_waitable(client)};
    pthread_t server;

    (void)state;
    CHECK_INT(pthread_create(&server, NULL, serve, &office), 0);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t call = begin_call(client, i);
        unsigned seen = 0;

        CHECK_OK(mmf_event_set(office.to_server));
        while (seen != 3) {
            int index = -1;

            CHECK_STATUS(mmf_wait_any(objects, 2, LONG_MS, &index), MMF_OK);
            CHECK((seen & (1u << index)) == 0);
            seen |= 1u << index;
            if (index == 1)
                receive_number(client, call, i);
        }
    }
    pthread_join(server, NULL);
    mmf_event_close(office.to_client);
    mmf_event_close(office.to_server);
    mmf_service_close(client);
}

/*
 * Processes that die. Each says when it is in the service, and what it has taken.
 */

static int
run_peer(int argc, char **argv)
{
    mmf_service *service = open_service(argv[1][0] == 'c' ? CLIENT : SERVER);
    char line[8];

    (void)argc;
    role_say("open");
    if (argv[1][0] == 't') {
        role_hear(line, sizeof(line));
        take_request(service, 1);
        role_say("taken");
    }
    role_hear(line, sizeof(line));
    mmf_service_close(service);
    return 0;
}

static mmf_service *
open_to_be_told(mmf_role role)
{
    mmf_service_options options = service_options(role);
    mmf_service *service;

    options.flags = MMF_CHANNEL_PEER_CLOSED;
    CHECK_OK(mmf_service_open_existing("S", &options, &service));
    return service;
}

static struct process *
start_peer(const char *kind)
{
    const char *const arguments[] = {kind, NULL};
    struct process *peer = process_start("peer", arguments);

    process_expect(peer, "open");
    return peer;
}

static void
kill_peer(struct process *peer)
{
    process_kill(peer);
    process_finish(peer);
}

static void
a_dead_server_ends_the_wait_for_an_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        mmf_service *first = new_service(CLIENT, 8);
        mmf_service *client = open_to_be_told(CLIENT);
        mmf_event *event = new_event();
        mmf_waitable *objects[] = {mmf_event_waitable(event),
                                   mmf_service_waitable(client)};
        struct process *server = start_peer("server");
        uint64_t call = begin_call(client, 1);
        mmf_message message;

        expect_index(objects, 2, 5, -1);
        kill_peer(server);
        expect_index(objects, 2, LONG_MS, 1);
        CHECK_FAILS(mmf_service_take_answer(client, call, 0, &message),
                    MMF_E_PEER_CLOSED);
        CHECK_OK(mmf_service_cancel(client, call));
        expect_index(objects, 2, 5, -1); /* without a call there is no end */
        mmf_event_close(event);
        mmf_service_close(client);
        mmf_service_close(first);
    }
}

static void
a_dead_client_ends_the_wait_for_a_request(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        mmf_service *first = new_service(SERVER, 8);
        mmf_service *server = open_to_be_told(SERVER);
        mmf_waitable *object = mmf_service_waitable(server);
        struct process *client = start_peer("client");
        mmf_message message;
        int index;

        CHECK_STATUS(mmf_wait_any(&object, 1, 5, &index), MMF_TIMED_OUT);
        kill_peer(client);
        expect_index(&object, 1, LONG_MS, 0);
        CHECK_FAILS(mmf_service_take(server, 0, &message), MMF_E_PEER_CLOSED);
        mmf_service_close(server);
        mmf_service_close(first);
    }
}

static void
what_a_dead_server_had_ends_the_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
        mmf_event *event = new_event();
        mmf_waitable *objects[] = {mmf_event_waitable(event),
                                   mmf_service_waitable(server)};
        struct process *victim = start_peer("taker");
        uint64_t call = begin_call(client, 1);
        mmf_message request;

        process_send(victim, "take");
        process_expect(victim, "taken");
        expect_index(objects, 2, 5, -1);
        kill_peer(victim);
        expect_index(objects, 2, LONG_MS, 1);
        CHECK_STATUS(mmf_service_take(server, 0, &request), MMF_OK);
        CHECK_INT(request.deliveries, 2);
        answer(server, &request, 2, MMF_ANSWER_LAST);
        receive_number(client, call, 2);
        mmf_event_close(event);
        mmf_service_close(client);
        mmf_service_close(server);
    }
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", run_peer}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_are_waited_for),
        cmocka_unit_test(a_request_that_was_too_large_is_there),
        cmocka_unit_test(one_handle_waits_in_both_roles),
        cmocka_unit_test(what_is_no_wait_is_refused),
        cmocka_unit_test(every_call_and_every_signal_arrives),
        cmocka_unit_test(a_dead_server_ends_the_wait_for_an_answer),
        cmocka_unit_test(a_dead_client_ends_the_wait_for_a_request),
        cmocka_unit_test(what_a_dead_server_had_ends_the_wait),
    };

    return harness_main(argc, argv, "service.waitable", tests, COUNT_OF(tests), roles);
}
