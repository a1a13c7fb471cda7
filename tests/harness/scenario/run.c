/*
 * run.c - runs the rows of a case: steps, actors, handles, and what is left at the end.
 */
#include "harness/scenario/scenario.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_ACTORS = 24,
    MAX_HANDLES = 96,
    MAX_HOLDERS = 24,
    SHOWN_STEPS = 40,
    SHOWN_FAILURES = 2
};
enum { MAX_PERMUTED = 12 };
enum { HEAR_MS = 200, ANSWER_MS = 30000, NAP_WITHOUT_KERNEL_MS = 30, LOOKS = 3 };

struct actor {
    const char *name;
    struct peer *peer;
    bool is_busy; /* it was sent a call, and its answer was not taken */
    bool has_begun;
    long tid;           /* 0: not known */
    const char *answer; /* NULL: none yet */
    int arrival;        /* the order of the answers */
    const char *handle; /* the call's */
    struct words call;
    int64_t begun_at;
    int64_t answered_at;
};

/* A handle of main and its threads, or of one p-process. */
struct handle {
    const char *name, *kind;
    const char *recipe;     /* how another process makes the same; NULL: it cannot */
    const struct peer *own; /* the p-process, or NULL */
    struct peer *holders[MAX_HOLDERS];
    int holder_count;
};

static struct {
    const struct run *options;
    const struct suite *suite;
    const struct scenario *scenario;
    const struct line *line;
    struct scope scope;
    struct actor actors[MAX_ACTORS];
    int actor_count;
    struct handle handles[MAX_HANDLES];
    int handle_count;
    int others; /* other processes asked for in this row */
    int arrivals;
    bool any_died;                 /* so names may be orphaned */
    int permutation, permutations; /* which order; how many there are */
    int failures;                  /* of the case */
    const char *steps[SHOWN_STEPS];
    int step_count;
    jmp_buf end;
} row;

static struct peer *peers;
static int unsaid; /* calls that an actor cannot make */

enum { PASSED = 1, FAILED, NOT_HERE };

static void run_lines(const struct line *lines, int count);

/*
 * Failing.
 */

static void
print_row(void)
{
    fprintf(stderr, "    row:");
    for (int i = 0; i < row.scope.count; i++)
        fprintf(stderr, " %s=%.60s", row.scope.parameters[i].name,
                row.scope.parameters[i].value);
    if (row.permutations > 1)
        fprintf(stderr, " order %d of %d", row.permutation + 1, row.permutations);
    fprintf(stderr, "\n    in C:\n");
    for (int i = row.step_count > SHOWN_STEPS ? row.step_count - SHOWN_STEPS : 0;
         i < row.step_count; i++)
        fprintf(stderr, "      %s\n", row.steps[i % SHOWN_STEPS]);
}

