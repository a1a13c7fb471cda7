/*
 * channel.c - queues, topics, latest values, and what services have of channels.
 *
 * A call first tries without waiting, and keeps the interpreter's lock meanwhile: that is
 * the fast path. Else it waits in slices without that lock, so that signals, close() and
 * other threads that want the same handle get their turn.
 */
#include "binding.h"

#include <time.h>

#define SLICE_MS 20

#define CHANNEL_KIND(word, type)                                                       \
    static void close_##word(void *handle)                                             \
    {                                                                                  \
        mmf_##word##_close((type *)handle);                                            \
    }                                                                                  \
    static int commit_##word(void *handle, size_t length, uint64_t *sequence)          \
    {                                                                                  \
        return mmf_##word##_commit((type *)handle, length, sequence);                  \
    }                                                                                  \
    static int abandon_##word(void *handle)                                            \
    {                                                                                  \
        return mmf_##word##_abandon((type *)handle);                                   \
    }                                                                                  \
    static mmf_waitable *waitable_##word(void *handle)                                 \
    {                                                                                  \
        return mmf_##word##_waitable((type *)handle);                                  \
    }                                                                                  \
    static int stat_##word(void *handle, mmf_channel_stats *stats)                     \
    {                                                                                  \
        return mmf_##word##_stat((type *)handle, stats);                               \
    }                                                                                  \
    static int fd_##word(void *handle, int *fd)                                        \
    {                                                                                  \
        return mmf_##word##_fd((type *)handle, fd);                                    \
    }
#define WAITING_KIND(word, type)                                                       \
    static int send_##word(void *handle, const void *bytes, size_t length, int32_t ms, \
                           uint64_t *sequence)                                         \
    {                                                                                  \
        return mmf_##word##_send((type *)handle, bytes, length, ms, sequence);         \
    }                                                                                  \
    static int reserve_##word(void *handle, size_t length, int32_t ms, void **bytes)   \
    {                                                                                  \
        return mmf_##word##_reserve((type *)handle, length, ms, bytes);                \
    }                                                                                  \
    static int take_##word(void *handle, int32_t ms, mmf_message *message)             \
    {                                                                                  \
        return mmf_##word##_take((type *)handle, ms, message);                         \
    }

CHANNEL_KIND(queue, mmf_queue)
CHANNEL_KIND(topic, mmf_topic)
CHANNEL_KIND(latest, mmf_latest)
WAITING_KIND(queue, mmf_queue)
WAITING_KIND(topic, mmf_topic)

static int
release_queue(void *handle, const mmf_message *message)
{
    return mmf_queue_release(handle, message);
}

static int
return_queue(void *handle, const mmf_message *message)
{
    return mmf_queue_return(handle, message);
}

static int
release_topic(void *handle, const mmf_message *message)
{
    (void)message;
    return mmf_topic_release(handle);
}

/* A latest value never waits for space. */
static int
send_latest(void *handle, const void *bytes, size_t length, int32_t ms,
            uint64_t *version)
{
    (void)ms;
    return mmf_latest_send(handle, bytes, length, version);
}

static int
reserve_latest(void *handle, size_t length, int32_t ms, void **bytes)
{
    (void)ms;
    return mmf_latest_reserve(handle, length, bytes);
}

static int
take_latest(void *handle, int32_t ms, mmf_message *message)
{
    (void)ms;
    return mmf_latest_take(handle, message);
}

static int
release_latest(void *handle, const mmf_message *message)
{
    (void)message;
    return mmf_latest_release(handle);
}

#define KIND(word, return_message)                                                     \
    const struct kind word##_kind = {.name = #word,                                    \
                                     .close = close_##word,                            \
                                     .waitable = waitable_##word,                      \
                                     .send = send_##word,                              \
                                     .reserve = reserve_##word,                        \
                                     .commit = commit_##word,                          \
                                     .abandon = abandon_##word,                        \
                                     .take = take_##word,                              \
                                     .release = release_##word,                        \
                                     .returns = return_message,                        \
                                     .stat = stat_##word,                              \
                                     .fd = fd_##word};
KIND(queue, return_queue)
KIND(topic, NULL)
KIND(latest, NULL)

/*
 * Opening: _open(how, name, message_size, capacity, overflow, role, strategy, flags,
 * max_senders, max_receivers, replay, max_pins, all_users, mode, wait_ms).
 */

struct request {
    int how; /* 0: create_new, 1: create_or_open, 2: open_existing */
    const char *name;
    size_t message_size, capacity;
    mmf_overflow overflow;
    mmf_channel_options options;
    int created;
};

