/*
 * peer_system.h - those of the peer's commands that each system does in its own way,
 * and what peer.c has for them.
 */
#ifndef MMF_TESTS_SYNC_PEER_SYSTEM_H
#define MMF_TESTS_SYNC_PEER_SYSTEM_H

#include <mmf/mmf.h>

void peer_poll(char **words);
void peer_lend(char **words);
void peer_exec(char **words);
void peer_user(char **words);

/* Answers: a status and a text, or a number, or that the test made a mistake. */
void peer_say(int status, const char *text);
void peer_say_number(int status, long long number);
void peer_complain(const char *what);

/* The object in the place of that number. */
mmf_waitable *peer_waitable(const char *word);

#endif
