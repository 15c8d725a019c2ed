#include "artifact_check.hpp"

#include <fermata/base/text.hpp>
#include <fermata/batch/property_types.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace fermata {
namespace {

/// One reference, whichever stage it comes from.
struct Use {
    ArtifactKind kind{};
    std::optional<std::string> ref;  ///< nothing: an expression not yet resolved
    Position at;
    std::vector<std::pair<std::string, Position>> property_names;
    std::optional<ResolvedProperties> values;  ///< nothing: some are not yet resolved
    ResolvedProperties known = {};             ///< those that are, and the same in all partitions
};
struct ClassUse {
    std::optional<std::string> name;
    Position at;
};
/// What a transition element is for.
struct OnUse {
    std::optional<std::string> on;  ///< nothing: an expression not yet resolved
    Position at;
};
struct StepUse {
    std::string id;
    std::vector<Use> uses = {};
    std::vector<ClassUse> classes = {};
    std::vector<ClassUse> skipped = {};  ///< includes of the skippable classes
    std::vector<ClassUse> retried = {};
    std::vector<OnUse> ons = {};
    ResolvedProperties properties = {};  ///< those that are known
    bool is_step = false;                ///< not a decision
    bool is_divided = false;             ///< into partitions, more than one
};
struct JobUse {
    std::string file;
    ResolvedProperties properties;
    std::vector<Use> listeners;
    std::vector<Use> notifications;  ///< of pauses: run by the batchlet `command`
    std::vector<StepUse> steps;
};

std::optional<std::string> known(const Template& text) {
    if (text.has_expressions()) return std::nullopt;
    return text.source();
}
std::optional<std::string> known(const std::string& text) { return text; }

ResolvedProperties known_of(const ResolvedProperties& properties) {
    ResolvedProperties known;
    for (const auto& property : properties)
        if (!property.of_plan) known.push_back(property);
    return known;
}
ResolvedProperties known_of(const std::vector<PropertyDefinition>& properties) {
    ResolvedProperties known;
    for (const auto& property : properties)
        if (!property.value.has_expressions())
            known.push_back({property.name, Text(property.value.source(), property.at), property.at});
    return known;
}
Use use_of(ArtifactKind kind, const ResolvedArtifact& artifact) {
    Use use{kind,
            artifact.of_plan ? std::nullopt : std::optional(artifact.ref),
            artifact.at,
            {},
            artifact.properties,
            known_of(artifact.properties)};
    for (const auto& property : artifact.properties) {
        use.property_names.emplace_back(property.name, property.at);
        if (property.of_plan) use.values.reset();
    }
    return use;
}
Use use_of(ArtifactKind kind, const ArtifactDefinition& artifact) {
    Use use{kind, known(artifact.ref), artifact.at, {}, ResolvedProperties{}, known_of(artifact.properties)};
    for (const auto& property : artifact.properties) {
        use.property_names.emplace_back(property.name, property.at);
        if (property.value.has_expressions()) use.values.reset();
        if (use.values) use.values->push_back({property.name, Text(property.value.source(), property.at), property.at});
    }
    return use;
}

template <class Transition>
std::vector<OnUse> ons_of(const std::vector<Transition>& transitions) {
    std::vector<OnUse> ons;
    for (const auto& transition : transitions) ons.push_back({known(transition.on), transition.at});
    return ons;
}

template <class Class>
void add_classes(const std::vector<Class>& named, std::vector<ClassUse>& classes) {
    for (const auto& item : named) classes.push_back({known(item.name), item.at});
}
void add_work(const BatchletDefinition& work, StepUse& step) {
    step.uses.push_back(use_of(ArtifactKind::batchlet, work.batchlet));
}
void add_work(const ResolvedBatchlet& work, StepUse& step) {
    step.uses.push_back(use_of(ArtifactKind::batchlet, work.batchlet));
}
template <class Chunk>
    requires requires(const Chunk& chunk) { chunk.reader; }
void add_work(const Chunk& work, StepUse& step) {
    step.uses.push_back(use_of(ArtifactKind::reader, work.reader));
    if (work.processor) step.uses.push_back(use_of(ArtifactKind::processor, *work.processor));
    step.uses.push_back(use_of(ArtifactKind::writer, work.writer));
    if (work.checkpoint_algorithm)
        step.uses.push_back(use_of(ArtifactKind::checkpoint_algorithm, *work.checkpoint_algorithm));
    add_classes(work.skippable.include, step.skipped);
    add_classes(work.retryable.include, step.retried);
    for (const auto* filter : {&work.skippable, &work.retryable, &work.no_rollback}) {
        add_classes(filter->include, step.classes);
        add_classes(filter->exclude, step.classes);
    }
}
std::optional<std::int64_t> number_of(const Template& text) {
    return text.has_expressions() ? std::nullopt : parse_int64(text.source());
}
/// As far as is known; a mapper is asked to divide.
bool has_many(const PartitionDefinition& partition) {
    if (!partition.plan) return partition.mapper.has_value();
    const auto partitions = number_of(partition.plan->partitions);
    return partitions && *partitions > 1;
}
bool has_many(const ResolvedPartition& partition) { return partition.mapper || partition.plan.partitions > 1; }

template <class Partition>
void add_partition(const Partition& partition, StepUse& step) {
    const auto add = [&](ArtifactKind kind, const auto& artifact) {
        if (artifact) step.uses.push_back(use_of(kind, *artifact));
    };
    step.is_divided = has_many(partition);
    add(ArtifactKind::mapper, partition.mapper);
    add(ArtifactKind::collector, partition.collector);
    add(ArtifactKind::analyzer, partition.analyzer);
    add(ArtifactKind::reducer, partition.reducer);
}
std::string text_of(const Template& text) { return text.source(); }
std::string text_of(const std::string& text) { return text; }

template <class Transition>
void add_notifications(const std::vector<Transition>& transitions, JobUse& all) {
    for (const auto& transition : transitions) {
        if (!transition.pause || !transition.pause->notify) continue;
        if (trim(text_of(*transition.pause->notify)).empty()) continue;  // it is wrong by itself, and told so
        const Position at = transition.at;
        all.notifications.push_back(
            {ArtifactKind::batchlet,
             "command",
             at,
             {{"command", at}},
             ResolvedProperties{{"command", Text(text_of(*transition.pause->notify), at), at}}});
    }
}

template <class Element>
void add_elements(const std::vector<Element>& elements, JobUse& all);
/// Decisions are steps with one artifact here; flows and splits have none of their own.
template <class Definition>
void add_element(const Definition& definition, JobUse& all) {
    if constexpr (requires { definition.transitions; }) add_notifications(definition.transitions, all);
    if constexpr (requires { definition.elements; }) {
        add_elements(definition.elements, all);
    } else if constexpr (requires { definition.flows; }) {
        for (const auto& flow : definition.flows) add_elements(flow.elements, all);
    } else if constexpr (requires { definition.decider; }) {
        all.steps.push_back({.id = definition.id,
                             .uses = {use_of(ArtifactKind::decider, definition.decider)},
                             .ons = ons_of(definition.transitions)});
    } else {
        StepUse step{.id = definition.id,
                     .ons = ons_of(definition.transitions),
                     .properties = known_of(definition.properties),
                     .is_step = true};
        for (const auto& listener : definition.listeners) step.uses.push_back(use_of(ArtifactKind::listener, listener));
        std::visit([&](const auto& work) { add_work(work, step); }, definition.work);
        if (definition.partition) add_partition(*definition.partition, step);
        all.steps.push_back(std::move(step));
    }
}
template <class Element>
void add_elements(const std::vector<Element>& elements, JobUse& all) {
    for (const Element& element : elements) std::visit([&](const auto& it) { add_element(it, all); }, element.what);
}
template <class Job>
JobUse uses_of(const Job& job) {
    JobUse all{job.file, known_of(job.properties), {}, {}, {}};
    for (const auto& listener : job.listeners) all.listeners.push_back(use_of(ArtifactKind::listener, listener));
    add_elements(job.elements, all);
    return all;
}

std::string where_to_keep(const ResolvedProperty& property) {
    return property.name == "url"
               ? "write @env:NAME or @file:PATH in its place, or, for PostgreSQL, leave it to ~/.pgpass"
               : "keep it where only the job reads it, in a file for @file:PATH or in an environment variable";
}
void check_passwords(const ResolvedProperties& properties, const std::string& file, Diagnostics& diagnostics) {
    for (const auto& property : properties) {
        const std::string value = property.value.str();
        if (with_hidden_passwords(value) == value) continue;
        diagnostics.warning(file, property.at,
                            fmt::format("property \"{}\" holds a password in plain text, and all who may read the "
                                        "repository will read it there; {}",
                                        printable(property.name), where_to_keep(property)));
    }
}
void check_passwords(const JobUse& job, Diagnostics& diagnostics) {
    const auto check = [&](const ResolvedProperties& properties) {
        check_passwords(properties, job.file, diagnostics);
    };
    check(job.properties);
    for (const Use& use : job.listeners) check(use.known);
    for (const Use& use : job.notifications) check(use.values.value());
    for (const StepUse& step : job.steps) {
        check(step.properties);
        for (const Use& use : step.uses) check(use.known);
    }
}

std::string with_article(ArtifactKind kind) {
    return fmt::format("{} {}", kind == ArtifactKind::analyzer ? "an" : "a", to_string(kind));
}

/// What a list of CODE=WORD, such as the artifact's table of properties calls it, says. Nothing where it is not known.
std::vector<std::string> words_of(const Use& use, const Registry& registry, std::string_view type) {
    std::vector<std::string> words;
    const ArtifactEntry* entry = use.ref ? registry.find(use.kind, *use.ref) : nullptr;
    if (entry == nullptr || !use.values) return words;
    for (const PropertyInfo& info : entry->info.properties) {
        if (info.type != type) continue;
        const auto given = std::ranges::find(*use.values, info.name, &ResolvedProperty::name);
        const std::string list = given == use.values->end() ? info.default_value : given->value.str();
        if (trim(list).empty()) continue;
        for (const std::string& item : split(list, ',')) {
            const std::size_t equals = item.find('=');
            words.emplace_back(equals == std::string::npos ? "" : trim(std::string_view(item).substr(equals + 1)));
        }
    }
    return words;
}
constexpr std::string_view exit_statuses = "CODE=EXIT STATUS,…";
constexpr std::string_view pause_places = "CODE[=POINT],…";

class Check {
public:
    Check(const JobUse& job, const Registry& registry, const Parameters* given, Diagnostics& diagnostics)
        : job_(job), registry_(registry), given_(given), diagnostics_(diagnostics) {}

