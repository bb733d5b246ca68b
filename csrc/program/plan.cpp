// Liveness, then greedy by size: the largest value first, each at the lowest gap that is free for
// as long as it lives (arXiv:2001.03288).
#include "program/plan.h"

#include <algorithm>

#include "program/passes.h"

namespace hb {

namespace {
constexpr size_t kAlign = 64;

struct Block {
    size_t bytes;
    int first, last;  // positions between which it lives
    size_t offset = 0;
};

size_t aligned(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

size_t place_blocks(std::vector<Block>& blocks) {
    std::vector<int> order(blocks.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = int(i);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return blocks[size_t(a)].bytes > blocks[size_t(b)].bytes;
    });
    std::vector<int> placed;  // by offset
    size_t total = 0;
    for (int index : order) {
        Block& block = blocks[size_t(index)];
        size_t offset = 0;
        for (int other : placed) {
            const Block& b = blocks[size_t(other)];
            if (b.last < block.first || block.last < b.first) continue;
            if (b.offset >= offset + block.bytes) break;
            offset = std::max(offset, b.offset + b.bytes);
        }
        block.offset = offset;
        total = std::max(total, offset + block.bytes);
        placed.insert(
            std::upper_bound(
                placed.begin(), placed.end(), index,
                [&](int a, int b) { return blocks[size_t(a)].offset < blocks[size_t(b)].offset; }),
            index);
    }
    return total;
}

class Planner {
  public:
    Planner(const Graph& graph, const std::vector<size_t>& workspace_bytes,
            const std::vector<Carried>& carried, const std::vector<char>& pairs,
            const std::vector<char>& invariant)
        : graph_(graph),
          workspace_bytes_(workspace_bytes),
          carried_(carried),
          pairs_(pairs),
          invariant_(invariant) {}

    Plan run() {
        const int n = int(graph_.nodes.size());
        find_last_uses();
        plan_.places.resize(size_t(n));
        block_.resize(size_t(n));
        for (int i = 0; i < n; ++i) place_node(i);
        std::vector<int> scratch(size_t(n), -1);
        for (int i = 0; i < n; ++i)
            if (workspace_bytes_[size_t(i)])
                scratch[size_t(i)] = new_block(workspace_bytes_[size_t(i)], begin(i), end(i));
        plan_.arena_bytes = place_blocks(blocks_);
        plan_.workspaces.assign(size_t(n), 0);
        for (int i = 0; i < n; ++i) {
            if (scratch[size_t(i)] >= 0)
                plan_.workspaces[size_t(i)] = blocks_[size_t(scratch[size_t(i)])].offset;
            for (size_t o = 0; o < plan_.places[size_t(i)].size(); ++o)
                if (plan_.places[size_t(i)][o].kind == Place::arena)
                    plan_.places[size_t(i)][o].offset =
                        blocks_[size_t(block_[size_t(i)][o])].offset;
        }
        return std::move(plan_);
    }

  private:
    // Positions between which a node runs: two, where it has another beside it.
    int begin(int i) const { return i > 0 && !pairs_.empty() && pairs_[size_t(i - 1)] ? i - 1 : i; }
    bool invariant(int i) const { return !invariant_.empty() && invariant_[size_t(i)]; }
    int end(int i) const { return !pairs_.empty() && pairs_[size_t(i)] ? i + 1 : i; }

    // Last position that reads each value, seen through aliases.
    void find_last_uses() {
        const int n = int(graph_.nodes.size());
        last_.resize(size_t(n));
        for (int i = 0; i < n; ++i)
            last_[size_t(i)].assign(graph_.nodes[size_t(i)].out.size(), end(i));
        for (const Operand& v : graph_.outputs) last_[size_t(v.node)][size_t(v.output)] = n;
        for (const Carried& c : carried_) last_[size_t(c.input)][0] = n;
        for (int i = n - 1; i >= 0; --i) {
            const Node& node = graph_.nodes[size_t(i)];
            for (size_t k = 0; k < node.in.size(); ++k) {
                int& last = last_[size_t(node.in[k].node)][size_t(node.in[k].output)];
                last = std::max(last, end(i));
                if (k == 0 && node.alias()) last = std::max(last, last_[size_t(i)][0]);
            }
        }
    }

    int new_block(size_t bytes, int first, int last) {
        blocks_.push_back({aligned(std::max<size_t>(bytes, 1)), first, last});
        return int(blocks_.size()) - 1;
    }

