/*
 * arguments_test.c - every failure of a service's calls, its status and its message, and
 * that nothing has changed then.
 */
#include "support.h"

#include <string.h>

enum { CLIENT = MMF_ROLE_CLIENT, SERVER = MMF_ROLE_SERVER, BOTH = MMF_ROLE_BOTH };

static int
create(const char *name, size_t request, size_t reply, size_t capacity,
       const mmf_service_options *options, int *created, mmf_service **out)
{
    return mmf_service_create_or_open(name, request, reply, capacity, options, created,
                                      out);
}

static void
creating_checks_its_arguments(void **state)
{
    mmf_service *service = UNTOUCHED;
    int created = -7;

    (void)state;
#define REFUSE(name, request, reply, capacity, status, parameter)                      \
    do {                                                                               \
        CHECK_FAILS_PARAM(                                                             \
            create(name, request, reply, capacity, NULL, &created, &service), status,  \
            parameter);                                                                \
        CHECK_FAILS_PARAM(                                                             \
            mmf_service_create_new(name, request, reply, capacity, NULL, &service),    \
            status, parameter);                                                        \
        CHECK(service == UNTOUCHED);                                                   \
        CHECK_INT(created, -7);                                                        \
    } while (0)
    CHECK_FAILS_PARAM(create("S", 8, 8, 4, NULL, NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_service_create_new("S", 8, 8, 4, NULL, NULL), MMF_E_NULL,
                      "out");
    REFUSE(NULL, 8, 8, 4, MMF_E_NULL, "name");
    REFUSE("", 8, 8, 4, MMF_E_INVALID, "name");
    REFUSE("a\\b", 8, 8, 4, MMF_E_PATH_NOT_FOUND, "name");
    REFUSE("S", 0, 8, 4, MMF_E_RANGE, "request_size");
    REFUSE("S", SIZE_MAX, 8, 4, MMF_E_RANGE, "request_size");
    REFUSE("S", 8, 0, 4, MMF_E_RANGE, "answer_size");
    REFUSE("S", 8, (size_t)1 << 31, 4, MMF_E_RANGE, "answer_size");
    REFUSE("S", 8, SIZE_MAX, 4, MMF_E_RANGE, "answer_size");
    REFUSE("S", 8, 8, 0, MMF_E_RANGE, "capacity");
    REFUSE("S", 8, 8, ((size_t)1 << 30) + 1, MMF_E_RANGE, "capacity");
    REFUSE("S", INT32_MAX, 8, (size_t)1 << 30, MMF_E_RANGE, "capacity");
#undef REFUSE
}

static void
refuse_options(mmf_service_options options, int status, const char *parameter,
               int created_only)
{
    mmf_service *service = UNTOUCHED;
    int created = -7;

    CHECK_FAILS_PARAM(create("S", 8, 8, 4, &options, &created, &service), status,
                      parameter);
    CHECK_FAILS_PARAM(mmf_service_create_new("S", 8, 8, 4, &options, &service), status,
                      parameter);
    CHECK_INT(created, -7);
    if (created_only)
        CHECK_FAILS(mmf_service_open_existing("S", &options, &service),
                    MMF_E_NOT_FOUND);
    else
        CHECK_FAILS_PARAM(mmf_service_open_existing("S", &options, &service), status,
                          parameter);
    CHECK(service == UNTOUCHED);
}

static void
options_are_checked(void **state)
{
    const mmf_service_options good = service_options(CLIENT);
    mmf_service_options bad;
    mmf_service *service = UNTOUCHED;

    (void)state;
#define BAD(field, value, status, parameter)                                           \
    bad = good;                                                                        \
    bad.field = value;                                                                 \
    refuse_options(bad, status, parameter, 0)
#define BAD_FOR_CREATING(field, value, status, parameter)                              \
    bad = good;                                                                        \
    bad.field = value;                                                                 \
    refuse_options(bad, status, parameter, 1)
    BAD(size, 0, MMF_E_INVALID, "options");
    BAD(size, 3, MMF_E_INVALID, "options");
    BAD(role, 4, MMF_E_INVALID, "role");
    BAD(strategy, 3, MMF_E_INVALID, "strategy");
    BAD(flags, MMF_CHANNEL_SPSC, MMF_E_INVALID, "flags");
    BAD(reserved, 1, MMF_E_INVALID, "options");
    BAD_FOR_CREATING(max_clients, -1, MMF_E_RANGE, "max_clients");
    BAD_FOR_CREATING(max_clients, 1025, MMF_E_RANGE, "max_clients");
    BAD_FOR_CREATING(max_servers, -1, MMF_E_RANGE, "max_servers");
    BAD_FOR_CREATING(max_servers, 1025, MMF_E_RANGE, "max_servers");
    BAD_FOR_CREATING(max_calls, -1, MMF_E_RANGE, "max_calls");
    BAD_FOR_CREATING(max_calls, 1025, MMF_E_RANGE, "max_calls");
    BAD_FOR_CREATING(max_answers, -1, MMF_E_RANGE, "max_answers");
    BAD_FOR_CREATING(max_answers, 65536 / 3 + 1, MMF_E_RANGE, "max_answers");
    BAD_FOR_CREATING(mode, 01000, MMF_E_RANGE, "mode");
#undef BAD
#undef BAD_FOR_CREATING
    bad = good;
    bad.wait_ms = -2;
    CHECK_FAILS_PARAM(mmf_service_open_existing("S", &bad, &service), MMF_E_RANGE,
                      "wait_ms");
    bad = good;
    bad.all_users = 1;
    CHECK_FAILS_PARAM(create("Local\\S", 8, 8, 4, &bad, NULL, &service), MMF_E_INVALID,
                      "name");
    CHECK(service == UNTOUCHED);
    mmf_service_options_init(NULL);
}

/* As many as one client can have. */
static void
limits_may_be_reached(void **state)
{
    mmf_service_options options = service_options(CLIENT);
    mmf_channel_stats stats;
    mmf_service *service;

    (void)state;
    options.max_clients = 1;
    options.max_calls = 1024;
    options.max_answers = 64;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 4, &options, &service));
    stats = service_stats(service);
    CHECK_INT(stats.max_calls, 1024);
    CHECK_INT(stats.max_answers, 64);
    mmf_service_close(service);
    options.max_calls = 3; /* 21,845 are 32,768, and those are too many: half of them */
    options.max_answers = 65536 / 3;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 4, &options, &service));
    CHECK_INT(service_stats(service).max_answers, 16384);
    mmf_service_close(service);
    options.max_calls = 0;
    options.max_answers = 5;
    CHECK_OK(mmf_service_create_new("S", 8, 8, 5, &options, &service));
    stats = service_stats(service);
    CHECK_INT(stats.max_calls, 4);
    CHECK_INT(stats.max_answers, 8);
    CHECK_INT(stats.capacity, 8);
    mmf_service_close(service);
}

