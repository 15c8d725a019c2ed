#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fermata::record {

struct Token {
    enum class Kind : std::uint8_t {
        word,
        column,  ///< "in double quotes"
        text,    ///< 'in single quotes'
        number,
        symbol,
        end
    };
    Kind kind = Kind::end;
    std::string text;
    std::size_t position = 1;  ///< of its first byte, from 1

    /// Keywords in any case.
    [[nodiscard]] bool is_word(std::string_view keyword) const;
};

/// One token ahead. Throws ConditionError.
class ConditionLexer {
public:
    explicit ConditionLexer(std::string_view text) : text_(text) { advance(); }
    [[nodiscard]] const Token& here() const noexcept { return token_; }
    Token take();

private:
    void advance();
    [[nodiscard]] std::string quoted();
    [[nodiscard]] std::string run(bool (*belongs)(char));

    std::string_view text_;
    std::size_t next_ = 0;
    Token token_;
};

}  // namespace fermata::record
