#pragma once
// Jakarta Batch §8.4 and §8.5 written down once more, as plainly as they read: what one instance of a random job comes
// to, execution after execution. Knows no database, no threads and nothing of the runtime. Flows of a split are taken
// one after the other, as the runtime does without helpers.
#include "random_job.hpp"

namespace fermata::test {

struct OracleStep {
    std::string name;
    std::string status;
    std::string exit_status;
    bool operator==(const OracleStep&) const = default;
};
struct OracleExecution {
    std::string status;
    std::string exit_status;
    std::string restart_from;
    std::vector<OracleStep> steps;       ///< StepExecutions in the order of entry
    std::vector<std::string> decisions;  ///< "d1: s1 s2", each question
    bool operator==(const OracleExecution&) const = default;
};

class Oracle {
public:
    explicit Oracle(const RandomJob& job) : job_(job) {}

    /// The next execution of the instance.
    OracleExecution execute();
    /// (id, partition, call) so far.
    [[nodiscard]] const std::set<std::tuple<std::string, int, int>>& calls() const { return made_; }

private:
    struct Memory {  ///< what the instance knows of a step
        std::string status;
        std::string exit_status;
        int starts = 0;
        int entered = 0;              ///< when, to find the last one
        std::vector<bool> completed;  ///< partitions
    };
    struct Outcome {
        std::string status = "COMPLETED";
        std::string exit_status;
        std::vector<std::string> steps;
        bool ends_job = false;
        bool by_element = false;
        std::string carried;  ///< the exit status of the flow's context
        std::string restart;
    };
    struct Context {
        std::string exit_status;
    };
    using Elements = std::vector<RandomElement>;

    Outcome walk(const Elements& elements, std::string at, Context& context);
    Outcome visit(const RandomElement& element, const std::vector<std::string>& before, Context& context);
    Outcome step(const RandomElement& element);
    std::string run_batchlet(const std::string& id, int partition, std::string& exit_status);
    std::string run_partitions(const RandomElement& element, Memory& memory);
    Outcome split(const RandomElement& element, Context& context);
    Outcome decide(const RandomElement& element, const std::vector<std::string>& before, Context& context);
    Deed next_deed(const std::string& id, int partition);

    const RandomJob& job_;
    std::map<std::string, Memory> memory_;
    std::map<std::pair<std::string, int>, int> calls_;
    std::set<std::tuple<std::string, int, int>> made_;
    std::string restart_at_;
    int clock_ = 0;
    bool stop_ = false;
    OracleExecution now_;
};

}  // namespace fermata::test
