/*
 * kill_points.c - kill a client or a server at every place of every call. The survivors are a client with two open calls, unless the
 * operation has none, and a server that comes when the victim is dead:
 *
 *   - each call of the living client gets its answers, whole, in order, and one last;
 *     what the victim has answered to the end is not delivered again
 *   - the victim's requests come whole, or not at all
 *   - afterwards each entry of the tables is free for a new client or server, and so is
 *     each place of each client
 *   - a sleeper goes on whose waker is killed while it wakes it
 */
#include "kill.h"

#include <mmf/mmf.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CLIENT = MMF_ROLE_CLIENT,
    SERVER = MMF_ROLE_SERVER,
    STRIDE = 23, /* of instructions, unless all are wanted */
    SLOTS = 4,
    PARTICIPANTS = 3,
    CALLS = 2,
    REPLIES = 2,
    OURS = 30, /* our calls' numbers begin with it */
    LONG_MS = 20000,
    DONE_MS = 5000 /* everything is done by then */
};

#define REQUESTS 1u      /* our client has two calls open */
#define HELPER 2u        /* another process serves */
#define CALLER 4u        /* another process waits for an answer */
#define LISTENER 8u      /* another process waits for a request */
#define DEAD_SERVER 16u  /* one died with our first call, and an answer to it */
#define CANCELLED 32u    /* our first call was cancelled, once the victim had it */
#define ALONE 64u        /* the victim creates the service */
#define DEAD_CLIENT 128u /* one died with an open call */

/* Shared with the children. */
struct ledger {
    volatile int has_answered[2]; /* the victim: our calls, to the end */
    volatile int is_prepared;
    volatile int may_run;
    volatile int went_on; /* the helper that sleeps */
    volatile int failed;
};

static struct ledger *ledger;

static mmf_service *service; /* the victim's, or a helper's */
static mmf_message held;     /* that it has taken */
static uint64_t call;        /* that it has open */

static void
must(int rc)
{
    if (rc != MMF_OK)
        ledger->failed = rc < 0 ? rc : 1000;
}

static mmf_service *
open_as(mmf_role role)
{
    mmf_service *opened = NULL;

    if (mmf_service_open_existing(
            "S", SERVICE_OPTIONS(.role = role, .strategy = MMF_STRATEGY_WAIT),
            &opened) != MMF_OK)
        return NULL;
    return opened;
}

static int
create_as(mmf_role role, mmf_service **out, int *created)
{
    mmf_service_options options = {.size = sizeof(options), .role = role};

    options.max_clients = options.max_servers = PARTICIPANTS;
    options.max_calls = CALLS;
    options.strategy = MMF_STRATEGY_WAIT;
    return mmf_service_create_or_open("S", 200, 200, SLOTS, &options, created, out);
}

/*
 * Contents: a request is its number, its answers say which they are.
 */

static uint64_t
content_of(uint64_t number, int reply)
{
    return number | (uint64_t)reply << 8;
}

static uint64_t
number_of(const mmf_message *request)
{
    uint64_t number = 0;

    if (request->length >= 8)
        memcpy(&number, request->bytes, 8);
    return number & 255;
}

static void
note_answered(uint64_t number)
{
    if (number >= OURS && number < OURS + 2)
        ledger->has_answered[number - OURS] = 1;
}

static int
answer_one(mmf_service *server, const mmf_message *request, uint64_t number, int reply)
{
    uint64_t content = content_of(number, reply);
    int is_last = reply + 1 == REPLIES;

    return mmf_service_answer(server, request, &content, 8,
                              is_last ? MMF_ANSWER_LAST : MMF_ANSWER_MORE, LONG_MS);
}

/* For an operation that begins when our call is cancelled. */
STEP(be_cancelled, ledger->is_prepared = 1; kill_await(&ledger->may_run, LONG_MS));

/*
 * The victim: a client.
 */

static void
send_number(uint64_t number, size_t length)
{
    uint8_t bytes[200] = {0};

    memcpy(bytes, &number, 8);
    must(mmf_service_send(service, bytes, length, LONG_MS, &call));
}

STEP(run_send, send_number(1, 8));
STEP(run_send_long, send_number(1, 200));

static void *reserved;

STEP(run_reserve, must(mmf_service_reserve(service, 100, LONG_MS, &reserved)));

static void
run_commit(void)
{
    memcpy(reserved, &(uint64_t){1}, 8);
    must(mmf_service_commit(service, 8, &call));
}

