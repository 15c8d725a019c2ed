#pragma once
// The `sqlMapper`: ranges of an integer key of a table.
#include <fermata/batch/context.hpp>
#include <fermata/batch/partition.hpp>
#include <fermata/batch/registry.hpp>

#include <string>

namespace fermata {

class SqlMapper : public PartitionMapper {
public:
    explicit SqlMapper(const ArtifactContext& context);
    /// As many partitions of about as wide ranges of the key, none if the table is empty. On a restart they keep
    /// theirs.
    PartitionPlan map_partitions() override;

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    StepContext& step_;
    std::string url_;
    std::string table_;
    std::string key_;
    std::int64_t partitions_;
    std::int64_t threads_;
};

}  // namespace fermata
