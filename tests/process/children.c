/*
 * children.c - see children.h.
 */
#include "children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Children.
 */

void
child_start(struct child *child, void (*run)(struct child *self, void *argument),
            void *argument)
{
    int to[2], from[2];

    CHECK(pipe2(to, O_CLOEXEC) == 0);
    CHECK(pipe2(from, O_CLOEXEC) == 0);
    fflush(stdout);
    child->pid = fork();
    CHECK(child->pid >= 0);
    if (child->pid == 0) {
        struct child self = {.pid = getppid(), .in = from[1], .out = to[0]};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        close(to[1]);
        close(from[0]);
        run(&self, argument);
        _exit(EXIT_SUCCESS);
    }
    close(to[0]);
    close(from[1]);
    child->in = to[1];
    child->out = from[0];
}

void
child_send(struct child *child, char byte)
{
    CHECK(write(child->in, &byte, 1) == 1);
}

char
child_hear(struct child *child)
{
    struct pollfd fd = {.fd = child->out, .events = POLLIN};
    char byte = 0;
    int rc;

    do {
        rc = poll(&fd, 1, harness_deadline_ms());
    } while (rc < 0 && errno == EINTR);
    if (rc == 0)
        CHECK_FAIL("process %ld says nothing for %d ms", (long)child->pid,
                   harness_deadline_ms());
    if (read(child->out, &byte, 1) <= 0)
        return 0;
    return byte;
}

void
child_expect(struct child *child, char byte)
{
    char heard = child_hear(child);

    if (heard != byte)
        CHECK_FAIL("process %ld says '%c', not '%c'", (long)child->pid,
                   heard == 0 ? '-' : heard, byte);
}

static void
close_ends(struct child *child)
{
    close(child->in);
    close(child->out);
    child->in = child->out = -1;
}

void
child_finish(struct child *child)
{
    int status = 0;

    close(child->in);
    child->in = -1;
    /* Its end of the other pipe closes with it. */
    while (child_hear(child) != 0)
        ;
    while (waitpid(child->pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    close_ends(child);
    if (WIFSIGNALED(status))
        CHECK_FAIL("the child was ended by signal %d", WTERMSIG(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

char
child_answers(void (*run)(struct child *self, void *argument), void *argument)
{
    struct child child;
    char answer;

    child_start(&child, run, argument);
    answer = child_hear(&child);
    child_finish(&child);
    return answer;
}

void
child_kill(struct child *child)
{
    int status;

    harness_expect_dead();
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    close_ends(child);
}

static void
hold(struct child *self, void *argument)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new(argument, 100, NULL, &map));
    child_send(self, 'h');
    child_hear(self);
}

void
child_holds(struct child *child, char *name)
{
    child_start(child, hold, name);
    child_expect(child, 'h');
}

/*
 * Privileges.
 */

static int
works_in_child(int (*try_it)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(try_it() == 0 ? 0 : 1);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int
try_mount(void)
{
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/mnt", "tmpfs", 0, "size=64k") < 0)
        return -1;
    return 0;
}

static int
try_user(void)
{
    return setgroups(0, NULL) < 0 || setresuid(65534, 65534, 65534) < 0 ? -1 : 0;
}

int
may_mount(void)
{
    return works_in_child(try_mount);
}

int
may_change_user(void)
{
    return works_in_child(try_user);
}

int
need_mounts(void **state)
{
    (void)state;
    if (!may_mount())
        harness_skip("file systems cannot be mounted here: run as root");
    return 0;
}

void
make_mounts_private(void)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

void
mount_small(const char *options)
{
    make_mounts_private();
    CHECK(mount("tmpfs", harness_dir(), "tmpfs", 0, options) == 0);
}

uint64_t
free_blocks(void)
{
    struct statfs status;

    CHECK(statfs(harness_dir(), &status) == 0);
    return status.f_bavail;
}

void
set_limit(int resource, rlim_t value)
{
    struct rlimit both;

    CHECK(getrlimit((__rlimit_resource_t)resource, &both) == 0);
    both.rlim_cur = value;
    CHECK(setrlimit((__rlimit_resource_t)resource, &both) == 0);
}

void
set_hard_limit(int resource, rlim_t value)
{
    const struct rlimit both = {.rlim_cur = value, .rlim_max = value};

    CHECK(setrlimit((__rlimit_resource_t)resource, &both) == 0);
}

void
take_descriptors(int spare)
{
    int last = -1, fd;

    set_limit(RLIMIT_NOFILE, 100);
    while ((fd = dup(STDIN_FILENO)) >= 0)
        last = fd;
    CHECK(errno == EMFILE);
    while (spare-- > 0)
        close(last--);
}

void
become_user(uid_t user)
{
    CHECK(setgroups(0, NULL) == 0);
    CHECK(setresgid(user, user, user) == 0);
    CHECK(setresuid(user, user, user) == 0);
    /* A change of user makes a process undumpable, and its /proc/self root's. */
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    /* It has cleared this, too. */
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
}

void
check_says(const char *part)
{
    if (strstr(mmf_last_message(), part) == NULL)
        CHECK_FAIL("the message is \"%s\", without \"%s\"", mmf_last_message(), part);
}

/*
 * Files.
 */

static int
count_below(const char *directory, char *path, size_t size)
{
    const struct dirent *entry;
    char below[4096];
    int n = 0;
    DIR *dir = opendir(directory);

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", directory, entry->d_name) >=
            (int)sizeof(below))
            continue;
        if (entry->d_type == DT_DIR) {
            n += count_below(below, path, size);
        } else {
            n++;
            if (path != NULL)
                snprintf(path, size, "%s", below);
        }
    }
    closedir(dir);
    return n;
}

int
count_files(char *path, size_t size)
{
    return count_below(harness_dir(), path, size);
}

const char *
only_file(void)
{
    static char path[4096];

    CHECK_INT(count_files(path, sizeof(path)), 1);
    return path;
}
