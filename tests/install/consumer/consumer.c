#include <mmf/mmf.h>
#include <stdio.h>

int
main(void)
{
    mmf *map;
    int64_t bytes;

    if (mmf_create_or_open("Cat", 10000, NULL, &map) < 0 ||
        mmf_capacity(map, &bytes) < 0)
        return fprintf(stderr, "%s\n", mmf_last_message()), 1;
    printf("mmf %s: %d bytes\n", mmf_version(), (int)bytes);
    mmf_close(map);
    return 0;
}
