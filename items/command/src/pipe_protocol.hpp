#pragma once
// The JSON lines of docs/pipe-protocol.md: requests from records, results into records. Knows nothing of processes.
#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/model/pause.hpp>
#include <fermata/model/resolved_job.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fermata {

/// The first line a child reads: {"version":1,"properties":{…},"signals":[…]}.
[[nodiscard]] std::string pipe_hello(const ResolvedProperties& properties, const std::vector<Signal>& signals);

/// One chunk as a line; made once, used for every chunk.
class PipeRequest {
public:
    /// An item that JSON cannot carry (text that is not UTF-8, bytes, a number that is not finite) stays out, and its
    /// ConversionError is kept.
    void encode(std::int64_t sequence, std::span<const Record> items);
    [[nodiscard]] const std::string& line() const noexcept { return line_; }
    [[nodiscard]] std::size_t sent() const noexcept { return sent_; }
    /// By item: why it was not sent; null if it was.
    [[nodiscard]] const std::vector<std::exception_ptr>& refusals() const noexcept { return refusals_; }

private:
    std::string line_;
    std::size_t sent_ = 0;
    std::vector<std::exception_ptr> refusals_;
};

/// Reads replies. Throws ChildError on whatever is not the protocol, saying what was expected.
class PipeReply {
public:
    explicit PipeReply(std::string program);
    ~PipeReply();
    /// Gives every item its verdict, in order: its result from `line`, or the request's refusal. `line` needs
    /// reply_padding readable bytes behind it.
    void apply(std::string_view line, std::int64_t sequence, const PipeRequest& request, std::span<const Record> items,
               ChunkVerdicts<Record>& verdicts);

private:
    class Parser;
    std::string program_;
    std::unique_ptr<Parser> parser_;
};
inline constexpr std::size_t reply_padding = 64;

}  // namespace fermata
