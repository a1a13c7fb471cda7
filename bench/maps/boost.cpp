/*
 * boost.cpp - the same work with Boost.Interprocess, as its documentation does it.
 */
#include "maps/boost.h"

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cstdio>
#include <exception>

using boost::interprocess::create_only;
using boost::interprocess::mapped_region;
using boost::interprocess::open_only;
using boost::interprocess::read_write;
using boost::interprocess::shared_memory_object;

namespace
{

/* C callers cannot catch. */
template <typename Work>
int
done(Work work)
{
    try {
        work();
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "boost: %s\n", error.what());
        return -1;
    }
}

} // namespace

int
boost_is_here(void)
{
    return 1;
}

int
boost_create(const char *name, long long capacity)
{
    return done([=] {
        shared_memory_object object(create_only, name, read_write);
        object.truncate(capacity);
    });
}

int
boost_remove(const char *name)
{
    return shared_memory_object::remove(name) ? 0 : -1;
}

int
boost_create_map_remove(const char *name, long long capacity)
{
    return done([=] {
        {
            shared_memory_object object(create_only, name, read_write);
            object.truncate(capacity);
            mapped_region region(object, read_write);
        }
        shared_memory_object::remove(name);
    });
}

int
boost_open_map_close(const char *name)
{
    return done([=] {
        shared_memory_object object(open_only, name, read_write);
        mapped_region region(object, read_write);
    });
}
