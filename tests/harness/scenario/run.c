/*
 * run.c - runs cases: every row of one, its blocks, and what must not be left at its end.
 */
#include "harness/scenario/row.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PERMUTED = 12 };

static const struct suite *suite;

static void run_lines(const struct line *lines, int count);

/*
 * Blocks.
 */

static void
run_for(const struct words *head, const struct line *lines, int count)
{
    int scope = row.scope.count;

    for (int i = 2; i < head->count; i++) {
        row.scope.count = scope;
        scope_set(&row.scope, "n", text_format("%d", i - 1));
        scope_set(&row.scope, head->word[1], head->word[i]);
        run_lines(lines, count);
    }
    row.scope.count = scope;
}

static struct actor *
first_answer(const struct words *actors)
{
    int64_t deadline = now_ms() + ANSWER_MS;
    struct actor *first = NULL;

    while (first == NULL) {
        hear_all();
        for (int i = 1; i < actors->count; i++) {
            struct actor *actor = find_actor(actors->word[i]);

            if (actor != NULL && actor->is_busy && actor->answer != NULL &&
                (first == NULL || actor->arrival < first->arrival))
                first = actor;
        }
        if (first == NULL && now_ms() > deadline)
            fail("none of them answers");
        if (first == NULL)
            nap_us(1000);
    }
    return first;
}

static void
run_each_done(const struct words *head, const struct line *lines, int count)
{
    int scope = row.scope.count;

    for (int i = 1; i < head->count; i++) {
        row.scope.count = scope;
        scope_set(&row.scope, "who", first_answer(head)->name);
        scope_set(&row.scope, "n", text_format("%d", i));
        run_lines(lines, count);
    }
    row.scope.count = scope;
}

/* How many orders there are of steps whose actors' own order is kept. */
static int
count_orders(const int *owner, int count)
{
    int orders = 1, total = 0;

    for (int actor = 0; actor < MAX_PERMUTED; actor++)
        for (int own = 0, i = 0; i < count; i++)
            if (owner[i] == actor)
                orders = orders * ++total / ++own;
    return orders;
}

/* Order `index` of them, by taking its first step and asking for the rest. */
static void
run_order(const struct line **steps, const int *owner, int count, int index)
{
    for (int pick = 0; pick < count; pick++) {
        const struct line *rest[MAX_PERMUTED];
        int owners[MAX_PERMUTED], left = 0, orders;
        bool is_first = true;

        for (int i = 0; i < pick; i++)
            is_first = is_first && owner[i] != owner[pick];
        if (!is_first)
            continue;
        for (int i = 0; i < count; i++) {
            if (i != pick) {
                rest[left] = steps[i];
                owners[left++] = owner[i];
            }
        }
        orders = count_orders(owners, left);
        if (index < orders) {
            run_step(steps[pick]);
            run_order(rest, owners, left, index);
            return;
        }
        index -= orders;
    }
    if (count > 0)
        fail("there is no order %d", index);
}

static void
run_permute(const struct line *lines, int count)
{
    const struct line *steps[MAX_PERMUTED];
    const char *names[MAX_PERMUTED];
    int owner[MAX_PERMUTED];

    if (count > MAX_PERMUTED)
        fail("too many steps to permute");
    for (int i = 0; i < count; i++) {
        struct words actors;

        split_actors(lines[i].text, &actors);
        steps[i] = &lines[i];
        names[i] = actors.word[0];
        for (owner[i] = 0; strcmp(names[owner[i]], names[i]) != 0; owner[i]++)
            continue;
    }
    row.permutations = count_orders(owner, count);
    run_order(steps, owner, count, row.permutation);
}

static const struct scenario *
find_macro(const char *name)
{
    for (int i = 0; i < suite->count; i++) {
        const struct scenario *macro = &suite->scenarios[i];

        if (macro->is_macro && macro->file == row.scenario->file &&
            strcmp(macro->title, name) == 0)
            return macro;
    }
    return NULL;
}

static void
run_macro(const struct scenario *macro, const struct words *head)
{
    int scope = row.scope.count;

    if (head->count != macro->parameter_count + 1)
        fail("%s has %d parameters", macro->title, macro->parameter_count);
    for (int i = 0; i < macro->parameter_count; i++)
        scope_set(&row.scope, macro->parameters[i].name, head->word[i + 1]);
    run_lines(macro->lines, macro->count);
    row.scope.count = scope;
}

