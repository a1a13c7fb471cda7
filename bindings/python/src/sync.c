/* sync.c - mutexes, events, semaphores, and waits for several of them. */
#include "binding.h"

#define SYNC_KIND(word, type)                                                          \
    static void close_##word(void *handle)                                             \
    {                                                                                  \
        mmf_##word##_close((type *)handle);                                            \
    }                                                                                  \
    static int wait_##word(void *handle, int32_t timeout_ms)                           \
    {                                                                                  \
        return mmf_##word##_wait((type *)handle, timeout_ms);                          \
    }                                                                                  \
    static mmf_waitable *waitable_##word(void *handle)                                 \
    {                                                                                  \
        return mmf_##word##_waitable((type *)handle);                                  \
    }                                                                                  \
    const struct kind word##_kind = {.name = #word,                                    \
                                     .close = close_##word,                            \
                                     .waitable = waitable_##word,                      \
                                     .wait = wait_##word};

SYNC_KIND(mutex, mmf_mutex)
SYNC_KIND(event, mmf_event)
SYNC_KIND(semaphore, mmf_semaphore)

/*
 * Opening: _open(how, name, first, second, all_users, this_user_only, mode, wait_ms).
 */

struct request {
    int how; /* 0: create_new, 1: create_or_open, 2: open_existing */
    const char *name;
    int first, second; /* owned; state, mode; initial, maximum */
    mmf_sync_options options;
    int created;
};

static int
open_mutex(struct request *request, void **handle)
{
    mmf_mutex **out = (mmf_mutex **)handle;

    if (request->how == 0)
        return mmf_mutex_create_new(request->name, request->first, &request->options,
                                    out);
    if (request->how == 1)
        return mmf_mutex_create_or_open(request->name, request->first,
                                        &request->options, &request->created, out);
    return mmf_mutex_open_existing(request->name, &request->options, out);
}

static int
open_event(struct request *request, void **handle)
{
    mmf_event **out = (mmf_event **)handle;
    mmf_event_mode mode = (mmf_event_mode)request->second;

    if (request->how == 0)
        return mmf_event_create_new(request->name, request->first, mode,
                                    &request->options, out);
    if (request->how == 1)
        return mmf_event_create_or_open(request->name, request->first, mode,
                                        &request->options, &request->created, out);
    return mmf_event_open_existing(request->name, &request->options, out);
}

static int
open_semaphore(struct request *request, void **handle)
{
    mmf_semaphore **out = (mmf_semaphore **)handle;

    if (request->how == 0)
        return mmf_semaphore_create_new(request->name, request->first, request->second,
                                        &request->options, out);
    if (request->how == 1)
        return mmf_semaphore_create_or_open(request->name, request->first,
                                            request->second, &request->options,
                                            &request->created, out);
    return mmf_semaphore_open_existing(request->name, &request->options, out);
}

static PyObject *
sync_open(PyObject *type, PyObject *arguments, const struct kind *kind,
          int (*open)(struct request *, void **))
{
    struct request request = {.options = {.size = sizeof(mmf_sync_options)}};
    void *handle = NULL;
    struct object *self;
    PyObject *name;
    int rc;

    if (!PyArg_ParseTuple(arguments, "iOiiiiii", &request.how, &name, &request.first,
                          &request.second, &request.options.all_users,
                          &request.options.this_user_only, &request.options.mode,
                          &request.options.wait_ms) ||
        !parse_name(name, &request.name))
        return NULL;
    request.created = request.how == 0;
    Py_BEGIN_ALLOW_THREADS rc = open(&request, &handle);
    Py_END_ALLOW_THREADS if (rc < 0) return raise_last(rc);
    self = object_new((PyTypeObject *)type, kind, name);
    if (self == NULL) {
        kind->close(handle);
        return NULL;
    }
    self->handle = handle;
    self->created = request.created != 0;
    return (PyObject *)self;
}

static PyObject *
mutex_open(PyObject *type, PyObject *arguments)
{
    return sync_open(type, arguments, &mutex_kind, open_mutex);
}

static PyObject *
event_open(PyObject *type, PyObject *arguments)
{
    return sync_open(type, arguments, &event_kind, open_event);
}

