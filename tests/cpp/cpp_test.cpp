// cpp_test.cpp - mmf/mmf.hpp: what its classes add to the calls that actor.cpp makes for
// tests/scenarios. Compiled with each standard from C++17 on.
#include <mmf/mmf.hpp>

#include "cpp_check.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

struct job {
    int32_t number;
    int32_t weight;
};

std::string
text_of(mmf::const_bytes data)
{
    return {reinterpret_cast<const char *>(data.data()), data.size()};
}

mmf::channel_options
role(mmf_role of)
{
    mmf::channel_options options;

    options.role = of;
    return options;
}

void
a_map_has_bytes_and_objects()
{
    bool created = false;
    auto map = mmf::map::create_or_open("Cat", 10000, mmf::map_options(), &created);

    CHECK(created);
    CHECK(map.capacity() == 10000);
    CHECK(map.bytes().size() == 10000);
    map.bytes()[0] = std::byte{7};
    map.as<job>(8).number = 42;

    auto again = mmf::map::create_or_open("Cat", 1, mmf::map_options(), &created);
    CHECK(!created);
    CHECK(again.capacity() == 10000);
    CHECK(again.read_only_bytes()[0] == std::byte{7});
    CHECK_FAILS(again.as<job>(), MMF_E_STATE); // mapped read-only before
    CHECK(mmf::map::open_existing("Cat").as<job>(8).number == 42);
    CHECK_FAILS(map.as<job>(9993), MMF_E_RANGE);
    CHECK_FAILS(map.as<job>(SIZE_MAX), MMF_E_RANGE);
    CHECK_FAILS(map.as<job>(1), MMF_E_INVALID);
}

void
a_span_is_made_of_and_becomes_what_is_contiguous()
{
    std::vector<int> numbers = {1, 2, 3};
    const std::array<int, 2> constants = {4, 5};
    mmf::span<int> all = numbers;
    mmf::span<const int> seen = numbers;
    int sum = 0;

    all[0] = 10;
    for (const int number : seen)
        sum += number;
    for (const int number : mmf::span<const int>(constants))
        sum += number;
    CHECK(sum == 24);
    CHECK(mmf::span<int>().empty());
    static_assert(!std::is_convertible_v<const std::array<int, 2> &, mmf::span<int>>);
#if __cplusplus >= 202002L
    std::span<const int> standard = seen;
    CHECK(standard.size() == 3 && standard[0] == 10);
    auto map = mmf::map::create_unnamed(64);
    std::span<std::byte> bytes = map.bytes();
    CHECK(bytes.size() == 64);
#endif
}

void
views_and_streams_see_parts_of_a_map()
{
    auto map = mmf::map::create_new("Cat", 100);
    mmf::view view(map, 10, 20);
    mmf::stream stream(map, 10, 20);
    std::array<std::byte, 40> buffer{};

    CHECK(view.bytes().size() == 20);
    view.write(3, job{1, 2});
    CHECK(view.read<job>(3).weight == 2);
    CHECK_FAILS(view.read<job>(13), MMF_E_INVALID);
    CHECK_FAILS(view.as<job>(16), MMF_E_RANGE);
    CHECK(stream.read({}) == 0);
    stream.write({});
    CHECK(stream.position() == 0);
    CHECK(stream.read(buffer) == 20 && buffer[3] == std::byte{1});
    CHECK(stream.seek(0) == 0);
    stream.write(mmf::as_bytes("ab"));
    stream.flush();
    CHECK(view.bytes()[1] == std::byte{'b'});
    map.close();
    CHECK(view.bytes()[1] == std::byte{'b'}); // views outlive their map
}

void
a_map_is_made_of_an_open_file()
{
    char path[] = "/tmp/mmf-cpp-XXXXXX";
    const int fd = mkstemp(path);
    mmf::map_options keep;

    CHECK(fd >= 0 && ftruncate(fd, 10) == 0);
    auto map = mmf::map::create_from_fd(dup(fd), "Fd");
    const int its = int(map.native_handle());
    map.bytes()[9] = std::byte{9};
    map.close();
    CHECK(fcntl(its, F_GETFD) == -1);
    keep.leave_open = 1;
    CHECK(mmf::map::create_from_handle(fd, {}, 0, keep).bytes()[9] == std::byte{9});
    CHECK_FAILS(mmf::map::create_from_fd(fd, "", 5), MMF_E_RANGE);
    CHECK_FAILS(mmf::map::create_from_handle(fd, "", 5), MMF_E_RANGE);
    CHECK(close(fd) == 0 && unlink(path) == 0);
    CHECK(!mmf::map::try_create_from_fd(-1));
    CHECK(!mmf::map::try_create_from_handle(-1));
    CHECK_FAILS(mmf::map::create_from_file(path, MMF_FILE_MODE_OPEN_OR_CREATE,
                                           std::string("a\0b", 3), 10),
                MMF_E_INVALID);
}

