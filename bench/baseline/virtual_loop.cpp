// virtual_loop COUNT: a reader, a processor and a writer behind virtual calls, item by item into a chunk of 1000; no
// counters, no stop, no skip policy, no checkpoint.
#include "pipeline.hpp"
#include "sqlite.hpp"

#include <memory>
#include <vector>

namespace {

struct Reader {
    virtual ~Reader() = default;
    virtual bool read(bench::Item& into) = 0;
};
struct Processor {
    virtual ~Processor() = default;
    virtual bool process(bench::Item& in, bench::Item& into) = 0;
};
struct Writer {
    virtual ~Writer() = default;
    virtual void write(const std::vector<bench::Item>& items) = 0;
};

struct Numbers final : Reader {
    explicit Numbers(long long count) : source{count} {}
    bool read(bench::Item& into) override { return source.read(into); }
    bench::Source source;
};
struct Doubler final : Processor {
    bool process(bench::Item& in, bench::Item& into) override { return bench::transform(in, into); }
};
struct Adder final : Writer {
    void write(const std::vector<bench::Item>& items) override { sum += bench::sum_of(items); }
    long long sum = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: virtual_loop COUNT\n", stderr);
        return 2;
    }
    const long long count = std::strtoll(argv[1], nullptr, 10);
    // behind pointers the optimiser cannot see through
    std::unique_ptr<Reader> reader = std::make_unique<Numbers>(count);
    std::unique_ptr<Processor> processor = std::make_unique<Doubler>();
    auto writer = std::make_unique<Adder>();
    Reader* volatile opaque_reader = reader.get();
    Processor* volatile opaque_processor = processor.get();
    Writer* volatile opaque_writer = writer.get();

    const auto begin = std::chrono::steady_clock::now();
    Reader& from = *opaque_reader;
    Processor& through = *opaque_processor;
    Writer& to = *opaque_writer;
    std::vector<bench::Item> chunk;
    chunk.reserve(1000);
    bench::Item item;
    bool more = true;
    while (more) {
        chunk.clear();
        while (chunk.size() < 1000 && (more = from.read(item))) {
            bench::Item result;
            if (through.process(item, result)) chunk.push_back(result);
        }
        to.write(chunk);
    }
    baseline::report(count, begin);
    std::fprintf(stderr, "sum %lld\n", writer->sum);
    return 0;
}
