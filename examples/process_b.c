/*
 * process_b.c - open the map "Cat" that process_a made and print its message.
 *
 * The map knows its bytes, not how many of them are text. A new map is all zero, so
 * the message ends where the first zero byte stands: reading the whole map into a
 * buffer that has one zero byte more always gives a string.
 */
#include <mmf/mmf.h>

#include <stdio.h>

int
main(void)
{
    static char message[10000 + 1];
    mmf_map *map = NULL;
    mmf_accessor *view = NULL;
    size_t read;
    int rc;

    rc = mmf_map_open_existing("Cat", NULL, &map);
    if (rc >= 0)
        rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view);
    if (rc >= 0)
        rc = mmf_accessor_read_array(view, 0, message, 1, 10000, &read);

    if (rc >= 0)
        printf("Message read from shared memory: %s\n", message);
    else
        fprintf(stderr, "process_b: %s\n", mmf_last_message());
    mmf_accessor_close(view);
    mmf_map_close(map);
    return rc >= 0 ? 0 : 1;
}
