// mmf/mmf.hpp - the library from C++17 on: header only, over mmf/mmf.h.
//
//     auto map = mmf::map::create_or_open("Cat", 10000);
//     auto bytes = map.bytes();                      // mmf::span<std::byte>
//
//     auto gate = mmf::mutex::create_or_open("Gate");
//     std::scoped_lock lock(gate);                   // named, and tells abandonment
//
//     auto jobs = mmf::queue<job>::create_or_open("Jobs", 256);
//     jobs.send({1, 2});
//     for (auto &message : jobs.ready())
//         work(*message);                            // released as the loop goes on
//
//     auto sums = mmf::service<question, answer>::create_or_open("Sums", 16);
//     answer got = sums.call({6, 7});                // a server takes and answers
//
// Handles close in their destructors; they move and do not copy. The static functions
// that make one throw mmf::error; their twins try_... return mmf::result. A timeout and
// a full channel are no failures: calls that may meet one are named try_... and return
// an optional or a bool. Durations are rounded up to milliseconds.
//
// mmf/mmf.h says what each call promises, and how threads, fork and death concern it.
// Any handle's get() is C's, for what this header has no call of its own for:
//
//   mmf_accessor_read_*, mmf_accessor_write_*  view::read, view::write; view::as and
//       view::bytes for arrays
//   mmf_accessor_can_*, mmf_accessor_granted, mmf_accessor_pointer_offset,
//   mmf_stream_can_*, mmf_stream_granted, mmf_stream_pointer_offset, mmf_stream_capacity,
//   mmf_stream_set_length  for the classes of .NET
//   mmf_stream_pointer, mmf_stream_copy_to, mmf_stream_copy_to_stream  view::bytes
//   mmf_stream_read_byte, mmf_stream_write_byte  stream::read, stream::write
//   mmf_stream_set_position  stream::seek
//   mmf_*_options_init  options begin as their defaults
//   mmf_wait_one  wait_any, with one object
//   mmf_version, mmf_kind_name, mmf_status_name, mmf_status_is_io_error,
//   mmf_last_message  functions of C without a handle
//
// Types of this header are the same in C++17, 20 and 23, so that objects compiled for
// one and for another can be linked; 20 adds std::span by conversion, and 23
// std::expected.
#ifndef MMF_MMF_HPP
#define MMF_MMF_HPP

#include <mmf/mmf.h>

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if __cplusplus >= 202002L
#include <ranges>
#include <span>
#endif
#if __cplusplus > 202002L && __has_include(<expected>)
#include <expected>
#endif

template <> struct std::is_error_code_enum<mmf_status> : std::true_type {
};

namespace mmf {

//
// Failures.
//

namespace detail {

class category final : public std::error_category {
public:
    const char *name() const noexcept override { return "mmf"; }
    std::string message(int status) const override { return mmf_strerror(status); }
    std::error_condition default_error_condition(int status) const noexcept override
    {
        switch (status) {
        case MMF_OK:
        case MMF_ABANDONED:
        case MMF_OVERWRITTEN:
            break;
        case MMF_TIMED_OUT:
            return std::errc::timed_out;
        case MMF_E_INVALID:
        case MMF_E_NULL:
            return std::errc::invalid_argument;
        case MMF_E_RANGE:
            return std::errc::result_out_of_range;
        case MMF_E_ACCESS:
            return std::errc::permission_denied;
        case MMF_E_EXISTS:
            return std::errc::file_exists;
        case MMF_E_NOT_FOUND:
        case MMF_E_PATH_NOT_FOUND:
            return std::errc::no_such_file_or_directory;
        case MMF_E_PATH_TOO_LONG:
            return std::errc::filename_too_long;
        case MMF_E_SHARING:
        case MMF_E_BUSY:
        case MMF_E_TOO_MANY:
            return std::errc::device_or_resource_busy;
        case MMF_E_NO_SPACE:
            return std::errc::no_space_on_device;
        case MMF_E_NO_MEMORY:
            return std::errc::not_enough_memory;
        case MMF_E_IO:
            return std::errc::io_error;
        case MMF_E_DISPOSED:
            return std::errc::bad_file_descriptor;
        case MMF_E_NOT_SUPPORTED:
            return std::errc::not_supported;
        case MMF_E_PLATFORM:
            return std::errc::function_not_supported;
        case MMF_E_NOT_OWNER:
            return std::errc::operation_not_permitted;
        case MMF_E_FULL:
            return std::errc::no_buffer_space;
        case MMF_E_RECURSION:
        case MMF_E_MAXIMUM:
            return std::errc::value_too_large;
        case MMF_E_PEER_CLOSED:
            return std::errc::broken_pipe;
        default:
            break;
        }
        return {status, *this};
    }
};

} // namespace detail

// The category "mmf", whose values are those of mmf_status.
inline const std::error_category &
category() noexcept
{
    static const detail::category only;

    return only;
}

} // namespace mmf

// Found by argument-dependent lookup: mmf_status is a type of C's, of no namespace.
inline std::error_code
make_error_code(mmf_status status) noexcept
{
    return {status, mmf::category()};
}

namespace mmf {

// Why a call failed. what() is the library's message: the object, the cause, the way
// out. code() compares with std::errc, as std::errc::file_exists.
class error : public std::system_error {
public:
    // This thread's last failure.
    error() : error(last()) {}
    error(mmf_status status, const std::string &message) : error(of(status, message)) {}

    const char *what() const noexcept override { return info_->message; }
    mmf_status status() const noexcept { return mmf_status(info_->status); }
    // errno, or GetLastError(); 0 if the system did not fail.
    int os_error() const noexcept { return info_->system_error; }
    // The name of the argument at fault, or "".
    const char *parameter() const noexcept { return info_->parameter; }

private:
    using info = std::shared_ptr<const mmf_error>; // copies must not throw

    explicit error(info why)
        : std::system_error(mmf_status(why->status)), info_(std::move(why))
    {
    }
    static info last()
    {
        auto why = std::make_shared<mmf_error>();

        mmf_last_error(why.get());
        return why;
    }
    static info of(mmf_status status, const std::string &message)
    {
        auto why = std::make_shared<mmf_error>();

        why->status = status;
        message.copy(why->message, sizeof(why->message) - 1);
        return why;
    }

    info info_;
};

// A value, or the failure in its place. With C++23 it becomes a std::expected.
template <class T> class [[nodiscard]] result {
public:
    result(T value) : content_(std::move(value)) {}
    result(mmf::error why) : content_(std::move(why)) {}

    bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    const mmf::error &error() const { return std::get<1>(content_); }
    T &value() &
    {
        check();
        return *std::get_if<0>(&content_);
    }
    T &&value() && { return std::move(value()); }
    T &operator*() &noexcept { return *std::get_if<0>(&content_); }
    T &&operator*() &&noexcept { return std::move(*std::get_if<0>(&content_)); }
    T *operator->() noexcept { return std::get_if<0>(&content_); }
#ifdef __cpp_lib_expected
    operator std::expected<T, mmf::error>() &&
    {
        if (!has_value())
            return std::unexpected(std::move(*std::get_if<1>(&content_)));
        return std::move(**this);
    }
#endif

private:
    void check() const
    {
        if (!has_value())
            throw error();
    }

    std::variant<T, mmf::error> content_;
};

template <> class [[nodiscard]] result<void> {
public:
    result() = default;
    result(mmf::error why) : error_(std::move(why)) {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }
    const mmf::error &error() const { return error_.value(); }
    void value() const
    {
        if (error_)
            throw *error_;
    }

private:
    std::optional<mmf::error> error_;
};

namespace detail {

// The status of a call, if it did not fail.
inline int
check(int status)
{
    if (status < 0)
        throw error();
    return status;
}

// A name as C has it. A NUL in the middle must not make another name of it.
class c_name {
public:
    explicit c_name(const std::string &text) : text_(text)
    {
        if (text.find('\0') != std::string::npos)
            throw error(MMF_E_INVALID, "\"" + std::string(text.c_str()) +
                                           "\": a name must not have a NUL in it");
    }
    const char *get() const noexcept { return text_.c_str(); }

private:
    const std::string &text_;
};

template <class Handle, void (*close)(Handle *)> struct closer {
    void operator()(Handle *handle) const noexcept { close(handle); }
};
template <class Handle, void (*close)(Handle *)>
using owner = std::unique_ptr<Handle, closer<Handle, close>>;

// Result of an open call: T over the handle that `call(&handle)` makes.
template <class T, class Handle, class Call>
result<T>
open(const std::string &name, Call call)
{
    try {
        c_name checked(name);
        Handle *handle = nullptr;

        if (call(checked.get(), &handle) < 0)
            return error();
        return T(handle);
    } catch (const error &why) {
        return why;
    }
}

// The same for a call that says whether it created the object.
template <class T, class Handle, class Call>
result<T>
open(const std::string &name, bool *created, Call call)
{
    return open<T, Handle>(name, [&](const char *text, Handle **out) {
        int answer = 0;
        const int rc = call(text, &answer, out);

        if (rc >= 0 && created != nullptr)
            *created = answer != 0;
        return rc;
    });
}

// The static functions that throw, over their twins try_..., which have the arguments.
// Those with sizes are written out: what is forwarded is no longer a constant, and a
// compiler warns of its sign.
template <class Self> struct throwing {
    template <class... Rest>
    static Self create_new(const std::string &name, Rest &&...rest)
    {
        return Self::try_create_new(name, std::forward<Rest>(rest)...).value();
    }
    template <class... Rest>
    static Self create_or_open(const std::string &name, Rest &&...rest)
    {
        return Self::try_create_or_open(name, std::forward<Rest>(rest)...).value();
    }
    template <class... Rest>
    static Self open_existing(const std::string &name, Rest &&...rest)
    {
        return Self::try_open_existing(name, std::forward<Rest>(rest)...).value();
    }
};

} // namespace detail

//
// Times, bytes, options.
//

// How long a call may wait: any std::chrono::duration, rounded up, or mmf::forever.
class timeout {
public:
    template <class Rep, class Period>
    constexpr timeout(std::chrono::duration<Rep, Period> time) noexcept
        : ms_(rounded_up(time))
    {
    }
    static constexpr timeout infinite() noexcept { return timeout(); }
    template <class Clock, class Duration>
    static timeout until(const std::chrono::time_point<Clock, Duration> &deadline)
    {
        const auto now = Clock::now();

        if (deadline <= now) // the difference of the earliest one has no type
            return timeout(Duration::zero());
        return timeout(deadline - now);
    }
    constexpr int32_t count() const noexcept { return ms_; }

private:
    constexpr timeout() noexcept : ms_(MMF_INFINITE) {}
    template <class Rep, class Period>
    static constexpr int32_t
    rounded_up(std::chrono::duration<Rep, Period> time) noexcept
    {
        using common = std::chrono::duration<double, std::milli>;
        const double ms = common(time).count();

        if (!(ms > 0)) // also what is not a number
            return 0;
        if (ms >= double(INT32_MAX))
            return INT32_MAX;
        const auto whole = int32_t(ms);
        return double(whole) < ms ? whole + 1 : whole;
    }

