#include "../command.hpp"
#include "../job_source.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/jobxml/jobxml.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Tells everything that can be told without starting: XML, references, artifacts and their properties, item types that
do not fit, unreachable steps. With -p or --params, expressions too, as a start would resolve them.
Exit code 9 if there are errors; warnings alone are none.
)";

class ValidateCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("FILE", files_, "Job XML files").require().complete(Completes::file);
        options.value("-p,--param", "K=V", given_, "Job parameter");
        options.value("--params", "FILE", parameters_file_, "Parameters from a JSON object").complete(Completes::file);
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] Diagnostics findings_of(Session& session, const std::string& file) const;
    std::vector<std::string> files_;
    std::vector<Assignment> given_;
    std::optional<std::string> parameters_file_;
};

Diagnostics ValidateCommand::findings_of(Session& session, const std::string& file) const {
    ParsedJob parsed = parse_job_file(file);
    if (!parsed.job) return parsed.diagnostics;
    std::optional<Parameters> parameters;
    if (parameters_file_ || !given_.empty()) parameters = parameters_from(parameters_file_, given_);
    parsed.diagnostics.append(
        fermata::validate(*parsed.job, session.registry(), parameters, session.system_properties()));
    parsed.diagnostics.sort();
    return parsed.diagnostics;
}

std::string object_of(const Diagnostic& finding) {
    const nlohmann::ordered_json object{
        {"file", finding.file},
        {"line", finding.at.line},
        {"column", finding.at.column},
        {"severity", finding.severity == Diagnostic::Severity::error ? "error" : "warning"},
        {"message", finding.message}};
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ExitCode ValidateCommand::run(Session& session) {
    ExitCode code = ExitCode::ok;
    std::vector<Row> rows;
    std::string text;
    for (const auto& file : files_) {
        const Diagnostics findings = findings_of(session, file);
        for (const auto& finding : findings.all()) {
            rows.push_back(
                {.cells = {printable(to_string(finding), 2000)}, .object = object_of(finding), .name = file});
            text += rows.back().cells.front() + "\n";
        }
        if (findings.has_errors()) code = ExitCode::invalid;
        if (findings.all().empty()) text += fmt::format("{}: ok\n", file);
    }
    if (session.out().format() == Format::table)
        session.out().write(text);
    else
        session.out().rows({{"FINDING"}}, rows);
    return code;
}

}  // namespace

const Descriptor validate_command{.name = "validate",
                                  .group = "Definitions",
                                  .about = "Check job XML: everything wrong with it, with file, line and column",
                                  .help = help,
                                  .make = make_command<ValidateCommand>};

}  // namespace fermata::cli
