#include "program/beside.h"

#include <algorithm>

#include "program/threads.h"

namespace hb {

namespace {
struct Pair {
    Instr first, second;  // the second may be none
    int shares;           // of either
};

void run_share(const Instr& instr, int share, int shares) {
    if (instr.fn && share < (instr.serial ? 1 : shares))
        instr.fn(instr.args, share, instr.serial ? 1 : shares);
}

// The first half of the shares goes to the first one: threads begin with different ones.
void run_pair(const void* args, int share, int shares) {
    const Pair& pair = *static_cast<const Pair*>(args);
    const int half = shares / 2;
    if (shares == 1) {
        run_share(pair.first, 0, 1);
        run_share(pair.second, 0, 1);
    } else if (share < half) {
        run_share(pair.first, share, pair.shares);
    } else {
        run_share(pair.second, share - half, pair.shares);
    }
}

bool alike(const Graph& graph, int a, int b) {
    const Node &first = graph.nodes[size_t(a)], &second = graph.nodes[size_t(b)];
    if (!may_pair(first) || first.op != second.op || first.out != second.out) return false;
    if (first.in.size() != second.in.size()) return false;
    for (size_t k = 0; k < first.in.size(); ++k)
        if (second.in[k].node == a || graph.type(first.in[k]) != graph.type(second.in[k]))
            return false;
    return true;
}
}  // namespace

int shares_of_pair(int threads) { return num_shares(threads / 2); }

std::vector<char> find_pairs(const Graph& graph, int threads) {
    const int n = int(graph.nodes.size());
    std::vector<char> pairs(size_t(n), 0);
    for (int i = 0; threads > 1 && i + 1 < n; ++i) {
        if (!alike(graph, i, i + 1)) continue;
        const Node& node = graph.nodes[size_t(i)];
        std::vector<TensorType> in;
        for (const Operand& v : node.in) in.push_back(graph.type(v));
        if (node.op->beside(node.attrs, in)) pairs[size_t(i++)] = 1;
    }
    return pairs;
}

void join(InstrList& list, size_t begin, size_t middle, int shares) {
    const std::vector<Instr> old(list.instrs.begin() + int64_t(begin), list.instrs.end());
    list.instrs.resize(begin);
    const size_t first = middle - begin, second = old.size() - first;
    for (size_t i = 0; i < std::max(first, second); ++i) {
        const Pair pair{i < first ? old[i] : Instr{}, i < second ? old[first + i] : Instr{},
                        shares};
        const int64_t cost = pair.first.cost + pair.second.cost;
        list.instrs.push_back({run_pair, list.store(&pair, sizeof(Pair)), cost, false});
    }
}

}  // namespace hb
