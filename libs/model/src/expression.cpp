#include <fermata/base/text.hpp>
#include <fermata/model/expression.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fermata {
namespace {

constexpr std::array<std::string_view, 4> operators = {"jobParameters", "jobProperties", "systemProperties",
                                                       "partitionPlan"};
// Deep enough for every sane default, and no document can exhaust the stack or the memory for messages.
constexpr int max_depth = 16;
constexpr int max_errors = 20;

std::optional<Operator> parse_operator(std::string_view word) {
    const auto* found = std::ranges::find(operators, word);
    if (found == operators.end()) return std::nullopt;
    return static_cast<Operator>(found - operators.begin());
}

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

}  // namespace

std::string_view to_string(Operator op) { return operators.at(static_cast<std::size_t>(op)); }

class TemplateParser {
public:
    TemplateParser(std::string_view source, const Template::Locate& locate, const std::string& file,
                   Diagnostics& diagnostics)
        : source_(source), locate_(locate), file_(file), diagnostics_(diagnostics) {}

    Template parse() {
        Template whole = sequence(0);
        return errors_ == 0 ? whole : Template::literal(std::string(source_), locate_(0));
    }

private:
    using Piece = Template::Piece;

    /// Pieces up to the end of the text or, inside a default, up to its semicolon.
    Template sequence(int depth) {
        Template result;
        const std::size_t begin = at_;
        result.at_ = locate_(begin);
        while (at_ < source_.size() && (depth == 0 || source_[at_] != ';')) {
            if (!looking_at("#{")) {
                literal(result.pieces_, depth);
            } else if (auto piece = expression(depth)) {
                result.pieces_.push_back(std::move(*piece));
            }
        }
        result.source_ = source_.substr(begin, at_ - begin);
        return result;
    }

    void literal(std::vector<Piece>& pieces, int depth) {
        const std::size_t begin = at_;
        while (at_ < source_.size() && !looking_at("#{") && (depth == 0 || source_[at_] != ';')) ++at_;
        pieces.push_back({.literal = std::string(source_.substr(begin, at_ - begin)), .at = locate_(begin)});
    }

    /// #{op['name']} and its default; nothing, and the text behind "#{" is next, if it is malformed.
    std::optional<Piece> expression(int depth) {
        const std::size_t begin = at_;
        Piece piece{.expression = true, .at = locate_(begin)};
        at_ += 2;
        if (!operation(begin, piece) || !fallback(depth, piece)) {
            if (errors_ >= max_errors) at_ = source_.size();
            return std::nullopt;
        }
        return piece;
    }

    bool operation(std::size_t begin, Piece& piece) {
        const std::size_t word = at_;
        while (at_ < source_.size() && is_word(source_[at_])) ++at_;
        const auto op = parse_operator(source_.substr(word, at_ - word));
        if (!op) return unknown_operator(begin, word);
        piece.op = *op;
        return expect("[", begin) && name(begin, piece) && expect("]", begin) && expect("}", begin);
    }

    bool name(std::size_t begin, Piece& piece) {
        if (!looking_at("'") && !looking_at("\"")) return malformed(begin, at_, "a quote (' or \") is missing here");
        const char quote = source_[at_++];
        const std::size_t end = source_.find(quote, at_);
        if (end == std::string_view::npos) return malformed(begin, at_ - 1, "this quote is not closed");
        if (end == at_) return malformed(begin, at_, "the name is empty");
        piece.name = source_.substr(at_, end - at_);
        at_ = end + 1;
        return true;
    }

    bool fallback(int depth, Piece& piece) {
        if (!looking_at("?:")) return true;
        const std::size_t begin = at_;
        at_ += 2;
        if (depth == max_depth) {
            at_ = source_.size();
            return error(begin, fmt::format("defaults are nested more than {} deep", max_depth));
        }
        piece.fallback.push_back(sequence(depth + 1));
        if (at_ < source_.size()) {
            ++at_;
            return true;
        }
        // Told once: the defaults around an open one are open because of it.
        if (std::exchange(open_default_, true)) return false;
        return error(begin, fmt::format("the default of #{{{}['{}']}} does not end; write ?:TEXT;", to_string(piece.op),
                                        printable(piece.name, 60)));
    }

    bool expect(std::string_view token, std::size_t begin) {
        if (!looking_at(token)) return malformed(begin, at_, fmt::format("{} is missing here", token));
        at_ += token.size();
        return true;
    }

    bool unknown_operator(std::size_t begin, std::size_t word) {
        const std::vector<std::string> known(operators.begin(), operators.end());
        const auto text = std::string(source_.substr(word, at_ - word));
        if (text.empty()) return malformed(begin, word, "the operator is missing here");
        return malformed(begin, word,
                         fmt::format("unknown operator \"{}\"{}", printable(text, 40), did_you_mean(text, known)));
    }

    bool malformed(std::size_t begin, std::size_t where, std::string_view why) {
        const std::size_t end = std::min(source_.find('}', begin), source_.size() - 1);
        const auto snippet = printable(source_.substr(begin, end + 1 - begin), 60);
        at_ = begin + 2;
        return error(where, fmt::format("malformed expression {}: {}; write #{{jobParameters['NAME']}}", snippet, why));
    }

    bool error(std::size_t where, std::string message) {
        ++errors_;
        diagnostics_.error(file_, locate_(where), std::move(message));
        return false;
    }

    [[nodiscard]] bool looking_at(std::string_view token) const { return source_.substr(at_).starts_with(token); }

    std::string_view source_;
    const Template::Locate& locate_;
    const std::string& file_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    int errors_ = 0;
    bool open_default_ = false;
};

Template Template::literal(std::string text, Position at) {
    Template result;
    result.source_ = std::move(text);
    result.at_ = at;
    if (!result.source_.empty()) result.pieces_.push_back({.literal = result.source_, .at = at});
    return result;
}

Template Template::parse(std::string_view source, Position at, const std::string& file, Diagnostics& diagnostics) {
    const auto locate = [at](std::size_t offset) {
        return at.line == 0 ? at : Position{at.line, at.column + static_cast<int>(offset)};
    };
    return parse_located(source, locate, file, diagnostics);
}

Template Template::parse_located(std::string_view source, const Locate& locate, const std::string& file,
                                 Diagnostics& diagnostics) {
    return TemplateParser(source, locate, file, diagnostics).parse();
}

bool Template::has_expressions() const noexcept {
    return std::ranges::any_of(pieces_, [](const Piece& piece) { return piece.expression; });
}

Text Scope::resolve(const Template& text) const {
    Text result("", text.at());
    for (const auto& piece : text.pieces()) {
        if (!piece.expression) {
            result.append_literal(piece.literal);
            continue;
        }
        auto value = find_(piece.op, piece.name).value_or("");
        if (value.empty() && !piece.fallback.empty()) value = resolve(piece.fallback.front()).str();
        result.append_value(value);
    }
    return result;
}

}  // namespace fermata
