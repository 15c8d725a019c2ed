#include "condition_lexer.hpp"

#include "condition.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace fermata::record {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }
bool in_word(char c) { return begins_word(c) || is_digit(c) || c == '.' || c == '-'; }
bool in_number(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '+'; }
bool in_operator(char c) { return c == '<' || c == '>' || c == '=' || c == '!'; }

}  // namespace

bool Token::is_word(std::string_view keyword) const {
    return kind == Kind::word && std::ranges::equal(text, keyword, [](unsigned char a, char b) {
               return static_cast<char>(std::tolower(a)) == b;
           });
}

Token ConditionLexer::take() {
    Token taken = std::move(token_);
    advance();
    return taken;
}

void ConditionLexer::advance() {
    while (next_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[next_])) != 0) ++next_;
    token_ = {.kind = Token::Kind::end, .text = {}, .position = next_ + 1};
    if (next_ == text_.size()) return;
    const char c = text_[next_];
    const auto set = [&](Token::Kind kind, std::string text) {
        token_.kind = kind;
        token_.text = std::move(text);
    };
    if (c == '"' || c == '\'') return set(c == '"' ? Token::Kind::column : Token::Kind::text, quoted());
    if (begins_word(c)) return set(Token::Kind::word, run(in_word));
    if (is_digit(c) || c == '-' || c == '.') return set(Token::Kind::number, run(in_number));
    if (in_operator(c)) return set(Token::Kind::symbol, run(in_operator));
    if (c == '(' || c == ')') return set(Token::Kind::symbol, std::string(1, text_[next_++]));
    throw ConditionError(token_.position, fmt::format("unexpected \"{}\"", printable(text_.substr(next_, 1))));
}

std::string ConditionLexer::run(bool (*belongs)(char)) {
    const std::size_t begin = next_;
    while (next_ < text_.size() && belongs(text_[next_])) ++next_;
    return std::string(text_.substr(begin, next_ - begin));
}

/// The quote itself is written twice.
std::string ConditionLexer::quoted() {
    const char quote = text_[next_++];
    std::string content;
    for (; next_ < text_.size(); ++next_) {
        if (text_[next_] == quote && !text_.substr(next_ + 1).starts_with(quote)) {
            ++next_;
            return content;
        }
        if (text_[next_] == quote) ++next_;
        content += text_[next_];
    }
    throw ConditionError(token_.position, fmt::format("the quote {} is never closed", quote));
}

}  // namespace fermata::record