static _Noreturn void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static _Noreturn void
fail(const char *format, ...)
{
    va_list args;

    if (++row.failures > SHOWN_FAILURES)
        longjmp(row.end, FAILED); /* the case's others are much like the first */
    fprintf(stderr, "%s:%d: ", row.scenario->file,
            row.line != NULL ? row.line->number : row.scenario->number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n    case: %s\n", row.scenario->title);
    if (row.line != NULL)
        fprintf(stderr, "    step: %s  %s\n", row.line->text, row.line->expected);
    print_row();
    longjmp(row.end, FAILED);
}

static void
words_or_fail(const char *text, struct words *words)
{
    const char *wrong = words_of(text, &row.scope, words);

    if (wrong != NULL)
        fail("%s in: %s", wrong, text);
}

/*
 * Actors and their processes.
 */

static struct peer *
borrow_peer(const char *command)
{
    struct peer *peer;

    for (peer = peers; peer != NULL; peer = peer->next)
        if (peer->pid != 0 && !peer->in_use && strcmp(peer->command, command) == 0)
            break;
    if (peer == NULL) {
        peer = peer_start(command);
        peer->next = peers;
        peers = peer;
    }
    peer->in_use = true;
    peer->descriptors = peer_descriptors(peer);
    return peer;
}

static struct peer *
another_peer(void)
{
    const struct run *run = row.options;
    int which = run->command_count == 1 ? 0 : 1 + row.others % (run->command_count - 1);

    row.others++;
    return borrow_peer(run->commands[which]);
}

static struct actor *
find_actor(const char *name)
{
    for (int i = 0; i < row.actor_count; i++)
        if (strcmp(row.actors[i].name, name) == 0)
            return &row.actors[i];
    return NULL;
}

/* p1t1: a thread of p1. */
static bool
is_thread_of_other(const char *name)
{
    return name[0] == 'p' && strchr(name, 't') != NULL;
}

static struct actor *
actor_of(const char *name)
{
    struct actor *actor = find_actor(name);

    if (actor != NULL && actor->peer != NULL)
        return actor;
    if (actor == NULL) {
        if (row.actor_count == MAX_ACTORS)
            fail("too many actors");
        actor = &row.actors[row.actor_count++];
    }
    memset(actor, 0, sizeof(*actor));
    actor->name = text_copy(name, strlen(name));
    if (strcmp(name, "main") == 0)
        actor->peer = borrow_peer(row.options->commands[0]);
    else if (is_thread_of_other(name))
        actor->peer = actor_of(text_copy(name, strcspn(name, "t")))->peer;
    else if (name[0] == 'p' || (name[0] == 't' && row.options->as_processes))
        actor->peer = another_peer();
    else if (name[0] == 't')
        actor->peer = row.actors[0].peer;
    else
        fail("unknown actor: %s (t1 is a thread, p1 a process)", name);
    return actor;
}

/* A line that a process has said goes to its actor. */
static void
deliver(struct peer *peer, char *line)
{
    char *rest = strchr(line, ' ');
    struct actor *actor;
    long tid = 0;

    if (rest == NULL)
        fail("an actor says \"%s\"", line);
    *rest++ = '\0';
    actor = find_actor(line);
    if (actor == NULL || actor->peer != peer || !actor->is_busy ||
        actor->answer != NULL)
        fail("an answer that was not asked for: %s %s", line, rest);
    if (strncmp(rest, "begun", 5) == 0) {
        sscanf(rest, "begun tid=%ld", &tid);
        actor->tid = tid;
        actor->has_begun = true;
        return;
    }
    if (actor->has_begun && strcmp(rest, "cannot") == 0) {
        unsaid++;
        longjmp(row.end, NOT_HERE); /* others wait for what it was to do */
    }
    actor->answer = rest;
    actor->answered_at = now_ms();
    actor->arrival = ++row.arrivals;
}

/* Hear one line of the process, if there is one in time. */
static bool
hear(struct peer *peer, int timeout_ms)
{
    bool ended;
    char *line = peer_hear(peer, timeout_ms, &ended);

    if (line != NULL)
        deliver(peer, line);
    else if (ended) {
        peer_kill(peer, SIGKILL);
        fail("the actor \"%s\" has ended", peer->command);
    }
    return line != NULL;
}

static void
hear_all(void)
{
    for (int i = 0; i < row.actor_count; i++)
        while (row.actors[i].peer != NULL && hear(row.actors[i].peer, 0))
            continue;
}

static void
await_answer(struct actor *actor)
{
    int64_t deadline = now_ms() + ANSWER_MS;

    while (actor->answer == NULL) {
        if (hear(actor->peer, HEAR_MS))
            continue;
        hear_all(); /* another one may say that it cannot */
        if (actor->answer == NULL && now_ms() >= deadline)
            fail("%s does not answer", actor->name);
    }
}

/* Send an actor a line. `prefix`: "", "begin ", "child ". */
static void
send_line(struct actor *actor, const char *prefix, const char *text)
{
    if (actor->is_busy)
        fail("%s is busy", actor->name);
    actor->is_busy = true;
    actor->has_begun = false;
    actor->answer = NULL;
    actor->begun_at = now_ms();
    peer_send(actor->peer, text_format("%s %s%s", actor->name, prefix, text));
}

static const char *
take_answer(struct actor *actor)
{
    await_answer(actor);
    actor->is_busy = false;
    return actor->answer;
}

/* For the runner itself, not for a step: it must be OK. */
static const char *
have_done(struct actor *actor, const char *text)
{
    const char *answer;

    send_line(actor, "", text);
    answer = take_answer(actor);
    if (strcmp(answer, "cannot") == 0) {
        unsaid++;
        longjmp(row.end, NOT_HERE);
    }
    if (strncmp(answer, "MMF_OK", 6) != 0)
        fail("%s: %s: %s", actor->name, text, answer);
    return answer;
}

/*
 * Handles.
 */

static const struct peer *
own_peer(const struct actor *actor)
{
    return actor->name[0] == 'p' || actor->name[0] == 'c' ? actor->peer : NULL;
}

static struct handle *
find_handle(const char *name, const struct peer *own)
{
    for (int i = row.handle_count; i-- > 0;)
        if (row.handles[i].own == own && strcmp(row.handles[i].name, name) == 0)
            return &row.handles[i];
    return NULL;
}

static const struct actor *calling; /* whose handles kind_of means */

static const char *
kind_of(const char *name)
{
    const struct handle *handle = find_handle(name, own_peer(calling));

    return handle != NULL ? handle->kind : "unknown";
}

static bool
is_kind(const char *word)
{
    static const char *const kinds[] = {"map",   "mutex", "event",  "semaphore",
                                        "queue", "topic", "latest", "service"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(word, kinds[i]) == 0)
            return true;
    return false;
}

/* Where the name is in a call that makes an object; 0: it makes none. */
static int
name_index(const struct words *call)
{
    const char *verb = call->word[0];

    if (strcmp(verb, "new") == 0 || strcmp(verb, "open") == 0 ||
        strcmp(verb, "from_handle") == 0 || strcmp(verb, "from_fd") == 0)
        return 2;
    return strcmp(verb, "from_file") == 0 ? 3 : is_kind(verb) ? 1 : 0;
}

static const char *
kind_made(const struct words *call)
{
    if (strncmp(call->word[0], "from_", 5) == 0)
        return "map";
    return call->word[name_index(call) == 2 ? 1 : 0];
}

static const char *
join(const struct words *words)
{
    const char *text = "";

    for (int i = 0; i < words->count; i++) {
        const char *word = words->word[i];
        const char *equals = strchr(word, '=');

        if (strcmp(word, "INFINITE") == 0)
            word = "-1";
        else if (strcmp(word, "LONG") == 0)
            word = text_format("%d", LONG_MS);
        else if (strcmp(word, "INT64_MAX") == 0)
            word = "9223372036854775807";
        else if (strcmp(word, "INT64_MIN") == 0)
            word = "-9223372036854775808";
        else if (equals == NULL || i == 0)
            word = word_encode(word);
        text = text_format("%s%s%s", text, i > 0 ? " " : "", word);
    }
    return text;
}

/* How another process makes a handle on the same object: it opens the name. */
static const char *
recipe_of(const struct words *call)
{
    int index = name_index(call);
    struct words words = {.count = 0};

    if (index == 0)
        return join(call);
    if (call->count <= index || strcmp(call->word[index], "NULL") == 0)
        return NULL;
    words.word[words.count++] = "open";
    words.word[words.count++] = kind_made(call);
    words.word[words.count++] = call->word[index];
    for (int i = index + 1; i < call->count; i++)
        if (strncmp(call->word[i], "access=", 7) == 0 ||
            strncmp(call->word[i], "role=", 5) == 0 ||
            strstr(call->word[i], "_user") != NULL)
            words.word[words.count++] = call->word[i];
    return join(&words);
}

static void
add_holder(struct handle *handle, struct peer *peer)
{
    if (handle->holder_count == MAX_HOLDERS)
        fail("too many processes hold %s", handle->name);
    handle->holders[handle->holder_count++] = peer;
}

static void
keep_handle(const struct actor *actor, const char *name, const struct words *call)
{
    struct handle *handle = &row.handles[row.handle_count];

    if (row.handle_count == MAX_HANDLES)
        fail("too many handles");
    row.handle_count++;
    memset(handle, 0, sizeof(*handle));
    handle->name = name;
    handle->kind = kind_made(call);
    handle->recipe = recipe_of(call);
    handle->own = own_peer(actor);
    add_holder(handle, actor->peer);
}

static bool
holds(const struct handle *handle, const struct peer *peer)
{
    for (int i = 0; i < handle->holder_count; i++)
        if (handle->holders[i] == peer)
            return true;
    return false;
}

/* The process that acts for a thread opens what main has made. */
static void
open_elsewhere(struct actor *actor, const struct words *call)
{
    for (int i = 1; i < call->count && name_index(call) == 0; i++) {
        struct handle *handle = find_handle(call->word[i], own_peer(actor));
        struct words recipe;

        if (handle == NULL || holds(handle, actor->peer))
            continue;
        if (handle->recipe == NULL)
            longjmp(row.end, NOT_HERE); /* it has no name: threads can share it only */
        words_or_fail(handle->recipe, &recipe);
        open_elsewhere(actor, &recipe);
        have_done(actor, text_format("%s = %s", handle->name, handle->recipe));
        add_holder(handle, actor->peer);
    }
}

/* The actor of a process that has nothing else to do. */
static struct actor *
idle_actor(const struct peer *peer)
{
    for (int i = 0; i < row.actor_count; i++)
        if (row.actors[i].peer == peer && !row.actors[i].is_busy)
            return &row.actors[i];
    return NULL;
}

/*
 * Closed in all processes that have it. In the first one last: it may own a mutex, and
 * would go on owning it, without a handle, as long as others have one.
 */
static void
close_handle(struct actor *actor, struct handle *handle)
{
    for (int i = handle->holder_count; i-- > 0;) {
        struct actor *other = actor != NULL && handle->holders[i] == actor->peer
                                  ? actor
                                  : idle_actor(handle->holders[i]);

        if (other == NULL)
            fail("%s is in use", handle->name);
        have_done(other, text_format("close %s", handle->name));
    }
    *handle = row.handles[--row.handle_count];
}

static void
forget_holder(const struct peer *peer)
{
    for (int i = row.handle_count; i-- > 0;) {
        struct handle *handle = &row.handles[i];

        for (int k = handle->holder_count; k-- > 0;)
            if (handle->holders[k] == peer)
                handle->holders[k] = handle->holders[--handle->holder_count];
        if (handle->holder_count == 0)
            *handle = row.handles[--row.handle_count];
    }
}

/*
 * Answers.
 */

static const char *
short_status(const char *status)
{
    if (strncmp(status, "MMF_", 4) == 0)
        status += 4;
    return strncmp(status, "E_", 2) == 0 ? status + 2 : status;
}

static bool
is_one_of(const char *status, const char *alternatives)
{
    size_t length = strlen(status);

    for (;; alternatives++) {
        if (strncmp(alternatives, status, length) == 0 &&
            (alternatives[length] == '\0' || alternatives[length] == '|'))
            return true;
        alternatives = strchr(alternatives, '|');
        if (alternatives == NULL)
            return false;
    }
}

static _Noreturn void
fail_answer(const struct actor *actor, const char *what)
{
    struct words answer;
    const char *says;

    if (strcmp(actor->answer, "cannot") == 0) {
        unsaid++;
        longjmp(row.end, NOT_HERE);
    }
    words_of(actor->answer, NULL, &answer);
    says = word_value(&answer, "says");
    fail("%s: %s\n    answer: %s%s%s", actor->name, what, actor->answer,
         says != NULL ? "\n    message: " : "", says != NULL ? word_decode(says) : "");
}

/* Of each failure: a message of one line; no output has changed. */
static void
check_unchanged(const struct actor *actor, const struct words *answer, bool is_failure)
{
    const char *says = word_value(answer, "says"), *error = word_value(answer, "error");

    if (is_failure && (says == NULL || strchr(word_decode(says), '\n') != NULL ||
                       strcmp(says, "''") == 0))
        fail_answer(actor, "the failure has no message of one line");
    if (is_failure && error != NULL && strcmp(error, answer->word[0]) != 0)
        fail_answer(actor, "the last error is another one");
    for (int i = 1; i < answer->count; i++) {
        const char *value = strchr(answer->word[i], '=');

        if (strncmp(answer->word[i], "says=", 5) != 0 &&
            strncmp(answer->word[i], "param=", 6) != 0 &&
            strncmp(answer->word[i], "error=", 6) != 0 && value != NULL &&
            strcmp(value, "=untouched") != 0 && strcmp(value, "=?") != 0)
            fail_answer(actor, "an output has changed");
    }
}

/* The last word but for options; but a name is waited for as an option says. */
static void
check_time(const struct actor *actor, const struct words *answer)
{
    const struct words *call = &actor->call;
    const char *wait_ms = word_value(call, "wait_ms");
    int last = call->count - 1;
    long timeout;

    while (last > 0 && strchr(call->word[last], '=') != NULL)
        last--;
    timeout = last > 0 ? atol(call->word[last]) : 0;

    if (wait_ms != NULL)
        timeout = strcmp(answer->word[0], "MMF_E_NOT_FOUND") == 0 ? atol(wait_ms) : 0;
    if (actor->answered_at - actor->begun_at < timeout)
        fail_answer(actor,
                    text_format("it timed out after %lld ms",
                                (long long)(actor->answered_at - actor->begun_at)));
}

/* KEY=VALUE, KEY=ONE|OTHER; KEY~=PART and says=PART: it has that in it. */
static void
check_item(const struct actor *actor, const struct words *answer, const char *item)
{
    const char *equals = strchr(item, '='), *value;
    bool is_part = strncmp(item, "says=", 5) == 0;
    size_t length;

    if (equals == NULL)
        fail("expected output without a value: %s", item);
    length = (size_t)(equals - item);
    if (length > 0 && equals[-1] == '~') {
        is_part = true;
        length--;
    }
    value = word_value(answer, text_copy(item, length));
    if (value == NULL)
        fail_answer(actor, text_format("it does not say %s", item));
    value = word_decode(value);
    if (strcmp(value, "?") == 0)
        return; /* this language does not have it */
    if (is_part ? strstr(value, equals + 1) == NULL : !is_one_of(value, equals + 1))
        fail_answer(actor, text_format("expected %s", item));
}

static void
check_answer(struct actor *actor, const char *expected)
{
    struct words wanted, answer;
    const char *status = "OK";
    int first = 0;

    words_or_fail(choose(expected, &row.scope), &wanted);
    if (words_of(actor->answer, NULL, &answer) != NULL || answer.count == 0)
        fail_answer(actor, "it makes no sense");
    if (wanted.count > 0 && strchr(wanted.word[0], '=') == NULL)
        status = wanted.word[first++];
    if (strcmp(answer.word[0], "cannot") == 0) {
        unsaid++;
        if (is_one_of("OK", status) || is_one_of("ABANDONED", status))
            longjmp(row.end, NOT_HERE); /* the rest relies on it */
        return;
    }
    if (!is_one_of(short_status(answer.word[0]), status))
        fail_answer(actor,
                    text_format("%s, not %s", short_status(answer.word[0]), status));
    if (strncmp(answer.word[0], "MMF_E_", 6) == 0)
        check_unchanged(actor, &answer, true);
    else if (word_value(&answer, "error") != NULL)
        fail_answer(actor, "it did not fail, and has changed the last error");
    if (strcmp(answer.word[0], "MMF_TIMED_OUT") == 0)
        check_unchanged(actor, &answer, false);
    if (strcmp(answer.word[0], "MMF_TIMED_OUT") == 0 ||
        word_value(&actor->call, "wait_ms") != NULL)
        check_time(actor, &answer);
    for (int i = first; i < wanted.count; i++)
        check_item(actor, &answer, wanted.word[i]);
    if (actor->handle != NULL && word_value(&answer, "out") != NULL &&
        strcmp(word_value(&answer, "out"), "made") == 0)
        keep_handle(actor, actor->handle, &actor->call);
}

/*
 * Steps.
 */

static void
record(const struct actor *actor, const char *text)
{
    row.steps[row.step_count++ % SHOWN_STEPS] =
        text_format("%s: %s", actor->name, text);
    if (row.options->verbose)
        fprintf(stderr, "%s: %s\n", actor->name, text);
}

/* K = CALL ... [&] */
static void
do_call(struct actor *actor, const char *prefix, struct words *words)
{
    bool begins = strcmp(words->word[words->count - 1], "&") == 0;
    int skip = words->count > 2 && strcmp(words->word[1], "=") == 0 ? 2 : 0;
    struct handle *handle;
    const char *text;

    actor->handle = skip ? words->word[0] : NULL;
    actor->call.count = 0;
    for (int i = skip; i < words->count - (begins ? 1 : 0); i++)
        actor->call.word[actor->call.count++] = words->word[i];
    actor->call.word[actor->call.count] = NULL;
    calling = actor;
    record(actor, c_call(actor->handle ? actor->handle : "out", kind_of, &actor->call));
    if (skip && find_handle(words->word[0], own_peer(actor)) != NULL)
        fail("%s is open", words->word[0]);
    handle = actor->call.count == 2 && strcmp(actor->call.word[0], "close") == 0
                 ? find_handle(actor->call.word[1], own_peer(actor))
                 : NULL;
    if (handle != NULL) {
        close_handle(actor, handle);
        actor->answer = "MMF_OK";
        return;
    }
    open_elsewhere(actor, &actor->call);
    if (strcmp(actor->call.word[0], "user") == 0 ||
        strcmp(actor->call.word[0], "statx") == 0)
        actor->peer->is_changed = true; /* so it is for no other row */
    text = join(&actor->call);
    if (skip)
        text = text_format("%s = %s", words->word[0], text);
    send_line(actor, begins ? "begin " : prefix, text);
    if (!begins)
        take_answer(actor);
}

static void
await_sleep(struct actor *actor)
{
    int64_t deadline = now_ms() + ANSWER_MS;
    char call[128], before[128] = "";
    int looks = 0;

    while (!actor->has_begun && actor->answer == NULL && now_ms() < deadline)
        hear(actor->peer, 100);
    if (actor->tid == 0 && actor->has_begun) {
        hear(actor->peer, NAP_WITHOUT_KERNEL_MS);
        looks = LOOKS;
    }
    while (actor->answer == NULL && looks < LOOKS && now_ms() < deadline) {
        bool sleeps = peer_thread_sleeps(actor->peer, actor->tid, call, sizeof(call));

        looks = sleeps && (looks == 0 || strcmp(call, before) == 0) ? looks + 1 : 0;
        memcpy(before, call, sizeof(before));
        hear(actor->peer, 1);
    }
    if (actor->answer != NULL)
        fail_answer(actor, "it does not sleep");
    if (looks < LOOKS)
        fail("%s does not sleep", actor->name);
}

static int
count_done(const struct words *actors)
{
    int done = 0;

    hear_all();
    for (int i = 0; i < actors->count; i++)
        done += actor_of(actors->word[i])->answer != NULL;
    return done;
}

/* Exactly so many of the actors have answered. */
static void
await_done(const struct words *actors, int count)
{
    int64_t deadline = now_ms() + LONG_MS;
    int done;

    while ((done = count_done(actors)) < count && now_ms() < deadline)
        nap_ms(1);
    if (done != count)
        fail("%d have answered, not %d", done, count);
}

static bool
has_own_process(const struct actor *actor)
{
    return actor->peer != row.actors[0].peer && !is_thread_of_other(actor->name);
}

static void
end_actor(struct actor *actor)
{
    int status;

    record(actor, "ends");
    if (!has_own_process(actor)) {
        have_done(actor, "end");
        actor->peer = NULL;
        return;
    }
    forget_holder(actor->peer);
    row.any_died = true;
    status = peer_finish(actor->peer);
    actor->peer = NULL;
    if (status != 0)
        fail("%s ends with %d", actor->name, status);
}

static int
signal_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"INT", SIGINT},
                   {"HUP", SIGHUP},   {"SEGV", SIGSEGV}, {"BUS", SIGBUS},
                   {"ABRT", SIGABRT}, {"QUIT", SIGQUIT}, {"ALRM", SIGALRM},
                   {"USR1", SIGUSR1}, {"XCPU", SIGXCPU}, {"SYS", SIGSYS}};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    fail("no such signal: %s", name);
}