void
a_map_is_inherited()
{
    mmf::map_options options;
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    auto map = mmf::map::create_unnamed(100, options);

    map.bytes()[0] = std::byte{7};
    const int left = dup(int(map.native_handle())); // as a child process gets it
    CHECK(mmf::map::open_inherited(left).bytes()[0] == std::byte{7});
    CHECK_FAILS(mmf::map::open_inherited(left), MMF_E_DISPOSED);
    map.close();
    CHECK_FAILS(map.native_handle(), MMF_E_NULL);
}

void
failures_are_system_errors_with_the_message()
{
    try {
        mmf::map::open_existing("Nosuch");
        CHECK(false);
    } catch (const std::system_error &why) {
        CHECK(std::string(why.what()) == "no such map: \"Nosuch\"");
        CHECK(why.code() == std::errc::no_such_file_or_directory);
        CHECK(why.code() == MMF_E_NOT_FOUND);
        CHECK(std::string(why.code().category().name()) == "mmf");
        CHECK(why.code().message() == mmf_strerror(MMF_E_NOT_FOUND));
    }
    auto failed = mmf::map::try_create_new("Zero", 0);
    CHECK(!failed);
    CHECK(failed.error().status() == MMF_E_RANGE);
    CHECK(std::string(failed.error().parameter()) == "capacity");
    CHECK_FAILS(failed.value(), MMF_E_RANGE);
    auto made = mmf::map::try_create_new("One", 1);
    CHECK(made && made->capacity() == 1);
    mmf::map kept = *std::move(made);
    CHECK(kept.capacity() == 1);
    const std::string split("a\0b", 3);
    CHECK_FAILS(mmf::map::open_existing(split), MMF_E_INVALID);
    CHECK_FAILS(mmf::mutex::create_or_open(split), MMF_E_INVALID);
    CHECK_FAILS(mmf::queue<>::open_existing(split), MMF_E_INVALID);
#ifdef __cpp_lib_expected
    std::expected<mmf::map, mmf::error> expected = mmf::map::try_open_existing("No");
    CHECK(!expected && expected.error().status() == MMF_E_NOT_FOUND);
    expected = mmf::map::try_open_existing("One");
    CHECK(expected && expected->capacity() == 1);
#endif
    // A status for each condition, and each with a text.
    for (int status = MMF_E_TOO_MANY; status <= MMF_OVERWRITTEN; status++) {
        const std::error_code code = mmf_status(status);

        CHECK(!code.message().empty());
        CHECK(bool(code) == (status != 0));
    }
    CHECK(make_error_code(MMF_E_FULL) == std::errc::no_buffer_space);
    CHECK(make_error_code(MMF_E_PEER_CLOSED) == std::errc::broken_pipe);
}

void
a_closed_or_moved_handle_fails()
{
    auto map = mmf::map::create_new("Cat", 10);
    auto moved = std::move(map);

    CHECK_FAILS(map.bytes(), MMF_E_NULL); // NOLINT: what a moved one answers
    moved.close();
    moved.close();
    CHECK_FAILS(moved.capacity(), MMF_E_NULL);
    CHECK_FAILS(mmf::view(moved), MMF_E_NULL);
    auto mutex = mmf::mutex::create_or_open("");
    mutex.close();
    CHECK_FAILS(mutex.lock(), MMF_E_NULL);
    CHECK(mutex.try_unlock().error().status() == MMF_E_NULL);
    auto event = mmf::event::create_or_open("", MMF_EVENT_AUTO_RESET);
    event.close();
    CHECK_FAILS(event.set(), MMF_E_NULL);
    CHECK_FAILS(mmf::wait_any({event}, 0ms), MMF_E_NULL);
    auto queue = mmf::queue<>::create_new("Q", 8, 4, MMF_OVERFLOW_BLOCK);
    queue.close();
    CHECK_FAILS(queue.send(mmf::as_bytes("x")), MMF_E_NULL);
    CHECK_FAILS(queue.try_take(), MMF_E_NULL);
    CHECK_FAILS(queue.stat(), MMF_E_NULL);
}

