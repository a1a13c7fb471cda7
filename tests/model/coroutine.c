/* coroutine.c - see coroutine.h. */
#include "coroutine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STACK_SIZE = 16384,
    STACK_LEFT = 1024,   /* at least; the parts in use are small */
    STACK_CLEARED = 6144 /* below the part in use: no rest of what was there before */
};

int current = -1;

static unsigned char stacks[MOST_COROUTINES][STACK_SIZE] __attribute__((aligned(64)));
static void *explorer_stack;

/*
 * Registers that a call must keep are on the stack while a coroutine stands.
 */

#if defined(__x86_64__)

void model_switch(void **from, void *to);

__asm__(".text\n"
        ".globl model_switch\n"
        ".hidden model_switch\n"
        ".type model_switch, @function\n"
        "model_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size model_switch, . - model_switch\n");

/* A stack on which model_switch returns into the body. */
void *
coroutine_begin(int number, void (*body)(void))
{
    void **top = (void **)(void *)(stacks[number] + STACK_SIZE);

    memset(stacks[number], 0, STACK_SIZE);
    memcpy(&top[-2], &body, sizeof(body));
    return &top[-8];
}

#else
#error "the model's coroutines are for x86-64"
#endif

static void
clear_below(int number, unsigned char *used)
{
    size_t room = (size_t)(used - stacks[number]);

    if (room < STACK_LEFT) {
        fprintf(stderr, "model: a stack is too small\n");
        exit(EXIT_FAILURE);
    }
    if (room > STACK_CLEARED)
        room = STACK_CLEARED;
    memset(used - room, 0, room);
}

void
coroutine_run(int number, void **stack)
{
    current = number;
    model_switch(&explorer_stack, *stack);
    current = -1;
    clear_below(number, *stack);
}

void
coroutine_stand(void **stack)
{
    model_switch(stack, explorer_stack);
}

size_t
coroutine_stack_size(int number, const void *stack)
{
    if (stack == NULL)
        return 0;
    return (size_t)(stacks[number] + STACK_SIZE - (const unsigned char *)stack);
}
