/*
 * actor.c - see actor.h.
 */
#include "actor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The actor's side.
 */

enum { SLOTS = 10 };

static mmf_map *maps[SLOTS];
static mmf_accessor *views[SLOTS];

/* Answer a call's status; `text` after an MMF_OK. */
static void
answer(int rc, const char *text)
{
    if (rc < 0)
        role_say("%s %s", mmf_status_name(rc), mmf_last_message());
    else
        role_say("%s %s", mmf_status_name(rc), text);
}

static int
create(int slot, const char *rest, int inheritable, unsigned mode)
{
    mmf_map_options options;
    int length = 0;
    long long capacity = 0;

    if (sscanf(rest, "%lld %n", &capacity, &length) < 1)
        check_fail(__FILE__, __LINE__, "actor: no capacity in \"%s\"", rest);
    mmf_map_options_init(&options);
    options.inheritability = inheritable;
    options.mode = mode;
    return mmf_map_create_new(rest + length, capacity, &options, &maps[slot]);
}

static int
create_or_open(int slot, const char *rest)
{
    int length = 0;
    long long capacity = 0;

    if (sscanf(rest, "%lld %n", &capacity, &length) < 1)
        check_fail(__FILE__, __LINE__, "actor: no capacity in \"%s\"", rest);
    return mmf_map_create_or_open(rest + length, capacity, NULL, NULL, &maps[slot]);
}

static int
open_to_read(int slot, const char *name)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.rights = MMF_RIGHTS_READ;
    return mmf_map_open_existing(name, &options, &maps[slot]);
}

static int
create_from_file(int slot, const char *rest)
{
    char name[256], path[256];

    if (sscanf(rest, "%255s %255s", name, path) != 2)
        check_fail(__FILE__, __LINE__, "actor: no name and path in \"%s\"", rest);
    return mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN, name, 0, NULL,
                                    &maps[slot]);
}

static int
read_bytes(int slot, const char *rest, char *text, size_t size)
{
    long long offset = 0, length = 0, i;
    int rc;

    if (sscanf(rest, "%lld %lld", &offset, &length) != 2 || length >= (long long)size)
        check_fail(__FILE__, __LINE__, "actor: no offset and length in \"%s\"", rest);
    for (i = 0; i < length; i++) {
        uint8_t byte;

        rc = mmf_accessor_read_byte(views[slot], offset + i, &byte);
        if (rc < 0)
            return rc;
        text[i] = byte == 0 ? '.' : (char)byte;
    }
    text[length] = '\0';
    return MMF_OK;
}

static int
write_bytes(int slot, const char *rest)
{
    long long offset = 0;
    int length = 0;

    if (sscanf(rest, "%lld %n", &offset, &length) < 1)
        check_fail(__FILE__, __LINE__, "actor: no offset in \"%s\"", rest);
    return mmf_accessor_write_array(views[slot], offset, rest + length, 1,
                                    strlen(rest + length));
}

static const char *
is_zero(int slot)
{
    void *bytes;
    size_t size, i;

    if (mmf_accessor_pointer(views[slot], &bytes, &size) < 0)
        return "no view";
    for (i = 0; i < size; i++)
        if (((const char *)bytes)[i] != 0)
            return "no";
    return "yes";
}

/* Commands about one slot; 0 for any other command. */
static int
obey_about_slot(const char *verb, int slot, const char *rest)
{
    char text[4096] = "";
    unsigned mode = 0;
    int length = 0;
    int64_t capacity = 0;
    intptr_t handle = 0;
    int rc = MMF_OK;

    if (strcmp(verb, "create") == 0) {
        rc = create(slot, rest, 0, 0);
    } else if (strcmp(verb, "inheritable") == 0) {
        rc = create(slot, rest, 1, 0);
    } else if (strcmp(verb, "public") == 0) {
        if (sscanf(rest, "%o %n", &mode, &length) < 1)
            return 0;
        rc = create(slot, rest + length, 0, mode);
    } else if (strcmp(verb, "either") == 0) {
        rc = create_or_open(slot, rest);
    } else if (strcmp(verb, "open") == 0) {
        rc = mmf_map_open_existing(rest, NULL, &maps[slot]);
    } else if (strcmp(verb, "reader") == 0) {
        rc = open_to_read(slot, rest);
    } else if (strcmp(verb, "file") == 0) {
        rc = create_from_file(slot, rest);
    } else if (strcmp(verb, "view") == 0) {
        rc = mmf_accessor_create(maps[slot], 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &views[slot]);
    } else if (strcmp(verb, "read-view") == 0) {
        rc = mmf_accessor_create(maps[slot], 0, 0, MMF_ACCESS_READ, NULL, &views[slot]);
    } else if (strcmp(verb, "close") == 0) {
        mmf_map_close(maps[slot]);
        maps[slot] = NULL;
    } else if (strcmp(verb, "close-view") == 0) {
        mmf_accessor_close(views[slot]);
        views[slot] = NULL;
    } else if (strcmp(verb, "read") == 0) {
        rc = read_bytes(slot, rest, text, sizeof(text));
    } else if (strcmp(verb, "write") == 0) {
        rc = write_bytes(slot, rest);
    } else if (strcmp(verb, "zero") == 0) {
        snprintf(text, sizeof(text), "%s", is_zero(slot));
    } else if (strcmp(verb, "capacity") == 0) {
        rc = mmf_map_capacity(maps[slot], &capacity);
        snprintf(text, sizeof(text), "%lld", (long long)capacity);
    } else if (strcmp(verb, "handle") == 0) {
        rc = mmf_map_native_handle(maps[slot], &handle);
        snprintf(text, sizeof(text), "%ld", (long)handle);
    } else {
        return 0;
    }
    answer(rc, text);
    return 1;
}

