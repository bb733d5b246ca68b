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
}  // namespace

void register_tape(py::module_& m) {
    m.def(
        "num_tapes", [] { return active_tapes().size(); },
        "How many tapes record on this thread now.");
    py::class_<RecordingTape>(m, "Tape")
        .def(py::init<bool, bool>(), py::arg("persistent"), py::arg("watch_variables"))
        .def("start", &RecordingTape::start)
        .def("stop", &RecordingTape::stop)
        .def("watch", &RecordingTape::watch)
        .def("reset", &RecordingTape::reset)
        .def("gradient", &RecordingTape::gradient);
}

}  // namespace hb
