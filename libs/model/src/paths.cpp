#include "paths.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace fermata {
namespace {

class Paths {
public:
    Paths(const std::vector<PathStep>& steps, const std::string& file, Diagnostics& diagnostics)
        : steps_(steps), file_(file), diagnostics_(diagnostics) {
        for (std::size_t i = 0; i < steps.size(); ++i) index_.emplace(steps[i].id, i);
    }

    void check() {
        report_duplicates();
        report_unknown_targets();
        report_self_transitions();
        report_cycles();
        report_unreachable();
    }

private:
    void report_duplicates() {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (index_.at(steps_[i].id) == i) continue;
            error(steps_[i].at, fmt::format("step id \"{}\" is used twice", printable(steps_[i].id, 60)));
        }
    }

    void report_unknown_targets() {
        std::vector<std::string> ids;
        for (const auto& step : steps_) ids.push_back(step.id);
        for (const auto& step : steps_) {
            for (const auto& link : step.links) {
                if (!link.target || index_.contains(*link.target)) continue;
                all_known_ = false;
                error(link.at, fmt::format("{}: {} names nothing in this job{}", name(step), link.written,
                                           did_you_mean(*link.target, ids)));
            }
        }
    }

    void report_self_transitions() {
        for (const auto& step : steps_) {
            for (const auto& link : step.links) {
                if (link.is_restart || link.target != step.id) continue;
                error(link.at, fmt::format("{}: {} leads to the step itself, but one execution enters a step only once",
                                           name(step), link.written));
            }
        }
    }

    /// Certain links make a graph with at most one way out of a step: following it finds each cycle once.
    void report_cycles() {
        constexpr std::size_t unseen = 0;
        std::vector<std::size_t> seen_in_walk(steps_.size(), unseen);
        for (std::size_t start = 0; start < steps_.size(); ++start) {
            std::optional<std::size_t> at = start;
            while (at && seen_in_walk[*at] == unseen) {
                seen_in_walk[*at] = start + 1;
                at = certain_target(*at);
            }
            if (at && seen_in_walk[*at] == start + 1) report_cycle(*at);
        }
    }

    void report_cycle(std::size_t start) {
        std::string way = fmt::format("\"{}\"", printable(steps_[start].id, 60));
        std::size_t at = start;
        std::size_t last = start;
        do {
            last = at;
            at = *certain_target(at);
            way += fmt::format(" -> \"{}\"", printable(steps_[at].id, 60));
        } while (at != start);
        if (last == start) return;  // told as a transition to itself
        error(steps_[last].links[*steps_[last].certain].at,
              fmt::format("{}: {} closes a cycle that never ends: {}; one execution enters a step only once",
                          name(steps_[last]), steps_[last].links[*steps_[last].certain].written, way));
    }

    void report_unreachable() {
        if (!all_known_) return;
        std::vector<bool> reached(steps_.size(), false);
        std::vector<std::size_t> open;
        if (!steps_.empty()) open.push_back(0);
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (reached[at]) continue;
            reached[at] = true;
            for (const auto& link : steps_[at].links) {
                if (!link.target) return;  // it may lead anywhere
                open.push_back(index_.at(*link.target));
            }
        }
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (!reached[i]) warn_unreachable(i);
        }
    }

    void warn_unreachable(std::size_t i) {
        const auto id = printable(steps_[i].id, 60);
        diagnostics_.warning(
            file_, steps_[i].at,
            fmt::format("step \"{}\" is never reached; a step does not follow the one before it without "
                        "next=\"{}\" there",
                        id, id));
    }

    [[nodiscard]] std::optional<std::size_t> certain_target(std::size_t step) const {
        if (!steps_[step].certain) return std::nullopt;
        const auto& link = steps_[step].links[*steps_[step].certain];
        if (!link.target) return std::nullopt;
        const auto found = index_.find(*link.target);
        return found == index_.end() ? std::nullopt : std::optional(found->second);
    }

    static std::string name(const PathStep& step) { return fmt::format("step \"{}\"", printable(step.id, 60)); }
    void error(Position at, std::string message) { diagnostics_.error(file_, at, std::move(message)); }

    const std::vector<PathStep>& steps_;
    const std::string& file_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string, std::size_t> index_;
    bool all_known_ = true;
};

}  // namespace

void check_paths(const std::vector<PathStep>& steps, const std::string& file, Diagnostics& diagnostics) {
    Paths(steps, file, diagnostics).check();
}

}  // namespace fermata
