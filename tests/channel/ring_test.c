/*
 * ring_test.c - processes in a ring pass checksummed messages round, while one of them
 * after the other is killed and started again.
 *
 *     channel_ring    MMF_TEST_LONG=1: ten million messages
 *
 * Node i takes a message from queue i, sends the next one of its token to queue i + 1,
 * writes down how far the token has come, and releases what it took. Killed before the
 * release, it leaves the message to its successor in the place; what it had sent then
 * goes twice, and the next node drops what it has seen before. So every token must
 * arrive, whatever is killed; that is, nothing is lost, and what comes is whole.
 */
#include <mmf/mmf.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Each step takes longer then. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SHORT_COUNT 25000
#else
#define SHORT_COUNT 100000
#endif

enum {
    NODES = 4,
    TOKENS = 8,
    CELLS = 32, /* the tokens, and what goes twice */
    LONGEST = 200,
    SHORT_HOPS = SHORT_COUNT / TOKENS,
    LONG_HOPS = 5000000 / TOKENS,
    STUCK_MS = 60000 /* so long without any progress: somebody hangs */
};

/* Shared by all processes. */
struct ledger {
    volatile uint32_t seen[NODES][TOKENS]; /* the last hop that came to the node */
    volatile uint32_t arrived[TOKENS];
    volatile uint32_t ready[NODES]; /* how often it has opened its queues */
    volatile uint32_t damaged;
    volatile uint32_t last_hop;
};

struct message {
    uint32_t token;
    uint32_t hop;
    uint32_t check;
    uint8_t filler[LONGEST - 12];
};

static struct ledger *ledger;

static uint32_t
mix(uint32_t token, uint32_t hop)
{
    uint32_t x = token * 0x9E3779B9u + hop * 0x85EBCA6Bu;

    x ^= x >> 15;
    x *= 0xC2B2AE35u;
    return x ^ x >> 13;
}

static int64_t
make(uint32_t token, uint32_t hop, struct message *message)
{
    uint32_t check = mix(token, hop);
    int64_t filler = check % sizeof(message->filler);

    message->token = token;
    message->hop = hop;
    message->check = check;
    for (int64_t i = 0; i < filler; i++)
        message->filler[i] = (uint8_t)(check >> (i % 4 * 8));
    return 12 + filler;
}

static int
is_whole(const mmf_message *got)
{
    struct message expected, message;
    int64_t length;

    if (got->length < 12 || got->length > LONGEST)
        return 0;
    memcpy(&message, got->bytes, (size_t)got->length);
    if (message.token >= TOKENS)
        return 0;
    length = make(message.token, message.hop, &expected);
    return length == got->length && memcmp(&message, &expected, (size_t)length) == 0;
}

static void
die(const char *what)
{
    fprintf(stderr, "channel_ring: %s: %s\n", what, mmf_last_message());
    ledger->damaged = 1;
    _exit(EXIT_FAILURE);
}

static mmf_queue *
open_queue(int number, mmf_role role, uint32_t flags)
{
    mmf_channel_options options;
    mmf_queue *queue;
    char name[8];

    mmf_channel_options_init(&options);
    options.role = role;
    options.flags = flags;
    snprintf(name, sizeof(name), "R%d", number);
    if (mmf_queue_create(name, LONGEST, CELLS, MMF_OVERFLOW_BLOCK, &options, NULL,
                         &queue) < 0)
        die(name);
    return queue;
}

/* Take, pass on, write down, release. */
static void
pass_on(int node, mmf_queue *from, mmf_queue *to)
{
    mmf_message got;
    struct message message;
    int64_t length;

    if (mmf_queue_peek(from, -1, &got) != MMF_OK)
        die("peek");
    if (!is_whole(&got)) {
        ledger->damaged = 1;
        _exit(EXIT_FAILURE);
    }
    memcpy(&message, got.bytes, 12);
    if (message.hop > ledger->seen[node][message.token]) {
        if (message.hop >= ledger->last_hop) {
            ledger->arrived[message.token] = 1;
        } else {
            uint32_t hop = message.hop;

            length = make(message.token, hop + 1, &message);
            if (mmf_queue_send(to, &message, length, -1) != MMF_OK)
                die("send");
            message.hop = hop;
        }
        ledger->seen[node][message.token] = message.hop;
    }
    if (mmf_queue_release(from, &got) != MMF_OK)
        die("release");
}

