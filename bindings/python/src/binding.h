/*
 * binding.h - what the files of the extension module _mmf share.
 *
 * The module is written in the limited API of Python 3.11, so that one binary serves all
 * later versions. Its types are the bases of the classes in mmf/: they have what must be
 * fast, and what Python cannot do. Arguments of the methods that open are positional;
 * the classes give them names and defaults.
 */
#ifndef MMF_PYTHON_BINDING_H
#define MMF_PYTHON_BINDING_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <mmf/mmf.h>

/* Calls of one kind of object, whichever it is. `handle` is C's handle. */
struct kind {
    const char *name;
    void (*close)(void *handle);
    mmf_waitable *(*waitable)(void *handle);
    /* mutex, event, semaphore */
    int (*wait)(void *handle, int32_t timeout_ms);
    /* queue, topic, latest value; service: its client's calls are what is sent */
    int (*send)(void *handle, const void *bytes, size_t length, int32_t timeout_ms,
                uint64_t *sequence);
    int (*reserve)(void *handle, size_t length, int32_t timeout_ms, void **bytes);
    int (*commit)(void *handle, size_t length, uint64_t *sequence);
    int (*abandon)(void *handle);
    int (*take)(void *handle, int32_t timeout_ms, mmf_message *message);
    int (*release)(void *handle, const mmf_message *message); /* service: an answer */
    int (*returns)(void *handle, const mmf_message *message); /* NULL: it cannot */
    int (*stat)(void *handle, mmf_channel_stats *stats);
    int (*fd)(void *handle, int *fd);
};

/*
 * An object with a handle. The interpreter's lock guards every field.
 *
 * A call that releases that lock counts as a user, and so does a buffer that leads into
 * the handle's memory. close() marks the object; its handle is closed when the last user
 * is gone. A handle of a channel is for one thread at a time: `busy` is the turn of a
 * thread that has released the interpreter's lock meanwhile.
 */
struct object {
    PyObject_HEAD const struct kind *kind;
    PyObject *name; /* str, or None */
    void *handle;
    unsigned fork_epoch; /* of the process that opened it */
    int users;
    bool closed;
    bool created;
    bool abandoned; /* mutex: the last owner died before this one's last acquire */
    struct registration *polled; /* the pollers that it was added to */
    bool busy;                   /* channel */
    int wanted;                  /* channel: threads that wait for their turn */
    size_t message_size;         /* channel */
    size_t answer_size;          /* service */
    uint64_t sequence;           /* channel: of what was received or sent last */
    mmf_message last;            /* channel: what was received last */
};

extern const struct kind mutex_kind, event_kind, semaphore_kind, queue_kind, topic_kind,
    latest_kind, service_kind;

/* errors.c: exceptions. Each returns NULL, so that a caller can return it. */
int errors_init(void);
void *raise_last(int status);
void *raise_status(int status, const char *format, ...);

/* object.c: handles. */
struct object *object_new(PyTypeObject *type, const struct kind *kind, PyObject *name);
void object_dealloc(PyObject *self);
PyObject *object_close(PyObject *self, PyObject *unused);
void object_user_gone(struct object *self);
/* The handle, usable; else NULL with an exception. Reopens it in the child of a fork. */
void *object_handle(struct object *self);
extern unsigned fork_epoch;

static inline bool
object_is_usable(const struct object *self)
{
    return !self->closed && self->handle != NULL && self->fork_epoch == fork_epoch;
}

extern PyTypeObject *waitable_type; /* the base of all that can be waited for */

/* arguments.c: what callers pass. Each returns false with an exception. The inline ones
 * are for calls without what is optional. */
bool parse_all_arguments(const char *call, PyObject *const *given, Py_ssize_t count,
                         PyObject *kwnames, const char *const *names, int required,
                         PyObject **values);
