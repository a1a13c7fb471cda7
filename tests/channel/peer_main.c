/*
 * peer_main.c - the peer as a program of its own, for other C libraries and word sizes.
 */
#include "peer.h"

int
main(void)
{
    return peer_run();
}
