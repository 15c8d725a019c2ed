#pragma once
// What a Repository holds.
#include "store.hpp"

#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

namespace fermata {

struct Repository::Impl : Store {
    using Store::Store;
    using Write = StoreWrite;
};

[[nodiscard]] inline Error no_such_execution(JobExecutionId execution) {
    return Error(ErrorKind::not_found, fmt::format("there is no execution {}", execution.value()),
                 "fermata list shows those there are");
}

}  // namespace fermata
