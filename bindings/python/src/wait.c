/*
 * wait.c - waits that signals end, and that leave the interpreter to other threads.
 *
 * Python runs signal handlers in its main thread, between two steps of the interpreter.
 * A wait of that thread must therefore end when a signal comes. The C handler of Python
 * writes a byte to the descriptor of signal.set_wakeup_fd; a thread of ours reads it, and
 * sets an event that the wait has beside its objects. So a wait keeps its place in the
 * queue of sleepers, which short slices would lose. asyncio has such a descriptor, too:
 * what comes while ours is in its place is passed on to it.
 */
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static unsigned long main_thread;
static PyObject *set_wakeup_fd; /* signal.set_wakeup_fd */
static int wakeup_pipe[2] = {-1, -1};
static volatile int pass_on_to = -1;
static mmf_event *interrupted;

int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
in_main_thread(void)
{
    return PyThread_get_thread_ident() == main_thread;
}

static void *
read_wakeups(void *unused)
{
    char signals[64];
    ssize_t count;

    (void)unused;
    while ((count = read(wakeup_pipe[0], signals, sizeof(signals))) > 0) {
        if (pass_on_to >= 0 && write(pass_on_to, signals, (size_t)count) < 0)
            continue; /* full: its reader has enough to do */
        mmf_event_set(interrupted);
    }
    return NULL;
}

static int
start_reader(void)
{
    sigset_t all, before;
    pthread_t thread;
    int rc;

    if (interrupted != NULL)
        return 0;
    if (pipe2(wakeup_pipe, O_CLOEXEC) < 0 ||
        fcntl(wakeup_pipe[1], F_SETFL, O_NONBLOCK) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    rc = mmf_event_create_or_open(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, NULL,
                                  &interrupted);
    if (rc < 0) {
        raise_last(rc);
        return -1;
    }
    sigfillset(&all); /* signals are for other threads */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = pthread_create(&thread, NULL, read_wakeups, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        return pthread_detach(thread);
    errno = rc;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

/* The thread that forked is the child's main thread; the reader is not there. */
void
after_fork_in_child(void)
{
    fork_epoch++;
    main_thread = PyThread_get_thread_ident();
    if (interrupted != NULL) {
        mmf_event_close(interrupted);
        interrupted = NULL;
        close(wakeup_pipe[0]);
        close(wakeup_pipe[1]);
    }
}

int
wait_init(PyObject *module)
{
    PyObject *signals = PyImport_ImportModule("signal");
    PyObject *threads = PyImport_ImportModule("threading");
    PyObject *first = NULL, *number = NULL;

    (void)module;
    if (signals != NULL)
        set_wakeup_fd = PyObject_GetAttrString(signals, "set_wakeup_fd");
    if (threads != NULL)
        first = PyObject_CallMethod(threads, "main_thread", NULL);
    if (first != NULL)
        number = PyObject_GetAttrString(first, "ident");
    if (number != NULL)
        main_thread = PyLong_AsUnsignedLong(number);
    Py_XDECREF(number);
    Py_XDECREF(first);
    Py_XDECREF(threads);
    Py_XDECREF(signals);
    return PyErr_Occurred() ? -1 : 0;
}

/* Puts our descriptor in the place of another one, or that one back. */
static int
exchange_wakeup_fd(int fd)
{
    PyObject *before = PyObject_CallFunction(set_wakeup_fd, "i", fd);
    int number = before != NULL ? (int)PyLong_AsLong(before) : -2;

    Py_XDECREF(before);
    return number;
}

static int
wait_without_lock(mmf_waitable *const *objects, int count, int32_t ms, int *index)
{
    int rc;

    Py_BEGIN_ALLOW_THREADS rc = mmf_wait_any(objects, count, ms, index);
    Py_END_ALLOW_THREADS return rc;
}

/* With what interrupts as the last object, until the time is over or an object is had. */
static int
wait_beside_signals(mmf_waitable **objects, int count, int32_t ms, int *index)
{
    int64_t until = now_ms() + ms;
    int32_t left = ms;
    int rc;

    do {
        if (PyErr_CheckSignals() < 0)
            return WAIT_INTERRUPTED;
        rc = wait_without_lock(objects, count + 1, left, index);
        if (rc != MMF_OK || *index < count)
            break;
        rc = MMF_TIMED_OUT;
        if (ms >= 0)
            left = until > now_ms() ? (int32_t)(until - now_ms()) : 0;
    } while (left != 0);
    return rc;
}

int
wait_interruptibly(mmf_waitable *const *objects, int count, int32_t timeout_ms,
                   int *index)
{
    mmf_waitable *all[MMF_WAIT_MAXIMUM];
    PyObject *type, *value, *trace;
    int before, rc;

    rc = mmf_wait_any(objects, count, timeout_ms < -1 ? timeout_ms : 0, index);
    if (rc != MMF_TIMED_OUT || timeout_ms == 0)
        return rc;
    if (!in_main_thread() || count == MMF_WAIT_MAXIMUM)
        return wait_without_lock(objects, count, timeout_ms, index);
    if (start_reader() < 0)
        return WAIT_INTERRUPTED;
    for (int i = 0; i < count; i++)
        all[i] = objects[i];
    all[count] = mmf_event_waitable(interrupted);
    mmf_event_reset(interrupted);
    before = exchange_wakeup_fd(wakeup_pipe[1]);
    if (before == -2)
        return WAIT_INTERRUPTED;
    pass_on_to = before;
    rc = wait_beside_signals(all, count, timeout_ms, index);
    PyErr_Fetch(&type, &value, &trace);
    exchange_wakeup_fd(before);
    PyErr_Restore(type, value, trace);
    return rc;
}
