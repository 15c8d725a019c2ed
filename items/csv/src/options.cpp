#include "options.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::csv {
namespace {

constexpr std::int64_t largest_line = std::int64_t{1} << 30;

/// One ASCII character; `if_empty` for "".
char character(const Properties& properties, std::string_view name, char fallback) {
    const auto text = properties.find<std::string>(name);
    if (!text) return fallback;
    if (*text == "\\t") return '\t';
    const bool one = text->size() == 1 && static_cast<unsigned char>(text->front()) < 0x80;
    if (!one || *text == "\n" || *text == "\r")
        throw properties.wrong(name, fmt::format("\"{}\" is not one ASCII character", printable(*text)),
                               "write \\t for a tab");
    return text->front();
}

std::vector<std::string> columns(const Properties& properties) {
    const auto text = properties.find<std::string>("columns");
    if (!text) return {};
    std::vector<std::string> names;
    for (const std::string& part : split(*text, ',')) {
        names.emplace_back(trim(part));
        if (names.back().empty()) throw properties.wrong("columns", "a column has no name");
        if (std::ranges::count(names, names.back()) > 1)
            throw properties.wrong("columns", fmt::format("\"{}\" stands there twice", names.back()));
    }
    return names;
}

char delimiter_of(const Properties& properties) { return character(properties, "delimiter", Dialect().delimiter); }

char quote_of(const Properties& properties) {
    const bool unquoted = properties.find<std::string>("quote") == "";
    return unquoted ? '\0' : character(properties, "quote", Dialect().quote);
}

std::size_t max_line_of(const Properties& properties) {
    const auto limit = properties.get<std::int64_t>("max-line", static_cast<std::int64_t>(ReaderOptions().max_line));
    if (limit < 1 || limit > largest_line)
        throw properties.wrong("max-line", fmt::format("{} is not between 1 and {}", limit, largest_line));
    return static_cast<std::size_t>(limit);
}

bool may_be_empty_of(const Properties& properties) {
    const auto word = properties.get<std::string>("empty", "fail");
    if (word != "fail" && word != "ok")
        throw properties.wrong("empty", fmt::format("\"{}\" is neither fail nor ok", printable(word)));
    return word == "ok";
}

}  // namespace

std::vector<PropertyRule> Dialect::rules() {
    return {reads_as<bool>("header"), csv::columns, delimiter_of, quote_of, from};
}

std::vector<PropertyRule> ReaderOptions::rules() {
    std::vector<PropertyRule> rules = Dialect::rules();
    rules.insert(rules.end(), {encoding_of, may_be_empty_of, max_line_of});
    for (PropertyRule& rule : ByteRange::rules()) rules.push_back(std::move(rule));
    rules.emplace_back(from);
    return rules;
}

Dialect Dialect::from(const Properties& properties) {
    Dialect dialect;
    dialect.header = properties.get<bool>("header", true);
    dialect.columns = csv::columns(properties);
    dialect.delimiter = delimiter_of(properties);
    dialect.quote = quote_of(properties);
    if (dialect.quote == dialect.delimiter)
        throw properties.wrong("quote", "delimiter and quote are the same character");
    dialect.null = properties.get<std::string>("null", "");
    return dialect;
}

ReaderOptions ReaderOptions::from(const Properties& properties) {
    ReaderOptions options;
    options.dialect = Dialect::from(properties);
    options.encoding = encoding_of(properties);
    options.may_be_empty = may_be_empty_of(properties);
    options.range = ByteRange::of(properties);
    options.max_line = max_line_of(properties);
    options.properties = properties;
    return options;
}

}  // namespace fermata::csv