STEP(run_abandon, must(mmf_service_abandon(service)));
STEP(run_cancel, must(mmf_service_cancel(service, call)));

static void
run_call_in_vain(void)
{
    uint64_t number = 1;
    size_t length;

    must(mmf_service_call(service, &number, 8, &number, 8, 30, &length) == MMF_TIMED_OUT
             ? MMF_OK
             : 1003);
}

/* The helper has answered twice and released the request. */
static void
be_answered(void)
{
    mmf_channel_stats stats;

    run_send();
    do
        must(mmf_service_stat(service, &stats));
    while (stats.received == 0);
}

STEP(run_take_answer, must(mmf_service_take_answer(service, call, LONG_MS, &held)));
STEP(take_an_answer, be_answered(); run_take_answer());
STEP(run_release_answer, must(mmf_service_release_answer(service, &held)));
STEP(take_the_last_answer, take_an_answer(); run_release_answer(); run_take_answer());

static void
run_receive_answer(void)
{
    uint64_t content;
    size_t length;

    must(mmf_service_receive_answer(service, 0, &content, 8, LONG_MS, &length, NULL));
    must(content == content_of(1, 0) ? MMF_OK : 1004);
}

STEP(run_close, mmf_service_close(service));

static void
run_open_as_client(void)
{
    service = open_as(CLIENT);
    must(service != NULL ? MMF_OK : 1006);
}

/*
 * The victim: a server.
 */

static void
run_open_as_server(void)
{
    service = open_as(SERVER);
    must(service != NULL ? MMF_OK : 1006);
}

STEP(run_take, must(mmf_service_take(service, LONG_MS, &held)));

static void
run_receive(void)
{
    uint64_t number;
    size_t length;

    must(mmf_service_receive(service, &number, 8, LONG_MS, &length, &held));
}

STEP(run_take_in_vain,
     must(mmf_service_take(service, 30, &held) == MMF_TIMED_OUT ? MMF_OK : 1003));
STEP(run_answer_more, must(answer_one(service, &held, number_of(&held), 0)));

static void
run_answer_last(void)
{
    uint64_t number = number_of(&held);

    must(answer_one(service, &held, number, 1));
    note_answered(number);
}

STEP(run_answer_all, run_answer_more(); run_answer_last());
STEP(take_and_answer_one, run_take(); run_answer_more());
STEP(run_reserve_answer,
     must(mmf_service_reserve_answer(service, &held, 100, LONG_MS, &reserved)));
STEP(reserve_the_last, take_and_answer_one(); run_reserve_answer());

static void
run_commit_answer(void)
{
    uint64_t number = number_of(&held);

    memcpy(reserved, &(uint64_t){content_of(number, 1)}, 8);
    must(mmf_service_commit_answer(service, &held, 8, MMF_ANSWER_LAST));
    note_answered(number);
}

STEP(run_return, must(mmf_service_return(service, &held)));

static void
run_is_wanted(void)
{
    int wanted;

    must(mmf_service_is_wanted(service, &held, &wanted));
    must(wanted == !kill_has(CANCELLED) ? MMF_OK : 1005);
}

STEP(take_cancelled, run_take(); be_cancelled());

/* Our call was cancelled; two answers wait, and a third one has no place. */
STEP(fill_the_lane, run_take(); run_answer_more(); run_answer_more(); be_cancelled());
STEP(run_answer_in_vain,
     must(mmf_service_answer(service, &held, "1", 1, MMF_ANSWER_LAST, LONG_MS)));

static void
run_stat(void)
{
    mmf_channel_stats stats;

    must(mmf_channel_stat("S", &stats));
}

static void
run_fd(void)
{
    int fd;

    must(mmf_service_fd(service, &fd));
}

STEP(run_create, must(create_as(CLIENT, &service, NULL)); run_send());

