/*
 * lent.c - in place: messages that were taken, requests, slots that were reserved.
 *
 * Buffers on them keep the channel's memory; only without buffers can they be released.
 * What ends without a release goes back where it came from: a queue's message and a
 * service's request to another consumer.
 */
#include "binding.h"

/* What it is, its type says. */
struct lent {
    PyObject_HEAD struct object *channel;
    struct lent *request; /* what the slot is an answer to */
    PyObject *copy;       /* of a request's bytes, or NULL */
    mmf_message message;
    void *memory; /* of a slot */
    size_t size;
    uint32_t flags; /* of an answer */
    Py_ssize_t exports;
    unsigned fork_epoch;
    bool done;
};

static PyObject *message_type, *request_type, *slot_type;

static bool
is_usable(const struct lent *self)
{
    return !self->done && !self->channel->closed && self->channel->handle != NULL &&
           self->fork_epoch == fork_epoch;
}

static bool
check_lent(struct lent *self)
{
    const char *what = self->memory != NULL ? "slot"
                       : Py_TYPE((PyObject *)self) == (PyTypeObject *)request_type
                           ? "request"
                           : "message";

    if (is_usable(self))
        return true;
    raise_status(self->done ? MMF_E_STATE : MMF_E_DISPOSED, "this %s is %s", what,
                 self->done ? "done" : "of a channel that is closed");
    return false;
}

static bool
check_unused(const struct lent *self)
{
    if (self->exports == 0)
        return true;
    PyErr_SetString(PyExc_BufferError,
                    "memoryviews or arrays on it exist: release them first");
    return false;
}

static int
lent_getbuffer(PyObject *object, Py_buffer *buffer, int flags)
{
    struct lent *self = (struct lent *)object;
    bool is_slot = self->memory != NULL;
    int rc;

    if (self->copy != NULL)
        return PyObject_GetBuffer(self->copy, buffer, flags);
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

static struct lent *
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
    return self;
}

PyObject *
lend_message(struct object *channel)
{
    return (PyObject *)lend(message_type, channel, channel->last.length);
}

PyObject *
lend_request(struct object *channel)
{
    return (PyObject *)lend(request_type, channel, channel->last.length);
}

PyObject *
lend_copied_request(struct object *channel)
{
    struct lent *self = lend(request_type, channel, channel->last.length);

    if (self == NULL)
        return NULL;
    self->copy = PyBytes_FromStringAndSize(channel->last.bytes, (Py_ssize_t)self->size);
    if (self->copy == NULL)
        Py_CLEAR(self); /* which returns it */
    return (PyObject *)self;
}

PyObject *
lend_slot(struct object *channel, size_t size, void *memory)
{
    struct lent *slot = lend(slot_type, channel, size);

    if (slot == NULL)
        channel->kind->abandon(channel->handle);
    else
        slot->memory = memory;
    return (PyObject *)slot;
}

/*
 * Ends.
 */

/* An answer's slot cannot be abandoned alone: its request goes with it. */
static int
finish_answer(struct lent *self, bool is_good, size_t length)
{
    struct lent *request = self->request;
    void *handle = self->channel->handle;
    bool ends = !is_good || self->flags == MMF_ANSWER_LAST;
    int rc;

    rc = is_good
             ? mmf_service_commit_answer(handle, &request->message, length, self->flags)
             : mmf_service_return(handle, &request->message);
    if (rc >= 0 && ends)
        request->done = true;
    return rc;
}

/* Not good: the block raised, or it was dropped. `length` is that of a slot. */
static int
finish(struct lent *self, bool is_good, size_t length)
{
    struct object *channel = self->channel;
    const struct kind *kind = channel->kind;
    bool returns = Py_TYPE((PyObject *)self) == (PyTypeObject *)request_type ||
                   (!is_good && kind == &queue_kind);
    int rc;

    if (handle_in_turn(channel) == NULL)
        return WAIT_INTERRUPTED;
    if (self->request != NULL)
        rc = finish_answer(self, is_good, length);
    else if (self->memory != NULL)
        rc = is_good ? kind->commit(channel->handle, length, &self->message.sequence)
                     : kind->abandon(channel->handle);
    else
        rc = (returns ? kind->returns : kind->release)(channel->handle, &self->message);
    if (rc >= 0)
        self->done = true;
    return rc;
}

