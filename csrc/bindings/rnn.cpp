// Steps of recurrent cells on NumPy arrays.
#include "bindings/bindings.h"
#include "program/rnn_step.h"

namespace hb {

namespace {
constexpr int64_t kReleaseFrom = 1 << 16;  // weights: a step of so many is worth giving up the GIL

struct Names {
    const char* function;
    RnnCell cell;
};

Names named(const std::string& cell) {
    if (cell == "lstm") return {"lstm_step", kLstm};
    if (cell == "gru") return {"gru_step", kGruAfter};
    if (cell == "gru_before") return {"gru_step", kGruBefore};
    return {"rnn_step", cell == "relu" ? kRnnRelu : kRnnTanh};
}

// Read where it lies: a copy of the weights at each step would cost more than the step.
Tensor operand(const char* function, const char* name, py::handle object, const Tensor& h,
               const Shape& wanted) {
    const auto array = py::reinterpret_borrow<py::array>(object);
    if (!py::isinstance<py::array>(object) || !(array.flags() & py::array::c_style))
        fail_type("{}: {} must be a C-contiguous NumPy array.", function, name);
    Tensor tensor = array_to_tensor(object);
    if (tensor.dtype() != h.dtype())
        fail_type("{}: {} must be {}, as h is. Received: {}.", function, name,
                  dtype_name(h.dtype()), dtype_name(tensor.dtype()));
    if (tensor.shape() != wanted)
        fail_value("{}: {} needs the shape {}. Received: {}.shape={}, h.shape={}.", function, name,
                   wanted, name, tensor.shape(), h.shape());
    return tensor;
}

Tensor state(const char* function, const char* name, py::handle object) {
    if (!py::isinstance<py::array>(object))
        fail_type("{}: {} must be a NumPy array: it is changed in place.", function, name);
    return array_in_place(object, std::string(function) + ": " + name, -1);
}

void step(const std::string& cell, py::handle x, py::handle h, py::handle c, py::handle w,
          py::handle r, py::handle b) {
    const auto [function, kind] = named(cell);
    const Tensor hidden = state(function, "h", h);
    if (hidden.ndim() != 2)
        fail_value("{}: h needs the shape (batch, units). Received: h.shape={}.", function,
                   hidden.shape());
    const int64_t n = hidden.shape()[0], u = hidden.shape()[1], width = rnn_gates(kind) * u;
    const auto xs = py::reinterpret_borrow<py::array>(x);
    if (!py::isinstance<py::array>(x) || xs.ndim() != 2)
        fail_value("{}: x must be a NumPy array (batch, features).", function);
    const int64_t features = int64_t(xs.shape(1));
    const Tensor input = operand(function, "x", x, hidden, {n, features});
    const Tensor kernel = operand(function, "w", w, hidden, {features, width});
    const Tensor recurrent = operand(function, "r", r, hidden, {u, width});
    Tensor inner, bias;
    if (kind == kLstm) {
        inner = state(function, "c", c);
        operand(function, "c", c, hidden, hidden.shape());
        if (inner.data() == hidden.data()) fail_value("{}: h and c must be two arrays.", function);
    }
    if (!b.is_none())
        bias =
            operand(function, "b", b, hidden, kind == kGruAfter ? Shape{2, width} : Shape{width});
    RnnStep s{};
    s.cell = kind, s.dtype = hidden.dtype();
    s.n = n, s.inputs = features, s.u = u;
    s.x = input.data(), s.w = kernel.data(), s.r = recurrent.data();
    s.h = hidden.data();
    if (inner.defined()) s.c = inner.data();
    if (bias.defined()) s.bias = bias.data();
    if (bias.defined() && kind == kGruAfter)
        s.recurrent_bias =
            static_cast<const char*>(s.bias) + size_t(width) * dtype_size(hidden.dtype());
    if ((features + u) * width < kReleaseFrom) return rnn_step(s);
    py::gil_scoped_release release;
    rnn_step(s);
}
}  // namespace

void register_rnn(py::module_& m) {
    m.def("rnn_step", &step, py::arg("cell"), py::arg("x"), py::arg("h"), py::arg("c"),
          py::arg("w"), py::arg("r"), py::arg("b"),
          "One step of 'lstm', 'gru', 'gru_before', 'tanh' or 'relu' on NumPy arrays; h and c in "
          "place.");
}

}  // namespace hb
