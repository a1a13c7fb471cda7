/*
 * actor.c - threads, lines and handles of the actor program.
 */
#include "harness/actor/actor.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

enum { MAX_THREADS = 32, MAX_HANDLES = 512, LINE_SIZE = 65536 };

_Noreturn void
complain(const char *what, const char *word)
{
    fprintf(stderr, "actor: %s: %s\n", what, word);
    exit(EXIT_FAILURE);
}

/*
 * Words.
 */

static void
decode(char *word)
{
    char *to = word;
    unsigned byte;

    if (strcmp(word, "''") == 0) {
        *word = '\0';
        return;
    }
    for (; *word != '\0'; word++) {
        if (*word == '%' && sscanf(word + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            word += 2;
        } else {
            *to++ = *word;
        }
    }
    *to = '\0';
}

const char *
text_at(const struct call *call, int i)
{
    if (i >= call->count)
        complain("an argument is missing", call->words[0]);
    return call->is_null[i] ? NULL : call->words[i];
}

long long
number_at(const struct call *call, int i)
{
    return atoll(text_at(call, i));
}

int32_t
ms_at(const struct call *call, int i)
{
    return (int32_t)number_at(call, i);
}

mmf_access
access_at(const struct call *call, int i)
{
    return (mmf_access)choice_of(text_at(call, i), access_words);
}

int
plain_count(const struct call *call)
{
    int count = 0;

    while (count < call->count && strchr(call->words[count], '=') == NULL)
        count++;
    return count;
}

size_t
parse_size(const char *text)
{
    return strcmp(text, "SIZE_MAX") == 0 ? SIZE_MAX : (size_t)strtoull(text, NULL, 0);
}

size_t
size_at(const struct call *call, int i)
{
    return parse_size(text_at(call, i));
}

int64_t
offset_at(const struct call *call, int i, int64_t size)
{
    const char *text = text_at(call, i);

    return strncmp(text, "end", 3) == 0 ? size + atoll(text + 3) : atoll(text);
}

size_t
parse_bytes(const char *text, unsigned char *bytes, size_t size)
{
    size_t count = 0;
    unsigned byte;

    for (; count < size && text[0] != '\0' && text[1] != '\0' &&
           sscanf(text, "%2x", &byte) == 1;
         text += 2)
        bytes[count++] = (unsigned char)byte;
    return count;
}

bool
is_null(const struct call *call, const char *argument)
{
    for (int i = 1; i < call->count; i++)
        if (strncmp(call->words[i], "null=", 5) == 0 &&
            strcmp(call->words[i] + 5, argument) == 0)
            return true;
    return false;
}

void *
unless_null(const struct call *call, const char *argument, void *output)
{
    return is_null(call, argument) ? NULL : output;
}

const char *
option_of(const struct call *call, const char *key)
{
    size_t length = strlen(key);

    for (int i = 1; i < call->count; i++)
        if (strncmp(call->words[i], key, length) == 0 && call->words[i][length] == '=')
            return call->words[i] + length + 1;
    return NULL;
}

int
choice_of(const char *word, const char *const *list)
{
    for (int i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], word) == 0)
            return i;
    return atoi(word); /* any number, for values that there are not */
}

/*
 * Answers.
 */

static void say(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    call->length += (size_t)vsnprintf(
        call->answer + call->length, sizeof(call->answer) - call->length, format, args);
    va_end(args);
    if (call->length >= sizeof(call->answer))
        complain("too long an answer", call->words[0]);
}

void
say_text(struct call *call, const char *key, const char *value)
{
    say(call, " %s=%s", key, *value == '\0' ? "''" : "");
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;

        if (byte > ' ' && byte < 0x7f && byte != '%' && byte != '\'')
            say(call, "%c", byte);
        else
            say(call, "%%%02X", byte);
    }
}

void
say_hex(struct call *call, const char *key, const unsigned char *bytes, size_t count)
{
    char text[2 * MAX_HEX + 1] = "";

    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    say_text(call, key, text);
}