    int32_t ms_;
};

inline constexpr timeout forever = timeout::infinite();
inline constexpr timeout no_wait = timeout(std::chrono::milliseconds(0));

// A piece of memory. A std::span is made of it, and it of every contiguous container.
template <class T> class span {
public:
    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <class Container,
              class = std::enable_if_t<
                  !std::is_same_v<std::decay_t<Container>, span> &&
                  std::is_convertible_v<std::remove_pointer_t<decltype(std::data(
                                            std::declval<Container &>()))> (*)[],
                                        T (*)[]>>>
    constexpr span(Container &&container) noexcept
        : data_(std::data(container)), size_(std::size(container))
    {
    }

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t at) const { return data_[at]; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

using const_bytes = span<const std::byte>;
using bytes = span<std::byte>;

// The bytes of a text, to send it.
inline const_bytes
as_bytes(const std::string &text) noexcept
{
    return {reinterpret_cast<const std::byte *>(text.data()), text.size()};
}

// Settings: the fields of C's structs, which begin as their defaults.
struct map_options : mmf_map_options {
    map_options() noexcept : mmf_map_options{} { size = sizeof(mmf_map_options); }
};
struct view_options : mmf_view_options {
    view_options() noexcept : mmf_view_options{} { size = sizeof(mmf_view_options); }
};
struct sync_options : mmf_sync_options {
    sync_options() noexcept : mmf_sync_options{} { size = sizeof(mmf_sync_options); }
};
struct channel_options : mmf_channel_options {
    channel_options() noexcept : mmf_channel_options{}
    {
        size = sizeof(mmf_channel_options);
    }
};

struct service_options : mmf_service_options {
    service_options() noexcept : mmf_service_options{}
    {
        size = sizeof(mmf_service_options);
    }
};

namespace detail {

// Memory for `count` things of `size` bytes each.
inline void
check_count(std::size_t count, std::size_t size)
{
    if (size > 0 && count > PTRDIFF_MAX / size)
        throw error(MMF_E_RANGE, std::to_string(count) + " times " +
                                     std::to_string(size) +
                                     " bytes: more than an address space has");
}

// For up to `most` answers of the library; its data() is never NULL.
template <class T>
std::vector<T>
space_for(std::size_t most)
{
    check_count(most, sizeof(T));
    return std::vector<T>(most > 0 ? most : 1);
}

// A T inside of bytes; other processes see it, so it has no pointers and no destructor.
template <class T>
T &
object_in(bytes memory, std::size_t offset)
{
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > memory.size() || memory.size() - offset < sizeof(T))
        throw error(MMF_E_RANGE, std::to_string(sizeof(T)) + " bytes at " +
                                     std::to_string(offset) + ": the view has " +
                                     std::to_string(memory.size()) + " bytes");
    auto *const at = memory.data() + offset;
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(T) != 0)
        throw error(MMF_E_INVALID, "offset " + std::to_string(offset) +
                                       ": the type is aligned at " +
                                       std::to_string(alignof(T)) + " bytes");
    return *reinterpret_cast<T *>(at);
}

} // namespace detail

//
// Maps and views.
//

class map : public detail::throwing<map> {
public:
    static result<map> try_create_new(const std::string &name, int64_t capacity,
                                      const map_options &options = {})
    {
        return detail::open<map, mmf_map>(name, [&](const char *text, mmf_map **out) {
            return mmf_map_create_new(text, capacity, &options, out);
        });
    }

    static result<map> try_create_or_open(const std::string &name, int64_t capacity,
                                          const map_options &options = {},
                                          bool *created = nullptr)
    {
        return detail::open<map, mmf_map>(
            name, created, [&](const char *text, int *answer, mmf_map **out) {
                return mmf_map_create_or_open(text, capacity, &options, answer, out);
            });
    }

    static result<map> try_open_existing(const std::string &name,
                                         const map_options &options = {})
    {
        return detail::open<map, mmf_map>(name, [&](const char *text, mmf_map **out) {
            return mmf_map_open_existing(text, &options, out);
        });
    }

    // A map without a name, for this process and those that inherit it.
    static map create_unnamed(int64_t capacity, const map_options &options = {})
    {
        mmf_map *handle = nullptr;

        detail::check(mmf_map_create_new(nullptr, capacity, &options, &handle));
        return map(handle);
    }

    // The file `path`, as the map `name`; an empty name publishes none.
    static result<map> try_create_from_file(const std::string &path, mmf_file_mode mode,
                                            const std::string &name = {},
                                            int64_t capacity = 0,
                                            const map_options &options = {})
    {
        return detail::open<map, mmf_map>(path, [&](const char *text, mmf_map **out) {
            detail::c_name checked(name);

            return mmf_map_create_from_file(text, mode,
                                            name.empty() ? nullptr : checked.get(),
                                            capacity, &options, out);
        });
    }
    static map create_from_file(const std::string &path, mmf_file_mode mode,
                                const std::string &name = {}, int64_t capacity = 0,
                                const map_options &options = {})
    {
        return try_create_from_file(path, mode, name, capacity, options).value();
    }
    // A file that is open, whose descriptor or, on Windows, HANDLE becomes the map's,
    // unless options.leave_open; if the call fails it stays the caller's.
    static result<map> try_create_from_fd(int fd, const std::string &name = {},
                                          int64_t capacity = 0,
                                          const map_options &options = {})
    {
        return detail::open<map, mmf_map>(name, [&](const char *text, mmf_map **out) {
            return mmf_map_create_from_fd(fd, name.empty() ? nullptr : text, capacity,
                                          &options, out);
        });
    }
    static map create_from_fd(int fd, const std::string &name = {},
                              int64_t capacity = 0, const map_options &options = {})
    {
        return try_create_from_fd(fd, name, capacity, options).value();
    }
    static result<map> try_create_from_handle(intptr_t handle,
                                              const std::string &name = {},
                                              int64_t capacity = 0,
                                              const map_options &options = {})
    {
        return detail::open<map, mmf_map>(name, [&](const char *text, mmf_map **out) {
            return mmf_map_create_from_handle(handle, name.empty() ? nullptr : text,
                                              capacity, &options, out);
        });
    }
    static map create_from_handle(intptr_t handle, const std::string &name = {},
                                  int64_t capacity = 0, const map_options &options = {})
    {
        return try_create_from_handle(handle, name, capacity, options).value();
    }
    // A map whose native_handle() a parent process, where it is inheritable, left to this
    // one.
    static map open_inherited(intptr_t handle, const map_options &options = {})
    {
        mmf_map *inherited = nullptr;

        detail::check(mmf_map_open_inherited(handle, &options, &inherited));
        return map(inherited);
    }

    // Takes over the handle of C's.
    explicit map(mmf_map *handle) noexcept : handle_(handle) {}

    mmf_map *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }

    int64_t capacity() const
    {
        int64_t value = 0;

        detail::check(mmf_map_capacity(get(), &value));
        return value;
    }
    // The system's own handle, borrowed: for inheritance and inspection.
    intptr_t native_handle() const
    {
        intptr_t handle = -1;

        detail::check(mmf_map_native_handle(get(), &handle));
        return handle;
    }
    // The whole map, mapped until it is closed.
    mmf::bytes bytes(mmf_access access = MMF_ACCESS_READ_WRITE) const
    {
        void *memory = nullptr;
        std::size_t size = 0;

        detail::check(mmf_map_bytes(get(), access, &memory, &size));
        return {static_cast<std::byte *>(memory), size};
    }
    // Mapped read-only: writing to it ends the program, so the bytes are constant.
    const_bytes read_only_bytes() const
    {
        const mmf::bytes memory = bytes(MMF_ACCESS_READ);

        return {memory.data(), memory.size()};
    }
    // An object in the map; other processes read and write it at the same time.
    template <class T> T &as(std::size_t offset = 0) const
    {
        return detail::object_in<T>(bytes(), offset);
    }

private:
    detail::owner<mmf_map, mmf_map_close> handle_;
};

// A part of a map, mapped until the view is closed; it may outlive its map.
class view {
public:
    explicit view(const map &of, int64_t offset = 0, int64_t size = 0,
                  mmf_access access = MMF_ACCESS_READ_WRITE,
                  const view_options &options = {})
    {
        mmf_accessor *handle = nullptr;

        detail::check(
            mmf_accessor_create(of.get(), offset, size, access, &options, &handle));
        handle_.reset(handle);
    }

    mmf_accessor *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }
    int64_t capacity() const noexcept { return mmf_accessor_capacity(get()); }
    void flush() { detail::check(mmf_accessor_flush(get())); }
    mmf::bytes bytes() const
    {
        void *memory = nullptr;
        std::size_t size = 0;

        detail::check(mmf_accessor_pointer(get(), &memory, &size));
        return {static_cast<std::byte *>(memory), size};
    }
    template <class T> T &as(std::size_t offset = 0) const
    {
        return detail::object_in<T>(bytes(), offset);
    }
    // A copy of the value at a position, which need not be aligned.
    template <class T> T read(int64_t position) const
    {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;

        detail::check(mmf_accessor_read(get(), position, &value, sizeof(T)));
        return value;
    }
    template <class T> void write(int64_t position, const T &value)
    {
        static_assert(std::is_trivially_copyable_v<T>);
        detail::check(mmf_accessor_write(get(), position, &value, sizeof(T)));
    }

