#include "paths.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace fermata {
namespace {

std::string name(const PathElement& element) {
    return fmt::format("{} \"{}\"", element.word, printable(element.id, 60));
}

/// Where each id of the job stands, and that no two elements have the same.
class Ids {
public:
    Ids(const std::vector<PathScope>& scopes, const std::string& file, Diagnostics& diagnostics) {
        for (const auto& scope : scopes) {
            for (const auto& element : scope.elements) {
                if (element.id.empty())
                    diagnostics.error(file, element.at, fmt::format("{}: the id is empty", name(element)));
                if (scopes_.emplace(element.id, &scope).second) continue;
                diagnostics.error(file, element.at,
                                  fmt::format("{} id \"{}\" is used twice", element.word, printable(element.id, 60)));
            }
        }
    }
    /// The scope in which the element of this id stands, or null.
    [[nodiscard]] const PathScope* scope_of(const std::string& id) const {
        const auto found = scopes_.find(id);
        return found == scopes_.end() ? nullptr : found->second;
    }

private:
    std::unordered_map<std::string, const PathScope*> scopes_;
};

class Paths {
public:
    Paths(const PathScope& scope, const PathScope& job, const Ids& ids, const std::string& file,
          Diagnostics& diagnostics)
        : scope_(scope), elements_(scope.elements), job_(job), ids_(ids), file_(file), diagnostics_(diagnostics) {
        for (std::size_t i = 0; i < elements_.size(); ++i) index_.emplace(elements_[i].id, i);
    }

    /// `restarts`: where stop elements anywhere in the job restart it.
    void check(const std::vector<Link>& restarts) {
        report_decision_first();
        report_wrong_targets();
        report_self_transitions();
        report_cycles();
        report_unreachable(restarts);
    }

private:
    void report_decision_first() {
        if (elements_.empty() || elements_.front().word != "decision") return;
        error(elements_.front().at, fmt::format("{} comes first in {}, but a decision follows what it decides about",
                                                name(elements_.front()), scope_.name));
    }

    void report_wrong_targets() {
        for (const auto& element : elements_) {
            for (const auto& link : element.links) {
                const auto& scope = link.is_restart ? job_ : scope_;
                if (!link.target || ids_.scope_of(*link.target) == &scope) continue;
                all_known_ = false;
                error(link.at, fmt::format("{}: {}", name(element), what_is_wrong(link, scope)));
            }
        }
    }

    [[nodiscard]] std::string what_is_wrong(const Link& link, const PathScope& scope) const {
        const auto* other = ids_.scope_of(*link.target);
        if (other == nullptr) {
            std::vector<std::string> ids;
            for (const auto& element : scope.elements) ids.push_back(element.id);
            return fmt::format("{} names nothing in {}{}", link.written, scope.name, did_you_mean(*link.target, ids));
        }
        if (link.is_restart) {
            return fmt::format("{} names an element of {}, but a job restarts at one of its own", link.written,
                               other->name);
        }
        return fmt::format("{} leads from {} into {}, but transitions stay among the elements of one job or flow",
                           link.written, scope_.name, other->name);
    }

    void report_self_transitions() {
        for (const auto& element : elements_) {
            for (const auto& link : element.links) {
                if (link.is_restart || link.target != element.id) continue;
                error(link.at, fmt::format("{}: {} leads to the {} itself, but one execution enters a {} only once",
                                           name(element), link.written, element.word, element.word));
            }
        }
    }

    /// Certain links make a graph with at most one way out of an element: following it finds each cycle once.
    void report_cycles() {
        constexpr std::size_t unseen = 0;
        std::vector<std::size_t> seen_in_walk(elements_.size(), unseen);
        for (std::size_t start = 0; start < elements_.size(); ++start) {
            std::optional<std::size_t> at = start;
            while (at && seen_in_walk[*at] == unseen) {
                seen_in_walk[*at] = start + 1;
                at = certain_target(*at);
            }
            if (at && seen_in_walk[*at] == start + 1) report_cycle(*at);
        }
    }

    void report_cycle(std::size_t start) {
        std::string way = fmt::format("\"{}\"", printable(elements_[start].id, 60));
        std::size_t at = start;
        std::size_t last = start;
        do {
            last = at;
            at = *certain_target(at);
            way += fmt::format(" -> \"{}\"", printable(elements_[at].id, 60));
        } while (at != start);
        if (last == start) return;  // told as a transition to itself
        const auto& link = elements_[last].links[*elements_[last].certain];
        error(link.at, fmt::format("{}: {} closes a cycle that never ends: {}; one execution enters a {} only once",
                                   name(elements_[last]), link.written, way, elements_[start].word));
    }

    void report_unreachable(const std::vector<Link>& restarts) {
        if (!all_known_ || scope_.is_split || elements_.empty()) return;
        std::vector<bool> reached(elements_.size(), false);
        std::vector<std::size_t> open{0};
        if (&scope_ == &job_) {
            for (const auto& link : restarts) {
                if (!link.target) return;  // it may lead anywhere
                if (const auto found = index_.find(*link.target); found != index_.end()) open.push_back(found->second);
            }
        }
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (reached[at]) continue;
            reached[at] = true;
            for (const auto& link : elements_[at].links) {
                if (link.is_restart) continue;
                if (!link.target) return;
                open.push_back(index_.at(*link.target));
            }
        }
        for (std::size_t i = 0; i < elements_.size(); ++i) {
            if (!reached[i]) warn_unreachable(elements_[i]);
        }
    }

    void warn_unreachable(const PathElement& element) {
        diagnostics_.warning(
            file_, element.at,
            fmt::format("{} is never reached; a {} does not follow the one before it without next=\"{}\" there",
                        name(element), element.word, printable(element.id, 60)));
    }

    [[nodiscard]] std::optional<std::size_t> certain_target(std::size_t element) const {
        if (!elements_[element].certain) return std::nullopt;
        const auto& link = elements_[element].links[*elements_[element].certain];
        if (!link.target) return std::nullopt;
        const auto found = index_.find(*link.target);
        return found == index_.end() ? std::nullopt : std::optional(found->second);
    }

    void error(Position at, std::string message) { diagnostics_.error(file_, at, std::move(message)); }

    const PathScope& scope_;
    const std::vector<PathElement>& elements_;
    const PathScope& job_;
    const Ids& ids_;
    const std::string& file_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string, std::size_t> index_;
    bool all_known_ = true;
};

std::vector<Link> restarts_of(const std::vector<PathScope>& scopes) {
    std::vector<Link> restarts;
    for (const auto& scope : scopes)
        for (const auto& element : scope.elements)
            std::ranges::copy_if(element.links, std::back_inserter(restarts), &Link::is_restart);
    return restarts;
}

}  // namespace

void check_paths(const std::vector<PathScope>& scopes, const std::string& file, Diagnostics& diagnostics) {
    const Ids ids(scopes, file, diagnostics);
    const std::vector<Link> restarts = restarts_of(scopes);
    for (const auto& scope : scopes) Paths(scope, scopes.front(), ids, file, diagnostics).check(restarts);
}

}  // namespace fermata
