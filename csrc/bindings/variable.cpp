// The base of hb.Variable, and of everything that a step changes.
#include <cstring>

#include "bindings/bindings.h"

namespace hb {

namespace {
const OpDef& assign_op() { return op_def(Op::assign); }

void assign(const VariablePtr& self, Tensor value, const char* how) {
    if (value.shape() != self->type().shape)
        fail_value("Variable.{}: the variable has shape {}. Received: a value of shape {}.", how,
                   self->type().shape, value.shape());
    value = cast(value, self->type().dtype);
    if (current_overlay())
        current_overlay()->set(self, value);
    else if (current_recorder())
        apply_effect(assign_op(), {{{}, self}, {value, nullptr}}, {});
    else
        self->assign(value);
}

Tensor operand(const VariablePtr& self, py::handle value) {
    const DType dtype = self->type().dtype;
    return cast(to_tensor(value, is_python_scalar(value) ? &dtype : nullptr), dtype);
}

template <Op op>
void assign_changed(const VariablePtr& self, py::handle value) {
    assign(self, apply1(op, {self->read(), operand(self, value)}),
           op == Op::add ? "assign_add" : "assign_sub");
}

// An overlay and what it took the place of.
class ScopedOverlay {
  public:
    void start() {
        before_ = current_overlay();
        current_overlay() = &overlay_;
    }
    void stop() { current_overlay() = before_; }
    void set(const VariablePtr& variable, py::handle value) {
        const Tensor tensor = cast(to_tensor(value), variable->type().dtype);
        if (tensor.shape() != variable->type().shape)
            fail_value("StatelessScope: the variable has shape {}. Received: a value of shape {}.",
                       variable->type().shape, tensor.shape());
        overlay_.set(variable, tensor);
    }
    py::object get(const VariablePtr& variable) const {
        const Tensor value = overlay_.get(variable);
        return value.defined() ? py::cast(value) : py::none();
    }

  private:
    Overlay overlay_;
    Overlay* before_ = nullptr;
};
// A copy on the boundaries of cache lines, where NumPy's own begin anywhere: who reads weights
// again and again, as the steps of cells do, is faster.
py::object numpy_copy(Variable& v) {
    const Tensor seen = v.seen();
    if (seen.symbolic()) return py::cast(seen).attr("numpy")();  // which is an error
    Tensor copy(seen.type());
    if (const size_t bytes = seen.type().bytes()) std::memcpy(copy.data(), seen.data(), bytes);
    return py::cast(std::move(copy)).attr("numpy")();
}

}  // namespace

void register_variable(py::module_& m) {
    py::class_<Variable, VariablePtr>(m, "Variable", py::dynamic_attr())
        .def(py::init([](py::handle value, const py::object& dtype, bool trainable) {
                 Tensor initial = make_tensor(value, dtype);
                 initial.data();  // a traced value cannot start a variable
                 return std::make_shared<Variable>(initial, trainable);
             }),
             py::arg("value"), py::arg("dtype") = py::none(), py::arg("trainable") = true)
        .def_static(
            "over", [](py::handle array) { return Variable::over(array_to_tensor(array)); },
            py::arg("array"), "A variable whose memory is the array's.")
        .def_property_readonly("shape",
                               [](const Variable& v) {
                                   const Shape& shape = v.type().shape;
                                   py::tuple result(shape.size());
                                   for (int i = 0; i < shape.ndim(); ++i)
                                       result[size_t(i)] = shape[i];
                                   return result;
                               })
        .def_property_readonly(
            "dtype",  // what a read gives now
            [](const Variable& v) {
                const std::optional<DType> other = autocast_dtype();
                const DType own = v.type().dtype;
                return dtype_name(other && v.autocast && is_float(own) ? *other : own);
            })
        .def_property_readonly("ndim", [](const Variable& v) { return v.type().shape.ndim(); })
        .def_property_readonly("size", [](const Variable& v) { return volume(v.type().shape); })
        .def_property_readonly("value", &Variable::read)
        .def_property_readonly("_now", &Variable::value)
        .def_readwrite("_trainable", &Variable::trainable)
        .def_readwrite("autocast", &Variable::autocast)
        .def("_assign", [](const VariablePtr& self,
                           py::handle value) { assign(self, operand(self, value), "assign"); })
        .def("_assign_add", &assign_changed<Op::add>)
        .def("_assign_sub", &assign_changed<Op::sub>)
        .def("numpy", &numpy_copy)
        .def(
            "__array__",
            [](Variable& v, const py::object& dtype, const py::object& copy) {
                return py::cast(v.seen()).attr("__array__")(dtype, copy);
            },
            py::arg("dtype") = py::none(), py::arg("copy") = py::none())
        .def("__float__", [](Variable& v) { return py::float_(py::cast(v.seen())); })
        .def("__int__", [](Variable& v) { return py::int_(py::cast(v.seen())); })
        .def("__bool__", [](Variable& v) { return py::cast<bool>(py::bool_(py::cast(v.seen()))); })
        .def("__len__", [](const Variable& v) {
            if (v.type().shape.empty()) fail_type("A 0-d variable has no length.");
            return v.type().shape[0];
        });
    m.def(
        "any_half",
        [](const py::sequence& variables) {
            for (py::handle object : variables) {
                const Variable* variable = plain_variable(object);
                if (is_half(variable
                                ? variable->type().dtype
                                : dtype_from_name(py::cast<std::string>(object.attr("dtype")))))
                    return true;
            }
            return false;
        },
        py::arg("variables"), "Whether one of the variables is stored as float16 or bfloat16.");
    py::class_<ScopedOverlay>(m, "Overlay")
        .def(py::init<>())
        .def("start", &ScopedOverlay::start)
        .def("stop", &ScopedOverlay::stop)
        .def("set", &ScopedOverlay::set)
        .def("get", &ScopedOverlay::get);
    m.def(
        "exchange_autocast",
        [](const py::object& dtype) {
            const std::optional<DType> before = autocast_dtype();
            autocast_dtype().reset();
            if (!dtype.is_none()) autocast_dtype() = dtype_from_name(py::cast<std::string>(dtype));
            return before ? py::object(py::str(dtype_name(*before))) : py::object(py::none());
        },
        py::arg("dtype"),
        "Sets the dtype that this thread reads float Variables in (None: their own); the former.");
}

}  // namespace hb
