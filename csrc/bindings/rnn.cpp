// Steps of recurrent cells on NumPy arrays.
#include "bindings/bindings.h"
#include "program/rnn_step.h"

namespace hb {

namespace {
constexpr int64_t kReleaseFrom = 1 << 16;  // weights: a step of so many is worth giving up the GIL

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

void run(const RnnStep& s) {
    if ((s.inputs + s.u) * rnn_gates(s.cell) * s.u < kReleaseFrom) return rnn_step(s);
    py::gil_scoped_release release;
    rnn_step(s);
}

struct Arrays {
    py::handle x, h, c, w, r, b;
};

// Arrays that fit are used where they lie, without a tensor made of each: that would take as long
// as a small step. False: one does not, or has to be looked at more closely.
class Views {
  public:
    bool fill(RnnStep& s, const Arrays& of) {
        static PyObject* const f32 = py::dtype::of<float>().release().ptr();
        static PyObject* const f64 = py::dtype::of<double>().release().ptr();
        if (!is_array(of.h)) return false;
        dtype_ = array(of.h)->descr;
        if ((dtype_ != f32 && dtype_ != f64) || array(of.h)->nd != 2) return false;
        s.dtype = dtype_ == f32 ? DType::f32 : DType::f64;
        s.n = array(of.h)->dimensions[0], s.u = array(of.h)->dimensions[1];
        if (!is_array(of.x) || array(of.x)->nd != 2) return false;
        s.inputs = array(of.x)->dimensions[1];
        const int64_t width = rnn_gates(s.cell) * s.u;
        s.h = memory(of.h, s.n, s.u, kChanged), s.x = memory(of.x, s.n, s.inputs, 0);
        s.w = memory(of.w, s.inputs, width, 0), s.r = memory(of.r, s.u, width, 0);
        if (s.cell == kLstm) s.c = memory(of.c, s.n, s.u, kChanged);
        const bool biases = !of.b.is_none();
        if (biases) s.bias = memory(of.b, s.cell == kGruAfter ? 2 : -1, width, 0);
        if (biases && s.cell == kGruAfter)
            s.recurrent_bias = static_cast<const char*>(s.bias) + width * size_of(s.dtype);
        return all_fit_ && s.c != s.h;
    }

  private:
    using Api = py::detail::npy_api;
    static constexpr int kAny = Api::NPY_ARRAY_C_CONTIGUOUS_ | Api::NPY_ARRAY_ALIGNED_;
    static constexpr int kChanged = Api::NPY_ARRAY_WRITEABLE_;

    static bool is_array(py::handle object) { return py::isinstance<py::array>(object); }
    static const py::detail::PyArray_Proxy* array(py::handle object) {
        return py::detail::array_proxy(object.ptr());
    }
    // Of shape (rows, columns), or without rows (-1) of (columns).
    void* memory(py::handle object, int64_t rows, int64_t columns, int flags) {
        const int nd = rows < 0 ? 1 : 2;
        const auto fits = [&](const py::detail::PyArray_Proxy* a) {
            return a->descr == dtype_ && a->nd == nd && a->dimensions[nd - 1] == columns &&
                   (rows < 0 || a->dimensions[0] == rows) &&
                   (a->flags & (kAny | flags)) == (kAny | flags);
        };
        all_fit_ = all_fit_ && is_array(object) && fits(array(object));
        return all_fit_ ? array(object)->data : nullptr;
    }

    PyObject* dtype_ = nullptr;
    bool all_fit_ = true;
};

void step(const char* function, RnnCell kind, const Arrays& arrays) {
    const auto& [x, h, c, w, r, b] = arrays;
    RnnStep seen{};
    seen.cell = kind;
    if (Views().fill(seen, arrays)) return run(seen);
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
    run(s);
}
}  // namespace

void register_rnn(py::module_& m) {
    using H = py::handle;  // six arguments at most: pybind11 keeps those without allocating
    m.def(
        "lstm_step",
        [](H x, H h, H c, H w, H r, H b) { step("lstm_step", kLstm, {x, h, c, w, r, b}); },
        py::arg("x"), py::arg("h"), py::arg("c"), py::arg("w"), py::arg("r"), py::arg("b"),
        "One step on NumPy arrays; h and c in place.");
    m.def(
        "gru_step",
        [](H x, H h, H w, H r, H b, bool after) {
            step("gru_step", after ? kGruAfter : kGruBefore, {x, h, {}, w, r, b});
        },
        py::arg("x"), py::arg("h"), py::arg("w"), py::arg("r"), py::arg("b"),
        py::arg("reset_after"), "One step on NumPy arrays; h in place.");
    m.def(
        "rnn_step",
        [](H x, H h, H w, H r, H b, bool relu) {
            step("rnn_step", relu ? kRnnRelu : kRnnTanh, {x, h, {}, w, r, b});
        },
        py::arg("x"), py::arg("h"), py::arg("w"), py::arg("r"), py::arg("b"), py::arg("relu"),
        "One step of tanh or ReLU on NumPy arrays; h in place.");
}

}  // namespace hb
