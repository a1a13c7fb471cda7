#include <mmf/mmf.h>
#include <stdio.h>

int
main(void)
{
    mmf_map *map;
    mmf_status status = mmf_map_create_new("Cat", 10000, NULL, &map);
    return printf("mmf %s %s a Cat\n", mmf_version(), status ? "lacks" : "has") < 0;
}