static pid_t
start_node(int node, uint32_t flags)
{
    pid_t pid = fork();

    if (pid == 0) {
        mmf_queue *from, *to;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        from = open_queue(node, MMF_ROLE_RECEIVE, flags);
        to = open_queue((node + 1) % NODES, MMF_ROLE_SEND, flags);
        ledger->ready[node]++;
        for (;;)
            pass_on(node, from, to);
    }
    return pid;
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
nap(void)
{
    const struct timespec length = {.tv_nsec = 200000};

    nanosleep(&length, NULL);
}

/* The queues live as long as their nodes: one is never killed before all are there. */
static int
await_ready(int node, uint32_t times)
{
    int64_t end = now_ms() + STUCK_MS;

    while (ledger->ready[node] < times && !ledger->damaged) {
        if (now_ms() > end)
            return 0;
        nap();
    }
    return !ledger->damaged;
}

static uint32_t
count_arrived(void)
{
    uint32_t count = 0;

    for (int i = 0; i < TOKENS; i++)
        count += ledger->arrived[i];
    return count;
}

static uint64_t
count_hops(void)
{
    uint64_t count = 0;

    for (int i = 0; i < TOKENS; i++) {
        uint32_t most = 0;

        for (int node = 0; node < NODES; node++)
            if (ledger->seen[node][i] > most)
                most = ledger->seen[node][i];
        count += most;
    }
    return count;
}

static int
start_ring(uint32_t flags, pid_t *nodes)
{
    mmf_queue *first = open_queue(0, MMF_ROLE_SEND, flags);
    struct message message;

    for (uint32_t token = 0; token < TOKENS; token++) {
        int64_t length = make(token, 1, &message);

        if (mmf_queue_send(first, &message, length, 0) != MMF_OK)
            die("the first messages");
    }
    for (int i = 0; i < NODES - 1; i++) {
        nodes[i] = start_node(i, flags);
        if (!await_ready(i, 1))
            return 0;
    }
    mmf_queue_close(first);
    nodes[NODES - 1] = start_node(NODES - 1, flags);
    return await_ready(NODES - 1, 1);
}

static const char *
run_ring(uint32_t flags, uint32_t hops, unsigned *kills)
{
    unsigned seed = 12345;
    pid_t nodes[NODES];
    uint64_t hops_before = 0;
    int64_t moved = now_ms();
    const char *why = NULL;

    memset((void *)ledger, 0, sizeof(*ledger));
    ledger->last_hop = hops;
    *kills = 0;
    if (!start_ring(flags, nodes))
        return "the ring does not start";
    while (why == NULL && count_arrived() < TOKENS) {
        const struct timespec pause_for = {.tv_nsec =
                                               1000000 * (1 + rand_r(&seed) % 9)};
        int node = rand_r(&seed) % NODES;
        uint64_t hops_now;
        uint32_t ready;

        nanosleep(&pause_for, NULL);
        kill(nodes[node], SIGKILL);
        waitpid(nodes[node], NULL, 0);
        (*kills)++;
        ready = ledger->ready[node];
        nodes[node] = start_node(node, flags);
        if (!await_ready(node, ready + 1) && !ledger->damaged)
            why = "a node does not start again";
        hops_now = count_hops();
        if (hops_now != hops_before)
            moved = now_ms();
        hops_before = hops_now;
        if (ledger->damaged)
            why = "a message is damaged";
        else if (now_ms() - moved > STUCK_MS)
            why = "a message is lost, or a node hangs";
    }
    for (int i = 0; i < NODES; i++) {
        kill(nodes[i], SIGKILL);
        waitpid(nodes[i], NULL, 0);
    }
    return why;
}

int
main(void)
{
    static char dir[] = "/dev/shm/mmf-test-XXXXXX";
    static const char *const names[] = {"for many", "single"};
    const char *count = getenv("MMF_TEST_LONG");
    int is_long = count != NULL && strcmp(count, "1") == 0;
    uint32_t hops = is_long ? LONG_HOPS : SHORT_HOPS;
    unsigned failed = 0;
    char own[64];

    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED || mkdtemp(dir) == NULL) {
        perror("channel_ring");
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    for (uint32_t i = 0; i < 2; i++) {
        int64_t begin = now_ms();
        unsigned kills;
        const char *why = run_ring(i == 0 ? 0 : MMF_CHANNEL_SINGLE, hops, &kills);

        printf("ring, %s: %u messages, %u kills, %.1f s: %s\n", names[i], hops * TOKENS,
               kills, (double)(now_ms() - begin) / 1000,
               why == NULL ? "all arrived" : why);
        fflush(stdout);
        failed += why != NULL;
        mmf_reap(0, NULL);
    }
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    if (rmdir(own) < 0) {
        perror("channel_ring: something is left");
        failed++;
    }
    rmdir(dir);
    printf("SUITE: %u passed, %u failed, 0 skipped\n", 2 - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
