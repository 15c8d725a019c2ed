#pragma once
// What job authors write: plain classes satisfying these concepts, registered by name (registry.hpp). Contracts follow
// Jakarta Batch §9.1. All calls of one step come on one thread, except Batchlet::stop. An artifact is made once per
// step execution (§10.5.3) from its default constructor or, if there is one, from an ArtifactContext.
//
// reader     using item_type = T;
//            std::optional<T> read();  or  bool read(T& into);   empty / false: the input has ended
//            optional: void open(const Checkpoint&); Checkpoint checkpoint(); void close();
//            std::string position();  where it stands, for messages;  double fraction();  0…1 of the input, for
//            progress The same item may be read again after a rollback: open(last committed checkpoint) comes first, on
//            the same instance. checkpoint() is asked just before the commit and stands after the last item read.
// processor  using input_type = In; using output_type = Out;
//            std::optional<Out> process(In&);  or  bool process(In&, Out& into);   empty / false: filtered
//            or, for a whole chunk at once:  void process(std::span<In>, ChunkVerdicts<Out>&);
//            optional: void open(); at each entry of the step and after each rollback, before the items that follow;
//                      void close(); at the step's end; for processors that hold something outside (a child process)
// writer     using item_type = T;
//            void write(std::span<T>, Transaction&);     may get an empty span when everything was filtered
//            optional: Sink sink() const; void open(const Checkpoint&); Checkpoint checkpoint(); void close();
//                      void publish();   after the last commit; must be harmless when repeated
// batchlet   std::string process();   its value becomes the exit status    optional: void stop();  on another thread
// algorithm  bool is_ready_to_checkpoint();
//            optional: std::chrono::seconds checkpoint_timeout(); void begin_checkpoint(); void end_checkpoint();
// A public method that has the name of an optional one and cannot be called so does not compile.
#include <fermata/batch/checkpoint.hpp>
#include <fermata/batch/items.hpp>
#include <fermata/batch/plain_run.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace fermata {

namespace sql {
class Connection;
}

/// What a writer can promise when a process dies between any two instructions (docs/exactly-once.md).
enum class SinkClass : std::uint8_t {
    transactional,  ///< T1: writes only through Transaction::connection(); exactly once
    keyed,          ///< T2: upserts or idempotency keys; effectively once
    file,           ///< T3: checkpoint names lengths, truncates at open, publish() puts in place; exactly once
    at_least_once,  ///< T5: anything else
};
struct Sink {
    SinkClass sink_class = SinkClass::at_least_once;
    std::string url = {};                     ///< T1: the database; empty = the repository's own
    std::string sink_table = "fermata_sink";  ///< T1 outside the repository; "none" degrades to at least once
    std::string recorded_url = {};  ///< `url` with its secrets still references; empty = as `url`, no password
};

/// The chunk's transaction. The runtime begins it when connection() is first called and commits it with the progress.
class Transaction {
public:
    virtual ~Transaction() = default;
    /// The sink's connection, inside its write transaction. Throws Error(refused) if the writer's Sink is not T1.
    /// Do not commit or roll back on it.
    virtual sql::Connection& connection() = 0;
    /// Idempotency key parts for T2 sinks: (instance, step, generation, sequence, n-th item).
    std::int64_t generation = 0;
    std::int64_t sequence = 0;
};

/// Answers of a whole-chunk processor, one an item, in the order of the items.
class AnyVerdicts {
public:
    virtual ~AnyVerdicts() = default;
    virtual void* result_slot() = 0;  ///< to be filled, then kept()
    virtual void kept() = 0;
    virtual void filter() = 0;
    virtual void fail(std::exception_ptr error) = 0;  ///< goes through the step's skip and retry lists
};
template <Item Out>
class ChunkVerdicts {
public:
    explicit ChunkVerdicts(AnyVerdicts& any) : any_(&any) {}
    [[nodiscard]] Out& result() { return *static_cast<Out*>(any_->result_slot()); }
    void kept() { any_->kept(); }
    void filter() { any_->filter(); }
    void fail(std::exception_ptr error) { any_->fail(std::move(error)); }

private:
    AnyVerdicts* any_;
};

