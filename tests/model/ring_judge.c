/*
 * ring_judge.c - whether what threads have seen can be.
 */
#include "ring_world.h"

#include "shared/ring/inner.h"

static int
sender_of(uint32_t number)
{
    return (int)(number / MOST_SENT);
}

/* Messages of a sender are numbered from 1, so that 0 is "none yet". */
static uint8_t
rank_of(uint32_t number)
{
    return (uint8_t)(number % MOST_SENT + 1);
}

static struct message *
message_named(const struct mmf_ring_message *seen, uint32_t content)
{
    struct message *message;

    if (content >= MOST_MESSAGES) {
        found("a message is torn");
        return NULL;
    }
    message = &world.messages[content];
    if (message->sent == NOT_SENT || message->index != seen->index) {
        found("a message that was never sent");
        return NULL;
    }
    return message;
}

void
judge_taken(int thread, const struct mmf_ring_message *seen, uint32_t content)
{
    struct message *message = message_named(seen, content);
    int sender = sender_of(content);
    int is_again = seen->deliveries > 1;

    if (message == NULL)
        return;
    if (message->released == 2)
        found("a message was taken after it was released");
    if (message->holder != 0)
        found("a message was taken that another consumer owns");
    if (message->has_source && applied_of(sender) < rank_of(content))
        found("a message was taken whose position is not applied");
    if (is_again && !message->may_return && !world.taker_died)
        found("a message is marked although no consumer had it before");
    if (seen->deliveries < message->was_taken + 1u)
        found("a message is not marked as often as a consumer had it before");
    if (seen->deliveries >
        message->was_taken + 1u + (uint32_t)(plan->kills - world.kills_left))
        found("a message is marked more often than a consumer had it before");
    if (!is_again && thread != PROBER &&
        rank_of(content) <= world.threads[thread].seen[sender])
        found("a message comes after a later one of its sender");
    if (!is_again && thread == PROBER && rank_of(content) <= world.taken[sender])
        found("in the end a message comes after a later one of its sender");
    message->was_taken++;
    message->holder = (uint8_t)(thread + 1);
    if (!is_again && rank_of(content) > world.taken[sender])
        world.taken[sender] = rank_of(content);
}

/*
 * Sources.
 */

uint64_t
applied_of(int source)
{
    for (uint32_t i = 0; i < MMF_SOURCES_MAX; i++) {
        const struct mmf_source_shared *entry = &world.shared.sources[i];

        if (entry->source == (uint64_t)source + 1)
            return entry->records[entry->version & 1].position;
    }
    return 0;
}

/* No living thread but the one that has found this commits for the source. */
void
judge_owned(int source, uint64_t applied)
{
    for (int i = 0; i < MOST_SENT; i++) {
        struct message *message = &world.messages[source * MOST_SENT + i];
        int is_applied = rank_of((uint32_t)(source * MOST_SENT + i)) <= applied;

        if (message->sent == SENDING)
            found("two threads commit for a source");
        if (is_applied && message->sent == NOT_SENT)
            found("a position is applied whose message was never sent");
        if (!is_applied && (message->sent == SENT || message->was_taken != 0))
            found("a message was sent whose position is not applied");
        if (message->sent == MAYBE_SENT)
            message->sent = is_applied ? SENT : NOT_SENT;
    }
}

/* The answer was right at some time in the call. */
void
judge_answer(int thread, int source, uint64_t applied)
{
    if (applied < world.threads[thread].floor || applied > applied_of(source))
        found("a position is said to be applied that is not, or was before");
}

/* Messages with indexes between these, which a subscriber has not got. */
static uint64_t
count_sent_between(uint64_t after, uint64_t before)
{
    uint64_t sent = 0;

    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        sent += message->sent == SENT &&
                mmf_index_difference(message->index, after) > 0 &&
                mmf_index_difference(before, message->index) > 0;
    }
    return sent;
}

static uint64_t
later_of(uint64_t one, uint64_t other)
{
    return mmf_index_difference(one, other) > 0 ? one : other & MMF_INDEX_MASK;
}

