/*
 * win32_reader.c - a Windows program that knows nothing of mmf: opens "Cat" and
 * prints the text in it, as process_b.c does.
 */
#include <stdio.h>
#include <windows.h>

int
main(void)
{
    HANDLE section = OpenFileMappingW(FILE_MAP_READ, FALSE, L"Cat");
    const char *bytes;

    if (section == NULL) {
        fprintf(stderr, "win32_reader: error %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    bytes = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    if (bytes == NULL)
        return 1;
    printf("Read by Win32: %s\n", bytes);
    return 0;
}