void
durations_are_rounded_up()
{
    CHECK(mmf::timeout(400us).count() == 1);
    CHECK(mmf::timeout(1000us).count() == 1);
    CHECK(mmf::timeout(1001us).count() == 2);
    CHECK(mmf::timeout(0ns).count() == 0);
    CHECK(mmf::timeout(-5s).count() == 0);
    CHECK(mmf::timeout(1s).count() == 1000);
    CHECK(mmf::timeout(std::chrono::duration<double>(0.0004)).count() == 1);
    CHECK(mmf::timeout(std::chrono::hours(100000)).count() == INT32_MAX);
    CHECK(mmf::timeout(std::chrono::nanoseconds::max()).count() == INT32_MAX);
    CHECK(mmf::forever.count() == MMF_INFINITE && mmf::no_wait.count() == 0);
    const auto past = std::chrono::steady_clock::now() - 1s;
    CHECK(mmf::timeout::until(past).count() == 0);
    CHECK(mmf::timeout::until(past.min()).count() == 0);
    CHECK(mmf::timeout::until(past.max()).count() == INT32_MAX);
}

void
mutexes_work_with_the_standard_locks()
{
    auto first = mmf::mutex::create_or_open("First");
    auto second = mmf::mutex::create_or_open("Second");
    bool others[3] = {true, true, true};

    {
        std::scoped_lock both(first, second);
        std::thread([&] {
            others[0] = std::unique_lock(first, std::try_to_lock).owns_lock();
            others[1] = std::unique_lock(second, 2ms).owns_lock();
            others[2] = std::unique_lock(second, std::chrono::system_clock::now() + 1ms)
                            .owns_lock();
        }).join();
        CHECK(first.try_lock()); // recursive
        first.unlock();
    }
    CHECK(!others[0] && !others[1] && !others[2]);
    CHECK(first.try_lock_for(0s));
    CHECK(!first.was_abandoned());
    CHECK(first.try_unlock().has_value());
    auto refused = first.try_unlock();
    CHECK(!refused && refused.error().status() == MMF_E_NOT_OWNER);
    CHECK_FAILS(refused.value(), MMF_E_NOT_OWNER);
}

void
events_and_semaphores_wait()
{
    auto gate = mmf::event::create_or_open("Gate", MMF_EVENT_MANUAL_RESET, true);
    auto seats = mmf::semaphore::create_or_open("Seats", 1, 2);
    const auto soon = std::chrono::steady_clock::now() + 1ms;

    gate.wait();
    CHECK(gate.wait_until(soon) && gate.wait_for(mmf::no_wait));
    gate.reset();
    CHECK(!gate.wait_until(soon));
    seats.acquire();
    CHECK(!seats.try_acquire() && !seats.try_acquire_until(soon));
    CHECK(seats.release() == 0 && seats.try_acquire());
    CHECK_FAILS(mmf::event::create_new("Gate", MMF_EVENT_AUTO_RESET), MMF_E_EXISTS);
    CHECK_FAILS(mmf::semaphore::create_new("Seats", 1, 2), MMF_E_EXISTS);
}