private:
    detail::owner<mmf_accessor, mmf_accessor_close> handle_;
};

// A view with a position.
class stream {
public:
    explicit stream(const map &of, int64_t offset = 0, int64_t size = 0,
                    mmf_access access = MMF_ACCESS_READ_WRITE,
                    const view_options &options = {})
    {
        mmf_stream *handle = nullptr;

        detail::check(
            mmf_stream_create(of.get(), offset, size, access, &options, &handle));
        handle_.reset(handle);
    }

    mmf_stream *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }
    int64_t length() const noexcept { return mmf_stream_length(get()); }
    int64_t position() const noexcept { return mmf_stream_position(get()); }
    void flush() { detail::check(mmf_stream_flush(get())); }
    int64_t seek(int64_t offset, mmf_seek_origin origin = MMF_SEEK_BEGIN)
    {
        int64_t position = 0;

        detail::check(mmf_stream_seek(get(), offset, origin, &position));
        return position;
    }
    // How many bytes were read: fewer at the end.
    std::size_t read(mmf::bytes buffer)
    {
        std::byte none{}; // an empty span may have no address
        std::size_t count = 0;

        detail::check(mmf_stream_read(get(), buffer.empty() ? &none : buffer.data(),
                                      buffer.size(), &count));
        return count;
    }
    void write(const_bytes data)
    {
        const std::byte none{};

        detail::check(
            mmf_stream_write(get(), data.empty() ? &none : data.data(), data.size()));
    }

private:
    detail::owner<mmf_stream, mmf_stream_close> handle_;
};

//
// Mutex, event, semaphore.
//

// A named mutex for std::scoped_lock, std::unique_lock and std::lock. The thread that
// locks it owns it, and may lock it again.
class mutex : public detail::throwing<mutex> {
public:
    static result<mutex> try_create_new(const std::string &name,
                                        bool initially_owned = false,
                                        const sync_options &options = {})
    {
        return detail::open<mutex, mmf_mutex>(
            name, [&](const char *text, mmf_mutex **out) {
                return mmf_mutex_create_new(text, initially_owned, &options, out);
            });
    }

    // `initially_owned` takes effect only if the call creates the mutex. An empty name
    // makes one for the threads of this process.
    static result<mutex> try_create_or_open(const std::string &name,
                                            bool initially_owned = false,
                                            const sync_options &options = {},
                                            bool *created = nullptr)
    {
        return detail::open<mutex, mmf_mutex>(
            name, created, [&](const char *text, int *answer, mmf_mutex **out) {
                return mmf_mutex_create_or_open(text, initially_owned, &options, answer,
                                                out);
            });
    }

    static result<mutex> try_open_existing(const std::string &name,
                                           const sync_options &options = {})
    {
        return detail::open<mutex, mmf_mutex>(
            name, [&](const char *text, mmf_mutex **out) {
                return mmf_mutex_open_existing(text, &options, out);
            });
    }

    explicit mutex(mmf_mutex *handle) noexcept : handle_(handle) {}

    mmf_mutex *get() const noexcept { return handle_.get(); }
    mmf_waitable *waitable() const noexcept { return mmf_mutex_waitable(get()); }
    void close() noexcept { handle_.reset(); }

    void lock() { lock_within(forever); }
    bool try_lock() { return lock_within(no_wait); }
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period> &time)
    {
        return lock_within(time);
    }
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration> &deadline)
    {
        return lock_within(timeout::until(deadline));
    }

    // For the owner: whether the owner before died with the mutex, so that what it
    // guards may be half done. Of this handle's last lock.
    bool was_abandoned() const noexcept { return abandoned_; }

    // Locks call this in destructors, so it does not throw. A mutex that this thread
    // does not own is an error of the program; damaged memory ends the program.
    void unlock() noexcept
    {
        const int rc = mmf_mutex_release(get());

        assert(rc != MMF_E_NOT_OWNER && rc != MMF_E_NULL);
        if (rc == MMF_E_CORRUPT)
            std::terminate();
    }
    result<void> try_unlock()
    {
        if (mmf_mutex_release(get()) < 0)
            return error();
        return {};
    }

private:
    bool lock_within(timeout time)
    {
        const int rc = detail::check(mmf_mutex_wait(get(), time.count()));

        if (rc != MMF_TIMED_OUT) // the owner alone may write
            abandoned_ = rc == MMF_ABANDONED;
        return rc != MMF_TIMED_OUT;
    }

    detail::owner<mmf_mutex, mmf_mutex_close> handle_;
    bool abandoned_ = false;
};

class event : public detail::throwing<event> {
public:
    static result<event> try_create_new(const std::string &name, mmf_event_mode mode,
                                        bool initially_set = false,
                                        const sync_options &options = {})
    {
        return detail::open<event, mmf_event>(
            name, [&](const char *text, mmf_event **out) {
                return mmf_event_create_new(text, initially_set, mode, &options, out);
            });
    }

    static result<event> try_create_or_open(const std::string &name,
                                            mmf_event_mode mode,
                                            bool initially_set = false,
                                            const sync_options &options = {},
                                            bool *created = nullptr)
    {
        return detail::open<event, mmf_event>(
            name, created, [&](const char *text, int *answer, mmf_event **out) {
                return mmf_event_create_or_open(text, initially_set, mode, &options,
                                                answer, out);
            });
    }

    static result<event> try_open_existing(const std::string &name,
                                           const sync_options &options = {})
    {
        return detail::open<event, mmf_event>(
            name, [&](const char *text, mmf_event **out) {
                return mmf_event_open_existing(text, &options, out);
            });
    }

    explicit event(mmf_event *handle) noexcept : handle_(handle) {}

    mmf_event *get() const noexcept { return handle_.get(); }
    mmf_waitable *waitable() const noexcept { return mmf_event_waitable(get()); }
    void close() noexcept { handle_.reset(); }

    void set() { detail::check(mmf_event_set(get())); }
    void reset() { detail::check(mmf_event_reset(get())); }
    void wait() { wait_for(forever); }
    // False if the time ran out.
    bool wait_for(timeout time)
    {
        return detail::check(mmf_event_wait(get(), time.count())) != MMF_TIMED_OUT;
    }
    template <class Clock, class Duration>
    bool wait_until(const std::chrono::time_point<Clock, Duration> &deadline)
    {
        return wait_for(timeout::until(deadline));
    }

private:
    detail::owner<mmf_event, mmf_event_close> handle_;
};

// A count, with the calls of std::counting_semaphore.
class semaphore : public detail::throwing<semaphore> {
public:
    static result<semaphore> try_create_new(const std::string &name, int32_t initial,
                                            int32_t maximum,
                                            const sync_options &options = {})
    {
        return detail::open<semaphore, mmf_semaphore>(
            name, [&](const char *text, mmf_semaphore **out) {
                return mmf_semaphore_create_new(text, initial, maximum, &options, out);
            });
    }

    static result<semaphore> try_create_or_open(const std::string &name,
                                                int32_t initial, int32_t maximum,
                                                const sync_options &options = {},
                                                bool *created = nullptr)
    {
        return detail::open<semaphore, mmf_semaphore>(
            name, created, [&](const char *text, int *answer, mmf_semaphore **out) {
                return mmf_semaphore_create_or_open(text, initial, maximum, &options,
                                                    answer, out);
            });
    }

    static result<semaphore> try_open_existing(const std::string &name,
                                               const sync_options &options = {})
    {
        return detail::open<semaphore, mmf_semaphore>(
            name, [&](const char *text, mmf_semaphore **out) {
                return mmf_semaphore_open_existing(text, &options, out);
            });
    }

    explicit semaphore(mmf_semaphore *handle) noexcept : handle_(handle) {}

    mmf_semaphore *get() const noexcept { return handle_.get(); }
    mmf_waitable *waitable() const noexcept { return mmf_semaphore_waitable(get()); }
    void close() noexcept { handle_.reset(); }

    void acquire() { try_acquire_for(forever); }
    bool try_acquire() { return try_acquire_for(no_wait); }
    bool try_acquire_for(timeout time)
    {
        return detail::check(mmf_semaphore_wait(get(), time.count())) != MMF_TIMED_OUT;
    }
    template <class Clock, class Duration>
    bool try_acquire_until(const std::chrono::time_point<Clock, Duration> &deadline)
    {
        return try_acquire_for(timeout::until(deadline));
    }
    // The count before. Over the maximum it throws, and nothing has changed.
    int32_t release(int32_t count = 1)
    {
        int32_t previous = 0;

        detail::check(mmf_semaphore_release(get(), count, &previous));
        return previous;
    }

private:
    detail::owner<mmf_semaphore, mmf_semaphore_close> handle_;
};

// One of the three, a channel or a service, borrowed for a wait.
class waitable {
public:
    template <class Object,
              class = std::enable_if_t<std::is_same_v<
                  decltype(std::declval<const Object &>().waitable()), mmf_waitable *>>>
    waitable(const Object &object) noexcept : handle_(object.waitable())
    {
    }
    waitable(mmf_waitable *handle) noexcept : handle_(handle) {}

    mmf_waitable *get() const noexcept { return handle_; }
    // A descriptor that polls readable when the object may be available; it belongs to
    // the object. mmf_waitable_fd says what else to know.
    int fd() const
    {
        int value = -1;

        detail::check(mmf_waitable_fd(handle_, &value));
        return value;
    }

private:
    mmf_waitable *handle_;
};

// A mutex, event or semaphore of which the name alone is known, to wait for it.
class named_waitable : public detail::throwing<named_waitable> {
public:
    static result<named_waitable> try_open_existing(const std::string &name,
                                                    const sync_options &options = {},
                                                    mmf_kind *kind = nullptr)
    {
        return detail::open<named_waitable, mmf_waitable>(
            name, [&](const char *text, mmf_waitable **out) {
                return mmf_waitable_open_existing(text, &options, kind, out);
            });
    }

