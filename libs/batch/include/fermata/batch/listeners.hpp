#pragma once
// Listeners (Jakarta Batch §9.2): derive from those you want, several if you like, and register the class once with
// registry.listener<L>("name"). All methods do nothing by default. Order between several listeners is document order.
// An exception from a listener fails the step (from a job listener: the job).
#include <fermata/batch/checkpoint.hpp>
#include <fermata/batch/items.hpp>

#include <exception>

namespace fermata {

struct JobListener {
    virtual ~JobListener() = default;
    virtual void before_job() {}
    virtual void after_job() {}
};
struct StepListener {
    virtual ~StepListener() = default;
    virtual void before_step() {}
    virtual void after_step() {}
};
struct ChunkListener {
    virtual ~ChunkListener() = default;
    virtual void before_chunk() {}
    virtual void on_error(const std::exception&) {}  ///< before the rollback
    virtual void after_chunk() {}                    ///< before the commit
};
struct ItemReadListener {
    virtual ~ItemReadListener() = default;
    virtual void before_read() {}
    virtual void after_read(const ItemRef* /*item, null at the end of the input*/) {}
    virtual void on_read_error(const std::exception&) {}
};
struct ItemProcessListener {
    virtual ~ItemProcessListener() = default;
    virtual void before_process(const ItemRef&) {}
    virtual void after_process(const ItemRef&, const ItemRef* /*result, null if filtered*/) {}
    virtual void on_process_error(const ItemRef&, const std::exception&) {}
};
struct ItemWriteListener {
    virtual ~ItemWriteListener() = default;
    virtual void before_write(const ItemsRef&) {}
    virtual void after_write(const ItemsRef&) {}
    virtual void on_write_error(const ItemsRef&, const std::exception&) {}
};
struct SkipListener {
    virtual ~SkipListener() = default;
    virtual void on_skip_read(const std::exception&) {}
    virtual void on_skip_process(const ItemRef&, const std::exception&) {}
    virtual void on_skip_write(const ItemsRef&, const std::exception&) {}
};
struct RetryListener {
    virtual ~RetryListener() = default;
    virtual void on_retry_read(const std::exception&) {}
    virtual void on_retry_process(const ItemRef&, const std::exception&) {}
    virtual void on_retry_write(const ItemsRef&, const std::exception&) {}
};
/// A listener with durable output of its own (rejectFile). Its checkpoint is saved with the chunk's commit; after a
/// rollback and at restart it is opened at the committed one; publish() comes after the last commit.
struct SideOutput {
    virtual ~SideOutput() = default;
    virtual void open(const Checkpoint& from) = 0;
    virtual Checkpoint checkpoint() = 0;  ///< makes what was written so far durable
    virtual void publish() = 0;           ///< harmless when repeated
    virtual void close() {}
};

}  // namespace fermata