void
judge_received(int thread, const struct mmf_ring_message *seen, uint32_t content)
{
    uint64_t last = world.threads[thread].last;
    uint64_t missed;

    if (message_named(seen, content) == NULL)
        return;
    if (mmf_index_difference(seen->index, last) <= 0)
        found("a subscriber gets a message twice, or an older one");
    missed = count_sent_between(last, seen->index);
    if (plan->overflow != MMF_OVERFLOW_DROP_OLDEST &&
        count_sent_between(later_of(last, world.threads[thread].joined - 1),
                           seen->index) > 0)
        found("a subscriber misses a message although publishers wait");
    if (missed > seen->lost)
        found("a subscriber misses more than it is told");
    if (seen->lost > ((seen->index - last - 1) & MMF_INDEX_MASK))
        found("a subscriber is told of more losses than there were messages");
}

/* The newest value whose commit is over. */
static int
newest_sent(uint64_t *index)
{
    int some = 0;

    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        if (message->sent != SENT ||
            (some && mmf_index_difference(message->index, *index) <= 0))
            continue;
        *index = message->index;
        some = 1;
    }
    return some;
}

void
judge_read(int thread, const struct mmf_ring_message *seen, uint32_t content)
{
    const struct thread *self = &world.threads[thread];

    if (message_named(seen, content) == NULL)
        return;
    if (self->has_floor && mmf_index_difference(seen->index, self->floor) < 0)
        found("a reader gets a value that was old when it began");
    if (self->has_read && mmf_index_difference(seen->index, self->last) < 0)
        found("a reader gets an older value than before");
}

/* A source's message is so when its position is applied. */
static int
is_committed(int number)
{
    const struct message *message = &world.messages[number];

    return message->sent == SENT ||
           (message->has_source &&
            rank_of((uint32_t)number) <= applied_of(number / MOST_SENT));
}

void
judge_begin(int thread)
{
    struct thread *self = &world.threads[thread];

    if (self->call == CALL_TAKE) {
        for (int i = 0; i < MOST_CALLERS; i++)
            self->seen[i] = world.taken[i];
    }
    for (int i = 0; i < MOST_MESSAGES && self->call == CALL_DRAIN; i++) {
        if (is_committed(i))
            self->drains |= (uint16_t)(1u << i);
    }
    if (self->call == CALL_ASK)
        self->floor = applied_of(0);
    if (self->call == CALL_READ || thread == PROBER)
        self->has_floor = (uint8_t)newest_sent(&self->floor);
}

void
judge_kill(int thread)
{
    struct thread *self = &world.threads[thread];

    if (self->call == CALL_COMMIT && world.messages[self->sending].sent == SENDING)
        world.messages[self->sending].sent = MAYBE_SENT;
    if (self->call == CALL_TAKE || self->call == CALL_RETURN)
        world.taker_died = 1;
    for (int i = 0; i < MOST_MESSAGES; i++) {
        struct message *message = &world.messages[i];

        if (message->holder != thread + 1)
            continue;
        message->holder = 0;
        message->may_return = 1;
        if (self->call == CALL_RELEASE && self->message == i)
            message->released = 1;
    }
}

/*
 * In every state: those who rest do so rightly.
 */

static enum mmf_slot_state
state_at(uint64_t index)
{
    return mmf_word_state(world.slots[index & (plan->slots - 1)].word);
}

static uint64_t
index_at(uint64_t index)
{
    return mmf_word_index(world.slots[index & (plan->slots - 1)].word);
}

static int
is_owner_dead(uint64_t index)
{
    uint64_t word = world.slots[index & (plan->slots - 1)].word;
    uint32_t number = mmf_word_participant(word);
    const struct mmf_participant_shared *entry =
        number >= MMF_RECEIVERS_FROM ? &world.receivers[number - MMF_RECEIVERS_FROM]
                                     : &world.senders[number];

    return entry->identity == 0 || !is_alive(mmf_ring_ticket(entry->identity));
}

/* A subscriber that the publishers must wait for. */
static int
is_held_by_subscriber(void)
{
    for (int i = 0; i < MOST_CALLERS; i++) {
        const struct mmf_participant_shared *entry = &world.receivers[i];

        if (entry->cursor != 0 && entry->identity != 0 &&
            is_alive(mmf_ring_ticket(entry->identity)) &&
            mmf_index_difference(world.shared.tail, entry->cursor) >=
                (int64_t)plan->slots)
            return 1;
    }
    return 0;
}

