/*
 * process_a.c - make the map "Cat" and leave a message in it.
 *
 * Start this in one terminal and process_b in another. A map lives as long as somebody
 * has it open, so this process stays until a line or the end of its input arrives.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <string.h>

static void
wait_for_a_line(void)
{
    int c;

    do {
        c = getchar();
    } while (c != '\n' && c != EOF);
}

int
main(void)
{
    static const char message[] = "HI Night Mo.";
    mmf_map *map = NULL;
    mmf_accessor *view = NULL;
    int rc;

    rc = mmf_map_create_new("Cat", 10000, NULL, &map);
    if (rc >= 0)
        rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view);
    if (rc >= 0)
        rc = mmf_accessor_write_array(view, 0, message, 1,
                                           (int64_t)strlen(message));

    if (rc >= 0) {
        puts("Message written to shared memory!");
        fflush(stdout);
        wait_for_a_line();
    } else {
        fprintf(stderr, "process_a: %s\n", mmf_last_message());
    }
    mmf_accessor_close(view);
    mmf_map_close(map);
    return rc >= 0 ? 0 : 1;
}
