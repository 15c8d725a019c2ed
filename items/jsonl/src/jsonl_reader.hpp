#pragma once
// One JSON object a line. A record has the columns its object has, in that order; objects and arrays inside it become
// their JSON text.
#include <fermata/batch/context.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/items/file/byte_range.hpp>
#include <fermata/items/file/input_file.hpp>
#include <fermata/items/json/objects.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::jsonl {

struct ReaderOptions {
    std::size_t max_line = std::size_t{1} << 20;
    ByteRange range;
    /// Throws Error(invalid).
    [[nodiscard]] static ReaderOptions from(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
};

class JsonlReader {
public:
    using item_type = Record;

    explicit JsonlReader(const ArtifactContext& context);
    JsonlReader(std::filesystem::path path, ReaderOptions options, std::size_t block = InputFile::default_block);

    /// Throws what InputFile::open and enter_text throw.
    void open(const Checkpoint& from);
    /// Throws ParseError or ReadError; reading then goes on with the next line.
    bool read(Record& into);
    [[nodiscard]] Checkpoint checkpoint() { return file_.position().to_checkpoint(); }
    [[nodiscard]] std::string position() const;
    [[nodiscard]] double fraction() const noexcept;

private:
    [[nodiscard]] std::optional<std::string_view> next_line();
    [[noreturn]] void refuse_long_line();
    [[noreturn]] void refuse(std::string_view line, std::string_view reason) const;
    void fill(Record& into, std::string_view line);

    ReaderOptions options_;
    InputFile file_;
    json::Objects objects_;
    std::int64_t line_ = 0;  ///< of the record read last
};

}  // namespace fermata::jsonl
