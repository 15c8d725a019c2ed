#include "harness.hpp"

#include <fermata/base/id.hpp>

#include <fmt/format.h>

namespace fermata::test {
namespace {

/// Reads 1…count; the checkpoint is the last number read. on_read sees a number each time it is about to be returned.
class Numbers {
public:
    using item_type = std::int64_t;
    explicit Numbers(const ArtifactContext& context)
        : context_(context), count_(context.properties.require<std::int64_t>("count")) {}
    void open(const Checkpoint& from) {
        last_ = from ? from.integer() : 0;
        script().called("reader.open " + std::to_string(last_), context_.step, context_.job);
    }
    std::optional<std::int64_t> read() {
        if (last_ == count_) return std::nullopt;
        ++last_;
        if (script().on_read) script().on_read(last_);
        return last_;
    }
    Checkpoint checkpoint() const { return Checkpoint::of(last_); }
    std::string position() const { return "number " + std::to_string(last_); }
    void close() { script().called("reader.close", context_.step, context_.job); }

private:
    struct Kept {
        explicit Kept(const ArtifactContext& from) : step(from.step), job(from.job) {}
        StepContext* step;
        JobContext& job;
    };
    Kept context_;
    std::int64_t count_;
    std::int64_t last_ = 0;
};

class Process {
public:
    using input_type = std::int64_t;
    using output_type = std::int64_t;
    std::optional<std::int64_t> process(std::int64_t& item) {
        if (script().on_process && !script().on_process(item)) return std::nullopt;
        return item;
    }
};

/// T1: a row a number, into the database of `url` (absent: the repository's).
class Rows {
public:
    using item_type = std::int64_t;
    explicit Rows(const ArtifactContext& context)
        : step_(context.step),
          job_(context.job),
          sink_{SinkClass::transactional, context.properties.get<std::string>("url", ""),
                context.properties.get<std::string>("sink-table", "fermata_sink")} {}
    [[nodiscard]] Sink sink() const { return sink_; }
    void open(const Checkpoint&) { script().called("writer.open", step_, job_); }
    void close() { script().called("writer.close", step_, job_); }
    void write(std::span<std::int64_t> items, Transaction& transaction) {
        script().called(fmt::format("write {}", items.size()), step_, job_);
        if (items.empty()) return;
        sql::Connection& connection = transaction.connection();
        connection.execute("CREATE TABLE IF NOT EXISTS out(n INTEGER)");
        for (const std::int64_t item : items) {
            if (script().on_write) script().on_write(item);
            connection.execute("INSERT INTO out(n) VALUES($1)", {item});
        }
    }

private:
    StepContext* step_;
    JobContext& job_;
    Sink sink_;
};

class Scripted {
public:
    explicit Scripted(const ArtifactContext& context) : step_(*context.step) {}
    std::string process() { return script().on_batchlet ? script().on_batchlet(step_) : ""; }
    void stop() {
        if (script().on_batchlet_stop) script().on_batchlet_stop();
    }

private:
    StepContext& step_;
};

/// Writes every call into the log.
class Recorder : public JobListener,
                 public StepListener,
                 public ChunkListener,
                 public ItemReadListener,
                 public ItemProcessListener,
                 public ItemWriteListener,
                 public SkipListener,
                 public RetryListener {
public:
    explicit Recorder(const ArtifactContext& context) : step_(context.step), job_(context.job) {}
    void before_job() override { say("beforeJob"); }
    void after_job() override { say("afterJob"); }
    void before_step() override { say("beforeStep"); }
    void after_step() override { say("afterStep"); }
    void before_chunk() override { say("beforeChunk"); }
    void on_error(const std::exception& e) override { say(std::string("onError ") + e.what()); }
    void after_chunk() override { say("afterChunk"); }
    void before_read() override { say("beforeRead"); }
    void after_read(const ItemRef* item) override { say("afterRead " + (item != nullptr ? item->describe() : "null")); }
    void on_read_error(const std::exception& e) override { say(std::string("onReadError ") + e.what()); }
    void before_process(const ItemRef& item) override { say("beforeProcess " + item.describe()); }
    void after_process(const ItemRef& item, const ItemRef* result) override {
        say("afterProcess " + item.describe() + " " + (result != nullptr ? result->describe() : "null"));
    }
    void on_process_error(const ItemRef& item, const std::exception& e) override {
        say("onProcessError " + item.describe() + " " + e.what());
    }
    void before_write(const ItemsRef& items) override { say("beforeWrite " + std::to_string(items.size())); }
    void after_write(const ItemsRef& items) override { say("afterWrite " + std::to_string(items.size())); }
    void on_write_error(const ItemsRef& items, const std::exception& e) override {
        say("onWriteError " + std::to_string(items.size()) + " " + e.what());
    }
    void on_skip_read(const std::exception& e) override { say(std::string("onSkipRead ") + e.what()); }
    void on_skip_process(const ItemRef& item, const std::exception&) override {
        say("onSkipProcess " + item.describe());
    }
    void on_skip_write(const ItemsRef& items, const std::exception&) override {
        say("onSkipWrite " + std::to_string(items.size()));
    }
    void on_retry_read(const std::exception& e) override { say(std::string("onRetryRead ") + e.what()); }
    void on_retry_process(const ItemRef& item, const std::exception&) override {
        say("onRetryProcess " + item.describe());
    }
    void on_retry_write(const ItemsRef& items, const std::exception&) override {
        say("onRetryWrite " + std::to_string(items.size()));
    }

private:
    void say(const std::string& what) { script().called(what, step_, job_); }
    StepContext* step_;
    JobContext& job_;
};

class ScriptedDecider : public Decider {
public:
    explicit ScriptedDecider(const ArtifactContext& context) : name_(context.step->step_name), job_(context.job) {}
    std::string decide(std::span<const StepExecution> steps) override {
        std::string line = "decide";
        for (const StepExecution& step : steps) line += " " + step.name;
        script().called(line, nullptr, job_);
        Script::deciding = name_;
        return script().on_decide ? script().on_decide(steps, job_) : "";
    }

private:
    std::string name_;
    JobContext& job_;
};

class ScriptedMapper : public PartitionMapper {
public:
    explicit ScriptedMapper(const ArtifactContext& context) : step_(context.step), job_(context.job) {}
    PartitionPlan map_partitions() override {
        script().called("map", step_, job_);
        return script().on_map();
    }

private:
    StepContext* step_;
    JobContext& job_;
};

class ScriptedCollector : public PartitionCollector {
public:
    explicit ScriptedCollector(const ArtifactContext& context) : step_(*context.step) {}
    std::optional<std::string> collect_partition_data() override {
        return script().on_collect ? script().on_collect(step_) : "c";
    }

private:
    StepContext& step_;
};

class ScriptedAnalyzer : public PartitionAnalyzer {
public:
    explicit ScriptedAnalyzer(const ArtifactContext& context) : step_(context.step), job_(context.job) {}
    void analyze_collector_data(const std::string& data) override { say("data " + data); }
    void analyze_status(BatchStatus status, const std::string& exit_status) override {
        say(std::string(to_string(status)) + " " + exit_status);
    }

private:
    void say(const std::string& what) {
        script().called(what, step_, job_);
        if (script().on_analyze) script().on_analyze(what);
    }
    StepContext* step_;
    JobContext& job_;
};

class ScriptedReducer : public PartitionReducer {
public:
    explicit ScriptedReducer(const ArtifactContext& context) : step_(context.step), job_(context.job) {}
    void begin_partitioned_step() override { script().called("begin", step_, job_); }
    void before_partitioned_step_completion() override { script().called("before", step_, job_); }
    void rollback_partitioned_step() override { script().called("rollback", step_, job_); }
    void after_partitioned_step_completion(PartitionStatus status) override {
        script().called(status == PartitionStatus::commit ? "after COMMIT" : "after ROLLBACK", step_, job_);
    }

private:
    StepContext* step_;
    JobContext& job_;
};

/// A checkpoint after every `every` questions.
class Every {
public:
    explicit Every(const ArtifactContext& context) : every_(context.properties.get<int>("every", 3)) {}
    void begin_checkpoint() { asked_ = 0; }
    bool is_ready_to_checkpoint() { return ++asked_ >= every_; }

private:
    int every_;
    int asked_ = 0;
};

}  // namespace

Script& script() {
    static std::unique_ptr<Script> current = std::make_unique<Script>();
    return *current;
}

/// In memory where the machine has it: these tests kill processes, not power, so they need no disk and its waits.
static std::filesystem::path scratch() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

Harness::Harness() : folder_(scratch() / ("fermata-runtime-" + new_uuid())) {
    std::filesystem::create_directories(folder_);
    add_sqlite_driver(drivers_);
    registry_.reader<Numbers>("numbers");
    registry_.processor<Process>("process");
    registry_.writer<Rows>("rows");
    registry_.batchlet<Scripted>("scripted");
    registry_.listener<Recorder>("recorder");
    registry_.checkpoint_algorithm<Every>("every");
    registry_.decider<ScriptedDecider>("decider");
    registry_.mapper<ScriptedMapper>("mapper");
    registry_.collector<ScriptedCollector>("collector");
    registry_.analyzer<ScriptedAnalyzer>("analyzer");
    registry_.reducer<ScriptedReducer>("reducer");
    registry_.exception<Flaky>("test.Flaky");
    registry_.exception<VeryFlaky>("test.VeryFlaky", "test.Flaky");
    registry_.exception<Again>("test.Again");
    registry_.exception<Bad>("test.Bad");
    Script& fresh = script();
    fresh.on_read = nullptr;
    fresh.on_process = nullptr;
    fresh.on_write = nullptr;
    fresh.on_batchlet = nullptr;
    fresh.on_batchlet_stop = nullptr;
    fresh.on_decide = nullptr;
    fresh.on_map = nullptr;
    fresh.on_collect = nullptr;
    fresh.on_analyze = nullptr;
    fresh.on_call.clear();
    fresh.attempts.clear();
    fresh.log.clear();
    reopen();
}

Harness::~Harness() {
    operator_.reset();
    repository_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void Harness::reopen() {
    operator_.reset();
    repository_.reset();
    repository_ = std::make_unique<Repository>(drivers_.open(path("repo.db")), folder_ / "repo.db.d", true);
    operator_ = std::make_unique<JobOperator>(*repository_, registry_, drivers_, JobOperator::Settings{});
}

JobDefinition Harness::job(const std::string& body) {
    const std::string text =
        R"(<job id="j" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">)" + body + "</job>";
    ParsedJob parsed = parse_job(text, "test.xml");
    for (const Diagnostic& found : parsed.diagnostics.all()) ADD_FAILURE() << to_string(found);
    return parsed.job.value_or(JobDefinition{});
}

std::string Harness::chunk(const std::string& attributes, int count, const std::string& inside,
                           const std::string& writer, const std::string& step_attributes, const std::string& before) {
    return fmt::format(
        R"(<step id="s" {}>{}<chunk {}><reader ref="numbers"><properties><property name="count" value="{}"/></properties></reader>)"
        R"(<processor ref="process"/><writer ref="{}"/>{}</chunk></step>)",
        step_attributes, before, attributes, count, writer, inside);
}

JobExecution Harness::run(const JobDefinition& definition, Parameters parameters) {
    const JobExecutionId id = operator_->start(definition, {.parameters = std::move(parameters)});
    return *operator_->wait(id);
}

JobExecution Harness::restart(JobExecutionId id, Parameters parameters) {
    return *operator_->wait(operator_->restart(id, {.parameters = std::move(parameters)}));
}

StepExecution Harness::step(JobExecutionId id, const std::string& name) {
    for (const StepExecution& step : repository_->steps_of(id))
        if (step.name == name) return step;
    ADD_FAILURE() << "execution " << id.value() << " has no step " << name;
    return {};
}

std::vector<std::int64_t> Harness::written(const std::string& database) {
    auto connection = drivers_.open(path(database))->connect(sql::OpenMode::read_only);
    std::vector<std::int64_t> found;
    const auto tables = connection->tables();
    if (std::find(tables.begin(), tables.end(), "out") == tables.end()) return found;
    const sql::Result rows = connection->execute("SELECT n FROM out ORDER BY rowid");
    for (std::size_t i = 0; i < rows.size(); ++i) found.push_back(rows[i][0].integer());
    return found;
}

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> all;
    for (std::int64_t n = from; n <= to; ++n) all.push_back(n);
    return all;
}

}  // namespace fermata::test