    explicit named_waitable(mmf_waitable *handle) noexcept : handle_(handle) {}

    mmf_waitable *waitable() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }

private:
    detail::owner<mmf_waitable, mmf_waitable_close> handle_;
};

// What a wait has got.
struct waited {
    std::size_t index; // of the object
    bool abandoned;    // it is a mutex, and its last owner died
};

namespace detail {

inline std::vector<mmf_waitable *>
handles_of(span<const waitable> objects)
{
    std::vector<mmf_waitable *> handles;

    handles.reserve(objects.size() + 1); // never NULL
    for (const waitable &object : objects)
        handles.push_back(object.get());
    return handles;
}

} // namespace detail

// Wait for one of the objects, and take it; nothing if the time ran out. Of channels and
// services nothing is taken: try_take() then.
inline std::optional<waited>
wait_any(span<const waitable> objects, timeout time = forever)
{
    const auto handles = detail::handles_of(objects);
    int index = 0;
    const int rc = detail::check(
        mmf_wait_any(handles.data(), int(handles.size()), time.count(), &index));

    if (rc == MMF_TIMED_OUT)
        return std::nullopt;
    return waited{std::size_t(index), rc == MMF_ABANDONED};
}
inline std::optional<waited>
wait_any(std::initializer_list<waitable> objects, timeout time = forever)
{
    return wait_any(span<const waitable>(objects.begin(), objects.size()), time);
}

// Wait until all are available at once, and take all. MMF_OK, MMF_ABANDONED, or
// MMF_TIMED_OUT.
inline mmf_status
wait_all(span<const waitable> objects, timeout time = forever)
{
    const auto handles = detail::handles_of(objects);

    return mmf_status(
        detail::check(mmf_wait_all(handles.data(), int(handles.size()), time.count())));
}
inline mmf_status
wait_all(std::initializer_list<waitable> objects, timeout time = forever)
{
    return wait_all(span<const waitable>(objects.begin(), objects.size()), time);
}

// Set or release one, then wait for the other: MMF_OK, MMF_ABANDONED, or MMF_TIMED_OUT.
// Once the signal is given it stays, whatever the wait answers.
inline mmf_status
signal_and_wait(waitable to_signal, waitable to_wait_on, timeout time = forever)
{
    return mmf_status(detail::check(
        mmf_signal_and_wait(to_signal.get(), to_wait_on.get(), time.count())));
}

// One descriptor for many objects, for any event loop: when it is readable, ready() has
// what may be available.
class poller {
public:
    poller()
    {
        mmf_poller *handle = nullptr;

        detail::check(mmf_poller_create(&handle));
        handle_.reset(handle);
    }

    mmf_poller *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }

    // Remove the object before it is closed. ready() answers with `data`.
    void add(waitable object, void *data)
    {
        detail::check(mmf_poller_add(get(), object.get(), data));
    }
    void remove(waitable object)
    {
        detail::check(mmf_poller_remove(get(), object.get()));
    }
    int fd() const
    {
        int value = -1;

        detail::check(mmf_poller_fd(get(), &value));
        return value;
    }
    // It never sleeps. As long as one is available the descriptor stays readable.
    std::vector<void *> ready(std::size_t most = 64)
    {
        auto found = detail::space_for<void *>(most);
        std::size_t count = 0;

        detail::check(mmf_poller_ready(get(), found.data(), most, &count));
        found.resize(count);
        return found;
    }

private:
    detail::owner<mmf_poller, mmf_poller_close> handle_;
};

//
// Channels.
//

namespace detail {

// C's calls of a kind of channel, under one name each.
#define MMF_DETAIL_CALL(name, function)                                                \
    template <class... Arguments> static auto name(Arguments... arguments) noexcept    \
    {                                                                                  \
        return function(arguments...);                                                 \
    }

struct queue_calls {
    using handle = mmf_queue;
    MMF_DETAIL_CALL(create_new, mmf_queue_create_new)
    MMF_DETAIL_CALL(create_or_open, mmf_queue_create_or_open)
    MMF_DETAIL_CALL(open_existing, mmf_queue_open_existing)
    MMF_DETAIL_CALL(close, mmf_queue_close)
    MMF_DETAIL_CALL(send, mmf_queue_send)
    MMF_DETAIL_CALL(send_many, mmf_queue_send_many)
    MMF_DETAIL_CALL(reserve, mmf_queue_reserve)
    MMF_DETAIL_CALL(commit, mmf_queue_commit)
    MMF_DETAIL_CALL(commit_from, mmf_queue_commit_from)
    MMF_DETAIL_CALL(abandon, mmf_queue_abandon)
    MMF_DETAIL_CALL(receive, mmf_queue_receive)
    MMF_DETAIL_CALL(take, mmf_queue_take)
    MMF_DETAIL_CALL(release, mmf_queue_release)
    MMF_DETAIL_CALL(return_message, mmf_queue_return)
    MMF_DETAIL_CALL(waitable, mmf_queue_waitable)
    MMF_DETAIL_CALL(fd, mmf_queue_fd)
    MMF_DETAIL_CALL(stat, mmf_queue_stat)
};

struct topic_calls {
    using handle = mmf_topic;
    MMF_DETAIL_CALL(create_new, mmf_topic_create_new)
    MMF_DETAIL_CALL(create_or_open, mmf_topic_create_or_open)
    MMF_DETAIL_CALL(open_existing, mmf_topic_open_existing)
    MMF_DETAIL_CALL(close, mmf_topic_close)
    MMF_DETAIL_CALL(send, mmf_topic_send)
    MMF_DETAIL_CALL(send_many, mmf_topic_send_many)
    MMF_DETAIL_CALL(reserve, mmf_topic_reserve)
    MMF_DETAIL_CALL(commit, mmf_topic_commit)
    MMF_DETAIL_CALL(abandon, mmf_topic_abandon)
    MMF_DETAIL_CALL(receive, mmf_topic_receive)
    MMF_DETAIL_CALL(take, mmf_topic_take)
    static int release(mmf_topic *topic, const mmf_message *) noexcept
    {
        return mmf_topic_release(topic);
    }
    MMF_DETAIL_CALL(waitable, mmf_topic_waitable)
    MMF_DETAIL_CALL(fd, mmf_topic_fd)
    MMF_DETAIL_CALL(stat, mmf_topic_stat)
};

// A latest value never waits for space: the timeout of sending is nothing to it.
struct latest_calls {
    using handle = mmf_latest;
    MMF_DETAIL_CALL(create_new, mmf_latest_create_new)
    MMF_DETAIL_CALL(create_or_open, mmf_latest_create_or_open)
    MMF_DETAIL_CALL(open_existing, mmf_latest_open_existing)
    MMF_DETAIL_CALL(close, mmf_latest_close)
    static int send(mmf_latest *latest, const void *data, std::size_t length, int32_t,
                    uint64_t *version) noexcept
    {
        return mmf_latest_send(latest, data, length, version);
    }
    static int reserve(mmf_latest *latest, std::size_t length, int32_t,
                       void **memory) noexcept
    {
        return mmf_latest_reserve(latest, length, memory);
    }
    MMF_DETAIL_CALL(commit, mmf_latest_commit)
    MMF_DETAIL_CALL(abandon, mmf_latest_abandon)
    static int take(mmf_latest *latest, int32_t, mmf_message *message) noexcept
    {
        return mmf_latest_take(latest, message);
    }
    static int release(mmf_latest *latest, const mmf_message *) noexcept
    {
        return mmf_latest_release(latest);
    }
    MMF_DETAIL_CALL(waitable, mmf_latest_waitable)
    MMF_DETAIL_CALL(fd, mmf_latest_fd)
    MMF_DETAIL_CALL(stat, mmf_latest_stat)
};

#undef MMF_DETAIL_CALL

// Typed channels carry values of T; those of void carry bytes of any length.
template <class T>
inline constexpr bool is_message =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && alignof(T) <= 64;
template <> inline constexpr bool is_message<void> = true;

inline void
check_length(std::size_t length, std::size_t wanted)
{
    if (length != wanted)
        throw error(MMF_E_MISMATCH, "a message of " + std::to_string(length) +
                                        " bytes: the type has " +
                                        std::to_string(wanted));
}

// What was received, and is read in place.
template <class T> class received {
public:
    const_bytes bytes() const noexcept
    {
        return {static_cast<const std::byte *>(content_.bytes), content_.length};
    }
    // As C has it.
    const mmf_message &content() const noexcept { return content_; }
    // The value, if it has a type.
    template <class Value = T> const Value &operator*() const noexcept
    {
        return *static_cast<const Value *>(content_.bytes);
    }
    template <class Value = T> const Value *operator->() const noexcept
    {
        return static_cast<const Value *>(content_.bytes);
    }
    uint64_t sequence() const noexcept { return content_.sequence; }
    // How often it was given to a consumer, this time included.
    uint32_t deliveries() const noexcept { return content_.deliveries; }
    bool redelivered() const noexcept
    {
        return (content_.flags & MMF_MESSAGE_REDELIVERED) != 0;
    }

protected:
    // C's call fills it.
    received() noexcept {} // NOLINT
    bool fits() const noexcept
    {
        if constexpr (std::is_void_v<T>)
            return true;
        else
            return content_.length == sizeof(T);
    }

    mmf_message content_;
};

// What a call takes; nothing if there was none in time.
template <class Message, class... Arguments>
std::optional<Message>
take_in_time(timeout time, Arguments... arguments)
{
    std::optional<Message> taken;
    int rc;

    taken.emplace(arguments..., time.count(), rc);
    if (check(rc) == MMF_TIMED_OUT)
        taken.reset();
    return taken;
}

template <class Message, class Handle>
void
take_until_closed(std::optional<Message> &taken, Handle *handle, timeout time)
{
    int rc;

    taken.emplace(handle, time.count(), rc);
    if (rc == MMF_E_PEER_CLOSED || check(rc) == MMF_TIMED_OUT)
        taken.reset();
}

// What is sent, as C has it.
template <class T>
using input_of = std::conditional_t<std::is_void_v<T>, const_bytes, T>;
template <class T>
mmf_buffer
buffer_of(const input_of<T> &value) noexcept
{
    if constexpr (std::is_void_v<T>)
        return {value.data(), value.size()};
    else
        return {&value, sizeof(value)};
}

// A copy of what was received.
template <class T>
using value_of = std::conditional_t<std::is_void_v<T>, std::vector<std::byte>, T>;

// Whether a call that needs a slot has got it.
inline bool
has_space(int rc)
{
    return rc != MMF_E_FULL && check(rc) != MMF_TIMED_OUT;
}

} // namespace detail

