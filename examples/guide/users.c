/* users.c - a map for this user and for the members of its group, until Enter. */
#include "guide.h"

int
main(void)
{
    mmf_map_options options = {
        .size = sizeof(options),
        .all_users = 1, /* the name is the same for every user */
        .mode = 0660,   /* but only the file's group may open it; 0 would be 0666 */
    };
    mmf_map *map;

    check(mmf_map_create_or_open("Prices", 4096, &options, NULL, &map));
    say("Prices is open.");
    wait_for_enter();
    mmf_map_close(map);
    return 0;
}
