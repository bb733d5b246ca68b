// Python objects to Tensors and attributes.
#include "bindings/bindings.h"

namespace hb {

namespace {
py::object numpy(const char* name) {
    static PyObject* module = py::module_::import("numpy").release().ptr();
    return py::reinterpret_borrow<py::object>(module).attr(name);
}

const DType* known_dtype(const py::dtype& dtype) {
    static const DType types[] = {DType::f32, DType::f64, DType::i32,
                                  DType::i64, DType::u8,  DType::b8};
    const bool four = dtype.itemsize() == 4;
    switch (dtype.char_()) {
        case 'f':
            return &types[0];
        case 'd':
            return &types[1];
        case 'i':
            return four ? &types[2] : nullptr;
        case 'l':
            return four ? &types[2] : &types[3];
        case 'q':
            return &types[3];
        case 'B':
            return &types[4];
        case '?':
            return &types[5];
        default:
            return nullptr;
    }
}

// NumPy writes '=' for the machine's own order, whichever it is, and '|' where there is none.
bool is_native(const py::dtype& dtype) {
    return dtype.byteorder() == '=' || dtype.byteorder() == '|';
}

// The dtype here that holds what a NumPy dtype without a counterpart holds.
std::string nearest_dtype(const py::object& dtype) {
    const std::string name = py::str(dtype.attr("name"));
    if (name == "float16" || name == "bfloat16") return "float32";
    if (name == "longdouble" || name == "float128") return "float64";
    if (name == "int8" || name == "int16" || name == "uint16") return "int32";
    if (name == "uint32" || name == "uint64") return "int64";
    fail_type("An array of dtype {} cannot become a tensor. Expected numbers or booleans.", name);
}

bool is_array(py::handle object) {
    static PyObject* type = numpy("ndarray").release().ptr();
    return PyObject_TypeCheck(object.ptr(), reinterpret_cast<PyTypeObject*>(type));
}
}  // namespace

Tensor array_to_tensor(py::handle handle) {
    if (!is_array(handle)) return array_to_tensor(numpy("asarray")(handle));
    auto view = py::reinterpret_borrow<py::array>(handle);
    const py::dtype dtype = view.dtype();
    if (!is_native(dtype))
        return array_to_tensor(view.attr("astype")(dtype.attr("newbyteorder")("=")));
    const DType* known = known_dtype(dtype);
    if (known == nullptr) return array_to_tensor(view.attr("astype")(nearest_dtype(dtype)));
    const bool aligned = reinterpret_cast<uintptr_t>(view.data()) % dtype_size(*known) == 0;
    if (!(view.flags() & py::array::c_style) || !aligned) {
        py::object copy = numpy("array")(view, py::arg("order") = "C", py::arg("copy") = true);
        view = py::reinterpret_borrow<py::array>(copy);
    }
    TensorType type{*known, Shape(view.shape(), view.shape() + view.ndim())};
    PyObject* owner = view.inc_ref().ptr();
    auto release = [owner] {
        py::gil_scoped_acquire gil;
        Py_DECREF(owner);
    };
    const size_t bytes = type.bytes();
    return Tensor(std::move(type),
                  std::make_shared<Buffer>(const_cast<void*>(view.data()), bytes, release));
}

bool is_python_scalar(py::handle object) {
    PyObject* p = object.ptr();
    return PyFloat_CheckExact(p) || PyLong_CheckExact(p) || PyBool_Check(p);
}

Tensor to_tensor(py::handle object, const DType* weak) {
    if (py::isinstance<Tensor>(object)) return py::cast<Tensor>(object);
    if (py::isinstance<Variable>(object)) return py::cast<VariablePtr>(object)->read();
    PyObject* p = object.ptr();
    if (PyBool_Check(p)) return Tensor::scalar(weak ? *weak : DType::b8, p == Py_True);
    if (PyLong_CheckExact(p)) {
        int overflow = 0;
        const long long value = PyLong_AsLongLongAndOverflow(p, &overflow);
        if (overflow)
            fail_value("The integer {} does not fit into 64 bits.", std::string(py::str(object)));
        const bool fits = value >= INT32_MIN && value <= INT32_MAX;
        return Tensor::scalar(weak ? *weak : fits ? DType::i32 : DType::i64, int64_t(value));
    }
    if (PyFloat_CheckExact(p))
        return Tensor::scalar(weak && is_float(*weak) ? *weak : DType::f32, PyFloat_AS_DOUBLE(p));
    if (is_array(object)) return array_to_tensor(object);
    if (object.is_none()) fail_type("Expected a tensor or an array. Received: None.");
    if (PyObject_HasAttrString(p, "__array__")) return array_to_tensor(numpy("asarray")(object));
    if (PyList_Check(p) || PyTuple_Check(p)) {
        // Tensors and variables inside are stacked as ops, so that gradients and traces see them.
        py::list parts(py::reinterpret_borrow<py::object>(object));
        bool tensors = false;
        for (py::handle part : parts)
            tensors |= py::isinstance<Tensor>(part) || py::isinstance<Variable>(part);
        if (tensors) {
            std::vector<Tensor> rows;
            for (py::handle part : parts) {
                Tensor row = to_tensor(part);
                Shape shape = row.shape();
                shape.insert(shape.begin(), 1);
                rows.push_back(reshape(row, shape));
            }
            return apply1(Op::concat, std::move(rows), {{"axis", int64_t(0)}});
        }
        py::object array = numpy("asarray")(object);
        const std::string name = py::str(array.attr("dtype").attr("name"));
        if (name == "float64") array = array.attr("astype")("float32");
        if (name == "int64") {
            py::object narrow = array.attr("astype")("int32");
            if (py::cast<bool>(numpy("array_equal")(narrow, array))) array = narrow;
        }
        return array_to_tensor(array);
    }
    if (PyObject_HasAttrString(p, "__dlpack__"))
        return array_to_tensor(numpy("from_dlpack")(object));
    if (PyNumber_Check(p)) return array_to_tensor(numpy("asarray")(object));
    fail_type("Expected a tensor, an array or numbers. Received: {} (of type {}).",
              std::string(py::str(py::repr(object))).substr(0, 200),
              std::string(py::str(py::type::of(object).attr("__name__"))));
}

Attrs to_attrs(const py::kwargs& kwargs) {
    Attrs attrs;
    for (auto [key, value] : kwargs) {
        const std::string name = py::cast<std::string>(key);
        PyObject* p = value.ptr();
        if (PyBool_Check(p))
            attrs.set(name, p == Py_True);
        else if (PyLong_Check(p))
            attrs.set(name, py::cast<int64_t>(value));
        else if (PyFloat_Check(p))
            attrs.set(name, PyFloat_AS_DOUBLE(p));
        else if (PyUnicode_Check(p))
            attrs.set(name, py::cast<std::string>(value));
        else if (PyList_Check(p) || PyTuple_Check(p))
            attrs.set(name, py::cast<std::vector<int64_t>>(value));
        else if (PyIndex_Check(p))
            attrs.set(name, py::cast<int64_t>(py::int_(py::reinterpret_borrow<py::object>(value))));
        else if (PyNumber_Check(p))
            attrs.set(name,
                      py::cast<double>(py::float_(py::reinterpret_borrow<py::object>(value))));
        else
            fail_type("attribute '{}' cannot be {}.", name, std::string(py::str(py::repr(value))));
    }
    return attrs;
}

py::object to_python(const std::vector<Tensor>& tensors) {
    if (tensors.size() == 1) return py::cast(tensors[0]);
    py::tuple result(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) result[i] = py::cast(tensors[i]);
    return result;
}

}  // namespace hb
