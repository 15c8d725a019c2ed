#pragma once
// Threads that help: partitions and flows of splits run on them and, so that no number of threads can be too small, on
// the thread that waits for them. A coordinator only ever runs children of its own, never somebody else's.
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fermata {

class Crew {
public:
    /// At most `helpers` threads, made when they are first needed; 0 is enough.
    explicit Crew(std::size_t helpers) : most_(helpers) {}
    /// REQUIRES: no gang is running.
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    /// Children 0 … count - 1 that run at the same time.
    class Gang {
    public:
        struct Work {
            std::size_t count = 0;
            std::size_t width = 0;                   ///< at most so many at once, > 0
            std::function<void(std::size_t)> child;  ///< must not throw
            std::function<void()> attend = nullptr;  ///< on the coordinator, after call_coordinator(); may be empty
        };
        Gang(Crew& crew, Work work) : crew_(crew), work_(std::move(work)) {}
        /// Runs all children and returns when the last has returned and was attended to. With `attend` this thread
        /// takes a child only if no other thread is there to do so: its business is to attend.
        void run();
        /// From any thread, while run() runs.
        void call_coordinator();

    private:
        friend class Crew;
        [[nodiscard]] bool has_work() const { return next_ < work_.count && active_ < work_.width; }
        [[nodiscard]] bool should_work_here() const;

        Crew& crew_;
        Work work_;
        std::size_t next_ = 0;
        std::size_t active_ = 0;
        bool called_ = false;
        std::condition_variable changed_;
    };

private:
    void help();
    void recruit(const Gang& gang);
    void run_next(Gang& gang, std::unique_lock<std::mutex>& lock);
    Gang* find_work();

    std::size_t most_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<Gang*> gangs_;
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::vector<std::jthread> helpers_;
};

}  // namespace fermata
