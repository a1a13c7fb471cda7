#include <mmf/mmf.h>
#include <stdio.h>

int
main(void)
{
    mmf_map *map;
    int64_t bytes;

    if (mmf_map_create_or_open("Cat", 10000, NULL, NULL, &map) < 0 ||
        mmf_map_capacity(map, &bytes) < 0)
        return fprintf(stderr, "%s\n", mmf_last_message()), 1;
    printf("mmf %s: %d bytes\n", mmf_version(), (int)bytes);
    mmf_map_close(map);
    return 0;
}