void
waits_take_several_objects()
{
    auto mutex = mmf::mutex::create_or_open("Mutex");
    auto event = mmf::event::create_or_open("Event", MMF_EVENT_AUTO_RESET, true);
    auto seats = mmf::semaphore::create_or_open("Seats", 0, 1);
    const std::vector<mmf::waitable> both = {event, mutex};
    mmf_kind kind;

    CHECK(mmf::wait_all(both) == MMF_OK);
    mutex.unlock();
    CHECK(mmf::wait_all({event, mutex}, 0ms) == MMF_TIMED_OUT);
    CHECK(mmf::wait_any({event, mutex})->index == 1);
    mutex.unlock();
    CHECK_FAILS(mmf::wait_any({}, 0ms), MMF_E_INVALID);
    CHECK_FAILS(mmf::wait_any(std::vector<mmf::waitable>(65, event)),
                MMF_E_NOT_SUPPORTED);
    CHECK(mmf::signal_and_wait(event, event) == MMF_OK);
    CHECK(mmf::waitable(event).fd() >= 0);
    auto any = mmf::named_waitable::open_existing("Seats", mmf::sync_options(), &kind);
    CHECK(kind == MMF_KIND_SEMAPHORE);
    seats.release();
    CHECK(mmf::wait_any({event, any}, 0ms)->index == 1 && !seats.try_acquire());
    auto cat = mmf::map::create_new("Cat", 10);
    CHECK_FAILS(mmf::named_waitable::open_existing("Cat"), MMF_E_WRONG_KIND);
    CHECK(!mmf::named_waitable::try_open_existing("Nosuch"));
}

void
a_typed_queue_carries_values()
{
    auto jobs = mmf::queue<job>::create_new("Jobs", 4, MMF_OVERFLOW_BLOCK);
    auto other = mmf::queue<job>::open_existing("Jobs");
    const std::array<job, 3> several = {{{1, 10}, {2, 20}, {3, 30}}};
    int seen = 0;

    const uint64_t sequence = jobs.send({7, 70});
    CHECK(other.receive().weight == 70);
    CHECK(!other.try_receive() && !other.try_receive(1ms));
    CHECK(jobs.send_many(several) == 3);
    CHECK(jobs.try_send({4, 40}) > sequence);
    CHECK(!jobs.try_send({5, 50}) && !jobs.try_send({5, 50}, 1ms));
    CHECK(jobs.send_many(several, 1ms) == 0);
    for (auto &message : other.ready()) {
        CHECK(message->number == ++seen && (*message).weight == 10 * seen);
        CHECK(!message.redelivered() && message.sequence() > sequence);
    }
    CHECK(seen == 4);
    CHECK(jobs.stat().received == 5 && jobs.stat().depth == 0);

    auto slot = jobs.reserve(sizeof(job));
    *reinterpret_cast<job *>(slot.bytes().data()) = {8, 80};
    slot.commit();
    {
        auto abandoned = jobs.try_reserve(sizeof(job));
        CHECK(abandoned.has_value());
    }
    auto message = other.take();
    CHECK(message->number == 8);
    CHECK(message.release() && message.release());
    CHECK(!other.try_take());
    CHECK(jobs.fd() >= 0);

    mmf_message about{};
    const uint64_t last = jobs.send({9, 90});
    CHECK(other.try_receive(0ms, &about)->number == 9 && about.sequence == last);
    CHECK(about.deliveries == 1 && about.length == sizeof(job));
    CHECK(about.bytes == nullptr);

    CHECK_FAILS(mmf::queue<int64_t>::open_existing("Nosuch"), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf::queue<char>::open_existing("Jobs"), MMF_E_MISMATCH);
    CHECK_FAILS(mmf::queue<char>::create_or_open("Jobs", 4, MMF_OVERFLOW_BLOCK),
                MMF_E_MISMATCH);
    CHECK_FAILS(mmf::topic<job>::open_existing("Jobs"), MMF_E_WRONG_KIND);
}

void
handle(mmf::queue<job> &jobs, bool throws)
{
    auto message = jobs.take();
    auto moved = std::move(message);

    if (throws)
        throw std::runtime_error("the handler failed");
}

// Takes while an exception is on its way.
struct taker {
    mmf::queue<job> &jobs;
    ~taker() { handle(jobs, false); }
};

void
a_message_whose_handler_throws_goes_to_another_consumer()
{
    auto jobs = mmf::queue<job>::create_new("Jobs", 4, MMF_OVERFLOW_BLOCK);
    auto other = mmf::queue<job>::open_existing("Jobs");

    jobs.send({1, 10});
    for (int times = 0; times < 2; times++) {
        try {
            handle(times == 0 ? jobs : other, true);
            CHECK(false);
        } catch (const std::runtime_error &) {
        }
    }
    try {
        for (auto &message : jobs.messages()) {
            CHECK(message.deliveries() == 3);
            throw std::runtime_error("the loop failed");
        }
    } catch (const std::runtime_error &) {
    }
    CHECK(other.stat().in_flight == 0 && other.stat().received == 0);
    try {
        const taker acknowledges{other};

        throw std::runtime_error("not of its handler");
    } catch (const std::runtime_error &) {
    }
    CHECK(jobs.stat().received == 1 && jobs.stat().depth == 0);
}