static void
kill_actor(struct actor *actor, int signal)
{
    struct peer *peer = actor->peer;
    int status;

    record(actor, "is killed");
    if (!has_own_process(actor))
        fail("%s is no process to kill", actor->name);
    /* Runtimes that do not fork have handlers of their own for other signals. */
    if (signal != SIGKILL && !(peer->features & FEATURE_FORK))
        longjmp(row.end, NOT_HERE);
    forget_holder(peer);
    row.any_died = true;
    status = peer_kill(peer, signal);
    for (int i = 0; i < row.actor_count; i++)
        if (row.actors[i].peer == peer)
            row.actors[i].peer = NULL, row.actors[i].is_busy = false;
    if (signal != SIGKILL && status == 128 + SIGKILL)
        fail("the signal does not end it");
}

/* The new actor opens its ends of the pipes as files of this process. */
static void
fork_actor(struct actor *parent, const char *name)
{
    int theirs[2];
    struct peer *peer = peer_prepare(parent->peer->command, theirs);
    struct actor *actor = find_actor(name);
    struct words answer;
    const char *said;

    if (row.actor_count == MAX_ACTORS || *name != 'c' ||
        (actor != NULL && actor->peer != NULL))
        fail("%s cannot be forked", name);
    if (actor == NULL)
        actor = &row.actors[row.actor_count++];
    record(parent, "forks");
    said = have_done(parent,
                     text_format("fork %s /proc/%ld/fd/%d /proc/%ld/fd/%d", name,
                                 (long)getpid(), theirs[0], (long)getpid(), theirs[1]));
    words_of(said, NULL, &answer);
    peer_adopt(peer, theirs, (pid_t)atol(word_value(&answer, "pid")));
    peer->next = peers;
    peers = peer;
    memset(actor, 0, sizeof(*actor));
    actor->name = text_copy(name, strlen(name));
    actor->peer = peer;
}

