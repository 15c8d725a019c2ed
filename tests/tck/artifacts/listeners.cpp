// Listeners that tell what they were called for.
#include "../stage.hpp"
#include "artifact.hpp"
#include "artifacts.hpp"

namespace fermata::tck {
namespace {

/// Both kinds in one class: the element that names it decides which of them is called.
class Universal : public JobListener, public StepListener, Artifact {
public:
    explicit Universal(const ArtifactContext& context) : Artifact(context) {}
    void before_job() override { append_to_job_exit_status("BeforeJob"); }
    void after_job() override { append_to_job_exit_status("AfterJob"); }
    void before_step() override { append_to_job_exit_status("BeforeStep"); }
    void after_step() override {
        append_to_job_exit_status("AfterStep");
        if (stage().after_step == nullptr) return;
        stage().after_step->arrive();
        stage().after_step->wait_until_open();
    }
};

class AfterJob : public JobListener, Artifact {
public:
    explicit AfterJob(const ArtifactContext& context) : Artifact(context) {}
    void after_job() override { set_job_exit_status("JOB:ES:Good"); }
};

/// The exception of the step, as afterStep sees it.
class StepException : public StepListener, public ChunkListener, Artifact {
public:
    explicit StepException(const ArtifactContext& context) : Artifact(context) {}
    void after_step() override {
        try {
            if (step().exception) std::rethrow_exception(step().exception);
            set_job_exit_status("no exception");
        } catch (const MyParentError&) {
            set_job_exit_status("the exception of the reader");
        } catch (const std::exception&) {
            set_job_exit_status("another exception");
        }
    }
};

class ChunkOnError : public ChunkListener, Artifact {
public:
    explicit ChunkOnError(const ArtifactContext& context) : Artifact(context) {}
    void on_error(const std::exception&) override { set_job_exit_status("Chunk onError invoked"); }
};

/// Chunks begin and end in turn.
class InTurn : public ChunkListener {
public:
    void before_chunk() override {
        if (std::exchange(in_chunk_, true)) throw Unexpected("a chunk begins within a chunk");
    }
    void after_chunk() override {
        if (!std::exchange(in_chunk_, false)) throw Unexpected("a chunk ends that has not begun");
    }

private:
    bool in_chunk_ = false;
};

/// Before and after come in pairs; with `app.listenertest` naming this phase the job's exit status is GOOD as long as
/// they do, or as soon as an error was told.
class Paired : protected Artifact {
protected:
    Paired(const ArtifactContext& context, std::string phase) : Artifact(context), phase_(std::move(phase)) {}
    void before() { ++open_; }
    void after() {
        --open_;
        judge(open_ == 0);
    }
    void error() {
        --open_;
        judge(open_ == 0);
        errors_ += 1;
        if (text("app.listenertest") == phase_) set_job_exit_status("GOOD, " + std::to_string(errors_) + " errors");
    }

private:
    void judge(bool good) {
        if (errors_ == 0 && text("app.listenertest") == phase_) set_job_exit_status(good ? "GOOD" : "BAD");
        if (!good) throw Unexpected("before and after do not come in pairs");
    }
    std::string phase_;
    int open_ = 0;
    int errors_ = 0;
};
class PairedRead : public ItemReadListener, Paired {
public:
    explicit PairedRead(const ArtifactContext& context) : Paired(context, "READ") {}
    void before_read() override { before(); }
    void after_read(const ItemRef*) override { after(); }
    void on_read_error(const std::exception&) override { error(); }
};
class PairedProcess : public ItemProcessListener, Paired {
public:
    explicit PairedProcess(const ArtifactContext& context) : Paired(context, "PROCESS") {}
    void before_process(const ItemRef&) override { before(); }
    void after_process(const ItemRef&, const ItemRef*) override { after(); }
    void on_process_error(const ItemRef&, const std::exception&) override { error(); }
};
class PairedWrite : public ItemWriteListener, Paired {
public:
    explicit PairedWrite(const ArtifactContext& context) : Paired(context, "WRITE") {}
    void before_write(const ItemsRef&) override { before(); }
    void after_write(const ItemsRef&) override { after(); }
    void on_write_error(const ItemsRef&, const std::exception&) override { error(); }
};

/// The metric named in `ReadProcessWrite` is `numberOfSkips` at afterStep.
class MetricIs : public StepListener, Artifact {
public:
    explicit MetricIs(const ArtifactContext& context) : Artifact(context) {}
    void after_step() override {
        require_equal(text("ReadProcessWrite"), metric(), number("numberOfSkips", -1));
        set_job_exit_status("GOOD");
    }

private:
    [[nodiscard]] std::int64_t metric() const {
        const Metrics& metrics = step().metrics;
        const std::string name = text("ReadProcessWrite");
        if (name == "READ") return metrics.read_skips;
        if (name == "PROCESS") return metrics.process_skips;
        if (name == "WRITE") return metrics.write_skips;
        return metrics.read;
    }
};

}  // namespace

void add_listeners(Registry& registry) {
    registry.listener<Universal>("myUniversalListener");
    registry.listener<AfterJob>("deciderTestsJobListener");
    registry.listener<StepException>("myChunkListener");
    registry.listener<ChunkOnError>("chunkOnErrorCheckpointListener");
    registry.listener<InTurn>("myCustomCheckpointListener");
    registry.listener<PairedRead>("myItemReadListenerImpl");
    registry.listener<PairedProcess>("myItemProcessListenerImpl");
    registry.listener<PairedWrite>("myItemWriteListenerImpl");
    registry.listener<MetricIs>("metricsStepListener");
}

}  // namespace fermata::tck