void
several_are_taken_at_a_time()
{
    auto jobs = mmf::queue<job>::create_new("Jobs", 8, MMF_OVERFLOW_BLOCK);
    const std::array<job, 5> several = {{{1, 10}, {2, 20}, {3, 30}, {4, 40}, {5, 50}}};

    CHECK(!jobs.try_take_many(8) && !jobs.try_take_many(8, 1ms));
    CHECK(jobs.send_many(several) == 5);
    {
        auto batch = jobs.take_many(2);
        CHECK(batch.size() == 2 && batch[1]->number == 2);
        auto moved = std::move(batch);
        auto rest = jobs.try_take_many(100);
        CHECK(rest && rest->size() == 3 && jobs.stat().in_flight == 5);
        rest->return_((*rest)[0]);
        rest->release((*rest)[2]);
        CHECK_FAILS(rest->release((*rest)[2]), MMF_E_STATE);
        CHECK_FAILS(rest->return_((*rest)[0]), MMF_E_STATE);
        CHECK(jobs.stat().in_flight == 3 && jobs.stat().received == 1);
        rest->release();
        rest->release();
        CHECK(rest->size() == 0 && jobs.stat().received == 2);
    } // and what was moved
    CHECK(jobs.stat().in_flight == 0 && jobs.stat().received == 4);
    auto again = jobs.try_take(20s);
    CHECK(again && (*again)->number == 3 && again->deliveries() == 2);
    CHECK_FAILS(jobs.try_take_many(0), MMF_E_RANGE);
    CHECK_FAILS(jobs.try_take_many(SIZE_MAX), MMF_E_RANGE);
}

void
a_batch_whose_scope_throws_goes_to_other_consumers()
{
    auto jobs = mmf::queue<job>::create_new("Jobs", 8, MMF_OVERFLOW_BLOCK);
    auto other = mmf::queue<job>::open_existing("Jobs");
    const std::array<job, 3> several = {{{1, 10}, {2, 20}, {3, 30}}};
    int seen = 1;

    jobs.send_many(several);
    try {
        auto batch = jobs.take_many(8);

        for (auto &message : batch) {
            batch.release(message);
            throw std::runtime_error("the second one failed");
        }
    } catch (const std::runtime_error &) {
    }
    CHECK(jobs.stat().in_flight == 0 && jobs.stat().received == 1);
    for (auto &message : other.messages(20s)) {
        CHECK(message->number == ++seen && message.deliveries() == 2);
        if (seen == 3)
            break;
    }

    // What a typed handle gets that is not of its size is gone, the others are not.
    auto bytes = mmf::queue<>::open_existing("Jobs");
    jobs.send({4, 40});
    bytes.send(mmf::as_bytes("abc"));
    jobs.send({5, 50});
    CHECK_FAILS(jobs.try_take_many(8), MMF_E_MISMATCH);
    CHECK(other.try_receive(20s)->number == 4 && other.try_receive(20s)->number == 5);
    CHECK(jobs.stat().depth == 0 && jobs.stat().in_flight == 0);
}

void
an_spsc_queue_s_messages_are_released_in_order()
{
    mmf::channel_options options;
    options.flags = MMF_CHANNEL_SPSC;
    auto queue = mmf::queue<int>::create_new("Order", 2, MMF_OVERFLOW_FAIL, options);

    queue.send(1);
    queue.send(2);
    auto first = queue.take();
    auto second = queue.take();
    CHECK_FAILS(second.release(), MMF_E_STATE);
    CHECK(first.release() && second.release()); // it had stayed
    queue.send(3);
    queue.send(4);
    CHECK(queue.receive() == 3 && queue.receive() == 4);
    queue.send(5);
    try {
        auto last = queue.take();

        throw std::runtime_error("there is no other consumer to have it");
    } catch (const std::runtime_error &) {
    }
    CHECK(queue.stat().depth == 0);
    queue.send(6);
    queue.send(7);
    {
        auto batch = queue.take_many(2);
        CHECK_FAILS(batch.release(batch[1]), MMF_E_STATE);
        CHECK_FAILS(batch.return_(batch[0]), MMF_E_NOT_SUPPORTED);
        batch.release(batch[0]);
    }
    CHECK(queue.stat().received == 7);
    queue.send(8);
    queue.send(9);
    try {
        auto batch = queue.take_many(2);

        throw std::runtime_error("there is no other consumer to have them");
    } catch (const std::runtime_error &) {
    }
    CHECK(queue.stat().received == 9);
}