/* What an actor does beside calls. False: it is a call. */
static bool
do_other(struct actor *actor, const struct words *words)
{
    const char *what = words->word[0];

    if (strcmp(what, "sleeps") == 0)
        await_sleep(actor);
    else if (strcmp(what, "end") == 0)
        end_actor(actor);
    else if (strcmp(what, "kill") == 0)
        kill_actor(actor, words->count == 1 ? SIGKILL : signal_of(words->word[1]));
    else if (strcmp(what, "fork") == 0)
        fork_actor(actor, words->word[1]);
    else if (strcmp(what, "exec") == 0) {
        have_done(actor, what);
        actor->peer->is_changed = true;
    } else if (strcmp(what, "stop") == 0 || strcmp(what, "continue") == 0)
        peer_signal(actor->peer, *what == 's' ? SIGSTOP : SIGCONT);
    else if (strcmp(what, "busy") == 0) {
        hear_all();
        if (!actor->is_busy || actor->answer != NULL)
            fail_answer(actor, "it has answered");
    } else
        return false;
    return true;
}

/* A directory of the runner's. */
static void
use_disk(const char *name, const char *text, const char *expected)
{
    bool is_names = strcmp(name, "names") == 0;
    struct actor disk = {.name = name};

    disk.call.count = 0;
    words_or_fail(text, &disk.call);
    record(&disk, text);
    disk.answer = disk.call.count == 0 ? NULL
                                       : disk_call(is_names ? row.options->directory
                                                            : row.options->files,
                                                   &disk.call);
    if (disk.answer == NULL)
        fail("the disk has no such call");
    check_answer(&disk, expected);
}

