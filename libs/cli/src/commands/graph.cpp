#include "../command.hpp"
#include "../job_arguments.hpp"

#include <fermata/model/graph.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  fermata graph nightly.xml --svg > nightly.svg
  fermata graph nightly.xml --dot | dot -Tpng > nightly.png

-o json: an object of "nodes" (id, kind, parent) and "edges" (from, to, kind, on, pause, exit_status). An edge is of kind
next, restart, flow_end (to the flow that ends there) or end (to the status the job ends with).
)";

class GraphCommand final : public Command {
public:
    void describe(Options& options) override {
        job_.describe(options);
        options.flag("--dot", dot_, "For Graphviz");
        options.flag("--svg", svg_, "A picture");
    }
    ExitCode run(Session& session) override {
        if ((dot_ || svg_) && (session.out().wants_json() || (dot_ && svg_)))
            throw Error(ErrorKind::usage, "graph makes one of --dot, --svg and -o json", "fermata graph --help");
        const JobDefinition job = job_.load(session);
        const std::string text = svg_ ? graph_svg(job) : dot_ ? graph_dot(job) : graph_text(job);
        session.out().one(text, graph_json(job), job.id);
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
                               .formats = one_a_line,
                               .make = make_command<GraphCommand>};

}  // namespace fermata::cli
