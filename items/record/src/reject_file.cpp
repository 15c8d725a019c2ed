#include "reject_file.hpp"

#include <fermata/base/error.hpp>

#include <fmt/format.h>

namespace fermata::record {
namespace {

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"') result += '"';
        result += c;
    }
    return result += '"';
}

OutputFile output(const ArtifactContext& context) {
    const auto file = context.properties.require<std::string>("file");
    if (context.step == nullptr)
        throw Error(ErrorKind::invalid, "rejectFile is a listener of steps, not of jobs", "move it into the step");
    return {file, Exists::overwrite, context};
}

}  // namespace

RejectFile::RejectFile(const ArtifactContext& context) : file_(output(context)) {}

void RejectFile::open(const Checkpoint& from) {
    file_.open(from);
    if (!from) file_.write("position,reason,raw\n");
}

void RejectFile::on_skip_read(const std::exception& error) { reject({}, error, {}); }

void RejectFile::on_skip_process(const ItemRef& item, const std::exception& error) { reject_item(item, error); }

void RejectFile::on_skip_write(const ItemsRef& items, const std::exception& error) {
    for (std::size_t i = 0; i < items.size(); ++i) reject_item(items[i], error);
}

void RejectFile::reject_item(const ItemRef& item, const std::exception& error) {
    const auto* record = item.as<Record>();
    const std::string raw(record != nullptr ? record->raw() : std::string_view());
    reject(record != nullptr ? record->place() : std::string(), error, raw.empty() ? item.describe() : raw);
}

/// What the item says of itself goes before what the error says.
void RejectFile::reject(std::string_view position, const std::exception& error, std::string_view raw) {
    const auto* known = dynamic_cast<const ItemError*>(&error);
    if (position.empty() && known != nullptr) position = known->position();
    if (raw.empty() && known != nullptr) raw = known->raw();
    std::string_view reason = error.what();
    const std::string prefix = fmt::format("{}: ", position);
    if (reason.starts_with(prefix)) reason.remove_prefix(prefix.size());
    file_.write(fmt::format("{},{},{}\n", quoted(position), quoted(reason), quoted(raw)));
}

}  // namespace fermata::record
