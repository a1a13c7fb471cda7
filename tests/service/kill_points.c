/*
 * kill_points.c - kill a client or a server at every instruction of every call.
 *
 *     service_kill_points [PATTERN [FIRST STRIDE]]
 *
 * As channel_kill_points. The survivors are a client with two open calls, unless the
 * operation has none, and a server that comes when the victim is dead:
 *
 *   - each call of the living client gets its answers, whole, in order, and one last;
 *     what the victim has answered to the end is not delivered again
 *   - the victim's requests come whole, or not at all
 *   - afterwards each entry of the tables is free for a new client or server, and so is
 *     each place of each client
 *   - a sleeper goes on whose waker is killed while it wakes it
 */
#include "killing.h"
#include "site.h"
#include "trace.h"
#include "walk.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CLIENT = MMF_ROLE_CLIENT,
    SERVER = MMF_ROLE_SERVER,
    DEFAULT_STRIDE = 23, /* of instructions, unless all are wanted */
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

struct operation {
    const char *name;
    unsigned flags;
    mmf_role role;         /* the victim's handle; 0: it has none before the run */
    void (*prepare)(void); /* in the victim, before it is watched */
    void (*run)(void);
};

/* Shared with the children. */
struct ledger {
    volatile int has_answered[2]; /* the victim: our calls, to the end */
    volatile int is_prepared;
    volatile int may_run;
    volatile int went_on; /* the helper that sleeps */
    volatile int failed;
};

static const struct operation *current;
static struct ledger *ledger;
static int64_t longest_ms;

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
    mmf_service_options options = {.size = sizeof(options), .role = role};
    mmf_service *opened = NULL;

    options.strategy = MMF_STRATEGY_WAIT;
    if (mmf_service_open_existing("S", &options, &opened) != MMF_OK)
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

static void
run_send(void)
{
    send_number(1, 8);
}

static void
run_send_long(void)
{
    send_number(1, 200);
}

static void *reserved;

static void
run_reserve(void)
{
    must(mmf_service_reserve(service, 100, LONG_MS, &reserved));
}

static void
run_commit(void)
{
    memcpy(reserved, &(uint64_t){1}, 8);
    must(mmf_service_commit(service, 8, &call));
}

static void
run_abandon(void)
{
    must(mmf_service_abandon(service));
}

static void
run_cancel(void)
{
    must(mmf_service_cancel(service, call));
}

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

static void
run_take_answer(void)
{
    must(mmf_service_take_answer(service, call, LONG_MS, &held));
}

static void
take_an_answer(void)
{
    be_answered();
    run_take_answer();
}

static void
run_release_answer(void)
{
    must(mmf_service_release_answer(service, &held));
}

static void
take_the_last_answer(void)
{
    take_an_answer();
    run_release_answer();
    run_take_answer();
}

static void
run_receive_answer(void)
{
    uint64_t content;
    size_t length;

    must(mmf_service_receive_answer(service, 0, &content, 8, LONG_MS, &length, NULL));
    must(content == content_of(1, 0) ? MMF_OK : 1004);
}

static void
run_close(void)
{
    mmf_service_close(service);
}

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

static void
run_take(void)
{
    must(mmf_service_take(service, LONG_MS, &held));
}

static void
run_receive(void)
{
    uint64_t number;
    size_t length;

    must(mmf_service_receive(service, &number, 8, LONG_MS, &length, &held));
}

static void
run_take_in_vain(void)
{
    must(mmf_service_take(service, 30, &held) == MMF_TIMED_OUT ? MMF_OK : 1003);
}

static void
run_answer_more(void)
{
    must(answer_one(service, &held, number_of(&held), 0));
}

static void
run_answer_last(void)
{
    uint64_t number = number_of(&held);

    must(answer_one(service, &held, number, 1));
    note_answered(number);
}

static void
run_answer_all(void)
{
    run_answer_more();
    run_answer_last();
}

static void
take_and_answer_one(void)
{
    run_take();
    run_answer_more();
}

static void
run_reserve_answer(void)
{
    must(mmf_service_reserve_answer(service, &held, 100, LONG_MS, &reserved));
}

static void
reserve_the_last(void)
{
    take_and_answer_one();
    run_reserve_answer();
}

static void
run_commit_answer(void)
{
    uint64_t number = number_of(&held);

    memcpy(reserved, &(uint64_t){content_of(number, 1)}, 8);
    must(mmf_service_commit_answer(service, &held, 8, MMF_ANSWER_LAST));
    note_answered(number);
}

static void
run_return(void)
{
    must(mmf_service_return(service, &held));
}

static void
run_is_wanted(void)
{
    int wanted;

    must(mmf_service_is_wanted(service, &held, &wanted));
    must(wanted == !(current->flags & CANCELLED) ? MMF_OK : 1005);
}

/* Our call was cancelled; two answers wait, and a third one has no place. */
static void
fill_the_lane(void)
{
    run_take();
    run_answer_more();
    run_answer_more();
}

static void
run_answer_in_vain(void)
{
    must(mmf_service_answer(service, &held, "1", 1, MMF_ANSWER_LAST, LONG_MS));
}

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

