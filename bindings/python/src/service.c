/*
 * service.c - services: calls of clients, and requests that servers take, which lent.c
 * has the answers to.
 */
#include "binding.h"

static void
close_service(void *handle)
{
    mmf_service_close(handle);
}

static mmf_waitable *
waitable_service(void *handle)
{
    return mmf_service_waitable(handle);
}

static int
send_service(void *handle, const void *bytes, size_t length, int32_t ms, uint64_t *call)
{
    return mmf_service_send(handle, bytes, length, ms, call);
}

static int
reserve_service(void *handle, size_t length, int32_t ms, void **bytes)
{
    return mmf_service_reserve(handle, length, ms, bytes);
}

static int
commit_service(void *handle, size_t length, uint64_t *call)
{
    return mmf_service_commit(handle, length, call);
}

static int
abandon_service(void *handle)
{
    return mmf_service_abandon(handle);
}

static int
take_service(void *handle, int32_t ms, mmf_message *request)
{
    return mmf_service_take(handle, ms, request);
}

static int
release_service(void *handle, const mmf_message *answer)
{
    return mmf_service_release_answer(handle, answer);
}

static int
return_service(void *handle, const mmf_message *request)
{
    return mmf_service_return(handle, request);
}

static int
stat_service(void *handle, mmf_channel_stats *stats)
{
    return mmf_service_stat(handle, stats);
}

static int
fd_service(void *handle, int *fd)
{
    return mmf_service_fd(handle, fd);
}

const struct kind service_kind = {.name = "service",
                                  .close = close_service,
                                  .waitable = waitable_service,
                                  .send = send_service,
                                  .reserve = reserve_service,
                                  .commit = commit_service,
                                  .abandon = abandon_service,
                                  .take = take_service,
                                  .release = release_service,
                                  .returns = return_service,
                                  .stat = stat_service,
                                  .fd = fd_service};

/*
 * Opening: _open(how, name, request_size, answer_size, capacity, role, strategy, flags,
 * max_clients, max_servers, max_calls, max_answers, all_users, mode, wait_ms).
 */
static PyObject *
service_open(PyObject *type, PyObject *arguments)
{
    mmf_service_options options = {.size = sizeof(options)};
    Py_ssize_t request, answer, capacity;
    int how, strategy, rc, created = 0;
    mmf_service *handle = NULL;
    PyObject *text;
    const char *name;

    if (!PyArg_ParseTuple(arguments, "iOnnniiiiiiiiii", &how, &text, &request, &answer,
                          &capacity, &options.role, &strategy, &options.flags,
                          &options.max_clients, &options.max_servers,
                          &options.max_calls, &options.max_answers, &options.all_users,
                          &options.mode, &options.wait_ms) ||
        !parse_name(text, &name))
        return NULL;
    if (request < 0 || answer < 0 || capacity < 0)
        return raise_status(MMF_E_RANGE, "invalid size %zd: 1 or more",
                            request < 0  ? request
                            : answer < 0 ? answer
                                         : capacity);
    options.strategy = (mmf_strategy)strategy;
    Py_BEGIN_ALLOW_THREADS if (how == 0)
    {
        rc = mmf_service_create_new(name, (size_t)request, (size_t)answer,
                                    (size_t)capacity, &options, &handle);
        created = 1;
    }
    else if (how == 1) rc =
        mmf_service_create_or_open(name, (size_t)request, (size_t)answer,
                                   (size_t)capacity, &options, &created, &handle);
    else rc = mmf_service_open_existing(name, &options, &handle);
    Py_END_ALLOW_THREADS return channel_made(type, &service_kind, text, rc, handle,
                                             created != 0);
}

/*
 * A client's calls.
 */

static int
step_take_answer(struct object *self, struct call *call, int32_t ms)
{
    return mmf_service_take_answer(self->handle, call->number, ms, &self->last);
}

