#pragma once
// Owned libpq objects.
#include <libpq-fe.h>

#include <memory>

namespace fermata::postgres {

struct Release {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    void operator()(PGresult* result) const noexcept { PQclear(result); }
    void operator()(PGcancel* cancel) const noexcept { PQfreeCancel(cancel); }
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
    void operator()(void* memory) const noexcept { PQfreemem(memory); }
};
template <class T>
using Handle = std::unique_ptr<T, Release>;

}  // namespace fermata::postgres
