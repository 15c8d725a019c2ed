#include "random_job.hpp"

#include <fmt/format.h>

#include <functional>

namespace fermata::test {
namespace {

using Kind = RandomElement::Kind;
using Way = RandomTransition::Kind;

constexpr int most_depth = 5;
constexpr int most_calls = 5;  ///< from then on everything simply answers, so that every job ends

class Draw {
public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    int below(int bound) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(bound)); }
    bool chance(int percent) { return below(100) < percent; }
    template <std::size_t N>
    std::string one_of(const char* const (&words)[N]) {
        return words[below(static_cast<int>(N))];
    }

private:
    std::mt19937_64 engine_;
};

class Drawing {
public:
    explicit Drawing(std::uint64_t seed) : draw_(seed) {}

    std::vector<RandomElement> job(RandomJob::Kind kind) {
        auto made = scope(1, 4);
        for (const RandomElement& element : made)
            if (kind == RandomJob::Kind::any || element.kind != Kind::decision)
                for_stops(made, [&](RandomTransition& stop) {
                    if (stop.restart.empty() && draw_.chance(15)) stop.restart = element.id;
                });
        return made;
    }

private:
    std::vector<RandomElement> scope(int depth, int most) {
        std::vector<RandomElement> elements;
        const int count = 1 + draw_.below(most);
        for (int i = 0; i < count && left_ > 0; ++i) elements.push_back(element(depth, i == 0));
        if (elements.empty()) elements.push_back(step());
        for (std::size_t i = 0; i < elements.size(); ++i) lead_on(elements, i);
        return elements;
    }
    RandomElement element(int depth, bool first) {
        --left_;
        const int kind = draw_.below(10);
        if (kind < 2 && depth < most_depth) return flow(depth);
        if (kind == 2 && depth + 1 < most_depth) return split(depth);
        if (kind == 3 && !first) return {.kind = Kind::decision, .id = name("d")};
        return step();
    }
    RandomElement step() {
        return {.kind = Kind::step,
                .id = name("s"),
                .partitions = draw_.chance(12) ? 1 + draw_.below(3) : 0,
                .start_limit = draw_.chance(10) ? 1 + draw_.below(3) : 0,
                .again = draw_.chance(20)};
    }
    RandomElement flow(int depth) { return {.kind = Kind::flow, .id = name("f"), .inside = scope(depth + 1, 3)}; }
    RandomElement split(int depth) {
        RandomElement made{.kind = Kind::split, .id = name("x")};
        const int flows = 1 + draw_.below(3);
        for (int i = 0; i < flows; ++i) {
            made.inside.push_back(flow(depth + 1));
            if (draw_.chance(15)) made.inside.back().transitions.push_back(ending());
        }
        return made;
    }

    /// Next attributes lead forward only, so that no way is certain to be a loop; next elements anywhere.
    void lead_on(std::vector<RandomElement>& elements, std::size_t at) {
        RandomElement& element = elements[at];
        if (element.kind != Kind::decision && at + 1 < elements.size() && draw_.chance(80))
            element.next = elements[at + 1 +
                                    static_cast<std::size_t>(
                                        draw_.below(draw_.chance(80) ? 1 : static_cast<int>(elements.size() - at - 1)))]
                               .id;
        if (element.kind == Kind::split) return;
        const int ways = element.kind == Kind::decision ? 1 + draw_.below(3)
                         : draw_.chance(35)             ? 1 + draw_.below(2)
                                                        : 0;
        for (int i = 0; i < ways; ++i) {
            if (elements.size() == 1 || draw_.chance(25)) {
                element.transitions.push_back(ending());
                continue;
            }
            auto to = static_cast<std::size_t>(draw_.below(static_cast<int>(elements.size())));
            if (to <= at && draw_.chance(80)) to = std::min(at + 1, elements.size() - 1);
            if (to == at) continue;
            const bool forward = to > at;
            element.transitions.push_back(
                {.kind = Way::next,
                 .on = forward ? draw_.one_of({"A", "B", "*", "F*", "COMPLETED", "?"}) : draw_.one_of({"A", "B", "F*"}),
                 .to = elements[to].id});
        }
    }
    RandomTransition ending() {
        const Way kinds[] = {Way::end, Way::fail, Way::stop};
        return {.kind = kinds[draw_.below(3)],
                .on = draw_.one_of({"A", "B", "*", "FAILED", "C*"}),
                .exit_status = draw_.chance(50) ? draw_.one_of({"E1", "E2"}) : ""};
    }
    static void for_stops(std::vector<RandomElement>& elements, const std::function<void(RandomTransition&)>& change) {
        for (RandomElement& element : elements) {
            for (RandomTransition& way : element.transitions)
                if (way.kind == Way::stop) change(way);
            for_stops(element.inside, change);
        }
    }
    std::string name(const char* letter) { return letter + std::to_string(++names_); }

