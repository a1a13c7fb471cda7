// leak_test.cpp - each kind opened, used and closed 10,000 times: descriptors, mappings and
// memory are as before.
#include "cpp_check.hpp"

#include <fstream>

namespace {

constexpr int TIMES = 10000;
constexpr long MOST_BYTES = 1 << 20; // the allocator's own ways

struct usage {
    long descriptors, mappings, bytes;
};

usage
now()
{
    std::ifstream maps("/proc/self/maps"), sizes("/proc/self/statm");
    usage found = {};
    std::string line;

    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
        found.descriptors += !entry.path().empty();
    while (std::getline(maps, line))
        found.mappings += line.find("/mmf-test-") != std::string::npos;
    sizes >> found.bytes >> found.bytes;
    found.bytes *= sysconf(_SC_PAGESIZE);
    return found;
}

template <class Use>
void
leaves_nothing(Use use)
{
    for (int i = 0; i < TIMES / 10; i++)
        use();
    const usage before = now();
    for (int i = 0; i < TIMES; i++)
        use();
    const usage after = now();
    CHECK(after.descriptors == before.descriptors);
    CHECK(after.mappings == before.mappings);
    CHECK(after.bytes - before.bytes <= MOST_BYTES);
}

void
maps()
{
    leaves_nothing([] {
        auto map = mmf::map::create_or_open("Cat", 5000);

        mmf::view(map).write(8, 1);
        mmf::stream(map).seek(1);
        map.as<int>() = 1;
        CHECK(mmf::list().size() == 1);
    });
}

void
mutexes()
{
    leaves_nothing([] {
        auto one = mmf::mutex::create_or_open("Gate", true);

        CHECK(one.try_lock());
        one.unlock();
        one.unlock();
    });
}

void
events()
{
    leaves_nothing([] {
        auto one = mmf::event::create_or_open("Turn", MMF_EVENT_AUTO_RESET, true);

        CHECK(one.wait_for(mmf::no_wait));
    });
}

void
semaphores()
{
    leaves_nothing([] { mmf::semaphore::create_or_open("Seats", 1, 2).acquire(); });
}

void
queues()
{
    leaves_nothing([] {
        auto one = mmf::queue<int>::create_or_open("Jobs", 4, MMF_OVERFLOW_BLOCK);

        one.send(1);
        CHECK(*one.take() == 1);
    });
}

void
topics()
{
    leaves_nothing([] {
        auto one = mmf::topic<int>::create_or_open("News", 4, MMF_OVERFLOW_DROP_OLDEST);

        one.send(1);
        CHECK(one.receive() == 1);
    });
}

void
latest_values()
{
    leaves_nothing([] {
        auto one = mmf::latest<int>::create_or_open("At");

        one.send(1);
        CHECK(**one.try_take() == 1);
    });
}

void
services()
{
    mmf::service_options options;

    options.max_clients = 2; // as for each client there is memory
    leaves_nothing([&] {
        auto one = mmf::service<int>::create_or_open("Ints", 4, options);
        auto call = one.send(1);

        one.take().answer(2);
        CHECK(call.receive() == 2);
        one.send(3); // given up
    });
}

void
pollers()
{
    auto event = mmf::event::create_new("Turn", MMF_EVENT_MANUAL_RESET, true);

    leaves_nothing([&] {
        mmf::poller poller;

        poller.add(event, &event);
        CHECK(poller.ready().size() == 1);
    });
}

void
failures()
{
    leaves_nothing([] { CHECK(!mmf::map::try_open_existing("No")); });
}

} // namespace

int
main()
{
    RUN(maps);
    RUN(mutexes);
    RUN(events);
    RUN(semaphores);
    RUN(queues);
    RUN(topics);
    RUN(latest_values);
    RUN(services);
    RUN(pollers);
    RUN(failures);
    return finish("cpp_leaks");
}
