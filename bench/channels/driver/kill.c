/*
 * kill.c - kill trials: a stream of 1 KiB messages, and SIGKILL.
 *
 * Every trial: both have exchanged some messages; after a random time, up to a
 * millisecond, one of them is killed. When the kernel has said so, a fresh process is
 * started that opens the same channel. The clock runs from the death until the fresh
 * one has sent a message that was received, or received one; then both must go on for
 * some messages more. If nothing goes on for the deadline, the trial is stuck: all are
 * killed, and the next trial begins with a new channel. Every message is checked.
 */
#include "channels/driver/kill.h"

#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "channels/processes.h"
#include "channels/report/record.h"

enum { SIZE = 1024, SLOTS = 1024, GO_ON = 20, START_MS = 12000 };
enum { GENERATION_SHIFT = 40 };

/* A service needs longer to learn of a death; iceoryx's does after a second. */
enum { DEADLINE_MS = 1500, DEADLINE_WITH_SERVICE_MS = 8000 };

/* What the processes report to the killer. */
struct reports {
    alignas(128) _Atomic uint64_t sent;
    _Atomic int64_t longest_send; /* since the last death; 0: none has ended */
    alignas(128) _Atomic uint64_t received;
    _Atomic int64_t longest_receive;
    _Atomic int64_t fresh_at; /* when the fresh one's first message was exchanged */
    alignas(128) _Atomic uint64_t sender; /* the sender's generation, the receiver's */
    _Atomic uint64_t receiver;
    _Atomic int64_t death; /* when the last one was */
    _Atomic int awaited;   /* whose first message counts: enum channel_side, or -1 */
};

struct scene {
    const struct channel_way *way;
    struct channel_job job;
    struct reports *reports;
    pid_t processes[2]; /* by side: the sender, the receiver */
    size_t shared;
    uint64_t random;
};

/*
 * The two that exchange messages.
 */

/* How long after the last death a call ended that was in work when it came. */
static void
note_delay(const struct reports *reports, int64_t began, int64_t ended,
           _Atomic int64_t *longest)
{
    int64_t death = atomic_load_explicit(&reports->death, memory_order_acquire);

    if (death != 0 && began < death && ended > death && atomic_load(longest) == 0)
        atomic_store(longest, ended - death);
}

static void
be_sender(void *context)
{
    struct scene *scene = context;
    struct reports *reports = scene->reports;
    uint64_t seed = atomic_load(&reports->sender) << GENERATION_SHIFT;
    void *end;

    channel_pin(SIDE_A);
    end = scene->way->peer->open(&scene->job, SIDE_A);
    for (;;) {
        int64_t began = bench_now();

        scene->way->peer->send(end, seed++);
        note_delay(reports, began, bench_now(), &reports->longest_send);
        atomic_fetch_add_explicit(&reports->sent, 1, memory_order_relaxed);
    }
}

/* The seed of a message by its sum; dies if the message is torn. */
static uint64_t
seed_of(const struct scene *scene, uint64_t sum)
{
    uint64_t count = SIZE / 8, rest = sum - count * (count - 1) / 2;

    if (rest % count != 0 ||
        rest / count >> GENERATION_SHIFT > atomic_load(&scene->reports->sender))
        channel_die("bench: %s: a torn message", scene->way->name);
    return rest / count;
}

static void
be_receiver(void *context)
{
    struct scene *scene = context;
    struct reports *reports = scene->reports;
    uint64_t mine = atomic_load(&reports->receiver);
    void *end;

    channel_pin(SIDE_B);
    end = scene->way->peer->open(&scene->job, SIDE_B);
    for (;;) {
        int64_t began = bench_now(), ended;
        uint64_t seed = seed_of(scene, scene->way->peer->receive(end));
        int awaited = atomic_load_explicit(&reports->awaited, memory_order_acquire);

        ended = bench_now();
        note_delay(reports, began, ended, &reports->longest_receive);
        if ((awaited == SIDE_A &&
             seed >> GENERATION_SHIFT == atomic_load(&reports->sender)) ||
            (awaited == SIDE_B && mine == atomic_load(&reports->receiver))) {
            atomic_store(&reports->fresh_at, ended);
            atomic_store(&reports->awaited, -1);
        }
        atomic_fetch_add_explicit(&reports->received, 1, memory_order_relaxed);
    }
}

/*
 * The killer.
 */

static void
sleep_us(int64_t us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&time, NULL);
}

static uint64_t
random_number(struct scene *scene)
{
    scene->random = scene->random * 6364136223846793005u + 1442695040888963407u;
    return scene->random >> 33;
}

