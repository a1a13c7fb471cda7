/*
 * system_test.c - services on Linux: descriptors to poll, forks, and the bytes that
 * docs/internals/layout.md has.
 */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENT = MMF_ROLE_CLIENT, SERVER = MMF_ROLE_SERVER, BOTH = MMF_ROLE_BOTH };

/* Nothing is there, and the descriptor says so in the end. */
static void
quiet_server(mmf_service *server, int fd)
{
    for (int i = 0; i < 100 && is_readable(fd, 0); i++)
        no_request(server);
    CHECK(!is_readable(fd, 0));
}

static void
quiet_client(mmf_service *client, int fd, uint64_t call)
{
    for (int i = 0; i < 100 && is_readable(fd, 0); i++)
        no_answer(client, call);
    CHECK(!is_readable(fd, 0));
}

TEST(both_sides_are_polled)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    int at_server = -1, at_client = -1, again = -1;

    CHECK_OK(mmf_service_fd(server, &at_server));
    CHECK_OK(mmf_service_fd(client, &at_client));
    CHECK_OK(mmf_service_fd(client, &again));
    CHECK_INT(again, at_client);
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t call;
        mmf_message request;

        quiet_server(server, at_server);
        call = begin_call(client, i);
        CHECK(is_readable(at_server, LONG_MS));
        request = take_request(server, i);
        quiet_client(client, at_client, call);
        answer(server, &request, i + 10, MMF_ANSWER_MORE);
        answer(server, &request, i + 11, MMF_ANSWER_LAST);
        CHECK(is_readable(at_client, LONG_MS));
        receive_number(client, call, i + 10);
        CHECK(is_readable(at_client, LONG_MS)); /* until all are there */
        receive_number(client, call, i + 11);
    }
    mmf_service_close(client);
    mmf_service_close(server);
}

/* The poller answers with that one, as an event loop asks; or with none. */
static void
expect_ready(mmf_poller *poller, int fd, const void *data)
{
    void *found[4] = {NULL};
    size_t count = 0;

    for (int i = 0; (data != NULL || is_readable(fd, 20)) && count == 0 && i < 1000;
         i++) {
        if (data != NULL)
            CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
    }
    CHECK_INT(count, data != NULL);
    CHECK(found[0] == data);
}

TEST(a_poller_has_both_sides)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_poller *poller;
    int fd = -1;

    CHECK_OK(mmf_poller_create(&poller));
    CHECK_OK(mmf_poller_fd(poller, &fd));
    CHECK_OK(mmf_poller_add(poller, mmf_service_waitable(client), client));
    CHECK_OK(mmf_poller_add(poller, mmf_service_waitable(server), server));
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t call;
        mmf_message request;

        expect_ready(poller, fd, NULL);
        call = begin_call(client, i);
        expect_ready(poller, fd, server);
        request = take_request(server, i);
        expect_ready(poller, fd, NULL);
        answer(server, &request, i + 10, MMF_ANSWER_LAST);
        expect_ready(poller, fd, client);
        receive_number(client, call, i + 10);
    }
    mmf_poller_close(poller);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* An answer that came while the one before was taken is there after its release. */
TEST(what_was_passed_over_is_polled)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    mmf_service *polled = open_service(CLIENT);
    mmf_poller *poller;
    int fd = -1, at_client = -1;

    CHECK_OK(mmf_poller_create(&poller));
    CHECK_OK(mmf_poller_fd(poller, &fd));
    CHECK_OK(mmf_poller_add(poller, mmf_service_waitable(polled), polled));
    CHECK_OK(mmf_service_fd(client, &at_client));
    for (uint64_t i = 0; i < 3; i++) {
        mmf_service *caller = i == 2 ? client : polled;
        uint64_t call = begin_call(caller, i), other = begin_call(caller, 9);
        mmf_message request = take_request(server, i), taken;
        mmf_message second = take_request(server, 9);

        answer(server, &request, 1, MMF_ANSWER_MORE);
        CHECK_STATUS(mmf_service_take_answer(caller, call, LONG_MS, &taken), MMF_OK);
        answer(server, &request, 2, MMF_ANSWER_LAST);
        expect_ready(poller, fd, NULL);
        if (i == 2)
            quiet_client(client, at_client, 0);
        CHECK_OK(mmf_service_release_answer(caller, &taken));
        if (i == 2)
            CHECK(is_readable(at_client, LONG_MS));
        else
            expect_ready(poller, fd, polled);
        receive_number(caller, call, 2);
        answer(server, &second, 3, MMF_ANSWER_LAST);
        receive_number(caller, other, 3);
    }
    mmf_poller_close(poller);
    mmf_service_close(client);
    mmf_service_close(polled);
    mmf_service_close(server);
}

