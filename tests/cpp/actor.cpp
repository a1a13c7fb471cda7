// actor.cpp - an actor for the files of tests/scenarios, with mmf/mmf.hpp;
// docs/internals/conformance.md has the lines that it hears and says. It has no arrays: what
// it has not it cannot do, nor what C++ does for its caller, as releasing a message twice.
#include <mmf/mmf.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

// A channel, and what is reserved by it.
template <class Channel> struct ring {
    Channel channel;
    std::optional<typename Channel::slot> slot;
};
struct served {
    mmf::service<> channel;
    mmf::bytes reserved;
};
using queue = ring<mmf::queue<>>;
using topic = ring<mmf::topic<>>;
using latest = ring<mmf::latest<>>;
using handle = std::variant<mmf::map, mmf::mutex, mmf::event, mmf::semaphore, mmf::view,
                            mmf::stream, queue, topic, latest, served>;
using words = std::vector<std::string>;
using outputs = std::map<std::string, std::string>;

std::mutex handles_lock;
std::map<std::string, std::shared_ptr<handle>> handles;
bool is_child; // of a fork

//
// Words.
//

std::string
decode(const std::string &word)
{
    std::string text;

    for (std::size_t i = 0; i < word.size() && word != "''"; i++) {
        if (word[i] == '%') {
            text += char(std::stoi(word.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            text += word[i];
        }
    }
    return text;
}

std::string
encode(const std::string &text)
{
    std::string word = text.empty() ? "''" : "";
    char code[4];

    for (const char c : text) {
        if (c > ' ' && c < 0x7f && c != '%' && c != '\'') {
            word += c;
        } else {
            std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned char>(c));
            word += code;
        }
    }
    return word;
}

void
say(const std::string &line)
{
    const std::string text = line + "\n";

    if (write(STDOUT_FILENO, text.data(), text.size()) < 0)
        _exit(1);
}

//
// Arguments.
//

// The call is not one that C++ has.
struct cannot {};

// One call: its words, with the options taken out.
struct call {
    words said;
    std::map<std::string, std::string> options;
    std::string target; // of a new handle
    outputs out;

    const std::string &at(std::size_t i) const { return said.at(i); }
    long long number(std::size_t i) const { return std::stoll(at(i)); }
    bool has(std::size_t i) const { return i < said.size(); }
    int32_t option(const char *key, int base = 0) const
    {
        const auto found = options.find(key);

        return found == options.end()
                   ? 0
                   : int32_t(std::stoll(found->second, nullptr, base));
    }
    // No text is a null pointer.
    std::string name(std::size_t i) const
    {
        if (at(i) == "NULL")
            throw cannot();
        return decode(at(i));
    }
    // Where it means an object without a name.
    std::string name_or_none(std::size_t i) const
    {
        return at(i) == "NULL" ? "" : decode(at(i));
    }
    mmf::timeout time(std::size_t i) const
    {
        const auto ms = std::chrono::milliseconds(number(i));

        if (ms.count() < MMF_INFINITE) // a wait until what is over does not wait
            throw cannot();
        return ms.count() < 0 ? mmf::forever : mmf::timeout(ms);
    }
};

mmf_access
access_of(const std::string &word)
{
    static const char *const accesses[] = {"read_write",   "read",
                                           "write",        "copy_on_write",
                                           "read_execute", "read_write_execute"};

    for (int i = 0; i < 6; i++)
        if (word == accesses[i])
            return mmf_access(i);
    return mmf_access(std::stoi(word));
}

mmf::sync_options
sync_options(const call &c)
{
    mmf::sync_options options;

    options.all_users = c.option("all_users");
    options.this_user_only = c.option("this_user_only");
    options.mode = uint32_t(c.option("mode", 8));
    options.wait_ms = c.option("wait_ms");
    return options;
}

mmf::map_options
map_options(const call &c)
{
    mmf::map_options options;

    if (c.options.count("access") != 0)
        options.access = access_of(c.options.at("access"));
    options.rights = mmf_rights(c.option("rights"));
    options.inheritability = mmf_inheritability(c.option("inheritability"));
    options.allocation = mmf_map_allocation(c.option("allocation"));
    options.share = mmf_file_share(c.option("share"));
    options.exact_capacity = c.option("exact_capacity");
    options.all_users = c.option("all_users");
    options.mode = uint32_t(c.option("mode", 8));
    options.wait_ms = c.option("wait_ms");
    return options;
}

std::shared_ptr<handle>
find_or_none(const std::string &name)
{
    const std::lock_guard<std::mutex> guard(handles_lock);
    const auto found = handles.find(name);

    return found == handles.end() ? nullptr : found->second;
}

std::shared_ptr<handle>
find(const std::string &name)
{
    const auto found = find_or_none(name);

    return found != nullptr ? found : throw cannot();
}

template <class T>
T &
get(const std::shared_ptr<handle> &one)
{
    return std::get<T>(*one);
}

mmf::waitable
waitable(const std::string &name)
{
    if (name == "NULL")
        return {static_cast<mmf_waitable *>(nullptr)};
    const auto one = find(name);
    if (auto *mutex = std::get_if<mmf::mutex>(&*one))
        return *mutex;
    if (auto *event = std::get_if<mmf::event>(&*one))
        return *event;
    if (auto *semaphore = std::get_if<mmf::semaphore>(&*one))
        return *semaphore;
    if (auto *is_queue = std::get_if<queue>(&*one))
        return is_queue->channel;
    if (auto *is_topic = std::get_if<topic>(&*one))
        return is_topic->channel;
    if (auto *is_latest = std::get_if<latest>(&*one))
        return is_latest->channel;
    return get<served>(one).channel;
}

//
// Calls.
//

enum class how { create_new, create_or_open, open_existing };

template <class Made>
mmf_status
keep(call &c, Made made, how way, bool created)
{
    const std::lock_guard<std::mutex> guard(handles_lock);

    handles[c.target] = std::make_shared<handle>(std::move(made));
    c.out["out"] = "made";
    if (way == how::create_or_open)
        c.out["created"] = created ? "1" : "0";
    return MMF_OK;
}

// A kind with its arguments, after the name at `first`.
template <class T, class... Arguments>
mmf_status
make_sync(call &c, how way, std::size_t first, Arguments... arguments)
{
    const mmf::sync_options options = sync_options(c);
    bool created = false;

    if (way == how::open_existing)
        return keep(c, T::open_existing(c.name(first), options), way, false);
    const std::string name = c.name_or_none(first);
    if (way == how::create_new)
        return keep(c, T::create_new(name, arguments..., options), way, true);
    auto made = T::create_or_open(name, arguments..., options, &created);
    return keep(c, std::move(made), way, created);
}

mmf_status
make_map(call &c, how way, std::size_t first)
{
    const mmf::map_options options = map_options(c);
    bool created = false;

    if (way == how::open_existing)
        return keep(c, mmf::map::open_existing(c.name(first), options), way, false);
    if (way == how::create_new && c.at(first) == "NULL")
        return keep(c, mmf::map::create_unnamed(c.number(first + 1), options), way,
                    true);
    const std::string name = c.name(first);
    const int64_t capacity = c.number(first + 1);
    if (way == how::create_new)
        return keep(c, mmf::map::create_new(name, capacity, options), way, true);
    auto made = mmf::map::create_or_open(name, capacity, options, &created);
    return keep(c, std::move(made), way, created);
}

template <class Options>
Options
channel_options(const call &c)
{
    static const std::map<std::string, uint32_t> names = {
        {"send", 1},   {"receive", 2}, {"both", 3}, {"client", 1},
        {"server", 2}, {"spin", 1},    {"wait", 2}, {"spin_then_wait", 0}};
    const auto word = [&](const char *key) {
        const auto found = c.options.find(key);

        return found == c.options.end()          ? 0
               : names.count(found->second) != 0 ? names.at(found->second)
                                                 : uint32_t(std::stol(found->second));
    };
    Options options;

    for (const char *key : {"null", "size", "more", "reserved", "wraps"})
        if (c.options.count(key) != 0 && (*key != 'w' || c.options.at(key) != "0"))
            throw cannot();
    options.role = word("role");
    options.strategy = mmf_strategy(word("strategy"));
    options.flags = uint32_t(c.option("flags", 0)) |
                    uint32_t(c.option("spsc") * MMF_CHANNEL_SPSC) |
                    uint32_t(c.option("peer_closed") * MMF_CHANNEL_PEER_CLOSED) |
                    uint32_t(c.option("single") * MMF_CHANNEL_SINGLE_PRODUCER);
    options.all_users = c.option("all_users");
    options.mode = uint32_t(c.option("mode", 8));
    options.wait_ms = c.option("wait_ms");
    if constexpr (std::is_same_v<Options, mmf::service_options>) {
        options.max_clients = c.option("max_clients");
        options.max_servers = c.option("max_servers");
        options.max_calls = c.option("max_calls");
        options.max_answers = c.option("max_answers");
    } else {
        options.max_senders = c.option("max_senders");
        options.max_receivers = c.option("max_receivers");
        options.replay = c.option("replay");
        options.max_pins = c.option("max_pins");
    }
    return options;
}

mmf_overflow
overflow_of(const std::string &word)
{
    return word == "block"         ? MMF_OVERFLOW_BLOCK
           : word == "fail"        ? MMF_OVERFLOW_FAIL
           : word == "drop_oldest" ? MMF_OVERFLOW_DROP_OLDEST
                                   : mmf_overflow(std::stoi(word));
}

// A channel with its arguments, after the name at `first`.
template <class Kept, class Options, class... Arguments>
mmf_status
make_channel(call &c, how way, std::size_t first, Arguments... arguments)
{
    using channel = decltype(Kept::channel);
    const auto options = channel_options<Options>(c);
    const std::string name = c.name(first);
    bool created = false;

    if (way == how::open_existing)
        return keep(c, Kept{channel::open_existing(name, options), {}}, way, false);
    if (way == how::create_new)
        return keep(c, Kept{channel::create_new(name, arguments..., options), {}}, way,
                    true);
    auto made = channel::create_or_open(name, arguments..., options, &created);
    return keep(c, Kept{std::move(made), {}}, way, created);
}

template <class Kept>
mmf_status
make_ring(call &c, how way, std::size_t first)
{
    const bool opens = way == how::open_existing;
    const auto size = opens ? 0 : std::size_t(c.number(first + 1));

    if constexpr (std::is_same_v<Kept, latest>)
        return make_channel<Kept, mmf::channel_options>(c, way, first, size);
    else
        return make_channel<Kept, mmf::channel_options>(
            c, way, first, size, opens ? 0 : std::size_t(c.number(first + 2)),
            opens ? MMF_OVERFLOW_BLOCK : overflow_of(c.at(first + 3)));
}

mmf_status
make_service(call &c, how way, std::size_t first)
{
    const auto number = [&](std::size_t i) {
        return way == how::open_existing ? 0 : std::size_t(c.number(first + i));
    };

    return make_channel<served, mmf::service_options>(
        c, way, first, mmf::service<>::sizes(number(1), number(2), number(3)));
}

mmf_status
map_file(call &c)
{
    static const char *const modes[] = {
        "", "create_new", "create", "open", "open_or_create", "truncate", "append"};
    const std::filesystem::path file = c.name(1);
    const auto path = file.empty() ? file : std::getenv("MMF_TEST_FILES") / file;
    const auto mode = std::find(modes, modes + 7, c.at(2));
    if (c.at(3) == "''") // which means no name
        throw cannot();
    return keep(
        c,
        mmf::map::create_from_file(
            path, mmf_file_mode(mode == modes + 7 ? std::stoi(c.at(2)) : mode - modes),
            c.name_or_none(3), c.number(4), map_options(c)),
        how::create_new, true);
}

mmf_status
make(call &c, const std::string &kind, how way, std::size_t first)
{
    const bool has_more = way != how::open_existing && c.has(first + 1);

    if (kind == "map")
        return make_map(c, way, first);
    if (kind == "queue")
        return make_ring<queue>(c, way, first);
    if (kind == "topic")
        return make_ring<topic>(c, way, first);
    if (kind == "latest")
        return make_ring<latest>(c, way, first);
    if (kind == "service")
        return make_service(c, way, first);
    if (kind == "mutex")
        return make_sync<mmf::mutex>(c, way, first,
                                     has_more && c.number(first + 1) != 0);
    if (kind == "semaphore")
        return make_sync<mmf::semaphore>(c, way, first,
                                         has_more ? int32_t(c.number(first + 1)) : 0,
                                         has_more ? int32_t(c.number(first + 2)) : 1);
    if (kind != "event")
        throw cannot();
    const std::string mode = has_more ? c.at(first + 1) : "auto";
    return make_sync<mmf::event>(c, way, first,
                                 mode == "auto"     ? MMF_EVENT_AUTO_RESET
                                 : mode == "manual" ? MMF_EVENT_MANUAL_RESET
                                                    : mmf_event_mode(std::stoi(mode)),
                                 has_more && c.number(first + 2) != 0);
}

mmf_status
do_wait(handle &one, mmf::timeout time)
{
    if (auto *event = std::get_if<mmf::event>(&one))
        return event->wait_for(time) ? MMF_OK : MMF_TIMED_OUT;
    if (auto *semaphore = std::get_if<mmf::semaphore>(&one))
        return semaphore->try_acquire_for(time) ? MMF_OK : MMF_TIMED_OUT;
    auto &mutex = std::get<mmf::mutex>(one);
    if (time.count() < 0)
        mutex.lock();
    else if (!mutex.try_lock_for(std::chrono::milliseconds(time.count())))
        return MMF_TIMED_OUT;
    return mutex.was_abandoned() ? MMF_ABANDONED : MMF_OK;
}

mmf_status
do_wait_several(call &c)
{
    const mmf::timeout time = c.time(c.said.size() - 1);
    std::vector<mmf::waitable> objects;

    for (std::size_t i = 1; i + 1 < c.said.size(); i++)
        objects.push_back(waitable(c.at(i)));
    if (c.at(0) == "wait_all")
        return mmf::wait_all(objects, time);
    const auto got = mmf::wait_any(objects, time);
    if (!got)
        return MMF_TIMED_OUT;
    c.out["index"] = std::to_string(got->index);
    return got->abandoned ? MMF_ABANDONED : MMF_OK;
}

mmf_status
do_release(call &c, int32_t count)
{
    const auto one = find(c.at(1));

    if (auto *mutex = std::get_if<mmf::mutex>(&*one))
        mutex->try_unlock().value();
    else if (auto *event = std::get_if<mmf::event>(&*one))
        event->set();
    else
        c.out["previous"] = std::to_string(get<mmf::semaphore>(one).release(count));
    return MMF_OK;
}

template <class T>
T
parse(const std::string &word)
{
    if (word.find(':') != std::string::npos) // a NaN by its bits
        throw cannot();
    if constexpr (std::is_floating_point_v<T>)
        return T(std::stod(word));
    else if constexpr (std::is_same_v<T, uint64_t>)
        return std::stoull(word);
    else
        return T(std::stoll(word));
}

template <class T>
mmf_status
read_or_write(call &c, mmf::view &view)
{
    const bool at_end = c.at(3).rfind("end", 0) == 0;
    const int64_t position =
        at_end
            ? view.capacity() + (c.at(3) == "end" ? 0 : std::stoll(c.at(3).substr(3)))
            : c.number(3);
    std::ostringstream text;

    if (position < 0) // which is the first check of a call for any type
        throw cannot();
    if (c.at(0) == "write")
        return view.write(position, parse<T>(c.at(4))), MMF_OK;
    if constexpr (std::is_same_v<T, bool>) // any byte but 0 may be there
        text << (view.read<uint8_t>(position) != 0);
    else
        text << +view.read<T>(position);
    c.out["value"] = text.str();
    return MMF_OK;
}

mmf_status
do_view(call &c)
{
    static const std::map<std::string, mmf_status (*)(call &, mmf::view &)> types = {
        {"boolean", read_or_write<bool>},  {"byte", read_or_write<uint8_t>},
        {"sbyte", read_or_write<int8_t>},  {"char", read_or_write<char16_t>},
        {"int16", read_or_write<int16_t>}, {"uint16", read_or_write<uint16_t>},
        {"int32", read_or_write<int32_t>}, {"uint32", read_or_write<uint32_t>},
        {"int64", read_or_write<int64_t>}, {"uint64", read_or_write<uint64_t>},
        {"single", read_or_write<float>},  {"double", read_or_write<double>}};
    const auto one = find(c.at(1));
    const auto type = types.find(c.at(2));

    return type != types.end() ? type->second(c, get<mmf::view>(one)) : throw cannot();
}

//
// Messages.
//

using request = mmf::service<>::request;
using reply = mmf::service<>::answer;
using open_call = mmf::service<>::open_call;
using message = std::variant<uint64_t, mmf::queue<>::message, mmf::topic<>::message,
                             mmf::latest<>::message, request, reply, open_call>;

// By name; "*t" is what the topic or latest value `t` has taken.
std::map<std::string, std::shared_ptr<message>> messages;

// What a message releases when it goes is not released here, where a handle closes, or a
// name is used again: it is leaked.
void
leak(std::shared_ptr<message> &one)
{
    new std::shared_ptr<message>(std::move(one));
}

template <class Message>
std::shared_ptr<message>
keep_message(const std::string &name, Message &&one)
{
    const std::lock_guard<std::mutex> guard(handles_lock);
    static int unnamed;
    auto &kept = messages[name.empty() ? "." + std::to_string(unnamed++) : name];

    leak(kept);
    kept = std::make_shared<message>(std::forward<Message>(one));
    return kept;
}

template <class Message>
Message &
message_of(const std::string &name)
{
    const std::lock_guard<std::mutex> guard(handles_lock);
    const auto found = messages.find(name);

    if (found == messages.end() || !std::holds_alternative<Message>(*found->second))
        throw cannot();
    return std::get<Message>(*found->second);
}

void
forget_message(const std::string &name)
{
    const std::lock_guard<std::mutex> guard(handles_lock);

    messages.erase(name);
}

std::string
filled(const std::string &text, std::size_t most)
{
    if (text.size() > most && text.find_first_not_of(text[0]) == std::string::npos)
        return encode(text.substr(0, 1) + "*" + std::to_string(text.size()));
    return encode(text);
}

template <class Bytes>
void
say_bytes(call &c, const Bytes &bytes)
{
    const std::string text(reinterpret_cast<const char *>(bytes.data()), bytes.size());

    c.out["bytes"] = filled(text, 64);
    c.out["filled"] = filled(text, 0);
    c.out["length"] = std::to_string(text.size());
    for (const char *key :
         {"sequence", "lost", "deliveries", "redelivered", "last", "sent_as"})
        c.out[key] = "?";
}

template <class Message>
mmf_status
say_message(call &c, Message &&one)
{
    say_bytes(c, one.bytes());
    c.out["sequence"] = std::to_string(one.sequence());
    c.out["deliveries"] = std::to_string(one.deliveries());
    c.out["redelivered"] = one.redelivered() ? "1" : "0";
    if constexpr (std::is_same_v<std::decay_t<Message>, reply>)
        c.out["last"] = one.is_last() ? "1" : "0";
    else if constexpr (!std::is_same_v<std::decay_t<Message>, request>)
        c.out["lost"] = std::to_string(one.lost());
    keep_message(c.target, std::forward<Message>(one));
    return MMF_OK;
}

// The bytes of a word; with `length=N` so many, in which the text comes again and again.
std::string
payload(const call &c, std::size_t i)
{
    const std::string text = c.name(i);
    const auto length = std::size_t(c.option("length"));
    std::string all;

    if (c.options.count("null") != 0 || length > 1 << 20)
        throw cannot();
    while (all.size() < length)
        all += text.empty() ? "x" : text;
    return c.options.count("length") != 0 ? all.substr(0, length) : text;
}

mmf_status
say_sent(call &c, uint64_t sequence)
{
    c.out["sequence"] = std::to_string(sequence);
    keep_message(c.target, sequence);
    return MMF_OK;
}

// Whether there is no time or no space is not said.
template <class Channel>
mmf_status
no_space(const Channel &channel)
{
    if (channel.stat().overflow == MMF_OVERFLOW_FAIL)
        throw cannot();
    return MMF_TIMED_OUT;
}

// A copy goes to a buffer of the largest message.
template <class Channel>
void
check_capacity(const call &c, std::size_t i, const Channel &channel)
{
    if (c.number(i) < channel.stat().message_size)
        throw cannot();
}

template <class Kept>
mmf_status
do_ring(call &c, Kept &one)
{
    const std::string &verb = c.at(0);
    auto &channel = one.channel;

    if (verb == "send") {
        const std::string text = payload(c, 2);
        const auto time = c.time(3);

        if (time.count() < 0)
            return say_sent(c, channel.send(mmf::as_bytes(text)));
        const auto sent = channel.try_send(mmf::as_bytes(text), time);
        return sent ? say_sent(c, *sent) : no_space(channel);
    }
    if (verb == "reserve") {
        const auto time = c.time(3);
        const auto length = std::size_t(c.number(2));
        auto slot = time.count() < 0 ? channel.reserve(length)
                                     : channel.try_reserve(length, time);

        if (!slot)
            return no_space(channel);
        one.slot.emplace(std::move(*slot));
        return MMF_OK;
    }
    if (verb == "commit" || verb == "commit_from") {
        const std::string text = payload(c, 2);

        if (!one.slot)
            throw cannot();
        const auto place = one.slot->bytes();
        std::memcpy(place.data(), text.data(), std::min(text.size(), place.size()));
        uint64_t sequence = 0;
        if constexpr (std::is_same_v<Kept, queue>) {
            if (verb == "commit_from")
                sequence = one.slot->commit_from(text.size(), std::stoull(c.at(3)),
                                                 uint64_t(std::stoll(c.at(4))));
        }
        if (verb == "commit")
            sequence = one.slot->commit(text.size());
        one.slot.reset();
        return say_sent(c, sequence);
    }
    if (verb == "abandon") {
        if (!one.slot || is_child) // no error is said
            throw cannot();
        return one.slot.reset(), MMF_OK;
    }
    if (verb == "take") {
        auto taken = channel.try_take(c.time(2));

        if (!taken)
            return MMF_TIMED_OUT;
        if (!std::is_same_v<Kept, queue> && c.target.empty())
            c.target = "*" + c.at(1);
        const std::string name = c.target;
        say_message(c, std::move(*taken));
        if constexpr (!std::is_same_v<Kept, queue>) {
            const std::lock_guard<std::mutex> guard(handles_lock);

            messages["*" + c.at(1)] = messages.at(name);
        }
        return MMF_OK;
    }
    if (verb == "fd")
        return channel.fd(), MMF_OK;
    throw cannot();
}

template <class Kept>
mmf_status
do_receive(call &c, Kept &one)
{
    check_capacity(c, 2, one.channel);
    if constexpr (std::is_same_v<Kept, latest>) {
        uint64_t version = 0;
        const auto copy = one.channel.try_receive(&version);

        say_bytes(c, copy.value_or(mmf::latest<>::value()));
        c.out["sequence"] = std::to_string(version);
        keep_message(c.target, version);
        return MMF_OK;
    } else {
        const auto copy = one.channel.try_receive(c.time(3));

        if (!copy)
            return MMF_TIMED_OUT;
        return say_bytes(c, *copy), MMF_OK;
    }
}

template <class Kept>
mmf_status
do_send_many(call &c, Kept &one)
{
    const auto time = c.time(c.said.size() - 1);
    words texts;
    std::vector<mmf::const_bytes> parts;

    for (std::size_t i = 2; i + 1 < c.said.size(); i++)
        texts.push_back(c.name(i));
    for (const std::string &text : texts)
        parts.push_back(mmf::as_bytes(text));
    const std::size_t sent = one.channel.send_many(parts, time);
    if (sent == 0 && !parts.empty())
        return no_space(one.channel);
    c.out["sent"] = std::to_string(sent);
    return MMF_OK;
}

uint64_t
received(const queue &one)
{
    return one.channel.stat().received;
}

mmf_status
do_queue(call &c, queue &one)
{
    const std::string &verb = c.at(0);

    if (verb == "drain")
        return one.channel.drain(c.time(2)) ? MMF_OK : MMF_TIMED_OUT;
    if (verb == "applied") {
        const uint64_t position = one.channel.applied(std::stoull(c.at(2)));

        c.out["position"] = std::to_string(int64_t(position));
        return MMF_OK;
    }
    if (verb == "return" || verb == "release") {
        auto &held = message_of<mmf::queue<>::message>(c.at(2));

        if (verb == "return")
            held.return_();
        else {
            const uint64_t before = is_child ? throw cannot() : received(one);

            held.release();
            if (received(one) == before) // no error is said
                throw cannot();
        }
        return forget_message(c.at(2)), MMF_OK;
    }
    if (verb == "send_many")
        return do_send_many(c, one);
    if (verb == "receive_many") {
        words got;

        for (long long i = 0; i < c.number(2); i++) {
            const auto copy = one.channel.try_receive(c.time(3));

            if (!copy)
                return MMF_TIMED_OUT;
            got.emplace_back(reinterpret_cast<const char *>(copy->data()),
                             copy->size());
        }
        std::sort(got.begin(), got.end());
        for (const std::string &text : got)
            c.out["bytes"] += (c.out["bytes"].empty() ? "" : ",") + text;
        return MMF_OK;
    }
    return verb == "receive" ? do_receive(c, one) : do_ring(c, one);
}

template <class Kept>
mmf_status
do_taken(call &c, Kept &one)
{
    using taken = typename decltype(Kept::channel)::message;
    const std::string &verb = c.at(0);

    if (verb == "release" && !is_child) {
        const bool was_whole = message_of<taken>("*" + c.at(1)).release();

        forget_message("*" + c.at(1));
        return was_whole ? MMF_OK : MMF_OVERWRITTEN;
    }
    if constexpr (std::is_same_v<Kept, latest>) {
        if (verb == "wait_newer") {
            const bool is_number = c.at(2) == "0";
            const auto version = is_number ? 0 : message_of<uint64_t>(c.at(2));

            return one.channel.wait(version, c.time(3)) ? MMF_OK : MMF_TIMED_OUT;
        }
    } else if (verb == "send_many") {
        return do_send_many(c, one);
    }
    return verb == "receive" ? do_receive(c, one) : do_ring(c, one);
}

mmf_status
say_call(call &c, std::optional<open_call> sent)
{
    if (!sent)
        return MMF_TIMED_OUT;
    c.out["sequence"] = std::to_string(sent->number());
    keep_message(c.target, std::move(*sent));
    return MMF_OK;
}

// One that has ended has no calls any more.
open_call &
call_of(const call &c)
{
    auto &found = message_of<open_call>(c.at(2));

    return found.is_done() ? throw cannot() : found;
}

mmf_status
do_answer(call &c)
{
    const std::string &verb = c.at(0);
    auto &asked = message_of<request>(c.at(2));
    const std::string text =
        verb == "answer" || verb == "commit_answer" ? payload(c, 3) : "";
    const bool more = !text.empty() && c.at(4) == "more";

    if (verb == "is_wanted") {
        c.out["value"] = asked.is_wanted() ? "1" : "0";
        return MMF_OK;
    }
    if (verb == "return")
        return asked.return_(), forget_message(c.at(2)), MMF_OK;
    if (verb != "answer" || (c.at(4) != "more" && c.at(4) != "last"))
        throw cannot();
    const auto bytes = mmf::as_bytes(text);
    if (!(more ? asked.try_answer_more(bytes, c.time(5))
               : asked.try_answer(bytes, c.time(5))))
        return MMF_TIMED_OUT;
    if (!more)
        forget_message(c.at(2));
    return MMF_OK;
}

mmf_status
do_service(call &c, served &one)
{
    const std::string &verb = c.at(0);
    mmf::service<> &channel = one.channel;

    if (verb == "call") {
        const auto got = channel.try_call(mmf::as_bytes(payload(c, 2)), c.time(4));

        if (c.number(3) < channel.stat().answer_size)
            throw cannot();
        return got ? (say_bytes(c, *got), MMF_OK) : MMF_TIMED_OUT;
    }
    if (verb == "send")
        return say_call(c, channel.try_send(mmf::as_bytes(payload(c, 2)), c.time(3)));
    if (verb == "reserve") {
        one.reserved = channel.reserve(std::size_t(c.number(2)), c.time(3));
        return one.reserved.data() != nullptr ? MMF_OK : MMF_TIMED_OUT;
    }
    if (verb == "commit") {
        const std::string text = payload(c, 2);

        std::memcpy(one.reserved.data(), text.data(),
                    std::min(text.size(), one.reserved.size()));
        return say_call(c, channel.commit(text.size()));
    }
    if (verb == "abandon")
        return channel.abandon(), MMF_OK;
    if (verb == "take") {
        auto taken = channel.try_take(c.time(2));

        return taken ? say_message(c, std::move(*taken)) : MMF_TIMED_OUT;
    }
    if (verb == "take_answer") {
        auto taken = c.at(2) == "0" ? channel.try_take_answer(c.time(3))
                                    : call_of(c).try_take(c.time(3));

        return taken ? say_message(c, std::move(*taken)) : MMF_TIMED_OUT;
    }
    if (verb == "release_answer")
        return message_of<reply>(c.at(2)).release(), forget_message(c.at(2)), MMF_OK;
    if (verb == "receive_answer") {
        if (c.number(3) < channel.stat().answer_size)
            throw cannot();
        const auto copy = call_of(c).try_receive(c.time(4));
        return copy ? (say_bytes(c, *copy), MMF_OK) : MMF_TIMED_OUT;
    }
    if (verb == "cancel")
        return call_of(c).cancel(), forget_message(c.at(2)), MMF_OK;
    if (verb == "fd")
        return channel.fd(), MMF_OK;
    return do_answer(c);
}

mmf_status
say_stats(call &c, const mmf_channel_stats &stats)
{
    static const char *const overflows[] = {"", "block", "fail", "drop_oldest"};

#define SAY(field) c.out[#field] = std::to_string(stats.field)
    SAY(message_size), SAY(answer_size), SAY(capacity), SAY(sent), SAY(received);
    SAY(dropped), SAY(lost), SAY(redelivered), SAY(depth), SAY(high_water);
    SAY(in_flight), SAY(senders), SAY(receivers), SAY(max_senders), SAY(max_receivers);
    SAY(flags), SAY(pins), SAY(max_pins), SAY(max_calls), SAY(max_answers);
#undef SAY
    c.out["overflow"] = overflows[stats.overflow & 3];
    return MMF_OK;
}

mmf_status
do_channel(call &c, handle &one)
{
    if (c.options.count("null") != 0 || c.options.count("again") != 0)
        throw cannot();
    return std::visit(
        [&](auto &kept) -> mmf_status {
            using type = std::decay_t<decltype(kept)>;

            if constexpr (std::is_same_v<type, queue>)
                return c.at(0) == "stat" ? say_stats(c, kept.channel.stat())
                                         : do_queue(c, kept);
            else if constexpr (std::is_same_v<type, topic> ||
                               std::is_same_v<type, latest>)
                return c.at(0) == "stat" ? say_stats(c, kept.channel.stat())
                                         : do_taken(c, kept);
            else if constexpr (std::is_same_v<type, served>)
                return c.at(0) == "stat" ? say_stats(c, kept.channel.stat())
                                         : do_service(c, kept);
            else
                throw cannot();
        },
        one);
}

bool
is_channel(const handle &one)
{
    return one.index() >= 5;
}

mmf_status
do_stream(call &c, mmf::stream &stream)
{
    const std::string &verb = c.at(0);
    std::vector<std::byte> bytes;
    std::string text;

    if (verb == "read_bytes") {
        bytes.resize(std::size_t(c.number(2)));
        bytes.resize(stream.read({bytes.data(), bytes.size()}));
        for (const std::byte byte : bytes)
            for (const int half : {int(byte) >> 4, int(byte) & 15})
                text += "0123456789abcdef"[half];
        c.out["read"] = std::to_string(bytes.size());
        c.out["value"] = encode(text);
    } else if (verb == "write_bytes") {
        text = c.name(2);
        for (std::size_t i = 0; i + 1 < text.size(); i += 2)
            bytes.push_back(std::byte(std::stoi(text.substr(i, 2), nullptr, 16)));
        stream.write({bytes.data(), bytes.size()});
    } else if (verb == "seek") {
        const int origin = c.at(3) == "begin"     ? MMF_SEEK_BEGIN
                           : c.at(3) == "current" ? MMF_SEEK_CURRENT
                           : c.at(3) == "end"     ? MMF_SEEK_END
                                                  : std::stoi(c.at(3));

        c.out["position"] =
            std::to_string(stream.seek(c.number(2), mmf_seek_origin(origin)));
    } else if (verb == "flush") {
        stream.flush();
    } else if (verb == "position" || verb == "length") {
        c.out["value"] =
            std::to_string(verb == "length" ? stream.length() : stream.position());
    } else {
        throw cannot();
    }
    return MMF_OK;
}

// Which accesses a view may have; C's actor looks more closely.
mmf_status
do_views(call &c, mmf::map &map)
{
    static const char *const shorts[] = {"rw", "r", "w", "cow", "rx", "rwx"};

    c.out = {{"ok", ""}, {"access", ""}, {"io", ""}};
    for (int access = 0; access < 6; access++) {
        std::string list = "ok";

        try {
            mmf::view(map, 0, c.has(2) ? c.number(2) : 0, mmf_access(access));
        } catch (const mmf::error &why) {
            list = why.status() == MMF_E_ACCESS ? "access" : "io";
        }
        c.out[list] += (c.out[list].empty() ? "" : ",") + std::string(shorts[access]);
    }
    for (auto &[key, value] : c.out)
        value = encode(value);
    return MMF_OK;
}

// get, put: a byte of a map; all, fill: all of them.
mmf_status
do_bytes(call &c, mmf::map &map)
{
    const bool reads = c.at(0) == "get" || c.at(0) == "all";
    const bool one = c.at(0) == "get" || c.at(0) == "put";
    mmf::view view(map, 0, 0, reads ? MMF_ACCESS_READ : MMF_ACCESS_READ_WRITE);
    const int64_t first = one ? c.number(2) : 0;
    const int64_t last = one ? first : view.capacity() - 1;
    std::set<int> values;

    for (int64_t i = first; i <= last; i++)
        if (reads)
            values.insert(view.read<uint8_t>(i));
        else
            view.write(i, uint8_t(c.number(one ? 3 : 2)));
    if (reads)
        c.out["value"] = values.size() == 1 ? std::to_string(*values.begin()) : "mixed";
    return MMF_OK;
}

mmf_status
do_close(const std::string &name)
{
    std::shared_ptr<handle> last;
    const std::lock_guard<std::mutex> guard(handles_lock);
    const auto found = handles.find(name);

    // Its messages are not released; those of other handles stay as they are.
    if (found != handles.end() && is_channel(*found->second))
        for (auto &[key, kept] : messages)
            if (!std::holds_alternative<uint64_t>(*kept))
                new std::shared_ptr<message>(kept);
    if (found != handles.end()) {
        last = std::move(found->second);
        handles.erase(found);
    }
    return MMF_OK;
}

mmf_status
do_gc(call &c)
{
    if (c.has(1))
        throw cannot();
    const mmf_gc_result result = mmf::gc();

    c.out["removed"] = std::to_string(result.removed);
    c.out["refused"] = std::to_string(result.refused);
    c.out["in_use"] = std::to_string(result.in_use);
    c.out["invalid"] = std::to_string(result.invalid);
    c.out["released"] = std::to_string(result.bytes / 1000000);
    return MMF_OK;
}

const std::set<std::string> known_options = {
    "access",      "rights",      "inheritability", "exact_capacity", "allocation",
    "share",       "all_users",   "this_user_only", "mode",           "wait_ms",
    "role",        "strategy",    "flags",          "spsc",           "peer_closed",
    "single",      "replay",      "max_senders",    "max_receivers",  "max_pins",
    "max_clients", "max_servers", "max_calls",      "max_answers",    "wraps",
    "length",      "again"};

mmf_status
do_call(call &c)
{
    const std::string &verb = c.at(0);

    for (const auto &option : c.options)
        if (known_options.count(option.first) ==
            0) // null pointers and the like are C's
            throw cannot();
    if (const auto one = find_or_none(c.has(1) ? c.at(1) : ""); one && verb != "close")
        if (auto *stream = std::get_if<mmf::stream>(&*one))
            return do_stream(c, *stream);
    if (verb == "from_file")
        return map_file(c);
    if (verb == "new" || verb == "open")
        return make(c, c.at(1), verb == "new" ? how::create_new : how::open_existing,
                    2);
    if (verb == "map" || verb == "mutex" || verb == "event" || verb == "semaphore" ||
        verb == "queue" || verb == "topic" || verb == "latest" || verb == "service")
        return make(c, verb, how::create_or_open, 1);
    if ((verb == "accessor" || verb == "stream") && c.options.count("flags") != 0)
        throw cannot();
    if (verb == "accessor")
        return keep(c,
                    mmf::view(get<mmf::map>(find(c.at(1))), c.number(2), c.number(3),
                              access_of(c.at(4))),
                    how::create_new, false);
    if (verb == "stream")
        return keep(c,
                    mmf::stream(get<mmf::map>(find(c.at(1))), c.number(2), c.number(3),
                                access_of(c.at(4))),
                    how::create_new, false);
    if (verb == "close")
        return do_close(c.at(1));
    if (verb == "gc")
        return do_gc(c);
    if (verb == "wait_one" && is_channel(*find(c.at(1))))
        return mmf::wait_any({waitable(c.at(1))}, c.time(2)) ? MMF_OK : MMF_TIMED_OUT;
    if (verb == "wait" || verb == "wait_one")
        return do_wait(*find(c.at(1)), c.time(2));
    if (verb == "wait_any" || verb == "wait_all")
        return do_wait_several(c);
    if (verb == "signal_and_wait")
        return mmf::signal_and_wait(waitable(c.at(1)), waitable(c.at(2)), c.time(3));
    if (verb == "set" || verb == "reset")
        return verb == "set" ? get<mmf::event>(find(c.at(1))).set()
                             : get<mmf::event>(find(c.at(1))).reset(),
               MMF_OK;
    if ((verb == "release" && !is_channel(*find(c.at(1)))) || verb == "signal")
        return do_release(c, c.has(2) ? int32_t(c.number(2)) : 1);
    if (verb == "read" || verb == "write")
        return do_view(c);
    if (verb == "views")
        return do_views(c, get<mmf::map>(find(c.at(1))));
    if (verb == "get" || verb == "put" || verb == "all" || verb == "fill")
        return do_bytes(c, get<mmf::map>(find(c.at(1))));
    if (verb == "inherits") {
        intptr_t number = 0;

        if (mmf_map_native_handle(get<mmf::map>(find(c.at(1))).get(), &number) < 0)
            throw cannot();
        c.out["value"] = "?"; // C's actor looks at it
        return MMF_OK;
    }
    if (verb == "flush")
        return get<mmf::view>(find(c.at(1))).flush(), MMF_OK;
    if (verb == "again") {
        const std::lock_guard<std::mutex> guard(handles_lock);
        const auto found = messages.find(c.at(1));

        return found == messages.end()
                   ? throw cannot()
                   : std::visit(
                         [&](const auto &kept) -> mmf_status {
                             using type = std::decay_t<decltype(kept)>;

                             if constexpr (std::is_same_v<type, uint64_t> ||
                                           std::is_same_v<type, open_call>)
                                 throw cannot();
                             else
                                 return say_bytes(c, kept.bytes()), MMF_OK;
                         },
                         *found->second);
    }
    if (!c.has(1))
        throw cannot();
    const auto one = find(c.at(1));
    if (verb != "capacity")
        return do_channel(c, *one);
    const auto *map = std::get_if<mmf::map>(&*one);
    c.out["value"] = std::to_string(map != nullptr ? map->capacity()
                                                   : get<mmf::view>(one).capacity());
    return MMF_OK;
}

// The line that answers a call.
std::string
answer(const std::string &thread, words said)
{
    call c;
    mmf_status status;

    if (said.size() > 2 && said[1] == "=") {
        c.target = said[0];
        said.erase(said.begin(), said.begin() + 2);
    }
    for (const std::string &word : said) {
        const std::size_t at = word.find('=');

        if (at == std::string::npos)
            c.said.push_back(word);
        else
            c.options[word.substr(0, at)] = word.substr(at + 1);
    }
    try {
        status = do_call(c);
    } catch (const mmf::error &why) {
        status = why.status();
        c.out = {{"says", encode(why.what())}, {"param", encode(why.parameter())}};
    } catch (const cannot &) {
        return thread + " cannot";
    } catch (const std::logic_error &) { // a number that its type does not have
        return thread + " cannot";
    } catch (const std::bad_variant_access &) { // a call that its kind does not have
        return thread + " cannot";
    }
    std::string line = thread + " " + mmf_status_name(status);
    for (const auto &[key, value] : c.out)
        line += " " + key + "=" + value;
    return line;
}

void
do_line(const std::string &thread, words said)
{
    if (said[0] == "begin") {
        say(thread + " begun tid=" + std::to_string(syscall(SYS_gettid)));
        said.erase(said.begin());
    }
    if (said[0] != "child")
        return say(answer(thread, std::move(said)));
    said.erase(said.begin());
    const pid_t child = fork();
    if (child == 0) {
        is_child = true;
        say(answer(thread, std::move(said)));
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

//
// Threads.
//

struct worker {
    std::mutex lock;
    std::condition_variable changed;
    std::vector<words> lines;
    std::thread thread;
};

void
work(const std::string &name, worker &self)
{
    for (;;) {
        std::unique_lock<std::mutex> guard(self.lock);

        self.changed.wait(guard, [&] { return !self.lines.empty(); });
        words said = std::move(self.lines.front());
        self.lines.erase(self.lines.begin());
        guard.unlock();
        if (said[0] == "end")
            return;
        do_line(name, std::move(said));
    }
}

} // namespace

int
main()
{
    std::map<std::string, worker> workers;
    std::string line, name, word;

    say("ready fork files descriptors");
    while (std::getline(std::cin, line)) {
        std::istringstream input(line);
        words said;

        input >> name;
        while (input >> word)
            said.push_back(word);
        worker &one = workers[name];
        if (!one.thread.joinable())
            one.thread = std::thread(work, name, std::ref(one));
        const bool ends = said[0] == "end";
        {
            const std::lock_guard<std::mutex> guard(one.lock);

            one.lines.push_back(std::move(said));
        }
        one.changed.notify_one();
        if (!ends)
            continue;
        one.thread.join();
        workers.erase(name);
        say(name + " MMF_OK");
    }
    _exit(0);
}
