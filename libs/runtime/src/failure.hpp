#pragma once
// An exception as the record keeps it.
#include "outcome.hpp"
#include "step_scope.hpp"

#include <fermata/batch/registry.hpp>
#include <fermata/model/records.hpp>

#include <exception>
#include <functional>
#include <string>

namespace fermata {

/// Calls `use` with the exception; one that is no std::exception becomes a std::runtime_error saying so.
void with_exception(const std::exception_ptr& error, const std::function<void(const std::exception&)>& use);
[[nodiscard]] Failure failure_of(const std::exception_ptr& error, const Registry& registry, std::string step = {});
/// Another owner holds the execution now: nothing may be written.
[[nodiscard]] bool is_fenced(const std::exception& error);
/// The same of an error that may be an artifact's own, as of a statement that changed another number of rows than it
/// must: only if what is run here is not ours any more, or that cannot be found out.
[[nodiscard]] bool is_fenced(const std::exception& error, const JobScope& scope);
/// Of which that was found out: nobody who hears of it asks again.
class Fenced : public Error {
public:
    explicit Fenced(const Error& by) : Error(ErrorKind::stale, by.what(), by.remedy()) {}
};
/// The connection to a database went away; nothing of its transaction was kept.
[[nodiscard]] bool is_lost(const std::exception& error);

/// What `action` answers; whatever it throws becomes `failed(std::exception_ptr)`, except being fenced: Fenced.
template <class Action, class OnFailure>
StepOutcome outcome_of(const JobScope& scope, Action&& action, OnFailure&& failed) {
    try {
        return action();
    } catch (const std::exception& error) {
        if (is_fenced(error, scope)) throw Fenced(dynamic_cast<const Error&>(error));
        return failed(std::current_exception());
    } catch (...) {
        return failed(std::current_exception());
    }
}

}  // namespace fermata
