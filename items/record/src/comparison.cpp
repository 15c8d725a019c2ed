#include "comparison.hpp"

#include "cast.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::record {
namespace {

class Leaf : public Condition {
public:
    explicit Leaf(std::string column) : column_(std::move(column)) {}
    [[nodiscard]] std::optional<bool> test(const Record& record) const final {
        const auto place = record.columns()->find(column_);
        if (!place)
            throw ValidationError(fmt::format("{}: the record has no column \"{}\"{}", record.place(),
                                              printable(column_), did_you_mean(column_, record.columns()->names())),
                                  record.place(), std::string(record.raw()));
        return judge(record[*place], record);
    }

protected:
    [[nodiscard]] virtual std::optional<bool> judge(const Value& value, const Record& record) const = 0;
    [[noreturn]] void refuse(const Value& value, const Record& record, std::string_view wanted) const {
        throw ConversionError(fmt::format(R"({}: column "{}": "{}" is not {}, but is compared with one)",
                                          record.place(), printable(column_), printable(to_text(value), 80), wanted),
                              record.place(), std::string(record.raw()));
    }

private:
    std::string column_;
};

class IsNull final : public Leaf {
public:
    using Leaf::Leaf;

private:
    [[nodiscard]] std::optional<bool> judge(const Value& value, const Record&) const override {
        return value.is_null();
    }
};

class Like final : public Leaf {
public:
    Like(std::string column, std::string pattern) : Leaf(std::move(column)), pattern_(std::move(pattern)) {}

private:
    [[nodiscard]] std::optional<bool> judge(const Value& value, const Record&) const override {
        if (value.is_null()) return std::nullopt;
        if (value.kind() == Value::Kind::text) return matches_like(pattern_, value.text());
        return matches_like(pattern_, to_text(value));
    }
    std::string pattern_;
};

bool holds(Operator op, std::partial_ordering order) {
    switch (op) {
        case Operator::equal:
            return order == 0;
        case Operator::not_equal:
            return order != 0;
        case Operator::less:
            return order < 0;
        case Operator::less_or_equal:
            return order <= 0;
        case Operator::greater:
            return order > 0;
        case Operator::greater_or_equal:
            return order >= 0;
    }
    return false;
}

class Comparison final : public Leaf {
public:
    Comparison(std::string column, Operator op, Literal literal)
        : Leaf(std::move(column)), op_(op), literal_(std::move(literal)) {}

private:
    [[nodiscard]] std::optional<bool> judge(const Value& value, const Record& record) const override {
        if (value.is_null()) return std::nullopt;
        return holds(op_, std::visit([&](const auto& literal) { return order(value, literal, record); }, literal_));
    }
    [[nodiscard]] std::partial_ordering order(const Value& value, std::int64_t literal, const Record& record) const {
        // Whole numbers beyond 2^53 are told apart only as such.
        if (value.kind() == Value::Kind::integer) return value.integer() <=> literal;
        if (value.kind() == Value::Kind::text)
            if (const auto number = parse_int64(trim(value.text()))) return *number <=> literal;
        return order(value, static_cast<double>(literal), record);
    }
    [[nodiscard]] std::partial_ordering order(const Value& value, double literal, const Record& record) const {
        const bool number = value.kind() == Value::Kind::integer || value.kind() == Value::Kind::real ||
                            value.kind() == Value::Kind::text;
        Arena none;
        const auto real = number ? converted(value, Cast::real, none) : std::nullopt;
        if (!real) refuse(value, record, "a number");
        return real->real() <=> literal;
    }
    [[nodiscard]] std::partial_ordering order(const Value& value, bool literal, const Record& record) const {
        Arena none;
        const auto boolean = converted(value, Cast::boolean, none);
        if (!boolean) refuse(value, record, "true or false");
        return boolean->boolean() <=> literal;
    }
    [[nodiscard]] std::partial_ordering order(const Value& value, const std::string& literal, const Record&) const {
        if (value.kind() == Value::Kind::text) return value.text() <=> literal;
        return to_text(value) <=> literal;
    }

    Operator op_;
    Literal literal_;
};

/// Behind the UTF-8 character that begins at `at`.
std::size_t next_character(std::string_view text, std::size_t at) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) ++at;
    return at;
}

}  // namespace

std::unique_ptr<Condition> compare(std::string column, Operator op, Literal literal) {
    return std::make_unique<Comparison>(std::move(column), op, std::move(literal));
}
std::unique_ptr<Condition> is_null(std::string column) { return std::make_unique<IsNull>(std::move(column)); }
std::unique_ptr<Condition> like(std::string column, std::string pattern) {
    return std::make_unique<Like>(std::move(column), std::move(pattern));
}

bool matches_like(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;  // the last %, and what it has taken so far
    std::size_t taken = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '%') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == '_') {
            ++p;
            t = next_character(text, t);
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '%') ++p;
    return p == pattern.size();
}

}  // namespace fermata::record
