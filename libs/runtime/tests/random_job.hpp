#pragma once
// Random jobs and what their steps do: a tree small enough to read, with its job XML, and outcomes drawn by (step,
// partition, call). Everything follows from the seed.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace fermata::test {

struct RandomTransition {
    enum class Kind : std::uint8_t { next, end, fail, stop };
    Kind kind{};
    std::string on;
    std::string to;           ///< next
    std::string exit_status;  ///< "" = none
    std::string restart;      ///< stop; "" = none
};

struct RandomElement {
    enum class Kind : std::uint8_t { step, flow, split, decision };
    Kind kind{};
    std::string id;
    std::string next;  ///< "" = none
    std::vector<RandomTransition> transitions;
    std::vector<RandomElement> inside;  ///< of a flow its elements, of a split its flows
    int partitions = 0;                 ///< 0 = not partitioned
    int start_limit = 0;
    bool again = false;  ///< allow-start-if-complete
};

/// What one call of a batchlet or decider does.
struct Deed {
    enum class Kind : std::uint8_t { answer, fail, stop, die };
    Kind kind = Kind::answer;
    std::string status;  ///< answer, stop: the exit status, may be ""
};

struct RandomJob {
    /// Without stops: nobody asks for one, and no restart begins at a decision, which decides about what ran last.
    enum class Kind : std::uint8_t { any, without_stops };
    std::uint64_t seed = 0;
    Kind kind = Kind::any;
    std::vector<RandomElement> elements;
    std::set<std::tuple<std::string, int, int>> tamed;  ///< calls that simply answer "", for shrinking
    bool pauses = false;  ///< pause elements stand behind some elements, which change nothing but that it waits

    [[nodiscard]] static RandomJob drawn(std::uint64_t seed, Kind kind);
    /// `partition` -1: not partitioned. Calls count from 0 over the whole instance.
    [[nodiscard]] Deed deed(const std::string& id, int partition, int call) const;
    [[nodiscard]] std::string xml() const;
    /// Every job that is one thing simpler.
    [[nodiscard]] std::vector<RandomJob> simpler(const std::set<std::tuple<std::string, int, int>>& calls) const;
};

}  // namespace fermata::test
