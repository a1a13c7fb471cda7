/*
 * ring_test.c - processes in a ring pass checksummed messages round, while they are killed
 * and restarted one after the other. MMF_TEST_LONG=1: ten million messages.
 *
 * Node i takes a message from queue i, sends the next one of its token to queue i + 1,
 * records how far the token has come, and releases what it took. Killed before the
 * release, the message goes to its successor; what it had sent then is
 * sent twice, and the next node drops the repetition. So every token must
 * arrive, whatever is killed; that is, nothing is lost, and nothing is torn.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each step takes longer then; and where a process takes long to start. */
#if HARNESS_TSAN || HARNESS_ASAN || defined(_WIN32)
#define SHORT_COUNT 25000
#else
#define SHORT_COUNT 100000
#endif

enum {
    NODES = 4,
    TOKENS = 8,
    SLOTS = 32, /* the tokens, and what goes twice */
    LONGEST = 200,
    SHORT_HOPS = SHORT_COUNT / TOKENS,
    LONG_HOPS = 5000000 / TOKENS,
    STUCK_US = 60000000 /* no progress for this long: a process hangs */
};

/* Shared by all processes: the map "Ledger". */
struct ledger {
    _Atomic uint32_t seen[NODES][TOKENS]; /* the last hop that came to the node */
    _Atomic uint32_t arrived[TOKENS];
    _Atomic uint32_t last_hop;
};

struct message {
    uint32_t token;
    uint32_t hop;
    uint32_t check;
    uint8_t filler[LONGEST - 12];
};

static mmf_map *map;
static mmf_accessor *view;
static struct ledger *ledger;

static void
show_ledger(void)
{
    void *bytes;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_pointer(view, &bytes, NULL));
    ledger = bytes;
}

static uint32_t
mix(uint32_t token, uint32_t hop)
{
    uint32_t x = token * 0x9E3779B9u + hop * 0x85EBCA6Bu;

    x ^= x >> 15;
    x *= 0xC2B2AE35u;
    return x ^ x >> 13;
}

static size_t
make(uint32_t token, uint32_t hop, struct message *message)
{
    uint32_t check = mix(token, hop);
    size_t filler = check % sizeof(message->filler);

    message->token = token;
    message->hop = hop;
    message->check = check;
    for (size_t i = 0; i < filler; i++)
        message->filler[i] = (uint8_t)(check >> (i % 4 * 8));
    return 12 + filler;
}

static int
is_consistent(const mmf_message *got)
{
    struct message expected, message;
    size_t length;

    if (got->length < 12 || got->length > LONGEST)
        return 0;
    memcpy(&message, got->bytes, got->length);
    if (message.token >= TOKENS)
        return 0;
    length = make(message.token, message.hop, &expected);
    return length == got->length && memcmp(&message, &expected, length) == 0;
}

static mmf_queue *
open_number(int number, mmf_role role, uint32_t flags)
{
    mmf_queue *queue;
    char name[8];

    snprintf(name, sizeof(name), "R%d", number);
    CHECK_OK(mmf_queue_create_or_open(name, LONGEST, SLOTS, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = role, .flags = flags),
                                      NULL, &queue));
    return queue;
}

/* Take, pass on, write down, release. */
static void
pass_on(int node, mmf_queue *from, mmf_queue *to)
{
    mmf_message got;
    struct message message, next;

    CHECK_STATUS(mmf_queue_take(from, -1, &got), MMF_OK);
    CHECK(is_consistent(&got));
    memcpy(&message, got.bytes, 12);
    if (message.hop > ledger->seen[node][message.token]) {
        if (message.hop >= ledger->last_hop) {
            ledger->arrived[message.token] = 1;
        } else {
            size_t length = make(message.token, message.hop + 1, &next);

            CHECK_STATUS(mmf_queue_send(to, &next, length, -1, NULL), MMF_OK);
        }
        ledger->seen[node][message.token] = message.hop;
    }
    CHECK_STATUS(mmf_queue_release(from, &got), MMF_OK);
}

/* node NUMBER FLAGS */
ROLE_UNTIL_KILLED(node)
{
    int node = argc > 2 ? atoi(argv[1]) : 0;
    uint32_t flags = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
    mmf_queue *from, *to;

    CHECK_OK(mmf_map_open_existing("Ledger", NULL, &map));
    show_ledger();
    from = open_number(node, MMF_ROLE_RECEIVE, flags);
    to = open_number((node + 1) % NODES, MMF_ROLE_SEND, flags);
    role_say("ready");
    for (;;)
        pass_on(node, from, to);
}

/* The queues live as long as their nodes: one is never killed before all are there. */
static struct process *
start_node(int node, uint32_t flags)
{
    return process_ready("node", "%d %u", node, flags);
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

static void
start_ring(uint32_t flags, struct process **nodes)
{
    mmf_queue *first = open_number(0, MMF_ROLE_SEND, flags);
    struct message message;

    for (uint32_t token = 0; token < TOKENS; token++) {
        size_t length = make(token, 1, &message);

        CHECK_STATUS(mmf_queue_send(first, &message, length, 0, NULL), MMF_OK);
    }
    for (int i = 0; i < NODES - 1; i++)
        nodes[i] = start_node(i, flags);
    mmf_queue_close(first);
    nodes[NODES - 1] = start_node(NODES - 1, flags);
}

/* Kills until all tokens have arrived. How many kills it were. */
static unsigned
kill_nodes(uint32_t flags, struct process **nodes)
{
    uint64_t seed = 12345, hops_before = 0;
    int64_t moved = now_us();
    unsigned kills = 0;

    while (count_arrived() < TOKENS) {
        int node = (int)(next_random(&seed) % NODES);
        uint64_t hops_now;

        nap_us((int64_t)(1000 * (1 + next_random(&seed) % 9)));
        CHECK(!process_has_ended(nodes[node]));
        end_victim(nodes[node]);
        kills++;
        nodes[node] = start_node(node, flags);
        hops_now = count_hops();
        if (hops_now != hops_before)
            moved = now_us();
        hops_before = hops_now;
        if (now_us() - moved > STUCK_US)
            CHECK_FAIL("a message is lost, or a node hangs");
    }
    return kills;
}

static void
run_ring(const char *name, uint32_t flags)
{
    uint32_t hops = harness_long() ? LONG_HOPS : SHORT_HOPS;
    struct process *nodes[NODES];
    int64_t begin = now_us();
    unsigned kills;

    CHECK_OK(mmf_map_create_new("Ledger", sizeof(*ledger), NULL, &map));
    show_ledger();
    ledger->last_hop = hops;
    start_ring(flags, nodes);
    kills = kill_nodes(flags, nodes);
    for (int i = 0; i < NODES; i++)
        process_kill(nodes[i]);
    printf("ring, %s: %u messages, %u kills, %.1f s: all arrived\n", name,
           hops * TOKENS, kills, (double)(now_us() - begin) / 1e6);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(a_ring_for_many)
{
    run_ring("for many", 0);
}

TEST(a_ring_of_singles)
{
    run_ring("single", MMF_CHANNEL_SPSC);
}
