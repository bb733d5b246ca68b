// apply(name, inputs, **attrs): the door to every op of the table; and the operators of Tensor.
#include <algorithm>
#include <deque>
#include <utility>

#include "bindings/bindings.h"
#include "kernels/elementwise.h"
#include "program/graph.h"
#include "program/threads.h"

namespace hb {

namespace {
const OpDef& known_op(const std::string& name) {
    if (const OpDef* op = find_op(name)) return *op;
    fail_value("There is no op '{}'.", name);
}

bool is_value(py::handle object) {
    return py::isinstance<Tensor>(object) || py::isinstance<Variable>(object);
}

// Python numbers are weak: they take the dtype of the tensors beside them, an integer one becoming
// float32 beside a float number. So they do in ops that promote, and behind the condition of where.
std::vector<Tensor> to_inputs(const OpDef& op, py::handle list) {
    std::vector<Tensor> inputs;
    const py::sequence objects = py::reinterpret_borrow<py::sequence>(list);
    const size_t n = objects.size(), first = op.ew == int(EwOp::where) ? 1 : 0;
    inputs.reserve(n);
    bool scalars = false;
    for (size_t i = first; i < n; ++i) scalars |= is_python_scalar(py::object(objects[i]));
    if (!scalars || !(op.flags & kPromote || first)) {
        for (size_t i = 0; i < n; ++i) inputs.push_back(to_tensor(py::object(objects[i])));
        return inputs;
    }
    inputs.resize(n);
    if (first) inputs[0] = to_tensor(py::object(objects[0]));
    bool any = false, float_scalar = false;
    DType common = DType::b8;
    for (size_t i = first; i < n; ++i) {
        py::object object = objects[i];
        if (is_python_scalar(object)) {
            float_scalar |= PyFloat_CheckExact(object.ptr());
            continue;
        }
        inputs[i] = to_tensor(object);
        common = any ? promote(common, inputs[i].dtype()) : inputs[i].dtype();
        any = true;
    }
    if (any && float_scalar && !is_float(common)) common = DType::f32;
    for (size_t i = first; i < n; ++i) {
        py::object object = objects[i];
        if (inputs[i].defined()) continue;
        const bool number_beside_bool = common == DType::b8 && !PyBool_Check(object.ptr());
        inputs[i] = to_tensor(object, any && !number_beside_bool ? &common : nullptr);
    }
    return inputs;
}

// Long work lets other Python threads run; handing the lock over costs more than a small op.
constexpr int64_t kReleaseFrom = 1 << 15;

std::vector<Tensor> compute(const OpDef& op, std::vector<Tensor> inputs, const Attrs& attrs) {
    int64_t work = 0;
    for (const Tensor& input : inputs) work += input.size();
    const auto go = [&] {
        if (op.flags & (kPromote | kFloat)) inputs = convert_inputs(op, std::move(inputs));
        return apply(op, std::move(inputs), attrs);
    };
    if (work < kReleaseFrom) return go();
    py::gil_scoped_release release;
    return go();
}

std::string_view text(PyObject* object) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(object, &size);
    if (data == nullptr) throw py::error_already_set();
    return {data, size_t(size)};
}

// apply(name, inputs, /, **attrs). Called for every op of a trace: without pybind11's dispatcher,
// which takes longer than recording one.
PyObject* apply_named(PyObject*, PyObject* const* args, Py_ssize_t n, PyObject* names) {
    try {
        if (n != 2 || !PyUnicode_Check(args[0]) || !PySequence_Check(args[1]))
            fail_type("apply: takes the name of an op and a list of inputs.");
        const OpDef& op = known_op(std::string(text(args[0])));
        Attrs attrs;
        for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_GET_SIZE(names); ++i) {
            std::string name(text(PyTuple_GET_ITEM(names, i)));
            Attrs::Value value = to_attr(name, args[n + i]);
            attrs.set(std::move(name), std::move(value));
        }
        return to_python(compute(op, to_inputs(op, args[1]), attrs)).release().ptr();
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (...) {
        py::detail::try_translate_exceptions();
    }
    return nullptr;
}

// Operands of effects that run at once. Their memory is kept: fresh memory costs more than the
// rest.
class Operands {
  public:
    Operands() : list_(std::exchange(spare(), {})) { list_.clear(); }  // reading may call us again
    ~Operands() { spare() = std::move(list_); }

    void add(const Tensor& tensor) { list_.push_back({tensor.data(), tensor.type()}); }
    void add(Variable& variable) { list_.push_back({variable.mutable_data(), variable.type()}); }
    void add(const EmitOperand& operand) { list_.push_back(operand); }
    // Something that is made for this call alone.
    void keep(Tensor tensor) {
        add(tensor);
        kept_.push_back(std::move(tensor));
    }
    void run(const OpDef& op, const Attrs& attrs) {
        thread_local std::vector<TensorType> types;
        types.clear();
        types.reserve(list_.size());
        for (const EmitOperand& operand : list_) types.push_back(operand.type);
        op.infer({op.name, types, attrs});
        py::gil_scoped_release release;
        run_effect_eager(op, list_, attrs);
    }

