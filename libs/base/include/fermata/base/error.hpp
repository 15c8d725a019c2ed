#pragma once
// What Fermata throws. Throw by kind: the kind decides the exit code (apps), the HTTP status (server) and whether a
// caller may try again. What a caller expects (found or not, won or lost) is answered by value, never thrown.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fermata {

enum class ErrorKind : std::uint8_t {
    failed,       ///< unexpected, or the work itself failed                       exit 1
    usage,        ///< the command line is wrong                                   exit 2
    timed_out,    ///< waited as long as was asked                                 exit 3
    stale,        ///< a fencing token or epoch was overtaken                      exit 4
    refused,      ///< cannot be done here, whatever the status (input changed, artifact missing, newer schema) exit 5
    not_found,    ///< no such job, execution, step                                exit 6
    forbidden,    ///< the caller may not                                          exit 7
    conflict,     ///< the present status does not allow it; says which it is      exit 8
    invalid,      ///< job XML or parameters are wrong                             exit 9
    unreachable,  ///< repository or server cannot be opened                       exit 13
};

/// Base of everything Fermata throws on purpose. `what()` names the thing, the value and where it stands; `remedy()`
/// says what to do about it (may be empty). Both are for people, in one line each, without a trailing full stop.
class Error : public std::runtime_error {
public:
    explicit Error(ErrorKind kind, const std::string& message, std::string remedy = {})
        : std::runtime_error(message), kind_(kind), remedy_(std::move(remedy)) {}

    [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }
    /// The same call may succeed later without anything being changed (busy, lost connection).
    [[nodiscard]] virtual bool is_transient() const noexcept { return false; }

private:
    ErrorKind kind_;
    std::string remedy_;
};

/// Errors about one item. `position()` is where it stands ("vendors.csv:612"), `raw()` the item as it was read, for the
/// reject file; both may be empty. Names for skip and retry lists are "fermata.<class>"; `fermata.Error` is their base.
class ItemError : public Error {
public:
    explicit ItemError(const std::string& message, std::string position = {}, std::string raw = {})
        : Error(ErrorKind::failed, message), position_(std::move(position)), raw_(std::move(raw)) {}

    [[nodiscard]] const std::string& position() const noexcept { return position_; }
    [[nodiscard]] const std::string& raw() const noexcept { return raw_; }

private:
    std::string position_;
    std::string raw_;
};

/// The input could not be read here: an unreadable or over-long line, a decoding error.
struct ReadError : ItemError {
    using ItemError::ItemError;
};
/// The input was read but is not what its format says: wrong number of columns, bad JSON, unterminated quote.
struct ParseError : ItemError {
    using ItemError::ItemError;
};
/// A value is not of the type asked for.
struct ConversionError : ItemError {
    using ItemError::ItemError;
};
/// A value is missing or breaks a rule of the job (the `required` property of `map`).
struct ValidationError : ItemError {
    using ItemError::ItemError;
};
/// A database constraint refused the row.
struct ConstraintError : ItemError {
    using ItemError::ItemError;
};
/// Reading or writing a file, pipe or socket failed (disk full, permission).
struct IoError : ItemError {
    using ItemError::ItemError;
};
/// A child process broke the protocol, died, or ended with an unexpected exit code.
struct ChildError : ItemError {
    using ItemError::ItemError;
};
/// Not a failure: a processor asks for this item to be skipped. Always skippable, counts against skip-limit.
struct SkipItem : ItemError {
    using ItemError::ItemError;
};

}  // namespace fermata
