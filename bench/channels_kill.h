/* channels_kill.h - kill -9 at a random moment: who goes on, and after how long. */
#ifndef MMF_BENCH_CHANNELS_KILL_H
#define MMF_BENCH_CHANNELS_KILL_H

#include "channels_ways.h"

/*
 * One process streams to another; time and again one of the two is killed, and a fresh
 * one takes its place. Records "kill sender" and "kill receiver" are noted: one for
 * each trial, with the milliseconds of enum kill_value, or `stuck`.
 */
void channel_kill_trials(const struct channel_way *way, int trials);

/* Records of kill trials: since the kernel said that the victim is dead. */
enum kill_value {
    KILL_FRESH_MS,    /* until the fresh one has exchanged a message */
    KILL_SURVIVOR_MS, /* until the survivor had finished a call, if it was in one */
    KILL_STUCK        /* 1: nothing went on until the deadline */
};

#endif
