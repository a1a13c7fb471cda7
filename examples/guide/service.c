/*
 * service.c - do orders until an event asks for the end.
 *
 *     service             do orders until the event is set
 *     service order TEXT  send an order
 *     service stop        set the event
 */
#include "guide.h"

static mmf_queue *
open_orders(mmf_role role)
{
    mmf_channel_options options = {.size = sizeof(options), .role = role};
    mmf_queue *orders;

    check(mmf_queue_create_or_open("Orders", 64, 16, MMF_OVERFLOW_BLOCK, &options, NULL,
                                   &orders));
    return orders;
}

static void
do_order(mmf_queue *orders)
{
    mmf_message order;

    if (mmf_queue_take(orders, 0, &order) != MMF_OK)
        return; /* another service was quicker */
    say("%.*s: done.", (int)order.length, (const char *)order.bytes);
    check(mmf_queue_release(orders, &order));
}

static void
serve(void)
{
    mmf_queue *orders = open_orders(MMF_ROLE_RECEIVE);
    mmf_event *stop;
    int index;

    check(
        mmf_event_create_or_open("Stop", 0, MMF_EVENT_MANUAL_RESET, NULL, NULL, &stop));
    say("Working.");

    mmf_waitable *objects[] = {mmf_event_waitable(stop), mmf_queue_waitable(orders)};

    do {
        check(mmf_wait_any(objects, 2, MMF_INFINITE, &index));
        if (index == 1)
            do_order(orders);
    } while (index != 0);
    say("Stopped.");
    mmf_event_close(stop);
    mmf_queue_close(orders);
}

static void
stop_all(void)
{
    mmf_event *stop;

    check(mmf_event_open_existing("Stop", NULL, &stop));
    check(mmf_event_set(stop)); /* wakes every service, and stays set */
    mmf_event_close(stop);
}

static void
order(const char *text)
{
    mmf_queue *orders = open_orders(MMF_ROLE_SEND);

    check(mmf_queue_send(orders, text, strlen(text), MMF_INFINITE, NULL));
    mmf_queue_close(orders);
}

int
main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "order") == 0)
        order(argv[2]);
    else if (argc > 1 && strcmp(argv[1], "stop") == 0)
        stop_all();
    else
        serve();
    return 0;
}
