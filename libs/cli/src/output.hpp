#pragma once
// stdout is data, stderr is messages. What stdout says depends on -o, never on the terminal; only decoration does.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::cli {

enum class Format : std::uint8_t { table, json, jsonl, tsv, name };
[[nodiscard]] std::string_view to_string(Format format);

struct Style {
    bool color = false;
    bool ascii = false;
    [[nodiscard]] std::string_view mark_done() const { return ascii ? "+" : "✓"; }
    [[nodiscard]] std::string_view mark_failed() const { return ascii ? "x" : "✗"; }
    [[nodiscard]] std::string_view mark_running() const { return ascii ? ">" : "▶"; }
    [[nodiscard]] std::string_view mark_stopped() const { return ascii ? "#" : "■"; }
    [[nodiscard]] std::string_view mark_paused() const { return ascii ? "=" : "⏸"; }
    [[nodiscard]] std::string_view mark_ahead() const { return ascii ? "." : "·"; }
    [[nodiscard]] std::string_view mark_passed() const { return ascii ? "-" : "–"; }
    [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
    [[nodiscard]] std::string red(std::string_view text) const { return paint("31", text); }
    [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
    [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }

private:
    [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const;
};

struct Column {
    std::string title;
    bool number = false;  ///< aligned to the right
};

/// The same rows in every format: `cells` for table and tsv, `object` (JSON on one line) for json and jsonl; `name` is
/// what another command takes as its argument. `plain`, if there are any, are the cells of tsv: all of it, undecorated.
struct Row {
    std::vector<std::string> cells;
    std::string object;
    std::string name;
    std::vector<std::string> plain = {};
};

class Output {
public:
    Output(Format format, Style style) : format_(format), style_(style) {}
    [[nodiscard]] Format format() const noexcept { return format_; }
    [[nodiscard]] bool wants_json() const noexcept { return format_ == Format::json || format_ == Format::jsonl; }
    [[nodiscard]] const Style& style() const noexcept { return style_; }

    /// In the format asked for. Text for people is made safe for a terminal. `plain` names the rows' plain cells.
    void rows(const std::vector<Column>& columns, const std::vector<Row>& rows,
              const std::vector<std::string>& plain = {});
    /// One object: `text` for people, `object` for json, `name` for name. REQUIRES: not tsv.
    void one(std::string_view text, std::string_view object, std::string_view name);
    /// As it is, to stdout.
    void write(std::string_view text);
    /// Lets a reader see what was written so far. Errors wait for flush(): they must not end what is running.
    void push() noexcept;
    /// Throws Error(failed) if stdout took less than was written; a reader that went away is no error.
    void flush();
    /// One line for people, to stderr: what would write on a terminal is shown as what it is.
    static void note(std::string_view line);
    /// One line that others wrote for others, to stderr, byte for byte.
    static void note_raw(std::string_view line);

private:
    Format format_;
    Style style_;
};

/// Columns of a string on a terminal: characters, without our colour codes.
[[nodiscard]] std::size_t width_of(std::string_view text);
[[nodiscard]] std::string pad(std::string_view text, std::size_t width, bool right = false);

}  // namespace fermata::cli