static PyObject *
semaphore_open(PyObject *type, PyObject *arguments)
{
    return sync_open(type, arguments, &semaphore_kind, open_semaphore);
}

/*
 * Waiting: acquire(timeout=None), wait(timeout=None).
 */

static PyObject *
sync_wait(PyObject *object, PyObject *const *given, Py_ssize_t count, PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    struct object *self = (struct object *)object;
    void *handle = object_handle(self);
    mmf_waitable *waitable;
    PyObject *timeout;
    int index, rc;
    int32_t ms;

    if (handle == NULL ||
        !parse_arguments("acquire", given, count, kwnames, names, 0, &timeout) ||
        !parse_timeout(timeout, &ms))
        return NULL;
    rc = self->kind->wait(handle, ms < -1 ? ms : 0); /* which it refuses */
    if (rc == MMF_TIMED_OUT && ms != 0) {
        self->users++;
        waitable = self->kind->waitable(handle);
        rc = wait_interruptibly(&waitable, 1, ms, &index);
        object_user_gone(self);
    }
    if (rc < 0)
        return raise_last(rc);
    if (rc != MMF_TIMED_OUT)
        self->abandoned = rc == MMF_ABANDONED;
    return PyBool_FromLong(rc != MMF_TIMED_OUT);
}

static PyObject *
none_or_raise(int rc)
{
    if (rc < 0)
        return raise_last(rc);
    Py_RETURN_NONE;
}

static PyObject *
mutex_release(PyObject *object, PyObject *unused)
{
    mmf_mutex *handle = object_handle((struct object *)object);

    (void)unused;
    return handle != NULL ? none_or_raise(mmf_mutex_release(handle)) : NULL;
}

static PyObject *
get_abandoned(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct object *)object)->abandoned);
}

static PyObject *
event_set(PyObject *object, PyObject *unused)
{
    mmf_event *handle = object_handle((struct object *)object);

    (void)unused;
    return handle != NULL ? none_or_raise(mmf_event_set(handle)) : NULL;
}

static PyObject *
event_reset(PyObject *object, PyObject *unused)
{
    mmf_event *handle = object_handle((struct object *)object);

    (void)unused;
    return handle != NULL ? none_or_raise(mmf_event_reset(handle)) : NULL;
}

static PyObject *
semaphore_release(PyObject *object, PyObject *const *given, Py_ssize_t count,
                  PyObject *kwnames)
{
    static const char *const names[] = {"count", NULL};
    mmf_semaphore *handle = object_handle((struct object *)object);
    int32_t previous;
    PyObject *number;
    long wanted = 1;
    int rc;

    if (handle == NULL ||
        !parse_arguments("release", given, count, kwnames, names, 0, &number))
        return NULL;
    if (number != NULL) {
        wanted = PyLong_AsLong(number);
        if (wanted == -1 && PyErr_Occurred())
            return NULL;
        if (wanted > INT32_MAX || wanted < INT32_MIN)
            return raise_status(MMF_E_RANGE, "invalid count %ld", wanted);
    }
    rc = mmf_semaphore_release(handle, (int32_t)wanted, &previous);
    if (rc < 0)
        return raise_last(rc);
    return PyLong_FromLong(previous);
}

/* A descriptor to poll. */
static PyObject *
sync_fileno(PyObject *object, PyObject *unused)
{
    struct object *self = (struct object *)object;
    void *handle = object_handle(self);
    int fd = -1, rc;

    (void)unused;
    if (handle == NULL)
        return NULL;
    rc = mmf_waitable_fd(self->kind->waitable(handle), &fd);
    if (rc < 0)
        return raise_last(rc);
    return PyLong_FromLong(fd);
}

/*
 * Waits for several.
 */

