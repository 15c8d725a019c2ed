#pragma once
// Renames, trims, fills, converts, checks and selects columns, in this order. What a record's columns become is worked
// out once for each shape of records, not for each record.
#include <fermata/batch/context.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/batch/registry.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fermata::record {

enum class Cast : std::uint8_t { none, text, integer, real, boolean };

struct MapOptions {
    std::vector<std::pair<std::string, std::string>> rename;
    std::map<std::string, Cast, std::less<>> cast;
    std::vector<std::pair<std::string, std::string>> defaults;
    std::vector<std::string> keep;
    std::vector<std::string> drop;
    std::vector<std::string> required;
    bool trim = false;
    Properties properties;  ///< for messages

    /// Throws Error(invalid).
    [[nodiscard]] static MapOptions from(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
};

class MapProcessor {
public:
    using input_type = Record;
    using output_type = Record;

    explicit MapProcessor(const ArtifactContext& context) : options_(MapOptions::from(context.properties)) {}

    bool process(Record& in, Record& into);

private:
    static constexpr std::size_t absent = static_cast<std::size_t>(-1);
    struct Cell {
        std::size_t source = absent;
        Cast cast = Cast::none;
        std::optional<Value> fallback;  ///< borrowed from options_
        bool required = false;
    };
    struct Plan {
        ColumnsPtr from;
        ColumnsPtr to;
        std::vector<Cell> cells;
    };
    [[nodiscard]] const Plan& plan_for(const ColumnsPtr& columns);
    [[nodiscard]] Plan make_plan(const ColumnsPtr& columns) const;
    [[nodiscard]] std::vector<std::string> renamed(const std::vector<std::string>& names) const;
    [[nodiscard]] std::vector<std::string> selected(std::vector<std::string> names) const;
    [[nodiscard]] Cell cell_for(const std::string& name, const std::vector<std::string>& sources) const;
    void check_known(std::string_view property, const std::string& name, const std::vector<std::string>& names) const;
    [[nodiscard]] Value value_of(const Cell& cell, const std::string& name, const Record& in, Arena& arena) const;
    [[noreturn]] void refuse_missing(const std::string& name, const Record& in) const;

    MapOptions options_;
    std::unordered_map<const Columns*, std::unique_ptr<Plan>> plans_;
    const Plan* last_plan_ = nullptr;
};

}  // namespace fermata::record
