// Tracing and running programs.
#include "program/program.h"

#include "bindings/bindings.h"
#include "program/loop.h"
#include "program/resize.h"

namespace hb {

namespace {
class PyTrace {
  public:
    PyTrace() : tapes_(std::move(active_tapes())), trace_(std::make_unique<Trace>()) {
        active_tapes().clear();
    }
    ~PyTrace() { leave(); }

    Tensor input(const std::vector<int64_t>& shape, const std::string& dtype) {
        return trace().input({dtype_from_name(dtype), Shape(shape)});
    }
    std::shared_ptr<Program> compile(const std::vector<Tensor>& outputs,
                                     std::shared_ptr<Arenas> arenas, bool keep) {
        Graph graph = trace().finish(outputs);
        leave();
        if (keep) recorded_ = std::make_shared<Graph>(graph);
        py::gil_scoped_release release;
        if (!arenas) arenas = std::make_shared<Arenas>();
        return std::make_shared<Program>(std::move(graph), std::move(arenas));
    }
    void leave() {
        if (!trace_) return;
        trace_.reset();
        active_tapes() = std::move(tapes_);
    }

    // What was compiled with `keep`.
    std::shared_ptr<Graph> recorded() const { return recorded_; }

  private:
    Trace& trace() {
        if (!trace_) fail_value("Trace: it has ended.");
        return *trace_;
    }
    std::vector<Tape*> tapes_;
    std::unique_ptr<Trace> trace_;
    std::shared_ptr<Graph> recorded_;
};

// The Program for inputs of these types; None where they need a trace of their own.
std::shared_ptr<Program> resized(
    const Resizable& traces, const std::vector<std::pair<std::vector<int64_t>, std::string>>& specs,
    std::shared_ptr<Arenas> arenas) {
    std::vector<TensorType> types;
    for (const auto& [shape, dtype] : specs)
        types.push_back({dtype_from_name(dtype), Shape(shape)});
    py::gil_scoped_release release;
    std::optional<Graph> graph = traces.resized(types);
    if (!graph) return nullptr;
    return std::make_shared<Program>(std::move(*graph), std::move(arenas));
}

py::list to_list(const std::vector<Tensor>& tensors) {
    py::list list(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) list[i] = py::cast(tensors[i]);
    return list;
}

py::list run(Program& program, const std::vector<Tensor>& inputs) {
    std::vector<Tensor> outputs;
    {
        py::gil_scoped_release release;
        outputs = program.run(inputs);
    }
    return to_list(outputs);
}

py::tuple run_steps(Program& program, const std::vector<Tensor>& sources, const py::object& rows,
                    int64_t first, int64_t steps, const std::vector<py::object>& collect) {
    Feed feed{sources, nullptr, first, {}};
    Tensor index;
    if (!rows.is_none()) {
        index = to_tensor(rows);
        if (index.dtype() != DType::i64 || index.ndim() != 1)
            fail_type("Program.run_steps: rows must be a 1-d int64 array.");
        feed.rows = index.as<int64_t>();
    }
    for (const py::object& target : collect)
        feed.collect.push_back(target.is_none() ? Tensor() : array_to_tensor(target));
    const int64_t batch = program.num_inputs() ? program.input_type(0).shape[0] : 0;
    const int64_t need = first + steps * batch;
    if (feed.rows && index.size() < need)
        fail_value("Program.run_steps: {} rows are needed. Received: {}.", need, index.size());
    for (const Tensor& source : sources) {
        const int64_t have = source.ndim() ? source.shape()[0] : 0;
        if (!feed.rows && have < need)
            fail_value("Program.run_steps: {} rows are needed. Received: an array of {}.", need,
                       have);
        if (feed.rows)
            for (int64_t i = first; i < need; ++i)
                if (feed.rows[i] < 0 || feed.rows[i] >= have)
                    fail_index("Program.run_steps: row {} of an array of {} rows.", feed.rows[i],
                               have);
    }
    bool interrupted = false;
    const auto keep_going = [&] {
        py::gil_scoped_acquire gil;
        interrupted = PyErr_CheckSignals() != 0;
        return !interrupted;
    };
    std::vector<Tensor> last;
    int64_t done = 0;
    {
        py::gil_scoped_release release;
        done = program.run_steps(feed, steps, keep_going, &last);
    }
    if (interrupted) throw py::error_already_set();
    return py::make_tuple(done, to_list(last));
}
std::vector<Tensor> to_tensors(py::handle list) {
    std::vector<Tensor> tensors;
    for (py::handle object : list) tensors.push_back(to_tensor(object));
    return tensors;
}

py::tuple scan(const py::function& step, const py::sequence& carry, const py::sequence& xs,
               int64_t length, bool reverse) {
    const std::vector<Tensor> first = to_tensors(carry), sequences = to_tensors(xs);
    if (length < 0) fail_value("scan: length must not be negative. Received: {}.", length);
    for (const Tensor& x : sequences)
        if (x.ndim() == 0 || x.shape()[0] != length)
            fail_value("scan: every sequence must have {} steps. Received: shape {}.", length,
                       x.shape());
    std::shared_ptr<const LoopBody> body;
    std::vector<Tensor> captured;
    {
        Trace trace(Trace::Captures{});
        std::vector<Tensor> state, slices;
        for (const Tensor& c : first) state.push_back(trace.input(c.type()));
        for (const Tensor& x : sequences) {
            const std::vector<int64_t> dims(x.shape().begin() + 1, x.shape().end());
            slices.push_back(trace.input({x.dtype(), Shape(dims)}, true));
        }
        const py::tuple result = step(to_list(state), to_list(slices));
        std::vector<Tensor> next = to_tensors(result[0]);
        const std::vector<Tensor> stacked = to_tensors(result[1]);
        if (next.size() != first.size())
            fail_value("scan: a step must return {} carried values. Received: {}.", first.size(),
                       next.size());
        for (size_t k = 0; k < next.size(); ++k)
            if (next[k].type() != first[k].type())
                fail_value(
                    "scan: carried value {} has shape {} and dtype {} at first. "
                    "A step returned: shape {}, dtype {}.",
                    k, first[k].shape(), first[k].dtype(), next[k].shape(), next[k].dtype());
        next.insert(next.end(), stacked.begin(), stacked.end());
        Graph graph = trace.finish(next);
        captured = trace.captured();
        body = LoopBody::make(std::move(graph), int(first.size()), int(sequences.size()),
                              int(captured.size()));
    }
    std::vector<Tensor> outputs;
    {
        py::gil_scoped_release release;
        outputs = run_loop(body, first, sequences, captured, length, reverse);
    }
    const auto middle = outputs.begin() + std::ptrdiff_t(first.size());
    return py::make_tuple(to_list({outputs.begin(), middle}), to_list({middle, outputs.end()}));
}
}  // namespace

void register_program(py::module_& m) {
    py::register_exception<EffectInLoop>(m, "EffectInLoop", PyExc_ValueError);
    m.def(
        "scan", &scan, py::arg("step"), py::arg("carry"), py::arg("xs"), py::arg("length"),
        py::arg("reverse") = false,
        "A loop traced once: step(carry, slices) -> (carry, outputs), for each of `length` steps. "
        "Returns the last carry, and the outputs of all steps, stacked.");
    py::class_<Program, std::shared_ptr<Program>>(m, "Program")
        .def("run", &run, py::arg("inputs"))
        .def(
            "run_steps", &run_steps, py::arg("sources"), py::arg("rows"), py::arg("first"),
            py::arg("steps"), py::arg("collect") = std::vector<py::object>(),
            "Runs steps that take their rows from whole arrays; (steps done, outputs of the last).")
        .def(
            "profile",
            [](Program& program, const std::vector<Tensor>& inputs, int repeats) {
                py::list rows;
                for (const auto& t : program.profile(inputs, repeats))
                    rows.append(py::make_tuple(t.what, t.seconds, t.cost, t.instructions));
                return rows;
            },
            py::arg("inputs"), py::arg("repeats") = 5,
            "(ops, seconds on one thread, estimated cost, instructions) of each node.")
        .def(
            "nodes",
            [](const Program& program) {
                const auto shapes = [](const std::vector<TensorType>& types) {
                    py::list list;
                    for (const TensorType& type : types) {
                        py::tuple shape(type.shape.size());
                        for (int i = 0; i < type.shape.ndim(); ++i)
                            shape[size_t(i)] = type.shape[i];
                        list.append(shape);
                    }
                    return list;
                };
                py::list rows;
                for (const auto& node : program.nodes())
                    rows.append(py::make_tuple(node.ops, shapes(node.in), shapes(node.out)));
                return rows;
            },
            "(ops, shapes of inputs, shapes of outputs) of what is computed.")
        .def_property_readonly("arena_bytes", &Program::arena_bytes)
        .def_property_readonly("num_instructions", &Program::num_instructions)
        .def("describe", &Program::describe);
    py::class_<Arenas, std::shared_ptr<Arenas>>(m, "Arenas").def(py::init<>());
    py::class_<Graph, std::shared_ptr<Graph>>(m, "Graph");
    py::class_<Resizable>(m, "Resizable")
        .def_static("of", &Resizable::of, py::arg("first"), py::arg("second"),
                    "What two traces have in common that differ in one size alone; else None.")
        .def("foretells", &Resizable::foretells, py::arg("third"))
        .def("program", &resized, py::arg("specs"), py::arg("arenas"));
    py::class_<PyTrace>(m, "Trace")
        .def(py::init<>())
        .def("input", &PyTrace::input, py::arg("shape"), py::arg("dtype"))
        .def("compile", &PyTrace::compile, py::arg("outputs"), py::arg("arenas") = nullptr,
             py::arg("keep") = false)
        .def("recorded", &PyTrace::recorded)
        .def("end", &PyTrace::leave);
}

}  // namespace hb
