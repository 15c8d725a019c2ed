#pragma once
// Data that can be reached only through its lock:  auto steps = steps_.lock();  steps->push_back(…);
#include <mutex>
#include <utility>

namespace fermata {

template <class T>
class Sync {
public:
    Sync() = default;
    explicit Sync(T value) : value_(std::move(value)) {}

    class Access {
    public:
        explicit Access(Sync& sync) : lock_(sync.mutex_), value_(&sync.value_) {}
        T* operator->() const noexcept { return value_; }
        T& operator*() const noexcept { return *value_; }
        std::unique_lock<std::mutex>& unique() noexcept { return lock_; }  ///< for condition variables

    private:
        std::unique_lock<std::mutex> lock_;
        T* value_;
    };
    [[nodiscard]] Access lock() { return Access(*this); }

private:
    std::mutex mutex_;
    T value_;
};

}  // namespace fermata
