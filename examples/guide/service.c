/*
 * service.c - work until an event asks for the end.
 *
 *     service         work until the event is set
 *     service stop    set it
 */
#include "guide.h"

static void
work(void)
{
    static bool working;

    if (!working)
        say("Working.");
    working = true;
}

static void
serve(void)
{
    mmf_event *stop;

    check(
        mmf_event_create_or_open("Stop", 0, MMF_EVENT_MANUAL_RESET, NULL, NULL, &stop));
    while (mmf_event_wait(stop, 100) == MMF_TIMED_OUT)
        work();
    say("Stopped.");
    mmf_event_close(stop);
}

static void
stop_all(void)
{
    mmf_event *stop;

    check(mmf_event_open_existing("Stop", NULL, &stop));
    check(mmf_event_set(stop)); /* wakes every service, and stays set */
    mmf_event_close(stop);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "stop") == 0)
        stop_all();
    else
        serve();
    return 0;
}
