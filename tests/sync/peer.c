/*
 * peer.c - reads commands, calls the library, writes answers.
 */
#include "peer.h"
#include "peer_system.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

enum { SLOTS = 10, WORDS = 12 };

/* What is in a slot. */
struct slot {
    mmf_kind kind; /* 0: nothing */
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
    mmf_map *map;
    mmf_accessor *view;
    int64_t *number; /* the map's first one */
};

static struct slot slots[SLOTS];
static const mmf_sync_options *options; /* NULL until "mode" */

void
peer_say(int status, const char *text)
{
    printf("%s%s%s\n", mmf_status_name(status), text[0] != '\0' ? " " : "", text);
    fflush(stdout);
}

void
peer_say_number(int status, long long number)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", number);
    peer_say(status, status < 0 ? mmf_last_message() : text);
}

static void
answer(int status)
{
    peer_say(status, status < 0 ? mmf_last_message() : "");
}

/* A mistake in the test. */
void
peer_complain(const char *what)
{
    printf("peer: %s\n", what);
    fflush(stdout);
}

static struct slot *
slot_of(const char *word)
{
    int i = word != NULL ? atoi(word) : -1;

    if (i < 0 || i >= SLOTS) {
        peer_complain("no such slot");
        exit(EXIT_FAILURE);
    }
    return &slots[i];
}

static mmf_waitable *
waitable_in(struct slot *slot)
{
    switch (slot->kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_waitable(slot->mutex);
    case MMF_KIND_EVENT:
        return mmf_event_waitable(slot->event);
    case MMF_KIND_SEMAPHORE:
        return mmf_semaphore_waitable(slot->semaphore);
    default:
        return NULL;
    }
}

mmf_waitable *
peer_waitable(const char *word)
{
    return waitable_in(slot_of(word));
}

static int
signal_it(struct slot *slot)
{
    switch (slot->kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_release(slot->mutex);
    case MMF_KIND_EVENT:
        return mmf_event_set(slot->event);
    default:
        return mmf_semaphore_release(slot->semaphore, 1, NULL);
    }
}

static void
close_slot(struct slot *slot)
{
    mmf_mutex_close(slot->mutex);
    mmf_event_close(slot->event);
    mmf_semaphore_close(slot->semaphore);
    mmf_accessor_close(slot->view);
    mmf_map_close(slot->map);
    memset(slot, 0, sizeof(*slot));
}

/*
 * Creating and opening. An empty name means no name.
 */

static void
say_created(struct slot *slot, mmf_kind kind, int rc, int created)
{
    slot->kind = rc < 0 ? 0 : kind;
    peer_say(rc, rc < 0 ? mmf_last_message() : created ? "new" : "old");
}

static void
do_mutex(char **words)
{
    struct slot *slot = slot_of(words[1]);
    int created = -1;
    int rc = mmf_mutex_create_or_open(words[3], atoi(words[2]), options, &created,
                                      &slot->mutex);

    say_created(slot, MMF_KIND_MUTEX, rc, created);
}

static void
do_event(char **words)
{
    struct slot *slot = slot_of(words[1]);
    int created = -1;
    int rc = mmf_event_create_or_open(words[4], atoi(words[2]), atoi(words[3]), options,
                                      &created, &slot->event);

    say_created(slot, MMF_KIND_EVENT, rc, created);
}

static void
do_semaphore(char **words)
{
    struct slot *slot = slot_of(words[1]);
    int created = -1;
    int rc = mmf_semaphore_create_or_open(words[4], atoi(words[2]), atoi(words[3]),
                                          options, &created, &slot->semaphore);

    say_created(slot, MMF_KIND_SEMAPHORE, rc, created);
}

static void
do_map(char **words)
{
    struct slot *slot = slot_of(words[1]);
    mmf_map_options of_map;
    void *bytes;
    size_t size;
    int rc;

    mmf_map_options_init(&of_map);
    if (options != NULL)
        of_map.mode = options->mode;
    rc = mmf_map_create_or_open(words[3], atoll(words[2]), &of_map, NULL, &slot->map);
    if (rc >= 0)
        rc = mmf_accessor_create(slot->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &slot->view);
    if (rc >= 0)
        rc = mmf_accessor_pointer(slot->view, &bytes, &size);
    if (rc >= 0)
        slot->number = bytes;
    slot->kind = rc < 0 ? 0 : MMF_KIND_MAP;
    answer(rc);
}

