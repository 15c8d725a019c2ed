#pragma once
#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/record.hpp>

namespace fermata::record {

/// Counts as a transactional sink: nothing is written outside the transaction that saves the progress.
class DiscardWriter {
public:
    using item_type = Record;
    [[nodiscard]] static Sink sink() { return {.sink_class = SinkClass::transactional}; }
    void write(std::span<Record>, Transaction&) {}
};

}  // namespace fermata::record
