/*
 * support.c - see support.h.
 */
#include "support.h"

#include <string.h>

mmf_service_options
service_options(mmf_role role)
{
    mmf_service_options options;

    mmf_service_options_init(&options);
    options.role = role;
    options.max_clients = 2;
    options.max_servers = 2;
    options.max_calls = 3;
    return options;
}

mmf_service *
new_service(mmf_role role, size_t size)
{
    mmf_service_options options = service_options(role);
    mmf_service *service;

    CHECK_OK(mmf_service_create_new("S", size, size, 4, &options, &service));
    return service;
}

mmf_service *
open_service(mmf_role role)
{
    mmf_service_options options = service_options(role);
    mmf_service *service;

    CHECK_OK(mmf_service_open_existing("S", &options, &service));
    return service;
}

uint64_t
begin_call(mmf_service *client, uint64_t number)
{
    uint64_t call = 0;

    CHECK_STATUS(mmf_service_send(client, &number, sizeof(number), 0, &call), MMF_OK);
    CHECK(call != 0);
    return call;
}

mmf_message
take_request(mmf_service *server, uint64_t number)
{
    mmf_message request;

    CHECK_STATUS(mmf_service_take(server, LONG_MS, &request), MMF_OK);
    CHECK_INT(request.length, sizeof(number));
    CHECK_BYTES(request.bytes, &number, sizeof(number));
    return request;
}

void
answer(mmf_service *server, const mmf_message *request, uint64_t number, uint32_t flags)
{
    CHECK_STATUS(mmf_service_answer(server, request, &number, sizeof(number), flags, 0),
                 MMF_OK);
}

mmf_message
receive_number(mmf_service *client, uint64_t call, uint64_t number)
{
    mmf_message message;
    uint64_t got = ~number;
    size_t length = 77;

    CHECK_STATUS(mmf_service_receive_answer(client, call, &got, sizeof(got), LONG_MS,
                                            &length, &message),
                 MMF_OK);
    CHECK_INT(length, sizeof(got));
    CHECK_INT(got, number);
    CHECK(message.bytes == &got);
    if (call != 0)
        CHECK_INT(message.sequence, call);
    return message;
}

void
no_request(mmf_service *server)
{
    mmf_message request;

    CHECK_STATUS(mmf_service_take(server, 0, &request), MMF_TIMED_OUT);
}

mmf_channel_stats
service_stats(mmf_service *service)
{
    mmf_channel_stats stats;

    CHECK_OK(mmf_service_stat(service, &stats));
    return stats;
}