    Draw draw_;
    int names_ = 0;
    int left_ = 9;  ///< elements, so that a job stays readable
};

std::string attribute(const char* name, const std::string& value) {
    return value.empty() ? "" : fmt::format(" {}=\"{}\"", name, value);
}

std::string to_xml(const RandomTransition& way) {
    constexpr const char* words[] = {"next", "end", "fail", "stop"};
    return fmt::format("<{} on=\"{}\"{}{}{}/>", words[static_cast<int>(way.kind)], way.on, attribute("to", way.to),
                       attribute("exit-status", way.exit_status), attribute("restart", way.restart));
}

/// As drawn by the id, so that a simpler job has them at the same elements.
bool has_pause(const RandomElement& element) {
    return element.kind != Kind::split && std::hash<std::string>()("pause " + element.id) % 4 == 0;
}

std::string to_xml(const RandomElement& element, int depth, bool pauses) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    std::string inside;
    for (const RandomElement& inner : element.inside) inside += to_xml(inner, depth + 1, pauses);
    if (pauses && has_pause(element)) inside += indent + "  <fer:pause on=\"*\" point=\"drawn\"/>\n";
    for (const RandomTransition& way : element.transitions) inside += indent + "  " + to_xml(way) + "\n";
    const std::string head = attribute("id", element.id) + attribute("next", element.next);
    switch (element.kind) {
        case Kind::flow:
            return fmt::format("{0}<flow{1}>\n{2}{0}</flow>\n", indent, head, inside);
        case Kind::split:
            return fmt::format("{0}<split{1}>\n{2}{0}</split>\n", indent, head, inside);
        case Kind::decision:
            return fmt::format("{0}<decision{1} ref=\"decider\">\n{2}{0}</decision>\n", indent, head, inside);
        case Kind::step:
            break;
    }
    const std::string partition =
        element.partitions == 0 ? ""
                                : fmt::format("<partition><plan partitions=\"{}\"/></partition>", element.partitions);
    return fmt::format("{0}<step{1}{2}{3}><batchlet ref=\"scripted\"/>{4}\n{5}{0}</step>\n", indent, head,
                       element.start_limit > 0 ? fmt::format(" start-limit=\"{}\"", element.start_limit) : "",
                       element.again ? " allow-start-if-complete=\"true\"" : "", partition, inside);
}

/// Takes out all ways that lead to `id`.
void forget(std::vector<RandomElement>& elements, const std::string& id) {
    for (RandomElement& element : elements) {
        if (element.next == id) element.next.clear();
        std::erase_if(element.transitions, [&](const RandomTransition& way) { return way.to == id; });
        for (RandomTransition& way : element.transitions)
            if (way.restart == id) way.restart.clear();
        forget(element.inside, id);
    }
}

