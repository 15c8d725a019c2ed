#pragma once
// Where the fields of one CSV record begin and end (RFC 4180, and as its readers are used to: a quote inside an
// unquoted field is a character like others). It looks at 16 bytes at a time for delimiter, quote and line feed
// together.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fermata::csv {

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
        : delimiter_(delimiter), quote_(quote), most_fields_(most_fields) {}

    /// The record that begins at `begin`. 16 bytes behind `end` must be readable. REQUIRES: less than 4 GiB.
    Split split(const char* begin, const char* end, bool last);

    // Of the last record:
    [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }            ///< with the line end
    [[nodiscard]] std::size_t text_size() const noexcept { return text_size_; }  ///< without it
    [[nodiscard]] std::int64_t lines() const noexcept { return lines_; }         ///< line feeds, the last one included
    /// Whether it may have a byte above 127, a NUL; never false if it has.
    [[nodiscard]] bool may_be_foreign() const noexcept { return foreign_; }
    [[nodiscard]] bool may_be_binary() const noexcept { return nul_; }
    /// Of a record that has no end: whether a quote is open, and the line feeds before it.
    [[nodiscard]] bool in_quotes() const noexcept { return inside_; }
    [[nodiscard]] std::int64_t lines_before_quote() const noexcept { return lines_before_quote_; }

private:
    void at_quote(const char* place);
    bool end_field(const char* place, const char* text_end);
    bool end_record(const char* feed);

    char delimiter_;
    char quote_;
    std::size_t most_fields_;
    std::vector<Field> fields_;
    std::size_t count_ = 0;
    std::size_t size_ = 0;
    std::size_t text_size_ = 0;
    std::int64_t lines_ = 0;
    std::int64_t lines_before_quote_ = 0;
    bool foreign_ = false;
    bool nul_ = false;

    const char* begin_ = nullptr;
    const char* field_begin_ = nullptr;
    const char* closing_ = nullptr;  ///< the quote that closed the field, if it is closed
    bool quoted_ = false;            ///< the field began with a quote
    bool inside_ = false;            ///< between its quotes
    bool doubled_ = false;
};

}  // namespace fermata::csv