    void run() {
        check_passwords(job_, diagnostics_);
        for (const Use& use : job_.listeners) check(use);
        for (const Use& use : job_.notifications) check_notification(use);
        check_owner_loss();
        for (const StepUse& step : job_.steps) {
            step_ = &step;
            check_rate(step);
            for (const Use& use : step.uses) check(use);
            for (const ClassUse& use : step.classes) check(use);
            check_types(step);
            for (const Use& use : step.uses) check_files(step, use);
            check_costly_skips(step);
            for (const OnUse& use : step.ons) check_on(step, use);
        }
    }

private:
    void error(Position at, std::string message) { diagnostics_.error(job_.file, at, placed(at, std::move(message))); }
    void warning(Position at, std::string message) {
        diagnostics_.warning(job_.file, at, placed(at, std::move(message)));
    }
    /// A job that a program has built has no lines: there the step is the place.
    [[nodiscard]] std::string placed(Position at, std::string message) const {
        if (at.line > 0 || step_ == nullptr) return message;
        const std::string place =
            fmt::format("{} \"{}\": ", step_->is_step ? "step" : "decision", printable(step_->id));
        return message.starts_with(place) ? message : place + message;
    }

    void check(const Use& use) {
        if (!use.ref) return;
        const ArtifactEntry* entry = registry_.find(use.kind, *use.ref);
        if (entry == nullptr) return unknown(use);
        if (entry->info.closed)
            for (const auto& [name, at] : use.property_names) check_name(*entry, name, at);
        for (const PropertyInfo& info : entry->info.properties) check_given(use, *entry, info);
        if (!use.values) return;
        check_values(*entry, use);
        check_parameters(*entry, use);
    }
    /// The batchlet `command` runs it: no word that stands in the job.
    void check_notification(const Use& use) {
        const ArtifactEntry* entry = registry_.find(use.kind, *use.ref);
        if (entry == nullptr) return unknown(use);
        check_values({"notify", job_.file, *use.values}, entry->rules, use.at);
    }
    void unknown(const Use& use) {
        for (const ArtifactEntry* entry : registry_.all())
            if (entry->name == *use.ref)
                return error(use.at, fmt::format("\"{}\" is {}, not {}", *use.ref, with_article(entry->kind),
                                                 with_article(use.kind)));
        error(use.at, fmt::format("unknown {} \"{}\"{} (fermata artifacts)", to_string(use.kind), *use.ref,
                                  did_you_mean(*use.ref, registry_.names(use.kind))));
    }
    static bool names(const PropertyInfo& info, std::string_view name) {
        if (!info.name.ends_with(".*")) return info.name == name;
        const std::string_view prefix = std::string_view(info.name).substr(0, info.name.size() - 1);
        return name.size() > prefix.size() && name.starts_with(prefix);
    }
    void check_name(const ArtifactEntry& entry, const std::string& name, Position at) {
        std::vector<std::string> candidates;
        for (const PropertyInfo& info : entry.info.properties) {
            if (names(info, name)) return;
            candidates.push_back(info.name);
        }
        error(at, fmt::format(R"({} "{}": unknown property "{}"{} (fermata artifacts {}))", to_string(entry.kind),
                              entry.name, name, did_you_mean(name, candidates), entry.name));
    }
    void check_given(const Use& use, const ArtifactEntry& entry, const PropertyInfo& info) {
        if (!info.required) return;
        for (const auto& [name, at] : use.property_names)
            if (names(info, name)) return;
        error(use.at, fmt::format(R"({} "{}": property "{}" is missing{}{})", to_string(entry.kind), entry.name,
                                  info.name, info.about.empty() ? "" : ": ", info.about));
    }
    void check_values(const ArtifactEntry& entry, const Use& use) {
        check_values(properties_of(entry, use), entry.rules, use.at);
    }
    void check_values(const Properties& properties, const std::vector<PropertyRule>& rules, Position at) {
        std::set<std::string> told;
        for (const PropertyRule& rule : rules) {
            try {
                rule(properties);
            } catch (const MissingProperty&) {
                continue;  // check_given has said so
            } catch (const Error& wrong) {
                if (told.insert(wrong.what()).second) add_thrown(wrong, at);
            }
        }
    }
    void check_parameters(const ArtifactEntry& entry, const Use& use) {
        if (given_ == nullptr || !entry.parameters) return;
        std::vector<std::string> known;
        for (const auto& [name, value] : *given_) known.push_back(name);
        for (const std::string& name : entry.parameters(properties_of(entry, use)))
            if (!given_->contains(name))
                error(use.at, fmt::format(R"({} "{}" binds :{}, but no job parameter "{}" is given{})",
                                          to_string(entry.kind), entry.name, name, name, did_you_mean(name, known)));
    }
    [[nodiscard]] Properties properties_of(const ArtifactEntry& entry, const Use& use) const {
        return {fmt::format("{} \"{}\"", to_string(entry.kind), entry.name), job_.file, *use.values};
    }
    /// Properties' errors begin with "file:line:column: error: ", which the diagnostic prints itself.
    void add_thrown(const Error& wrong, Position at) {
        std::string message = wrong.what();
        const std::string marker = ": error: ";
        if (const auto end = message.find(marker); end != std::string::npos && message.starts_with(job_.file + ":")) {
            const auto numbers =
                split(std::string_view(message).substr(job_.file.size() + 1, end - job_.file.size() - 1), ':');
            if (numbers.size() == 2)
                at = {static_cast<int>(parse_int64(numbers[0]).value_or(0)),
                      static_cast<int>(parse_int64(numbers[1]).value_or(0))};
            message.erase(0, end + marker.size());
        }
        if (!wrong.remedy().empty()) message += "; " + wrong.remedy();
        if (wrong.kind() == ErrorKind::refused)
            warning(at, std::move(message));
        else
            error(at, std::move(message));
    }
    /// Files it writes, as far as is known. One it appends to grows by one after the other.
    void check_files(const StepUse& step, const Use& use) {
        const ArtifactEntry* entry = use.ref ? registry_.find(use.kind, *use.ref) : nullptr;
        if (entry == nullptr) return;
        for (const auto& property : use.known)
            if (property.name == "exists" && property.value.str() == "append") return;
        for (const PropertyInfo& info : entry->info.properties) {
            const auto given = std::ranges::find(use.known, info.name, &ResolvedProperty::name);
            if (info.type != path_to_write || given == use.known.end()) continue;
            const std::string of =
                fmt::format("{} \"{}\": property \"{}\": ", to_string(entry->kind), entry->name, info.name);
            if (step.is_divided)
                refuse_one_for_all(of, *given);
            else
                warn_of_another(of, *given, step);
        }
    }
    /// What several partitions write into one file would be some of it.
    void refuse_one_for_all(const std::string& of, const ResolvedProperty& file) {
        error(
            file.at,
            fmt::format("{}all partitions would write the one file \"{}\"; let its name depend on the partition, as in "
                        "\"#{{partitionPlan['name']}}.out\"",
                        of, printable(file.value.str())));
    }
    void warn_of_another(const std::string& of, const ResolvedProperty& file, const StepUse& step) {
        const auto [known, is_new] = files_.try_emplace(file.value.str(), step.id);
        if (is_new) return;
        warning(file.at, fmt::format("{}step \"{}\" writes \"{}\", too; where both run, the later one replaces what "
                                     "the first one wrote, or fails",
                                     of, known->second, printable(file.value.str())));
    }
    void check(const ClassUse& use) {
        if (!use.name || registry_.find_exception(*use.name) != nullptr) return;
        warning(use.at, fmt::format("unknown exception class \"{}\"{}: it will never match", *use.name,
                                    did_you_mean(*use.name, registry_.exception_names())));
    }
    /// §8.2.1.4: a write that is skipped is the whole chunk's. Only a writer meets this class, so by itself it is
    /// hardly meant so.
    void check_costly_skips(const StepUse& step) {
        constexpr std::string_view refused = "fermata.ConstraintError";
        const auto covers = [&](const ClassUse& use) { return !use.name || is_base(*use.name, std::string(refused)); };
        if (std::ranges::any_of(step.retried, covers)) return;
        for (const ClassUse& use : step.skipped)
            if (use.name == refused)
                warning(use.at, fmt::format("{0} is skippable but not retryable: one row that the database refuses "
                                            "costs its whole chunk; list {0} in retryable-exception-classes, too",
                                            refused));
    }
    [[nodiscard]] bool is_base(std::string_view base, std::string name) const {
        while (!name.empty() && name != base) {
            const ExceptionClass* known = registry_.find_exception(name);
            name = known == nullptr ? "" : known->base;
        }
        return !name.empty();
    }
    const ArtifactEntry* find(const StepUse& step, ArtifactKind kind, Position& at) const {
        for (const Use& use : step.uses) {
            if (use.kind != kind || !use.ref) continue;
            at = use.at;
            return registry_.find(kind, *use.ref);
        }
        return nullptr;
    }
    /// The properties that mean something to the runtime itself.
    void check_rate(const StepUse& step) {
        const bool is_chunk =
            std::ranges::any_of(step.uses, [](const Use& use) { return use.kind == ArtifactKind::writer; });
        if (is_chunk) check_values({fmt::format("step \"{}\"", step.id), job_.file, step.properties}, {rate_rule}, {});
    }
    void check_owner_loss() { check_values({"the job", job_.file, job_.properties}, {owner_loss_rule}, {}); }
    static void rate_rule(const Properties& properties) { (void)properties.find<double>("max-rate"); }
    static void owner_loss_rule(const Properties& properties) {
        const auto said = properties.get<std::string>("fermata.on-owner-loss", "continue");
        if (said != "continue" && said != "fail")
            throw properties.wrong("fermata.on-owner-loss",
                                   fmt::format("\"{}\" is neither continue nor fail", printable(said)));
    }
    /// Exit statuses are free text, and listeners set them, too: only what looks like a slip is told.
    void check_on(const StepUse& step, const OnUse& use) {
        if (!use.on || use.on->find_first_of("*?") != std::string::npos) return;
        std::vector<std::string> known;
        if (step.is_step) known = {"COMPLETED", "FAILED", "STOPPED", "STEP_STOPPED"};
        for (const Use& artifact : step.uses)
            for (std::string& status : words_of(artifact, registry_, exit_statuses)) known.push_back(std::move(status));
        if (std::ranges::find(known, *use.on) != known.end()) return;
        if (const std::string hint = did_you_mean(*use.on, known); !hint.empty())
            warning(use.at, fmt::format("{} \"{}\": on=\"{}\" is no exit status it is known to end with{}",
                                        step.is_step ? "step" : "decision", step.id, printable(*use.on), hint));
    }
    void check_types(const StepUse& step) {
        Position reader_at;
        Position processor_at;
        Position writer_at;
        const ArtifactEntry* from = find(step, ArtifactKind::reader, reader_at);
        const ArtifactEntry* to = find(step, ArtifactKind::writer, writer_at);
        const bool has_processor =
            std::ranges::any_of(step.uses, [](const Use& use) { return use.kind == ArtifactKind::processor; });
        if (has_processor) {
            const ArtifactEntry* between = find(step, ArtifactKind::processor, processor_at);
            if (between == nullptr) return;
            check_fit(from, between, processor_at);
            from = between;
        }
        check_fit(from, to, writer_at);
    }
    void check_fit(const ArtifactEntry* from, const ArtifactEntry* to, Position at) {
        if (from == nullptr || to == nullptr || *from->output == *to->input) return;
        error(at, fmt::format(R"({} "{}" takes items of type {}, but {} "{}" gives {})", to_string(to->kind), to->name,
                              to->input->name, to_string(from->kind), from->name, from->output->name));
    }

