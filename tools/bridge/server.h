/*
 * server.h - the connection to NATS, and what the links ask of JetStream. Each failure
 * becomes a text for the operator and a status to exit with.
 */
#ifndef MMF_BRIDGE_SERVER_H
#define MMF_BRIDGE_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nats/nats.h>

#include "config.h"

/* What the program exits with; docs/man/mmf-bridge.1 has the same table. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_CONFIGURATION = 1,
    EXIT_USAGE = 2,
    EXIT_NO_SERVER = 3,
    EXIT_DENIED = 4,
    EXIT_TLS = 5,
    EXIT_NO_JETSTREAM = 6,
    EXIT_NO_STREAM = 7,
    EXIT_CHANNEL = 8,
    EXIT_FAILED = 9
};

struct failure {
    int status;
    bool is_fatal; /* no retry will help: the configuration has to change */
    char text[512];
};

struct server {
    const struct config *config;
    natsConnection *connection;
    /* The same; what is said late of one before it does not count. */
    _Atomic(natsConnection *) heard;
    jsCtx *js;
    _Atomic uint64_t disconnects;
    atomic_bool is_connected;
    atomic_bool is_closed; /* the library has given up */
};

/* One try. */
bool server_connect(struct server *server, const struct config *config,
                    struct failure *failure);
void server_close(struct server *server);

/* Is JetStream there, and may this user use it? */
bool server_check_jetstream(struct server *server, struct failure *failure);

/* A publish that failed so: the stream is there, and only has to be asked again. */
bool server_is_worth_repeating(natsStatus status);

/* The failure of a call, in words: "WHAT: ...". */
void server_explain(struct failure *failure, const char *what, natsStatus status,
                    jsErrCode code);

/* The same of a call that concerns a stream. */
bool server_explain_stream(struct failure *failure, const char *stream,
                           natsStatus status, jsErrCode code);

/* A name as it stands in subjects, streams and keys: letters, digits and - stay, any other
 * byte becomes =XX. */
enum { WIRE_NAME_MAX = 800 };
void server_wire_name(char *out, size_t size, const char *name);

/* What the messages of one origin of a queue have: a stream of their own, and a subject. */
struct stream_names {
    char stream[2 * WIRE_NAME_MAX + 8];
    char subject[2 * WIRE_NAME_MAX + 8];
};
void server_name_queue(struct stream_names *names, const char *remote,
                       const char *origin);

/* All origins of a stored topic share a stream. */
void server_name_topic(struct stream_names *names, const char *remote);

/* Make the stream unless it is there. */
struct stream_wish {
    const char *name;
    const char *subject;
    int64_t bytes;
    int64_t age_ms;      /* 0: there is no limit */
    int64_t per_subject; /* messages; 0: there is no limit */
    bool in_memory;
    bool discard_old;
};
bool server_make_stream(struct server *server, const struct stream_wish *wish,
                        struct failure *failure);

/* Make a mirror of the stream of the same name in another domain, unless it is there. */
bool server_make_mirror(struct server *server, const struct stream_wish *wish,
                        const char *domain, struct failure *failure);

/* For a mirror that lacks what its original has. */
bool server_delete_stream(struct server *server, const char *stream,
                          struct failure *failure);

struct stream_state {
    uint64_t first, last; /* sequences */
    uint64_t messages, bytes;
    int64_t most_bytes; /* 0 or less: there is no limit */
    int64_t created;    /* when, by the server's clock */
};
/* `domain` NULL: the server's own. */
bool server_stream_state(struct server *server, const char *stream, const char *domain,
                         struct stream_state *state, struct failure *failure);

/*
 * Remove what is older than `sequence`. `domain` NULL: the server's own. There is no purge
 * of one subject alone: with 2.9.10 it makes consumers, and mirrors, skip messages.
 */
bool server_purge(struct server *server, const char *stream, uint64_t sequence,
                  const char *domain, struct failure *failure);

/*
 * Ask for the removal of one message; nothing is waited for. A purge makes a consumer of 2.9.10
 * forget messages that are not acknowledged, which then never come again.
 */
void server_delete_message(struct server *server, const char *stream,
                           uint64_t sequence);

/* The consumer that machines share which divide a stream among themselves. */
#define SHARED_CONSUMER "mmf-shared"

/* False: there is one, and a reader of all messages, which purges, may not join. */
bool server_check_not_shared(struct server *server, const char *stream,
                             const char *domain, struct failure *failure);

/* Every message up to this one is acknowledged. */
bool server_shared_floor(struct server *server, const char *stream, uint64_t *floor,
                         struct failure *failure);

#endif
