#include <mmf/mmf.h>
#include <stdio.h>

int
main(void)
{
    mmf_map *map;
    if (mmf_map_create_new("Cat", 10000, NULL, &map) < 0)
        return puts(mmf_last_message()), 1;
    return printf("mmf %s has a Cat\n", mmf_version()) < 0;
}
