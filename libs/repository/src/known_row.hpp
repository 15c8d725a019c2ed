#pragma once
// What a step's row of step_progress holds, as its owner knows from one commit to the next.
#include "rows.hpp"

#include <fermata/repository/repository.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace fermata {

/// A chunk that goes on from the one before changes a few columns of twenty: only these are sent. One that writes
/// nothing else is sent on the condition that nobody has asked anything of the execution since: on a server this takes
/// half of what sending and answering everything does.
class KnownRow {
public:
    /// A commit has left `progress` in the row, and `requests` is what it found asked. `writes`: as change_to() takes
    /// it.
    void note(const StepClaim& claim, const Progress& progress, const Requests& requests, std::int64_t writes);
    /// REQUIRES: before anything is tried whose end may stay unknown.
    void forget() noexcept { known_ = false; }
    /// From there to `next`. Changes no row if the row is not the owner's any more. Nothing if everything has to be
    /// sent: if the row is not known, or if `writes`, how often this process wrote to such rows in other ways, has
    /// risen. Borrows from the arguments and from this.
    [[nodiscard]] std::optional<sql::Command> change_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                        std::int64_t writes);
    /// The same, which changes no row either if anything is asked: then nothing has happened, and everything has to be
    /// sent. Nothing if that is clear already.
    [[nodiscard]] std::optional<sql::Command> change_unasked_to(const StepClaim& claim, const Progress& next,
                                                                Timestamp now, std::int64_t writes);
    /// What stood at the execution if change_unasked_to() has changed the row.
    [[nodiscard]] const Requests& requests() const noexcept { return requests_; }

private:
    [[nodiscard]] bool is_row_of(const StepClaim& claim) const noexcept;
    [[nodiscard]] std::optional<sql::Command> change(const StepClaim& claim, const Progress& next, Timestamp now,
                                                     std::int64_t writes, std::uint32_t changed);
    [[nodiscard]] const std::string& text_for(std::uint32_t changed);

    bool known_ = false;
    std::int64_t instance_ = 0;
    std::string step_;
    std::int64_t partition_ = 0;
    std::int64_t epoch_ = 0;
    Progress progress_;
    Requests requests_;
    std::int64_t writes_ = 0;
    std::map<std::uint32_t, std::string> texts_;  ///< by what changes, a bit each
};

}  // namespace fermata
