// A traced step made ready to run: no Python, no allocation and no reference counting per op.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "program/arenas.h"
#include "program/executor.h"
#include "program/inputs.h"
#include "program/plan.h"

namespace hb {

// Data that steps take rows from: source[k] feeds input k.
struct Feed {
    std::vector<Tensor> sources;    // (rows, ...) each; any dtype
    const int64_t* rows = nullptr;  // which rows, in order; null: 0, 1, 2, ...
    int64_t first = 0;              // of rows
    std::vector<Tensor> collect;    // (rows, ...): where output k's rows go; undefined: nowhere
};

class Program {
  public:
    // Runs in memory of its own, or in one that it shares with other programs.
    explicit Program(Graph graph, std::shared_ptr<Arenas> arenas = std::make_shared<Arenas>());

    size_t num_inputs() const { return graph_.inputs.size(); }
    TensorType input_type(size_t k) const;
    const TensorType& output_type(size_t k) const { return graph_.type(graph_.outputs[k]); }
    size_t num_outputs() const { return graph_.outputs.size(); }

    std::vector<Tensor> run(const std::vector<Tensor>& inputs);
    // `steps` steps in one call; input 0's first dimension is the number of rows a step takes.
    // keep_going is asked now and then. Returns the steps done; `last` gets the outputs of the last
    // one.
    int64_t run_steps(const Feed& feed, int64_t steps, const std::function<bool()>& keep_going,
                      std::vector<Tensor>* last);

    struct Timing {
        std::string what;    // ops of the node, and the shape of its first output
        double seconds = 0;  // best of the repeats, one thread
        int64_t cost = 0;    // as the ops estimate it
        int instructions = 0;
    };
    // What each node takes when it runs on one thread. Changes the program's variables as runs do.
    std::vector<Timing> profile(const std::vector<Tensor>& inputs, int repeats);

    struct NodeInfo {
        std::string ops;  // joined by +
        std::vector<TensorType> in, out;
    };
    // What is computed, in order.
    std::vector<NodeInfo> nodes() const;

    size_t arena_bytes() const { return arena_bytes_; }
    size_t num_instructions();
    std::string describe() const;

  private:
    struct Instance {  // what one run at a time needs
        Arenas::ArenaPtr arena;
        const char* base = nullptr;    // of the arena when the list was made
        std::unique_ptr<Buffer> kept;  // what is hoisted
        InstrList list, hoisted;       // hoisted: once, until an invariant variable changes
        std::optional<std::vector<uint64_t>> versions;  // of the variables when it ran
        size_t first_effect = 0;
        std::vector<int> owner;              // node of each instruction
        std::vector<const void*> variables;  // memory of each variable when the list was made
        InstrList loads;                     // of large inputs, before the list
        std::vector<Rows*> inputs;
        std::vector<const char*> outputs;
        int threads = 0;
        const KernelTable* kernels = nullptr;

        Job job() const { return {&list, first_effect, &loads}; }
    };
    // One instance for the time of a call: calls from several threads do not meet.
    class Lease {
      public:
        explicit Lease(Program& program) : program_(program), instance_(program.acquire()) {}
        ~Lease() { program_.release(std::move(instance_)); }
        Instance& operator*() { return *instance_; }

      private:
        Program& program_;
        std::unique_ptr<Instance> instance_;
    };

    void find_invariant();
    std::unique_ptr<Instance> acquire();
    void release(std::unique_ptr<Instance> instance);
    bool up_to_date(Instance& instance);
    void run_hoisted(Instance& instance);
    void emit(Instance& instance);
    void* address(const Instance& instance, const Place& place) const;
    void emit_node(size_t i, Instance& instance, InstrList& list, int shares, const Plan* plan,
                   size_t* workspace);
    static void load(Instance& instance, const std::vector<Tensor>& sources, const int64_t* rows,
                     int64_t first);
    std::vector<Tensor> outputs_of(const Instance& instance) const;
    void check_inputs(const std::vector<Tensor>& inputs) const;

    Graph graph_;
    std::vector<std::pair<VariablePtr, bool>> variables_;  // and whether the program changes them
    std::vector<int> variable_slot_;                       // [node]
    std::vector<char> invariant_;                          // [node]
    size_t arena_bytes_ = 0;
    std::shared_ptr<Arenas> arenas_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Instance>> idle_;
};

}  // namespace hb
