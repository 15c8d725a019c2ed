#include "oracle.hpp"

#include <algorithm>

namespace fermata::test {
namespace {

using Kind = RandomElement::Kind;
using Way = RandomTransition::Kind;

/// §8.6: the whole text, `*` any run, `?` one character.
bool matches(const std::string& pattern, const std::string& text, std::size_t p = 0, std::size_t t = 0) {
    if (p == pattern.size()) return t == text.size();
    if (pattern[p] == '*')
        return matches(pattern, text, p + 1, t) || (t < text.size() && matches(pattern, text, p, t + 1));
    return t < text.size() && (pattern[p] == '?' || pattern[p] == text[t]) && matches(pattern, text, p + 1, t + 1);
}

int weight(const std::string& status) { return status == "FAILED" ? 3 : status == "STOPPED" ? 2 : 1; }

}  // namespace

OracleExecution Oracle::execute() {
    now_ = {};
    stop_ = false;
    Context context;
    const std::string first = restart_at_.empty() ? job_.elements.front().id : restart_at_;
    const Outcome outcome = walk(job_.elements, first, context);
    now_.status = outcome.status;
    now_.exit_status = context.exit_status.empty() ? outcome.status : context.exit_status;
    now_.restart_from = outcome.restart;
    restart_at_ = outcome.restart;
    return now_;
}

Oracle::Outcome Oracle::walk(const Elements& elements, std::string at, Context& context) {
    std::set<std::string> entered;
    std::vector<std::string> before;
    for (;;) {
        const RandomElement& element = *std::ranges::find(elements, at, &RandomElement::id);
        if (stop_) return {.status = "STOPPED", .exit_status = "STOPPED", .steps = before, .ends_job = true};
        if (!entered.insert(at).second) return {.status = "FAILED", .exit_status = "FAILED", .ends_job = true};
        Outcome outcome = visit(element, before, context);
        if (!outcome.steps.empty()) before = outcome.steps;
        outcome.steps = before;
        if (outcome.ends_job) return outcome;
        if (outcome.status == "STOPPED") {  // §11.13: no transition is looked at
            outcome.ends_job = true;
            return outcome;
        }
        const auto way = std::ranges::find_if(element.transitions, [&](const RandomTransition& candidate) {
            return matches(candidate.on, outcome.exit_status);
        });
        if (way == element.transitions.end()) {
            if (outcome.status == "FAILED") return outcome;
            if (element.next.empty()) return outcome;
            at = element.next;
            continue;
        }
        if (!way->exit_status.empty()) context.exit_status = way->exit_status;
        if (way->kind == Way::next) {
            at = way->to;
            continue;
        }
        outcome.status = way->kind == Way::end ? "COMPLETED" : way->kind == Way::fail ? "FAILED" : "STOPPED";
        outcome.ends_job = true;
        outcome.by_element = true;
        outcome.carried = context.exit_status;
        outcome.restart = way->restart;
        return outcome;
    }
}

Oracle::Outcome Oracle::visit(const RandomElement& element, const std::vector<std::string>& before, Context& context) {
    switch (element.kind) {
        case Kind::flow:
            return walk(element.inside, element.inside.front().id, context);
        case Kind::split:
            return split(element, context);
        case Kind::decision:
            return decide(element, before, context);
        case Kind::step:
            break;
    }
    return step(element);
}

/// §10.8.
Oracle::Outcome Oracle::step(const RandomElement& element) {
    Memory& memory = memory_[element.id];
    const bool completed = memory.status == "COMPLETED";
    if (completed && !element.again) return {.exit_status = memory.exit_status, .steps = {element.id}};
    if (element.start_limit > 0 && memory.starts >= element.start_limit)
        return {.status = "FAILED", .exit_status = "FAILED", .ends_job = true};
    if (completed) memory.completed.clear();
    ++memory.starts;
    memory.entered = ++clock_;
    const std::size_t place = now_.steps.size();
    now_.steps.push_back({element.id, {}, {}});
    std::string exit_status;
    const std::string status =
        element.partitions > 0 ? run_partitions(element, memory) : run_batchlet(element.id, -1, exit_status);
    memory.status = status;
    memory.exit_status = exit_status.empty() ? status : exit_status;
    now_.steps[place].status = status;
    now_.steps[place].exit_status = memory.exit_status;
    return {.status = status, .exit_status = memory.exit_status, .steps = {element.id}};
}

std::string Oracle::run_batchlet(const std::string& id, int partition, std::string& exit_status) {
    const Deed deed = next_deed(id, partition);
    if (deed.kind == Deed::Kind::fail) return "FAILED";
    exit_status = deed.status;
    if (deed.kind == Deed::Kind::stop) stop_ = true;
    return deed.kind == Deed::Kind::stop ? "STOPPED" : "COMPLETED";
}

/// §8.2.6, §10.8.5: those that are not COMPLETED, and none after a stop.
std::string Oracle::run_partitions(const RandomElement& element, Memory& memory) {
    memory.completed.resize(static_cast<std::size_t>(element.partitions));
    bool failed = false;
    bool stopped = false;
    for (int partition = 0; partition < element.partitions; ++partition) {
        if (memory.completed[static_cast<std::size_t>(partition)]) continue;
        std::string ignored;
        const std::string status = stop_ ? "STOPPED" : run_batchlet(element.id, partition, ignored);
        failed = failed || status == "FAILED";
        stopped = stopped || status == "STOPPED";
        memory.completed[static_cast<std::size_t>(partition)] = status == "COMPLETED";
    }
    return failed ? "FAILED" : stopped ? "STOPPED" : "COMPLETED";
}

/// §8.4.1.
Oracle::Outcome Oracle::split(const RandomElement& element, Context& context) {
    std::vector<Outcome> outcomes;
    std::vector<std::string> steps;
    for (const RandomElement& flow : element.inside) {
        Context own;
        outcomes.push_back(walk({flow}, flow.id, own));
        steps.insert(steps.end(), outcomes.back().steps.begin(), outcomes.back().steps.end());
    }
    const Outcome* worst = nullptr;
    for (const Outcome& outcome : outcomes) {
        const bool counts = outcome.ends_job || outcome.status != "COMPLETED";
        if (counts && (worst == nullptr || weight(outcome.status) > weight(worst->status))) worst = &outcome;
    }
    if (worst == nullptr) return {.exit_status = "COMPLETED", .steps = steps};
    Outcome result = *worst;
    result.ends_job = std::ranges::any_of(outcomes, &Outcome::ends_job);
    result.steps = steps;
    if (result.by_element && !result.carried.empty()) context.exit_status = result.carried;
    return result;
}

/// §8.5, §9.6.
Oracle::Outcome Oracle::decide(const RandomElement& element, const std::vector<std::string>& before, Context& context) {
    std::vector<std::string> steps = before;
    if (steps.empty()) {
        const auto last = std::ranges::max_element(memory_, {}, [](const auto& known) { return known.second.entered; });
        if (last != memory_.end() && last->second.entered > 0) steps = {last->first};
    }
    std::string asked = element.id + ":";
    for (const std::string& step : steps) asked += " " + step;
    now_.decisions.push_back(asked);
    const Deed deed = next_deed(element.id, -1);
    if (deed.kind == Deed::Kind::fail) return {.status = "FAILED", .exit_status = "FAILED", .ends_job = true};
    if (deed.kind == Deed::Kind::stop) stop_ = true;
    context.exit_status = deed.status;
    return {.exit_status = deed.status, .steps = before};
}

/// An owner that dies leaves no trace: the same call is made again.
Deed Oracle::next_deed(const std::string& id, int partition) {
    for (;;) {
        const int call = calls_[{id, partition}]++;
        made_.insert({id, partition, call});
        Deed deed = job_.deed(id, partition, call);
        if (deed.kind != Deed::Kind::die) return deed;
    }
}

}  // namespace fermata::test
