/* boost.h - the peer's ways: Boost.Interprocess, its shared_memory_object. */
#ifndef MMF_BENCH_MAPS_BOOST_H
#define MMF_BENCH_MAPS_BOOST_H

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if this was built with Boost; else the others fail. */
int boost_is_here(void);

/* Create, size, map, unmap, close, remove. 0, or -1 and a message on standard error. */
int boost_create_map_remove(const char *name, long long capacity);

/* Open, map, unmap, close. */
int boost_open_map_close(const char *name);

/* Create and size it, and leave it there; remove it. */
int boost_create(const char *name, long long capacity);
int boost_remove(const char *name);

#ifdef __cplusplus
}
#endif

#endif
