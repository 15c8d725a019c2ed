#include "job_arguments.hpp"

namespace fermata::cli {

void ParameterArguments::describe(Options& options) {
    options.value("-p,--param", "K=V", given_, "Job parameter");
    options.value("--params", "FILE", file_, "Parameters from a JSON object; - is stdin").complete(Completes::file);
}

void JobArgument::describe(Options& options) {
    options.positional("JOB", job_, "Job XML file, or the id of a job in the jobs folder")
        .require()
        .complete(Completes::job);
}

}  // namespace fermata::cli
