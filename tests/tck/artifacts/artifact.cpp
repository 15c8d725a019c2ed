#include "artifact.hpp"

#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::tck {

std::optional<std::string> Artifact::find(std::string_view name) const {
    auto value = properties_.find<std::string>(name);
    return value && !value->empty() ? value : std::nullopt;
}

std::string Artifact::text(std::string_view name, std::string otherwise) const {
    return find(name).value_or(std::move(otherwise));
}

std::int64_t Artifact::number(std::string_view name, std::int64_t otherwise) const {
    const auto value = find(name);
    if (!value) return otherwise;
    const auto parsed = parse_int64(*value);
    if (!parsed) throw Unexpected("property " + std::string(name) + " is no number: " + *value);
    return *parsed;
}

std::vector<std::int64_t> Artifact::numbers(std::string_view name) const {
    std::vector<std::int64_t> all;
    for (const std::string& part : split(text(name), ',')) {
        const auto parsed = parse_int64(trim(part));
        if (parsed) all.push_back(*parsed);
    }
    return all;
}

void Artifact::append_to_job_exit_status(std::string_view text) {
    job_.exit_status = job_.exit_status.value_or("null") + std::string(text);
}

bool contains(const std::vector<std::int64_t>& list, std::int64_t number) {
    return std::ranges::find(list, number) != list.end();
}

}  // namespace fermata::tck
