#include "shape.hpp"

#include "grammar.hpp"

#include <fermata/base/text.hpp>
#include <fermata/jobxml/jobxml.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fermata::jobxml {
namespace {

// Namespaces that mean the same in every XML document (xsi:schemaLocation stands in most job files).
bool is_of_xml_itself(std::string_view space) {
    return space == "http://www.w3.org/XML/1998/namespace" || space == "http://www.w3.org/2001/XMLSchema-instance";
}

std::string shown(std::string_view text) { return printable(text, 60); }

bool has(const Element& element, std::string_view child) {
    return std::ranges::any_of(element.children, [&](const Element& c) { return c.name.local == child; });
}

class Shape {
public:
    Shape(const std::string& file, const Lines& lines, Diagnostics& diagnostics)
        : file_(file), lines_(lines), diagnostics_(diagnostics) {}

    void check_root(Element& root) {
        const auto name = shown(root.name.local);
        if (root.name.local != "job") {
            return error(root.begin, fmt::format("the root element is <{}>, but job XML begins with <job>", name));
        }
        if (!is_job_namespace(root.name.space)) {
            return error(root.begin, fmt::format("<job> is of the unknown namespace \"{}\"; write "
                                                 "xmlns=\"https://jakarta.ee/xml/ns/jakartaee\"",
                                                 shown(root.name.space)));
        }
        check_version(root);
        check(root, *rule_of("job"));
    }
    [[nodiscard]] bool is_sound() const { return is_sound_; }

private:
    void check_version(const Element& job) {
        const auto* version = job.find("version");
        if (!version) return warning(job.begin, "<job> has no version attribute; 2.0 is assumed");
        if (version->value == "1.0" || version->value == "2.0") return;
        warning(version->place.value,
                fmt::format("version=\"{}\" is neither \"1.0\" nor \"2.0\"; 2.0 is assumed", shown(version->value)));
    }

    void check(Element& element, const ElementRule& rule) {
        const std::string outer = owner_;
        if (rule.allows_attribute("id")) check_id(element);
        remove_foreign(element, rule);
        check_attributes(element, rule);
        if (element.text) error(*element.text, fmt::format("text is not expected in <{}>", rule.name));
        check_places(element, rule);
        check_required_children(element, rule);
        check_children(element, rule);
        owner_ = outer;
    }

    /// Messages about what stands in an element with an id begin with its name; ids are unique in the whole document.
    void check_id(const Element& element) {
        const auto* id = element.find("id");
        if (!id) return;
        owner_ = fmt::format("{} \"{}\": ", element.name.local, shown(id->value));
        if (id->value.empty()) return error(id->place.value, "the id is empty");
        const auto [first, is_new] = ids_.emplace(id->value, lines_.at(id->place.value));
        if (is_new) return;
        error(id->place.value,
              fmt::format("this id is already used at {}:{}", first->second.line, first->second.column));
    }

    void remove_foreign(Element& element, const ElementRule& rule) {
        for (Attribute& each : element.attributes)
            if (each.name.space == fermata_namespace && rule.allows_attribute("fer:" + each.name.local))
                each.name = {.space = {}, .local = "fer:" + each.name.local};
        std::erase_if(element.attributes, [&](const Attribute& a) {
            if (a.name.space.empty()) return false;
            if (!is_of_xml_itself(a.name.space)) tell_foreign(a.place.name, "attribute", a.name, a.name.local);
            return true;
        });
        for (Element& child : element.children)
            if (child.name.space == fermata_namespace) child.name.local.insert(0, "fer:");
        std::erase_if(element.children, [&](const Element& child) {
            if (is_job_namespace(child.name.space) || is_ours(child.name)) return false;
            tell_foreign(child.begin, "element", child.name, fmt::format("<{}>", child.name.local));
            return true;
        });
    }

    /// Elements and attributes of our namespace are known by this prefix, whatever the document calls it.
    static bool is_ours(const Name& name) { return name.space == fermata_namespace && rule_of(name.local) != nullptr; }

    void tell_foreign(std::size_t at, std::string_view kind, const Name& name, const std::string& text) {
        if (name.space == fermata_namespace) {
            return error(at, fmt::format("unknown {} {} of the namespace {}", kind, shown(text), fermata_namespace));
        }
        warning(at, fmt::format("the {} {} of the namespace \"{}\" is ignored", kind, shown(text), shown(name.space)));
    }