void
say_number(struct call *call, const char *key, long long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", value);
    say_text(call, key, text);
}

void
say_output(struct call *call, const char *key, long long value)
{
    if (value == UNTOUCHED)
        say_text(call, key, "untouched");
    else
        say_number(call, key, value);
}

void
say_size(struct call *call, const char *key, size_t value)
{
    say_output(call, key, value == (size_t)UNTOUCHED ? UNTOUCHED : (long long)value);
}

/*
 * Handles.
 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle handles[MAX_HANDLES];

/* In the table, whose lock is held. */
static struct handle *
find_handle(const char *name)
{
    for (int i = 0; i < MAX_HANDLES; i++)
        if (handles[i].kind != 0 && strcmp(handles[i].name, name) == 0)
            return &handles[i];
    return NULL;
}

struct handle
handle_of(const char *name)
{
    struct handle none = {.kind = 0}, *found;

    if (name == NULL)
        return none;
    pthread_mutex_lock(&lock);
    found = find_handle(name);
    if (found != NULL)
        none = *found;
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        complain("no such handle", name);
    return none;
}

void *
object_at(const struct call *call, int i)
{
    return handle_of(text_at(call, i)).object;
}

void
keep_handle(struct call *call, int kind, int status, void *object)
{
    struct handle *handle = handles;

    say_text(call, "out",
             object == NO_HANDLE ? "untouched"
             : object == NULL    ? "NULL"
                                 : "made");
    if (status < 0 || object == NO_HANDLE || object == NULL)
        return;
    if (call->handle == NULL)
        complain("a handle without a name", call->words[0]);
    pthread_mutex_lock(&lock);
    while (handle->kind != 0)
        if (++handle == handles + MAX_HANDLES)
            complain("too many handles", call->handle);
    handle->kind = kind;
    handle->size = call->size;
    handle->object = object;
    handle->reserved = NULL;
    snprintf(handle->name, sizeof(handle->name), "%s", call->handle);
    pthread_mutex_unlock(&lock);
}

void
keep_reserved(const struct call *call, void *bytes, size_t length)
{
    struct handle *handle;

    pthread_mutex_lock(&lock);
    handle = find_handle(text_at(call, 1));
    handle->reserved = bytes;
    handle->length = length;
    pthread_mutex_unlock(&lock);
}

struct handle
forget_handle(const char *name)
{
    struct handle handle = handle_of(name);

    if (handle.kind == 0)
        return handle;
    pthread_mutex_lock(&lock);
    find_handle(name)->kind = 0;
    pthread_mutex_unlock(&lock);
    return handle;
}

/*
 * Calls.
 */

static int (*find_call(const char *name))(struct call *);

/* A call again and again, until it does not answer MMF_OK. */
static int
call_times(struct call *call)
{
    long long count = number_at(call, 1);
    int status = MMF_OK;

    call->count -= 2;
    memmove(call->words, call->words + 2, sizeof(call->words) - 2 * sizeof(char *));
    memmove(call->is_null, call->is_null + 2, sizeof(call->is_null) - 2);
    while (status == MMF_OK && count-- > 0) {
        call->length = 0;
        status = find_call(call->words[0])(call);
    }
    return status;
}

static const struct named_call own_calls[] = {CALL(times), {NULL, NULL}};

static int (*find_call(const char *name))(struct call *)
{
    static const struct named_call *const tables[] = {
        own_calls,  kind_calls,  list_calls,   sync_calls,    map_calls,
        view_calls, value_calls, stream_calls, channel_calls, poll_calls};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct named_call *at = tables[i]; at->name != NULL; at++)
            if (strcmp(at->name, name) == 0)
                return at->make;
    complain("no such call", name);
}

/*
 * A failing call must leave an error of its own. So each thread's last error is first
 * made one that no scenario asks for.
 */
static void
leave_another_error(void)
{
    mmf_map *map = NULL;

    mmf_map_create_new(NULL, -7654321, NULL, &map);
}