// A message in place, until it is released or goes out of scope: then it is released,
// which of a queue acknowledges it; but if an exception ends the scope, a queue's message
// goes to another consumer, as one does whose consumer dies (not with MMF_CHANNEL_SPSC). It
// must not outlive the channel's handle.
template <class Calls, class T> class basic_message : public detail::received<T> {
    using detail::received<T>::content_;

public:
    // Takes it; `rc` is how that ended. Without a copy of what C's call fills.
    basic_message(typename Calls::handle *handle, int32_t ms, int &rc)
    {
        rc = Calls::take(handle, ms, &content_);
        handle_ = rc == MMF_OK ? handle : nullptr;
        if (rc == MMF_OK && !this->fits()) {
            drop();
            detail::check_length(content_.length, sizeof(detail::value_of<T>));
        }
    }
    basic_message(basic_message &&other) noexcept
        : detail::received<T>(other), handle_(std::exchange(other.handle_, nullptr)),
          exceptions_(other.exceptions_)
    {
    }
    basic_message &operator=(basic_message &&other) noexcept
    {
        if (this != &other) {
            drop();
            handle_ = std::exchange(other.handle_, nullptr);
            exceptions_ = other.exceptions_;
            content_ = other.content_;
        }
        return *this;
    }
    ~basic_message() { drop(); }

    uint64_t lost() const noexcept { return content_.lost; }
    // Of a queue: acknowledges. False: a topic or a latest value has overwritten it
    // meanwhile, so do not use what was read. Throws MMF_E_STATE for a message of an SPSC
    // queue that is not the oldest taken: it stays taken. The destructor cannot throw, so
    // such messages are to go in the order in which they came.
    bool release()
    {
        const int rc = handle_ == nullptr ? MMF_OK : Calls::release(handle_, &content_);

        detail::check(rc);
        handle_ = nullptr;
        return rc != MMF_OVERWRITTEN;
    }
    // Of a queue: it goes to another consumer, with its deliveries raised.
    template <class Of = Calls> void return_()
    {
        detail::check(Of::return_message(handle_, &content_));
        handle_ = nullptr;
    }

private:
    void drop() noexcept
    {
        typename Calls::handle *handle = std::exchange(handle_, nullptr);

        if (handle == nullptr)
            return;
        if constexpr (std::is_same_v<Calls, detail::queue_calls>)
            if (std::uncaught_exceptions() > exceptions_ &&
                Calls::return_message(handle, &content_) == MMF_OK)
                return;
        Calls::release(handle, &content_);
    }

    typename Calls::handle *handle_;
    int exceptions_ = std::uncaught_exceptions(); // when it was taken
};

// Several messages of a queue in place: for (auto &message : batch). What is left of them
// when it goes out of scope is released, or, if an exception ends the scope, goes to other
// consumers, as one message does. It must not outlive the queue's handle.
template <class T> class message_batch {
public:
    class message : public detail::received<T> {
        friend message_batch;
        bool is_done() const noexcept { return this->content_.bytes == nullptr; }
    };

    // Takes up to `most`; `rc` is how that ended.
    message_batch(mmf_queue *handle, std::size_t most, int32_t ms, int &rc)
        : message_batch(handle, most)
    {
        std::size_t count = 0;

        rc = mmf_queue_take_many(handle_, most, ms, contents(), &count);
        messages_.resize(count);
        for (message &one : messages_)
            if (!one.fits()) {
                const std::size_t length = one.content_.length;

                finish(one, mmf_queue_release); // the others go to other consumers
                detail::check_length(length, sizeof(detail::value_of<T>));
            }
    }
    message_batch(message_batch &&) noexcept = default;
    message_batch &operator=(message_batch &&) = delete;
    ~message_batch()
    {
        if (std::uncaught_exceptions() > exceptions_)
            for (message &one : messages_)
                if (!one.is_done())
                    finish(one, mmf_queue_return);
        release_left(); // also what cannot be returned
    }

    std::size_t size() const noexcept { return messages_.size(); }
    message &operator[](std::size_t at) noexcept { return messages_[at]; }
    message *begin() noexcept { return messages_.data(); }
    message *end() noexcept { return begin() + size(); }

    // Acknowledges one of them; it is not there to be read then.
    void release(message &one) { detail::check(finish(one, mmf_queue_release)); }
    // It goes to another consumer, with its deliveries raised.
    void return_(message &one) { detail::check(finish(one, mmf_queue_return)); }
    // Acknowledges all that are left, in one step; the batch is empty then.
    void release() { detail::check(release_left()); }

private:
    message_batch(mmf_queue *handle, std::size_t most)
        : handle_(handle), messages_(detail::space_for<message>(most))
    {
    }
    mmf_message *contents() noexcept
    {
        static_assert(std::is_standard_layout_v<message> &&
                      sizeof(message) == sizeof(mmf_message));
        return reinterpret_cast<mmf_message *>(messages_.data());
    }
    int finish(message &one, int (*how)(mmf_queue *, const mmf_message *)) noexcept
    {
        const int rc = how(handle_, &one.content_);

        if (rc == MMF_OK)
            one.content_.bytes = nullptr;
        return rc;
    }
    int release_left() noexcept
    {
        std::size_t left = 0;

        for (const message &one : messages_)
            if (!one.is_done())
                messages_[left++] = one;
        messages_.resize(left);
        const int rc =
            left > 0 ? mmf_queue_release_many(handle_, contents(), left) : MMF_OK;
        if (rc == MMF_OK)
            messages_.clear();
        return rc;
    }

    mmf_queue *handle_;
    std::vector<message> messages_;
    int exceptions_ = std::uncaught_exceptions(); // when they were taken
};

// Where to write a message in place; abandoned unless it is committed.
template <class Calls> class slot {
public:
    slot(typename Calls::handle *handle, mmf::bytes memory) noexcept
        : handle_(handle), memory_(memory)
    {
    }
    slot(slot &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), memory_(other.memory_)
    {
    }
    slot &operator=(slot &&) = delete;
    ~slot()
    {
        if (handle_ != nullptr)
            Calls::abandon(handle_);
    }

    mmf::bytes bytes() const noexcept { return memory_; }
    // Send the first `length` bytes: the message's sequence, or version.
    uint64_t commit(std::size_t length)
    {
        uint64_t sequence = 0;

        detail::check(Calls::commit(handle_, length, &sequence));
        handle_ = nullptr;
        return sequence;
    }
    uint64_t commit() { return commit(memory_.size()); }
    // Of a queue: as message `position` of `source`, a number above 0 for where messages
    // come from. Both are one step: a kill leaves the message and its position, or
    // neither. If it throws, the slot stays reserved.
    template <class Of = Calls>
    uint64_t commit_from(std::size_t length, uint64_t source, uint64_t position)
    {
        uint64_t sequence = 0;

        detail::check(Of::commit_from(handle_, length, source, position, &sequence));
        handle_ = nullptr;
        return sequence;
    }

private:
    typename Calls::handle *handle_;
    mmf::bytes memory_;
};

// The messages of a channel for a range-for: each is released when the loop goes on. It
// ends when none came within the time, and when the last peer has closed.
template <class Channel> class message_range {
public:
    using message = typename Channel::message;

    message_range(Channel &channel, timeout time) : channel_(&channel), time_(time) {}

    struct sentinel {};
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = message;
        using difference_type = std::ptrdiff_t;
        using pointer = message *;
        using reference = message &;

        explicit iterator(message_range *range) : range_(range) {}
        message &operator*() const noexcept { return *range_->current_; }
        iterator &operator++()
        {
            range_->next();
            return *this;
        }
        void operator++(int) { range_->next(); }
        friend bool operator==(const iterator &at, sentinel) noexcept
        {
            return at.is_at_end();
        }
        friend bool operator!=(const iterator &at, sentinel end) noexcept
        {
            return !(at == end);
        }

    private:
        bool is_at_end() const noexcept { return !range_->current_; }

        message_range *range_;
    };

    iterator begin()
    {
        next();
        return iterator(this);
    }
    sentinel end() const noexcept { return {}; }

private:
    void next()
    {
        current_.reset();
        channel_->take_next(current_, time_);
    }

    Channel *channel_;
    timeout time_;
    std::optional<message> current_;
};

namespace detail {

// What queue, topic and latest value have in common.
template <class Calls, class T> class channel {
    static_assert(is_message<T>, "a message is trivially copyable, and no pointer");

public:
    using handle = typename Calls::handle;
    using message = basic_message<Calls, T>;
    using input = input_of<T>; // what is sent
    using slot = mmf::slot<Calls>;

    explicit channel(handle *of) : handle_(of)
    {
        if constexpr (!std::is_void_v<T>)
            check_length(std::size_t(stat().message_size), sizeof(T));
    }

    handle *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }
    mmf_channel_stats stat() const
    {
        mmf_channel_stats stats;

        check(Calls::stat(get(), &stats));
        return stats;
    }
    mmf_waitable *waitable() const noexcept { return Calls::waitable(get()); }
    // A descriptor that polls readable when there may be a message; it belongs to the
    // channel, and a mmf::poller has one for many of them. Drain the channel after it:
    // take without waiting until nothing comes.
    int fd() const
    {
        int value = -1;

        check(Calls::fd(get(), &value));
        return value;
    }