static void
refuse_other(size_t request, size_t reply, size_t capacity,
             const mmf_service_options *options, const char *field, const char *found,
             const char *asked)
{
    mmf_service *service = UNTOUCHED;
    int created = -7;
    mmf_error error;

    CHECK_FAILS_PARAM(
        create("S", request, reply, capacity, options, &created, &service),
        MMF_E_MISMATCH, field);
    mmf_last_error(&error);
    if (strstr(error.message, asked) == NULL || strstr(error.message, found) == NULL)
        CHECK_FAIL("\"%s\" does not say %s and %s", error.message, asked, found);
    CHECK(service == UNTOUCHED);
    CHECK_INT(created, -7);
}

static void
an_existing_service_must_be_as_asked(void **state)
{
    mmf_service_options options = service_options(BOTH), other;
    mmf_service *first, *second;
    int created = -7;

    (void)state;
    CHECK_OK(create("S", 100, 50, 5, &options, &created, &first));
    CHECK_INT(created, 1);
    refuse_other(7, 50, 5, &options, "request_size", "100", "7");
    refuse_other(100, 51, 5, &options, "answer_size", "50", "51");
    refuse_other(100, 50, 9, &options, "capacity", "8", "16");
#define OTHER(member, value, found, asked)                                             \
    other = options;                                                                   \
    other.member = value;                                                              \
    refuse_other(100, 50, 5, &other, #member, found, asked)
    OTHER(max_clients, 0, "2", "64");
    OTHER(max_servers, 77, "2", "77");
    OTHER(max_calls, 9, "3", "9");
    OTHER(max_answers, 3, "2", "4");
#undef OTHER
    options.role = CLIENT;
    CHECK_OK(create("S", 100, 50, 8, &options, &created, &second));
    CHECK_INT(created, 0);
    CHECK_FAILS(mmf_service_create_new("S", 100, 50, 8, &options, &second),
                MMF_E_EXISTS);
    mmf_service_close(first);
    mmf_service_close(second);
}

static void
kinds_are_told_apart(void **state)
{
    mmf_service *service = UNTOUCHED;
    mmf_queue *queue = UNTOUCHED;

    (void)state;
    CHECK_FAILS(mmf_service_open_existing("S", NULL, &service), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_queue_create_new("S", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_FAILS(mmf_service_open_existing("S", NULL, &service), MMF_E_WRONG_KIND);
    CHECK_FAILS(create("S", 8, 8, 4, NULL, NULL, &service), MMF_E_WRONG_KIND);
    mmf_queue_close(queue);
    CHECK(service == UNTOUCHED);
    service = new_service(BOTH, 8);
    queue = UNTOUCHED;
    CHECK_FAILS(mmf_queue_open_existing("S", NULL, &queue), MMF_E_WRONG_KIND);
    CHECK(queue == UNTOUCHED);
    mmf_service_close(service);
    mmf_service_close(NULL);
}

static void
there_is_a_limit_to_servers(void **state)
{
    mmf_service_options options = service_options(SERVER);
    mmf_service *first = new_service(SERVER, 8), *second = open_service(SERVER);
    mmf_service *third = UNTOUCHED;
    mmf_error error;

    (void)state;
    CHECK_FAILS(mmf_service_open_existing("S", &options, &third), MMF_E_TOO_MANY);
    mmf_last_error(&error);
    CHECK_TEXT(error.message,
               "\"S\" has 2 servers, as many as its creator allowed (max_servers)");
    CHECK(third == UNTOUCHED);
    mmf_service_close(first);
    mmf_service_close(second);
}

static void
handles_are_checked(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_message message = {.sequence = 1}, before = message;
    mmf_channel_stats stats;
    size_t length = 77;
    uint64_t call = 77;
    int wanted = 77, fd;
    char byte = 'x';
    void *bytes = UNTOUCHED;

    (void)state;
#define WRONG_HANDLES(wrong, call_of_null, call_of_wrong)                              \
    CHECK_FAILS_PARAM(call_of_null, MMF_E_NULL, "service");                            \
    CHECK_FAILS(call_of_wrong, MMF_E_NOT_SUPPORTED)
    WRONG_HANDLES(server, mmf_service_call(NULL, "1", 1, &byte, 1, 0, &length),
                  mmf_service_call(server, "1", 1, &byte, 1, 0, &length));
    WRONG_HANDLES(server, mmf_service_send(NULL, "1", 1, 0, &call),
                  mmf_service_send(server, "1", 1, 0, &call));
    WRONG_HANDLES(server, mmf_service_reserve(NULL, 1, 0, &bytes),
                  mmf_service_reserve(server, 1, 0, &bytes));
    WRONG_HANDLES(server, mmf_service_commit(NULL, 1, &call),
                  mmf_service_commit(server, 1, &call));
    WRONG_HANDLES(server, mmf_service_abandon(NULL), mmf_service_abandon(server));
    WRONG_HANDLES(server, mmf_service_take_answer(NULL, 0, 0, &message),
                  mmf_service_take_answer(server, 0, 0, &message));
    WRONG_HANDLES(server, mmf_service_release_answer(NULL, &message),
                  mmf_service_release_answer(server, &message));
    WRONG_HANDLES(
        server, mmf_service_receive_answer(NULL, 0, &byte, 1, 0, &length, &message),
        mmf_service_receive_answer(server, 0, &byte, 1, 0, &length, &message));
    WRONG_HANDLES(server, mmf_service_cancel(NULL, 1), mmf_service_cancel(server, 1));
    WRONG_HANDLES(client, mmf_service_take(NULL, 0, &message),
                  mmf_service_take(client, 0, &message));
    WRONG_HANDLES(client, mmf_service_receive(NULL, &byte, 1, 0, &length, &message),
                  mmf_service_receive(client, &byte, 1, 0, &length, &message));
    WRONG_HANDLES(client, mmf_service_is_wanted(NULL, &message, &wanted),
                  mmf_service_is_wanted(client, &message, &wanted));
    WRONG_HANDLES(client, mmf_service_reserve_answer(NULL, &message, 1, 0, &bytes),
                  mmf_service_reserve_answer(client, &message, 1, 0, &bytes));
    WRONG_HANDLES(client, mmf_service_commit_answer(NULL, &message, 1, 0),
                  mmf_service_commit_answer(client, &message, 1, 0));
    WRONG_HANDLES(client, mmf_service_answer(NULL, &message, "1", 1, 0, 0),
                  mmf_service_answer(client, &message, "1", 1, 0, 0));
    WRONG_HANDLES(client, mmf_service_return(NULL, &message),
                  mmf_service_return(client, &message));
#undef WRONG_HANDLES
    CHECK_FAILS_PARAM(mmf_service_stat(NULL, &stats), MMF_E_NULL, "service");
    CHECK_FAILS_PARAM(mmf_service_stat(client, NULL), MMF_E_NULL, "stats");
    CHECK_FAILS_PARAM(mmf_service_fd(NULL, &fd), MMF_E_NULL, "service");
    CHECK_FAILS_PARAM(mmf_service_fd(client, NULL), MMF_E_NULL, "fd");
    CHECK_INT(length, 77);
    CHECK_INT(call, 77);
    CHECK_INT(wanted, 77);
    CHECK_INT(byte, 'x');
    CHECK(bytes == UNTOUCHED);
    CHECK_BYTES(&message, &before, sizeof(message));
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
clients_calls_are_checked(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_message message, request;
    size_t length = 77;
    uint64_t call = 77;
    void *bytes = UNTOUCHED;
    char buffer[9] = "";

    (void)state;
    CHECK_FAILS_PARAM(mmf_service_call(client, buffer, 9, buffer, 8, 0, &length),
                      MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_service_call(client, NULL, 1, buffer, 8, 0, &length),
                      MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_service_call(client, buffer, 8, NULL, 8, 0, &length),
                      MMF_E_NULL, "buffer");
    CHECK_FAILS_PARAM(mmf_service_call(client, buffer, 8, buffer, 8, 0, NULL),
                      MMF_E_NULL, "length");
    CHECK_FAILS_PARAM(mmf_service_call(client, buffer, 8, buffer, 8, -2, &length),
                      MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS_PARAM(mmf_service_send(client, buffer, 9, 0, &call), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_service_send(client, NULL, 1, 0, &call), MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_service_send(client, buffer, 8, 0, NULL), MMF_E_NULL, "call");
    CHECK_FAILS_PARAM(mmf_service_send(client, buffer, 8, -2, &call), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_service_reserve(client, 9, 0, &bytes), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_service_reserve(client, 8, 0, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS(mmf_service_commit(client, 0, &call), MMF_E_STATE);
    CHECK_FAILS(mmf_service_abandon(client), MMF_E_STATE);
    CHECK(bytes == UNTOUCHED);
    CHECK_OK(mmf_service_reserve(client, 4, 0, &bytes));
    CHECK_FAILS(mmf_service_reserve(client, 4, 0, &bytes), MMF_E_STATE);
    CHECK_FAILS(mmf_service_send(client, buffer, 4, 0, &call), MMF_E_STATE);
    CHECK_FAILS(mmf_service_call(client, buffer, 4, buffer, 8, 0, &length),
                MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_service_commit(client, 5, &call), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_service_commit(client, 4, NULL), MMF_E_NULL, "call");
    CHECK_OK(mmf_service_abandon(client));
    CHECK_INT(call, 77);
    CHECK_FAILS(mmf_service_take_answer(client, 0, 0, &message), MMF_E_STATE);
    call = begin_call(client, 1);
    CHECK_FAILS(mmf_service_take_answer(client, call + 1, 0, &message), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_service_take_answer(client, call, -2, &message), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_service_take_answer(client, call, 0, NULL), MMF_E_NULL,
                      "answer");
    CHECK_FAILS_PARAM(
        mmf_service_receive_answer(client, call, NULL, 8, 0, &length, NULL), MMF_E_NULL,
        "buffer");
    CHECK_FAILS_PARAM(
        mmf_service_receive_answer(client, call, buffer, 8, 0, NULL, NULL), MMF_E_NULL,
        "length");
    CHECK_FAILS_PARAM(mmf_service_release_answer(client, NULL), MMF_E_NULL, "answer");
    message = (mmf_message){.sequence = call};
    CHECK_FAILS(mmf_service_release_answer(client, &message), MMF_E_STATE);
    CHECK_FAILS(mmf_service_cancel(client, call + 1), MMF_E_STATE);
    request = take_request(server, 1);
    answer(server, &request, 2, MMF_ANSWER_LAST);
    receive_number(client, call, 2);
    CHECK_INT(length, 77);
    /* An answer that the buffer of a call does not hold is lost; the client goes on. */
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
servers_calls_are_checked(void **state)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_message request, other;
    size_t length = 77;
    uint64_t call;
    void *bytes = UNTOUCHED;
    char buffer[9] = "";
    int wanted = 77;

    (void)state;
    CHECK_FAILS_PARAM(mmf_service_take(server, 0, NULL), MMF_E_NULL, "request");
    CHECK_FAILS_PARAM(mmf_service_take(server, -2, &request), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_service_receive(server, NULL, 8, 0, &length, &request),
                      MMF_E_NULL, "buffer");
    CHECK_FAILS_PARAM(mmf_service_receive(server, buffer, 8, 0, NULL, &request),
                      MMF_E_NULL, "length");
    CHECK_FAILS_PARAM(mmf_service_receive(server, buffer, 8, 0, &length, NULL),
                      MMF_E_NULL, "request");
    call = begin_call(client, 1);
    request = take_request(server, 1);
    other = request;
    other.sequence++;
#define NOT_IN_FLIGHT(call_of_other, call_of_null)                                     \
    CHECK_FAILS(call_of_other, MMF_E_STATE);                                           \
    CHECK_FAILS_PARAM(call_of_null, MMF_E_NULL, "request")
    NOT_IN_FLIGHT(mmf_service_is_wanted(server, &other, &wanted),
                  mmf_service_is_wanted(server, NULL, &wanted));
    NOT_IN_FLIGHT(mmf_service_reserve_answer(server, &other, 1, 0, &bytes),
                  mmf_service_reserve_answer(server, NULL, 1, 0, &bytes));
    NOT_IN_FLIGHT(mmf_service_commit_answer(server, &other, 1, 0),
                  mmf_service_commit_answer(server, NULL, 1, 0));
    NOT_IN_FLIGHT(mmf_service_answer(server, &other, buffer, 1, 0, 0),
                  mmf_service_answer(server, NULL, buffer, 1, 0, 0));
    NOT_IN_FLIGHT(mmf_service_return(server, &other), mmf_service_return(server, NULL));
#undef NOT_IN_FLIGHT
    CHECK_FAILS_PARAM(mmf_service_is_wanted(server, &request, NULL), MMF_E_NULL,
                      "wanted");
    CHECK_FAILS_PARAM(mmf_service_reserve_answer(server, &request, 9, 0, &bytes),
                      MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_service_reserve_answer(server, &request, 8, -2, &bytes),
                      MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS_PARAM(mmf_service_reserve_answer(server, &request, 8, 0, NULL),
                      MMF_E_NULL, "bytes");
    CHECK_FAILS(mmf_service_commit_answer(server, &request, 1, 0), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_service_commit_answer(server, &request, 1, 2), MMF_E_INVALID,
                      "flags");
    CHECK_FAILS_PARAM(mmf_service_answer(server, &request, buffer, 9, 0, 0),
                      MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_service_answer(server, &request, NULL, 1, 0, 0), MMF_E_NULL,
                      "bytes");
    CHECK_FAILS_PARAM(mmf_service_answer(server, &request, buffer, 1, 2, 0),
                      MMF_E_INVALID, "flags");
    CHECK_FAILS_PARAM(mmf_service_answer(server, &request, buffer, 1, 0, -2),
                      MMF_E_RANGE, "timeout_ms");
    CHECK(bytes == UNTOUCHED);
    CHECK_OK(mmf_service_reserve_answer(server, &request, 4, 0, &bytes));
    CHECK_FAILS(mmf_service_reserve_answer(server, &request, 4, 0, &bytes),
                MMF_E_STATE);
    CHECK_FAILS(mmf_service_answer(server, &request, buffer, 1, 0, 0), MMF_E_STATE);
    CHECK_FAILS_PARAM(mmf_service_commit_answer(server, &request, 5, 0), MMF_E_RANGE,
                      "length");
    memcpy(bytes, "1234", 4);
    CHECK_OK(mmf_service_commit_answer(server, &request, 4, 0));
    CHECK_FAILS(mmf_service_is_wanted(server, &request, &wanted), MMF_E_STATE);
    CHECK_INT(wanted, 77);
    CHECK_INT(length, 77);
    CHECK_OK(mmf_service_receive_answer(client, call, buffer, 8, 0, &length, NULL));
    CHECK_INT(length, 4);
    CHECK_BYTES(buffer, "1234", 4);
    mmf_service_close(client);
    mmf_service_close(server);
}

static void
zeroed_options_are_the_default(void **state)
{
    mmf_service_options zeroed = {.size = sizeof(zeroed)}, initialized;
    mmf_channel_stats stats;
    mmf_service *service;

    (void)state;
    mmf_service_options_init(&initialized);
    CHECK_BYTES(&initialized, &zeroed, sizeof(zeroed));
    CHECK_OK(mmf_service_create_new("S", 8, 8, 4, &zeroed, &service));
    stats = service_stats(service);
    CHECK_INT(stats.max_senders, 64);
    CHECK_INT(stats.max_receivers, 64);
    CHECK_INT(stats.max_calls, 4);
    CHECK_INT(stats.max_answers, 2);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    mmf_service_close(service);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_checks_its_arguments),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(limits_may_be_reached),
        cmocka_unit_test(an_existing_service_must_be_as_asked),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(there_is_a_limit_to_servers),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(clients_calls_are_checked),
        cmocka_unit_test(servers_calls_are_checked),
        cmocka_unit_test(zeroed_options_are_the_default),
    };

    return harness_main(argc, argv, "service.arguments", tests, COUNT_OF(tests), NULL);
}
