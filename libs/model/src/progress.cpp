// "F1 <13 numbers> <5 texts> <flags>", and a sixth text while a pause is unserved: runs once a chunk, so no JSON
// library. A text is "-" (nothing), "tLENGTH:bytes", or "xLENGTH:hex" if it is not UTF-8 without NUL, so that any text
// column can keep the whole.
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/records.hpp>

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace fermata {
namespace {

constexpr std::string_view mark = "F1";
constexpr std::string_view hex_digits = "0123456789abcdef";

/// All fields in the order of the encoding, for both directions.
template <class P, class Number, class Word>
void for_each_field(P& progress, Number&& number, Word&& word) {
    auto& m = progress.metrics;
    for (auto* value : {&progress.generation, &progress.sequence, &m.read, &m.written, &m.filtered, &m.read_skips,
                        &m.process_skips, &m.write_skips, &m.commits, &m.rollbacks, &progress.skips_used,
                        &progress.retries_used, &progress.replay_left}) {
        number(*value);
    }
    for (auto* text :
         {&progress.reader, &progress.writer, &progress.side_outputs, &progress.user_data, &progress.exit_status}) {
        word(*text);
    }
}

void put_number(std::string& out, std::int64_t value) {
    char buffer[24];
    const auto end = std::to_chars(std::begin(buffer), std::end(buffer), value).ptr;
    out.append(buffer, end);
}

void put_hex(std::string& out, std::string_view bytes) {
    for (const unsigned char byte : bytes) {
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
    }
}

void put_text(std::string& out, const std::optional<std::string>& text) {
    if (!text) {
        out += " -";
        return;
    }
    const bool plain = text->find('\0') == std::string::npos && is_utf8(*text);
    out += plain ? " t" : " x";
    put_number(out, static_cast<std::int64_t>(text->size()));
    out += ':';
    plain ? void(out += *text) : put_hex(out, *text);
}

class Decoder {
public:
    explicit Decoder(std::string_view text) : text_(text) {}

    Progress decode() {
        Progress progress;
        if (!take(mark)) fail("it does not begin with F1");
        for_each_field(
            progress, [&](std::int64_t& value) { space(), value = number(); },
            [&](std::optional<std::string>& text) { space(), text = word(); });
        space();
        progress.exhausted = flag();
        progress.publishing = flag();
        if (at_ != text_.size()) space(), progress.pause = word();
        if (at_ != text_.size()) fail("something follows its end");
        return progress;
    }

private:
    [[noreturn]] void fail(std::string_view why) const {
        throw Error(ErrorKind::refused,
                    fmt::format("checkpoint unreadable at byte {}: {}: \"{}\"", at_, why, printable(text_, 60)),
                    "it was written by another version or damaged");
    }

    bool take(std::string_view token) {
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }

    void space() {
        if (!take(" ")) fail("a field is missing");
    }

    std::int64_t number() {
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        if (error != std::errc()) fail("a number is missing or too large");
        at_ = static_cast<std::size_t>(end - text_.data());
        return value;
    }

    bool flag() {
        if (take("1")) return true;
        if (!take("0")) fail("a flag is missing");
        return false;
    }

    std::optional<std::string> word() {
        if (take("-")) return std::nullopt;
        const bool hex = take("x");
        if (!hex && !take("t")) fail("a text is missing");
        const auto length = static_cast<std::uint64_t>(number());
        if (!take(":")) fail("a text is missing");
        const std::size_t left = text_.size() - at_;
        if (length > (hex ? left / 2 : left)) fail("a text is cut off");
        return hex ? from_hex(length) : plain(length);
    }

    std::string plain(std::uint64_t length) {
        const auto begin = std::exchange(at_, at_ + length);
        return std::string(text_.substr(begin, length));
    }

    std::string from_hex(std::uint64_t length) {
        std::string bytes;
        for (std::uint64_t i = 0; i < length; ++i) {
            const int high = digit();
            bytes += static_cast<char>(high * 16 + digit());
        }
        return bytes;
    }

    int digit() {
        const auto found = hex_digits.find(text_[at_]);
        if (found == std::string_view::npos) fail("not a hex digit");
        ++at_;
        return static_cast<int>(found);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::string encode(const Progress& progress) {
    std::string out(mark);
    out.reserve(256);
    for_each_field(
        progress, [&](std::int64_t value) { out += ' ', put_number(out, value); },
        [&](const std::optional<std::string>& text) { put_text(out, text); });
    out += progress.exhausted ? " 1" : " 0";
    out += progress.publishing ? '1' : '0';
    if (progress.pause) put_text(out, progress.pause);
    return out;
}

Progress decode_progress(std::string_view text) { return Decoder(text).decode(); }

}  // namespace fermata
