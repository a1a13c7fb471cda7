/* boost_absent.c - what stands for boost_maps.cpp where Boost is not installed. */
#include "maps/boost.h"

int
boost_is_here(void)
{
    return 0;
}

int
boost_create(const char *name, long long capacity)
{
    (void)name;
    (void)capacity;
    return -1;
}

int
boost_remove(const char *name)
{
    (void)name;
    return -1;
}

int
boost_create_map_remove(const char *name, long long capacity)
{
    return boost_create(name, capacity);
}

int
boost_open_map_close(const char *name)
{
    return boost_remove(name);
}
