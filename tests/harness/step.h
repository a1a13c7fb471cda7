/*
 * step.h - a function of a few steps that tables name: STEP(name, one(); other());
 */
#ifndef MMF_TESTS_HARNESS_STEP_H
#define MMF_TESTS_HARNESS_STEP_H

#define STEP(name, steps)                                                              \
    static void name(void)                                                             \
    {                                                                                  \
        steps;                                                                         \
    }                                                                                  \
    extern int step_needs_a_semicolon

#endif