static void
do_step(const char *name, const char *text, const char *expected)
{
    struct actor *actor;
    struct words words;

    if (strcmp(name, "disk") == 0 || strcmp(name, "names") == 0) {
        use_disk(name, text, expected);
        return;
    }
    actor = actor_of(strcmp(name, "child") == 0 ? "main" : name);
    if (text[0] == '=') {
        take_answer(actor);
        check_answer(actor, text + 1);
        return;
    }
    words_or_fail(text, &words);
    if (words.count == 0)
        fail("an empty step");
    if (do_other(actor, &words))
        return;
    if (strcmp(name, "child") == 0 && !(actor->peer->features & FEATURE_FORK))
        longjmp(row.end, NOT_HERE);
    do_call(actor, strcmp(name, "child") == 0 ? "child " : "", &words);
    if (!actor->is_busy)
        check_answer(actor, expected);
}

/* [ACTORS:] STEP */
static const char *
split_actors(const char *text, struct words *actors)
{
    const char *colon = strstr(text, ": ");

    if (colon == NULL || memchr(text, ' ', (size_t)(colon - text)) != NULL) {
        words_or_fail("main", actors);
        return text;
    }
    words_or_fail(text_copy(text, (size_t)(colon - text)), actors);
    return colon + 2 + strspn(colon + 2, " ");
}

