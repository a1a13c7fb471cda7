/*
 * peers_test.c - other programs at the same object: other users, and programs built
 * for another C library or another word size.
 */
#include "support.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRANGER = 65534, OTHER = 65533 };

/* What a peer says to let the kind's object through; with the answer. */
static void
peer_signals(struct process *peer, mmf_kind kind)
{
    if (kind == MMF_KIND_MUTEX)
        peer_does(peer, "release 0");
    else if (kind == MMF_KIND_EVENT)
        peer_does(peer, "set 0");
    else
        peer_answers(peer, "MMF_OK 0", "post 0 1");
}

static void
peer_creates(struct process *peer, mmf_kind kind, const char *name, const char *answer)
{
    if (kind == MMF_KIND_MUTEX)
        peer_answers(peer, answer, "mutex 0 0 %s", name);
    else if (kind == MMF_KIND_EVENT)
        peer_answers(peer, answer, "event 0 1 0 %s", name);
    else
        peer_answers(peer, answer, "semaphore 0 1 10 %s", name);
}

/*
 * Two peers that have opened one object do everything with it: each
 * signals it for the other, asleep or not, by every way to wait; and sees the other
 * die.
 */
static void
meet(struct process *one, struct process *other, mmf_kind kind)
{
    /* It is available, and both see that. */
    peer_does(one, "wait 0 0");
    peer_answers(other, "MMF_TIMED_OUT", "wait 0 0");
    peer_answers(other, "MMF_TIMED_OUT", "wait 0 %d", SHORT_MS);
    if (kind == MMF_KIND_MUTEX)
        peer_fails(other, MMF_E_NOT_OWNER, "own", "release 0");
    for (int round = 0; round < 4; round++) {
        peer_begins(other, round % 2 == 0 ? "wait 0 -1" : "any -1 0 0");
        if (round >= 2) {
            /* Likely asleep by now; whether or not, it gets it. */
            peer_answers(one, kind == MMF_KIND_MUTEX ? "MMF_OK" : "MMF_TIMED_OUT",
                         "wait 0 30");
            if (kind == MMF_KIND_MUTEX)
                peer_does(one, "release 0");
        }
        peer_signals(one, kind);
        process_expect(other, round % 2 == 0 ? "MMF_OK" : "MMF_OK 0");
        peer_answers(one, "MMF_TIMED_OUT", "wait 0 0");
        peer_begins(one, "all -1 0");
        peer_signals(other, kind);
        process_expect(one, "MMF_OK");
    }
    peer_signals(one, kind);
    /* By descriptor. */
    peer_does(other, "wait 0 0");
    peer_does(one, "fd 0");
    peer_answers(one, "MMF_TIMED_OUT", "wait 0 0");
    peer_begins(one, "poll 0 %d", LONG_MS);
    peer_signals(other, kind);
    process_expect(one, "MMF_OK yes");
    peer_does(one, "wait 0 0");
    peer_signals(one, kind);
}

static void
one_dies_before_the_other(struct process *victim, struct process *survivor,
                          mmf_kind kind)
{
    peer_does(victim, "wait 0 0");
    peer_begins(survivor, "wait 0 %d", kind == MMF_KIND_MUTEX ? LONG_MS : 300);
    process_kill(victim);
    process_expect(survivor,
                   kind == MMF_KIND_MUTEX ? "MMF_ABANDONED" : "MMF_TIMED_OUT");
    peer_signals(survivor, kind);
    peer_does(survivor, "wait 0 0");
    peer_signals(survivor, kind);
}

/*
 * Other users.
 */

static int
may_change_user(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(setgroups(0, NULL) < 0 || setresuid(STRANGER, STRANGER, STRANGER) < 0);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* The test's directory as /dev/shm is. */
static int
share_directory(void **state)
{
    (void)state;
    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    return chmod(harness_dir(), 01777);
}

static struct process *
start_user(unsigned user, const char *mode)
{
    struct process *peer = peer_start();

    if (user != 0)
        peer_does(peer, "user %u", user);
    if (mode != NULL)
        peer_does(peer, "mode %s", mode);
    return peer;
}

static void
rule_7_5_users_share_what_all_may_use(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (int way = 0; way < 2; way++) {
            const char *mode = way == 0 ? "666" : "0"; /* all_users means 666 */
            struct process *root = start_user(0, mode);
            struct process *stranger = start_user(STRANGER, mode);
            struct process *other = start_user(OTHER, mode);
            struct stat status;

            CHECK_CONTEXT("%s, way %d", mmf_kind_name(kind), way);
            /* Made by root or by the stranger. */
            peer_creates(way == 0 ? root : stranger, kind, "Cat", "MMF_OK new");
            peer_creates(way == 0 ? stranger : root, kind, "Global\\Cat", "MMF_OK old");
            peer_does(other, "open %s 0 Cat", mmf_kind_name(kind));
            CHECK(stat(only_file(), &status) == 0);
            CHECK_INT(status.st_mode & 07777, 0666);
            CHECK_INT(status.st_uid, way == 0 ? 0 : STRANGER);
            meet(root, stranger, kind);
            meet(stranger, other, kind);
            meet(other, root, kind);
            one_dies_before_the_other(stranger, root, kind);
            one_dies_before_the_other(root, other, kind);
            peer_end(other);
            /* Its owner is dead, and "other" may not remove it; we may. */
            CHECK_OK(mmf_gc(0, NULL));
            CHECK_INT(count_files(), 0);
        }
    }
}

