#include <array>

#include "command.hpp"

namespace fermata::cli {

namespace {

constexpr std::array all{&run_command,    &exec_command,     &start_command,     &restart_command, &recover_command,
                         &stop_command,   &abandon_command,  &pause_command,     &resume_command,  &signal_command,
                         &list_command,   &show_command,     &logs_command,      &watch_command,   &wait_command,
                         &events_command, &validate_command, &explain_command,   &graph_command,   &artifacts_command,
                         &jobs_command,   &worker_command,   &workers_command,   &purge_command,   &db_command,
                         &config_command, &doctor_command,   &completion_command};

}  // namespace

std::span<const Descriptor* const> descriptors() { return all; }

}  // namespace fermata::cli
