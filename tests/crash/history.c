/*
 * history.c - proves or refutes that a recorded history keeps the promise on names.
 *
 * A handle is open from some moment within its create or open until some moment within
 * its close, or, if its process was killed, between kill() and the return of waitpid().
 * So each handle has an interval in which it may be open and, inside it, one in which
 * it certainly is. A violation is what no choice of the unknown moments can explain.
 */
#include "history.h"

#include <mmf/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct handle {
    uint64_t may_begin, may_end;   /* it may be open between these */
    uint64_t sure_begin, sure_end; /* it certainly is; empty if begin >= end */
    uint64_t called, answered;     /* the call that opened it; answered 0: never */
    uint64_t generation;
    uint64_t object;
    int64_t capacity;
    uint32_t worker, entry;
    uint16_t operation, name;
};

struct span {
    uint64_t begin, end;
};

struct checker {
    const struct history_log *logs;
    size_t log_count;
    uint32_t epoch;
    struct history_result *result;
    struct handle *handles; /* of one name, by may_begin */
    size_t handle_count;
    uint64_t *latest_end; /* latest may_end of handles[0..i] */
    struct span *sure;    /* union of the sure intervals, disjoint, in order */
    size_t sure_count;
};

uint64_t
history_generation(uint32_t epoch, unsigned worker, uint32_t entry)
{
    return (uint64_t)(epoch + 1) << 40 | (uint64_t)worker << 32 | entry;
}

static const char *
operation_name(unsigned operation)
{
    static const char *const names[] = {
        "?", "create_new", "create_or_open", "open_existing", "close", "death"};

    return operation < sizeof(names) / sizeof(names[0]) ? names[operation] : names[0];
}

/* Report a violation found at entry `entry` of worker `worker`. */
static void
violation(struct checker *check, uint32_t worker, uint32_t entry, const char *text)
{
    const struct history_entry *e = &check->logs[worker].entries[entry];

    check->result->violations++;
    if (check->result->violations > 20)
        return;
    fprintf(stderr,
            "history: worker %u entry %u: %s of name %u [%llu, %llu] status %d "
            "generation %llx object %llu: %s\n",
            worker, entry, operation_name(e->operation), e->name,
            (unsigned long long)e->begin, (unsigned long long)e->end, e->status,
            (unsigned long long)e->generation, (unsigned long long)e->object, text);
}

static int
by_may_begin(const void *a, const void *b)
{
    const struct handle *x = a, *y = b;

    return x->may_begin < y->may_begin ? -1 : x->may_begin > y->may_begin;
}

static int
by_sure_begin(const void *a, const void *b)
{
    const struct handle *const *x = a, *const *y = b;

    return (*x)->sure_begin < (*y)->sure_begin   ? -1
           : (*x)->sure_begin > (*y)->sure_begin ? 1
                                                 : 0;
}

/* By generation, then by may_begin. */
static int
by_generation(const void *a, const void *b)
{
    const struct handle *const *x = a, *const *y = b;

    if ((*x)->generation != (*y)->generation)
        return (*x)->generation < (*y)->generation ? -1 : 1;
    return by_may_begin(*x, *y);
}

static void *
must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "history: no memory\n");
        abort();
    }
    return memory;
}

/*
 * The handles of `name` in one worker's log. A worker's lives follow one another: each
 * DEATH ends what is open, closed or not.
 */
static void
collect(struct checker *check, uint32_t worker, unsigned name)
{
    const struct history_log *log = &check->logs[worker];
    size_t *open = must(calloc(log->count + 1, sizeof(*open)));
    size_t open_count = 0;
    size_t i, k;

    for (i = 0; i < log->count; i++) {
        const struct history_entry *e = &log->entries[i];

        if (e->operation == HISTORY_DEATH) {
            for (k = 0; k < open_count; k++) {
                struct handle *h = &check->handles[open[k]];

                if (h->sure_end > e->begin)
                    h->sure_end = e->begin;
                h->may_end = e->end;
            }
            open_count = 0;
            continue;
        }
        if (e->name != name)
            continue;
        if (e->operation == HISTORY_CLOSE) {
            for (k = 0; k < open_count; k++)
                if (check->handles[open[k]].entry == e->handle)
                    break;
            if (k == open_count) {
                violation(check, worker, (uint32_t)i, "closes what is not open");
                continue;
            }
            check->handles[open[k]].sure_end = e->begin;
            if (e->end != 0) {
                check->handles[open[k]].may_end = e->end;
                open[k] = open[--open_count];
            }
            continue;
        }
        if (e->end == 0 || e->status >= 0) {
            struct handle *h = &check->handles[check->handle_count];

            memset(h, 0, sizeof(*h));
            h->called = h->may_begin = e->begin;
            h->answered = e->end;
            h->may_end = UINT64_MAX;
            h->sure_begin = e->end;
            h->sure_end = e->end == 0 ? 0 : UINT64_MAX;
            h->generation = e->generation;
            h->object = e->object;
            h->capacity = e->capacity;
            h->worker = worker;
            h->entry = (uint32_t)i;
            h->operation = e->operation;
            h->name = e->name;
            open[open_count++] = check->handle_count++;
        }
    }
    if (open_count > 0)
        violation(check, worker, check->handles[open[0]].entry,
                  "is open at the end of the epoch");
    free(open);
}

