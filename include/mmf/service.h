/*
 * mmf/service.h - requests and answers: clients call, servers answer. mmf/channel.h has
 * what holds for every channel.
 *
 * Each request goes to one server. If that server dies or closes before its last answer,
 * the request goes to another one, with `deliveries` raised: at least once, as with a
 * queue. Several servers share the work; a client may have several calls open, and a call
 * may have several answers, the last of which is marked.
 *
 *   client                           server
 *   mmf_service_call                 mmf_service_receive, mmf_service_answer
 *
 *   in place, several calls open:    in place, several answers:
 *   mmf_service_reserve, _commit     mmf_service_take
 *   mmf_service_take_answer          mmf_service_reserve_answer, _commit_answer
 *   mmf_service_release_answer
 *
 * Memory: each client has max_calls * max_answers slots for answers, and there is memory
 * for max_clients clients from the beginning. With large answers choose small limits.
 */
#ifndef MMF_SERVICE_H
#define MMF_SERVICE_H

#include <mmf/channel.h>
#include <mmf/export.h>

MMF_BEGIN_DECLS

/* A handle on a service: a client, a server or both. For one thread at a time. */
typedef struct mmf_service mmf_service;

/* Names of a service's roles. */
enum { MMF_ROLE_CLIENT = MMF_ROLE_SEND, MMF_ROLE_SERVER = MMF_ROLE_RECEIVE };

/* Flags of a message, beside those of mmf/channel.h. */
enum {
    MMF_MESSAGE_LAST = 0x100 /* an answer: no other one follows to this call */
};

/* Flags of mmf_service_commit_answer and mmf_service_answer. */
enum {
    MMF_ANSWER_LAST = 0, /* the request is done */
    MMF_ANSWER_MORE = 1  /* more answers follow; the request stays in flight */
};

/*
 * Settings; NULL means all defaults, and so does a struct that is zero but for `size`.
 * The rules of mmf_map_options hold. Opening ignores what is marked "create".
 */
typedef struct mmf_service_options {
    uint32_t size;         /* sizeof(mmf_service_options) */
    mmf_role role;         /* MMF_ROLE_CLIENT, MMF_ROLE_SERVER; 0: both */
    mmf_strategy strategy; /* default MMF_STRATEGY_SPIN_THEN_WAIT */
    uint32_t flags;        /* MMF_CHANNEL_PEER_CLOSED; default 0 */
    /* create: clients, servers at one time; 0: 64; at most 1,024 */
    int32_t max_clients;
    int32_t max_servers;
    /* create: calls that a client may have open; 0: 4; at most 1,024 */
    int32_t max_calls;
    /* create: answers to one call that may wait, rounded up to a power of two; a server
     * waits when there are so many. 0: 2; max_calls times so many, rounded, are at most
     * 65,536 */
    int32_t max_answers;
    /*
     * 1: every user finds the name, as if it began with "Global\"; MMF_E_INVALID if it
     * begins with "Local\". 0: the prefix decides.
     */
    int32_t all_users;
    /* create: permission bits of its file. 0: 0666 with all_users, else 0600. */
    uint32_t mode;
    int32_t wait_ms;   /* open_existing: wait up to so many milliseconds for the name;
                          0: do not; -1: forever */
    uint32_t reserved; /* 0 */
} mmf_service_options;

/* Zero `options` and set its size. */
MMF_API void mmf_service_options_init(mmf_service_options *options);

/*
 * Service with requests of up to `request_size` bytes and answers of up to `answer_size`
 * bytes; `capacity` requests, rounded up to a power of two, may wait or be in flight.
 * Statuses as mmf/channel.h has them. MMF_E_RANGE: a size or a limit out of its range.
 */
MMF_API int mmf_service_create_new(const char *name, size_t request_size,
                                   size_t answer_size, size_t capacity,
                                   const mmf_service_options *options,
                                   mmf_service **out);

/* Open the service, or create it, in one step; sizes and limits must match:
 * MMF_E_MISMATCH. */
