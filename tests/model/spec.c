/*
 * spec.c - see spec.h.
 */
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

static const struct object_plan *plan;

static void
init_object(const struct object_plan *from, struct spec_object *object)
{
    object->owner = SPEC_FREE;
    if (from->kind == MMF_KIND_MUTEX && from->first > 0)
        object->owner = (int8_t)(from->first - 1);
    else if (from->kind == MMF_KIND_EVENT)
        object->mark = (uint8_t)from->first;
    else if (from->kind == MMF_KIND_SEMAPHORE)
        object->count = (uint8_t)from->first;
}

void
spec_begin(struct spec *spec, const struct object_plan *from)
{
    plan = from;
    memset(spec, 0, sizeof(*spec));
    spec->count = 1;
    for (int i = 0; i < MOST_OBJECTS; i++)
        init_object(&plan[i], &spec->states[0].objects[i]);
}

/*
 * Single steps of a state.
 */

static int
is_is_there(const struct spec_state *state, int object, int caller)
{
    const struct spec_object *it = &state->objects[object];

    switch (plan[object].kind) {
    case MMF_KIND_MUTEX:
        return it->owner == SPEC_FREE || it->owner == SPEC_DEAD || it->owner == caller;
    case MMF_KIND_EVENT:
        return it->mark;
    default:
        return it->count > 0;
    }
}

/* Answers MMF_OK or MMF_ABANDONED. */
static int
take(struct spec_state *state, int object, int caller)
{
    struct spec_object *it = &state->objects[object];
    int rc = MMF_OK;

    switch (plan[object].kind) {
    case MMF_KIND_MUTEX:
        if (it->owner == caller) {
            it->recursion++;
            break;
        }
        rc = it->owner == SPEC_DEAD || it->mark ? MMF_ABANDONED : MMF_OK;
        it->owner = (int8_t)caller;
        it->recursion = 0;
        it->mark = 0;
        break;
    case MMF_KIND_EVENT:
        if (!plan[object].second)
            it->mark = 0;
        break;
    default:
        it->count--;
    }
    return rc;
}

static void
abandon(struct spec_object *object, int caller)
{
    if (object->owner != caller)
        return;
    object->owner = SPEC_FREE;
    object->recursion = 0;
    object->mark = 1;
}

/*
 * Sets of states. They are small: a list is searched from end to end.
 */

static void
add_state(struct spec *spec, const struct spec_state *state)
{
    for (int i = 0; i < spec->count; i++) {
        if (memcmp(&spec->states[i], state, sizeof(*state)) == 0)
            return;
    }
    if (spec->count == MOST_STATES) {
        fprintf(stderr, "model: more than %d states of the specification\n",
                MOST_STATES);
        exit(EXIT_FAILURE);
    }
    spec->states[spec->count++] = *state;
}

static int
compare_states(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct spec_state));
}

/* Keep those that `wanted` answers 1 for, changed as it changes them. */
static void
filter(struct spec *spec, int (*wanted)(struct spec_state *state, const void *payload),
       const void *payload)
{
    int count = spec->count;

    spec->count = 0;
    for (int i = 0; i < count; i++) {
        struct spec_state state = spec->states[i];

        if (wanted(&state, payload))
            add_state(spec, &state);
    }
    qsort(spec->states, (size_t)spec->count, sizeof(spec->states[0]), compare_states);
}

static void
add_after(struct spec *spec, const struct spec_state *from, int caller, int status,
          int value)
{
    struct spec_state state = *from;
    struct spec_caller *it = &state.callers[caller];

    it->progress = SPEC_AFTER;
    it->seen = 0;
    it->passed = 0;
    it->outcome.status = (int16_t)status;
    it->outcome.value = (int16_t)value;
    add_state(spec, &state);
}

static int
may_be_reserved(const struct spec *spec, int object, int caller)
{
    for (int i = 0; i < MOST_CALLERS; i++) {
        const struct call *call = &spec->calls[i];

        for (int j = 0; i != caller && call->kind == CALL_ALL && j < call->count; j++) {
            if (call->objects[j] == object)
                return 1;
        }
    }
    return (spec->left & 1u << object) != 0;
}

/*
 * Giving a signal, to a caller that sleeps or to the object.
 */

