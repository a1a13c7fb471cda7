/* process_a.c - create the map "Cat" and write a message into it. */
#include <mmf/mmf.h>

#include <stdio.h>
#include <string.h>

int
main(void)
{
    static const char message[] = "HI Night Mo.";
    mmf_map *map = NULL;
    void *bytes;
    size_t size;

    if (mmf_map_create_new("Cat", 10000, NULL, &map) < 0 ||
        mmf_map_bytes(map, MMF_ACCESS_READ_WRITE, &bytes, &size) < 0) {
        fprintf(stderr, "process_a: %s\n", mmf_last_message());
        return 1;
    }
    memcpy(bytes, message, strlen(message));
    puts("Message written to shared memory!");
    fflush(stdout);
    getchar();
    mmf_map_close(map);
    return 0;
}
