#include "pipe_protocol.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <set>

namespace fermata {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

struct Broken {
    std::string what;
};
[[noreturn]] void broken(std::string what) { throw Broken{std::move(what)}; }

/// Nothing if there is no such member.
std::optional<element> member(object from, std::string_view name) {
    element found;
    if (from.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
    return found;
}

bool is_true(std::optional<element> value) {
    bool answer = false;
    return value && value->get(answer) == simdjson::SUCCESS && answer;
}

std::string text_of(std::optional<element> value, const char* name) {
    std::string_view text;
    if (!value || value->get(text) != simdjson::SUCCESS) broken(fmt::format("has no text \"{}\"", name));
    return std::string(text);
}

/// Text goes into `arena`.
Value value_of(element value, std::string_view name, Arena& arena) {
    switch (value.type()) {
        case element_type::NULL_VALUE:
            return nullptr;
        case element_type::BOOL:
            return value.get_bool().value_unsafe();
        case element_type::INT64:
            return value.get_int64().value_unsafe();
        case element_type::DOUBLE:
            return value.get_double().value_unsafe();
        case element_type::STRING:
            return arena.copy(value.get_string().value_unsafe());
        default:
            broken(fmt::format("has {} in \"{}\" of an item; a cell is text, a 64-bit number, true, false or null",
                               simdjson::minify(value).substr(0, 40), printable(name)));
    }
}

}  // namespace

class PipeReply::Parser {
public:
    void apply(std::string_view line, std::int64_t sequence, const PipeRequest& request, std::span<const Record> items,
               ChunkVerdicts<Record>& verdicts) {
        const simdjson::dom::array results = parse(line, sequence, request.sent());
        auto result = results.begin();
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (request.refusals()[i])
                verdicts.fail(request.refusals()[i]);
            else
                give_verdict(*result, items[i], verdicts), ++result;
        }
    }

private:
    simdjson::dom::array parse(std::string_view line, std::int64_t sequence, std::size_t count) {
        object reply;
        const auto error = parser_.parse(line.data(), line.size(), false).get(reply);
        if (error != simdjson::SUCCESS)
            broken(fmt::format("is not a JSON object ({}): {}", simdjson::error_message(error), printable(line, 80)));
        std::int64_t seq = 0;
        if (const auto found = member(reply, "seq"); !found || found->get(seq) != simdjson::SUCCESS || seq != sequence)
            broken(fmt::format("does not have the \"seq\" {} of the request: {}", sequence, printable(line, 80)));
        simdjson::dom::array results;
        if (const auto found = member(reply, "results"); !found || found->get(results) != simdjson::SUCCESS)
            broken("has no array \"results\"");
        if (results.size() != count) broken(fmt::format("has {} results for {} items", results.size(), count));
        return results;
    }

    void give_verdict(element result, const Record& item, ChunkVerdicts<Record>& verdicts) {
        object answer;
        if (result.get(answer) != simdjson::SUCCESS) broken("has a result that is not an object");
        if (const auto kept = member(answer, "item"))
            keep(*kept, item, verdicts);
        else if (is_true(member(answer, "filter")))
            verdicts.filter();
        else if (is_true(member(answer, "skip")))
            verdicts.fail(about<SkipItem>(text_of(member(answer, "reason"), "reason"), item));
        else if (const auto failure = member(answer, "error"))
            verdicts.fail(about<ChildError>(text_of(failure, "error"), item));
        else
            broken(R"(has a result without "item", "filter":true, "skip":true or "error")");
    }

    template <class E>
    static std::exception_ptr about(const std::string& text, const Record& item) {
        return std::make_exception_ptr(E(printable(text), item.place(), std::string(item.raw())));
    }

    void keep(element kept, const Record& item, ChunkVerdicts<Record>& verdicts) {
        object cells;
        if (kept.get(cells) != simdjson::SUCCESS) broken("has an \"item\" that is not an object");
        Record& into = verdicts.result();
        const std::span<Value> values = into.reset(columns_of(cells));
        std::size_t column = 0;
        for (const auto [name, value] : cells) values[column++] = value_of(value, name, into.arena());
        into.set_origin(item.position(), into.arena().copy(item.raw()));
        into.set_name(into.arena().copy(item.name()));
        if (into.batch().source != Record(item).batch().source) into.batch().source = Record(item).batch().source;
        verdicts.kept();
    }

    /// Children answer with the same columns again and again.
    const ColumnsPtr& columns_of(object cells) {
        const bool same =
            columns_ && std::ranges::equal(cells, columns_->names(), {}, &simdjson::dom::key_value_pair::key);
        if (same) return columns_;
        std::vector<std::string> names;
        std::set<std::string_view> seen;
        for (const auto [name, value] : cells) {
            if (!seen.insert(name).second) broken(fmt::format("has \"{}\" twice in one item", printable(name)));
            names.emplace_back(name);
        }
        columns_ = std::make_shared<const Columns>(std::move(names));
        return columns_;
    }

    simdjson::dom::parser parser_;
    ColumnsPtr columns_;
};

PipeReply::PipeReply(std::string program) : program_(std::move(program)), parser_(std::make_unique<Parser>()) {}
PipeReply::~PipeReply() = default;

void PipeReply::apply(std::string_view line, std::int64_t sequence, const PipeRequest& request,
                      std::span<const Record> items, ChunkVerdicts<Record>& verdicts) {
    try {
        parser_->apply(line, sequence, request, items, verdicts);
    } catch (const Broken& broken) {
        throw ChildError(fmt::format("pipe \"{}\" broke the protocol (docs/pipe-protocol.md): its reply {}",
                                     printable(program_), broken.what));
    }
}

static_assert(reply_padding >= simdjson::SIMDJSON_PADDING);

}  // namespace fermata
