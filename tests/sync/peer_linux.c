/*
 * peer_linux.c - descriptors, children, other programs and other users.
 */
#include "peer_system.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

void
peer_poll(char **words)
{
    struct pollfd poller = {.events = POLLIN};
    int rc = mmf_waitable_fd(peer_waitable(words[1]), &poller.fd);

    if (rc < 0)
        peer_say(rc, mmf_last_message());
    else
        peer_say(rc, poll(&poller, 1, atoi(words[2])) == 1 ? "yes" : "no");
}

void
peer_lend(char **words)
{
    pid_t child;

    (void)words;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        alarm(60); /* in case that the test cannot end us */
        for (;;)
            pause();
    }
    if (child < 0)
        peer_complain("no child");
    else
        peer_say_number(MMF_OK, child);
}

void
peer_exec(char **words)
{
    (void)words;
    peer_say(MMF_OK, "");
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
    peer_complain("no /bin/sleep");
}

void
peer_user(char **words)
{
    unsigned user = (unsigned)atol(words[1]);

    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        peer_complain("cannot become that user");
        return;
    }
    peer_say(MMF_OK, "");
}