static void
rule_7_5_a_mode_keeps_others_out(void **state)
{
    static const char *const modes[] = {"600", "644", "660", NULL};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        const char *word = mmf_kind_name(kind);

        for (size_t i = 0; i < COUNT_OF(modes); i++) {
            struct process *stranger = start_user(STRANGER, modes[i]);
            struct process *other = start_user(OTHER, "666");
            struct process *root = start_user(0, NULL);

            /* Without options a global object has mode 600. */
            CHECK_CONTEXT("%s, mode %s", word, modes[i] == NULL ? "none" : modes[i]);
            peer_creates(stranger, kind, modes[i] == NULL ? "Global\\Cat" : "Cat",
                         "MMF_OK new");
            peer_fails(other, MMF_E_ACCESS, "65534", "open %s 0 Cat", word);
            if (kind == MMF_KIND_MUTEX)
                peer_fails(other, MMF_E_ACCESS, "65534", "mutex 0 1 Cat");
            else if (kind == MMF_KIND_EVENT)
                peer_fails(other, MMF_E_ACCESS, "65534", "event 0 0 0 Cat");
            else
                peer_fails(other, MMF_E_ACCESS, "65534", "semaphore 0 0 1 Cat");
            peer_does(root, "open %s 0 Global\\Cat", word); /* root may */
            peer_does(root, "close 0");
            peer_end(other);
            peer_end(root);
            peer_end(stranger);
        }
        CHECK_INT(count_files(), 0);
    }
}

/* Opening does not turn a refusal into "not found". */
static void
open_as_stranger(void *argument)
{
    (void)argument;
    CHECK(setgroups(0, NULL) == 0);
    CHECK(setresgid(STRANGER, STRANGER, STRANGER) == 0);
    CHECK(setresuid(STRANGER, STRANGER, STRANGER) == 0);
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0};
        char name[32];

        snprintf(name, sizeof(name), "Global\\%s", mmf_kind_name(kind));
        CHECK_FAILS(object_open(&object, kind, name, NULL), MMF_E_ACCESS);
    }
}

static void
rule_2_10_a_refusal_is_not_an_absence(void **state)
{
    struct object objects[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof(name), "Global\\%s", mmf_kind_name(FIRST_KIND + i));
        objects[i] = new_object(FIRST_KIND + i, name);
    }
    in_child(open_as_stranger, NULL);
    for (int i = 0; i < 3; i++)
        object_close(&objects[i]);
}

static void
rule_7_5_local_names_are_each_user_s_own(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct process *root = start_user(0, NULL),
                       *stranger = start_user(STRANGER, NULL);

        peer_creates(root, kind, "Cat", "MMF_OK new");
        peer_fails(stranger, MMF_E_NOT_FOUND, "Cat", "open %s 0 Cat",
                   mmf_kind_name(kind));
        peer_creates(stranger, kind, "Local\\Cat", "MMF_OK new");
        peer_does(root, "wait 0 0");
        peer_does(stranger, "wait 0 0");
        peer_end(root);
        peer_end(stranger);
    }
}

/*
 * Foreign programs. FOREIGN_... are paths that the build gives.
 */

static struct process *
start_musl(void)
{
#ifdef FOREIGN_MUSL
    return peer_start_foreign(NULL, FOREIGN_MUSL);
#else
    harness_skip("there is no musl-gcc");
#endif
}

