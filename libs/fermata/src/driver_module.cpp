#include "driver_module.hpp"

#include <fermata/base/text.hpp>
#include <fermata/fermata.hpp>

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace fermata {
namespace {

namespace fs = std::filesystem;

/// What a module exports, by these names.
using VersionFunction = const char*();
using OpenFunction = sql::Database*(const std::string& url);
constexpr const char* version_symbol = "fermata_module_version";
constexpr const char* open_symbol = "fermata_open_database";
using KafkaDriverFunction = const kafka::Driver*();
using OpenDoorbellFunction = Doorbell*(const std::string& url);
constexpr const char* kafka_name = "kafka";
constexpr const char* kafka_driver_symbol = "fermata_kafka_driver";
constexpr const char* open_doorbell_symbol = "fermata_open_doorbell";

fs::path folder_of_this_library() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<const void*>(&open_by_module), &info) == 0 || info.dli_fname == nullptr) return {};
    return fs::absolute(info.dli_fname).parent_path();
}

std::vector<fs::path> module_folders() {
    const char* named = std::getenv("FERMATA_MODULE_PATH");
    if (named == nullptr || *named == '\0') return {folder_of_this_library() / "fermata"};
    std::vector<fs::path> folders;
    for (const std::string& folder : split(named, ':')) folders.emplace_back(folder);
    return folders;
}

fs::path find_module(const std::string& file) {
    const auto folders = module_folders();
    for (const fs::path& folder : folders) {
        std::error_code error;
        if (fs::exists(folder / file, error)) return folder / file;
    }
    return folders.front() / file;
}

class Module {
public:
    explicit Module(std::string driver)
        : driver_(std::move(driver)), path_(find_module(fmt::format("libfermata_{}.so", driver_))) {
        handle_ = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (handle_ == nullptr) refuse(::dlerror());
        const std::string its_version = function<VersionFunction>(version_symbol)();
        if (its_version != version())
            refuse(fmt::format("it is of version {}, this is {}", printable(its_version), version()));
    }
    template <class Function>
    [[nodiscard]] Function* function(const char* name) const {
        auto* const found = reinterpret_cast<Function*>(::dlsym(handle_, name));
        if (found == nullptr) refuse(fmt::format("it has no function {}", name));
        return found;
    }

private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw Error(ErrorKind::refused,
                    fmt::format("the driver for {} cannot be loaded: {}", driver_,
                                printable(why.starts_with(path_.string()) ? why : path_.string() + ": " + why)),
                    fmt::format("install {} of this version, or name its folder in FERMATA_MODULE_PATH",
                                path_.filename().string()));
    }

    std::string driver_;
    fs::path path_;
    void* handle_ = nullptr;  ///< never closed: what the module made may outlive us
};

}  // namespace

std::unique_ptr<sql::Database> open_by_module(const std::string& driver, const std::string& url) {
    const Module module(driver);
    return std::unique_ptr<sql::Database>(module.function<OpenFunction>(open_symbol)(url));
}

const kafka::Driver& kafka_by_module() {
    const Module module(kafka_name);
    return *module.function<KafkaDriverFunction>(kafka_driver_symbol)();
}

std::unique_ptr<Doorbell> doorbell_by_module(const std::string& url) {
    const Module module(kafka_name);
    return std::unique_ptr<Doorbell>(module.function<OpenDoorbellFunction>(open_doorbell_symbol)(url));
}

}  // namespace fermata