    void place_node(int i) {
        const Node& node = graph_.nodes[size_t(i)];
        auto& places = plan_.places[size_t(i)];
        places.resize(node.out.size());
        block_[size_t(i)].assign(node.out.size(), -1);
        for (size_t o = 0; o < node.out.size(); ++o) {
            Place& place = places[o];
            if (node.kind == NodeKind::constant) {
                place = {Place::constant, 0, i};
            } else if (node.kind == NodeKind::variable) {
                place = {Place::variable, 0, i};
            } else if (node.external) {
                place = {Place::external, 0, i};
            } else if (node.alias() && o == 0) {
                const Operand v = node.in[0];
                place = plan_.places[size_t(v.node)][size_t(v.output)];
                block_[size_t(i)][o] = block_[size_t(v.node)][size_t(v.output)];
            } else if (invariant(i)) {
                place = {Place::kept, plan_.kept_bytes, i};
                plan_.kept_bytes += aligned(node.out[o].bytes());
            } else {
                place.kind = Place::arena;
                int block = carried_block(i, int(o));
                if (block < 0) block = reusable(i, int(o));
                const int last = last_[size_t(i)][o];
                const bool always = node.kind == NodeKind::input;
                if (block >= 0)
                    blocks_[size_t(block)].last = std::max(blocks_[size_t(block)].last, last);
                else  // inputs are there before the first step
                    block = new_block(node.out[o].bytes(), always ? -1 : begin(i), last);
                block_[size_t(i)][o] = block;
            }
        }
    }

    bool elementwise(const Node& node) const {
        return node.kind == NodeKind::cluster || fuses(node);
    }

    // A sum that goes from round to round is added to in place: the block of the value that output
    // `o` of node `i` replaces, if the node is the only one that reads it.
    int carried_block(int i, int o) const {
        for (const Carried& c : carried_) {
            if (c.output != Operand{i, o} || !elementwise(graph_.nodes[size_t(i)])) continue;
            int uses = 0;
            bool mine = false;
            for (size_t k = 0; k < graph_.nodes.size(); ++k)
                for (const Operand& v : graph_.nodes[k].in)
                    if (v.node == c.input) ++uses, mine |= int(k) == i;
            for (const Operand& v : graph_.outputs)
                uses += v.node == c.input || (v == c.output ? 1 : 0);
            if (mine && uses == 2) return block_[size_t(c.input)][0];  // the node's and the output
        }
        return -1;
    }

    // The block of an input that nobody reads again and output `o` may overwrite: any of an
    // elementwise node, else what the op says.
    int reusable(int i, int o) const {
        const Node& node = graph_.nodes[size_t(i)];
        const bool by_op = node.kind == NodeKind::op && node.op->reuses;
        const int only = by_op ? node.op->reuses(node.attrs, o) : -1;
        if (only < 0 && !elementwise(node)) return -1;
        for (size_t k = 0; k < node.in.size(); ++k) {
            if (only >= 0 && int(k) != only) continue;
            const int block = block_of(node.in[k]);
            if (block < 0 || blocks_[size_t(block)].last != end(i) || read_beside(i, block))
                continue;
            const TensorType &in = graph_.type(node.in[k]), &type = node.out[size_t(o)];
            if (in.shape != type.shape || in.bytes() != type.bytes()) continue;
            const auto& mine = block_[size_t(i)];
            if (std::find(mine.begin(), mine.end(), block) != mine.end()) continue;
            return block;
        }
        return -1;
    }
    int block_of(Operand v) const { return block_[size_t(v.node)][size_t(v.output)]; }
    // Whether the node that runs beside node i reads a block.
    bool read_beside(int i, int block) const {
        const int other = end(i) > i ? end(i) : begin(i);
        const std::vector<Operand>& in = graph_.nodes[size_t(other)].in;
        return other != i && std::any_of(in.begin(), in.end(), [&](const Operand& v) {
                   return v.node < other && v.node != i && block_of(v) == block;
               });
    }

    const Graph& graph_;
    const std::vector<size_t>& workspace_bytes_;
    const std::vector<Carried>& carried_;
    const std::vector<char>&pairs_, &invariant_;
    Plan plan_;
    std::vector<std::vector<int>> last_, block_;
    std::vector<Block> blocks_;
};
}  // namespace

Plan make_plan(const Graph& graph, const std::vector<size_t>& workspace_bytes,
               const std::vector<Carried>& carried, const std::vector<char>& pairs,
               const std::vector<char>& invariant) {
    return Planner(graph, workspace_bytes, carried, pairs, invariant).run();
}

}  // namespace hb
