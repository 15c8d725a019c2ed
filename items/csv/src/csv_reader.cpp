#include "csv_reader.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace fermata::csv {
namespace {

constexpr std::size_t most_columns = 65'535;
// What is looked ahead at most.
constexpr std::size_t most_bytes_ahead = std::size_t{1} << 20;
constexpr std::size_t most_cells_ahead = std::size_t{1} << 17;

}  // namespace

CsvReader::CsvReader(const ArtifactContext& context)
    : CsvReader(context.step->resolve_path(context.properties.require<std::string>("resource")),
                ReaderOptions::from(context.properties)) {
    options_.range.apply_to(file_, context.job.accept_input);
}

CsvReader::CsvReader(std::filesystem::path path, ReaderOptions options, std::size_t block)
    : options_(std::move(options)),
      file_(std::move(path), block),
      splitter_(options_.dialect.delimiter, options_.dialect.quote, most_columns) {
    for (Ahead& ahead : aheads_) ahead.batch.source = file_.name();
}

// --- opening -------------------------------------------------------------------------------------------------------

void CsvReader::open(const Checkpoint& from) {
    forget_ahead();
    // After a rollback the columns are known, and going back a little costs nothing.
    if (!from || !columns_) {
        file_.open({});
        enter_text(file_, "CSV");
        learn_columns();
        if (!from) options_.range.skip_to_start(file_);
    }
    if (from) file_.open(from);
    checkpoint_line_ = file_.line();
}

void CsvReader::learn_columns() {
    expected_ = 0;
    selected_.clear();
    try {
        if (options_.dialect.header)
            learn_from_header();
        else
            number_columns();
    } catch (const ItemError& error) {
        throw Error(ErrorKind::invalid, error.what());
    }
}

void CsvReader::learn_from_header() {
    if (!next_filled_record()) {
        if (options_.may_be_empty) return select(options_.dialect.columns);
        throw Error(ErrorKind::invalid,
                    fmt::format("\"{}\" is empty: a header line was expected", file_.path().string()),
                    "set the property empty=\"ok\" if a file without any line is right");
    }
    const std::vector<std::string> names = header_texts();
    refuse_carriage_returns(names);
    std::unordered_map<std::string_view, std::size_t> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto [first, fresh] = seen.try_emplace(names[i], i + 1);
        if (!fresh)
            throw Error(ErrorKind::invalid,
                        fmt::format("{}: the header names \"{}\" twice, as columns {} and {}", position(),
                                    printable(names[i]), first->second, i + 1),
                        "name each column once, or set header=\"false\" and the property columns");
    }
    select(names);
}

/// A file of an old Macintosh would be one header and nothing else.
void CsvReader::refuse_carriage_returns(const std::vector<std::string>& names) const {
    if (!file_.at_end()) return;
    for (const std::string& name : names)
        if (name.find('\r') != std::string::npos)
            throw Error(
                ErrorKind::invalid,
                fmt::format("\"{}\" has no line feed: its lines end with carriage returns only", file_.path().string()),
                "convert its line ends first: tr '\\r' '\\n'");
}

/// The header read as a record, so that encodings and quotes are treated as everywhere.
std::vector<std::string> CsvReader::header_texts() {
    expected_ = splitter_.count();
    if (expected_ > most_columns)
        throw ParseError(
            fmt::format("{}:{}: the header has {} columns, at most {} are possible; is \"{}\" the delimiter?",
                        file_.name(), file_.line(), with_commas(static_cast<std::int64_t>(expected_)),
                        with_commas(most_columns), printable({&options_.dialect.delimiter, 1})));
    columns_ = std::make_shared<Columns>(std::vector<std::string>(expected_));
    RecordBatch batch;
    batch.ensure_rows(1);
    Record header(&batch, 0);
    fill(header);
    std::vector<std::string> texts;
    for (const Value& value : header.values())
        texts.emplace_back(value.is_null() ? std::string_view(options_.dialect.null) : value.text());
    return texts;
}

