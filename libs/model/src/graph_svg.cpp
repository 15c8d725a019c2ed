// A job as a picture without Graphviz: elements below each other, the flows of a split side by side, what leads on
// straight down, what leads elsewhere around the right.
#include "graph_arrows.hpp"

#include <fermata/base/text.hpp>
#include <fermata/model/graph.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fermata {
namespace {

constexpr int letter = 8;  ///< width of a character of the font
constexpr int height = 28;
constexpr int gap = 34;       ///< between elements, room for a label
constexpr int margin = 16;    ///< inside a flow or split
constexpr int title = 20;     ///< above what a flow or split holds
constexpr int way_room = 30;  ///< right of the elements, for each arrow that goes around

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : printable(text)) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

int text_width(std::string_view text) { return letter * static_cast<int>(printable(text).size()); }

struct Box {
    std::string id;
    std::string word;
    int x = 0;
    int y = 0;
    int width = 0;
    int height = fermata::height;
    std::vector<Box> inside;
    bool side_by_side = false;
    bool partitioned = false;
    std::vector<Arrow> arrows;
};

std::vector<Box> boxes_of(const std::vector<ElementDefinition>& elements, const std::string& flow);

Box box_of(const StepDefinition& step, const std::string& flow) {
    return {.id = step.id,
            .word = "step",
            .partitioned = step.partition.has_value(),
            .arrows = arrows_of(ways_of(step), flow)};
}
Box box_of(const DecisionDefinition& decision, const std::string& flow) {
    return {.id = decision.id, .word = "decision", .arrows = arrows_of(ways_of(decision), flow)};
}
Box box_of(const FlowDefinition& inner, const std::string& flow) {
    return {.id = inner.id,
            .word = "flow",
            .inside = boxes_of(inner.elements, inner.id),
            .arrows = arrows_of(ways_of(inner), flow)};
}
Box box_of(const SplitDefinition& split, const std::string& flow) {
    Box box{.id = split.id, .word = "split", .side_by_side = true, .arrows = arrows_of(ways_of(split), flow)};
    for (const auto& inner : split.flows) box.inside.push_back(box_of(inner, split.id));
    return box;
}
std::vector<Box> boxes_of(const std::vector<ElementDefinition>& elements, const std::string& flow) {
    std::vector<Box> boxes;
    for (const auto& element : elements)
        std::visit([&](const auto& it) { boxes.push_back(box_of(it, flow)); }, element.what);
    return boxes;
}

/// An end that stands in words beside its box. That a flow ends where nothing leads on, goes without saying.
bool is_told(const Arrow& arrow) { return arrow.to_flow_end ? !arrow.when.empty() : !arrow.to_element; }

std::string told(const Arrow& arrow) {
    return fmt::format("{}{}→ {}{}", arrow.when, arrow.when.empty() ? "" : " ", arrow.to_flow_end ? "end of " : "",
                       arrow.to);
}

/// Arrows that do not simply lead to the box below need room at the right.
int room_for_ways(const std::vector<Box>& boxes) {
    int ways = 0;
    int words = 0;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        for (const Arrow& arrow : boxes[i].arrows) {
            const bool down = arrow.to_element && i + 1 < boxes.size() && boxes[i + 1].id == arrow.to;
            if (arrow.to_element && !down) ++ways;
            if (is_told(arrow)) words = std::max(words, text_width(told(arrow)) + 16);
        }
    }
    return std::max(ways * way_room, words);
}

void place(Box& box, int x, int y) {
    box.x = x;
    box.y = y;
    box.width = text_width(box.id) + 24;
    if (box.inside.empty()) return;
    int at_x = x + margin;
    int at_y = y + title;
    int right = 0;
    int bottom = 0;
    for (Box& inner : box.inside) {
        place(inner, at_x, at_y);
        right = std::max(right, inner.x + inner.width);
        bottom = std::max(bottom, inner.y + inner.height);
        (box.side_by_side ? at_x : at_y) = box.side_by_side ? right + margin : bottom + gap;
    }
    const int room = box.side_by_side ? 0 : room_for_ways(box.inside);
    box.width = std::max(box.width, right + room + margin - x);
    box.height = bottom + margin - y;
}

