// counter.cpp - the library from C++: handles close themselves.
#include <mmf/mmf.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>

using Map = std::unique_ptr<mmf_map, decltype(&mmf_map_close)>;

static int
check(int rc)
{
    if (rc < 0)
        throw std::runtime_error(mmf_last_message());
    return rc;
}

static Map
open_map(const char *name, int64_t capacity)
{
    mmf_map *map = nullptr;

    check(mmf_map_create_or_open(name, capacity, nullptr, nullptr, &map));
    return Map(map, &mmf_map_close);
}

int
main()
try {
    Map map = open_map("Counter", sizeof(std::atomic<uint64_t>));
    void *bytes = nullptr;
    size_t size = 0;

    check(mmf_map_bytes(map.get(), MMF_ACCESS_READ_WRITE, &bytes, &size));
    // A new map is zero, and so is the counter; lock-free atomics work across processes.
    static_assert(std::atomic<uint64_t>::is_always_lock_free);
    auto *counter = static_cast<std::atomic<uint64_t> *>(bytes);
    std::printf("%llu\n", static_cast<unsigned long long>(++*counter));
    std::fflush(stdout);
    std::getchar();
    return 0;
} catch (const std::exception &failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
}
