// Partitions: plans, what is collected, analyzed and reduced, and what each partition has for itself.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

// --- mapper, collector, analyzer, reducer: their letters and words make the step's exit status

constexpr const char* good_status = "a good partition";

class Mapper : public PartitionMapper, Artifact {
public:
    explicit Mapper(const ArtifactContext& context) : Artifact(context) {}
    PartitionPlan map_partitions() override {
        PartitionPlan plan;
        plan.partitions = number("numPartitionsProp", 3);
        plan.override_partitions = flag("partitionsOverride");
        for (std::int64_t i = 0; i < plan.partitions; ++i)
            plan.properties.push_back(
                {{"good.partition.status", good_status},
                 {"fail.this.partition", i == number("failThisPartition", -1) ? "true" : "false"}});
        return plan;
    }
};

/// Also sees the properties of job and step.
class PartitionedBatchlet : Artifact {
public:
    explicit PartitionedBatchlet(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        if (job().properties.require<std::string>("job.level.prop") != "job.prop.value" ||
            step().properties.require<std::string>("step.level.prop") != "step.prop.value")
            throw Unexpected("the properties of job or step are others in a partition");
        if (flag("fail.this.partition")) throw MyParentError("this partition fails on purpose");
        return text("good.partition.status");
    }
};

class Collector : public PartitionCollector {
public:
    std::optional<std::string> collect_partition_data() override { return "C"; }
};

/// The step's exit status is what it heard, whatever stood there.
class Analyzer : public PartitionAnalyzer, Artifact {
public:
    explicit Analyzer(const ArtifactContext& context) : Artifact(context) {}
    void analyze_collector_data(const std::string& data) override { hear(data); }
    void analyze_status(BatchStatus status, const std::string& exit_status) override {
        if (status == BatchStatus::completed && exit_status != good_status)
            throw Unexpected("a partition's exit status is " + exit_status);
        hear("A");
    }

private:
    void hear(const std::string& what) {
        heard_ += what;
        step().exit_status = heard_;
    }
    std::string heard_;
};

/// Puts what happened before and after the partitions around the step's exit status.
class Reducer : public PartitionReducer, Artifact {
public:
    explicit Reducer(const ArtifactContext& context) : Artifact(context) {}
    void begin_partitioned_step() override { begin_ = present() + "Begin"; }
    void before_partitioned_step_completion() override {
        step().exit_status = begin_ + present() + "Before";
        ended_ = PartitionStatus::commit;
    }
    void rollback_partitioned_step() override {
        step().exit_status = begin_ + present() + "Rollback";
        ended_ = PartitionStatus::rollback;
    }
    void after_partitioned_step_completion(PartitionStatus status) override {
        if (status != ended_) throw Unexpected("the reducer is told another end than it saw");
        step().exit_status = present() + "After";
    }

private:
    [[nodiscard]] std::string present() const { return step().exit_status.value_or("null"); }
    std::string begin_;
    PartitionStatus ended_ = PartitionStatus::commit;
};

// --- exit statuses of partitions

class SubJob {
public:
    static std::string process() { return "SUBJOB EXIT STATUS"; }
};

class CountSubJobs : public PartitionAnalyzer, Artifact {
public:
    explicit CountSubJobs(const ArtifactContext& context) : Artifact(context) {}
    void analyze_status(BatchStatus, const std::string& exit_status) override {
        if (exit_status != "SUBJOB EXIT STATUS") throw Unexpected("a partition's exit status is " + exit_status);
        ++count_;
        set_job_exit_status("JOB EXIT STATUS: " + std::to_string(count_));
        step().exit_status = "STEP EXIT STATUS: " + std::to_string(count_);
    }

private:
    int count_ = 0;
};

// --- what the contexts of a partition say

class TellContexts : Artifact {
public:
    explicit TellContexts(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        step().transient_user_data = fmt::format("{}:{}:{}:{}:{};", job().execution_id.value(),
                                                 job().instance_id.value(), step().step_execution_id.value(),
                                                 job().properties.get<std::string>("topLevelJobProperty", "none"),
                                                 step().properties.get<std::string>("topLevelStepProperty", "none"));
        return "";
    }
};

class CollectContexts : public PartitionCollector, Artifact {
public:
    explicit CollectContexts(const ArtifactContext& context) : Artifact(context) {}
    std::optional<std::string> collect_partition_data() override {
        return std::any_cast<std::string>(step().transient_user_data);
    }
};

class JoinContexts : public PartitionAnalyzer, Artifact {
public:
    explicit JoinContexts(const ArtifactContext& context) : Artifact(context) {}
    void analyze_collector_data(const std::string& data) override {
        set_job_exit_status(job().exit_status.value_or("") + data);
    }
};

// --- persistent user data of each partition, and of the step

/// Fails at its items in the first execution; in the second it finds what its own partition left.
class UserDataReader : Artifact {
public:
    using item_type = std::int64_t;
    explicit UserDataReader(const ArtifactContext& context)
        : Artifact(context),
          size_(number("number.of.items.to.be.read", 0)),
          fails_at_(numbers("throw.reader.exception.for.these.items")) {}
    void open(const Checkpoint& from) {
        next_ = from ? from.integer() : 0;
        const auto expected = next_ > 0 ? std::optional(user_data()) : std::nullopt;
        if (step().persistent_user_data != expected)
            throw Unexpected(fmt::format("partition {}: user data is {}", text("partition.number"),
                                         step().persistent_user_data.value_or("null")));
    }
    std::optional<std::int64_t> read() {
        if (next_ == size_) return std::nullopt;
        if (contains(fails_at_, next_)) throw MyParentError("the partition fails on purpose");
        ++next_;
        step().persistent_user_data = user_data();
        return next_;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(next_); }

private:
    [[nodiscard]] std::string user_data() const {
        return fmt::format("partition {} at {}", text("partition.number"), next_);
    }
    std::int64_t size_;
    std::vector<std::int64_t> fails_at_;
    std::int64_t next_ = 0;
};

class UserDataReducer : public PartitionReducer, Artifact {
public:
    explicit UserDataReducer(const ArtifactContext& context) : Artifact(context) {}
    void begin_partitioned_step() override {
        step().persistent_user_data = step().persistent_user_data.value_or("") + "of the step;";
    }
};

}  // namespace

void add_partition_artifacts(Registry& registry) {
    registry.mapper<Mapper>("myPartitionMapper");
    registry.batchlet<PartitionedBatchlet>("myPartitionedBatchletImpl");
    registry.collector<Collector>("myPartitionCollector");
    registry.analyzer<Analyzer>("myPartitionAnalyzer");
    registry.reducer<Reducer>("myPartitionReducer");
    registry.batchlet<SubJob>("myParallelSubJobsExitStatusBatchlet");
    registry.analyzer<CountSubJobs>("parsingPartitionAnalyzer");
    registry.batchlet<TellContexts>("PCPPartitionBatchlet");
    registry.collector<CollectContexts>("PCPCollector");
    registry.analyzer<JoinContexts>("PCPAnalyzer");
    registry.reader<UserDataReader>("PUDPartitionReader");
    registry.reducer<UserDataReducer>("PUDPartitionReducer");
}

}  // namespace fermata::tck
