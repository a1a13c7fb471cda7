// random_test.cpp [SEED [STEPS]] - calls in a random order, with random arguments, on
// objects that are open, closed, moved or of another kind: each answers or throws
// mmf::error with a message. The sanitizers look on; nothing may be left.
#include "cpp_check.hpp"

#include <chrono>
#include <functional>
#include <random>

namespace {

using random = std::mt19937_64;

unsigned long steps = 6000;
random::result_type seed;

struct world {
    random choose;
    std::vector<mmf::map> maps;
    std::vector<mmf::view> views;
    std::vector<mmf::stream> streams;
    std::vector<mmf::mutex> mutexes;
    std::vector<mmf::event> events;
    std::vector<mmf::semaphore> semaphores;
    std::vector<mmf::queue<>> queues;
    std::vector<mmf::topic<>> topics;
    std::vector<mmf::latest<>> values;
    std::vector<mmf::queue<uint64_t>> typed;
    std::vector<mmf::service<>> services;
    std::vector<mmf::poller> pollers;
    // What must not outlive its handle: one at a time, closed before any handle is.
    std::optional<mmf::queue<>::message> message;
    std::optional<mmf::topic<>::message> news;
    std::optional<mmf::latest<>::message> value;
    std::optional<mmf::queue<>::slot> slot;
    std::optional<mmf::service<>::request> request;
    std::vector<std::byte> copy; // what the request is read from
    std::vector<mmf::service<>::open_call> calls;

    explicit world(random::result_type from) : choose(from) {}