  private:
    static std::vector<EmitOperand>& spare() {
        thread_local std::vector<EmitOperand> spare;
        return spare;
    }
    std::vector<EmitOperand> list_;
    std::deque<Tensor> kept_;
};

// Thousands of variables lie all over the memory, each at the end of a chain of pointers: of a
// block of them, each link of all chains is asked for before the next one.
void add_in_blocks(Operands& operands, const py::tuple& inputs) {
    constexpr size_t kBlock = 64;
    const size_t n = inputs.size();
    const auto fetch = [](const void* at, int lines) {
        for (int i = 0; i < lines; ++i) __builtin_prefetch(static_cast<const char*>(at) + 64 * i);
    };
    const auto object = [&](size_t i) { return PyTuple_GET_ITEM(inputs.ptr(), Py_ssize_t(i)); };
    for (size_t first = 0; first < n; first += kBlock) {
        const size_t size = std::min(kBlock, n - first);
        Variable* variables[kBlock];
        const Tensor* tensors[kBlock];
        for (size_t i = first; i < first + size; ++i) fetch(object(i), 1);
        for (size_t i = 0; i < size; ++i) {
            variables[i] = plain_variable(object(first + i));
            tensors[i] = variables[i] ? &variables[i]->value() : exact_tensor(object(first + i));
            if (tensors[i]) fetch(tensors[i], 1);
        }
        for (size_t i = 0; i < size; ++i)
            if (tensors[i]) fetch(&tensors[i]->type(), 3);
        for (size_t i = 0; i < size; ++i)
            if (tensors[i]) fetch(tensors[i]->buffer().get(), 1);
        for (size_t i = 0; i < size; ++i) {
            if (variables[i])
                operands.add(*variables[i]);
            else if (tensors[i])
                operands.add(*tensors[i]);
            else if (py::isinstance<Variable>(object(first + i)))
                operands.add(*py::cast<VariablePtr>(object(first + i)));
            else
                operands.keep(to_tensor(object(first + i)));
        }
    }
}

void update(const std::string& name, const py::sequence& inputs, const py::kwargs& kwargs) {
    const OpDef& op = known_op(name);
    const Attrs attrs = to_attrs(kwargs);
    const py::tuple held(inputs);
    if (!current_recorder() && !current_overlay()) {
        Operands operands;
        add_in_blocks(operands, held);
        return operands.run(op, attrs);
    }
    std::vector<EffectInput> values;
    values.reserve(held.size());
    for (py::handle object : held) {
        if (py::isinstance<Variable>(object))
            values.push_back({{}, py::cast<VariablePtr>(object)});
        else
            values.push_back({to_tensor(object), nullptr});
    }
    py::gil_scoped_release release;
    apply_effect(op, values, attrs);
}

// The same on lists of arrays: `changed` ones are updated in place.
void update_arrays(const std::string& name, const py::sequence& numbers, const py::list& lists,
                   const py::kwargs& kwargs) {
    const OpDef& op = known_op(name);
    Operands operands;
    for (py::handle number : py::list(numbers)) operands.keep(to_tensor(number));
    std::vector<py::list> kept;  // a sequence may make its items when it is asked for them
    ArrayViews views;
    for (py::handle item : lists) {
        const auto list = py::cast<py::tuple>(item);
        const auto label = py::cast<std::string>(list[0]);
        const bool changed = py::cast<bool>(list[2]);
        int64_t i = 0;
        kept.emplace_back(list[1]);
        for (py::handle array : kept.back()) {
            EmitOperand operand{};
            if (views.view(array, changed, &operand))
                operands.add(operand);
            else
                operands.keep(changed ? array_in_place(array, label, i) : to_tensor(array));
            ++i;
        }
    }
    operands.run(op, to_attrs(kwargs));
}

using Operator = py::object (*)(py::handle, py::handle);

template <Op op>
py::object binary(py::handle a, py::handle b) {
    const bool foreign =
        !is_value(b) && !is_python_scalar(b) && PyObject_HasAttrString(b.ptr(), "_is_keras_tensor");
    if (foreign) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
    const OpDef& def = op_def(op);
    return to_python(compute(def, to_inputs(def, py::make_tuple(a, b)), {}));
}

template <Op op>
py::object reflected(py::handle a, py::handle b) {
    return binary<op>(b, a);
}

template <Op op>
py::object unary(py::handle a) {
    const OpDef& def = op_def(op);
    return to_python(compute(def, {to_tensor(a)}, {}));
}

template <class Class>
void add_operators(Class& cls) {
    cls.def("__add__", &binary<Op::add>)
        .def("__radd__", &reflected<Op::add>)
        .def("__sub__", &binary<Op::sub>)
        .def("__rsub__", &reflected<Op::sub>)
        .def("__mul__", &binary<Op::mul>)
        .def("__rmul__", &reflected<Op::mul>)
        .def("__truediv__", &binary<Op::div>)
        .def("__rtruediv__", &reflected<Op::div>)
        .def("__floordiv__", &binary<Op::floor_div>)
        .def("__rfloordiv__", &reflected<Op::floor_div>)
        .def("__mod__", &binary<Op::mod>)
        .def("__rmod__", &reflected<Op::mod>)
        .def("__pow__", &binary<Op::pow>)
        .def("__rpow__", &reflected<Op::pow>)
        .def("__matmul__", &binary<Op::matmul>)
        .def("__rmatmul__", &reflected<Op::matmul>)
        .def("__eq__", &binary<Op::equal>)
        .def("__ne__", &binary<Op::not_equal>)
        .def("__lt__", &binary<Op::less>)
        .def("__le__", &binary<Op::less_equal>)
        .def("__gt__", &binary<Op::greater>)
        .def("__ge__", &binary<Op::greater_equal>)
        .def("__and__", &binary<Op::bitwise_and>)
        .def("__rand__", &reflected<Op::bitwise_and>)
        .def("__or__", &binary<Op::bitwise_or>)
        .def("__ror__", &reflected<Op::bitwise_or>)
        .def("__xor__", &binary<Op::bitwise_xor>)
        .def("__rxor__", &reflected<Op::bitwise_xor>)
        .def("__neg__", &unary<Op::neg>)
        .def("__abs__", &unary<Op::abs>)
        .def("__invert__", &unary<Op::bitwise_not>)
        .def("__hash__", [](py::handle self) { return reinterpret_cast<size_t>(self.ptr()) >> 4; });
}

// `with eager():` ops run at once inside, whatever is being traced or recorded outside.
class EagerScope {
  public:
    void enter() {
        recorder_ = current_recorder();
        current_recorder() = nullptr;
        tapes_.swap(active_tapes());
    }
    void exit() {
        current_recorder() = recorder_;
        tapes_.swap(active_tapes());
    }

