#pragma once
// Runs a chunk step from where its committed progress stands to its end, a stop, or a failure (Jakarta Batch §11.6,
// §11.8). A chunk is a function from progress to progress: memory follows the database, so nothing needs restoring.
#include "chunk_pipeline.hpp"
#include "outcome.hpp"
#include "recovery.hpp"
#include "step_scope.hpp"
#include "step_store.hpp"
#include "throttle.hpp"

#include <memory>
#include <vector>

namespace fermata {

/// Leaves a chunk that is to be rolled back and done again, item by item. Any other exception that leaves a chunk fails
/// the step: one from a listener is nobody's item, it is never skipped and never retried.
struct RetryChunk {
    std::exception_ptr error;
};

class Verdicts;

class ChunkStep {
public:
    ChunkStep(const RunnableChunk& chunk, StepScope& scope);

    /// Throws what failed the step, after the rollback; progress() is what is committed then.
    StepOutcome run();
    [[nodiscard]] const Progress& progress() const noexcept { return committed_; }
    /// The repository's copy is exact afterwards.
    void flush();
    /// A failure that a limit no longer absorbed names the limit.
    [[nodiscard]] StepOutcome explained(StepOutcome outcome) const;

private:
    // --- the step: chunk after chunk
    void begin_step_execution();
    [[nodiscard]] bool must_rest() const;
    [[nodiscard]] bool gives_up_turn() const;
    StepOutcome run_chunks();
    StepOutcome killed();
    [[nodiscard]] std::string place() const;
    void guard_against_repeated_deaths();
    bool run_chunk_or_recover();
    void recover(const std::exception_ptr& error);
    void go_on_after_loss(const std::exception_ptr& error);
    void publish();
    void show() const;

    // --- one chunk
    void run_chunk();
    void begin_chunk();
    void fill();
    void take(void* slot, std::exception_ptr error = nullptr);
    void fill_plain();
    [[nodiscard]] PlainRun run_plainly(std::int64_t items) const;
    [[nodiscard]] bool is_plain() const;
    void write();
    void commit();
    [[nodiscard]] bool is_empty_end() const;
    std::exception_ptr try_commit();
    void undo_write();
    void drop_written();
    [[nodiscard]] bool is_full();

    // --- one chunk of a processor that takes it whole
    void fill_whole();
    void read_whole();
    std::exception_ptr process_whole(Verdicts& verdicts);
    void absorb_whole(const std::exception_ptr& error);
    void judge(const Verdicts& verdicts);

    // --- one item
    /// With `error`, the first attempt was made already and threw it.
    [[nodiscard]] bool read(void* slot, std::exception_ptr error = nullptr);
    void process(void* item, std::exception_ptr error = nullptr);
    void note_intent(const std::string& about);

    // --- exceptions of artifacts
    enum class Next : std::uint8_t { again, skipped };
    /// What an exception is about.
    struct Blamed {
        std::size_t items = 1;      ///< a write that is skipped costs the chunk's
        bool is_last_read = false;  ///< the item at which the reader stands
    };
    Next absorb(const std::exception_ptr& error, bool again, Blamed blamed, auto&& on_error, auto&& on_skip,
                auto&& on_retry);
    Next absorb_read(const std::exception_ptr& error, bool again);
    Next absorb_process(const std::exception_ptr& error, const ItemRef& item, bool again, bool is_last_read);
    Next absorb_write(const std::exception_ptr& error, bool again);
    [[nodiscard]] std::string place_of(const std::exception& error, Blamed blamed) const;
    void journal_skip(const std::exception& error, Blamed blamed);

    const RunnableChunk& chunk_;
    StepScope& scope_;
    ListenerChain& listeners_;
    ChunkPipeline pipeline_;
    RecoveryPolicy policy_;
    Throttle throttle_;
    std::unique_ptr<StepStore> store_;

    Progress committed_;
    const std::int64_t entered_at_;     ///< the chunk at which it was entered
    Progress next_;                     ///< of the chunk being worked on
    std::vector<Event> journal_;        ///< skips of this chunk, committed with it
    std::string failed_at_;             ///< the place of an item whose exception was not absorbed
    std::string exhausted_limit_;       ///< why the last exception was not absorbed, if a limit is why
    std::int64_t journaled_skips_ = 0;  ///< of this step execution
    int losses_ = 0;                    ///< of a connection, since the last commit
    std::int64_t reads_ = 0;            ///< items read or skipped in reading, in this chunk
    bool ended_ = false;                ///< the reader answered "no more" in this chunk
    bool one_by_one_ = false;           ///< this chunk is part of a replay
    bool intent_ = false;               ///< and every item is announced, since owners died here
    std::chrono::steady_clock::time_point chunk_began_;
};

}  // namespace fermata
