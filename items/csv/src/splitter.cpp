#include "splitter.hpp"

#include "byte_block.hpp"

#include <bit>

namespace fermata::csv {

Split Splitter::split(const char* begin, const char* end, bool last) {
    begin_ = field_begin_ = begin;
    fields_.clear();
    count_ = 0;
    lines_ = lines_before_quote_ = 0;
    foreign_ = nul_ = false;
    quoted_ = inside_ = doubled_ = false;
    for (const char* block = begin; block < end; block += block_size) {
        const ByteBlock bytes(block);
        foreign_ |= bytes.has_high();
        nul_ |= bytes.has('\0');
        // A NUL as "no quote" finds NULs, which at_quote ignores.
        for (std::uint32_t found = bytes.any_of(delimiter_, quote_, '\n'); found != 0; found &= found - 1) {
            const char* place = block + std::countr_zero(found);
            if (place >= end) break;
            if (*place == delimiter_) {
                if (!inside_ && !end_field(place, place)) return Split::after_quote;
            } else if (*place == '\n') {
                ++lines_;
                if (!inside_) return end_record(place) ? Split::record : Split::after_quote;
            } else {
                at_quote(place);
            }
        }
    }
    if (!last) return Split::incomplete;
    if (begin == end) return Split::end;
    if (inside_) return Split::unterminated;
    text_size_ = size_ = static_cast<std::size_t>(end - begin);
    return end_field(end, end) ? Split::record : Split::after_quote;
}

void Splitter::at_quote(const char* place) {
    if (quote_ == '\0') return;
    if (inside_) {
        inside_ = false;
        closing_ = place;
    } else if (place == field_begin_) {
        quoted_ = inside_ = true;
        lines_before_quote_ = lines_;
    } else if (quoted_ && place == closing_ + 1) {
        inside_ = doubled_ = true;
    }
}

/// False if there is text between the closing quote and the field's end.
bool Splitter::end_field(const char* place, const char* text_end) {
    if (quoted_ && text_end != closing_ + 1) return false;
    if (++count_ <= most_fields_) {
        const auto skipped = static_cast<std::uint32_t>(quoted_);
        fields_.push_back({.begin = static_cast<std::uint32_t>(field_begin_ - begin_) + skipped,
                           .end = static_cast<std::uint32_t>(text_end - begin_) - skipped,
                           .quoted = quoted_,
                           .doubled = doubled_});
    }
    field_begin_ = place + 1;
    quoted_ = doubled_ = false;
    return true;
}

bool Splitter::end_record(const char* feed) {
    const char* text_end = feed > begin_ && feed[-1] == '\r' ? feed - 1 : feed;
    size_ = static_cast<std::size_t>(feed + 1 - begin_);
    text_size_ = static_cast<std::size_t>(text_end - begin_);
    return end_field(feed, text_end);
}

}  // namespace fermata::csv
