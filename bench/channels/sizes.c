/* sizes.c - the sizes of messages that are measured. */
#include "channels/sizes.h"

#include <stdio.h>

const size_t channel_sizes[] = {8, 64, 1024, 65536, 1048576};
const int channel_size_count = sizeof(channel_sizes) / sizeof(channel_sizes[0]);

size_t
channel_slots(size_t size)
{
    if (size <= 1024)
        return 1024;
    return size <= 65536 ? 32 : 4;
}

const char *
channel_size_name(size_t size)
{
    static char names[4][24];
    static int next;
    char *name = names[next++ % 4];

    if (size < 1024)
        snprintf(name, sizeof(names[0]), "%zu B", size);
    else if (size < 1048576)
        snprintf(name, sizeof(names[0]), "%zu KiB", size / 1024);
    else
        snprintf(name, sizeof(names[0]), "%zu MiB", size / 1048576);
    return name;
}
