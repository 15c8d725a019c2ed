#pragma once
// What a processor that takes the whole chunk answered for each item; its exceptions are judged when all are known.
#include <fermata/batch/artifacts.hpp>

#include <exception>
#include <vector>

namespace fermata {

class Verdicts final : public AnyVerdicts {
public:
    enum class Kind : std::uint8_t { kept, filtered, failed };
    struct Verdict {
        Kind kind;
        std::exception_ptr error;  ///< failed only
    };
    explicit Verdicts(ItemBuffer& output) : output_(output) {}
    void* result_slot() override { return output_.slot(); }
    void kept() override {
        output_.keep();
        all.push_back({Kind::kept, nullptr});
    }
    void filter() override { all.push_back({Kind::filtered, nullptr}); }
    void fail(std::exception_ptr error) override { all.push_back({Kind::failed, std::move(error)}); }

    std::vector<Verdict> all;

private:
    ItemBuffer& output_;
};

}  // namespace fermata
