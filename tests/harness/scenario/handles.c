/*
 * handles.c - which processes have which handles, and how a process gets what it lacks.
 */
#include "harness/scenario/row.h"

#include <string.h>

enum { MAX_HANDLES = 512, MAX_HOLDERS = 24 };

/* A handle of main and its threads, or of one p-process. */
struct handle {
    const char *name, *kind;
    const char *recipe;     /* how another process makes the same; NULL: it cannot */
    const struct peer *own; /* the p-process, or NULL */
    struct peer *holders[MAX_HOLDERS];
    int holder_count;
};

static struct handle handles[MAX_HANDLES];
static int handle_count;

static const struct peer *
own_peer(const struct actor *actor)
{
    return actor->name[0] == 'p' || actor->name[0] == 'c' ? actor->peer : NULL;
}

struct handle *
find_handle(const struct actor *actor, const char *name)
{
    const struct peer *own = own_peer(actor);

    for (int i = handle_count; i-- > 0;)
        if (handles[i].own == own && strcmp(handles[i].name, name) == 0)
            return &handles[i];
    return NULL;
}

static const struct actor *calling; /* whose handles kind_of means */

static const char *
kind_of(const char *name)
{
    const struct handle *handle = find_handle(calling, name);

    return handle != NULL ? handle->kind : "unknown";
}

char *
call_in_c(const struct actor *actor)
{
    calling = actor;
    return c_call(actor->handle ? actor->handle : "out", kind_of, &actor->call);
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

void
keep_handle(const struct actor *actor, const char *name, const struct words *call)
{
    struct handle *handle = &handles[handle_count];

    if (handle_count == MAX_HANDLES)
        fail("too many handles");
    handle_count++;
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
void
open_elsewhere(struct actor *actor, const struct words *call)
{
    for (int i = 1; i < call->count && name_index(call) == 0; i++) {
        struct handle *handle = find_handle(actor, call->word[i]);
        struct words recipe;

        if (handle == NULL || holds(handle, actor->peer))
            continue;
        if (handle->recipe == NULL)
            skip_row(); /* it has no name: threads can share it only */
        words_or_fail(handle->recipe, &recipe);
        open_elsewhere(actor, &recipe);
        have_done(actor, text_format("%s = %s", handle->name, handle->recipe));
        add_holder(handle, actor->peer);
    }
}

/*
 * Closed in all processes that have it. In the first one last: it may own a mutex, and
 * would go on owning it, without a handle, as long as others have one.
 */
void
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
    *handle = handles[--handle_count];
}

void
close_handles(void)
{
    while (handle_count > 0)
        close_handle(NULL, &handles[handle_count - 1]);
}

void
forget_holder(const struct peer *peer)
{
    for (int i = handle_count; i-- > 0;) {
        struct handle *handle = &handles[i];

        for (int k = handle->holder_count; k-- > 0;)
            if (handle->holders[k] == peer)
                handle->holders[k] = handle->holders[--handle->holder_count];
        if (handle->holder_count == 0)
            *handle = handles[--handle_count];
    }
}

void
forget_handles(void)
{
    handle_count = 0;
}
