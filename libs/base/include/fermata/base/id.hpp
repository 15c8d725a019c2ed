#pragma once
// Ids that do not mix: a JobExecutionId cannot be passed where a JobInstanceId is wanted.
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace fermata {

template <class Tag>
class Id {
public:
    constexpr Id() noexcept = default;  ///< none; no row has id 0
    constexpr explicit Id(std::int64_t value) noexcept : value_(value) {}
    [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }
    constexpr explicit operator bool() const noexcept { return value_ != 0; }
    auto operator<=>(const Id&) const = default;

private:
    std::int64_t value_ = 0;
};

/// A new random (version 4) UUID as 36 lower-case characters.
[[nodiscard]] std::string new_uuid();

}  // namespace fermata

template <class Tag>
struct std::hash<fermata::Id<Tag>> {
    std::size_t operator()(fermata::Id<Tag> id) const noexcept { return std::hash<std::int64_t>{}(id.value()); }
};
