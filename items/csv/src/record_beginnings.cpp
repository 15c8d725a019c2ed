#include "options.hpp"
#include "splitter.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/csv/record_beginnings.hpp>
#include <fermata/items/file/input_file.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::csv {
namespace {

/// A walk over records that needs none of their values.
class Walk {
public:
    Walk(const std::filesystem::path& path, const ReaderOptions& options)
        : options_(options), file_(path), splitter_(options.dialect.delimiter, options.dialect.quote, 1) {
        file_.open({});
        enter_text(file_, "CSV");
    }
    [[nodiscard]] std::int64_t offset() const { return file_.offset(); }
    /// The first record, if nothing is wrong with it.
    std::string_view peek() {
        return measure() == Split::record ? file_.window().substr(0, splitter_.text_size()) : std::string_view();
    }
    /// Behind the next record; one without a recognisable end costs its first line, as in CsvReader::refuse_record.
    bool next() {
        const Split split = measure();
        if (split == Split::end) return false;
        if (split == Split::record && splitter_.text_size() <= options_.max_line)
            file_.consume(splitter_.size(), splitter_.lines());
        else
            file_.skip_line();
        return true;
    }

private:
    Split measure() {
        const std::size_t most = options_.max_line + 2;
        for (;;) {
            const std::string_view window = file_.window().substr(0, most);
            const bool last = file_.at_end() && window.size() == file_.window().size();
            const Split split = splitter_.split(window.data(), window.data() + window.size(), last);
            if (split != Split::incomplete || window.size() == most) return split;
            file_.more();
        }
    }
    const ReaderOptions& options_;
    InputFile file_;
    Splitter splitter_;
};

/// Cut by the wrong delimiter, a range could begin inside of a value.
void refuse_other_delimiter(const std::filesystem::path& path, std::string_view first, const ReaderOptions& options) {
    if (options.properties.find<std::string>("delimiter") ||
        first.find(options.dialect.delimiter) != std::string_view::npos)
        return;
    const std::size_t other = first.find_first_of(";\t|");
    if (other == std::string_view::npos) return;
    throw Error(ErrorKind::invalid,
                fmt::format("the first line of \"{}\" has no \"{}\" but \"{}\"", path.string(),
                            options.dialect.delimiter, printable(first.substr(other, 1))),
                "give the mapper the delimiter, quote and max-line of the reader");
}

}  // namespace

RecordBeginnings record_beginnings(const std::filesystem::path& path, const Properties& properties,
                                   std::int64_t stride) {
    const ReaderOptions options = ReaderOptions::from(properties);
    Walk walk(path, options);
    refuse_other_delimiter(path, walk.peek(), options);
    RecordBeginnings found;
    std::int64_t last = 0;
    while (walk.next()) {
        if (walk.offset() - last < stride) continue;
        last = walk.offset();
        found.offsets.push_back(last);
    }
    found.size = walk.offset();
    return found;
}

std::vector<PropertyRule> record_rules() { return ReaderOptions::rules(); }

}  // namespace fermata::csv
