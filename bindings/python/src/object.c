/* object.c - objects with a handle: opening, closing, forks. */
#include "binding.h"

unsigned fork_epoch;

struct object *
object_new(PyTypeObject *type, const struct kind *kind, PyObject *name)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct object *self = (struct object *)allocate(type, 0);

    if (self != NULL) {
        self->kind = kind;
        self->name = Py_NewRef(name);
        self->fork_epoch = fork_epoch;
    }
    return self;
}

static void
close_handle(struct object *self)
{
    void *handle = self->handle;

    self->handle = NULL;
    if (handle != NULL)
        self->kind->close(handle);
}

void
object_dealloc(PyObject *object)
{
    struct object *self = (struct object *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    forget_pollers(self);
    close_handle(self);
    Py_CLEAR(self->name);
    release(object);
    Py_DECREF(type);
}

void
object_user_gone(struct object *self)
{
    self->users--;
    if (self->users == 0 && self->closed)
        close_handle(self);
}

PyObject *
object_close(PyObject *object, PyObject *unused)
{
    struct object *self = (struct object *)object;

    (void)unused;
    forget_pollers(self);
    self->closed = true;
    if (self->users == 0)
        close_handle(self);
    Py_RETURN_NONE;
}

/* The class reopens it by its name, with the settings that it was opened with. */
static void *
reopen(struct object *self)
{
    PyObject *fresh = PyObject_CallMethod((PyObject *)self, "_reopen", NULL);
    struct object *other = (struct object *)fresh;

    if (fresh == NULL)
        return NULL;
    if (Py_TYPE(fresh) != Py_TYPE((PyObject *)self) || other->handle == NULL) {
        Py_DECREF(fresh);
        PyErr_SetString(PyExc_TypeError, "_reopen() returned no open object");
        return NULL;
    }
    forget_pollers(self);
    if (self->users == 0) /* else buffers of the parent's lead into its memory */
        close_handle(self);
    self->handle = other->handle;
    other->handle = NULL;
    other->closed = true;
    Py_DECREF(fresh);
    self->fork_epoch = fork_epoch;
    self->users = 0;
    self->busy = false;
    self->wanted = 0;
    return self->handle;
}

void *
object_handle(struct object *self)
{
    if (object_is_usable(self))
        return self->handle;
    if (self->closed || self->handle == NULL)
        return raise_status(MMF_E_DISPOSED, "this %s is closed", self->kind->name);
    return reopen(self);
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((struct object *)self)->name);
}

static PyObject *
get_closed(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct object *)self)->closed);
}

static PyObject *
get_created(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct object *)self)->created);
}

/* The base of all classes but maps: by it a wait knows what it may wait for. */
PyTypeObject *waitable_type;

int
object_add(PyObject *module)
{
    static PyGetSetDef getset[] = {
        {"name", get_name, NULL, "The object's name; None if it has no name.", NULL},
        {"closed", get_closed, NULL, "Whether close() was called.", NULL},
        {"created", get_created, NULL, "Whether this call made the object.", NULL},
        {NULL, NULL, NULL, NULL, NULL}};
    PyType_Slot slots[] = {
        {Py_tp_dealloc, object_dealloc}, {Py_tp_getset, getset}, {0, NULL}};
    PyType_Spec spec = {.name = "mmf._mmf.Waitable",
                        .basicsize = sizeof(struct object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};

    waitable_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    return waitable_type != NULL ? PyModule_AddType(module, waitable_type) : -1;
}
