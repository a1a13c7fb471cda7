/*
 * channel.c - queues, topics, latest values; messages and slots that are read and
 * written in place.
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

#define KIND(word)                                                                     \
    const struct kind word##_kind = {.name = #word,                                    \
                                     .close = close_##word,                            \
                                     .send = send_##word,                              \
                                     .reserve = reserve_##word,                        \
                                     .commit = commit_##word,                          \
                                     .abandon = abandon_##word,                        \
                                     .take = take_##word,                              \
                                     .release = release_##word,                        \
                                     .stat = stat_##word,                              \
                                     .fd = fd_##word};
KIND(queue)
KIND(topic)
KIND(latest)

/*
 * Opening: _open(how, name, message_size, capacity, overflow, role, strategy, flags,
 * max_senders, max_receivers, replay, all_users, mode, wait_ms).
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

static PyObject *
channel_open(PyObject *type, PyObject *arguments, const struct kind *kind,
             int (*open)(struct request *, void **))
{
    struct request request = {.options = {.size = sizeof(mmf_channel_options)}};
    mmf_channel_options *options = &request.options;
    Py_ssize_t message_size, capacity;
    mmf_channel_stats stats;
    int overflow, strategy, rc;
    struct object *self;
    void *handle = NULL;
    PyObject *name;

    if (!PyArg_ParseTuple(arguments, "iOnniIiIiiiiIi", &request.how, &name,
                          &message_size, &capacity, &overflow, &options->role,
                          &strategy, &options->flags, &options->max_senders,
                          &options->max_receivers, &options->replay,
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
    if (rc >= 0)
        rc = kind->stat(handle, &stats);
    Py_END_ALLOW_THREADS if (rc < 0)
    {
        raise_last(rc);
        if (handle != NULL)
            kind->close(handle);
        return NULL;
    }
    self = object_new((PyTypeObject *)type, kind, name);
    if (self == NULL) {
        kind->close(handle);
        return NULL;
    }
    self->handle = handle;
    self->created = request.created != 0;
    self->message_size = (size_t)stats.message_size;
    return (PyObject *)self;
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

/* The handle, when no other thread is in a slice with it. */
static void *
handle_in_turn(struct object *self)
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

/* One call of C's, with what it gets and gives. */
struct call {
    int (*step)(struct object *self, struct call *call, int32_t ms);
    const void *bytes;
    size_t length;
    void *memory;
    uint64_t version;
};

static int
step_send(struct object *self, struct call *call, int32_t ms)
{
    return self->kind->send(self->handle, call->bytes, call->length, ms,
                            &self->sequence);
}

static int
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
    return mmf_latest_wait(self->handle, call->version, ms);
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
        if (rc != MMF_TIMED_OUT && !(self->closed && call->step != step_send))
            return rc; /* closed meanwhile, what was taken is no longer there */
        pause_us(1);   /* another thread's turn, if one waits for it */
        left = ms < 0 ? 1 : until - now_ms();
    } while (left > 0);
    return rc;
}

static int
run(struct object *self, struct call *call, int32_t ms)
{
    int rc;

    if (handle_in_turn(self) == NULL)
        return WAIT_INTERRUPTED;
    rc = call->step(self, call, ms < -1 ? ms : 0); /* which it refuses */
    return rc == MMF_TIMED_OUT && ms != 0 ? wait_in_slices(self, call, ms) : rc;
}

/*
 * Sending.
 */

