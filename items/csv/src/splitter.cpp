#include "splitter.hpp"

#include "byte_block.hpp"

#include <algorithm>
#include <bit>

namespace fermata::csv {

inline void Splitter::at_quote(Place& at, const char* quote) {
    if (at.inside) {
        at.inside = false;
        at.closing = quote;
        lines_before_closing_ = at.lines;
    } else if (quote == at.field) {
        at.quoted = at.inside = true;
        lines_before_quote_ = at.lines;
    } else if (at.quoted && quote == at.closing + 1) {
        at.inside = at.doubled = true;
    }
}

/// False if there is text between the closing quote and the field's end.
inline bool Splitter::end_field(Place& at, const char* next, const char* text_end) {
    if (at.quoted && text_end != at.closing + 1) return false;
    if (at.free == at.free_end) {
        at.free = make_room();
        at.free_end = fields_.data() + fields_.size();
    }
    if (at.free != at.free_end) {
        const auto skipped = static_cast<std::uint32_t>(at.quoted);
        *at.free++ = {.begin = static_cast<std::uint32_t>(at.field - at.begin) + skipped,
                      .end = static_cast<std::uint32_t>(text_end - at.begin) - skipped,
                      .quoted = at.quoted,
                      .doubled = at.doubled};
    }
    ++at.count;
    at.field = next;
    at.quoted = at.doubled = false;
    return true;
}

/// Before a block's first quote each delimiter ends a field. REQUIRES: room for them, and no field begun with a quote.
inline void Splitter::end_plain_fields(Place& at, const char* block, std::uint64_t delimiters) {
    const auto base = static_cast<std::uint32_t>(block - at.begin);
    auto start = static_cast<std::uint32_t>(at.field - at.begin);
    Field* field = at.free;
    for (; delimiters != 0; delimiters &= delimiters - 1) {
        const std::uint32_t place = base + static_cast<std::uint32_t>(std::countr_zero(delimiters));
        *field++ = {.begin = start, .end = place};
        start = place + 1;
    }
    at.count += static_cast<std::size_t>(field - at.free);
    at.free = field;
    at.field = at.begin + start;
}

inline Split Splitter::end_record(Place& at, const char* feed) {
    const char* text_end = feed > at.begin && feed[-1] == '\r' ? feed - 1 : feed;
    size_ = static_cast<std::size_t>(feed + 1 - at.begin);
    text_size_ = static_cast<std::size_t>(text_end - at.begin);
    return end_field(at, feed + 1, text_end) ? Split::record : Split::after_quote;
}

Split Splitter::split(const char* begin, const char* end, bool last) {
    Place at{.begin = begin, .field = begin, .free = fields_.data(), .free_end = fields_.data() + fields_.size()};
    const char delimiter = delimiter_;
    const char quote = quote_;
    const bool has_quotes = quote_ != '\0';
    constexpr auto block_length = static_cast<std::ptrdiff_t>(block_size);
    bool foreign = false;
    bool nul = false;
    Split answer = Split::incomplete;
    for (const char* block = begin; block < end; block += block_size) {
        const ByteBlock bytes(block);
        foreign |= bytes.has_high();
        nul |= bytes.has_nul();
        const std::uint64_t feeds = bytes.equal('\n');
        const std::uint64_t delimiters = bytes.equal(delimiter);
        const std::uint64_t quotes = has_quotes ? bytes.equal(quote) : 0;
        const std::uint64_t before_feed = (feeds & -feeds) - 1;  // all, if there is none
        std::uint64_t found = feeds | delimiters | quotes;
        if (!at.inside && !at.quoted && end - block >= block_length && at.free_end - at.free > block_length) {
            const std::uint64_t plain = before_feed & ((quotes & -quotes) - 1);
            end_plain_fields(at, block, delimiters & plain);
            if (plain == before_feed) {
                if (feeds == 0) continue;
                ++at.lines;
                answer = end_record(at, block + std::countr_zero(feeds));
                break;
            }
            found &= ~plain;
        }
        for (; found != 0; found &= found - 1) {
            const char* place = block + std::countr_zero(found);
            if (place >= end) break;
            if (*place == delimiter) {
                if (at.inside || end_field(at, place + 1, place)) continue;
                answer = Split::after_quote;
            } else if (*place == '\n') {
                ++at.lines;
                if (at.inside) continue;
                answer = end_record(at, place);
            } else {
                at_quote(at, place);
                continue;
            }
            break;
        }
        if (answer != Split::incomplete) break;
    }
    if (last && answer == Split::incomplete) {
        text_size_ = size_ = static_cast<std::size_t>(end - begin);
        answer = begin == end              ? Split::end
                 : at.inside               ? Split::unterminated
                 : end_field(at, end, end) ? Split::record
                                           : Split::after_quote;
    }
    foreign_ = foreign;
    nul_ = nul;
    count_ = at.count;
    lines_ = at.lines;
    inside_ = at.inside;
    return answer;
}

/// The first new field; there is none once the most fields are kept.
Field* Splitter::make_room() {
    const std::size_t kept = fields_.size();
    fields_.resize(std::min(kept * 2, std::max(most_fields_, kept)));
    return fields_.data() + kept;
}

}  // namespace fermata::csv
