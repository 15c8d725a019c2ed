#pragma once
// What to do about an exception of readItem, processItem, writeItems or the commit (Jakarta Batch §8.2.1.4).
#include "assemble.hpp"

#include <fermata/model/records.hpp>

#include <fmt/format.h>

namespace fermata {

enum class Decision : std::uint8_t {
    fail,
    skip,
    retry_in_place,  ///< retryable and no-rollback: the same call again, in the same transaction
    roll_back,       ///< back to the committed checkpoint, then that chunk again item by item
};

class RecoveryPolicy {
public:
    RecoveryPolicy(const RunnableChunk& chunk, const Registry& registry) : chunk_(chunk), registry_(registry) {}

    /// Retryable goes before skippable, except `while_retrying` (§8.2.1.4.3), so listing a class in both isolates the
    /// bad item and then skips it. The (limit + 1)-th exception is not absorbed. `progress` counts what was used up:
    /// skips roll back with their chunk, retries do not.
    [[nodiscard]] Decision decide(const std::exception& error, const Progress& progress, bool while_retrying) const {
        const bool skippable = is_skippable(error) && within(chunk_.definition->skip_limit, progress.skips_used);
        const bool retryable =
            chunk_.retryable.matches(error, registry_) && within(chunk_.definition->retry_limit, progress.retries_used);
        if (retryable && !(while_retrying && skippable))
            return chunk_.no_rollback.matches(error, registry_) ? Decision::retry_in_place : Decision::roll_back;
        return skippable ? Decision::skip : Decision::fail;
    }
    [[nodiscard]] bool is_skippable(const std::exception& error) const {
        if (dynamic_cast<const SkipItem*>(&error) != nullptr) return true;
        return chunk_.skippable.matches(error, registry_) && !is_no_items_fault(error);
    }

    /// Which limit is why decide() failed; empty if it was none.
    [[nodiscard]] std::string exhausted_limit(const std::exception& error, const Progress& progress) const {
        const ResolvedChunk& chunk = *chunk_.definition;
        if (is_skippable(error) && !within(chunk.skip_limit, progress.skips_used))
            return fmt::format("skip-limit=\"{}\" of the chunk is used up", *chunk.skip_limit);
        if (chunk_.retryable.matches(error, registry_) && !within(chunk.retry_limit, progress.retries_used))
            return fmt::format("retry-limit=\"{}\" of the chunk is used up", *chunk.retry_limit);
        return {};
    }

private:
    /// A disk, a database or a property is wrong: it would cost one item after the other. Classes of authors are theirs
    /// to judge.
    [[nodiscard]] bool is_no_items_fault(const std::exception& error) const {
        if (dynamic_cast<const IoError*>(&error) != nullptr) return true;
        if (dynamic_cast<const Error*>(&error) == nullptr || dynamic_cast<const ItemError*>(&error) != nullptr)
            return false;
        const auto classes = registry_.classes_of(error);
        return classes.empty() || classes.front().starts_with("fermata.");
    }
    static bool within(const std::optional<std::int64_t>& limit, std::int64_t used) { return !limit || used < *limit; }

    const RunnableChunk& chunk_;
    const Registry& registry_;
};

}  // namespace fermata
