#include <fermata/batch/items.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string>

namespace {
std::size_t allocations = 0;
}

// Every allocation of this program is counted.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* place = std::malloc(size)) return place;
    throw std::bad_alloc();
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace fermata {
namespace {

ColumnsPtr columns_of(std::vector<std::string> names) { return std::make_shared<const Columns>(std::move(names)); }

std::vector<std::string> numbered(std::size_t count) {
    std::vector<std::string> names;
    names.reserve(count);
    for (std::size_t i = 0; i < count; ++i) names.push_back("column" + std::to_string(i));
    return names;
}

TEST(Columns, FindsEachNameAmongFewAndAmongMany) {
    for (const std::size_t count : {1U, 8U, 12U, 13U, 16U, 17U, 500U}) {
        const Columns columns(numbered(count));
        EXPECT_EQ(columns.size(), count);
        for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(columns.find(columns.names()[i]), i);
        EXPECT_EQ(columns.find("column" + std::to_string(count)), std::nullopt);
        EXPECT_EQ(columns.find("COLUMN0"), std::nullopt);
        EXPECT_EQ(columns.find(""), std::nullopt);
    }
}

TEST(Columns, OfEqualNamesTheFirstCounts) {
    EXPECT_EQ(Columns({"a", "b", "a"}).find("a"), 0U);
    auto many = numbered(40);
    many[30] = "column3";
    EXPECT_EQ(Columns(many).find("column3"), 3U);
}

TEST(Columns, CopiesStandAlone) {
    auto original = std::make_unique<Columns>(numbered(40));
    const Columns copy = *original;
    original.reset();
    EXPECT_EQ(copy.find("column39"), 39U);
}

TEST(Arena, CopiesStayUntilCleared) {
    Arena arena;
    std::vector<std::string_view> copies(50'000);
    for (std::size_t i = 0; i < copies.size(); ++i) copies[i] = arena.copy(std::to_string(i));
    for (std::size_t i = 0; i < copies.size(); ++i) ASSERT_EQ(copies[i], std::to_string(i));
}

TEST(Arena, TakesNothingAndMoreThanABlock) {
    Arena arena;
    EXPECT_EQ(arena.copy({}), "");
    EXPECT_NE(arena.copy({}).data(), nullptr);
    const std::string large(5'000'000, 'x');
    const auto small = arena.copy("small");
    EXPECT_EQ(arena.copy(large), large);
    EXPECT_EQ(small, "small");
}

TEST(Arena, UsesItsBlocksAgain) {
    Arena arena;
    const std::string large(100'000, 'x');
    const auto fill = [&] {
        for (int i = 0; i < 20; ++i) (void)arena.copy(i % 2 == 0 ? std::string_view(large) : "small");
        arena.clear();
    };
    fill();
    const auto before = allocations;
    for (int i = 0; i < 10; ++i) fill();
    EXPECT_EQ(allocations, before);
}

TEST(Arena, PassesOverABlockThatIsTooSmall) {
    Arena arena;
    (void)arena.copy("small");
    arena.clear();
    const std::string large(1'000'000, 'x');
    EXPECT_EQ(arena.copy(large), large);
    EXPECT_EQ(arena.copy("small"), "small");
}

class Records : public testing::Test {
protected:
    Records() { batch_.ensure_rows(4); }
    Record row(std::uint32_t number) { return {&batch_, number}; }
    RecordBatch batch_;
};

TEST_F(Records, ResetGivesNullsAndForgetsTheOrigin) {
    Record record = row(0);
    const auto columns = columns_of({"id", "name"});
    const auto cells = record.reset(columns);
    cells[0] = 7;
    record.set_origin(612, record.arena().copy("7,"));
    EXPECT_EQ(record.columns(), columns);
    EXPECT_EQ(record.values().size(), 2U);
    EXPECT_EQ(record[0].integer(), 7);
    EXPECT_TRUE(record[1].is_null());
    EXPECT_EQ(record.position(), 612);
    EXPECT_EQ(record.raw(), "7,");
    record.reset(columns);
    EXPECT_TRUE(record[0].is_null());
    EXPECT_EQ(record.position(), 0);
    EXPECT_EQ(record.raw(), "");
}

TEST_F(Records, NamesFindValuesAndAnUnknownOneIsNull) {
    Record record = row(1);
    record.reset(columns_of({"id", "name"}))[1] = "Ann";
    EXPECT_EQ(record["name"].text(), "Ann");
    EXPECT_TRUE(record["nome"].is_null());
}

TEST_F(Records, CopiesAreTheSameRow) {
    Record record = row(0);
    const Record copy = record;
    record.reset(columns_of({"id"}))[0] = 1;
    EXPECT_EQ(copy[0].integer(), 1);
    EXPECT_EQ(&record.batch(), &batch_);
}

TEST_F(Records, RowsMayDifferInShapeAndChangeIt) {
    const auto narrow = columns_of({"a"});
    const auto wide = columns_of(numbered(3000));
    row(0).reset(narrow)[0] = 1;
    row(1).reset(wide)[2999] = 2;
    row(2).reset(narrow)[0] = 3;
    row(0).reset(columns_of({"a", "b", "c"}))[2] = 4;
    EXPECT_EQ(row(0).values().size(), 3U);
    EXPECT_EQ(row(0)[2].integer(), 4);
    EXPECT_EQ(row(1)[2999].integer(), 2);
    EXPECT_EQ(row(2)[0].integer(), 3);
    EXPECT_TRUE(row(3).reset(columns_of({})).empty());
}

TEST_F(Records, MoreRowsLeaveTheFirstOnesAlone) {
    row(3).reset(columns_of({"a"}))[0] = 1;
    batch_.ensure_rows(1000);
    batch_.ensure_rows(10);
    row(999).reset(columns_of({"a"}))[0] = 2;
    EXPECT_EQ(row(3)[0].integer(), 1);
    EXPECT_EQ(row(999)[0].integer(), 2);
}

TEST_F(Records, PlaceSaysWhatIsKnown) {
    Record record = row(0);
    record.reset(columns_of({"a"}));
    EXPECT_EQ(record.place(), "");
    record.set_origin(612, {});
    EXPECT_EQ(record.place(), "record 612");
    batch_.source = "vendors.csv";
    EXPECT_EQ(record.place(), "vendors.csv:612");
    record.set_origin(0, {});
    EXPECT_EQ(record.place(), "vendors.csv");
    record.set_name("DE\n7");
    EXPECT_EQ(record.place(), R"(vendors.csv "DE\n7")");
    record.reset(columns_of({"a"}));
    EXPECT_EQ(record.place(), "vendors.csv");
}

TEST_F(Records, ResetWithTheSameColumnsTouchesNoReferenceCount) {
    const auto columns = columns_of({"a"});
    row(0).reset(columns);
    const auto before = columns.use_count();
    row(0).reset(columns);
    EXPECT_EQ(columns.use_count(), before);
    batch_.clear();
    row(0).reset(columns);
    EXPECT_EQ(columns.use_count(), before) << "a cleared row keeps its shape for the next chunk";
}

TEST_F(Records, DescribeIsTheRawTextOrTheValues) {
    Record record = row(0);
    const std::array bytes{std::byte{1}, std::byte{2}};
    const auto cells = record.reset(columns_of({"id", "name", "ok", "rate", "note", "blob"}));
    cells[0] = 7;
    cells[1] = "Ann\n";
    cells[2] = true;
    cells[3] = 0.5;
    cells[5] = Value(std::span<const std::byte>(bytes));
    EXPECT_EQ(describe(record), "id=7, name=Ann\\n, ok=true, rate=0.5, note=null, blob=(2 bytes)");
    cells[2] = false;
    EXPECT_NE(describe(record).find("ok=false"), std::string::npos);
    record.set_origin(1, "7,Ann\x1B");
    EXPECT_EQ(describe(record), "7,Ann\\x1B");
}

void read_chunk(ItemBuffer& buffer, const ColumnsPtr& columns, int rows) {
    buffer.clear();
    for (int row = 0; row < rows; ++row) {
        auto& record = *static_cast<Record*>(buffer.slot());
        const auto cells = record.reset(columns);
        const auto raw = record.arena().copy("1234567,abcdefgh,12.5,2026-01-01,x,y,hello,zzzz");
        for (std::size_t cell = 0; cell < cells.size(); ++cell) cells[cell] = raw.substr(cell * 4, 4);
        record.set_origin(row + 1, raw);
        buffer.keep();
    }
}

TEST(RecordBuffer, AllocatesNothingAfterTheFirstChunk) {
    const auto columns = columns_of(numbered(8));
    const auto buffer = item_type_of<Record>().make_buffer();
    read_chunk(*buffer, columns, 1000);
    const auto before = allocations;
    for (int chunk = 0; chunk < 20; ++chunk) read_chunk(*buffer, columns, 1000);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(buffer->size(), 1000U);
    EXPECT_EQ(buffer->items<Record>()[999].raw().substr(0, 7), "1234567");
}

TEST(RecordBuffer, GrowingKeepsTheItems) {
    const auto columns = columns_of({"n"});
    TypedItemBuffer<Record> buffer;
    for (int i = 0; i < 1000; ++i) {
        static_cast<Record*>(buffer.slot())->reset(columns)[0] = i;
        buffer.keep();
    }
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ((*static_cast<Record*>(buffer.at(static_cast<std::size_t>(i))))[0].integer(), i);
}

TEST(RecordBuffer, AHandleToAnotherBatchIsGoneAfterClear) {
    const auto columns = columns_of({"n"});
    TypedItemBuffer<Record> in;
    TypedItemBuffer<Record> out;
    auto& source = *static_cast<Record*>(in.slot());
    source.reset(columns)[0] = 1;
    in.keep();
    // Handed on and kept; handed on and then dropped.
    *static_cast<Record*>(out.slot()) = source;
    out.keep();
    *static_cast<Record*>(out.slot()) = source;
    EXPECT_EQ(out.items<Record>()[0][0].integer(), 1);
    out.clear();
    for (int i = 0; i < 2; ++i) {
        static_cast<Record*>(out.slot())->reset(columns)[0] = 2;
        out.keep();
    }
    EXPECT_EQ(source[0].integer(), 1) << "the next chunk wrote into the other batch";
}

}  // namespace
}  // namespace fermata
