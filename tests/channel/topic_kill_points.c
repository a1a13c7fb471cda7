/*
 * topic_kill_points.c - kill a participant of a topic or a latest value at every
 * instruction of every call.
 *
 *     channel_topic_kill_points [PATTERN [FIRST STRIDE]]
 *
 * As kill_points.c does it. The child records in shared memory what it is about to commit
 * and what it has committed. Afterwards, of a topic:
 *
 *   - a subscriber that was there before receives everything committed, once, in order;
 *     what the victim was committing it receives intact, once, or not at all
 *   - under DROP_OLDEST it learns how many messages it lost
 *   - a publisher goes on for two laps
 *
 * Of a latest value: a reader sees the newest that was committed, or the one that the
 * victim was committing, never an older one; a writer goes on for three laps, and each
 * of its values is the newest. Of both: every participant's entry is available, and
 * sleepers go on.
 */
#include "killing.h"
#include "site.h"
#include "topic_victim.h"
#include "trace.h"
#include "walk.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    DEFAULT_STRIDE = 31, /* of instructions, unless all are wanted */
    LATE_MS = 1000       /* no survivor waits so long, whatever else the machine does */
};

static int64_t longest_ms; /* that a survivor needed to go on */

static void
check_ok(const char *what, int rc)
{
    if (rc != MMF_OK)
        site_fail(what, rc < 0 ? mmf_last_message() : mmf_status_name(rc));
}

/* The number; fails if the message is torn. */
static uint64_t
number_of(const void *bytes, size_t length)
{
    uint8_t expected[SIZE];
    uint64_t number = 0;

    if (length < 8 || length > SIZE) {
        site_fail("a message", "its length was never sent");
        return 0;
    }
    memcpy(&number, bytes, 8);
    fill(expected, number);
    if (number >= MOST_NUMBERS || memcmp(bytes, expected, (size_t)length) != 0) {
        site_fail("a message", "it is torn");
        return 0;
    }
    return number;
}

/*
 * Before: what we, and others, do.
 */

static mmf_topic *our_publisher, *our_subscriber;
static mmf_latest *our_writer, *our_reader;
static uint64_t our_version;
static pid_t helper;

static void
send_ours(uint64_t number)
{
    uint8_t bytes[SIZE];

    fill(bytes, number);
    if (current->flags & LATEST)
        check_ok("our own value", mmf_latest_send(our_writer, bytes, SIZE, NULL));
    else
        check_ok("our own message",
                 mmf_topic_send(our_publisher, bytes, SIZE, LATE_MS, NULL));
    note(number, COMMITTED);
}

static void
do_nothing(void)
{
}

static void
hear_one(void)
{
    uint8_t bytes[SIZE];
    uint64_t version;
    size_t length = 0;
    int rc = current->flags & LATEST
                 ? mmf_latest_wait(latest, 0, -1)
                 : mmf_topic_receive(topic, bytes, SIZE, -1, &length, NULL);

    if (rc == MMF_OK && (current->flags & LATEST))
        rc = mmf_latest_receive(latest, bytes, SIZE, &length, &version);
    if (rc == MMF_OK)
        ledger->heard = (int)number_of(bytes, length);
}

static void
write_one(void)
{
    publish_number(MOST_NUMBERS - 1, 8);
    ledger->wrote = 1;
}

static void
open_ours(void)
{
    if (current->flags & LATEST) {
        check_ok("create", create_latest(MMF_ROLE_RECEIVE, &our_reader, NULL));
        our_writer = open_latest(MMF_ROLE_SEND);
    } else {
        check_ok("create", create_topic(MMF_ROLE_RECEIVE, &our_subscriber, NULL));
        our_publisher = open_topic(MMF_ROLE_SEND);
    }
    if (our_writer == NULL && our_publisher == NULL)
        site_fail("open", mmf_last_message());
}

static void
read_version(void)
{
    uint8_t bytes[SIZE];
    size_t length;

    if (current->flags & LATEST)
        check_ok("read",
                 mmf_latest_receive(our_reader, bytes, SIZE, &length, &our_version));
}