static void
run_create(void)
{
    must(create_as(CLIENT, &service, NULL));
    run_send();
}

static const struct operation operations[] = {
    {"create", ALONE, 0, NULL, run_create},
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
    {"is_wanted, cancelled", REQUESTS | CANCELLED, SERVER, run_take, run_is_wanted},
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
        site_fail("our call", mmf_last_message());
}

static void
make_ready(void)
{
    memset((void *)ledger, 0, sizeof(*ledger));
    our_client = NULL;
    helper = 0;
    memset(ours, 0, sizeof(ours));
    if (current->flags & ALONE)
        return;
    if (create_as(CLIENT, &our_client, NULL) != MMF_OK)
        site_fail("create", mmf_last_message());
    if (current->flags & REQUESTS)
        for (int i = 0; i < 2; i++)
            call_of_ours(i);
    if (current->flags & DEAD_SERVER)
        kill_run_elsewhere(open_handle, SERVER, answer_half, 0);
    if (current->flags & DEAD_CLIENT)
        kill_run_elsewhere(open_handle, CLIENT, run_send, 0);
    if (current->flags & HELPER)
        helper = kill_run_elsewhere(open_handle, SERVER, serve_forever, 1);
    if (current->flags & LISTENER)
        helper = kill_run_elsewhere(open_handle, SERVER, listen_once, 1);
    if (current->flags & CALLER)
        helper = kill_run_elsewhere(open_handle, CLIENT, call_once, 1);
    if (current->flags & (LISTENER | CALLER))
        kill_await_sleep(helper);
}

static void
victim(void *argument)
{
    (void)argument;
    service = NULL;
    if (current->role != 0 && (service = open_as(current->role)) == NULL)
        ledger->failed = 1005;
    if (current->prepare != NULL)
        current->prepare();
    ledger->is_prepared = 1;
    while ((current->flags & CANCELLED) && !ledger->may_run)
        usleep(100);
    trace_begin();
    current->run();
    trace_end();
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
        site_fail("an answer", mmf_last_message());
        mine->call = 0;
        return;
    }
    if (answer.deliveries < mine->deliveries)
        site_fail("an answer", "of an earlier delivery comes later");
    if (answer.deliveries > mine->deliveries)
        mine->reply = 0;
    mine->deliveries = answer.deliveries;
    if (content != content_of(OURS + (uint64_t)which, mine->reply))
        site_fail("an answer", "is another one's, or out of order");
    if (((answer.flags & MMF_MESSAGE_LAST) != 0) != (mine->reply + 1 == REPLIES))
        site_fail("an answer", "the wrong one is the last");
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
        site_fail("take", mmf_last_message());
        return 0;
    }
    number = number_of(&request);
    if (number != 1 && number != 99 && (number < OURS || number >= OURS + 2))
        site_fail("take", "a request that was never sent");
    if (number >= OURS && number < OURS + 2 && ledger->has_answered[number - OURS])
        site_fail("take", "a request that was answered");
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
            site_fail("answer", mmf_last_message());
    }
    return 1;
}

/* Until ours are answered, the helper that sleeps has gone on, and the queue is empty. */
static void
settle(mmf_service *server)
{
    int64_t begin = kill_now_ms(), end = begin + DONE_MS;
    int waits = (current->flags & (LISTENER | CALLER)) != 0;
    mmf_channel_stats stats;

    for (;;) {
        int served = serve_one(server);

        receive_ours(0);
        receive_ours(1);
        if (mmf_service_stat(server, &stats) != MMF_OK)
            site_fail("stat", mmf_last_message());
        if (!served && ours[0].call == 0 && ours[1].call == 0 && stats.depth == 0 &&
            (!waits || ledger->went_on))
            break;
        if (kill_now_ms() > end) {
            site_fail("a call", "it is never answered");
            break;
        }
    }
    if (kill_now_ms() - begin > longest_ms)
        longest_ms = kill_now_ms() - begin;
}

