#include "chunk_pipeline.hpp"

#include <fermata/batch/checkpoint.hpp>

namespace fermata {
namespace {

/// Lengths and bytes, one side output after another: "<size>:<bytes>", "-" for none.
std::optional<std::string> join(const std::vector<Checkpoint>& checkpoints) {
    if (checkpoints.empty()) return std::nullopt;
    std::string joined;
    for (const Checkpoint& checkpoint : checkpoints)
        joined += checkpoint ? std::to_string(checkpoint.bytes().size()) + ":" + checkpoint.bytes() : "-";
    return joined;
}

std::vector<Checkpoint> split_checkpoints(const std::optional<std::string>& joined, std::size_t count) {
    std::vector<Checkpoint> parts;
    std::string_view rest = joined ? std::string_view(*joined) : std::string_view();
    while (!rest.empty()) {
        if (rest.front() == '-') {
            parts.emplace_back();
            rest.remove_prefix(1);
            continue;
        }
        const auto colon = rest.find(':');
        const auto size = parse_int64(rest.substr(0, colon));
        if (colon == std::string_view::npos || !size || *size < 0 ||
            static_cast<std::size_t>(*size) > rest.size() - colon - 1)
            throw Error(ErrorKind::refused, "checkpoint unreadable: side outputs");
        parts.emplace_back(std::string(rest.substr(colon + 1, static_cast<std::size_t>(*size))));
        rest.remove_prefix(colon + 1 + static_cast<std::size_t>(*size));
    }
    parts.resize(count);
    return parts;
}

}  // namespace

ChunkPipeline::ChunkPipeline(const RunnableChunk& chunk, StepScope& scope)
    : input_type(*chunk.reader->output),
      output_type(chunk.processor != nullptr ? *chunk.processor->output : *chunk.reader->output),
      side_outputs_(scope.listeners.side_outputs) {
    const auto make = [&](const auto& factory, std::string_view kind, const ResolvedArtifact& artifact) {
        const Properties properties = scope.properties_of(kind, artifact);
        return factory(ArtifactContext{properties, &scope.context, scope.job_context});
    };
    const ResolvedChunk& definition = *chunk.definition;
    reader = make(chunk.reader->make_reader, "reader", definition.reader);
    if (chunk.processor != nullptr)
        processor = make(chunk.processor->make_processor, "processor", *definition.processor);
    writer = make(chunk.writer->make_writer, "writer", definition.writer);
    if (chunk.algorithm != nullptr)
        algorithm = make(chunk.algorithm->make_algorithm, "checkpoint-algorithm", *definition.checkpoint_algorithm);
    if (processor) input = input_type.make_buffer();
    output = output_type.make_buffer();
}

void ChunkPipeline::open(const Progress& committed) {
    if (!reader_open_) {
        reader_open_ = true;  // a reader whose open failed half way is closed, too
        reader->open(Checkpoint(committed.reader));
    }
    if (processor && !processor_open_) {
        processor_open_ = true;
        processor->open();
    }
    open_outputs(committed);
}

void ChunkPipeline::open_outputs(const Progress& committed) {
    if (!writer_open_) {
        writer_open_ = true;
        writer->open(Checkpoint(committed.writer));
    }
    if (!sides_open_) {
        sides_open_ = true;
        const auto positions = split_checkpoints(committed.side_outputs, side_outputs_.size());
        for (std::size_t i = 0; i < side_outputs_.size(); ++i) side_outputs_[i]->open(positions[i]);
    }
}

void ChunkPipeline::close() {
    std::exception_ptr first;
    const auto attempt = [&](auto&& action) {
        try {
            action();
        } catch (...) {
            if (!first) first = std::current_exception();
        }
    };
    if (std::exchange(writer_open_, false)) attempt([&] { writer->close(); });
    if (std::exchange(processor_open_, false)) attempt([&] { processor->close(); });
    if (std::exchange(reader_open_, false)) attempt([&] { reader->close(); });
    if (std::exchange(sides_open_, false))
        for (SideOutput* side : side_outputs_) attempt([&] { side->close(); });
    if (first) std::rethrow_exception(first);
}

void ChunkPipeline::close_processor() {
    if (std::exchange(processor_open_, false)) processor->close();
}

void ChunkPipeline::close_quietly() noexcept {
    try {
        close();
    } catch (...) {  // the exception that led here is the one to tell
    }
}

void ChunkPipeline::reopen_writer(const Progress& committed) const {
    writer->close();
    writer->open(Checkpoint(committed.writer));
}

void ChunkPipeline::save_positions(Progress& next) {
    next.reader = reader->checkpoint().data();
    next.writer = writer->checkpoint().data();
    std::vector<Checkpoint> sides;
    sides.reserve(side_outputs_.size());
    for (SideOutput* side : side_outputs_) sides.push_back(side->checkpoint());
    next.side_outputs = join(sides);
}

bool ChunkPipeline::publishes() const { return writer->publishes() || !side_outputs_.empty(); }

void ChunkPipeline::publish() {
    writer->publish();
    for (SideOutput* side : side_outputs_) side->publish();
}

}  // namespace fermata
