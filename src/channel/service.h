/*
 * service.h - the handle on a service, for the calls of clients and servers.
 */
#ifndef MMF_CHANNEL_SERVICE_H
#define MMF_CHANNEL_SERVICE_H

#include <mmf/service.h>

#include "channel/channel.h"
#include "shared/service/service.h"

/* How often a call tries before it takes the path on which it can sleep: a round trip
 * between two distant processors is over by then. */
enum { MMF_SERVICE_TRIES = 512 };

struct mmf_service {
    struct mmf_channel channel;
    struct mmf_lanes lanes;
    struct mmf_client_shared *client; /* its part; NULL: it has not that role */
    struct mmf_call *calls;           /* of its lanes */
    uint32_t next_call;               /* where to look first for a free one */
    uint32_t next_answer;             /* and for an answer to any */
    uint32_t calling; /* the lane that mmf_service_call waits for, plus 1; or 0 */
    struct mmf_request *requests; /* that it has in flight */
    size_t request_count;
    size_t request_capacity;
    /* Taken, but larger than the caller's buffer: it comes next. It is the last of
     * `requests`. */
    struct mmf_service_message pending;
    bool has_pending;
};

/* The handle is not there, is dead after a fork, or has not the role. */
int mmf_service_fail_check(const mmf_service *service, mmf_role role);

/* The handle is there, alive and has the role. */
static inline int
mmf_service_check(const mmf_service *service, mmf_role role)
{
    return service != NULL && mmf_os_channel_is_alive(service->channel.os) &&
                   (service->channel.role & role)
               ? MMF_OK
               : mmf_service_fail_check(service, role);
}

/* Its client is dead, or has left. */
bool mmf_service_is_client_gone(const mmf_service *service,
                                const struct mmf_request *request);

/* An open call to which no answer is taken; and one to which an answer is there. */
bool mmf_service_has_call(const struct mmf_service *service);
bool mmf_service_has_answer(const struct mmf_service *service);

/* Cancel all that is open. */
void mmf_service_cancel_all(mmf_service *service);

static inline void
mmf_service_show(const struct mmf_service_message *found, uint64_t sequence,
                 mmf_message *message)
{
    memset(message, 0, sizeof(*message));
    message->bytes = found->bytes;
    message->length = (size_t)found->length;
    message->sequence = sequence;
    message->flags = (found->is_last ? MMF_MESSAGE_LAST : 0u) |
                     (found->deliveries > 1 ? (uint32_t)MMF_MESSAGE_REDELIVERED : 0u);
    message->deliveries = found->deliveries;
}

#endif
