#include <fermata/base/error.hpp>
#include <fermata/batch/artifacts.hpp>

#include <gtest/gtest.h>

namespace fermata {
namespace {

struct Plain {
    int number = 0;
};
struct Described {
    int number = 0;
};
std::string describe(const Described& item) { return "number " + std::to_string(item.number); }

template <class T>
ItemRef ref_to(const T& item) {
    return {item_type_of<T>(), &item};
}

TEST(ItemType, IsOneATypeWithAReadableName) {
    EXPECT_EQ(&item_type_of<int>(), &item_type_of<int>());
    EXPECT_TRUE(item_type_of<int>() == item_type_of<int>());
    EXPECT_FALSE(item_type_of<int>() == item_type_of<long>());
    EXPECT_EQ(item_type_of<int>().name, "int");
    EXPECT_EQ(item_type_of<Record>().name, "fermata::Record");
    EXPECT_EQ(item_type_of<std::string>().name, "std::string");
    EXPECT_EQ(item_type_of<double>().size, sizeof(double));
    EXPECT_EQ(detail::demangled("no mangled name"), "no mangled name");
}

TEST(ItemType, DescribesAsWellAsTheTypeAllows) {
    EXPECT_EQ(ref_to(Described{7}).describe(), "number 7");
    EXPECT_EQ(ref_to(42).describe(), "42");
    EXPECT_EQ(ref_to(std::string("text")).describe(), "text");
    EXPECT_EQ(ref_to(Plain{1}).describe(), "item");
}

TEST(ItemBuffer, GrowsKeepsClearsAndReusesSlots) {
    const auto buffer = item_type_of<std::string>().make_buffer();
    EXPECT_TRUE(buffer->empty());
    EXPECT_TRUE(buffer->items<std::string>().empty());
    for (int i = 0; i < 100; ++i) {
        *static_cast<std::string*>(buffer->slot()) = std::to_string(i);
        buffer->keep();
    }
    EXPECT_EQ(buffer->size(), 100U);
    EXPECT_EQ(buffer->items<std::string>()[99], "99");
    EXPECT_EQ(*static_cast<std::string*>(buffer->at(17)), "17");
    void* const first = buffer->at(0);
    buffer->clear();
    EXPECT_TRUE(buffer->empty());
    EXPECT_EQ(buffer->slot(), first);
    EXPECT_EQ(buffer->slot(), first) << "a slot that was not kept is offered again";
}

TEST(ItemRef, IsOnlyWhatItIs) {
    const int number = 7;
    EXPECT_EQ(ref_to(number).as<int>(), &number);
    EXPECT_EQ(ref_to(number).as<long>(), nullptr);
}

TEST(ItemsRef, ShowsTheChunk) {
    TypedItemBuffer<int> buffer;
    for (int i = 0; i < 3; ++i) {
        *static_cast<int*>(buffer.slot()) = i;
        buffer.keep();
    }
    const ItemsRef items(item_type_of<int>(), buffer);
    EXPECT_EQ(items.size(), 3U);
    EXPECT_EQ(items[2].describe(), "2");
    EXPECT_EQ(items.as<int>().back(), 2);
    EXPECT_TRUE(items.as<long>().empty());
}

TEST(Checkpoint, IsNothingBytesOrANumber) {
    EXPECT_FALSE(Checkpoint());
    EXPECT_FALSE(Checkpoint(std::optional<std::string>()));
    EXPECT_TRUE(Checkpoint(std::string()));
    EXPECT_EQ(Checkpoint("abc").bytes(), "abc");
    EXPECT_EQ(Checkpoint::of(-612).integer(), -612);
    EXPECT_EQ(Checkpoint::of(7).data(), "7");
}

TEST(Checkpoint, IsRefusedIfItIsNoPosition) {
    for (const Checkpoint& wrong : {Checkpoint("line\n5"), Checkpoint(""), Checkpoint()}) {
        try {
            (void)wrong.integer();
            FAIL() << "taken";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused);
            EXPECT_EQ(std::string(error.what()).find("checkpoint unreadable: \""), 0U) << error.what();
            EXPECT_NE(error.remedy(), "");
        }
    }
}

}  // namespace
}  // namespace fermata
