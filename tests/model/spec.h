/*
 * spec.h - what mutex, event and semaphore are for their users, and whether what a
 * schedule has done so far can be explained by it.
 *
 * Each call takes effect at one moment between its begin and its end (Herlihy and Wing,
 * "Linearizability", 1990). A `spec` is the set of all states that the objects may be
 * in after what was seen; when none is left, no thread can have seen that.
 *
 *   any         takes the lowest index that is available. It reads one object
 *               after the other: each was not available at its own moment. It passes
 *               over what a wait for all may be about to take. What it was given it takes
 *               only after it has looked at those before it, unless its time is over.
 *   all         takes all at one moment at which all are available, or nothing
 *   semaphore   a release answers the count before, and whether it exceeds the maximum; what
 *               a wait for all has just taken may be in it until that wait is over
 *   asleep      a signal that is given while callers sleep in a wait for any is given to
 *               one of them, and not to one that has begun after another was asleep; no
 *               other can take it, and no reset. A manual event's is given to all that
 *               sleep. A mutex is given to one that has slept for a millisecond when the
 *               release began, and may be given to any. What a caller was given and does
 *               not take is given again.
 *   killed      before or after its call's moment; in a wait for all it may have
 *               taken some, and a release of several or a set may have reached some. One
 *               other gets each of its mutexes, as abandoned. What it was given, or is
 *               given since, is given again later.
 */
#ifndef MMF_TEST_MODEL_SPEC_H
#define MMF_TEST_MODEL_SPEC_H

#include <stdint.h>

#include "shared/sync/word.h"

enum {
    MOST_OBJECTS = 3,
    MOST_THREADS = 5,
    PROBER = MOST_THREADS, /* probes the objects in the end */
    MOST_CALLERS = MOST_THREADS + 1,
    MOST_STATES = 1024
};

struct object_plan {
    const char *name;
    mmf_kind kind;
    int first;  /* mutex: its owner, 1 the first thread; event: signalled; semaphore:
                   initial count */
    int second; /* event: manual; semaphore: maximum */
};

enum call_kind {
    CALL_NONE,
    CALL_ANY,
    CALL_ALL,
    CALL_RELEASE,
    CALL_SET,
    CALL_RESET,
    CALL_ADD,    /* release of a semaphore */
    CALL_ABANDON /* the thread ends, and its process goes on */
};

struct call {
    uint8_t kind; /* enum call_kind */
    uint8_t count;
    uint8_t objects[MOST_OBJECTS];
    uint8_t number;      /* for CALL_ADD */
    uint8_t has_timeout; /* waits */
    uint8_t patient; /* CALL_RELEASE: a bit for each caller that has slept so long */
};

/* What a call answered: an mmf_status, and the index or the count before. */
struct outcome {
    int16_t status;
    int16_t value;
};

struct spec_object {
    int8_t owner;      /* a thread; or one of these: */
    uint8_t recursion; /* how often beyond the first time */
    uint8_t mark;      /* mutex: abandoned; event: signalled */
    uint8_t count;     /* semaphore */
    uint8_t pending;   /* signals of the dead, to be given again */
    uint8_t ghosts;    /* callers that died in a wait for it */
    uint8_t reserved[2];
};

enum { SPEC_FREE = -1, SPEC_DEAD = -2, SPEC_HANDED = -3 };

/* How far a caller's call has come. */
enum spec_progress {
    SPEC_IDLE,
    SPEC_BEFORE, /* its moment has not been */
    SPEC_AFTER,  /* it has been, and `outcome` is the answer */
    SPEC_DOOMED  /* a wait for all that took some, and is killed before it ends */
};

struct spec_caller {
    uint8_t progress;
    uint8_t seen; /* wait for any: a bit for each object found not available */
    uint8_t
        passed; /* likewise since it slept, or a wait for all may be about to take it */
    uint8_t granted; /* a bit for each object of which it has been given a signal */
    uint8_t
        looked; /* as `passed`, since it was given one: those before it come first */
    struct outcome outcome;
};

/* One state that the objects may be in. */
struct spec_state {
    struct spec_object objects[MOST_OBJECTS];
    struct spec_caller callers[MOST_CALLERS];
};

struct spec {
    int32_t count;
    int32_t may_kill; /* a thread may still be killed */
    uint32_t left;    /* a bit for each object in a wait for all of the dead */
    uint32_t queued;  /* a bit for each caller that is asleep in its call, or was */
    uint32_t asleep;  /* for each that is: it looks at nothing */
    uint8_t after[8]; /* of each caller: those that were when its call began */
    struct call calls[MOST_CALLERS];
    struct spec_state states[MOST_STATES]; /* `count` of them, in order */
};

/* Which objects there are; they are remembered. */
void spec_begin(struct spec *spec, const struct object_plan *plan);

void spec_call(struct spec *spec, int caller, const struct call *call);

/* 0 if no thread can have got this answer. */
int spec_return(struct spec *spec, int caller, struct outcome outcome);

/*
 * The same of a wait that timed out, maybe behind a reservation that took its time. 0:
 * no moment was seen at which it had to wait.
 */
int spec_return_excused(struct spec *spec, int caller, struct outcome outcome);

/* The caller is asleep, in a wait for any; those of `mask` alone sleep on. */
void spec_sleep(struct spec *spec, int caller);
void spec_still_asleep(struct spec *spec, unsigned mask);

/* What the dead have left has been found: it has been given again. */
void spec_settle(struct spec *spec);

/* The callers whose bits are in `mask` are killed, at once. */
void spec_kill(struct spec *spec, unsigned mask);

/* The callers of `mask` sleep: their calls' moments have not been. 0: impossible. */
int spec_still_wait(struct spec *spec, unsigned mask);

/* 1 if the caller's wait could be over, whatever state of these is true. */
int spec_is_available(const struct spec *spec, int caller);

/* 1 if it could be over in one of these states. */
int spec_may_be_available(const struct spec *spec, int caller);

void spec_print(const struct spec *spec);

#endif