    // Send, and wait for space: the message's sequence, or version. A full channel that
    // is made to fail throws MMF_E_FULL.
    uint64_t send(const input &value)
    {
        const mmf_buffer data = buffer_of<T>(value);
        uint64_t sequence = 0;

        check(Calls::send(get(), data.bytes, data.length, MMF_INFINITE, &sequence));
        return sequence;
    }
    // The same, but nothing if there was no space in time.
    std::optional<uint64_t> try_send(const input &value, timeout time = no_wait)
    {
        const mmf_buffer data = buffer_of<T>(value);
        uint64_t sequence = 0;

        if (!has_space(
                Calls::send(get(), data.bytes, data.length, time.count(), &sequence)))
            return std::nullopt;
        return sequence;
    }

    // Write in place. A handle has one reservation at a time.
    slot reserve(std::size_t length)
    {
        void *memory = nullptr;

        check(Calls::reserve(get(), length, MMF_INFINITE, &memory));
        return {get(), {static_cast<std::byte *>(memory), length}};
    }
    std::optional<slot> try_reserve(std::size_t length, timeout time = no_wait)
    {
        void *memory = nullptr;

        if (!has_space(Calls::reserve(get(), length, time.count(), &memory)))
            return std::nullopt;
        return slot(get(), {static_cast<std::byte *>(memory), length});
    }

    // The next message in place, or of a latest value the newest; nothing if there was
    // none in time.
    std::optional<message> try_take(timeout time = no_wait)
    {
        return take_in_time<message>(time, get());
    }
    // For ranges, which end with the last peer.
    void take_next(std::optional<message> &next, timeout time)
    {
        take_until_closed(next, get(), time);
    }

private:
    struct closes {
        void operator()(handle *of) const noexcept { Calls::close(of); }
    };

    std::unique_ptr<handle, closes> handle_;
};

// Queue and topic.
template <class Calls, class T> class message_channel : public channel<Calls, T> {
public:
    using channel<Calls, T>::channel;
    using typename channel<Calls, T>::message;
    using typename channel<Calls, T>::input;
    using value = value_of<T>;

    message take()
    {
        int rc;
        message taken(this->get(), MMF_INFINITE, rc);

        check(rc);
        return taken;
    }
    // A copy of the next message: never a torn one. `about` has the rest of it: sequence,
    // lost, deliveries, flags.
    value receive(mmf_message *about = nullptr)
    {
        return std::move(*try_receive(forever, about));
    }
    std::optional<value> try_receive(timeout time = no_wait,
                                     mmf_message *about = nullptr)
    {
        std::optional<value> copy(buffer());

        if (!receive_into(*copy, time.count(), about))
            copy.reset();
        else if (about != nullptr)
            about->bytes = nullptr; // the copy's, which moves
        return copy;
    }

    // How many were sent: all, unless the channel was full for the time.
    std::size_t send_many(span<const input> values, timeout time = forever)
    {
        std::vector<mmf_buffer> buffers;
        std::size_t sent = 0;

        for (const input &one : values)
            buffers.push_back(buffer_of<T>(one));
        return has_space(Calls::send_many(this->get(), buffers.data(), buffers.size(),
                                          time.count(), &sent))
                   ? sent
                   : 0;
    }

    // for (auto &message : queue.ready()): what is there now.
    message_range<message_channel> ready() { return {*this, no_wait}; }
    // The same, waiting for each up to `time`; with MMF_CHANNEL_PEER_CLOSED it ends
    // when the last peer has closed.
    message_range<message_channel> messages(timeout time = forever)
    {
        return {*this, time};
    }

private:
    value buffer() const
    {
        if constexpr (std::is_void_v<T>)
            return value(std::size_t(this->stat().message_size));
        else
            return value();
    }
    bool receive_into(value &copy, int32_t ms, mmf_message *about)
    {
        std::size_t length = 0;

        if constexpr (std::is_void_v<T>) {
            if (check(Calls::receive(this->get(), copy.data(), copy.size(), ms, &length,
                                     about)) == MMF_TIMED_OUT)
                return false;
            copy.resize(length);
        } else {
            if (check(Calls::receive(this->get(), &copy, sizeof(copy), ms, &length,
                                     about)) == MMF_TIMED_OUT)
                return false;
            check_length(length, sizeof(copy));
        }
        return true;
    }
};

// The static functions of queue and topic: with sizes, or with those of the type.
template <class Self, class Calls, class T>
class message_factory : public message_channel<Calls, T>, public throwing<Self> {
    using base = message_channel<Calls, T>;

public:
    using base::base;
    using typename base::handle;

    static result<Self> try_create_new(const std::string &name, std::size_t capacity,
                                       mmf_overflow overflow,
                                       const channel_options &options = {})
    {
        return open<Self, handle>(name, [&](const char *text, handle **out) {
            return Calls::create_new(text, sizeof(T), capacity, overflow, &options,
                                     out);
        });
    }
    static Self create_new(const std::string &name, std::size_t capacity,
                           mmf_overflow overflow, const channel_options &options = {})
    {
        return try_create_new(name, capacity, overflow, options).value();
    }
    static result<Self> try_create_or_open(const std::string &name,
                                           std::size_t capacity, mmf_overflow overflow,
                                           const channel_options &options = {},
                                           bool *created = nullptr)
    {
        return open<Self, handle>(
            name, created, [&](const char *text, int *answer, handle **out) {
                return Calls::create_or_open(text, sizeof(T), capacity, overflow,
                                             &options, answer, out);
            });
    }
    static Self create_or_open(const std::string &name, std::size_t capacity,
                               mmf_overflow overflow,
                               const channel_options &options = {},
                               bool *created = nullptr)
    {
        return try_create_or_open(name, capacity, overflow, options, created).value();
    }
    static result<Self> try_open_existing(const std::string &name,
                                          const channel_options &options = {})
    {
        return open<Self, handle>(name, [&](const char *text, handle **out) {
            return Calls::open_existing(text, &options, out);
        });
    }
};

template <class Self, class Calls>
class message_factory<Self, Calls, void> : public message_channel<Calls, void>,
                                           public throwing<Self> {
    using base = message_channel<Calls, void>;

public:
    using base::base;
    using typename base::handle;

    static result<Self> try_create_new(const std::string &name,
                                       std::size_t message_size, std::size_t capacity,
                                       mmf_overflow overflow,
                                       const channel_options &options = {})
    {
        return open<Self, handle>(name, [&](const char *text, handle **out) {
            return Calls::create_new(text, message_size, capacity, overflow, &options,
                                     out);
        });
    }
    static Self create_new(const std::string &name, std::size_t message_size,
                           std::size_t capacity, mmf_overflow overflow,
                           const channel_options &options = {})
    {
        return try_create_new(name, message_size, capacity, overflow, options).value();
    }
    static result<Self> try_create_or_open(const std::string &name,
                                           std::size_t message_size,
                                           std::size_t capacity, mmf_overflow overflow,
                                           const channel_options &options = {},
                                           bool *created = nullptr)
    {
        return open<Self, handle>(
            name, created, [&](const char *text, int *answer, handle **out) {
                return Calls::create_or_open(text, message_size, capacity, overflow,
                                             &options, answer, out);
            });
    }
    static Self create_or_open(const std::string &name, std::size_t message_size,
                               std::size_t capacity, mmf_overflow overflow,
                               const channel_options &options = {},
                               bool *created = nullptr)
    {
        return try_create_or_open(name, message_size, capacity, overflow, options,
                                  created)
            .value();
    }
    static result<Self> try_open_existing(const std::string &name,
                                          const channel_options &options = {})
    {
        return open<Self, handle>(name, [&](const char *text, handle **out) {
            return Calls::open_existing(text, &options, out);
        });
    }
};

} // namespace detail

// What queue<>::browse_bytes found: `bytes` of an item leads into `memory`.
struct browsed_queue {
    std::vector<mmf_queue_item> items;
    std::unique_ptr<std::byte[]> memory;
};

// Each message goes to one consumer. queue<job> carries jobs, queue<> bytes.
template <class T = void>
class queue : public detail::message_factory<queue<T>, detail::queue_calls, T> {
public:
    using detail::message_factory<queue<T>, detail::queue_calls, T>::message_factory;
    using batch = message_batch<T>;

    // Up to `most` messages in place; it waits for the first only.
    batch take_many(std::size_t most)
    {
        return std::move(*try_take_many(most, forever));
    }
    std::optional<batch> try_take_many(std::size_t most, timeout time = no_wait)
    {
        return detail::take_in_time<batch>(time, this->get(), most);
    }
    // Until all that was sent so far, by any producer, was released; false if the time
    // ran out.
    bool drain(timeout time = forever)
    {
        return detail::check(mmf_queue_drain(this->get(), time.count())) !=
               MMF_TIMED_OUT;
    }
    // The last position of `source` that was committed; 0: none. A successor goes on with
    // what comes after it.
    uint64_t applied(uint64_t source) const
    {
        uint64_t position = 0;

        detail::check(mmf_queue_applied(this->get(), source, &position));
        return position;
    }
    // What is in the queue of that name, the oldest first, without taking part.
    static std::vector<mmf_queue_item> browse(const std::string &name,
                                              std::size_t most = 1000)
    {
        auto items = detail::space_for<mmf_queue_item>(most);
        const detail::c_name checked(name);
        std::size_t count = 0;

        detail::check(mmf_queue_browse(checked.get(), items.data(), most, &count));
        items.resize(count);
        return items;
    }
    // The same, with up to `each` bytes of every message.
    static browsed_queue browse_bytes(const std::string &name, std::size_t each,
                                      std::size_t most = 1000)
    {
        const detail::c_name checked(name);
        browsed_queue found{detail::space_for<mmf_queue_item>(most), {}};
        std::size_t count = 0;

        detail::check_count(most, each);
        found.memory = std::make_unique<std::byte[]>(most * each);
        detail::check(mmf_queue_browse_bytes(checked.get(), found.items.data(), most,
                                             found.memory.get(), each, &count));
        found.items.resize(count);
        return found;
    }
};

// Each message goes to every subscriber.
template <class T = void>
class topic : public detail::message_factory<topic<T>, detail::topic_calls, T> {
public:
    using detail::message_factory<topic<T>, detail::topic_calls, T>::message_factory;
};

