#include "global_options.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

namespace fermata::cli {

void GlobalOptions::describe(Options& options) {
    options.value("--repository", "URL", repository, "Where executions are kept: PATH, sqlite:PATH or postgresql://…")
        .complete(Completes::file);
    options.value("--jobs", "FOLDER", jobs, "Folder of job definitions").complete(Completes::file);
    options.value("--kafka", "URL", kafka, "What rings for workers: kafka://HOST:PORT[/TOPIC]");
    options.value("-D", "NAME=VALUE", system_properties, "What #{systemProperties['NAME']} in job XML stands for");
    options.value("-o,--output", "FORMAT", output, "table, json, jsonl, tsv or name")
        .one_of({"table", "json", "jsonl", "tsv", "name"});
    options.value("--progress", "MODE", progress, "auto, tty, plain or none").one_of({"auto", "tty", "plain", "none"});
    options.flag("--no-color", no_color, "No colours; so do NO_COLOR and TERM=dumb");
    options.flag("--ascii", ascii, "Plain characters; automatic unless the locale is UTF-8");
}

Settings GlobalOptions::settings() const {
    Settings settings;
    settings.load();
    if (repository) settings.set("repository", *repository, "--repository");
    if (jobs) settings.set("jobs", *jobs, "--jobs");
    if (kafka) settings.set("kafka", *kafka, "--kafka");
    if (progress) settings.set("progress", *progress, "--progress");
    if (no_color) settings.set("color", "never", "--no-color");
    return settings;
}

Parameters GlobalOptions::system() const {
    Parameters system;
    for (const auto& [name, value] : system_properties)
        if (!system.emplace(name, value).second)
            throw Error(ErrorKind::usage, fmt::format("-D {}: given twice", printable(name)));
    return system;
}

Format GlobalOptions::format() const {
    if (output == "json") return Format::json;
    if (output == "jsonl") return Format::jsonl;
    if (output == "tsv") return Format::tsv;
    return output == "name" ? Format::name : Format::table;
}

}  // namespace fermata::cli
