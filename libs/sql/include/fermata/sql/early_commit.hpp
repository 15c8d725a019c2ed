#pragma once
// Commits that are seen before they are on disk: ask a Connection for it by early_commit_of().
#include <fermata/sql/sql.hpp>

namespace fermata::sql {

/// Errors and threads as with the Connection it belongs to.
class EarlyCommit {
public:
    virtual ~EarlyCommit() = default;
    /// An expression for a statement of the transaction to answer; without it the commit itself waits for the disk.
    [[nodiscard]] virtual std::string_view early() const noexcept = 0;
    /// As Connection::commit(), but does not wait for the disk: others see what was committed, and hear what was said,
    /// now. What they commit afterwards is never durable without it.
    virtual std::vector<Result> commit_early(std::span<const Command> last = {}) = 0;
    /// Right after commit_early(), if that has changed anything: sends it to the disk, and does not wait.
    virtual void send_to_disk() = 0;
    /// On return what send_to_disk() has sent is durable. Throws SqlError(lost) if its session ended before: then a
    /// server that has crashed may have forgotten it; ask with a locking read, and send that to the disk as well.
    virtual void wait_for_disk() = 0;
};

/// Null where a commit is seen when it is durable.
[[nodiscard]] inline EarlyCommit* early_commit_of(Connection& connection) noexcept {
    return dynamic_cast<EarlyCommit*>(&connection);
}

}  // namespace fermata::sql
