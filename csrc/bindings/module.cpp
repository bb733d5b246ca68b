#include "bindings/bindings.h"

namespace {
void translate(std::exception_ptr caught) {
    try {
        if (caught) std::rethrow_exception(caught);
    } catch (const hb::Error& error) {
        PyObject* types[] = {PyExc_ValueError, PyExc_TypeError, PyExc_IndexError,
                             PyExc_RuntimeError};
        PyErr_SetString(types[int(error.kind())], error.what());
    }
}
}  // namespace

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    m.doc() = "The C++ core of hornbeam: tensors, ops, tapes and traced programs.";
    pybind11::register_exception_translator(translate);
    hb::register_tensor(m);
    hb::register_variable(m);
    hb::register_apply(m);
    hb::register_tape(m);
    hb::register_program(m);
    hb::register_rnn(m);
    hb::register_info(m);
}
