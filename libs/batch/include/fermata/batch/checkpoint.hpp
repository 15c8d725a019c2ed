#pragma once
// A position an artifact gives at a commit and gets back at open: opaque bytes to the runtime, or nothing at all, which
// means "from the beginning" (Jakarta Batch §8.2.1: a first start, and a completed step that is started again).
#include <cstdint>
#include <optional>
#include <string>

namespace fermata {

class Checkpoint {
public:
    Checkpoint() = default;
    explicit Checkpoint(std::optional<std::string> bytes) : bytes_(std::move(bytes)) {}
    static Checkpoint of(std::int64_t position) { return Checkpoint(std::to_string(position)); }

    explicit operator bool() const noexcept { return bytes_.has_value(); }
    /// REQUIRES: not empty.
    [[nodiscard]] const std::string& bytes() const { return *bytes_; }
    /// The integer given to `of`; throws Error(refused) "checkpoint unreadable" on anything else.
    [[nodiscard]] std::int64_t integer() const;
    [[nodiscard]] const std::optional<std::string>& data() const noexcept { return bytes_; }

private:
    std::optional<std::string> bytes_;
};

}  // namespace fermata
