/*
 * peer_topic.h - the peer's commands for the topic "T" and the latest value "L", with
 * messages of up to 300 bytes that follow from their numbers. As peer.h has it.
 */
#ifndef MMF_TESTS_CHANNEL_PEER_TOPIC_H
#define MMF_TESTS_CHANNEL_PEER_TOPIC_H

/*
 *   topic create ROLE COUNT OVERFLOW      "new" or "old"
 *   topic open ROLE; topic close
 *   topic send FIRST COUNT             messages of these numbers
 *   topic drain FIRST COUNT               receive them, and nothing else, and check them
 *   topic receive T                       the number, and how many were lost
 *   topic reserve                         8 bytes
 *   topic commit NUMBER
 *
 *   latest create ROLE                    "new" or "old"
 *   latest open ROLE; latest close
 *   latest send FIRST COUNT              values of these numbers
 *   latest receive VERSION T                 wait for a newer one if T is not 0: the
 *                                         number, and the version
 *   latest watch LAST                     read until it is LAST: none torn, none older
 *   latest reserve                        8 bytes
 *
 * 1 if it was one of these, which then was answered.
 */
int peer_topic_run(char *const *words, int count);

/* Close what is open. */
void peer_topic_close(void);

#endif
