#include "chunk_step.hpp"

#include "failure.hpp"

#include <fermata/base/point.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

/// Enough to see what is wrong with an input; the reject file has them all.
constexpr std::int64_t journaled_skips_max = 100;

/// Leaves a chunk that is to be rolled back and done again, item by item. Any other exception that leaves a chunk fails
/// the step: one from a listener is nobody's item, it is never skipped and never retried.
struct RetryChunk {
    std::exception_ptr error;
};

std::string json_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : printable(text, 1000)) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

}  // namespace

ChunkStep::ChunkStep(const RunnableChunk& chunk, StepScope& scope)
    : chunk_(chunk),
      scope_(scope),
      listeners_(scope.listeners),
      pipeline_(chunk, scope),
      policy_(chunk, scope.job.registry),
      throttle_(scope.context.properties.get<double>("max-rate", 0)),
      store_(make_step_store(scope.job.repository, scope.job.drivers, scope.entry, pipeline_.writer->sink(),
                             scope.job.accept_sink)),
      committed_(store_->open()) {
    if (!scope.adopted) begin_step_execution();
    if (committed_.sequence != scope.entry.state.progress.sequence) store_->flush(committed_);
    // What beforeStep said counts; otherwise the sink knows better than the repository's copy.
    StepContext& context = scope_.context;
    if (context.persistent_user_data == scope.entry.state.progress.user_data)
        context.persistent_user_data = committed_.user_data;
    if (!context.exit_status) context.exit_status = committed_.exit_status;
    show();
}

/// A new StepExecution counts from zero, and one restarted at the end of its input reads again (§10.8). An adopted one
/// goes on as if nothing had happened.
void ChunkStep::begin_step_execution() {
    committed_.metrics = {};
    committed_.skips_used = 0;
    committed_.retries_used = 0;
    committed_.exit_status.reset();
    committed_.exhausted = committed_.publishing;
}

StepOutcome ChunkStep::run() {
    try {
        return run_chunks();
    } catch (const std::exception& error) {
        pipeline_.close_quietly();
        // `stop --now` kills children in the middle of a chunk: it is rolled back, and that is no failure.
        if (scope_.job.stop.now() && !is_fenced(error)) return Stopped{};
        throw;
    } catch (...) {
        pipeline_.close_quietly();
        throw;
    }
}

StepOutcome ChunkStep::run_chunks() {
    guard_against_repeated_deaths();
    pipeline_.open(committed_);
    while (!committed_.exhausted) {
        if (scope_.job.stop.requested()) {
            pipeline_.close();
            return Stopped{};
        }
        run_chunk_or_recover();
        if (pipeline_.algorithm && !one_by_one_) pipeline_.algorithm->end_checkpoint();
    }
    publish();
    pipeline_.close();
    return Completed{};
}

void ChunkStep::flush() { store_->flush(committed_); }

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

void ChunkStep::run_chunk_or_recover() {
    try {
        run_chunk();
    } catch (const RetryChunk& retry) {
        recover(retry.error);
        committed_.replay_left = std::max(committed_.replay_left, reads_);
        pipeline_.open(committed_);
    } catch (const std::exception& error) {
        if (!is_fenced(error)) recover(std::current_exception());
        throw;
    } catch (...) {
        recover(std::current_exception());
        throw;
    }
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
    auto display = scope_.job.display.lock();
    if (display->steps.empty()) return;
    display->steps.back().metrics = committed_.metrics;
    display->steps.back().fraction = pipeline_.reader->fraction();
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
        void* slot = input.slot();
        if (read(slot)) {
            input.keep();
            if (pipeline_.processor) process(slot);
        }
    } while (!ended_ && !is_full());
}

/// Most steps have nobody to tell about single items.
bool ChunkStep::is_plain() const {
    return !one_by_one_ && !pipeline_.algorithm && chunk_.definition->time_limit.count() == 0 &&
           throttle_.unlimited() && listeners_.read.empty() && listeners_.process.empty();
}

