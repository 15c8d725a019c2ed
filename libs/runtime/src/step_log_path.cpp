#include <fmt/format.h>
#include <fermata/runtime/step_log_path.hpp>

#include <string>

namespace fermata {
namespace {

constexpr std::size_t longest_name = 200;

bool is_harmless(unsigned char c) { return c >= ' ' && c != '/' && c != '%' && c != 0x7f; }

std::string encoded(std::string_view name) {
    std::string text;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        const bool hides = i == 0 && c == '.';
        if (is_harmless(c) && !hides)
            text += name[i];
        else
            text += fmt::format("%{:02X}", c);
    }
    return text;
}

/// FNV-1a: the same for every program that looks for the file.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return hash;
}

}  // namespace

std::filesystem::path log_folder(const std::filesystem::path& data_folder, JobExecutionId execution) {
    return data_folder / "logs" / std::to_string(execution.value());
}

std::filesystem::path step_log_path(const std::filesystem::path& data_folder, JobExecutionId execution,
                                    std::string_view step) {
    std::string name = encoded(step);
    if (name.size() > longest_name) name = fmt::format("{}%{:016x}", name.substr(0, longest_name - 17), hash_of(step));
    return log_folder(data_folder, execution) / (name + ".log");
}

std::filesystem::path notification_log_path(const std::filesystem::path& data_folder, JobExecutionId execution) {
    return log_folder(data_folder, execution) / "notifications";
}

}  // namespace fermata