    void check_attributes(const Element& element, const ElementRule& rule) {
        for (const auto& attribute : element.attributes) {
            const auto& name = attribute.name.local;
            if (rule.allows_attribute(name)) continue;
            tell(attribute.place.name, fmt::format("<{}> has no attribute \"{}\"{}", rule.name, shown(name),
                                                   did_you_mean(name, rule.attribute_names())));
        }
        for (const auto& attribute : rule.attributes) {
            if (!attribute.required || element.find(attribute.name)) continue;
            const bool is_referred_to = attribute.name == "id";
            is_sound_ = is_sound_ && !is_referred_to;
            tell(element.begin, fmt::format("<{}> needs the attribute \"{}\"", rule.name, attribute.name));
        }
        if (rule.name == "fer:pause") check_pause(element);
    }

    /// What would never match, or never come to be.
    void check_pause(const Element& pause) {
        if (const auto* on = pause.find("on"); on && on->value.empty())
            tell(on->place.value, "on=\"\" is no exit status; on=\"*\" means any");
        if (const auto* what = pause.find("on-timeout"); what && !pause.find("timeout"))
            tell(what->place.name, fmt::format("on-timeout=\"{}\" without a timeout; say when, as in timeout=\"72h\"",
                                               shown(what->value)));
    }

    /// Each child is compared with the one that reached furthest before it.
    void check_places(const Element& element, const ElementRule& rule) {
        const ChildRule* furthest = nullptr;
        for (const auto& child : element.children) {
            const auto* here = rule.child(child.name.local);
            if (!here) continue;
            if (furthest && here->place < furthest->place) {
                error(child.begin, fmt::format("<{}> must stand before <{}>", here->name, furthest->name));
                continue;
            }
            if (furthest && here->place == furthest->place && !here->many) tell_second(child, *here, *furthest);
            furthest = here;
        }
    }

    void tell_second(const Element& child, const ChildRule& here, const ChildRule& first) {
        error(child.begin, here.name == first.name
                               ? fmt::format("a second <{}>; only one is allowed", here.name)
                               : fmt::format("<{}> cannot stand beside <{}>", here.name, first.name));
    }

    void check_required_children(const Element& element, const ElementRule& rule) {
        for (const auto& child : rule.children) {
            if (!child.required || has(element, child.name)) continue;
            error(element.begin, fmt::format("<{}> needs a <{}>", rule.name, child.name));
        }
        if (rule.name == "step" && !has(element, "batchlet") && !has(element, "chunk")) {
            error(element.begin, "it has neither a <batchlet> nor a <chunk>");
        }
    }

    void check_children(Element& element, const ElementRule& rule) {
        for (auto& child : element.children) {
            const auto& name = child.name.local;
            if (!rule.child(name)) {
                tell_unexpected(child, rule);
            } else {
                if (name == "properties") check_partition_number(child, rule.name == "plan");
                check(child, *rule_of(name));
            }
        }
    }

    /// The attribute says of which partition the properties are; elsewhere the schema allows it, and it means nothing.
    void check_partition_number(const Element& properties, bool in_plan) {
        const auto* number = properties.find("partition");
        if (in_plan && number == nullptr)
            error(properties.begin, "<properties> of a <plan> needs the attribute \"partition\"");
        if (!in_plan && number != nullptr)
            warning(number->place.name,
                    "the attribute \"partition\" means something in the <properties> of a <plan> only");
    }

    void tell_unexpected(const Element& child, const ElementRule& parent) {
        const auto name = shown(child.name.local);
        const auto parents = parents_of(child.name.local);
        if (!parents.empty()) {
            return error(child.begin,
                         fmt::format("<{}> cannot stand in <{}>; it belongs in {}", name, parent.name, parents));
        }
        error(child.begin, fmt::format("unknown element <{}> in <{}>{}", name, parent.name,
                                       did_you_mean(child.name.local, parent.child_names())));
    }

    void error(std::size_t at, const std::string& what) {
        is_sound_ = false;
        tell(at, what);
    }
    /// An error that leaves elements and ids as they are.
    void tell(std::size_t at, const std::string& what) { diagnostics_.error(file_, lines_.at(at), owner_ + what); }
    void warning(std::size_t at, const std::string& what) { diagnostics_.warning(file_, lines_.at(at), owner_ + what); }

    const std::string& file_;
    const Lines& lines_;
    Diagnostics& diagnostics_;
    std::string owner_;
    std::map<std::string, Position> ids_;
    bool is_sound_ = true;
};

}  // namespace

bool check_shape(Element& root, const std::string& file, const Lines& lines, Diagnostics& diagnostics) {
    Shape shape(file, lines, diagnostics);
    shape.check_root(root);
    return shape.is_sound();
}

}  // namespace fermata::jobxml