static int
is_waiting_for(const struct spec *spec, const struct spec_state *state, int caller,
               int object)
{
    const struct call *call = &spec->calls[caller];

    if (call->kind != CALL_ANY || state->callers[caller].progress != SPEC_BEFORE ||
        (state->callers[caller].granted & 1u << object))
        return 0;
    for (int i = 0; i < call->count; i++) {
        if (call->objects[i] == object)
            return 1;
    }
    return 0;
}

/* Those that a signal must go to one of: asleep, and given nothing yet. */
static unsigned
sleepers_for(const struct spec *spec, const struct spec_state *state, int object)
{
    unsigned mask = 0;

    for (int i = 0; i < MOST_CALLERS; i++) {
        if ((spec->queued & 1u << i) && state->callers[i].granted == 0 &&
            is_waiting_for(spec, state, i, object))
            mask |= 1u << i;
    }
    return mask;
}

static void
grant(struct spec_state *state, int caller, int object)
{
    state->callers[caller].granted |= (uint8_t)(1u << object);
    if (plan[object].kind == MMF_KIND_MUTEX)
        state->objects[object].owner = SPEC_HANDED;
}

typedef void (*given)(struct spec *spec, const struct spec_state *state,
                      const void *payload);

/*
 * Every way to give one signal of the object; `next` goes on from each. `patient`: of a
 * mutex, the sleepers that it must not be kept from.
 */
static void
give(struct spec *spec, const struct spec_state *from, int object, unsigned patient,
     given next, const void *payload)
{
    unsigned sleepers = sleepers_for(spec, from, object);
    unsigned must = plan[object].kind == MMF_KIND_MUTEX ? sleepers & patient : sleepers;
    struct spec_state state;

    for (int i = 0; i < MOST_CALLERS; i++) {
        /* Of two that have begun before either was asleep, either was first. */
        if (!is_waiting_for(spec, from, i, object) ||
            (sleepers & spec->after[i] & ~(1u << i)))
            continue;
        state = *from;
        grant(&state, i, object);
        next(spec, &state, payload);
    }
    if (from->objects[object].ghosts > 0 && plan[object].kind != MMF_KIND_MUTEX) {
        state = *from;
        state.objects[object].ghosts--;
        state.objects[object].pending++;
        next(spec, &state, payload);
    }
    if (must != 0)
        return;
    state = *from;
    if (plan[object].kind == MMF_KIND_MUTEX)
        state.objects[object].owner = SPEC_FREE;
    else if (plan[object].kind == MMF_KIND_EVENT)
        state.objects[object].mark = 1;
    else
        state.objects[object].count++;
    next(spec, &state, payload);
}

static void
add_given(struct spec *spec, const struct spec_state *state, const void *payload)
{
    (void)payload;
    add_state(spec, state);
}

/* A caller whose wait is over gives again what it has not taken. */
static void
return_token(struct spec *spec, const struct spec_state *from, int caller)
{
    unsigned granted = from->callers[caller].granted;

    for (int i = 0; i < MOST_OBJECTS; i++) {
        struct spec_state state = *from;

        if (!(granted & 1u << i))
            continue;
        state.callers[caller].granted &= (uint8_t) ~(1u << i);
        if (plan[i].kind == MMF_KIND_EVENT && plan[i].second)
            add_state(spec, &state);
        else
            give(spec, &state, i, 0, add_given, NULL);
    }
}

/* What the dead were given is given again. */
static void
give_pending(struct spec *spec, const struct spec_state *from)
{
    for (int i = 0; i < MOST_OBJECTS; i++) {
        struct spec_state state = *from;

        if (state.objects[i].pending == 0)
            continue;
        state.objects[i].pending--;
        give(spec, &state, i, 0, add_given, NULL);
    }
}

/*
 * The caller takes what it was given; but first looks at those before it, unless it leaves
 * by its timeout.
 */
static void
expand_granted(struct spec *spec, const struct spec_state *from, int caller)
{
    const struct call *call = &spec->calls[caller];

    for (int i = 0; i < call->count; i++) {
        unsigned before = (1u << i) - 1;
        int object = call->objects[i];
        struct spec_state state = *from;

        if (!(state.callers[caller].granted & 1u << object) ||
            (!call->has_timeout && (state.callers[caller].passed & before) != before))
            continue;
        state.callers[caller].granted &= (uint8_t) ~(1u << object);
        if (plan[object].kind == MMF_KIND_MUTEX) {
            state.objects[object].owner = (int8_t)caller;
            state.objects[object].recursion = 0;
        }
        add_after(spec, &state, caller, MMF_OK, i);
    }
}

