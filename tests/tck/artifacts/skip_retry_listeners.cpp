// Listeners to skips and retries: GOOD in the job's exit status when they were handed what failed.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

std::string listed(const ItemsRef& items) {
    std::string list;
    for (std::size_t i = 0; i < items.size(); ++i) list += (i == 0 ? "" : ", ") + items[i].describe();
    return "[" + list + "]";
}

class Judge : protected Artifact {
protected:
    using Artifact::Artifact;
    void judge(bool good) {
        if (job().exit_status != "BAD") set_job_exit_status(good ? "GOOD" : "BAD");
    }
    void judge(const std::exception& error, const std::string& message) {
        judge(dynamic_cast<const MyParentError*>(&error) != nullptr && error.what() == message);
    }
};

class SkipRead : public SkipListener, Judge {
public:
    explicit SkipRead(const ArtifactContext& context) : Judge(context) {}
    void on_skip_read(const std::exception& error) override {
        judge(dynamic_cast<const MyParentError*>(&error) != nullptr);
    }
};

class SkipProcess : public SkipListener, Judge {
public:
    explicit SkipProcess(const ArtifactContext& context) : Judge(context) {}
    void on_skip_process(const ItemRef& item, const std::exception& error) override {
        judge(error, fmt::format("processing of {} fails", item.describe()));
    }
};

class SkipWrite : public SkipListener, Judge {
public:
    explicit SkipWrite(const ArtifactContext& context) : Judge(context) {}
    void on_skip_write(const ItemsRef& items, const std::exception& error) override {
        judge(error, fmt::format("writing of {} fails", listed(items)));
    }
};

/// The very items of the three chunks that fail in its job.
class VerifySkipWrite : public SkipListener, Judge {
public:
    explicit VerifySkipWrite(const ArtifactContext& context) : Judge(context) {}
    void on_skip_write(const ItemsRef& items, const std::exception&) override {
        static constexpr const char* expected[] = {"[16, 17, 18]", "[25, 26, 27]", "[34, 35, 36]"};
        judge(calls_ < 3 && listed(items) == expected[calls_] &&
              items.size() == static_cast<std::size_t>(number("test.itemcount", 0)));
        ++calls_;
    }

private:
    int calls_ = 0;
};

class RetryInvoked : public RetryListener, Artifact {
public:
    explicit RetryInvoked(const ArtifactContext& context) : Artifact(context) {}

protected:
    void invoked() { set_job_exit_status("Retry listener invoked"); }
};
class RetryRead : public RetryInvoked {
public:
    using RetryInvoked::RetryInvoked;
    void on_retry_read(const std::exception&) override { invoked(); }
};
class RetryProcess : public RetryInvoked {
public:
    using RetryInvoked::RetryInvoked;
    void on_retry_process(const ItemRef&, const std::exception&) override { invoked(); }
};
class RetryWrite : public RetryInvoked {
public:
    using RetryInvoked::RetryInvoked;
    void on_retry_write(const ItemsRef&, const std::exception&) override { invoked(); }
};

/// Retried are the parent and the grandchild, never the child, which is excluded.
class MultipleRetryRead : public RetryListener, Judge {
public:
    explicit MultipleRetryRead(const ArtifactContext& context) : Judge(context) {}
    void on_retry_read(const std::exception& error) override {
        judge(typeid(error) == typeid(MyParentError) || typeid(error) == typeid(MyGrandchildError));
    }
};

}  // namespace

void add_exceptions(Registry& registry) {
    const std::string package = "com.ibm.jbatch.tck.artifacts.reusable.";
    registry.exception<MyParentError>(package + "MyParentException");
    registry.exception<MyChildError>(package + "MyChildException", package + "MyParentException");
    registry.exception<MyGrandchildError>(package + "MyGrandchildException", package + "MyChildException");
}

void add_skip_retry_listeners(Registry& registry) {
    registry.listener<SkipRead>("mySkipReadListener");
    registry.listener<SkipProcess>("mySkipProcessListener");
    registry.listener<SkipWrite>("mySkipWriteListener");
    registry.listener<VerifySkipWrite>("verifySkipWriteListener");
    registry.listener<RetryRead>("myRetryReadListener");
    registry.listener<RetryProcess>("myRetryProcessListener");
    registry.listener<RetryWrite>("myRetryWriteListener");
    registry.listener<MultipleRetryRead>("myMultipleExceptionsRetryReadListener");
}

}  // namespace fermata::tck
