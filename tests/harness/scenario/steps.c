/*
 * steps.c - what a line has its actors do: a call, a wait for one, an end.
 */
#include "harness/scenario/row.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { NAP_WITHOUT_KERNEL_MS = 30, LOOKS = 3 };

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
    record(actor, call_in_c(actor));
    if (skip && find_handle(actor, words->word[0]) != NULL)
        fail("%s is open", words->word[0]);
    handle = actor->call.count == 2 && strcmp(actor->call.word[0], "close") == 0
                 ? find_handle(actor, actor->call.word[1])
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
        nap_us(1000);
    if (done != count)
        fail("%d have answered, not %d", done, count);
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
        kill_actor(actor, words->count == 1 ? "KILL" : words->word[1]);
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
        skip_row();
    do_call(actor, strcmp(name, "child") == 0 ? "child " : "", &words);
    if (!actor->is_busy)
        check_answer(actor, expected);
}

/* [ACTORS:] STEP */
const char *
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

void
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