static int
send_one(struct object *self, PyObject *data, int32_t ms)
{
    struct call call = {.step = step_send};
    Py_buffer buffer;
    int rc;

    if (PyBytes_CheckExact(data)) { /* no buffer to ask for and to return */
        call.bytes = PyBytes_AsString(data);
        call.length = (size_t)PyBytes_Size(data);
        return run(self, &call, ms);
    }
    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return WAIT_INTERRUPTED;
    call.bytes = buffer.buf;
    call.length = (size_t)buffer.len;
    rc = run(self, &call, ms);
    PyBuffer_Release(&buffer);
    return rc;
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
    return rc < 0 ? raise_last(rc) : PyLong_FromSsize_t(sent);
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
    struct call call = {.step = step_take};
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
    struct call call = {.step = step_wait, .version = self->last.sequence};
    PyObject *values[2];
    int32_t ms;

    if (!parse_arguments("wait", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    if (values[0] != NULL && values[0] != Py_None) {
        call.version = PyLong_AsUnsignedLongLong(values[0]);
        if (PyErr_Occurred())
            return NULL;
    }
    return true_or_false(run(self, &call, ms));
}

/*
 * In place: a message that was taken, a slot that was reserved. Buffers on them keep the
 * channel's memory; only without buffers can they be released.
 */

struct lent {
    PyObject_HEAD struct object *channel;
    mmf_message message;
    void *memory; /* of a slot; NULL: a message */
    size_t size;
    Py_ssize_t exports;
    unsigned fork_epoch;
    bool done;
};

static PyObject *message_type, *slot_type;

static bool
check_lent(struct lent *self)
{
    if (!self->done && !self->channel->closed && self->channel->handle != NULL &&
        self->fork_epoch == fork_epoch)
        return true;
    raise_status(self->done ? MMF_E_STATE : MMF_E_DISPOSED, "this %s is %s",
                 self->memory != NULL ? "slot" : "message",
                 self->done ? "done" : "of a channel that is closed");
    return false;
}

static int
lent_getbuffer(PyObject *object, Py_buffer *buffer, int flags)
{
    struct lent *self = (struct lent *)object;
    bool is_slot = self->memory != NULL;
    int rc;

    buffer->obj = NULL;
    if (!check_lent(self))
        return -1;
    rc = PyBuffer_FillInfo(buffer, object,
                           is_slot ? self->memory : (void *)self->message.bytes,
                           (Py_ssize_t)self->size, !is_slot, flags);
    if (rc == 0) {
        self->exports++;
        self->channel->users++;
    }
    return rc;
}

static void
lent_releasebuffer(PyObject *object, Py_buffer *buffer)
{
    struct lent *self = (struct lent *)object;

    (void)buffer;
    self->exports--;
    if (self->fork_epoch == self->channel->fork_epoch)
        object_user_gone(self->channel);
}

static Py_ssize_t
lent_length(PyObject *self)
{
    return (Py_ssize_t)((struct lent *)self)->size;
}

static PyObject *
lend(PyObject *type, struct object *channel, size_t size)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
    struct lent *self = (struct lent *)allocate((PyTypeObject *)type, 0);

    if (self == NULL)
        return NULL;
    self->channel = (struct object *)Py_NewRef((PyObject *)channel);
    self->message = channel->last;
    self->size = size;
    self->fork_epoch = fork_epoch;
    return (PyObject *)self;
}

/* The end of a message or a slot: `length` is NULL for what gives it back as it was. */
static int
finish(struct lent *self, const size_t *length)
{
    struct object *channel = self->channel;
    const struct kind *kind = channel->kind;
    int rc;

    if (handle_in_turn(channel) == NULL)
        return WAIT_INTERRUPTED;
    if (self->memory == NULL)
        rc = kind->release(channel->handle, &self->message);
    else if (length != NULL)
        rc = kind->commit(channel->handle, *length, &channel->sequence);
    else
        rc = kind->abandon(channel->handle);
    if (rc >= 0)
        self->done = true;
    return rc;
}

static PyObject *
finish_checked(struct lent *self, const size_t *length)
{
    int rc;

    if (!check_lent(self))
        return NULL;
    if (self->exports != 0) {
        PyErr_SetString(PyExc_BufferError,
                        "memoryviews or arrays on it exist: release them first");
        return NULL;
    }
    rc = finish(self, length);
    return rc < 0 ? raise_last(rc) : PyBool_FromLong(rc != MMF_OVERWRITTEN);
}

static PyObject *
message_release(PyObject *object, PyObject *unused)
{
    struct lent *self = (struct lent *)object;

    (void)unused;
    if (self->done)
        Py_RETURN_TRUE;
    return finish_checked(self, NULL);
}

static PyObject *
slot_commit(PyObject *object, PyObject *const *given, Py_ssize_t count,
            PyObject *kwnames)
{
    static const char *const names[] = {"length", NULL};
    struct lent *self = (struct lent *)object;
    size_t length = self->size;
    PyObject *number;

    if (!parse_arguments("commit", given, count, kwnames, names, 0, &number))
        return NULL;
    if (number != NULL && number != Py_None) {
        length = PyLong_AsSize_t(number);
        if (PyErr_Occurred())
            return NULL;
    }
    return finish_checked(self, &length);
}

static PyObject *
slot_abandon(PyObject *self, PyObject *unused)
{
    return message_release(self, unused);
}

static PyObject *
lent_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

/* A slot is committed unless the block raised. */
static PyObject *
lent_exit(PyObject *object, PyObject *arguments)
{
    struct lent *self = (struct lent *)object;
    bool raised =
        PyTuple_Size(arguments) > 0 && PyTuple_GetItem(arguments, 0) != Py_None;
    PyObject *done;

    if (self->done || (raised && self->channel->closed))
        Py_RETURN_FALSE;
    done = finish_checked(self, raised ? NULL : &self->size);
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    Py_RETURN_FALSE;
}

static void
lent_dealloc(PyObject *object)
{
    struct lent *self = (struct lent *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    struct object *channel = self->channel;

    if (channel != NULL && !self->done && !channel->closed && !channel->busy &&
        channel->handle != NULL && self->fork_epoch == fork_epoch)
        finish(self, NULL);
    Py_XDECREF((PyObject *)channel);
    release(object);
    Py_DECREF(type);
}

static PyObject *
get_sequence(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct lent *)self)->message.sequence);
}