static void
do_open(char **words)
{
    struct slot *slot = slot_of(words[2]);
    mmf_kind kind;
    int rc;

    if (strcmp(words[1], "mutex") == 0) {
        kind = MMF_KIND_MUTEX;
        rc = mmf_mutex_open_existing(words[3], options, &slot->mutex);
    } else if (strcmp(words[1], "event") == 0) {
        kind = MMF_KIND_EVENT;
        rc = mmf_event_open_existing(words[3], options, &slot->event);
    } else {
        kind = MMF_KIND_SEMAPHORE;
        rc = mmf_semaphore_open_existing(words[3], options, &slot->semaphore);
    }
    if (rc >= 0)
        slot->kind = kind;
    answer(rc);
}

static void
do_mode(char **words)
{
    static mmf_sync_options chosen;

    mmf_sync_options_init(&chosen);
    chosen.all_users = 1;
    chosen.mode = (uint32_t)strtoul(words[1], NULL, 8);
    options = &chosen;
    answer(MMF_OK);
}

static void
do_close(char **words)
{
    close_slot(slot_of(words[1]));
    answer(MMF_OK);
}

/*
 * Waiting and signalling.
 */

static void
do_wait(char **words)
{
    answer(mmf_wait_one(waitable_in(slot_of(words[1])), atoi(words[2])));
}

static int
gather(char **words, mmf_waitable **objects)
{
    int count = 0;

    for (; *words != NULL; words++)
        objects[count++] = waitable_in(slot_of(*words));
    return count;
}

static void
do_any(char **words)
{
    mmf_waitable *objects[WORDS];
    int count = gather(words + 2, objects);
    int index = -1;
    int rc = mmf_wait_any(objects, count, atoi(words[1]), &index);

    if (rc == MMF_TIMED_OUT)
        answer(rc);
    else
        peer_say_number(rc, index);
}

static void
do_all(char **words)
{
    mmf_waitable *objects[WORDS];
    int count = gather(words + 2, objects);

    answer(mmf_wait_all(objects, count, atoi(words[1])));
}

static void
do_swap(char **words)
{
    answer(mmf_signal_and_wait(waitable_in(slot_of(words[2])),
                               waitable_in(slot_of(words[3])), atoi(words[1])));
}

static void
do_release(char **words)
{
    answer(mmf_mutex_release(slot_of(words[1])->mutex));
}

static void
do_set(char **words)
{
    answer(mmf_event_set(slot_of(words[1])->event));
}

static void
do_reset(char **words)
{
    answer(mmf_event_reset(slot_of(words[1])->event));
}

static void
do_post(char **words)
{
    int32_t previous = -1;
    int rc =
        mmf_semaphore_release(slot_of(words[1])->semaphore, atoi(words[2]), &previous);

    peer_say_number(rc, previous);
}

static void
do_fd(char **words)
{
    int fd = -1;

    answer(mmf_waitable_fd(waitable_in(slot_of(words[1])), &fd));
}

static void
do_read(char **words)
{
    peer_say_number(MMF_OK, *slot_of(words[1])->number);
}

static void
do_write(char **words)
{
    *slot_of(words[1])->number = atoll(words[2]);
    answer(MMF_OK);
}

/*
 * Many times.
 */

static void
do_guard(char **words)
{
    struct slot *mutex = slot_of(words[1]);
    int64_t *number = slot_of(words[2])->number;
    long count = atol(words[3]);
    long abandoned = 0;
    int rc = MMF_OK;

    for (long i = 0; rc >= 0 && i < count; i++) {
        rc = mmf_mutex_wait(mutex->mutex, MMF_INFINITE);
        if (rc == MMF_ABANDONED)
            abandoned++;
        if (rc < 0)
            break;
        ++*number;
        rc = mmf_mutex_release(mutex->mutex);
    }
    peer_say_number(rc, abandoned);
}

static void
do_take(char **words)
{
    mmf_waitable *object = waitable_in(slot_of(words[1]));
    int rc = MMF_OK;

    for (long i = atol(words[3]); rc == MMF_OK && i > 0; i--)
        rc = mmf_wait_one(object, atoi(words[2]));
    answer(rc);
}

