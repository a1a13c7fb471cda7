/* list.c - the named objects that there are, and what is in a queue. */
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
    unsigned flags;
    mmf_list *list;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "I", &flags))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = mmf_list_create(flags, &list);
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
    unsigned flags;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "I", &flags))
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = mmf_gc(flags, &result);
    Py_END_ALLOW_THREADS if (rc < 0) return raise_last(rc);
    return PyLong_FromLong(result.removed);
}

/* Each as (sequence, length, state, deliveries, milliseconds in flight, pid). */
static PyObject *
browse_queue(PyObject *module, PyObject *arguments)
{
    PyObject *text, *items = NULL;
    mmf_queue_item *found;
    Py_ssize_t most;
    const char *name;
    size_t count = 0;
    int rc;

    (void)module;
    if (!PyArg_ParseTuple(arguments, "On", &text, &most) || !parse_name(text, &name))
        return NULL;
    if (most < 1 || most > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(*found))
        return raise_status(MMF_E_RANGE, "most is %zd: 1 or more", most);
    found = PyMem_Malloc((size_t)most * sizeof(*found));
    if (found == NULL)
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS rc = mmf_queue_browse(name, found, (size_t)most, &count);
    Py_END_ALLOW_THREADS if (rc < 0) raise_last(rc);
    else items = PyList_New(0);
    for (size_t i = 0; items != NULL && i < count; i++) {
        PyObject *one = Py_BuildValue("(KLiILi)", (unsigned long long)found[i].sequence,
                                      (long long)found[i].length, (int)found[i].state,
                                      (unsigned)found[i].deliveries,
                                      (long long)found[i].age_ms, (int)found[i].pid);

        if (one == NULL || PyList_Append(items, one) < 0)
            Py_CLEAR(items);
        Py_XDECREF(one);
    }
    PyMem_Free(found);
    return items;
}

PyMethodDef list_functions[] = {{"browse", browse_queue, METH_VARARGS, NULL},
                                {"list", list_objects, METH_VARARGS, NULL},
                                {"gc", collect_garbage, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};
