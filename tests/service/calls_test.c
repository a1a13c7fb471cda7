/*
 * calls_test.c - many clients and servers at once. What each call does is in
 * tests/scenarios/service.scn.
 */
#include "support.h"

#include <pthread.h>

enum { CLIENT = MMF_ROLE_CLIENT, SERVER = MMF_ROLE_SERVER };

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

TEST(many_call_many)
{
    mmf_service_options options = {.size = sizeof(options), .role = CLIENT};
    mmf_service *clients[THREADS], *servers[THREADS];
    pthread_t callers[THREADS], servants[THREADS];

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
    for (int i = 0; i < THREADS; i++)
        mmf_service_close(clients[i]);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(servants[i], NULL), 0);
    /* A server counts a request after its answer: now all are counted. */
    CHECK_INT(service_stats(servers[0]).received, THREADS * CALLS);
    for (int i = 0; i < THREADS; i++)
        mmf_service_close(servers[i]);
}

static mmf_event *
new_event(void)
{
    mmf_event *event;

    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    return event;
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

TEST(every_call_and_every_signal_arrives)
{
    struct office office = {new_event(), new_event()};
    mmf_service *client = new_service(CLIENT, 8);
    mmf_waitable *objects[] = {mmf_event_waitable(office.to_client),
                               mmf_service_waitable(client)};
    pthread_t server;

    CHECK(mmf_service_waitable(NULL) == NULL);
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