/// What fill() does where is_plain(), in a few nanoseconds an item: two virtual calls, counts in registers. An
/// exception hands its item to read() or process(), which do all the rest.
void ChunkStep::fill_plain() {
    AnyReader& reader = *pipeline_.reader;
    AnyProcessor* const processor = pipeline_.processor.get();
    ItemBuffer& output = *pipeline_.output;
    ItemBuffer& input = processor != nullptr ? *pipeline_.input : output;
    const bool keeps_input = processor == nullptr || pipeline_.input_type.chunk_bound;
    const StopSignal& stop = scope_.job.stop;
    do {
        const std::int64_t left = chunk_.definition->item_count - reads_;
        std::int64_t items = 0;
        std::int64_t filtered = 0;
        void* slot = nullptr;
        bool processing = false;
        std::exception_ptr error;
        try {
            while (items < left) {
                processing = false;
                slot = input.slot();
                if (!reader.read(slot)) {
                    ended_ = true;
                    break;
                }
                ++items;
                if (keeps_input) input.keep();
                if (processor != nullptr) {
                    processing = true;
                    if (processor->process(slot, output.slot()))
                        output.keep();
                    else
                        ++filtered;
                }
                if (stop.requested()) break;
            }
        } catch (...) {
            error = std::current_exception();
        }
        reads_ += items;
        next_.metrics.read += items;
        next_.metrics.filtered += filtered;
        if (!error) continue;
        if (processing) {
            process(slot, std::move(error));
        } else if (read(slot, std::move(error))) {
            if (keeps_input) input.keep();
            if (processor != nullptr) process(slot);
        }
    } while (!ended_ && !is_full());
}