MMF_API int mmf_service_create_or_open(const char *name, size_t request_size,
                                       size_t answer_size, size_t capacity,
                                       const mmf_service_options *options, int *created,
                                       mmf_service **out);

/* Open the service that another process created; wait_ms waits for its name. */
MMF_API int mmf_service_open_existing(const char *name,
                                      const mmf_service_options *options,
                                      mmf_service **out);

/* Close. A client's open calls are cancelled; a server's requests are redelivered. NULL
 * is allowed. */
MMF_API void mmf_service_close(mmf_service *service);

/*
 * Client.
 *
 * Answers wait in slots of their call's own. If several answers come to each of several
 * open calls, take them as they come (call 0), and open none with a wait: a server that
 * waits for space in one call answers no other one.
 *
 * A call has a number, which is not 0 and which its request and its answers have as
 * `sequence`. It is open until its last answer was released or received, or until it is
 * cancelled. Of a call that was cancelled while a server had its request, the place stays
 * in use until that server is done with it.
 */

/*
 * Call: send the request, wait for the answer and copy it. `*length` is the answer's. If
 * the call does not succeed, it is cancelled. If several answers come, it is the first
 * one, and the others are dropped.
 *
 * MMF_TIMED_OUT    no free slot or no answer within timeout_ms
 * MMF_E_RANGE      request_length is more than request_size; timeout_ms < -1; the answer
 *                  is longer than capacity: it is lost
 * MMF_E_TOO_MANY   max_calls are open
 * MMF_E_STATE      there is a reservation
 * MMF_E_PEER_CLOSED  asked for: the last server has closed or died
 */
MMF_API int mmf_service_call(mmf_service *service, const void *request,
                             size_t request_length, void *buffer, size_t capacity,
                             int32_t timeout_ms, size_t *length);

/* Send a request, a copy, without waiting for its answer; `*call` is its number.
 * Statuses as mmf_service_call. */
MMF_API int mmf_service_send(mmf_service *service, const void *bytes, size_t length,
                             int32_t timeout_ms, uint64_t *call);

/* Reserve a slot for a request of up to `length` bytes: `*bytes` is where to write it.
 * A handle has one such reservation at a time. Statuses as mmf_service_call. */
MMF_API int mmf_service_reserve(mmf_service *service, size_t length, int32_t timeout_ms,
                                void **bytes);

/* Send what is reserved, `length` bytes of it. MMF_E_STATE: nothing is reserved.
 * MMF_E_RANGE: length is more than was reserved. */
MMF_API int mmf_service_commit(mmf_service *service, size_t length, uint64_t *call);

/* Return the reservation. MMF_E_STATE: nothing is reserved. */
MMF_API int mmf_service_abandon(mmf_service *service);

/*
 * Take the next answer to `call`, or with 0 to any open call, and read it in place until
 * mmf_service_release_answer. `answer->sequence` is the call; MMF_MESSAGE_LAST in `flags`
 * says that no other one follows. `answer->deliveries` is that of the request: if it
 * rises, a server has died and another one has begun with the answers anew.
 *
 * MMF_TIMED_OUT    no answer; the call stays open
 * MMF_E_STATE      no such call is open; an answer to `call` is taken already
 * MMF_E_RANGE      timeout_ms < -1
 * MMF_E_PEER_CLOSED  asked for: no answer, and the last server has closed or died
 */
MMF_API int mmf_service_take_answer(mmf_service *service, uint64_t call,
                                    int32_t timeout_ms, mmf_message *answer);

/* Release an answer; with the last one its call ends. MMF_E_STATE: it is not taken. */
MMF_API int mmf_service_release_answer(mmf_service *service, const mmf_message *answer);

/*
 * Take, copy, release. MMF_E_RANGE: the answer has more than `capacity` bytes; it stays.
 * `answer` may be NULL; its `bytes` is the buffer.
 */
MMF_API int mmf_service_receive_answer(mmf_service *service, uint64_t call,
                                       void *buffer, size_t capacity,
                                       int32_t timeout_ms, size_t *length,
                                       mmf_message *answer);

