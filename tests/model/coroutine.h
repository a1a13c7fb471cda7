/*
 * coroutine.h - the threads of a model: coroutines whose stacks are all there is to keep
 * of them, so that a state with them can be kept and restored by copying.
 */
#ifndef MMF_TEST_MODEL_COROUTINE_H
#define MMF_TEST_MODEL_COROUTINE_H

#include <stddef.h>

enum { MOST_COROUTINES = 8 };

/* The one that runs; -1: none, it is the explorer. */
extern int current;

/* Where the new stack of a coroutine's begins, which is to run `body`. */
void *coroutine_begin(int number, void (*body)(void));

/* Run it from where it stands, `*stack`, until it stands again: then there is that. */
void coroutine_run(int number, void **stack);

/* In the running one, whose stack has the same bounds: stand. */
void coroutine_stand(void **stack);

/* Bytes of its stack in use; 0 if `stack` is NULL. */
size_t coroutine_stack_size(int number, const void *stack);

#endif