static const struct kill_operation operations[] = {
    {"create", ALONE | KILL_CREATES, 0, NULL, run_create},
    {"open as a client", REQUESTS, 0, NULL, run_open_as_client},
    {"open over a dead client", DEAD_CLIENT, 0, NULL, run_open_as_client},
    {"open as a server", REQUESTS, 0, NULL, run_open_as_server},
    {"open over a dead server", REQUESTS | DEAD_SERVER, 0, NULL, run_open_as_server},
    {"stat", REQUESTS, 0, NULL, run_stat},
    {"fd", REQUESTS, CLIENT, NULL, run_fd},
    {"send", REQUESTS, CLIENT, NULL, run_send},
    {"send, long", REQUESTS, CLIENT, NULL, run_send_long},
    {"send to a sleeper", LISTENER, CLIENT, NULL, run_send},
    {"reserve", REQUESTS, CLIENT, NULL, run_reserve},
    {"commit", REQUESTS, CLIENT, run_reserve, run_commit},
    {"abandon", REQUESTS, CLIENT, run_reserve, run_abandon},
    {"cancel", REQUESTS, CLIENT, run_send, run_cancel},
    {"call in vain", 0, CLIENT, NULL, run_call_in_vain},
    {"take_answer", HELPER, CLIENT, be_answered, run_take_answer},
    {"release_answer", HELPER, CLIENT, take_an_answer, run_release_answer},
    {"release_answer, the last", HELPER, CLIENT, take_the_last_answer,
     run_release_answer},
    {"receive_answer", HELPER, CLIENT, be_answered, run_receive_answer},
    {"cancel with answers", HELPER, CLIENT, be_answered, run_cancel},
    {"close with a call", REQUESTS, CLIENT, run_send, run_close},
    {"close with answers", HELPER, CLIENT, be_answered, run_close},
    {"take", REQUESTS, SERVER, NULL, run_take},
    {"take what a dead one had", REQUESTS | DEAD_SERVER, SERVER, NULL, run_take},
    {"take, in vain", 0, SERVER, NULL, run_take_in_vain},
    {"receive", REQUESTS, SERVER, NULL, run_receive},
    {"is_wanted", REQUESTS, SERVER, run_take, run_is_wanted},
    {"is_wanted, cancelled", REQUESTS | CANCELLED, SERVER, take_cancelled,
     run_is_wanted},
    {"answer, one of two", REQUESTS, SERVER, run_take, run_answer_more},
    {"answer, the last", REQUESTS, SERVER, take_and_answer_one, run_answer_last},
    {"answer, to a sleeper", CALLER, SERVER, run_take, run_answer_all},
    {"answer, in vain", REQUESTS | CANCELLED, SERVER, fill_the_lane,
     run_answer_in_vain},
    {"reserve_answer", REQUESTS, SERVER, take_and_answer_one, run_reserve_answer},
    {"commit_answer", REQUESTS, SERVER, reserve_the_last, run_commit_answer},
    {"return", REQUESTS, SERVER, take_and_answer_one, run_return},
    {"close with a request", REQUESTS, SERVER, take_and_answer_one, run_close},
};

/*
 * Before: what we, and others, do.
 */

/* A call of ours. */
struct ours {
    uint64_t call; /* 0: it has ended */
    uint32_t deliveries;
    int reply; /* the next */
};

static mmf_service *our_client;
static struct ours ours[2];
static pid_t helper;

static void
open_handle(uint32_t role)
{
    service = open_as(role);
}

/* One that takes a request, answers the half of it, and is then killed. */
static void
answer_half(void)
{
    if (mmf_service_take(service, LONG_MS, &held) == MMF_OK)
        must(answer_one(service, &held, number_of(&held), 0));
}

static void
serve_forever(void)
{
    for (;;) {
        if (mmf_service_take(service, -1, &held) != MMF_OK)
            return;
        for (int i = 0; i < REPLIES; i++)
            must(answer_one(service, &held, number_of(&held), i));
    }
}

static void
listen_once(void)
{
    if (mmf_service_take(service, -1, &held) == MMF_OK)
        ledger->went_on = 1;
}

static void
call_once(void)
{
    uint64_t content = 99;

    must(mmf_service_send(service, &content, 8, LONG_MS, &call));
    for (int i = 0; i < REPLIES; i++) {
        must(mmf_service_take_answer(service, call, -1, &held));
        must(mmf_service_release_answer(service, &held));
    }
    ledger->went_on = 1;
}

static void
call_of_ours(int which)
{
    uint64_t number = OURS + (uint64_t)which;

    memset(&ours[which], 0, sizeof(ours[which]));
    if (mmf_service_send(our_client, &number, 8, DONE_MS, &ours[which].call) != MMF_OK)
        kill_fail("our call", mmf_last_message());
}