/* Of a failure, or of a call that was none and has left an error nevertheless. */
static void
say_error(struct call *call, int status, const mmf_error *before)
{
    mmf_error error;
    bool is_new;

    mmf_last_error(&error);
    is_new = memcmp(&error, before, offsetof(mmf_error, message)) != 0 ||
             strcmp(error.message, before->message) != 0;
    if (status >= 0 && (!is_new || call->is_several))
        return;
    say_text(call, "param", error.parameter);
    say_text(call, "says", error.message);
    say_text(call, "error", is_new ? mmf_status_name(error.status) : "none");
}

static void
make_call(struct call *call)
{
    char outputs[ANSWER_SIZE];
    mmf_error before;
    int status;

    leave_another_error();
    mmf_last_error(&before);
    status = find_call(call->words[0])(call);
    memcpy(outputs, call->answer, call->length + 1);
    call->length = 0;
    if (status == CANNOT) {
        say(call, "cannot");
        return;
    }
    say(call, "%s%s", mmf_status_name(status), outputs);
    say_error(call, status, &before);
}

/* "[K =] CALL ARGUMENT..." */
static void
read_call(struct call *call, char *text)
{
    char *rest, *word = strtok_r(text, " ", &rest);

    memset(call, 0, sizeof(*call));
    for (; word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (call->count == MAX_WORDS - 1)
            complain("too many words", word);
        call->is_null[call->count] = strcmp(word, "NULL") == 0;
        call->words[call->count++] = word;
    }
    if (call->count > 2 && strcmp(call->words[1], "=") == 0) {
        call->handle = call->words[0];
        call->count -= 2;
        memmove(call->words, call->words + 2, sizeof(call->words) - 2 * sizeof(char *));
        memmove(call->is_null, call->is_null + 2, sizeof(call->is_null) - 2);
    }
    for (int i = 0; i < call->count; i++)
        decode(call->words[i]);
    if (call->count == 0)
        complain("an empty call", text);
}

/*
 * Threads. The first one reads lines and hands them on; each named one has its own.
 */

struct thread {
    pthread_t thread;
    pthread_cond_t changed;
    char name[16];
    char *line; /* what to do; NULL: nothing. "end" ends it */
    bool is_used;
};

static struct thread threads[MAX_THREADS];
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * In one write, so that lines of several threads do not mix; and with the lock, so that what
 * this thread did happens before what another one does after this answer.
 */
static void
write_line(const char *name, const char *text)
{
    char line[ANSWER_SIZE + 64];
    int length = snprintf(line, sizeof(line), "%s %s\n", name, text);

    pthread_mutex_lock(&lines_lock);
    if (write(1, line, (unsigned)length) != length)
        exit(EXIT_FAILURE);
    pthread_mutex_unlock(&lines_lock);
}

static void
say_begun(const struct thread *thread)
{
    char text[64] = "begun";

#ifdef __linux__
    snprintf(text, sizeof(text), "begun tid=%ld", (long)syscall(SYS_gettid));
#endif
    write_line(thread->name, text);
}

static void
answer_call(const struct thread *thread, char *text)
{
    static _Thread_local struct call call;

    read_call(&call, text);
    make_call(&call);
    write_line(thread->name, call.answer);
}

static void do_line(const struct thread *thread, char *line);

