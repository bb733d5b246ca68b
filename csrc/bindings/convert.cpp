// Python objects to Tensors and attributes.
#include <utility>

#include "bindings/bindings.h"

namespace hb {

namespace {
py::object numpy(const char* name) {
    static PyObject* module = py::module_::import("numpy").release().ptr();
    return py::reinterpret_borrow<py::object>(module).attr(name);
}

// The dtype of NumPy's type number; none for what tensors do not hold.
std::optional<DType> dtype_of(const py::dtype& dtype) {
    enum { kBool, kByte, kUByte, kShort, kUShort, kInt, kUInt, kLong, kULong, kLongLong };
    enum { kULongLong = 10, kFloat, kDouble, kHalf = 23 };
    const bool wide = dtype.itemsize() == 8;  // C's long has 4 bytes on Windows
    switch (dtype.num()) {
        case kBool:
            return DType::b8;
        case kByte:
            return DType::i8;
        case kUByte:
            return DType::u8;
        case kShort:
            return DType::i16;
        case kUShort:
            return DType::u16;
        case kInt:
        case kLong:
        case kLongLong:
            return wide ? DType::i64 : DType::i32;
        case kUInt:
        case kULong:
        case kULongLong:
            return wide ? DType::u64 : DType::u32;
        case kFloat:
            return DType::f32;
        case kDouble:
            return DType::f64;
        case kHalf:
            return DType::f16;
        default:
            return std::nullopt;
    }
}

bool native(const py::dtype& dtype) {
    const char order = dtype.byteorder();
    return order == '=' || order == '|';
}

// The dtype here that holds what a NumPy dtype without a counterpart holds.
std::string nearest_dtype(const py::object& dtype) {
    const std::string name = py::str(dtype.attr("name"));
    if (name == "longdouble" || name == "float128") return "float64";
    fail_type("An array of dtype {} cannot become a tensor. Expected numbers or booleans.", name);
}

bool is_array(py::handle object) {
    static PyObject* type = numpy("ndarray").release().ptr();
    return PyObject_TypeCheck(object.ptr(), reinterpret_cast<PyTypeObject*>(type));
}
}  // namespace

Shape shape_of(const py::array& array) {
    return Shape(std::vector<int64_t>(array.shape(), array.shape() + array.ndim()));
}

Tensor array_to_tensor(py::handle handle) {
    if (!is_array(handle)) return array_to_tensor(numpy("asarray")(handle));
    auto array = py::reinterpret_borrow<py::array>(handle);
    py::dtype dtype = array.dtype();
    if (!native(dtype)) {
        array = array.attr("astype")(dtype.attr("newbyteorder")("="));
        dtype = array.dtype();
    }
    const std::optional<DType> known = dtype_of(dtype);
    if (!known && py::cast<std::string>(py::str(dtype.attr("name"))) == "bfloat16") {
        const py::array bits = numpy("ascontiguousarray")(array).attr("view")("uint16");
        return Tensor(TensorType{DType::bf16, shape_of(array)}, array_to_tensor(bits).buffer());
    }
    if (!known) return array_to_tensor(array.attr("astype")(nearest_dtype(dtype)));
    const bool aligned = reinterpret_cast<uintptr_t>(array.data()) % dtype_size(*known) == 0;
    if (!(array.flags() & py::array::c_style) || !aligned)
        array = numpy("array")(array, py::arg("order") = "C", py::arg("copy") = true);
    TensorType type{*known, shape_of(array)};
    PyObject* owner = array.inc_ref().ptr();
    auto release = [owner] {
        py::gil_scoped_acquire gil;
        Py_DECREF(owner);
    };
    const size_t bytes = type.bytes();
    return Tensor(std::move(type),
                  std::make_shared<Buffer>(const_cast<void*>(array.data()), bytes, release));
}

// No copy, and no hold on the array: it must outlive the tensor.
Tensor array_in_place(py::handle object, const std::string& list, int64_t i) {
    const auto name = [&] { return i < 0 ? list : format("{}[{}]", list, i); };
    const auto array = py::reinterpret_borrow<py::array>(object);
    if (!is_array(object) || !(array.flags() & py::array::c_style))
        fail_value("{} must be a C-contiguous array: it is changed in place.", name());
    if (!array.writeable()) fail_value("{} must be writable: it is changed in place.", name());
    const py::dtype dtype = array.dtype();
    const std::optional<DType> known = native(dtype) ? dtype_of(dtype) : std::nullopt;
    if (known != DType::f32 && known != DType::f64)
        fail_type("{} must be float32 or float64. Received: {}.", name(),
                  std::string(py::str(dtype)));
    TensorType type{*known, shape_of(array)};
    const size_t bytes = type.bytes();
    return Tensor(std::move(type), std::make_shared<Buffer>(const_cast<void*>(array.data()), bytes,
                                                            std::function<void()>([] {})));
}

bool ArrayViews::view(py::handle object, bool changed, EmitOperand* to) {
    using Api = py::detail::npy_api;
    if (!is_array(object)) return false;
    const py::detail::PyArray_Proxy* array = py::detail::array_proxy(object.ptr());
    const int needed = Api::NPY_ARRAY_C_CONTIGUOUS_ | Api::NPY_ARRAY_ALIGNED_ |
                       (changed ? Api::NPY_ARRAY_WRITEABLE_ : 0);
    if ((array->flags & needed) != needed) return false;
    if (array->descr != descr_) {
        const auto dtype = py::reinterpret_borrow<py::dtype>(array->descr);
        descr_ = dtype.ptr();
        dtype_ = native(dtype) ? dtype_of(dtype) : std::nullopt;
    }
    if (dtype_ != DType::f32 && dtype_ != DType::f64) return false;
    to->data = array->data;
    to->type.dtype = *dtype_;
    to->type.shape.assign(array->dimensions, array->dimensions + array->nd);
    return true;
}

// Without pybind11's search through its tables of types, which takes longer than a small op.
const Tensor* exact_tensor(py::handle object) {
    static auto* type = reinterpret_cast<PyTypeObject*>(py::type::of<Tensor>().ptr());
    if (Py_TYPE(object.ptr()) != type) return nullptr;
    auto* instance = reinterpret_cast<py::detail::instance*>(object.ptr());
    return static_cast<const Tensor*>(instance->get_value_and_holder().value_ptr());
}

Variable* plain_variable(py::handle object) {
    static PyTypeObject* known = nullptr;  // the class of the last one, held
    PyTypeObject* type = Py_TYPE(object.ptr());
    auto* instance = reinterpret_cast<py::detail::instance*>(object.ptr());
    if (type != known) {
        if (!py::isinstance<Variable>(object) || !instance->simple_layout) return nullptr;
        Py_INCREF(type);
        Py_XDECREF(std::exchange(known, type));
    }
    return static_cast<Variable*>(instance->simple_value_holder[0]);
}

bool is_python_scalar(py::handle object) {
    PyObject* p = object.ptr();
    return PyFloat_CheckExact(p) || PyLong_CheckExact(p) || PyBool_Check(p);
}

Tensor to_tensor(py::handle object, const DType* weak) {
    if (const Tensor* tensor = exact_tensor(object)) return *tensor;
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

Attrs::Value to_attr(const std::string& name, py::handle value) {
    PyObject* p = value.ptr();
    if (PyBool_Check(p)) return p == Py_True;
    if (PyLong_Check(p)) return py::cast<int64_t>(value);
    if (PyFloat_Check(p)) return PyFloat_AS_DOUBLE(p);
    if (PyUnicode_Check(p)) return py::cast<std::string>(value);
    if (PyList_Check(p) || PyTuple_Check(p)) return py::cast<std::vector<int64_t>>(value);
    if (PyIndex_Check(p))
        return py::cast<int64_t>(py::int_(py::reinterpret_borrow<py::object>(value)));
    if (PyNumber_Check(p))
        return py::cast<double>(py::float_(py::reinterpret_borrow<py::object>(value)));
    fail_type("attribute '{}' cannot be {}.", name, std::string(py::str(py::repr(value))));
}

Attrs to_attrs(const py::kwargs& kwargs) {
    Attrs attrs;
    for (auto [key, value] : kwargs) {
        std::string name = py::cast<std::string>(key);
        Attrs::Value attr = to_attr(name, value);
        attrs.set(std::move(name), std::move(attr));
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
