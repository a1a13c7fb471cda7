/*
 * peer_linux.c - descriptors.
 */
#include "peer.h"

#include <poll.h>

int
peer_is_readable(int fd, int timeout_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, timeout_ms) == 1;
}
