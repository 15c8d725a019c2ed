#include "batchlet_step.hpp"

#include "step_waits.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace fermata {
namespace {

/// Calls stop() once, on a thread of its own, when a stop is requested while it lives. An exception from stop() is told
/// in the step's log: process() goes on to decide the outcome.
class StopCaller {
public:
    StopCaller(AnyBatchlet& batchlet, StepScope& scope)
        : batchlet_(batchlet), scope_(scope), thread_([this](std::stop_token done) { run(done); }) {}

private:
    void run(std::stop_token done) {
        std::stop_callback wake(scope_.stop.signal().token(), [this] {
            const std::lock_guard lock(mutex_);
            wake_.notify_all();
        });
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, done, [this] { return scope_.stop.requested(); });
        }
        if (!scope_.stop.requested() || done.stop_requested()) return;
        try {
            batchlet_.stop();
        } catch (const std::exception& error) {
            if (scope_.context.log != nullptr) scope_.context.log->line(std::string("stop() threw: ") + error.what());
        }
    }

    AnyBatchlet& batchlet_;
    StepScope& scope_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

StepOutcome run_batchlet(const RunnableBatchlet& runnable, StepScope& scope) {
    const Properties properties = scope.properties_of("batchlet", *runnable.definition);
    const auto batchlet = runnable.batchlet->make_batchlet({properties, &scope.context, scope.job_context});
    std::string exit_status;
    bool stopped = false;
    {
        const StopCaller stopper(*batchlet, scope);
        exit_status = batchlet->process();
        stopped = scope.stop.requested();
    }
    if (stopped && scope.stop.is_cut()) return Cut{};
    if (!stopped && wants_to_rest(scope.context)) return Paused{};
    if (!scope.context.exit_status && !exit_status.empty()) scope.context.exit_status = exit_status;
    if (stopped) return Stopped{};
    return Completed{};
}

}  // namespace fermata