    unsigned below(unsigned limit) { return unsigned(choose() % limit); }
    std::size_t size()
    {
        static const std::size_t sizes[] = {0, 1, 8, 9, 64, 1000, 5000, SIZE_MAX};
        return sizes[below(8)];
    }
    int64_t offset()
    {
        static const int64_t offsets[] = {0,      1,  7,         4095, 4096,
                                          100000, -1, INT64_MAX, 3};
        return offsets[below(9)];
    }
    std::string name()
    {
        static const std::string names[] = {
            "A",       "B", "C", "D",        "E",
            "F",       "G", "",  "no\\such", std::string("x\0y", 3),
            "Local\\A"};
        return names[below(11)];
    }
    mmf::timeout time() { return std::chrono::microseconds(below(300)); }
    std::string text() { return std::string(below(70), 'x'); }
    mmf_overflow overflow() { return mmf_overflow(below(5)); }
    mmf::channel_options options()
    {
        mmf::channel_options settings;

        settings.role = below(5);
        settings.flags = below(8);
        settings.max_pins = int32_t(below(3));
        settings.max_senders = int32_t(below(4));
        settings.replay = int32_t(below(3));
        return settings;
    }
    void drop_what_is_borrowed()
    {
        message.reset();
        news.reset();
        value.reset();
        slot.reset();
        request.reset();
        calls.clear();
        pollers.clear(); // their objects are to be removed before they close
    }
    // A new handle is kept, in place of another one if there are many.
    template <class T> void keep(std::vector<T> &list, mmf::result<T> made)
    {
        T handle = std::move(made).value();

        drop_what_is_borrowed();
        if (list.size() < 4)
            list.push_back(std::move(handle));
        else
            list[below(4)] = std::move(handle);
    }
    template <class T, class Call> void with(std::vector<T> &list, Call call)
    {
        if (list.empty())
            return;
        T &one = list[below(unsigned(list.size()))];
        if (below(20) == 0) {
            drop_what_is_borrowed();
            one.close();
        }
        call(one);
    }
};

void
on_maps(world &w)
{
    using map = mmf::map;

    switch (w.below(10)) {
    case 0:
        return w.keep(w.maps, map::try_create_new(w.name(), w.offset()));
    case 1:
        return w.keep(w.maps, map::try_create_or_open(w.name(), w.offset()));
    case 2:
        return w.keep(w.maps, map::try_open_existing(w.name()));
    case 3:
        return w.with(w.maps, [&](map &one) { (void)one.as<uint64_t>(w.size()); });
    case 4:
        return w.with(w.maps,
                      [&](map &one) { (void)one.bytes(mmf_access(w.below(7))); });
    case 5:
        return w.with(w.maps, [&](map &one) {
            w.keep(w.views, mmf::result(mmf::view(one, w.offset(), w.offset(),
                                                  mmf_access(w.below(4)))));
        });
    case 6:
        return w.with(w.views, [&](mmf::view &one) {
            one.write(w.offset(), one.read<uint32_t>(w.offset()));
        });
    case 7:
        return w.with(w.maps, [&](map &one) {
            w.keep(w.streams, mmf::result(mmf::stream(one, w.offset(), w.offset())));
        });
    case 8:
        return w.with(w.streams, [&](mmf::stream &one) {
            std::byte buffer[64];

            one.seek(w.offset(), mmf_seek_origin(w.below(4)));
            one.read(buffer);
            one.write(mmf::as_bytes(w.text()));
        });
    default:
        return w.with(w.maps, [](map &one) { map moved = std::move(one); });
    }
}

void
on_sync(world &w)
{
    switch (w.below(10)) {
    case 0:
        return w.keep(w.mutexes, mmf::mutex::try_create_or_open(w.name(), w.below(2)));
    case 1:
        return w.keep(w.events, mmf::event::try_create_or_open(
                                    w.name(), mmf_event_mode(w.below(3))));
    case 2:
        return w.keep(w.semaphores,
                      mmf::semaphore::try_create_new(w.name(), int32_t(w.below(4)),
                                                     int32_t(w.below(3))));
    case 3:
        return w.with(w.mutexes, [&](mmf::mutex &one) {
            (void)one.try_lock_for(w.time().count() * std::chrono::milliseconds(1));
        });
    case 4:
        return w.with(w.mutexes, [](mmf::mutex &one) { one.try_unlock().value(); });
    case 5:
        return w.with(w.events, [&](mmf::event &one) {
            w.below(2) ? one.set() : one.reset();
            (void)one.wait_for(w.time());
        });
    case 6:
        return w.with(w.semaphores, [&](mmf::semaphore &one) {
            (void)one.try_acquire_for(w.time());
            one.release(int32_t(w.below(3)));
        });
    default: {
        std::vector<mmf::waitable> objects(w.queues.begin(), w.queues.end());

        for (const auto &one : w.mutexes)
            objects.emplace_back(one);
        for (const auto &one : w.events)
            objects.emplace_back(one);
        for (const auto &one : w.semaphores)
            objects.emplace_back(one);
        if (w.below(2))
            (void)mmf::wait_any(objects, w.time());
        else
            (void)mmf::wait_all(objects, w.time());
    }
    }
}

template <class Channel, class Message>
void
on_channel(world &w, std::vector<Channel> &list, std::optional<Message> &held)
{
    switch (w.below(8)) {
    case 0:
        return w.keep(list, Channel::try_create_new(w.name(), w.size(), w.size(),
                                                    w.overflow(), w.options()));
    case 1:
        return w.keep(list, Channel::try_create_or_open(w.name(), 64, 4, w.overflow(),
                                                        w.options()));
    case 2:
        return w.keep(list, Channel::try_open_existing(w.name(), w.options()));
    case 3:
        return w.with(list, [&](Channel &one) {
            held.reset();
            held = one.try_take(w.time());
        });
    case 4:
        return w.with(list, [&](Channel &one) {
            if constexpr (std::is_same_v<Channel, mmf::queue<>>) {
                if (w.below(2) && held)
                    held->return_();
                else if (w.below(2))
                    (void)one.drain(w.time());
                (void)one.browse_bytes(w.name(), w.below(20), w.below(20));
            }
            (void)one.try_receive(w.time());
        });
    case 5:
        return w.with(list, [&](Channel &one) {
            held.reset();
            if constexpr (std::is_same_v<Channel, mmf::queue<>>)
                if (auto batch = one.try_take_many(w.below(4), w.time())) {
                    if (w.below(2))
                        batch->return_((*batch)[batch->size() - 1]);
                    if (w.below(2))
                        batch->release();
                }
            for (auto &message : one.ready())
                CHECK(message.bytes().size() <= 5000);
        });
    case 6:
        return w.with(list, [](Channel &one) { CHECK(one.stat().capacity > 0); });
    default:
        return w.with(list, [&](Channel &one) {
            (void)one.try_send(mmf::as_bytes(w.text()), w.time());
        });
    }
}

void
on_latest(world &w)
{
    using latest = mmf::latest<>;

    switch (w.below(6)) {
    case 0:
        return w.keep(w.values, latest::try_create_or_open(w.name(), 64, w.options()));
    case 1:
        return w.keep(w.values, latest::try_open_existing(w.name(), w.options()));
    case 2:
        return w.with(w.values, [&](latest &one) {
            w.value.reset();
            w.value = one.try_take();
        });
    case 3:
        return w.with(w.values, [&](latest &one) {
            uint64_t version = 0;

            (void)one.try_receive(&version);
            (void)one.wait(version, w.time());
        });
    default:
        return w.with(w.values,
                      [&](latest &one) { one.send(mmf::as_bytes(w.text())); });
    }
}

void
on_services(world &w)
{
    using service = mmf::service<>;

    switch (w.below(9)) {
    case 0: {
        mmf::service_options settings;

        settings.role = w.below(5);
        settings.max_calls = int32_t(w.below(4));
        settings.flags = w.below(3);
        return w.keep(w.services, service::try_create_or_open(
                                      w.name(), {64, 64, w.below(9)}, settings));
    }
    case 1:
        return w.keep(w.services, service::try_open_existing(w.name()));
    case 2:
        return w.with(w.services, [&](service &one) {
            (void)one.try_call(mmf::as_bytes(w.text()), w.time());
        });
    case 3:
        return w.with(w.services, [&](service &one) {
            auto call = one.try_send(mmf::as_bytes(w.text()), w.time());

            if (call && w.below(4))
                w.calls.push_back(std::move(*call));
        });
    case 4:
        return w.with(w.services, [&](service &one) {
            w.request.reset();
            if (auto taken = w.below(2) ? one.try_take(w.time())
                                        : one.try_receive(w.copy, w.time()))
                w.request.emplace(std::move(*taken));
        });
    case 5:
        if (!w.request)
            return;
        CHECK(w.request->bytes().size() <= 64);
        (void)w.request->is_wanted();
        return w.below(3)   ? (void)w.request->try_answer(mmf::as_bytes(w.text()))
               : w.below(2) ? (void)w.request->try_answer_more(mmf::as_bytes(w.text()))
                            : w.request->return_();
    case 6:
        if (w.request && !w.request->reserve_answer(w.below(70), w.time()).empty())
            w.request->commit_answer(w.below(70), w.below(2));
        return;
    case 7:
        if (w.calls.empty())
            return;
        w.calls.back().try_receive(w.time());
        return w.calls.pop_back();
    default:
        return w.with(w.services, [&](service &one) {
            auto memory = one.reserve(w.below(70), w.time());

            if (w.below(2))
                return one.abandon();
            one.commit(memory.size());
            (void)one.try_take_answer(w.time());
        });
    }
}

void
on_pollers(world &w)
{
    if (w.pollers.empty())
        w.pollers.emplace_back();
    mmf::poller &poller = w.pollers.front();
    auto change = [&](auto &list) {
        w.with(list, [&](auto &one) {
            w.below(3) ? poller.add(one, &one) : poller.remove(one);
        });
    };

    switch (w.below(6)) {
    case 0:
        return change(w.events);
    case 1:
        return change(w.queues);
    case 2:
        return change(w.services);
    case 3:
        return change(w.mutexes);
    default:
        CHECK(poller.ready(w.below(5)).size() < 5);
    }
}

void
on_reservations(world &w)
{
    if (w.below(3) == 0)
        return w.keep(w.typed, mmf::queue<uint64_t>::try_open_existing(w.name()));
    if (w.below(3) == 0)
        return w.with(w.typed, [&](mmf::queue<uint64_t> &one) {
            (void)one.try_send(w.below(100));
            (void)one.try_receive();
        });
    if (w.slot) {
        if (w.below(2))
            w.slot->commit(w.below(70));
        return w.slot.reset();
    }
    w.with(w.queues, [&](mmf::queue<> &one) {
        auto slot = one.try_reserve(w.below(70), w.time());

        if (slot)
            w.slot.emplace(std::move(*slot));
    });
}

void
random_calls_answer_or_throw()
{
    world w(seed);
    unsigned long thrown = 0;

    for (unsigned long step = 0; step < steps; step++) {
        try {
            switch (w.below(8)) {
            case 0:
                on_maps(w);
                break;
            case 1:
                on_sync(w);
                break;
            case 2:
                on_channel(w, w.queues, w.message);
                break;
            case 3:
                on_channel(w, w.topics, w.news);
                break;
            case 4:
                on_latest(w);
                break;
            case 5:
                on_services(w);
                break;
            case 6:
                on_pollers(w);
                break;
            default:
                on_reservations(w);
            }
        } catch (const mmf::error &why) {
            thrown++;
            CHECK(why.status() < 0 && why.what()[0] != '\0');
            if (checks_failed != 0)
                throw;
        }
    }
    w.drop_what_is_borrowed();
    std::printf("seed %llu: %lu calls, %lu refused\n",
                static_cast<unsigned long long>(seed), steps, thrown);
    CHECK(thrown > 0 && thrown < steps);
}

} // namespace

int
main(int argc, char **argv)
{
    seed = argc > 1 ? std::stoull(argv[1]) : std::random_device()();
    if (argc > 2)
        steps = std::stoul(argv[2]);
    else if (std::getenv("MMF_TEST_LONG") != nullptr)
        steps = 400000;
    RUN(random_calls_answer_or_throw);
    return finish("cpp_random");
}
