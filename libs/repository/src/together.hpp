#pragma once
// What several threads ask for at one time, done in one transaction: a commit waits for a disk, however much is in it.
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace fermata {

/// Whoever comes while nothing is under way does at once what it asks for, alone. Whoever comes meanwhile waits for
/// that one's end, and goes with all that wait then.
template <class Request>
class Together {
public:
    /// Does the request, or several of several threads in one. Answers false if they cannot be done together; then
    /// nothing of them was done.
    using Group = std::function<bool(std::span<const Request* const>)>;

    /// True: it was done in a group, by this thread or another one. False: it is to be done alone, now; others do not
    /// wait for that. Throws what the group threw, in each of its threads.
    bool ask(const Request& request, const Group& group) {
        Waiting mine{&request};
        std::unique_lock lock(mutex_);
        waiting_.push_back(&mine);
        turn_.wait(lock, [&] { return mine.state != State::waits || !busy_; });
        if (mine.state == State::waits) lead(lock, group);
        if (mine.error) std::rethrow_exception(mine.error);
        return mine.state == State::done;
    }

    /// How many wait for those that are under way.
    [[nodiscard]] std::size_t waiting() {
        const std::lock_guard lock(mutex_);
        return waiting_.size();
    }

private:
    enum class State : std::uint8_t { waits, done, alone };
    struct Waiting {
        const Request* request;
        State state = State::waits;
        std::exception_ptr error = nullptr;
    };

    void lead(std::unique_lock<std::mutex>& lock, const Group& group) {
        busy_ = true;
        const std::vector<Waiting*> all = std::exchange(waiting_, {});
        lock.unlock();
        std::vector<const Request*> requests;
        for (const Waiting* each : all) requests.push_back(each->request);
        State state = State::alone;
        std::exception_ptr error;
        try {
            if (group(requests)) state = State::done;
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        busy_ = false;
        for (Waiting* each : all) {
            each->state = state;
            each->error = error;
        }
        turn_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable turn_;
    std::vector<Waiting*> waiting_;
    bool busy_ = false;
};

}  // namespace fermata