/* A wait for one thing leaves the descriptor readable for the others. */
TEST(what_another_wait_is_for_stays_readable)
{
    mmf_service *both = new_service(BOTH, 8), *server = open_service(SERVER);
    uint64_t first, second;
    mmf_message request;
    int fd = -1;

    CHECK_OK(mmf_service_fd(both, &fd));
    first = begin_call(both, 1);
    request = take_request(server, 1);
    second = begin_call(both, 2);
    no_answer(both, first);
    CHECK(is_readable(fd, LONG_MS)); /* for the second request */
    answer(server, &request, 3, MMF_ANSWER_LAST);
    request = take_request(both, 2);
    no_request(both);
    CHECK(is_readable(fd, LONG_MS)); /* for the first answer */
    no_answer(both, second);
    CHECK(is_readable(fd, LONG_MS));
    receive_number(both, first, 3);
    answer(both, &request, 4, MMF_ANSWER_LAST);
    receive_number(both, second, 4);
    mmf_service_close(both);
    mmf_service_close(server);
}

/* A role: takes a request, says so, and waits for its end. */
ROLE(holder)
{
    mmf_service *server = open_service(SERVER);
    char line[8];

    take_request(server, 1);
    role_say("taken");
    role_hear(line, sizeof(line));
    mmf_service_close(server);
    return 0;
}

/* A server that only polls gets what a dead one had. */
TEST(a_death_is_polled)
{
    mmf_service *client = new_service(CLIENT, 8), *server = open_service(SERVER);
    struct process *victim;
    mmf_message request;
    int fd = -1, rc;
    uint64_t call;

    CHECK_OK(mmf_service_fd(server, &fd));
    call = begin_call(client, 1);
    victim = process_start("holder", NULL);
    process_expect(victim, "taken");
    quiet_server(server, fd);
    kill(process_id(victim), SIGKILL);
    do {
        CHECK(is_readable(fd, LONG_MS));
        rc = mmf_service_take(server, 0, &request);
    } while (rc == MMF_TIMED_OUT);
    CHECK_INT(rc, MMF_OK);
    CHECK_INT(request.deliveries, 2);
    answer(server, &request, 2, MMF_ANSWER_LAST);
    receive_number(client, call, 2);
    process_kill(victim);
    process_finish(victim);
    mmf_service_close(client);
    mmf_service_close(server);
}

/* A client that is alone with what a dead server had is answered by the next one. */
TEST(a_death_wakes_the_next_server)
{
    mmf_service *client = new_service(CLIENT, 8);
    struct process *victim, *next;
    uint64_t call;

    call = begin_call(client, 1);
    victim = process_start("holder", NULL);
    process_expect(victim, "taken");
    next = process_start("holder", NULL);
    process_kill(victim);
    process_expect(next, "taken");
    CHECK_OK(mmf_service_cancel(client, call));
    process_finish(victim);
    CHECK_INT(process_finish(next), 0);
    mmf_service_close(client);
}

static void
in_child_all_is_dead(mmf_service *service, const mmf_message *message)
{
    mmf_channel_stats stats;
    mmf_message other;
    size_t length;
    uint64_t call;
    int wanted, fd;
    void *bytes;
    char byte;

    CHECK_FAILS(mmf_service_call(service, "x", 1, &byte, 1, 0, &length),
                MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_send(service, "x", 1, 0, &call), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_reserve(service, 1, 0, &bytes), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_commit(service, 1, &call), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_abandon(service), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_take_answer(service, 0, 0, &other), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_release_answer(service, message), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_receive_answer(service, 0, &byte, 1, 0, &length, NULL),
                MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_cancel(service, 1), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_take(service, 0, &other), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_receive(service, &byte, 1, 0, &length, &other),
                MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_is_wanted(service, message, &wanted), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_reserve_answer(service, message, 1, 0, &bytes),
                MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_commit_answer(service, message, 1, 0), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_answer(service, message, "x", 1, 0, 0), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_return(service, message), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_fd(service, &fd), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_wait_one(mmf_service_waitable(service), 0), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_service_stat(service, &stats), MMF_E_DISPOSED);
    mmf_service_close(service);
}

