// Any job survives text -> definition -> JSON -> definition -> JSON, and no bytes at all make the parser misbehave.
#include "job_text.hpp"

#include <fermata/model/graph.hpp>
#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>
#include <rapidcheck/gtest.h>

namespace fermata {
namespace {

using Word = std::string;

rc::Gen<Word> id() {
    return rc::gen::scale(0.1, rc::gen::nonEmpty(rc::gen::container<Word>(rc::gen::inRange('a', 'e'))));
}

rc::Gen<Word> attribute_text() {
    return rc::gen::map(rc::gen::scale(0.1, rc::gen::container<std::vector<Word>>(rc::gen::element<Word>(
                                                "plain", " ", "&lt;", "&amp;", "&quot;", "&#10;", "\r\n", "é", "🙂",
                                                "#{jobParameters['p']}", ";", "?:", "#{jobProperties['q']}?:x;",
                                                "#{systemProperties['s']}?:#{jobParameters['t']}?:y;;", "*", "10"))),
                        [](const std::vector<Word>& parts) {
                            Word text;
                            for (const auto& part : parts) {
                                // a bare "?:" behind an expression would begin a default that does not end
                                if (part == "?:" && text.ends_with('}')) continue;
                                text += part;
                            }
                            return text;
                        });
}

Word artifact(const Word& element) {
    Word text = fmt::format("<{} ref=\"r{}\">", element, *attribute_text());
    if (*rc::gen::arbitrary<bool>()) {
        text += fmt::format("<properties><property name=\"p\" value=\"{}\"/></properties>", *attribute_text());
    }
    return fmt::format("{}</{}>", text, element);
}

Word chunk() {
    Word text = fmt::format("<chunk item-count=\"{}\">{}{}", *attribute_text(), artifact("reader"), artifact("writer"));
    if (*rc::gen::arbitrary<bool>()) {
        text += "<skippable-exception-classes><include class=\"A\"/></skippable-exception-classes>";
    }
    return text + "</chunk>";
}

Word step(int number) {
    Word text = fmt::format("<step id=\"{}{}\" next=\"{}\">\n", *id(), number, *attribute_text());
    text += *rc::gen::arbitrary<bool>() ? chunk() : artifact("batchlet");
    for (const auto& kind :
         *rc::gen::scale(0.1, rc::gen::container<std::vector<Word>>(rc::gen::element<Word>("end", "fail", "stop")))) {
        text += fmt::format("\n  <{} on=\"{}\" exit-status=\"{}\"/>", kind, *attribute_text(), *attribute_text());
    }
    return text + "</step>\n";
}

Word job() {
    Word text = testing_jobxml::head;
    const int steps = *rc::gen::inRange(0, 4);
    for (int i = 0; i < steps; ++i) text += step(i);
    return text + "</job>";
}

RC_GTEST_PROP(Property, AStoredDefinitionIsTheDefinition, ()) {
    const Word text = job();
    const auto parsed = parse_job(text, "job.xml");
    RC_ASSERT(parsed.job.has_value());
    const auto json = to_json(*parsed.job);
    const auto again = job_definition_from_json(json);
    RC_ASSERT(to_json(again) == json);
    RC_ASSERT(hash_of(again) == hash_of(*parsed.job));
    RC_ASSERT(again.source == text);
    RC_ASSERT(graph_text(again) == graph_text(*parsed.job));
}

RC_GTEST_PROP(Property, MeaningDoesNotDependOnLayout, ()) {
    const Word text = job();
    Word airy;
    for (const char c : text) {
        airy += c;
        if (c == '>') airy += "<!-- so -->\n\t";
    }
    const auto plain = parse_job(text, "a.xml");
    const auto spaced = parse_job(airy, "b.xml");
    RC_ASSERT(hash_of(plain.job.value()) == hash_of(spaced.job.value()));
}

RC_GTEST_PROP(Property, MutatedBytesAreParsedOrToldButNeverWorse, ()) {
    Word text = job();
    const auto mutations = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
        rc::gen::pair(rc::gen::inRange<std::size_t>(0, 1U << 20), rc::gen::arbitrary<char>()));
    for (const auto& [at, byte] : mutations) text[at % text.size()] = byte;
    const auto result = parse_job(text, "job.xml");
    RC_ASSERT(result.job.has_value() != result.diagnostics.has_errors());
    for (const auto& diagnostic : result.diagnostics.all()) {
        RC_ASSERT(diagnostic.at.line >= 1 && diagnostic.at.column >= 1);
        RC_ASSERT(to_string(diagnostic).find('\n') == Word::npos);
    }
    if (!result.job) return;
    RC_ASSERT(to_json(job_definition_from_json(to_json(*result.job))) == to_json(*result.job));
    static_cast<void>(check(*result.job));
    const auto resolution = resolve(*result.job, {{"p", "1"}, {"t", "load"}}, {});
    if (resolution.job) static_cast<void>(describe(*resolution.job));
}

RC_GTEST_PROP(Property, CutDocumentsAreToldNotRead, ()) {
    const Word text = job();
    const auto length = *rc::gen::inRange<std::size_t>(0, text.size());
    RC_ASSERT(!parse_job(text.substr(0, length), "job.xml").job);
}

}  // namespace
}  // namespace fermata
