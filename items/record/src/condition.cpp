#include "condition.hpp"

#include "comparison.hpp"
#include "condition_lexer.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace fermata::record {
namespace {

using ConditionPtr = std::unique_ptr<Condition>;
constexpr int deepest = 200;

class Not final : public Condition {
public:
    explicit Not(ConditionPtr inner) : inner_(std::move(inner)) {}
    [[nodiscard]] std::optional<bool> test(const Record& record) const override {
        const auto answer = inner_->test(record);
        return answer ? std::optional(!*answer) : std::nullopt;
    }

private:
    ConditionPtr inner_;
};

/// And: decided by the first false; or: by the first true; unknown if none decides and one is unknown.
class Joined final : public Condition {
public:
    Joined(ConditionPtr left, ConditionPtr right, bool deciding)
        : left_(std::move(left)), right_(std::move(right)), deciding_(deciding) {}
    [[nodiscard]] std::optional<bool> test(const Record& record) const override {
        const auto left = left_->test(record);
        if (left == deciding_) return left;
        const auto right = right_->test(record);
        if (right == deciding_) return right;
        return left && right ? left : std::nullopt;
    }

private:
    ConditionPtr left_;
    ConditionPtr right_;
    bool deciding_;
};

class Parser {
public:
    explicit Parser(std::string_view text) : lexer_(text) {}

    ConditionPtr parse() {
        ConditionPtr condition = any_of();
        if (here().kind != Token::Kind::end) expected(R"("and", "or" or the end)");
        return condition;
    }

private:
    ConditionPtr any_of() {
        ConditionPtr left = all_of();
        while (take_word("or")) left = std::make_unique<Joined>(std::move(left), all_of(), true);
        return left;
    }
    ConditionPtr all_of() {
        ConditionPtr left = one();
        while (take_word("and")) left = std::make_unique<Joined>(std::move(left), one(), false);
        return left;
    }
    ConditionPtr one() {
        if (++depth_ > deepest) throw ConditionError(here().position, fmt::format("nested deeper than {}", deepest));
        ConditionPtr condition = take_word("not") ? std::make_unique<Not>(one()) : primary();
        --depth_;
        return condition;
    }
    ConditionPtr primary() {
        if (!take_symbol("(")) return comparison();
        ConditionPtr condition = any_of();
        if (!take_symbol(")")) expected("\")\"");
        return condition;
    }
    ConditionPtr comparison() {
        if (here().kind != Token::Kind::word && here().kind != Token::Kind::column) expected("a column");
        std::string column = take().text;
        if (take_word("is")) return null_test(std::move(column));
        if (take_word("not")) {
            if (!take_word("like")) expected("\"like\"");
            return std::make_unique<Not>(like_test(std::move(column)));
        }
        if (take_word("like")) return like_test(std::move(column));
        const Operator op = comparison_operator();
        return compare(std::move(column), op, literal(op));
    }
    ConditionPtr null_test(std::string column) {
        const bool negated = take_word("not");
        if (!take_word("null")) expected("\"null\"");
        ConditionPtr test = is_null(std::move(column));
        return negated ? std::make_unique<Not>(std::move(test)) : std::move(test);
    }
    ConditionPtr like_test(std::string column) {
        if (here().kind != Token::Kind::text) expected("a pattern in single quotes");
        return like(std::move(column), take().text);
    }
    Operator comparison_operator() {
        static constexpr std::array<std::pair<std::string_view, Operator>, 7> operators{{
            {"=", Operator::equal},
            {"!=", Operator::not_equal},
            {"<>", Operator::not_equal},
            {"<", Operator::less},
            {"<=", Operator::less_or_equal},
            {">", Operator::greater},
            {">=", Operator::greater_or_equal},
        }};
        for (const auto& [symbol, op] : operators)
            if (take_symbol(symbol)) return op;
        expected("=, !=, <, <=, >, >=, like or is");
    }
    Literal literal(Operator op) {
        const bool equality = op == Operator::equal || op == Operator::not_equal;
        if (here().kind == Token::Kind::text) return take().text;
        if (equality && take_word("true")) return true;
        if (equality && take_word("false")) return false;
        if (here().kind != Token::Kind::number) expected("a number or a text in single quotes");
        const Token number = take();
        if (const auto whole = parse_int64(number.text)) return *whole;
        if (const auto real = parse_double(number.text)) return *real;
        throw ConditionError(number.position, fmt::format("\"{}\" is not a number", printable(number.text)));
    }

    const Token& here() const { return lexer_.here(); }
    Token take() { return lexer_.take(); }
    bool take_word(std::string_view word) { return here().is_word(word) && (take(), true); }
    bool take_symbol(std::string_view symbol) {
        return here().kind == Token::Kind::symbol && here().text == symbol && (take(), true);
    }
    [[noreturn]] void expected(std::string_view what) const {
        const std::string found =
            here().kind == Token::Kind::end ? "the end" : fmt::format("\"{}\"", printable(here().text));
        throw ConditionError(here().position, fmt::format("expected {}, found {}", what, found));
    }

    ConditionLexer lexer_;
    int depth_ = 0;
};

}  // namespace

ConditionError::ConditionError(std::size_t position, const std::string& message)
    : std::runtime_error(fmt::format("at character {}: {}", position, message)) {}

std::unique_ptr<Condition> parse_condition(std::string_view text) { return Parser(text).parse(); }

}  // namespace fermata::record