/* The moments of a wait for any: looks at objects, and the last one, which takes. */
static void
expand_any(struct spec *spec, struct spec_state state, int caller)
{
    const struct call *call = &spec->calls[caller];
    unsigned seen = state.callers[caller].seen;
    unsigned passed = state.callers[caller].passed;

    for (unsigned i = 0; i < call->count; i++) {
        int object = call->objects[i];
        struct spec_state next = state;

        if (!is_is_there(&state, object, caller)) {
            next.callers[caller].seen |= (uint8_t)(1u << i);
            if (!(state.callers[caller].granted & 1u << object))
                next.callers[caller].passed |= (uint8_t)(1u << i);
            add_state(spec, &next);
            continue;
        }
        if ((passed & ((1u << i) - 1)) == (1u << i) - 1) {
            int rc = take(&next, object, caller);

            add_after(spec, &next, caller, rc, (int)i);
        }
        if (i + 1 < call->count && may_be_reserved(spec, object, caller)) {
            next = state;
            next.callers[caller].passed |= (uint8_t)(1u << i);
            add_state(spec, &next);
        }
    }
    if (call->has_timeout && seen == (1u << call->count) - 1 &&
        state.callers[caller].granted == 0)
        add_after(spec, &state, caller, MMF_TIMED_OUT, 0);
    expand_granted(spec, &state, caller);
}

/* Take one of the objects, and be killed before all are taken. */
static void
expand_doomed(struct spec *spec, struct spec_state state, int caller)
{
    const struct call *call = &spec->calls[caller];

    for (unsigned i = 0; i < call->count; i++) {
        struct spec_state next = state;

        if ((state.callers[caller].seen & 1u << i) ||
            !is_is_there(&state, call->objects[i], caller))
            continue;
        take(&next, call->objects[i], caller);
        next.callers[caller].progress = SPEC_DOOMED;
        next.callers[caller].seen |= (uint8_t)(1u << i);
        add_state(spec, &next);
    }
}

static void
expand_all(struct spec *spec, struct spec_state state, int caller)
{
    const struct call *call = &spec->calls[caller];
    struct spec_state next = state;
    int rc = MMF_OK;

    for (unsigned i = 0; i < call->count; i++) {
        if (!is_is_there(&state, call->objects[i], caller)) {
            if (call->has_timeout)
                add_after(spec, &state, caller, MMF_TIMED_OUT, 0);
            return;
        }
        if (take(&next, call->objects[i], caller) == MMF_ABANDONED)
            rc = MMF_ABANDONED;
    }
    add_after(spec, &next, caller, rc, 0);
    if (spec->may_kill)
        expand_doomed(spec, state, caller);
}

/* A wait for all that is not over has taken of it. */
static int
is_just_being_taken(const struct spec *spec, const struct spec_state *state, int object)
{
    for (int i = 0; i < MOST_CALLERS; i++) {
        const struct call *call = &spec->calls[i];
        const struct spec_caller *caller = &state->callers[i];

        if (call->kind != CALL_ALL || caller->progress < SPEC_AFTER ||
            (caller->progress == SPEC_AFTER && caller->outcome.status == MMF_TIMED_OUT))
            continue;
        for (int j = 0; j < call->count; j++) {
            if (call->objects[j] == object &&
                (caller->progress == SPEC_AFTER || (caller->seen & 1u << j)))
                return 1;
        }
    }
    return 0;
}

struct release {
    int caller;
    int left; /* how many are to be given */
    int shown;
};

static void
give_rest(struct spec *spec, const struct spec_state *from, const void *payload)
{
    struct release rest = *(const struct release *)payload;
    struct spec_state state = *from;
    int object = spec->calls[rest.caller].objects[0];

    if (rest.left == 0) {
        add_after(spec, &state, rest.caller, MMF_OK, rest.shown);
        return;
    }
    if (spec->may_kill && rest.left < spec->calls[rest.caller].number) {
        state.callers[rest.caller].progress = SPEC_DOOMED;
        add_state(spec, &state);
    }
    rest.left--;
    give(spec, from, object, 0, give_rest, &rest);
}

