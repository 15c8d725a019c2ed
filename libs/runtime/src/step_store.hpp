#pragma once
// Where a chunk commits: in one place, the sink's database where the writer can join a transaction (T1), else the
// repository's. One object a step execution; it turns (rows, progress) into one transaction.
#include "step_scope.hpp"

#include <fermata/batch/artifacts.hpp>
#include <fermata/repository/repository.hpp>

#include <memory>
#include <span>

namespace fermata {

class StepStore {
public:
    virtual ~StepStore() = default;
    /// What is committed, after this entry has fenced all earlier ones.
    virtual Progress open() = 0;
    /// For the writer. Its transaction begins when connection() is first called; the connection is the same one for all
    /// chunks of the step, and nobody else's.
    virtual Transaction& transaction() = 0;
    /// Commits what was written since, with `next`. Durable on return. Throws Error(stale) when fenced.
    virtual Requests commit(const Progress& next, std::span<const Event> journal) = 0;
    /// Whether progress that names no item may wait for the step's end, which saves it too: one sync less a step.
    [[nodiscard]] virtual bool may_wait_for_end() const noexcept = 0;
    /// Forgets what was written since the last commit. Harmless when nothing was.
    virtual void rollback() noexcept = 0;
    /// After a lost connection and rollback(): returns when the sink can be reached again. Throws SqlError(lost) if
    /// that takes too long.
    virtual void reconnect(const Progress& committed) = 0;
    /// After this the repository's copy is exact. To be called before a status of the step is written.
    virtual void flush(const Progress& committed) = 0;
};

/// Chooses by the writer's Sink: its database is opened only if it is not the repository's own. Of a partition with a
/// collector, each commit stores what it gave and hands it over afterwards.
[[nodiscard]] std::unique_ptr<StepStore> make_step_store(const StepScope& scope, const Sink& sink);

}  // namespace fermata
