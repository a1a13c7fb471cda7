/*
 * iceoryx.c - iceoryx 2.0 by its C binding, and its daemon, which is started
 * and stopped here. Zero copy. Its own back-pressure sleeps, so that the sender counts
 * what the receiver has taken and lets no more be on its way than there are slots.
 */
#include "channels/peers/peers.h"

#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <iceoryx_binding_c/api.h>

enum { MOST_CHUNKS = 32, QUEUE = 64, START_MS = 10000 };

struct credits {
    alignas(128) _Atomic uint64_t taken;
};

struct end {
    iox_pub_storage_t publisher_storage;
    iox_sub_storage_t subscriber_storage;
    iox_ws_storage_t set_storage;
    iox_pub_t publisher;
    iox_sub_t subscriber;
    iox_ws_t set;
    struct credits *out, *in;
    uint64_t sent, most;
    size_t size;
    enum channel_mode mode;
};

/*
 * The daemon. It has one namespace for the machine: if there is a daemon already, this fails.
 */

static pid_t daemon_pid;

static void
sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static void
stop(void)
{
    if (daemon_pid <= 0)
        return;
    kill(daemon_pid, SIGTERM);
    for (int i = 0; i < 100 && waitpid(daemon_pid, NULL, WNOHANG) == 0; i++)
        sleep_ms(50);
    kill(daemon_pid, SIGKILL);
    waitpid(daemon_pid, NULL, 0);
    daemon_pid = 0;
}

/* It reports in a private file when it is ready. */
static int
await_daemon(int output)
{
    char text[4096] = "";

    for (int waited = 0; waited < START_MS; waited += 20) {
        ssize_t n = pread(output, text, sizeof(text) - 1, 0);

        text[n > 0 ? n : 0] = '\0';
        if (strstr(text, "ready for clients") != NULL)
            return 0;
        if (waitpid(daemon_pid, NULL, WNOHANG) != 0) {
            daemon_pid = 0;
            break;
        }
        sleep_ms(20);
    }
    fprintf(stderr, "bench: iceoryx: iox-roudi does not start: %s\n", text);
    return -1;
}

static int
start(void)
{
    int output = memfd_create("iox-roudi", 0);
    int rc;

    if (output < 0)
        return -1;
    fflush(NULL);
    daemon_pid = fork();
    if (daemon_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(output, 1);
        dup2(output, 2);
        execlp("iox-roudi", "iox-roudi", "--log-level", "warning", (char *)NULL);
        fprintf(stderr, "%s\n", strerror(errno));
        _exit(1);
    }
    rc = daemon_pid < 0 ? -1 : await_daemon(output);
    close(output);
    if (rc < 0)
        stop();
    return rc;
}

/*
 * The ends.
 */

static size_t
share(const struct channel_job *job)
{
    (void)job;
    return 2 * sizeof(struct credits);
}

static void
await_partner(const struct end *end)
{
    for (int waited = 0; waited < START_MS; waited += 1) {
        if (iox_sub_get_subscription_state(end->subscriber) ==
                SubscribeState_SUBSCRIBED &&
            iox_pub_has_subscribers(end->publisher))
            return;
        sleep_ms(1);
    }
    channel_die("bench: iceoryx: the partner is not found");
}

static void
make_publisher(struct end *end, const char *name, const char *direction)
{
    iox_pub_options_t options;

    iox_pub_options_init(&options);
    options.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
    end->publisher =
        iox_pub_init(&end->publisher_storage, "mmf-bench", name, direction, &options);
}

static void
make_subscriber(struct end *end, const char *name, const char *direction)
{
    iox_sub_options_t options;

    iox_sub_options_init(&options);
    options.queueCapacity = QUEUE;
    options.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
    end->subscriber =
        iox_sub_init(&end->subscriber_storage, "mmf-bench", name, direction, &options);
}

static void *
open_end(struct channel_job *job, enum channel_side side)
{
    static const char *const directions[] = {"ping", "pong"};
    struct end *end = channel_memory(sizeof(*end));
    struct credits *credits = job->shared;
    char name[32];

    snprintf(name, sizeof(name), "bench-%d", (int)getpid());
    /* It goes on writing there when its daemon has ended, or a partner was killed. */
    (void)!freopen("/dev/null", "w", stderr);
    iox_set_loglevel(Iceoryx_LogLevel_Error);
    iox_runtime_init(name);
    end->out = &credits[side];
    end->in = &credits[1 - side];
    end->size = job->size;
    end->mode = job->mode;
    end->most = job->slots < MOST_CHUNKS ? job->slots : MOST_CHUNKS;
    end->sent = atomic_load(&end->out->taken);
    make_publisher(end, job->name, directions[side]);
    make_subscriber(end, job->name, directions[1 - side]);
    if (job->mode == CHANNEL_WAIT) {
        end->set = iox_ws_init(&end->set_storage);
        iox_ws_attach_subscriber_state(end->set, end->subscriber,
                                       SubscriberState_HAS_DATA, 1, NULL);
    }
    await_partner(end);
    return end;
}

static void
send_end(void *context, uint64_t seed)
{
    struct end *end = context;
    void *chunk;

    while (end->sent - atomic_load_explicit(&end->out->taken, memory_order_acquire) >=
           end->most)
        channel_pause();
    if (iox_pub_loan_aligned_chunk(end->publisher, &chunk, (uint32_t)end->size, 64) !=
        AllocationResult_SUCCESS)
        channel_die("bench: iceoryx: no chunk");
    channel_fill(chunk, end->size, seed);
    iox_pub_publish_chunk(end->publisher, chunk);
    end->sent++;
}

static uint64_t
receive_end(void *context)
{
    struct end *end = context;
    const void *chunk;
    uint64_t sum;

    while (iox_sub_take_chunk(end->subscriber, &chunk) != ChunkReceiveResult_SUCCESS) {
        iox_notification_info_t notice;
        uint64_t missed;

        if (end->mode == CHANNEL_WAIT)
            iox_ws_wait(end->set, &notice, 1, &missed);
        else
            channel_pause();
    }
    sum = channel_sum(chunk, end->size);
    iox_sub_release_chunk(end->subscriber, chunk);
    atomic_fetch_add_explicit(&end->in->taken, 1, memory_order_release);
    return sum;
}

static void
close_end(void *context)
{
    struct end *end = context;

    if (end->mode == CHANNEL_WAIT) {
        iox_ws_detach_subscriber_state(end->set, end->subscriber,
                                       SubscriberState_HAS_DATA);
        iox_ws_deinit(end->set);
    }
    iox_sub_deinit(end->subscriber);
    iox_pub_deinit(end->publisher);
    iox_runtime_shutdown();
}

const struct channel_peer channel_iceoryx = {
    .name = "iceoryx",
    .share = share,
    .start = start,
    .stop = stop,
    .open = open_end,
    .send = send_end,
    .receive = receive_end,
    .close = close_end,
};