static void
make_ready(void)
{
    int messages = 0;

    memset((void *)ledger, 0, sizeof(*ledger));
    our_publisher = our_subscriber = NULL;
    our_writer = our_reader = NULL;
    our_version = 0;
    helper = 0;
    if (current->flags & ALONE)
        return;
    open_ours();
    if (current->flags & DEAD_READER)
        kill_run_elsewhere(open_handle, MMF_ROLE_RECEIVE, do_nothing, 0);
    if (current->flags & MESSAGES)
        messages = 2;
    if ((current->flags & FULL) && current->role == MMF_ROLE_SEND)
        messages = SLOTS;
    for (int i = 0; i < messages; i++)
        send_ours(OURS + (uint64_t)i);
    read_version();
    if (current->flags & DEAD_WRITER)
        kill_run_elsewhere(open_handle, MMF_ROLE_SEND,
                           current->flags & LATEST ? run_latest_reserve : run_reserve,
                           0);
    if (current->flags & SLEEPER) {
        helper = kill_run_elsewhere(open_handle, MMF_ROLE_RECEIVE, hear_one, 1);
        kill_await_sleep(helper);
    }
}

/*
 * After: the survivors.
 */

/* The next message that our subscriber sees, in order. 0: none. */
static uint64_t
receive_next(int32_t timeout, uint64_t *lost)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length;
    int rc = mmf_topic_receive(our_subscriber, bytes, SIZE, timeout, &length, &message);

    if (rc == MMF_TIMED_OUT)
        return 0;
    check_ok("receive", rc);
    if (rc != MMF_OK)
        return 0;
    *lost += message.lost;
    return number_of(bytes, length);
}

/* What our subscriber has seen. */
struct account {
    int seen[MOST_NUMBERS];
    uint64_t highest[2]; /* of the victim's, and of ours */
    uint64_t lost;
};

/* 0: no message. */
static uint64_t
take_into_account(struct account *account)
{
    uint64_t number = receive_next(LATE_MS, &account->lost);

    if (number == 0) {
        site_fail("receive", "a message is lost");
        return 0;
    }
    if (ledger->fates[number] == NEVER)
        site_fail("receive", "a message that was never sent");
    if (account->seen[number]++)
        site_fail("receive", "a message comes twice");
    if (number == MOST_NUMBERS - 1) /* the helper's: anywhere */
        return number;
    if (number <= account->highest[number >= OURS])
        site_fail("receive", "the order of commits is not kept");
    account->highest[number >= OURS] = number;
    return number;
}

static uint64_t
count_missing(const struct account *account)
{
    uint64_t missing = 0;

    for (int i = 0; i < MOST_NUMBERS; i++)
        missing += ledger->fates[i] == COMMITTED && !account->seen[i];
    return missing;
}

static int
try_to_publish(uint64_t number, int32_t timeout)
{
    uint8_t bytes[SIZE];
    int rc;

    fill(bytes, number);
    note(number, COMMITTED);
    rc = mmf_topic_send(our_publisher, bytes, SIZE, timeout, NULL);
    if (rc < 0)
        site_fail("our own message", mmf_last_message());
    return rc == MMF_OK;
}

/* All up to one last message, for which there may be no slot before we have read. */
static void
receive_all(void)
{
    const uint64_t last = 70;
    struct account account = {.lost = 0};
    uint64_t number;

    while (!try_to_publish(last, 25))
        if (take_into_account(&account) == 0)
            return;
    do
        number = take_into_account(&account);
    while (number != 0 && number != last);
    if (count_missing(&account) > account.lost)
        site_fail("receive", "what was committed is neither seen nor told of as lost");
    if (!(current->flags & DROP) && account.lost != 0)
        site_fail("receive", "something is told of as lost");
}

/* Fill the topic, and empty it: how many messages went in. */
static int
go_round(void)
{
    /* Under DROP_OLDEST a whole lap would be the edge of being overtaken. */
    int most = current->flags & DROP ? SLOTS / 2 : SLOTS;
    uint64_t lost = 0;
    int count = 0;

    while (count < most && try_to_publish(80 + (uint64_t)count, 25))
        count++;
    for (int i = 0; i < count; i++)
        if (receive_next(LATE_MS, &lost) != 80 + (uint64_t)i)
            site_fail("afterwards", "a subscriber does not see what is published");
    if (receive_next(0, &lost) != 0 || lost != 0)
        site_fail("afterwards", "there is more, or less, than what was published");
    return count == most;
}

