#include "signal_text.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/file.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace fermata {
namespace {

std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

// The payload was JSON when it was taken, and stays as it was written, on one line: within a string of JSON there are
// no line ends.
std::string to_json(const Signal& signal) {
    std::string payload = signal.payload.value_or("null");
    std::ranges::replace_if(payload, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return fmt::format(R"({{"point":{},"key":{},"sender":{},"at":"{}","payload":{}}})", quoted(signal.point),
                       quoted(signal.key), quoted(signal.sender), to_rfc3339(signal.at), payload);
}

std::filesystem::path write_signals(const StepContext& step) {
    const std::vector<Signal> signals = step.signals();
    if (signals.empty()) return "/dev/null";
    const auto folder = step.job->data_folder / "logs" / std::to_string(step.job->execution_id.value());
    std::filesystem::create_directories(folder);
    const std::string name = step.partition ? fmt::format("{}.{}", step.step_name, *step.partition) : step.step_name;
    const auto path = folder / (name + ".signals");
    const File file = File::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::string lines;
    for (const Signal& signal : signals) lines += to_json(signal) + "\n";
    write_all(file.fd(), lines, path);
    return path;
}

}  // namespace fermata