TEST(a_childs_handles_are_dead)
{
    mmf_service *service = new_service(BOTH, 8);
    uint64_t call = begin_call(service, 1);
    mmf_message request = take_request(service, 1);
    int status = -1;
    pid_t pid;

    pid = fork();
    if (pid == 0) {
        in_child_all_is_dead(service, &request);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    /* Nothing was cancelled or returned by the child's close. */
    CHECK_INT(is_wanted(service, &request), 1);
    answer(service, &request, 2, MMF_ANSWER_LAST);
    receive_number(service, call, 2);
    mmf_service_close(service);
}

/*
 * The bytes. Nothing here uses the library's own structures or constants.
 */

static uint64_t
number_at(int fd, off_t at, size_t size)
{
    uint64_t number = 0;

    CHECK(pread(fd, &number, size, at) == (ssize_t)size);
    return number;
}

TEST(the_bytes_are_as_documented)
{
    enum { SLOTS_AT = 4096, PARTS_AT = SLOTS_AT + 4 * 64, PART = 256 + 256 + 6 * 64 };
    const uint64_t one = 1;
    mmf_service *service = new_service(BOTH, 8);
    off_t page, capacity, lane, slot;
    mmf_message request;
    char path[512];
    uint64_t call;
    int fd;

    if (*(const uint8_t *)&one != 1)
        harness_skip("the numbers are a little-endian machine's");
    call = begin_call(service, 5);
    request = take_request(service, 5);
    answer(service, &request, 6, MMF_ANSWER_MORE);
    answer(service, &request, 7, MMF_ANSWER_LAST);
    snprintf(path, sizeof(path), "%s/mmf-%u/S", harness_dir(), (unsigned)geteuid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    page = lseek(fd, 0, SEEK_END) - 4096;
    CHECK_INT(number_at(fd, page + 12, 4), 8);      /* kind */
    CHECK_INT(number_at(fd, page + 192 + 0, 4), 4); /* the shape's kind */
    CHECK_INT(number_at(fd, page + 192 + 4, 4), 1); /* overflow */
    CHECK_INT(number_at(fd, page + 192 + 8, 4), 2); /* clients */
    CHECK_INT(number_at(fd, page + 192 + 12, 4), 2);
    CHECK_INT(number_at(fd, page + 192 + 16, 8), 4); /* requests */
    CHECK_INT(number_at(fd, page + 192 + 24, 8), 8);
    CHECK_INT(number_at(fd, page + 192 + 56, 8), 8); /* answer_size */
    CHECK_INT(number_at(fd, page + 192 + 64, 4), 3); /* calls */
    CHECK_INT(number_at(fd, page + 192 + 68, 4), 2); /* answers */
    capacity = (off_t)number_at(fd, page + 24, 8);
    CHECK_INT(capacity, PARTS_AT + 2 * PART);
    /* The request: index 1, released by now; its first answer is two laps on. */
    slot = SLOTS_AT + 64;
    CHECK_INT(call, 1);
    CHECK_INT(number_at(fd, slot, 8), 5);
    CHECK_INT(number_at(fd, slot + 32, 4), 0); /* lane */
    CHECK_INT(number_at(fd, slot + 40, 8), 4); /* first */
    CHECK_INT(number_at(fd, slot + 56, 8) >> 16, 1);
    CHECK_INT(number_at(fd, slot + 56, 8) & 7, 0);
    lane = PARTS_AT + 256;
    CHECK(number_at(fd, lane, 8) == (call | (uint64_t)1 << 63));
    CHECK_INT(number_at(fd, lane + 8, 8), 4); /* head */
    for (int i = 0; i < 2; i++) {
        slot = PARTS_AT + 512 + i * 64;
        CHECK_INT(number_at(fd, slot, 8), 6 + i);
        CHECK_INT(number_at(fd, slot + 32, 8), call);
        CHECK_INT(number_at(fd, slot + 40, 4), 1); /* deliveries */
        CHECK_INT(number_at(fd, slot + 44, 4), i); /* the last */
        CHECK_INT(number_at(fd, slot + 48, 4), 8);
        CHECK_INT(number_at(fd, slot + 52, 4), 0);
        CHECK_INT(number_at(fd, slot + 56, 8), (4 + i) << 16 | 2);
    }
    receive_number(service, call, 6);
    CHECK_INT(number_at(fd, lane + 8, 8), 5);
    receive_number(service, call, 7);
    CHECK_INT(number_at(fd, lane, 8), call);
    close(fd);
    mmf_service_close(service);
}
