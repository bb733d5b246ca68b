// hb.Tensor: construction, NumPy and the buffer protocol.
#include "bindings/bindings.h"

namespace hb {

namespace {
py::dtype numpy_dtype(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return py::dtype::of<float>();
        case DType::f64:
            return py::dtype::of<double>();
        case DType::i32:
            return py::dtype::of<int32_t>();
        case DType::i64:
            return py::dtype::of<int64_t>();
        case DType::u8:
            return py::dtype::of<uint8_t>();
        case DType::b8:
            return py::dtype::of<bool>();
        case DType::bf16:  // NumPy has none: its bits
            return py::dtype::of<uint16_t>();
        default:
            return py::dtype(std::string(dtype_name(dtype)));
    }
}

// The dtype of the package ml_dtypes, or None where that is not installed.
py::object ml_bfloat16() {
    static PyObject* found = [] {
        try {
            return py::object(py::module_::import("ml_dtypes").attr("bfloat16")).release().ptr();
        } catch (py::error_already_set& error) {
            if (!error.matches(PyExc_ImportError)) throw;
            return py::none().release().ptr();
        }
    }();
    return py::reinterpret_borrow<py::object>(found);
}

py::tuple shape_tuple(const Shape& shape) {
    py::tuple result(shape.size());
    for (int i = 0; i < shape.ndim(); ++i) result[size_t(i)] = shape[i];
    return result;
}

std::vector<py::ssize_t> strides_of(const TensorType& type) {
    std::vector<py::ssize_t> strides(type.shape.size());
    py::ssize_t stride = py::ssize_t(dtype_size(type.dtype));
    for (size_t i = strides.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= type.shape[int64_t(i)];
    }
    return strides;
}

// Shares the tensor's memory; writable only where nobody else can see it. bfloat16 without
// ml_dtypes becomes a new array of float32.
py::array to_numpy(const Tensor& tensor, bool writable) {
    if (tensor.dtype() == DType::bf16 && ml_bfloat16().is_none())
        return to_numpy(cast(tensor, DType::f32), true);
    void* data = tensor.data();
    auto* keep = new std::shared_ptr<Buffer>(tensor.buffer());
    py::capsule owner(keep, [](void* p) { delete static_cast<std::shared_ptr<Buffer>*>(p); });
    py::array array(numpy_dtype(tensor.dtype()),
                    std::vector<py::ssize_t>(tensor.shape().begin(), tensor.shape().end()),
                    strides_of(tensor.type()), data, owner);
    if (!writable) array.attr("setflags")(py::arg("write") = false);
    if (tensor.dtype() == DType::bf16) return array.attr("view")(ml_bfloat16());
    return array;
}

bool sole_owner(const Tensor& tensor) {
    return !tensor.symbolic() && !tensor.shared() && tensor.buffer().use_count() == 1;
}

py::object as_array(const Tensor& tensor, const py::object& dtype, const py::object& copy) {
    py::object array = to_numpy(tensor, sole_owner(tensor));
    if (!copy.is_none() && py::cast<bool>(copy)) array = array.attr("copy")();
    if (!dtype.is_none()) array = array.attr("astype")(dtype, py::arg("copy") = false);
    return array;
}

py::buffer_info buffer(const Tensor& tensor) {
    static const char* formats[kNumDTypes] = {"f", "d", "i", "q", "B", "?", "e",
                                              "",  "b", "h", "H", "I", "Q"};
    if (tensor.dtype() == DType::bf16)
        fail_type("Python's buffers have no bfloat16. Use np.asarray(tensor).");
    return py::buffer_info(tensor.data(), py::ssize_t(dtype_size(tensor.dtype())),
                           formats[int(tensor.dtype())], tensor.ndim(),
                           std::vector<py::ssize_t>(tensor.shape().begin(), tensor.shape().end()),
                           strides_of(tensor.type()), !sole_owner(tensor));
}

py::object item(const Tensor& tensor) {
    if (tensor.size() != 1)
        fail_value("Only a tensor of one element becomes a Python number. Received: shape {}.",
                   tensor.shape());
    return to_numpy(tensor, false).attr("item")();
}

std::string repr(const Tensor& tensor) {
    if (tensor.symbolic())
        return format("<hornbeam.Tensor shape={} dtype={} (traced)>", tensor.shape(),
                      tensor.dtype());
    const std::string text = py::str(py::repr(to_numpy(tensor, false)));
    return format("<hornbeam.Tensor shape={} dtype={}\n{}>", tensor.shape(), tensor.dtype(), text);
}

}  // namespace

