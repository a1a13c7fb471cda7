/*
 * main.c - the actor as a program of its own.
 */
#include "harness/actor/actor.h"

int
main(void)
{
    return actor_run();
}