static PyObject *
get_lost(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(((struct lent *)self)->message.lost);
}

static PyObject *
get_redelivered(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct lent *)self)->message.flags &
                           MMF_MESSAGE_REDELIVERED);
}

static PyObject *
channel_take(PyObject *object, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_take};
    PyObject *timeout;
    int32_t ms;
    int rc;

    if (!parse_arguments("take", given, count, kwnames, names, 0, &timeout) ||
        !parse_timeout(timeout, &ms))
        return NULL;
    rc = run(self, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    self->sequence = self->last.sequence;
    return lend(message_type, self, self->last.length);
}

static PyObject *
channel_reserve(PyObject *object, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames)
{
    static const char *const names[] = {"length", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_reserve, .length = self->message_size};
    PyObject *values[2], *slot;
    int32_t ms;
    int rc;

    if (!parse_arguments("reserve", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    if (values[0] != NULL && values[0] != Py_None) {
        call.length = PyLong_AsSize_t(values[0]);
        if (PyErr_Occurred())
            return NULL;
    }
    rc = run(self, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    slot = lend(slot_type, self, call.length);
    if (slot == NULL)
        self->kind->abandon(self->handle);
    else
        ((struct lent *)slot)->memory = call.memory;
    return slot;
}

/*
 * What a channel says of itself.
 */

static PyObject *
channel_stat(PyObject *object, PyObject *unused)
{
    struct object *self = (struct object *)object;
    mmf_channel_stats stats;
    int rc;

    (void)unused;
    if (handle_in_turn(self) == NULL)
        return NULL;
    rc = self->kind->stat(self->handle, &stats);
    if (rc < 0)
        return raise_last(rc);
    return Py_BuildValue(
        "{sy# sL sL sK sK sK sK sK sL sL si si si si}", "identity", stats.identity,
        (Py_ssize_t)sizeof(stats.identity), "message_size",
        (long long)stats.message_size, "capacity", (long long)stats.capacity, "sent",
        (unsigned long long)stats.sent, "received", (unsigned long long)stats.received,
        "dropped", (unsigned long long)stats.dropped, "lost",
        (unsigned long long)stats.lost, "redelivered",
        (unsigned long long)stats.redelivered, "depth", (long long)stats.depth,
        "high_water", (long long)stats.high_water, "senders", (int)stats.senders,
        "receivers", (int)stats.receivers, "max_senders", (int)stats.max_senders,
        "max_receivers", (int)stats.max_receivers);
}

static PyObject *
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

static PyObject *
get_message_size(PyObject *self, void *unused)
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
get_last_redelivered(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct object *)self)->last.flags &
                           MMF_MESSAGE_REDELIVERED);
}

/*
 * The types.
 */

#define FAST(function) ((PyCFunction)(void (*)(void))(function))
#define WITH_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)

#define SHARED_METHODS                                                                 \
    {"close", object_close, METH_NOARGS,                                               \
     "close($self)\n--\n\nClose the handle. Messages in flight go to another "         \
     "consumer."},                                                                     \
        {"stat", channel_stat, METH_NOARGS,                                            \
         "stat($self)\n--\n\nThe channel's counters and limits, as a dict."},          \
        {"fileno", channel_fileno, METH_NOARGS,                                        \
         "fileno($self)\n--\n\nA descriptor that polls readable when there may be a "  \
         "message; drain\nthe channel after it: receive(0) until None."},              \
        {"reserve", FAST(channel_reserve), WITH_KEYWORDS,                              \
         "reserve($self, length=None, timeout=None)\n--\n\nA slot to write a message " \
         "in "                                                                         \
         "place: a writable buffer, and a context\nmanager that commits. None if "     \
         "there was no space in time."},                                               \
    {                                                                                  \
        "take", FAST(channel_take), WITH_KEYWORDS,                                     \
            "take($self, timeout=None)\n--\n\nThe next message in place: a buffer, "   \
            "and a "                                                                   \
            "context manager that releases it.\nNone if the time, in seconds, ran "    \
            "out."                                                                     \
    }

