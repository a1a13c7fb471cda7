/*
 * kills_test.c - clients and servers are killed at random moments. Each surviving client
 * gets the answer to each of its calls, and no other one's; nothing waits forever; and
 * afterwards every place of every client is free.
 *
 * What a server answers says which client and call it is for, and each client checks it.
 */
#include "support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENT = MMF_ROLE_CLIENT,
    SERVER = MMF_ROLE_SERVER,
    VICTIMS = 2,
    SIZE = 200,
    CALLS = 3,
    REPLIES = 5
};

static uint64_t seed = 20261129;

static int
rounds(void)
{
    return harness_long() ? 400 : 12;
}

struct request {
    uint64_t client; /* the process's own number */
    uint64_t number;
    uint64_t replies; /* that it wants */
};

struct reply {
    struct request request;
    uint64_t which;
    uint64_t check;
};

static struct reply
make_reply(const struct request *request, uint64_t which)
{
    return (struct reply){*request, which,
                          request->client * 7919 ^ request->number * 104729 ^ which};
}

static mmf_service *
open_one(mmf_role role)
{
    mmf_service_options options = {.size = sizeof(options), .role = role};
    mmf_service *service;

    options.strategy =
        next_random(&seed) % 2 ? MMF_STRATEGY_WAIT : MMF_STRATEGY_SPIN_THEN_WAIT;
    CHECK_OK(mmf_service_open_existing("S", &options, &service));
    return service;
}

static mmf_service *
new_one(void)
{
    mmf_service *service;

    /* Entries and places are to be used again and again. */
    CHECK_OK(mmf_service_create_new(
        "S", SIZE, SIZE, 4,
        SERVICE_OPTIONS(.role = CLIENT, .max_clients = VICTIMS + 1,
                        .max_servers = VICTIMS + 1, .max_calls = CALLS),
        &service));
    return service;
}

/*
 * Clients.
 */

static struct request
next_request(uint64_t client, uint64_t number)
{
    return (struct request){client, number, 1 + next_random(&seed) % REPLIES};
}

/* One answer, which is the next; whether it is the last. */
static int
check_reply(const struct request *request, const mmf_message *answer,
            const struct reply *reply, uint64_t *which, uint32_t *deliveries)
{
    struct reply expected;
    int is_last = (answer->flags & MMF_MESSAGE_LAST) != 0;

    CHECK(answer->deliveries >= *deliveries);
    if (answer->deliveries > *deliveries)
        *which = 0;
    *deliveries = answer->deliveries;
    expected = make_reply(request, *which);
    CHECK_INT(answer->length, sizeof(expected));
    CHECK_BYTES(reply, &expected, sizeof(expected));
    CHECK_INT(is_last, *which + 1 == request->replies);
    ++*which;
    return is_last;
}

/* A call and what has come of it. */
struct open_call {
    uint64_t call; /* 0: it has ended */
    struct request request;
    uint64_t which;
    uint32_t deliveries;
};

/* The next answer to `call`, or to any of them. */
static void
receive_one(mmf_service *client, uint64_t call, struct open_call *calls, int count)
{
    struct open_call *its = NULL;
    mmf_message answer;
    struct reply reply;
    size_t length;
    int is_copy = next_random(&seed) % 2 != 0;

    if (is_copy)
        CHECK_STATUS(mmf_service_receive_answer(client, call, &reply, sizeof(reply),
                                                LONG_MS, &length, &answer),
                     MMF_OK);
    else
        CHECK_STATUS(mmf_service_take_answer(client, call, LONG_MS, &answer), MMF_OK);
    for (int i = 0; i < count; i++)
        if (calls[i].call == answer.sequence)
            its = &calls[i];
    CHECK(its != NULL);
    if (!is_copy)
        memcpy(&reply, answer.bytes, sizeof(reply));
    if (check_reply(&its->request, &answer, &reply, &its->which, &its->deliveries))
        its->call = 0;
    if (!is_copy)
        CHECK_OK(mmf_service_release_answer(client, &answer));
}

static void
receive_replies(mmf_service *client, uint64_t call, const struct request *request)
{
    struct open_call its = {.call = call, .request = *request};

    while (its.call != 0)
        receive_one(client, call, &its, 1);
}

/*
 * Some calls that are open together; some are given up. The answers are taken as they
 * come, and no call waits while one is open: a server that waits for space in one call
 * answers no other one.
 */
static void
call_some(mmf_service *client, uint64_t self, uint64_t *number)
{
    struct open_call calls[CALLS] = {0};
    int count = 1 + (int)(next_random(&seed) % CALLS);

    for (int i = 0; i < count; i++) {
        struct request request = next_request(self, ++*number);
        int rc = mmf_service_send(client, &request, sizeof(request),
                                  i == 0 ? LONG_MS : 0, &calls[i].call);

        if (i > 0 && rc == MMF_TIMED_OUT)
            count = i;
        else
            CHECK_STATUS(rc, MMF_OK);
        calls[i].request = request;
    }
    for (int i = 0; i < count; i++) {
        if (next_random(&seed) % 8 == 0) {
            CHECK_OK(mmf_service_cancel(client, calls[i].call));
            calls[i].call = 0;
        }
    }
    for (int i = 0; i < count; i++)
        while (calls[i].call != 0)
            receive_one(client, 0, calls, count);
}

