#include "sql_url.hpp"

namespace fermata {

namespace {

std::string absolute_url(const StepContext& step, const std::string& url) {
    constexpr std::string_view file_scheme = "sqlite:";
    if (url.find("://") != std::string::npos) return url;
    const bool named = url.starts_with(file_scheme);
    if (is_secret_reference(named ? std::string_view(url).substr(file_scheme.size()) : std::string_view(url)))
        return url;
    return std::string(file_scheme) + step.resolve_path(named ? url.substr(file_scheme.size()) : url).string();
}

}  // namespace

std::string database_url(const StepContext& step, const std::string& url) {
    return url.empty() ? std::string() : absolute_url(step, reveal_url(url));
}

std::string recorded_url(const StepContext& step, const std::string& url) {
    return url.empty() ? std::string() : absolute_url(step, without_passwords(url));
}

std::string database_or_repository(const StepContext& step, const std::string& url) {
    return url.empty() ? reveal_url(step.job->repository_url) : database_url(step, url);
}

void check_url(const Properties& properties) {
    const auto url = properties.find<std::string>("url");
    if (!url) return;
    try {
        (void)reveal_url(*url);
    } catch (const Error& error) {
        throw Error(error.kind(), properties.wrong("url", error.what()).what(), error.remedy());
    }
}

PropertyInfo url_info() {
    return {.name = "url",
            .type = "database",
            .about =
                "sqlite:PATH or a path, relative to the instance's working directory, or postgresql://…; as a whole, "
                "or its user, password and query values, it may be @env:NAME or @file:PATH; default: the repository's "
                "own database"};
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
