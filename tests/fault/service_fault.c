/*
 * service_fault.c - creating, opening and closing services, and calls that have to
 * sleep, to wake, or to check for the dead, while something fails.
 */
#include "round.h"

#include <string.h>

enum { SIZE = 8, COUNT = 4, SOON_MS = 120000, IN_VAIN_MS = 30, DEATH_MS = 200 };

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

static int
create_service(struct stage *stage)
{
    return make_service(MMF_ROLE_SEND | MMF_ROLE_RECEIVE, &stage->service);
}

static int
open_service(struct stage *stage)
{
    mmf_service_options options = {.size = sizeof(options), .role = MMF_ROLE_CLIENT};

    return mmf_service_open_existing("Cat", &options, &stage->service);
}

/* The server elsewhere answers each request with its complement. */
static mmf_service *theirs;

static void
make_theirs(void)
{
    CHECK_OK(make_service(MMF_ROLE_SERVER, &theirs));
}

static void
serve_one(void)
{
    mmf_message request;
    uint64_t number;
    size_t length;

    CHECK_STATUS(mmf_service_receive(theirs, &number, SIZE, SOON_MS, &length, &request),
                 MMF_OK);
    number = ~number;
    CHECK_STATUS(mmf_service_answer(theirs, &request, &number, SIZE, 0, SOON_MS),
                 MMF_OK);
}

static void
close_theirs(void)
{
    mmf_service_close(theirs);
}

static void
hold_theirs(struct stage *stage)
{
    static const struct elsewhere life = {
        .begin = make_theirs, .act = serve_one, .end = close_theirs};

    (void)stage;
    round_live_elsewhere(&life);
}