/*
 * Every slot carries a message again. The index of a slot that the victim had is
 * skipped until a participant has to wait and checks: so a lap or two have one less.
 */
static void
check_topic_slots(void)
{
    int whole = 0;

    for (int64_t end = kill_now_ms() + LATE_MS; whole < 2 && kill_now_ms() < end;)
        whole = go_round() ? whole + 1 : 0;
    if (whole < 2)
        site_fail("afterwards", "not every slot carries a message");
}

static void
check_topic(void)
{
    int64_t begin = kill_now_ms();

    receive_all();
    if (kill_now_ms() - begin > longest_ms)
        longest_ms = kill_now_ms() - begin;
    check_topic_slots();
}

/* The newest value, whole, never an older one. 0: none. */
static uint64_t
read_newest(void)
{
    uint8_t bytes[SIZE];
    uint64_t version;
    size_t length;
    int rc = mmf_latest_receive(our_reader, bytes, SIZE, &length, &version);

    check_ok("read", rc);
    if (rc != MMF_OK || version == 0)
        return 0;
    if ((int64_t)(version - our_version) < 0)
        site_fail("read", "an older version than before");
    our_version = version;
    return number_of(bytes, length);
}

static void
check_latest(void)
{
    int64_t begin = kill_now_ms();
    uint64_t newest = 0, number = read_newest();

    for (uint64_t i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == COMMITTED)
            newest = i;
    if (number < newest)
        site_fail("read", "an older value than the newest");
    if (number > newest && ledger->fates[number] != COMMITTING)
        site_fail("read", "a value that was never written");
    if (read_newest() != number)
        site_fail("read", "another value, without a write");
    for (uint64_t i = 0; i < (uint64_t)LATEST_SLOTS * 3; i++) {
        uint64_t before = our_version;

        send_ours(80 + i);
        check_ok("wait", mmf_latest_wait(our_reader, before, LATE_MS));
        if (read_newest() != 80 + i)
            site_fail("afterwards", "the value written is not the newest");
        if (mmf_latest_wait(our_reader, our_version, 0) != MMF_TIMED_OUT)
            site_fail("afterwards", "a version newer than the newest");
    }
    if (kill_now_ms() - begin > longest_ms)
        longest_ms = kill_now_ms() - begin;
}

static void
check_entries(mmf_role role)
{
    mmf_topic *topics[PARTICIPANTS] = {NULL};
    mmf_latest *values[PARTICIPANTS] = {NULL};

    for (int i = 0; i < PARTICIPANTS - 1; i++) {
        if (current->flags & LATEST)
            values[i] = open_latest(role);
        else
            topics[i] = open_topic(role);
        if (values[i] == NULL && topics[i] == NULL)
            site_fail("a dead one's place", mmf_last_message());
    }
    for (int i = 0; i < PARTICIPANTS; i++) {
        mmf_topic_close(topics[i]);
        mmf_latest_close(values[i]);
    }
}

/* It hears what was committed, if only in a tick; else what we send now. */
static void
check_sleeper(void)
{
    uint64_t number = current->flags & LATEST ? OURS + 10 : 1;

    if (ledger->fates[number] != COMMITTED)
        send_ours(69);
    kill_await_end(helper);
    if (ledger->heard == 0)
        site_fail("a helper", "it has heard nothing");
    else if (ledger->fates[number] == COMMITTED && ledger->heard != (int)number)
        site_fail("a helper", "it has heard something else than the first");
}

/* No process has the name open: its contents are gone. */
static void
create_again(void)
{
    int created = 0;
    int rc;

    memset((void *)ledger, 0, sizeof(*ledger));
    if (current->flags & LATEST)
        rc = create_latest(MMF_ROLE_RECEIVE, &our_reader, &created);
    else
        rc = create_topic(MMF_ROLE_RECEIVE, &our_subscriber, &created);
    check_ok("create a new one", rc);
    if (rc == MMF_OK && !created)
        site_fail("create a new one", "it was there");
    if (current->flags & LATEST)
        our_writer = open_latest(MMF_ROLE_SEND);
    else
        our_publisher = open_topic(MMF_ROLE_SEND);
}

