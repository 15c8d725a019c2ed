#pragma once
// A command line as words, split as a POSIX shell splits it (quotes and backslashes, XCU 2.2), but with nothing else of
// a shell: no variables, patterns, redirections.
#include <fermata/model/expression.hpp>

#include <string>
#include <vector>

namespace fermata {

/// The bytes of Text::values() are opaque, whatever they hold: a value never ends or quotes a word and is never looked
/// into. A place of a value, even of an empty one, makes a word just as a letter would, so the number of words is a
/// property of the job, never of its parameters. Throws Error(invalid) telling what is wrong and how to write it.
[[nodiscard]] std::vector<std::string> split_words(const Text& text);

}  // namespace fermata