#define OPEN_KIND(word)                                                                \
    static int open_##word(struct request *request, void **handle)                     \
    {                                                                                  \
        mmf_##word **out = (mmf_##word **)handle;                                      \
                                                                                       \
        if (request->how == 0)                                                         \
            return mmf_##word##_create_new(request->name, request->message_size,       \
                                           request->capacity, request->overflow,       \
                                           &request->options, out);                    \
        if (request->how == 1)                                                         \
            return mmf_##word##_create_or_open(                                        \
                request->name, request->message_size, request->capacity,               \
                request->overflow, &request->options, &request->created, out);         \
        return mmf_##word##_open_existing(request->name, &request->options, out);      \
    }
OPEN_KIND(queue)
OPEN_KIND(topic)

static int
open_latest(struct request *request, void **handle)
{
    mmf_latest **out = (mmf_latest **)handle;

    if (request->how == 0)
        return mmf_latest_create_new(request->name, request->message_size,
                                     &request->options, out);
    if (request->how == 1)
        return mmf_latest_create_or_open(request->name, request->message_size,
                                         &request->options, &request->created, out);
    return mmf_latest_open_existing(request->name, &request->options, out);
}

PyObject *
channel_made(PyObject *type, const struct kind *kind, PyObject *name, int rc,
             void *handle, bool created)
{
    mmf_channel_stats stats;
    struct object *self = NULL;

    if (rc >= 0)
        rc = kind->stat(handle, &stats);
    if (rc < 0)
        raise_last(rc);
    else
        self = object_new((PyTypeObject *)type, kind, name);
    if (self == NULL) {
        if (handle != NULL)
            kind->close(handle);
        return NULL;
    }
    self->handle = handle;
    self->created = created;
    self->message_size = (size_t)stats.message_size;
    self->answer_size = (size_t)stats.answer_size;
    return (PyObject *)self;
}

static PyObject *
channel_open(PyObject *type, PyObject *arguments, const struct kind *kind,
             int (*open)(struct request *, void **))
{
    struct request request = {.options = {.size = sizeof(mmf_channel_options)}};
    mmf_channel_options *options = &request.options;
    Py_ssize_t message_size, capacity;
    int overflow, strategy, rc;
    void *handle = NULL;
    PyObject *name;

    if (!PyArg_ParseTuple(arguments, "iOnniiiiiiiiiii", &request.how, &name,
                          &message_size, &capacity, &overflow, &options->role,
                          &strategy, &options->flags, &options->max_senders,
                          &options->max_receivers, &options->replay, &options->max_pins,
                          &options->all_users, &options->mode, &options->wait_ms) ||
        !parse_name(name, &request.name))
        return NULL;
    if (message_size < 0 || capacity < 0)
        return raise_status(MMF_E_RANGE, "invalid size %zd: 1 or more",
                            message_size < 0 ? message_size : capacity);
    request.message_size = (size_t)message_size;
    request.capacity = (size_t)capacity;
    request.overflow = (mmf_overflow)overflow;
    options->strategy = (mmf_strategy)strategy;
    request.created = request.how == 0;
    Py_BEGIN_ALLOW_THREADS rc = open(&request, &handle);
    Py_END_ALLOW_THREADS return channel_made(type, kind, name, rc, handle,
                                             request.created != 0);
}

static PyObject *
queue_open(PyObject *type, PyObject *arguments)
{
    return channel_open(type, arguments, &queue_kind, open_queue);
}

static PyObject *
topic_open(PyObject *type, PyObject *arguments)
{
    return channel_open(type, arguments, &topic_kind, open_topic);
}

static PyObject *
latest_open(PyObject *type, PyObject *arguments)
{
    return channel_open(type, arguments, &latest_kind, open_latest);
}

/*
 * Turns and slices.
 */

static void
pause_us(long us)
{
    const struct timespec time = {.tv_nsec = us * 1000};

    Py_BEGIN_ALLOW_THREADS nanosleep(&time, NULL);
    Py_END_ALLOW_THREADS
}

void *
handle_after_turns(struct object *self)
{
    void *handle = object_handle(self);

    if (handle == NULL || !self->busy)
        return handle;
    self->wanted++;
    while (handle != NULL && self->busy) {
        pause_us(100);
        handle = PyErr_CheckSignals() < 0 ? NULL : object_handle(self);
    }
    self->wanted--;
    return handle;
}