/* Signals that are on their way, and may show in the count or not. */
static int
count_on_their_way(const struct spec_state *state, int object)
{
    int count = state->objects[object].pending;

    for (int i = 0; i < MOST_CALLERS; i++)
        count += (state->callers[i].granted & 1u << object) != 0;
    return count;
}

static void
expand_add(struct spec *spec, const struct spec_state *state, int caller)
{
    const struct call *call = &spec->calls[caller];
    int object = call->objects[0];
    int before = state->objects[object].count;
    int most = before + is_just_being_taken(spec, state, object) +
               count_on_their_way(state, object);

    for (int shown = before; shown <= most; shown++) {
        struct release rest = {.caller = caller, .left = call->number, .shown = shown};

        if (shown + call->number > plan[object].second)
            add_after(spec, state, caller, MMF_E_MAXIMUM, 0);
        else
            give_rest(spec, state, &rest);
    }
}

static void
expand_release(struct spec *spec, const struct spec_state *from, int caller)
{
    const struct call *call = &spec->calls[caller];
    struct release last = {.caller = caller};
    int object = call->objects[0];
    struct spec_state state = *from;

    if (state.objects[object].owner != caller) {
        add_after(spec, &state, caller, MMF_E_NOT_OWNER, 0);
    } else if (state.objects[object].recursion > 0) {
        state.objects[object].recursion--;
        add_after(spec, &state, caller, MMF_OK, 0);
    } else {
        give(spec, &state, object, call->patient, give_rest, &last);
    }
}

static void
expand_set(struct spec *spec, const struct spec_state *from, int caller)
{
    struct release last = {.caller = caller};
    int object = spec->calls[caller].objects[0];
    struct spec_state state = *from;

    if (!plan[object].second) {
        give(spec, &state, object, 0, give_rest, &last);
        return;
    }
    state.objects[object].mark = 1;
    if (spec->may_kill) {
        state.callers[caller].progress = SPEC_DOOMED;
        add_state(spec, &state);
        state.callers[caller].progress = SPEC_BEFORE;
    }
    for (int i = 0; i < MOST_CALLERS; i++) {
        if ((spec->queued & 1u << i) && is_waiting_for(spec, &state, i, object))
            grant(&state, i, object);
    }
    add_after(spec, &state, caller, MMF_OK, 0);
}

/* A set of a manual event has reached one more. */
static void
expand_doomed_set(struct spec *spec, const struct spec_state *from, int caller)
{
    int object = spec->calls[caller].objects[0];

    for (int i = 0; i < MOST_CALLERS; i++) {
        struct spec_state state = *from;

        if (!(spec->queued & 1u << i) || !is_waiting_for(spec, &state, i, object))
            continue;
        grant(&state, i, object);
        add_state(spec, &state);
    }
}

/* All states that one more moment of `caller` leads to. */
static void
expand(struct spec *spec, struct spec_state state, int caller)
{
    const struct call *call = &spec->calls[caller];
    struct spec_object *object = &state.objects[call->objects[0]];

    if (state.callers[caller].progress == SPEC_AFTER &&
        state.callers[caller].granted != 0)
        return_token(spec, &state, caller);
    if (state.callers[caller].progress == SPEC_DOOMED && call->kind == CALL_ALL)
        expand_doomed(spec, state, caller);
    if (state.callers[caller].progress == SPEC_DOOMED && call->kind == CALL_SET)
        expand_doomed_set(spec, &state, caller);
    if (state.callers[caller].progress != SPEC_BEFORE)
        return;
    switch (call->kind) {
    case CALL_ANY:
        if (!(spec->asleep & 1u << caller))
            expand_any(spec, state, caller);
        return;
    case CALL_ALL:
        expand_all(spec, state, caller);
        return;
    case CALL_ADD:
        expand_add(spec, &state, caller);
        return;
    case CALL_RELEASE:
        expand_release(spec, &state, caller);
        return;
    case CALL_SET:
        expand_set(spec, &state, caller);
        return;
    case CALL_ABANDON:
        abandon(object, caller);
        break;
    default:
        object->mark = 0;
    }
    add_after(spec, &state, caller, MMF_OK, 0);
}