bool ChunkStep::is_full() {
    if (scope_.job.stop.requested()) return true;
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

/// What a failed write left behind must not be committed with the progress, nor written twice.
void ChunkStep::undo_write() {
    store_->rollback();
    pipeline_.reopen_writer(committed_);
}

/// The chunk commits without its items: they were skipped as one list.
void ChunkStep::drop_written() {
    undo_write();
    const std::int64_t dropped = next_.metrics.written - committed_.metrics.written;
    next_.metrics.written -= dropped;
    next_.metrics.write_skips += dropped;
}

ChunkStep::Next ChunkStep::absorb_write(const std::exception_ptr& error, bool again) {
    const ItemsRef items(pipeline_.output_type, *pipeline_.output);
    return absorb(
        error, again,
        [&](const std::exception& e) {
            for (auto* l : listeners_.write) l->on_write_error(items, e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.skip) l->on_skip_write(items, e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.retry) l->on_retry_write(items, e);
        });
}

ChunkStep::Next ChunkStep::absorb_process(const std::exception_ptr& error, const ItemRef& item, bool again) {
    return absorb(
        error, again,
        [&](const std::exception& e) {
            for (auto* l : listeners_.process) l->on_process_error(item, e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.skip) l->on_skip_process(item, e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.retry) l->on_retry_process(item, e);
        });
}

ChunkStep::Next ChunkStep::absorb_read(const std::exception_ptr& error, bool again) {
    return absorb(
        error, again,
        [&](const std::exception& e) {
            for (auto* l : listeners_.read) l->on_read_error(e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.skip) l->on_skip_read(e);
        },
        [&](const std::exception& e) {
            for (auto* l : listeners_.retry) l->on_retry_read(e);
        });
}

void ChunkStep::commit() {
    for (ChunkListener* listener : listeners_.chunk) listener->after_chunk();
    pipeline_.save_positions(next_);
    next_.user_data = scope_.context.persistent_user_data;
    next_.exit_status = scope_.context.exit_status;
    next_.exhausted = ended_;
    next_.replay_left = std::max<std::int64_t>(0, committed_.replay_left - std::max<std::int64_t>(reads_, 1));
    ++next_.sequence;
    ++next_.metrics.commits;
    while (const std::exception_ptr error = try_commit()) {
        // §8.2.1.4: a failed commit is a failed write. In place there is nothing left to repeat it on.
        if (absorb_write(error, one_by_one_) == Next::again) throw RetryChunk{error};
        drop_written();
        pipeline_.save_positions(next_);
    }
    committed_ = next_;
    // An announced item is done: the repository must not name it any more, wherever the chunk was committed.
    if (intent_) store_->flush(committed_);
    if (committed_.replay_left == 0) intent_ = false;
    show();
}

std::exception_ptr ChunkStep::try_commit() {
    try {
        scope_.job.heed(store_->commit(next_, journal_));
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

// --- one item ------------------------------------------------------------------------------------------------------

/// False: the input has ended (ended_), or this item was skipped.
bool ChunkStep::read(void* slot, std::exception_ptr error) {
    if (!throttle_.unlimited()) throttle_.wait_for_next(scope_.job.stop.token());
    if (intent_) note_intent("reading after " + pipeline_.reader->position());
    for (bool again = false;; again = true) {
        bool found = false;
        if (!error) {
            for (ItemReadListener* listener : listeners_.read) listener->before_read();
            try {
                found = pipeline_.reader->read(slot);
            } catch (...) {
                error = std::current_exception();
            }
        }
        if (error) {
            ++reads_;  // of a rolled back chunk, how many to replay; of a skip, that something was consumed
            const Next verdict = absorb_read(error, again);
            error = nullptr;
            if (verdict == Next::again) {
                --reads_;
                continue;
            }
            ++next_.metrics.read_skips;
            return false;
        }
        if (found) {
            ++reads_;
            ++next_.metrics.read;
        } else {
            ended_ = true;
        }
        const ItemRef item(pipeline_.input_type, slot);
        for (ItemReadListener* listener : listeners_.read) listener->after_read(found ? &item : nullptr);
        return found;
    }
}

void ChunkStep::process(void* item, std::exception_ptr error) {
    if (intent_) note_intent(pipeline_.reader->position() + " " + printable(pipeline_.input_type.describe(item)));
    const ItemRef input(pipeline_.input_type, item);
    for (bool again = false;; again = true) {
        void* result = pipeline_.output->slot();
        bool kept = false;
        if (!error) {
            for (ItemProcessListener* listener : listeners_.process) listener->before_process(input);
            try {
                kept = pipeline_.processor->process(item, result);
            } catch (...) {
                error = std::current_exception();
            }
        }
        if (error) {
            const Next verdict = absorb_process(error, input, again);
            error = nullptr;
            if (verdict == Next::again) continue;
            ++next_.metrics.process_skips;
            return;
        }
        const ItemRef output(pipeline_.output_type, result);
        for (ItemProcessListener* listener : listeners_.process)
            listener->after_process(input, kept ? &output : nullptr);
        if (kept)
            pipeline_.output->keep();
        else
            ++next_.metrics.filtered;
        return;
    }
}

void ChunkStep::note_intent(const std::string& about) { scope_.job.repository.set_intent(scope_.entry.claim, about); }

/// Calls the listeners and answers what to do next, or leaves the chunk.
ChunkStep::Next ChunkStep::absorb(const std::exception_ptr& error, bool again, auto&& on_error, auto&& on_skip,
                                  auto&& on_retry) {
    Next next = Next::again;
    scope_.context.exception = error;
    with_exception(error, [&](const std::exception& known) {
        if (is_fenced(known)) std::rethrow_exception(error);
        const Decision decision = policy_.decide(known, next_, again || one_by_one_);
        on_error(known);
        if (decision == Decision::skip) on_skip(known);
        if (decision == Decision::retry_in_place || decision == Decision::roll_back) on_retry(known);
        switch (decision) {
            case Decision::fail:
                std::rethrow_exception(error);
            case Decision::roll_back:
                ++next_.retries_used;
                throw RetryChunk{error};
            case Decision::retry_in_place:
                ++next_.retries_used;
                break;
            case Decision::skip:
                ++next_.skips_used;
                journal_skip("item", known);
                next = Next::skipped;
                break;
        }
    });
    return next;
}

void ChunkStep::journal_skip(std::string_view phase, const std::exception& error) {
    if (journaled_skips_ >= journaled_skips_max) return;
    ++journaled_skips_;
    const auto* item = dynamic_cast<const ItemError*>(&error);
    const auto classes = scope_.job.registry.classes_of(error);
    journal_.push_back({.execution = scope_.job.claim.execution,
                        .kind = fmt::format("{}.skipped", phase),
                        .actor = "runtime",
                        .data = fmt::format(R"({{"step":{},"class":{},"message":{},"position":{},"raw":{}}})",
                                            json_text(scope_.context.step_name),
                                            json_text(classes.empty() ? "std.exception" : classes.front()),
                                            json_text(error.what()), json_text(item != nullptr ? item->position() : ""),
                                            json_text(item != nullptr ? item->raw() : ""))});
}

// --- a processor that takes the whole chunk ------------------------------------------------------------------------

namespace {
/// Collects one verdict an item; exceptions are judged afterwards, when all are known.
class Verdicts final : public AnyVerdicts {
public:
    enum class Kind : std::uint8_t { kept, filtered, failed };
    struct Verdict {
        Kind kind;
        std::exception_ptr error;
    };
    explicit Verdicts(ItemBuffer& output) : output_(output) {}
    void* result_slot() override { return output_.slot(); }
    void kept() override {
        output_.keep();
        all.push_back({Kind::kept, nullptr});
    }
    void filter() override { all.push_back({Kind::filtered, nullptr}); }
    void fail(std::exception_ptr error) override { all.push_back({Kind::failed, std::move(error)}); }

    std::vector<Verdict> all;

private:
    ItemBuffer& output_;
};
}  // namespace

void ChunkStep::fill_whole() {
    ItemBuffer& input = *pipeline_.input;
    do {
        if (read(input.slot())) input.keep();
    } while (!ended_ && !is_full());
    if (input.empty()) return;
    if (intent_)
        note_intent(pipeline_.reader->position() + " " + printable(pipeline_.input_type.describe(input.at(0))));

    Verdicts verdicts(*pipeline_.output);
    for (std::size_t i = 0; i < input.size(); ++i)
        for (auto* listener : listeners_.process) listener->before_process(ItemRef(pipeline_.input_type, input.at(i)));
    std::exception_ptr whole;
    try {
        pipeline_.processor->process_chunk(input, verdicts);
        if (verdicts.all.size() != input.size())
            throw Error(ErrorKind::failed,
                        fmt::format("the processor answered for {} of {} items", verdicts.all.size(), input.size()));
    } catch (...) {
        whole = std::current_exception();
    }
    if (whole) {
        // One exception for many items: done again item by item, it will hit the guilty one alone.
        const bool alone = input.size() == 1;
        const ItemRef item(pipeline_.input_type, input.at(0));
        bool isolate = false;
        with_exception(whole, [&](const std::exception& e) { isolate = !alone && policy_.is_skippable(e); });
        if (isolate) throw RetryChunk{whole};
        const Next verdict = absorb_process(whole, item, true);
        if (verdict == Next::again) throw RetryChunk{whole};
        ++next_.metrics.process_skips;
        return;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < verdicts.all.size(); ++i) {
        const ItemRef item(pipeline_.input_type, input.at(i));
        const auto& verdict = verdicts.all[i];
        if (verdict.kind == Verdicts::Kind::failed) {
            const Next next = absorb_process(verdict.error, item, true);
            if (next == Next::again) throw RetryChunk{verdict.error};
            ++next_.metrics.process_skips;
            continue;
        }
        if (verdict.kind == Verdicts::Kind::filtered) ++next_.metrics.filtered;
        const ItemRef output(pipeline_.output_type,
                             verdict.kind == Verdicts::Kind::kept ? pipeline_.output->at(kept++) : nullptr);
        for (auto* listener : listeners_.process)
            listener->after_process(item, verdict.kind == Verdicts::Kind::kept ? &output : nullptr);
    }
}

}  // namespace fermata