/* Fill latest_end and sure from handles. */
static void
index_handles(struct checker *check, struct handle **scratch)
{
    uint64_t latest = 0;
    size_t count = 0;
    size_t i;

    qsort(check->handles, check->handle_count, sizeof(check->handles[0]), by_may_begin);
    for (i = 0; i < check->handle_count; i++) {
        struct handle *h = &check->handles[i];

        if (h->may_end > latest)
            latest = h->may_end;
        check->latest_end[i] = latest;
        if (h->sure_begin < h->sure_end)
            scratch[count++] = h;
    }
    qsort(scratch, count, sizeof(scratch[0]), by_sure_begin);
    check->sure_count = 0;
    for (i = 0; i < count; i++) {
        struct span *last = &check->sure[check->sure_count - 1];

        if (check->sure_count > 0 && scratch[i]->sure_begin <= last->end) {
            if (scratch[i]->sure_end > last->end)
                last->end = scratch[i]->sure_end;
        } else {
            check->sure[check->sure_count].begin = scratch[i]->sure_begin;
            check->sure[check->sure_count].end = scratch[i]->sure_end;
            check->sure_count++;
        }
    }
    /* Handles that certainly are open together are of one object. */
    for (i = 1; i < count; i++) {
        struct handle *before = scratch[i - 1];
        struct handle *h = scratch[i];

        if (h->sure_begin < before->sure_end) {
            if ((h->generation != 0 && before->generation != 0 &&
                 h->generation != before->generation) ||
                (h->object != 0 && before->object != 0 && h->object != before->object))
                violation(check, h->worker, h->entry,
                          "another object of this name is open at the same time");
            /* Keep the one that lasts longer to compare with. */
            if (before->sure_end > h->sure_end &&
                (before->generation != 0 || h->generation == 0))
                scratch[i] = before;
        }
    }
}

/* How many of the first handles begin at or before `moment`. */
static size_t
begun_by(const struct checker *check, uint64_t moment)
{
    size_t low = 0, high = check->handle_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (check->handles[middle].may_begin <= moment)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* May a handle have been open at some moment of [begin, end]? */
static int
maybe_open_in(const struct checker *check, uint64_t begin, uint64_t end)
{
    size_t n = begun_by(check, end);

    return n > 0 && check->latest_end[n - 1] >= begin;
}

/* Was a handle certainly open during all of [begin, end]? */
static int
surely_open_throughout(const struct checker *check, uint64_t begin, uint64_t end)
{
    size_t low = 0, high = check->sure_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (check->sure[middle].begin <= begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && check->sure[low - 1].end >= end;
}

/* The calls of one name, each for itself. */
static void
check_calls(struct checker *check, unsigned name)
{
    uint32_t w;
    size_t i;

    for (w = 0; w < check->log_count; w++) {
        for (i = 0; i < check->logs[w].count; i++) {
            const struct history_entry *e = &check->logs[w].entries[i];
            uint32_t entry = (uint32_t)i;

            if (e->name != name || e->operation == HISTORY_DEATH)
                continue;
            check->result->operations++;
            if (e->end == 0) {
                check->result->unfinished++;
                continue;
            }
            if (e->end < e->begin)
                violation(check, w, entry, "ends before it begins");
            if (e->operation == HISTORY_CREATE_NEW && e->status == MMF_E_EXISTS) {
                if (!maybe_open_in(check, e->begin, e->end))
                    violation(check, w, entry, "exists, but no process had it open");
            } else if (e->operation == HISTORY_OPEN_EXISTING &&
                       e->status == MMF_E_NOT_FOUND) {
                if (surely_open_throughout(check, e->begin, e->end))
                    violation(check, w, entry, "not found, but it was open throughout");
            } else if (e->status != MMF_OK) {
                violation(check, w, entry, "this status must not be");
            } else if (e->operation == HISTORY_CREATE_NEW) {
                if (surely_open_throughout(check, e->begin, e->end))
                    violation(check, w, entry, "created, but it was open throughout");
            }
        }
    }
}

/* Does a handle of unknown generation, which may be any, overlap the call of `h`? */
static int
overlaps_unknown(const struct checker *check, const struct handle *h)
{
    size_t n = begun_by(check, h->answered);
    size_t i = n;

    while (i-- > 0 && check->latest_end[i] >= h->called) {
        const struct handle *other = &check->handles[i];

        if (other != h && other->generation == 0 && other->may_end >= h->called)
            return 1;
    }
    return 0;
}

/* Which process wrote this generation? It must have been a user of this name, in
 * this epoch. */
static void
check_origin(struct checker *check, const struct handle *h)
{
    uint32_t epoch = (uint32_t)(h->generation >> 40) - 1;
    uint32_t worker = (uint32_t)(h->generation >> 32 & 0xff);
    uint32_t entry = (uint32_t)h->generation;

    if (epoch != check->epoch || worker >= check->log_count ||
        entry >= check->logs[worker].count) {
        violation(check, h->worker, h->entry, "bytes from an earlier life");
        return;
    }
    if (check->logs[worker].entries[entry].name != h->name)
        violation(check, h->worker, h->entry, "bytes of another name");
}

/*
 * For each prefix of `list` the two handles of it that may be open the longest: one of
 * them is not the one that asks.
 */
static void
find_longest(struct handle *const *list, size_t count, size_t (*longest)[2])
{
    size_t i;

    for (i = 0; i < count; i++) {
        size_t first = i, second = i;

        if (i > 0) {
            first = longest[i - 1][0];
            second = longest[i - 1][1];
            if (list[i]->may_end > list[first]->may_end) {
                second = first;
                first = i;
            } else if (second == first || list[i]->may_end > list[second]->may_end) {
                second = i;
            }
        }
        longest[i][0] = first;
        longest[i][1] = second;
    }
}

/* May another handle in `list` have been open while the call of `list[i]` ran? */
static int
overlaps_another(struct handle *const *list, size_t count, size_t (*longest)[2],
                 size_t i)
{
    const struct handle *h = list[i];
    size_t low = 0, high = count;
    size_t other;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list[middle]->may_begin <= h->answered)
            low = middle + 1;
        else
            high = middle;
    }
    /* list[i] itself has begun by then, so low is at least 1. */
    other = longest[low - 1][0] == i ? longest[low - 1][1] : longest[low - 1][0];
    return other != i && list[other]->may_end >= h->called;
}

