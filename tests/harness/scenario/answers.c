/*
 * answers.c - what is expected of an answer, and what of every answer.
 */
#include "harness/scenario/row.h"

#include <stdlib.h>
#include <string.h>

static const char *
short_status(const char *status)
{
    if (strncmp(status, "MMF_", 4) == 0)
        status += 4;
    return strncmp(status, "E_", 2) == 0 ? status + 2 : status;
}

static bool
is_one_of(const char *status, const char *alternatives)
{
    size_t length = strlen(status);

    for (;; alternatives++) {
        if (strncmp(alternatives, status, length) == 0 &&
            (alternatives[length] == '\0' || alternatives[length] == '|'))
            return true;
        alternatives = strchr(alternatives, '|');
        if (alternatives == NULL)
            return false;
    }
}

_Noreturn void
fail_answer(const struct actor *actor, const char *what)
{
    struct words answer;
    const char *says;

    if (strcmp(actor->answer, "cannot") == 0) {
        count_unsaid();
        skip_row();
    }
    words_of(actor->answer, NULL, &answer);
    says = word_value(&answer, "says");
    fail("%s: %s\n    answer: %s%s%s", actor->name, what, actor->answer,
         says != NULL ? "\n    message: " : "", says != NULL ? word_decode(says) : "");
}

/* Of each failure: a message of one line; no output has changed. */
static void
check_unchanged(const struct actor *actor, const struct words *answer, bool is_failure)
{
    const char *says = word_value(answer, "says"), *error = word_value(answer, "error");

    if (is_failure && (says == NULL || strchr(word_decode(says), '\n') != NULL ||
                       strcmp(says, "''") == 0))
        fail_answer(actor, "the failure has no message of one line");
    if (is_failure && error != NULL && strcmp(error, answer->word[0]) != 0)
        fail_answer(actor, "the last error is another one");
    for (int i = 1; i < answer->count; i++) {
        const char *value = strchr(answer->word[i], '=');

        if (strncmp(answer->word[i], "says=", 5) != 0 &&
            strncmp(answer->word[i], "param=", 6) != 0 &&
            strncmp(answer->word[i], "error=", 6) != 0 && value != NULL &&
            strcmp(value, "=untouched") != 0 && strcmp(value, "=?") != 0)
            fail_answer(actor, "an output has changed");
    }
}

/* The last word but for options; but a name is waited for as an option says. */
static void
check_time(const struct actor *actor, const struct words *answer)
{
    const struct words *call = &actor->call;
    const char *wait_ms = word_value(call, "wait_ms");
    int last = call->count - 1;
    long timeout;

    while (last > 0 && strchr(call->word[last], '=') != NULL)
        last--;
    timeout = last > 0 ? atol(call->word[last]) : 0;

    if (wait_ms != NULL)
        timeout = strcmp(answer->word[0], "MMF_E_NOT_FOUND") == 0 ? atol(wait_ms) : 0;
    if (actor->answered_at - actor->begun_at < timeout)
        fail_answer(actor,
                    text_format("it timed out after %lld ms",
                                (long long)(actor->answered_at - actor->begun_at)));
}

/* KEY=VALUE, KEY=ONE|OTHER; KEY~=PART and says=PART: it has that in it. */
static void
check_item(const struct actor *actor, const struct words *answer, const char *item)
{
    const char *equals = strchr(item, '='), *value;
    bool is_part = strncmp(item, "says=", 5) == 0;
    size_t length;

    if (equals == NULL)
        fail("expected output without a value: %s", item);
    length = (size_t)(equals - item);
    if (length > 0 && equals[-1] == '~') {
        is_part = true;
        length--;
    }
    value = word_value(answer, text_copy(item, length));
    if (value == NULL)
        fail_answer(actor, text_format("it does not say %s", item));
    value = word_decode(value);
    if (strcmp(value, "?") == 0)
        return; /* this language does not have it */
    if (is_part ? strstr(value, equals + 1) == NULL : !is_one_of(value, equals + 1))
        fail_answer(actor, text_format("expected %s", item));
}

void
check_answer(struct actor *actor, const char *expected)
{
    struct words wanted, answer;
    const char *status = "OK";
    int first = 0;

    words_or_fail(choose(expected, &row.scope), &wanted);
    if (words_of(actor->answer, NULL, &answer) != NULL || answer.count == 0)
        fail_answer(actor, "it makes no sense");
    if (wanted.count > 0 && strchr(wanted.word[0], '=') == NULL)
        status = wanted.word[first++];
    if (strcmp(answer.word[0], "cannot") == 0) {
        count_unsaid();
        if (is_one_of("OK", status) || is_one_of("ABANDONED", status))
            skip_row(); /* the rest relies on it */
        return;
    }
    if (!is_one_of(short_status(answer.word[0]), status))
        fail_answer(actor,
                    text_format("%s, not %s", short_status(answer.word[0]), status));
    if (strncmp(answer.word[0], "MMF_E_", 6) == 0)
        check_unchanged(actor, &answer, true);
    else if (word_value(&answer, "error") != NULL)
        fail_answer(actor, "it did not fail, and has changed the last error");
    if (strcmp(answer.word[0], "MMF_TIMED_OUT") == 0)
        check_unchanged(actor, &answer, false);
    if (strcmp(answer.word[0], "MMF_TIMED_OUT") == 0 ||
        word_value(&actor->call, "wait_ms") != NULL)
        check_time(actor, &answer);
    for (int i = first; i < wanted.count; i++)
        check_item(actor, &answer, wanted.word[i]);
    if (actor->handle != NULL && word_value(&answer, "out") != NULL &&
        strcmp(word_value(&answer, "out"), "made") == 0)
        keep_handle(actor, actor->handle, &actor->call);
}
