/*
 * map.c - maps. The whole map is a buffer, through a view that outlives the handle:
 * close() ends the name at once, and the memory is unmapped when the last memoryview or
 * array on it is gone. In the child of a fork views stay; the handle is dead.
 */
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct map {
    PyObject_HEAD PyObject *name;
    mmf_map *handle;
    mmf_accessor *view;
    void *bytes;
    size_t size;
    Py_ssize_t exports;
    bool closed;
    bool created;
    bool read_only;
};

static void
unmap_if_unused(struct map *self)
{
    if (!self->closed || self->exports != 0)
        return;
    mmf_accessor_close(self->view);
    self->view = NULL;
    self->bytes = NULL;
}

static PyObject *
map_close(PyObject *object, PyObject *unused)
{
    struct map *self = (struct map *)object;

    (void)unused;
    self->closed = true;
    mmf_map_close(self->handle);
    self->handle = NULL;
    unmap_if_unused(self);
    Py_RETURN_NONE;
}

static void
map_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    Py_XDECREF(map_close(object, NULL));
    Py_CLEAR(((struct map *)object)->name);
    release(object);
    Py_DECREF(type);
}

static int
map_getbuffer(PyObject *object, Py_buffer *buffer, int flags)
{
    struct map *self = (struct map *)object;
    int rc;

    if (self->closed) {
        buffer->obj = NULL;
        raise_status(MMF_E_DISPOSED, "this map is closed");
        return -1;
    }
    rc = PyBuffer_FillInfo(buffer, object, self->bytes, (Py_ssize_t)self->size,
                           self->read_only, flags);
    if (rc == 0)
        self->exports++;
    return rc;
}

static void
map_releasebuffer(PyObject *object, Py_buffer *buffer)
{
    struct map *self = (struct map *)object;

    (void)buffer;
    self->exports--;
    unmap_if_unused(self);
}

static int
view_all(struct map *self, mmf_access access)
{
    int rc = mmf_accessor_create(self->handle, 0, 0, access, NULL, &self->view);

    if (rc < 0)
        return rc;
    self->read_only = access == MMF_ACCESS_READ;
    return mmf_accessor_pointer(self->view, &self->bytes, &self->size);
}

struct map_request {
    /* 0: create_new, 1: create_or_open, 2: open_existing, 3: of a file, 4: of an open
     * one */
    int how;
    const char *name;
    long long capacity;
    const char *path;
    int file_mode;
    int fd; /* the map's own, from success on */
    mmf_map_options options;
    int created;
};

static int
open_handle(struct map_request *request, mmf_map **out)
{
    const mmf_map_options *options = &request->options;

    request->created = request->how != 2;
    switch (request->how) {
    case 0:
        return mmf_map_create_new(request->name, request->capacity, options, out);
    case 1:
        return mmf_map_create_or_open(request->name, request->capacity, options,
                                      &request->created, out);
    case 2:
        return mmf_map_open_existing(request->name, options, out);
    case 4:
        return mmf_map_create_from_fd(request->fd, request->name, request->capacity,
                                      options, out);
    default:
        return mmf_map_create_from_file(request->path,
                                        (mmf_file_mode)request->file_mode,
                                        request->name, request->capacity, options, out);
    }
}

/* Another descriptor of the file, so that the caller keeps its own; -1 if it is not
 * open, which the library says. */
static bool
duplicate(PyObject *file, int *fd)
{
    int own = PyObject_AsFileDescriptor(file);

    if (own < 0)
        return false;
    *fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
    if (*fd >= 0 || errno == EBADF)
        return true;
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
}

/* _open(how, name, capacity, path, file_mode, access, all_users, mode, exact, wait_ms
 * [, file]) */
static PyObject *
map_open(PyObject *type, PyObject *arguments)
{
    struct map_request request = {.options = {.size = sizeof(mmf_map_options)}};
    allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
    int access, wait_ms, rc;
    PyObject *name, *file = Py_None;
    struct map *self;

    if (!PyArg_ParseTuple(arguments, "iOLziiiiii|O", &request.how, &name,
                          &request.capacity, &request.path, &request.file_mode, &access,
                          &request.options.all_users, &request.options.mode,
                          &request.options.exact_capacity, &wait_ms, &file) ||
        !parse_name(name, &request.name))
        return NULL;
    request.options.access = (mmf_access)access;
    request.options.wait_ms = wait_ms;
    self = (struct map *)allocate((PyTypeObject *)type, 0);
    if (self == NULL)
        return NULL;
    self->name = Py_NewRef(name);
    request.fd = -1;
    if (request.how == 4 && !duplicate(file, &request.fd)) {
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS rc = open_handle(&request, &self->handle);
    if (rc < 0 && request.fd >= 0)
        close(request.fd);
    if (rc >= 0)
        rc = view_all(self, request.options.access);
    Py_END_ALLOW_THREADS self->created = request.created != 0;
    if (rc < 0) {
        raise_last(rc);
        Py_DECREF((PyObject *)self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *
map_flush(PyObject *object, PyObject *unused)
{
    struct map *self = (struct map *)object;
    int rc;

    (void)unused;
    if (self->closed)
        return raise_status(MMF_E_DISPOSED, "this map is closed");
    self->exports++;
    Py_BEGIN_ALLOW_THREADS rc = mmf_accessor_flush(self->view);
    Py_END_ALLOW_THREADS self->exports--;
    unmap_if_unused(self);
    if (rc < 0)
        return raise_last(rc);
    Py_RETURN_NONE;
}

static Py_ssize_t
map_length(PyObject *object)
{
    return (Py_ssize_t)((struct map *)object)->size;
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(((struct map *)self)->name);
}

static PyObject *
get_closed(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct map *)self)->closed);
}

static PyObject *
get_created(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct map *)self)->created);
}

static PyObject *
get_readonly(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct map *)self)->read_only);
}

static PyGetSetDef map_getset[] = {
    {"name", get_name, NULL, "The map's name; None if it has no name.", NULL},
    {"closed", get_closed, NULL, "Whether close() was called.", NULL},
    {"created", get_created, NULL, "Whether this call made the map.", NULL},
    {"readonly", get_readonly, NULL, "Whether its bytes can only be read.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef map_methods[] = {
    {"_open", map_open, METH_VARARGS | METH_CLASS, NULL},
    {"close", map_close, METH_NOARGS,
     "close($self)\n--\n\nClose the handle; the name ends with the last one. "
     "Memoryviews and "
     "arrays\non the map stay valid, and the memory is unmapped after the last of "
     "them."},
    {"flush", map_flush, METH_NOARGS,
     "flush($self)\n--\n\nWrite what has changed to the file, if the map is of one."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot map_slots[] = {{Py_tp_dealloc, map_dealloc},
                                  {Py_tp_methods, map_methods},
                                  {Py_tp_getset, map_getset},
                                  {Py_sq_length, map_length},
                                  {Py_bf_getbuffer, map_getbuffer},
                                  {Py_bf_releasebuffer, map_releasebuffer},
                                  {0, NULL}};

static PyType_Spec map_spec = {.name = "mmf._mmf.Map",
                               .basicsize = sizeof(struct map),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                                        Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = map_slots};

int
map_add(PyObject *module)
{
    return add_type(module, &map_spec);
}
