/*
 * peer.h - a program that does with a queue what it is told. It needs nothing of the
 * harness, so that it can also be built for another C library or another word size.
 */
#ifndef MMF_TESTS_CHANNEL_PEER_H
#define MMF_TESTS_CHANNEL_PEER_H

/*
 * Read commands from standard input and answer each with one line: the status' name,
 * then what the command says, or the message of a failure. Ends at the end of input,
 * and closes the handle. There is one handle, on the queue "Q". T is a timeout; ROLE,
 * FLAGS and STRATEGY are numbers.
 *
 *   create ROLE FLAGS STRATEGY SIZE COUNT OVERFLOW    "new" or "old"
 *   open ROLE FLAGS STRATEGY
 *   close
 *   send NUMBER T          8 bytes
 *   receive T              the number, and the flags
 *   reserve T              8 bytes
 *   commit NUMBER
 *   abandon
 *   take T                 the number, and the flags
 *   release                the oldest that it has taken
 *   fd; poll T             "yes" or "no": the descriptor is readable
 *   stat                   sent, received, depth
 *   fill FIRST COUNT       send messages of all lengths whose bytes follow from numbers
 *   drain FIRST COUNT      receive and check them
 *
 * and what peer_topic.h has.
 */
int peer_run(void);

/* What each system has of its own: peer_linux.c, peer_windows.c. */
int peer_is_readable(int fd, int timeout_ms);

#endif
