/*
 * service_fault.c - creating, opening and closing services, and calls that have to
 * sleep, to wake, or to check for the dead, while something fails.
 */
#include "round.h"

#include <string.h>

enum { SIZE = 8, COUNT = 4, IN_VAIN_MS = 30, DEATH_MS = 200 };

static const int create_statuses[] = {
    MMF_E_NO_SPACE,       MMF_E_NO_MEMORY,     MMF_E_ACCESS,
    MMF_E_BUSY,           MMF_E_CORRUPT,       MMF_E_IO,
    MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, 0};

static const int memory_statuses[] = {MMF_E_NO_MEMORY, 0};

static int
make_service(mmf_role role, mmf_service **out)
{
    mmf_service_options options = {.size = sizeof(options), .role = role};

    options.max_clients = options.max_servers = 2;
    options.strategy = MMF_STRATEGY_WAIT;
    return mmf_service_create_or_open("Cat", SIZE, SIZE, COUNT, &options, NULL, out);
}

CALL(create_service, make_service(MMF_ROLE_SEND | MMF_ROLE_RECEIVE, &stage.service));
CALL(open_service,
     mmf_service_open_existing("Cat", SERVICE_OPTIONS(.role = MMF_ROLE_CLIENT),
                               &stage.service));

/* The server elsewhere answers each request with its complement. */
static mmf_service *theirs;

STEP(make_theirs, CHECK_OK(make_service(MMF_ROLE_SERVER, &theirs)));

static void
serve_one(void)
{
    mmf_message request;
    uint64_t number;
    size_t length;

    CHECK_STATUS(mmf_service_receive(theirs, &number, SIZE, LONG_MS, &length, &request),
                 MMF_OK);
    number = ~number;
    CHECK_STATUS(mmf_service_answer(theirs, &request, &number, SIZE, 0, LONG_MS),
                 MMF_OK);
}

STEP(close_theirs, mmf_service_close(theirs));

LIFE(hold_theirs, make_theirs, serve_one, close_theirs);

/* A server that dies with a request of the client that is given. */
static void
die_with_a_request(void)
{
    mmf_service *server;
    mmf_message request;

    CHECK_OK(make_service(MMF_ROLE_SERVER, &server));
    CHECK_STATUS(mmf_service_take(server, LONG_MS, &request), MMF_OK);
}

static void
passes_calls(mmf_service *client, mmf_service *server)
{
    for (uint64_t number = 1; number <= COUNT + 1; number++) {
        mmf_message request;
        uint64_t call, got = 0;
        size_t length;

        CHECK_STATUS(mmf_service_send(client, &number, SIZE, 0, &call), MMF_OK);
        CHECK_STATUS(mmf_service_take(server, 0, &request), MMF_OK);
        CHECK_STATUS(mmf_service_answer(server, &request, request.bytes, SIZE, 0, 0),
                     MMF_OK);
        CHECK_STATUS(
            mmf_service_receive_answer(client, call, &got, SIZE, 0, &length, NULL),
            MMF_OK);
        CHECK_INT(got, number);
    }
}

STEP(service_works, passes_calls(stage.service, stage.service));

static void
gets_their_answer(mmf_service *client)
{
    uint64_t number = 5, got = 0;
    size_t length;

    round_act_elsewhere();
    CHECK_STATUS(mmf_service_call(client, &number, SIZE, &got, SIZE, LONG_MS, &length),
                 MMF_OK);
    CHECK_INT(got, ~number);
}

STEP(is_answered, gets_their_answer(stage.service));

/*
 * Calls, on a service of the stage's own that is client and server.
 */

static uint64_t call;
static mmf_message in_hand;

STEP(give_service, CHECK_OK(make_service(MMF_ROLE_BOTH, &stage.given_service)));

static void
give_with_a_request(void)
{
    uint64_t number = 7;

    give_service();
    CHECK_STATUS(mmf_service_send(stage.given_service, &number, SIZE, 0, &call),
                 MMF_OK);
}

static void
give_with_a_request_in_flight(void)
{
    give_with_a_request();
    CHECK_STATUS(mmf_service_take(stage.given_service, 0, &in_hand), MMF_OK);
}

static void
give_with_a_dead_server(void)
{
    give_with_a_request();
    round_die_elsewhere(die_with_a_request);
}

CALL(take, mmf_service_take(stage.given_service, LONG_MS, &in_hand));

/* A server that cannot be asked after is taken for living. */
static int
take_from_the_dead(void)
{
    in_hand.sequence = 0;
    return mmf_service_take(stage.given_service, DEATH_MS, &in_hand);
}

