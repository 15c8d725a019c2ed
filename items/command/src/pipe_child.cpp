#include "pipe_child.hpp"

#include <fermata/base/text.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace fermata {
namespace {

constexpr std::size_t read_size = 65536;

std::optional<SteadyTime> after(std::optional<Duration> time) {
    if (!time) return std::nullopt;
    return std::chrono::steady_clock::now() + *time;
}

}  // namespace

PipeChild::PipeChild(ChildPlan plan, const StepContext& step, const PipeLimits& limits, std::string hello)
    : step_(step),
      plan_(std::move(plan)),
      limits_(limits),
      on_urgent_(step.stop != nullptr ? step.stop->urgent_token() : std::stop_token(), [this] { wake_.notify(); }),
      errors_(output_of(step)),
      pending_(std::move(hello)) {
    start();
}

void PipeChild::start() {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    plan_.input = input.read.fd();
    plan_.output = output.write.fd();
    plan_.error = errors_.command_fd();
    child_.emplace(plan_);
    errors_.started();
    input_ = std::move(input.write);
    output_ = std::move(output.read);
    ::fcntl(input_.fd(), F_SETFL, O_NONBLOCK);
    ::fcntl(output_.fd(), F_SETFL, O_NONBLOCK);
}

std::string_view PipeChild::exchange(std::string_view request, std::size_t padding) {
    received_.erase(0, line_size_);
    line_size_ = scanned_ = 0;
    pending_ += request;
    const auto deadline = after(limits_.timeout);
    while (!complete()) wait_for_event(deadline);
    pending_.clear();
    sent_ = 0;
    received_.reserve(received_.size() + padding);
    return std::string_view(received_).substr(0, line_size_ - 1);
}

bool PipeChild::complete() {
    const std::size_t end = received_.find('\n', scanned_);
    scanned_ = received_.size();
    if (std::min(end, received_.size()) > limits_.max_line)
        fail(fmt::format("answered a line longer than max-line ({} bytes)", limits_.max_line));
    if (end != std::string::npos) line_size_ = end + 1;
    return line_size_ > 0 && sent_ == pending_.size();
}

void PipeChild::wait_for_event(std::optional<SteadyTime> deadline) {
    const int input = sent_ < pending_.size() ? input_.fd() : -1;
    std::array<pollfd, 4> events{
        {{input, POLLOUT, 0}, {output_.fd(), POLLIN, 0}, {errors_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
    const int count = ::poll(events.data(), events.size(), poll_timeout(deadline));
    if (events[2].revents != 0) errors_.pump();
    if (urgent()) fail("was ended because the step stops now");
    if (events[0].revents != 0) send();
    if (events[1].revents != 0) receive();
    if (count == 0 && deadline && std::chrono::steady_clock::now() >= *deadline)
        fail(fmt::format("did not answer within its timeout of {}", to_human(*limits_.timeout)));
}

void PipeChild::send() {
    const ssize_t written = write_quietly(input_.fd(), std::string_view(pending_).substr(sent_));
    if (written > 0) sent_ += static_cast<std::size_t>(written);
    // It reads no more, so it ends; its output tells.
    if (written < 0 && errno == EPIPE) input_ = File();
}

void PipeChild::receive() {
    const std::size_t size = received_.size();
    received_.resize(size + read_size);
    const ssize_t count = ::read(output_.fd(), received_.data() + size, read_size);
    received_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) fail_ended();
}

void PipeChild::finish() {
    input_ = File();
    if (!ended_before(std::chrono::steady_clock::now() + limits_.grace)) {
        if (step_.log != nullptr)
            step_.log->line(fmt::format("pipe \"{}\" did not end within {} of its input's end and was killed",
                                        printable(plan_.argv.front()), to_human(limits_.grace)));
        return;
    }
    const ChildEnd end = child_->end();
    errors_.pump();
    if (!end.succeeded()) fail(fmt::format("ended badly: {}", describe(end, plan_)));
}

/// Whatever it still says is read, so that it is not held up.
bool PipeChild::ended_before(SteadyTime deadline) {
    while (!urgent() && std::chrono::steady_clock::now() < deadline) {
        std::array<pollfd, 4> events{{{child_->ended_fd(), POLLIN, 0},
                                      {errors_.fd(), POLLIN, 0},
                                      {output_.fd(), POLLIN, 0},
                                      {wake_.fd(), POLLIN, 0}}};
        (void)::poll(events.data(), events.size(), poll_timeout(deadline));
        if (events[1].revents != 0) errors_.pump();
        if (events[2].revents != 0) discard_output();
        if (events[0].revents != 0) return true;
    }
    return false;
}

void PipeChild::discard_output() {
    std::array<char, 4096> bytes{};
    if (::read(output_.fd(), bytes.data(), bytes.size()) == 0) output_ = File();
}

void PipeChild::fail_ended() {
    output_ = File();
    input_ = File();
    if (!ended_before(std::chrono::steady_clock::now() + limits_.grace))
        fail("closed its output before it had answered");
    const ChildEnd end = child_->end();
    errors_.pump();
    fail(fmt::format("ended before it had answered: {}", describe(end, plan_)));
}

void PipeChild::fail(const std::string& what) {
    const std::string_view last = errors_.last_line();
    throw ChildError(fmt::format("pipe \"{}\" {}{}{}", printable(plan_.argv.front()), what,
                                 last.empty() ? "" : "; last on stderr: ", printable(last)));
}

}  // namespace fermata