/* Cancels our first call once the victim has its request. */
static void *
cancel_ours(void *unused)
{
    (void)unused;
    kill_await(&ledger->is_prepared, DONE_MS);
    kill_check("cancel", mmf_service_cancel(our_client, ours[0].call));
    ours[0].call = 0;
    ledger->may_run = 1;
    return NULL;
}

static pthread_t canceller;

static void
make_ready(void)
{
    memset((void *)ledger, 0, sizeof(*ledger));
    our_client = NULL;
    helper = 0;
    memset(ours, 0, sizeof(ours));
    if (kill_has(ALONE))
        return;
    if (create_as(CLIENT, &our_client, NULL) != MMF_OK)
        kill_fail("create", mmf_last_message());
    if (kill_has(REQUESTS))
        for (int i = 0; i < 2; i++)
            call_of_ours(i);
    if (kill_has(DEAD_SERVER))
        kill_elsewhere(SERVER, answer_half, 0);
    if (kill_has(DEAD_CLIENT))
        kill_elsewhere(CLIENT, run_send, 0);
    if (kill_has(HELPER))
        helper = kill_elsewhere(SERVER, serve_forever, 1);
    if (kill_has(LISTENER))
        helper = kill_elsewhere(SERVER, listen_once, 1);
    if (kill_has(CALLER))
        helper = kill_elsewhere(CLIENT, call_once, 1);
    if (kill_has(LISTENER | CALLER))
        kill_await_sleep(helper);
    if (kill_has(CANCELLED) && pthread_create(&canceller, NULL, cancel_ours, NULL) != 0)
        exit(EXIT_FAILURE);
}

/* The victim stands before its run. */
static void
meet(pid_t victim)
{
    (void)victim;
    if (kill_has(CANCELLED))
        pthread_join(canceller, NULL);
}

/*
 * After: the survivors.
 */

/* One answer to ours, if it is there. */
static void
receive_ours(int which)
{
    struct ours *mine = &ours[which];
    uint64_t content = 0;
    mmf_message answer;
    size_t length;
    int rc;

    if (mine->call == 0)
        return;
    rc = mmf_service_receive_answer(our_client, mine->call, &content, 8, 0, &length,
                                    &answer);
    if (rc == MMF_TIMED_OUT)
        return;
    if (rc < 0) {
        kill_fail("an answer", mmf_last_message());
        mine->call = 0;
        return;
    }
    if (answer.deliveries < mine->deliveries)
        kill_fail("an answer", "of an earlier delivery comes later");
    if (answer.deliveries > mine->deliveries)
        mine->reply = 0;
    mine->deliveries = answer.deliveries;
    if (content != content_of(OURS + (uint64_t)which, mine->reply))
        kill_fail("an answer", "is another one's, or out of order");
    if (((answer.flags & MMF_MESSAGE_LAST) != 0) != (mine->reply + 1 == REPLIES))
        kill_fail("an answer", "the wrong one is the last");
    mine->reply++;
    if (answer.flags & MMF_MESSAGE_LAST)
        mine->call = 0;
}

/* Take a request, if there is one, and answer it; whether there was. */
static int
serve_one(mmf_service *server)
{
    mmf_message request;
    uint64_t number;
    int rc = mmf_service_take(server, 2, &request);

    if (rc == MMF_TIMED_OUT)
        return 0;
    if (rc < 0) {
        kill_fail("take", mmf_last_message());
        return 0;
    }
    number = number_of(&request);
    if (number != 1 && number != 99 && (number < OURS || number >= OURS + 2))
        kill_fail("take", "a request that was never sent");
    if (number >= OURS && number < OURS + 2 && ledger->has_answered[number - OURS])
        kill_fail("take", "a request that was answered");
    for (int i = 0; i < REPLIES; i++) {
        uint64_t content = content_of(number, i);

        do {
            receive_ours(0);
            receive_ours(1);
            rc = mmf_service_answer(
                server, &request, &content, 8,
                i + 1 == REPLIES ? MMF_ANSWER_LAST : MMF_ANSWER_MORE, 1);
        } while (rc == MMF_TIMED_OUT);
        if (rc < 0 && rc != MMF_E_PEER_CLOSED)
            kill_fail("answer", mmf_last_message());
    }
    return 1;
}

