/*
 * actors.c - actors and their processes: who there is, what they say, how they end.
 */
#include "harness/scenario/row.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ACTORS = 24 };
enum { HEAR_MS = 200 };

static struct peer *peers;
static struct actor actors[MAX_ACTORS];
static int actor_count;
static int others; /* other processes asked for in this row */
static int arrivals;
static bool any_died; /* so names may be orphaned */

/*
 * Who there is.
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
    int which = run->command_count == 1 ? 0 : 1 + others % (run->command_count - 1);

    others++;
    return borrow_peer(run->commands[which]);
}

struct actor *
find_actor(const char *name)
{
    for (int i = 0; i < actor_count; i++)
        if (strcmp(actors[i].name, name) == 0)
            return &actors[i];
    return NULL;
}

/* p1t1: a thread of p1. */
static bool
is_thread_of_other(const char *name)
{
    return name[0] == 'p' && strchr(name, 't') != NULL;
}

struct actor *
actor_of(const char *name)
{
    struct actor *actor = find_actor(name);

    if (actor != NULL && actor->peer != NULL)
        return actor;
    if (actor == NULL) {
        if (actor_count == MAX_ACTORS)
            fail("too many actors");
        actor = &actors[actor_count++];
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
        actor->peer = actors[0].peer;
    else
        fail("unknown actor: %s (t1 is a thread, p1 a process)", name);
    return actor;
}

/* The actor of a process that has nothing else to do. */
struct actor *
idle_actor(const struct peer *peer)
{
    for (int i = 0; i < actor_count; i++)
        if (actors[i].peer == peer && !actors[i].is_busy)
            return &actors[i];
    return NULL;
}

/*
 * What they hear and say.
 */

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
        count_unsaid();
        skip_row(); /* others wait for what it was to do */
    }
    actor->answer = rest;
    actor->answered_at = now_ms();
    actor->arrival = ++arrivals;
}

/* Hear one line of the process, if there is one in time. */
bool
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

void
hear_all(void)
{
    for (int i = 0; i < actor_count; i++)
        while (actors[i].peer != NULL && hear(actors[i].peer, 0))
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

const char *
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

/* Send an actor a line. `prefix`: "", "begin ", "child ". */
void
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

const char *
take_answer(struct actor *actor)
{
    await_answer(actor);
    actor->is_busy = false;
    return actor->answer;
}

/* For the runner itself, not for a step: it must be OK. */
const char *
have_done(struct actor *actor, const char *text)
{
    const char *answer;

    send_line(actor, "", text);
    answer = take_answer(actor);
    if (strcmp(answer, "cannot") == 0) {
        count_unsaid();
        skip_row();
    }
    if (strncmp(answer, "MMF_OK", 6) != 0)
        fail("%s: %s: %s", actor->name, text, answer);
    return answer;
}

/*
 * How they end; and forks.
 */

static bool
has_own_process(const struct actor *actor)
{
    return actor->peer != actors[0].peer && !is_thread_of_other(actor->name);
}

void
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
    any_died = true;
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

void
kill_actor(struct actor *actor, const char *signal_name)
{
    int signal = signal_of(signal_name);
    struct peer *peer = actor->peer;
    int status;

    record(actor, "is killed");
    if (!has_own_process(actor))
        fail("%s is no process to kill", actor->name);
    /* Runtimes that do not fork have handlers of their own for other signals. */
    if (signal != SIGKILL && !(peer->features & FEATURE_FORK))
        skip_row();
    forget_holder(peer);
    any_died = true;
    status = peer_kill(peer, signal);
    for (int i = 0; i < actor_count; i++)
        if (actors[i].peer == peer)
            actors[i].peer = NULL, actors[i].is_busy = false;
    if (signal != SIGKILL && status == 128 + SIGKILL)
        fail("the signal does not end it");
}

/* The new actor opens its ends of the pipes as files of this process. */
void
fork_actor(struct actor *parent, const char *name)
{
    int theirs[2];
    struct peer *peer = peer_prepare(parent->peer->command, theirs);
    struct actor *actor = find_actor(name);
    struct words answer;
    const char *said;

    if (actor_count == MAX_ACTORS || *name != 'c' ||
        (actor != NULL && actor->peer != NULL))
        fail("%s cannot be forked", name);
    record(parent, "forks");
    said = have_done(parent,
                     text_format("fork %s /proc/%ld/fd/%d /proc/%ld/fd/%d", name,
                                 (long)getpid(), theirs[0], (long)getpid(), theirs[1]));
    words_of(said, NULL, &answer);
    peer_adopt(peer, theirs, (pid_t)atol(word_value(&answer, "pid")));
    peer->next = peers;
    peers = peer;
    if (actor == NULL) /* not before the parent has forked: it may not be able to */
        actor = &actors[actor_count++];
    memset(actor, 0, sizeof(*actor));
    actor->name = text_copy(name, strlen(name));
    actor->peer = peer;
}

/*
 * A row's end.
 */

bool
is_any_busy(void)
{
    for (int i = 0; i < actor_count; i++)
        if (actors[i].peer != NULL && (actors[i].is_busy || actors[i].peer->is_stopped))
            return true;
    return false;
}

void
end_threads(void)
{
    for (int i = 0; i < actor_count; i++) {
        struct actor *actor = &actors[i];

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

/* Forks have copies of what others have. */
void
end_forks(void)
{
    for (int i = 1; i < actor_count; i++)
        if (actors[i].peer != NULL && actors[i].peer->is_fork)
            end_actor(&actors[i]);
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

void
check_peers(void)
{
    for (struct peer *peer = peers; peer != NULL; peer = peer->next)
        if (peer->in_use && peer->pid != 0)
            check_peer(peer);
}

/* Names that the dead have left. */
void
collect_dead(void)
{
    if (any_died)
        have_done(&actors[0], "gc");
}

/* Actors of a failed row may be in any state. */
void
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

void
forget_actors(void)
{
    actor_count = others = arrivals = 0;
    any_died = false;
}
