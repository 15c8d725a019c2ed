#pragma once
// Skip, retry and no-rollback lists (Jakarta Batch §8.2.1.4.1): among all classes of an exception that a list names,
// the most derived decides; named in both lists it is excluded; nothing named, no match.
#include <fermata/batch/registry.hpp>
#include <fermata/model/resolved_job.hpp>

#include <set>
#include <string>

namespace fermata {

class ExceptionFilter {
public:
    ExceptionFilter() = default;
    explicit ExceptionFilter(const ResolvedExceptionFilter& definition) {
        for (const auto& item : definition.include) include_.insert(item.name);
        for (const auto& item : definition.exclude) exclude_.insert(item.name);
    }
    [[nodiscard]] bool matches(const std::exception& error, const Registry& registry) const {
        if (include_.empty()) return false;
        for (const std::string& name : registry.classes_of(error)) {
            if (exclude_.contains(name)) return false;
            if (include_.contains(name)) return true;
        }
        return false;
    }

private:
    std::set<std::string, std::less<>> include_;
    std::set<std::string, std::less<>> exclude_;
};

}  // namespace fermata