void
a_moved_message_is_released_once()
{
    auto queue = mmf::queue<>::create_new("Q", 8, 2, MMF_OVERFLOW_FAIL);

    queue.send(mmf::as_bytes("1234567"));
    queue.send(mmf::as_bytes(""));
    CHECK(text_of(queue.receive()) == "1234567");
    auto message = queue.try_take();
    CHECK(message && message->bytes().empty());
    auto moved = std::move(*message);
    message.reset();
    CHECK(queue.stat().received == 1);
    moved.release();
    CHECK(queue.stat().received == 2);
}

void
a_message_of_another_size_is_refused_and_gone()
{
    auto queue = mmf::queue<>::create_new("Q", 8, 2, MMF_OVERFLOW_FAIL);
    auto typed = mmf::queue<int64_t>::open_existing("Q");

    queue.send(mmf::as_bytes("abc"));
    CHECK_FAILS(typed.try_take(), MMF_E_MISMATCH);
    queue.send(mmf::as_bytes("abc"));
    CHECK_FAILS(typed.receive(), MMF_E_MISMATCH);
    CHECK(!typed.try_take());
}

void
messages_end_when_the_last_producer_closes()
{
    auto options = role(MMF_ROLE_RECEIVE);
    int sum = 0;

    options.flags = MMF_CHANNEL_PEER_CLOSED;
    auto jobs = mmf::queue<job>::create_new("Jobs", 4, MMF_OVERFLOW_BLOCK, options);
    std::thread producer([] {
        auto out = mmf::queue<job>::open_existing("Jobs", role(MMF_ROLE_SEND));

        for (int number = 1; number <= 100; number++)
            out.send({number, 0});
    });
    const auto first = jobs.receive(); // the producer is there
    for (auto &message : jobs.messages())
        sum += message->number;
    producer.join();
    CHECK(first.number + sum == 5050);
    CHECK_FAILS(jobs.take(), MMF_E_PEER_CLOSED);
    CHECK(jobs.stat().senders == 0);
}

void
topics_go_to_every_subscriber()
{
    auto news = mmf::topic<int64_t>::create_new("News", 4, MMF_OVERFLOW_DROP_OLDEST,
                                                role(MMF_ROLE_SEND));
    auto first = mmf::topic<int64_t>::open_existing("News", role(MMF_ROLE_RECEIVE));
    auto second = mmf::topic<>::open_existing("News", role(MMF_ROLE_RECEIVE));
    mmf_message about{};

    for (int64_t number = 1; number <= 6; number++)
        news.send(number);
    auto message = first.take();
    CHECK(message.lost() > 0 && *message == int64_t(message.lost()) + 1);
    CHECK(second.receive(&about).size() == 8 && about.lost > 0);
    CHECK(second.try_receive(20s)->size() == 8);
}

void
a_latest_value_is_replaced()
{
    auto position = mmf::latest<job>::create_or_open("At");
    auto seen = mmf::latest<job>::open_existing("At");
    auto bytes = mmf::latest<>::open_existing("At");
    uint64_t version = 99;

    CHECK(!seen.try_receive(&version) && version == 0 && !seen.try_take());
    const uint64_t sent = position.send({1, 2});
    CHECK(seen.wait(0));
    CHECK(seen.try_receive(&version)->weight == 2 && version == sent);
    auto message = seen.try_take();
    CHECK(message && (*message)->number == 1 && message->sequence() == sent);
    CHECK(message->release());
    bytes.send(mmf::as_bytes("abc"));
    CHECK_FAILS(seen.try_receive(), MMF_E_MISMATCH);
    CHECK_FAILS(position.try_take(), MMF_E_MISMATCH);
    CHECK(position.send({3, 4}) > sent && seen.try_receive()->number == 3);
}