/* A latest value's newest stays. */
static int
is_newest(uint64_t index)
{
    for (uint64_t i = 0; i < plan->slots; i++) {
        if (state_at(i) == MMF_SLOT_COMMITTED &&
            mmf_index_difference(index_at(i), index_at(index)) > 0)
            return 0;
    }
    return plan->kind == MMF_KIND_LATEST && state_at(index) == MMF_SLOT_COMMITTED;
}

static int
must_sender_wait(void)
{
    if (plan->is_spsc)
        return mmf_index_difference(world.shared.tail, world.shared.head) >=
               (int64_t)plan->slots;
    if (plan->kind == MMF_KIND_TOPIC && plan->overflow != MMF_OVERFLOW_DROP_OLDEST &&
        is_held_by_subscriber())
        return 1;
    for (uint64_t i = 0; i < plan->slots; i++) {
        uint64_t index = world.shared.tail + i;
        enum mmf_slot_state state = state_at(index);

        if (state == MMF_SLOT_RELEASED)
            return 0;
        if (is_newest(index))
            continue;
        if (state == MMF_SLOT_COMMITTED || state == MMF_SLOT_RETURNED)
            return plan->kind == MMF_KIND_QUEUE &&
                   plan->overflow != MMF_OVERFLOW_DROP_OLDEST;
        if (is_owner_dead(index))
            return 0;
    }
    return 1;
}

/*
 * Is "full" exact? A queue that drops is full if consumers have all slots in hand, and
 * they may have taken one while they released another.
 */
static int
is_full_exact(void)
{
    return plan->kills == 0 &&
           (plan->kind != MMF_KIND_QUEUE || plan->overflow != MMF_OVERFLOW_DROP_OLDEST);
}

static void
note_full(struct thread *thread)
{
    if (thread->call == CALL_RESERVE && is_full_exact() && must_sender_wait())
        thread->was_full = 1;
}

void
judge_full(int thread)
{
    if (is_full_exact() && !world.threads[thread].was_full)
        found("a producer is told that there is no space, and there was all the time");
}

static int
is_being_released(const struct message *message)
{
    const struct thread *holder = &world.threads[message->holder - 1];

    return message->holder != 0 && holder->call == CALL_RELEASE &&
           holder->message == message - world.messages;
}

int
is_drained(int thread)
{
    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        if ((world.threads[thread].drains & 1u << i) && message->released == 0 &&
            !is_being_released(message))
            return 0;
    }
    return 1;
}

/* Its sender was killed, and it is in its slot. */
static int
is_there(const struct message *message)
{
    return index_at(message->index) == message->index &&
           state_at(message->index) != MMF_SLOT_RELEASED;
}

/* A message is left that its drain waits for: what was reserved when it began counts. */
static int
must_drainer_wait(int thread)
{
    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        if ((message->sent == SENT || message->sent == SENDING ||
             (message->sent == MAYBE_SENT && is_there(message))) &&
            message->released != 2 &&
            mmf_index_difference(message->index, world.threads[thread].target) < 0)
            return 1;
    }
    return 0;
}

static int
is_there_for(int thread)
{
    uint64_t cursor = world.rings[thread].cursor;

    if (plan->is_spsc)
        return index_at(cursor) == cursor && state_at(cursor) == MMF_SLOT_COMMITTED;
    for (uint64_t i = 0; i < plan->slots; i++) {
        if (state_at(i) == MMF_SLOT_COMMITTED || state_at(i) == MMF_SLOT_RETURNED)
            return 1;
    }
    return 0;
}

static int
must_consumer_wait(int thread)
{
    if (is_there_for(thread))
        return 0;
    for (uint64_t i = 0; i < plan->slots && !plan->is_spsc; i++) {
        if (state_at(i) != MMF_SLOT_RELEASED && is_owner_dead(i))
            return 0;
    }
    return 1;
}

static void
note_there(int thread)
{
    if (world.threads[thread].call == CALL_INSPECT && is_there_for(thread))
        world.threads[thread].was_there = 1;
}

void
judge_seen(int thread)
{
    if (!world.threads[thread].was_there)
        found("a consumer sees a message, and there was none");
}

