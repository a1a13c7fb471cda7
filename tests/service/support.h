/*
 * support.h - shared by the tests of services.
 */
#ifndef MMF_TESTS_SERVICE_SUPPORT_H
#define MMF_TESTS_SERVICE_SUPPORT_H

/* Clocks, random numbers, the channel's memory. */
#include "../channel/support.h"

/* Defaults with a role: few clients, and no sleeps of a test's own. */
mmf_service_options service_options(mmf_role role);

/*
 * A service "S" with requests and answers of up to `size` bytes, 4 requests, 2 clients,
 * 2 servers, 3 calls of a client, 2 answers to a call; and one that is there. They must
 * succeed.
 */
mmf_service *new_service(mmf_role role, size_t size);
mmf_service *open_service(mmf_role role);

/* Each of these must succeed at once. */
uint64_t begin_call(mmf_service *client, uint64_t number);
mmf_message take_request(mmf_service *server, uint64_t number);
void answer(mmf_service *server, const mmf_message *request, uint64_t number,
            uint32_t flags);

/* The next answer to `call` (0: to any) is `number`; whether it is the last. */
mmf_message receive_number(mmf_service *client, uint64_t call, uint64_t number);

/* No request is there. */
void no_request(mmf_service *server);

mmf_channel_stats service_stats(mmf_service *service);

#endif
