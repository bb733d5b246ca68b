#include "program/program.h"

#include <algorithm>
#include <chrono>

#include "ops/epilogue.h"
#include "program/beside.h"
#include "program/emit.h"
#include "program/passes.h"
#include "program/threads.h"
#include "program/wave.h"

namespace hb {

namespace {
Rows rows_of(const TensorType& type, bool turned) {
    Rows rows;
    rows.to_dtype = type.dtype;
    const int64_t size = volume(type.shape);
    rows.count = type.shape.empty() ? 1 : type.shape[0];
    rows.by_runs = turned;
    rows.runs = turned ? type.shape[1] : 1;
    rows.run = size == 0 ? 0 : size / (rows.count * rows.runs);
    return rows;
}

int64_t cost(const Rows& rows) {  // bytes that are read and written
    return 2 * rows.count * rows.runs * rows.run * int64_t(dtype_size(rows.to_dtype));
}
bool is_shared(const Rows& rows) { return cost(rows) >= kParallelCost; }
}  // namespace

Program::Program(Graph graph, std::shared_ptr<Arenas> arenas)
    : graph_(std::move(graph)), arenas_(std::move(arenas)) {
    optimize(graph_);
    turn_inputs(graph_);
    const size_t n = graph_.nodes.size();
    variable_slot_.assign(n, -1);
    for (size_t i = 0; i < n; ++i) {
        if (graph_.nodes[i].kind != NodeKind::variable) continue;
        const VariablePtr& variable = graph_.nodes[i].variable;
        size_t slot = 0;
        while (slot < variables_.size() && variables_[slot].first != variable) ++slot;
        if (slot == variables_.size()) variables_.push_back({variable, false});
        variable_slot_[i] = int(slot);
    }
    for (const Node& node : graph_.nodes)
        for (size_t k = 0; k < node.changes.size(); ++k)
            if (node.changes[k])
                variables_[size_t(variable_slot_[size_t(node.in[k].node)])].second = true;
    find_invariant();
    release(acquire());
}

// Values that are the same in every run until a variable is assigned that the program only reads:
// their nodes run ahead of all runs.
void Program::find_invariant() {
    const size_t n = graph_.nodes.size();
    invariant_.assign(n, 0);
    for (size_t i = 0; i < n; ++i) {
        const Node& node = graph_.nodes[i];
        if (node.kind == NodeKind::constant) invariant_[i] = 1;
        if (node.kind == NodeKind::variable)
            invariant_[i] = !variables_[size_t(variable_slot_[i])].second;
        const bool may_fail = node.kind == NodeKind::op && node.op->describe_error;
        if (node.computed() && !node.effect() && !may_fail && !node.in.empty())
            invariant_[i] = std::all_of(node.in.begin(), node.in.end(), [&](const Operand& v) {
                return invariant_[size_t(v.node)];
            });
    }
}

TensorType Program::input_type(size_t k) const {
    const Node& node = graph_.nodes[size_t(graph_.inputs[k])];
    TensorType type = node.out[0];
    if (is_turned(node)) std::swap(type.shape[0], type.shape[1]);
    return type;
}

void* Program::address(const Instance& instance, const Place& place) const {
    switch (place.kind) {
        case Place::arena:
            return instance.arena->data() + place.offset;
        case Place::kept:
            return static_cast<char*>(instance.kept->data()) + place.offset;
        case Place::constant:
            return graph_.nodes[size_t(place.node)].constant.data();
        case Place::variable:
            return variables_[size_t(variable_slot_[size_t(place.node)])].first->data();
        case Place::none:
        case Place::external:
            break;
    }
    return nullptr;
}

void Program::emit_node(size_t i, Instance& instance, InstrList& list, int shares, const Plan* plan,
                        size_t* workspace) {
    const Node& node = graph_.nodes[i];
    const auto operand = [&](int node_index, int output) {
        const TensorType& type = graph_.nodes[size_t(node_index)].out[size_t(output)];
        void* data = nullptr;
        if (plan) data = address(instance, plan->places[size_t(node_index)][size_t(output)]);
        return EmitOperand{data, type, invariant_[size_t(node_index)] != 0};
    };
    std::vector<EmitOperand> in, out;
    for (const Operand& v : node.in) in.push_back(operand(v.node, v.output));
    for (size_t o = 0; o < node.out.size(); ++o) out.push_back(operand(int(i), int(o)));
    *workspace = hb::emit_node(node, in, out, kernels(), shares, list,
                               plan ? instance.arena->data() + plan->workspaces[i] : nullptr,
                               &instance.hoisted);
}

void Program::emit(Instance& instance) {
    instance.threads = num_threads();
    instance.kernels = &kernels();
    const size_t n = graph_.nodes.size();
    std::vector<char> pairs = find_pairs(graph_, instance.threads);
    for (size_t i = 0; i + 1 < n; ++i)
        if (invariant_[i] || invariant_[i + 1]) pairs[i] = 0;
    const auto second = [&](size_t i) { return i > 0 && pairs[i - 1]; };
    const auto shares = [&](size_t i) {
        return pairs[i] || second(i) ? shares_of_pair(instance.threads)
                                     : num_shares(instance.threads);
    };
    std::vector<size_t> workspaces(n, 0);
    InstrList dry;
    for (size_t i = 0; i < n; ++i) {
        if (!graph_.nodes[i].computed()) continue;
        dry.clear();
        instance.hoisted.clear();
        emit_node(i, instance, dry, shares(i), nullptr, &workspaces[i]);
    }
    const Plan plan = make_plan(graph_, workspaces, {}, pairs, invariant_);
    arena_bytes_ = plan.arena_bytes + plan.kept_bytes;
    instance.arena->reserve(plan.arena_bytes);
    instance.base = instance.arena->data();
    if (!instance.kept || instance.kept->bytes() < plan.kept_bytes)
        instance.kept = std::make_unique<Buffer>(plan.kept_bytes);

    instance.variables.clear();
    for (auto& [variable, changed] : variables_)
        instance.variables.push_back(changed ? variable->mutable_data() : variable->data());
    instance.list.clear();
    instance.hoisted.clear();
    instance.versions.reset();
    instance.owner.clear();
    instance.first_effect = size_t(-1);
    size_t first = 0;  // instruction of a pair
    for (size_t i = 0; i < n; ++i) {
        if (!graph_.nodes[i].computed()) continue;
        if (graph_.nodes[i].effect() && instance.first_effect == size_t(-1))
            instance.first_effect = instance.list.instrs.size();
        size_t unused = 0;
        const size_t begin = instance.list.instrs.size();
        if (invariant_[i]) {
            emit_node(i, instance, instance.hoisted, shares(i), &plan, &unused);
            continue;
        }
        emit_node(i, instance, instance.list, shares(i), &plan, &unused);
        if (pairs[i]) first = begin;
        if (second(i)) join(instance.list, first, begin, shares(i));
        instance.owner.resize(instance.list.instrs.size(), int(second(i) ? i - 1 : i));
    }
    instance.first_effect = std::min(instance.first_effect, instance.list.instrs.size());

    const auto place = [&](const Operand& v) -> const Place& {
        return plan.places[size_t(v.node)][size_t(v.output)];
    };
    instance.inputs.clear();
    instance.loads.clear();
    for (size_t k = 0; k < graph_.inputs.size(); ++k) {
        const int input = graph_.inputs[k];
        Rows rows = rows_of(input_type(k), is_turned(graph_.nodes[size_t(input)]));
        rows.to = static_cast<char*>(address(instance, place({input, 0})));
        instance.inputs.push_back(static_cast<Rows*>(instance.loads.store(&rows, sizeof(rows))));
        if (is_shared(rows))
            instance.loads.instrs.push_back({copy_rows, instance.inputs.back(), cost(rows), false});
    }
    instance.outputs.clear();
    for (const Operand& v : graph_.outputs)
        instance.outputs.push_back(static_cast<const char*>(address(instance, place(v))));
}

// A list stays good while the threads, the level, the arena and the memory of the variables are
// what they were.
bool Program::up_to_date(Instance& instance) {
    if (instance.base != instance.arena->data()) return false;
    if (instance.threads != num_threads() || instance.kernels != &kernels()) return false;
    for (size_t v = 0; v < variables_.size(); ++v) {
        auto& [variable, changed] = variables_[v];
        const void* data = changed ? variable->mutable_data() : variable->data();
        if (data != instance.variables[v]) return false;
    }
    return true;
}

void Program::run_hoisted(Instance& instance) {
    if (instance.hoisted.instrs.empty()) return;
    std::vector<uint64_t> versions;
    for (const auto& [variable, changed] : variables_)
        versions.push_back(changed ? 0 : variable->version());
    if (instance.versions == versions) return;
    execute(instance.hoisted, instance.threads);
    instance.versions = std::move(versions);
}

std::unique_ptr<Program::Instance> Program::acquire() {
    std::unique_ptr<Instance> instance;
    {
        std::lock_guard lock(mutex_);
        for (size_t i = idle_.size(); i-- > 0 && !instance;) {
            if (!arenas_->try_take(*idle_[i]->arena)) continue;
            instance = std::move(idle_[i]);
            idle_.erase(idle_.begin() + std::ptrdiff_t(i));
        }
    }
    if (!instance) {
        instance = std::make_unique<Instance>();
        instance->arena = arenas_->take();
    }
    try {
        if (instance->kernels == nullptr || !up_to_date(*instance)) emit(*instance);
        run_hoisted(*instance);
    } catch (...) {
        arenas_->give_back(*instance->arena);
        throw;
    }
    return instance;
}

void Program::release(std::unique_ptr<Instance> instance) {
    arenas_->give_back(*instance->arena);
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(instance));
}