static void
call_one(mmf_service *client, uint64_t self, uint64_t *number)
{
    struct request request = {self, ++*number, 1};
    struct reply reply, expected = make_reply(&request, 0);
    size_t length;

    CHECK_STATUS(mmf_service_call(client, &request, sizeof(request), &reply,
                                  sizeof(reply), LONG_MS, &length),
                 MMF_OK);
    CHECK_INT(length, sizeof(reply));
    CHECK_BYTES(&reply, &expected, sizeof(reply));
}

ROLE_UNTIL_KILLED(client)
{
    uint64_t self = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    mmf_service *client;
    uint64_t number = 0;

    seed += self;
    client = open_one(CLIENT);
    role_say("ready");
    for (;;) {
        if (next_random(&seed) % 2)
            call_one(client, self, &number);
        else
            call_some(client, self, &number);
    }
}

/*
 * Servers.
 */

static void
serve(mmf_service *server, const mmf_message *message)
{
    struct request request;

    CHECK_INT(message->length, sizeof(request));
    memcpy(&request, message->bytes, sizeof(request));
    CHECK(request.replies >= 1 && request.replies <= REPLIES);
    if (next_random(&seed) % 16 == 0) {
        CHECK_OK(mmf_service_return(server, message));
        return;
    }
    for (uint64_t i = 0; i < request.replies; i++) {
        struct reply reply = make_reply(&request, i);
        uint32_t flags = i + 1 < request.replies ? MMF_ANSWER_MORE : MMF_ANSWER_LAST;
        int rc =
            mmf_service_answer(server, message, &reply, sizeof(reply), flags, LONG_MS);

        if (rc == MMF_E_PEER_CLOSED) {
            int wanted = 1;

            CHECK_OK(mmf_service_is_wanted(server, message, &wanted));
            CHECK_INT(wanted, 0);
            CHECK_OK(mmf_service_answer(server, message, NULL, 0, MMF_ANSWER_LAST, 0));
            return;
        }
        CHECK_STATUS(rc, MMF_OK);
    }
}

ROLE_UNTIL_KILLED(server)
{
    mmf_service *server;

    seed += argc > 1 ? strtoull(argv[1], NULL, 10) * 31 : 0;
    server = open_one(SERVER);
    role_say("ready");
    for (;;) {
        mmf_message requests[2];
        int count = 0;

        CHECK_STATUS(mmf_service_take(server, -1, &requests[count++]), MMF_OK);
        if (next_random(&seed) % 2 &&
            mmf_service_take(server, 0, &requests[count]) == MMF_OK)
            count++;
        while (count-- > 0)
            serve(server, &requests[count]);
    }
}

static struct process *
begin(const char *role)
{
    static int number;

    return process_ready(role, "%d", ++number);
}

static void
call_until(mmf_service *client, int64_t moment, uint64_t *number)
{
    do
        call_some(client, 0, number);
    while (now_us() < moment);
}

/* All places of a client are free, and nothing waits. */
static void
check_rest(mmf_service *client)
{
    uint64_t calls[CALLS];

    for (int i = 0; i < CALLS; i++) {
        struct request request = {0, 0, 1};

        CHECK_STATUS(
            mmf_service_send(client, &request, sizeof(request), LONG_MS, &calls[i]),
            MMF_OK);
    }
    for (int i = 0; i < CALLS; i++) {
        struct request request = {0, 0, 1};

        receive_replies(client, calls[i], &request);
    }
}

/* Who dies in turn; the others live on. */
enum deaths { SERVERS = 1, CLIENTS = 2 };

static void
kill_in_rounds(unsigned deaths)
{
    mmf_service *client = new_one();
    struct process *servers[VICTIMS], *clients[VICTIMS];
    uint64_t number = 0;

    for (int i = 0; i < VICTIMS; i++) {
        servers[i] = begin("server");
        clients[i] = begin("client");
    }
    for (int round = 0; round < rounds(); round++) {
        int which = round % VICTIMS;
        bool is_server =
            deaths == SERVERS || (deaths != CLIENTS && next_random(&seed) % 2);
        struct process **victim = is_server ? &servers[which] : &clients[which];

        call_until(client, random_moment(&seed), &number);
        end_victim(*victim);
        call_some(client, 0, &number);
        *victim = begin(is_server ? "server" : "client"); /* with its places */
    }
    check_rest(client);
    CHECK(service_stats(client).received >= number / 2);
    for (int i = 0; i < VICTIMS; i++)
        end_victim(clients[i]);
    call_until(client, random_moment(&seed), &number);
    for (int i = 0; i < VICTIMS; i++)
        end_victim(servers[i]);
    CHECK_INT(service_stats(client).receivers, 0);
    CHECK_INT(service_stats(client).senders, 1);
    mmf_service_close(client);
}

TEST(servers_are_killed)
{
    kill_in_rounds(SERVERS);
}

TEST(clients_are_killed)
{
    kill_in_rounds(CLIENTS);
}

TEST(both_are_killed)
{
    kill_in_rounds(SERVERS | CLIENTS);
}

/* The last server is killed with our requests; the next one finds them. */
TEST(requests_wait_for_the_next_server)
{
    mmf_service *client = new_one();

    for (int round = 0; round < rounds(); round++) {
        struct process *server = begin("server");
        struct request request = {0, (uint64_t)round, REPLIES};
        uint64_t call;

        CHECK_STATUS(
            mmf_service_send(client, &request, sizeof(request), LONG_MS, &call),
            MMF_OK);
        nap_us((int64_t)(next_random(&seed) % 300));
        end_victim(server);
        server = begin("server");
        receive_replies(client, call, &request);
        end_victim(server);
    }
    mmf_service_close(client);
}
