/*
 * settings.c - a struct that several processes share.
 *
 *     settings 25     set the rate to 25, and keep the map open until Enter
 *     settings        print the rate
 */
#include "guide.h"

#include <stdint.h>

struct settings {
    uint32_t version; /* of this struct; 1 */
    uint32_t rate;
    char name[56];
};

static struct settings *
open_settings(mmf_map **map)
{
    mmf_map_options options = {.size = sizeof(options), .exact_capacity = 1};
    void *bytes;
    size_t size;

    check(mmf_map_create_or_open("Settings", sizeof(struct settings), &options, NULL,
                                 map));
    check(mmf_map_bytes(*map, MMF_ACCESS_READ_WRITE, &bytes, &size));
    return bytes; /* valid until mmf_map_close */
}

int
main(int argc, char **argv)
{
    mmf_map *map;
    struct settings *settings = open_settings(&map);

    if (argc > 1) {
        settings->version = 1;
        settings->rate = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    say("rate %u", settings->rate);
    if (argc > 1)
        wait_for_enter();
    mmf_map_close(map);
    return 0;
}