class Picture {
public:
    std::string out;

    void boxes(const std::vector<Box>& boxes, bool arrows) {
        for (const Box& box : boxes) {
            shape(box);
            this->boxes(box.inside, !box.side_by_side);
        }
        for (const Box& box : boxes) known_[box.id] = box;
        if (!arrows) return;
        int right = 0;
        for (const Box& box : boxes) right = std::max(right, box.x + box.width);
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            int line = 0;
            for (const Arrow& arrow : boxes[i].arrows)
                draw(boxes[i], arrow, i + 1 < boxes.size() ? &boxes[i + 1] : nullptr, right, line);
        }
    }

private:
    void shape(const Box& box) {
        const bool holds = !box.inside.empty();
        if (box.partitioned) rectangle(box, 4);
        rectangle(box, 0);
        text(box.id, box.x + 12, box.y + (holds ? 15 : 19), holds ? "title" : "name");
    }
    void rectangle(const Box& box, int behind) {
        out +=
            fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>\n", box.word,
                        box.x + behind, box.y + behind, box.width, box.height, box.word == "decision" ? height / 2 : 3);
    }
    void draw(const Box& from, const Arrow& arrow, const Box* below, int& right, int& line) {
        if (is_told(arrow)) text(told(arrow), from.x + from.width + 8, from.y + 12 + 14 * line++, "end");
        if (!arrow.to_element) return;
        const auto to = known_.find(arrow.to);
        if (to == known_.end()) return;
        const int x = from.x + 20;
        const int y = from.y + from.height;
        if (below != nullptr && below->id == arrow.to && !arrow.is_restart) {
            path(fmt::format("M{} {} V{}", x, y, below->y), false);
            text(arrow.when, x + 6, y + 14, "when");
            return;
        }
        right += way_room / 2;
        const int y_from = from.y + from.height - 6;
        const int y_to = to->second.y + 8;
        path(fmt::format("M{} {} H{} V{} H{}", from.x + from.width, y_from, right, y_to,
                         to->second.x + to->second.width),
             arrow.is_restart);
        text(arrow.when, from.x + from.width + 4, y_from - 3, "when");
    }
    void path(const std::string& d, bool dashed) {
        out +=
            fmt::format("<path d=\"{}\"{} marker-end=\"url(#head)\"/>\n", d, dashed ? " stroke-dasharray=\"4 3\"" : "");
    }
    void text(std::string_view text, int x, int y, std::string_view kind) {
        if (text.empty()) return;
        out += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", kind, x, y, escaped(text));
    }
    std::map<std::string, Box> known_;
};

constexpr std::string_view style =
    "<style>text{font:13px monospace;fill:#222}.title{font-weight:bold}.when,.end{font-size:11px;fill:#555}"
    "rect{fill:#fff;stroke:#444}.flow{fill:#f6f8fa;stroke:#999}.split{fill:#eef2f6;stroke:#999;stroke-dasharray:2 2}"
    ".decision{fill:#fff8e1}path{fill:none;stroke:#444}</style>\n"
    "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">"
    "<path d=\"M0 0 L8 4 L0 8 z\" style=\"fill:#444;stroke:none\"/></marker></defs>\n";

}  // namespace

std::string graph_svg(const JobDefinition& job) {
    Box whole{.id = job.id, .word = "flow", .inside = boxes_of(job.elements, "")};
    place(whole, 0, 0);
    Picture picture;
    picture.boxes(whole.inside, true);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<title>{2}"
        "</title>\n{3}{4}</svg>\n",
        whole.width + margin, whole.height, escaped(job.id), style, picture.out);
}

}  // namespace fermata
