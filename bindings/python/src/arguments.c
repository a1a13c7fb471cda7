/* arguments.c - what callers pass to the methods that must be fast. */
#include "binding.h"

#include <math.h>

static int
index_of(PyObject *keyword, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (PyUnicode_CompareWithASCIIString(keyword, names[i]) == 0)
            return i;
    return -1;
}

bool
parse_all_arguments(const char *call, PyObject *const *given, Py_ssize_t count,
                    PyObject *kwnames, const char *const *names, int required,
                    PyObject **values)
{
    Py_ssize_t keywords = kwnames != NULL ? PyTuple_Size(kwnames) : 0;
    Py_ssize_t most = 0;

    while (names[most] != NULL)
        values[most++] = NULL;
    if (count > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)",
                     call, most, count);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        values[i] = given[i];
    for (Py_ssize_t i = 0; i < keywords; i++) {
        PyObject *keyword = PyTuple_GetItem(kwnames, i);
        int at = index_of(keyword, names);

        if (at < 0 || values[at] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got %s argument %R", call,
                         at < 0 ? "an unexpected keyword" : "two values for", keyword);
            return false;
        }
        values[at] = given[count + i];
    }
    for (int i = 0; i < required; i++)
        if (values[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() needs the argument '%s'", call,
                         names[i]);
            return false;
        }
    return true;
}

bool
parse_seconds(PyObject *seconds, int32_t *ms)
{
    double value = PyFloat_AsDouble(seconds);

    if (value == -1.0 && PyErr_Occurred())
        return false;
    if (isnan(value)) {
        raise_status(MMF_E_RANGE, "invalid timeout: it is not a number");
        return false;
    }
    if (value < 0) { /* the library refuses it; -1 is its word for no limit */
        value = floor(value * 1000.0);
        *ms = value < -1e9 ? -1000000000 : value > -2 ? -2 : (int32_t)value;
        return true;
    }
    value = ceil(value * 1000.0);
    *ms = value >= (double)INT32_MAX ? INT32_MAX : (int32_t)value;
    return true;
}

/* A NUL in the middle must not make another name of it. None is NULL: the library says
 * where there must be a name. */
bool
parse_name(PyObject *object, const char **name)
{
    Py_ssize_t length;

    *name = NULL;
    if (object == Py_None)
        return true;
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a name is a str, not %R", Py_TYPE(object));
        return false;
    }
    *name = PyUnicode_AsUTF8AndSize(object, &length);
    if (*name == NULL)
        return false;
    if (strlen(*name) != (size_t)length) {
        raise_status(MMF_E_INVALID, "\"%s\": a name must not have a NUL in it", *name);
        return false;
    }
    return true;
}

bool
parse_size(PyObject *number, size_t *size)
{
    if (number == NULL || number == Py_None)
        return true;
    *size = PyLong_AsSize_t(number);
    return *size != (size_t)-1 || !PyErr_Occurred();
}

bool
parse_number(PyObject *number, uint64_t *value)
{
    *value = number != NULL ? PyLong_AsUnsignedLongLong(number) : 0;
    return *value != UINT64_MAX || !PyErr_Occurred();
}
