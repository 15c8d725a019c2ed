#include <fermata/model/diagnostic.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata {

std::string to_string(const Diagnostic& diagnostic) {
    std::string place = diagnostic.file;
    if (diagnostic.at.line > 0) {
        place += fmt::format("{}{}:{}", place.empty() ? "" : ":", diagnostic.at.line, diagnostic.at.column);
    }
    if (!place.empty()) place += ": ";
    const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
    return fmt::format("{}{}: {}", place, is_error ? "error" : "warning", diagnostic.message);
}

void Diagnostics::error(const std::string& file, Position at, std::string message) {
    all_.push_back({Diagnostic::Severity::error, file, at, std::move(message)});
}

void Diagnostics::warning(const std::string& file, Position at, std::string message) {
    all_.push_back({Diagnostic::Severity::warning, file, at, std::move(message)});
}

bool Diagnostics::has_errors() const noexcept {
    return std::ranges::any_of(all_, [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

void Diagnostics::append(const Diagnostics& other) { all_.insert(all_.end(), other.all_.begin(), other.all_.end()); }

void Diagnostics::sort() { std::ranges::stable_sort(all_, {}, &Diagnostic::at); }

}  // namespace fermata
