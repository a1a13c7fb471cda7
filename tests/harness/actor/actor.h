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

enum { MAX_WORDS = 80, ANSWER_SIZE = 16384 };

/* One call. */
struct call {
    char *words[MAX_WORDS]; /* the first one is the call's name; decoded, NULL-ended */
    int count;
    bool is_null[MAX_WORDS]; /* the word stands for the null pointer */
    const char *handle;      /* what the new handle will be called; NULL: none */
    char answer[ANSWER_SIZE];
    size_t length;
};

/* "key=value", encoded, to the answer. */
void say_text(struct call *call, const char *key, const char *value);
void say_number(struct call *call, const char *key, long long value);

/* An output that was UNTOUCHED or a number. */
#define UNTOUCHED (-7)
void say_output(struct call *call, const char *key, long long value);

/* Ends the program: a mistake in the scenario. */
_Noreturn void complain(const char *what, const char *word);

/* Words by their place; missing ones end the program. */
const char *text_at(const struct call *call, int i); /* NULL for the null pointer */
long long number_at(const struct call *call, int i);

/* The value of the word "key=..."; NULL. */
const char *option_of(const struct call *call, const char *key);

/* The number that a word has in a NULL-ended list of words. */
int choice_of(const char *word, const char *const *list);

/*
 * Handles of this process, by name.
 */
enum { ACCESSOR = 100, STREAM = 101 }; /* kinds beside mmf_kind's */

struct handle {
    char name[32];
    int kind; /* 0: free */
    void *object;
};

struct handle handle_of(const char *name);

/* Says `out`, and keeps a handle that was made. */
void keep_handle(struct call *call, int kind, int status, void *object);

/* What an output that is a handle holds before the call. */
#define NO_HANDLE ((void *)(uintptr_t)0x5a5a5a5a)

int call_close(struct call *call);

/* sync.c, views.c, channels.c: the calls on mutexes, events, semaphores; on maps and views;
 * on channels. */
struct named_call {
    const char *name;
    int (*make)(struct call *call); /* its status */
};

/* A NULL name ends them. */
extern const struct named_call sync_calls[], view_calls[], channel_calls[];

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

#endif
