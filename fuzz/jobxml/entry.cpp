// Any bytes: they are a job or an error at a place of theirs, and a job survives everything that is done with it before
// its first step runs.
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/model/graph.hpp>
#include <fermata/model/resolved_job.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

void use(const fermata::JobDefinition& job) {
    const auto json = to_json(job);
    const auto stored = fermata::job_definition_from_json(json);
    require(to_json(stored) == json, "the stored form is stable");
    require(hash_of(stored) == hash_of(job), "the hash survives the stored form");
    static_cast<void>(graph_text(job));
    static_cast<void>(graph_dot(job));
    static_cast<void>(check(job));
    fermata::Parameters parameters;
    for (const auto& use : parameters_of(job)) parameters[use.name] = "1";
    const auto resolution = resolve(job, parameters, {});
    require(resolution.job.has_value() != resolution.diagnostics.has_errors(), "a resolution is a job or has errors");
    if (resolution.job) static_cast<void>(describe(*resolution.job));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = fermata::parse_job(text, "fuzz.xml");
    require(parsed.job.has_value() != parsed.diagnostics.has_errors(), "a document is a job or has errors");
    for (const auto& diagnostic : parsed.diagnostics.all()) {
        require(diagnostic.at.line > 0 && diagnostic.at.column > 0, "every message has a place");
        require(to_string(diagnostic).find('\n') == std::string::npos, "every message is one line");
    }
    if (parsed.job) use(*parsed.job);
    return 0;
}
