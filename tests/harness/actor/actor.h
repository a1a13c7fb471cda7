/*
 * actor.h - the actor program: reads calls, makes them, writes answers. What it is told
 * and what it answers stands in docs/internals/conformance.md.
 */
#ifndef MMF_TESTS_HARNESS_ACTOR_H
#define MMF_TESTS_HARNESS_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/mmf.h>

enum { MAX_WORDS = 80, ANSWER_SIZE = 16384, PATH_SIZE = 5000, MAX_HEX = 4096 };

/* One call. */
struct call {
    char *words[MAX_WORDS]; /* the first one is the call's name; decoded, NULL-ended */
    int count;
    bool is_null[MAX_WORDS]; /* the word stands for the null pointer */
    const char *handle;      /* what the new handle will be called; NULL: none */
    size_t size;             /* of a new handle, if it is BYTES */
    bool is_several; /* it has made several calls, of which some may have failed */
    char answer[ANSWER_SIZE];
    size_t length;
};

/* "key=value", encoded, to the answer. */
void say_text(struct call *call, const char *key, const char *value);
void say_hex(struct call *call, const char *key, const unsigned char *bytes,
             size_t count); /* in hexadecimal */
void say_number(struct call *call, const char *key, long long value);

/* An output that was UNTOUCHED or a number. */
#define UNTOUCHED (-7)
void say_output(struct call *call, const char *key, long long value);
void say_size(struct call *call, const char *key, size_t value);

/* Ends the program: a mistake in the scenario. */
_Noreturn void complain(const char *what, const char *word);

/* Words by their place; missing ones end the program. */
const char *text_at(const struct call *call, int i); /* NULL for the null pointer */
long long number_at(const struct call *call, int i);
int32_t ms_at(const struct call *call, int i);
mmf_access access_at(const struct call *call, int i);

/* Words before the options, which come last. */
int plain_count(const struct call *call);

/* A size_t, or SIZE_MAX. */
size_t parse_size(const char *text);
size_t size_at(const struct call *call, int i);

/* A number; or `end`, `end-4`, `end+1`, counted from `size`. */
int64_t offset_at(const struct call *call, int i, int64_t size);

/* Hexadecimal to bytes; how many. */
size_t parse_bytes(const char *text, unsigned char *bytes, size_t size);

/* The option null=ARGUMENT: it is to be the null pointer. */
bool is_null(const struct call *call, const char *argument);

/* Where the call puts an output: nowhere, with null=ARGUMENT. */
void *unless_null(const struct call *call, const char *argument, void *output);

/* The value of the word "key=..."; NULL. */
const char *option_of(const struct call *call, const char *key);

/* The number that a word has in a NULL-ended list of words. */
int choice_of(const char *word, const char *const *list);
extern const char *const access_words[], *const overflow_words[];

/*
 * options.c: the structure that the options among the words are, which the caller frees;
 * NULL: no option is there.
 */
struct options;
extern const struct options map_options, view_options, sync_options, channel_options,
    service_options;
void *options_of(const struct call *call, const struct options *kind);

/*
 * Handles of this process, by name.
 */

/* Kinds beside mmf_kind's. */
enum { ACCESSOR = MMF_KIND_SERVICE + 1, STREAM, WAITABLE, OPEN_FILE, BYTES, POLLER };

struct handle {
    char name[32];
    int kind; /* 0: free */
    size_t size;
    void *object;
    void *reserved; /* in a channel */
    size_t length;  /* of what is reserved */
};

/* For the null pointer: one of no kind. */
struct handle handle_of(const char *name);
void *object_at(const struct call *call, int i);

/* The handle; of the null pointer the kind is what the option `kind` says. */
struct handle view_at(const struct call *call, int i);

/* Says `out`, and keeps a handle that was made. */
void keep_handle(struct call *call, int kind, int status, void *object);

/* The first word's channel has so much reserved: NULL for nothing. */
void keep_reserved(const struct call *call, void *bytes, size_t length);

/* The handle, whose name is free from now on. */
struct handle forget_handle(const char *name);

/* What an output that is a handle holds before the call. */
#define NO_HANDLE ((void *)(uintptr_t)0x5a5a5a5a)

/*
 * kinds.c: what is done with every kind of handle; NULL where it cannot be done.
 */

/* How a handle is made, and the handle. */
struct making {
    const char *how; /* "new" and "open"; else whichever it is */
    int first;       /* the place of the name */
    const void *options;
    void *object;
};

struct kind {
    const char *name;
    const struct options *options;
    int (*make)(struct call *call, struct making *making); /* its status */
    void (*close)(void *object);
    mmf_waitable *(*waitable)(void *object);
    int (*wait)(void *object, int32_t timeout_ms);
};

extern const struct kind kinds_of_handles[];
int kind_named(const char *name);

mmf_waitable *waitable_at(const struct call *call, int i);

/* Lines from the standard input, until there are no more; the exit status. */
int actor_run(void);

/* The calls, each file's. */
struct named_call {
    const char *name;
    int (*make)(struct call *call); /* its status, or CANNOT */
};

enum { CANNOT = -1000 }; /* the system does not let it */

#define CALL(verb) ALIAS(verb, verb)
#define ALIAS(verb, other)                                                             \
    {                                                                                  \
        .make = call_##other, .name = #verb                                            \
    }

/* A call that says its status, one that says a value, and one that has an output. */
#define STATUS_CALL(name, status)                                                      \
    static int call_##name(struct call *call)                                          \
    {                                                                                  \
        return status;                                                                 \
    }
#define VALUE_CALL(name, value)                                                        \
    static int call_##name(struct call *call)                                          \
    {                                                                                  \
        say_number(call, "value", value);                                              \
        return MMF_OK;                                                                 \
    }

/* `out` points to the output, but with the option null=ARGUMENT. It is said as `key`. */
#define OUTPUT_CALL(name, type, argument, key, status)                                 \
    static int call_##name(struct call *call)                                          \
    {                                                                                  \
        type output = (type)UNTOUCHED, *out = unless_null(call, argument, &output);    \
        int its_status = status;                                                       \
                                                                                       \
        say_output(call, key, (long long)output);                                      \
        return its_status;                                                             \
    }

/* One without a name ends them. */
extern const struct named_call kind_calls[], list_calls[], sync_calls[], map_calls[],
    view_calls[], value_calls[], stream_calls[], channel_calls[], poll_calls[];

/* Handles whose kind is MMF_KIND_QUEUE to MMF_KIND_SERVICE. */
static inline bool
is_channel(int kind)
{
    return kind >= MMF_KIND_QUEUE && kind <= MMF_KIND_SERVICE;
}

int release_message(struct call *call);
int channel_fd(struct call *call);
void say_stats(struct call *call, const mmf_channel_stats *stats);
int fd_of_channel(const struct handle *channel, int *fd);

/* The descriptor is, within that time. */
bool descriptor_is_readable(int fd, int timeout_ms);

/* Of an OPEN_FILE. */
void close_open_file(void *object);

#endif
