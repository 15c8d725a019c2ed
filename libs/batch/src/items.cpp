#include <fermata/base/text.hpp>
#include <fermata/base/value_text.hpp>
#include <fermata/batch/items.hpp>

#include <cxxabi.h>
#include <algorithm>
#include <cstdlib>

namespace fermata {

void ItemBuffer::enlarge() {
    grow();
    next_ = data_ + size_ * stride_;
}

void TypedItemBuffer<Record>::grow() {
    const std::size_t rows = slots_.empty() ? 16 : slots_.size() * 2;
    batch_.ensure_rows(rows);
    slots_.reserve(rows);
    while (slots_.size() < rows) slots_.emplace_back(&batch_, static_cast<std::uint32_t>(slots_.size()));
    data_ = reinterpret_cast<std::byte*>(slots_.data());
    capacity_ = rows;
}

void TypedItemBuffer<Record>::clear() noexcept {
    // One more than was kept: the last slot may have been filled and then dropped.
    const std::size_t touched = std::min(size_ + 1, slots_.size());
    for (std::size_t row = 0; row < touched; ++row) slots_[row] = Record(&batch_, static_cast<std::uint32_t>(row));
    ItemBuffer::clear();
    batch_.clear();
}

std::string describe(const Record& record) {
    if (!record.raw().empty()) return printable(record.raw());
    std::string text;
    for (std::size_t column = 0; column < record.values().size(); ++column) {
        if (column > 0) text += ", ";
        text += record.columns()->names()[column] + "=" + to_text(record[column]);
    }
    return printable(text);
}

namespace detail {

std::string demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    if (status != 0) return name;
    // The one type of the library whose name nobody would know again.
    constexpr std::string_view spelt_out =
        "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
    std::string shown = text.get();
    for (std::size_t at = 0; (at = shown.find(spelt_out, at)) != std::string::npos;)
        shown.replace(at, spelt_out.size(), "std::string");
    return shown;
}

}  // namespace detail

}  // namespace fermata
