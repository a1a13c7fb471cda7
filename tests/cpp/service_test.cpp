// service_test.cpp - services, pollers and browsing: mmf/mmf.hpp once more, in a file of its
// own, as in a program of several files.
#include "cpp_check.hpp"

#include <algorithm>
#include <chrono>
#include <poll.h>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr auto LONG = 60s;

struct question {
    int32_t left, right;
};
struct sum {
    int64_t value;
};
using sums = mmf::service<question, sum>;

std::string
text_of(mmf::const_bytes data)
{
    return {reinterpret_cast<const char *>(data.data()), data.size()};
}

mmf::service_options
role(mmf_role of)
{
    mmf::service_options options;

    options.role = of;
    options.max_calls = 3;
    return options;
}

void
what_is_in_a_queue_is_browsed()
{
    auto jobs = mmf::queue<int>::create_new("Jobs", 4, MMF_OVERFLOW_BLOCK);

    jobs.send(7);
    {
        auto taken = jobs.take();
        const auto items = mmf::queue<>::browse("Jobs");

        CHECK(items.size() == 1 && items[0].state == MMF_QUEUE_IN_FLIGHT);
        CHECK(items[0].pid == getpid() && items[0].length == sizeof(int));
        taken.return_();
        CHECK_FAILS(taken.return_(), MMF_E_NULL);
    }
    CHECK(jobs.receive() == 7 && mmf::queue<>::browse("Jobs").empty());
    CHECK_FAILS(mmf::queue<>::browse("No"), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf::queue<>::browse(std::string("x\0y", 3)), MMF_E_INVALID);
}

void
a_typed_service_adds()
{
    auto client = sums::create_new("Sums", 8, role(MMF_ROLE_CLIENT));
    std::thread thread([] {
        auto server = sums::open_existing("Sums", role(MMF_ROLE_SERVER));

        for (auto &request : server.requests(LONG)) {
            request.answer({int64_t(request->left) + request->right});
            if (request->left == 0)
                break;
        }
    });
    for (int32_t i = 100; i-- > 0;)
        CHECK(client.call({i, 1}).value == i + 1);
    thread.join();
    CHECK(!client.try_call({1, 2}, 1ms)); // no server: it was given up
    CHECK(client.stat().answer_size == sizeof(sum));
    CHECK_FAILS(mmf::service<int>::open_existing("Sums"), MMF_E_MISMATCH);
    CHECK_FAILS(client.take(), MMF_E_NOT_SUPPORTED);
}

void
several_calls_are_open_at_a_time()
{
    auto both = mmf::service<>::create_new("Words", {64, 64, 8}, role(MMF_ROLE_BOTH));
    auto one = both.send(mmf::as_bytes("one"));
    auto two = both.send(mmf::as_bytes("two"));
    {
        auto three = both.try_send(mmf::as_bytes("three"));

        CHECK(three && three->number() != one.number());
        CHECK_FAILS(both.try_send(mmf::as_bytes("four")), MMF_E_TOO_MANY);
    } // it is given up, and its request taken back
    auto first = both.take();
    auto second = both.take();
    CHECK(!both.try_take());
    second.answer(mmf::as_bytes("2"));
    CHECK_FAILS(second.answer(mmf::as_bytes("2")), MMF_E_NULL);
    CHECK(text_of(two.take().bytes()) == "2" && two.is_done());
    one.cancel();
    CHECK(!first.is_wanted());
    first.answer(mmf::as_bytes("it is dropped"));

    auto memory = both.reserve(3);
    std::copy_n(mmf::as_bytes("abc").begin(), 3, memory.begin());
    auto call = both.commit(3);
    CHECK_FAILS(both.commit(3), MMF_E_STATE);
    CHECK_FAILS(both.abandon(), MMF_E_STATE);
    {
        auto request = both.take(); // returned, since it goes without an answer
    }
    auto request = both.try_take(LONG);
    CHECK(request && request->deliveries() == 2);
    auto moved = std::move(*request);
    CHECK(text_of(moved.bytes()) == "abc");
    moved.answer_more(mmf::as_bytes("a"));
    auto answer = moved.reserve_answer(8);
    answer[0] = std::byte('b');
    moved.commit_answer(1, true);
    CHECK(!moved.try_answer_more(mmf::as_bytes("full"), 1ms));
    std::string said;
    for (auto &part : call.answers()) {
        said += text_of(part.bytes());
        if (said.size() == 2)
            moved.answer(mmf::as_bytes("c"));
    }
    CHECK(said == "abc" && call.is_done());
    CHECK_FAILS(both.try_take_answer(), MMF_E_STATE);
    auto last = both.send(mmf::as_bytes("last"));
    both.take().answer(mmf::as_bytes("any"));
    auto any = both.try_take_answer(LONG);
    CHECK(any && any->call() == last.number() && any->is_last());
}

