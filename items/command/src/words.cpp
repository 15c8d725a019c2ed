#include "words.hpp"

#include <fermata/base/error.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace fermata {
namespace {

// Words that only a shell understands. Handed on as arguments they would surprise: `dump db > file` makes no file.
constexpr std::array<std::string_view, 9> shell_operators{"|", "||", "&", "&&", ";", "<", ">", ">>", "2>&1"};

class Splitter {
public:
    explicit Splitter(const Text& text) : text_(text.str()), values_(text.values()) {}

    std::vector<std::string> run() {
        while (value() || at_ < text_.size()) {
            if (took_value_) continue;
            const char c = text_[at_++];
            if (c == '\'')
                single_quoted();
            else if (c == '"')
                double_quoted();
            else if (c == '\\')
                escaped();
            else if (c == ' ' || c == '\t' || c == '\n')
                end_word();
            else
                word().push_back(c);
        }
        end_word();
        return std::move(words_);
    }

private:
    /// Takes the value that begins here, if one does.
    bool value() {
        took_value_ = next_ < values_.size() && values_[next_].begin == at_;
        if (!took_value_) return false;
        const Text::Range range = values_[next_++];
        quote().append(text_, range.begin, range.end - range.begin);
        at_ = range.end;
        return true;
    }
    bool value_begins() const { return next_ < values_.size() && values_[next_].begin == at_; }

    void single_quoted() {
        const std::size_t begin = at_ - 1;
        quote();
        while (take_quoted(begin, '\'')) word().push_back(text_[at_ - 1]);
    }
    void double_quoted() {
        const std::size_t begin = at_ - 1;
        quote();
        while (take_quoted(begin, '"')) {
            const char c = text_[at_ - 1];
            if (c == '\\' && !value_begins() && at_ < text_.size() && is_special(text_[at_]))
                escaped();
            else
                word().push_back(c);
        }
    }
    /// Takes values and then one byte, unless that byte is the closing quote.
    bool take_quoted(std::size_t begin, char closing) {
        while (value()) {
        }
        if (at_ >= text_.size())
            throw Error(ErrorKind::invalid,
                        fmt::format("the quote {} at character {} is not closed", closing, begin + 1),
                        "close it, or write \\ before it where it is meant literally");
        return text_[at_++] != closing;
    }
    static bool is_special(char c) { return c == '$' || c == '`' || c == '"' || c == '\\' || c == '\n'; }

    void escaped() {
        if (value_begins()) return;  // a value needs no quoting
        if (at_ >= text_.size())
            throw Error(ErrorKind::invalid, "ends with a single backslash", "write \\\\ for a backslash");
        const char c = text_[at_++];
        if (c != '\n') quote().push_back(c);
    }

    std::string& word() {
        if (!word_) word_.emplace();
        return *word_;
    }
    /// The word, of which some part is not as bare as an operator would be.
    std::string& quote() {
        quoted_ = true;
        return word();
    }
    void end_word() {
        if (!word_) return;
        if (!quoted_ && std::ranges::find(shell_operators, *word_) != shell_operators.end())
            throw Error(ErrorKind::invalid, fmt::format("\"{}\" means something to a shell only", *word_),
                        "set shell=\"true\", or quote it if it is an argument");
        words_.push_back(std::move(*word_));
        word_.reset();
        quoted_ = false;
    }

    const std::string& text_;
    const std::vector<Text::Range>& values_;
    std::vector<std::string> words_;
    std::optional<std::string> word_;
    std::size_t at_ = 0;
    std::size_t next_ = 0;
    bool quoted_ = false;
    bool took_value_ = false;
};

}  // namespace

std::vector<std::string> split_words(const Text& text) { return Splitter(text).run(); }

}  // namespace fermata
