/* errors.c - statuses as exceptions. The classes are in mmf/_errors.py. */
#include "binding.h"

#include <stdarg.h>
#include <stdio.h>

static PyObject *make_error; /* mmf._errors.make */

int
errors_init(void)
{
    PyObject *module = PyImport_ImportModule("mmf._errors");

    if (module == NULL)
        return -1;
    make_error = PyObject_GetAttrString(module, "make");
    Py_DECREF(module);
    return make_error != NULL ? 0 : -1;
}

static void *
raise_as(int status, const char *message, const char *parameter, int system_error)
{
    PyObject *text =
        PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    PyObject *error = NULL;

    if (text != NULL)
        error =
            PyObject_CallFunction(make_error, "isOsi", status, mmf_status_name(status),
                                  text, parameter, system_error);
    if (error != NULL)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    Py_XDECREF(text);
    return NULL;
}

void *
raise_last(int status)
{
    mmf_error error;

    if (status == WAIT_INTERRUPTED)
        return NULL;
    mmf_last_error(&error);
    return raise_as(status, error.message, error.parameter, error.system_error);
}

void *
raise_status(int status, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return raise_as(status, message, "", 0);
}
