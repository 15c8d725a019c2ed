#include "kafka_reader.hpp"

#include "place.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace fermata::kafka {
namespace {

/// How soon `stop --now` is heard while there is nothing to read.
constexpr std::chrono::milliseconds glance{100};

constexpr const char* accept_remedy =
    "is it the topic it was? `fermata restart --accept-input` reads what is there now";

}  // namespace

KafkaReader::KafkaReader(const ArtifactContext& context, Driver driver)
    : properties_(context.properties),
      manner_(manner_of(context)),
      driver_(std::move(driver)),
      topic_(topic_of(context.properties)),
      options_(ReaderOptions::of(context.properties)),
      accepts_change_(context.job.accept_input),
      shape_(options_.format, options_.columns) {}

// --- where reading begins ------------------------------------------------------------------------------------------

void KafkaReader::open(const Checkpoint& from) {
    const bool is_first = !source_;
    if (is_first)
        connect();
    else
        close();
    if (from)
        reading_ = is_first ? checked(Reading::from(from)) : Reading::from(from);
    else
        reading_ = is_first ? first_ = beginning() : first_;
    fetches_.assign(reading_.slices.size(), {});
    running_ = 0;
    last_.reset();
    source_name_ = reading_.slices.size() == 1 ? fmt::format("{}/{}", topic_, reading_.slices[0].partition) : topic_;
    fetch_more();
}

void KafkaReader::connect() {
    if (!driver_.source)
        throw Error(ErrorKind::refused, "this program has no Kafka driver", "give add_kafka_artifacts() one");
    const Url url = url_of(properties_);
    where_ = url.display();
    source_ = driver_.source(url, topic_, manner_);
}

Reading KafkaReader::beginning() {
    Reading reading{.cluster = source_->cluster(), .topic = topic_, .slices = {}};
    for (const std::int32_t partition : wanted()) reading.slices.push_back(fresh(partition));
    return reading;
}

Slice KafkaReader::fresh(std::int32_t partition) {
    const auto [low, high] = source_->watermarks(partition);
    std::int64_t begin = low;
    if (options_.from == ReaderOptions::From::end) begin = high;
    if (options_.from == ReaderOptions::From::time) begin = source_->offset_at(partition, options_.from_time);
    Slice slice{.partition = partition, .begin = begin, .next = begin, .end = std::nullopt};
    if (!options_.idle) slice.end = std::max(begin, high);
    return slice;
}

std::vector<std::int32_t> KafkaReader::wanted() {
    const std::int32_t count = source_->partitions();
    std::vector<std::int32_t> all = options_.partitions;
    if (all.empty()) {
        all.resize(static_cast<std::size_t>(count));
        std::iota(all.begin(), all.end(), 0);
    }
    if (!all.empty() && all.back() >= count)
        throw Error(
            ErrorKind::refused,
            fmt::format("topic \"{}\" has no partition {}: its {} are numbered from 0", topic_, all.back(), count),
            "mend the property partitions");
    return all;
}

/// That the topic is the one that was read before.
Reading KafkaReader::checked(Reading reading) {
    const std::string cluster = source_->cluster();
    if (reading.cluster != cluster || reading.topic != topic_) {
        if (accepts_change_) return beginning();
        throw Error(
            ErrorKind::refused,
            fmt::format("the input changed: topic \"{}\" of the Kafka cluster {} was being read, this is \"{}\" of {}",
                        printable(reading.topic), printable(reading.cluster), topic_, printable(cluster)),
            accept_remedy);
    }
    for (Slice& slice : reading.slices)
        if (!slice.is_done()) check(slice);
    if (options_.idle)
        for (const std::int32_t partition : wanted())  // some may have been added
            if (std::ranges::find(reading.slices, partition, &Slice::partition) == reading.slices.end())
                reading.slices.push_back(fresh(partition));
    std::ranges::sort(reading.slices, {}, &Slice::partition);
    return reading;
}

void KafkaReader::check(Slice& slice) {
    const auto [low, high] = source_->watermarks(slice.partition);
    const bool is_shorter = high < std::max(slice.next, slice.end.value_or(0));
    if (slice.next >= low && !is_shorter) return;
    if (!accepts_change_)
        throw Error(ErrorKind::refused,
                    fmt::format("the input changed: {}/{} holds the offsets {} to {}, reading stood at {}{}", topic_,
                                slice.partition, low, high, slice.next,
                                slice.end ? fmt::format(" and was to end at {}", *slice.end) : std::string()),
                    accept_remedy);
    slice.begin = slice.next = low;
    if (slice.end) slice.end = high;
}

// --- reading -------------------------------------------------------------------------------------------------------

