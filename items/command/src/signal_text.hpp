#pragma once
// What was sent to the pause before a step, as its child reads it.
#include <fermata/batch/context.hpp>

#include <filesystem>
#include <string>

namespace fermata {

/// {"point":"approve","key":"…","sender":"ann@host","at":"2026-11-22T09:00:00.000Z","payload":…}
[[nodiscard]] std::string to_json(const Signal& signal);
/// One object a line, in order of arrival, in a file of this entry beside the step's log, readable for its user only;
/// /dev/null if nothing was sent. Throws IoError.
[[nodiscard]] std::filesystem::path write_signals(const StepContext& step);

}  // namespace fermata
