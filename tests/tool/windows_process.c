/*
 * windows_process.c - what the tests of mmf.exe need of Windows: processes by the number
 * that it gives them, and programs that know nothing of mmf.
 *
 *   alive NUMBER   is that process there?
 *   end NUMBER     end it, as rudely as can be, and wait until it is gone
 *   crash          end by an access violation
 *   stay           print the own number, and stay until standard input ends
 *   sleep          print the own number, and stay until it is ended
 *   own NAME       the same, owning the mutex of that name
 *   echo WORD...   print each in brackets, on a line of its own
 *   visit FILE     write "in" to the file, and a moment later "out"
 *   upper          copy standard input to standard output, in capitals
 */
#include <ctype.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* NO is not what Wine answers when it cannot start a program. */
enum { DONE = 0, NO = 3, USAGE = 2, KILLED = 128 + 9, TIMEOUT_MS = 10000 };

static HANDLE
open_process(const char *number)
{
    return OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE,
                       (DWORD)strtoul(number, NULL, 10));
}

static int
alive(const char *number)
{
    HANDLE process = open_process(number);

    return process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT ? DONE
                                                                              : NO;
}

static int
end(const char *number)
{
    HANDLE process = open_process(number);

    if (process == NULL)
        return DONE; /* it is gone */
    TerminateProcess(process, KILLED);
    return WaitForSingleObject(process, TIMEOUT_MS) == WAIT_OBJECT_0 ? DONE : NO;
}

static int
crash(const char *nothing)
{
    (void)nothing;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, NULL);
    return NO;
}

static void
print_number(void)
{
    printf("%lu\n", (unsigned long)GetCurrentProcessId());
    fflush(stdout);
}

/* As Windows ends a program that does not handle it; Wine gives it status 0. */
static BOOL WINAPI
end_by_event(DWORD event)
{
    (void)event;
    ExitProcess(0xC000013A);
}

static int
sleep_on(const char *nothing)
{
    (void)nothing;
    SetConsoleCtrlHandler(end_by_event, TRUE);
    print_number();
    Sleep(INFINITE);
    return NO;
}

static int
stay(const char *nothing)
{
    (void)nothing;
    print_number();
    while (getchar() != EOF)
        ;
    return DONE;
}

static int
own(const char *name)
{
    if (CreateMutexA(NULL, TRUE, name) == NULL)
        return NO;
    return stay(NULL);
}

static int
say(const char *path, const char *word)
{
    FILE *file = fopen(path, "ab");

    return file != NULL && fputs(word, file) >= 0 && fclose(file) == 0;
}

static int
visit(const char *path)
{
    enum { A_MOMENT_MS = 20 };

    if (!say(path, "in\n"))
        return NO;
    Sleep(A_MOMENT_MS);
    return say(path, "out\n") ? DONE : NO;
}

static int
upper(const char *nothing)
{
    int letter;

    (void)nothing;
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    while ((letter = getchar()) != EOF)
        putchar(toupper(letter));
    return DONE;
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const char *argument);
        int arguments;
    } tasks[] = {{"alive", alive, 1}, {"end", end, 1},        {"crash", crash, 0},
                 {"stay", stay, 0},   {"sleep", sleep_on, 0}, {"own", own, 1},
                 {"visit", visit, 1}, {"upper", upper, 0}};

    if (argc > 1 && strcmp(argv[1], "echo") == 0) {
        for (int i = 2; i < argc; i++)
            printf("[%s]\n", argv[i]);
        return DONE;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(tasks) / sizeof(tasks[0]); i++)
        if (strcmp(argv[1], tasks[i].name) == 0 && argc == 2 + tasks[i].arguments)
            return tasks[i].run(argv[2]);
    fprintf(stderr, "usage: see windows_process.c\n");
    return USAGE;
}
