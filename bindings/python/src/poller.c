/*
 * poller.c - one descriptor for many objects.
 *
 * Neither keeps the other: an object that is closed or gone leaves its pollers, a poller
 * that is closed or gone leaves its objects. Both have a list of these registrations.
 */
#include "binding.h"

struct poller {
    PyObject_HEAD mmf_poller *handle;
    struct registration *first;
    unsigned fork_epoch;
};

struct registration {
    struct object *object;
    struct poller *poller;
    struct registration *next_of_object, *next_of_poller;
};

/* After a fork the parent's poller is left as it is. */
static mmf_poller *
usable_handle(const struct poller *self)
{
    if (self->handle == NULL)
        return raise_status(MMF_E_DISPOSED, "this poller is closed");
    if (self->fork_epoch != fork_epoch)
        return raise_status(MMF_E_DISPOSED,
                            "this poller is of before the fork: make another");
    return self->handle;
}

static struct registration *
find(const struct poller *self, const PyObject *object)
{
    struct registration *one = self->first;

    while (one != NULL && (const PyObject *)one->object != object)
        one = one->next_of_poller;
    return one;
}

static void
forget(struct registration *registration)
{
    struct registration **at = &registration->object->polled;
    const struct object *object = registration->object;
    const struct poller *poller = registration->poller;

    if (poller->handle != NULL && poller->fork_epoch == fork_epoch)
        mmf_poller_remove(poller->handle, object->kind->waitable(object->handle));
    while (*at != registration)
        at = &(*at)->next_of_object;
    *at = registration->next_of_object;
    at = &registration->poller->first;
    while (*at != registration)
        at = &(*at)->next_of_poller;
    *at = registration->next_of_poller;
    PyMem_Free(registration);
}

void
forget_pollers(struct object *self)
{
    while (self->polled != NULL)
        forget(self->polled);
}

static PyObject *
poller_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct poller *self;
    int rc;

    if (PyTuple_Size(arguments) != 0 ||
        (keywords != NULL && PyDict_Size(keywords) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Poller() takes no arguments");
        return NULL;
    }
    self = (struct poller *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    self->fork_epoch = fork_epoch;
    rc = mmf_poller_create(&self->handle);
    if (rc == MMF_OK)
        return (PyObject *)self;
    Py_DECREF(self);
    return raise_last(rc);
}

static PyObject *
poller_close(PyObject *object, PyObject *unused)
{
    struct poller *self = (struct poller *)object;

    (void)unused;
    while (self->first != NULL)
        forget(self->first);
    mmf_poller_close(self->handle);
    self->handle = NULL;
    Py_RETURN_NONE;
}

static void
poller_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    Py_XDECREF(poller_close(object, NULL));
    release(object);
    Py_DECREF(type);
}

static bool
check_waitable(PyObject *object)
{
    if (PyType_IsSubtype(Py_TYPE(object), waitable_type))
        return true;
    PyErr_Format(PyExc_TypeError, "a %R cannot be added to a poller", Py_TYPE(object));
    return false;
}

static PyObject *
poller_add_object(PyObject *poller, PyObject *object)
{
    struct poller *self = (struct poller *)poller;
    struct object *added = (struct object *)object;
    struct registration *one;
    void *handle;
    int rc;

    if (usable_handle(self) == NULL || !check_waitable(object))
        return NULL;
    handle = handle_in_turn(added);
    if (handle == NULL)
        return NULL;
    one = PyMem_Malloc(sizeof(*one));
    if (one == NULL)
        return PyErr_NoMemory();
    rc = mmf_poller_add(self->handle, added->kind->waitable(handle), added);
    if (rc < 0) {
        PyMem_Free(one);
        return raise_last(rc);
    }
    *one = (struct registration){added, self, added->polled, self->first};
    added->polled = self->first = one;
    Py_RETURN_NONE;
}

static PyObject *
poller_remove(PyObject *poller, PyObject *object)
{
    struct poller *self = (struct poller *)poller;
    struct registration *one;

    if (usable_handle(self) == NULL)
        return NULL;
    one = find(self, object);
    if (one == NULL)
        return raise_status(MMF_E_NOT_FOUND,
                            "the object has not been added to this poller");
    forget(one);
    Py_RETURN_NONE;
}