static PyMethodDef message_methods_of_queue[] = {
    {"_open", queue_open, METH_VARARGS | METH_CLASS, NULL}, {NULL, NULL, 0, NULL}};
static PyMethodDef message_methods_of_topic[] = {
    {"_open", topic_open, METH_VARARGS | METH_CLASS, NULL}, {NULL, NULL, 0, NULL}};

static PyMethodDef channel_methods[] = {
    SHARED_METHODS,
    {"send", FAST(channel_send), WITH_KEYWORDS,
     "send($self, data, timeout=None)\n--\n\nSend a copy of the bytes. False if there "
     "was no "
     "space in time."},
    {"send_many", FAST(channel_send_many), WITH_KEYWORDS,
     "send_many($self, messages, timeout=None)\n--\n\nSend several, in order. How many "
     "were "
     "sent: fewer if the time ran out."},
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
    {"message_size", get_message_size, NULL, "Bytes that a message may have.", NULL},
    {"sequence", get_last_sequence, NULL,
     "The number, or version, of what was sent or received last.", NULL},
    {"lost", get_last_lost, NULL, "Messages lost right before the last one.", NULL},
    {"redelivered", get_last_redelivered, NULL,
     "Whether the last message was given to another consumer before.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef message_methods[] = {{"release", message_release, METH_NOARGS,
                                         "release($self)\n--\n\nDone with the message. "
                                         "False: it was overwritten meanwhile."},
                                        {"__enter__", lent_enter, METH_NOARGS, NULL},
                                        {"__exit__", lent_exit, METH_VARARGS, NULL},
                                        {NULL, NULL, 0, NULL}};

static PyMethodDef slot_methods[] = {
    {"commit", FAST(slot_commit), WITH_KEYWORDS,
     "commit($self, length=None)\n--\n\nSend the first `length` bytes; None means "
     "all."},
    {"abandon", slot_abandon, METH_NOARGS, "abandon($self)\n--\n\nReturn the slot."},
    {"__enter__", lent_enter, METH_NOARGS, NULL},
    {"__exit__", lent_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL}};

static PyObject *
get_data(PyObject *self, void *unused)
{
    (void)unused;
    return PyMemoryView_FromObject(self);
}

#define DATA                                                                           \
    {                                                                                  \
        "data", get_data, NULL, "A memoryview of it; release() that first.", NULL      \
    }

static PyGetSetDef message_getset[] = {
    DATA,
    {"sequence", get_sequence, NULL, "Its number in the channel.", NULL},
    {"lost", get_lost, NULL, "Messages that were lost right before it.", NULL},
    {"redelivered", get_redelivered, NULL,
     "Whether it was given to another consumer before.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef slot_getset[] = {DATA, {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef no_getset[] = {{NULL, NULL, NULL, NULL, NULL}};

static PyObject *
add_lent(PyObject *module, const char *name, PyMethodDef *methods, PyGetSetDef *getset)
{
    PyType_Slot slots[] = {{Py_tp_dealloc, lent_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, getset},
                           {Py_sq_length, lent_length},
                           {Py_bf_getbuffer, lent_getbuffer},
                           {Py_bf_releasebuffer, lent_releasebuffer},
                           {0, NULL}};
    PyType_Spec spec = {.name = name,
                        .basicsize = sizeof(struct lent),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);

    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return type;
}

static PyObject *
add_kind(PyObject *module, const char *name, PyMethodDef *methods, PyObject *base)
{
    PyType_Slot slots[] = {{Py_tp_dealloc, object_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, base != NULL ? no_getset : channel_getset},
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
    PyObject *base, *queue, *topic, *latest;

    for (int i = 0; i < 3; i++)
        channel_getset[i + 4] = object_getset[i];
    message_type =
        add_lent(module, "mmf._mmf.Message", message_methods, message_getset);
    slot_type = add_lent(module, "mmf._mmf.Slot", slot_methods, slot_getset);
    base = add_kind(module, "mmf._mmf.Channel", channel_methods, NULL);
    latest = add_kind(module, "mmf._mmf.Latest", latest_methods, NULL);
    if (message_type == NULL || slot_type == NULL || base == NULL || latest == NULL)
        return -1;
    queue = add_kind(module, "mmf._mmf.Queue", message_methods_of_queue, base);
    topic = add_kind(module, "mmf._mmf.Topic", message_methods_of_topic, base);
    return queue != NULL && topic != NULL ? 0 : -1;
}
