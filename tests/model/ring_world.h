/*
 * ring_world.h - all that changes in a scenario over the slots, and what its judge
 * remembers. ring_explore.c moves it, ring_judge.c judges it.
 */
#ifndef MMF_TEST_MODEL_RING_WORLD_H
#define MMF_TEST_MODEL_RING_WORLD_H

#include "ring_explore.h"

enum status { READY, RESTING, ENDED, KILLED };

enum call_kind {
    CALL_NONE,
    CALL_RESERVE,
    CALL_WRITE, /* between reserve and commit */
    CALL_COMMIT,
    CALL_ABANDON,
    CALL_TAKE,
    CALL_INSPECT,
    CALL_HOLD, /* between calls, with messages taken */
    CALL_RELEASE,
    CALL_RETURN,
    CALL_READ,
    CALL_DRAIN,
    CALL_OWN, /* a source */
    CALL_ASK  /* what is applied of one */
};

struct thread {
    uint8_t status;
    uint8_t call;
    uint8_t begins;  /* the call's first step is to come */
    uint8_t tries;   /* to take a message, or a slot */
    uint8_t changed; /* another thread wrote since it began to try */
    uint8_t sent;    /* so many messages */
    uint8_t sending; /* the number of the message, if in a send */
    uint8_t is_sender_waiting;
    uint8_t was_full;  /* at some time since it began to look */
    uint8_t was_there; /* a message, at some time since it began to look */
    uint8_t has_subscribed;
    uint8_t message; /* that it releases or returns */
    uint8_t number;  /* of its entry, if it took over another's */
    uint8_t has_read;
    uint16_t drains;            /* these messages, as bits */
    uint8_t has_floor;          /* a value was there when the read began */
    uint8_t seen[MOST_CALLERS]; /* taken of each sender when its take began */
    uint64_t last;              /* index of what it read last */
    uint64_t joined;            /* topic: the tail when it had joined */
    uint64_t target;            /* of its drain */
    uint64_t floor;             /* the newest, or what was applied, when it began */
    const char *operation;
    const volatile void *address;
    void *stack;
};

enum sent { NOT_SENT, MAYBE_SENT, SENDING, SENT };

struct message {
    uint8_t sent;
    uint8_t was_taken;  /* so many takes answered it */
    uint8_t may_return; /* who had it died, or handed it on */
    uint8_t holder;     /* thread + 1 that owns it */
    uint8_t released;   /* 1: maybe, its releaser was killed; 2: yes */
    uint8_t has_source; /* it was committed with its position */
    uint8_t reserved[2];
    uint64_t index;
};

struct world {
    struct mmf_ring_shared shared;
    struct mmf_participant_shared senders[MOST_CALLERS];
    struct mmf_participant_shared receivers[MOST_CALLERS];
    mmf_atomic_u64 pins[MOST_PINS];
    struct mmf_slot_shared slots[MOST_SLOTS];
    struct mmf_ring rings[MOST_CALLERS];
    struct thread threads[MOST_CALLERS];
    struct message messages[MOST_MESSAGES];
    uint8_t taken[MOST_CALLERS]; /* of each sender, the last that a take answered */
    int32_t kills_left;
    int32_t taker_died; /* in a take: what it took, if anything, is not known */
    int32_t consumer;   /* SPSC: the thread that is it */
    int32_t producer;
};

extern struct world world;
extern const struct scenario *plan;
extern int thread_count;

uint64_t ticket_of(int thread);
int is_alive(uint64_t ticket);

/* The judge: what is seen at the end of calls. `thread` may be PROBER. */
void judge_taken(int thread, const struct mmf_ring_message *message, uint32_t content);
void judge_seen(int thread); /* a look has seen a message */
void judge_received(int thread, const struct mmf_ring_message *message,
                    uint32_t content);
void judge_read(int thread, const struct mmf_ring_message *message, uint32_t content);
void judge_owned(int source, uint64_t applied);
void judge_answer(int thread, int source, uint64_t applied);
uint64_t applied_of(int source); /* what has been decided */
void judge_begin(int thread);    /* a call makes its first step */
void judge_kill(int thread);
void judge_full(int thread); /* a producer is told so */
int is_drained(int thread); /* all that was sent when its drain began may be released */
void judge_resting(void);   /* in every state */
void judge_end(void);       /* after what was left was taken */

#endif
