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

/* Ends the program: a mistake in the scenario. */
_Noreturn void complain(const char *what, const char *word);

/* Words by their place; missing ones end the program. */
const char *text_at(const struct call *call, int i); /* NULL for the null pointer */
long long number_at(const struct call *call, int i);

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

/*
 * Handles of this process, by name.
 */
enum {
    ACCESSOR = 100,
    STREAM,
    BYTES,
    OPEN_FILE,
    WAITABLE
}; /* kinds beside mmf_kind's */

struct handle {
    char name[32];
    int kind; /* 0: free */
    size_t size;
    void *object;
};

/* Of "null_mutex" and the like: the kind, and no object. */
struct handle handle_of(const char *name);

/* The handle, or the null pointer of the kind that the option `kind` says. */
struct handle view_at(const struct call *call, int i);

/* Says `out`, and keeps a handle that was made. */
void keep_handle(struct call *call, int kind, int status, void *object);

/* What an output that is a handle holds before the call. */
#define NO_HANDLE ((void *)(uintptr_t)0x5a5a5a5a)

int call_close(struct call *call);

mmf_waitable *waitable_at(const struct call *call, int i);

/* Lines from the standard input, until there are no more; the exit status. */
int actor_run(void);

/* The calls, each file's. */
struct named_call {
    const char *name;
    int (*make)(struct call *call); /* its status, or CANNOT */
};

enum { CANNOT = -1000 }; /* the system does not let it */

/* A NULL name ends them. */
extern const struct named_call list_calls[], sync_calls[], map_calls[], view_calls[],
    value_calls[], stream_calls[], channel_calls[], poll_calls[];

int make_map(struct call *call, const char *how, int first);

/* Handles whose kind is MMF_KIND_QUEUE to MMF_KIND_SERVICE. */
static inline bool
is_channel(int kind)
{
    return kind >= MMF_KIND_QUEUE && kind <= MMF_KIND_SERVICE;
}

int make_channel(struct call *call, int kind, const char *how, int first);
void close_channel(void *handle);
mmf_waitable *channel_waitable(const void *handle);
int release_message(struct call *call);
int channel_fd(struct call *call);

/* Of an OPEN_FILE. */
void close_open_file(void *object);

/* The options of a view; NULL if none is there. The caller frees `*space`. */
const mmf_view_options *view_options_of(const struct call *call,
                                        mmf_view_options *options, void **space);

#endif
