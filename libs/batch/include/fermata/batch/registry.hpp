#pragma once
// Artifacts and exception classes by name. Filled at start by one thread, read by many afterwards. One Registry an
// application; the stock artifacts are added by fermata::main and by register_stock_artifacts (fermata/fermata.hpp).
#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/listeners.hpp>
#include <fermata/batch/partition.hpp>

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace fermata {

/// One property of an artifact, as `fermata artifacts NAME`, `validate` and the docs tell it.
struct PropertyInfo {
    std::string name;       ///< "env.*": any property that begins with "env."
    std::string type = {};  ///< "text", "path", "number", "true|false", "duration", "command", "insert|upsert"…
    std::string default_value = {};  ///< "" with required=false: no default
    bool required = false;
    std::string about = {};
};
enum class ArtifactKind : std::uint8_t {
    reader,
    processor,
    writer,
    batchlet,
    listener,
    checkpoint_algorithm,
    decider,
    mapper,
    collector,
    analyzer,
    reducer
};
[[nodiscard]] std::string_view to_string(ArtifactKind kind);
struct ArtifactInfo {
    std::string about = {};
    std::vector<PropertyInfo> properties = {};
    bool closed = true;        ///< a property that is not listed is an error
    std::string example = {};  ///< job XML
};

/// All interfaces of one listener object.
struct ListenerInstance {
    std::shared_ptr<void> object;
    JobListener* job = nullptr;
    StepListener* step = nullptr;
    ChunkListener* chunk = nullptr;
    ItemReadListener* read = nullptr;
    ItemProcessListener* process = nullptr;
    ItemWriteListener* write = nullptr;
    SkipListener* skip = nullptr;
    RetryListener* retry = nullptr;
    SideOutput* side_output = nullptr;
};

/// Reads properties and throws Error(invalid) for what is wrong with them; Error(refused) for what this machine lacks
/// and another may have, which is a warning.
using PropertyRule = std::function<void(const Properties&)>;
/// That the property, if it is given, can be read as T.
template <class T>
PropertyRule reads_as(std::string property) {
    return [name = std::move(property)](const Properties& properties) { (void)properties.find<T>(name); };
}

struct ArtifactEntry {
    ArtifactKind kind{};
    std::string name;
    ArtifactInfo info;
    const ItemType* input = nullptr;   ///< processor, writer
    const ItemType* output = nullptr;  ///< reader, processor
    /// Exactly one is set, by kind. They throw Error(invalid) for bad properties.
    std::function<std::unique_ptr<AnyReader>(const ArtifactContext&)> make_reader;
    std::function<std::unique_ptr<AnyProcessor>(const ArtifactContext&)> make_processor;
    std::function<std::unique_ptr<AnyWriter>(const ArtifactContext&)> make_writer;
    std::function<std::unique_ptr<AnyBatchlet>(const ArtifactContext&)> make_batchlet;
    std::function<ListenerInstance(const ArtifactContext&)> make_listener;
    std::function<std::unique_ptr<AnyCheckpointAlgorithm>(const ArtifactContext&)> make_algorithm;
    std::function<std::unique_ptr<Decider>(const ArtifactContext&)> make_decider;
    std::function<std::unique_ptr<PartitionMapper>(const ArtifactContext&)> make_mapper;
    std::function<std::unique_ptr<PartitionCollector>(const ArtifactContext&)> make_collector;
    std::function<std::unique_ptr<PartitionAnalyzer>(const ArtifactContext&)> make_analyzer;
    std::function<std::unique_ptr<PartitionReducer>(const ArtifactContext&)> make_reducer;
    /// Optional, asked by `validate` and before a start: values, properties that go together, a command that does not
    /// split… Each by itself, so that all that is wrong is told, and the same finding once.
    std::vector<PropertyRule> rules;
    /// All of them, one after the other: throws what the first that is broken says.
    void check(const Properties& properties) const {
        for (const PropertyRule& rule : rules) rule(properties);
    }
    /// Optional: names of the job parameters it reads by itself, not by expressions (`:name` in sql).
    std::function<std::vector<std::string>(const Properties&)> parameters;
};

struct ExceptionClass {
    std::string name;
    std::string base;  ///< empty for roots
    std::function<bool(const std::exception&)> matches;
    const std::type_info* type = nullptr;  ///< the C++ class; null if the name stands for several
};

class Registry {
public:
    /// Knows java.lang.Throwable and java.lang.Exception (any), under them std.exception, under that fermata.Error,
    /// fermata.ItemError and its kinds: fermata.ReadError…
    Registry();

    /// Registering a (kind, name) twice, or without a name, throws Error(invalid). `info` without properties: any
    /// property is accepted.
    template <ItemReader R>
    ArtifactEntry& reader(std::string name, ArtifactInfo info = {.closed = false});
    template <class P>
    ArtifactEntry& processor(std::string name, ArtifactInfo info = {.closed = false});
    template <ItemWriter W>
    ArtifactEntry& writer(std::string name, ArtifactInfo info = {.closed = false});
    template <Batchlet B>
    ArtifactEntry& batchlet(std::string name, ArtifactInfo info = {.closed = false});
    template <class L>
    ArtifactEntry& listener(std::string name, ArtifactInfo info = {.closed = false});
    template <CheckpointAlgorithm A>
    ArtifactEntry& checkpoint_algorithm(std::string name, ArtifactInfo info = {.closed = false});
    template <std::derived_from<Decider> D>
    ArtifactEntry& decider(std::string name, ArtifactInfo info = {.closed = false});
    template <std::derived_from<PartitionMapper> M>
    ArtifactEntry& mapper(std::string name, ArtifactInfo info = {.closed = false});
    template <std::derived_from<PartitionCollector> C>
    ArtifactEntry& collector(std::string name, ArtifactInfo info = {.closed = false});
    template <std::derived_from<PartitionAnalyzer> A>
    ArtifactEntry& analyzer(std::string name, ArtifactInfo info = {.closed = false});
    template <std::derived_from<PartitionReducer> R>
    ArtifactEntry& reducer(std::string name, ArtifactInfo info = {.closed = false});
    /// For skip, retry and no-rollback lists. E is the C++ class, `base` the registered name of its base. A name that
    /// is taken or a base that is unknown throws Error(invalid).
    template <class E>
    void exception(std::string name, std::string base = "std.exception");

    [[nodiscard]] const ArtifactEntry* find(ArtifactKind kind, std::string_view name) const;
    [[nodiscard]] std::vector<const ArtifactEntry*> all() const;
    [[nodiscard]] std::vector<std::string> names(ArtifactKind kind) const;
    [[nodiscard]] const ExceptionClass* find_exception(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> exception_names() const;
    /// Registered classes of `error`, the most derived first (its own class, then by the registered bases); what
    /// Failure::error_class and filters use. Never empty.
    [[nodiscard]] std::vector<std::string> classes_of(const std::exception& error) const;

private:
    ArtifactEntry& add(ArtifactEntry entry);
    void add_exception(ExceptionClass exception);
    template <class T>
    static std::unique_ptr<T> make(const ArtifactContext& context) {
        if constexpr (std::constructible_from<T, const ArtifactContext&>)
            return std::make_unique<T>(context);
        else
            return std::make_unique<T>();
    }
    std::map<std::pair<ArtifactKind, std::string>, ArtifactEntry, std::less<>> artifacts_;
    std::map<std::string, ExceptionClass, std::less<>> exceptions_;
};

template <ItemReader R>
ArtifactEntry& Registry::reader(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::reader, .name = std::move(name), .info = std::move(info)};
    entry.output = &item_type_of<typename R::item_type>();
    entry.make_reader = [](const ArtifactContext& context) -> std::unique_ptr<AnyReader> {
        return std::make_unique<ReaderAdapter<R>>(make<R>(context));
    };
    return add(std::move(entry));
}
template <class P>
ArtifactEntry& Registry::processor(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::processor, .name = std::move(name), .info = std::move(info)};
    entry.input = &item_type_of<typename P::input_type>();
    entry.output = &item_type_of<typename P::output_type>();
    entry.make_processor = [](const ArtifactContext& context) -> std::unique_ptr<AnyProcessor> {
        return std::make_unique<ProcessorAdapter<P>>(make<P>(context));
    };
    return add(std::move(entry));
}
template <ItemWriter W>
ArtifactEntry& Registry::writer(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::writer, .name = std::move(name), .info = std::move(info)};
    entry.input = &item_type_of<typename W::item_type>();
    entry.make_writer = [](const ArtifactContext& context) -> std::unique_ptr<AnyWriter> {
        return std::make_unique<WriterAdapter<W>>(make<W>(context));
    };
    return add(std::move(entry));
}
template <Batchlet B>
ArtifactEntry& Registry::batchlet(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::batchlet, .name = std::move(name), .info = std::move(info)};
    entry.make_batchlet = [](const ArtifactContext& context) -> std::unique_ptr<AnyBatchlet> {
        return std::make_unique<BatchletAdapter<B>>(make<B>(context));
    };
    return add(std::move(entry));
}
template <class L>
ArtifactEntry& Registry::listener(std::string name, ArtifactInfo info) {
    static_assert(std::derived_from<L, JobListener> || std::derived_from<L, StepListener> ||
                      std::derived_from<L, ChunkListener> || std::derived_from<L, ItemReadListener> ||
                      std::derived_from<L, ItemProcessListener> || std::derived_from<L, ItemWriteListener> ||
                      std::derived_from<L, SkipListener> || std::derived_from<L, RetryListener> ||
                      std::derived_from<L, SideOutput>,
                  "this listener would never be called: it derives from no interface of fermata/batch/listeners.hpp");
    ArtifactEntry entry{.kind = ArtifactKind::listener, .name = std::move(name), .info = std::move(info)};
    entry.make_listener = [](const ArtifactContext& context) {
        std::shared_ptr<L> object = make<L>(context);
        ListenerInstance instance;
        if constexpr (std::derived_from<L, JobListener>) instance.job = object.get();
        if constexpr (std::derived_from<L, StepListener>) instance.step = object.get();
        if constexpr (std::derived_from<L, ChunkListener>) instance.chunk = object.get();
        if constexpr (std::derived_from<L, ItemReadListener>) instance.read = object.get();
        if constexpr (std::derived_from<L, ItemProcessListener>) instance.process = object.get();
        if constexpr (std::derived_from<L, ItemWriteListener>) instance.write = object.get();
        if constexpr (std::derived_from<L, SkipListener>) instance.skip = object.get();
        if constexpr (std::derived_from<L, RetryListener>) instance.retry = object.get();
        if constexpr (std::derived_from<L, SideOutput>) instance.side_output = object.get();
        instance.object = std::move(object);
        return instance;
    };
    return add(std::move(entry));
}
template <CheckpointAlgorithm A>
ArtifactEntry& Registry::checkpoint_algorithm(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::checkpoint_algorithm, .name = std::move(name), .info = std::move(info)};
    entry.make_algorithm = [](const ArtifactContext& context) -> std::unique_ptr<AnyCheckpointAlgorithm> {
        return std::make_unique<CheckpointAlgorithmAdapter<A>>(make<A>(context));
    };
    return add(std::move(entry));
}
template <std::derived_from<Decider> D>
ArtifactEntry& Registry::decider(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::decider, .name = std::move(name), .info = std::move(info)};
    entry.make_decider = make<D>;
    return add(std::move(entry));
}
template <std::derived_from<PartitionMapper> M>
ArtifactEntry& Registry::mapper(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::mapper, .name = std::move(name), .info = std::move(info)};
    entry.make_mapper = make<M>;
    return add(std::move(entry));
}
template <std::derived_from<PartitionCollector> C>
ArtifactEntry& Registry::collector(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::collector, .name = std::move(name), .info = std::move(info)};
    entry.make_collector = make<C>;
    return add(std::move(entry));
}
template <std::derived_from<PartitionAnalyzer> A>
ArtifactEntry& Registry::analyzer(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::analyzer, .name = std::move(name), .info = std::move(info)};
    entry.make_analyzer = make<A>;
    return add(std::move(entry));
}
template <std::derived_from<PartitionReducer> R>
ArtifactEntry& Registry::reducer(std::string name, ArtifactInfo info) {
    ArtifactEntry entry{.kind = ArtifactKind::reducer, .name = std::move(name), .info = std::move(info)};
    entry.make_reducer = make<R>;
    return add(std::move(entry));
}
template <class E>
void Registry::exception(std::string name, std::string base) {
    add_exception({std::move(name), std::move(base),
                   [](const std::exception& error) { return dynamic_cast<const E*>(&error) != nullptr; }, &typeid(E)});
}

}  // namespace fermata