static int
poller_contains(PyObject *self, PyObject *object)
{
    return find((struct poller *)self, object) != NULL;
}

/* Looking at a channel is a call on its handle. What is closed meanwhile has left. */
static bool
take_turns(const struct poller *self)
{
    const struct registration *one = self->first;

    while (one != NULL) {
        PyObject *object = (PyObject *)one->object;
        bool goes_on;

        one = one->next_of_poller;
        if (!((struct object *)object)->busy)
            continue;
        Py_INCREF(object);
        goes_on = handle_in_turn((struct object *)object) != NULL ||
                  ((struct object *)object)->closed;
        Py_DECREF(object);
        if (!goes_on)
            return false;
        PyErr_Clear();
        one = self->first; /* the list may be another one now */
    }
    return true;
}

static PyObject *
poller_ready(PyObject *poller, PyObject *const *given, Py_ssize_t count,
             PyObject *kwnames)
{
    static const char *const names[] = {"most", NULL};
    struct poller *self = (struct poller *)poller;
    void *found[MMF_WAIT_MAXIMUM];
    size_t most = MMF_WAIT_MAXIMUM, ready = 0;
    PyObject *number, *list;
    int rc;

    if (!parse_arguments("ready", given, count, kwnames, names, 0, &number))
        return NULL;
    if (number != NULL) {
        most = PyLong_AsSize_t(number);
        if (PyErr_Occurred())
            return NULL;
    }
    if (!take_turns(self) || usable_handle(self) == NULL)
        return NULL;
    rc = mmf_poller_ready(self->handle, found,
                          most < MMF_WAIT_MAXIMUM ? most : MMF_WAIT_MAXIMUM, &ready);
    if (rc < 0)
        return raise_last(rc);
    list = PyList_New((Py_ssize_t)ready);
    for (size_t i = 0; list != NULL && i < ready; i++)
        PyList_SetItem(list, (Py_ssize_t)i, Py_NewRef((PyObject *)found[i]));
    return list;
}

static PyObject *
poller_fileno(PyObject *object, PyObject *unused)
{
    mmf_poller *handle = usable_handle((struct poller *)object);
    int fd = -1, rc;

    (void)unused;
    if (handle == NULL)
        return NULL;
    rc = mmf_poller_fd(handle, &fd);
    return rc < 0 ? raise_last(rc) : PyLong_FromLong(fd);
}

static PyObject *
poller_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

static PyMethodDef methods[] = {
    {"add", poller_add_object, METH_O,
     "add($self, waitable, /)\n--\n\nAdd a mutex, event, semaphore, channel or "
     "service. It "
     "leaves the poller when it is\nclosed."},
    {"remove", poller_remove, METH_O,
     "remove($self, waitable, /)\n--\n\nRemove an object that was added."},
    {"ready", FAST(poller_ready), WITH_KEYWORDS,
     "ready($self, most=64)\n--\n\nThe objects that may be available now; wait for "
     "them, or "
     "receive, with timeout 0. It\nnever sleeps. While one is available the descriptor "
     "stays readable."},
    {"fileno", poller_fileno, METH_NOARGS,
     "fileno($self)\n--\n\nThe descriptor: poll it for reading."},
    {"close", poller_close, METH_NOARGS,
     "close($self)\n--\n\nClose it, and its descriptor. The objects stay open."},
    {"__enter__", poller_enter, METH_NOARGS, NULL},
    {"__exit__", poller_close, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL}};

int
poller_add(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_new, poller_new},
        {Py_tp_dealloc, poller_dealloc},
        {Py_tp_methods, methods},
        {Py_sq_contains, poller_contains},
        {Py_tp_doc,
         "Poller()\n--\n\nOne descriptor for many objects, for any event loop."},
        {0, NULL}};
    PyType_Spec spec = {.name = "mmf._mmf.Poller",
                        .basicsize = sizeof(struct poller),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);

    return type != NULL ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
}
