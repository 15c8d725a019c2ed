#include "failure.hpp"

#include "storable.hpp"

#include <fermata/batch/items.hpp>
#include <fermata/sql/sql.hpp>

#include <fmt/format.h>

#include <cxxabi.h>

namespace fermata {
namespace {

/// Of the exception that is being handled: its type, and its value where it has one that can be told.
std::string thrown() {
    try {
        throw;
    } catch (int value) {
        return fmt::format("int {}", value);
    } catch (const char* text) {
        return fmt::format("const char* \"{}\"", text != nullptr ? text : "");
    } catch (const std::string& text) {
        return fmt::format("std::string \"{}\"", text);
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        return type != nullptr ? detail::demangled(type->name()) : "of another language";
    }
}

}  // namespace

void with_exception(const std::exception_ptr& error, const std::function<void(const std::exception&)>& use) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        use(known);
    } catch (...) {
        use(std::runtime_error("an exception that is no std::exception was thrown: " + thrown()));
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
        if (failure.message.empty()) failure.message = "no message";
        if (const auto* item = dynamic_cast<const ItemError*>(&known)) failure.position = item->position();
        make_storable(failure.message);
        make_storable(failure.position);
    });
    return failure;
}

bool is_fenced(const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    return known != nullptr && known->kind() == ErrorKind::stale;
}

bool is_fenced(const std::exception& error, const JobScope& scope) {
    if (!is_fenced(error)) return false;
    if (dynamic_cast<const Fenced*>(&error) != nullptr) return true;
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