/* Let every call have its moment that has not had it, in every order. */
static void
close_set(struct spec *spec)
{
    for (int i = 0; i < spec->count; i++) {
        struct spec_state state = spec->states[i];

        give_pending(spec, &state);
        for (int caller = 0; caller < MOST_CALLERS; caller++)
            expand(spec, spec->states[i], caller);
    }
}

/*
 * What happens.
 */

static int
begin_call(struct spec_state *state, const void *payload)
{
    const int *caller = payload;

    state->callers[*caller].progress = SPEC_BEFORE;
    return 1;
}

void
spec_call(struct spec *spec, int caller, const struct call *call)
{
    spec->calls[caller] = *call;
    spec->after[caller] = (uint8_t)spec->queued;
    filter(spec, begin_call, &caller);
}

/* When it wakes up it looks at all of them again. */
static int
begin_sleep(struct spec_state *state, const void *payload)
{
    state->callers[*(const int *)payload].passed = 0;
    return 1;
}

void
spec_sleep(struct spec *spec, int caller)
{
    if (spec->calls[caller].kind != CALL_ANY || (spec->asleep & 1u << caller))
        return;
    close_set(spec); /* what has had its moment by now did not know of the sleeper */
    filter(spec, begin_sleep, &caller);
    spec->queued |= 1u << caller;
    spec->asleep |= 1u << caller;
}

void
spec_still_asleep(struct spec *spec, unsigned mask)
{
    spec->asleep &= mask;
}

/* The caller's call is over: it is before no other any more. */
static void
forget(struct spec *spec, int caller)
{
    memset(&spec->calls[caller], 0, sizeof(spec->calls[caller]));
    spec->queued &= ~(1u << caller);
    spec->after[caller] = 0;
    for (int i = 0; i < MOST_CALLERS; i++)
        spec->after[i] &= (uint8_t) ~(1u << caller);
}

static int
has_nothing_pending(struct spec_state *state, const void *payload)
{
    (void)payload;
    for (int i = 0; i < MOST_OBJECTS; i++) {
        if (state->objects[i].pending > 0)
            return 0;
    }
    return 1;
}

void
spec_settle(struct spec *spec)
{
    close_set(spec);
    filter(spec, has_nothing_pending, NULL);
}

struct end {
    int caller;
    struct outcome outcome;
};

static int
end_call(struct spec_state *state, const void *payload)
{
    const struct end *end = payload;
    struct spec_caller *caller = &state->callers[end->caller];

    if (caller->progress != SPEC_AFTER || caller->granted != 0 ||
        caller->outcome.status != end->outcome.status ||
        caller->outcome.value != end->outcome.value)
        return 0;
    memset(caller, 0, sizeof(*caller));
    return 1;
}

int
spec_return(struct spec *spec, int caller, struct outcome outcome)
{
    struct end end = {.caller = caller, .outcome = outcome};

    close_set(spec);
    filter(spec, end_call, &end);
    forget(spec, caller);
    return spec->count > 0;
}

static int
end_call_excused(struct spec_state *state, const void *payload)
{
    const struct end *end = payload;
    struct spec_caller *caller = &state->callers[end->caller];

    if (end_call(state, payload))
        return 1;
    if (caller->progress != SPEC_BEFORE || caller->granted != 0)
        return 0;
    memset(caller, 0, sizeof(*caller));
    return 1;
}

int
spec_return_excused(struct spec *spec, int caller, struct outcome outcome)
{
    struct end end = {.caller = caller, .outcome = outcome};
    int legal = 0;

    close_set(spec);
    for (int i = 0; i < spec->count; i++) {
        struct spec_state state = spec->states[i];

        legal |= end_call(&state, &end);
    }
    filter(spec, end_call_excused, &end);
    forget(spec, caller);
    return legal;
}

struct death {
    const struct spec *spec;
    unsigned mask;
};

/* What a dead caller was given is given again, and so is what it is given from now on. */
static void
leave_behind(struct spec_state *state, const struct call *call, int caller)
{
    struct spec_caller *it = &state->callers[caller];

    for (int i = 0; call->kind == CALL_ANY && i < call->count; i++) {
        struct spec_object *object = &state->objects[call->objects[i]];

        if (plan[call->objects[i]].kind == MMF_KIND_MUTEX) {
            if (it->granted & 1u << call->objects[i])
                object->owner = SPEC_FREE;
        } else if (plan[call->objects[i]].kind == MMF_KIND_EVENT &&
                   plan[call->objects[i]].second) {
            continue;
        } else if (it->granted & 1u << call->objects[i]) {
            object->pending++;
        } else if (it->progress == SPEC_BEFORE) {
            object->ghosts++;
        }
    }
}