/* The call's number, or None: there was no space in time. */
static PyObject *
service_send(PyObject *object, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    static const char *const names[] = {"data", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_send};
    PyObject *values[2];
    int32_t ms;
    int rc;

    if (!parse_arguments("send", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    rc = channel_send_data(self, &call, values[0], ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(self->sequence);
}

static PyObject *
service_take_answer(PyObject *object, PyObject *const *given, Py_ssize_t count,
                    PyObject *kwnames)
{
    static const char *const names[] = {"call", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call call = {.step = step_take_answer, .takes = true};
    PyObject *values[2];
    int32_t ms;
    int rc;

    if (!parse_arguments("take_answer", given, count, kwnames, names, 0, values) ||
        !parse_timeout(values[1], &ms) || !parse_number(values[0], &call.number))
        return NULL;
    rc = channel_run(self, &call, ms);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    return lend_message(self);
}

/* What was not answered in time, or will not be, is given up. An exception stays. */
static void
give_up(struct object *self, uint64_t number)
{
    if (!self->closed && self->handle != NULL && !self->busy &&
        self->fork_epoch == fork_epoch)
        mmf_service_cancel(self->handle, number);
}

/* The first answer's bytes; the call has ended then. */
static PyObject *
finish_call(struct object *self, uint64_t number)
{
    PyObject *bytes =
        PyBytes_FromStringAndSize(self->last.bytes, (Py_ssize_t)self->last.length);

    mmf_service_release_answer(self->handle, &self->last);
    if (!(self->last.flags & MMF_MESSAGE_LAST))
        give_up(self, number);
    return bytes;
}

static PyObject *
service_call(PyObject *object, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    static const char *const names[] = {"data", "timeout", NULL};
    struct object *self = (struct object *)object;
    struct call request = {.step = step_send};
    struct call answer = {.step = step_take_answer, .takes = true};
    PyObject *values[2];
    int64_t until;
    int32_t ms;
    int rc;

    if (!parse_arguments("call", given, count, kwnames, names, 1, values) ||
        !parse_timeout(values[1], &ms))
        return NULL;
    until = ms > 0 ? now_ms() + ms : 0;
    rc = channel_send_data(self, &request, values[0], ms);
    if (rc == MMF_OK) {
        answer.number = self->sequence;
        if (ms > 0)
            ms = until > now_ms() ? (int32_t)(until - now_ms()) : 0;
        rc = channel_run(self, &answer, ms);
        if (rc != MMF_OK)
            give_up(self, answer.number);
    }
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    return finish_call(self, answer.number);
}

static PyObject *
service_cancel(PyObject *object, PyObject *number)
{
    struct object *self = (struct object *)object;
    uint64_t call;
    int rc;

    if (!parse_number(number, &call) || handle_in_turn(self) == NULL)
        return NULL;
    rc = mmf_service_cancel(self->handle, call);
    if (rc < 0)
        return raise_last(rc);
    Py_RETURN_NONE;
}

static PyObject *
get_answer_size(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(((struct object *)self)->answer_size);
}

/*
 * A server's requests.
 */

static PyObject *
service_take(PyObject *self, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    return channel_take_as(self, given, count, kwnames, "take", lend_request);
}

static PyObject *
service_receive(PyObject *self, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames)
{
    return channel_take_as(self, given, count, kwnames, "receive", lend_copied_request);
}

/*
 * The type.
 */

static PyMethodDef methods[] = {
    {"_open", service_open, METH_VARARGS | METH_CLASS, NULL},
    {"close", object_close, METH_NOARGS,
     "close($self)\n--\n\nClose the handle. A client's open calls are cancelled; a "
     "server's "
     "requests go to\nanother one."},
    {"stat", channel_stat, METH_NOARGS,
     "stat($self)\n--\n\nThe service's counters and limits, as a dict."},
    {"fileno", channel_fileno, METH_NOARGS,
     "fileno($self)\n--\n\nA descriptor that polls readable when there may be a "
     "request or "
     "an answer. A Poller\nhas one for many objects."},
    {"call", FAST(service_call), WITH_KEYWORDS,
     "call($self, data, timeout=None)\n--\n\nSend a request, and wait for its answer: "
     "its "
     "bytes. None if the time, in seconds, ran\nout: the call is given up then."},
    {"send", FAST(service_send), WITH_KEYWORDS,
     "send($self, data, timeout=None)\n--\n\nSend a request: the number of the call, "
     "whose "
     "answers take_answer gets. None if there\nwas no space in time."},
    {"reserve", FAST(channel_reserve), WITH_KEYWORDS,
     "reserve($self, length=None, timeout=None)\n--\n\nA slot to write a request in "
     "place: "
     "a writable buffer, and a context manager that\ncommits. Its sequence is the "
     "call's "
     "number then. None if there was no space in time."},
    {"take_answer", FAST(service_take_answer), WITH_KEYWORDS,
     "take_answer($self, call=0, timeout=None)\n--\n\nThe next answer to a call, or "
     "with 0 "
     "to any, in place. Its sequence is the call, and\nlast says that no other one "
     "follows. "
     "None if the time, in seconds, ran out."},
    {"cancel", service_cancel, METH_O,
     "cancel($self, call, /)\n--\n\nGive a call up: its answers are dropped."},
    {"take", FAST(service_take), WITH_KEYWORDS,
     "take($self, timeout=None)\n--\n\nThe next request in place, for a server. None "
     "if the "
     "time, in seconds, ran out."},
    {"receive", FAST(service_receive), WITH_KEYWORDS,
     "receive($self, timeout=None)\n--\n\nThe same, with a copy of its bytes: no "
     "client changes them meanwhile, and they stay\nvalid after its answer."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef getset[] = {
    {"request_size", channel_message_size, NULL, "Bytes that a request may have.",
     NULL},
    {"answer_size", get_answer_size, NULL, "Bytes that an answer may have.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

int
service_add(PyObject *module)
{
    return channel_add_type(module, "mmf._mmf.Service", NULL, methods, getset,
                            (PyObject *)waitable_type) != NULL
               ? 0
               : -1;
}
