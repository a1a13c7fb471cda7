/* list.c - the named objects that there are. */
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

PyMethodDef list_functions[] = {{"list", list_objects, METH_VARARGS, NULL},
                                {"gc", collect_garbage, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};