static bool
check_finish(struct lent *self)
{
    if (!check_lent(self) || !check_unused(self))
        return false;
    return self->request == NULL || self->flags != MMF_ANSWER_LAST ||
           check_unused(self->request);
}

static PyObject *
message_release(PyObject *object, PyObject *unused)
{
    struct lent *self = (struct lent *)object;
    int rc = MMF_OK;

    (void)unused;
    if (!self->done) {
        if (!check_finish(self))
            return NULL;
        rc = finish(self, true, 0);
    }
    return rc < 0 ? raise_last(rc) : PyBool_FromLong(rc != MMF_OVERWRITTEN);
}

static PyObject *
lent_return(PyObject *object, PyObject *unused)
{
    struct lent *self = (struct lent *)object;
    int rc;

    (void)unused;
    if (!check_finish(self))
        return NULL;
    if (Py_TYPE(object) == (PyTypeObject *)message_type &&
        self->channel->kind != &queue_kind)
        return raise_status(MMF_E_NOT_SUPPORTED,
                            "a message of a %s cannot be returned: no other reader "
                            "waits for it",
                            self->channel->kind->name);
    rc = finish(self, false, 0);
    if (rc < 0)
        return raise_last(rc);
    Py_RETURN_NONE;
}

static PyObject *
slot_commit(PyObject *object, PyObject *const *given, Py_ssize_t count,
            PyObject *kwnames)
{
    static const char *const names[] = {"length", NULL};
    struct lent *self = (struct lent *)object;
    size_t length = self->size;
    PyObject *number;
    int rc;

    if (!parse_arguments("commit", given, count, kwnames, names, 0, &number) ||
        !parse_size(number, &length) || !check_finish(self))
        return NULL;
    rc = finish(self, true, length);
    return rc < 0 ? raise_last(rc)
                  : PyLong_FromUnsignedLongLong(self->message.sequence);
}

/* A failure leaves the slot reserved. */
static PyObject *
slot_commit_from(PyObject *object, PyObject *const *given, Py_ssize_t count,
                 PyObject *kwnames)
{
    static const char *const names[] = {"source", "position", "length", NULL};
    struct lent *self = (struct lent *)object;
    uint64_t source, position;
    size_t length = self->size;
    PyObject *values[3];
    int rc;

    if (!parse_arguments("commit_from", given, count, kwnames, names, 2, values) ||
        !parse_number(values[0], &source) || !parse_number(values[1], &position) ||
        !parse_size(values[2], &length) || !check_finish(self))
        return NULL;
    if (self->channel->kind != &queue_kind)
        return raise_status(MMF_E_NOT_SUPPORTED,
                            "a slot of a %s has no source: commit() sends it",
                            self->channel->kind->name);
    if (handle_in_turn(self->channel) == NULL)
        return NULL;
    rc = mmf_queue_commit_from(self->channel->handle, length, source, position,
                               &self->message.sequence);
    if (rc < 0)
        return raise_last(rc);
    self->done = true;
    return PyLong_FromUnsignedLongLong(self->message.sequence);
}

static PyObject *
slot_abandon(PyObject *object, PyObject *unused)
{
    struct lent *self = (struct lent *)object;

    (void)unused;
    if (self->done)
        Py_RETURN_NONE;
    return lent_return(object, NULL);
}

static PyObject *
lent_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

/*
 * The end of a block: a message is released, a slot is sent, unless the block raised. A
 * queue for one consumer has no other one to return a message to: it stays in flight, and
 * is redelivered when the handle closes.
 */
static PyObject *
lent_exit(PyObject *object, PyObject *arguments)
{
    struct lent *self = (struct lent *)object;
    bool raised =
        PyTuple_Size(arguments) > 0 && PyTuple_GetItem(arguments, 0) != Py_None;
    int rc;

    if (self->done || (raised && self->channel->closed))
        Py_RETURN_FALSE;
    if (!check_finish(self))
        return NULL;
    rc = finish(self, !raised, self->size);
    if (rc < 0 && !(raised && rc == MMF_E_NOT_SUPPORTED))
        return raise_last(rc);
    Py_RETURN_FALSE;
}

