// An optimizer's update of a large parameter follows its gradient at once: the gradient is warm in
// the caches, and its memory free for what comes next. Nothing may be able to fail afterwards
// (effects last: an error leaves the model as it was), and nothing may read the old value.
#include <algorithm>
#include <map>

#include "program/beside.h"
#include "program/loop.h"
#include "program/passes.h"

namespace hb {

namespace {
constexpr size_t kLarge = 1 << 17;  // bytes; smaller parameters stay together in one instruction
constexpr int64_t kFew = 16;        // elements of what is computed for hyperparameters

bool may_fail(const Node& node) {
    if (node.kind != NodeKind::op) return false;
    if (node.op->describe_error) return true;
    if (!node.attrs.has("body")) return false;
    const std::vector<Node>& body = node.attrs.body("body").graph.nodes;
    return std::any_of(body.begin(), body.end(), may_fail);
}

// Lists of n inputs each that follow some scalars; the first list is of the variables themselves.
struct Lists {
    int scalars, n, count;
    explicit Lists(const Node& node)
        : scalars(
              int(std::find(node.changes.begin(), node.changes.end(), 1) - node.changes.begin())),
          n(int(node.attrs.i("n"))),
          count(n > 0 ? (int(node.in.size()) - scalars) / n : 0) {}
    size_t at(int list, int item) const { return size_t(scalars + list * n + item); }
};

bool is_update(const Node& node) {
    return node.effect() && (node.op->flags & kLists) && node.attrs.i("n") > 0;
}

class EarlyUpdates {
  public:
    explicit EarlyUpdates(Graph& graph) : graph_(graph) {}

    void run() {
        const auto begin = graph_.nodes.begin(), end = graph_.nodes.end();
        if (std::none_of(begin, end, [&](const Node& node) { return has_large(node); })) return;
        hoist();
        find_readers();
        for (int i = 0; i < size(); ++i)
            if (has_large(graph_.nodes[size_t(i)])) split(i);
        if (!parts_.empty()) insert();
    }

  private:
    struct Part {
        Node node;
        int update;  // that it was taken from
        int behind;  // position
    };
    int size() const { return int(graph_.nodes.size()); }
    bool large(const Node& update, const Lists& lists, int item) const {
        return graph_.type(update.in[lists.at(0, item)]).bytes() >= kLarge;
    }
    bool has_large(const Node& node) const {
        if (!is_update(node)) return false;
        const Lists lists(node);
        for (int i = 0; i < lists.n; ++i)
            if (large(node, lists, i)) return true;
        return false;
    }

    // Variables and constants take no time, and hyperparameters come from them: they stand first.
    void hoist() {
        const int n = size();
        std::vector<char> first(size_t(n), 0), wanted(size_t(n), 0);
        for (const Node& node : graph_.nodes)
            if (is_update(node))
                for (int k = 0; k < Lists(node).scalars; ++k) wanted[size_t(node.in[k].node)] = 1;
        for (int i = n - 1; i >= 0; --i)
            if (wanted[size_t(i)])
                for (const Operand& v : graph_.nodes[size_t(i)].in) wanted[size_t(v.node)] = 1;
        for (int i = 0; i < n; ++i) {
            const Node& node = graph_.nodes[size_t(i)];
            const auto few = [&](const TensorType& t) { return volume(t.shape) <= kFew; };
            const auto is_first = [&](const Operand& v) { return first[size_t(v.node)]; };
            if (!node.computed())
                first[size_t(i)] = node.after < 0;
            else
                first[size_t(i)] = wanted[size_t(i)] && !node.effect() && !may_fail(node) &&
                                   std::all_of(node.out.begin(), node.out.end(), few) &&
                                   std::all_of(node.in.begin(), node.in.end(), is_first);
        }
        std::vector<int> order;
        for (const char now : {1, 0})
            for (int i = 0; i < n; ++i)
                if (first[size_t(i)] == now) order.push_back(i);
        rebuild(graph_, order, {});
    }

    // The node whose memory a value lies in.
    int root(Operand v) const {
        while (graph_.nodes[size_t(v.node)].alias() && v.output == 0)
            v = graph_.nodes[size_t(v.node)].in[0];
        return v.node;
    }

    void find_readers() {
        readers_.resize(size_t(size()));
        for (int i = 0; i < size(); ++i)
            for (const Operand& v : graph_.nodes[size_t(i)].in) {
                std::vector<int>& list = readers_[size_t(root(v))];
                if (list.empty() || list.back() != i) list.push_back(i);
            }
    }

