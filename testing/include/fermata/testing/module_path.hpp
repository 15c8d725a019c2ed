#pragma once
// For tests of drivers that are modules.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace fermata::testing {

/// Where modules are looked for, while it lives.
class ModulePath {
public:
    explicit ModulePath(const std::string& folders) { ::setenv("FERMATA_MODULE_PATH", folders.c_str(), 1); }
    ModulePath(const ModulePath&) = delete;
    ModulePath& operator=(const ModulePath&) = delete;
    ~ModulePath() { ::unsetenv("FERMATA_MODULE_PATH"); }
};

/// Whether this process has loaded it.
inline bool has_loaded(const std::string& library) {
    std::ifstream maps("/proc/self/maps");
    const std::string all{std::istreambuf_iterator<char>(maps), {}};
    return all.find(library) != std::string::npos;
}

}  // namespace fermata::testing