// One value that is replaced; `value_size` is that of the type, unless it is void.
template <class T = void>
class latest : public detail::channel<detail::latest_calls, T>,
               public detail::throwing<latest<T>> {
    using calls = detail::latest_calls;
    static constexpr std::size_t type_size()
    {
        if constexpr (std::is_void_v<T>)
            return 0;
        else
            return sizeof(T);
    }

public:
    using detail::channel<calls, T>::channel;
    using value = detail::value_of<T>;

    static result<latest> try_create_new(const std::string &name,
                                         std::size_t value_size = type_size(),
                                         const channel_options &options = {})
    {
        return detail::open<latest, mmf_latest>(
            name, [&](const char *text, mmf_latest **out) {
                return calls::create_new(text, value_size, &options, out);
            });
    }
    static latest create_new(const std::string &name,
                             std::size_t value_size = type_size(),
                             const channel_options &options = {})
    {
        return try_create_new(name, value_size, options).value();
    }
    static result<latest> try_create_or_open(const std::string &name,
                                             std::size_t value_size = type_size(),
                                             const channel_options &options = {},
                                             bool *created = nullptr)
    {
        return detail::open<latest, mmf_latest>(
            name, created, [&](const char *text, int *answer, mmf_latest **out) {
                return calls::create_or_open(text, value_size, &options, answer, out);
            });
    }
    static latest create_or_open(const std::string &name,
                                 std::size_t value_size = type_size(),
                                 const channel_options &options = {},
                                 bool *created = nullptr)
    {
        return try_create_or_open(name, value_size, options, created).value();
    }
    static result<latest> try_open_existing(const std::string &name,
                                            const channel_options &options = {})
    {
        return detail::open<latest, mmf_latest>(
            name, [&](const char *text, mmf_latest **out) {
                return calls::open_existing(text, &options, out);
            });
    }

    // A copy of the newest value, and its version; nothing before the first.
    std::optional<value> try_receive(uint64_t *version = nullptr)
    {
        auto copy = std::make_optional<value>();
        std::size_t length = 0;
        uint64_t got = 0;

        if constexpr (std::is_void_v<T>) {
            copy->resize(std::size_t(this->stat().message_size));
            detail::check(mmf_latest_receive(this->get(), copy->data(), copy->size(),
                                             &length, &got));
            copy->resize(length);
        } else {
            detail::check(
                mmf_latest_receive(this->get(), &*copy, sizeof(T), &length, &got));
            if (got != 0)
                detail::check_length(length, sizeof(T));
        }
        if (version != nullptr)
            *version = got;
        if (got == 0)
            return std::nullopt;
        return copy;
    }
    // Until there is a version newer than `version`; false if the time ran out.
    bool wait(uint64_t version, timeout time = forever)
    {
        return detail::check(mmf_latest_wait(this->get(), version, time.count())) !=
               MMF_TIMED_OUT;
    }
};

// The counters and limits of the channel or service of that name, without taking part.
inline mmf_channel_stats
channel_stat(const std::string &name)
{
    const detail::c_name checked(name);
    mmf_channel_stats stats;

    detail::check(mmf_channel_stat(checked.get(), &stats));
    return stats;
}

// The memory that a queue, topic or latest value (`capacity` 0) takes, if it is created
// so.
inline int64_t
channel_size(mmf_kind kind, std::size_t message_size, std::size_t capacity,
             const channel_options &options = {})
{
    int64_t size = 0;

    detail::check(mmf_channel_size(kind, message_size, capacity, &options, &size));
    return size;
}

//
// Services.
//

// An answer in place, until it is released or goes out of scope.
template <class T> class basic_answer : public detail::received<T> {
    using detail::received<T>::content_;

public:
    basic_answer(mmf_service *handle, uint64_t call, int32_t ms, int &rc)
    {
        rc = mmf_service_take_answer(handle, call, ms, &content_);
        handle_ = rc == MMF_OK ? handle : nullptr;
        if (rc == MMF_OK && !this->fits()) {
            release();
            detail::check_length(content_.length, sizeof(detail::value_of<T>));
        }
    }
    basic_answer(basic_answer &&other) noexcept
        : detail::received<T>(other), handle_(std::exchange(other.handle_, nullptr))
    {
    }
    basic_answer &operator=(basic_answer &&other) noexcept
    {
        if (this != &other) {
            release();
            handle_ = std::exchange(other.handle_, nullptr);
            content_ = other.content_;
        }
        return *this;
    }
    ~basic_answer() { release(); }

    uint64_t call() const noexcept { return content_.sequence; }
    // No other one follows to its call.
    bool is_last() const noexcept { return (content_.flags & MMF_MESSAGE_LAST) != 0; }
    void release() noexcept
    {
        auto *const handle = std::exchange(handle_, nullptr);

        if (handle != nullptr)
            mmf_service_release_answer(handle, &content_);
    }

private:
    mmf_service *handle_;
};

// A call that is open, until its last answer: given up if it goes out of scope before. It
// must not outlive the service's handle.
template <class T> class basic_call {
public:
    using answer = basic_answer<T>;
    using message = answer;
    using value = detail::value_of<T>;

    basic_call(mmf_service *handle, uint64_t number) noexcept
        : handle_(handle), number_(number)
    {
    }
    basic_call(basic_call &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), number_(other.number_)
    {
    }
    basic_call &operator=(basic_call &&) = delete;
    ~basic_call() { cancel(); }

    uint64_t number() const noexcept { return number_; }
    // Its last answer was taken.
    bool is_done() const noexcept { return handle_ == nullptr; }
    void cancel() noexcept
    {
        if (handle_ != nullptr)
            mmf_service_cancel(std::exchange(handle_, nullptr), number_);
    }

    answer take() { return std::move(*try_take(forever)); }
    std::optional<answer> try_take(timeout time = no_wait)
    {
        auto taken = detail::take_in_time<answer>(time, handle_, number_);

        if (taken && taken->is_last())
            handle_ = nullptr;
        return taken;
    }
    // A copy. `about` has the rest of it: deliveries, flags.
    value receive(mmf_message *about = nullptr)
    {
        return std::move(*try_receive(forever, about));
    }
    std::optional<value> try_receive(timeout time = no_wait,
                                     mmf_message *about = nullptr)
    {
        if constexpr (std::is_void_v<T>) {
            const auto taken = try_take(time);

            if (!taken)
                return std::nullopt;
            if (about != nullptr) {
                *about = taken->content();
                about->bytes = nullptr;
            }
            return value(taken->bytes().begin(), taken->bytes().end());
        } else {
            auto copy = std::make_optional<value>();
            std::size_t length = 0;
            mmf_message got;

            if (detail::check(mmf_service_receive_answer(
                    handle_, number_, &*copy, sizeof(T), time.count(), &length,
                    &got)) == MMF_TIMED_OUT)
                return std::nullopt;
            if ((got.flags & MMF_MESSAGE_LAST) != 0)
                handle_ = nullptr;
            detail::check_length(length, sizeof(T));
            got.bytes = nullptr; // the copy's, which moves
            if (about != nullptr)
                *about = got;
            return copy;
        }
    }

    // for (auto &answer : call.answers()): until the last, waiting for each.
    message_range<basic_call> answers(timeout time = forever) { return {*this, time}; }
    void take_next(std::optional<answer> &next, timeout time)
    {
        if (!is_done())
            next = try_take(time);
    }

private:
    mmf_service *handle_; // null: its last answer was taken
    uint64_t number_;
};

// A request in place, until its last answer. If it goes out of scope before, it goes to
// another server. It must not outlive the service's handle.
template <class Request, class Answer>
class basic_request : public detail::received<Request> {
    using detail::received<Request>::content_;

public:
    using input = detail::input_of<Answer>;

    basic_request(mmf_service *handle, int32_t ms, int &rc)
    {
        rc = mmf_service_take(handle, ms, &content_);
        keep(handle, rc);
    }
    // The same, as a copy in `buffer`.
    basic_request(mmf_service *handle, mmf::bytes buffer, int32_t ms, int &rc)
    {
        std::size_t length = 0;

        rc = mmf_service_receive(handle, buffer.data(), buffer.size(), ms, &length,
                                 &content_);
        keep(handle, rc);
    }
    basic_request(basic_request &&other) noexcept
        : detail::received<Request>(other),
          handle_(std::exchange(other.handle_, nullptr))
    {
    }
    basic_request &operator=(basic_request &&) = delete;
    // What was answered is no longer there to be returned.
    ~basic_request()
    {
        if (handle_ != nullptr)
            mmf_service_return(handle_, &content_);
    }

    // False: the client has died or given the call up, so work for it is in vain.
    bool is_wanted() const
    {
        int wanted = 0;

        detail::check(mmf_service_is_wanted(handle_, &content_, &wanted));
        return wanted != 0;
    }
    // The last answer. It never waits for a client that does not want it.
    void answer(const input &value) { send(value, MMF_ANSWER_LAST, forever); }
    bool try_answer(const input &value, timeout time = no_wait)
    {
        return send(value, MMF_ANSWER_LAST, time);
    }
    // More follow. False if so many wait for their client as may (max_answers).
    void answer_more(const input &value) { send(value, MMF_ANSWER_MORE, forever); }
    bool try_answer_more(const input &value, timeout time = no_wait)
    {
        return send(value, MMF_ANSWER_MORE, time);
    }
    // An answer in place: where to write it, and its end.
    mmf::bytes reserve_answer(std::size_t length, timeout time = forever)
    {
        void *memory = nullptr;

        if (detail::check(mmf_service_reserve_answer(
                handle_, &content_, length, time.count(), &memory)) == MMF_TIMED_OUT)
            return {};
        return {static_cast<std::byte *>(memory), length};
    }
    void commit_answer(std::size_t length, bool more = false)
    {
        detail::check(mmf_service_commit_answer(
            handle_, &content_, length, more ? MMF_ANSWER_MORE : MMF_ANSWER_LAST));
        if (!more)
            handle_ = nullptr;
    }
    // It goes to another server, with its deliveries raised.
    void return_()
    {
        detail::check(mmf_service_return(handle_, &content_));
        handle_ = nullptr;
    }

private:
    bool send(const input &value, uint32_t flags, timeout time)
    {
        const mmf_buffer data = detail::buffer_of<Answer>(value);

        if (detail::check(mmf_service_answer(handle_, &content_, data.bytes,
                                             data.length, flags, time.count())) ==
            MMF_TIMED_OUT)
            return false;
        if (flags == MMF_ANSWER_LAST)
            handle_ = nullptr;
        return true;
    }

