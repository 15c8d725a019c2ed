#pragma once
// The properties of one artifact, read by name and typed (§9.3.3: only its own `properties` element).
#include <fermata/base/clock.hpp>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace fermata {

/// A required property is not there.
struct MissingProperty : Error {
    using Error::Error;
};

class Properties {
public:
    Properties() = default;
    Properties(std::string owner, std::string file, ResolvedProperties values)
        : owner_(std::move(owner)), file_(std::move(file)), values_(std::move(values)) {}

    /// Nothing if absent. Throws Error(invalid) with file:line:column, the property, the value and what was expected.
    /// T: std::string, bool ("true"/"false"), std::int64_t, int, double, Duration, Text.
    template <class T>
    [[nodiscard]] std::optional<T> find(std::string_view name) const;
    template <class T>
    [[nodiscard]] T get(std::string_view name, T fallback) const {
        auto value = find<T>(name);
        return value ? *std::move(value) : std::move(fallback);
    }
    /// Throws MissingProperty (invalid) if absent.
    template <class T>
    [[nodiscard]] T require(std::string_view name) const {
        auto value = find<T>(name);
        if (!value) missing(name);
        return *std::move(value);
    }
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] const ResolvedProperties& all() const noexcept { return values_; }
    /// "vendors.xml:14:9: error: reader "csvReader": property "header": <what>" as an Error(invalid), to be thrown.
    [[nodiscard]] Error wrong(std::string_view name, const std::string& what, std::string remedy = {}) const;

private:
    [[nodiscard]] const ResolvedProperty* lookup(std::string_view name) const;
    template <class T, class Parse>
    [[nodiscard]] std::optional<T> parsed(std::string_view name, Parse parse, std::string_view expected) const;
    [[noreturn]] void missing(std::string_view name) const;
    std::string owner_;
    std::string file_;
    ResolvedProperties values_;
};

template <>
std::optional<std::string> Properties::find<std::string>(std::string_view) const;
template <>
std::optional<bool> Properties::find<bool>(std::string_view) const;
template <>
std::optional<std::int64_t> Properties::find<std::int64_t>(std::string_view) const;
template <>
std::optional<int> Properties::find<int>(std::string_view) const;
template <>
std::optional<double> Properties::find<double>(std::string_view) const;
template <>
std::optional<Duration> Properties::find<Duration>(std::string_view) const;
template <>
std::optional<Text> Properties::find<Text>(std::string_view) const;

/// "@env:NAME" and "@file:PATH" (first line) give their value at the moment of use; all else is itself. The value is
/// never stored, logged or shown. Throws Error(refused) naming the reference if it leads nowhere, or if others may read
/// or write the file: it is ours and for us alone, or root's, which a group may read.
[[nodiscard]] std::string reveal_secret(const std::string& reference);
/// Whether the whole text is @env:NAME or @file:PATH.
[[nodiscard]] bool is_secret_reference(std::string_view text);
/// A URL that is a reference as a whole, or a path behind "sqlite:" that is one, gives its value as it is. Else every
/// reference that is the user or password part or a query value is replaced, percent-encoded:
/// postgres://app:@file:/run/secrets/db@host/vendors, postgres://host/vendors?password=@env:DB_PASSWORD. Throws what
/// reveal_secret throws; Error(invalid) for a reference anywhere else, which would name a file or host of that name,
/// and for a server without slashes.
[[nodiscard]] std::string reveal_url(const std::string& url);
/// "postgresql:jobs" is no URL and would be taken for a file: Error(invalid) with the URL that was meant.
void refuse_server_without_slashes(const std::string& url);
/// The URL as it may be stored and shown: references stay as written, a password that stands in it is left out.
[[nodiscard]] std::string without_passwords(const std::string& url);
/// Any text as it may be shown: "***" for each password that stands in a URL in it, references as written.
[[nodiscard]] std::string with_hidden_passwords(std::string_view text);

}  // namespace fermata
