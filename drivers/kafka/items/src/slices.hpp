#pragma once
// How far a topic has been read: what the checkpoint holds.
#include <fermata/batch/checkpoint.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fermata::kafka {

/// A range of offsets of one partition.
struct Slice {
    std::int32_t partition = 0;
    std::int64_t begin = 0;           ///< where the step began
    std::int64_t next = 0;            ///< the offset to be read next
    std::optional<std::int64_t> end;  ///< nothing: none was fixed
    [[nodiscard]] bool is_done() const noexcept { return end && next >= *end; }
    bool operator==(const Slice&) const = default;
};

struct Reading {
    std::string cluster;
    std::string topic;
    std::vector<Slice> slices;  ///< by rising partition

    /// "CLUSTER TOPIC 0:0:17:40 1:0:12:"
    [[nodiscard]] Checkpoint to_checkpoint() const;
    /// Throws Error(refused) on anything else.
    [[nodiscard]] static Reading from(const Checkpoint& checkpoint);
    /// 0…1, or -1 where no end was fixed.
    [[nodiscard]] double fraction() const noexcept;
};

}  // namespace fermata::kafka