/* A server that dies with a request of the client that is given. */
static void
die_with_a_request(void)
{
    mmf_service *server;
    mmf_message request;

    CHECK_OK(make_service(MMF_ROLE_SERVER, &server));
    CHECK_STATUS(mmf_service_take(server, SOON_MS, &request), MMF_OK);
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

static void
service_works(struct stage *stage)
{
    passes_calls(stage->service, stage->service);
}

static void
gets_their_answer(mmf_service *client)
{
    uint64_t number = 5, got = 0;
    size_t length;

    round_act_elsewhere();
    CHECK_STATUS(mmf_service_call(client, &number, SIZE, &got, SIZE, SOON_MS, &length),
                 MMF_OK);
    CHECK_INT(got, ~number);
}

static void
is_answered(struct stage *stage)
{
    gets_their_answer(stage->service);
}

static void
close_service(struct stage *stage)
{
    mmf_service_close(stage->service);
}

/*
 * Calls, on a service of the stage's own that is client and server.
 */

static uint64_t call;
static mmf_message in_hand;

static void
give_service(struct stage *stage)
{
    CHECK_OK(make_service(MMF_ROLE_BOTH, &stage->given_service));
}

static void
give_with_a_request(struct stage *stage)
{
    uint64_t number = 7;

    give_service(stage);
    CHECK_STATUS(mmf_service_send(stage->given_service, &number, SIZE, 0, &call),
                 MMF_OK);
}

static void
give_with_a_request_in_flight(struct stage *stage)
{
    give_with_a_request(stage);
    CHECK_STATUS(mmf_service_take(stage->given_service, 0, &in_hand), MMF_OK);
}

static void
give_with_a_dead_server(struct stage *stage)
{
    give_with_a_request(stage);
    round_die_elsewhere(die_with_a_request);
}

static int
take(struct stage *stage)
{
    return mmf_service_take(stage->given_service, SOON_MS, &in_hand);
}

/* A server that cannot be asked after is taken for living. */
static int
take_from_the_dead(struct stage *stage)
{
    in_hand.sequence = 0;
    return mmf_service_take(stage->given_service, DEATH_MS, &in_hand);
}

static void
has_the_request(struct stage *stage)
{
    uint64_t number = 7, got = 0;
    size_t length;

    CHECK_BYTES(in_hand.bytes, &number, SIZE);
    CHECK_STATUS(
        mmf_service_answer(stage->given_service, &in_hand, &number, SIZE, 0, 0),
        MMF_OK);
    CHECK_STATUS(mmf_service_receive_answer(stage->given_service, call, &got, SIZE, 0,
                                            &length, NULL),
                 MMF_OK);
    CHECK_INT(got, 7);
    passes_calls(stage->given_service, stage->given_service);
}

static void
has_what_the_dead_had(struct stage *stage)
{
    mmf_channel_stats stats;

    while (in_hand.sequence == 0 &&
           mmf_service_take(stage->given_service, SOON_MS, &in_hand) != MMF_OK)
        ;
    CHECK_INT(in_hand.deliveries, 2);
    has_the_request(stage);
    in_hand.sequence = 0;
    CHECK_OK(mmf_service_stat(stage->given_service, &stats));
    CHECK_INT(stats.depth, 0);
}

static int
answer_last(struct stage *stage)
{
    return mmf_service_answer(stage->given_service, &in_hand, "12345678", SIZE, 0, 0);
}

static void
has_answered(struct stage *stage)
{
    uint64_t got;
    size_t length;

    CHECK_STATUS(mmf_service_receive_answer(stage->given_service, call, &got, SIZE, 0,
                                            &length, NULL),
                 MMF_OK);
    CHECK_BYTES(&got, "12345678", SIZE);
    passes_calls(stage->given_service, stage->given_service);
}

/* No server is there: it sleeps, checks for the dead, and takes its request back. */
static int
call_in_vain(struct stage *stage)
{
    uint64_t number = 1;
    size_t length;

    return mmf_service_call(stage->given_service, &number, SIZE, &number, SIZE,
                            IN_VAIN_MS, &length);
}

static void
nothing_waits(struct stage *stage)
{
    mmf_message request;

    CHECK_STATUS(mmf_service_take(stage->given_service, 0, &request), MMF_TIMED_OUT);
    passes_calls(stage->given_service, stage->given_service);
}

/* The server answers while the client sleeps, and wakes it. */
static int
call_theirs(struct stage *stage)
{
    uint64_t number = 9, got = 0;
    size_t length;
    int rc;

    round_act_elsewhere();
    rc = mmf_service_call(stage->given_service, &number, SIZE, &got, SIZE, SOON_MS,
                          &length);
    if (rc == MMF_OK)
        CHECK_INT(got, ~number);
    return rc;
}

static void
give_client_of_theirs(struct stage *stage)
{
    hold_theirs(stage);
    CHECK_OK(make_service(MMF_ROLE_CLIENT, &stage->given_service));
}

static void
they_answer_again(struct stage *stage)
{
    gets_their_answer(stage->given_service);
}

static void
give_used(struct stage *stage)
{
    give_with_a_request_in_flight(stage);
    CHECK_STATUS(mmf_service_send(stage->given_service, "1", 1, 0, &call), MMF_OK);
}

static int
close_given(struct stage *stage)
{
    mmf_service_close(stage->given_service);
    stage->given_service = NULL;
    return MMF_OK;
}

static void
close_what_was_given(struct stage *stage)
{
    close_given(stage);
}

static void
close_given_and_theirs(struct stage *stage)
{
    close_given(stage);
    step_close_elsewhere(stage);
}

static int
look(struct stage *stage)
{
    return mmf_channel_stat("Cat", &stage->stats);
}

static void
is_a_service(struct stage *stage)
{
    CHECK_INT(stage->stats.answer_size, SIZE);
    CHECK_INT(stage->stats.depth, 1);
}

static struct scenario scenarios[] = {
    {.name = "create_service",
     .documented = create_statuses,
     .act = create_service,
     .inspect = service_works,
     .clean = close_service},
    {.name = "open_service",
     .act = open_service,
     .arrange = hold_theirs,
     .inspect = is_answered,
     .clean = close_service,
     .disarrange = step_close_elsewhere},
    {.name = "open_no_service",
     .act = open_service,
     .expected = MMF_E_WRONG_KIND,
     .arrange = step_hold_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "stat_service",
     .act = look,
     .arrange = give_with_a_request,
     .inspect = is_a_service,
     .disarrange = close_what_was_given},
    {.name = "close_service",
     .documented = round_no_statuses,
     .act = close_given,
     .arrange = give_used,
     .inspect = step_is_gone},
    {.name = "take_request",
     .documented = memory_statuses,
     .act = take,
     .arrange = give_with_a_request,
     .inspect = has_the_request,
     .disarrange = close_what_was_given},
    {.name = "take_from_the_dead",
     .documented = memory_statuses,
     .act = take_from_the_dead,
     .or_else = MMF_TIMED_OUT,
     .arrange = give_with_a_dead_server,
     .inspect = has_what_the_dead_had,
     .disarrange = close_what_was_given},
    {.name = "answer",
     .documented = round_no_statuses,
     .act = answer_last,
     .arrange = give_with_a_request_in_flight,
     .inspect = has_answered,
     .disarrange = close_what_was_given},
    {.name = "call_in_vain",
     .documented = round_no_statuses,
     .act = call_in_vain,
     .expected = MMF_TIMED_OUT,
     .arrange = give_service,
     .inspect = nothing_waits,
     .disarrange = close_what_was_given},
    {.name = "call_theirs",
     .documented = round_no_statuses,
     .act = call_theirs,
     .arrange = give_client_of_theirs,
     .inspect = they_answer_again,
     .disarrange = close_given_and_theirs},
};

int
main(int argc, char **argv)
{
    enum { COUNT_OF_ALL = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(
        argc, argv, "fault_service",
        round_make_tests(scenarios, COUNT_OF_ALL, round_channel_statuses), COUNT_OF_ALL,
        NULL);
}
