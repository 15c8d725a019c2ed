// The chunk step's single items: read and process with their listeners, and what an exception of an artifact comes to.
#include "chunk_step.hpp"

#include "failure.hpp"

#include <fermata/base/text.hpp>
#include <fermata/repository/facts.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

/// Enough to see what is wrong with an input; the reject file has them all.
constexpr std::int64_t journaled_skips_max = 100;

/// Inputs may hold anything, of any length.
std::string excerpt(std::string_view text) { return printable(text, 1000); }

}  // namespace

/// False: the input has ended (ended_), or this item was skipped.
bool ChunkStep::read(void* slot, std::exception_ptr error) {
    if (!throttle_.unlimited()) throttle_.wait_for_next(scope_.stop.signal().token());
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
            const Next verdict = absorb_process(error, input, again, true);
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
ChunkStep::Next ChunkStep::absorb(const std::exception_ptr& error, bool again, Blamed blamed, auto&& on_error,
                                  auto&& on_skip, auto&& on_retry) {
    Next next = Next::again;
    scope_.context.exception = error;
    with_exception(error, [&](const std::exception& known) {
        if (is_fenced(known, scope_.job) || is_lost(known)) std::rethrow_exception(error);
        const Decision decision = policy_.decide(known, next_, again || one_by_one_);
        on_error(known);
        if (decision == Decision::skip) on_skip(known);
        if (decision == Decision::retry_in_place || decision == Decision::roll_back) on_retry(known);
        switch (decision) {
            case Decision::fail:
                failed_at_ = place_of(known, blamed);
                exhausted_limit_ = policy_.exhausted_limit(known, next_);
                std::rethrow_exception(error);
            case Decision::roll_back:
                ++next_.retries_used;
                throw RetryChunk{error};
            case Decision::retry_in_place:
                ++next_.retries_used;
                break;
            case Decision::skip:
                ++next_.skips_used;
                journal_skip(known, blamed);
                next = Next::skipped;
                break;
        }
    });
    return next;
}

ChunkStep::Next ChunkStep::absorb_write(const std::exception_ptr& error, bool again) {
    const ItemsRef items(pipeline_.output_type, *pipeline_.output);
    return absorb(
        error, again, {.items = items.size()},
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

ChunkStep::Next ChunkStep::absorb_process(const std::exception_ptr& error, const ItemRef& item, bool again,
                                          bool is_last_read) {
    return absorb(
        error, again, {.is_last_read = is_last_read},
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
        error, again, {.is_last_read = true},
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

/// What the error says itself, else where the reader stands, if that is at the item.
std::string ChunkStep::place_of(const std::exception& error, Blamed blamed) const {
    if (const auto* item = dynamic_cast<const ItemError*>(&error); item != nullptr && !item->position().empty())
        return item->position();
    return blamed.is_last_read ? place() : std::string();
}

void ChunkStep::journal_skip(const std::exception& error, Blamed blamed) {
    if (journaled_skips_ >= journaled_skips_max) return;
    ++journaled_skips_;
    const auto* item = dynamic_cast<const ItemError*>(&error);
    const auto classes = scope_.job.registry.classes_of(error);
    const std::string error_class = classes.empty() ? "std.exception" : classes.front();
    const std::string message = excerpt(error.what());
    const std::string position = excerpt(place_of(error, blamed));
    const std::string raw = item != nullptr ? excerpt(item->raw()) : "";
    journal_.push_back({.execution = scope_.job.claim.execution,
                        .kind = "item.skipped",
                        .actor = "runtime",
                        .data = facts({{"step", std::string_view(scope_.context.step_name)},
                                       {"items", static_cast<std::int64_t>(blamed.items)},
                                       {"class", std::string_view(error_class)},
                                       {"message", std::string_view(message)},
                                       {"position", std::string_view(position)},
                                       {"raw", std::string_view(raw)}})});
}

}  // namespace fermata