static int
must_subscriber_wait(int thread)
{
    uint64_t cursor = world.rings[thread].cursor;

    if (index_at(cursor) == cursor && state_at(cursor) == MMF_SLOT_RESERVED)
        return !is_owner_dead(cursor);
    if (index_at(cursor) == cursor && state_at(cursor) == MMF_SLOT_COMMITTED)
        return 0;
    return !mmf_tail_has_settled(world.shared.tail, cursor);
}

/* Latest value: newest_at_least is above all values that are gone. */
static void
judge_newest_at_least(void)
{
    for (int i = 0; i < MOST_MESSAGES; i++) {
        uint64_t index = world.messages[i].index;

        if (world.messages[i].sent != SENT ||
            (index_at(index) == index && state_at(index) == MMF_SLOT_COMMITTED))
            continue;
        if (mmf_index_difference(world.shared.newest_at_least, index) <= 0)
            found("a value is gone, and newest_at_least is not above it");
    }
}

void
judge_resting(void)
{
    if (plan->kind == MMF_KIND_LATEST)
        judge_newest_at_least();
    for (int i = 0; i < thread_count; i++) {
        struct thread *thread = &world.threads[i];

        note_full(thread);
        note_there(i);
        if (thread->status != RESTING)
            continue;
        if (thread->is_sender_waiting) {
            if (!must_sender_wait())
                found("a sender rests, although a slot is available");
        } else if (plan->kind == MMF_KIND_TOPIC) {
            if (!must_subscriber_wait(i))
                found("a subscriber rests, although a message is available");
        } else if (thread->call == CALL_DRAIN) {
            if (!must_drainer_wait(i))
                found("a sender waits for releases that are over");
        } else if ((thread->call == CALL_TAKE || thread->call == CALL_INSPECT) &&
                   !must_consumer_wait(i)) {
            found("a consumer rests, although a message is available");
        }
    }
}

/*
 * In the end.
 */

static void
judge_rest_of_queue(void)
{
    uint64_t gone = 0;
    uint64_t told = world.shared.retired_dropped;

    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        gone += message->sent == SENT && message->released == 0 && message->holder == 0;
    }
    if (plan->overflow != MMF_OVERFLOW_DROP_OLDEST) {
        if (gone > 0)
            found("a message was lost");
        return;
    }
    for (int i = 0; i < MOST_CALLERS; i++)
        told += world.senders[i].dropped;
    if (gone > told + (uint64_t)(plan->kills - world.kills_left))
        found("messages were dropped and not counted");
    if (gone < told && plan->kills == 0)
        found("more drops were counted than there were");
}

static void
judge_rest_of_topic(void)
{
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];
        const struct mmf_ring *ring = &world.rings[i];
        uint64_t missed;

        if (thread->status == KILLED || !thread->has_subscribed)
            continue;
        missed = count_sent_between(thread->last, ring->cursor);
        if (missed > ring->lost)
            found("in the end a subscriber has missed more than it will be told");
    }
}

/* Without deaths the counters say what was. */
static void
judge_counters(void)
{
    uint64_t sent = world.shared.retired_sent;
    uint64_t received = world.shared.retired_received;
    uint64_t were_sent = 0;
    uint64_t were_released = 0;

    for (int i = 0; i < MOST_CALLERS; i++) {
        sent += mmf_ring_sent_by(&world.rings[i], &world.senders[i]);
        received += mmf_ring_received_by(&world.rings[i], &world.receivers[i]);
        if (plan->is_spsc)
            break; /* it has one entry of each */
    }
    for (int i = 0; i < MOST_MESSAGES; i++) {
        were_sent += world.messages[i].sent == SENT;
        were_released += world.messages[i].released == 2;
    }
    if (sent != were_sent)
        found("the counters do not tell how many were sent");
    if ((plan->kind == MMF_KIND_QUEUE) && received != were_released)
        found("the counters do not tell how many were received");
}

void
judge_end(void)
{
    if (plan->kind == MMF_KIND_QUEUE)
        judge_rest_of_queue();
    if (plan->kind == MMF_KIND_TOPIC)
        judge_rest_of_topic();
    if (plan->kills == 0)
        judge_counters();
}
