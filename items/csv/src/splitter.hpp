#pragma once
// Where the fields of one CSV record begin and end (RFC 4180, and as its readers are used to: a quote inside an
// unquoted field is a character like others). It looks at 64 bytes at a time for delimiter, quote and line feed
// together.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fermata::csv {

constexpr std::size_t readable_behind = 64;

struct Field {
    std::uint32_t begin = 0;  ///< inside the quotes, if it has any
    std::uint32_t end = 0;
    bool quoted = false;
    bool doubled = false;  ///< has quotes written twice
};

enum class Split : std::uint8_t {
    record,      ///< with its line end, or at the end of the input
    end,         ///< nothing is left
    incomplete,  ///< more bytes are needed
    unterminated,
    after_quote,  ///< text behind a closing quote
};

class Splitter {
public:
    /// `quote` '\0': no quoting. Of very long records only the first `most_fields` fields are kept, all are counted.
    Splitter(char delimiter, char quote, std::size_t most_fields)
        : delimiter_(delimiter), quote_(quote), most_fields_(most_fields), fields_(first_fields) {}

    /// The record that begins at `begin`. `readable_behind` bytes behind `end` must be readable. REQUIRES: less than 4
    /// GiB.
    Split split(const char* begin, const char* end, bool last);

    // Of the last record:
    [[nodiscard]] const Field* fields() const noexcept { return fields_.data(); }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }            ///< with the line end
    [[nodiscard]] std::size_t text_size() const noexcept { return text_size_; }  ///< without it
    [[nodiscard]] std::int64_t lines() const noexcept { return lines_; }         ///< line feeds, the last one included
    /// Whether it may have a byte above 127, a NUL; never false if it has.
    [[nodiscard]] bool may_be_foreign() const noexcept { return foreign_; }
    [[nodiscard]] bool may_be_binary() const noexcept { return nul_; }
    /// Of a record that is wrong: whether a quote is open, and the line feeds before the last one opened and closed.
    [[nodiscard]] bool in_quotes() const noexcept { return inside_; }
    [[nodiscard]] std::int64_t lines_before_quote() const noexcept { return lines_before_quote_; }
    [[nodiscard]] std::int64_t lines_before_closing() const noexcept { return lines_before_closing_; }

private:
    static constexpr std::size_t first_fields = 256;
    /// What is known in the middle of a record; lives in registers.
    struct Place {
        const char* begin;
        const char* field;              ///< where the field begins
        const char* closing = nullptr;  ///< the quote that closed the field, if it is closed
        bool quoted = false;            ///< the field began with a quote
        bool inside = false;            ///< between its quotes
        bool doubled = false;
        std::size_t count = 0;
        std::int64_t lines = 0;
        Field* free = nullptr;  ///< room for the next field
        Field* free_end = nullptr;
    };
    void at_quote(Place& at, const char* quote);
    static void end_plain_fields(Place& at, const char* block, std::uint64_t delimiters);
    bool end_field(Place& at, const char* next, const char* text_end);
    Split end_record(Place& at, const char* feed);
    Field* make_room();

    char delimiter_;
    char quote_;
    std::size_t most_fields_;
    std::vector<Field> fields_;
    std::size_t count_ = 0;
    std::size_t size_ = 0;
    std::size_t text_size_ = 0;
    std::int64_t lines_ = 0;
    std::int64_t lines_before_quote_ = 0;
    std::int64_t lines_before_closing_ = 0;
    bool inside_ = false;
    bool foreign_ = false;
    bool nul_ = false;
};

}  // namespace fermata::csv
