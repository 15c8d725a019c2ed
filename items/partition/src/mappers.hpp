#pragma once
// Stock mappers. On a restart partitions keep the properties they had: what they are computed from may have changed.
#include "record_cuts.hpp"

#include <fermata/batch/context.hpp>
#include <fermata/batch/partition.hpp>
#include <fermata/batch/registry.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace fermata::partition {

/// One partition for each value of a list: #{partitionPlan['value']}.
class ListMapper : public PartitionMapper {
public:
    explicit ListMapper(const ArtifactContext& context);
    PartitionPlan map_partitions() override;
    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    std::vector<std::string> values_;
    std::int64_t threads_;
};

/// One partition for each file that matches: #{partitionPlan['file']}.
class FilesMapper : public PartitionMapper {
public:
    explicit FilesMapper(const ArtifactContext& context);
    /// Throws Error(not_found) if there is none and that is not allowed.
    PartitionPlan map_partitions() override;
    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    std::string pattern_;
    bool none_is_fine_;
    std::int64_t threads_;
};

/// Byte ranges of one file: #{partitionPlan['start']} and ['end'], for the reader's properties of these names.
class RangeMapper : public PartitionMapper {
public:
    PartitionPlan map_partitions() override;

protected:
    explicit RangeMapper(const ArtifactContext& context);
    static ArtifactInfo info(std::string about, std::string reader);
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    [[nodiscard]] virtual Cuts cut(const std::filesystem::path& path, std::int64_t parts) const = 0;
    std::filesystem::path path_;
    std::int64_t partitions_;
    std::int64_t threads_;
};

class CsvMapper : public RangeMapper {
public:
    explicit CsvMapper(const ArtifactContext& context);
    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    [[nodiscard]] Cuts cut(const std::filesystem::path& path, std::int64_t parts) const override;
    Properties properties_;
};

class JsonlMapper : public RangeMapper {
public:
    explicit JsonlMapper(const ArtifactContext& context) : RangeMapper(context) {}
    [[nodiscard]] static ArtifactInfo info();
    using RangeMapper::rules;

private:
    [[nodiscard]] Cuts cut(const std::filesystem::path& path, std::int64_t parts) const override;
};

[[nodiscard]] PropertyInfo threads_info();
/// The property `threads`; 0 if it is not there. Throws Error(invalid).
[[nodiscard]] std::int64_t threads_of(const Properties& properties);

}  // namespace fermata::partition