int
step_send(struct object *self, struct call *call, int32_t ms)
{
    return self->kind->send(self->handle, call->bytes, call->length, ms,
                            &self->sequence);
}

int
step_take(struct object *self, struct call *call, int32_t ms)
{
    (void)call;
    return self->kind->take(self->handle, ms, &self->last);
}

static int
step_reserve(struct object *self, struct call *call, int32_t ms)
{
    return self->kind->reserve(self->handle, call->length, ms, &call->memory);
}

static int
step_wait(struct object *self, struct call *call, int32_t ms)
{
    return mmf_latest_wait(self->handle, call->number, ms);
}

static int
step_drain(struct object *self, struct call *call, int32_t ms)
{
    (void)call;
    return mmf_queue_drain(self->handle, ms);
}

static int
wait_in_slices(struct object *self, struct call *call, int32_t ms)
{
    int64_t until = now_ms() + ms;
    int64_t left = ms;
    int32_t slice;
    int rc;

    do {
        if (PyErr_CheckSignals() < 0 || handle_in_turn(self) == NULL)
            return WAIT_INTERRUPTED;
        slice = self->wanted > 0 ? 1 : SLICE_MS;
        if (ms >= 0 && left < slice)
            slice = (int32_t)left;
        self->users++;
        self->busy = true;
        Py_BEGIN_ALLOW_THREADS rc = call->step(self, call, slice);
        Py_END_ALLOW_THREADS self->busy = false;
        object_user_gone(self);
        if (rc != MMF_TIMED_OUT && !(self->closed && call->takes))
            return rc;
        pause_us(1); /* another thread's turn, if one waits for it */
        left = ms < 0 ? 1 : until - now_ms();
    } while (left > 0);
    return rc;
}

/* Inline: where the step is known it is part of its caller. */
static inline int
run(struct object *self, struct call *call, int32_t ms)
{
    int rc;

    if (handle_in_turn(self) == NULL)
        return WAIT_INTERRUPTED;
    rc = call->step(self, call, ms < -1 ? ms : 0); /* which it refuses */
    return rc == MMF_TIMED_OUT && ms != 0 ? wait_in_slices(self, call, ms) : rc;
}

int
channel_run(struct object *self, struct call *call, int32_t ms)
{
    return run(self, call, ms);
}

/*
 * Sending.
 */

int
channel_send_data(struct object *self, struct call *call, PyObject *data, int32_t ms)
{
    Py_buffer buffer;
    int rc;

    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return WAIT_INTERRUPTED;
    call->bytes = buffer.buf;
    call->length = (size_t)buffer.len;
    rc = channel_run(self, call, ms);
    PyBuffer_Release(&buffer);
    return rc;
}

static inline int
send_one(struct object *self, PyObject *data, int32_t ms)
{
    struct call call = {.step = step_send};

    if (!PyBytes_CheckExact(data))
        return channel_send_data(self, &call, data, ms);
    call.bytes = PyBytes_AsString(data); /* no buffer to ask for and to return */
    call.length = (size_t)PyBytes_Size(data);
    return run(self, &call, ms);
}

static PyObject *
true_or_false(int rc)
{
    if (rc < 0)
        return raise_last(rc);
    return PyBool_FromLong(rc != MMF_TIMED_OUT);
}