    const JobUse& job_;
    const StepUse* step_ = nullptr;             ///< that is being checked
    std::map<std::string, std::string> files_;  ///< that are written, and by which step
    const Registry& registry_;
    const Parameters* given_;
    Diagnostics& diagnostics_;
};

}  // namespace

void check_artifacts(const JobDefinition& job, const Registry& registry, Diagnostics& diagnostics) {
    Check(uses_of(job), registry, nullptr, diagnostics).run();
}
void check_artifacts(const ResolvedJob& job, const Registry& registry, const Parameters* given,
                     Diagnostics& diagnostics) {
    Check(uses_of(job), registry, given, diagnostics).run();
}

void check_passwords(const ResolvedJob& job, Diagnostics& diagnostics) { check_passwords(uses_of(job), diagnostics); }

std::vector<std::string> pause_points_of_artifacts(const ResolvedJob& job, const Registry& registry) {
    std::vector<std::string> points;
    for (const StepUse& step : uses_of(job).steps)
        for (const Use& use : step.uses)
            for (const std::string& point : words_of(use, registry, pause_places))
                points.push_back(point.empty() ? step.id : point);
    return points;
}

std::optional<std::vector<std::string>> parameters_of_artifacts(const ResolvedJob& job, const Registry& registry) {
    std::vector<std::string> names;
    JobUse all = uses_of(job);
    for (StepUse& step : all.steps) std::ranges::move(step.uses, std::back_inserter(all.listeners));
    for (const Use& use : all.listeners) {
        const ArtifactEntry* entry = use.ref ? registry.find(use.kind, *use.ref) : nullptr;
        if (entry == nullptr || !entry->parameters) continue;
        if (!use.values) return std::nullopt;
        for (std::string& name : entry->parameters({entry->name, all.file, *use.values}))
            names.push_back(std::move(name));
    }
    return names;
}

}  // namespace fermata
