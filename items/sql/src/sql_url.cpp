#include "sql_url.hpp"

namespace fermata {

std::string database_url(const StepContext& step, const std::string& url) {
    constexpr std::string_view file_scheme = "sqlite:";
    if (url.empty()) return {};
    const std::string revealed = reveal_url(url);
    if (revealed.find("://") != std::string::npos) return revealed;
    const bool named = revealed.starts_with(file_scheme);
    return std::string(file_scheme) +
           step.resolve_path(named ? revealed.substr(file_scheme.size()) : revealed).string();
}

std::string database_or_repository(const StepContext& step, const std::string& url) {
    return url.empty() ? step.job->repository_url : database_url(step, url);
}

PropertyInfo url_info() {
    return {.name = "url",
            .type = "database",
            .about =
                "sqlite:PATH or a path, relative to the instance's working directory, or postgresql://…; user, "
                "password and query values may be @env:NAME or @file:PATH; default: the repository's own database"};
}

std::vector<std::string> name_list(const Properties& properties, std::string_view property) {
    std::vector<std::string> names;
    const auto text = properties.find<std::string>(property);
    if (!text) return names;
    for (const std::string& part : split(*text, ',')) {
        const std::string_view name = trim(part);
        if (name.empty())
            throw properties.wrong(property, "\"" + *text + "\" names nothing between two commas",
                                   "write names with one comma between them");
        names.emplace_back(name);
    }
    return names;
}

}  // namespace fermata
