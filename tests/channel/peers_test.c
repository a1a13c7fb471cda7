/*
 * peers_test.c - programs built for another C library and another word size at one
 * queue, topic and latest value.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 500, SIZE = 300, COUNT = 16 };

#if defined(FOREIGN_MUSL) || defined(FOREIGN_32)

/* Everything that goes through in one direction, each in lengths of its own. */
static void
carry(struct process *from, struct process *to)
{
    char line[64];

    peer_begins(to, "drain 1 %d", MESSAGES);
    peer_begins(from, "fill 1 %d", MESSAGES);
    process_expect(from, "MMF_OK");
    process_expect(to, "MMF_OK");
    snprintf(line, sizeof(line), "MMF_OK %d %d 0", MESSAGES, MESSAGES);
    peer_answers(from, line, "stat");
}

static void
meet(uint32_t flags, struct process *one, struct process *other)
{
    /* One creates it, the other opens it; other sizes are refused. */
    peer_answers(one, "MMF_OK new", "create 1 %u 0 %d %d 1", flags, SIZE, COUNT);
    peer_fails(other, MMF_E_MISMATCH, "create 2 %u 2 1 1 1", flags);
    peer_answers(other, "MMF_OK old", "create 2 %u 2 %d %d 1", flags, SIZE, COUNT);
    carry(one, other);
    /* Asleep, and by a descriptor. */
    peer_begins(other, "receive -1");
    peer_await_sleep(other);
    peer_does(one, "send 5 0");
    process_expect(other, "MMF_OK 5 0");
    peer_does(other, "fd");
    peer_begins(other, "poll %d", LONG_MS);
    peer_does(one, "send 6 0");
    process_expect(other, "MMF_OK yes");
    peer_answers(other, "MMF_OK 6 0", "receive %d", LONG_MS);
    peer_does(one, "close");
    peer_does(other, "close");
}

