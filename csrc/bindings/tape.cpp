#include "core/tape.h"

#include "bindings/bindings.h"

namespace hb {

namespace {
// A tape and whether it records now.
class RecordingTape {
  public:
    RecordingTape(bool persistent, bool watch_variables)
        : tape_(watch_variables), persistent_(persistent) {}
    ~RecordingTape() { std::erase(active_tapes(), &tape_); }

    void start() {
        if (recording_) fail_value("GradientTape: already recording.");
        active_tapes().push_back(&tape_);
        recording_ = true;
    }
    void stop() {
        std::erase(active_tapes(), &tape_);
        recording_ = false;
    }

    void watch(py::handle object) {
        if (py::isinstance<Variable>(object)) {
            const auto variable = py::cast<VariablePtr>(object);
            tape_.watch(variable);
            return;
        }
        if (!py::isinstance<Tensor>(object))
            fail_type("GradientTape.watch: expected Tensors or Variables. Received: {}.",
                      std::string(py::str(py::repr(object))).substr(0, 200));
        const auto tensor = py::cast<Tensor>(object);
        if (!is_float(tensor.dtype()))
            fail_value("GradientTape.watch: only float tensors have gradients. Received: dtype {}.",
                       tensor.dtype());
        tape_.watch(tensor);
    }

    py::list gradient(const std::vector<Tensor>& targets, const py::list& seeds,
                      const py::list& sources) {
        if (used_ && !persistent_)
            fail_value(
                "GradientTape.gradient can be called once on a tape that is not persistent. "
                "Use GradientTape(persistent=True) to call it again.");
        used_ = true;
        std::vector<Tensor> seed_tensors;
        for (size_t i = 0; i < targets.size(); ++i) {
            Tensor seed;
            if (i < seeds.size() && !seeds[i].is_none()) {
                seed = cast(to_tensor(seeds[i]), targets[i].dtype());
                if (seed.shape() != targets[i].shape())
                    fail_value(
                        "GradientTape.gradient: output_gradients[{}] has shape {} but the target "
                        "has "
                        "shape {}.",
                        i, seed.shape(), targets[i].shape());
            }
            seed_tensors.push_back(seed);
        }
        std::vector<EffectInput> inputs;
        for (py::handle source : sources) {
            if (py::isinstance<Variable>(source))
                inputs.push_back({{}, py::cast<VariablePtr>(source)});
            else
                inputs.push_back({py::cast<Tensor>(source), nullptr});
        }
        std::vector<Tensor> result;
        {
            py::gil_scoped_release release;
            result = tape_.gradient(targets, seed_tensors, inputs);
            if (!persistent_) tape_.clear();
        }
        py::list list;
        for (const Tensor& tensor : result)
            list.append(tensor.defined() ? py::cast(tensor) : py::none());
        return list;
    }

    void reset() {
        tape_.clear();
        used_ = false;
    }

  private:
    Tape tape_;
    bool persistent_, recording_ = false, used_ = false;
};

// Python's function as a rule. Gradients that did not come are zeros; it is called under the lock.
Tape::Rule rule_of(const py::function& function, const std::vector<Tensor>& out) {
    const auto held = std::shared_ptr<py::function>(new py::function(function), [](auto* f) {
        py::gil_scoped_acquire gil;
        delete f;
    });
    return [held, out](const std::vector<Tensor>& dout) {
        py::gil_scoped_acquire gil;
        py::list given;
        for (size_t i = 0; i < out.size(); ++i)
            given.append(dout[i].defined() ? dout[i] : zeros_like(out[i]));
        std::vector<Tensor> din;
        for (py::handle gradient : py::cast<py::list>((*held)(given)))
            din.push_back(gradient.is_none() ? Tensor() : to_tensor(gradient));
        return din;
    };
}

// `with no_tape():` nothing inside is recorded for differentiation.
class NoTape {
  public:
    void enter() { tapes_.swap(active_tapes()); }
    void exit() { tapes_.swap(active_tapes()); }

  private:
    std::vector<Tape*> tapes_;
};
}  // namespace

void register_tape(py::module_& m) {
    m.def(
        "num_tapes", [] { return active_tapes().size(); },
        "How many tapes record on this thread now.");
    m.def(
        "record_custom",
        [](const std::vector<Tensor>& in, const std::vector<Tensor>& out,
           const py::function& function) {
            if (active_tapes().empty()) return;
            const Tape::Rule rule = rule_of(function, out);
            for (Tape* tape : active_tapes()) tape->record(rule, in, out);
        },
        py::arg("inputs"), py::arg("outputs"), py::arg("gradient"),
        "Tells the tapes how the outputs' gradients become those of the inputs: a list each.");
    py::class_<NoTape>(m, "no_tape")
        .def(py::init<>())
        .def("__enter__", &NoTape::enter)
        .def("__exit__", [](NoTape& scope, const py::args&) { scope.exit(); });
    py::class_<RecordingTape>(m, "Tape")
        .def(py::init<bool, bool>(), py::arg("persistent"), py::arg("watch_variables"))
        .def("start", &RecordingTape::start)
        .def("stop", &RecordingTape::stop)
        .def("watch", &RecordingTape::watch)
        .def("reset", &RecordingTape::reset)
        .def("gradient", &RecordingTape::gradient);
}

}  // namespace hb