void CsvReader::select(const std::vector<std::string>& header) {
    const std::vector<std::string>& wanted = options_.dialect.columns;
    for (const std::string& name : wanted) {
        const auto found = std::ranges::find(header, name);
        if (found == header.end())
            throw options_.properties.wrong(
                "columns", fmt::format(R"("{}" has no column "{}"{})", file_.path().string(), printable(name),
                                       did_you_mean(name, header)));
        selected_.push_back(static_cast<std::size_t>(found - header.begin()));
    }
    columns_ = std::make_shared<Columns>(wanted.empty() ? header : wanted);
}

void CsvReader::number_columns() {
    std::vector<std::string> names = options_.dialect.columns;
    if (names.empty()) {
        const std::size_t fields = next_filled_record() ? splitter_.count() : 1;
        for (std::size_t i = 1; i <= fields; ++i) names.push_back(fmt::format("c{}", i));
    }
    expected_ = names.size();
    columns_ = std::make_shared<Columns>(std::move(names));
}

// --- reading -------------------------------------------------------------------------------------------------------

bool CsvReader::read(Record& into) {
    if (may_be_ahead_ && hand_out(into)) [[unlikely]]
        return true;
    if (!next_filled_record()) return false;
    fill(into);
    return true;
}

bool CsvReader::next_filled_record() {
    while (next_record()) {
        const bool blank = splitter_.text_size() == 0;
        if (!blank || expected_ == 1) return true;
        file_.consume(splitter_.size(), splitter_.lines());
    }
    return false;
}

/// Lets the splitter describe the record at the beginning of the window.
bool CsvReader::next_record() {
    const bool in_data = expected_ != 0;
    if (in_data && file_.offset() >= options_.range.end) return false;
    // A record of max-line bytes and its line end; what is looked at must not depend on how much has been read. Nor may
    // what is said: a window that holds just that much may be all there is.
    const std::size_t most = options_.max_line + 2;
    for (;;) {
        const std::string_view window = file_.window().substr(0, most);
        const bool last = file_.at_end() && !failure_ && window.size() == file_.window().size();
        const Split split = splitter_.split(window.data(), window.data() + window.size(), last);
        if (split == Split::record && splitter_.text_size() <= options_.max_line) return true;
        if (split == Split::end) return false;
        if (split != Split::incomplete || file_.window().size() > most) refuse_record(split);
        more();
    }
}

/// Of a field in `record`. What it needs is handed in: as members it would be read anew for each field.
inline Value CsvReader::value_of(Field field, const char* record, std::string_view null, Arena& arena) const {
    const std::string_view text(record + field.begin, field.end - field.begin);
    if (field.doubled) return without_doubled(text, arena);
    // The length first: it is foreseeable, quotes are not.
    if (text.size() == null.size() && !field.quoted && text == null) return {};
    return text;
}

void CsvReader::fill(Record& into) {
    record_line_ = file_.line();
    const std::string_view text = file_.window().substr(0, splitter_.text_size());
    // Behind the record before anything is thrown, so that a skip goes on with the next one.
    file_.consume(splitter_.size(), splitter_.lines());
    if (splitter_.may_be_binary()) refuse_binary(text);
    const std::string_view kept = splitter_.may_be_foreign() ? as_utf8(text, into.arena()) : into.arena().copy(text);
    if (splitter_.count() != expected_) refuse_count(kept);
    set_values(into, kept);
    into.set_origin(record_line_, kept);
    name_source(into.batch());
}

inline void CsvReader::set_values(Record& into, std::string_view kept) const {
    const std::span<Value> values = into.reset(columns_);
    const Field* fields = splitter_.fields();
    const std::string_view null = options_.dialect.null;
    const auto value = [&](const Field& field) { return value_of(field, kept.data(), null, into.arena()); };
    if (selected_.empty())
        for (Value& cell : values) cell = value(*fields++);
    else
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(fields[selected_[i]]);
}

void CsvReader::name_source(RecordBatch& batch) {
    if (&batch == named_ && !batch.source.empty()) return;
    batch.source = file_.name();
    named_ = &batch;
}

