#include "../command.hpp"
#include "../job_arguments.hpp"

#include <fermata/model/graph.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  fermata graph nightly.xml --svg > nightly.svg
  fermata graph nightly.xml --dot | dot -Tpng > nightly.png
)";

class GraphCommand final : public Command {
public:
    void describe(Options& options) override {
        job_.describe(options);
        options.flag("--dot", dot_, "For Graphviz");
        options.flag("--svg", svg_, "A picture");
    }
    ExitCode run(Session& session) override {
        const JobDefinition job = job_.load(session);
        session.out().write(svg_ ? graph_svg(job) : dot_ ? graph_dot(job) : graph_text(job));
        return ExitCode::ok;
    }

private:
    JobArgument job_;
    bool dot_ = false;
    bool svg_ = false;
};

}  // namespace

const Descriptor graph_command{.name = "graph",
                               .group = "Definitions",
                               .about = "The elements of a job and what leads where",
                               .help = help,
                               .make = make_command<GraphCommand>};

}  // namespace fermata::cli