Tensor make_tensor(py::handle object, const py::object& dtype) {
    if (dtype.is_none()) return to_tensor(object);
    const DType wanted = dtype_from_name(py::cast<std::string>(py::str(dtype)));
    if (is_python_scalar(object)) {
        if (PyFloat_CheckExact(object.ptr()))
            return Tensor::scalar(wanted, PyFloat_AS_DOUBLE(object.ptr()));
        return to_tensor(object, &wanted);
    }
    if (PyList_Check(object.ptr()) || PyTuple_Check(object.ptr())) {
        try {
            const DType read_as = is_half(wanted) ? DType::f32 : wanted;
            py::object array = py::module_::import("numpy").attr("asarray")(
                object, py::arg("dtype") = dtype_name(read_as));
            return cast(array_to_tensor(array), wanted);
        } catch (py::error_already_set& error) {
            if (!error.matches(PyExc_TypeError)) throw;  // tensors inside: stack them
        }
    }
    return cast(to_tensor(object), wanted);
}

// NumPy's uint16 as what its bits mean.
Tensor from_bits(const py::array& bits, const std::string& dtype) {
    const Tensor tensor = array_to_tensor(bits);
    const DType meant = dtype_from_name(dtype);
    if (tensor.dtype() != DType::u16 || !is_half(meant))
        fail_type("from_bits: expects uint16 and a half type. Received: {}, {}.", tensor.dtype(),
                  dtype);
    return Tensor(TensorType{meant, tensor.shape()}, tensor.buffer());
}

void register_tensor(py::module_& m) {
    py::class_<Tensor>(m, "Tensor", py::buffer_protocol(), py::dynamic_attr(),
                       R"(A value: numbers of one dtype in a shape.

Ops give Tensors; NumPy reads them without a copy (`np.asarray(t)`). Make one with
`hb.ops.convert_to_tensor`.)")
        .def(py::init(&make_tensor), py::arg("value"), py::arg("dtype") = py::none())
        .def_buffer(&buffer)
        .def_property_readonly("shape", [](const Tensor& t) { return shape_tuple(t.shape()); })
        .def_property_readonly("dtype", [](const Tensor& t) { return dtype_name(t.dtype()); })
        .def_property_readonly("ndim", &Tensor::ndim)
        .def_property_readonly("size", &Tensor::size)
        .def_property_readonly("nbytes", [](const Tensor& t) { return t.type().bytes(); })
        .def_property_readonly("is_symbolic", &Tensor::symbolic)
        .def("numpy", [](const Tensor& t) { return to_numpy(t, sole_owner(t)); })
        .def("__array__", &as_array, py::arg("dtype") = py::none(), py::arg("copy") = py::none())
        .def("__dlpack__",
             [](const Tensor& t, const py::kwargs& kwargs) {
                 const bool own = sole_owner(t);
                 py::object array = to_numpy(t, own);
                 if (!own) array = array.attr("copy")();  // consumers may write
                 return array.attr("__dlpack__")(**kwargs);
             })
        .def("__dlpack_device__", [](const Tensor&) { return py::make_tuple(1, 0); })
        .def("item", &item)
        .def("tolist", [](const Tensor& t) { return to_numpy(t, false).attr("tolist")(); })
        .def("__float__", [](const Tensor& t) { return py::float_(item(t)); })
        .def("__int__", [](const Tensor& t) { return py::int_(item(t)); })
        .def("__index__",
             [](const Tensor& t) {
                 if (is_float(t.dtype())) fail_type("A float tensor cannot be an index.");
                 return py::int_(item(t));
             })
        .def("__bool__", [](const Tensor& t) { return py::cast<bool>(py::bool_(item(t))); })
        .def("__len__",
             [](const Tensor& t) {
                 if (t.ndim() == 0) fail_type("A 0-d tensor has no length.");
                 return t.shape()[0];
             })
        .def("__repr__", &repr)
        .def("__deepcopy__", [](const Tensor& t, const py::dict&) { return t; })
        .def("__reduce__", [](py::object self) {
            return py::make_tuple(py::type::of(self), py::make_tuple(self.attr("numpy")()));
        });
    m.def("from_bits", &from_bits, py::arg("bits"), py::arg("dtype"),
          "float16 or bfloat16 from an array of uint16; shares its memory.");
    m.def("tensor", &make_tensor, py::arg("value"), py::arg("dtype") = py::none(),
          "A Tensor of anything that holds numbers.");
}

}  // namespace hb
