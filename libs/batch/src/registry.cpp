#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/batch/registry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace fermata {
namespace {

bool any(const std::exception&) { return true; }

}  // namespace

std::string_view to_string(ArtifactKind kind) {
    switch (kind) {
        case ArtifactKind::reader:
            return "reader";
        case ArtifactKind::processor:
            return "processor";
        case ArtifactKind::writer:
            return "writer";
        case ArtifactKind::batchlet:
            return "batchlet";
        case ArtifactKind::listener:
            return "listener";
        case ArtifactKind::checkpoint_algorithm:
            return "checkpoint-algorithm";
        case ArtifactKind::decider:
            return "decider";
        case ArtifactKind::mapper:
            return "mapper";
        case ArtifactKind::collector:
            return "collector";
        case ArtifactKind::analyzer:
            return "analyzer";
        case ArtifactKind::reducer:
            return "reducer";
    }
    return {};
}

Registry::Registry() {
    // The names job XML written for Java uses for "any".
    add_exception({"java.lang.Throwable", "", any});
    add_exception({"java.lang.Exception", "java.lang.Throwable", any});
    add_exception({"std.exception", "java.lang.Exception", any, &typeid(std::exception)});
    exception<Error>("fermata.Error");
    exception<ItemError>("fermata.ItemError", "fermata.Error");
    exception<ReadError>("fermata.ReadError", "fermata.ItemError");
    exception<ParseError>("fermata.ParseError", "fermata.ItemError");
    exception<ConversionError>("fermata.ConversionError", "fermata.ItemError");
    exception<ValidationError>("fermata.ValidationError", "fermata.ItemError");
    exception<ConstraintError>("fermata.ConstraintError", "fermata.ItemError");
    exception<IoError>("fermata.IoError", "fermata.ItemError");
    exception<ChildError>("fermata.ChildError", "fermata.ItemError");
    exception<SkipItem>("fermata.SkipItem", "fermata.ItemError");
}

ArtifactEntry& Registry::add(ArtifactEntry entry) {
    if (entry.name.empty())
        throw Error(ErrorKind::invalid, fmt::format("a {} is registered without a name", to_string(entry.kind)),
                    "give it the name that job XML calls it by");
    auto key = std::pair(entry.kind, entry.name);
    auto [place, is_new] = artifacts_.try_emplace(std::move(key), std::move(entry));
    if (is_new) return place->second;
    const auto& [kind, name] = place->first;
    throw Error(ErrorKind::invalid, fmt::format("{} \"{}\" is registered already", to_string(kind), name),
                "give one of the two another name");
}

void Registry::add_exception(ExceptionClass exception) {
    if (!exception.base.empty() && find_exception(exception.base) == nullptr)
        throw Error(ErrorKind::invalid,
                    fmt::format(R"(exception "{}": base "{}" is not registered{})", exception.name, exception.base,
                                did_you_mean(exception.base, exception_names())),
                    "register the base first");
    if (find_exception(exception.name) != nullptr)
        throw Error(ErrorKind::invalid, fmt::format("exception \"{}\" is registered already", exception.name),
                    "give one of the two another name");
    exceptions_.emplace(exception.name, std::move(exception));
}

const ArtifactEntry* Registry::find(ArtifactKind kind, std::string_view name) const {
    const auto found = artifacts_.find(std::pair(kind, std::string(name)));
    return found == artifacts_.end() ? nullptr : &found->second;
}

std::vector<const ArtifactEntry*> Registry::all() const {
    std::vector<const ArtifactEntry*> result;
    result.reserve(artifacts_.size());
    for (const auto& [key, entry] : artifacts_) result.push_back(&entry);
    return result;
}

std::vector<std::string> Registry::names(ArtifactKind kind) const {
    std::vector<std::string> result;
    for (const auto& [key, entry] : artifacts_)
        if (key.first == kind) result.push_back(key.second);
    return result;
}

const ExceptionClass* Registry::find_exception(std::string_view name) const {
    const auto found = exceptions_.find(name);
    return found == exceptions_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::exception_names() const {
    const auto names = std::views::keys(exceptions_);
    return {names.begin(), names.end()};
}

std::vector<std::string> Registry::classes_of(const std::exception& error) const {
    const auto bases = [&](const ExceptionClass* of) {
        int count = 0;
        for (; of != nullptr; of = find_exception(of->base)) ++count;
        return count;
    };
    struct Match {
        bool exact;
        int depth;
        std::string name;
    };
    std::vector<Match> matches;
    for (const auto& [name, known] : exceptions_)
        if (known.matches(error))
            matches.push_back({known.type != nullptr && *known.type == typeid(error), bases(&known), name});
    std::ranges::stable_sort(matches, std::greater{}, [](const Match& m) { return std::pair(m.exact, m.depth); });
    const auto names = matches | std::views::transform(&Match::name);
    return {names.begin(), names.end()};
}

}  // namespace fermata