void
the_list_has_what_there_is()
{
    auto map = mmf::map::create_new("Cat", 100);
    auto queue = mmf::queue<>::create_new("Jobs", 8, 4, MMF_OVERFLOW_BLOCK);
    std::string names;

    const mmf::list objects;
    for (const mmf_object_info &object : objects)
        names += std::string(object.name) + " " + mmf_kind_name(object.kind) + ";";
    CHECK(names == "Cat map;Jobs queue;");
    CHECK(objects.size() == 2 && objects.begin()->capacity == 100);
    CHECK_FAILS(mmf::list(0x1000), MMF_E_INVALID);
    CHECK(mmf::gc().in_use == 2);
}

void
channels_are_inspected_by_name()
{
    auto queue = mmf::queue<>::create_new("Jobs", 8, 4, MMF_OVERFLOW_BLOCK);
    auto map = mmf::map::create_new("Cat", 100);
    mmf::channel_options pins;

    queue.send(mmf::as_bytes("12345678"));
    queue.send(mmf::as_bytes(""));
    CHECK(mmf::channel_stat("Jobs").sent == 2 && mmf::channel_stat("Jobs").depth == 2);
    CHECK_FAILS(mmf::channel_stat("Cat"), MMF_E_WRONG_KIND);
    CHECK_FAILS(mmf::channel_stat(std::string("x\0y", 3)), MMF_E_INVALID);

    auto taken = queue.take();
    auto found = mmf::queue<>::browse_bytes("Jobs", 5);
    auto moved = std::move(found);
    CHECK(moved.items.size() == 2 && moved.items[0].length == 8);
    CHECK(std::memcmp(moved.items[0].bytes, "12345", 5) == 0);
    CHECK(moved.items[0].copied == 5 && moved.items[1].copied == 0);
    CHECK(mmf::queue<>::browse_bytes("Jobs", 0, 1).items.size() == 1);
    CHECK_FAILS(mmf::queue<>::browse_bytes("Jobs", SIZE_MAX, 2), MMF_E_RANGE);
    CHECK_FAILS(mmf::queue<>::browse_bytes("Jobs", 0, SIZE_MAX), MMF_E_RANGE);
    CHECK_FAILS(mmf::queue<>::browse("Jobs", SIZE_MAX), MMF_E_RANGE);
    CHECK_FAILS(mmf::queue<>::browse_bytes("No", 5), MMF_E_NOT_FOUND);

    const int64_t size = mmf::channel_size(MMF_KIND_QUEUE, 8, 4);
    CHECK(size > 0 && size + 4000 * 8 < mmf::channel_size(MMF_KIND_QUEUE, 8, 4000));
    pins.max_pins = 100;
    CHECK(mmf::channel_size(MMF_KIND_LATEST, 1000, 0, pins) > 100000);
    CHECK_FAILS(mmf::channel_size(MMF_KIND_QUEUE, 8, 4, pins), MMF_E_INVALID);
    CHECK_FAILS(mmf::channel_size(MMF_KIND_MAP, 8, 4), MMF_E_INVALID);
}

} // namespace

int
main()
{
    RUN(a_map_has_bytes_and_objects);
    RUN(a_span_is_made_of_and_becomes_what_is_contiguous);
    RUN(views_and_streams_see_parts_of_a_map);
    RUN(a_map_is_made_of_an_open_file);
    RUN(a_map_is_inherited);
    RUN(failures_are_system_errors_with_the_message);
    RUN(a_closed_or_moved_handle_fails);
    RUN(durations_are_rounded_up);
    RUN(mutexes_work_with_the_standard_locks);
    RUN(events_and_semaphores_wait);
    RUN(waits_take_several_objects);
    RUN(a_typed_queue_carries_values);
    RUN(a_message_whose_handler_throws_goes_to_another_consumer);
    RUN(several_are_taken_at_a_time);
    RUN(a_batch_whose_scope_throws_goes_to_other_consumers);
    RUN(an_spsc_queue_s_messages_are_released_in_order);
    RUN(a_moved_message_is_released_once);
    RUN(a_message_of_another_size_is_refused_and_gone);
    RUN(messages_end_when_the_last_producer_closes);
    RUN(topics_go_to_every_subscriber);
    RUN(a_latest_value_is_replaced);
    RUN(the_list_has_what_there_is);
    RUN(channels_are_inspected_by_name);
    run_services();
    return finish("cpp");
}
