// The command line with two processors that tests need: items that wait, and items that are deadly.
#include <fermata/fermata.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using fermata::ArtifactContext;
using fermata::Record;

std::int64_t value_of(const Record& record) { return record.values()[0].integer(); }

/// Each `width` values pass when there is a file `prefix`N, N counted from 0; as long as there is none they wait.
class Gated {
public:
    using input_type = Record;
    using output_type = Record;

    explicit Gated(const ArtifactContext& context)
        : prefix_(context.properties.require<std::string>("prefix")),
          width_(context.properties.get<std::int64_t>("width", 1)) {}
    bool process(Record& in, Record& into) {
        const std::string gate = prefix_ + std::to_string((value_of(in) - 1) / width_);
        while (!std::filesystem::exists(gate)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        into = in;
        return true;
    }

private:
    std::string prefix_;
    std::int64_t width_;
};

/// One value kills the process, or worse; each attempt leaves a letter in the file `log`.
class Poison {
public:
    using input_type = Record;
    using output_type = Record;

    explicit Poison(const ArtifactContext& context)
        : value_(context.properties.require<std::int64_t>("value")),
          how_(context.properties.require<std::string>("how")),
          log_(context.properties.require<std::string>("log")) {}
    bool process(Record& in, Record& into) {
        if (value_of(in) == value_) act();
        into = in;
        return true;
    }

private:
    void act() const {
        std::ofstream(log_, std::ios::app) << 'x' << std::flush;
        if (how_ == "throw") throw std::runtime_error("poisoned");
        if (how_ == "abort") std::abort();
        if (how_ == "exit") ::_exit(0);
        if (how_ == "segfault") std::raise(SIGSEGV);
        for (volatile bool forever = true; forever;) {  // "loop", until a limit of processor time ends it
        }
    }
    std::int64_t value_;
    std::string how_;
    std::string log_;
};

}  // namespace

int main(int argc, char** argv) {
    fermata::Registry registry;
    registry.processor<Gated>("gated");
    registry.processor<Poison>("poison");
    return fermata::main(argc, argv, registry);
}
