/* program.c - see program.h. */
#include "os/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"

static volatile sig_atomic_t child;

/*
 * The terminal's signals reach the command as well, and whether they end it is its
 * affair. Those that were sent to us alone are meant for it.
 */
static void
pass_on(int signal, siginfo_t *info, void *context)
{
    (void)context;
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

static void
restore_signals(const struct dispositions *before)
{
    sigaction(SIGINT, &before->interrupt, NULL);
    sigaction(SIGQUIT, &before->quit, NULL);
    sigaction(SIGTERM, &before->terminate, NULL);
    sigaction(SIGHUP, &before->hang_up, NULL);
}

static _Noreturn void
become(char **program, int dies_with_us, pid_t parent)
{
    int reason;

    if (dies_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            raise(SIGTERM); /* it has died already */
    }
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

struct program_end
program_run(char **program, int dies_with_us)
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
    watch_signals(&before);
    pid = fork();
    if (pid == 0) {
        restore_signals(&before);
        sigprocmask(SIG_SETMASK, &normal, NULL);
        become(program, dies_with_us, self);
    }
    child = pid > 0 ? pid : 0;
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
