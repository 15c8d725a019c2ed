// What is promised about costs, by counting: statements a chunk, a launch and a restart; heap allocations an item.
#include "harness.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::int64_t> allocations{0};
}

void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* place = std::malloc(size)) return place;
    throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace fermata::test {
namespace {

class Counts : public Harness {
protected:
    /// Counts from nothing to nowhere: what is left is the runtime's own.
    struct Counter {
        using item_type = std::int64_t;
        explicit Counter(const ArtifactContext& context) : count_(context.properties.require<std::int64_t>("count")) {}
        std::optional<std::int64_t> read() { return next_ < count_ ? std::optional(next_++) : std::nullopt; }

    private:
        std::int64_t count_;
        std::int64_t next_ = 0;
    };
    struct Nowhere {
        using item_type = std::int64_t;
        void write(std::span<std::int64_t> items, Transaction&) { seen += items.size(); }
        std::size_t seen = 0;
    };
    Counts() {
        registry_.reader<Counter>("counter");
        registry_.writer<Nowhere>("nowhere");
    }
    static std::string count_to(std::int64_t count, std::int64_t item_count) {
        return R"(<step id="s"><chunk item-count=")" + std::to_string(item_count) +
               R"("><reader ref="counter"><properties><property name="count" value=")" + std::to_string(count) +
               R"("/></properties></reader><processor ref="process"/><writer ref="nowhere"/></chunk></step>)";
    }
    std::int64_t allocations_of(std::int64_t count, std::int64_t item_count) {
        const JobDefinition definition = job(count_to(count, item_count));
        const std::int64_t before = allocations;
        EXPECT_EQ(run(definition).status, BatchStatus::completed);
        return allocations - before;
    }
    std::int64_t statements_of(auto&& action) {
        const std::int64_t before = repository_->statement_count();
        action();
        return repository_->statement_count() - before;
    }
};

TEST_F(Counts, NoHeapAllocationAnItem) {
    (void)allocations_of(2'000, 1'000);
    // As many chunks with twenty times the items: only growing the buffers may cost, some twenty allocations each.
    const std::int64_t few = allocations_of(2'000, 100);
    const std::int64_t many = allocations_of(40'000, 2'000);
    EXPECT_LT(many - few, 200) << few << " and " << many;
}

TEST_F(Counts, FourStatementsAChunkOfWhichTwoAreMetadata) {
    const auto of_chunks = [&](std::int64_t chunks) {
        return statements_of([&] { run(job(count_to(chunks * 5, 5))); });
    };
    (void)of_chunks(1);
    // BEGIN, the progress, what was asked meanwhile, COMMIT. A watcher's poll may fall into either run.
    const std::int64_t hundred = of_chunks(120) - of_chunks(20);
    EXPECT_GE(hundred, 100);
    EXPECT_LE(hundred, 400 + 40);
}

TEST_F(Counts, ALaunchCostsTheSameWhateverTheHistory) {
    const JobDefinition definition = job(count_to(1, 10));
    const auto launch = [&] { return statements_of([&] { run(definition); }); };
    (void)launch();
    const std::int64_t first = launch();
    for (int i = 0; i < 100; ++i) run(definition);
    EXPECT_NEAR(static_cast<double>(launch()), static_cast<double>(first), 2);  // polls of the watcher
}

TEST_F(Counts, ARestartCostsTheSameWhateverTheHistory) {
    script().on_process = [](std::int64_t) -> bool { throw Bad("always"); };
    JobExecution execution = run(job(count_to(1, 10)));
    const auto again = [&] { return statements_of([&] { execution = restart(execution.id); }); };
    (void)again();
    const std::int64_t first = again();
    for (int i = 0; i < 100; ++i) execution = restart(execution.id);
    EXPECT_NEAR(static_cast<double>(again()), static_cast<double>(first), 2);
}

}  // namespace
}  // namespace fermata::test
