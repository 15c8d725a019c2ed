#pragma once
// A connection URL as libpq reads it, and what of it may be shown.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::postgres {

class Url {
public:
    /// Throws Error(usage) if libpq cannot read it, or reads it in a way that shows a part of the password.
    explicit Url(std::string text);

    /// With its secrets: for libpq only.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// postgresql://user@host:port/database
    [[nodiscard]] const std::string& display_name() const noexcept { return display_name_; }
    /// Whether the URL, or libpq's environment variable for it, says anything about `keyword`.
    [[nodiscard]] bool says(std::string_view keyword) const;
    /// The database's name; libpq's default is that of the user.
    [[nodiscard]] std::string database() const;
    /// What they say about `options`, the server's settings of a session.
    [[nodiscard]] std::string options() const;
    /// What they say about `passfile`.
    [[nodiscard]] std::string password_file() const;
    /// libpq's words in one line, the secrets of the URL replaced.
    [[nodiscard]] std::string safe(std::string_view words) const;

private:
    void find_secrets();
    void parse();
    [[nodiscard]] std::string value_of(std::string_view keyword) const;

    std::string text_;
    std::string display_name_;
    std::vector<std::string> secrets_;
    std::vector<std::pair<std::string, std::string>> values_;  ///< URL and environment
};

}  // namespace fermata::postgres