static void
run_step(const struct line *line)
{
    struct words actors;
    const char *text = split_actors(line->text, &actors);

    row.line = line;
    if (strncmp(text, "done ", 5) == 0) {
        struct words words;

        words_or_fail(text, &words);
        await_done(&actors, atoi(words.word[1]));
        return;
    }
    for (int i = 0; i < actors.count; i++)
        do_step(actors.word[i], text, line->expected);
}

/*
 * Blocks.
 */

static void
run_for(const struct words *head, const struct line *lines, int count)
{
    int scope = row.scope.count;

    for (int i = 2; i < head->count; i++) {
        row.scope.count = scope;
        scope_set(&row.scope, "n", text_format("%d", i - 1));
        scope_set(&row.scope, head->word[1], head->word[i]);
        run_lines(lines, count);
    }
    row.scope.count = scope;
}

static struct actor *
first_answer(const struct words *actors)
{
    int64_t deadline = now_ms() + ANSWER_MS;
    struct actor *first = NULL;

    while (first == NULL) {
        hear_all();
        for (int i = 1; i < actors->count; i++) {
            struct actor *actor = find_actor(actors->word[i]);

            if (actor != NULL && actor->is_busy && actor->answer != NULL &&
                (first == NULL || actor->arrival < first->arrival))
                first = actor;
        }
        if (first == NULL && now_ms() > deadline)
            fail("none of them answers");
        if (first == NULL)
            nap_ms(1);
    }
    return first;
}

