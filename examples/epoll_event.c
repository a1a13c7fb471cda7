/*
 * epoll_event.c - an epoll loop that waits for a named event and for its input.
 *
 * Start it in one terminal, and in another, as often as you like:
 *
 *     epoll_event set
 *
 * The loop ends with its input. epoll cannot wait for files: let the input be a
 * terminal or a pipe.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void
say(const char *what)
{
    puts(what);
    fflush(stdout);
}

static int
fail(void)
{
    fprintf(stderr, "epoll_event: %s\n", mmf_last_message());
    return 1;
}

static int
fail_system(const char *what)
{
    fputs("epoll_event: ", stderr);
    perror(what);
    return 1;
}

/* The other program: set the event that the loop waits for. */
static int
set_event(void)
{
    mmf_event *event;
    int rc = mmf_event_open_existing("Doorbell", NULL, &event);

    if (rc < 0)
        return fail();
    rc = mmf_event_set(event);
    mmf_event_close(event);
    return rc < 0 ? fail() : 0;
}

/*
 * The descriptor says that the event may be set; a wait with timeout 0 finds out, and
 * takes the signal. Then the descriptor is polled again.
 */
static int
check_event(mmf_event *event)
{
    int rc = mmf_event_wait(event, 0);

    if (rc == MMF_OK)
        say("The event was set.");
    return rc;
}

/* 0 at the end of the input. */
static int
check_input(void)
{
    char bytes[256];

    if (read(STDIN_FILENO, bytes, sizeof(bytes)) <= 0)
        return 0;
    say("There was input.");
    return 1;
}

static int
run_loop(int epoll, mmf_event *event, int event_fd)
{
    struct epoll_event on_event = {.events = EPOLLIN, .data.fd = event_fd};
    struct epoll_event on_input = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    struct epoll_event ready;

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &on_event) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &on_input) < 0)
        return fail_system("epoll_ctl");
    say("I wait for the event and for input.");
    for (;;) {
        if (epoll_wait(epoll, &ready, 1, -1) < 1)
            continue; /* a signal came */
        if (ready.data.fd == STDIN_FILENO && !check_input())
            return 0;
        if (ready.data.fd == event_fd && check_event(event) < 0)
            return fail();
    }
}

static int
wait_for_events(void)
{
    mmf_event *event;
    int event_fd;
    int epoll;
    int status;

    if (mmf_event_create_or_open("Doorbell", 0, MMF_EVENT_AUTO_RESET, NULL, NULL,
                                 &event) < 0)
        return fail();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        status = fail_system("epoll_create1");
    else if (mmf_waitable_fd(mmf_event_waitable(event), &event_fd) < 0)
        status = fail();
    else
        status = run_loop(epoll, event, event_fd);
    if (epoll >= 0)
        close(epoll);
    mmf_event_close(event); /* and event_fd with it */
    return status;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "set") == 0)
        return set_event();
    return wait_for_events();
}
