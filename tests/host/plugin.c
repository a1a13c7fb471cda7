/*
 * plugin.c - a plug-in that has the library in itself, and uses a mutex.
 */
#include <mmf/mmf.h>

int plugin_work(void);

int
plugin_work(void)
{
    mmf_mutex *mutex;
    int rc = mmf_mutex_create_new("Plugin", 0, NULL, &mutex);

    if (rc == MMF_OK)
        rc = mmf_mutex_wait(mutex, 100);
    if (rc == MMF_OK)
        rc = mmf_mutex_release(mutex);
    if (rc == MMF_OK)
        mmf_mutex_close(mutex);
    return rc;
}
