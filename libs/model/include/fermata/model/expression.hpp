#pragma once
// Attribute values with expressions (Jakarta Batch §8.8): literals mixed with #{op['name']}?:default; and what they
// become. A definition keeps Templates; a resolved job keeps Texts that still know which part was written by the job's
// author and which was a value, so that a value can never make, end or quote a word of a command line.
#include <fermata/model/diagnostic.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

enum class Operator : std::uint8_t { job_parameters, job_properties, system_properties, partition_plan };
[[nodiscard]] std::string_view to_string(Operator op);

class Template {
public:
    struct Piece {
        std::string literal;  ///< used when `expression` is false
        bool expression = false;
        Operator op{};
        std::string name;
        std::vector<Template> fallback;  ///< empty or one: the text between ?: and ;
        Position at;
    };

    Template() = default;
    /// A literal without expressions.
    static Template literal(std::string text, Position at = {});
    /// Parses `source`; a malformed expression is an error in `diagnostics` and stays literal text.
    static Template parse(std::string_view source, Position at, const std::string& file, Diagnostics& diagnostics);
    /// The same where offsets in `source` are not columns of the file (entities, line ends): `locate` answers where the
    /// byte at an offset, or the end, stands.
    using Locate = std::function<Position(std::size_t offset)>;
    static Template parse_located(std::string_view source, const Locate& locate, const std::string& file,
                                  Diagnostics& diagnostics);

    [[nodiscard]] const std::string& source() const noexcept { return source_; }
    [[nodiscard]] const std::vector<Piece>& pieces() const noexcept { return pieces_; }
    [[nodiscard]] Position at() const noexcept { return at_; }
    [[nodiscard]] bool has_expressions() const noexcept;
    [[nodiscard]] bool empty() const noexcept { return source_.empty(); }
    bool operator==(const Template& other) const { return source_ == other.source_; }

private:
    friend class TemplateParser;
    std::string source_;
    std::vector<Piece> pieces_;
    Position at_;
};

/// A resolved value. `values()` are the byte ranges [begin, end) of `str()` that came out of an expression (its default
/// text included), in order, possibly empty ones.
class Text {
public:
    struct Range {
        std::size_t begin = 0;
        std::size_t end = 0;
        bool operator==(const Range&) const = default;
    };
    Text() = default;
    explicit Text(std::string text, Position at = {}) : text_(std::move(text)), at_(at) {}
    [[nodiscard]] const std::string& str() const noexcept { return text_; }
    [[nodiscard]] const std::vector<Range>& values() const noexcept { return values_; }
    [[nodiscard]] Position at() const noexcept { return at_; }
    void append_literal(std::string_view text) { text_ += text; }
    void append_value(std::string_view text) {
        values_.push_back({text_.size(), text_.size() + text.size()});
        text_ += text;
    }
    void set_position(Position at) noexcept { at_ = at; }
    bool operator==(const Text& other) const { return text_ == other.text_; }

private:
    std::string text_;
    std::vector<Range> values_;
    Position at_;
};

/// Where expressions find their values. `find` answers nothing for an unknown name (which resolves to "", §8.8.1.6);
/// a substituted value is never scanned for expressions again.
class Scope {
public:
    using Lookup = std::function<std::optional<std::string>(Operator, std::string_view name)>;
    explicit Scope(Lookup find) : find_(std::move(find)) {}
    [[nodiscard]] Text resolve(const Template& text) const;

private:
    Lookup find_;
};

/// Job parameters and system properties: name to value, in name order.
using Parameters = std::map<std::string, std::string>;

}  // namespace fermata