/* All handles of one generation: `list[0..count)`, by may_begin. */
static void
check_object(struct checker *check, struct handle *const *list, size_t count)
{
    size_t(*longest)[2] = must(calloc(count, sizeof(*longest)));
    const struct handle *creator = NULL;
    uint64_t end = list[0]->may_end;
    size_t i;

    check->result->objects++;
    check_origin(check, list[0]);
    find_longest(list, count, longest);
    for (i = 0; i < count; i++) {
        const struct handle *h = list[i];

        if (h->operation == HISTORY_CREATE_NEW) {
            if (creator != NULL)
                violation(check, h->worker, h->entry, "the object was created twice");
            creator = h;
        }
        if (i > 0 && h->object != 0 && list[0]->object != 0 &&
            h->object != list[0]->object)
            violation(check, h->worker, h->entry, "two objects with the same bytes");
        if (i > 0 && h->capacity != 0 && list[0]->capacity != 0 &&
            h->capacity != list[0]->capacity)
            violation(check, h->worker, h->entry, "the object's capacity changed");
        if (i > 0 && h->may_begin > end && !overlaps_unknown(check, h))
            violation(check, h->worker, h->entry,
                      "the object is back after its last handle");
        if (h->may_end > end)
            end = h->may_end;
    }
    for (i = 0; i < count; i++) {
        const struct handle *h = list[i];

        if (creator != NULL && h != creator && h->answered < creator->called)
            violation(check, h->worker, h->entry, "opened before it was created");
        if (h->operation == HISTORY_OPEN_EXISTING &&
            !overlaps_another(list, count, longest, i) && !overlaps_unknown(check, h))
            violation(check, h->worker, h->entry, "opened, but no process had it open");
    }
    free(longest);
}

void
history_check(const struct history_log *logs, size_t count, uint32_t epoch,
              struct history_result *result)
{
    struct checker check;
    struct handle **order;
    size_t total = 0;
    unsigned name, names = 0;
    uint32_t w;
    size_t i, k;

    memset(&check, 0, sizeof(check));
    check.logs = logs;
    check.log_count = count;
    check.epoch = epoch;
    check.result = result;
    for (w = 0; w < count; w++) {
        total += logs[w].count;
        for (i = 0; i < logs[w].count; i++)
            if (logs[w].entries[i].name >= names)
                names = logs[w].entries[i].name + 1u;
    }
    check.handles = must(calloc(total + 1, sizeof(check.handles[0])));
    check.latest_end = must(calloc(total + 1, sizeof(check.latest_end[0])));
    check.sure = must(calloc(total + 2, sizeof(check.sure[0])));
    check.sure++; /* so that sure[-1] is there to be looked at */
    order = must(calloc(total + 1, sizeof(order[0])));

    for (name = 0; name < names; name++) {
        check.handle_count = 0;
        for (w = 0; w < count; w++)
            collect(&check, w, name);
        index_handles(&check, order);
        check_calls(&check, name);
        for (i = 0; i < check.handle_count; i++)
            order[i] = &check.handles[i];
        qsort(order, check.handle_count, sizeof(order[0]), by_generation);
        for (i = 0; i < check.handle_count; i = k) {
            for (k = i; k < check.handle_count; k++)
                if (order[k]->generation != order[i]->generation)
                    break;
            if (order[i]->generation != 0)
                check_object(&check, order + i, k - i);
        }
    }
    free(check.handles);
    free(check.latest_end);
    free(check.sure - 1);
    free(order);
}
