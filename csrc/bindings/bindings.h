// What the binding files share. Only files of this folder know pybind11.
#pragma once

#include <optional>

#include "bindings/pybind.h"
#include "core/tape.h"
#include "ops/ops.h"

namespace hb {

namespace py = pybind11;

void register_tensor(py::module_& m);
void register_variable(py::module_& m);
void register_apply(py::module_& m);
void register_tape(py::module_& m);
void register_program(py::module_& m);
void register_rnn(py::module_& m);
void register_info(py::module_& m);

// Anything that holds numbers, as a Tensor: no copy where layout and dtype allow.
// A bare Python number takes `weak` when that is given.
Tensor to_tensor(py::handle object, const DType* weak = nullptr);
Tensor array_to_tensor(py::handle array);
// The tensor, if `object` is one and of no class that a user derived.
const Tensor* exact_tensor(py::handle object);
// The variable, if `object` is one; null for some that are, too: ask pybind11 then.
Variable* plain_variable(py::handle object);
// The memory of a float array that is to be changed; errors call it list[i], or list where i < 0.
Tensor array_in_place(py::handle array, const std::string& list, int64_t i);
// The memory of many float arrays, one after the other, where it can be used as it lies (and
// written, where it is to be changed); else false. They must outlive what is made of it.
class ArrayViews {
  public:
    bool view(py::handle object, bool changed, EmitOperand* to);

  private:
    PyObject* descr_ = nullptr;  // of the last array: most have the same
    std::optional<DType> dtype_;
};
Tensor make_tensor(py::handle object, const py::object& dtype);
bool is_python_scalar(py::handle object);
Attrs to_attrs(const py::kwargs& kwargs);
Attrs::Value to_attr(const std::string& name, py::handle value);
py::object to_python(const std::vector<Tensor>& tensors);

}  // namespace hb