bool KafkaReader::read(Record& into) {
    const Message* message = next_message();
    if (message == nullptr) return false;
    try {
        shape_.fill(into, *message);
    } catch (const json::NoObject& error) {
        throw ParseError(
            fmt::format("{}: {}: \"{}\"", position(), error.what(), printable(message->value.value_or(""), 80)),
            position(), std::string(message->value.value_or("")));
    } catch (const NoText& error) {
        throw ReadError(fmt::format("{}: {}; read it with format=\"bytes\"", position(), error.what()), position(),
                        std::string(message->value.value_or("")));
    }
    if (into.batch().source != source_name_) into.batch().source = source_name_;
    return true;
}

/// With a fixed end one partition after the other, so that the same messages come in the same order again after a
/// rollback; else all at once.
void KafkaReader::fetch_more() {
    for (std::size_t index = 0; index < fetches_.size(); ++index) {
        const Slice& slice = reading_.slices[index];
        if (!fetches_[index].runs && !slice.is_done()) {
            source_->start(slice.partition, slice.next);
            fetches_[index] = {.runs = true};
            ++running_;
        }
        if (fetches_[index].runs && !options_.idle) return;
    }
}

void KafkaReader::finish(std::size_t index) {
    source_->stop(reading_.slices[index].partition);
    fetches_[index].runs = false;
    --running_;
    last_.reset();
    fetch_more();
}

/// Null: the end.
const Message* KafkaReader::next_message() {
    if (last_ && reading_.slices[*last_].is_done()) finish(*last_);
    std::optional<Instant> waiting_since;
    while (running_ > 0) {
        event_ = source_->next(glance);
        if (event_.message && take(*event_.message)) return &*event_.message;
        if (event_.end) take(*event_.end);
        if (event_.message || event_.end) continue;
        if (!waiting_since) waiting_since = std::chrono::steady_clock::now();
        if (has_ended(*waiting_since)) return nullptr;
    }
    return nullptr;
}

bool KafkaReader::take(const Message& message) {
    const std::size_t index = index_of(message.partition);
    if (!fetches_[index].runs) return false;
    Slice& slice = reading_.slices[index];
    if (slice.end && message.offset >= *slice.end) {
        slice.next = *slice.end;  // what stood before it is not there any more: compacted, or the mark of a transaction
        finish(index);
        return false;
    }
    slice.next = message.offset + 1;
    fetches_[index].at_end = false;
    last_ = index;
    return true;
}

void KafkaReader::take(const AtEnd& end) {
    const std::size_t index = index_of(end.partition);
    if (!fetches_[index].runs) return;
    Slice& slice = reading_.slices[index];
    slice.next = std::max(slice.next, end.offset);
    fetches_[index].at_end = true;
    if (slice.is_done()) finish(index);
}

/// Asked while there is nothing to read.
bool KafkaReader::has_ended(Instant waiting_since) {
    const auto waited = std::chrono::steady_clock::now() - waiting_since;
    if (manner_.stop != nullptr && manner_.stop->now())
        throw KafkaError(ErrorKind::failed, fmt::format("{}: stopped while waiting for {}", topic_, where_));
    if (options_.idle && is_at_end()) return waited >= *options_.idle && nothing_new();
    if (waited < manner_.patience) return false;
    const std::string trouble = source_->trouble();
    throw KafkaError(ErrorKind::unreachable,
                     fmt::format("{}: nothing came from {} for {}{}", position(), where_, to_human(manner_.patience),
                                 trouble.empty() ? "; is a transaction still open there?" : ": " + trouble),
                     "see whether the brokers run and can be reached; restart goes on at this place");
}

bool KafkaReader::is_at_end() const {
    return std::ranges::all_of(fetches_, [](const Fetch& fetch) { return !fetch.runs || fetch.at_end; });
}

/// A broker that went away says nothing more either, so it is asked.
bool KafkaReader::nothing_new() {
    bool nothing = true;
    for (std::size_t index = 0; index < fetches_.size(); ++index) {
        const Slice& slice = reading_.slices[index];
        if (source_->watermarks(slice.partition).high <= slice.next) continue;
        fetches_[index].at_end = false;
        nothing = false;
    }
    return nothing;
}

std::size_t KafkaReader::index_of(std::int32_t partition) const {
    const auto found = std::ranges::lower_bound(reading_.slices, partition, {}, &Slice::partition);
    return static_cast<std::size_t>(found - reading_.slices.begin());
}

std::string KafkaReader::position() const {
    if (!last_) return topic_;
    const Slice& slice = reading_.slices[*last_];
    return fmt::format("{}/{}:{}", topic_, slice.partition, slice.next - 1);
}

void KafkaReader::close() {
    for (std::size_t index = 0; index < fetches_.size(); ++index)
        if (fetches_[index].runs) source_->stop(reading_.slices[index].partition);
    fetches_.clear();
    running_ = 0;
}

}  // namespace fermata::kafka
