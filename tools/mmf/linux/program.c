/* program.c - see program.h. */
#include "os/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "os/stop.h"

static volatile sig_atomic_t child;
static volatile sig_atomic_t came; /* the last signal */

/* What the command has instead of our standard input and output; -1: the same. */
struct streams {
    int in, out;
};

/*
 * The terminal's signals reach the command as well, and whether they end it is its
 * affair. Those that were sent to us alone are meant for it.
 */
static void
pass_on(int signal, siginfo_t *info, void *context)
{
    (void)context;
    came = signal;
    if (child > 0 && (info->si_code <= 0 || signal == SIGTERM))
        kill(child, signal);
}

struct dispositions {
    struct sigaction interrupt, quit, terminate, hang_up;
};

static void
watch_signals(struct dispositions *before)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = pass_on;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before->interrupt);
    sigaction(SIGQUIT, &action, &before->quit);
    sigaction(SIGTERM, &action, &before->terminate);
    sigaction(SIGHUP, &action, &before->hang_up);
}

/* What came before there was a child has not reached it; a second time does no harm. */
static void
pass_on_earlier(pid_t pid)
{
    static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    sigset_t pending;

    sigpending(&pending);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigismember(&pending, signals[i]) == 1 || stop_signal() == signals[i])
            kill(pid, signals[i]);
}

static void
restore_signals(const struct dispositions *before)
{
    sigaction(SIGINT, &before->interrupt, NULL);
    sigaction(SIGQUIT, &before->quit, NULL);
    sigaction(SIGTERM, &before->terminate, NULL);
    sigaction(SIGHUP, &before->hang_up, NULL);
}

static void
put(int fd, int as)
{
    if (fd == as)
        fcntl(fd, F_SETFD, 0); /* ours was closed */
    else if (fd >= 0)
        dup2(fd, as);
}

static _Noreturn void
become(char **program, int dies_with_us, pid_t parent, struct streams streams)
{
    int reason;

    if (dies_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            raise(SIGTERM); /* it has died already */
    }
    put(streams.in, STDIN_FILENO);
    put(streams.out, STDOUT_FILENO);
    execvp(program[0], program);
    reason = errno;
    say("cannot run \"%s\": %s", program[0], strerror(reason));
    _exit(reason == ENOENT ? TOOL_NO_COMMAND : TOOL_CANNOT_RUN);
}

static struct program_end
wait_for(pid_t pid)
{
    struct program_end end = {TOOL_FAILED, ""};
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return end;
    if (WIFSIGNALED(status)) {
        snprintf(end.how, sizeof(end.how), "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        end.status = 128 + WTERMSIG(status);
    } else {
        end.status = WEXITSTATUS(status);
    }
    return end;
}

static struct program_end
run_with(char **program, int dies_with_us, struct streams streams)
{
    struct program_end end = {TOOL_FAILED, ""};
    struct dispositions before;
    sigset_t all;
    sigset_t normal;
    pid_t self = getpid();
    pid_t pid;

    /* A signal that comes before we know the child's number waits until we do. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &normal);
    came = 0;
    watch_signals(&before);
    pid = fork();
    if (pid == 0) {
        restore_signals(&before);
        stop_forget();
        sigprocmask(SIG_SETMASK, &normal, NULL);
        become(program, dies_with_us, self, streams);
    }
    child = pid > 0 ? pid : 0;
    if (pid > 0)
        pass_on_earlier(pid);
    sigprocmask(SIG_SETMASK, &normal, NULL);
    if (pid < 0) {
        say("cannot start a process: %s", strerror(errno));
        return end;
    }
    end = wait_for(pid);
    child = 0;
    restore_signals(&before);
    return end;
}

struct program_end
program_run(char **program, int dies_with_us)
{
    return run_with(program, dies_with_us, (struct streams){-1, -1});
}

/*
 * Files in memory: a command that reads nothing, or leaves a process behind that keeps
 * its output open, makes no difference. What such a process writes later is refused.
 */

static int
make_file(const void *bytes, size_t length)
{
    int fd = memfd_create("mmf serve", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t done = 0;
    ssize_t now = 0;

    while (fd >= 0 && done < length && now >= 0) {
        now = write(fd, (const char *)bytes + done, length - done);
        done += now > 0 ? (size_t)now : 0;
    }
    if (fd < 0 || now < 0 || lseek(fd, 0, SEEK_SET) < 0)
        say_and_exit(TOOL_NO_SPACE, "cannot make a file in memory: %s",
                     strerror(errno));
    return fd;
}

struct program_end
program_filter(char **program, const void *input, size_t length, intptr_t *output)
{
    struct streams streams = {.in = make_file(input, length),
                              .out = make_file(NULL, 0)};
    struct program_end end = run_with(program, 1, streams);

    close(streams.in);
    fcntl(streams.out, F_ADD_SEALS, F_SEAL_GROW);
    *output = streams.out;
    if (came != 0)
        raise(came); /* the handlers are those from before, which note it */
    return end;
}

size_t
program_read(intptr_t output, int64_t at, void *into, size_t space)
{
    ssize_t done = pread((int)output, into, space, (off_t)at);

    if (done < 0)
        say_and_exit(TOOL_FAILED, "the command's output: %s", strerror(errno));
    return (size_t)done;
}

void
program_forget(intptr_t output)
{
    close((int)output);
}