std::string_view CsvReader::as_utf8(std::string_view text, Arena& arena) {
    if (options_.encoding == Encoding::utf8) {
        if (!is_utf8(text)) refuse_encoding(text);
        return arena.copy(text);
    }
    if (text.empty()) return {};
    char* place = arena.allocate((text.size() * most_utf8_bytes) + readable_behind);
    const char* end = to_utf8(text, options_.encoding, place);
    splitter_.split(place, end, true);
    return {place, end};
}

std::string_view CsvReader::without_doubled(std::string_view text, Arena& arena) const {
    char* begin = arena.allocate(text.size());
    char* end = begin;
    for (std::size_t i = 0; i < text.size(); ++i) {
        *end++ = text[i];
        if (text[i] == options_.dialect.quote) ++i;
    }
    return {begin, end};
}

std::string CsvReader::position() const {
    return record_line_ == 0 ? file_.name() : fmt::format("{}:{}", file_.name(), record_line_);
}

double CsvReader::fraction() const noexcept { return options_.range.fraction_of(file_); }

// --- looking ahead ---------------------------------------------------------------------------------------------------

Checkpoint CsvReader::checkpoint() {
    lines_before_checkpoint_ = file_.line() - std::exchange(checkpoint_line_, file_.line());
    work_.offer();
    is_offered_ = may_be_ahead_ = true;
    return file_.position().to_checkpoint();
}

void CsvReader::withdraw() noexcept {
    work_.withdraw();
    is_offered_ = false;
}

/// False: nothing was found ahead, or no more of it.
inline bool CsvReader::hand_out(Record& into) {
    Ahead& ahead = aheads_[ahead_];
    if (is_offered_) [[unlikely]]
        withdraw();
    may_be_ahead_ = ahead.has_more();
    if (!may_be_ahead_) return false;
    const Ahead::Size size = ahead.sizes[ahead.handed_out];
    into = Record(&ahead.batch, static_cast<std::uint32_t>(ahead.handed_out++));
    record_line_ = into.position();
    file_.consume(size.bytes, size.lines);
    return true;
}

void CsvReader::look_ahead() noexcept {
    if (aheads_[ahead_].has_more() || failure_ || expected_ == 0) return;
    Ahead& found = aheads_[1 - ahead_];
    found.clear();
    try {
        find_ahead(found);
    } catch (...) {
        failure_ = std::current_exception();
    }
    if (!found.has_more()) return;
    ahead_ = 1 - ahead_;
    std::size_t bytes = 0;
    for (const Ahead::Size& size : found.sizes) bytes += size.bytes;
    file_.expect_position_after(bytes);
}

/// Up to what is wrong, or may be: read() looks at that itself, where it stands.
void CsvReader::find_ahead(Ahead& found) {
    const std::size_t most = std::min(static_cast<std::size_t>(lines_before_checkpoint_),
                                      most_cells_ahead / std::max<std::size_t>(columns_->size(), 1));
    found.batch.ensure_rows(most);
    Ahead::Size size{};     // from the last one found
    std::size_t begin = 0;  // in the window
    std::int64_t line = file_.line();
    while (found.sizes.size() < most && begin < most_bytes_ahead) {
        if (file_.offset() + static_cast<std::int64_t>(begin) >= options_.range.end) return;
        const std::string_view window = file_.window().substr(begin);
        const Split split = splitter_.split(window.data(), window.data() + window.size(), file_.at_end());
        if (split == Split::incomplete && window.size() <= options_.max_line && file_.more()) continue;
        const std::string_view text = window.substr(0, splitter_.text_size());
        if (split != Split::record || !is_sound(text)) return;
        size = {.bytes = size.bytes + splitter_.size(), .lines = size.lines + splitter_.lines()};
        if (!text.empty() || expected_ == 1) {
            Record record(&found.batch, static_cast<std::uint32_t>(found.sizes.size()));
            const std::string_view kept = record.arena().copy(text);
            set_values(record, kept);
            record.set_origin(line, kept);
            found.sizes.push_back(std::exchange(size, {}));
        }
        begin += splitter_.size();
        line += splitter_.lines();
    }
}

