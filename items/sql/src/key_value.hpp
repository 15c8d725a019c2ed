#pragma once
// A key as a checkpoint: one letter for its type, then itself, so that it comes back exactly.
#include <fermata/base/value.hpp>

#include <string>

namespace fermata {

/// Null and boolean order no table.
[[nodiscard]] bool is_key(const Value& key) noexcept;
/// Same type and same content. REQUIRES: both are keys.
[[nodiscard]] bool same_key(const Value& a, const Value& b) noexcept;
/// REQUIRES: is_key.
[[nodiscard]] std::string encode_key(const Value& key);

/// The key of a checkpoint, with the bytes it borrows.
class DecodedKey {
public:
    /// Throws Error(refused) "checkpoint unreadable" on anything encode_key did not make.
    explicit DecodedKey(const std::string& encoded);
    [[nodiscard]] Value value() const;

private:
    Value number_;
    char type_;
    std::string bytes_;
};

}  // namespace fermata
