// peer.cpp - peer.c in C++, with mmf/mmf.hpp.
#include <mmf/mmf.hpp>

#include <iostream>
#include <sstream>

namespace {

std::optional<mmf::map> map;
std::optional<mmf::view> view;
std::optional<mmf::mutex> mutex;
std::optional<mmf::event> event;
std::optional<mmf::semaphore> semaphore;
std::optional<mmf::queue<>> queue;
std::optional<mmf::topic<>> topic;
std::optional<mmf::latest<>> latest;
std::optional<mmf::service<>> service;
std::vector<mmf::queue<>::message> taken;  // never released
std::vector<mmf::service<>::request> kept; // never answered
std::vector<mmf::service<>::open_call> calls;

std::string
text_of(mmf::const_bytes data)
{
    return {reinterpret_cast<const char *>(data.data()), data.size()};
}

const char *
ok_or_timed_out(bool ok)
{
    return ok ? "ok" : "timed-out";
}

std::string
wait_for(const std::string &kind, std::chrono::milliseconds time)
{
    if (kind == "event")
        return ok_or_timed_out(event->wait_for(time));
    if (kind == "semaphore")
        return ok_or_timed_out(semaphore->try_acquire_for(time));
    if (!mutex->try_lock_for(time))
        return "timed-out";
    return mutex->was_abandoned() ? "abandoned" : "ok";
}

template <class Message>
std::string
said(const std::optional<Message> &message)
{
    if (!message)
        return "timed-out";
    return (message->redelivered() ? "again " : "ok ") + text_of(message->bytes());
}

std::string
receive(const std::string &kind, std::chrono::milliseconds time)
{
    if (kind == "queue")
        return said(queue->try_take(time));
    if (kind == "topic")
        return said(topic->try_take(time));
    if (!latest->wait(0, time))
        return "timed-out";
    return "ok " + text_of(*latest->try_receive());
}

std::string
take(std::chrono::milliseconds time)
{
    auto message = queue->try_take(time);
    const std::string answer = said(message);

    if (message)
        taken.push_back(std::move(*message));
    return answer;
}

std::string
answer(std::chrono::milliseconds time)
{
    const auto got = service->try_take_answer(time);

    if (!got)
        return "timed-out";
    return (got->is_last() ? "last " : "more ") + text_of(got->bytes());
}

std::string
serve(std::chrono::milliseconds time, bool answers)
{
    auto request = service->try_take(time);
    const std::string title = said(request);
    const std::string text = request ? text_of(request->bytes()) : "";

    if (request && !answers)
        kept.push_back(std::move(*request));
    for (std::size_t i = 0; answers && i < text.size(); i++) {
        const std::string letter(1, text[i]);

        try {
            i + 1 < text.size() ? request->answer_more(mmf::as_bytes(letter))
                                : request->answer(mmf::as_bytes(letter));
        } catch (const mmf::error &why) {
            if (why.status() != MMF_E_PEER_CLOSED)
                throw;
        }
    }
    return title;
}

std::string
create(const std::string &kind, const std::string &name, std::istream &words)
{
    std::string word;
    int32_t initial = 0, maximum = 0;
    bool created = false;

    if (kind == "mutex" && words >> word)
        mutex = mmf::mutex::create_or_open(name, word == "owned", mmf::sync_options(),
                                           &created);
    else if (kind == "event" && words >> word)
        event = mmf::event::create_or_open(
            name, word == "auto" ? MMF_EVENT_AUTO_RESET : MMF_EVENT_MANUAL_RESET, false,
            mmf::sync_options(), &created);
    else if (kind == "semaphore" && words >> initial >> maximum)
        semaphore = mmf::semaphore::create_or_open(name, initial, maximum,
                                                   mmf::sync_options(), &created);
    else if (kind == "queue")
        queue =
            mmf::queue<>::create_or_open(name, 64, 8, MMF_OVERFLOW_BLOCK, {}, &created);
    else if (kind == "topic")
        topic = mmf::topic<>::create_or_open(name, 64, 8, MMF_OVERFLOW_DROP_OLDEST, {},
                                             &created);
    else if (kind == "service")
        service = mmf::service<>::create_or_open(name, {64, 64, 8}, {}, &created);
    else
        latest = mmf::latest<>::create_or_open(name, 64, {}, &created);
    return created ? "created" : "opened";
}

std::string
do_command(const std::string &command, const std::string &what, std::istream &words)
{
    std::string text;
    int number = 0;

    if (command == "map-new" && words >> number)
        view.emplace(map.emplace(mmf::map::create_new(what, number)));
    else if (command == "map-open")
        view.emplace(map.emplace(mmf::map::open_existing(what)));
    else if (command == "map-close")
        view.reset(), map.reset();
    else if (command == "write" && words >> number)
        view->write<int32_t>(std::stol(what), number);
    else if (command == "read")
        return "ok " + std::to_string(view->read<int32_t>(std::stol(what)));
    else if (command == "wait" && words >> number)
        return wait_for(what, std::chrono::milliseconds(number));
    else if (command == "release")
        what == "mutex"   ? mutex->try_unlock().value()
        : what == "event" ? event->set()
                          : (void)semaphore->release();
    else if (command == "send" && words >> text)
        what == "queue"   ? queue->send(mmf::as_bytes(text))
        : what == "topic" ? topic->send(mmf::as_bytes(text))
                          : latest->send(mmf::as_bytes(text));
    else if (command == "receive" && words >> number)
        return receive(what, std::chrono::milliseconds(number));
    else if (command == "take" && words >> number)
        return take(std::chrono::milliseconds(number));
    else if (command == "ask")
        calls.push_back(service->send(mmf::as_bytes(what)));
    else if (command == "answer")
        return answer(std::chrono::milliseconds(std::stoi(what)));
    else if (command == "serve" || command == "hold")
        return serve(std::chrono::milliseconds(std::stoi(what)), command == "serve");
    else if (command == "close")
        what == "mutex"       ? mutex.reset()
        : what == "event"     ? event.reset()
        : what == "semaphore" ? semaphore.reset()
        : what == "queue"     ? queue.reset()
        : what == "topic"     ? topic.reset()
                              : latest.reset();
    else if (command == "gc")
        mmf::gc();
    else
        return create(command, what, words);
    return "ok";
}

} // namespace

int
main()
{
    std::string line, command, what;

    std::cout << "ready" << std::endl;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);

        what.clear();
        words >> command >> what;
        try {
            std::cout << do_command(command, what, words) << std::endl;
        } catch (const mmf::error &why) {
            std::cout << "failed " << mmf_status_name(why.status()) << std::endl;
        }
    }
    std::_Exit(0); // what was taken is not released
}
