/*
 * config.h - what the bridge is to do: a file of INI, and arguments that say the same.
 */
#ifndef MMF_BRIDGE_CONFIG_H
#define MMF_BRIDGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/mmf.h>

enum direction { DIRECTION_OUT = 1, DIRECTION_IN = 2, DIRECTION_BOTH = 3 };

enum { REPLAY_ALL = -1 };

/* One channel, from a section "[KIND NAME]". */
struct channel_config {
    char *title; /* "queue Jobs" */
    const char *where;
    int line;
    mmf_kind kind;
    char *channel;                  /* the local name */
    char *remote;                   /* the name that both sides agree on */
    int64_t direction;              /* an enum direction; 0: not given */
    int64_t answer_size;            /* service */
    int64_t message_size, capacity; /* to create it; 0: another process does */
    int64_t overflow;
    int64_t spsc;
    int64_t batch;        /* messages in one message of NATS, at most */
    int64_t stream_bytes; /* limit of the stream */
    int64_t memory;       /* the stream is in the server's memory */
    char *from;           /* queue, in: names of origins, with commas between */
    int64_t shared;       /* queue, in: with other machines */
    int64_t
        take_over_ms; /* shared: what a silent machine had goes to another one; 0: not
                             given */
    char *mirror_domain;   /* in: make a mirror of the stream in that domain */
    int64_t stored;        /* topic: in a stream */
    int64_t stream_age_ms; /* stored topic: of its messages; 0: there is no limit */
    int64_t replay;     /* stored topic, in, at the first time: so many older messages,
                              or REPLAY_ALL */
    int64_t timeout_ms; /* service, in: how long an answer may take */
    int64_t workers;    /* service: requests at one time */
    char *kv_domain;    /* latest: the JetStream domain that has the value */
};

struct config {
    char *origin;
    int64_t log_json;
    int64_t log_level;
    char *metrics;
    int64_t metrics_ms;

    char *server;
    char *credentials;
    char *user;
    char *password_file;
    char *token_file;
    int64_t tls;
    char *tls_ca;
    char *tls_cert;
    char *tls_key;
    char *domain;
    int64_t wait_ms; /* at the start, for server, streams and channels; -1: forever */
    int64_t ack_ms;  /* how long a publish may take */

    struct channel_config **channels;
    size_t count;
};

/* An argument "--KEY VALUE" of the bridge or the server, or "--KIND NAME,KEY=VALUE,...". */
struct config_argument {
    const char *key;
    const char *value;
};

/*
 * Read the file (NULL: no file) and the arguments, which come after it. Each thing
 * that is wrong is a line "FILE:LINE: message" on standard error; `*problems` counts them.
 * NULL: no memory.
 */
struct config *config_read(const char *file, const struct config_argument *arguments,
                           size_t count, int *problems);
void config_free(struct config *config);

/* "--KEY" exists, and needs a value. */
bool config_has_key(const char *key);

/* The keys with what they mean, for the help. */
void config_print_keys(void);

/* The origin at `*rest`, which moves on; false after the last. */
bool config_next_origin(const char **rest, char *origin, size_t size);

/* "out", "in", "both". */
const char *config_direction(int64_t direction);

#endif
