/*
 * position.c - a latest value: readers see the newest, and need no older one.
 *
 *     position write    send a position for each line "X Y" of the input
 *     position read     print the newest position at each Enter
 */
#include "guide.h"

struct position {
    double x, y;
};

static void
write_positions(mmf_latest *latest)
{
    struct position position;

    say("Writing.");
    while (scanf("%lf %lf", &position.x, &position.y) == 2) {
        check(mmf_latest_send(latest, &position, sizeof(position), NULL));
        say("Sent.");
    }
}

static void
read_positions(mmf_latest *latest)
{
    struct position position;
    uint64_t version = 0; /* before the first */
    size_t length;

    do {
        check(mmf_latest_wait(latest, version, MMF_INFINITE)); /* for a newer one */
        check(
            mmf_latest_receive(latest, &position, sizeof(position), &length, &version));
        say("at %g, %g", position.x, position.y);
    } while (wait_for_enter());
}

int
main(int argc, char **argv)
{
    mmf_latest *latest;

    check(mmf_latest_create_or_open("Position", sizeof(struct position), NULL, NULL,
                                    &latest));
    if (argc > 1 && strcmp(argv[1], "write") == 0)
        write_positions(latest);
    else
        read_positions(latest);
    mmf_latest_close(latest);
    return 0;
}
