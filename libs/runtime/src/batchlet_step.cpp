#include "batchlet_step.hpp"

#include "failure.hpp"
#include "step_waits.hpp"

#include <functional>
#include <stop_token>
#include <system_error>
#include <thread>

namespace fermata {
namespace {

/// Calls stop() once when a stop is requested while it lives: on a thread of its own, since who asks has others to ask,
/// and made only then, since most batchlets are over sooner than a thread begins. An exception from stop() is told in
/// the step's log: process() goes on to decide the outcome.
class StopCaller {
public:
    StopCaller(AnyBatchlet& batchlet, StepScope& scope)
        : batchlet_(batchlet), scope_(scope), asked_(scope.stop.signal().token(), [this] { begin(); }) {}

private:
    void begin() noexcept {
        try {
            thread_ = std::jthread([this] { call(); });
        } catch (const std::system_error&) {
            call();  // no thread is to be had: better late for the others than never
        }
    }
    void call() noexcept {
        try {
            batchlet_.stop();
        } catch (...) {
            with_exception(std::current_exception(), [this](const std::exception& error) {
                if (scope_.context.log != nullptr)
                    scope_.context.log->line(std::string("stop() threw: ") + error.what());
            });
        }
    }

    AnyBatchlet& batchlet_;
    StepScope& scope_;
    std::jthread thread_;
    std::stop_callback<std::function<void()>> asked_;  // last: once it is gone nobody begins the thread any more
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
