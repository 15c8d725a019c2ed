#include "../command.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  fermata artifacts             all of them, one a line
  fermata artifacts csvReader   its properties, their defaults, an example
)";

class ArtifactsCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("NAME", name_, "Tell all about this one: properties, defaults, an example")
            .complete(Completes::artifact);
    }
    ExitCode run(Session& session) override;

private:
    std::optional<std::string> name_;
};

std::string object_of(const ArtifactEntry& entry) {
    nlohmann::ordered_json object{{"name", entry.name},          {"kind", to_string(entry.kind)},
                                  {"about", entry.info.about},   {"properties", nlohmann::ordered_json::array()},
                                  {"closed", entry.info.closed}, {"example", entry.info.example}};
    for (const auto& property : entry.info.properties)
        object["properties"].push_back({{"name", property.name},
                                        {"type", property.type},
                                        {"default", property.default_value},
                                        {"required", property.required},
                                        {"about", property.about}});
    return object.dump();
}

std::string property_line(const PropertyInfo& property) {
    const std::string fallback = property.required                ? "required"
                                 : property.default_value.empty() ? ""
                                                                  : fmt::format("({})", property.default_value);
    return fmt::format("  {:<14} {:<14} {:<12} {}\n", property.name, property.type, fallback, property.about);
}

std::string text_of(const ArtifactEntry& entry) {
    std::string text = fmt::format("{}  {}: {}\n", entry.name, to_string(entry.kind), entry.info.about);
    for (const auto& property : entry.info.properties) text += property_line(property);
    if (!entry.info.example.empty()) text += fmt::format("\n{}\n", trim(entry.info.example));
    return text;
}

ExitCode ArtifactsCommand::run(Session& session) {
    std::vector<Row> rows;
    std::vector<std::string> names;
    std::string text;
    for (const auto* entry : session.registry().all()) {
        names.push_back(entry->name);
        if (name_ && entry->name != *name_) continue;
        rows.push_back({.cells = {entry->name, std::string(to_string(entry->kind)), entry->info.about},
                        .object = object_of(*entry),
                        .name = entry->name});
        text += text_of(*entry);
    }
    if (name_ && rows.empty())
        throw Error(ErrorKind::not_found,
                    fmt::format("there is no artifact \"{}\"{}", printable(*name_), did_you_mean(*name_, names)),
                    "fermata artifacts lists them");
    if (name_ && session.out().format() == Format::table)
        session.out().write(text);
    else
        session.out().rows({{"NAME"}, {"KIND"}, {"ABOUT"}}, rows);
    return ExitCode::ok;
}

}  // namespace

const Descriptor artifacts_command{.name = "artifacts",
                                   .group = "Definitions",
                                   .about = "Readers, processors, writers, batchlets and listeners there are",
                                   .help = help,
                                   .formats = all_formats,
                                   .make = make_command<ArtifactsCommand>};

}  // namespace fermata::cli
