/*
 * unload_test.c - a plug-in with the static library in it is unloaded while a thread
 * that has used it lives on.
 */
#include "harness/forks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t together;

static void *
use_plugin(void *plugin)
{
    int (*work)(void) = (int (*)(void))(uintptr_t)dlsym(plugin, "plugin_work");

    CHECK(work != NULL);
    CHECK_OK(work());
    pthread_barrier_wait(&together); /* it is unloaded now, */
    pthread_barrier_wait(&together); /* and now it has been */
    return NULL;
}

/* In a process of its own: the fault would kill it. */
static void
use_and_unload(void *unused)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW);
    pthread_t thread;
    pid_t child;
    int status;

    (void)unused;
    CHECK(plugin != NULL);
    CHECK(pthread_barrier_init(&together, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, use_plugin, plugin) == 0);
    pthread_barrier_wait(&together);
    CHECK(dlclose(plugin) == 0);
    CHECK(dlopen(PLUGIN, RTLD_NOW | RTLD_NOLOAD) == NULL); /* it is gone indeed */
    pthread_barrier_wait(&together);
    CHECK(pthread_join(thread, NULL) == 0);
    child = fork(); /* its handlers were in the plug-in, too */
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(a_thread_outlives_the_plugin_it_used)
{
    in_child(use_and_unload, NULL);
}