static void
run_line(const struct line *line, const struct line *block, int count)
{
    const struct scenario *macro;
    struct words head;

    row.line = line;
    if (strstr(line->text, ": ") != NULL) {
        run_step(line);
        return;
    }
    words_or_fail(line->text, &head);
    macro = find_macro(head.word[0]);
    if (macro != NULL) {
        run_macro(macro, &head);
    } else if (strcmp(head.word[0], "for") == 0) {
        run_for(&head, block, count);
    } else if (strcmp(head.word[0], "repeat") == 0 && head.count == 2) {
        for (int i = atoi(head.word[1]); i > 0; i--)
            run_lines(block, count);
    } else if (strcmp(head.word[0], "each_done") == 0) {
        run_each_done(&head, block, count);
    } else if (strcmp(head.word[0], "permute") == 0) {
        run_permute(block, count);
    } else {
        run_step(line);
    }
}

static void
run_lines(const struct line *lines, int count)
{
    for (int i = 0; i < count;) {
        int block = i + 1;

        while (block < count && lines[block].depth > lines[i].depth)
            block++;
        run_line(&lines[i], &lines[i + 1], block - i - 1);
        i = block;
    }
}

/*
 * A row's end.
 */

static void
check_nothing_left(void)
{
    row.line = NULL;
    end_forks();
    end_threads();
    close_handles();
    check_peers();
    collect_dead();
    if (files_below(row.options->directory, false) != 0)
        fail("names are left");
}

/* For a row with several users the directory is as /dev/shm is. */
static int
features_of_users(void)
{
    bool is_wanted = row.scenario->needs & FEATURE_USERS;

    if (geteuid() != 0 ||
        chmod(row.options->directory, is_wanted ? 01777 : 0700) != 0 ||
        chmod(row.options->files, is_wanted ? 0777 : 0700) != 0)
        return 0;
    return FEATURE_USERS;
}

/*
 * What a row that is not for this run has begun: without it, other rows can have its
 * actors. False: it may be in any state.
 */
static bool
undo_row(void)
{
    if (is_any_busy())
        return false;
    if (setjmp(row.end) != 0)
        return false;
    end_threads();
    close_handles();
    collect_dead();
    return true;
}

static int
run_row(void)
{
    volatile int result = setjmp(row.end);

    if (result == 0) {
        int features = actor_of("main")->peer->features | features_of_users();

        if ((features & row.scenario->needs) != row.scenario->needs)
            skip_row();
        run_lines(row.scenario->lines, row.scenario->count);
        check_nothing_left();
        result = PASSED;
    }
    forget_peers(result == FAILED || (result == NOT_HERE && !undo_row()));
    if (result != PASSED)
        files_below(row.options->directory, true);
    disk_forget(row.options->files);
    text_forget();
    return result;
}

/*
 * Cases.
 */

static void
begin_row(const struct scope *scope, int permutation)
{
    row.scope = *scope;
    scope_set(&row.scope, "files", row.options->files);
    scope_set(&row.scope, "user", text_format("%u", (unsigned)geteuid()));
    row.permutation = permutation;
    row.permutations = 1;
    row.line = NULL;
    forget_steps();
    forget_actors();
    forget_handles();
}

static void
run_permutations(const struct scope *scope, struct tally *tally)
{
    int permutation = 0;

    do {
        int result;

        begin_row(scope, permutation);
        result = run_row();
        tally->rows++;
        tally->passed += result == PASSED;
        tally->failed += result == FAILED;
        tally->not_here += result == NOT_HERE;
    } while (++permutation < row.permutations);
}

static void
run_choices(struct scope *scope, int parameter, struct tally *tally)
{
    const struct parameter *choice = &row.scenario->parameters[parameter];

    if (parameter == row.scenario->parameter_count) {
        run_permutations(scope, tally);
        return;
    }
    for (int i = 0; i < choice->values.count; i++) {
        scope->count = parameter;
        scope_set(scope, choice->name, choice->values.word[i]);
        run_choices(scope, parameter + 1, tally);
    }
}

void
scenario_run(const struct run *run, const struct suite *all,
             const struct scenario *scenario, struct tally *tally)
{
    struct scope scope = {.count = 0};

    row.options = run;
    suite = all;
    row.scenario = scenario;
    forget_failures();
    run_choices(&scope, 0, tally);
}

void
run_end(void)
{
    forget_peers(true);
}
