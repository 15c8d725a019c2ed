#include "failure.hpp"

#include <fermata/sql/sql.hpp>

namespace fermata {
void with_exception(const std::exception_ptr& error, const std::function<void(const std::exception&)>& use) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        use(known);
    } catch (...) {
        use(std::runtime_error("an exception that is no std::exception was thrown"));
    }
}

Failure failure_of(const std::exception_ptr& error, const Registry& registry, std::string step) {
    Failure failure;
    failure.step = std::move(step);
    with_exception(error, [&](const std::exception& known) {
        const auto classes = registry.classes_of(known);
        failure.error_class = classes.empty() ? "std.exception" : classes.front();
        failure.message = known.what();
        if (const auto* base = dynamic_cast<const Error*>(&known); base != nullptr && !base->remedy().empty())
            failure.message += "; " + base->remedy();
        if (const auto* item = dynamic_cast<const ItemError*>(&known)) failure.position = item->position();
    });
    return failure;
}

bool is_fenced(const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    return known != nullptr && known->kind() == ErrorKind::stale;
}

bool is_fenced(const std::exception& error, const JobScope& scope) {
    if (!is_fenced(error)) return false;
    if (scope.stop.reason() == StopReason::fenced) return true;
    try {
        (void)scope.poll();
        return false;
    } catch (const std::exception&) {
        return true;
    }
}

bool is_lost(const std::exception& error) {
    const auto* known = dynamic_cast<const sql::SqlError*>(&error);
    return known != nullptr && known->sql_kind() == sql::SqlError::Kind::lost;
}

}  // namespace fermata
