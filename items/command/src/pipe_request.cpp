#include "pipe_protocol.hpp"
#include "signal_text.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/core.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace fermata {
namespace {

constexpr int protocol_version = 1;

/// REQUIRES: valid UTF-8.
void append_text(std::string& line, std::string_view text) {
    line += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') line += '\\';
        if (static_cast<unsigned char>(c) < ' ')
            fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(c));
        else
            line += c;
    }
    line += '"';
}

void append_real(std::string& line, double number) {
    const std::size_t begin = line.size();
    fmt::format_to(std::back_inserter(line), "{}", number);
    if (line.find_first_of(".e", begin) == std::string::npos) line += ".0";
}

/// What JSON cannot carry, or nothing.
std::string_view obstacle(const Value& value) {
    if (value.kind() == Value::Kind::bytes) return "bytes, which JSON cannot carry";
    if (value.kind() == Value::Kind::text && !is_utf8(value.text())) return "text that is not UTF-8";
    if (value.kind() == Value::Kind::real && !std::isfinite(value.real())) return "a number that is not finite";
    return {};
}

void append_value(std::string& line, const Value& value) {
    switch (value.kind()) {
        case Value::Kind::boolean:
            line += value.boolean() ? "true" : "false";
            return;
        case Value::Kind::integer:
            fmt::format_to(std::back_inserter(line), "{}", value.integer());
            return;
        case Value::Kind::real:
            append_real(line, value.real());
            return;
        case Value::Kind::text:
            append_text(line, value.text());
            return;
        case Value::Kind::null:
        case Value::Kind::bytes:
            line += "null";
            return;
    }
}

void check_item(const Record& item) {
    const std::vector<std::string>& names = item.columns()->names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string_view what = is_utf8(names[i]) ? obstacle(item[i]) : "a name that is not UTF-8";
        if (what.empty()) continue;
        throw ConversionError(
            fmt::format("column \"{}\" holds {}; drop or cast it before the pipe (map)", printable(names[i]), what),
            item.place(), std::string(item.raw()));
    }
}

void append_item(std::string& line, const Record& item) {
    const std::vector<std::string>& names = item.columns()->names();
    line += '{';
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) line += ',';
        append_text(line, names[i]);
        line += ':';
        append_value(line, item[i]);
    }
    line += '}';
}

}  // namespace

std::string pipe_hello(const ResolvedProperties& properties, const std::vector<Signal>& signals) {
    std::string line = fmt::format(R"({{"version":{},"properties":{{)", protocol_version);
    for (const ResolvedProperty& property : properties) {
        if (&property != properties.data()) line += ',';
        append_text(line, property.name);
        line += ':';
        append_text(line, property.value.str());
    }
    line += R"(},"signals":[)";
    for (const Signal& signal : signals) line += (&signal == signals.data() ? "" : ",") + to_json(signal);
    return line + "]}\n";
}

void PipeRequest::encode(std::int64_t sequence, std::span<const Record> items) {
    line_ = fmt::format(R"({{"seq":{},"items":[)", sequence);
    sent_ = 0;
    refusals_.assign(items.size(), nullptr);
    for (std::size_t i = 0; i < items.size(); ++i) {
        try {
            check_item(items[i]);
        } catch (const ConversionError&) {
            refusals_[i] = std::current_exception();
            continue;
        }
        if (sent_++ > 0) line_ += ',';
        append_item(line_, items[i]);
    }
    line_ += "]}\n";
}

}  // namespace fermata
