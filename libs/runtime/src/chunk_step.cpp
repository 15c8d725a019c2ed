#include "chunk_step.hpp"

#include "failure.hpp"
#include "step_waits.hpp"
#include "storable.hpp"

#include <fermata/base/point.hpp>

#include <fmt/format.h>

namespace fermata {

ChunkStep::ChunkStep(const RunnableChunk& chunk, StepScope& scope)
    : chunk_(chunk),
      scope_(scope),
      listeners_(scope.listeners),
      pipeline_(chunk, scope),
      policy_(chunk, scope.job.registry),
      throttle_(scope.context.properties.get<double>("max-rate", 0), scope.adopted),
      store_(make_step_store(scope, pipeline_.writer->sink())),
      committed_(store_->open()),
      entered_at_(committed_.sequence) {
    if (!scope.adopted) begin_step_execution();
    if (committed_.sequence != scope.entry.state.progress.sequence) store_->flush(committed_);
    // What beforeStep said counts; otherwise the sink knows better than the repository's copy.
    StepContext& context = scope_.context;
    if (context.persistent_user_data == scope.entry.state.progress.user_data)
        context.persistent_user_data = committed_.user_data;
    if (context.exit_status == scope.entry.state.progress.exit_status)
        context.exit_status.restore(committed_.exit_status);
    context.pause_asked = unserved(committed_, scope.entry.state);
    if (!context.pause_asked) committed_.pause.reset();
    show();
}

/// A new StepExecution counts from zero, and one restarted at the end of its input reads again (§10.8). An adopted one
/// goes on as if nothing had happened.
void ChunkStep::begin_step_execution() {
    committed_.metrics = {};
    committed_.skips_used = 0;
    committed_.retries_used = 0;
    committed_.exit_status.reset();
    committed_.pause.reset();
    if (!committed_.publishing) committed_.exhausted = false;
}

StepOutcome ChunkStep::run() {
    try {
        return run_chunks();
    } catch (const std::exception& error) {
        pipeline_.close_quietly();
        // `stop --now` kills children in the middle of a chunk: it is rolled back, and that is no failure.
        if (!scope_.stop.signal().now() || is_fenced(error, scope_.job)) throw;
    } catch (...) {
        pipeline_.close_quietly();
        throw;
    }
    return killed();
}

/// What a step that is cut short has committed is put in place all the same.
StepOutcome ChunkStep::killed() {
    if (!scope_.stop.is_cut()) return Stopped{};
    scope_.job.require_ours();
    pipeline_.open_outputs(committed_);
    publish();
    pipeline_.close();
    return Cut{};
}

StepOutcome ChunkStep::run_chunks() {
    guard_against_repeated_deaths();
    pipeline_.open(committed_);
    // Published before the input has ended: it was cut short under an owner that died.
    while (!committed_.exhausted && !committed_.publishing) {
        if (scope_.stop.requested()) {
            if (scope_.stop.is_cut()) break;
            pipeline_.close();
            return Stopped{};
        }
        if (must_rest()) {
            pipeline_.close();
            return Paused{};
        }
        if (run_chunk_or_recover() && pipeline_.algorithm && !one_by_one_) pipeline_.algorithm->end_checkpoint();
    }
    const bool cut = !committed_.exhausted;
    if (cut) scope_.job.require_ours();
    const std::string last = cut ? place() : std::string();
    // A child that ends badly takes part in the outcome: nothing is put in place then.
    pipeline_.close_processor();
    publish();
    pipeline_.close();
    if (cut) return Cut{last};
    return Completed{};
}

/// For the record only.
std::string ChunkStep::place() const {
    try {
        return pipeline_.reader->position();
    } catch (...) {
        return {};
    }
}

/// Chunks of a replay are no chunks of their own: without the exception before they would have been one.
bool ChunkStep::must_rest() const {
    if (committed_.replay_left > 0) return false;
    return wants_to_rest(scope_.context) || scope_.job.pause.now() || gives_up_turn();
}

/// Not without a chunk of its own, however long it took to open its artifacts: two that never get further would take
/// turns forever.
bool ChunkStep::gives_up_turn() const {
    return scope_.turn != nullptr && committed_.sequence > entered_at_ && scope_.turn->is_over();
}

void ChunkStep::flush() { store_->flush(committed_); }

StepOutcome ChunkStep::explained(StepOutcome outcome) const {
    auto* failed = std::get_if<Failed>(&outcome);
    if (failed == nullptr) return outcome;
    if (!exhausted_limit_.empty()) failed->failure.message += "; " + exhausted_limit_;
    if (failed->failure.position.empty()) failed->failure.position = failed_at_;
    make_storable(failed->failure.position);
    return outcome;
}

// --- the step ------------------------------------------------------------------------------------------------------

/// Owners that died here without progress are counted for free at take-over and restart. After the second death items
/// are done one by one, each announced first; so whoever dies then has named the item, and the crash loop ends.
void ChunkStep::guard_against_repeated_deaths() {
    const StepState& state = scope_.entry.state;
    if (state.death_sequence != committed_.sequence || state.deaths == 0) return;
    if (state.intent)
        throw Error(ErrorKind::failed,
                    fmt::format("the process died again and again at the same item: {}", *state.intent),
                    "mend or remove the item, or let the step skip what it causes, then restart");
    if (state.deaths < 2) return;
    intent_ = true;
    committed_.replay_left = std::max(committed_.replay_left, chunk_.definition->item_count);
}

/// True if it was committed, false if it is to be done again.
bool ChunkStep::run_chunk_or_recover() {
    try {
        run_chunk();
        return true;
    } catch (const RetryChunk& retry) {
        recover(retry.error);
        committed_.replay_left = std::max(committed_.replay_left, reads_);
        pipeline_.open(committed_);
        return false;
    } catch (const std::exception& error) {
        if (is_lost(error)) {
            go_on_after_loss(std::current_exception());
            return false;
        }
        if (!is_fenced(error, scope_.job)) recover(std::current_exception());
        throw;
    } catch (...) {
        recover(std::current_exception());
        throw;
    }
}

/// A database that was restarted is waited for by its driver, then the chunk is done again from the committed
/// checkpoint. One that goes away again and again without a chunk in between fails the step, which can be restarted.
void ChunkStep::go_on_after_loss(const std::exception_ptr& error) {
    constexpr int losses_max = 5;
    recover(error);
    if (++losses_ > losses_max) std::rethrow_exception(error);
    store_->reconnect(committed_);
    pipeline_.open(committed_);
}

/// §8.2.1.4.4: close writer and reader, onError, rollback. What the chunk counted is gone with it; that there was a
/// rollback, and the retries it used up, are not.
void ChunkStep::recover(const std::exception_ptr& error) {
    pipeline_.close_quietly();
    std::exception_ptr from_listener;
    with_exception(error, [&](const std::exception& known) {
        try {
            for (ChunkListener* listener : listeners_.chunk) listener->on_error(known);
        } catch (...) {
            from_listener = std::current_exception();
        }
    });
    store_->rollback();
    journal_.clear();
    ++committed_.metrics.rollbacks;
    scope_.context.pause_asked = unserved(committed_, scope_.entry.state);
    committed_.retries_used = next_.retries_used;
    if (from_listener) std::rethrow_exception(from_listener);
}

/// Puts finished files in place. The commit before it says that all chunks are in; redoing it is harmless.
void ChunkStep::publish() {
    if (!pipeline_.publishes()) return;
    if (!committed_.publishing) {
        Progress next = committed_;
        next.publishing = true;
        ++next.sequence;
        store_->commit(next, {});
        committed_ = std::move(next);
    }
    FERMATA_POINT("step.before-publish");
    pipeline_.publish();
    FERMATA_POINT("step.after-publish");
}

void ChunkStep::show() const {
    scope_.context.metrics = committed_.metrics;
    scope_.show(committed_.metrics, pipeline_.reader->fraction());
}

// --- one chunk -----------------------------------------------------------------------------------------------------

void ChunkStep::run_chunk() {
    begin_chunk();
    if (pipeline_.processor && pipeline_.processor->per_chunk())
        fill_whole();
    else if (is_plain())
        fill_plain();
    else
        fill();
    write();
    commit();
}

void ChunkStep::begin_chunk() {
    next_ = committed_;
    journal_.clear();
    reads_ = 0;
    ended_ = false;
    one_by_one_ = committed_.replay_left > 0;
    if (pipeline_.input) pipeline_.input->clear();
    pipeline_.output->clear();
    if (chunk_.definition->time_limit.count() > 0) chunk_began_ = std::chrono::steady_clock::now();
    if (pipeline_.algorithm && !one_by_one_) {
        (void)pipeline_.algorithm->checkpoint_timeout();
        pipeline_.algorithm->begin_checkpoint();
    }
    for (ChunkListener* listener : listeners_.chunk) listener->before_chunk();
}

void ChunkStep::fill() {
    ItemBuffer& input = pipeline_.processor ? *pipeline_.input : *pipeline_.output;
    do {
        take(input.slot());
    } while (!ended_ && !is_full());
}

/// Reads one item and processes it. `slot` is the next of the buffer it belongs to.
void ChunkStep::take(void* slot, std::exception_ptr error) {
    ItemBuffer& input = pipeline_.processor ? *pipeline_.input : *pipeline_.output;
    if (!read(slot, std::move(error))) return;
    input.keep();
    if (pipeline_.processor) process(slot);
}

/// Most steps have nobody to tell about single items.
bool ChunkStep::is_plain() const {
    return !one_by_one_ && !pipeline_.algorithm && chunk_.definition->time_limit.count() == 0 &&
           throttle_.unlimited() && listeners_.read.empty() && listeners_.process.empty();
}

/// What fill() does where is_plain(), in a few nanoseconds an item. An exception hands its item to read() or process(),
/// which do all the rest.
void ChunkStep::fill_plain() {
    do {
        PlainRun run = run_plainly(chunk_.definition->item_count - reads_);
        reads_ += run.read;
        next_.metrics.read += run.read;
        next_.metrics.filtered += run.filtered;
        switch (run.end) {
            case PlainRun::End::paused:
                break;
            case PlainRun::End::input_ended:
                ended_ = true;
                break;
            case PlainRun::End::read_failed:
                take(run.item, std::move(run.error));
                break;
            case PlainRun::End::process_failed:
                process(run.item, std::move(run.error));
                break;
        }
    } while (!ended_ && !is_full());
}

PlainRun ChunkStep::run_plainly(std::int64_t items) const {
    const StopSignal& stop = scope_.stop.signal();
    if (!pipeline_.processor) return pipeline_.reader->read_run(*pipeline_.output, items, stop);
    return pipeline_.processor->process_run(*pipeline_.reader, *pipeline_.input, pipeline_.input_type.chunk_bound,
                                            *pipeline_.output, items, stop);
}

bool ChunkStep::is_full() {
    if (scope_.stop.requested()) return true;
    if (one_by_one_) return reads_ >= 1;
    if (pipeline_.algorithm) return pipeline_.algorithm->is_ready_to_checkpoint();
    if (reads_ >= chunk_.definition->item_count) return true;
    return chunk_.definition->time_limit.count() > 0 &&
           std::chrono::steady_clock::now() - chunk_began_ >= chunk_.definition->time_limit;
}

void ChunkStep::write() {
    // §11.8: a first "no more" still makes a chunk, but one without writeItems; all filtered writes an empty list.
    if (next_.metrics.read == committed_.metrics.read) return;
    ItemBuffer& items = *pipeline_.output;
    const ItemsRef view(pipeline_.output_type, items);
    for (bool again = false;; again = true) {
        for (ItemWriteListener* listener : listeners_.write) listener->before_write(view);
        std::exception_ptr error;
        try {
            Transaction& transaction = store_->transaction();
            transaction.generation = next_.generation;
            transaction.sequence = next_.sequence;
            pipeline_.writer->write(items, transaction);
        } catch (...) {
            error = std::current_exception();
        }
        if (!error) break;
        const Next verdict = absorb_write(error, again);
        undo_write();
        if (verdict == Next::again) continue;
        next_.metrics.write_skips += static_cast<std::int64_t>(items.size());
        return;
    }
    next_.metrics.written += static_cast<std::int64_t>(items.size());
    for (ItemWriteListener* listener : listeners_.write) listener->after_write(view);
}

/// What a failed write left behind must not be committed with the progress, nor written twice. A writer that cannot
/// take anything back is not closed either: there was no rollback (§8.2.1.4.4).
void ChunkStep::undo_write() {
    store_->rollback();
    if (pipeline_.writer->sink().sink_class != SinkClass::at_least_once) pipeline_.reopen_writer(committed_);
}

/// The chunk commits without its items: they were skipped as one list.
void ChunkStep::drop_written() {
    undo_write();
    const std::int64_t dropped = next_.metrics.written - committed_.metrics.written;
    next_.metrics.written -= dropped;
    next_.metrics.write_skips += dropped;
}

void ChunkStep::commit() {
    for (ChunkListener* listener : listeners_.chunk) listener->after_chunk();
    pipeline_.save_positions(next_);
    next_.user_data = scope_.context.persistent_user_data;
    make_storable(scope_.context);
    next_.exit_status = scope_.context.exit_status;
    next_.exhausted = ended_;
    if (const auto& asked = scope_.context.pause_asked) next_.pause = kept(*asked, scope_.entry.state);
    next_.replay_left = std::max<std::int64_t>(0, committed_.replay_left - std::max<std::int64_t>(reads_, 1));
    ++next_.sequence;
    ++next_.metrics.commits;
    while (const std::exception_ptr error = is_empty_end() ? nullptr : try_commit()) {
        // §8.2.1.4: a failed commit is a failed write. In place there is nothing left to repeat it on.
        if (absorb_write(error, one_by_one_) == Next::again) throw RetryChunk{error};
        drop_written();
        pipeline_.save_positions(next_);
    }
    committed_ = next_;
    losses_ = 0;
    // An announced item is done: the repository must not name it any more, wherever the chunk was committed.
    if (intent_) store_->flush(committed_);
    if (committed_.replay_left == 0) intent_ = false;
    show();
}

/// The chunk in which the reader had nothing more: often the step's last commit saves nothing but that.
bool ChunkStep::is_empty_end() const { return ended_ && reads_ == 0 && !intent_ && store_->may_wait_for_end(); }

std::exception_ptr ChunkStep::try_commit() {
    try {
        scope_.job.heed(store_->commit(next_, journal_));
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace fermata
