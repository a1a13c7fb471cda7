/* boost_absent.c - what stands for boost_sync.cpp where Boost is not installed. */
#include "sync/boost.h"

int
boost_mutex_is_here(void)
{
    return 0;
}

int
boost_mutex_create(const char *name)
{
    (void)name;
    return -1;
}

void
boost_mutex_lock_unlock(int times)
{
    (void)times;
}

void
boost_mutex_remove(const char *name)
{
    (void)name;
}