static PyObject *
channel_send(PyObject *self, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    static const char *const names[] = {"data", "timeout", NULL};
    PyObject *values[2];
    int32_t ms;

    if (!parse_arguments("send", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    return true_or_false(send_one((struct object *)self, values[0], ms));
}

static PyObject *
latest_send(PyObject *self, PyObject *data)
{
    return true_or_false(send_one((struct object *)self, data, 0));
}

static PyObject *
channel_send_many(PyObject *self, PyObject *const *given, Py_ssize_t count,
                  PyObject *kwnames)
{
    static const char *const names[] = {"messages", "timeout", NULL};
    PyObject *values[2], *iterator, *item;
    Py_ssize_t sent = 0;
    int64_t until;
    int rc = MMF_OK;
    int32_t ms;

    if (!parse_arguments("send_many", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    until = now_ms() + ms;
    iterator = PyObject_GetIter(values[0]);
    if (iterator == NULL)
        return NULL;
    while (rc == MMF_OK && (item = PyIter_Next(iterator)) != NULL) {
        rc = send_one((struct object *)self, item, ms);
        Py_DECREF(item);
        if (rc == MMF_OK)
            sent++;
        if (ms > 0)
            ms = until > now_ms() ? (int32_t)(until - now_ms()) : 0;
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    if (rc < 0 && (rc != MMF_E_FULL || sent == 0))
        return raise_last(rc);
    return PyLong_FromSsize_t(sent); /* as mmf_queue_send_many says it */
}

/*
 * Receiving copies.
 */

/* The bytes of the message that was taken, and its release. NULL without an exception:
 * it was overwritten meanwhile. */
static PyObject *
copy_and_release(struct object *self)
{
    PyObject *bytes =
        PyBytes_FromStringAndSize(self->last.bytes, (Py_ssize_t)self->last.length);
    int rc;

    if (bytes == NULL)
        return NULL;
    rc = self->kind->release(self->handle, &self->last);
    self->sequence = self->last.sequence;
    if (rc != MMF_OK) {
        Py_DECREF(bytes);
        return rc < 0 ? raise_last(rc) : NULL;
    }
    return bytes;
}

static PyObject *
receive_one(struct object *self, int32_t ms)
{
    struct call call = {.step = step_take, .takes = true};
    PyObject *bytes;
    int rc;

    do {
        rc = run(self, &call, ms);
        if (rc < 0)
            return raise_last(rc);
        if (rc == MMF_TIMED_OUT)
            Py_RETURN_NONE;
        bytes = copy_and_release(self);
    } while (bytes == NULL && !PyErr_Occurred());
    return bytes;
}

static PyObject *
channel_receive(PyObject *self, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    PyObject *timeout;
    int32_t ms;

    if (!parse_arguments("receive", given, count, kwnames, names, 0, &timeout) ||
        !parse_timeout(timeout, &ms))
        return NULL;
    return receive_one((struct object *)self, ms);
}

static PyObject *
latest_receive(PyObject *self, PyObject *unused)
{
    (void)unused;
    return receive_one((struct object *)self, 0);
}

static PyObject *
channel_receive_many(PyObject *self, PyObject *const *given, Py_ssize_t count,
                     PyObject *kwnames)
{
    static const char *const names[] = {"most", "timeout", NULL};
    PyObject *values[2], *list, *bytes;
    Py_ssize_t most;
    int32_t ms;

    if (!parse_arguments("receive_many", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    most = PyLong_AsSsize_t(values[0]);
    if (most == -1 && PyErr_Occurred())
        return NULL;
    if (most < 1)
        return raise_status(MMF_E_RANGE, "most is %zd: 1 or more", most);
    list = PyList_New(0);
    while (list != NULL && PyList_Size(list) < most) {
        bytes = receive_one((struct object *)self, ms);
        if (bytes == Py_None || (bytes == NULL && PyList_Size(list) > 0 &&
                                 !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))) {
            PyErr_Clear(); /* a failure comes again at the next call */
            Py_XDECREF(bytes);
            break;
        }
        if (bytes == NULL || PyList_Append(list, bytes) < 0)
            Py_CLEAR(list);
        Py_XDECREF(bytes);
        ms = 0;
    }
    return list;
}

static PyObject *
latest_wait(PyObject *object, PyObject *const *given, Py_ssize_t count,
            PyObject *kwnames)
{
    static const char *const names[] = {"version", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_wait, .number = self->last.sequence};
    PyObject *values[2];
    int32_t ms;

    if (!parse_arguments("wait", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    if (values[0] != NULL && values[0] != Py_None) {
        call.number = PyLong_AsUnsignedLongLong(values[0]);
        if (PyErr_Occurred())
            return NULL;
    }
    return true_or_false(channel_run(self, &call, ms));
}

/*
 * In place.
 */

PyObject *
channel_take_as(PyObject *object, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames, const char *name, PyObject *(*lend)(struct object *))
{
    static const char *const names[] = {"timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_take, .takes = true};
    PyObject *timeout;
    int32_t ms;
    int rc;

    if (!parse_arguments(name, given, count, kwnames, names, 0, &timeout) ||
        !parse_timeout(timeout, &ms))
        return NULL;
    rc = channel_run(self, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    self->sequence = self->last.sequence;
    return lend(self);
}

static PyObject *
channel_take(PyObject *self, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    return channel_take_as(self, given, count, kwnames, "take", lend_message);
}

PyObject *
channel_reserve(PyObject *object, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames)
{
    static const char *const names[] = {"length", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {
        .step = step_reserve, .length = self->message_size, .takes = true};
    PyObject *values[2];
    int32_t ms;
    int rc;

    if (!parse_arguments("reserve", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[1], &ms) || !parse_size(values[0], &call.length))
        return NULL;
    rc = channel_run(self, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    return lend_slot(self, call.length, call.memory);
}

static PyObject *
queue_drain(PyObject *self, PyObject *const *given, Py_ssize_t count, PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    struct call call = {.step = step_drain};
    PyObject *timeout;
    int32_t ms;

    if (!parse_arguments("drain", given, count, kwnames, names, 0, &timeout) ||
        !parse_timeout(timeout, &ms))
        return NULL;
    return true_or_false(channel_run((struct object *)self, &call, ms));
}

static PyObject *
queue_applied(PyObject *object, PyObject *number)
{
    struct object *self = (struct object *)object;
    uint64_t source, position;
    int rc;

    if (!parse_number(number, &source) || handle_in_turn(self) == NULL)
        return NULL;
    rc = mmf_queue_applied(self->handle, source, &position);
    return rc < 0 ? raise_last(rc) : PyLong_FromUnsignedLongLong(position);
}

/*
 * What a channel says of itself.
 */

PyObject *
channel_describe(const mmf_channel_stats *stats)
{
    return Py_BuildValue(
        "{sy# sL sL sK sK sK sK sK sL sL si si si si si si sL si si sL}", "identity",
        stats->identity, (Py_ssize_t)sizeof(stats->identity), "message_size",
        (long long)stats->message_size, "capacity", (long long)stats->capacity, "sent",
        (unsigned long long)stats->sent, "received",
        (unsigned long long)stats->received, "dropped",
        (unsigned long long)stats->dropped, "lost", (unsigned long long)stats->lost,
        "redelivered", (unsigned long long)stats->redelivered, "depth",
        (long long)stats->depth, "high_water", (long long)stats->high_water, "senders",
        (int)stats->senders, "receivers", (int)stats->receivers, "max_senders",
        (int)stats->max_senders, "max_receivers", (int)stats->max_receivers, "pins",
        (int)stats->pins, "max_pins", (int)stats->max_pins, "answer_size",
        (long long)stats->answer_size, "max_calls", (int)stats->max_calls,
        "max_answers", (int)stats->max_answers, "in_flight",
        (long long)stats->in_flight);
}

PyObject *
channel_stat(PyObject *object, PyObject *unused)
{
    struct object *self = (struct object *)object;
    mmf_channel_stats stats;
    int rc;

    (void)unused;
    if (handle_in_turn(self) == NULL)
        return NULL;
    rc = self->kind->stat(self->handle, &stats);
    return rc < 0 ? raise_last(rc) : channel_describe(&stats);
}

PyObject *
channel_fileno(PyObject *object, PyObject *unused)
{
    struct object *self = (struct object *)object;
    int fd = -1, rc;

    (void)unused;
    if (handle_in_turn(self) == NULL)
        return NULL;
    rc = self->kind->fd(self->handle, &fd);
    return rc < 0 ? raise_last(rc) : PyLong_FromLong(fd);
}

PyObject *
channel_message_size(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(((struct object *)self)->message_size);
}

static PyObject *
get_last_sequence(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct object *)self)->sequence);
}

static PyObject *
get_last_lost(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct object *)self)->last.lost);
}

static PyObject *
get_last_deliveries(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(((struct object *)self)->last.deliveries);
}

static PyObject *
get_last_redelivered(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct object *)self)->last.flags &
                           MMF_MESSAGE_REDELIVERED);
}

/*
 * The types.
 */

#define SHARED_METHODS                                                                 \
    {"close", object_close, METH_NOARGS,                                               \
     "close($self)\n--\n\nClose the handle. Messages in flight go to another "         \
     "consumer."},                                                                     \
        {"stat", channel_stat, METH_NOARGS,                                            \
         "stat($self)\n--\n\nThe channel's counters and limits, as a dict."},          \
        {"fileno", channel_fileno, METH_NOARGS,                                        \
         "fileno($self)\n--\n\nA descriptor that polls readable when there may be a "  \
         "message; drain\nthe channel after it: receive(0) until None. A Poller has "  \
         "one "                                                                        \
         "for many\nobjects."},                                                        \
        {"reserve", FAST(channel_reserve), WITH_KEYWORDS,                              \
         "reserve($self, length=None, timeout=None)\n--\n\nA slot to write a message " \
         "in place: a writable buffer, and a context\nmanager that commits. None if "  \
         "there was no space in time."},                                               \
    {                                                                                  \
        "take", FAST(channel_take), WITH_KEYWORDS,                                     \
            "take($self, timeout=None)\n--\n\nThe next message in place: a buffer, "   \
            "and a context manager that releases it,\nor returns it if the block "     \
            "raised. None if the time, in seconds, ran out."                           \
    }

static PyMethodDef queue_methods[] = {
    {"_open", queue_open, METH_VARARGS | METH_CLASS, NULL},
    {"drain", FAST(queue_drain), WITH_KEYWORDS,
     "drain($self, timeout=None)\n--\n\nWait until all that was sent so far, by any "
     "producer, was released. False if the\ntime ran out."},
    {"applied", queue_applied, METH_O,
     "applied($self, source, /)\n--\n\nThe last position of the source that "
     "Slot.commit_from has sent; 0: none. A process\nthat takes over goes on with what "
     "comes after it."},
    {NULL, NULL, 0, NULL}};
static PyMethodDef topic_methods[] = {
    {"_open", topic_open, METH_VARARGS | METH_CLASS, NULL}, {NULL, NULL, 0, NULL}};

static PyMethodDef channel_methods[] = {
    SHARED_METHODS,
    {"send", FAST(channel_send), WITH_KEYWORDS,
     "send($self, data, timeout=None)\n--\n\nSend a copy of the bytes. False if there "
     "was no "
     "space in time."},
    {"send_many", FAST(channel_send_many), WITH_KEYWORDS,
     "send_many($self, messages, timeout=None)\n--\n\nSend several, in order. How many "
     "were sent: fewer if the time ran out, or it was full. They are read one after "
     "the "
     "other: if one is too long, or not bytes, those before it have been sent."},
    {"receive", FAST(channel_receive), WITH_KEYWORDS,
     "receive($self, timeout=None)\n--\n\nA copy of the next message; None if the "
     "time, in "
     "seconds, ran out."},
    {"receive_many", FAST(channel_receive_many), WITH_KEYWORDS,
     "receive_many($self, most, timeout=None)\n--\n\nUp to `most` messages. It waits "
     "for the "
     "first only."},
    {NULL, NULL, 0, NULL}};

static PyMethodDef latest_methods[] = {
    {"_open", latest_open, METH_VARARGS | METH_CLASS, NULL},
    SHARED_METHODS,
    {"send", latest_send, METH_O,
     "send($self, data, /)\n--\n\nMake the bytes the newest "
     "value. It never waits."},
    {"receive", latest_receive, METH_NOARGS,
     "receive($self)\n--\n\nA copy of the newest value; None before the first."},
    {"wait", FAST(latest_wait), WITH_KEYWORDS,
     "wait($self, version=None, timeout=None)\n--\n\nWait for a value newer than "
     "`version`; "
     "None means the one that was received\nlast. False if the time ran out."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef channel_getset[] = {
    {"message_size", channel_message_size, NULL, "Bytes that a message may have.",
     NULL},
    {"sequence", get_last_sequence, NULL,
     "The number, or version, of what was sent or received last.", NULL},
    {"lost", get_last_lost, NULL, "Messages lost right before the last one.", NULL},
    {"deliveries", get_last_deliveries, NULL,
     "How often the last message was given to a consumer.", NULL},
    {"redelivered", get_last_redelivered, NULL,
     "Whether the last message was given to another consumer before.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

PyObject *
channel_add_type(PyObject *module, const char *name, const char *doc,
                 PyMethodDef *methods, PyGetSetDef *getset, PyObject *base)
{
    PyType_Slot slots[] = {{Py_tp_methods, methods},
                           {Py_tp_doc, (void *)doc},
                           {getset != NULL ? Py_tp_getset : 0, getset},
                           {0, NULL}};
    PyType_Spec spec = {.name = name,
                        .basicsize = sizeof(struct object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, base);

    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return type;
}

int
channel_add(PyObject *module)
{
    PyObject *root = (PyObject *)waitable_type;
    PyObject *base = channel_add_type(module, "mmf._mmf.Channel", NULL, channel_methods,
                                      channel_getset, root);

    if (base == NULL ||
        channel_add_type(module, "mmf._mmf.Queue", NULL, queue_methods, NULL, base) ==
            NULL ||
        channel_add_type(module, "mmf._mmf.Topic", NULL, topic_methods, NULL, base) ==
            NULL ||
        channel_add_type(module, "mmf._mmf.Latest", NULL, latest_methods,
                         channel_getset, root) == NULL)
        return -1;
    return 0;
}
