/* module.c - the extension module mmf._mmf. */
#include "binding.h"

int
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int rc;

    if (type == NULL)
        return -1;
    rc = PyModule_AddType(module, (PyTypeObject *)type);
    Py_DECREF(type);
    return rc;
}

static PyObject *
forked(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    after_fork_in_child();
    Py_RETURN_NONE;
}

static PyObject *
get_version(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyUnicode_FromString(mmf_version());
}

static PyMethodDef functions[] = {{"after_fork_in_child", forked, METH_NOARGS, NULL},
                                  {"version", get_version, METH_NOARGS, NULL},
                                  {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_mmf",
                                        .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC
PyInit__mmf(void)
{
    PyObject *module = PyModule_Create(&definition);

    if (module == NULL)
        return NULL;
    if (errors_init() < 0 || wait_init(module) < 0 || map_add(module) < 0 ||
        object_add(module) < 0 || sync_add(module) < 0 || lent_add(module) < 0 ||
        channel_add(module) < 0 || service_add(module) < 0 || poller_add(module) < 0 ||
        PyModule_AddFunctions(module, sync_functions) < 0 ||
        PyModule_AddFunctions(module, list_functions) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
