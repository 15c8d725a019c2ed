#pragma once
// What a step's row of step_progress holds, as its owner knows from one commit to the next.
#include "asked.hpp"

#include <fermata/repository/repository.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace fermata {

/// A chunk that goes on from the one before changes a few columns of twenty: only these are sent. One that writes
/// nothing else is sent on the condition that its execution's row is the same version as before, so that nobody has
/// asked anything: one comparison and a row found at once, where it were an index and six.
class KnownRow {
public:
    explicit KnownRow(const sql::Dialect& dialect) : dialect_(dialect) {}
    /// A commit has left `progress` in the row, and found `asked`. `writes`: as change_to() takes it.
    void note(const StepClaim& claim, const Progress& progress, Asked asked, std::int64_t writes);
    /// REQUIRES: before anything is tried whose end may stay unknown.
    void forget() noexcept { known_ = false; }
    /// From there to `next`. The statement fails with RowCountError if the row is not the owner's any more, but not if
    /// it is gone: ask_whether_same() does. Nothing if everything has to be sent: if the row or the version of the
    /// execution's is not known, or if `writes`, how often this process wrote to such rows in other ways, has risen.
    /// Borrows from the arguments and from this.
    [[nodiscard]] std::optional<sql::Command> change_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                        std::int64_t writes);
    /// The same, alone: changes no row if the row is not the owner's, or if anything is asked. Then nothing has
    /// happened, and everything has to be sent. Nothing if that is clear already.
    [[nodiscard]] std::optional<sql::Command> change_unasked_to(const StepClaim& claim, const Progress& next,
                                                                Timestamp now, std::int64_t writes);
    /// What is asked, if change_unasked_to() has changed the row, or if the execution's row is still that version.
    [[nodiscard]] const Asked& asked() const noexcept { return asked_; }

private:
    [[nodiscard]] bool is_row_of(const StepClaim& claim) const noexcept;
    [[nodiscard]] std::optional<sql::Command> change(const StepClaim& claim, const Progress& next, Timestamp now,
                                                     std::int64_t writes, std::uint32_t changed);
    [[nodiscard]] const std::string& text_for(std::uint32_t changed);

    const sql::Dialect& dialect_;
    bool known_ = false;
    std::int64_t instance_ = 0;
    std::string step_;
    std::int64_t partition_ = 0;
    std::int64_t epoch_ = 0;
    Progress progress_;
    sql::Params held_;  ///< `progress_` as cells
    sql::Params next_;  ///< those of change(), kept for their memory
    Asked asked_;
    std::int64_t writes_ = 0;
    std::map<std::uint32_t, std::string> texts_;  ///< by what changes, a bit each
};

}  // namespace fermata