void
requests_are_copied()
{
    auto words = mmf::service<>::create_new("Words", {64, 64, 8});
    auto numbers = mmf::service<int>::create_new("Ints", 4);
    auto bytes = mmf::service<>::open_existing("Ints");
    std::vector<std::byte> text;
    mmf_message about{};
    int number = 0;

    CHECK(!words.try_receive(text) && !numbers.try_receive(number, 1ms));
    auto call = words.send(mmf::as_bytes("question"));
    {
        auto request = words.receive(text);
        CHECK(text_of(text) == "question" && request.bytes().data() == text.data());
    } // returned, since it goes without an answer
    auto request = words.try_receive(text, LONG);
    CHECK(request && text_of(request->bytes()) == "question");
    request->answer(mmf::as_bytes("answer"));
    CHECK(text_of(text) == "question");
    CHECK(text_of(call.receive(&about)) == "answer" && about.deliveries == 2);
    CHECK(about.bytes == nullptr && about.sequence == call.number());

    auto sum = numbers.send(6);
    auto asked = numbers.try_receive(number);
    CHECK(asked && number == 6 && **asked == 6);
    asked->answer(7);
    CHECK(sum.try_receive(LONG, &about) == 7 && about.deliveries == 1);
    CHECK((about.flags & MMF_MESSAGE_LAST) != 0 && about.bytes == nullptr);
    auto wrong = bytes.send(mmf::as_bytes("x"));
    CHECK_FAILS(numbers.receive(number), MMF_E_MISMATCH);
    CHECK(wrong.receive().empty()); // it was answered
}

bool
is_readable(int fd, int ms)
{
    pollfd ready = {fd, POLLIN, 0};

    return poll(&ready, 1, ms) == 1;
}

void
a_poller_has_one_descriptor_for_all()
{
    auto stop = mmf::event::create_new("Stop", MMF_EVENT_AUTO_RESET);
    auto jobs = mmf::queue<int>::create_new("Jobs", 4, MMF_OVERFLOW_BLOCK);
    auto service = mmf::service<int>::create_new("Ints", 4);
    mmf::poller poller;
    auto expect = [&](const void *one) {
        std::vector<void *> found;

        while (found.empty() && is_readable(poller.fd(), 60000))
            found = poller.ready();
        CHECK(found.size() == 1 && found[0] == one);
    };

    poller.add(stop, &stop);
    poller.add(jobs, &jobs);
    poller.add(service, &service);
    CHECK_FAILS(poller.add(jobs, &jobs), MMF_E_EXISTS);
    jobs.send(1);
    expect(&jobs);
    CHECK(jobs.try_receive() == 1);
    auto call = service.send(2);
    expect(&service);
    service.take().answer(3);
    expect(&service);
    CHECK(call.receive() == 3);
    stop.set();
    expect(&stop);
    CHECK(stop.wait_for(0ms));
    poller.remove(stop);
    CHECK_FAILS(poller.remove(stop), MMF_E_NOT_FOUND);
    CHECK_FAILS(poller.ready(0), MMF_E_RANGE);
    CHECK_FAILS(poller.ready(SIZE_MAX), MMF_E_RANGE);
    CHECK_FAILS(poller.ready(SIZE_MAX / 2), MMF_E_RANGE);
    poller.close();
    CHECK_FAILS(poller.fd(), MMF_E_NULL);
    jobs.send(1);
    CHECK(mmf::wait_any({stop, jobs}, 0ms)->index == 1);
    CHECK(jobs.try_receive() == 1);
    CHECK(!mmf::wait_any({stop, jobs}, 1ms));
    CHECK(!mmf::wait_any({stop, service}, 0ms));
    auto last = service.send(4);
    CHECK(mmf::wait_any({stop, service}, LONG)->index == 1);
    CHECK_FAILS(mmf::wait_all({stop, jobs}, 0ms), MMF_E_NOT_SUPPORTED);
}

} // namespace

void
run_services()
{
    RUN(what_is_in_a_queue_is_browsed);
    RUN(a_typed_service_adds);
    RUN(several_calls_are_open_at_a_time);
    RUN(requests_are_copied);
    RUN(a_poller_has_one_descriptor_for_all);
}
