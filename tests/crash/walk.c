/* walk.c - see walk.h. */
#include "walk.h"

#include <link.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site.h"

static uintptr_t text_begin, text_end;

static int
find_text(struct dl_phdr_info *info, size_t size, void *payload)
{
    (void)size;
    (void)payload;
    if (strstr(info->dlpi_name, "libmmf.so") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            text_begin = info->dlpi_addr + part->p_vaddr;
            text_end = text_begin + part->p_memsz;
        }
    }
    return 1;
}

int
walk_find_code(void)
{
    dl_iterate_phdr(find_text, NULL);
    return text_begin != 0;
}

static void
add_site(struct walk *walk, uintptr_t at)
{
    if (walk->count < WALK_MOST_SITES &&
        (walk->count == 0 || walk->sites[walk->count - 1] != at))
        walk->sites[walk->count++] = at;
}

void
walk_record(pid_t pid, struct walk *walk, struct trace_stop *stop)
{
    walk->count = 0;
    do {
        uintptr_t at = trace_position(pid);

        if (at >= text_begin && at < text_end) {
            add_site(walk, at);
            trace_step(pid, stop);
        } else {
            trace_come_back(pid, text_begin, text_end, stop);
        }
    } while (stop->place == TRACE_STEP);
}

void
walk_copy(struct walk *to, const struct walk *from)
{
    memcpy(to->sites, from->sites, from->count * sizeof(from->sites[0]));
    to->count = from->count;
}

int
walk_comes_by(const struct walk *walk, uintptr_t place)
{
    for (size_t i = 0; i < walk->count; i++)
        if (walk->sites[i] == place)
            return 1;
    return 0;
}

unsigned
walk_times(const struct walk *walk, size_t n)
{
    unsigned times = 0;

    for (size_t i = 0; i <= n; i++)
        times += walk->sites[i] == walk->sites[n];
    return times;
}

void
walk_report_site(const struct walk *walk, size_t n)
{
    site_say("killed before instruction %zu of %zu, at +0x%lx", n, walk->count,
             (unsigned long)(walk->sites[n] - text_begin));
}

void
walk_skip_process_id(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}
