#pragma once
// Where the log of a step lies: <repository>.d/logs/<execution>/<step>.log.
#include <fermata/model/records.hpp>

#include <filesystem>
#include <string_view>

namespace fermata {

[[nodiscard]] std::filesystem::path log_folder(const std::filesystem::path& data_folder, JobExecutionId execution);
/// The id of a step may be any text: what would lead out of the folder, hide the file or spoil a listing is written as
/// %XX there, and of a name too long for a file the end is replaced by its hash.
[[nodiscard]] std::filesystem::path step_log_path(const std::filesystem::path& data_folder, JobExecutionId execution,
                                                  std::string_view step);
/// Of the commands that tell about pauses; no step's log, since it has no ending.
[[nodiscard]] std::filesystem::path notification_log_path(const std::filesystem::path& data_folder,
                                                          JobExecutionId execution);

}  // namespace fermata
