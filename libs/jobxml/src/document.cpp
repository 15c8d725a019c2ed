#include "document.hpp"

#include <fermata/base/text.hpp>

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>

namespace fermata::jobxml {
namespace {

constexpr char separator = '\n';  // cannot stand in a name; a namespace with one is cut at the last

Name name_of(std::string_view expanded) {
    const auto cut = expanded.rfind(separator);
    if (cut == std::string_view::npos) return {{}, std::string(expanded)};
    return {std::string(expanded.substr(0, cut)), std::string(expanded.substr(cut + 1))};
}

class Reader {
public:
    explicit Reader(const std::string& text)
        : text_(text), parser_(XML_ParserCreateNS("UTF-8", separator), XML_ParserFree) {
        if (!parser_) throw std::bad_alloc();
        XML_SetUserData(parser_.get(), this);
        XML_SetElementHandler(parser_.get(), on_start, on_end);
        XML_SetCharacterDataHandler(parser_.get(), on_characters);
        XML_SetStartDoctypeDeclHandler(parser_.get(), on_doctype);
    }

    Document read() {
        const auto status = XML_Parse(parser_.get(), text_.data(), static_cast<int>(text_.size()), XML_TRUE);
        if (status == XML_STATUS_OK) return {.root = std::move(root_)};
        if (!wrong_) wrong_ = Document::Wrong{here(), complaint()};
        return {.wrong = std::move(wrong_)};
    }

private:
    static void on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
        static_cast<Reader*>(self)->start(name, attributes);
    }
    static void on_end(void* self, const XML_Char*) { static_cast<Reader*>(self)->end(); }
    static void on_characters(void* self, const XML_Char* data, int length) {
        static_cast<Reader*>(self)->characters({data, static_cast<std::size_t>(length)});
    }
    static void on_doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        auto& reader = *static_cast<Reader*>(self);
        reader.refuse("a DOCTYPE, and with it entities of its own, is not allowed in job XML");
        reader.wrong_->offset = reader.text_.rfind("<!DOCTYPE", reader.wrong_->offset);
    }

    void start(std::string_view name, const XML_Char** attributes) {
        if (open_.size() == max_depth) {
            return refuse(fmt::format("elements are nested more than {} deep", max_depth));
        }
        Element element{.name = name_of(name), .begin = here()};
        auto places = attribute_places(text_, element.begin);
        for (std::size_t i = 0; i < places.size(); ++i) {
            element.attributes.push_back({name_of(attributes[2 * i]), attributes[2 * i + 1], std::move(places[i])});
        }
        open_.push_back(std::move(element));
    }

    void end() {
        if (wrong_) return;  // an empty element too deep: its end comes although parsing was stopped at its start
        Element done = std::move(open_.back());
        open_.pop_back();
        if (open_.empty()) {
            root_ = std::move(done);
        } else {
            open_.back().children.push_back(std::move(done));
        }
    }

    void characters(std::string_view data) {
        const auto first = data.find_first_not_of(" \t\r\n");
        if (first != std::string_view::npos && !open_.back().text) open_.back().text = here() + first;
    }

    void refuse(std::string message) {
        wrong_ = Document::Wrong{here(), std::move(message)};
        XML_StopParser(parser_.get(), XML_FALSE);
    }

    [[nodiscard]] std::string complaint() const {
        const auto code = XML_GetErrorCode(parser_.get());
        std::string text = fmt::format("not well-formed XML: {}", XML_ErrorString(code));
        const bool lacks_an_end = code == XML_ERROR_TAG_MISMATCH || code == XML_ERROR_NO_ELEMENTS;
        if (!lacks_an_end || open_.empty()) return text;
        const auto begin = text_.begin() + static_cast<std::ptrdiff_t>(open_.back().begin);
        return text + fmt::format("; <{}> of line {} is still open", printable(open_.back().name.local, 60),
                                  1 + std::count(text_.begin(), begin, '\n'));
    }

    [[nodiscard]] std::size_t here() const {
        return static_cast<std::size_t>(std::max<XML_Index>(0, XML_GetCurrentByteIndex(parser_.get())));
    }

    const std::string& text_;
    std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser_;
    std::vector<Element> open_;
    std::optional<Element> root_;
    std::optional<Document::Wrong> wrong_;
};

}  // namespace

const Attribute* Element::find(std::string_view attribute) const {
    const auto found = std::ranges::find_if(
        attributes, [&](const Attribute& a) { return a.name.space.empty() && a.name.local == attribute; });
    return found == attributes.end() ? nullptr : &*found;
}

Document read_document(const std::string& text) { return Reader(text).read(); }

}  // namespace fermata::jobxml
