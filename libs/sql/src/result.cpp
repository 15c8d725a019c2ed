#include <fermata/sql/sql.hpp>

#include <algorithm>
#include <cstring>

namespace fermata::sql {

namespace {

bool has_text(const Value& value) noexcept {
    return value.kind() == Value::Kind::text || value.kind() == Value::Kind::bytes;
}

}  // namespace

void Result::add(std::span<const Value> row) {
    width_ = row.size();
    std::size_t length = 0;
    for (const Value& cell : row) {
        if (has_text(cell)) length += cell.bytes().size();
    }
    char* place = nullptr;
    if (length != 0) place = texts_.emplace_back(new char[length]).get();
    for (const Value& cell : row) {
        if (!has_text(cell)) {
            cells_.push_back(cell);
            continue;
        }
        const std::size_t size = cell.bytes().size();
        std::copy_n(reinterpret_cast<const char*>(cell.bytes().data()), size, place);
        if (cell.kind() == Value::Kind::text) {
            cells_.emplace_back(std::string_view(place, size));
        } else {
            cells_.emplace_back(std::span(reinterpret_cast<const std::byte*>(place), size));
        }
        place += size;
    }
}

}  // namespace fermata::sql
