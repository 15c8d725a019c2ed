#pragma once
// What `validate` prints: everything found, in document order, never only the first.
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace fermata {

/// Where a piece of a definition stands; line and column count from 1 in bytes, 0 = built by a program.
struct Position {
    int line = 0;
    int column = 0;
    auto operator<=>(const Position&) const = default;
};

struct Diagnostic {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    std::string file;
    Position at;
    std::string message;
};

/// "vendors.xml:14:9: error: step "load": …"
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

class Diagnostics {
public:
    void error(const std::string& file, Position at, std::string message);
    void warning(const std::string& file, Position at, std::string message);
    [[nodiscard]] bool has_errors() const noexcept;
    [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return all_; }
    void append(const Diagnostics& other);
    void sort();  ///< by position

private:
    std::vector<Diagnostic> all_;
};

}  // namespace fermata
