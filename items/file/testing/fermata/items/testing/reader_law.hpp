#pragma once
// The reader law: reading k items, reopening at the checkpoint and reading on equals one full read, for every k, with a
// fresh reader (a restart) and with the same one (a rollback).
#include <fermata/batch/items.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata::items {

/// "|name=tAnn|age=i7": columns, kinds and values.
inline std::string cells(const Record& record) {
    std::string text;
    for (std::size_t i = 0; i < record.values().size(); ++i) {
        const Value& value = record[i];
        const std::string shown = value.kind() == Value::Kind::text      ? "t" + std::string(value.text())
                                  : value.kind() == Value::Kind::real    ? fmt::format("r{}", value.real())
                                  : value.kind() == Value::Kind::integer ? fmt::format("i{}", value.integer())
                                  : value.kind() == Value::Kind::boolean ? fmt::format("b{}", value.boolean())
                                                                         : "null";
        text += "|" + record.columns()->names()[i] + "=" + shown;
    }
    return text;
}
/// Everything a record says.
inline std::string whole(const Record& record) {
    return record.place() + "|" + std::string(record.raw()) + cells(record);
}

/// The next item, or the message of what was wrong with it (then the reader stands behind it).
template <class Reader>
std::optional<std::string> next_of(Reader& reader, TypedItemBuffer<Record>& buffer) {
    buffer.clear();
    auto& record = *static_cast<Record*>(buffer.slot());
    try {
        if (!reader.read(record)) return std::nullopt;
        return whole(record);
    } catch (const ItemError& error) {
        return error.what();
    }
}
template <class Reader>
std::vector<std::string> rest_of(Reader& reader) {
    TypedItemBuffer<Record> buffer;
    std::vector<std::string> rest;
    while (auto item = next_of(reader, buffer)) rest.push_back(*std::move(item));
    return rest;
}

/// The texts of one column, to the end of the input.
template <class Reader>
std::vector<std::string> texts_of(Reader& reader, std::string_view column) {
    std::vector<std::string> found;
    TypedItemBuffer<Record> buffer;
    for (;;) {
        buffer.clear();
        auto& record = *static_cast<Record*>(buffer.slot());
        if (!reader.read(record)) return found;
        found.emplace_back(record[column].text());
    }
}

/// `make` makes a fresh reader of the same input each time.
template <class Make>
void expect_reader_law(Make make) {
    auto full = make();
    full->open({});
    const std::vector<std::string> all = rest_of(*full);
    for (std::size_t k = 0; k <= all.size(); ++k) {
        TypedItemBuffer<Record> buffer;
        auto first = make();
        first->open({});
        for (std::size_t i = 0; i < k; ++i) ASSERT_EQ(next_of(*first, buffer), all[i]);
        const Checkpoint checkpoint = first->checkpoint();
        const std::vector<std::string> tail(all.begin() + static_cast<std::ptrdiff_t>(k), all.end());

        auto second = make();
        second->open(checkpoint);
        ASSERT_EQ(second->checkpoint().bytes(), checkpoint.bytes()) << "after " << k << " items";
        ASSERT_EQ(rest_of(*second), tail) << "after " << k << " items, restarted";
        ASSERT_EQ(rest_of(*first), tail) << "after " << k << " items";
        first->open(checkpoint);
        ASSERT_EQ(rest_of(*first), tail) << "after " << k << " items, rolled back";
    }
}

}  // namespace fermata::items