static void
do_give(char **words)
{
    struct slot *slot = slot_of(words[1]);
    int rc = MMF_OK;

    for (long i = atol(words[2]); rc == MMF_OK && i > 0; i--)
        rc = signal_it(slot);
    answer(rc);
}

static void
do_echo(char **words)
{
    mmf_waitable *object = waitable_in(slot_of(words[1]));
    struct slot *other = slot_of(words[2]);
    int rc = MMF_OK;

    for (long i = atol(words[3]); rc == MMF_OK && i > 0; i--) {
        rc = mmf_wait_one(object, 20000);
        if (rc == MMF_OK)
            rc = signal_it(other);
    }
    answer(rc);
}

static void
do_churn(char **words)
{
    struct slot *slot = slot_of(words[1]);
    mmf_waitable *object = waitable_in(slot);
    int rc = MMF_OK;

    answer(rc);
    while (rc >= 0) {
        rc = mmf_wait_one(object, MMF_INFINITE);
        if (rc >= 0)
            rc = signal_it(slot);
    }
    answer(rc);
}

/*
 * Threads; processes are the system's: peer_system.h.
 */

struct short_thread {
    mmf_waitable *object;
    int by_exit;
    int rc;
};

static void *
live_shortly(void *argument)
{
    struct short_thread *life = argument;

    life->rc = mmf_wait_one(life->object, MMF_INFINITE);
    if (life->by_exit)
        pthread_exit(NULL);
    return NULL;
}

static void
do_thread(char **words)
{
    struct short_thread life = {.object = waitable_in(slot_of(words[2])),
                                .by_exit = strcmp(words[1], "exit") == 0};
    pthread_t thread;

    if (pthread_create(&thread, NULL, live_shortly, &life) != 0) {
        peer_complain("no thread");
        return;
    }
    pthread_join(thread, NULL);
    answer(life.rc);
}

static void
do_quit(char **words)
{
    (void)words;
    exit(EXIT_SUCCESS);
}

/*
 * Commands, with how many words there are before a name; 0: there is no name.
 */
static const struct command {
    const char *word;
    void (*run)(char **words);
    int words_before_name;
} commands[] = {
    {"mutex", do_mutex, 3},   {"event", do_event, 4}, {"semaphore", do_semaphore, 4},
    {"map", do_map, 3},       {"open", do_open, 3},   {"mode", do_mode, 0},
    {"close", do_close, 0},   {"wait", do_wait, 0},   {"any", do_any, 0},
    {"all", do_all, 0},       {"swap", do_swap, 0},   {"release", do_release, 0},
    {"set", do_set, 0},       {"reset", do_reset, 0}, {"post", do_post, 0},
    {"fd", do_fd, 0},         {"poll", peer_poll, 0}, {"read", do_read, 0},
    {"write", do_write, 0},   {"guard", do_guard, 0}, {"take", do_take, 0},
    {"give", do_give, 0},     {"echo", do_echo, 0},   {"churn", do_churn, 0},
    {"thread", do_thread, 0}, {"lend", peer_lend, 0}, {"exec", peer_exec, 0},
    {"user", peer_user, 0},   {"quit", do_quit, 0},
};

/* Cut the line at blanks, but for the name at its end. */
static void
cut(char *line, int words_before_name, char **words)
{
    int n = 0;

    while (*line != '\0' && n < WORDS - 1) {
        char *end;

        if (words_before_name > 0 && n == words_before_name) {
            words[n++] = line;
            break;
        }
        end = strchr(line, ' ');
        words[n++] = line;
        if (end == NULL)
            break;
        *end = '\0';
        line = end + 1;
    }
    if (words_before_name > 0 && n == words_before_name) {
        static char none[] = "";

        words[n++] = none;
    }
    while (n < WORDS)
        words[n++] = NULL;
}

static void
obey(char *line)
{
    size_t length = strcspn(line, " ");
    char *words[WORDS];

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct command *command = &commands[i];

        if (strlen(command->word) == length &&
            strncmp(command->word, line, length) == 0) {
            cut(line, command->words_before_name, words);
            command->run(words);
            return;
        }
    }
    peer_complain("no such command");
}

int
peer_run(void)
{
    static char line[8192];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    for (int i = 0; i < SLOTS; i++)
        close_slot(&slots[i]);
    return EXIT_SUCCESS;
}