/* Is the fresh one's message there, if it is waited for; do both go on from now? */
static int
goes_on(const struct reports *reports, int with_fresh, int deadline_ms)
{
    uint64_t received = atomic_load(&reports->received) + GO_ON;
    uint64_t sent = atomic_load(&reports->sent) + GO_ON;
    int64_t deadline = bench_now() + deadline_ms * 1000000LL;

    while ((with_fresh && atomic_load(&reports->fresh_at) == 0) ||
           atomic_load(&reports->received) < received ||
           atomic_load(&reports->sent) < sent) {
        if (bench_now() > deadline)
            return 0;
        sleep_us(50);
    }
    return 1;
}

static void
start_side(struct scene *scene, enum channel_side side)
{
    scene->processes[side] =
        channel_start(side == SIDE_A ? be_sender : be_receiver, scene);
}

static void
kill_side(struct scene *scene, enum channel_side side)
{
    kill(scene->processes[side], SIGKILL);
    waitpid(scene->processes[side], NULL, 0);
}

static int
begin_scene(struct scene *scene, const struct channel_way *way, int number)
{
    const struct channel_peer *peer = way->peer;

    scene->way = way;
    scene->job = (struct channel_job){.size = SIZE, .slots = SLOTS, .mode = way->mode};
    snprintf(scene->job.name, sizeof(scene->job.name), "mmf-bench-%d-kill-%d",
             (int)getpid(), number);
    scene->shared = peer->share != NULL ? peer->share(&scene->job) : 0;
    scene->job.shared = scene->shared > 0 ? bench_share(scene->shared) : NULL;
    scene->reports = bench_share(sizeof(*scene->reports));
    atomic_store(&scene->reports->sender, 1);
    atomic_store(&scene->reports->receiver, 1);
    atomic_store(&scene->reports->awaited, -1);
    if (peer->prepare != NULL && peer->prepare(&scene->job) < 0)
        return -1;
    start_side(scene, SIDE_A);
    start_side(scene, SIDE_B);
    return goes_on(scene->reports, 0, START_MS) ? 0 : -1;
}

static void
end_scene(struct scene *scene)
{
    for (int side = SIDE_A; side <= SIDE_B; side++)
        if (scene->processes[side] > 0)
            kill_side(scene, (enum channel_side)side);
    scene->processes[0] = scene->processes[1] = 0;
    if (scene->way->peer->clean != NULL)
        scene->way->peer->clean(&scene->job);
    if (scene->shared > 0)
        munmap(scene->job.shared, scene->shared);
    munmap(scene->reports, sizeof(*scene->reports));
}

static void
note_trial(const struct scene *scene, enum channel_side victim, int stuck)
{
    struct reports *reports = scene->reports;
    int64_t death = atomic_load(&reports->death);
    int64_t survivor = atomic_load(victim == SIDE_A ? &reports->longest_receive
                                                    : &reports->longest_send);
    struct channel_record record = {.size = SIZE};

    snprintf(record.way, sizeof(record.way), "%s", scene->way->name);
    snprintf(record.what, sizeof(record.what), "%s",
             victim == SIDE_A ? "kill sender" : "kill receiver");
    record.values[KILL_FRESH_MS] =
        stuck ? 0 : (double)(atomic_load(&reports->fresh_at) - death) / 1e6;
    record.values[KILL_SURVIVOR_MS] = (double)survivor / 1e6;
    record.values[KILL_STUCK] = stuck;
    channel_record_add(&record);
}

/* 0, or -1 if nothing goes on. */
static int
kill_one(struct scene *scene, enum channel_side victim)
{
    struct reports *reports = scene->reports;
    int deadline_ms =
        scene->way->peer->start != NULL ? DEADLINE_WITH_SERVICE_MS : DEADLINE_MS;
    int went_on;

    sleep_us((int64_t)(random_number(scene) % 1000));
    atomic_store(&reports->longest_send, 0);
    atomic_store(&reports->longest_receive, 0);
    atomic_store(&reports->fresh_at, 0);
    kill_side(scene, victim);
    atomic_store(&reports->death, bench_now());
    atomic_fetch_add(victim == SIDE_A ? &reports->sender : &reports->receiver, 1);
    atomic_store(&reports->awaited, (int)victim);
    start_side(scene, victim);
    went_on = goes_on(reports, 1, deadline_ms);
    atomic_store(&reports->awaited, -1);
    note_trial(scene, victim, !went_on);
    return went_on ? 0 : -1;
}

void
channel_kill_trials(const struct channel_way *way, int trials)
{
    struct scene scene = {.random = (uint64_t)bench_now()};
    int running = 0, begun = 0;

    for (int trial = 0; trial < 2 * trials; trial++) {
        if (!running && begin_scene(&scene, way, begun++) < 0) {
            fprintf(stderr, "bench: %s: kill trials cannot begin\n", way->name);
            end_scene(&scene);
            return;
        }
        running = kill_one(&scene, trial % 2 == 0 ? SIDE_A : SIDE_B) == 0;
        if (!running)
            end_scene(&scene);
    }
    if (running)
        end_scene(&scene);
}