/* Give the call up: its request is taken back, or its answers are dropped. MMF_E_STATE:
 * no such call is open. */
MMF_API int mmf_service_cancel(mmf_service *service, uint64_t call);

/*
 * Server.
 *
 * A request is in flight from mmf_service_take or _receive to its last answer or
 * mmf_service_return. A handle may have several in flight, and answer them in any order.
 */

/*
 * Take the next request and read it in place, until its last answer.
 * `request->deliveries` says how often it was given to a server, this time included.
 * MMF_TIMED_OUT: no request. MMF_E_PEER_CLOSED: asked for; no request, and the last
 * client has closed or died.
 */
MMF_API int mmf_service_take(mmf_service *service, int32_t timeout_ms,
                             mmf_message *request);

/* Take a request and copy it; `request->bytes` is the buffer. It is to be answered like
 * one that was taken. MMF_E_RANGE: it has more than `capacity` bytes; it stays the first
 * for this handle. */
MMF_API int mmf_service_receive(mmf_service *service, void *buffer, size_t capacity,
                                int32_t timeout_ms, size_t *length,
                                mmf_message *request);

/* `*wanted` is 0 if the request's client has died or given the call up: work for it is in
 * vain. MMF_E_STATE: the request is not in flight here. */
MMF_API int mmf_service_is_wanted(mmf_service *service, const mmf_message *request,
                                  int *wanted);

/*
 * Reserve a slot for an answer of up to `length` bytes: `*bytes` is where to write it. Of
 * each request in flight one answer may be reserved.
 *
 * MMF_TIMED_OUT    max_answers wait for the client all the time
 * MMF_E_RANGE      length is more than answer_size; timeout_ms < -1
 * MMF_E_STATE      the request is not in flight here; there is a reservation
 * MMF_E_PEER_CLOSED  max_answers wait, and the client has died or given the call up
 */
MMF_API int mmf_service_reserve_answer(mmf_service *service, const mmf_message *request,
                                       size_t length, int32_t timeout_ms, void **bytes);

/*
 * Send what is reserved, `length` bytes of it. `flags`: MMF_ANSWER_LAST or _MORE. The last
 * answer acknowledges the request. If the client has died or given the call up, it is
 * dropped: MMF_OK all the same. MMF_E_STATE: nothing is reserved. MMF_E_RANGE: length is
 * more than was reserved. MMF_E_INVALID: unknown flags.
 */
MMF_API int mmf_service_commit_answer(mmf_service *service, const mmf_message *request,
                                      size_t length, uint32_t flags);

/*
 * Reserve, copy, commit. Status as both; but a last answer that its client does not want
 * never waits, and is dropped: MMF_OK. So a request can always be finished.
 */
MMF_API int mmf_service_answer(mmf_service *service, const mmf_message *request,
                               const void *bytes, size_t length, uint32_t flags,
                               int32_t timeout_ms);

/* The request goes to another server, or to this one again. A reservation for an answer to
 * it is abandoned. MMF_E_STATE: the request is not in flight here. */
MMF_API int mmf_service_return(mmf_service *service, const mmf_message *request);

/*
 * Both.
 */

/*
 * The handle for mmf_wait_any, mmf_wait_one and mmf_poller_add, borrowed; NULL for NULL. A
 * wait for it ends with 0 when there is a request to take, or an answer to an open call to
 * which none is taken (or, with MMF_CHANNEL_PEER_CLOSED, the last peer has gone), and takes
 * none: take with timeout 0 then. A client without such a call waits for nothing, and
 * alone that is MMF_E_STATE. A handle that is client and server counts as two objects.
 */
MMF_API mmf_waitable *mmf_service_waitable(mmf_service *service);

/* A descriptor that polls readable when there may be a request or an answer; as
 * mmf_queue_fd. MMF_E_PLATFORM on Windows. */
MMF_API int mmf_service_fd(mmf_service *service, int *fd);

/* The service's counters and limits: of its requests; senders are clients, receivers are
 * servers. MMF_E_NULL. */
MMF_API int mmf_service_stat(mmf_service *service, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
