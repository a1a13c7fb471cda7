/* kill.h - kill -9 at a random moment: does the survivor go on, and how soon? */
#ifndef MMF_BENCH_CHANNELS_DRIVER_KILL_H
#define MMF_BENCH_CHANNELS_DRIVER_KILL_H

#include "channels/peers/ways.h"

/*
 * One process streams to another; time and again one of the two is killed, and a fresh
 * one takes its place. Records "kill sender" and "kill receiver" are noted: one for
 * each trial, with the values of enum kill_value (record.h).
 */
void channel_kill_trials(const struct channel_way *way, int trials);

#endif