/* Each entry is free, and each place of the client that has it. */
static void
check_clients(mmf_service *server)
{
    mmf_service *opened[PARTICIPANTS] = {NULL};

    for (int i = 0; i < PARTICIPANTS - 1; i++) {
        opened[i] = open_as(CLIENT);
        if (opened[i] == NULL)
            site_fail("a dead client's place", mmf_last_message());
    }
    for (int i = 0; i < PARTICIPANTS - 1 && opened[i] != NULL; i++) {
        uint64_t number = 1, calls[CALLS];
        size_t length;

        for (int j = 0; j < CALLS; j++)
            if (mmf_service_send(opened[i], &number, 8, DONE_MS, &calls[j]) != MMF_OK)
                site_fail("afterwards", "a place of a client is not free");
        while (serve_one(server))
            ;
        for (int j = 0; j < CALLS * REPLIES; j++)
            if (mmf_service_receive_answer(opened[i], calls[j / REPLIES], &number, 8,
                                           DONE_MS, &length, NULL) != MMF_OK ||
                number != content_of(1, j % REPLIES)) {
                site_fail("afterwards", "a call is not answered");
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
            site_fail("a dead server's place", mmf_last_message());
    }
    for (int i = 0; i < PARTICIPANTS - 1; i++)
        mmf_service_close(opened[i]);
}

/* The listener hears the victim's request, or else one of ours. */
static void
wake_listener(void)
{
    int64_t end = kill_now_ms() + 60;

    while (ledger->went_on == 0 && kill_now_ms() < end)
        usleep(200);
    if (ledger->went_on == 0)
        call_of_ours(0);
    for (end = kill_now_ms() + DONE_MS; ledger->went_on == 0 && kill_now_ms() < end;)
        usleep(200);
    if (ledger->went_on == 0)
        site_fail("a helper", "it has heard nothing");
    kill_await_end(helper);
}

static void
check_survivors(void)
{
    mmf_service *server;

    if (ledger->failed != 0)
        site_fail("the victim", mmf_status_name(ledger->failed));
    if (current->flags & HELPER) {
        kill(helper, SIGKILL);
        waitpid(helper, NULL, 0);
    }
    if (current->flags & ALONE) {
        int created = 0;

        if (create_as(CLIENT, &our_client, &created) != MMF_OK || !created)
            site_fail("create a new one",
                      created ? mmf_last_message() : "it was there");
    }
    if (current->flags & LISTENER)
        wake_listener();
    server = open_as(SERVER);
    if (server == NULL || our_client == NULL) {
        site_fail("open", mmf_last_message());
        mmf_service_close(server);
        mmf_service_close(our_client);
        return;
    }
    settle(server);
    if (current->flags & CALLER)
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

/* Cancels our first call once the victim has its request. */
static void *
cancel_ours(void *unused)
{
    int64_t end = kill_now_ms() + DONE_MS;

    (void)unused;
    while (!ledger->is_prepared && kill_now_ms() < end)
        usleep(100);
    if (mmf_service_cancel(our_client, ours[0].call) != MMF_OK)
        site_fail("cancel", mmf_last_message());
    ours[0].call = 0;
    ledger->may_run = 1;
    return NULL;
}

static pid_t
start_victim(void)
{
    pthread_t thread;
    pid_t pid;

    make_ready();
    if (!(current->flags & CANCELLED))
        return trace_fork(victim, NULL);
    if (pthread_create(&thread, NULL, cancel_ours, NULL) != 0)
        exit(EXIT_FAILURE);
    pid = trace_fork(victim, NULL);
    pthread_join(thread, NULL);
    return pid;
}

/*
 * The kills.
 */

static size_t wanted_first, wanted_stride;

static void
kill_all_along(size_t first, struct kill_counts *counts)
{
    const char *value = getenv("MMF_TEST_LONG");
    int all = value != NULL && strcmp(value, "1") == 0;
    struct kill_operation operation = {.start = start_victim, .check = check_survivors};
    size_t stride = all ? 1 : DEFAULT_STRIDE;

    operation.first = wanted_stride > 0 ? wanted_first : first % stride;
    operation.stride = wanted_stride > 0 ? wanted_stride : stride;
    operation.walks = current->flags & ALONE ? 8 : 1;
    kill_along(&operation, counts);
    if (counts->missed > 2 + counts->killed / 20)
        site_fail("coverage", "too many places were missed");
}

int
main(int argc, char **argv)
{
    static char dir[] = "/dev/shm/mmf-test-XXXXXX";
    const char *only = argc > 1 ? argv[1] : NULL;
    unsigned run = 0, failed = 0;
    unsigned long killed = 0, all_points = 0;
    char own[64];

    /* The linker's lazy work would be in the way of the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    if (argc > 3) {
        wanted_first = strtoul(argv[2], NULL, 10);
        wanted_stride = strtoul(argv[3], NULL, 10);
    }
    if (!trace_possible() || !trace_knows_instructions()) {
        printf("SKIPPED: no tracing of instructions here\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!walk_find_code() || ledger == MAP_FAILED || mkdtemp(dir) == NULL) {
        perror("service_kill_points");
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    site_begin("service_kill_points");
    printf("%-36s %8s %8s %8s\n", "operation", "places", "killed", "missed");
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        unsigned long failures_before = site_failures();
        struct kill_counts counts = {0};

        current = &operations[i];
        if (only != NULL && strstr(current->name, only) == NULL)
            continue;
        site_operation(current->name);
        kill_all_along(i, &counts);
        printf("%-36s %8lu %8lu %8lu\n", current->name, counts.places, counts.killed,
               counts.missed);
        fflush(stdout);
        run++;
        failed += site_failures() != failures_before;
        site_count(site_call_of(current->name), counts.killed);
        killed += counts.killed;
        all_points += counts.places;
    }
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    mmf_gc(0, NULL);
    if ((rmdir(own) < 0 && errno != ENOENT) || rmdir(dir) < 0) {
        printf("FAILED: something is left in %s\n", own);
        run++;
        failed++;
    }
    printf("killed at %lu of %lu places; all was well after %lld ms at most\n", killed,
           all_points, (long long)longest_ms);
    site_print_counts("");
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
