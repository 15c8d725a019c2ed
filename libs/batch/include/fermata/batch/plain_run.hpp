#pragma once
// The inner loop of a chunk step that has nobody to tell about single items. It lives in the adapter of the artifact
// that is called last, where its type is known: reading alone costs no virtual call an item, reading and processing
// one, and everything else stays in registers. What an exception means is decided by the runtime, not here.
#include <fermata/base/stop_signal.hpp>
#include <fermata/batch/items.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>

namespace fermata {

/// What to do at most, and what came of it.
struct PlainRun {
    enum class End : std::uint8_t {
        paused,  ///< as many as asked for, a buffer is full, or a stop was asked for
        input_ended,
        read_failed,
        process_failed,
    };
    End end = End::paused;
    std::int64_t read = 0;  ///< the one whose processing failed included
    std::int64_t filtered = 0;
    void* item = nullptr;      ///< of both failures: the slot the artifact was called with
    std::exception_ptr error;  ///< of both failures
};

/// Reads at most `items` (>= 1) into `output` with `bool read(void* slot)`.
template <class Read>
[[nodiscard]] PlainRun read_plainly(Read&& read, ItemBuffer& output, std::int64_t items, const StopSignal& stop) {
    items = std::min(items, static_cast<std::int64_t>(output.room()));
    auto* slot = static_cast<std::byte*>(output.slot());
    const std::size_t stride = output.stride();
    std::int64_t count = 0;
    PlainRun run;
    try {
        while (count < items) {
            if (!read(slot)) {
                run.end = PlainRun::End::input_ended;
                break;
            }
            slot += stride;
            ++count;
            if (stop.requested()) break;
        }
    } catch (...) {
        run.end = PlainRun::End::read_failed;
        run.error = std::current_exception();
    }
    output.keep(static_cast<std::size_t>(count));
    run.read = count;
    run.item = slot;
    return run;
}

/// Reads at most `items` (>= 1) with `bool read(void* slot)` and hands each to `bool process(void* in, void* out)`.
/// `input` keeps what was read if `keeps_input`, else one slot of it serves all.
template <class Read, class Process>
[[nodiscard]] PlainRun process_plainly(Read&& read, Process&& process, ItemBuffer& input, bool keeps_input,
                                       ItemBuffer& output, std::int64_t items, const StopSignal& stop) {
    items = std::min(items, static_cast<std::int64_t>(output.room()));
    if (keeps_input) items = std::min(items, static_cast<std::int64_t>(input.room()));
    auto* const first = static_cast<std::byte*>(output.slot());
    auto* from = static_cast<std::byte*>(input.slot());
    auto* to = first;
    const std::size_t from_stride = keeps_input ? input.stride() : 0;
    const std::size_t to_stride = output.stride();
    std::int64_t count = 0;
    bool processing = false;
    PlainRun run;
    try {
        while (count < items) {
            if (!read(from)) {
                run.end = PlainRun::End::input_ended;
                break;
            }
            processing = true;
            if (process(from, to)) to += to_stride;
            processing = false;
            from += from_stride;
            ++count;
            if (stop.requested()) break;
        }
    } catch (...) {
        run.end = processing ? PlainRun::End::process_failed : PlainRun::End::read_failed;
        run.error = std::current_exception();
    }
    const auto kept = static_cast<std::size_t>(to - first) / to_stride;
    run.filtered = count - static_cast<std::int64_t>(kept);
    run.read = count + (processing ? 1 : 0);
    run.item = from;
    output.keep(kept);
    if (keeps_input) input.keep(static_cast<std::size_t>(run.read));
    return run;
}

}  // namespace fermata
