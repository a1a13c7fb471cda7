/*
 * peer.c - processes that run an actor program: starting, speaking, killing, and what
 * the kernel says about them.
 */
#include "harness/scenario/scenario.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO_MS = 60000, END_MS = 30000 };

static _Noreturn void
give_up(const struct peer *peer, const char *what)
{
    fprintf(stderr, "the actor \"%s\": %s\n", peer->command, what);
    exit(EXIT_FAILURE);
}

/* The command's words become the arguments; nothing is quoted. */
static _Noreturn void
become(const char *command, int in, int out)
{
    char *text = strdup(command), *arguments[32], *rest = text;
    int count = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (text == NULL || dup2(in, 0) < 0 || dup2(out, 1) < 0)
        _exit(126);
    while (count < 31 && (arguments[count] = strsep(&rest, " ")) != NULL)
        if (*arguments[count] != '\0')
            count++;
    arguments[count] = NULL;
    /* A shell has what it starts in the background ignore two of these, nohup the third. */
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execvp(arguments[0], arguments);
    fprintf(stderr, "start %s: %s\n", command, strerror(errno));
    _exit(127);
}

int
peer_feature(const char *name)
{
    static const char *const names[] = {"fork",        "files",   "descriptors",
                                        "execution",   "64_bits", "32_bits",
                                        "kernel_names"};

    for (int i = 0; i < 7; i++)
        if (strcmp(name, names[i]) == 0)
            return 1 << i;
    return 0;
}

static void
hear_hello(struct peer *peer)
{
    bool ended;
    char *hello = peer_hear(peer, HELLO_MS, &ended), *rest, *word;

    if (hello == NULL)
        give_up(peer, ended ? "ended instead of saying \"ready\"" : "is not ready");
    word = strtok_r(hello, " ", &rest);
    if (word == NULL || strcmp(word, "ready") != 0)
        give_up(peer, "does not begin with \"ready\"");
    while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
        if (peer_feature(word) == 0)
            give_up(peer, "says a feature that this runner does not know");
        peer->features |= peer_feature(word);
    }
}

struct peer *
peer_prepare(const char *command, int theirs[2])
{
    struct peer *peer = calloc(1, sizeof(*peer));
    int to[2], from[2];

    if (peer == NULL || pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        abort();
    peer->command = command;
    peer->in = to[1];
    peer->out = from[0];
    theirs[0] = to[0];
    theirs[1] = from[1];
    return peer;
}

struct peer *
peer_start(const char *command)
{
    int theirs[2];
    struct peer *peer = peer_prepare(command, theirs);

    peer->pid = fork();
    if (peer->pid == 0)
        become(command, theirs[0], theirs[1]);
    close(theirs[0]);
    close(theirs[1]);
    hear_hello(peer);
    return peer;
}

void
peer_adopt(struct peer *peer, const int theirs[2], pid_t pid)
{
    peer->pid = pid;
    peer->is_fork = peer->in_use = true;
    hear_hello(peer);
    close(theirs[0]);
    close(theirs[1]);
}

void
peer_send(struct peer *peer, const char *line)
{
    char *text = text_format("%s\n", line);
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(peer->in, text, left);

        if (n < 0 && errno != EINTR)
            return; /* its end shows when it is heard */
        if (n > 0) {
            text += n;
            left -= (size_t)n;
        }
    }
}

/* 1: more bytes, 0: none in time, -1: there will be no more. */
static int
read_more(struct peer *peer, int64_t deadline)
{
    struct pollfd pollfd = {.fd = peer->out, .events = POLLIN};
    int64_t left = deadline - now_ms();
    ssize_t n;

    if (poll(&pollfd, 1, left > 0 ? (int)left : 0) <= 0)
        return 0;
    if (peer->length == sizeof(peer->text))
        give_up(peer, "says a line without an end");
    n = read(peer->out, peer->text + peer->length, sizeof(peer->text) - peer->length);
    if (n <= 0)
        return n < 0 && errno == EINTR ? 1 : -1;
    peer->length += (size_t)n;
    return 1;
}

char *
peer_hear(struct peer *peer, int timeout_ms, bool *ended)
{
    int64_t deadline = now_ms() + timeout_ms;
    char *end, *line;
    size_t length;

    *ended = false;
    while ((end = memchr(peer->text, '\n', peer->length)) == NULL) {
        int more = read_more(peer, deadline);

        *ended = more < 0;
        if (more <= 0)
            return NULL;
    }
    length = (size_t)(end - peer->text);
    line = text_copy(peer->text, length > 0 && end[-1] == '\r' ? length - 1 : length);
    peer->length -= length + 1;
    memmove(peer->text, end + 1, peer->length);
    return line;
}

