// The job of docs/job-xml.md whose artifacts are a program's: it runs, with artifacts of those names.
#include "harness.hpp"

#include <fermata/base/file.hpp>

#include <gmock/gmock.h>

namespace fermata::test {
namespace {

struct Orders {
    using item_type = std::int64_t;
    void open(const Checkpoint& from) { last = from ? from.integer() : 0; }
    std::optional<std::int64_t> read() { return last < 7 ? std::optional(++last) : std::nullopt; }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(last); }
    std::int64_t last = 0;
};
struct Nowhere {
    using item_type = std::int64_t;
    void write(std::span<std::int64_t>, Transaction&) {}
};
struct EveryFew {
    explicit EveryFew(const ArtifactContext& context) : items(context.properties.require<int>("items")) {}
    bool is_ready_to_checkpoint() { return ++asked % items == 0; }
    int items;
    int asked = 0;
};
struct Subtotal : PartitionCollector {
    std::optional<std::string> collect_partition_data() override { return "chunk"; }
};
struct Total : PartitionAnalyzer {
    void analyze_collector_data(const std::string&) override { ++chunks; }
    void analyze_status(BatchStatus, const std::string&) override {}
    static inline int chunks = 0;
};
struct Published : PartitionReducer {
    void after_partitioned_step_completion(PartitionStatus status) override {
        committed = status == PartitionStatus::commit;
    }
    static inline bool committed = false;
};

TEST_F(Harness, TheJobOfAProgramInTheGuideToJobXmlRuns) {
    registry_.reader<Orders>("orders");
    registry_.writer<Nowhere>("nowhere");
    registry_.checkpoint_algorithm<EveryFew>("everyFew");
    registry_.collector<Subtotal>("subtotal");
    registry_.analyzer<Total>("total");
    registry_.reducer<Published>("published");
    const std::string text = read_file(FERMATA_SOURCE_DIR "/docs/job-xml.md");
    const std::string fence = "```xml program\n";
    const std::size_t begin = text.find(fence);
    ASSERT_NE(begin, text.npos);
    const std::size_t end = text.find("```", begin + fence.size());
    const ParsedJob parsed = parse_job(text.substr(begin + fence.size(), end - begin - fence.size()), "job-xml.md");
    ASSERT_TRUE(parsed.job);
    const JobExecution execution = run(*parsed.job);
    EXPECT_EQ(execution.status, BatchStatus::completed) << (execution.failure ? execution.failure->message : "");
    EXPECT_EQ(step(execution.id, "add-up").metrics.read, 14);
    EXPECT_EQ(Total::chunks, 6);
    EXPECT_TRUE(Published::committed);
}

}  // namespace
}  // namespace fermata::test
