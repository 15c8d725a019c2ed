#pragma once
// How workers hear sooner that there is work. A hint, never the truth: messages carry ids only, and may be lost,
// doubled, late or forged. Whoever hears one asks the database, which grants or refuses a claim as it would anyway;
// whoever hears nothing asks it once in a while.
#include <fermata/model/records.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fermata {

class Doorbell {
public:
    /// Since it was made; for people and tests.
    struct Counts {
        std::int64_t rung = 0;       ///< messages handed over to be sent
        std::int64_t not_rung = 0;   ///< that could not even be handed over: too many wait for a broker already
        std::int64_t heard = 0;      ///< messages with an id
        std::int64_t dismissed = 0;  ///< messages that were none of ours
    };

    /// Waits as sent() does, a second at most.
    virtual ~Doorbell() = default;

    /// There may be work of this execution for so many workers; none is no ring. From any thread. Never waits, and
    /// never throws: nobody may notice it, and that is no fault.
    virtual void ring(JobExecutionId execution, std::int64_t workers) noexcept = 0;
    /// Waits for what was rung to be sent: until it is, after `bound`, or as soon as nobody can be reached. What is not
    /// sent then is dropped. True if nothing had to be.
    virtual bool sent(std::chrono::milliseconds bound) noexcept = 0;

    /// Joins those who hear, until leave(): from soon on each message is for one of them. Whoever only rings must not.
    /// Connects to nobody yet. Throws Error(usage) for a setting that is wrong.
    virtual void listen() = 0;
    /// Executions that were rung for, each once, and one worker of the group hears each message: as soon as there is
    /// one, after wake(), or after `bound` at the latest, then empty. Also empty, never an error, while nothing can be
    /// heard. heard(), answered() and leave() on one thread; these and wake() REQUIRE that listen() was called.
    [[nodiscard]] virtual std::vector<JobExecutionId> heard(std::chrono::milliseconds bound) = 0;
    /// What heard() has given so far need not be heard again by anybody. To be called right after the database was
    /// asked for a claim, whatever it answered; never after the work: work may take longer than a group waits.
    virtual void answered() noexcept = 0;
    /// Others hear what would have been for us. Nothing is heard any more.
    virtual void leave() noexcept = 0;
    /// Ends a heard() that waits, or the next one. From any thread.
    virtual void wake() noexcept = 0;

    /// What keeps messages from being sent or heard, one line, as far as is known; empty if nothing does. From any
    /// thread.
    [[nodiscard]] virtual std::string trouble() const = 0;
    [[nodiscard]] virtual Counts counts() const noexcept = 0;
};

}  // namespace fermata
