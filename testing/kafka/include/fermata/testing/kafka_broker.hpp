#pragma once
// A Kafka broker of the tests' own: one node in a temporary folder, on free ports of 127.0.0.1.
//
// The program testing/kafka/broker stands between a test and the broker: it ends the broker and removes the folder when
// the test process ends, however it ends. Under ctest one broker serves the whole run (fixture `kafka` of
// fermata_test).
#include <fermata/testing/server_guard.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace fermata::testing {

class KafkaBroker {
public:
    /// A new broker, about three seconds. Throws std::runtime_error saying why, also when Kafka is not to be had here.
    KafkaBroker();
    KafkaBroker(const KafkaBroker&) = delete;
    KafkaBroker& operator=(const KafkaBroker&) = delete;
    ~KafkaBroker();

    /// The broker of this ctest run, or else of this process. Not for what follows below url(): others work there.
    static KafkaBroker& shared();
    /// Why there can be no broker here, for GTEST_SKIP.
    [[nodiscard]] static std::optional<std::string> missing();

    /// "127.0.0.1:21000"
    [[nodiscard]] const std::string& bootstrap() const noexcept { return bootstrap_; }
    /// As our artifacts want it.
    [[nodiscard]] std::string url() const { return "kafka://" + bootstrap_; }
    /// The listener that wants TLS, the user and the password.
    [[nodiscard]] const std::string& secure() const noexcept { return secure_; }
    [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "cert.pem"; }
    static constexpr const char* user = "fermata";
    static constexpr const char* password = "pass/word@1";

    void kill();   ///< SIGKILL
    void stop();   ///< as an operator would
    void start();  ///< returns when clients are served, on the same ports
    void freeze();
    void thaw();

private:
    explicit KafkaBroker(const std::string& address);
    explicit KafkaBroker(std::unique_ptr<ServerGuard> guard);

    std::unique_ptr<ServerGuard> guard_;  ///< none: somebody else's broker
    std::string bootstrap_;
    std::string secure_;
    std::filesystem::path folder_;
};

}  // namespace fermata::testing