static void
has_the_request(void)
{
    uint64_t number = 7, got = 0;
    size_t length;

    CHECK_BYTES(in_hand.bytes, &number, SIZE);
    CHECK_STATUS(mmf_service_answer(stage.given_service, &in_hand, &number, SIZE, 0, 0),
                 MMF_OK);
    CHECK_STATUS(mmf_service_receive_answer(stage.given_service, call, &got, SIZE, 0,
                                            &length, NULL),
                 MMF_OK);
    CHECK_INT(got, 7);
    passes_calls(stage.given_service, stage.given_service);
}

static void
has_what_the_dead_had(void)
{
    mmf_channel_stats stats;

    while (in_hand.sequence == 0 &&
           mmf_service_take(stage.given_service, LONG_MS, &in_hand) != MMF_OK)
        ;
    CHECK_INT(in_hand.deliveries, 2);
    has_the_request();
    in_hand.sequence = 0;
    CHECK_OK(mmf_service_stat(stage.given_service, &stats));
    CHECK_INT(stats.depth, 0);
}

CALL(answer_last,
     mmf_service_answer(stage.given_service, &in_hand, "12345678", SIZE, 0, 0));

static void
has_answered(void)
{
    uint64_t got;
    size_t length;

    CHECK_STATUS(mmf_service_receive_answer(stage.given_service, call, &got, SIZE, 0,
                                            &length, NULL),
                 MMF_OK);
    CHECK_BYTES(&got, "12345678", SIZE);
    passes_calls(stage.given_service, stage.given_service);
}

/* No server is there: it sleeps, checks for the dead, and takes its request back. */
static int
call_in_vain(void)
{
    uint64_t number = 1;
    size_t length;

    return mmf_service_call(stage.given_service, &number, SIZE, &number, SIZE,
                            IN_VAIN_MS, &length);
}

static void
nothing_waits(void)
{
    mmf_message request;

    CHECK_STATUS(mmf_service_take(stage.given_service, 0, &request), MMF_TIMED_OUT);
    passes_calls(stage.given_service, stage.given_service);
}

/* The server answers while the client sleeps, and wakes it. */
static int
call_theirs(void)
{
    uint64_t number = 9, got = 0;
    size_t length;
    int rc;

    round_act_elsewhere();
    rc = mmf_service_call(stage.given_service, &number, SIZE, &got, SIZE, LONG_MS,
                          &length);
    if (rc == MMF_OK)
        CHECK_INT(got, ~number);
    return rc;
}

static void
give_client_of_theirs(void)
{
    hold_theirs();
    CHECK_OK(make_service(MMF_ROLE_CLIENT, &stage.given_service));
}

STEP(they_answer_again, gets_their_answer(stage.given_service));

static void
give_used(void)
{
    give_with_a_request_in_flight();
    CHECK_STATUS(mmf_service_send(stage.given_service, "1", 1, 0, &call), MMF_OK);
}

CALL(look, mmf_channel_stat("Cat", &stage.stats));

static void
is_a_service(void)
{
    CHECK_INT(stage.stats.answer_size, SIZE);
    CHECK_INT(stage.stats.depth, 1);
}

static struct scenario scenarios[] = {
    {"create_service", create_service, .inspect = service_works,
     .documented = create_statuses},
    {"open_service", open_service, .arrange = hold_theirs, .inspect = is_answered},
    {"open_no_service", open_service, .arrange = step_hold_elsewhere,
     .expected = MMF_E_WRONG_KIND},
    {"stat_service", look, .arrange = give_with_a_request, .inspect = is_a_service},
    {"close_service", step_close_given, .arrange = give_used, .inspect = step_is_gone,
     .documented = round_no_statuses},
    {"take_request", take, .arrange = give_with_a_request, .inspect = has_the_request,
     .documented = memory_statuses},
    {"take_from_the_dead", take_from_the_dead, .arrange = give_with_a_dead_server,
     .inspect = has_what_the_dead_had, .or_else = MMF_TIMED_OUT,
     .documented = memory_statuses},
    {"answer", answer_last, .arrange = give_with_a_request_in_flight,
     .inspect = has_answered, .documented = round_no_statuses},
    {"call_in_vain", call_in_vain, .arrange = give_service, .inspect = nothing_waits,
     .expected = MMF_TIMED_OUT, .documented = round_no_statuses},
    {"call_theirs", call_theirs, .arrange = give_client_of_theirs,
     .inspect = they_answer_again, .documented = round_no_statuses},
};

SCENARIOS(round_channel_statuses);