static void
lent_dealloc(PyObject *object)
{
    struct lent *self = (struct lent *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    if (self->channel != NULL && is_usable(self) && !self->channel->busy &&
        self->request == NULL)
        finish(self, false, 0);
    Py_XDECREF(self->copy);
    Py_XDECREF((PyObject *)self->request);
    Py_XDECREF((PyObject *)self->channel);
    release(object);
    Py_DECREF(type);
}

/*
 * Requests.
 */

static int
step_answer(struct object *self, struct call *call, int32_t ms)
{
    return mmf_service_answer(self->handle, call->request, call->bytes, call->length,
                              call->flags, ms);
}

static int
step_reserve_answer(struct object *self, struct call *call, int32_t ms)
{
    return mmf_service_reserve_answer(self->handle, call->request, call->length, ms,
                                      &call->memory);
}

/* 0 or 1; -1 with an exception. */
static int
parse_more(PyObject *more)
{
    return more == NULL ? 0 : PyObject_IsTrue(more);
}

static PyObject *
request_answer(PyObject *object, PyObject *const *given, Py_ssize_t count,
               PyObject *kwnames)
{
    static const char *const names[] = {"data", "more", "timeout", NULL};
    struct lent *self = (struct lent *)object;
    struct call call = {.step = step_answer, .request = &self->message};
    PyObject *values[3];
    int32_t ms;
    int more, rc;

    if (!parse_arguments("answer", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[2], &ms) || !check_lent(self))
        return NULL;
    more = parse_more(values[1]);
    if (more < 0 || (more == 0 && !check_unused(self)))
        return NULL;
    call.flags = more ? MMF_ANSWER_MORE : MMF_ANSWER_LAST;
    rc = channel_send_data(self->channel, &call, values[0], ms);
    if (rc == MMF_OK && !more)
        self->done = true;
    return rc < 0 ? raise_last(rc) : PyBool_FromLong(rc != MMF_TIMED_OUT);
}

static PyObject *
request_reserve_answer(PyObject *object, PyObject *const *given, Py_ssize_t count,
                       PyObject *kwnames)
{
    static const char *const names[] = {"length", "more", "timeout", NULL};
    struct lent *self = (struct lent *)object;
    struct call call = {.step = step_reserve_answer,
                        .request = &self->message,
                        .length = self->channel->answer_size};
    struct lent *slot;
    PyObject *values[3];
    int32_t ms;
    int more, rc;

    if (!parse_arguments("reserve_answer", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[2], &ms) || !parse_size(values[0], &call.length) ||
        !check_lent(self))
        return NULL;
    more = parse_more(values[1]);
    if (more < 0)
        return NULL;
    rc = channel_run(self->channel, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    slot = lend(slot_type, self->channel, call.length);
    if (slot == NULL)
        return NULL; /* the reservation goes with the request */
    slot->memory = call.memory;
    slot->flags = more ? MMF_ANSWER_MORE : MMF_ANSWER_LAST;
    slot->request = (struct lent *)Py_NewRef(object);
    return (PyObject *)slot;
}

static PyObject *
get_wanted(PyObject *object, void *unused)
{
    struct lent *self = (struct lent *)object;
    int wanted = 0, rc;

    (void)unused;
    if (!check_lent(self) || handle_in_turn(self->channel) == NULL)
        return NULL;
    rc = mmf_service_is_wanted(self->channel->handle, &self->message, &wanted);
    return rc < 0 ? raise_last(rc) : PyBool_FromLong(wanted);
}

/*
 * The types.
 */

static PyObject *
get_data(PyObject *self, void *unused)
{
    (void)unused;
    return PyMemoryView_FromObject(self);
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
get_deliveries(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(((struct lent *)self)->message.deliveries);
}

static PyObject *
get_redelivered(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct lent *)self)->message.flags &
                           MMF_MESSAGE_REDELIVERED);
}

static PyObject *
get_last(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct lent *)self)->message.flags & MMF_MESSAGE_LAST);
}

#define BLOCK_METHODS                                                                  \
    {"__enter__", lent_enter, METH_NOARGS, NULL},                                      \
        {"__exit__", lent_exit, METH_VARARGS, NULL},                                   \
    {                                                                                  \
        NULL, NULL, 0, NULL                                                            \
    }
