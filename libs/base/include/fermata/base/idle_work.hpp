#pragma once
// What a thread can do while it waits for somebody: whoever has such work offers it, whoever waits does it.
#include <functional>
#include <memory>

namespace fermata {

/// Something that has to be done soon anyway, and that nobody sees: a reader looks at what it will be asked for next.
class IdleWork {
public:
    /// `work` does not throw.
    explicit IdleWork(std::function<void()> work) : work_(std::make_shared<std::function<void()>>(std::move(work))) {}
    /// The next wait of this thread does it, once, unless somebody else offers something by then.
    void offer() const noexcept;
    /// From now on no wait of this thread does it.
    void withdraw() const noexcept;
    /// Before a wait: does what is offered to this thread.
    static void run() noexcept;

private:
    std::shared_ptr<std::function<void()>> work_;
};

}  // namespace fermata