/* From here on statx answers this error, as old kernels and old containers do. */
static void
forbid_statx(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int
actor_role(int argc, char **argv)
{
    char line[8192];
    char verb[32];

    (void)argc;
    (void)argv;
    while (role_hear(line, sizeof(line))) {
        int slot = -1;
        int length = 0;

        if (sscanf(line, "%31s", verb) == 1 && strcmp(verb, "gc") == 0) {
            answer(mmf_gc(0, NULL), "");
        } else if (sscanf(line, "user %d", &slot) == 1) {
            become_user((uid_t)slot);
            answer(MMF_OK, "");
        } else if (sscanf(line, "statx %d", &slot) == 1) {
            forbid_statx(slot);
            answer(MMF_OK, "");
        } else if (sscanf(line, "%31s %d%n", verb, &slot, &length) != 2 || slot < 0 ||
                   slot >= SLOTS ||
                   !obey_about_slot(verb, slot,
                                    line + length + (line[length] == ' '))) {
            check_fail(__FILE__, __LINE__, "actor: what is \"%s\"?", line);
        }
    }
    for (int slot = 0; slot < SLOTS; slot++) {
        mmf_accessor_close(views[slot]);
        mmf_map_close(maps[slot]);
    }
    return EXIT_SUCCESS;
}

/*
 * The test's side.
 */

struct process *
actor_start(void)
{
    return process_start("actor", NULL);
}

void
actor_end(struct process *actor)
{
    CHECK_INT(process_finish(actor), 0);
}

static char actor_answer[8192];

static void
converse(struct process *actor, const char *format, va_list args)
{
    char command[8192];

    vsnprintf(command, sizeof(command), format, args);
    process_send(actor, command);
    if (process_read_line(actor, actor_answer, sizeof(actor_answer)) == NULL)
        CHECK_FAIL("the actor ended at \"%s\"", command);
}

void
actor_does(struct process *actor, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    converse(actor, format, args);
    va_end(args);
    if (strncmp(actor_answer, "MMF_OK ", 7) != 0)
        CHECK_FAIL("the actor answers \"%s\" to \"%s\"", actor_answer, format);
}

void
actor_fails(struct process *actor, int status, const char *part, const char *format,
            ...)
{
    const char *name = mmf_status_name(status);
    size_t length = strlen(name);
    va_list args;

    va_start(args, format);
    converse(actor, format, args);
    va_end(args);
    if (strncmp(actor_answer, name, length) != 0 || actor_answer[length] != ' ' ||
        actor_answer[length + 1] == '\0' || strstr(actor_answer, part) == NULL)
        CHECK_FAIL("the actor answers \"%s\" to \"%s\", not %s ... %s", actor_answer,
                   format, name, part);
}

const char *
actor_says(struct process *actor, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    converse(actor, format, args);
    va_end(args);
    if (strncmp(actor_answer, "MMF_OK ", 7) != 0)
        CHECK_FAIL("the actor answers \"%s\" to \"%s\"", actor_answer, format);
    return actor_answer + 7;
}

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

void
in_child(void (*run)(struct child *self, void *argument), void *argument)
{
    struct child child;

    child_start(&child, run, argument);
    child_finish(&child);
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

void
make_mounts_private(void)
{
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
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