/* Its parent may not have waited for it: a zombie has ended. */
static bool
is_over(pid_t pid)
{
    char path[64], state = 'Z';
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return true;
    if (fscanf(file, "%*d %*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state == 'Z' || state == 'X';
}

static int
end_peer(struct peer *peer)
{
    int status = 0;

    while (peer->is_fork && !is_over(peer->pid))
        nap_us(1000);
    while (!peer->is_fork && waitpid(peer->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (peer->in >= 0)
        close(peer->in);
    close(peer->out);
    peer->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* SIGKILL ends what another signal does not. */
int
peer_kill(struct peer *peer, int signal)
{
    int64_t deadline = now_ms() + END_MS;

    if (peer->pid == 0)
        return 0;
    kill(peer->pid, signal);
    while (signal != SIGKILL && !is_over(peer->pid) && now_ms() < deadline)
        nap_us(1000);
    kill(peer->pid, SIGKILL);
    return end_peer(peer);
}

int
peer_finish(struct peer *peer)
{
    int64_t deadline = now_ms() + END_MS;

    close(peer->in);
    peer->in = -1;
    do {
        peer->length = 0;
    } while (read_more(peer, deadline) > 0);
    if (now_ms() >= deadline) {
        peer_kill(peer, SIGKILL);
        return -1;
    }
    return end_peer(peer);
}

void
peer_signal(struct peer *peer, int signal)
{
    kill(peer->pid, signal);
    if (signal == SIGSTOP)
        waitpid(peer->pid, NULL, WUNTRACED);
    peer->is_stopped = signal == SIGSTOP;
}

/* futex, futex_time64, futex_waitv, nanosleep, clock_nanosleep and its time64, poll and
 * ppoll, of 64 and of 32 bits. */
static bool
is_sleep(long number)
{
    static const long calls[] = {202, 240, 422, 449, 35,  162, 230,
                                 267, 407, 7,   168, 271, 309, 414};

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (number == calls[i])
            return true;
    return false;
}

bool
peer_thread_sleeps(const struct peer *peer, long tid, char *call, size_t size)
{
    char path[64];
    FILE *file;
    bool sleeps = false;

    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)peer->pid, tid);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(call, (int)size, file) != NULL && *call >= '0' && *call <= '9')
        sleeps = is_sleep(atol(call));
    fclose(file);
    return sleeps;
}

long
peer_descriptors(const struct peer *peer)
{
    char path[64];
    long count = 0;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)peer->pid);
    directory = opendir(path);
    if (directory == NULL)
        return -1;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* Below MMF_DIR, a file of the case, or an object without a name. */
static bool
is_ours(const char *text)
{
    return strstr(text, "/mmf-scenario-") != NULL || strstr(text, "memfd:mmf") != NULL;
}

static const char *
leftover_descriptor(const struct peer *peer)
{
    char path[64], target[PATH_MAX];
    const char *found = NULL;
    const struct dirent *entry;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)peer->pid);
    directory = opendir(path);
    while (directory != NULL && found == NULL && (entry = readdir(directory)) != NULL) {
        ssize_t length =
            readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

        target[length < 0 ? 0 : length] = '\0';
        if (is_ours(target))
            found = text_format("descriptor %s: %s", entry->d_name, target);
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}

static const char *
leftover_mapping(const struct peer *peer)
{
    char path[64], line[PATH_MAX + 128];
    const char *found = NULL;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%ld/maps", (long)peer->pid);
    maps = fopen(path, "re");
    while (maps != NULL && found == NULL && fgets(line, sizeof(line), maps) != NULL)
        if (is_ours(line))
            found = text_format("mapping %.*s", (int)strcspn(line, "\n"), line);
    if (maps != NULL)
        fclose(maps);
    return found;
}

const char *
peer_leftovers(const struct peer *peer)
{
    const char *found = leftover_descriptor(peer);

    return found != NULL ? found : leftover_mapping(peer);
}

int
files_below(const char *directory, bool remove)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    struct stat status;
    int count = 0;
    DIR *in = opendir(directory);

    while (in != NULL && (entry = readdir(in)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (lstat(path, &status) < 0)
            continue;
        count += S_ISDIR(status.st_mode) ? files_below(path, remove) : 1;
        if (remove && S_ISDIR(status.st_mode))
            rmdir(path);
        else if (remove)
            unlink(path);
    }
    if (in != NULL)
        closedir(in);
    return count;
}