void Program::check_inputs(const std::vector<Tensor>& inputs) const {
    if (inputs.size() != graph_.inputs.size())
        fail_value("Program.run: takes {} inputs. Received: {}.", graph_.inputs.size(),
                   inputs.size());
    for (size_t k = 0; k < inputs.size(); ++k)
        if (inputs[k].type() != input_type(k))
            fail_value(
                "Program.run: input {} has shape {} and dtype {}. Received: shape {}, dtype {}.", k,
                input_type(k).shape, input_type(k).dtype, inputs[k].shape(), inputs[k].dtype());
}

// Rows of each source, from `first` on: small ones now, the others by the instructions that come
// before a step's own.
void Program::load(Instance& instance, const std::vector<Tensor>& sources, const int64_t* rows,
                   int64_t first) {
    for (size_t k = 0; k < sources.size(); ++k) {
        Rows& input = *instance.inputs[k];
        input.from = sources[k].data(), input.from_dtype = sources[k].dtype();
        input.at = rows, input.first = first;
        if (!is_shared(input)) copy_rows(&input, 0, 1);
    }
}

std::vector<Tensor> Program::outputs_of(const Instance& instance) const {
    std::vector<Tensor> outputs;
    outputs.reserve(graph_.outputs.size());
    for (size_t k = 0; k < graph_.outputs.size(); ++k) {
        Tensor& output = outputs.emplace_back(output_type(k));
        if (const size_t bytes = output.type().bytes())
            std::memcpy(output.data(), instance.outputs[k], bytes);
    }
    return outputs;
}