/* Until ours are answered, the helper that sleeps has gone on, and the queue is empty. */
static void
settle(mmf_service *server)
{
    int64_t begin = now_ms(), end = begin + DONE_MS;
    int waits = kill_has(LISTENER | CALLER);
    mmf_channel_stats stats;

    for (;;) {
        int served = serve_one(server);

        receive_ours(0);
        receive_ours(1);
        if (mmf_service_stat(server, &stats) != MMF_OK)
            kill_fail("stat", mmf_last_message());
        if (!served && ours[0].call == 0 && ours[1].call == 0 && stats.depth == 0 &&
            (!waits || ledger->went_on))
            break;
        if (now_ms() > end) {
            kill_fail("a call", "it is never answered");
            break;
        }
    }
    kill_late(now_ms() - begin);
}

/* Each entry is free, and each place of the client that has it. */
static void
check_clients(mmf_service *server)
{
    mmf_service *opened[PARTICIPANTS] = {NULL};

    for (int i = 0; i < PARTICIPANTS - 1; i++) {
        opened[i] = open_as(CLIENT);
        if (opened[i] == NULL)
            kill_fail("a dead client's place", mmf_last_message());
    }
    for (int i = 0; i < PARTICIPANTS - 1 && opened[i] != NULL; i++) {
        uint64_t number = 1, calls[CALLS];
        size_t length;

        for (int j = 0; j < CALLS; j++)
            if (mmf_service_send(opened[i], &number, 8, DONE_MS, &calls[j]) != MMF_OK)
                kill_fail("afterwards", "a place of a client is not free");
        while (serve_one(server))
            ;
        for (int j = 0; j < CALLS * REPLIES; j++)
            if (mmf_service_receive_answer(opened[i], calls[j / REPLIES], &number, 8,
                                           DONE_MS, &length, NULL) != MMF_OK ||
                number != content_of(1, j % REPLIES)) {
                kill_fail("afterwards", "a call is not answered");
                break;
            }
    }
    for (int i = 0; i < PARTICIPANTS - 1; i++)
        mmf_service_close(opened[i]);
}

static void
check_servers(void)
{
    mmf_service *opened[PARTICIPANTS] = {NULL};

    for (int i = 0; i < PARTICIPANTS - 1; i++) {
        opened[i] = open_as(SERVER);
        if (opened[i] == NULL)
            kill_fail("a dead server's place", mmf_last_message());
    }
    for (int i = 0; i < PARTICIPANTS - 1; i++)
        mmf_service_close(opened[i]);
}

/* The listener hears the victim's request, or else one of ours. */
static void
wake_listener(void)
{
    kill_await(&ledger->went_on, 60);
    if (ledger->went_on == 0)
        call_of_ours(0);
    kill_await(&ledger->went_on, DONE_MS);
    if (ledger->went_on == 0)
        kill_fail("a helper", "it has heard nothing");
    kill_await_end(helper);
}

static void
check_survivors(void)
{
    mmf_service *server;

    if (ledger->failed != 0)
        kill_fail("the victim", mmf_status_name(ledger->failed));
    if (kill_has(HELPER)) {
        kill(helper, SIGKILL);
        waitpid(helper, NULL, 0);
    }
    if (kill_has(ALONE)) {
        int created = 0;

        if (create_as(CLIENT, &our_client, &created) != MMF_OK || !created)
            kill_fail("create a new one",
                      created ? mmf_last_message() : "it was there");
    }
    if (kill_has(LISTENER))
        wake_listener();
    server = open_as(SERVER);
    if (server == NULL || our_client == NULL) {
        kill_fail("open", mmf_last_message());
        mmf_service_close(server);
        mmf_service_close(our_client);
        return;
    }
    settle(server);
    if (kill_has(CALLER))
        kill_await_end(helper);
    for (int i = 0; i < 2; i++) {
        ledger->has_answered[i] = 0;
        call_of_ours(i);
    }
    settle(server);
    check_clients(server);
    check_servers();
    mmf_service_close(our_client);
    mmf_service_close(server);
}

STEP(begin, ledger = kill_shared(sizeof(*ledger)));

int
main(int argc, char **argv)
{
    static const struct kill_suite suite = {
        .program = "service_kill_points",
        .operations = operations,
        .count = sizeof(operations) / sizeof(operations[0]),
        .begin = begin,
        .make_ready = make_ready,
        .open = open_handle,
        .meet = meet,
        .check = check_survivors,
        .stride = STRIDE,
        .walks = 1,
        .tries = 20,
        .rare_tries = 4,
        .spare = 20,
    };

    return kill_main(argc, argv, &suite);
}