static int
die(struct spec_state *state, const void *payload)
{
    const struct death *death = payload;
    unsigned mask = death->mask;

    for (int i = 0; i < MOST_OBJECTS; i++) {
        struct spec_object *object = &state->objects[i];

        if (object->owner >= 0 && (mask & 1u << object->owner)) {
            object->owner = SPEC_DEAD;
            object->recursion = 0;
        }
    }
    for (int i = 0; i < MOST_CALLERS; i++) {
        if (mask & 1u << i)
            leave_behind(state, &death->spec->calls[i], i);
        if (mask & 1u << i)
            memset(&state->callers[i], 0, sizeof(state->callers[i]));
    }
    return 1;
}

void
spec_kill(struct spec *spec, unsigned mask)
{
    struct death death = {.spec = spec, .mask = mask};

    close_set(spec);
    filter(spec, die, &death);
    for (int i = 0; i < MOST_CALLERS; i++) {
        struct call *call = &spec->calls[i];

        if (!(mask & 1u << i))
            continue;
        for (int j = 0; call->kind == CALL_ALL && j < call->count; j++)
            spec->left |= 1u << call->objects[j];
        forget(spec, i);
    }
}

static int
all_before(struct spec_state *state, const void *payload)
{
    unsigned mask = *(const unsigned *)payload;

    for (int i = 0; i < MOST_CALLERS; i++) {
        if ((mask & 1u << i) && state->callers[i].progress != SPEC_BEFORE)
            return 0;
        /* What has been seen is past; it matters to the answer alone. */
        state->callers[i].seen = 0;
        state->callers[i].passed = 0;
    }
    return 1;
}

int
spec_still_wait(struct spec *spec, unsigned mask)
{
    filter(spec, all_before, &mask);
    return spec->count > 0;
}

static int
is_available(const struct spec_state *state, const struct call *call, int caller)
{
    unsigned could = 0;

    for (unsigned i = 0; i < call->count; i++)
        could += is_is_there(state, call->objects[i], caller) != 0 ||
                 state->objects[call->objects[i]].pending > 0;
    if (state->callers[caller].granted != 0)
        return 1;
    return call->kind == CALL_ALL ? could == call->count : could > 0;
}

int
spec_is_available(const struct spec *spec, int caller)
{
    for (int i = 0; i < spec->count; i++) {
        const struct spec_state *state = &spec->states[i];

        if (state->callers[caller].progress == SPEC_BEFORE &&
            !is_available(state, &spec->calls[caller], caller))
            return 0;
    }
    return 1;
}

int
spec_may_be_available(const struct spec *spec, int caller)
{
    for (int i = 0; i < spec->count; i++) {
        const struct spec_state *state = &spec->states[i];

        if (state->callers[caller].progress == SPEC_BEFORE &&
            is_available(state, &spec->calls[caller], caller))
            return 1;
    }
    return 0;
}

void
spec_print(const struct spec *spec)
{
    for (int i = 0; i < spec->count; i++) {
        printf("    %s", i == 0 ? "the objects may be" : "                or");
        for (int j = 0; j < MOST_OBJECTS && plan[j].name != NULL; j++) {
            const struct spec_object *object = &spec->states[i].objects[j];

            printf(" %s:", plan[j].name);
            if (plan[j].kind == MMF_KIND_SEMAPHORE)
                printf("%d", object->count);
            else if (plan[j].kind == MMF_KIND_EVENT)
                printf("%s", object->mark ? "set" : "reset");
            else if (object->owner == SPEC_DEAD)
                printf("of the dead");
            else if (object->owner == SPEC_HANDED)
                printf("handed");
            else if (object->owner == SPEC_FREE)
                printf("%s", object->mark ? "abandoned" : "free");
            else
                printf("T%d+%d", object->owner + 1, object->recursion);
            if (object->pending > 0)
                printf("(%d pending)", object->pending);
        }
        for (int j = 0; j < MOST_CALLERS; j++) {
            if (spec->states[i].callers[j].granted != 0)
                printf(" T%d:given %x", j + 1, spec->states[i].callers[j].granted);
        }
        printf("\n");
    }
}