static void
check_survivors(void)
{
    if (ledger->failed != 0)
        site_fail("the victim", mmf_status_name(ledger->failed));
    if (current->flags & ALONE)
        create_again();
    if (current->flags & SLEEPER)
        check_sleeper();
    if (current->flags & WRITER) {
        kill_await_end(helper);
        if (!ledger->wrote)
            site_fail("a helper", "it has not published");
    }
    if (current->flags & LATEST)
        check_latest();
    else
        check_topic();
    check_entries(MMF_ROLE_SEND);
    check_entries(MMF_ROLE_RECEIVE);
    mmf_topic_close(our_publisher);
    mmf_topic_close(our_subscriber);
    mmf_latest_close(our_writer);
    mmf_latest_close(our_reader);
}

static pid_t
start_victim(void)
{
    uint64_t lost = 0;
    pid_t pid;

    make_ready();
    pid = trace_fork(victim, NULL);
    if (!(current->flags & WRITER))
        return pid;
    /* Only the victim, which stands before its run, holds the publishers. */
    for (uint64_t i = 0; i < SLOTS; i++) {
        if (receive_next(LATE_MS, &lost) != OURS + i)
            site_fail("receive", "what was in the full ring is not all there");
        note(OURS + i, NEVER);
    }
    helper = kill_run_elsewhere(open_handle, MMF_ROLE_SEND, write_one, 1);
    kill_await_sleep(helper);
    return pid;
}

/* From the command line; 0 and 0: as it is for each operation. */
static size_t wanted_first, wanted_stride;

static void
kill_all_along(size_t first, struct kill_counts *counts)
{
    const char *count = getenv("MMF_TEST_LONG");
    int all = count != NULL && strcmp(count, "1") == 0;
    size_t stride = all ? 1 : DEFAULT_STRIDE;
    struct kill_operation operation = {.start = start_victim, .check = check_survivors};

    if ((current->flags & SLOW) && !all)
        stride *= 5; /* these take long */
    operation.first = wanted_stride > 0 ? wanted_first : first % stride;
    operation.stride = wanted_stride > 0 ? wanted_stride : stride;
    operation.walks = current->flags & ALONE ? 8 : 1;
    kill_along(&operation, counts);
    if (counts->missed > 2 + counts->killed / 20)
        site_fail("coverage", "too many places were missed");
}

int
main(int argc, char **argv)
{
    static char dir[] = "/dev/shm/mmf-test-XXXXXX";
    const char *only = argc > 1 ? argv[1] : NULL;
    unsigned run = 0, failed = 0;
    unsigned long killed = 0, all_points = 0;
    char own[64], call[64];

    /* The linker's lazy work would be in the way of the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    if (argc > 3) {
        wanted_first = strtoul(argv[2], NULL, 10);
        wanted_stride = strtoul(argv[3], NULL, 10);
    }
    if (!trace_possible() || !trace_knows_instructions()) {
        printf("SKIPPED: no tracing of instructions here\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!walk_find_code() || ledger == MAP_FAILED || mkdtemp(dir) == NULL) {
        perror("channel_topic_kill_points");
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    site_begin("channel_topic_kill_points");
    printf("%-40s %8s %8s %8s %8s\n", "operation", "places", "killed", "missed", "ms");
    for (size_t i = 0; i < operation_count; i++) {
        unsigned long failures_before = site_failures();
        struct kill_counts counts = {0};
        int64_t begin = kill_now_ms();

        current = &operations[i];
        if (only != NULL && strstr(current->name, only) == NULL)
            continue;
        site_operation(current->name);
        kill_all_along(i, &counts);
        printf("%-40s %8lu %8lu %8lu %8lld\n", current->name, counts.places,
               counts.killed, counts.missed, (long long)(kill_now_ms() - begin));
        fflush(stdout);
        run++;
        failed += site_failures() != failures_before;
        snprintf(call, sizeof(call), "%s %s",
                 current->flags & LATEST ? "latest" : "topic",
                 site_call_of(current->name));
        site_count(call, counts.killed);
        killed += counts.killed;
        all_points += counts.places;
    }
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    /* What the last of the killed had is dead, and goes with a call that comes by. */
    mmf_gc(0, NULL);
    if ((rmdir(own) < 0 && errno != ENOENT) || rmdir(dir) < 0) {
        printf("FAILED: something is left in %s\n", own);
        run++;
        failed++;
    }
    printf("killed at %lu of %lu places; all was well after %lld ms at most\n", killed,
           all_points, (long long)longest_ms);
    site_print_counts("");
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