static inline bool
parse_arguments(const char *call, PyObject *const *given, Py_ssize_t count,
                PyObject *kwnames, const char *const *names, int required,
                PyObject **values)
{
    if (kwnames != NULL || count != required)
        return parse_all_arguments(call, given, count, kwnames, names, required,
                                   values);
    for (int i = 0; i < required; i++)
        values[i] = given[i];
    for (int i = required; names[i] != NULL; i++)
        values[i] = NULL;
    return true;
}
bool parse_seconds(PyObject *seconds, int32_t *ms);
static inline bool
parse_timeout(PyObject *seconds, int32_t *ms) /* NULL, None: forever */
{
    *ms = MMF_INFINITE;
    return seconds == NULL || seconds == Py_None || parse_seconds(seconds, ms);
}
bool parse_name(PyObject *object, const char **name);
bool parse_size(PyObject *number, size_t *size);      /* NULL, None: as it is */
bool parse_number(PyObject *number, uint64_t *value); /* NULL: 0 */

/* wait.c: waits that signals end. */
int wait_init(PyObject *module);
bool in_main_thread(void);
int64_t now_ms(void);
void after_fork_in_child(void);
/*
 * Wait for one of the objects, of which there are at most MMF_WAIT_MAXIMUM, without the
 * interpreter's lock. Status as mmf_wait_any; -1000 with an exception, which a signal's
 * handler has raised.
 */
#define WAIT_INTERRUPTED (-1000)
int wait_interruptibly(mmf_waitable *const *objects, int count, int32_t timeout_ms,
                       int *index);

/*
 * channel.c: calls on channels.
 */

/* One call of C's, with what it gets and gives. */
struct call {
    int (*step)(struct object *self, struct call *call, int32_t ms);
    const mmf_message *request; /* to answer */
    const void *bytes;
    size_t length;
    uint32_t flags;
    uint64_t number; /* a version, a service's call */
    void *memory;
    bool takes; /* what it got is gone if the handle is */
};

/* The handle, when no other thread is in a slice with it. NULL with an exception. */
void *handle_after_turns(struct object *self);
static inline void *
handle_in_turn(struct object *self)
{
    return object_is_usable(self) && !self->busy ? self->handle
                                                 : handle_after_turns(self);
}

/* Status of the call, which waits up to `ms`; WAIT_INTERRUPTED with an exception. */
int channel_run(struct object *self, struct call *call, int32_t ms);
int step_send(struct object *self, struct call *call, int32_t ms);
int step_take(struct object *self, struct call *call, int32_t ms);

/* Run the call, which sends the bytes of `data`. */
int channel_send_data(struct object *self, struct call *call, PyObject *data,
                      int32_t ms);

/* The object over a handle that was just opened, or an exception. */
PyObject *channel_made(PyObject *type, const struct kind *kind, PyObject *name, int rc,
                       void *handle, bool created);

PyObject *channel_add_type(PyObject *module, const char *name, const char *doc,
                           PyMethodDef *methods, PyGetSetDef *getset, PyObject *base);

/* Methods of every channel, as of METH_FASTCALL and METH_NOARGS. */
#define FAST(function) ((PyCFunction)(void (*)(void))(function))
#define WITH_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)
PyObject *channel_take_as(PyObject *object, PyObject *const *given, Py_ssize_t count,
                          PyObject *kwnames, const char *name,
                          PyObject *(*lend)(struct object *));
PyObject *channel_reserve(PyObject *object, PyObject *const *given, Py_ssize_t count,
                          PyObject *kwnames);
PyObject *channel_describe(const mmf_channel_stats *stats); /* as a dict */
PyObject *channel_stat(PyObject *object, PyObject *unused);
PyObject *channel_fileno(PyObject *object, PyObject *unused);
PyObject *channel_message_size(PyObject *object, void *unused);

/*
 * lent.c: what is read and written in place.
 */

/* The message that `channel` took last; a slot of it. NULL with an exception. */
PyObject *lend_message(struct object *channel);
PyObject *lend_request(struct object *channel);
PyObject *lend_copied_request(struct object *channel);
PyObject *lend_slot(struct object *channel, size_t size, void *memory);

/* poller.c: the object is closed, or gone. */
void forget_pollers(struct object *self);

/* The parts of the module: add their types to it. -1 with an exception. */
int add_type(PyObject *module, PyType_Spec *spec);
int object_add(PyObject *module);
int map_add(PyObject *module);
int sync_add(PyObject *module);
int channel_add(PyObject *module);
int lent_add(PyObject *module);
int service_add(PyObject *module);
int poller_add(PyObject *module);
extern PyMethodDef sync_functions[];
extern PyMethodDef list_functions[];

#endif