static void
answer_in_child(const struct thread *thread, char *text)
{
#ifdef __linux__
    pid_t pid = fork();

    if (pid == 0) {
        answer_call(thread, text);
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
#else
    (void)thread;
    complain("there is no fork", text);
#endif
}

/* AddressSanitizer and ThreadSanitizer have work of their own at a child's end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED                                                                   \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SANITIZED 0
#endif

/*
 * Lines of the standard input. Not by a FILE: its lock is held while the parent reads, and
 * the exit of a child wants it.
 */
static struct {
    char text[4096];
    int begin, end;
} input;

static bool
read_line(char line[LINE_SIZE])
{
    size_t length = 0;

    for (;;) {
        if (input.begin == input.end) {
            input.begin = 0;
            input.end = (int)read(0, input.text, sizeof(input.text));
        }
        if (input.end <= 0 || length == LINE_SIZE)
            return false;
        line[length] = input.text[input.begin++];
        if (line[length] == '\n') {
            line[length] = '\0';
            line[strcspn(line, "\r")] = '\0';
            return true;
        }
        length++;
    }
}

#ifdef __linux__
/* A child's end that is no end of its parent's thread: c1 by _exit, c2 by exit, ... */
static _Noreturn void
end_child(const char *name)
{
    if (!IS_SANITIZED && strchr(name, '2') != NULL)
        exit(EXIT_SUCCESS);
    if (!IS_SANITIZED && strchr(name, '3') != NULL)
        pthread_exit(NULL);
    _exit(EXIT_SUCCESS);
}

/* An actor that has one thread: the one that forked. */
static _Noreturn void
live_as_child(const char *name, const char *in, const char *out)
{
    struct thread self = {.line = NULL};
    static char line[LINE_SIZE];
    int requests = open(in, O_RDONLY | O_CLOEXEC);
    int answers = open(out, O_WRONLY | O_CLOEXEC);

    snprintf(self.name, sizeof(self.name), "%.15s", name);
    if (dup2(requests, 0) < 0 || dup2(answers, 1) < 0 || close(requests) < 0 ||
        close(answers) < 0 || write(1, "ready\n", 6) != 6)
        _exit(EXIT_FAILURE);
    input.begin = input.end = 0;
    while (read_line(line))
        do_line(&self, line + strcspn(line, " ") + 1);
    end_child(self.name);
}

/* "NAME IN OUT": the child reads from IN and answers to OUT, which are pipes. */
static void
fork_actor(const struct thread *thread, char *text)
{
    char answer[64], *rest, *name = strtok_r(text, " ", &rest);
    char *in = strtok_r(NULL, " ", &rest), *out = strtok_r(NULL, " ", &rest);
    pid_t child;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    pthread_mutex_lock(&lock); /* so that the child finds them free */
    pthread_mutex_lock(&lines_lock);
    child = fork();
    pthread_mutex_unlock(&lines_lock);
    pthread_mutex_unlock(&lock);
    if (child == 0)
        live_as_child(name, in, out);
    snprintf(answer, sizeof(answer), "MMF_OK pid=%ld", (long)child);
    write_line(thread->name, answer);
}

/* Another program in this one's place, which answers, and ends with its input. */
static void
become_another_program(const struct thread *thread)
{
    execl("/bin/sh", "sh", "-c", "echo $0 MMF_OK; exec cat > /dev/null", thread->name,
          (char *)NULL);
    complain("cannot be run", "/bin/sh");
}
#else
static void
fork_actor(const struct thread *thread, char *text)
{
    (void)text;
    write_line(thread->name, "cannot");
}

static void
become_another_program(const struct thread *thread)
{
    write_line(thread->name, "cannot");
}
#endif

static void
do_line(const struct thread *thread, char *line)
{
    if (strncmp(line, "fork ", 5) == 0) {
        fork_actor(thread, line + 5);
    } else if (strcmp(line, "exec") == 0) {
        become_another_program(thread);
    } else if (strncmp(line, "begin ", 6) == 0) {
        say_begun(thread);
        answer_call(thread, line + 6);
    } else if (strncmp(line, "child ", 6) == 0) {
        answer_in_child(thread, line + 6);
    } else {
        answer_call(thread, line);
    }
}

static void *
work(void *argument)
{
    struct thread *thread = argument;
    char *line;

    for (;;) {
        pthread_mutex_lock(&lines_lock);
        while (thread->line == NULL)
            pthread_cond_wait(&thread->changed, &lines_lock);
        line = thread->line;
        thread->line = NULL;
        pthread_mutex_unlock(&lines_lock);
        if (strcmp(line, "end") == 0)
            break;
        do_line(thread, line);
        free(line);
    }
    free(line);
    if (strpbrk(thread->name, "2468") != NULL)
        pthread_exit(NULL); /* ends it as well as a return does */
    return NULL;
}

static struct thread *
thread_of(const char *name)
{
    struct thread *unused = NULL;

    for (int i = 0; i < MAX_THREADS; i++) {
        if (threads[i].is_used && strcmp(threads[i].name, name) == 0)
            return &threads[i];
        if (!threads[i].is_used)
            unused = &threads[i];
    }
    if (unused == NULL)
        complain("too many threads", name);
    unused->is_used = true;
    unused->line = NULL;
    snprintf(unused->name, sizeof(unused->name), "%.15s", name);
    pthread_cond_init(&unused->changed, NULL);
    if (pthread_create(&unused->thread, NULL, work, unused) != 0)
        complain("no thread", name);
    return unused;
}

static void
pass_line(struct thread *thread, const char *text)
{
    char *line = strdup(text);

    if (line == NULL)
        complain("no memory", text);
    pthread_mutex_lock(&lines_lock);
    thread->line = line;
    pthread_cond_signal(&thread->changed);
    pthread_mutex_unlock(&lines_lock);
}

static void
end_thread(struct thread *thread)
{
    pass_line(thread, "end");
    pthread_join(thread->thread, NULL);
    pthread_cond_destroy(&thread->changed);
    thread->is_used = false;
}

/*
 * A process that becomes another user's has this thread alone: the C library's call has a
 * signal for each other one, which an emulator does not deliver.
 */
static void
become_user(const char *name, char *text)
{
    struct thread self = {.line = NULL};

    for (int i = 0; i < MAX_THREADS; i++)
        if (threads[i].is_used)
            end_thread(&threads[i]);
    snprintf(self.name, sizeof(self.name), "%.15s", name);
    answer_call(&self, text);
}

static void
take_line(const char *name, char *text)
{
    if (strncmp(text, "user ", 5) == 0) {
        become_user(name, text);
    } else if (strcmp(text, "end") == 0) {
        end_thread(thread_of(name));
        write_line(name, "MMF_OK");
    } else {
        pass_line(thread_of(name), text);
    }
}

#ifdef __linux__
static bool
can_execute_file(int fd)
{
    void *page = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, 65536) == 0)
        page = mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        munmap(page, 65536);
    if (fd >= 0)
        close(fd);
    return page != MAP_FAILED;
}