    // The last node before position `end` that finds an error which none before it would find.
    int last_check(int end) const {
        struct Check {
            Operand operand;
            IndexCheck range;
        };
        std::vector<Check> done;
        int last = -1;
        for (int i = 0; i < end; ++i) {
            const Node& node = graph_.nodes[size_t(i)];
            if (!may_fail(node)) continue;
            if (node.op->checks) {
                std::vector<TensorType> types;
                for (const Operand& v : node.in) types.push_back(graph_.type(v));
                const IndexCheck mine = node.op->checks(types, node.attrs);
                const Operand operand = node.in[size_t(mine.operand)];
                const bool known = std::any_of(done.begin(), done.end(), [&](const Check& c) {
                    return c.operand == operand && c.range.low >= mine.low &&
                           c.range.high <= mine.high;
                });
                if (known) continue;
                done.push_back({operand, mine});
            }
            last = i;
        }
        return last;
    }

    // Where an update of item `item` can stand: behind the last of these.
    int ready(int update, const Lists& lists, int item, int last) const {
        const Node& node = graph_.nodes[size_t(update)];
        for (int k = 0; k < lists.scalars; ++k) last = std::max(last, node.in[size_t(k)].node);
        for (int list = 0; list < lists.count; ++list) {
            const size_t k = lists.at(list, item);
            last = std::max(last, node.in[k].node);
            if (!node.changes[k]) continue;
            for (int reader : readers_[size_t(node.in[k].node)])
                if (reader < update) last = std::max(last, reader);
        }
        while (last + 1 < update && may_pair(graph_.nodes[size_t(last + 1)])) ++last;
        return last;
    }

    static Node take(const Node& update, const Lists& lists, const std::vector<int>& items) {
        Node node{.kind = NodeKind::op, .op = update.op, .attrs = update.attrs};
        node.attrs.set("n", int64_t(items.size()));
        const auto add = [&](size_t k) {
            node.in.push_back(update.in[k]);
            node.changes.push_back(update.changes[k]);
        };
        for (int k = 0; k < lists.scalars; ++k) add(size_t(k));
        for (int list = 0; list < lists.count; ++list)
            for (int item : items) add(lists.at(list, item));
        return node;
    }

    void split(int update) {
        const Node whole = graph_.nodes[size_t(update)];
        const Lists lists(whole);
        const int check = last_check(update);
        std::map<int, std::vector<int>> places;  // what stands together is one instruction
        std::vector<int> rest;
        for (int i = 0; i < lists.n; ++i)
            if (large(whole, lists, i))
                places[ready(update, lists, i, check)].push_back(i);
            else
                rest.push_back(i);
        for (const auto& [behind, items] : places)
            parts_.push_back({take(whole, lists, items), update, behind});
        graph_.nodes[size_t(update)] = take(whole, lists, rest);
    }

    void insert() {
        const int n = size();
        std::stable_sort(parts_.begin(), parts_.end(),
                         [](const Part& a, const Part& b) { return a.behind < b.behind; });
        std::vector<int> order;
        size_t next = 0;
        for (int i = 0; i < n; ++i) {
            const Node& node = graph_.nodes[size_t(i)];
            if (!(node.effect() && (node.op->flags & kLists)) || node.attrs.i("n") > 0)
                order.push_back(i);
            for (; next < parts_.size() && parts_[next].behind == i; ++next)
                order.push_back(n + int(next));
        }
        for (Part& part : parts_) graph_.nodes.push_back(std::move(part.node));
        for (Node& node : graph_.nodes)
            if (node.after >= 0) node.after = changer(node, n);
        rebuild(graph_, order, {});
    }

    // The part of an update that changes the variable `read`, which was read after the update.
    int changer(const Node& read, int n) const {
        for (size_t p = 0; p < parts_.size(); ++p) {
            if (parts_[p].update != read.after) continue;
            const Node& part = graph_.nodes[size_t(n) + p];
            for (size_t k = 0; k < part.in.size(); ++k)
                if (part.changes[k] &&
                    graph_.nodes[size_t(part.in[k].node)].variable == read.variable)
                    return n + int(p);
        }
        return read.after;
    }

    Graph& graph_;
    std::vector<std::vector<int>> readers_;  // [variable node]
    std::vector<Part> parts_;
};
}  // namespace

void update_early(Graph& graph) { EarlyUpdates(graph).run(); }

}  // namespace hb
