/* list.c - the named objects that there are, what is in a queue and in a channel. */
#include "binding.h"

static PyObject *
describe(const mmf_object_info *info)
{
    return Py_BuildValue(
        "{sN ss sL sL sN ss si si ss sI}", "name",
        PyUnicode_DecodeFSDefault(info->name), "kind", mmf_kind_name(info->kind),
        "size", (long long)info->capacity, "resident", (long long)info->resident,
        "created", PyFloat_FromDouble((double)info->created / 1e9), "creator",
        info->creator_command, "holders", (int)info->holders, "status",
        (int)info->status, "path", info->path, "mode", (unsigned)info->mode);
}

static PyObject *
list_objects(PyObject *module, PyObject *arguments)
{
    PyObject *objects;
    int flags;
    mmf_list *list;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "i", &flags))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = mmf_list_create((mmf_list_flags)flags, &list);
    Py_END_ALLOW_THREADS if (rc < 0) return raise_last(rc);
    objects = PyList_New(0);
    for (int32_t i = 0; objects != NULL && i < mmf_list_count(list); i++) {
        PyObject *one = describe(mmf_list_get(list, i));

        if (one == NULL || PyList_Append(objects, one) < 0)
            Py_CLEAR(objects);
        Py_XDECREF(one);
    }
    mmf_list_close(list);
    return objects;
}

static PyObject *
collect_garbage(PyObject *module, PyObject *arguments)
{
    mmf_gc_result result;
    int flags;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "i", &flags))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = mmf_gc((mmf_list_flags)flags, &result);
    Py_END_ALLOW_THREADS if (rc < 0) return raise_last(rc);
    return PyLong_FromLong(result.removed);
}

/* (sequence, length, state, deliveries, milliseconds in flight, pid, bytes or None) */
static PyObject *
describe_item(const mmf_queue_item *item)
{
    return Py_BuildValue("(KLiILiy#)", (unsigned long long)item->sequence,
                         (long long)item->length, (int)item->state,
                         (unsigned)item->deliveries, (long long)item->age_ms,
                         (int)item->pid, item->bytes, (Py_ssize_t)item->copied);
}

/* browse(name, most, each): `each` bytes of every message; 0: none. */
static PyObject *
browse_queue(PyObject *module, PyObject *arguments)
{
    PyObject *text, *items = NULL;
    mmf_queue_item *found;
    Py_ssize_t most, each;
    char *bytes = NULL;
    const char *name;
    size_t count = 0;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "Onn", &text, &most, &each) ||
        !parse_name(text, &name))
        return NULL;
    if (most < 1)
        return raise_status(MMF_E_RANGE, "most is %zd: 1 or more", most);
    if (each < 0)
        return raise_status(MMF_E_RANGE, "invalid size %zd: 0 or more", each);
    if (most > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(*found) ||
        each > PY_SSIZE_T_MAX / most)
        return raise_status(MMF_E_RANGE,
                            "%zd messages with %zd bytes each: more than "
                            "an address space has",
                            most, each);
    found = PyMem_Malloc((size_t)most * sizeof(*found));
    if (each > 0)
        bytes = PyMem_Malloc((size_t)(most * each));
    if (found == NULL || (each > 0 && bytes == NULL)) {
        PyMem_Free(bytes);
        PyMem_Free(found);
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS rc =
        mmf_queue_browse_bytes(name, found, (size_t)most, bytes, (size_t)each, &count);
    Py_END_ALLOW_THREADS if (rc < 0) raise_last(rc);
    else items = PyList_New(0);
    for (size_t i = 0; items != NULL && i < count; i++) {
        PyObject *one = describe_item(&found[i]);

        if (one == NULL || PyList_Append(items, one) < 0)
            Py_CLEAR(items);
        Py_XDECREF(one);
    }
    PyMem_Free(bytes);
    PyMem_Free(found);
    return items;
}

static PyObject *
stat_channel(PyObject *module, PyObject *text)
{
    mmf_channel_stats stats;
    const char *name;
    int rc;

    (void)module;
    if (!parse_name(text, &name))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = mmf_channel_stat(name, &stats);
    Py_END_ALLOW_THREADS return rc < 0 ? raise_last(rc) : channel_describe(&stats);
}

static mmf_kind
find_kind(const char *name)
{
    static const mmf_kind kinds[] = {MMF_KIND_QUEUE, MMF_KIND_TOPIC, MMF_KIND_LATEST};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name, mmf_kind_name(kinds[i])) == 0)
            return kinds[i];
    return 0;
}

/* channel_size(kind, message_size, capacity, flags, max_senders, max_receivers,
 * max_pins) */
static PyObject *
size_channel(PyObject *module, PyObject *arguments)
{
    mmf_channel_options options = {.size = sizeof(options)};
    Py_ssize_t message_size, capacity;
    const char *name;
    int64_t bytes;
    mmf_kind kind;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "snniiii", &name, &message_size, &capacity,
                          &options.flags, &options.max_senders, &options.max_receivers,
                          &options.max_pins))
        return NULL;
    kind = find_kind(name);
    if (kind == 0)
        return raise_status(MMF_E_INVALID, "unknown kind \"%s\" (queue, topic, latest)",
                            name);
    if (message_size < 0 || capacity < 0)
        return raise_status(MMF_E_RANGE, "invalid size %zd: 1 or more",
                            message_size < 0 ? message_size : capacity);
    rc = mmf_channel_size(kind, (size_t)message_size, (size_t)capacity, &options,
                          &bytes);
    return rc < 0 ? raise_last(rc) : PyLong_FromLongLong(bytes);
}

PyMethodDef list_functions[] = {{"browse", browse_queue, METH_VARARGS, NULL},
                                {"channel_stat", stat_channel, METH_O, NULL},
                                {"channel_size", size_channel, METH_VARARGS, NULL},
                                {"list", list_objects, METH_VARARGS, NULL},
                                {"gc", collect_garbage, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};