static void
run_each_done(const struct words *head, const struct line *lines, int count)
{
    int scope = row.scope.count;

    for (int i = 1; i < head->count; i++) {
        row.scope.count = scope;
        scope_set(&row.scope, "who", first_answer(head)->name);
        scope_set(&row.scope, "n", text_format("%d", i));
        run_lines(lines, count);
    }
    row.scope.count = scope;
}

/* How many orders there are of steps whose actors' own order is kept. */
static int
count_orders(const int *owner, int count)
{
    int orders = 1, total = 0;

    for (int actor = 0; actor < MAX_PERMUTED; actor++)
        for (int own = 0, i = 0; i < count; i++)
            if (owner[i] == actor)
                orders = orders * ++total / ++own;
    return orders;
}

/* Order `index` of them, by taking its first step and asking for the rest. */
static void
run_order(const struct line **steps, const int *owner, int count, int index)
{
    for (int pick = 0; pick < count; pick++) {
        const struct line *rest[MAX_PERMUTED];
        int owners[MAX_PERMUTED], left = 0, orders;
        bool is_first = true;

        for (int i = 0; i < pick; i++)
            is_first = is_first && owner[i] != owner[pick];
        if (!is_first)
            continue;
        for (int i = 0; i < count; i++) {
            if (i != pick) {
                rest[left] = steps[i];
                owners[left++] = owner[i];
            }
        }
        orders = count_orders(owners, left);
        if (index < orders) {
            run_step(steps[pick]);
            run_order(rest, owners, left, index);
            return;
        }
        index -= orders;
    }
    if (count > 0)
        fail("there is no order %d", index);
}

static void
run_permute(const struct line *lines, int count)
{
    const struct line *steps[MAX_PERMUTED];
    const char *names[MAX_PERMUTED];
    int owner[MAX_PERMUTED];

    if (count > MAX_PERMUTED)
        fail("too many steps to permute");
    for (int i = 0; i < count; i++) {
        struct words actors;

        split_actors(lines[i].text, &actors);
        steps[i] = &lines[i];
        names[i] = actors.word[0];
        for (owner[i] = 0; strcmp(names[owner[i]], names[i]) != 0; owner[i]++)
            continue;
    }
    row.permutations = count_orders(owner, count);
    run_order(steps, owner, count, row.permutation);
}

static const struct scenario *
find_macro(const char *name)
{
    for (int i = 0; i < row.suite->count; i++) {
        const struct scenario *macro = &row.suite->scenarios[i];

        if (macro->is_macro && macro->file == row.scenario->file &&
            strcmp(macro->title, name) == 0)
            return macro;
    }
    return NULL;
}

static void
run_macro(const struct scenario *macro, const struct words *head)
{
    int scope = row.scope.count;

    if (head->count != macro->parameter_count + 1)
        fail("%s has %d parameters", macro->title, macro->parameter_count);
    for (int i = 0; i < macro->parameter_count; i++)
        scope_set(&row.scope, macro->parameters[i].name, head->word[i + 1]);
    run_lines(macro->lines, macro->count);
    row.scope.count = scope;
}

static void
run_line(const struct line *line, const struct line *block, int count)
{
    const struct scenario *macro;
    struct words head;

    row.line = line;
    if (strstr(line->text, ": ") != NULL) {
        run_step(line);
        return;
    }
    words_or_fail(line->text, &head);
    macro = find_macro(head.word[0]);
    if (macro != NULL) {
        run_macro(macro, &head);
    } else if (strcmp(head.word[0], "for") == 0) {
        run_for(&head, block, count);
    } else if (strcmp(head.word[0], "repeat") == 0 && head.count == 2) {
        for (int i = atoi(head.word[1]); i > 0; i--)
            run_lines(block, count);
    } else if (strcmp(head.word[0], "each_done") == 0) {
        run_each_done(&head, block, count);
    } else if (strcmp(head.word[0], "permute") == 0) {
        run_permute(block, count);
    } else {
        run_step(line);
    }
}

static void
run_lines(const struct line *lines, int count)
{
    for (int i = 0; i < count;) {
        int block = i + 1;

        while (block < count && lines[block].depth > lines[i].depth)
            block++;
        run_line(&lines[i], &lines[i + 1], block - i - 1);
        i = block;
    }
}

/*
 * A row's end.
 */

static void
end_threads(void)
{
    for (int i = 0; i < row.actor_count; i++) {
        struct actor *actor = &row.actors[i];

        if (actor->peer == NULL)
            continue;
        if (actor->peer->is_stopped)
            peer_signal(actor->peer, SIGCONT);
        if (actor->is_busy)
            fail("%s is still busy", actor->name);
        if (i > 0)
            have_done(actor, "end");
    }
}

