/*
 * boost.cpp - a mutex by name with Boost.Interprocess, as its documentation does.
 */
#include "sync/boost.h"

#include <boost/interprocess/sync/named_mutex.hpp>
#include <cstdio>
#include <exception>

using boost::interprocess::create_only;
using boost::interprocess::named_mutex;

static named_mutex *mutex;

int
boost_mutex_is_here(void)
{
    return 1;
}

int
boost_mutex_create(const char *name)
{
    try {
        mutex = new named_mutex(create_only, name);
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "boost: %s\n", error.what());
        return -1;
    }
}

void
boost_mutex_lock_unlock(int times)
{
    while (times-- > 0) {
        mutex->lock();
        mutex->unlock();
    }
}

void
boost_mutex_remove(const char *name)
{
    delete mutex;
    named_mutex::remove(name);
}
