/* process_b.c - open the map "Cat" and print the message that process_a wrote. */
#include <mmf/mmf.h>

#include <stdio.h>
#include <string.h>

int
main(void)
{
    mmf_map *map = NULL;
    void *bytes;
    size_t size;

    if (mmf_map_open_existing("Cat", NULL, &map) < 0 ||
        mmf_map_bytes(map, MMF_ACCESS_READ, &bytes, &size) < 0) {
        fprintf(stderr, "process_b: %s\n", mmf_last_message());
        return 1;
    }
    printf("Message read from shared memory: %.*s\n", (int)size, (const char *)bytes);
    mmf_map_close(map);
    return 0;
}