static void
close_handles(void)
{
    while (row.handle_count > 0)
        close_handle(NULL, &row.handles[row.handle_count - 1]);
}

/* Forks have copies of what others have. */
static void
end_forks(void)
{
    for (int i = 1; i < row.actor_count; i++)
        if (row.actors[i].peer != NULL && row.actors[i].peer->is_fork)
            end_actor(&row.actors[i]);
}

static void
check_peer(const struct peer *peer)
{
    const char *left;
    long descriptors;

    if (!(peer->features & FEATURE_FILES))
        return;
    left = peer_leftovers(peer);
    if (left != NULL)
        fail("%s has been left by the case, %s", peer->command, left);
    descriptors = peer_descriptors(peer);
    if (peer->features & FEATURE_DESCRIPTORS && descriptors != peer->descriptors)
        fail("%s has %ld descriptors more than before the case", peer->command,
             descriptors - peer->descriptors);
}

static void
check_nothing_left(void)
{
    row.line = NULL;
    end_forks();
    end_threads();
    close_handles();
    for (struct peer *peer = peers; peer != NULL; peer = peer->next)
        if (peer->in_use && peer->pid != 0)
            check_peer(peer);
    if (row.any_died)
        have_done(&row.actors[0], "gc");
    if (files_below(row.options->directory, false) != 0)
        fail("names are left");
}

/* Actors of a failed row may be in any state. */
static void
forget_peers(bool all)
{
    struct peer **link = &peers, *peer;

    while ((peer = *link) != NULL) {
        peer->in_use = false;
        if (all || peer->is_changed)
            peer_kill(peer, SIGKILL);
        if (peer->pid == 0) {
            *link = peer->next;
            free(peer);
        } else {
            link = &peer->next;
        }
    }
}

/* For a row with several users the directory is as /dev/shm is. */
static int
features_of_users(void)
{
    bool is_wanted = row.scenario->needs & FEATURE_USERS;

    if (geteuid() != 0 ||
        chmod(row.options->directory, is_wanted ? 01777 : 0700) != 0 ||
        chmod(row.options->files, is_wanted ? 0777 : 0700) != 0)
        return 0;
    return FEATURE_USERS;
}

/*
 * What a row that is not for this run has begun: without it, other rows can have its
 * actors. False: it may be in any state.
 */
static bool
undo_row(void)
{
    for (int i = 0; i < row.actor_count; i++)
        if (row.actors[i].peer != NULL &&
            (row.actors[i].is_busy || row.actors[i].peer->is_stopped))
            return false;
    if (setjmp(row.end) != 0)
        return false;
    end_threads();
    close_handles();
    if (row.any_died)
        have_done(&row.actors[0], "gc");
    return true;
}

static int
run_row(void)
{
    volatile int result = setjmp(row.end);

    if (result == 0) {
        int features = actor_of("main")->peer->features | features_of_users();

        if ((features & row.scenario->needs) != row.scenario->needs)
            longjmp(row.end, NOT_HERE);
        run_lines(row.scenario->lines, row.scenario->count);
        check_nothing_left();
        result = PASSED;
    }
    forget_peers(result == FAILED || (result == NOT_HERE && !undo_row()));
    if (result != PASSED)
        files_below(row.options->directory, true);
    disk_forget(row.options->files);
    text_forget();
    return result;
}

/*
 * Cases.
 */

static void
begin_row(const struct scope *scope, int permutation)
{
    row.scope = *scope;
    scope_set(&row.scope, "files", row.options->files);
    scope_set(&row.scope, "user", text_format("%u", (unsigned)geteuid()));
    row.permutation = permutation;
    row.permutations = 1;
    row.actor_count = row.handle_count = row.others = row.arrivals = row.step_count = 0;
    row.any_died = false;
    row.line = NULL;
}

static void
run_permutations(const struct scope *scope, struct tally *tally)
{
    int permutation = 0;

    do {
        int result;

        begin_row(scope, permutation);
        result = run_row();
        tally->rows++;
        tally->passed += result == PASSED;
        tally->failed += result == FAILED;
        tally->not_here += result == NOT_HERE;
    } while (++permutation < row.permutations);
}

static void
run_choices(struct scope *scope, int parameter, struct tally *tally)
{
    const struct parameter *choice = &row.scenario->parameters[parameter];

    if (parameter == row.scenario->parameter_count) {
        run_permutations(scope, tally);
        return;
    }
    for (int i = 0; i < choice->values.count; i++) {
        scope->count = parameter;
        scope_set(scope, choice->name, choice->values.word[i]);
        run_choices(scope, parameter + 1, tally);
    }
}

void
scenario_run(const struct run *run, const struct suite *suite,
             const struct scenario *scenario, struct tally *tally)
{
    struct scope scope = {.count = 0};

    row.options = run;
    row.suite = suite;
    row.scenario = scenario;
    row.failures = 0;
    run_choices(&scope, 0, tally);
}

int
run_unsaid(void)
{
    return unsaid;
}

void
run_end(void)
{
    forget_peers(true);
}