#define DATA                                                                           \
    {                                                                                  \
        "data", get_data, NULL, "A memoryview of it; release() that first.", NULL      \
    }
#define RECEIVED                                                                       \
    DATA, {"sequence", get_sequence, NULL, "Its number in the channel.", NULL},        \
        {"deliveries", get_deliveries, NULL,                                           \
         "How often it was given to a consumer, this time included.", NULL},           \
    {                                                                                  \
        "redelivered", get_redelivered, NULL,                                          \
            "Whether it was given to another consumer before.", NULL                   \
    }

static PyMethodDef message_methods[] = {
    {"release", message_release, METH_NOARGS,
     "release($self)\n--\n\nDone with the message: it is acknowledged. False: it was\n"
     "overwritten meanwhile."},
    {"return_", lent_return, METH_NOARGS,
     "return_($self)\n--\n\nReturn a queue's message: another consumer gets it, with "
     "deliveries raised."},
    BLOCK_METHODS};

static PyGetSetDef message_getset[] = {
    RECEIVED,
    {"lost", get_lost, NULL, "Messages that were lost right before it.", NULL},
    {"last", get_last, NULL, "Of an answer: no other one follows to its call.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef request_methods[] = {
    {"answer", FAST(request_answer), WITH_KEYWORDS,
     "answer($self, data, more=False, timeout=None)\n--\n\nSend an answer: the last "
     "one, "
     "unless there will be more. False if too many wait\nfor their client for the "
     "time."},
    {"reserve_answer", FAST(request_reserve_answer), WITH_KEYWORDS,
     "reserve_answer($self, length=None, more=False, timeout=None)\n--\n\nA slot to "
     "write "
     "an answer in place, as reserve() makes one. If it is abandoned, so is\nthe "
     "request."},
    {"return_", lent_return, METH_NOARGS,
     "return_($self)\n--\n\nReturn the request: another server gets it, with "
     "deliveries "
     "raised."},
    BLOCK_METHODS};

static PyGetSetDef request_getset[] = {
    RECEIVED,
    {"wanted", get_wanted, NULL,
     "False if the client has died or given the call up: work for it is in vain.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef slot_methods[] = {
    {"commit", FAST(slot_commit), WITH_KEYWORDS,
     "commit($self, length=None)\n--\n\nSend the first `length` bytes; None means all. "
     "The number of the message, or of the\ncall."},
    {"commit_from", FAST(slot_commit_from), WITH_KEYWORDS,
     "commit_from($self, source, position, length=None)\n--\n\nSend it as message "
     "`position` of `source`, a number above 0 for where messages come\nfrom: a kill "
     "leaves the message and its position, or neither. For queues; see\nQueue.applied. "
     "If it raises, the slot stays reserved."},
    {"abandon", slot_abandon, METH_NOARGS, "abandon($self)\n--\n\nReturn the slot."},
    BLOCK_METHODS};

static PyGetSetDef slot_getset[] = {
    DATA,
    {"sequence", get_sequence, NULL,
     "After the commit: the number of the message, or of the call.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyObject *
add_lent(PyObject *module, const char *name, const char *doc, PyMethodDef *methods,
         PyGetSetDef *getset)
{
    PyType_Slot slots[] = {{Py_tp_dealloc, lent_dealloc},
                           {Py_tp_doc, (void *)doc},
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

int
lent_add(PyObject *module)
{
    message_type = add_lent(
        module, "mmf._mmf.Message",
        "A message in place, or an answer: a buffer. At the end of its block it is "
        "released;\nif the block raised, a queue's goes to another consumer.",
        message_methods, message_getset);
    request_type = add_lent(module, "mmf._mmf.Request",
                            "A request in place: a buffer. At the end of its block it "
                            "goes to another server, "
                            "unless\nits last answer was sent.",
                            request_methods, request_getset);
    slot_type = add_lent(module, "mmf._mmf.Slot",
                         "Where to write a message in place: a writable buffer. At the "
                         "end of its block it "
                         "is sent,\nunless the block raised.",
                         slot_methods, slot_getset);
    return message_type != NULL && request_type != NULL && slot_type != NULL ? 0 : -1;
}
