#include "core/tape.h"

#include <algorithm>

namespace hb {

std::vector<Tape*>& active_tapes() {
    thread_local std::vector<Tape*> tapes;
    return tapes;
}

namespace {
// While a tape is played back, it does not record what the gradient rules compute; tapes around it
// do.
class Pause {
  public:
    explicit Pause(Tape* tape) : saved_(active_tapes()) { std::erase(active_tapes(), tape); }
    ~Pause() { active_tapes() = saved_; }

  private:
    std::vector<Tape*> saved_;
};
}  // namespace

void Tape::watch(const VariablePtr& variable) {
    if (watched_.insert(variable.get()).second) kept_.push_back(variable);
}

void Tape::saw_read(const VariablePtr& variable, const Tensor& value) {
    const bool wanted = (watch_variables_ && variable->trainable) || watched_.count(variable.get());
    if (!wanted || !is_float(value.dtype())) return;
    if (!tracked_.insert(value.id()).second) return;
    watch(variable);
    reads_[variable.get()].push_back(value);
}

void Tape::record(const OpDef& op, const Attrs& attrs, const std::vector<Tensor>& in,
                  const std::vector<Tensor>& out) {
    if (op.grad == no_gradient) return;
    const bool follows =
        std::any_of(in.begin(), in.end(), [&](const Tensor& t) { return tracks(t); });
    if (!follows) return;
    for (const Tensor& tensor : out)
        if (is_float(tensor.dtype())) tracked_.insert(tensor.id());
    entries_.push_back({&op, attrs, in, out});
}

void Tape::record(const Rule& rule, const std::vector<Tensor>& in, const std::vector<Tensor>& out) {
    if (std::none_of(in.begin(), in.end(), [&](const Tensor& t) { return tracks(t); })) return;
    for (const Tensor& tensor : out)
        if (is_float(tensor.dtype())) tracked_.insert(tensor.id());
    entries_.push_back({nullptr, {}, in, out, rule});
}

std::vector<Tensor> Tape::gradient(const std::vector<Tensor>& targets,
                                   const std::vector<Tensor>& seeds,
                                   const std::vector<EffectInput>& sources) {
    Pause pause(this);
    std::vector<std::vector<uint64_t>> source_ids;
    std::unordered_set<uint64_t> wanted;  // values on a path from a source
    for (const EffectInput& source : sources) {
        std::vector<uint64_t> ids;
        if (source.variable) {
            for (const Tensor& read : reads_[source.variable.get()]) ids.push_back(read.id());
        } else {
            ids.push_back(source.value.id());
        }
        wanted.insert(ids.begin(), ids.end());
        source_ids.push_back(std::move(ids));
    }
    std::vector<char> on_path(entries_.size(), 0);
    for (size_t e = 0; e < entries_.size(); ++e) {
        const Entry& entry = entries_[e];
        for (const Tensor& input : entry.in) on_path[e] |= char(wanted.count(input.id()) != 0);
        if (on_path[e])
            for (const Tensor& output : entry.out)
                if (is_float(output.dtype())) wanted.insert(output.id());
    }

    std::unordered_map<uint64_t, Tensor> gradients;
    const auto accumulate = [&](uint64_t id, const Tensor& gradient) {
        auto [found, fresh] = gradients.try_emplace(id, gradient);
        if (!fresh) found->second = add_gradients(found->second, gradient);
    };
    for (size_t i = 0; i < targets.size(); ++i) {
        if (!is_float(targets[i].dtype())) continue;
        accumulate(targets[i].id(), seeds[i].defined() ? seeds[i] : gradient_seed(targets[i]));
    }

    for (size_t e = entries_.size(); e-- > 0;) {
        const Entry& entry = entries_[e];
        if (!on_path[e]) continue;
        std::vector<Tensor> dout(entry.out.size());
        bool any = false;
        for (size_t i = 0; i < entry.out.size(); ++i) {
            auto found = gradients.find(entry.out[i].id());
            if (found == gradients.end()) continue;
            dout[i] = found->second;
            any = true;
        }
        if (!any) continue;
        std::unique_ptr<bool[]> needs(new bool[entry.in.size()]);
        for (size_t i = 0; i < entry.in.size(); ++i) needs[i] = wanted.count(entry.in[i].id()) != 0;
        const std::vector<Tensor> din =
            entry.op ? entry.op->grad({entry.attrs, entry.in, entry.out, dout,
                                       std::span(needs.get(), entry.in.size())})
                     : entry.rule(dout);
        for (size_t i = 0; i < din.size(); ++i) {
            if (!din[i].defined() || !needs[i]) continue;
            if (din[i].shape() != entry.in[i].shape())
                fail_value("gradient of {}: input {} has shape {} but its gradient has shape {}.",
                           entry.op ? entry.op->name : "custom_gradient", i, entry.in[i].shape(),
                           din[i].shape());
            accumulate(entry.in[i].id(), din[i]);
        }
    }

    std::vector<Tensor> result;
    for (const std::vector<uint64_t>& ids : source_ids) {
        Tensor total;
        for (uint64_t id : ids) {
            auto found = gradients.find(id);
            if (found == gradients.end()) continue;
            total = total.defined() ? add_gradients(total, found->second) : found->second;
        }
        result.push_back(total);
    }
    return result;
}

void Tape::clear() {
    entries_.clear();
    reads_.clear();
    tracked_.clear();
    watched_.clear();
    kept_.clear();
}

}  // namespace hb
