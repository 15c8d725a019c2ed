#pragma once
// What sessions of one database say to each other, where its engine has such a thing: ask a Connection for it by
// notices_of(). A notice is a hint: one said while nobody listened, or lost with a connection, does not come again.
#include <fermata/sql/sql.hpp>

#include <chrono>

namespace fermata::sql {

/// Errors and threads as with the Connection it belongs to.
class Notices {
public:
    virtual ~Notices() = default;
    /// Heard by all who listen on `channel`; inside a transaction when that is committed.
    virtual void say(std::string_view channel) = 0;
    /// From now on what is said on `channel` is heard by this session.
    virtual void listen(std::string_view channel) = 0;
    /// Waits until something was said: true; or until `wake` can be read or `bound` has passed: false. Throws
    /// SqlError(lost) with its session: then there is nothing more to hear.
    [[nodiscard]] virtual bool wait(std::chrono::milliseconds bound, int wake) = 0;
    /// What came with the notices that the last wait() heard, one text each; most have an empty one.
    [[nodiscard]] virtual const std::vector<std::string>& words() const noexcept = 0;
};

/// Null if this connection's sessions cannot speak to each other.
[[nodiscard]] inline Notices* notices_of(Connection& connection) noexcept {
    return dynamic_cast<Notices*>(&connection);
}

}  // namespace fermata::sql