static bool
collect(PyObject *sequence, struct object **objects, int *count)
{
    Py_ssize_t size = PySequence_Size(sequence);

    if (size < 0)
        return false;
    if (size == 0 || size > MMF_WAIT_MAXIMUM) {
        raise_status(size == 0 ? MMF_E_INVALID : MMF_E_NOT_SUPPORTED,
                     "a wait for %zd objects: 1 to %d", size, MMF_WAIT_MAXIMUM);
        return false;
    }
    for (*count = 0; *count < size; ++*count) {
        PyObject *item = PySequence_GetItem(sequence, *count);

        if (item == NULL)
            return false;
        Py_DECREF(item); /* the sequence, which is a tuple of ours, has it */
        if (!PyType_IsSubtype(Py_TYPE(item), waitable_type)) {
            PyErr_Format(PyExc_TypeError, "a %R cannot be waited for with others",
                         Py_TYPE(item));
            return false;
        }
        objects[*count] = (struct object *)item;
    }
    return true;
}

/*
 * The handles, when no other thread is in a slice with one of them: waiting for the turn
 * with one gives others their turn with those before it.
 */
static bool
take_turns(struct object *const *objects, mmf_waitable **handles, int count)
{
    for (int i = 0; i < count; i++) {
        bool was_busy = objects[i]->busy;
        void *handle = handle_in_turn(objects[i]);

        if (handle == NULL)
            return false;
        handles[i] = objects[i]->kind->waitable(handle);
        if (was_busy)
            i = -1;
    }
    return true;
}

static void
use_all(struct object *const *objects, int count, bool begins)
{
    for (int i = 0; i < count; i++) {
        objects[i]->busy = begins && objects[i]->kind->take != NULL;
        if (begins)
            objects[i]->users++;
        else
            object_user_gone(objects[i]);
    }
}

static int
wait_for_all(mmf_waitable *const *handles, int count, int32_t ms)
{
    int64_t until = now_ms() + ms;
    int64_t left = ms;
    int32_t slice;
    int rc;

    /* A signal cannot be had beside all of them: the main thread looks every 50 ms. */
    for (;;) {
        slice = in_main_thread() && (ms == -1 || left > 50) ? 50 : (int32_t)left;
        Py_BEGIN_ALLOW_THREADS rc = mmf_wait_all(handles, count, slice);
        Py_END_ALLOW_THREADS if (rc != MMF_TIMED_OUT) return rc;
        if (PyErr_CheckSignals() < 0)
            return WAIT_INTERRUPTED;
        left = ms < 0 ? -1 : until - now_ms();
        if (ms >= 0 && left <= 0)
            return MMF_TIMED_OUT;
    }
}

static PyObject *
wait_several(PyObject *arguments, bool all)
{
    struct object *objects[MMF_WAIT_MAXIMUM];
    mmf_waitable *handles[MMF_WAIT_MAXIMUM];
    PyObject *given, *timeout = Py_None;
    int count = 0, index = 0, rc;
    int32_t ms;

    if (!PyArg_ParseTuple(arguments, "O!O", &PyTuple_Type, &given, &timeout) ||
        !parse_timeout(timeout, &ms) || !collect(given, objects, &count) ||
        !take_turns(objects, handles, count))
        return NULL;
    use_all(objects, count, true);
    rc = all ? wait_for_all(handles, count, ms)
             : wait_interruptibly(handles, count, ms, &index);
    use_all(objects, count, false);
    if (rc < 0)
        return raise_last(rc);
    if (rc == MMF_TIMED_OUT)
        Py_RETURN_NONE;
    if (all) {
        for (int i = 0; i < count; i++)
            objects[i]->abandoned = rc == MMF_ABANDONED;
    } else {
        objects[index]->abandoned = rc == MMF_ABANDONED;
    }
    return PyLong_FromLong(index);
}

static PyObject *
wait_any(PyObject *module, PyObject *arguments)
{
    (void)module;
    return wait_several(arguments, false);
}

static PyObject *
wait_all(PyObject *module, PyObject *arguments)
{
    (void)module;
    return wait_several(arguments, true);
}

