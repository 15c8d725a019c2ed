#include "proxy_link.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace fermata::testing {
namespace {

constexpr std::size_t most_pending = std::size_t{256} * 1024;

}  // namespace

Link::Link(Fd client, Fd server, ArmedFault& armed, const Weather& weather)
    : client_(std::move(client)), server_(std::move(server)), armed_(armed), weather_(weather) {}

bool Link::is_read(const Flow& flow) const {
    return flow.passes && !flow.ended && !flow.held && flow.pending.size() < most_pending;
}

void Link::add_to(std::vector<pollfd>& polled) const {
    if (state_ == State::hole || state_ == State::late) return;  // whatever comes there, nobody listens
    for (const Flow* flow : {&up_, &down_}) {
        if (is_read(*flow) && flow->from.get() >= 0) polled.push_back({flow->from.get(), POLLIN, 0});
        if (flow->passes && !flow->pending.empty() && flow->to.get() >= 0)
            polled.push_back({flow->to.get(), POLLOUT, 0});
    }
}

std::optional<Link::Time> Link::wakes_at() const noexcept {
    std::optional<Time> at = wakes_at_;
    for (const Flow* flow : {&up_, &down_}) {
        if (!flow->passes || flow->under_way.empty()) continue;
        at = at ? std::min(*at, flow->under_way.front().due) : flow->under_way.front().due;
    }
    return at;
}

void Link::release() {
    if (wakes_at_) wakes_at_ = Time::min();
}

void Link::step(Time now) {
    if (wakes_at_ && now >= *wakes_at_) wake();
    if (state_ == State::late || state_ == State::hole) return;
    pump(up_, now);
    pump(down_, now);
    bool written = true;
    for (const Flow* flow : {&up_, &down_}) written = written && flow->pending.empty() && flow->under_way.empty();
    const bool ends = state_ == State::draining ? down_.ended : up_.ended || down_.ended;
    if (written && (ends || state_ == State::closing)) state_ = State::over;
}

void Link::pump(Flow& flow, Time now) {
    if (!flow.passes) return;
    const bool reads = state_ == State::flowing || (state_ == State::draining && &flow == &down_);
    if (reads && is_read(flow)) read_into(flow, now);
    for (; !flow.under_way.empty() && flow.under_way.front().due <= now; flow.under_way.pop_front())
        arrive(flow, flow.under_way.front().data);
    if (!flow.pending.empty()) write_from(flow);
}

void Link::read_into(Flow& flow, Time now) {
    char buffer[16 * 1024];
    const ssize_t got = ::recv(flow.from.get(), buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        flow.ended = true;
        return;
    }
    flow.under_way.push_back({now + weather_.lag, std::string(buffer, static_cast<std::size_t>(got))});
}

void Link::arrive(Flow& flow, std::string_view data) {
    if (&flow == &up_) take_fault_behind_marker(data);
    pass(flow, data);
}

void Link::write_from(Flow& flow) {
    const ssize_t put = ::send(flow.to.get(), flow.pending.data(), flow.pending.size(), MSG_NOSIGNAL);
    if (put >= 0) {
        flow.pending.erase(0, static_cast<std::size_t>(put));
    } else if (errno != EAGAIN && errno != EINTR) {
        flow.pending.clear();  // nobody is there to get it
        flow.ended = true;
    }
}

/// Passes what stands before the end of the marker and leaves the rest in `data`.
void Link::take_fault_behind_marker(std::string_view& data) {
    if (fault_ || !armed_.waiting) return;
    if (arming_ != armed_.number) sent_.clear(), arming_ = armed_.number;
    const std::string& marker = armed_.waiting->marker;
    const std::size_t before = sent_.size();
    sent_ += data;
    const std::size_t found = sent_.find(marker);
    if (found == std::string::npos) {
        sent_.erase(0, sent_.size() - std::min(sent_.size(), marker.size() - 1));
        return;
    }
    const std::size_t end = found + marker.size();
    const std::size_t uncounted = end > before ? end - before : 0;
    up_.pending += data.substr(0, uncounted);
    data.remove_prefix(uncounted);
    fault_ = std::move(armed_.waiting);
    armed_.waiting.reset();
}

void Link::pass(Flow& flow, std::string_view data) {
    if (state_ == State::draining) return;
    const bool faulty = fault_ && (fault_->direction == Fault::Direction::to_server) == (&flow == &up_);
    const std::size_t passing = faulty ? std::min(fault_->after, data.size()) : data.size();
    flow.pending += data.substr(0, passing);
    if (faulty) fault_->after -= passing;
    if (passing < data.size()) fire(flow, data.substr(passing));
}

void Link::fire(Flow& flow, std::string_view stopped) {
    const Fault fault = *std::move(fault_);
    fault_.reset();
    armed_.fired = true;
    if (!flow.pending.empty()) write_from(flow);
    switch (fault.act) {
        case Fault::Act::cut:
            state_ = State::closing;
            return;
        case Fault::Act::black_hole:
            state_ = State::hole;
            return;
        case Fault::Act::late:
            stopped_ = stopped;
            close_client();
            state_ = State::late;
            break;
        case Fault::Act::delay:
            stopped_ = stopped;
            flow.held = true;
            break;
    }
    wakes_at_ = std::chrono::steady_clock::now() + fault.delay;
}

/// What the client had sent is still on its way.
void Link::close_client() {
    char buffer[16 * 1024];
    for (ssize_t got = 0; (got = ::recv(client_.get(), buffer, sizeof buffer, 0)) > 0;)
        stopped_.append(buffer, static_cast<std::size_t>(got));
    client_.close();
}

void Link::wake() {
    wakes_at_.reset();
    if (state_ == State::late) {
        state_ = State::draining;
        // Answers are read and dropped, as long as there are any: closing early would take back what was sent.
        up_.pending += stopped_;
        up_.ended = true;
        down_.pending.clear();
        down_.under_way.clear();
        while (!up_.pending.empty() && !down_.ended) {
            pollfd writable{server_.get(), POLLOUT, 0};
            ::poll(&writable, 1, -1);
            write_from(up_);
            if (up_.pending.empty()) ::shutdown(server_.get(), SHUT_WR);
        }
        return;
    }
    Flow& flow = up_.held ? up_ : down_;
    flow.pending += stopped_;
    flow.held = false;
}

}  // namespace fermata::testing