// --- erased, for the runtime -------------------------------------------------------------------------------------
class AnyReader {
public:
    virtual ~AnyReader() = default;
    virtual void open(const Checkpoint& from) = 0;
    virtual bool read(void* slot) = 0;
    /// read_plainly() with this reader.
    virtual PlainRun read_run(ItemBuffer& output, std::int64_t items, const StopSignal& stop) = 0;
    virtual Checkpoint checkpoint() = 0;
    virtual void close() = 0;
    virtual std::string position() = 0;
    virtual double fraction() = 0;  ///< 0…1, or -1 if unknown
};
class AnyProcessor {
public:
    virtual ~AnyProcessor() = default;
    virtual bool per_chunk() const noexcept = 0;
    virtual void open() = 0;
    virtual void close() = 0;
    virtual bool process(void* in, void* out) = 0;
    /// process_plainly() with this processor. Not for one that is per_chunk().
    virtual PlainRun process_run(AnyReader& reader, ItemBuffer& input, bool keeps_input, ItemBuffer& output,
                                 std::int64_t items, const StopSignal& stop) = 0;
    virtual void process_chunk(ItemBuffer& in, AnyVerdicts& out) = 0;
};
class AnyWriter {
public:
    virtual ~AnyWriter() = default;
    virtual Sink sink() const = 0;
    virtual void open(const Checkpoint& from) = 0;
    virtual void write(ItemBuffer& items, Transaction& transaction) = 0;
    virtual Checkpoint checkpoint() = 0;
    virtual void close() = 0;
    virtual bool publishes() const noexcept = 0;
    virtual void publish() = 0;
};
class AnyBatchlet {
public:
    virtual ~AnyBatchlet() = default;
    virtual std::string process() = 0;
    virtual void stop() = 0;
};
class AnyCheckpointAlgorithm {
public:
    virtual ~AnyCheckpointAlgorithm() = default;
    virtual std::chrono::seconds checkpoint_timeout() = 0;
    virtual void begin_checkpoint() = 0;
    virtual bool is_ready_to_checkpoint() = 0;
    virtual void end_checkpoint() = 0;
};

// --- concepts ----------------------------------------------------------------------------------------------------
template <class R>
concept ItemReader = Item<typename R::item_type> && (
    requires(R reader) { { reader.read() } -> std::same_as<std::optional<typename R::item_type>>; } ||
    requires(R reader, typename R::item_type& into) { { reader.read(into) } -> std::same_as<bool>; });
template <class P>
concept ChunkProcessor = Item<typename P::input_type> && Item<typename P::output_type> &&
                         requires(P processor, std::span<typename P::input_type> in,
                                  ChunkVerdicts<typename P::output_type>& out) { processor.process(in, out); };
template <class P>
concept ItemProcessor = Item<typename P::input_type> && Item<typename P::output_type> && (
    requires(P processor, typename P::input_type& in) {
        { processor.process(in) } -> std::same_as<std::optional<typename P::output_type>>;
    } ||
    requires(P processor, typename P::input_type& in, typename P::output_type& into) {
        { processor.process(in, into) } -> std::same_as<bool>;
    });
template <class W>
concept ItemWriter =
    Item<typename W::item_type> && requires(W writer, std::span<typename W::item_type> items,
                                            Transaction& transaction) { writer.write(items, transaction); };
template <class B>
concept Batchlet = requires(B batchlet) {
    { batchlet.process() } -> std::convertible_to<std::string>;
};
template <class A>
concept CheckpointAlgorithm = requires(A algorithm) {
    { algorithm.is_ready_to_checkpoint() } -> std::same_as<bool>;
};

