#include "command_batchlet.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <array>
#include <stop_token>

namespace fermata {
namespace {

using std::chrono::steady_clock;

constexpr Duration default_grace = std::chrono::seconds{30};
constexpr int highest_exit_code = 255;

}  // namespace

CommandBatchlet::CommandBatchlet(const ArtifactContext& context)
    : step_(*context.step),
      spec_(context.properties),
      exit_codes_(read_exit_codes(context.properties)),
      pause_codes_(read_pause_codes(context.properties, exit_codes_)),
      timeout_(context.properties.find<Duration>("timeout")),
      grace_(context.properties.get<Duration>("grace", default_grace)) {}

std::string CommandBatchlet::process() {
    const int output = output_of(step_);
    ErrorTail errors(output);
    ChildPlan plan = spec_.plan(step_);
    plan.output = output;
    plan.error = errors.command_fd();
    GuardedChild child(plan);
    errors.started();
    supervise(child, errors);
    const ChildEnd end = child.end();
    errors.pump();
    return judge(end, plan, errors.last_line());
}

void CommandBatchlet::stop() {
    stopping_ = true;
    wake_.notify();
}

void CommandBatchlet::supervise(GuardedChild& child, ErrorTail& errors) {
    const std::stop_callback on_urgent(step_.stop != nullptr ? step_.stop->urgent_token() : std::stop_token(),
                                       [this] { wake_.notify(); });
    if (timeout_) timeout_at_ = steady_clock::now() + *timeout_;
    while (!ended_after_event(child, errors)) {
        if (!ending_) begin_end_if_due(child);
        if (ending_) kill_if_due(child);
    }
}

bool CommandBatchlet::ended_after_event(GuardedChild& child, ErrorTail& errors) {
    std::array<pollfd, 3> events{{{child.ended_fd(), POLLIN, 0}, {errors.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
    if (::poll(events.data(), events.size(), poll_timeout(ending_ ? kill_at_ : timeout_at_)) <= 0) return false;
    if (events[1].revents != 0) errors.pump();
    if (events[2].revents != 0) wake_.clear();
    return events[0].revents != 0;
}

void CommandBatchlet::begin_end_if_due(GuardedChild& child) {
    const auto now = steady_clock::now();
    timed_out_ = !stopping_ && timeout_at_ && now >= *timeout_at_;
    if (!stopping_ && !timed_out_) return;
    child.terminate();
    ending_ = true;
    kill_at_ = now + grace_;
}

void CommandBatchlet::kill_if_due(GuardedChild& child) {
    const bool urgent = step_.stop != nullptr && step_.stop->now();
    if (!kill_at_ || (!urgent && steady_clock::now() < *kill_at_)) return;
    child.kill();
    kill_at_.reset();
}

std::string CommandBatchlet::judge(const ChildEnd& end, const ChildPlan& plan, std::string_view last_words) const {
    const std::string said = last_words.empty() ? "" : fmt::format("; last on stderr: {}", printable(last_words));
    const std::string name = printable(spec_.program());
    if (timed_out_)
        throw ChildTimeout(
            fmt::format("command \"{}\" did not end within its timeout of {}{}", name, to_human(*timeout_), said));
    if (end.outcome == guard::Outcome::exited)
        if (const auto point = pause_codes_.find(end.value); point != pause_codes_.end()) {
            step_.pause({.point = point->second, .message = std::string(last_words)});
            return {};
        }
    if (end.outcome == guard::Outcome::exited)
        if (const auto status = exit_codes_.find(end.value); status != exit_codes_.end()) return status->second;
    if (ending_ && end.ended_by_stop()) return "STOPPED";
    throw ChildError(fmt::format("command \"{}\": {}{}", name, describe(end, plan), said));
}

CommandBatchlet::ExitCodes CommandBatchlet::read_exit_codes(const Properties& properties) {
    ExitCodes codes;
    const auto list = properties.get<std::string>("exit-codes", "");
    for (const std::string& entry : split(list, ',')) {
        if (trim(list).empty()) break;
        const std::size_t equals = entry.find('=');
        const std::string_view status =
            equals == std::string::npos ? "" : trim(std::string_view(entry).substr(equals + 1));
        const auto code = parse_int64(trim(std::string_view(entry).substr(0, equals)));
        if (!code || *code < 0 || *code > highest_exit_code || status.empty())
            throw properties.wrong("exit-codes", fmt::format("\"{}\" is not CODE=EXIT STATUS", entry),
                                   "write for example 0=COMPLETED,3=RETRY, codes from 0 to 255");
        if (!codes.emplace(static_cast<int>(*code), status).second)
            throw properties.wrong("exit-codes", fmt::format("code {} stands twice", *code));
    }
    codes.emplace(0, "COMPLETED");
    return codes;
}

CommandBatchlet::PauseCodes CommandBatchlet::read_pause_codes(const Properties& properties,
                                                              const ExitCodes& exit_codes) {
    PauseCodes codes;
    const auto list = properties.get<std::string>("pause-exit-codes", "");
    for (const std::string& entry : split(list, ',')) {
        if (trim(list).empty()) break;
        const std::size_t equals = entry.find('=');
        const auto code = parse_int64(trim(std::string_view(entry).substr(0, equals)));
        const bool names_point = equals != std::string::npos;
        const auto point = names_point ? trim(std::string_view(entry).substr(equals + 1)) : std::string_view();
        if (!code || *code < 1 || *code > highest_exit_code || (names_point && point.empty()))
            throw properties.wrong("pause-exit-codes", fmt::format("\"{}\" is not CODE or CODE=POINT", entry),
                                   "write for example 75 or 75=approve, codes from 1 to 255");
        const bool is_new = codes.emplace(*code, point).second;
        if (!is_new || exit_codes.contains(static_cast<int>(*code)))
            throw properties.wrong("pause-exit-codes",
                                   fmt::format("code {} stands twice, here or in exit-codes", *code));
    }
    return codes;
}

std::vector<PropertyRule> CommandBatchlet::rules() {
    std::vector<PropertyRule> rules = CommandSpec::rules();
    const auto pauses = [](const Properties& properties) {
        (void)read_pause_codes(properties, read_exit_codes(properties));
    };
    rules.insert(rules.end(), {read_exit_codes, pauses, reads_as<Duration>("timeout"), reads_as<Duration>("grace")});
    return rules;
}

ArtifactInfo CommandBatchlet::info() {
    ArtifactInfo info;
    info.about = "Runs a command; it and everything it starts end with the step, and with Fermata";
    info.properties = CommandSpec::property_infos();
    info.properties.push_back({.name = "exit-codes",
                               .type = "CODE=EXIT STATUS,…",
                               .default_value = "0=COMPLETED",
                               .about =
                                   "Exit status of the step by exit code; a code that is not listed fails the step "
                                   "(fermata.ChildError); 0 is COMPLETED unless listed"});
    info.properties.push_back({.name = "pause-exit-codes",
                               .type = "CODE[=POINT],…",
                               .about = "Exit codes with which the step pauses, to be run again when it is resumed; "
                                        "without a point at the step's name, with the last line of stderr as message"});
    info.properties.push_back({.name = "timeout",
                               .type = "duration",
                               .about = "Longest run; then TERM, KILL after grace, and the step fails"});
    info.properties.push_back({.name = "grace",
                               .type = "duration",
                               .default_value = "30s",
                               .about = "Time between TERM and KILL when the step is stopped or times out"});
    info.example = R"(<batchlet ref="command">
  <properties>
    <property name="command" value="import.sh --file '#{jobParameters['file']}'"/>
    <property name="exit-codes" value="0=COMPLETED,3=RETRY"/>
    <property name="timeout" value="1h"/>
    <property name="env.DB_PASSWORD" value="@file:/etc/import/password"/>
  </properties>
</batchlet>)";
    return info;
}

}  // namespace fermata