/* The foreign one dies with a message in flight; its entry is free, the message comes again. */
static void
outlive(uint32_t flags, struct process *foreign)
{
    mmf_queue *sender = new_sender(flags, 8, 4);
    mmf_queue *receiver;
    mmf_message message;

    peer_does(foreign, "open 2 0 0");
    send_number(sender, 1);
    send_number(sender, 2);
    peer_answers(foreign, "MMF_OK 1 0", "take 0");
    process_kill(foreign);
    receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    if (flags == 0) {
        /* What was not taken comes as well, in any order. */
        int redelivered = 0;

        for (int i = 0; i < 2; i++) {
            CHECK_STATUS(mmf_queue_take(receiver, LONG_MS, &message), MMF_OK);
            redelivered += message.flags == MMF_MESSAGE_REDELIVERED;
            CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
        }
        CHECK_INT(redelivered, 1);
    } else {
        message = take_number(receiver, 1);
        CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
        CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
        expect_number(receiver, 2);
    }
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/* One publishes, the other subscribes; and asleep. */
static void
meet_at_topic(struct process *one, struct process *other)
{
    peer_answers(one, "MMF_OK new", "topic create 1 %d 1", COUNT);
    peer_fails(other, MMF_E_MISMATCH, "topic create 2 1 1");
    peer_answers(other, "MMF_OK old", "topic create 2 %d 1", COUNT);
    peer_begins(other, "topic drain 1 %d", MESSAGES);
    peer_does(one, "topic send 1 %d", MESSAGES);
    process_expect(other, "MMF_OK");
    peer_begins(other, "topic receive -1");
    peer_await_sleep(other);
    peer_does(one, "topic send 7 1");
    process_expect(other, "MMF_OK 7 0");
    peer_does(one, "topic close");
    peer_does(other, "topic close");
    /* Overtaken: what it lost and what it gets are all there were. */
    peer_answers(one, "MMF_OK new", "topic create 1 4 3");
    peer_does(other, "topic open 2");
    peer_does(one, "topic send 1 10");
    peer_answers(other, "MMF_OK 8 7", "topic receive 0");
    peer_answers(other, "MMF_OK 9 0", "topic receive 0");
    peer_answers(other, "MMF_OK 10 0", "topic receive 0");
    peer_answers(other, "MMF_TIMED_OUT", "topic receive 0");
    peer_does(one, "topic close");
    peer_does(other, "topic close");
}

static void
meet_at_latest(struct process *one, struct process *other)
{
    peer_answers(one, "MMF_OK new", "latest create 1");
    peer_answers(other, "MMF_OK old", "latest create 2");
    peer_answers(other, "MMF_OK 0 0", "latest receive 0 0");
    peer_begins(other, "latest receive 0 -1");
    peer_await_sleep(other);
    peer_does(one, "latest send 1 1");
    process_expect(other, "MMF_OK 1 1");
    peer_begins(other, "latest watch %d", 1 + MESSAGES);
    peer_does(one, "latest send 2 %d", MESSAGES);
    process_expect(other, "MMF_OK");
    peer_does(one, "latest close");
    peer_does(other, "latest close");
}

/* The foreign one dies with a reservation: the others step over it, and go on. */
static void
outlive_publisher(struct process *own, struct process *foreign)
{
    struct process *publisher = peer_start();

    peer_answers(own, "MMF_OK new", "topic create 2 4 1");
    peer_answers(own, "MMF_OK new", "latest create 2");
    peer_does(publisher, "topic open 1");
    peer_does(publisher, "latest open 1");
    peer_does(foreign, "topic open 3"); /* its cursor holds publishers, too */
    peer_does(foreign, "latest open 3");
    peer_does(publisher, "latest send 1 1");
    peer_does(foreign, "topic reserve");
    peer_does(foreign, "latest reserve");
    process_kill(foreign);
    peer_begins(own, "topic drain 1 20");
    peer_does(publisher, "topic send 1 20");
    process_expect(own, "MMF_OK");
    peer_answers(own, "MMF_OK 1 1", "latest receive 0 0");
    peer_does(publisher, "latest send 2 20");
    peer_does(own, "latest watch 21");
    peer_end(publisher);
}

static int
program_runs(const char *loader, const char *program)
{
    char command[1024];

    snprintf(command, sizeof(command), "%s %s < /dev/null > /dev/null 2>&1", loader,
             program);
    return system(command) == 0;
}

static void
meet_foreign(const char *loader, const char *program)
{
    for (int i = 0; i < 4; i++) {
        uint32_t flags = i % 2 == 0 ? 0 : MMF_CHANNEL_SPSC;
        struct process *own = peer_start();
        struct process *foreign = peer_start_foreign(loader, program);

        if (i < 2)
            meet(flags, own, foreign);
        else
            meet(flags, foreign, own);
        peer_end(own);
        outlive(flags, foreign);
    }
}

static void
meet_foreign_at_topics(const char *loader, const char *program)
{
    struct process *own = peer_start();
    struct process *foreign = peer_start_foreign(loader, program);

    meet_at_topic(own, foreign);
    meet_at_topic(foreign, own);
    meet_at_latest(own, foreign);
    meet_at_latest(foreign, own);
    outlive_publisher(own, foreign);
    peer_end(own);
}

#endif

static void
another_c_library(void **state)
{
    (void)state;
#ifdef FOREIGN_MUSL
    meet_foreign(NULL, FOREIGN_MUSL);
    meet_foreign_at_topics(NULL, FOREIGN_MUSL);
#else
    harness_skip("there is no musl-gcc");
#endif
}

static void
another_word_size(void **state)
{
    (void)state;
#ifdef FOREIGN_32
    static const char emulator[] = "/usr/bin/qemu-i386";
    const char *loader = program_runs("", FOREIGN_32) ? NULL : emulator;

    if (loader != NULL && !program_runs(loader, FOREIGN_32))
        harness_skip("32-bit programs do not run here");
    meet_foreign(loader, FOREIGN_32);
    meet_foreign_at_topics(loader, FOREIGN_32);
#else
    harness_skip("the compiler makes no 32-bit programs");
#endif
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {
        {"peer", peer_role}, {"foreign", foreign_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_c_library),
        cmocka_unit_test(another_word_size),
    };

    return harness_main(argc, argv, "channel_peers", tests, COUNT_OF(tests), roles);
}