/* The signal stays if the wait then fails, or if the time runs out. */
static PyObject *
signal_and_wait(PyObject *module, PyObject *arguments)
{
    struct object *objects[2];
    mmf_waitable *handles[2];
    PyObject *given, *timeout = Py_None;
    int count = 0, index = 0, rc;
    int32_t ms;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O", &PyTuple_Type, &given, &timeout) ||
        !parse_timeout(timeout, &ms) || !collect(given, objects, &count) ||
        !take_turns(objects, handles, count))
        return NULL;
    use_all(objects, count, true);
    rc = mmf_signal_and_wait(handles[0], handles[1], ms < -1 ? ms : 0);
    if (rc == MMF_TIMED_OUT && ms != 0)
        rc = wait_interruptibly(&handles[1], 1, ms, &index);
    use_all(objects, count, false);
    if (rc >= 0 && rc != MMF_TIMED_OUT)
        objects[1]->abandoned = rc == MMF_ABANDONED;
    return rc < 0 ? raise_last(rc) : PyBool_FromLong(rc != MMF_TIMED_OUT);
}

PyMethodDef sync_functions[] = {
    {"wait_any", wait_any, METH_VARARGS, NULL},
    {"wait_all", wait_all, METH_VARARGS, NULL},
    {"signal_and_wait", signal_and_wait, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL}};

/*
 * The types.
 */

#define SHARED_METHODS(open)                                                           \
    {"_open", open, METH_VARARGS | METH_CLASS, NULL},                                  \
        {"close", object_close, METH_NOARGS,                                           \
         "close($self)\n--\n\nClose the handle. A thread that waits with it goes on "  \
         "waiting."},                                                                  \
    {                                                                                  \
        "fileno", sync_fileno, METH_NOARGS,                                            \
            "fileno($self)\n--\n\nA descriptor that polls readable when the object "   \
            "may be "                                                                  \
            "available."                                                               \
    }

static PyMethodDef mutex_methods[] = {
    SHARED_METHODS(mutex_open),
    {"acquire", FAST(sync_wait), WITH_KEYWORDS,
     "acquire($self, timeout=None)\n--\n\nOwn the mutex; False if the time, in "
     "seconds, ran "
     "out. The attribute\nabandoned says whether its last owner died with it."},
    {"release", mutex_release, METH_NOARGS,
     "release($self)\n--\n\nRelease the mutex, in the thread that owns it."},
    {NULL, NULL, 0, NULL}};

static PyMethodDef event_methods[] = {
    SHARED_METHODS(event_open),
    {"wait", FAST(sync_wait), WITH_KEYWORDS,
     "wait($self, timeout=None)\n--\n\nWait for the event; False if the time, in "
     "seconds, ran "
     "out."},
    {"set", event_set, METH_NOARGS,
     "set($self)\n--\n\nSignal: one waiter goes on, or with manual_reset all of them."},
    {"reset", event_reset, METH_NOARGS, "reset($self)\n--\n\nEnd the signal."},
    {NULL, NULL, 0, NULL}};

static PyMethodDef semaphore_methods[] = {
    SHARED_METHODS(semaphore_open),
    {"acquire", FAST(sync_wait), WITH_KEYWORDS,
     "acquire($self, timeout=None)\n--\n\nTake one from the count; False if the time, "
     "in "
     "seconds, ran out."},
    {"release", FAST(semaphore_release), WITH_KEYWORDS,
     "release($self, count=1)\n--\n\nAdd to the count. Returns what it was before."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef mutex_getset[] = {
    {"abandoned", get_abandoned, NULL,
     "Whether the owner before died with the mutex. For the owner.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static int
add_kind(PyObject *module, const char *name, PyMethodDef *methods)
{
    PyType_Slot slots[] = {{Py_tp_methods, methods}, {0, NULL}, {0, NULL}};
    PyType_Spec spec = {.name = name,
                        .basicsize = sizeof(struct object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    PyObject *type;
    int rc;

    if (methods == mutex_methods)
        slots[1] = (PyType_Slot){Py_tp_getset, mutex_getset};
    type = PyType_FromModuleAndSpec(module, &spec, (PyObject *)waitable_type);
    if (type == NULL)
        return -1;
    rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return rc;
}

int
sync_add(PyObject *module)
{
    if (add_kind(module, "mmf._mmf.Mutex", mutex_methods) < 0 ||
        add_kind(module, "mmf._mmf.Event", event_methods) < 0)
        return -1;
    return add_kind(module, "mmf._mmf.Semaphore", semaphore_methods);
}
