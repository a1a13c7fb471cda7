/*
 * main.c - main() of a test program that has no other.
 */
#include "harness/check.h"

#include <string.h>

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    return harness_main(argc, argv, slash != NULL ? slash + 1 : argv[0], NULL, 0, NULL);
}
