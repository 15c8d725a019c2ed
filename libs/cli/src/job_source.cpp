#include "job_source.hpp"

#include "input_text.hpp"
#include "shell_word.hpp"

#include <fmt/format.h>
#include <fermata/base/file.hpp>
#include <fermata/base/text.hpp>
#include <fermata/jobxml/jobxml.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace fermata::cli {

namespace fs = std::filesystem;

namespace {

bool names_a_file(const std::string& text) {
    return text.find('/') != std::string::npos || text.ends_with(".xml") || fs::is_regular_file(text);
}

/// `; did you mean "mine.xml"?` of "mine".
std::string file_beside(const std::string& name) {
    const std::string file = name + ".xml";
    std::error_code error;
    return fs::is_regular_file(file, error) ? fmt::format("; did you mean \"{}\"?", printable(file)) : std::string();
}

/// What has no jobs folder to be looked up in was meant to be a file.
void require_folder_for(const Session& session, const std::string& name) {
    if (!session.settings().get("jobs").value.empty()) return;
    if (fs::is_directory(name))
        throw Error(ErrorKind::invalid, fmt::format("\"{}\" is a folder, not a job file", printable(name)),
                    "name a file in it");
    if (const std::string hint = file_beside(name); !hint.empty())
        throw Error(ErrorKind::not_found,
                    fmt::format("there is no file \"{}\", and no jobs folder is set{}", printable(name), hint));
}

JobDefinition accepted(ParsedJob parsed, const std::string& file) {
    if (!parsed.job) throw InvalidJob(fmt::format("{} is no valid job", file), std::move(parsed.diagnostics));
    for (const auto& finding : parsed.diagnostics.all()) Output::note(to_string(finding));
    return *std::move(parsed.job);
}

constexpr std::size_t longest_parameters = std::size_t{64} << 20;

std::string parameter_text(const std::string& file, const std::string& name, const nlohmann::json& value) {
    if (name.empty()) throw Error(ErrorKind::invalid, fmt::format("{}: a parameter has no name", file));
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    throw Error(ErrorKind::invalid, fmt::format("{}: parameter \"{}\" is {}, not text, a number or a boolean", file,
                                                name, value.type_name()));
}

}  // namespace

bool is_job_file(const fs::directory_entry& entry) {
    std::error_code gone;
    return entry.path().extension() == ".xml" && entry.is_regular_file(gone);
}

std::vector<JobFile> jobs_in_folder(const Session& session) {
    std::vector<JobFile> files;
    for (const auto& entry : fs::directory_iterator(session.settings().jobs_folder())) {
        if (!is_job_file(entry)) continue;
        auto parsed = parse_job_file(entry.path());
        files.push_back({entry.path(), std::move(parsed.job), std::move(parsed.diagnostics)});
    }
    std::sort(files.begin(), files.end(), [](auto& left, auto& right) { return left.path < right.path; });
    return files;
}

std::map<std::string, std::vector<fs::path>> ambiguous_jobs(const std::vector<JobFile>& files) {
    std::map<std::string, std::vector<fs::path>> jobs;
    for (const JobFile& file : files)
        if (file.job) jobs[file.job->id].push_back(file.path);
    std::erase_if(jobs, [](const auto& job) { return job.second.size() == 1; });
    return jobs;
}

std::string ambiguity_text(const std::string& job, const std::vector<fs::path>& files) {
    std::string names;
    for (const fs::path& file : files) names += (names.empty() ? "" : ", ") + printable(file.filename().string());
    return fmt::format("several files define job \"{}\": {}", printable(job), names);
}

JobDefinition load_job(Session& session, const std::string& file_or_job) {
    if (names_a_file(file_or_job)) return accepted(parse_job_file(file_or_job), file_or_job);
    require_folder_for(session, file_or_job);
    auto files = jobs_in_folder(session);
    const auto ambiguous = ambiguous_jobs(files);
    if (const auto found = ambiguous.find(file_or_job); found != ambiguous.end())
        throw Error(ErrorKind::conflict, ambiguity_text(found->first, found->second),
                    "name the file: fermata run " + shell_word(found->second.front().string()));
    std::vector<std::string> names;
    for (auto& file : files) {
        if (file.job && file.job->id == file_or_job) return *std::move(file.job);
        if (!file.job && file.path.stem() == file_or_job)
            throw InvalidJob(fmt::format("{} is no valid job", file.path.string()), std::move(file.diagnostics));
        if (file.job) names.push_back(file.job->id);
    }
    const std::string hint = file_beside(file_or_job);
    throw Error(
        ErrorKind::not_found,
        fmt::format("there is no job \"{}\" in {}{}", printable(file_or_job), session.settings().jobs_folder().string(),
                    hint.empty() ? did_you_mean(file_or_job, names) : hint),
        "fermata jobs lists them; a file is named with its .xml");
}

JobDefinition stored_definition(Session& session, const JobExecution& execution) {
    return job_definition_from_json(session.repository().definition_of(execution.instance_id).value().canonical);
}

std::optional<std::string> changed_file(Session& session, JobInstanceId instance) {
    const auto stored = session.repository().definition_of(instance);
    const auto known = session.repository().find_instance(instance);
    if (!stored || !known) return std::nullopt;
    const std::string file = job_definition_from_json(stored->canonical).file;
    const fs::path path = fs::path(known->working_directory) / file;
    if (file.empty() || !fs::is_regular_file(path)) return std::nullopt;
    try {
        const ParsedJob parsed = parse_job_file(path);
        if (parsed.job && hash_of(*parsed.job) == stored->hash) return std::nullopt;
    } catch (const Error&) {  // it cannot be read any more: that is a change
    }
    return path.string();
}

Parameters read_parameters(const std::string& file) {
    const std::string text = input_text("--params", file, longest_parameters);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
        throw Error(ErrorKind::invalid, fmt::format("{} is no JSON object", file),
                    R"(write parameters as {"name": "value"})");
    Parameters parameters;
    for (const auto& [name, value] : json.items()) parameters[name] = parameter_text(file, name, value);
    return parameters;
}

Diagnostics tell_of_slips(const Session& session, const JobDefinition& job, const Parameters& parameters) {
    auto slips = unused_parameters(job, session.registry(), parameters, session.system_properties());
    for (const auto& finding : slips.all()) Output::note(to_string(finding));
    return slips;
}

void tell_of_doubts(const Session& session, const JobDefinition& job, const Parameters& parameters,
                    const Diagnostics& told) {
    const auto found = validate(job, session.registry(), parameters, session.system_properties());
    if (found.has_errors()) return;
    std::set<std::string> texts;
    for (const auto& finding : told.all()) texts.insert(to_string(finding));
    for (const auto& finding : found.all())
        if (const std::string text = to_string(finding); texts.insert(text).second) Output::note(text);
}

void tell_of_passwords(const Session& session, const JobDefinition& job, const Parameters& parameters) {
    const auto found = passwords_in(job, parameters, session.system_properties());
    for (const auto& finding : found.all()) Output::note(to_string(finding));
}

Parameters parameters_from(const std::optional<std::string>& file, const std::vector<Assignment>& given) {
    Parameters parameters;
    if (file) parameters = read_parameters(*file);
    for (const auto& [name, value] : given) parameters[name] = value;
    return parameters;
}

}  // namespace fermata::cli
