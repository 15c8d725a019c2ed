#pragma once
// Items of any type inside the runtime: a buffer of slots that are made once and used for every chunk (a std::string in
// an item keeps its capacity), addressed without a virtual call. Types meet only when a step is assembled.
#include <fermata/batch/record.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <typeindex>
#include <vector>

namespace fermata {

template <class T>
concept Item = std::default_initializable<T> && std::movable<T>;

class ItemBuffer;

/// What the runtime must know of an item type: one object a type, compared by `type`.
struct ItemType {
    std::type_index type;
    std::string name;
    std::size_t size;
    bool chunk_bound;  ///< items point into their buffer's batch: it must stay whole until the chunk has ended
    std::unique_ptr<ItemBuffer> (*make_buffer)();
    /// The item for a message; "item" where the type cannot be printed.
    std::string (*describe)(const void* item);
    bool operator==(const ItemType& other) const { return type == other.type; }
};

class ItemBuffer {
public:
    virtual ~ItemBuffer() = default;
    /// The next free slot. Its old content is unspecified; it becomes an item with keep().
    [[nodiscard]] void* slot() {
        if (size_ == capacity_) enlarge();
        return next_;
    }
    void keep() noexcept { keep(1); }
    void keep(std::size_t items) noexcept {
        size_ += items;
        next_ += items * stride_;
    }
    /// How many slots stand free from slot() on, `stride` bytes apart: at least one. A loop that fills them in turn and
    /// keeps them together needs no call for each.
    [[nodiscard]] std::size_t room() {
        if (size_ == capacity_) enlarge();
        return capacity_ - size_;
    }
    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
    [[nodiscard]] void* at(std::size_t index) noexcept { return data_ + index * stride_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// Forgets all items; slots stay.
    virtual void clear() noexcept {
        size_ = 0;
        next_ = data_;
    }
    template <class T>
    [[nodiscard]] std::span<T> items() noexcept {
        return {reinterpret_cast<T*>(data_), size_};
    }

protected:
    virtual void grow() = 0;  ///< at least doubles data_ and capacity_; moves items
    void enlarge();
    std::byte* data_ = nullptr;
    std::byte* next_ = nullptr;  ///< the slot of item size_: asked for more often than anything else
    std::size_t stride_ = 0;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

template <Item T>
class TypedItemBuffer final : public ItemBuffer {
public:
    TypedItemBuffer() { stride_ = sizeof(T); }

private:
    void grow() override {
        slots_.resize(slots_.empty() ? 16 : slots_.size() * 2);
        data_ = reinterpret_cast<std::byte*>(slots_.data());
        capacity_ = slots_.size();
    }
    std::vector<T> slots_;
};

/// Records of one buffer share a batch; slot i is row i. An item may be replaced by a handle to another batch's record
/// (a reader that has it already, a processor that hands its input on): clear() makes it row i again.
template <>
class TypedItemBuffer<Record> final : public ItemBuffer {
public:
    TypedItemBuffer() { stride_ = sizeof(Record); }
    void clear() noexcept override;

private:
    void grow() override;
    RecordBatch batch_;
    std::vector<Record> slots_;
};

/// As it was read, or else "id=7, name=Ann, note=null"; one line, shortened, safe to print.
[[nodiscard]] std::string describe(const Record& record);

namespace detail {
std::string demangled(const char* name);
template <class T>
std::string describe_item(const void* item) {
    if constexpr (requires(const T& value) {
                      { describe(value) } -> std::convertible_to<std::string>;
                  })
        return describe(*static_cast<const T*>(item));
    else if constexpr (requires(const T& value) {
                           { std::to_string(value) } -> std::convertible_to<std::string>;
                       })
        return std::to_string(*static_cast<const T*>(item));
    else if constexpr (std::convertible_to<T, std::string>)
        return *static_cast<const T*>(item);
    else
        return "item";
}
}  // namespace detail

template <Item T>
[[nodiscard]] const ItemType& item_type_of() {
    static const ItemType type{typeid(T),
                               detail::demangled(typeid(T).name()),
                               sizeof(T),
                               std::same_as<T, Record>,
                               []() -> std::unique_ptr<ItemBuffer> { return std::make_unique<TypedItemBuffer<T>>(); },
                               &detail::describe_item<T>};
    return type;
}

/// One item handed to a listener that does not know its type.
class ItemRef {
public:
    ItemRef(const ItemType& type, const void* item) : type_(&type), item_(item) {}
    template <class T>
    [[nodiscard]] const T* as() const {
        return type_->type == typeid(T) ? static_cast<const T*>(item_) : nullptr;
    }
    [[nodiscard]] std::string describe() const { return type_->describe(item_); }

private:
    const ItemType* type_;
    const void* item_;
};

/// The items of a chunk handed to a listener.
class ItemsRef {
public:
    ItemsRef(const ItemType& type, ItemBuffer& buffer) : type_(&type), buffer_(&buffer) {}
    [[nodiscard]] std::size_t size() const { return buffer_->size(); }
    [[nodiscard]] ItemRef operator[](std::size_t index) const { return {*type_, buffer_->at(index)}; }
    template <class T>
    [[nodiscard]] std::span<const T> as() const {
        return type_->type == typeid(T) ? std::span<const T>(buffer_->items<T>()) : std::span<const T>();
    }

private:
    const ItemType* type_;
    ItemBuffer* buffer_;
};

}  // namespace fermata