std::vector<Tensor> Program::run(const std::vector<Tensor>& inputs) {
    check_inputs(inputs);
    Lease lease(*this);
    Instance& instance = *lease;
    load(instance, inputs, nullptr, 0);
    execute(instance.job(), instance.threads, 1, nullptr);
    return outputs_of(instance);
}

size_t Program::num_instructions() {
    Lease lease(*this);
    return (*lease).list.instrs.size();
}

namespace {
std::string ops_of(const Node& node) {
    switch (node.kind) {
        case NodeKind::input:
            return "input";
        case NodeKind::constant:
            return "constant";
        case NodeKind::variable:
            return "variable";
        case NodeKind::op:
            return node.op->name;
        case NodeKind::cluster:
        case NodeKind::wave:
            break;
    }
    std::string names;
    const auto add = [&](const OpDef* op) {
        names += (names.empty() ? "" : "+") + std::string(op->name);
    };
    if (node.cluster)
        for (const Cluster::Step& step : node.cluster->steps) add(step.op);
    if (node.wave)
        for (const Wave::Member& member : node.wave->members) add(member.op);
    return names;
}
}  // namespace

namespace {
// The same, with what is done in an epilogue.
std::string with_epilogue(const Node& node) {
    static const char* names[] = {"bias", "scale", "shift", "other", "relu"};
    std::string text = ops_of(node);
    if (node.attrs.has(kEpilogue))
        for (int64_t part : node.attrs.ints(kEpilogue)) text += '+' + std::string(names[part]);
    return text;
}
}  // namespace

std::vector<Program::Timing> Program::profile(const std::vector<Tensor>& inputs, int repeats) {
    using Clock = std::chrono::steady_clock;
    run(inputs);
    Lease lease(*this);
    Instance& instance = *lease;
    const std::vector<Instr>& instrs = instance.list.instrs;
    std::vector<double> best(instrs.size(), 1e30);
    for (int r = 0; r < repeats; ++r) {
        load(instance, inputs, nullptr, 0);  // the last run has used their memory again
        for (const Instr& instr : instance.loads.instrs) instr.fn(instr.args, 0, 1);
        for (size_t i = 0; i < instrs.size(); ++i) {
            const auto start = Clock::now();
            instrs[i].fn(instrs[i].args, 0, 1);
            best[i] =
                std::min(best[i], std::chrono::duration<double>(Clock::now() - start).count());
        }
    }
    const std::vector<char> pairs = find_pairs(graph_, instance.threads);
    std::vector<Timing> timings;
    for (size_t i = 0; i < instrs.size(); ++i) {
        if (i == 0 || instance.owner[i] != instance.owner[i - 1]) {
            const Node& node = graph_.nodes[size_t(instance.owner[i])];
            std::string what = (pairs[size_t(instance.owner[i])] ? "2 " : "") + with_epilogue(node);
            if (!node.out.empty()) what += " " + to_string(node.out[0].shape);
            timings.push_back({std::move(what)});
        }
        timings.back().seconds += best[i];
        timings.back().cost += instrs[i].cost;
        timings.back().instructions += 1;
    }
    return timings;
}

std::vector<Program::NodeInfo> Program::nodes() const {
    std::vector<NodeInfo> result;
    for (const Node& node : graph_.nodes) {
        if (!node.computed()) continue;
        NodeInfo info{ops_of(node), {}, node.out};
        for (const Operand& operand : node.in) info.in.push_back(graph_.type(operand));
        result.push_back(std::move(info));
    }
    return result;
}

std::string Program::describe() const {
    std::ostringstream out;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
        const Node& node = graph_.nodes[i];
        out << '%' << i << " = ";
        out << with_epilogue(node);
        out << '(';
        for (size_t k = 0; k < node.in.size(); ++k)
            out << (k ? ", %" : "%") << node.in[k].node << '.' << node.in[k].output;
        out << ')';
        for (const TensorType& type : node.out) out << ' ' << type.dtype << type.shape;
        out << '\n';
    }
    return out.str();
}

}  // namespace hb
