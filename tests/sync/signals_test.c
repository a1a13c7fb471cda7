/*
 * signals_test.c - deaths that only Linux has: by each signal, by becoming another
 * program, and a process id that comes again.
 */
#include "support.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct process *
start_owner(const char *name)
{
    struct process *peer = peer_start();

    peer_does(peer, "open mutex 0 %s", name);
    peer_does(peer, "wait 0 %d", LONG_MS);
    return peer;
}

/* It is ours, abandoned; then it is as any other. */
static void
expect_abandoned(mmf_mutex *mutex)
{
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
}

/* By the signal, and not by the end of its input. */
static void
end_by_signal(struct process *peer, int signal)
{
    char line[64];

    CHECK(kill(process_id(peer), signal) == 0);
    CHECK(process_read_line(peer, line, sizeof(line)) == NULL);
    CHECK_INT(process_finish(peer), 128 + signal);
}

static void
rule_7_2_4_a_process_dies_by_a_signal(void **state)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGINT,  SIGHUP,  SIGSEGV, SIGBUS,
                                  SIGABRT, SIGQUIT, SIGALRM, SIGUSR1, SIGXCPU, SIGSYS};
    static const char *const names[] = {"Cat", "Global\\Cat"};

    (void)state;
    harness_expect_dead();
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        if ((HARNESS_ASAN || HARNESS_TSAN) &&
            (signals[i] == SIGSEGV || signals[i] == SIGBUS || signals[i] == SIGABRT))
            continue; /* sanitizers make a report of these */
        mmf_mutex *mutex = new_mutex(names[i % 2]);
        struct process *peer = start_owner(names[i % 2]);

        CHECK_CONTEXT("signal %d", signals[i]);
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
        if (i % 3 == 0)
            peer_does(peer, "wait 0 0"); /* twice */
        end_by_signal(peer, signals[i]);
        expect_abandoned(mutex);
        mmf_mutex_close(mutex);
    }
}

/* Another program in its place is another process, as far as mutexes go. */
static void
rule_7_2_4_a_process_becomes_another_program(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct process *peer = start_owner("Cat");

    (void)state;
    peer_does(peer, "exec");
    expect_abandoned(mutex);
    CHECK(kill(process_id(peer), 0) == 0); /* it lives */
    process_kill(peer);
    mmf_mutex_close(mutex);
}

/* A process with a number of our choice in the namespace of its parent's children. */
static pid_t
clone_with_pid(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* In the role: start a peer as process `pid` of the new namespace. -1: not possible. */
struct numbered {
    pid_t pid; /* as we see it, outside */
    FILE *in, *out;
};

static int
start_numbered(struct numbered *peer, pid_t pid)
{
    int to[2], from[2];

    if (pipe(to) < 0 || pipe(from) < 0)
        return -1;
    peer->pid = clone_with_pid(pid);
    if (peer->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 100; fd++)
            close(fd);
        execl("/proc/self/exe", "test", "--role", "peer", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    peer->in = fdopen(to[1], "w");
    peer->out = fdopen(from[0], "r");
    return peer->pid < 0 ? -1 : 0;
}

static void
tell_numbered(struct numbered *peer, const char *command, const char *answer)
{
    char line[256] = "";

    fprintf(peer->in, "%s\n", command);
    fflush(peer->in);
    if (fgets(line, sizeof(line), peer->out) == NULL || strncmp(line, answer, 6) != 0)
        CHECK_FAIL("%s: \"%s\", not \"%s\"", command, line, answer);
}

/*
 * In a namespace of processes where numbers can be chosen: number 42 owns the mutex and
 * is killed; another 42 comes, opens it and lives on.
 */
static int
reuse_role(int argc, char **argv)
{
    struct numbered init, owner, namesake;
    mmf_mutex *mutex = NULL;

    (void)argc;
    (void)argv;
    if (unshare(CLONE_NEWPID) < 0 || start_numbered(&init, 1) < 0) {
        role_say("cannot: %s", strerror(errno));
        return 0;
    }
    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    if (start_numbered(&owner, 42) < 0) {
        role_say("cannot: %s", strerror(errno));
        return 0;
    }
    tell_numbered(&owner, "open mutex 0 Cat", "MMF_OK");
    tell_numbered(&owner, "wait 0 0", "MMF_OK");
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    kill(owner.pid, SIGKILL);
    CHECK(waitpid(owner.pid, NULL, 0) == owner.pid);
    CHECK(start_numbered(&namesake, 42) == 0);
    tell_numbered(&namesake, "open mutex 0 Cat", "MMF_OK");
    tell_numbered(&namesake, "release 0", "MMF_E_NOT_OWNER");
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    tell_numbered(&namesake, "wait 0 0", "MMF_OK");
    kill(namesake.pid, SIGKILL);
    kill(init.pid, SIGKILL);
    waitpid(namesake.pid, NULL, 0);
    waitpid(init.pid, NULL, 0);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    role_say("done");
    _exit(0); /* a leak sanitizer cannot work in a namespace whose init is gone */
}

static void
a_process_id_used_again_is_no_owner(void **state)
{
    struct process *role = process_start("reuse", NULL);
    char line[256];

    (void)state;
    if (process_read_line(role, line, sizeof(line)) == NULL)
        CHECK_FAIL("the role failed");
    CHECK_INT(process_finish(role), 0);
    if (strcmp(line, "done") != 0)
        harness_skip("process ids cannot be chosen here: %s", line);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {
        {"peer", peer_role}, {"reuse", reuse_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_2_4_a_process_dies_by_a_signal),
        cmocka_unit_test(rule_7_2_4_a_process_becomes_another_program),
        cmocka_unit_test(a_process_id_used_again_is_no_owner),
    };

    return harness_main(argc, argv, "sync_signals", tests, COUNT_OF(tests), roles);
}