    void keep(mmf_service *handle, int rc)
    {
        handle_ = rc == MMF_OK ? handle : nullptr;
        if (rc == MMF_OK && !this->fits()) {
            mmf_service_answer(handle, &content_, nullptr, 0, MMF_ANSWER_LAST, 0);
            detail::check_length(content_.length, sizeof(detail::value_of<Request>));
        }
    }

    mmf_service *handle_; // null: it was answered or returned
};

// How large a service is: service<a, b> has the sizes of its types, and service<> needs
// them: {request_size, answer_size, capacity}.
template <class Request, class Answer> struct service_sizes {
    service_sizes(std::size_t requests)
        : request(sizeof(detail::value_of<Request>)),
          answer(sizeof(detail::value_of<Answer>)), capacity(requests)
    {
        static_assert(!std::is_void_v<Request> && !std::is_void_v<Answer>,
                      "a service of bytes needs {request_size, answer_size, capacity}");
    }
    service_sizes(std::size_t request_size, std::size_t answer_size,
                  std::size_t requests)
        : request(request_size), answer(answer_size), capacity(requests)
    {
    }

    std::size_t request, answer, capacity;
};

// Requests, each to one server, and their answers. A handle is client, server or both.
template <class Request = void, class Answer = Request> class service {
    static_assert(detail::is_message<Request> && detail::is_message<Answer>,
                  "requests and answers are trivially copyable, and no pointers");

public:
    using sizes = service_sizes<Request, Answer>;
    using request = basic_request<Request, Answer>;
    using message = request;
    using answer = basic_answer<Answer>;
    using open_call = basic_call<Answer>;
    using input = detail::input_of<Request>;
    using value = detail::value_of<Answer>;
    using request_value = detail::value_of<Request>;

    static result<service> try_create_new(const std::string &name, sizes size,
                                          const service_options &options = {})
    {
        return detail::open<service, mmf_service>(
            name, [&](const char *text, mmf_service **out) {
                return mmf_service_create_new(text, size.request, size.answer,
                                              size.capacity, &options, out);
            });
    }
    static service create_new(const std::string &name, sizes size,
                              const service_options &options = {})
    {
        return try_create_new(name, size, options).value();
    }
    static result<service> try_create_or_open(const std::string &name, sizes size,
                                              const service_options &options = {},
                                              bool *created = nullptr)
    {
        return detail::open<service, mmf_service>(
            name, created, [&](const char *text, int *is_new, mmf_service **out) {
                return mmf_service_create_or_open(text, size.request, size.answer,
                                                  size.capacity, &options, is_new, out);
            });
    }
    static service create_or_open(const std::string &name, sizes size,
                                  const service_options &options = {},
                                  bool *created = nullptr)
    {
        return try_create_or_open(name, size, options, created).value();
    }
    static result<service> try_open_existing(const std::string &name,
                                             const service_options &options = {})
    {
        return detail::open<service, mmf_service>(
            name, [&](const char *text, mmf_service **out) {
                return mmf_service_open_existing(text, &options, out);
            });
    }
    static service open_existing(const std::string &name,
                                 const service_options &options = {})
    {
        return try_open_existing(name, options).value();
    }

    explicit service(mmf_service *of) : handle_(of)
    {
        const mmf_channel_stats stats = stat();

        if constexpr (!std::is_void_v<Request>)
            detail::check_length(std::size_t(stats.message_size), sizeof(Request));
        if constexpr (!std::is_void_v<Answer>)
            detail::check_length(std::size_t(stats.answer_size), sizeof(Answer));
        request_size_ = std::size_t(stats.message_size);
        answer_size_ = std::size_t(stats.answer_size);
    }

    mmf_service *get() const noexcept { return handle_.get(); }
    void close() noexcept { handle_.reset(); }
    mmf_waitable *waitable() const noexcept { return mmf_service_waitable(get()); }
    mmf_channel_stats stat() const
    {
        mmf_channel_stats stats;

        detail::check(mmf_service_stat(get(), &stats));
        return stats;
    }
    int fd() const
    {
        int number = -1;

        detail::check(mmf_service_fd(get(), &number));
        return number;
    }

    // Clients: call, and wait for the answer; nothing if there was none in time.
    value call(const input &question)
    {
        return std::move(*try_call(question, forever));
    }
    std::optional<value> try_call(const input &question, timeout time)
    {
        const mmf_buffer data = detail::buffer_of<Request>(question);
        auto copy = std::make_optional<value>();
        std::size_t length = 0;
        void *buffer = nullptr;
        std::size_t capacity = answer_size_;

        if constexpr (std::is_void_v<Answer>) {
            copy->resize(capacity);
            buffer = copy->data();
        } else {
            buffer = &*copy;
        }
        if (!detail::has_space(mmf_service_call(get(), data.bytes, data.length, buffer,
                                                capacity, time.count(), &length)))
            return std::nullopt;
        if constexpr (std::is_void_v<Answer>)
            copy->resize(length);
        else
            detail::check_length(length, sizeof(Answer));
        return copy;
    }
    // Send a request; its answers come to the call. Several may be open (max_calls).
    open_call send(const input &question)
    {
        const mmf_buffer data = detail::buffer_of<Request>(question);
        uint64_t number = 0;

        detail::check(
            mmf_service_send(get(), data.bytes, data.length, MMF_INFINITE, &number));
        return open_call(get(), number);
    }
    std::optional<open_call> try_send(const input &question, timeout time = no_wait)
    {
        const mmf_buffer data = detail::buffer_of<Request>(question);
        uint64_t number = 0;

        if (!detail::has_space(mmf_service_send(get(), data.bytes, data.length,
                                                time.count(), &number)))
            return std::nullopt;
        return open_call(get(), number);
    }
    // Write a request in its slot (nothing if there was no space in time), and send it. A handle has one reservation at a time.
    mmf::bytes reserve(std::size_t length, timeout time = forever)
    {
        void *memory = nullptr;

        if (!detail::has_space(
                mmf_service_reserve(get(), length, time.count(), &memory)))
            return {};
        return {static_cast<std::byte *>(memory), length};
    }
    open_call commit(std::size_t length)
    {
        uint64_t number = 0;

        detail::check(mmf_service_commit(get(), length, &number));
        return open_call(get(), number);
    }
    void abandon() { detail::check(mmf_service_abandon(get())); }
    // The next answer to any open call, whose number it has. A last one that was taken so
    // has ended its call.
    std::optional<answer> try_take_answer(timeout time = no_wait)
    {
        return detail::take_in_time<answer>(time, get(), uint64_t(0));
    }

    // Servers.
    request take()
    {
        int rc;
        request taken(get(), MMF_INFINITE, rc);

        detail::check(rc);
        return taken;
    }
    std::optional<request> try_take(timeout time = no_wait)
    {
        return detail::take_in_time<request>(time, get());
    }
    // The same, but the request is read from `copy`, which must outlive it: no client
    // changes it meanwhile.
    request receive(request_value &copy)
    {
        return std::move(*try_receive(copy, forever));
    }
    std::optional<request> try_receive(request_value &copy, timeout time = no_wait)
    {
        if constexpr (std::is_void_v<Request>) {
            copy.resize(request_size_);
            auto taken = detail::take_in_time<request>(time, get(), mmf::bytes(copy));
            copy.resize(taken ? taken->bytes().size() : 0);
            return taken;
        } else {
            return detail::take_in_time<request>(
                time, get(),
                mmf::bytes(reinterpret_cast<std::byte *>(&copy), sizeof(copy)));
        }
    }
    void take_next(std::optional<request> &next, timeout time)
    {
        detail::take_until_closed(next, get(), time);
    }
    // for (auto &request : service.requests()), as of a channel's messages.
    message_range<service> requests(timeout time = forever) { return {*this, time}; }

private:
    detail::owner<mmf_service, mmf_service_close> handle_;
    std::size_t request_size_ = 0;
    std::size_t answer_size_ = 0;
};

//
// The namespace.
//

// A snapshot of the named objects, for a range-for over mmf_object_info.
class list {
public:
    explicit list(mmf_list_flags flags = 0)
    {
        mmf_list *handle = nullptr;

        detail::check(mmf_list_create(flags, &handle));
        handle_.reset(handle);
    }

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = mmf_object_info;
        using difference_type = std::ptrdiff_t;
        using pointer = const mmf_object_info *;
        using reference = const mmf_object_info &;

        iterator(const mmf_list *of, int32_t at) noexcept : of_(of), at_(at) {}
        reference operator*() const noexcept { return *mmf_list_get(of_, at_); }
        pointer operator->() const noexcept { return mmf_list_get(of_, at_); }
        iterator &operator++() noexcept
        {
            at_++;
            return *this;
        }
        iterator operator++(int) noexcept { return {of_, at_++}; }
        bool operator==(const iterator &other) const noexcept
        {
            return at_ == other.at_;
        }
        bool operator!=(const iterator &other) const noexcept
        {
            return at_ != other.at_;
        }

    private:
        const mmf_list *of_;
        int32_t at_;
    };

    std::size_t size() const noexcept
    {
        return std::size_t(mmf_list_count(handle_.get()));
    }
    iterator begin() const noexcept { return {handle_.get(), 0}; }
    iterator end() const noexcept { return {handle_.get(), int32_t(size())}; }

private:
    detail::owner<mmf_list, mmf_list_close> handle_;
};

// Remove the orphaned objects that this user may remove.
inline mmf_gc_result
gc(mmf_list_flags flags = 0)
{
    mmf_gc_result counts;

    detail::check(mmf_gc(flags, &counts));
    return counts;
}

} // namespace mmf

#if __cplusplus >= 202002L
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<mmf::span<T>> = true;
template <class T> inline constexpr bool std::ranges::enable_view<mmf::span<T>> = true;
#endif

#endif