  private:
    Recorder* recorder_ = nullptr;
    std::vector<Tape*> tapes_;
};
}  // namespace

void register_apply(py::module_& m) {
    static PyMethodDef apply_def = {
        "apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&apply_named)),
        METH_FASTCALL | METH_KEYWORDS,
        "Computes an op of the table; a Tensor, or a tuple of them."};
    m.attr("apply") = py::reinterpret_steal<py::object>(
        PyCFunction_NewEx(&apply_def, nullptr, py::str("hornbeam._core").ptr()));
    m.def("update", &update, py::arg("name"), py::arg("inputs"),
          "Runs an op that changes the Variables among its inputs in place.");
    m.def("update_arrays", &update_arrays, py::arg("name"), py::arg("numbers"), py::arg("lists"),
          "Runs an op that changes arrays in place: lists of (label, arrays, whether changed).");
    m.def("op_names", [] {
        std::vector<std::string> names;
        for (int i = 0; i < int(Op::count); ++i) names.push_back(op_def(Op(i)).name);
        return names;
    });
    m.def("op_info", [](const std::string& name) {
        const OpDef& op = known_op(name);
        py::dict info;
        info["promote"] = bool(op.flags & kPromote);
        info["float"] = bool(op.flags & kFloat);
        info["alias"] = bool(op.flags & kAlias);
        info["effect"] = bool(op.flags & kEffect);
        info["differentiable"] = op.grad != no_gradient;
        return info;
    });
    m.def(
        "is_recording",
        [] { return current_recorder() || current_overlay() || !active_tapes().empty(); },
        "Whether a trace, a tape or an overlay sees what is computed.");
    m.def("is_tracing", [] { return current_recorder() != nullptr; });

    auto tensor = py::reinterpret_borrow<py::class_<Tensor>>(m.attr("Tensor"));
    auto variable = py::reinterpret_borrow<py::class_<Variable, VariablePtr>>(m.attr("Variable"));
    add_operators(tensor);
    add_operators(variable);
    // `array + tensor` is ours to compute: NumPy's result would be an array that no tape follows.
    tensor.attr("__array_priority__") = 1000;
    variable.attr("__array_priority__") = 1000;

    py::class_<EagerScope>(m, "eager")
        .def(py::init<>())
        .def("__enter__", &EagerScope::enter)
        .def("__exit__", [](EagerScope& scope, const py::args&) { scope.exit(); });
}

}  // namespace hb
