// cpp_check.hpp - tests in C++: each runs in a namespace of its own, which must be empty
// after it, and says what did not hold. The last line is the one that script/test adds up.
#ifndef MMF_TESTS_CPP_CHECK_HPP
#define MMF_TESTS_CPP_CHECK_HPP

#include <mmf/mmf.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

void run_services(); // service_test.cpp

inline int checks_failed, tests_passed, tests_failed;

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);        \
            checks_failed++;                                                           \
        }                                                                              \
    } while (false)

// The call throws mmf::error with that status and a message.
#define CHECK_FAILS(call, wanted)                                                      \
    do {                                                                               \
        try {                                                                          \
            (void)(call);                                                              \
            std::printf("%s:%d: did not fail: %s\n", __FILE__, __LINE__, #call);       \
            checks_failed++;                                                           \
        } catch (const mmf::error &why) {                                              \
            CHECK(why.status() == (wanted) && why.what()[0] != '\0');                  \
        }                                                                              \
    } while (false)

#define RUN(test) run(#test, test)

inline void
run(const char *name, void (*test)())
{
    char directory[] = "/dev/shm/mmf-test-XXXXXX";

    alarm(1100); // a test that hangs ends by this signal
    checks_failed = 0;
    if (mkdtemp(directory) == nullptr || setenv("MMF_DIR", directory, 1) != 0)
        std::abort();
    try {
        test();
    } catch (const std::exception &why) {
        std::printf("%s: thrown: %s\n", name, why.what());
        checks_failed++;
    }
    for (const auto &entry : std::filesystem::recursive_directory_iterator(directory))
        CHECK(!entry.is_regular_file());
    std::filesystem::remove_all(directory);
    std::printf("%s: %s\n", checks_failed == 0 ? "ok" : "FAILED", name);
    (checks_failed == 0 ? tests_passed : tests_failed)++;
}

inline int
finish(const char *suite)
{
    std::printf("%s: %d passed, %d failed, 0 skipped\n", suite, tests_passed,
                tests_failed);
    return tests_failed == 0 ? 0 : 1;
}

#endif
