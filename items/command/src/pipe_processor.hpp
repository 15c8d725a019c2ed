#pragma once
// The `pipe` processor: whole chunks through a child process, by docs/pipe-protocol.md.
#include "command_spec.hpp"
#include "pipe_child.hpp"
#include "pipe_protocol.hpp"

#include <memory>
#include <span>

namespace fermata {

class PipeProcessor {
public:
    using input_type = Record;
    using output_type = Record;

    explicit PipeProcessor(const ArtifactContext& context);

    /// A rolled-back chunk may have left anything in the child; the next chunk gets a new one.
    void open();
    /// Throws ChildError if the child broke the protocol, died, was too slow, or was ended by `stop --now`.
    void process(std::span<Record> items, ChunkVerdicts<Record>& verdicts);
    void close();

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    void exchange(std::span<Record> items, ChunkVerdicts<Record>& verdicts);
    [[nodiscard]] static PipeLimits read_limits(const Properties& properties);

    StepContext& step_;
    CommandSpec spec_;
    PipeLimits limits_;
    std::string hello_;
    std::unique_ptr<PipeChild> child_;
    std::int64_t sequence_ = 0;
    PipeRequest request_;
    PipeReply reply_;
};

}  // namespace fermata
