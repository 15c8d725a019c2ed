#pragma once
// Reader, processor, writer and side outputs of one step execution: made once, opened and reopened at checkpoints,
// closed together. Knows nothing of skips, retries or commits.
#include "assemble.hpp"
#include "step_scope.hpp"

#include <memory>

namespace fermata {

class ChunkPipeline {
public:
    ChunkPipeline(const RunnableChunk& chunk, StepScope& scope);

    /// Opens what is not open, at the committed positions.
    void open(const Progress& committed);
    /// Only what can be put in place.
    void open_outputs(const Progress& committed);
    /// Closes what is open; the first exception is thrown after all were closed.
    void close();
    void close_quietly() noexcept;
    /// Before what it took part in is put in place.
    void close_processor();
    /// The writer forgets what it wrote since `committed`.
    void reopen_writer(const Progress& committed) const;
    /// Takes the positions after the last item into `next`; what they name is durable on return.
    void save_positions(Progress& next);
    [[nodiscard]] bool publishes() const;
    void publish();

    std::unique_ptr<AnyReader> reader;
    std::unique_ptr<AnyProcessor> processor;  ///< null: items pass through
    std::unique_ptr<AnyWriter> writer;
    std::unique_ptr<AnyCheckpointAlgorithm> algorithm;
    const ItemType& input_type;
    const ItemType& output_type;
    std::unique_ptr<ItemBuffer> input;  ///< null: items pass through
    std::unique_ptr<ItemBuffer> output;

private:
    const std::vector<SideOutput*>& side_outputs_;
    bool reader_open_ = false;
    bool processor_open_ = false;
    bool writer_open_ = false;
    bool sides_open_ = false;
};

}  // namespace fermata