class Simplifier {
public:
    explicit Simplifier(const RandomJob& job) : job_(job) { visit(job.elements, {}); }
    std::vector<RandomJob> found;

private:
    using Path = std::vector<std::size_t>;
    static std::vector<RandomElement>& siblings(RandomJob& job, const Path& path) {
        auto* list = &job.elements;
        for (const std::size_t index : path) list = &(*list)[index].inside;
        return *list;
    }
    template <class Change>
    void add(const Path& path, Change&& change) {
        RandomJob simpler = job_;
        change(simpler, siblings(simpler, path));
        found.push_back(std::move(simpler));
    }
    void visit(const std::vector<RandomElement>& elements, const Path& path) {
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const RandomElement& element = elements[i];
            if (elements.size() > 1)
                add(path, [&](RandomJob& job, auto& list) {
                    const std::string id = list[i].id;
                    list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
                    forget(job.elements, id);
                });
            if (element.kind == Kind::flow) unwrap(path, i, element.inside);
            if (element.kind == Kind::split)
                for (const RandomElement& flow : element.inside) unwrap(path, i, flow.inside);
            for (std::size_t way = 0; way < element.transitions.size(); ++way)
                add(path, [&](RandomJob&, auto& list) {
                    list[i].transitions.erase(list[i].transitions.begin() + static_cast<std::ptrdiff_t>(way));
                });
            if (!element.next.empty()) add(path, [&](RandomJob&, auto& list) { list[i].next.clear(); });
            if (element.partitions > 0) add(path, [&](RandomJob&, auto& list) { list[i].partitions = 0; });
            if (element.partitions > 1) add(path, [&](RandomJob&, auto& list) { --list[i].partitions; });
            if (element.start_limit > 0) add(path, [&](RandomJob&, auto& list) { list[i].start_limit = 0; });
            if (element.again) add(path, [&](RandomJob&, auto& list) { list[i].again = false; });
            Path inner = path;
            inner.push_back(i);
            visit(element.inside, inner);
        }
    }
    /// What it holds, in its place; a split does not hold other elements than flows.
    void unwrap(const Path& path, std::size_t at, const std::vector<RandomElement>& inside) {
        if (!path.empty() && holder(path).kind == Kind::split) return;
        add(path, [&](RandomJob& job, auto& list) {
            const std::string id = list[at].id;
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
            list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), inside.begin(), inside.end());
            forget(job.elements, id);
        });
    }
    const RandomElement& holder(const Path& path) const {
        const auto* list = &job_.elements;
        for (std::size_t i = 0; i + 1 < path.size(); ++i) list = &(*list)[path[i]].inside;
        return (*list)[path.back()];
    }
    const RandomJob& job_;
};

}  // namespace

RandomJob RandomJob::drawn(std::uint64_t seed, Kind kind) {
    return {.seed = seed, .kind = kind, .elements = Drawing(seed).job(kind), .tamed = {}};
}

Deed RandomJob::deed(const std::string& id, int partition, int call) const {
    if (call >= most_calls || tamed.contains({id, partition, call})) return {};
    const auto place = std::hash<std::string>()(fmt::format("{} {} {}", id, partition, call));
    Draw draw(seed * 1'000'003 + place);
    const int what = draw.below(100);
    const std::string status = draw.one_of({"", "", "A", "B"});
    if (what < 12) return {.kind = Deed::Kind::fail, .status = {}};
    if (what < 18 && kind == Kind::any) return {.kind = Deed::Kind::stop, .status = status};
    if (what < 25) return {.kind = Deed::Kind::die, .status = {}};
    return {.kind = Deed::Kind::answer, .status = status};
}

std::string RandomJob::xml() const {
    std::string text = fmt::format("<job id=\"j\" version=\"2.0\" xmlns=\"https://jakarta.ee/xml/ns/jakartaee\"{}>\n",
                                   pauses ? " xmlns:fer=\"urn:fermata:job:1\"" : "");
    for (const RandomElement& element : elements) text += to_xml(element, 1, pauses);
    return text + "</job>\n";
}

std::vector<RandomJob> RandomJob::simpler(const std::set<std::tuple<std::string, int, int>>& calls) const {
    std::vector<RandomJob> all = Simplifier(*this).found;
    for (const auto& call : calls) {
        if (tamed.contains(call)) continue;
        RandomJob& tamer = all.emplace_back(*this);
        tamer.tamed.insert(call);
    }
    return all;
}

}  // namespace fermata::test
