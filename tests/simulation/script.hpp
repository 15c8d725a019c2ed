#pragma once
// What an actor does, written from top to bottom, one `co_await turn` between two verbs: there others act, and there it
// may vanish. A script that awaits another one goes on when that has ended; destroying the outermost destroys all.
#include <coroutine>
#include <exception>
#include <utility>

namespace fermata::simulation {

inline constexpr std::suspend_always turn{};

class [[nodiscard]] Script {
public:
    // NOLINTNEXTLINE(readability-identifier-naming): the language calls it so
    struct promise_type;
    using Handle = std::coroutine_handle<promise_type>;

    struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(Handle ended) noexcept;
        void await_resume() noexcept {}
    };
    struct promise_type {
        promise_type* outermost = this;
        Handle innermost;  ///< of the outermost
        Handle caller;
        std::exception_ptr error;

        Script get_return_object() {
            innermost = Handle::from_promise(*this);
            return Script(innermost);
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        Final final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { error = std::current_exception(); }
    };

    Script() = default;
    Script(Script&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Script& operator=(Script&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Script() {
        if (handle_) handle_.destroy();
    }

    [[nodiscard]] bool done() const { return !handle_ || handle_.done(); }
    /// Until the next turn, or the end. Throws what the script threw.
    void go_on() {
        handle_.promise().innermost.resume();
        if (handle_.done()) rethrow();
    }

    // --- as something another script awaits
    bool await_ready() noexcept { return false; }
    Handle await_suspend(Handle caller) noexcept {
        promise_type& mine = handle_.promise();
        mine.caller = caller;
        mine.outermost = caller.promise().outermost;
        mine.outermost->innermost = handle_;
        return handle_;
    }
    void await_resume() { rethrow(); }

private:
    explicit Script(Handle handle) : handle_(handle) {}
    void rethrow() {
        if (const auto error = std::exchange(handle_.promise().error, nullptr)) std::rethrow_exception(error);
    }
    Handle handle_;
};

inline std::coroutine_handle<> Script::Final::await_suspend(Handle ended) noexcept {
    promise_type& promise = ended.promise();
    if (!promise.caller) return std::noop_coroutine();
    promise.outermost->innermost = promise.caller;
    return promise.caller;
}

}  // namespace fermata::simulation