bool CsvReader::is_sound(std::string_view text) const {
    if (text.size() > options_.max_line) return false;
    if (splitter_.may_be_binary() && text.find('\0') != std::string_view::npos) return false;
    if (splitter_.may_be_foreign() && (options_.encoding != Encoding::utf8 || !is_utf8(text))) return false;
    return splitter_.count() == expected_ || text.empty();
}

/// What failed ahead fails here.
bool CsvReader::more() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return file_.more();
}

void CsvReader::forget_ahead() noexcept {
    for (Ahead& ahead : aheads_) ahead.clear();
    failure_ = nullptr;
}

void CsvReader::Ahead::clear() noexcept {
    batch.clear();
    sizes.clear();
    handed_out = 0;
}

// --- records that are wrong ------------------------------------------------------------------------------------------

void CsvReader::refuse_binary(std::string_view text) const {
    const std::size_t nul = text.find('\0');
    if (nul == std::string_view::npos) return;
    throw ReadError(
        fmt::format("{}: a NUL byte at offset {}; the file is binary or damaged", position(), offset_in_record(nul)),
        position(), std::string(text));
}

void CsvReader::refuse_encoding(std::string_view text) const {
    const std::size_t at = first_invalid(text);
    throw ReadError(fmt::format("{}: byte 0x{:02X} at offset {} is not UTF-8; set the property encoding to "
                                "\"windows-1252\" or \"iso-8859-1\" if it is that",
                                position(), static_cast<unsigned char>(text[at]), offset_in_record(at)),
                    position(), std::string(text));
}

void CsvReader::refuse_count(std::string_view text) const {
    throw ParseError(fmt::format(R"({}: {} columns instead of {}: "{}"; quote values that contain "{}")", position(),
                                 with_commas(static_cast<std::int64_t>(splitter_.count())), expected_,
                                 printable(text, 80), printable({&options_.dialect.delimiter, 1})),
                     position(), std::string(text));
}

std::int64_t CsvReader::offset_in_record(std::size_t byte) const {
    return file_.offset() - static_cast<std::int64_t>(splitter_.size()) + static_cast<std::int64_t>(byte);
}

/// A record without a recognisable end: its first line is given up, reading goes on with the second.
void CsvReader::refuse_record(Split split) {
    record_line_ = file_.line();
    while (file_.window().find('\n') == std::string_view::npos && file_.window().size() < options_.max_line &&
           file_.more()) {
    }
    std::string raw(file_.window().substr(0, std::min(file_.window().find('\n'), options_.max_line)));
    if (raw.ends_with('\r')) raw.pop_back();
    file_.skip_line();
    const std::int64_t quote_line = record_line_ + splitter_.lines_before_quote();
    if (split == Split::unterminated)
        throw ParseError(fmt::format("{}: the quote that opens on line {} is never closed: \"{}\"", position(),
                                     quote_line, printable(raw, 80)),
                         position(), raw);
    if (split == Split::after_quote && splitter_.lines_before_closing() > splitter_.lines_before_quote())
        throw ParseError(
            fmt::format("{}: the quote that opens on line {} is closed on line {}, with text behind that: "
                        "\"{}\"; is the first one's own closing quote missing?",
                        position(), quote_line, record_line_ + splitter_.lines_before_closing(), printable(raw, 80)),
            position(), raw);
    if (split == Split::after_quote)
        throw ParseError(fmt::format("{}: text behind the closing quote of column {}: \"{}\"; write a quote inside a "
                                     "quoted value twice",
                                     position(), splitter_.count() + 1, printable(raw, 80)),
                         position(), raw);
    const std::string hint = splitter_.in_quotes()
                                 ? fmt::format("; is the quote that opens on line {} closed?", quote_line)
                                 : "; raise the property max-line if it is right";
    throw ReadError(fmt::format("{}: the record is longer than {} bytes: \"{}\"{}", position(),
                                with_commas(static_cast<std::int64_t>(options_.max_line)), printable(raw, 40), hint),
                    position(), raw);
}

}  // namespace fermata::csv
