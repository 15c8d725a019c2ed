#pragma once
// Artifacts may say and throw any bytes. What is to be recorded as text has to be what every engine takes: one that is
// no UTF-8, or has a zero byte in it, would keep the end of its step from being recorded at all.
#include <fermata/base/text.hpp>
#include <fermata/batch/context.hpp>

#include <string>

namespace fermata {

/// What cannot be kept becomes \xNN.
inline void make_storable(std::string& text) {
    if (!is_utf8(text) || text.find('\0') != std::string::npos) text = printable(text, std::string::npos);
}
inline void make_storable(JobContext& context) {
    if (context.exit_status) make_storable(*context.exit_status);
}
inline void make_storable(StepContext& context) {
    if (context.exit_status) make_storable(*context.exit_status);
    if (!context.pause_asked) return;
    PauseRequest& pause = context.pause_asked->what;
    make_storable(pause.point);
    make_storable(pause.message);
    if (pause.notify) make_storable(*pause.notify);
}

}  // namespace fermata
