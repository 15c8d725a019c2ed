// A chunk step whose processor takes the whole chunk at once.
#include "chunk_step.hpp"

#include "failure.hpp"
#include "verdicts.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata {

void ChunkStep::fill_whole() {
    read_whole();
    if (pipeline_.input->empty()) return;
    Verdicts verdicts(*pipeline_.output);
    if (const std::exception_ptr error = process_whole(verdicts))
        absorb_whole(error);
    else
        judge(verdicts);
}

void ChunkStep::read_whole() {
    ItemBuffer& input = *pipeline_.input;
    do {
        if (read(input.slot())) input.keep();
    } while (!ended_ && !is_full());
}

std::exception_ptr ChunkStep::process_whole(Verdicts& verdicts) {
    ItemBuffer& input = *pipeline_.input;
    if (intent_)
        note_intent(pipeline_.reader->position() + " " + printable(pipeline_.input_type.describe(input.at(0))));
    for (std::size_t i = 0; i < input.size(); ++i)
        for (auto* listener : listeners_.process) listener->before_process(ItemRef(pipeline_.input_type, input.at(i)));
    try {
        pipeline_.processor->process_chunk(input, verdicts);
        if (verdicts.all.size() != input.size())
            throw Error(ErrorKind::failed,
                        fmt::format("the processor answered for {} of {} items", verdicts.all.size(), input.size()));
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

/// One exception for many items: done again item by item, it will hit the guilty one alone.
void ChunkStep::absorb_whole(const std::exception_ptr& error) {
    ItemBuffer& input = *pipeline_.input;
    with_exception(error, [&](const std::exception& known) {
        if (input.size() > 1 && policy_.is_skippable(known)) throw RetryChunk{error};
    });
    if (absorb_process(error, ItemRef(pipeline_.input_type, input.at(0)), true, false) == Next::again)
        throw RetryChunk{error};
    ++next_.metrics.process_skips;
}

void ChunkStep::judge(const Verdicts& verdicts) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < verdicts.all.size(); ++i) {
        const ItemRef item(pipeline_.input_type, pipeline_.input->at(i));
        const auto& [kind, error] = verdicts.all[i];
        if (kind == Verdicts::Kind::failed) {
            if (absorb_process(error, item, true, false) == Next::again) throw RetryChunk{error};
            ++next_.metrics.process_skips;
            continue;
        }
        const bool is_kept = kind == Verdicts::Kind::kept;
        if (!is_kept) ++next_.metrics.filtered;
        const ItemRef output(pipeline_.output_type, is_kept ? pipeline_.output->at(kept++) : nullptr);
        for (auto* listener : listeners_.process) listener->after_process(item, is_kept ? &output : nullptr);
    }
}

}  // namespace fermata