/* A file of the directory that a variable of the environment names. */
static bool
can_execute_in(const char *variable)
{
    const char *directory = getenv(variable);
    char path[PATH_SIZE];
    int fd;

    if (directory == NULL)
        return true;
    snprintf(path, sizeof(path), "%s/probe-%ld", directory, (long)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    unlink(path);
    return can_execute_file(fd);
}
#endif

/* The host lets pages be executed, wherever objects and files are. */
static bool
can_execute(void)
{
#ifdef __linux__
    return can_execute_file(memfd_create("probe", MFD_CLOEXEC)) &&
           can_execute_in("MMF_DIR") && can_execute_in("MMF_TEST_FILES");
#else
    return true;
#endif
}

/* What the runner is told of this process; docs/internals/conformance.md. */
static void
say_features(void)
{
    printf("ready %d_bits%s", (int)sizeof(void *) * 8,
           can_execute() ? " execution" : "");
#ifdef __linux__
    puts(" fork files descriptors");
#else
    puts(" kernel_names");
#endif
    fflush(stdout);
}

int
actor_run(void)
{
    static char line[LINE_SIZE];
    char *text;

    say_features();
    while (read_line(line)) {
        text = strchr(line, ' ');
        if (text == NULL)
            complain("a line without a call", line);
        *text++ = '\0';
        take_line(line, text);
    }
    return EXIT_SUCCESS;
}
