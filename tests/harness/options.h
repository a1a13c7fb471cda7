/*
 * options.h - the options of a call in one expression.
 */
#ifndef MMF_TESTS_HARNESS_OPTIONS_H
#define MMF_TESTS_HARNESS_OPTIONS_H

#include <mmf/mmf.h>

/* A call's options: MAP_OPTIONS(.mode = 0640, .wait_ms = 100). The rest is the default. */
#define MAP_OPTIONS(...) OPTIONS(mmf_map_options, __VA_ARGS__)
#define INHERITABLE_MAP MAP_OPTIONS(.inheritability = MMF_INHERITABILITY_INHERITABLE)
#define VIEW_OPTIONS(...) OPTIONS(mmf_view_options, __VA_ARGS__)
#define SYNC_OPTIONS(...) OPTIONS(mmf_sync_options, __VA_ARGS__)
#define CHANNEL_OPTIONS(...) OPTIONS(mmf_channel_options, __VA_ARGS__)
#define SERVICE_OPTIONS(...) OPTIONS(mmf_service_options, __VA_ARGS__)
#define OPTIONS(type, ...) (&(const type){.size = sizeof(type), __VA_ARGS__})

#endif
