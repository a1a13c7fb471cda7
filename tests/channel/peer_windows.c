/*
 * peer_windows.c - there are no descriptors to poll.
 */
#include "peer.h"

int
peer_is_readable(int fd, int timeout_ms)
{
    (void)fd;
    (void)timeout_ms;
    return 0;
}
