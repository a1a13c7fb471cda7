// counter.cpp - the library from C++: handles close themselves.
#include <mmf/mmf.hpp>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <mutex>

struct account {
    int64_t cash;
    int64_t savings;
};

static void
save(mmf::mutex &gate, account &of, int64_t amount)
{
    std::scoped_lock lock(gate);

    if (gate.was_abandoned()) // the last owner died in the middle
        of.savings = 100 - of.cash;
    of.cash -= amount;
    of.savings += amount;
}

static void
work()
{
    struct job {
        int32_t number;
        int32_t weight;
    };
    auto jobs = mmf::queue<job>::create_or_open("Jobs", 256, MMF_OVERFLOW_BLOCK);

    jobs.send({1, 70});
    for (auto &message : jobs.ready()) // each is released as the loop goes on
        std::cout << "job " << message->number << '\n';
}

// A client asks, a server answers: here both are one process.
static void
ask()
{
    struct question {
        int32_t left;
        int32_t right;
    };
    auto sums = mmf::service<question, int64_t>::create_or_open("Sums", 16);

    auto call = sums.send({6, 7});
    auto request = sums.take(); // if this server dies, another one takes it
    request.answer(int64_t(request->left) * request->right);
    std::cout << call.receive() << '\n';
}

int
main()
try {
    auto map = mmf::map::create_or_open("Counter", 4096);
    auto gate = mmf::mutex::create_or_open("Gate");
    auto &counter = map.as<std::atomic<uint64_t>>();

    std::cout << ++counter << std::endl;
    std::getchar();
    save(gate, map.as<account>(64), 10);
    work();
    ask();
    return 0;
} catch (const mmf::error &why) {
    std::cerr << why.what() << '\n';
    return why.code() == std::errc::permission_denied ? 2 : 1;
}