#ifdef FOREIGN_32
static int
program_runs(const char *loader, const char *program)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (freopen("/dev/null", "r", stdin) == NULL)
            _exit(127);
        if (loader != NULL)
            execl(loader, loader, program, (char *)NULL);
        else
            execl(program, program, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
#endif

static struct process *
start_32(void)
{
#ifdef FOREIGN_32
    static const char emulator[] = "/usr/bin/qemu-i386";

    if (program_runs(NULL, FOREIGN_32))
        return peer_start_foreign(NULL, FOREIGN_32);
    if (program_runs(emulator, FOREIGN_32))
        return peer_start_foreign(emulator, FOREIGN_32);
    harness_skip("32-bit programs do not run here");
#else
    harness_skip("32-bit programs cannot be built here");
#endif
}

static void
meet_foreigners(struct process *(*start_one)(void),
                struct process *(*start_other)(void))
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct process *one = start_one(), *other = start_other();
        struct process *third = start_one(), *fourth = start_other();

        CHECK_CONTEXT("%s", mmf_kind_name(kind));
        peer_creates(one, kind, "Cat", "MMF_OK new");
        peer_creates(other, kind, "Cat", "MMF_OK old");
        meet(one, other, kind);
        meet(other, one, kind);
        /* Each dies before the other. */
        peer_does(third, "open %s 0 Cat", mmf_kind_name(kind));
        one_dies_before_the_other(third, other, kind);
        peer_does(fourth, "open %s 0 Cat", mmf_kind_name(kind));
        one_dies_before_the_other(fourth, one, kind);
        peer_end(one);
        peer_end(other);
        /* What the other has made. */
        one = start_one();
        other = start_other();
        peer_creates(other, kind, "Cat", "MMF_OK new");
        peer_does(one, "open %s 0 Cat", mmf_kind_name(kind));
        meet(one, other, kind);
        peer_end(other);
        peer_end(one);
        CHECK_OK(mmf_gc(0, NULL));
        CHECK_INT(count_files(), 0);
    }
}

/* A number that both count up, guarded; and a ping-pong. */
static void
work_with_foreigners(struct process *(*start_one)(void),
                     struct process *(*start_other)(void))
{
    struct process *one = start_one(), *other = start_other();
    int count = harness_long() ? 100000 : 2000;

    peer_answers(one, "MMF_OK new", "mutex 0 0 Cat");
    peer_answers(other, "MMF_OK old", "mutex 0 0 Cat");
    peer_does(one, "map 1 8 Number");
    peer_does(other, "map 1 8 Number");
    peer_begins(one, "guard 0 1 %d", count);
    peer_begins(other, "guard 0 1 %d", count);
    process_expect(one, "MMF_OK 0");
    process_expect(other, "MMF_OK 0");
    CHECK_INT(peer_number(one, "read 1"), 2 * count);
    peer_answers(one, "MMF_OK new", "event 2 0 0 there");
    peer_answers(one, "MMF_OK new", "event 3 0 0 back");
    peer_answers(other, "MMF_OK old", "event 2 0 0 there");
    peer_answers(other, "MMF_OK old", "event 3 0 0 back");
    peer_begins(one, "echo 3 2 %d", count / 10);
    peer_begins(other, "echo 2 3 %d", count / 10 + 1);
    {
        mmf_event *there = NULL;

        CHECK_OK(mmf_event_open_existing("there", NULL, &there));
        CHECK_OK(mmf_event_set(there));
        mmf_event_close(there);
    }
    process_expect(one, "MMF_OK");
    process_expect(other, "MMF_OK");
    peer_end(one);
    peer_end(other);
    CHECK_INT(count_files(), 0);
}

static void
another_c_library(void **state)
{
    (void)state;
    meet_foreigners(peer_start, start_musl);
    work_with_foreigners(peer_start, start_musl);
}

static void
another_word_size(void **state)
{
    (void)state;
    meet_foreigners(peer_start, start_32);
    work_with_foreigners(peer_start, start_32);
}

static void
foreigners_among_themselves(void **state)
{
    (void)state;
    work_with_foreigners(start_musl, start_32);
}

#define USERS(name) cmocka_unit_test_setup(name, share_directory)

int
main(int argc, char **argv)
{
    static const struct role roles[] = {
        {"peer", peer_role}, {"foreign", foreign_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        USERS(rule_7_5_users_share_what_all_may_use),
        USERS(rule_7_5_a_mode_keeps_others_out),
        USERS(rule_2_10_a_refusal_is_not_an_absence),
        USERS(rule_7_5_local_names_are_each_user_s_own),
        cmocka_unit_test(another_c_library),
        cmocka_unit_test(another_word_size),
        cmocka_unit_test(foreigners_among_themselves),
    };

    return harness_main(argc, argv, "sync_peers", tests, COUNT_OF(tests), roles);
}
