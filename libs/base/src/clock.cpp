#include <fermata/base/clock.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace fermata {
namespace {

using namespace std::chrono;

class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const override { return floor<Duration>(system_clock::now()); }
};

/// Reads from the front of a text; every part that is not there makes it bad for good.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    [[nodiscard]] bool accept(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) { good_ = accept(c) && good_; }
    /// Exactly `width` digits, at most `highest`.
    int digits(std::size_t width, int highest) {
        int number = 0;
        for (std::size_t i = 0; i < width; ++i) {
            const int digit = next_digit();
            if (digit < 0) good_ = false;
            number = number * 10 + digit;
        }
        if (number > highest) good_ = false;
        return number;
    }
    /// One digit or more as a fraction of a second; what is finer than a microsecond is cut off.
    Duration fraction() {
        std::int64_t micros = 0;
        std::int64_t worth = 100'000;
        int digit = next_digit();
        if (digit < 0) good_ = false;
        for (; digit >= 0; digit = next_digit(), worth /= 10) micros += digit * worth;
        return Duration{micros};
    }

private:
    int next_digit() {
        if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return -1;
        const int digit = rest_[0] - '0';
        rest_.remove_prefix(1);
        return digit;
    }
    std::string_view rest_;
    bool good_ = true;
};

year_month_day scan_date(Scanner& scan) {
    const year y{scan.digits(4, 9999)};
    scan.expect('-');
    const month m{static_cast<unsigned>(scan.digits(2, 12))};
    scan.expect('-');
    const day d{static_cast<unsigned>(scan.digits(2, 31))};
    return y / m / d;
}

Duration scan_time(Scanner& scan) {
    const hours h{scan.digits(2, 23)};
    scan.expect(':');
    const minutes m{scan.digits(2, 59)};
    scan.expect(':');
    const seconds s{scan.digits(2, 59)};
    const Duration fraction = scan.accept('.') ? scan.fraction() : Duration{0};
    return h + m + s + fraction;
}

Duration scan_offset(Scanner& scan) {
    if (scan.accept('Z')) return Duration{0};
    const bool west = scan.accept('-');
    if (!west) scan.expect('+');
    const hours h{scan.digits(2, 23)};
    scan.expect(':');
    const minutes m{scan.digits(2, 59)};
    return west ? -(h + m) : h + m;
}

struct Unit {
    std::string_view name;
    std::int64_t micros;
};
// From long to short: "1h30m" is a duration, "30m1h" a mistake.
constexpr std::array<Unit, 5> units{
    {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}}};

}  // namespace

const Clock& Clock::system() {
    static const SystemClock clock;
    return clock;
}

std::string to_rfc3339(Timestamp time) {
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{floor<milliseconds>(time - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
    Scanner scan(text);
    const auto date = scan_date(scan);
    Duration after_midnight{0};
    if (!scan.at_end()) {
        scan.expect('T');
        after_midnight = scan_time(scan);
        after_midnight -= scan_offset(scan);
    }
    if (!scan.good() || !scan.at_end() || !date.ok()) return std::nullopt;
    return Timestamp{sys_days{date}} + after_midnight;
}

std::optional<Duration> parse_duration(std::string_view text) {
    std::int64_t total = 0;
    const auto add = [&](std::int64_t number, std::int64_t micros) {
        std::int64_t part = 0;
        return !__builtin_mul_overflow(number, micros, &part) && !__builtin_add_overflow(total, part, &total);
    };
    auto unit = units.begin();
    if (text.empty()) return std::nullopt;
    if (text == "0") return Duration{0};
    while (!text.empty()) {
        std::int64_t number = 0;
        const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || number < 0 || text[0] == '-') return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
        const auto name = text.substr(0, text.find_first_of("0123456789"));
        while (unit != units.end() && unit->name != name) ++unit;
        if (unit == units.end() || !add(number, unit->micros)) return std::nullopt;
        ++unit;
        text.remove_prefix(name.size());
    }
    return Duration{total};
}

std::string to_human(Duration duration) {
    if (duration < Duration{0}) return "-" + to_human(-duration);
    const std::int64_t tenths = duration.count() / 100'000;
    const std::int64_t seconds = tenths / 10;
    if (seconds < 60) return fmt::format("{}.{}s", seconds, tenths % 10);
    if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
    return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace fermata