// --- adapters: erase once ----------------------------------------------------------------------------------------
// What is optional is called if it can be called as told above. A method of that name which cannot is no other method:
// it is that one, mistaken, and a reader that is never opened would read again what was committed.
#define FERMATA_CALLABLE_OR_ABSENT(Artifact, name, call, told)                                                    \
    static_assert((call) || !requires { requires std::is_member_function_pointer_v<decltype(&Artifact::name)>; }, \
                  #name "() of this artifact would never be called: its signature is to be " told)

template <ItemReader R>
class ReaderAdapter final : public AnyReader {
public:
    explicit ReaderAdapter(std::unique_ptr<R> reader) : reader_(std::move(reader)) {}
    void open(const Checkpoint& from) override {
        if constexpr (requires { reader_->open(from); }) reader_->open(from);
    }
    bool read(void* slot) override {
        using T = typename R::item_type;
        if constexpr (requires(T& into) {
                          { reader_->read(into) } -> std::same_as<bool>;
                      }) {
            return reader_->read(*static_cast<T*>(slot));
        } else {
            auto item = reader_->read();
            if (!item) return false;
            *static_cast<T*>(slot) = std::move(*item);
            return true;
        }
    }
    PlainRun read_run(ItemBuffer& output, std::int64_t items, const StopSignal& stop) override {
        return read_plainly([this](void* slot) { return read(slot); }, output, items, stop);
    }
    Checkpoint checkpoint() override {
        if constexpr (requires { reader_->checkpoint(); })
            return reader_->checkpoint();
        else
            return {};
    }
    void close() override {
        if constexpr (requires { reader_->close(); }) reader_->close();
    }
    std::string position() override {
        if constexpr (requires { reader_->position(); })
            return reader_->position();
        else
            return {};
    }
    double fraction() override {
        if constexpr (requires {
                          { reader_->fraction() } -> std::convertible_to<double>;
                      })
            return reader_->fraction();
        else
            return -1;
    }

private:
    FERMATA_CALLABLE_OR_ABSENT(
        R, open, requires(R it, const Checkpoint& from) { it.open(from); }, "void open(const Checkpoint&)");
    FERMATA_CALLABLE_OR_ABSENT(R, checkpoint, requires(R it) { it.checkpoint(); }, "Checkpoint checkpoint()");
    FERMATA_CALLABLE_OR_ABSENT(R, close, requires(R it) { it.close(); }, "void close()");
    std::unique_ptr<R> reader_;
};

template <class P>
    requires ItemProcessor<P> || ChunkProcessor<P>
class ProcessorAdapter final : public AnyProcessor {
    using In = typename P::input_type;
    using Out = typename P::output_type;

public:
    explicit ProcessorAdapter(std::unique_ptr<P> processor) : processor_(std::move(processor)) {}
    bool per_chunk() const noexcept override { return ChunkProcessor<P>; }
    void open() override {
        if constexpr (requires { processor_->open(); }) processor_->open();
    }
    void close() override {
        if constexpr (requires { processor_->close(); }) processor_->close();
    }
    bool process(void* in, void* out) override {
        if constexpr (ChunkProcessor<P>) {
            return false;  // never called
        } else if constexpr (requires(In& from, Out& into) {
                                 { processor_->process(from, into) } -> std::same_as<bool>;
                             }) {
            return processor_->process(*static_cast<In*>(in), *static_cast<Out*>(out));
        } else {
            auto item = processor_->process(*static_cast<In*>(in));
            if (!item) return false;
            *static_cast<Out*>(out) = std::move(*item);
            return true;
        }
    }
    PlainRun process_run(AnyReader& reader, ItemBuffer& input, bool keeps_input, ItemBuffer& output, std::int64_t items,
                         const StopSignal& stop) override {
        return process_plainly([&reader](void* slot) { return reader.read(slot); },
                               [this](void* in, void* out) { return process(in, out); }, input, keeps_input, output,
                               items, stop);
    }
    void process_chunk([[maybe_unused]] ItemBuffer& in, [[maybe_unused]] AnyVerdicts& out) override {
        if constexpr (ChunkProcessor<P>) {
            ChunkVerdicts<Out> verdicts(out);
            processor_->process(in.items<In>(), verdicts);
        }
    }

private:
    FERMATA_CALLABLE_OR_ABSENT(P, open, requires(P it) { it.open(); }, "void open()");
    FERMATA_CALLABLE_OR_ABSENT(P, close, requires(P it) { it.close(); }, "void close()");
    std::unique_ptr<P> processor_;
};

template <ItemWriter W>
class WriterAdapter final : public AnyWriter {
public:
    explicit WriterAdapter(std::unique_ptr<W> writer) : writer_(std::move(writer)) {}
    Sink sink() const override {
        if constexpr (requires { writer_->sink(); })
            return writer_->sink();
        else
            return {};
    }
    void open(const Checkpoint& from) override {
        if constexpr (requires { writer_->open(from); }) writer_->open(from);
    }
    void write(ItemBuffer& items, Transaction& transaction) override {
        writer_->write(items.items<typename W::item_type>(), transaction);
    }
    Checkpoint checkpoint() override {
        if constexpr (requires { writer_->checkpoint(); })
            return writer_->checkpoint();
        else
            return {};
    }
    void close() override {
        if constexpr (requires { writer_->close(); }) writer_->close();
    }
    bool publishes() const noexcept override {
        return requires { writer_->publish(); };
    }
    void publish() override {
        if constexpr (requires { writer_->publish(); }) writer_->publish();
    }

private:
    FERMATA_CALLABLE_OR_ABSENT(W, sink, requires(W it) { it.sink(); }, "Sink sink()");
    FERMATA_CALLABLE_OR_ABSENT(
        W, open, requires(W it, const Checkpoint& from) { it.open(from); }, "void open(const Checkpoint&)");
    FERMATA_CALLABLE_OR_ABSENT(W, checkpoint, requires(W it) { it.checkpoint(); }, "Checkpoint checkpoint()");
    FERMATA_CALLABLE_OR_ABSENT(W, close, requires(W it) { it.close(); }, "void close()");
    FERMATA_CALLABLE_OR_ABSENT(W, publish, requires(W it) { it.publish(); }, "void publish()");
    std::unique_ptr<W> writer_;
};

template <Batchlet B>
class BatchletAdapter final : public AnyBatchlet {
public:
    explicit BatchletAdapter(std::unique_ptr<B> batchlet) : batchlet_(std::move(batchlet)) {}
    std::string process() override { return batchlet_->process(); }
    void stop() override {
        if constexpr (requires { batchlet_->stop(); }) batchlet_->stop();
    }

private:
    FERMATA_CALLABLE_OR_ABSENT(B, stop, requires(B it) { it.stop(); }, "void stop()");
    std::unique_ptr<B> batchlet_;
};

template <CheckpointAlgorithm A>
class CheckpointAlgorithmAdapter final : public AnyCheckpointAlgorithm {
public:
    explicit CheckpointAlgorithmAdapter(std::unique_ptr<A> algorithm) : algorithm_(std::move(algorithm)) {}
    std::chrono::seconds checkpoint_timeout() override {
        if constexpr (requires { algorithm_->checkpoint_timeout(); })
            return algorithm_->checkpoint_timeout();
        else
            return std::chrono::seconds{0};
    }
    void begin_checkpoint() override {
        if constexpr (requires { algorithm_->begin_checkpoint(); }) algorithm_->begin_checkpoint();
    }
    bool is_ready_to_checkpoint() override { return algorithm_->is_ready_to_checkpoint(); }
    void end_checkpoint() override {
        if constexpr (requires { algorithm_->end_checkpoint(); }) algorithm_->end_checkpoint();
    }

private:
    FERMATA_CALLABLE_OR_ABSENT(
        A, checkpoint_timeout, requires(A it) { it.checkpoint_timeout(); },
        "std::chrono::seconds checkpoint_timeout()");
    FERMATA_CALLABLE_OR_ABSENT(
        A, begin_checkpoint, requires(A it) { it.begin_checkpoint(); }, "void begin_checkpoint()");
    FERMATA_CALLABLE_OR_ABSENT(A, end_checkpoint, requires(A it) { it.end_checkpoint(); }, "void end_checkpoint()");
    std::unique_ptr<A> algorithm_;
};

#undef FERMATA_CALLABLE_OR_ABSENT

}  // namespace fermata
