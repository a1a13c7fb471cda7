/*
 * peer_windows.c - what Windows has not.
 */
#include "peer_system.h"

void
peer_poll(char **words)
{
    (void)words;
    peer_complain("no descriptors to poll here");
}

void
peer_lend(char **words)
{
    (void)words;
    peer_complain("no forked children here");
}

void
peer_exec(char **words)
{
    (void)words;
    peer_complain("no process becomes another program here");
}

void
peer_user(char **words)
{
    (void)words;
    peer_complain("no changing users here");
}
