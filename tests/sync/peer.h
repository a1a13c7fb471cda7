/*
 * peer.h - a program that uses mutexes, events and semaphores on command.
 *
 * It needs nothing of the harness, so that it can also be built for another C library
 * or another word size and still meet the tests at one object.
 */
#ifndef MMF_TESTS_SYNC_PEER_H
#define MMF_TESTS_SYNC_PEER_H

/*
 * Read commands from standard input and answer each with one line: the status' name,
 * then what the command says, or the message of a failure. Ends at the end of input and
 * closes what it has open. P is a place from 0 to 9, T a timeout; a name comes last
 * and may have blanks in it.
 *
 *   mode OCTAL                 creates and opens from now on have options: for all
 *                              users, as "Global\", with this mode
 *   mutex P OWNED NAME         "new" or "old"
 *   event P STATE MODE NAME    "new" or "old"
 *   semaphore P INITIAL MAXIMUM NAME   "new" or "old"
 *   map P CAPACITY NAME        create or open; read and write see its first number
 *   open mutex|event|semaphore P NAME
 *   close P
 *   wait P T
 *   any T P...                 the index
 *   all T P...
 *   swap T P P                 mmf_signal_and_wait
 *   release P                  of a mutex
 *   set P, reset P             of an event
 *   post P COUNT               of a semaphore; the count before
 *   fd P                       mmf_waitable_fd
 *   poll P T                   "yes" or "no": its descriptor is readable
 *   read P, write P NUMBER     of a map
 *   thread return|exit P       a thread waits for it forever and ends
 *   guard P P COUNT            COUNT times: wait for the mutex, add 1 to the map; says
 *                              how often the mutex was abandoned
 *   take P T COUNT             COUNT times: wait
 *   give P COUNT               COUNT times: release, set or post 1
 *   echo P P COUNT             COUNT times: wait for the first, signal the second
 *   churn P                    forever: wait and signal; says "MMF_OK" once before
 *   lend                       a forked child, which sleeps, gets a copy of everything;
 *                              says its process id
 *   exec                       become another program, which sleeps; answers before
 *   user UID                   become that user
 *   quit                       exit at once, with whatever it owns
 */
int peer_run(void);

#endif
