// cpp.cpp - mmf/mmf.hpp beside the calls of C that it makes: the figures are the same but
// for what it adds.
#include <mmf/mmf.hpp>

extern "C" {
#include "bench.h"
}

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>

namespace {

struct message64 {
    char text[64];
};

mmf_queue *c_queue;
std::optional<mmf::queue<message64>> cpp_queue;
mmf_service *c_service_handle;
std::optional<mmf::service<message64>> cpp_service_handle;
mmf_mutex *c_mutex;
std::optional<mmf::mutex> cpp_mutex;

void
c_send_receive(void *, int times)
{
    message64 message = {};
    size_t length = 0;

    for (int i = 0; i < times; i++) {
        bench_mmf(mmf_queue_send(c_queue, &message, sizeof(message), -1, nullptr),
                  "send");
        bench_mmf(
            mmf_queue_receive(c_queue, &message, sizeof(message), -1, &length, nullptr),
            "receive");
        BENCH_USED(message.text[0]);
    }
}

void
cpp_send_receive(void *, int times)
{
    message64 message = {};

    for (int i = 0; i < times; i++) {
        cpp_queue->send(message);
        message = cpp_queue->receive();
        BENCH_USED(message.text[0]);
    }
}

void
c_take_release(void *, int times)
{
    const message64 message = {};
    mmf_message taken;

    for (int i = 0; i < times; i++) {
        bench_mmf(mmf_queue_send(c_queue, &message, sizeof(message), -1, nullptr),
                  "send");
        bench_mmf(mmf_queue_take(c_queue, -1, &taken), "take");
        BENCH_USED(*static_cast<const char *>(taken.bytes));
        bench_mmf(mmf_queue_release(c_queue, &taken), "release");
    }
}

void
cpp_take_release(void *, int times)
{
    const message64 message = {};

    for (int i = 0; i < times; i++) {
        cpp_queue->send(message);
        for (auto &taken : cpp_queue->ready()) {
            BENCH_USED(taken->text[0]);
            taken.release();
            break; // C's side takes one, too
        }
    }
}

// A client and its server in one thread: what the header adds to each of four calls.
void
c_service(void *, int times)
{
    message64 message = {};
    mmf_message request;
    size_t length = 0;
    uint64_t call = 0;

    for (int i = 0; i < times; i++) {
        bench_mmf(
            mmf_service_send(c_service_handle, &message, sizeof(message), -1, &call),
            "send");
        bench_mmf(mmf_service_take(c_service_handle, -1, &request), "take");
        bench_mmf(mmf_service_answer(c_service_handle, &request, request.bytes,
                                     request.length, MMF_ANSWER_LAST, -1),
                  "answer");
        bench_mmf(mmf_service_receive_answer(c_service_handle, call, &message,
                                             sizeof(message), -1, &length, nullptr),
                  "receive");
        BENCH_USED(message.text[0]);
    }
}

void
cpp_service(void *, int times)
{
    message64 message = {};

    for (int i = 0; i < times; i++) {
        auto call = cpp_service_handle->send(message);
        auto request = cpp_service_handle->take();

        request.answer(*request);
        message = call.receive();
        BENCH_USED(message.text[0]);
    }
}

void
c_lock_unlock(void *, int times)
{
    for (int i = 0; i < times; i++) {
        bench_mmf(mmf_mutex_wait(c_mutex, -1), "wait");
        bench_mmf(mmf_mutex_release(c_mutex), "release");
    }
}

void
cpp_lock_unlock(void *, int times)
{
    for (int i = 0; i < times; i++)
        std::scoped_lock lock(*cpp_mutex);
}

void
c_open_close(void *, int times)
{
    for (int i = 0; i < times; i++) {
        mmf_map *map = nullptr;

        bench_mmf(mmf_map_open_existing("Cat", nullptr, &map), "open");
        mmf_map_close(map);
    }
}

void
cpp_open_close(void *, int times)
{
    for (int i = 0; i < times; i++)
        mmf::map::open_existing("Cat");
}

void
compare(const char *title, void (*c)(void *, int), void (*cpp)(void *, int), int times)
{
    const bench_way ways[] = {{"C", c, nullptr, nullptr},
                              {"C++", cpp, nullptr, nullptr}};
    const bench_plan plan = {400, 10, times};

    bench_compare(title, ways, 2, &plan);
    bench_goal((std::string(title) + ": C++, p50").c_str(), BENCH_AT_MOST, 1.02);
}

} // namespace

int
main(int argc, char **argv)
{
    char directory[] = "/dev/shm/mmf-bench-XXXXXX";

    if (mkdtemp(directory) == nullptr || setenv("MMF_DIR", directory, 1) != 0)
        bench_die("no directory for the names");
    bench_begin("cpp");
    {
        const auto cat = mmf::map::create_new("Cat", 10000);

        bench_mmf(mmf_queue_create_new("C", sizeof(message64), 64, MMF_OVERFLOW_BLOCK,
                                       nullptr, &c_queue),
                  "queue");
        bench_mmf(mmf_mutex_create_new("M", 0, nullptr, &c_mutex), "mutex");
        cpp_queue = mmf::queue<message64>::create_new("Cpp", 64, MMF_OVERFLOW_BLOCK);
        cpp_mutex = mmf::mutex::create_new("N");
        bench_mmf(mmf_service_create_new("S", sizeof(message64), sizeof(message64), 64,
                                         nullptr, &c_service_handle),
                  "service");
        cpp_service_handle = mmf::service<message64>::create_new("T", 64);
        compare("send + receive, 64 bytes", c_send_receive, cpp_send_receive, 200);
        compare("send, take in place, release", c_take_release, cpp_take_release, 200);
        compare("send, take, answer, receive", c_service, cpp_service, 200);
        compare("lock + unlock", c_lock_unlock, cpp_lock_unlock, 500);
        compare("open + close a map", c_open_close, cpp_open_close, 5);
        cpp_queue.reset();
        cpp_mutex.reset();
        cpp_service_handle.reset();
        mmf_service_close(c_service_handle);
        mmf_queue_close(c_queue);
        mmf_mutex_close(c_mutex);
    }
    bench_end(argc > 1 ? argv[1] : nullptr);
    std::filesystem::remove_all(directory);
    return 0;
}
